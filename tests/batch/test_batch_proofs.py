"""Batches are proven, and both verifiers and the debug checker agree on them; what is not said is refused."""

from __future__ import annotations

import numpy as np
import pytest
from batch_cases import CASES, SLOTTED, batch_network, images_of, model_of, proof_of
from support import MISMATCH, refuses

import zkpredict as zp
from zkpredict.circuits.batch.explain import batch_of
from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.batch.witness import batch_trace
from zkpredict.circuits.debug import UnsatisfiedConstraint, check_trace
from zkpredict.circuits.errors import FalseClaim, UnsupportedNetwork, UnusableInput
from zkpredict.prover import batch as proving
from zkpredict.prover.commit import commit_model
from zkpredict.verifier import independent, independent_batch
from zkpredict.verifier.batch import BatchPart, BatchProof, batch_file_bytes, parse_batch, verify_batch
from zkpredict.verifier.errors import FailedOpening, MalformedProof, WrongStatement
from zkpredict.verifier.messages import Proof
from zkpredict.verifier.native import parse_proof, verify

PYTHON = (SLOTTED, CASES[3])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_answer_of_a_batch_is_the_networks(case):
    model, images, proof = model_of(case), images_of(case), proof_of(case)
    assert model.commitment.circuit.slots == case.slots
    assert proof.classes == tuple(model.network.infer(images).digits)
    verify_batch(model.commitment, images, proof)
    assert parse_batch(proof.to_bytes(), model.commitment).to_bytes() == proof.to_bytes()
    other = images.copy()
    other[-1, 0] ^= 1
    with refuses(FailedOpening, MISMATCH):
        verify_batch(model.commitment, other, proof)


@pytest.mark.parametrize("case", PYTHON, ids=str)
def test_the_independent_verifier_agrees(case):
    model, rows = model_of(case), [image.tobytes() for image in images_of(case)]
    commitment, data = model.commitment.to_bytes(), proof_of(case).to_bytes()
    assert independent_batch.verify_batch(commitment, rows, data) == proof_of(case).classes
    with refuses(FailedOpening, MISMATCH):
        independent_batch.verify_batch(commitment, [rows[1], rows[0], *rows[2:]], data)


def test_both_verifiers_refuse_what_does_not_fit():
    model, images, proof = model_of(SLOTTED), images_of(SLOTTED), proof_of(SLOTTED)
    rows = [image.tobytes() for image in images]

    def independently(rows, data, contexts=b""):
        return independent_batch.verify_batch(model.commitment.to_bytes(), rows, data, contexts)

    with refuses(WrongStatement, "the proof is about 11 inputs, there are 10"):
        verify_batch(model.commitment, images[:10], proof)
    with refuses(WrongStatement, "the proof is about 11 inputs, there are 10"):
        independently(rows[:10], proof.to_bytes())
    with refuses(WrongStatement, "the batch is 11 inputs of 11 bytes, the circuit takes 12"):
        verify_batch(model.commitment, images[:, :11], proof)
    with refuses(WrongStatement, "input 10 has 11 bytes, the circuit takes 12"):
        independently([*rows[:10], rows[10][:11]], proof.to_bytes())
    with refuses(WrongStatement, "the context has 31 bytes, expected 32 or none"):
        verify_batch(model.commitment, images, proof, bytes(31))
    with refuses(WrongStatement, "the context has 31 bytes, expected 32 or none"):
        independently(rows, proof.to_bytes(), bytes(31))
    with refuses(WrongStatement, "a batch must be a uint8 array, one input a row, got int64 array of 2 axes"):
        verify_batch(model.commitment, images.astype(np.int64), proof)
    part = proof.parts[0]
    wrong = BatchProof(proof.model_id, (BatchPart(part.model_id, 11, part.points, part.scalars, part.form, classes=(3, *part.classes[1:])),))
    with refuses(WrongStatement, "input 0 is said to be of class 3, which is not one of the 3 classes"):
        verify_batch(model.commitment, images, wrong)
    with refuses(WrongStatement, "input 0 is said to be of class 3, which is not one of the 3 classes"):
        independently(rows, wrong.to_bytes())
    other = model_of(CASES[1])
    said = f"the proof is for model {proof.model_id.hex()}, the commitment is of model {other.commitment.model_id.hex()}"
    for check in (
        lambda: verify_batch(other.commitment, images, proof), lambda: parse_batch(proof.to_bytes(), other.commitment),
        lambda: independent_batch.verify_batch(other.commitment.to_bytes(), rows, proof.to_bytes()),
    ):
        with refuses(WrongStatement, said):
            check()


