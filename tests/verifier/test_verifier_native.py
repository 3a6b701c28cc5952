"""The native verifier: honest proofs pass, and any change to proof, image, digit or model is refused in its own words."""

import dataclasses
import random

import numpy as np
import pytest
from support import changed, refuses

from zkpredict.circuits.field import MODULUS, root_of_unity
from zkpredict.kernel import G1
from zkpredict.prover.prove import prove
from zkpredict.verifier import native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, MalformedProof, VerificationError, WrongStatement
from zkpredict.verifier.messages import proof_bytes
from zkpredict.circuits.columns import Origin
from zkpredict.circuits.placement import COMPACT_FORM, form
from zkpredict.verifier.native import parse_proof, rows_of_column, verify

MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"


@pytest.fixture(scope="module")
def data(proof) -> bytes:
    return proof.to_bytes()


@pytest.fixture(scope="module")
def pixels(image) -> bytes:
    return image.tobytes()


def check(model, pixels, data) -> None:
    verify(model.commitment, pixels, parse_proof(data))


# Honest


def test_an_honest_proof_is_accepted(model, pixels, data):
    assert check(model, pixels, data) is None


def test_the_image_may_be_bytes_or_the_array_itself_in_any_shape(model, image, proof):
    for same in (image, image.reshape(5, 6), image[::-1][::-1], image.tobytes(), bytearray(image), memoryview(image)):
        verify(model.commitment, same, proof)


def test_verification_is_repeatable_and_changes_nothing(model, pixels, proof, data):
    for _ in range(3):
        verify(model.commitment, pixels, proof)
    assert proof.to_bytes() == data


# Another statement


def test_every_flipped_pixel_is_refused(model, pixels, proof):
    for position in range(30):
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, changed(pixels, position), proof)


def test_swapped_pixels_are_refused(model, pixels, proof):
    assert pixels[0] != pixels[1]
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, pixels[1::-1] + pixels[2:], proof)


def test_every_other_digit_is_refused(model, pixels, proof):
    for digit in {0, 1, 2, 3} - {proof.digit}:
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, pixels, dataclasses.replace(proof, digit=digit))


@pytest.mark.parametrize("digit", [4, 5, 65535])
def test_a_digit_that_is_no_class_is_refused(model, pixels, proof, digit):
    with refuses(WrongStatement, f"the digit {digit} is not one of the 4 classes"):
        verify(model.commitment, pixels, dataclasses.replace(proof, digit=digit))


@pytest.mark.parametrize("count", [0, 29, 31, 60])
def test_an_image_of_another_length_is_refused(model, pixels, proof, count):
    with refuses(WrongStatement, f"the image has {count} bytes, the circuit takes 30"):
        verify(model.commitment, (pixels * 2)[:count], proof)


@pytest.mark.parametrize(
    ("convert", "kind"),
    [
        (lambda image: image.tolist(), "list"),
        (lambda image: image.astype(np.int64), "int64 array"),
        (lambda image: image / 255, "float64 array"),
        (lambda image: image.tobytes().hex(), "str"),
        (lambda image: None, "NoneType"),
    ],
)
def test_an_image_that_is_not_bytes_is_refused(model, image, proof, convert, kind):
    with refuses(WrongStatement, f"the image must be bytes or a uint8 array, got {kind}"):
        verify(model.commitment, convert(image), proof)


# Another model


def test_another_model_is_refused_by_both_names(model, other_model, pixels, proof):
    ours, theirs = model.commitment.model_id.hex(), other_model.commitment.model_id.hex()
    with refuses(WrongStatement, f"the proof is for model {ours}, the commitment is of model {theirs}"):
        verify(other_model.commitment, pixels, proof)


def test_another_model_is_refused_even_when_the_proof_names_it(other_model, pixels, proof):
    renamed = dataclasses.replace(proof, model_id=other_model.commitment.model_id)
    with refuses(FailedOpening, MISMATCH):
        verify(other_model.commitment, pixels, renamed)


