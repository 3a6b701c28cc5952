"""Solidity source of the verifier of one wide circuit, assembled from the template, the formulas of its gadgets, and loops over its
tracks, rows and packs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from string import Template

from zkpredict.circuits.columns import Form
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.field import MODULUS, root_of_unity
from zkpredict.circuits.shared.layout import SharedCircuit
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.contracts.verifier.absorbing import (
    STATEMENT_HEAD, check_scalars, draw_challenges, place_statement, scalar_word, scalars_offset,
)
from zkpredict.contracts.verifier.encoding import FinalCheck, absorbed_points
from zkpredict.contracts.verifier.lowering import FIELD, Program, Value
from zkpredict.contracts.verifier.memory import WORD_BYTES, MemoryMap
from zkpredict.contracts.verifier.points import copy_points
from zkpredict.contracts.verifier.pieces import (
    POINT_BYTES, SCALAR_OFFSET, SOURCES, STRIDE, batch_inversion, indented, inversion_loop, named_parts, padding_lines, read,
)
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.symbolic import Symbol, inverse_name, lifted
from zkpredict.contracts.verifier.wide import hidden
from zkpredict.contracts.verifier.wide.convolutions import ConvolutionPart
from zkpredict.contracts.verifier.wide.folding import fold_lines
from zkpredict.contracts.verifier.wide.formulas import Formulas
from zkpredict.contracts.verifier.wide.maxpools import MaxPoolPart
from zkpredict.contracts.verifier.wide.inputs import input_functions, shared_lines
from zkpredict.contracts.verifier.wide.outputs import OutputPart
from zkpredict.contracts.verifier.wide.numbers import is_large, numbers_of, registry_of, replica_refusal
from zkpredict.contracts.verifier.wide.plan import WidePlan
from zkpredict.contracts.verifier.wide.registration import PART_ROWS
from zkpredict.contracts.verifier.wide.rows import RowPart
from zkpredict.contracts.verifier.wide.shared import SharedPart
from zkpredict.contracts.verifier.wide.selectors import pole_lines, reads_words
from zkpredict.contracts.verifier.wide.tracks import TrackPart
from zkpredict.circuits.wide.fold import Fold
from zkpredict.circuits.wide.geometry import BLOCK_ROWS
from zkpredict.circuits.wide.keys import Keys
from zkpredict.circuits.wide.replicas import joined_seats
from zkpredict.circuits.statement import CONTEXT_BYTES, OUTPUT_BYTES

MAX_POLES = 12
"""Values to be inverted beside those of parts: poles of single rows and of rows of a block, two of the winner. (A hidden input has two more.)"""
UNROLLED_POINTS, UNROLLED_MAPS = 20, 40
"""A proof with more points is copied by a loop: code that costs nothing to run would not fit. The second is for circuits of maps, all of whose code is small."""


def wide_source(circuit: WideCircuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """The Solidity file of a circuit's verifier. Raises `UnsupportedShape` for a circuit of gadgets that it does not know, or of too many parts."""
    if reason := replica_refusal(circuit):
        raise UnsupportedShape(reason)
    return WideGenerator(circuit, check).source()


