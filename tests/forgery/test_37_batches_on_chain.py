"""Forgeries about batches against the contract: refused by name, and accepted when the guard is taken out of it."""

from __future__ import annotations

from functools import cache

import pytest
from guards import without_constraint
from test_32_batches import COUNT, IMAGES, NETWORK, WINNER, BatchForger, answers, forged, lied, proof_of, with_ends

from zkpredict.circuits.batch.layout import DenseBatch
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import compile_sources
from zkpredict.contracts.verifier.batch_client import batch_arguments
from zkpredict.contracts.verifier.client import register_model
from zkpredict.contracts.verifier.generate import _settings, batch_sources
from zkpredict.contracts.verifier.wide.batches import batch_name
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.verifier.batch import BatchProof

pytestmark = pytest.mark.node
WITHOUT_WINNERS = ("mstore(WINNER, mulmod(total,", "mstore(WINNER, mulmod(0,")
"""A contract that lets a claimed class differ from itself."""


@cache
def model() -> Model:
    return commit_model(NETWORK, domain=512, batch=True)


@cache
def contract(old: str = "", new: str = "") -> Contract:
    """The verifier of batches of COUNT inputs with the model registered; `old` in its source replaced."""
    single = model().commitment.circuit
    circuit = DenseBatch(
        single.widths, single.lanes, single.activations, single.domain, single.claim, single.private_input, single.slotted, COUNT
    )
    sources, name = batch_sources(circuit), batch_name(circuit)
    text = sources[f"{name}.sol"]
    assert not old or text.count(old) == 1
    found, _ = Contract.deploy(
        EmbeddedChain(), compile_sources(sources | {f"{name}.sol": text.replace(old, new) if old else text}, _settings(short=True))[name]
    )
    register_model(found.chain, found.address, model().commitment)
    return found


def refusal(verifier: Contract, proof: BatchProof) -> str:
    """The error's name; "" where the contract accepts."""
    try:
        verifier.call("verifyBatchOrRevert", *batch_arguments(proof.model_id, IMAGES.tobytes(), proof.parts[0]))
    except Reverted as error:
        return error.name
    return ""


def test_another_class_for_one_input_of_many():
    honest = proof_of(BatchForger(model(), BatchStatement.of(IMAGES.tobytes(), tuple(answers(model())))))
    assert refusal(contract(), honest) == ""
    _, second, third = model().network.infer(IMAGES).logits[-2].tolist()
    for largest in (second, third):
        assert refusal(contract(), forged(model(), with_ends(model(), largest + 1))) == "OpeningFailed"


def test_a_contract_without_the_winners_takes_another_class():
    _, _, third = model().network.infer(IMAGES).logits[-2].tolist()
    with without_constraint(WINNER):
        proof = forged(model(), with_ends(model(), third + 1))
    assert proof.classes == lied(model())
    assert refusal(contract(), proof) == "OpeningFailed"
    assert refusal(contract(*WITHOUT_WINNERS), proof) == ""
