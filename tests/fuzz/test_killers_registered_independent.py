"""Killers of mutants of the independent verifier of scores on registered sets: the stored ones, and the native verifier's refusals word by word."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import MISMATCH, refuses
from test_killers_registered import ALPHA, RHO, STORED, Case, case_of, components_of, every_case, refusals

from zkpredict.circuits.batch.registered import RegisteredBatch
from zkpredict.circuits.constraints import stated_publics
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.kernel import G1
from zkpredict.verifier import independent_registered
from zkpredict.verifier.batch import BatchProof
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.independent import Point

@pytest.fixture(autouse=True)
def decoded_by_the_kernel(monkeypatch):
    """How points are read is not what is tested here, and would take most of the time."""

    def decoded(data: bytes) -> Point:
        raw = G1.from_compressed(data).to_uncompressed()
        return Point(int.from_bytes(raw[:48], "big"), int.from_bytes(raw[48:], "big"))

    monkeypatch.setattr(independent_registered, "decode_point", decoded)


def verified(case: Case, context: bytes | None = None, **changed: object) -> int:
    """By the files, with another context, set or score."""
    own = replace(case, **changed)
    files = own.commitment.to_bytes(), own.tests.to_bytes(), own.score.to_bytes()
    return independent_registered.verify_registered(*files, case.context if context is None else context)


@every_case
def test_sets_and_weights_are_what_they_were(name):
    case, stored = case_of(name), STORED[name]
    circuit = case.circuit
    assert independent_registered.set_id(case.tests).hex() == stored["set_id"]
    assert independent_registered.places(case.tests.size) == len(stored["places"])
    assert independent_registered.weights(circuit, circuit.together, circuit.polynomials) == (stored["places"], stored["polynomials"])
    components = components_of(case)
    named = {f"input_{place}": value for place, value in enumerate(components)}
    found = independent_registered._inputs(circuit, stored["places"], components, ALPHA, RHO)
    assert found and found == stated_publics(circuit, named, {"alpha": ALPHA, "rho": RHO})


@pytest.mark.parametrize("size", [72, 127, 170, 254, 255, 300])
def test_rows_hold_as_many_packs_as_fit(size):
    """Sizes at which one byte more or less, of an input or of a row, makes another number of packs."""
    circuit = RegisteredBatch.of(WideCircuit((size, 4), (), (), 512), 9)
    within, _ = independent_registered.weights(circuit, circuit.together, circuit.polynomials)
    stated = [pow(7, 99 + place, MODULUS) for place in range(circuit.together)]
    named = {f"input_{place}": value for place, value in enumerate(stated)}
    assert independent_registered._inputs(circuit, within, stated, ALPHA, RHO) == stated_publics(circuit, named, {"alpha": ALPHA, "rho": RHO})


def test_inputs_lie_where_the_page_says():
    assert [independent_registered.places(size) for size in (1, 64, 65, 784, 1365, 2048, 2049, 4096)] == [64, 64, 32, 4, 2, 2, 1, 1]
    for size in (0, -1, 4097):
        with refuses(MalformedFile, f"test set: inputs of {size} bytes, expected at most 4096"):
            independent_registered.places(size)


def test_refusals_are_the_same_words(monkeypatch):
    """Whatever the opening says, which the tests below ask."""
    monkeypatch.setattr(independent_registered, "check_claims", lambda *claims: None)
    case = case_of("stacks in a polynomial")
    for changed, kind, message in refusals(case):
        with refuses(kind, message):
            verified(case, **changed)


def test_a_score_of_another_model_is_refused_by_its_name(monkeypatch):
    """Before its file is read, whose parts may have another length; and by an id that this verifier computes itself."""
    case, other = case_of("stacks in a polynomial"), case_of("one input a stack").score
    named, mine = other.proof.model_id.hex(), case.commitment.model_id.hex()
    with refuses(WrongStatement, f"the proof is for model {named}, the commitment is of model {mine}"):
        verified(case, score=other)
    monkeypatch.setattr(independent_registered, "refuse_other_model", lambda *parts: None)
    alien = BatchProof(bytes(32), tuple(replace(part, model_id=bytes(32)) for part in case.score.proof.parts))
    with refuses(WrongStatement, f"the proof is for model {bytes(32).hex()}, the commitment is of model {mine}"):
        verified(case, score=replace(case.score, proof=alien))


@pytest.mark.parametrize("name", ["polynomials in a stack", "stacks in a polynomial"])
def test_stored_scores_hold(name):
    assert verified(case_of(name)) == len(case_of(name).tests.labels) - 1


def test_tampered_scores_do_not():
    case = case_of("polynomials in a stack")
    (part,) = case.score.proof.parts
    other = replace(case.tests, points=(case.tests.points[0], *case.tests.points[:0:-1]))
    stated = case.said(0, scalars={**part.scalars, "input_7": (part.scalars["input_7"] + 1) % MODULUS})
    for changed in ({"tests": other, "score": replace(case.score, set_id=other.set_id)}, {"score": stated}):
        with refuses(FailedOpening, MISMATCH):
            verified(case, **changed)
    with refuses(WrongStatement, "input 18 is said to be of class 4, which is not one of the 4 classes"):
        verified(case, score=case.said(0, classes=(*part.classes[:-1], 4)))


def test_points_at_which_nothing_is_opened(monkeypatch):
    case = case_of("polynomials in a stack")
    for rho in (0, 1):
        monkeypatch.setattr(independent_registered, "chain", lambda state, part: {"alpha": ALPHA, "rho": rho})
        with refuses(FailedOpening, "the challenge point rho is zero or fell into the domain"):
            verified(case)