def test_a_single_proof_and_a_batch_of_one_are_not_each_other():
    """Without slots both have the same points and scalars: only the label tells them apart."""
    case = CASES[3]
    model, image = model_of(case), images_of(case)[:1]
    batch, single = zp.prove_batch(model, image), zp.prove(model, image[0])
    part = batch.parts[0]
    assert part.form.points == single.form.points and part.form.scalars == single.form.scalars
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, image[0], Proof(single.model_id, single.digit, part.points, part.scalars, single.form))
    posing = BatchPart(part.model_id, 1, single.points, single.scalars, part.form, classes=part.classes)
    with refuses(FailedOpening, MISMATCH):
        verify_batch(model.commitment, image, BatchProof(part.model_id, (posing,)))
    with refuses(MalformedProof, "proof: this is one of a batch: `zkpredict verify-batch` checks it"):
        parse_proof(batch.to_bytes(), model.commitment)
    with refuses(MalformedProof, f"proof: magic of a batch is {single.to_bytes()[:5]!r}, expected {batch.to_bytes()[:5]!r}"):
        parse_batch(single.to_bytes(), model.commitment)


def test_single_proofs_of_a_slotted_model_are_wide_proofs():
    model, image = model_of(SLOTTED), images_of(SLOTTED)[0]
    proof = zp.prove(model, image)
    zp.verify(model.commitment, image, proof)
    assert independent.verify(model.commitment.to_bytes(), image.tobytes(), proof.to_bytes()) == model.predict(image)


def test_a_long_list_comes_in_parts(monkeypatch):
    """Each part is a proof by itself: none can be left out, doubled, or moved."""
    monkeypatch.setattr(proving, "PART_TRACKS", 1)
    model, images, done = model_of(SLOTTED), images_of(SLOTTED), []
    proof = zp.prove_batch(model, images, progress=lambda *numbers: done.append(numbers))
    assert [len(part.classes) for part in proof.parts] == [8, 3] and done == [(8, 11), (11, 11)]
    assert parse_batch(proof.to_bytes(), model.commitment).to_bytes() == proof.to_bytes()
    verify_batch(model.commitment, images, proof)
    with refuses(FailedOpening, MISMATCH):
        verify_batch(model.commitment, np.concatenate([images[3:], images[:3]]), proof)
    with refuses(WrongStatement, "the proof is about 8 inputs, there are 11"):
        verify_batch(model.commitment, images, BatchProof(proof.model_id, proof.parts[:1]))
    with refuses(MalformedProof, "proof: it has parts of 3, 8 inputs, expected equal ones and a last one"):
        BatchProof(proof.model_id, proof.parts[::-1])
    with refuses(MalformedProof, "proof: it has parts of no inputs, expected equal ones and a last one"):
        BatchProof(proof.model_id, ())


@pytest.mark.parametrize("case", CASES[:3], ids=str)
def test_the_length_of_a_file_is_known_before_it_is_made(case):
    proof = proof_of(case)
    sizes = [len(part.classes) for part in proof.parts]
    assert batch_file_bytes(model_of(case).commitment.circuit, sum(sizes), sizes[0]) == len(proof.to_bytes())


