"""The gadgets of a batch: those of the model's circuit, with the equations of all images in one sum.

    first layer  : rows0 on one input for all, q = sum_b alpha^E_b (1, x_b), zeros for the slots to spare
    later layers : sum_j rows_t(w^(-32 j) X) reads_j(X) (sum_i alpha^(D i) activation on stack i) + bias; reads_j is alpha^(3 (J - 1 - j))
    fold         : the same powers for tracks of one stack, alpha^D from stack to stack; alpha^(3 (J - 1)) times all of it in the sum
    M            : on the idle rows of block j of each stack's first track
    mask         : zero on every row; the sum takes it at every rotation at which it takes rows, so that what is stated there is uniform
"""

from __future__ import annotations

from functools import reduce
from operator import add
from typing import cast

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS, S, power
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.publics import Constant, Patches, Periodic, PublicPolynomial, Selector
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import LOGIT_LIMIT
from zkpredict.circuits.wide.dense import Dense, inputs
from zkpredict.circuits.wide.fold import Fold, horner
from zkpredict.circuits.wide.geometry import BIAS_ROW, BLOCK_ROWS, IDLE_ROWS, PACKS_PER_BLOCK, Band
from zkpredict.circuits.wide.inputs import InputPart
from zkpredict.circuits.wide.lanes import WideGadget, lane
from zkpredict.circuits.wide.layout import value_rows
from zkpredict.circuits.wide.output import LANE_BASE, LARGEST_TRACK, Output
from zkpredict.circuits.wide.total import Total

MASK = "mask"
STACK_STEP = "stack_step"


def slot_pieces(band: Band, track: int, slot: int) -> list[tuple[int, list[int]]]:
    """The highest lanes of a band's values on the model's `track`, in one slot: the period and the rows of each piece."""
    own = [piece for piece in band.pieces if piece.track == track]
    return [(piece.period, [row + BLOCK_ROWS * slot for row in piece.lane_rows(band.heads)]) for piece in own]


class BatchFold(Fold):
    """The running value of all packs of all stacks."""

    circuit: BatchCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def lanes(self) -> Expression:
        circuit = self.circuit
        stacks = [
            horner([lane(circuit.track(stack, track)) for track in range(circuit.model_tracks)], "track_step")
            for stack in range(circuit.stacks)
        ]
        return horner(stacks, STACK_STEP)

    def selectors(self, alpha: S) -> dict[str, Selector[S]]:
        return super().selectors(alpha) | {STACK_STEP: Constant(power(alpha, self.circuit.stack_exponent))}


class OfAll(Dense):
    """What layers of all kinds have in common in a batch."""

    circuit: BatchCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def constants(self, alpha: S) -> S | int:
        """Those of one image, weighed for all."""
        weight = self.circuit.stack_sum(alpha) * self.circuit.slot_sum(alpha) % MODULUS
        return super().constants(alpha) * weight % MODULUS


class BatchDense(OfAll):
    """One dense layer of all images."""

    def read_by_weights(self) -> Expression | None:
        if self.layer == 0:
            return super().read_by_weights()
        found = []
        for number, track in enumerate(self.circuit.tracks_of(self.layer - 1)):
            rows = [Cell(value_rows(self.layer, track), -BLOCK_ROWS * slot) for slot in range(self.circuit.slots)]
            met = reduce(add, [Public(f"reads{self.layer}_{track}_{slot}") * row for slot, row in enumerate(rows)])
            activations = [self.activation(self.circuit.track(stack, track)) for stack in range(self.circuit.stacks)]
            found.append(met * horner(activations, STACK_STEP))
            if number == 0:
                found.append(Public("stacks") * reduce(add, [Public(f"bias_{slot}") * row for slot, row in enumerate(rows)]))
        return reduce(add, found)

    def selectors(self, alpha: S) -> dict[str, Selector[S]]:
        if self.layer == 0:
            return {}
        circuit, bands = self.circuit, self.circuit.groups(self.layer - 1)
        found: dict[str, Selector[S]] = {"stacks": Constant(circuit.stack_sum(alpha))}
        for slot in range(circuit.slots):
            weight = power(alpha, circuit.slot_exponent(slot))
            found[f"bias_{slot}"] = Periodic(circuit.domain, {BLOCK_ROWS * slot + BIAS_ROW: weight})
            for track in circuit.tracks_of(self.layer - 1):
                pieces = [piece for band in bands for piece in slot_pieces(band, track, slot)]
                found[f"reads{self.layer}_{track}_{slot}"] = Patches(
                    tuple(Periodic(period, {row: weight for row in rows}) for period, rows in pieces)
                )
        return found

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        if self.layer:
            return {}
        circuit = self.circuit
        one = circuit.stack_sum(alpha) * circuit.slot_sum(alpha) % MODULUS
        values = combined_inputs(circuit, cast(BatchStatement, statement), alpha)
        found: dict[str, PublicPolynomial] = {}
        for number, step in enumerate(circuit.input_steps):
            weights = tuple(pow(alpha, step * place, MODULUS) for place in range(circuit.packs_per_row))
            for chunk, own in enumerate(circuit.chunks):
                part = (*([one] if chunk == 0 else []), *values[own.start : own.stop])
                found[inputs(number, chunk)] = InputPart(circuit.domain, part, weights)
        return found


