"""Solidity source of the verifier of one circuit, assembled from the template and the formulas of the Python verifier."""

from __future__ import annotations

from dataclasses import dataclass, field
from string import Template

from zkpredict.circuits.columns import Form, Origin
from zkpredict.circuits.constraints import total_constraint
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.layout import NARROW, WIDE, Circuit, row_column
from zkpredict.circuits.linear import equations
from zkpredict.circuits.placement import form
from zkpredict.circuits.statement import CONTEXT_BYTES
from zkpredict.contracts.verifier.absorbing import (
    STATEMENT_HEAD, check_scalars, draw_challenges, place_statement, scalar_word, scalars_offset,
)
from zkpredict.contracts.verifier.encoding import FinalCheck, absorbed_points
from zkpredict.contracts.verifier.lowering import FIELD, Program, Value
from zkpredict.contracts.verifier.memory import WORD_BYTES, MemoryMap
from zkpredict.contracts.verifier.pieces import (
    GENERATED, INVERSION_BYTES, POINT_BYTES, SCALAR_OFFSET, SOURCES, STRIDE, Lookup, batch_inversion, indented, opens, padding_lines, part, read, word_aligned,
)
from zkpredict.contracts.verifier.pixels import PIXELS_BOUND, pixel_lines
from zkpredict.contracts.verifier.points import copy_points
from zkpredict.contracts.verifier.publics import (
    ALPHA, Fraction, Mirrored, Readout, Selectors, constants, in_twos, mirrored_lines, readout_lines, rho_to,
)
from zkpredict.contracts.verifier.symbolic import Symbol, inverse_name, lifted
from zkpredict.verifier.opening import Fold, Linearisation, OpenedCells, fold, stated_cells
from zkpredict.verifier.transcript import MODEL_LABEL, PROOF_LABEL, context

__all__ = ["GENERATED", "SOURCES", "Generator", "contract_name", "memory_places", "source"]


TEXTS = {
    "point": "rho",
    "point_word": "RHO",
    "about_powers": "",
    "about_image": """\
    /// The image, without its constant term 1, as a polynomial at rho, by Horner's rule. rho has 240 bits, so that
    /// two elements and 255 rho + 255 fit in a word: two pixels a step, and zero pixels skipped by 8 and by 32.""",
    "about_fold": """\
        // [x] are commitments, x the values that the proof states; N and M are what the constraints read at rho and at w rho,
        // linear in the columns. Z_here = zeta - rho, Z_there = zeta - w rho; x_scalar = factor of [x] in
        //     L = Z_there ([N] + nu [limb] + nu^2 [table]) + nu^3 [cell] + nu^4 Z_here [M] - Z_here Z_there [opening]
        // value = Z_there (nu limb + nu^2 table - constant - linearised_next) + nu^3 line + nu^4 Z_here linearised_next
        // line = cell + (cell_next - cell) (zeta - rho) / (w rho - rho)""",
}
"""What the template says in the words of one edition."""


