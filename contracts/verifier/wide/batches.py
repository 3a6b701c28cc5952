"""The contract of a batch: that of the model's circuit with its inputs in loops over stacks (the tracks) and over slots.

    slot j      : its point is w^(-32 j) rho; rows are read there with the model's own selectors, times alpha^(3 (J - 1 - j))
    rows        : sum over slots of share_j (reads_j sum_i alpha^(D i) activation_i + bias_j sum_i alpha^(D i)),
                  share_j the power of nu and the distances of the other points from zeta that stand before the point of slot j
    first layer : sum_b alpha^E_b pixels_b(rho): evaluating is linear, so each input is evaluated by the loop that a single one is

It serves dense models with slots and later layers; their circuits have one track (docs/batches.md).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from zkpredict.circuits.batch.gadgets import MASK, STACK_STEP, BatchDense, BatchFold, BatchOutput, BatchTotal, Mask
from zkpredict.circuits.batch.layout import DenseBatch
from zkpredict.circuits.batch.registered import RegisteredInputs
from zkpredict.circuits.batch.statement import CLASS_BYTES, COUNT_BYTES, BatchStatement
from zkpredict.circuits.constraints import constraint
from zkpredict.circuits.expression import Cell
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.gadgets.base import Gadget
from zkpredict.circuits.publics import Patches, Periodic
from zkpredict.circuits.wide.dense import Dense, handed_on
from zkpredict.circuits.wide.fold import Fold, horner
from zkpredict.circuits.wide.geometry import BLOCK_ROWS
from zkpredict.circuits.wide.keys import Keys
from zkpredict.circuits.wide.lanes import Lanes
from zkpredict.circuits.wide.layout import WideCircuit, value_rows
from zkpredict.circuits.wide.output import Output
from zkpredict.circuits.wide.rational import RationalGate
from zkpredict.circuits.wide.total import Total
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.lowering import Program
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import Lookup, inversion_loop, named_parts, padding_lines, part, read, word_aligned
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.symbolic import Power, Symbol, inverse_name, lifted
from zkpredict.contracts.verifier.wide import batch_loops as loops
from zkpredict.contracts.verifier.wide.batch_parts import BatchOutputs, BatchRows, BatchTracks
from zkpredict.contracts.verifier.wide.formulas import Formulas, Ladder
from zkpredict.contracts.verifier.wide.plan import Parts, WidePlan
from zkpredict.contracts.verifier.wide.selectors import pole_lines
from zkpredict.contracts.verifier.wide.source import WideGenerator
from zkpredict.verifier.opening import OpenedCells
from zkpredict.verifier.transcript import context

_ORDER = (Lanes, RationalGate, Keys, BatchFold, BatchDense, Mask, BatchOutput, BatchTotal)
_SINGLE: dict[type[Gadget], type[Gadget]] = {BatchFold: Fold, BatchDense: Dense, BatchOutput: Output, BatchTotal: Total}
_REPLACED: dict[type[Gadget], type[Gadget]] = {RegisteredInputs: BatchDense}
"""Gadgets with the constraints of those that they replace."""
HEAD_BYTES = 2 * WORD_BYTES + COUNT_BYTES
"""What is hashed before classes and inputs: the circuit's context, the model id and the number of inputs."""


