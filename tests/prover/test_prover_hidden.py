"""A hidden input: proofs about it, what they say of one another, and who may open it."""

import numpy as np
import pytest
from support import random_network, refuses

from zkpredict.circuits.debug import UnsatisfiedConstraint, check_trace
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.activations import RELU, RELU8
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import form
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.witness import build_trace
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import OpenedInput, WrongOpening, hidden_values, hide
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover, UnprovableTrace, prove, statement_of
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.messages import proof_bytes
from zkpredict.verifier.native import parse_proof, verify

MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"
INPUTS = 9


def network(seed: int, inputs: int = INPUTS) -> IntegerNetwork:
    source = np.random.default_rng(seed)
    return IntegerNetwork((
        DenseLayer(source.integers(-20, 21, (6, inputs)), source.integers(-99, 100, 6), 8, RELU8),
        DenseLayer(source.integers(-20, 21, (3, 6)), source.integers(-99, 100, 3)),
    ))  # fmt: skip


def picture(seed: int, inputs: int = INPUTS) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, inputs, dtype=np.uint8)


@pytest.fixture(scope="module")
def model():
    return commit_model(network(1), private_input=True)


@pytest.fixture(scope="module")
def other_model():
    return commit_model(network(2), private_input=True, claim=Claim(Kind.LOGITS))


@pytest.fixture(scope="module")
def opened():
    return hide(picture(3))


@pytest.fixture(scope="module")
def proof(model, opened):
    return prove(model, opened)


def test_a_proof_about_a_hidden_input_needs_its_commitment_only(model, opened, proof):
    assert proof.digit == model.predict(picture(3))
    hidden = HiddenInput.from_bytes(opened.hidden.to_bytes(), G1.from_compressed)
    verify(model.commitment, hidden, parse_proof(proof.to_bytes(), form(model.commitment.circuit)))
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, hide(picture(3)).hidden, proof)
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, hide(picture(4)).hidden, proof)


def test_two_models_about_one_input(model, other_model, opened, proof):
    """The same commitment serves every network with as many inputs."""
    second = prove(other_model, opened)
    verify(other_model.commitment, opened.hidden, second)
    assert second.outputs == tuple(other_model.network.infer(picture(3)[None]).logits[0])
    swapped = hide(picture(5))
    verify(other_model.commitment, swapped.hidden, prove(other_model, swapped))
    with refuses(FailedOpening, MISMATCH):
        verify(other_model.commitment, swapped.hidden, second)


def test_public_and_hidden_are_told_apart(model, opened, proof):
    open_model = commit_model(network(1), placement="wide")
    with refuses(WrongStatement, "the input is public, the circuit takes a hidden one (`zkpredict hide`)"):
        verify(model.commitment, picture(3), proof)
    with refuses(UnusableInput, "the input is hidden, the circuit takes a public one"):
        prove(open_model, opened)
    with refuses(UnusableInput, "the input is public, the circuit takes a hidden one (`zkpredict hide`)"):
        prove(model, picture(3))
    with refuses(UnusableInput, "the image has 8 pixels, the network takes 9"):
        prove(model, hide(picture(3, 8)))
    with refuses(UnusableInput, "the input is hidden on 2048 rows, the circuit has 1024"):
        prove(model, hide(picture(3), 2048))
    with refuses(UnsupportedNetwork, "compact circuits have public inputs only: leave out the placement, and a wide one is made"):
        commit_model(network(1), placement="compact", private_input=True)


def test_another_input_than_the_committed_one_proves_nothing(model, opened):
    """The trace runs on other bytes than P holds."""
    other = picture(6)
    lying = Prover(model, statement_of(model, picture(3), model.predict(other), opened), opened)
    lying.trace = lambda: build_trace(model.compiled, lying.statement, other.tobytes())
    with refuses(UnprovableTrace, "the combined constraint is not divisible by X^n - 1: a constraint fails on some row"):
        lying.prove()


