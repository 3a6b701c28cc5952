"""The forgeries about hidden inputs and contexts against the contract of a wide circuit: refused by name, and accepted when the guard is taken out."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from freezing import blind_to_statement
from guards import unchecked_parts
from test_29_hidden_inputs import INPUTS, N, Afterwards, Committed, answer, forged, rows_of, said_of, sheet_for
from wide_forger import wide_network

from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import compile_sources
from zkpredict.contracts.verifier.encoding import onchain_proof
from zkpredict.contracts.verifier.generate import _settings, wide_sources
from zkpredict.contracts.verifier.wide.numbers import wide_name
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import hide
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.messages import Proof
from zkpredict.verifier.native import parse_proof

pytestmark = pytest.mark.node
MISMATCH = ("OpeningFailed", ())
MINE, OTHER = b"pay 0xa1, job 1".ljust(32), b"pay 0xb2, job 1".ljust(32)
HASHED = "sub(calldatasize(), sub(CALLDATA_BYTES, add(96, add(OUTPUTS_BYTES, IMAGE_BYTES))))"
WITHOUT_INPUT = {HASHED: "add(96, OUTPUTS_BYTES)"}
"""A transcript that does not hear the commitment."""
WITHOUT_CONTEXT = {HASHED: "add(96, add(OUTPUTS_BYTES, IMAGE_BYTES))"}
"""One that does not hear the context."""
FOR_ANYBODY = {"msg.sender == address(this) && ": ""}
"""A contract that lets anybody put a context behind the calldata."""


@cache
def model() -> Model:
    return commit_model(wide_network(3, (INPUTS, 20, 4), RELU8, shift=4), N, private_input=True)


@cache
def pair() -> tuple[list[int], list[int]]:
    """Two inputs of two classes."""
    first = np.random.default_rng(0).integers(0, 256, INPUTS).tolist()
    for seed in range(1, 1000):
        other = np.random.default_rng(seed).integers(0, 256, INPUTS).tolist()
        if answer(model().network, other) != answer(model().network, first):
            return first, other
    raise AssertionError("no such input")


@cache
def verifier(*without: tuple[str, str]) -> Contract:
    """The contract with its model, some of its text replaced."""
    circuit = model().commitment.circuit
    assert isinstance(circuit, WideCircuit)
    name, sources = wide_name(circuit), wide_sources(circuit)
    for guard, instead in without:
        (text,) = {file for file, text in sources.items() if guard in text}
        sources[text] = sources[text].replace(guard, instead)
    contract = Contract.deploy(EmbeddedChain(), compile_sources(sources, _settings(), strict=not without)[name])[0]
    contract.transact("register", b"".join(row.to_uncompressed() for row in model().commitment.rows))
    return contract


def verdict(contract: Contract, hidden: HiddenInput, proof: Proof, context: bytes = b"") -> tuple[str, tuple]:
    """The error that the contract raises; ("", ()) when it accepts."""
    question = (model().commitment.model_id, b"".join(hidden.absorbed), proof.digit, onchain_proof(proof))
    try:
        contract.call("verifyForOrRevert", *question, context) if context else contract.call("verifyOrRevert", *question)
    except Reverted as refusal:
        return refusal.name, refusal.arguments
    return "", ()


def test_a_hidden_image_swapped_between_proofs_is_refused():
    one, other = (hide(bytes(image), N) for image in pair())
    proofs = prove(model(), one), prove(model(), other)
    assert proofs[0].digit != proofs[1].digit
    assert verdict(verifier(), one.hidden, proofs[0]) == verdict(verifier(), other.hidden, proofs[1]) == ("", ())
    again = hide(bytes(pair()[0]), N).hidden
    for hidden, proof in ((other.hidden, proofs[0]), (one.hidden, proofs[1]), (again, proofs[0])):
        assert verdict(verifier(), hidden, proof) == MISMATCH


def test_a_commitment_chosen_after_the_challenges_is_refused():
    """Without it in the transcript any class is proven, about a point that commits to no bytes."""
    image, _ = pair()
    lie = (answer(model().network, image) + 1) % 4
    sheet = sheet_for(model(), image, lie, rows_of(image))

    def forgery() -> tuple[HiddenInput, Proof]:
        under = Committed.to(image)
        prover = Afterwards(model(), said_of(under, lie), chosen=sheet, under=under)
        with unchecked_parts():
            proof = prover.prove()
        return prover.chosen_afterwards, proof

    assert verdict(verifier(), *forgery()) == MISMATCH
    with blind_to_statement("hidden"):
        hidden, proof = forgery()
    assert proof.digit == lie and verdict(verifier(*WITHOUT_INPUT.items()), hidden, proof) == ("", ())
    assert verdict(verifier(), hidden, proof) == MISMATCH


def test_a_context_replayed_or_dropped_is_refused():
    opened = hide(bytes(pair()[0]), N)
    mine, plain = prove(model(), opened, context=MINE), prove(model(), opened)
    assert verdict(verifier(), opened.hidden, mine, MINE) == verdict(verifier(), opened.hidden, plain) == ("", ())
    for context in (OTHER, bytes(32), b""):
        assert verdict(verifier(), opened.hidden, mine, context) == MISMATCH
    for context in (MINE, bytes(32)):
        assert verdict(verifier(), opened.hidden, plain, context) == MISMATCH
    deaf = verifier(*WITHOUT_CONTEXT.items())
    assert verdict(deaf, opened.hidden, plain, OTHER) == ("", ())


def test_only_the_contract_itself_says_for_whom():
    """Else the function that takes proofs for nobody in particular would take one for somebody: its context dropped."""
    opened = hide(bytes(pair()[0]), N)
    mine = prove(model(), opened, context=MINE)
    guarded, open_to_all = verifier(), verifier(*FOR_ANYBODY.items())
    question = (model().commitment.model_id, b"".join(opened.hidden.absorbed), mine.digit, onchain_proof(mine))
    data = guarded.artifact.encode("verifyOrRevert", *question) + MINE
    with pytest.raises(Reverted) as caught:
        guarded.chain.call(guarded.address, data)
    refusal = caught.value.named(guarded.artifact)
    assert (refusal.name, refusal.arguments) == ("WrongCalldataLength", (len(data),))
    assert open_to_all.chain.call(open_to_all.address, data) == b""


def test_a_hand_made_trace_is_an_honest_one_here_too():
    """The twin of the forgeries: the forger's own machinery makes what the contract accepts."""
    image, under = pair()[0], Committed.to(pair()[0])
    digit = answer(model().network, image)
    made = forged(model(), under, digit, sheet_for(model(), image, digit, rows_of(image)))
    proof = parse_proof(made.proof, model().commitment)
    assert verdict(verifier(), under.hidden, proof) == ("", ())
    assert verdict(verifier(), replace(under.hidden, points=(G1.generator(),)), proof) == MISMATCH