def test_bytes_that_are_no_batch_are_refused():
    model, data = model_of(SLOTTED), proof_of(SLOTTED).to_bytes()
    for changed, message in (
        (data + b"\0", "proof: 1 bytes trail"), (data[:-1], "proof: "), (data[:37] + bytes(4) + data[41:], "proof: 0 inputs in parts of 11, "),
        (data[:37] + b"\xff" * 4 + data[41:], "proof: 4294967295 inputs in parts of 11, "),
        (data[:37] + (5000).to_bytes(4, "little") + (5000).to_bytes(2, "little") + data[43:], "proof: a proof of this model holds 1 to 2048 "),
    ):
        with pytest.raises(MalformedProof) as caught:
            parse_batch(changed, model.commitment)
        assert str(caught.value).startswith(message)


# refusals by name


def test_models_without_batches_are_refused_by_name():
    network, images = batch_network((12, 30, 3)), np.zeros((2, 12), np.uint8)
    advice = "`zkpredict commit --batch --again --model FILE --out FILE` makes a commitment that has them"
    for how, message in (
        ({"placement": "compact"}, f"compact circuits have no batches: {advice}"),
        ({"claim": zp_claim("margin=3")}, f"batches claim the class only, and the model was committed to claim margin 3: {advice}"),
        ({"private_input": True}, f"batches have public inputs only, and the model was committed for hidden ones: {advice}"),
        ({"placement": "wide", "joined": 1}, f"circuits with replicas, which are for single proofs on a chain, have no batches: {advice}"),
    ):
        with refuses(UnsupportedNetwork, message):
            zp.prove_batch(commit_model(network, **how), images)
    for how, message in (
        ({"placement": "compact"}, "compact circuits have no batches: leave out the placement, and a wide one is made"),
        ({"claim": zp_claim("logits")}, "batches claim the class of public inputs, and have no place for the claim logits"),
        ({"private_input": True}, "batches claim the class of public inputs, and have no place for a private input"),
    ):
        with refuses(UnsupportedNetwork, message):
            commit_model(network, batch=True, **how)


def zp_claim(text: str):
    from zkpredict.circuits.wide.claims import parse_claim

    return parse_claim(text)


def test_provers_refuse_what_they_cannot_prove():
    model, images = model_of(SLOTTED), images_of(SLOTTED)
    answers = list(proof_of(SLOTTED).classes)
    wrong = [*answers[:4], (answers[4] + 1) % 3, *answers[5:]]
    with refuses(FalseClaim, f"cannot prove class {wrong[4]} of input 4: the network says {answers[4]}"):
        zp.prove_batch(model, images, wrong)
    with refuses(UnusableInput, "the batch is 11 inputs of 11 bytes, the circuit takes 12"):
        zp.prove_batch(model, images[:, :11])
    with refuses(UnusableInput, "the context has 5 bytes, expected 32 or none"):
        zp.prove_batch(model, images, context=b"short")
    with refuses(UnsupportedNetwork, "a proof of this model holds 1 to 2048 inputs, got 2049"):
        BatchCircuit.of(model.commitment.circuit, 2049)


# the debug checker


@pytest.mark.parametrize("case", [SLOTTED, CASES[2]], ids=str)
def test_the_debug_checker_holds_and_names_the_image(case):
    model, images = model_of(case), images_of(case)
    circuit = BatchCircuit.of(model.commitment.circuit, case.images)
    statement = BatchStatement.of(images.tobytes(), proof_of(case).classes)
    trace, compiled = batch_trace(model.compiled, circuit, statement), batch_of(model.compiled, circuit)
    check_trace(compiled, statement, trace, 12345, 777)
    wrong = {name: values.copy() for name, values in trace.items()}
    track, row = circuit.bands[0].pieces[0].track, circuit.bands[0].pieces[0].pack_row(0, 0)
    wrong[f"low{track}"][row + 64] ^= 1
    with pytest.raises(UnsatisfiedConstraint) as caught:
        check_trace(compiled, statement, wrong, 12345, 777)
    assert "constraint 'sum' fails" in str(caught.value) and "image 2: pack 0 of layer 0 does not hold" in str(caught.value)
