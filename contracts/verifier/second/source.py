"""Solidity source of the verifier of a circuit of the second edition: the generator of the first, with other points and weights.

rho = shift sigma and alpha = shift^n follow from what is drawn. The input is evaluated at sigma, which has 240 bits; constraints hold
at rho. The read-out has a fixed part, and two rows behind and before the claimed class, where M stands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from zkpredict.circuits.constraints import constant_term, readout
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.layout import LANE_ROWS, NARROW, PACK_ROWS
from zkpredict.circuits.linear import equations
from zkpredict.circuits.second.layout import BLOCKS, SecondCircuit
from zkpredict.contracts.verifier.absorbing import draw_challenges
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.lowering import FIELD, Program, number
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pixels import pixel_lines
from zkpredict.contracts.verifier.publics import ALPHA, UnsupportedShape, readout_lines
from zkpredict.contracts.verifier.second.table import table_lines
from zkpredict.contracts.verifier.source import Generator
from zkpredict.contracts.verifier.symbolic import Symbol, lifted

SECOND_TEXTS = {
    "point": "sigma",
    "point_word": "SIGMA",
    "about_powers": """\
        // rho = shift sigma; alpha = shift^n; sigma_2 = sigma^2, sigma_4 = sigma_2^2, ... for the image
""",
    "about_image": """\
    /// The image, without its constant term 1, as a polynomial at sigma, by Horner's rule; below, `rho` stands for sigma. It has 240 bits, so
    /// that two elements and 255 sigma + 255 fit in a word: two pixels a step, and zero pixels skipped by 8 and by 32.""",
    "about_fold": """\
        // [x] are commitments, x the values that the proof states; N, M, M2 and U are what the constraints read at rho, w rho, w^2 rho and
        // sigma, linear in the columns. Z, Z1, Z2, Zs = zeta less those points; x_scalar = factor of [x] in the sum over all claims, by powers
        // of nu, of (the product of those of Z, Z1, Z2, Zs whose points the claim does not use) (its column), less Z Z1 Z2 Zs [opening]
        // value = the same sum of what the claims state, interpolated at zeta
        // rows0 is read at sigma, times alpha^e for each row; a row that is read at rho as well has both factors""",
}