def contract_name(circuit: Circuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """`Verifier_784_64_10_n1024`, with the lanes when they are not the usual ones, and `_pairing` for that variant."""
    usual = (NARROW,) * (circuit.layers - 1) + (WIDE,)
    lanes = "" if circuit.lanes == usual else "_lanes" + "".join(map(str, circuit.lanes))
    pairing = "_pairing" if check is FinalCheck.PAIRING else ""
    return f"Verifier_{'_'.join(map(str, circuit.widths))}{lanes}_n{circuit.domain}{pairing}"


def source(circuit: Circuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """The Solidity file of a circuit's verifier. It imports `IVerifier.sol` and `ModelRegistry.sol`."""
    return Generator(circuit, check).source()


def memory_places(circuit: Circuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> dict[str, int]:
    """Where the contract keeps each value: address by name."""
    generator = Generator(circuit, check)
    generator.source()
    return dict(generator.memory.places)


@dataclass
class Generator:
    """One contract in the making: its memory map, and which names of formulas lie in which words."""

    circuit: Circuit
    check: FinalCheck
    memory: MemoryMap = field(default_factory=MemoryMap)
    words: dict[str, Value] = field(default_factory=dict)

    def source(self) -> str:
        self._lay_out()
        parts = {
            "gather_rows": self._gather_rows(),
            "copy_points": copy_points(self._fixed, absorbed_points(self._form), self.check),
            "check_scalars": check_scalars(self._form),
            "draw_challenges": self._draw(),
            "padding": padding_lines({"IMAGE": ("IMAGE_AT", self.circuit.inputs), "PROOF": ("PROOF_AT", self.check.proof_bytes(self._form))}),
            "rho_powers": self._rho_powers(),
            "pixels": self._pixels(),
            "combine_weights": self._weights(),
            "evaluate_publics": self._publics(),
            "invert": self._invert(),
            "fold": self._fold(),
        }
        self._place_points()
        text = {name: indented(lines) for name, lines in parts.items()}
        return Template((SOURCES / "Verifier.sol.template").read_text(encoding="utf-8")).substitute(text | self._numbers() | self.template_texts)

    @property
    def name(self) -> str:
        return contract_name(self.circuit, self.check)

    @property
    def template_texts(self) -> dict[str, str]:
        """What the template says of rho and of the fold."""
        return TEXTS

    def _draw(self) -> list[str]:
        return draw_challenges(self._form)

    def _pixels(self) -> list[str]:
        return pixel_lines(self.circuit.inputs)

    @property
    def _doublings(self) -> int:
        return self.circuit.domain.bit_length() - 1

    @property
    def _form(self) -> Form:
        return form(self.circuit)

    @property
    def _fixed(self) -> tuple[str, ...]:
        return tuple(column.name for column in self._form.columns if column.origin is Origin.FIXED)

    @property
    def _points(self) -> tuple[str, ...]:
        """Points of the multi-scalar multiplication after the rows: the fixed ones, then the proof's."""
        more = ("final", "generator") if self.check is FinalCheck.PAIRING else ()
        return (*self._fixed, *absorbed_points(self._form), *more)

    def _lay_out(self) -> None:
        """Areas whose neighbourhood matters: STATE in front of the proof's points, the scalars right behind those that come before them."""
        memory = self.memory
        rows = WORD_BYTES + POINT_BYTES * self.circuit.total_rows
        scalars = scalars_offset(self._form)
        end = scalars + WORD_BYTES * len(self._form.scalars)
        statement = STATEMENT_HEAD + self.circuit.inputs
        memory.area("STATE", max(statement + CONTEXT_BYTES, end, rows + CONTEXT_BYTES))
        place_statement(memory, statement, rows)
        for number, name in enumerate(self._form.scalars):
            place = memory.at(scalar_word(name), memory.places["STATE"] + scalars + WORD_BYTES * number)
            self.words[name] = read(place)
        start = memory.places["STATE"]
        memory.bury(start + INVERSION_BYTES, start + scalars)
        memory.bury(start + end, memory.end)
        memory.word("ORDER")
        for name in (*self._challenges, "vanishing"):
            self._word(name)
        self._word("pixels", PIXELS_BOUND)

    @property
    def _challenges(self) -> tuple[str, ...]:
        return tuple(name for message in self._form.rounds for name in message.challenges)

    def _word(self, name: str, bound: int = MODULUS) -> str:
        """Reserves the word of a value that formulas call `name`."""
        place = self.memory.word(name.upper())
        self.words[name] = read(place, bound)
        return place

    def _lines(self, program: Program) -> list[str]:
        """The program's statements; notes how large the values it leaves in words can be."""
        lines = program.lines(self.memory.scratch())
        for name, value in self.words.items():
            place = value.text.removeprefix("mload(").removesuffix(")")
            self.words[name] = read(place, program.bounds.get(place, value.bound))
        return lines

    def _place_points(self) -> None:
        """The input of the multi-scalar multiplication lies last: its padding must be memory that nobody wrote to."""
        memory, rows = self.memory, self.circuit.total_rows
        memory.area("MSM", STRIDE * (rows + len(self._points)))
        start = memory.places["MSM"]
        for number in range(rows):
            memory.at(f"ROW{number}_SCALAR", start + STRIDE * number + SCALAR_OFFSET)
        for number, name in enumerate(self._points, rows):
            memory.at(name.upper(), start + STRIDE * number)
            memory.at(f"{name.upper()}_SCALAR", start + STRIDE * number + SCALAR_OFFSET)
        memory.area("SUM", 128)
        if self.check is FinalCheck.PAIRING:
            memory.area("PAIRS", 768)

    def _gather_rows(self) -> list[str]:
        """The rows as their id hashes them, behind the context in STATE: coordinates without padding and scalars."""
        half = POINT_BYTES // 2
        moves = []
        for row in range(self.circuit.total_rows):
            for coordinate in range(2):
                to = WORD_BYTES + POINT_BYTES * row + half * coordinate
                moves.append((to, STRIDE * row + 16 + 64 * coordinate))
        return [f"mcopy(add(STATE, {to}), add(MSM, {start}), {half})" for to, start in moves]

    def _rho_powers(self) -> list[str]:
        self.words["rho_1"] = self.words["rho"]
        lines = []
        for doubling in range(1, self._doublings + 1):
            lines += [f"power := mulmod(power, power, {FIELD})", f"mstore({self._word(f'rho_{1 << doubling}')}, power)"]
        return lines

    def _weights(self) -> list[str]:
        """Powers of alpha, the read-out's weights and the constant term."""
        circuit, memory = self.circuit, self.memory
        self.readout = readout = Readout.of(circuit)
        classes, first = circuit.classes, circuit.first_equation(circuit.layers)
        memory.area("PREFIX", WORD_BYTES * (classes + 1))
        memory.area("CLASS_WEIGHTS", WORD_BYTES * len(readout.entries))
        start = memory.places["CLASS_WEIGHTS"]
        self.entry_words = {}
        program = Program(dict(self.words))
        self.words["alpha_1"] = self.words["alpha"]
        last = max(equations(circuit, 0)) + 1
        for exponent in range(2, last):
            program.compute(self._word(f"alpha_{exponent}"), Symbol(((("alpha",) * exponent, 1),)))
        for number, row in enumerate(readout.entries):
            if row is not None:
                self.entry_words[row] = memory.at(f"WEIGHT_{row}", start + WORD_BYTES * number)
                program.compute(self.entry_words[row], readout.weights[row])
        self.weight_places = {row: f"mload({place})" for row, place in self.entry_words.items()}
        known = {Symbol.of({(): 1}): "1"}  # none of the entries' words, which the digit changes
        known |= {Symbol(((("alpha",) * e, 1),)): self.words[f"alpha_{e}"].text for e in range(1, last)}
        for row in readout.fixed_rows:
            formula = readout.weights[row]
            if formula not in known:
                program.compute(self._word(f"weight_{row}"), formula)
                known[formula] = self.words[f"weight_{row}"].text
            self.weight_places[row] = known[formula]
        program.compute(self._word("constant_sum"), constants(circuit))
        lines = self._lines(program)
        if any(program.bounds.get(place.removeprefix("mload(").removesuffix(")"), 0) > MODULUS for place in self.weight_places.values()):
            raise ValueError("the weight of a read-out row may exceed the field order")
        lines += [f"// prefix[i + 1] = prefix[i] + alpha^({first} + i): the weights of the first i + 1 classes", "let sum := 0"]
        for number in range(classes):
            exponent = first + number
            power = "1" if exponent == 0 else self.words[f"alpha_{exponent}"].text
            lines += [f"sum := addmod(sum, {power}, {FIELD})", f"mstore(add(PREFIX, {WORD_BYTES * (number + 1)}), sum)"]
        lines += [
            "// constant_sum += prefix[digit]: the constant term gains the first `digit` class weights",
            f"mstore(CONSTANT_SUM, addmod(mload(CONSTANT_SUM), mload(add(PREFIX, mul({WORD_BYTES}, digit))), {FIELD}))",
        ]
        return lines

    def _select(self, program: Program) -> list[str]:
        """The selectors at rho. Asks `program` for those that are formulas; gives the statements that evaluate the others."""
        found = Selectors.of(self.circuit)
        self.fractions = found.fractions
        for name, formula in found.indicators.items():
            program.compute(self._word(name), formula)
        for name, item in found.fractions.items():
            if isinstance(item, Fraction):
                program.compute(self._word(f"{name}_top"), item.numerator)
                program.compute(self._word(f"{name}_bottom"), item.denominator)
        groups = in_twos({name: item for name, item in found.fractions.items() if isinstance(item, Mirrored)})
        return [line for group in groups for line in mirrored_lines(group, self._word)]

    def _publics(self) -> list[str]:
        circuit = self.circuit
        program = Program(dict(self.words))
        selected = self._select(program)
        lines = [*selected, *self._lines(program)]
        readout, place = self.readout, self.weight_places.__getitem__
        lines += [
            "// the claimed digit's logit is read once for every class: the weight of the row behind it gains their total, the weight",
            f"// of the row before it loses {readout.borrow} total",
            f"let entry := add(CLASS_WEIGHTS, mul({WORD_BYTES}, add(digit, div(digit, {readout.per_pack}))))",
            f"let total := mload(add(PREFIX, {WORD_BYTES * circuit.classes}))",
            f"mstore(entry, addmod(mload(entry), mulmod(total, {MODULUS - readout.borrow:#x}, {FIELD}), {FIELD}))",
            "entry := add(entry, 32)",
            f"mstore(entry, addmod(mload(entry), total, {FIELD}))",
            "// top / bottom = sum_j weight_j / (rho/w^j - 1): for each denominator top = top term + value bottom, bottom = bottom term. Rows a",
            "// quarter of the domain apart, at u, i u, -u, -i u, have one: term = u^4 - 1, value = even (1 + u^2) + odd (1 - u^2)",
            *readout_lines(circuit.domain, {row: place(row) for row in (*readout.fixed_rows, *self.entry_words)}),
        ]
        lines += [f"mstore({self._word('readout_top', 2 * MODULUS)}, top)", f"mstore({self._word('readout_bottom')}, bottom)"]
        return lines

    def _invert(self) -> list[str]:
        names = [*(f"{name}_bottom" for name in self.fractions), "readout_bottom", "rho"]
        return batch_inversion(names, self.words, self._word)

    def _public(self, name: str) -> Symbol:
        """A public polynomial at rho as a formula in the words that hold its parts."""
        n = self.circuit.domain
        if name == "vanishing" or name in self.words:
            return Symbol.named(name)
        if name == "constants":
            return Symbol.named("constant_sum") * inverse(n)
        if name == "inputs":
            return (self._image() - Symbol.named("vanishing")) * inverse(n)
        factor = self.fractions[name].factor if name in self.fractions else Symbol.of({(): inverse(n)})
        fraction = Symbol.named(f"{name}_top") * Symbol.named(inverse_name(f"{name}_bottom"))
        return fraction * Symbol.named("vanishing") * factor

    def _image(self) -> Symbol:
        """`evaluate_image` without its last summand: packs of (1 + pixels), each block of coefficients above the other."""
        circuit = self.circuit
        n, block, packs = circuit.domain, circuit.inputs + 1, circuit.input_packs_per_row
        block_value = rho_to(circuit.inputs) + Symbol.named("pixels")
        step, total, weight = rho_to(block), Symbol.of({}), Symbol.of({(): 1})
        for _ in range(packs):
            total, weight = total * step + weight, weight * ALPHA
        return total * block_value * rho_to(n - packs * block + 1)

    def claim(self) -> Fold[Symbol]:
        """The verifier's own linearisation and fold, run on names."""
        publics = Lookup(self._public)
        values = {name: Symbol.named(name) for name in self._form.scalars}
        challenges = {name: Symbol.named(name) for name in self._challenges}
        world: OpenedCells[Symbol] = OpenedCells(publics, challenges, stated_cells(self._form, values))
        linearisation: Linearisation[Symbol] = Linearisation.of(self._form, total_constraint(self.circuit, world))
        return fold(self.circuit, linearisation, values, challenges)

    def _fold(self) -> list[str]:
        claim = self.claim()
        program, columns = Program(dict(self.words)), dict(claim.columns)
        for row, scalar in enumerate(self._row_scalars(columns)):
            program.compute(f"ROW{row}_SCALAR", scalar)
        for name in (*self._fixed, *absorbed_points(self._form)[:-1]):
            program.compute(f"{name.upper()}_SCALAR", lifted(columns.pop(name)))
        if columns:
            raise ValueError(f"no point of the contract commits to {', '.join(columns)}")
        program.compute("OPENING_SCALAR", lifted(claim.opening))
        if self.check is FinalCheck.PAIRING:
            program.compute("GENERATOR_SCALAR", lifted(-claim.value))
            program.compute("FINAL_SCALAR", Symbol.named("zeta"))
        else:
            program.compute(self._word("value"), lifted(claim.value))
        return self._lines(program)

    def _row_scalars(self, columns: dict[str, Symbol | int]) -> list[Symbol]:
        """The scalar of each row, from those of the columns of the model, which are taken out of `columns`."""
        scalars = []
        for layer in range(self.circuit.layers):
            scalar = lifted(columns.pop(row_column(layer)))
            scalars += [scalar * Symbol.named(f"alpha_{e}") if e else scalar for e in self.circuit.row_exponents(layer)]
        return scalars

    def _numbers(self) -> dict[str, str]:
        circuit, check = self.circuit, self.check
        image, proof = (word_aligned(size) for size in (circuit.inputs, check.proof_bytes(self._form)))
        start = 4 + 5 * WORD_BYTES + image + WORD_BYTES
        return {
            "name": self.name,
            "shape": f"{'-'.join(map(str, circuit.widths))}, {circuit.domain} rows",
            "circuit_digest": f"0x{circuit.digest.hex()}",
            "model_context": f"0x{context(MODEL_LABEL, circuit.digest).hex()}",
            "proof_context": f"0x{context(PROOF_LABEL, circuit.digest).hex()}",
            "rows": str(circuit.total_rows),
            "image_bytes": str(circuit.inputs),
            "classes": str(circuit.classes),
            "proof_bytes": str(check.proof_bytes(self._form)),
            "points": str(len(self._form.points)),
            "calldata_bytes": str(start + proof),
            "proof_at": str(start),
            "scalars_at": str(start + POINT_BYTES * len(absorbed_points(self._form))),
            "final_at": str(start + check.proof_bytes(self._form) - check.final_bytes),
            "msm_points": str(circuit.total_rows + len(self._points)),
            "msm_gas": str(20_000 * (circuit.total_rows + len(self._points))),
            "memory": self.memory.constants("    "),
            "entry": part("entry"),
            "opens": opens(self.check),
        }