def combined_inputs(circuit: BatchCircuit, statement: BatchStatement, alpha: int) -> list[int]:
    """sum_b alpha^E_b x_b: a field element for each byte of an input."""
    import numpy as np  # late: few proofs are of batches

    from zkpredict.kernel import Vector

    images = np.frombuffer(statement.input, np.uint8).reshape(len(statement.classes), circuit.inputs)
    return Vector.combine_rows(images, image_weights(circuit, alpha)).to_ints()


def image_weights(circuit: BatchCircuit, alpha: int) -> list[int]:
    """alpha^E_b of every image."""
    slots = [pow(alpha, circuit.slot_exponent(slot), MODULUS) for slot in range(circuit.slots)]
    step, stack, found = pow(alpha, circuit.stack_exponent, MODULUS), 1, []
    for _ in range(circuit.stacks):
        found += [stack * slot % MODULUS for slot in slots]
        stack = stack * step % MODULUS
    return found[: circuit.images]


class Mask(WideGadget):
    """What hides combined rows at other rows' points."""

    def columns(self) -> tuple[Column, ...]:
        return (Column(MASK, Origin.PROOF, 1, mask=True),)

    def constraints(self) -> tuple[Constraint, ...]:
        return (Constraint("mask is zero", Cell(MASK)),)


class BatchOutput(Output):
    """The class of every image."""

    circuit: BatchCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def constraints(self) -> tuple[Constraint, ...]:
        circuit = self.circuit
        found = [
            Constraint(
                f"differences on track {circuit.track(stack, track)} are not negative",
                Public(f"nonnegative{track}") * Cell(f"sign{circuit.track(stack, track)}"),
            )
            for stack in range(circuit.stacks)
            for track in self.signed_tracks
        ]
        tracks = [circuit.track(stack, track) for stack in range(circuit.stacks) for track in self.band.tracks]
        own = reduce(add, [Public(f"winner{track}") * lane(track) for track in tracks])
        return (*found, Constraint("claimed classes differ from themselves by 0", own))

    def selectors(self, alpha: S) -> dict[str, Patches[S]]:
        found = {}
        for track in self.signed_tracks:
            pieces = [piece for slot in range(self.circuit.slots) for piece in slot_pieces(self.band, track, slot)]
            parts: list[Periodic[S]] = [Periodic(period, {row: 1 for row in rows}) for period, rows in pieces]
            if track == LARGEST_TRACK:
                largest = range(IDLE_ROWS[0], BLOCK_ROWS * self.circuit.slots, BLOCK_ROWS)
                parts.append(Periodic(self.circuit.domain, {row: 1 for row in largest}))
            found[f"nonnegative{track}"] = Patches(tuple(parts))
        return found

    def read(self) -> Expression:
        tracks = [lane(self.circuit.track(stack, LARGEST_TRACK)) for stack in range(self.circuit.stacks)]
        return -1 * (Public("largest") * horner(tracks, STACK_STEP))

    def spare(self) -> None:
        return None

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        circuit, weight = self.circuit, self.largest_weight(alpha)
        largest: dict[int, int] = {}
        for slot in range(circuit.slots):
            own = weight * pow(alpha, circuit.slot_exponent(slot), MODULUS) % MODULUS
            high, low = (BLOCK_ROWS * slot + row for row in IDLE_ROWS)
            largest |= {high: own * LANE_BASE % MODULUS, low: own}
        winners: dict[int, dict[int, int]] = {
            circuit.track(stack, track): {} for stack in range(circuit.stacks) for track in self.band.tracks
        }
        places = list(self.band.pack_places())
        for image, digit in enumerate(cast(BatchStatement, statement).classes):
            stack, slot = divmod(image, circuit.slots)
            pack, at = divmod(digit, self.band.values_per_pack)
            track, row = places[pack]
            first = row + BLOCK_ROWS * slot + at * self.band.lanes
            winners[circuit.track(stack, track)] |= dict.fromkeys(range(first, first + self.band.lanes), 1)
        found: dict[str, PublicPolynomial] = {"largest": Periodic(circuit.domain, largest)}
        return found | {f"winner{track}": Periodic(circuit.domain, rows) for track, rows in winners.items()}

    def constants(self, statement: Statement, alpha: S) -> S | int:
        """For a spare slot those of class 0, which nothing claims."""
        circuit, classes = self.circuit, cast(BatchStatement, statement).classes
        weight = circuit.stack_sum(alpha) * circuit.slot_sum(alpha) % MODULUS
        total = self._packed(alpha, [LOGIT_LIMIT] * self.band.values) * weight % MODULUS
        behind = {digit: self._packed(alpha, [int(i < digit) for i in range(self.band.values)]) for digit in set(classes)}
        for image, digit in enumerate(classes):
            total = (total + power(alpha, circuit.image_exponent(image)) * behind[digit]) % MODULUS
        return -total % MODULUS


class BatchTotal(Total):
    """The running sum of all equations of all images."""

    circuit: BatchCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def folded(self) -> Expression:
        return Public("slot_lift") * super().folded()

    def constraints(self) -> tuple[Constraint, ...]:
        (total,) = super().constraints()
        masks = [Cell(MASK, -BLOCK_ROWS * slot) for slot in self.circuit.rotated]
        return (Constraint(total.name, reduce(add, masks, total.expression)),)

    def selectors(self, alpha: S) -> dict[str, Selector[S]]:
        return {"slot_lift": Constant(power(alpha, PACKS_PER_BLOCK * (self.circuit.slots - 1)))}
