"""Forgeries about batches against the contract: refused by name, and accepted when the guard is taken out of it."""

from __future__ import annotations

from functools import cache

import pytest
from guards import without_constraint
from test_32_batches import COUNT, IMAGES, LIED, NETWORK, WINNER, BatchForger, answers, forged, lied, proof_of, with_ends

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.placement import all_constraints
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import compile_sources
from zkpredict.contracts.verifier.batch_client import batch_arguments
from zkpredict.contracts.verifier.client import register_model
from zkpredict.contracts.verifier.generate import _settings, batch_sources
from zkpredict.contracts.verifier.wide.batches import batch_name, check_batch
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.verifier.batch import BatchProof

pytestmark = pytest.mark.node
WITHOUT_WINNERS = ("mstore(WINNER, mulmod(total,", "mstore(WINNER, mulmod(0,")
"""A contract that lets a claimed class differ from itself."""

WITHOUT_SIGNS = (", at)), signs, r))", ", at)), 0, r))")
"""One that lets differences be negative."""


@cache
def model() -> Model:
    return commit_model(NETWORK, domain=512, batch=True)


@cache
def contract(old: str = "", new: str = "") -> Contract:
    """The verifier of batches of COUNT inputs with the model registered; `old` in its source replaced."""
    circuit = check_batch(BatchCircuit.of(model().commitment.circuit, COUNT))
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
    _, second, third = model().network.infer(IMAGES).logits[LIED].tolist()
    for largest in (second, third):
        assert refusal(contract(), forged(model(), with_ends(model(), largest + 1))) == "OpeningFailed"


@pytest.mark.parametrize(("place", "out"), [(2, WITHOUT_WINNERS), (1, WITHOUT_SIGNS)])
def test_a_contract_without_the_guard_takes_another_class(place, out):
    """Differences to the largest logit, whose claimed class differs from itself; and to that of the claimed class, of which one is negative."""
    largest = model().network.infer(IMAGES).logits[LIED].tolist()[place]
    signs = [one.name for one in all_constraints(BatchCircuit.of(model().commitment.circuit, COUNT)) if one.name.endswith("are not negative")]
    with without_constraint(*(signs if out is WITHOUT_SIGNS else [WINNER])):
        proof = forged(model(), with_ends(model(), largest + 1))
    assert proof.classes == lied(model())
    assert refusal(contract(), proof) == "OpeningFailed"
    assert refusal(contract(*out), proof) == ""