def second_name(circuit: SecondCircuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """`Verifier2_784_64_10`, with the lanes when they are not the usual ones, and `_pairing` for that variant."""
    usual = (NARROW,) * (circuit.layers - 1)
    lanes = "" if circuit.lanes == usual else "_lanes" + "".join(map(str, circuit.lanes))
    return f"Verifier2_{'_'.join(map(str, circuit.widths))}{lanes}{'_pairing' if check is FinalCheck.PAIRING else ''}"


def second_source(circuit: SecondCircuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """The Solidity file of a circuit's verifier. It imports `IVerifier.sol` and `ModelRegistry.sol`."""
    return SecondGenerator(cast("Any", circuit), check).source()


def sigma_to(exponent: int) -> Symbol:
    """sigma^exponent as a product of the powers that the contract keeps."""
    result = Symbol.of({(): 1})
    for bit in range(exponent.bit_length()):
        if exponent >> bit & 1:
            result = result * Symbol.named(f"sigma_{1 << bit}")
    return result


@dataclass
class SecondGenerator(Generator):
    """One contract in the making."""

    circuit: SecondCircuit  # type: ignore[assignment]  # it has all that the generator asks for

    @property
    def name(self) -> str:
        return second_name(self.circuit, self.check)

    @property
    def template_texts(self) -> dict[str, str]:
        return SECOND_TEXTS

    @property
    def _challenges(self) -> tuple[str, ...]:
        return (*super()._challenges, "alpha", "rho")

    def _draw(self) -> list[str]:
        return [*draw_challenges(self._form), f"mstore(RHO, mulmod(mload(SHIFT), mload(SIGMA), {FIELD}))"]

    def _pixels(self) -> list[str]:
        return pixel_lines(self.circuit.inputs, "SIGMA")

    def _rho_powers(self) -> list[str]:
        lines = super()._rho_powers()
        self.words["sigma_1"] = self.words["sigma"]
        lines.append("let other := mload(SIGMA)")
        for doubling in range(1, self._doublings):
            lines += [f"other := mulmod(other, other, {FIELD})", f"mstore({self._word(f'sigma_{1 << doubling}')}, other)"]
        lines.append("other := mload(SHIFT)")
        lines += [f"other := mulmod(other, other, {FIELD})"] * self._doublings
        return [*lines, "mstore(ALPHA, other)"]

    @property
    def _output(self) -> list[int]:
        """Exponents of the packs of the last layer."""
        circuit = self.circuit
        return [circuit.pack_exponent(circuit.layers - 1, pack) for pack in range(circuit.difference_group.packs)]

    def _weights(self) -> list[str]:
        """Powers of alpha, M's weight and the constant term."""
        circuit, memory, group = self.circuit, self.memory, self.circuit.difference_group
        program = Program(dict(self.words))
        self.words["alpha_1"] = self.words["alpha"]
        for exponent in range(2, max(equations(cast("Any", circuit), 0)) + 1):
            program.compute(self._word(f"alpha_{exponent}"), Symbol(((("alpha",) * exponent, 1),)))
        packs = [Symbol.named("alpha_1") if e == 1 else Symbol(((("alpha",) * e, 1),)) for e in self._output]
        packs = [Symbol.named("alpha") if e == 1 else pack for e, pack in zip(self._output, packs, strict=True)]
        sums = [sum(1 << group.value_shift(index) for index in group.places(pack)) for pack in range(group.packs)]
        memory.area("PACK_WEIGHTS", WORD_BYTES * group.packs)
        for pack, weight in enumerate(packs):
            program.compute(memory.at(f"PACK_WEIGHT_{pack}", memory.places["PACK_WEIGHTS"] + WORD_BYTES * pack), weight)
        program.compute(self._word("m_weight"), sum((weight * own for weight, own in zip(packs, sums, strict=True)), Symbol.of({})))
        program.compute(self._word("constant_sum"), lifted(constant_term(cast("Any", circuit), ALPHA, 0)))
        lines = self._lines(program)
        self._check_forms(packs, sums)
        per_pack, bits = group.values_per_pack, group.value_bits
        full = sum(1 << bits * place for place in range(per_pack))
        return [
            *lines,
            f"// the digit is value `place` of pack `pack`: M has the weight of all values there, 2^({bits} ({per_pack - 1} - place)) alpha^e more",
            "// for its own place, and the constant term gains that of every class below the digit",
            f"let pack := div(digit, {per_pack})",
            f"let place := mod(digit, {per_pack})",
            f"let weight := mload(add(PACK_WEIGHTS, mul({WORD_BYTES}, pack)))",
            f"mstore(M_WEIGHT, addmod(mload(M_WEIGHT), mulmod(weight, shl(mul({bits}, sub({per_pack - 1}, place)), 1), {FIELD}), {FIELD}))",
            f"let above := mul({bits}, sub({per_pack}, place))",
            f"let sum := addmod(mload(CONSTANT_SUM), mulmod(weight, shl(above, shr(above, {full:#x})), {FIELD}), {FIELD})",
            *(
                f"if gt(pack, {number}) {{ sum := addmod(sum, mulmod(mload(PACK_WEIGHT_{number}), {full:#x}, {FIELD}), {FIELD}) }}"
                for number in range(group.packs - 1)
            ),
            "mstore(CONSTANT_SUM, sum)",
        ]

    def _check_forms(self, packs: list[Symbol], sums: list[int]) -> None:
        """Raises `UnsupportedShape` when some digit changes read-out or constants in another way than the statements above say."""
        circuit, group = cast("Any", self.circuit), self.circuit.difference_group
        neutral, base = readout(circuit, ALPHA, -1).values, lifted(constant_term(circuit, ALPHA, 0))
        for digit in range(self.circuit.classes):
            own = digit // group.values_per_pack
            weight = sum((w * s for w, s in zip(packs, sums, strict=True)), Symbol.of({})) + packs[own] * (1 << group.value_shift(digit))
            start, wanted = group.value_row(digit), dict(neutral)
            after = start + group.lanes * LANE_ROWS
            wanted[after] = wanted.get(after, 0) + weight
            if start % PACK_ROWS:
                wanted[start] = wanted.get(start, 0) + weight * -(1 << group.value_bits)
            below = sum((packs[i // group.values_per_pack] * (1 << group.value_shift(i)) for i in range(digit)), Symbol.of({}))
            if readout(circuit, ALPHA, digit).values != wanted or lifted(constant_term(circuit, ALPHA, digit)) != base + below:
                raise UnsupportedShape(f"read-out or constants of digit {digit} are not of the expected form")

    def _publics(self) -> list[str]:
        circuit, group = cast("Any", self.circuit), self.circuit.difference_group
        program = Program(dict(self.words))
        selected = self._select(program)
        fixed = {row: lifted(value) for row, value in readout(circuit, ALPHA, -1).values.items()}
        names = {row: self._readout_weight(program, row, value) for row, value in fixed.items()}
        lines = [*selected, *self._lines(program)]
        root = root_of_unity(self.circuit.domain)
        step, per_pack = group.lanes * LANE_ROWS, group.values_per_pack

        def back(rows: int) -> str:
            return number(pow(root, -rows, MODULUS))

        return [
            *lines,
            "// top / bottom = sum_j weight_j / (rho/w^j - 1): for each denominator top = top term + value bottom, bottom = bottom term. Rows a",
            "// quarter of the domain apart, at u, i u, -u, -i u, have one: term = u^4 - 1, value = even (1 + u^2) + odd (1 - u^2)",
            *readout_lines(circuit.domain, names),
            "// M is what stands behind the digit's value less 2^bits times what stands before it: node = 1/w^(row before it)",
            f"let place := mod(digit, {per_pack})",
            f"let node := {back(group.pack_row(0))}",
            f"for {{ let i := div(digit, {per_pack}) }} i {{ i := sub(i, 1) }} {{ node := mulmod(node, {back(group.stride * PACK_ROWS)}, {FIELD}) }}",
            f"for {{ let i := place }} i {{ i := sub(i, 1) }} {{ node := mulmod(node, {back(step)}, {FIELD}) }}",
            "if place {",
            f"    term := sub(mulmod(rho, node, {FIELD}), 1)",
            f"    top := add(mulmod(top, term, {FIELD}), mulmod(mulmod(mload(M_WEIGHT), {number(MODULUS - (1 << group.value_bits))}, {FIELD}), bottom, {FIELD}))",
            f"    bottom := mulmod(bottom, term, {FIELD})",
            "}",
            f"term := sub(mulmod(rho, mulmod(node, {back(step)}, {FIELD}), {FIELD}), 1)",
            f"top := add(mulmod(top, term, {FIELD}), mulmod(mload(M_WEIGHT), bottom, {FIELD}))",
            f"bottom := mulmod(bottom, term, {FIELD})",
            f"mstore({self._word('readout_top', 2 * MODULUS)}, top)",
            f"mstore({self._word('readout_bottom')}, bottom)",
        ]

    def _readout_weight(self, program: Program, row: int, value: Symbol) -> str:
        """Yul of a fixed row's weight: a power of alpha, or its negative."""
        for exponent in range(1, max(equations(cast("Any", self.circuit), 0)) + 1):
            power = Symbol(((("alpha",) * exponent, 1),))
            if value == power:
                return self.words[f"alpha_{exponent}"].text
            if value == -power:
                return f"sub({FIELD}, {self.words[f'alpha_{exponent}'].text})"
        raise UnsupportedShape(f"the weight of row {row} is {value}, no power of alpha")

    def _public(self, name: str) -> Symbol:
        if name == "inputs":
            return (ALPHA * self._image() - Symbol.named("vanishing")) * inverse(self.circuit.domain)
        return super()._public(name)

    def _image(self) -> Symbol:
        """The packs of (1 + pixels) of a block at sigma."""
        circuit = self.circuit
        n, block, packs = circuit.domain, circuit.inputs + 1, circuit.block_packs
        block_value = sigma_to(circuit.inputs) + Symbol.named("pixels")
        step, total, weight = sigma_to(block), Symbol.of({}), Symbol.of({(): 1})
        for _ in range(packs):
            total, weight = total * step + weight, weight * Symbol(((("alpha",) * BLOCKS, 1),))
        return total * block_value * sigma_to(n - packs * block + 1)

    def _fold(self) -> list[str]:
        table = table_lines(self._word("table"))
        return [*table, *super()._fold()]

    def _row_scalars(self, columns: dict[str, Symbol | int]) -> list[Symbol]:
        """The scalar of each row: a hosting one has those of two columns."""
        scalars: list[Symbol] = []
        for column in self.circuit.row_columns:
            scalar = lifted(columns.pop(column.name))
            own = [scalar * Symbol.named(f"alpha_{exponent}") for exponent in column.exponents]
            if column.again:
                start = len(scalars) - len(own)
                scalars[start:] = [before + more for before, more in zip(scalars[start:], own, strict=True)]
            else:
                scalars += own
        return scalars
