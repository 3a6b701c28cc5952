"""A gate written in this file alone, registered by one line: compiled, checked, proven, verified by everyone, and forged.

    clip : a = min(max(z, 0) >> shift, 255)

A narrow lane holds z 2^(8 - shift) + 2^23 as (top, mid, low), so with s = [top >= 128] (the lane's sign bit) and e = [top = 128]

    a = e mid + 255 (s - e),   e^2 = e,   e (top - 128) = 0,   (top - 128) inverse = s - e

The last two pin e: at e = 1 the top is 128, at e = 0 and s = 1 it has an inverse, and e = 1 with s = 0 contradicts both.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support import horner_column, random_image, refuses, said

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.debug import UnsatisfiedConstraint, check_trace
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.expression import Cell
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.gadgets.gates import GATES, Gate, register
from zkpredict.circuits.layout import LANE_ROWS, NARROW, NARROW_LIMIT, SIGN_ROW, Circuit
from zkpredict.circuits.networks.activations import Activation
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import COMPACT_FORM, form
from zkpredict.circuits.witness import build_trace
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier.client import deploy_verifier, register_model, send_verification, verify_on_chain
from zkpredict.kernel import Vector
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import Prover, UnprovableTrace, prove
from zkpredict.verifier import independent
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.native import parse_proof, verify

MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"
LOWEST = 128


class Clip(Activation):
    """min(max(z, 0) >> shift, 255), with a tag that no shipped activation has."""

    name, tag = "clip", 200

    def apply(self, z, shift):
        return np.minimum(np.maximum(z, 0) >> shift, 255)

    def apply_int(self, z, shift):
        return min(max(z, 0) >> shift, 255)

    def bounds(self, low, high, shift):
        return 0, self.apply_int(high, shift)


class ClipGate(Gate):
    tag, activation = 7, "clip"

    def columns(self):
        return Column("exact", Origin.PROOF, 1), Column("inverse", Origin.PROOF, 1)

    def constraints(self):
        limb, cell, exact = Cell("limb"), Cell("cell"), Cell("exact")
        return (
            Constraint("exact is a bit", self.on * (exact * exact - exact)),
            Constraint("exact at 128 only", self.on * exact * (limb - LOWEST)),
            Constraint("exact at every 128", self.on * ((limb - LOWEST) * Cell("inverse") - cell + exact)),
            Constraint("clip", self.on * (cell.next - exact * limb.next - 255 * (cell - exact))),
        )

    def complete(self, cells):
        limb, cell = cells["limb"], cells["cell"]
        for row in (lane * LANE_ROWS + SIGN_ROW for lane in self.lanes()):
            exact = int(limb[row] == LOWEST)
            apart = cell[row] - exact
            cells["exact"][row] = exact
            cells["inverse"][row] = inverse(limb[row] - LOWEST) if apart else 0
            cell[row + 1] = exact * limb[row + 1] + 255 * apart

    @classmethod
    def fit(cls, number, shift, interval):
        if shift > 8 or interval.magnitude << (8 - shift) >= NARROW_LIMIT:
            raise UnsupportedNetwork(f"layer {number} does not fit a narrow lane at shift {shift}")
        return NARROW, 8 - shift


@pytest.fixture(autouse=True, scope="module")
def registered():
    register(ClipGate)
    yield
    del GATES[ClipGate.tag]


def network(seed: int = 1) -> IntegerNetwork:
    """12-6-3: some activations are zero, some in between, some at 255, on most images."""
    source = np.random.default_rng(seed)
    hidden = DenseLayer(source.integers(-9, 10, (6, 12)), source.integers(-99, 100, 6), 2, Clip())
    return IntegerNetwork((hidden, DenseLayer(source.integers(-40, 41, (3, 6)), source.integers(-999, 1000, 3))))


@pytest.fixture(scope="module")
def model():
    return commit_model(network())


def in_between(model, image) -> np.ndarray:
    """Numbers of the hidden neurons that are neither zero nor at 255."""
    activations = model.network.infer(image[None]).activations[0][0]
    return np.flatnonzero((activations > 0) & (activations < 255))


@pytest.fixture(scope="module")
def image(model):
    """An image with a neuron in between, and a negative one."""
    images = (random_image(seed, 12) for seed in range(100))
    return next(i for i in images if in_between(model, i).size and model.network.infer(i[None]).pre_activations[0].min() < 0)


def test_only_the_gate_is_new_in_circuit_and_form(model):
    circuit = model.commitment.circuit
    assert circuit.gates == (7, 0) and circuit.to_bytes()[-2:] == bytes([1 | 7 << 4, 2])
    assert circuit.digest != Circuit(circuit.widths, circuit.lanes, circuit.domain).digest
    found = form(circuit)
    assert [name for name in found.points if name not in COMPACT_FORM.points] == ["exact", "inverse"]
    assert set(found.stated) == {*COMPACT_FORM.stated, ("exact", 0)}
    assert quotient_length(circuit) <= 2 * circuit.domain + 16


def test_a_gate_is_registered_once_and_an_unknown_one_is_refused(model):
    with refuses(ValueError, "gate ClipGate has the tag 7 and the activation clip: taken, or out of range"):
        register(ClipGate)
    with refuses(UnsupportedNetwork, "no gate has the tag 9"):
        replace(model.commitment.circuit, gates=(9, 0))


@pytest.mark.parametrize("domain", [1024, 2048])
def test_every_image_is_checked_proven_and_verified(domain):
    model = commit_model(network(), domain)
    seen = set()
    for seed in range(6):
        image = random_image(seed, 12)
        inference = model.network.infer(image[None])
        seen |= {int(value) for value in np.clip(inference.activations[0][0], 0, 255) if value in (0, 255)}
        proof = parse_proof(prove(model, image).to_bytes(), form(model.commitment.circuit))
        verify(model.commitment, image, proof)
        assert proof.digit == model.predict(image)
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, image, replace(proof, digit=(proof.digit + 1) % 3))
    assert seen == {0, 255}


def test_the_independent_verifier_agrees(model, image):
    data, commitment = prove(model, image).to_bytes(), model.commitment.to_bytes()
    assert independent.verify(commitment, image.tobytes(), data) == model.predict(image)
    with refuses(FailedOpening, MISMATCH):
        independent.verify(commitment, random_image(4, 12).tobytes(), data)


@pytest.mark.node
def test_a_generated_contract_agrees(model, image):
    chain, proof = EmbeddedChain(), prove(model, image)
    contract = deploy_verifier(chain, model.commitment.circuit).contract
    register_model(chain, contract.address, model.commitment)
    assert verify_on_chain(chain, contract.address, model.commitment, image.tobytes(), proof).accepted
    assert send_verification(chain, contract.address, model.commitment, image.tobytes(), proof).gas_used < 400_000
    for name in proof.points:
        if name != "final":
            moved = proof.changed(points={name: proof.points["limb" if name != "limb" else "cell"]})
            verdict = verify_on_chain(chain, contract.address, model.commitment, image.tobytes(), moved)
            assert (name, verdict.reason) == (name, "OpeningFailed")


def test_proofs_of_another_kind_of_circuit_are_refused_by_their_parts(model, image):
    relu = commit_model(IntegerNetwork((replace_activation(model.network.layers[0]), model.network.layers[1])))
    foreign = replace(prove(relu, image), model_id=model.commitment.model_id)
    message = "the proof has 8 points and 5 scalars of another kind of circuit, this one's proofs have 10 and 6"
    with refuses(WrongStatement, message):
        verify(model.commitment, image, foreign)


def replace_activation(layer: DenseLayer) -> DenseLayer:
    return DenseLayer(layer.weights, layer.bias, layer.shift)


# forgeries: each constraint of the gate is what refuses one


def tampered(model, image, change):
    """The honest trace with one lane changed: `change(cells, row of the lane's top limb)`."""
    compiled = compile_network(model.network)
    statement = said(image, model.predict(image))
    trace = build_trace(compiled, statement)
    neuron = int(in_between(model, image)[0])
    row = compiled.circuit.layer_groups[0].value_row(neuron) + SIGN_ROW
    assert trace["exact"][row] == 1
    change(trace, row)
    return compiled, statement, trace


def off_by_one(cells, row):
    cells["cell"][row + 1] += 1


def called_saturated(cells, row):
    cells["exact"][row] = 0
    cells["cell"][row + 1] = 255


def half_a_bit(cells, row):
    cells["exact"][row] = 2


FORGERIES = {"clip": off_by_one, "exact at every 128": called_saturated, "exact is a bit": half_a_bit}


@pytest.mark.parametrize("name", FORGERIES)
def test_a_wrong_lane_fails_by_the_name_of_its_constraint(model, image, name):
    compiled, statement, trace = tampered(model, image, FORGERIES[name])
    with pytest.raises(UnsatisfiedConstraint, match=f"^constraint '{name}' fails at row "):
        check_trace(compiled, statement, trace, 3**100 % MODULUS, 5**90 % MODULUS)

    class Forger(Prover):
        def trace(self):
            return {**trace, "horner": horner_column(trace["limb"])}

        def filled(self, values):
            return Vector.from_ints([int(value) % MODULUS for value in values])

    with pytest.raises(UnprovableTrace):
        Forger(model, statement).prove()


def test_a_negative_value_taken_for_exact_fails(model, image):
    def exact_below_zero(cells, row):
        z = model.network.infer(image[None]).pre_activations[0][0]
        low = compile_network(model.network).circuit.layer_groups[0].value_row(int(np.argmin(z))) + SIGN_ROW
        assert cells["cell"][low] == 0
        cells["exact"][low] = 1

    compiled, statement, trace = tampered(model, image, exact_below_zero)
    with pytest.raises(UnsatisfiedConstraint, match="^constraint 'exact at 128 only' fails at row "):
        check_trace(compiled, statement, trace, 3**100 % MODULUS, 5**90 % MODULUS)