def batch_name(circuit: DenseBatch, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """`BatchVerifier_784_64_10_x128_n2048_` and the digest's first bytes."""
    pairing = "_pairing" if check is FinalCheck.PAIRING else ""
    return f"BatchVerifier_{'_'.join(map(str, circuit.widths))}_x{circuit.images}_n{circuit.domain}_{circuit.digest[:4].hex()}{pairing}"


def batch_source(circuit: DenseBatch, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """The Solidity file of the verifier of batches of one size. Raises `UnsupportedShape` for a circuit that it does not serve."""
    return BatchGenerator(circuit, check).source()


def check_batch(circuit: WideCircuit) -> DenseBatch:
    """The circuit, if there is a contract for its batches. Raises `UnsupportedShape`, and says which models have one."""
    if not isinstance(circuit, DenseBatch) or circuit.slots == 1 or circuit.layers == 1 or len(circuit.chunks) > 1:
        raise UnsupportedShape(
            "contracts verify batches of dense networks with a hidden layer, of which several fit on a track (`zkpredict commit --batch`), "
            "and whose input fits a row; verify other batches off the chain"
        )
    return circuit


@dataclass(frozen=True)
class BatchPlan(WidePlan):
    """The structure of a batch."""

    circuit: DenseBatch

    @cached_property
    def gadgets(self) -> tuple[Gadget, ...]:
        found = check_batch(self.circuit).gadgets()
        kinds = [_REPLACED.get(type(gadget), type(gadget)) for gadget in found]
        if set(kinds) - set(_ORDER) or sorted(kinds, key=_ORDER.index) != kinds:
            raise UnsupportedShape(f"the circuit has the gadgets {', '.join(kind.__name__ for kind in kinds)}")
        return found

    @cached_property
    def first_constraint(self) -> dict[type[Gadget], int]:
        found: dict[type[Gadget], int] = {}
        number = 0
        for gadget in self.gadgets:
            kind = _REPLACED.get(type(gadget), type(gadget))
            found.setdefault(_SINGLE.get(kind, kind), number)
            number += len(gadget.constraints())
        return found

    @property
    def winner_constraint(self) -> int:
        counts = {kind: len(self.gadget(kind).constraints()) for kind in (Fold, Dense, Mask, Output, Total)}
        wanted = {Fold: 1, Dense: 0, Mask: 1, Output: self.circuit.stacks + 1, Total: 1}
        if counts != wanted or self.gadget(Output).signed_tracks != (0,):
            raise UnsupportedShape(f"gadgets have other constraints than the contract weighs: {counts}")
        return self.first_constraint[Output] + self.circuit.stacks

    def check_form(self) -> None:
        circuit, tracks = self.circuit, range(self.circuit.tracks)
        stated = [f"{name}{track}" for own in (self.lane_columns, self.rational_columns) for track in tracks for name in own]
        keys = [f"lookup{track}_{number}" for track in tracks for number in range(self.lookups)]
        quotient = ["quotient", "quotient_high"][: circuit.quotient_pieces]
        points = [*stated, "mult", MASK, *keys, "lookup_table", "fold", "sum", *quotient, "opening", "final"]
        rotations = [0, 1, *(-BLOCK_ROWS * slot for slot in circuit.rotated)]
        first, *others = [((rotation,), None) for rotation in rotations]
        claims = [first, *(((0,), name) for name in (*stated, "lookup_table")), *others]
        found = [(claim.points, claim.column) for claim in self.form.claims]
        if list(self.form.points) != points or list(self.form.rotations) != rotations or found != [*claims, *self.more_claims]:
            raise UnsupportedShape(f"proofs have the points {', '.join(self.form.points)} and claims at {self.form.rotations}")

    @property
    def more_claims(self) -> list[tuple[tuple[int, ...], str | None]]:
        """What proofs claim behind the rotations: the points, and the column."""
        return []

    @cached_property
    def parts(self) -> Parts:
        """None: loops go through the slots' own."""
        return Parts(())

    @cached_property
    def ladders(self) -> dict[str, tuple[Ladder, ...]]:
        """Rows that slot 0 reads, by `reads` of layers and `nonnegative`. Raises `UnsupportedShape` unless slot j has the same rows 32 j
        further on, with the weight alpha^(3 (J - 1 - j)), and no row must be other than negative but those and M's."""
        circuit, found = self.circuit, {}
        for layer in range(1, circuit.layers):
            own = [self._patches(f"reads{layer}_0_{slot}") for slot in range(circuit.slots)]
            ones = [[Periodic[Any](one.period, dict.fromkeys(one.values, 1)) for one in parts] for parts in own]
            for slot, parts in enumerate(own):
                weight = pow(Power("alpha", 1), circuit.slot_exponent(slot), MODULUS)
                if parts != [_moved(one, slot, weight) for one in ones[0]]:
                    raise UnsupportedShape(f"layer {layer} does not read slot {slot} as it reads slot 0")
            found[f"reads{layer}"] = tuple(Ladder.of(one) for one in ones[0])
        signs = self._patches("nonnegative0")
        pieces = len(circuit.output.pieces)
        largest = Periodic(circuit.domain, {BLOCK_ROWS * slot + loops.HIGH_ROW: 1 for slot in range(circuit.slots)})
        if signs != [*(_moved(one, slot, 1) for slot in range(circuit.slots) for one in signs[:pieces]), largest]:
            raise UnsupportedShape("slots have other signs than slot 0")
        found["nonnegative"] = tuple(Ladder.of(one) for one in signs[:pieces])
        return found

    def _patches(self, name: str) -> list[Periodic[Any]]:
        polynomial = self.selectors[name]
        if not isinstance(polynomial, Patches):
            raise UnsupportedShape(f"{name} is no sum of periodic polynomials")
        return list(polynomial.parts)


def _moved(polynomial: Periodic[Any], slot: int, weight: Power | int) -> Periodic[Any]:
    """The polynomial with its rows in another slot, and `weight` in the place of 1."""
    return Periodic(polynomial.period, {row + BLOCK_ROWS * slot: weight for row in polynomial.values})


@dataclass
class BatchFormulas(Formulas):
    """Formulas of a batch: a stack is a track."""

    plan: BatchPlan

    def check_sum(self) -> None:
        circuit, minus = self.plan.circuit, Symbol.of({("theta",): -1})
        names = (*self.plan.lane_columns, *self.plan.rational_columns)
        stated = {(f"{name}{track}", 0): Symbol.named(f"{name}{track}") for track in range(circuit.tracks) for name in names}
        world = OpenedCells(Lookup(Symbol.named), Lookup(Symbol.named), stated | {("lookup_table", 0): Symbol.named("lookup_table")})
        total = {cell: lifted(value) for cell, value in constraint(circuit, "sum").expression.evaluate(world).terms.items()}
        wanted = {(f"lookup{track}_{number}", 0): minus for track in range(circuit.tracks) for number in range(self.plan.lookups)}
        wanted |= {(MASK, -BLOCK_ROWS * slot): lifted(1) for slot in circuit.rotated}
        wanted |= {(column.name, 0): Symbol.named(column.name.replace("rows0", "inputs")) for column in circuit.row_columns if column.layer == 0}
        for layer in range(1, circuit.layers):
            read = [handed_on(circuit.activations[layer - 1], stack) for stack in range(circuit.stacks)]
            activation = lifted(horner(read, STACK_STEP).evaluate(world).constant)
            for slot in range(circuit.slots):
                met = Symbol.named(f"reads{layer}_0_{slot}") * activation + Symbol.named("stacks") * Symbol.named(f"bias_{slot}")
                wanted[value_rows(layer, 0), -BLOCK_ROWS * slot] = met
        if {cell: value for cell, value in total.items() if cell[0] not in ("fold", "sum")} != wanted:
            raise UnsupportedShape("the sum reads lookups or rows that the contract does not weigh")
        masked = constraint(circuit, "mask is zero").expression
        if masked != Cell(MASK):
            raise UnsupportedShape("the mask has another constraint than the contract weighs")


@dataclass
class BatchGenerator(WideGenerator):
    """The contract of a batch in the making."""

    circuit: DenseBatch

    @cached_property
    def plan(self) -> BatchPlan:
        return BatchPlan(self.circuit)

    @cached_property
    def formulas(self) -> BatchFormulas:
        return BatchFormulas(self.plan)

    @cached_property
    def outputs(self) -> BatchOutputs:
        return BatchOutputs(self)

    @cached_property
    def rows(self) -> BatchRows:
        return BatchRows(self)

    @cached_property
    def tracks(self) -> BatchTracks:
        return BatchTracks(self)

    @cached_property
    def large(self) -> bool:
        return True

    # statement

    def statement_parts(self) -> dict[str, str]:
        return named_parts("batch_statement") | {
            "interface": "IBatchVerifier", "claim_argument": "", "claim_argument_alone": "", "claim_parameter": "",
        }

    @property
    def argument_bytes(self) -> int:
        return self.circuit.images * self.circuit.inputs

    @property
    def class_bytes(self) -> int:
        """Length of the argument `classes`."""
        return CLASS_BYTES * self.circuit.images

    @property
    def statement_bytes(self) -> int:
        return HEAD_BYTES + self.class_bytes + self.argument_bytes

    def padding(self) -> list[str]:
        places = {"IMAGE": ("IMAGE_AT", self.argument_bytes), "CLASSES": ("CLASSES_AT", self.class_bytes), "PROOF": ("PROOF_AT", self.proof_bytes)}
        return [line for name, place in places.items() for line in padding_lines({name: place})]

    def numbers(self) -> dict[str, str]:
        classes_at = 4 + 5 * WORD_BYTES + word_aligned(self.argument_bytes) + WORD_BYTES
        proof_at = classes_at + word_aligned(self.class_bytes) + WORD_BYTES
        scalars_at = proof_at + self.proof_bytes - self.check.final_bytes - WORD_BYTES * len(self.form.scalars)
        return super().numbers() | {
            "name": batch_name(self.circuit, self.check),
            "shape": f"{'-'.join(map(str, self.circuit.widths))}, {self.circuit.domain} rows, {self.circuit.tracks} stacks of {self.circuit.slots} slots",
            "entry": part("batch_entry"),
            "proof_context": f"0x{context(BatchStatement.label, self.circuit.digest).hex()}",
            "images": str(self.circuit.images),
            "classes_at": str(classes_at),
            "classes_bytes": str(self.class_bytes),
            "calldata_bytes": str(proof_at + word_aligned(self.proof_bytes)),
            "proof_at": str(proof_at),
            "scalars_at": str(scalars_at),
            "final_at": str(proof_at + self.proof_bytes - self.check.final_bytes),
        }

    # hooks

    def functions(self) -> dict[str, str]:
        return super().functions() | {
            "evaluate_inputs": "",
            "after_weights": "        _evaluateImages();\n",
            "after_tracks": "        _addWinners();\n",
        }

    def input_text(self) -> str:
        return loops.image_functions(self)

    @property
    def highest_power(self) -> int:
        return self.circuit.stack_exponent

    @property
    def step_name(self) -> str:
        return STACK_STEP

    def distances(self, program: Program) -> Symbol:
        return Symbol.named("there")

    def share(self, rotation: int) -> Symbol:
        return Symbol.named(f"share_{-rotation // BLOCK_ROWS}") if rotation < 0 else super().share(rotation)

    def all_distances(self) -> Symbol:
        return Symbol.named("all_distances")

    def all_distances_lines(self, product: str) -> list[str]:
        """Statements that keep the product of the distances of all points from zeta, and begin `behind`, the factor of all shares."""
        return [f"mstore(ALL_DISTANCES, {product})", "let behind := 1"]

    def last_share_lines(self, product: str, power: str) -> list[str]:
        """Statements for what is claimed behind all rotations: `power` of nu, `product` of the rotations' distances."""
        return []

    @property
    def weighs_images(self) -> bool:
        """Whether the weights of inputs are kept."""
        return True

    def summed(self) -> dict[str, Symbol]:
        return super().summed() | {"mask is zero": self.delta(self.plan.first_constraint[Mask])}

    def _alpha_powers(self) -> list[str]:
        lines = super()._alpha_powers()
        memory, size = self.memory, WORD_BYTES * self.circuit.slots
        for name in ("SLOT_POINTS", "SLOT_WEIGHTS", "SLOT_DISTANCES", "SHARES"):
            memory.area(name, size)
        for slot in self.circuit.rotated:
            self.words[f"share_{slot}"] = read(memory.at(f"SHARE_{slot}", memory.places["SHARES"] + WORD_BYTES * slot))
        for name in ("all_distances", "every", "stacks", *(("track_step",) if self.circuit.stacks == 1 else ())):
            self.word(name)
        return [*lines, *loops.slot_lines(self)]

    def poles(self) -> tuple[list[str], list[str]]:
        functions, lines = loops.slot_poles(self)
        more, own = pole_lines(self)
        return [*functions, *more], [*lines, *own]

    def bottom(self, name: str) -> str:
        if "BOTTOMS" not in self.memory.places:
            loops.reserve_bottoms(self)
        return super().bottom(name)

    def _invert(self) -> list[str]:
        if len(self.bottoms) > self._most_bottoms:
            raise ValueError(f"{len(self.bottoms)} values to invert, more than were reserved")
        for name in self.bottoms:
            self.words[inverse_name(name)] = self.words[name]
        start, end = self.memory.places[loops.FIRST_BOTTOMS], self.memory.places["BOTTOMS"] + WORD_BYTES * len(self.bottoms)
        self.memory.area("PARTIALS", end - start)
        return inversion_loop(loops.FIRST_BOTTOMS, "PARTIALS", end - start)

    def _publics(self) -> Any:
        return loops.publics(self)