def test_a_changed_row_is_refused_even_when_the_proof_names_it(model, pixels, proof):
    rows = model.commitment.rows
    for number in range(len(rows)):
        altered = ModelCommitment(model.commitment.circuit, (*rows[:number], rows[number] + G1.generator(), *rows[number + 1 :]))
        with refuses(FailedOpening, MISMATCH):
            verify(altered, pixels, dataclasses.replace(proof, model_id=altered.model_id))
    swapped = ModelCommitment(model.commitment.circuit, rows[::-1])
    with refuses(FailedOpening, MISMATCH):
        verify(swapped, pixels, dataclasses.replace(proof, model_id=swapped.model_id))


def test_rows_are_split_by_layer_and_weighed_by_their_exponents(mnist):
    commitment, circuit = mnist.commitment, mnist.commitment.circuit
    names = [column.name for column in form(circuit).columns if column.origin is Origin.MODEL]
    found = [term for name in names for term in rows_of_column(commitment, name, 3)]
    assert tuple(row for row, _ in found) == commitment.rows
    exponents = [exponent for layer in range(circuit.layers) for exponent in circuit.row_exponents(layer)]
    assert [weight for _, weight in found] == [pow(3, exponent, MODULUS) for exponent in exponents]
    with refuses(ValueError, "no layer has the column rows2"):
        rows_of_column(commitment, "rows2", 3)


# Another proof


def outcome(model, pixels, data) -> VerificationError | None:
    try:
        check(model, pixels, data)
    except VerificationError as error:
        return error
    return None


@pytest.mark.parametrize("change", ["lowest bit", "highest bit", "random"])
def test_every_changed_byte_is_refused_by_a_verification_error(model, pixels, data, change):
    source = random.Random(7)
    kinds = {}
    for position in range(proof_bytes()):
        delta = {"lowest bit": 1, "highest bit": 128}.get(change) or source.randrange(1, 256)
        error = outcome(model, pixels, changed(data, position, delta))
        assert error is not None, f"byte {position} xor {delta} was accepted"
        kinds.setdefault(type(error), []).append(position)
    assert set(kinds) == {MalformedProof, WrongStatement, FailedOpening}
    assert kinds[MalformedProof][:5] == list(range(5))
    assert set(range(5, 37)) <= set(kinds[WrongStatement]) <= set(range(5, 39))
    assert outcome(model, pixels, data) is None


def test_every_single_field_of_a_second_proof_is_refused_in_the_first(model, image, pixels, proof):
    second = prove(model, image)
    verify(model.commitment, pixels, second)
    for kind in ("points", "scalars"):
        for name, theirs in getattr(second, kind).items():
            mixed = proof.changed(**{kind: {name: theirs}})
            assert mixed != proof
            with refuses(FailedOpening, MISMATCH):
                verify(model.commitment, pixels, mixed)


@pytest.mark.parametrize("field", COMPACT_FORM.scalars)
@pytest.mark.parametrize("step", [1, -1, 12345])
def test_every_shifted_evaluation_is_refused(model, pixels, proof, field, step):
    altered = proof.changed(scalars={field: (proof.scalars[field] + step) % MODULUS})
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, pixels, altered)


def test_negated_points_are_refused(model, pixels, data):
    for number in range(8):
        with refuses(FailedOpening, MISMATCH):
            check(model, pixels, changed(data, 39 + 48 * number, 0x20))


@pytest.mark.parametrize("rho", [0, 1, root_of_unity(1024), pow(root_of_unity(1024), 77, MODULUS)])
def test_a_challenge_point_at_zero_or_in_the_domain_is_refused(model, pixels, proof, monkeypatch, rho):
    honest = native.derive_challenges

    def fixed(*arguments):
        return honest(*arguments) | {"rho": rho}

    verify(model.commitment, pixels, proof)
    monkeypatch.setattr(native, "derive_challenges", fixed)
    with refuses(FailedOpening, "the challenge point rho is zero or fell into the domain"):
        verify(model.commitment, pixels, proof)


def test_every_refusal_is_a_verification_error():
    for kind in (MalformedProof, WrongStatement, FailedOpening):
        assert issubclass(kind, VerificationError) and not issubclass(kind, ValueError)
