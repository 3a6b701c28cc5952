"""The malicious prover: honest everywhere but at one place, and it goes on where the honest prover stops.

A forgery is a `Forger` with other limbs, another trace, other publics, another quotient or another opening. Everything
downstream is recomputed, so that only the guard under test stands between the forger and the verifier.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from guards import unchecked_parts
from support import horner_column, said

from zkpredict.circuits import placement
from zkpredict.circuits.compiler import CompiledNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.layout import (
    ACTIVATION_ROW,
    LANE_LIMBS,
    LANE_ROWS,
    LIMB_BITS,
    SIGN_ROW,
    TABLE_SIZE,
    Circuit,
    Group,
)
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.witness import Trace
from zkpredict.circuits.solving import Recurrence, recurrence
from zkpredict.kernel import G1, Vector
from zkpredict.prover.environment import Values
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover
from zkpredict.prover.setup import monomial_key
from zkpredict.verifier.opening import Fold

SIGN_OFFSET = 1 << (2 * LIMB_BITS - 1)


class Forger(Prover):
    """A prover without a conscience. Subclasses override `trace`, whose columns may hold any ints, taken modulo r."""

    def filled(self, values: Sequence[int]) -> Vector:
        return Vector.from_ints([int(value) % MODULUS for value in values])

    def solved(self, name: str, defined_by: str, rows: Values) -> Recurrence:
        """The sum of all equations by the constraints in force, everything else by the true ones."""
        if name in ("linear", "sum"):
            return super().solved(name, defined_by, rows)
        (true,) = (one for one in placement.all_constraints(self.circuit) if one.name == defined_by)
        return recurrence(name, true.expression, rows)

    def run(self, step: Recurrence, name: str) -> Vector:
        """From zero, whether it closes or not."""
        if step.factor is None:
            return step.increment
        n = self.circuit.domain
        factors = Vector.from_ints([step.factor % MODULUS] * n) if isinstance(step.factor, int) else step.factor
        return factors.scan(step.increment, 0)[0:n]

    def bounded(self, quotient: Vector) -> Vector:
        """As much of the quotient as the ceremony has powers for."""
        pieces = self.circuit.quotient_pieces
        return quotient[0 : min(len(quotient), len(monomial_key()) + (pieces - 1) * placement.QUOTIENT_SPLIT)]

    def open(self, claim: Fold) -> G1:
        """The quotient by X - zeta, whatever the remainder."""
        return monomial_key().msm(self.quotient_of(self.folded(claim), self.challenges["zeta"]))


@dataclass(eq=False)
class WithTrace(Forger):
    """A forger who has decided on a trace beforehand."""

    chosen: Trace | None = None

    def trace(self) -> Trace:
        return self.chosen


@dataclass(frozen=True)
class Claim:
    """What a verifier is handed, all of it bytes."""

    commitment: bytes
    image: bytes
    proof: bytes

    def with_proof(self, proof: bytes) -> Claim:
        """The same claim on other proof bytes."""
        return replace(self, proof=proof)


def claim_of(prover: Prover) -> Claim:
    """Runs a prover, honest or not, and packs up what it says."""
    with unchecked_parts():  # what it says, whatever it is
        proof = prover.prove()
    return Claim(prover.model.commitment.to_bytes(), prover.statement.input, proof.to_bytes())


def honest_claim(model: Model, image: np.ndarray) -> Claim:
    """The honest twin: the network's own digit by the unchanged prover."""
    return claim_of(Prover(model, said(image, model.predict(image))))


def forged_claim(model: Model, image: np.ndarray, digit: int, trace: Trace) -> Claim:
    """A claim about `digit` on a trace of the forger's choice."""
    return claim_of(WithTrace(model, said(image, digit), chosen=trace))


# a witness by hand


def activations_of(network: IntegerNetwork, number: int, z: Sequence[int]) -> list[int]:
    """ReLU and shift of layer `number`."""
    return [max(value, 0) >> network.layers[number].shift for value in z]


