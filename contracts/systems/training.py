"""Client of the training claims: publishes data, opens runs, draws their seeds, claims what training gives, and reads claims.

Games about these claims are those of `dispute_play`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from eth_utils import to_checksum_address

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt
from zkpredict.contracts.systems.dispute import NOBODY, Claim, Terms, deploy_machine, event_about, program_at, store
from zkpredict.contracts.systems.log import Delivery, log_path
from zkpredict.contracts.systems.machine import Trace
from zkpredict.contracts.systems.program import DATA, SCRATCH, WEIGHTS, Program
from zkpredict.contracts.systems.samples import Part
from zkpredict.contracts.systems.training_int import data_region, run_of

PART = 64
"""Samples in a part."""
PART_DEPTH = 6
"""Height of the tree over a part's leaves."""
DRAW_DELAY = 128
"""Blocks between arming the draw and the block that draws."""


@dataclass(frozen=True)
class Run:
    """A recipe and its data, as the chain has them. `seed` is empty before the draw."""

    number: int
    program: str
    publisher: str
    first: int
    count: int
    data_root: bytes
    draw_block: int
    seed: bytes

    @classmethod
    def read(cls, contract: Contract, number: int) -> Run:
        """Raises `UnusableInput` when nobody opened it."""
        program, publisher, first, count, root = event_about(
            contract, "Opened", number, ("program", "publisher", "first", "count", "dataRoot")
        )
        draw_block, seed = contract.call("drawn", number)
        return cls(number, to_checksum_address(program), to_checksum_address(publisher), first, count, root, draw_block, seed.strip(b"\0") and seed)

    def trace(self, contract: Contract, images: np.ndarray, labels: np.ndarray) -> Trace:
        """The run on this machine, from its data. Raises `UnusableInput` for other data, or when no seed is drawn yet."""
        if not self.seed:
            raise UnusableInput(f"run {self.number:#x} has no seed yet: arm it and fix its draw")
        program = program_at(contract.chain, self.program)
        trace = run_of(program, data_region(images, labels, PART), self.seed)
        if trace.roots(0)[DATA] != self.data_root:
            raise UnusableInput(f"run {self.number:#x} is about other data: its root is {self.data_root.hex()}, not {trace.roots(0)[DATA].hex()}")
        return trace


def deploy(chain: Chain, terms: Terms = Terms(), machine: str | None = None, draw_delay: int = DRAW_DELAY) -> Contract:
    """A new `TrainingClaims`, with a machine of its own unless one is given."""
    machine = deploy_machine(chain).address if machine is None else machine
    return Contract.deploy(chain, load("TrainingClaims"), machine, *terms.arguments, draw_delay)[0]


def parts_of(images: np.ndarray, labels: np.ndarray) -> list[Part]:
    """Samples in parts of 64. Raises `UnusableInput` for a rest."""
    if len(images) % PART or not len(images):
        raise UnusableInput(f"data comes in parts of {PART} samples, got {len(images)}")
    return [Part.of(images[at : at + PART], labels[at : at + PART].tolist()) for at in range(0, len(images), PART)]


def publish(contract: Contract, part: Part) -> Receipt:
    """Adds a part to this account's list."""
    return contract.transact("publish", part.data, part.input_bytes)


def open_run(contract: Contract, program: Program, publisher: str, first: int, count: int) -> tuple[int, Receipt]:
    """Stores the recipe's program and opens the run over `count` of the publisher's parts."""
    [address] = store(contract.chain, program.encode())
    receipt = contract.transact("open", address, publisher, first, count)
    return contract.events(receipt)[0][1]["run"], receipt


def fix(contract: Contract, run: int) -> Receipt:
    """Draws the run's seed from the block that `arm` named. Raises `UnusableInput` when that block is not there yet."""
    draw_block, _ = contract.call("drawn", run)
    latest = contract.chain.block().number
    if draw_block == 0 or latest <= draw_block:
        wanted = "arm it first" if draw_block == 0 else f"wait for block {draw_block + 1}, it is {latest}"
        raise UnusableInput(f"run {run:#x} cannot be drawn yet: {wanted}")
    return contract.transact("fix", run, contract.chain.block(draw_block).header)


def claim_training(contract: Contract, run: int, trace: Trace, k: int = 16, delegate: str = NOBODY) -> tuple[int, Receipt]:
    """Claims what `trace` ends in as the result of the run, with the least bond."""
    roots = trace.roots(trace.program.steps)
    value = contract.call("gameBond", trace.program.steps, k)
    receipt = contract.transact("claimTraining", run, roots[WEIGHTS], roots[SCRATCH], k, delegate, value=value)
    return next(event["claim"] for name, event in contract.events(receipt) if name == "Asserted"), receipt


def run_of_claim(contract: Contract, claim: int) -> tuple[int, bytes]:
    """The run and the weights' root that a claim names. Raises `UnusableInput` when there is no such claim."""
    Claim.read(contract, claim)
    return contract.call("training", claim)[:2]


def publish_logged(parts: Contract, size: int, samples: list[tuple[int, bytes]], origins: list[tuple[str, str, int, int]]) -> Receipt:
    """Publishes the next part of a log's deliveries through a `LoggedParts`. `samples` and `origins` are all `size` in the log, in order."""
    number = parts.call("next")
    leaves = [Delivery(label, values, *origin).leaf for (label, values), origin in zip(samples, origins, strict=True)]
    chosen = slice(number * PART, (number + 1) * PART)
    data = b"".join(bytes([label]) + values for label, values in samples[chosen])
    return parts.transact("publish", size, data, origins[chosen], log_path(leaves, number, PART_DEPTH))
