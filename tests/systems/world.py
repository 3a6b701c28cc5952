"""What machines share: accounts of an embedded chain, and the outcome of a call as the name of its error."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

from hypothesis import settings

from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import SYSTEMS, Settings, compile_sources

LONG = 300
"""Runs of a machine under `--hypothesis-profile=long`, of 40 steps each."""
BURNED = "0x000000000000000000000000000000000000dEaD"


@cache
def bench(name: str) -> Artifact:
    """A contract of Blocks.sol, which is compiled once."""
    return _benches()[name]


@cache
def _benches() -> dict[str, Artifact]:
    source = Path(__file__).with_name("Blocks.sol").read_text(encoding="utf-8")
    return compile_sources({"Blocks.sol": source}, Settings.load(SYSTEMS), SYSTEMS)


def new(chain: EmbeddedChain, artifact: Artifact | str, *arguments: object) -> Contract:
    """A new contract on the chain: a bench by name, or any artefact."""
    return Contract.deploy(chain, bench(artifact) if isinstance(artifact, str) else artifact, *arguments)[0]


def machine_settings(examples: int, steps: int) -> settings:
    """How often and how long a machine runs: a little, or 300 times 40 steps under the profile `long`."""
    long = settings().max_examples == LONG
    return settings(max_examples=LONG if long else examples, stateful_step_count=40 if long else steps)


class Refused(Exception):
    """What a model raises where the contract reverts with the error of this name."""


def outcome(act: Callable[[], object]) -> str:
    """The name of the error an action ends with, empty when it succeeds."""
    try:
        act()
    except Reverted as refusal:
        assert refusal.name, refusal
        return refusal.name
    except Refused as refusal:
        return str(refusal)
    return ""


def same(real: Callable[[], object], model: Callable[[], object]) -> str:
    """Runs both and asserts that they end alike; the name of the error."""
    found, expected = outcome(real), outcome(model)
    assert found == expected, f"the contract ended with {found or 'success'}, the model with {expected or 'success'}"
    return found


def check_vault(contract: Contract, model: dict[bytes, int], credits: dict[str, int], forced: int = 0) -> None:
    """V1: owed is what the model holds and credits, and the balance is that (and what somebody forced in)."""
    owed = sum(model.values()) + sum(credits.values())
    assert contract.call("owed") == owed
    assert contract.chain.balance(contract.address) == owed + forced
    for purpose, amount in model.items():
        assert contract.call("held", purpose) == amount
    for who, amount in credits.items():
        assert contract.call("credit", who) == amount