def test_the_debug_checker_names_the_row_where_the_input_differs(model, opened):
    statement = statement_of(model, picture(3), model.predict(picture(3)), opened)
    trace = build_trace(model.compiled, statement, picture(3).tobytes())
    given = [column.to_ints() for column in hidden_values(opened.data, 1024, opened.secrets)]
    check_trace(model.compiled, statement, trace, 5, 7, {"committed0": given[0]})
    given[0][4] += 1
    with pytest.raises(UnsatisfiedConstraint, match="^constraint 'input 0 is the committed one' fails at row 4: "):
        check_trace(model.compiled, statement, trace, 5, 7, {"committed0": given[0]})


def test_inputs_longer_than_a_column_are_hidden_in_parts():
    long = commit_model(network(1, 2100), private_input=True)
    opened = hide(picture(1, 2100))
    assert len(opened.hidden.points) == 2
    proof = prove(long, opened)
    verify(long.commitment, opened.hidden, proof)
    swapped = HiddenInput(2048, 2100, opened.hidden.points[::-1])
    with refuses(FailedOpening, MISMATCH):
        verify(long.commitment, swapped, proof)


def test_hiding_twice_is_unlinkable_and_opening_is_checked(opened):
    again = hide(picture(3))
    assert again.hidden.to_bytes() != opened.hidden.to_bytes()
    assert OpenedInput.from_bytes(opened.to_bytes()) == opened
    with refuses(WrongOpening, "opening: these bytes are not what the hidden input commits to"):
        OpenedInput(opened.hidden, picture(4).tobytes(), opened.secrets)
    with refuses(WrongOpening, "opening: these bytes are not what the hidden input commits to"):
        OpenedInput(opened.hidden, opened.data, again.secrets)
    with refuses(MalformedFile, "opening: a secret is not below the field order"):
        OpenedInput.from_bytes(opened.to_bytes()[:-32] + b"\xff" * 32)
    shown = repr(opened)
    assert str(opened.secrets[0]) not in shown and str(opened.data) not in shown


def test_hidden_files_are_checked(opened):
    data = opened.hidden.to_bytes()
    for length in range(len(data)):
        with pytest.raises(MalformedFile):
            HiddenInput.from_bytes(data[:length], G1.from_compressed)
    with refuses(MalformedFile, f"hidden input: 1 bytes trail after the end at offset {len(data)}"):
        HiddenInput.from_bytes(data + b"\x00", G1.from_compressed)
    with refuses(MalformedFile, "hidden input: point 0 is at infinity"):
        HiddenInput.from_bytes(data[:-48] + b"\xc0" + bytes(47), G1.from_compressed)


def test_the_commitment_is_uniform_by_its_random_entry(opened):
    """[x] + s [L_(n-1)] with s uniform: any bytes could lie under it."""
    (values,) = hidden_values(opened.data, 1024, opened.secrets)
    assert values[1023] == opened.secrets[0] < MODULUS and values[1022] == 0


@pytest.mark.parametrize("placement", ["compact", "wide"])
def test_a_proof_is_for_its_context_alone(placement):
    model, image = commit_model(random_network(1, (INPUTS, 6, 3)), placement=placement), picture(3)
    mine, other = b"job 1".ljust(32), b"job 2".ljust(32)
    proof = prove(model, image, context=mine)
    verify(model.commitment, image, proof, mine)
    for context in (b"", other):
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, image, proof, context)
    plain = prove(model, image)
    verify(model.commitment, image, plain)
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, image, plain, mine)
    with refuses(WrongStatement, "the context has 31 bytes, expected 32 or none"):
        verify(model.commitment, image, plain, mine[1:])
    with refuses(UnusableInput, "the context has 33 bytes, expected 32 or none"):
        prove(model, image, context=mine + b"!")


def test_models_with_a_private_input_are_kept_in_files(model):
    assert Model.from_bytes(model.to_bytes()).commitment.circuit == model.commitment.circuit


def test_what_the_page_says_of_sizes(root):
    page = (root / "docs" / "private-input.md").read_text(encoding="utf-8")
    hidden = WideCircuit((784, 64, 10), (1,), (RELU,), 1024, CLASS, True)
    assert f"a proof of {proof_bytes(form(hidden))} bytes instead of {proof_bytes()} in the compact circuit" in page
    assert f"{len(hide(bytes(784)).hidden.to_bytes())} bytes for an image of MNIST" in page