def layer_of(network: IntegerNetwork, number: int, inputs: Sequence[int]) -> list[int]:
    """Pre-activations of layer `number` on any inputs, in Python ints."""
    layer = network.layers[number]
    return [
        bias + sum(w * a for w, a in zip(row, inputs)) for row, bias in zip(layer.weights.tolist(), layer.bias.tolist())
    ]


def run_from(network: IntegerNetwork, number: int, inputs: Sequence[int]) -> list[list[int]]:
    """Pre-activations of layer `number` and all later ones, when layer `number` reads `inputs`."""
    found = [layer_of(network, number, inputs)]
    for later in range(number + 1, len(network.layers)):
        found.append(layer_of(network, later, activations_of(network, later - 1, found[-1])))
    return found


def write_value(limb: list[int], group: Group, index: int, value: int) -> None:
    """Value `index` of a group as bytes, top first, reduced modulo 2^bits."""
    for place, row in enumerate(reversed(limb_rows(group, index))):
        limb[row] = (value >> (LIMB_BITS * place)) & (TABLE_SIZE - 1)


def limb_rows(group: Group, index: int) -> list[int]:
    """Rows of the limbs of value `index`, top first."""
    start = group.value_row(index)
    lanes = [start + lane * LANE_ROWS for lane in range(group.lanes)]
    return [lane + SIGN_ROW + place for lane in lanes for place in range(LANE_LIMBS)]


def lay_out(compiled: CompiledNetwork, pre_activations: Sequence[Sequence[int]], digit: int) -> list[int]:
    """The limbs of these pre-activations and of their argmax differences (residues modulo 2^48 where negative)."""
    circuit = compiled.circuit
    limb = [0] * circuit.domain
    for group, z, scale in zip(circuit.layer_groups, pre_activations, compiled.scales):
        for index, value in enumerate(z):
            write_value(limb, group, index, (value << scale) + (1 << (group.value_bits - 1)))
    logits = pre_activations[-1]
    for index, logit in enumerate(logits):
        write_value(limb, circuit.difference_group, index, logits[digit] - logit - (index < digit))
    return limb


def complete(circuit: Circuit, limb: Sequence[int], signs: Mapping[int, int] | None = None) -> Trace:
    """All columns from the limbs on r1..r3, as the row constraints prescribe; `signs` overrides the sign at a lane's first row.

    Limbs may be any ints. Multiplicities count those that are bytes.
    """
    limb, cell, signs = list(limb), [0] * circuit.domain, signs or {}
    for start in range(0, circuit.domain, LANE_ROWS):
        top, second = limb[start + SIGN_ROW], limb[start + ACTIVATION_ROW]
        sign = signs.get(start, top >> (LIMB_BITS - 1) & 1)
        limb[start] = (2 * top - (sign << LIMB_BITS)) % MODULUS
        cell[start + SIGN_ROW] = sign
        cell[start + ACTIVATION_ROW] = sign * ((top << LIMB_BITS) + second - SIGN_OFFSET)
    cell[:: circuit.domain // TABLE_SIZE] = counts(limb)
    return {"limb": limb, "cell": cell, "horner": horner_column(limb)}


def counts(limb: Sequence[int]) -> list[int]:
    """How often each byte occurs among the limbs."""
    found = [0] * TABLE_SIZE
    for value in limb:
        if 0 <= value < TABLE_SIZE:
            found[value] += 1
    return found


@dataclass(frozen=True)
class Lie:
    """A hidden activation that is off by `delta`, and what the network would say then."""

    neuron: int
    delta: int
    pre_activations: list[list[int]]
    digit: int


def lies(model: Model, image: np.ndarray, deltas: Sequence[int]) -> list[Lie]:
    """Every change of one active hidden neuron (of the first layer) by one of `deltas` that changes the digit."""
    network, truth = model.network, model.predict(image)
    z = layer_of(network, 0, image.tolist())
    found = []
    for neuron in (index for index, value in enumerate(z) if value >= 0):
        for delta in deltas:
            activations = activations_of(network, 0, z)
            activations[neuron] += delta
            later = run_from(network, 1, activations)
            digit = later[-1].index(max(later[-1]))
            if digit != truth:
                found.append(Lie(neuron, delta, [z, *later], digit))
    return found