@dataclass
class WideGenerator:
    """One contract in the making: its memory map, and which names of formulas lie in which words."""

    circuit: WideCircuit
    check: FinalCheck
    memory: MemoryMap = field(default_factory=MemoryMap)
    words: dict[str, Value] = field(default_factory=dict)

    @cached_property
    def plan(self) -> WidePlan:
        return WidePlan(self.circuit)

    @cached_property
    def formulas(self) -> Formulas:
        return Formulas(self.plan)

    @property
    def form(self) -> Form:
        return self.plan.form

    @property
    def fixed(self) -> tuple[str, ...]:
        return (self.plan.fixed.name,)

    @property
    def challenges(self) -> tuple[str, ...]:
        return tuple(name for message in self.form.rounds for name in message.challenges)

    @property
    def points(self) -> tuple[str, ...]:
        """Points of the multi-scalar multiplication after the rows: the fixed one, those of a hidden input, then the proof's."""
        more = ("final", "generator") if self.check is FinalCheck.PAIRING else ()
        return (*self.fixed, *hidden.committed(self.circuit), *absorbed_points(self.form), *more)

    @cached_property
    def outputs(self) -> OutputPart:
        return OutputPart(self)

    @cached_property
    def rows(self) -> RowPart:
        return RowPart(self)

    @cached_property
    def tracks(self) -> TrackPart:
        return TrackPart(self)

    @cached_property
    def convolutions(self) -> ConvolutionPart | None:
        if not isinstance(self.circuit, ConvCircuit):
            return None
        if isinstance(self.circuit, SharedCircuit):
            return SharedPart(self, self.circuit)
        return MaxPoolPart(self, self.circuit) if self.circuit.wiring else ConvolutionPart(self, self.circuit)

    def source(self) -> str:
        self.plan.check_form()
        self.formulas.check_sum()
        self._lay_out()
        parts = {
            "read_rows": self.rows.read_lines(registry_of(self.circuit)),
            "copy_rows": self.rows.copy_lines(),
            "padding": self.padding(),
            "copy_points": copy_points(self.fixed, absorbed_points(self.form), self.check, unrolled=UNROLLED_MAPS if self.convolutions else UNROLLED_POINTS),
            "check_scalars": check_scalars(self.form),
            "draw_challenges": draw_challenges(self.form),
            "rho_powers": self._rho_powers(),
            "combine_weights": self._combine_weights(),
        }
        held = self.convolutions
        text = self.functions()
        publics, fold = self._publics(), fold_lines(self)
        parts["pole_functions"], poles = self.poles()
        parts["invert"] = self._invert()
        parts["publics"] = publics()
        text["tracks"] = self.tracks.functions() + ("" if held is None else "\n" + held.functions())
        text["weigh_lookups"] = hidden.weigh_function(self)
        text["look_up_input"] = "        _weighLookups();\n" if hidden.looped(self.circuit) else ""
        parts["fold"] = fold()
        parts["row_functions"] = self.rows.functions()
        text |= {"poles": indented(poles, 16), "weigh_rows": indented(self.rows.lines(), 16)}
        self._place_points()
        text |= {name: indented(lines) for name, lines in parts.items()}
        template = Template((SOURCES / "WideVerifier.sol.template").read_text(encoding="utf-8"))
        return Template(template.safe_substitute(self.statement_parts())).substitute(text | self.numbers())

    def functions(self) -> dict[str, str]:
        """Calls and functions that not every circuit has."""
        held = self.convolutions
        return {
            "input_functions": self.input_text(),
            "evaluate_inputs": "" if self.circuit.private_input or held is not None else "        _evaluateInputs();\n",
            "read_input": hidden.check(self.circuit),
            "after_weights": "" if held is None else "        _evaluatePatches();\n        _weighPlaces();\n        _weighLanes();\n",
            "after_tracks": "" if held is None else "        _readPlaces();\n",
            "more_stated": "" if held is None else "\n" + indented(held.stated_lines()),
            "weigh_outputs": self.outputs.weigh(),
            "outputs": self.outputs.functions(),
            "check_outputs": self.outputs.check(),
            "errors": self.outputs.errors() + hidden.errors(self.circuit),
        }

    def input_text(self) -> str:
        """Functions that evaluate the input."""
        return input_functions(self) if self.convolutions is None else ""

    def statement_parts(self) -> dict[str, str]:
        """What the template says of a statement: its arguments, their places and checks, and its hash."""
        return named_parts("wide_statement") | {
            "interface": "IVerifier", "claim_argument": ", digit", "claim_argument_alone": "digit", "claim_parameter": "uint256 digit",
        }

    def padding(self) -> list[str]:
        """Whether the bytes that fill the last words of arguments are zero."""
        return padding_lines({"IMAGE": ("IMAGE_AT", self.argument_bytes), "PROOF": ("OUTPUTS_AT", self.proof_bytes)})

    @property
    def argument_bytes(self) -> int:
        """Length of the argument `image`."""
        return hidden.argument_bytes(self.circuit)

    @property
    def statement_bytes(self) -> int:
        """What is hashed of a statement before its context."""
        return STATEMENT_HEAD + OUTPUT_BYTES * self.form.outputs + self.argument_bytes

    def poles(self) -> tuple[list[str], list[str]]:
        """Functions, and statements for all values to be inverted."""
        return pole_lines(self)

    # memory

    def word(self, name: str, bound: int = MODULUS) -> str:
        """Reserves the word of a value that formulas call `name`."""
        place = self.memory.word(name.upper())
        self.words[name] = read(place, bound)
        return place

    def lines(self, program: Program) -> list[str]:
        """The program's statements; notes how large the values it leaves in words can be."""
        lines = program.lines(self.memory.spare())
        for name, value in self.words.items():
            place = value.text.removeprefix("mload(").removesuffix(")")
            self.words[name] = read(place, program.bounds.get(place, value.bound))
        return lines

    def program(self) -> Program:
        return Program(dict(self.words))

    @property
    def proof_bytes(self) -> int:
        return self.check.proof_bytes(self.form)

    def _lay_out(self) -> None:
        """Areas whose neighbourhood matters: STATE in front of the proof's points, the scalars right behind those that come before them."""
        memory, circuit = self.memory, self.circuit
        rows = WORD_BYTES + POINT_BYTES * circuit.total_rows
        scalars = scalars_offset(self.form)
        end = scalars + WORD_BYTES * len(self.form.scalars)
        statement = self.statement_bytes
        memory.area("STATE", max(statement + CONTEXT_BYTES, end, rows + CONTEXT_BYTES))
        place_statement(memory, statement, rows)
        for index, name in enumerate(self.form.scalars):
            place = memory.at(scalar_word(name), memory.places["STATE"] + scalars + WORD_BYTES * index)
            self.words[name] = read(place)
        memory.at("STATED", memory.places["STATE"] + scalars)
        memory.word("ORDER")
        for name in (*self.challenges, "vanishing", "constant_sum", "here", "there", "row_factor", "theta_sum", "stated_sum", "nu_last"):
            self.word(name)
        self.words["alpha_1"], self.words["rho_1"] = self.words["alpha"], self.words["rho"]
        memory.area("DELTAS", WORD_BYTES * self.plan.constraint_count)
        for index in range(1, self.plan.constraint_count):
            self.words[f"delta_{index}"] = read(memory.at(f"DELTA_{index}", memory.places["DELTAS"] + WORD_BYTES * index))
        if registry_of(circuit) == "LargeModels":
            memory.area("PARTS", WORD_BYTES * -(-circuit.total_rows // PART_ROWS))
        self.tracks.lay_out()
        if self.convolutions is not None:
            self.convolutions.lay_out()

    def _place_points(self) -> None:
        """The input of the multi-scalar multiplication lies last: its padding must be memory that nobody wrote to."""
        memory, rows = self.memory, self.circuit.total_rows
        memory.area("SUM", 128)
        if self.check is FinalCheck.PAIRING:
            memory.area("PAIRS", 768)
        memory.area("MSM", STRIDE * (rows + len(self.points)))
        start = memory.places["MSM"]
        for index, name in enumerate(self.points, rows):
            memory.at(name.upper(), start + STRIDE * index)
            memory.at(f"{name.upper()}_SCALAR", start + STRIDE * index + SCALAR_OFFSET)

    def point_offset(self, name: str) -> int:
        """Where a point after the rows lies, in bytes behind MSM."""
        return STRIDE * (self.circuit.total_rows + self.points.index(name))

    # blocks

    def delta(self, index: int) -> Symbol:
        """The weight of a constraint."""
        return Symbol.named(f"delta_{index}") if index else lifted(1)

    def _rho_powers(self) -> list[str]:
        lines = []
        for doubling in range(1, self.circuit.domain.bit_length()):
            lines += [f"power := mulmod(power, power, {FIELD})", f"mstore({self.word(f'rho_{1 << doubling}')}, power)"]
        return lines

    def _combine_weights(self) -> list[str]:
        lines = self._alpha_powers()
        lines.append("mstore(DELTAS, 1)")
        if self.large:
            last = WORD_BYTES * (self.plan.constraint_count - 1)
            lines += [
                f"for {{ let place := DELTAS }} lt(place, add(DELTAS, {last})) {{ place := add(place, {WORD_BYTES}) }} {{",
                f"    mstore(add(place, {WORD_BYTES}), mulmod(mload(place), mload(DELTA), {FIELD}))",
                "}",
            ]
        for index in range(1, 0 if self.large else self.plan.constraint_count):
            power = f"mulmod(mload(DELTA_{index - 1}), mload(DELTA), {FIELD})" if index > 1 else "mload(DELTA)"
            lines.append(f"mstore(DELTA_{index}, {power})")
        self.rows.reserve()
        self.outputs.reserve()
        lines += [*self.rows.power_lines(), *self.rows.weight_lines()]
        program = self.program()
        program.compute("CONSTANT_SUM", self.rows.offsets() + self.outputs.fixed_constant())
        there = self.distances(program)
        sum_weight = self.delta(self.plan.constraint_count - 1)
        program.compute("ROW_FACTOR", there * sum_weight)
        program.compute("THETA_SUM", sum_weight * Symbol.named("theta"))
        if "track_step" in self.words:
            program.compute("TRACK_STEP", self.formulas.selector(self.step_name))
        lines += self.lines(program)
        return [*lines, *(self.convolutions.weight_lines() if self.convolutions is not None else [])]

    @property
    def step_name(self) -> str:
        """The public polynomial that weighs a track from the one before it."""
        return "track_step"

    def distances(self, program: Program) -> Symbol:
        """Asks for `here` and `there`, or computes them before the program; gives the latter, by which all that is opened at rho is multiplied."""
        root = root_of_unity(self.circuit.domain)
        there = Symbol.named("zeta") - Symbol.named("rho") * root
        program.compute("HERE", Symbol.named("zeta") - Symbol.named("rho"))
        program.compute("THERE", there)
        return there

    def share(self, rotation: int) -> Symbol:
        """What everything at a rotation is multiplied with in the fold: its power of nu, and the distances of all other points from zeta."""
        return Symbol.named("nu_last") * Symbol.named("here") if rotation else Symbol.named("there")

    def all_distances(self) -> Symbol:
        """The product of the distances of all points from zeta."""
        return Symbol.named("here") * Symbol.named("there")

    def more_value(self) -> Symbol:
        """What is claimed behind the rotations adds to the value of the fold."""
        return lifted(0)

    def summed(self) -> dict[str, Symbol]:
        """Constraints that read all tracks, or none, by name with their weights."""
        plan = self.plan
        first, own_lookups = plan.first_constraint, hidden.lookups(self.circuit)
        return {
            "lookup_table": self.delta(first[Keys] + plan.families["lookups"].count * self.circuit.tracks + len(own_lookups)),
            "fold": self.delta(first[Fold]),
            "sum": self.delta(plan.constraint_count - 1),
        }

    @property
    def highest_power(self) -> int:
        """Of alpha, of those that are products of squares."""
        return 1

    def _alpha_powers(self) -> list[str]:
        highest = max([self.highest_power, *(e for column in self.circuit.row_columns for own in (column.exponents, *column.copies) for e in own), self.circuit.folded,
                       *(e for e in self.circuit.output.exponents()), *(run.last + run.step * run.count for band in (*self.circuit.hidden, self.circuit.output) for run in band.runs)])
        lines, last = [], "mload(ALPHA)"
        for doubling in range(1, highest.bit_length()):
            place = self.word(f"alpha_{1 << doubling}")
            lines.append(f"mstore({place}, mulmod({last}, {last}, {FIELD}))")
            last = f"mload({place})"
        return lines

    def _publics(self) -> Callable[[], list[str]]:
        """Notes which poles there are; gives the statements, for when their inverses have words."""
        targets: list[tuple[str, Symbol]] = reads_words(self)
        targets += self.outputs.publics()

        def lines() -> list[str]:
            shared = shared_lines(self) if self.convolutions is None else []
            program = self.program()
            for place, formula in targets:
                program.compute(place, formula)
            return [*shared, *self.lines(program)]

        return lines

    @cached_property
    def bottoms(self) -> list[str]:
        """Names of the values to be inverted, in the order in which they were asked for; their words follow one another."""
        return []

    @property
    def _most_bottoms(self) -> int:
        biases = max((seat.bias_row for seat in joined_seats(self.circuit)), default=-1) // BLOCK_ROWS + 1
        return len(self.plan.parts.polynomials) + MAX_POLES + biases + 2 * self.circuit.private_input

    def bottom(self, name: str) -> str:
        """Reserves the word of a value to be inverted."""
        if "BOTTOMS" not in self.memory.places:
            if self.convolutions is not None:
                self.convolutions.reserve_bottoms()
            self.memory.area("BOTTOMS", WORD_BYTES * self._most_bottoms)
        place = self.memory.at(name.upper(), self.memory.places["BOTTOMS"] + WORD_BYTES * len(self.bottoms))
        self.words[name] = read(place)
        self.bottoms.append(name)
        return place

    @cached_property
    def large(self) -> bool:
        return is_large(self.circuit)

    def _invert(self) -> list[str]:
        """The values lie one behind the other: where there are many, a loop that leaves the inverses in their places."""
        if len(self.bottoms) > self._most_bottoms:
            raise ValueError(f"{len(self.bottoms)} values to invert, more than were reserved")
        if not self.large:
            return batch_inversion(self.bottoms, self.words, self.word)
        for name in self.bottoms:
            self.words[inverse_name(name)] = self.words[name]
        if self.convolutions is not None:
            return self.convolutions.inversion_lines(len(self.bottoms))
        size = WORD_BYTES * len(self.bottoms)
        self.memory.area("PARTIALS", size)
        return inversion_loop("BOTTOMS", "PARTIALS", size)

    def numbers(self) -> dict[str, str]:
        """What the template calls by name: sizes, places and hashes."""
        return numbers_of(self)
