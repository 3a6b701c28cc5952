"""Convolutions in a contract: what the kernels of the first layer meet in the image, and where the lanes of its output are read by those
of the second.

    first layer  : with positions (y, x), their powers of alpha W and taps (i, j) of a kernel of height h and width w
                   patches = 1/n (sum W + rho^(n - h w) sum over y, x, i, j of W(y, x) rho^(w (h - 1 - i) + w - 1 - j) a[y + i, x + j])
                   W falls by beta along a row of positions, which is read by Horner's rule (`wide.patches`)
    hidden layer : c of a lane is eta^channel C(place), and C is V, the positions' weights, moved over the kernel; V is the sum of a few products of a
                   row's and a column's weights, and each is moved in two passes of C(x) = eta^c C(x - 1) + V(x) - eta^(c w) V(x - w) (`wide.correlating`)
    lanes of a pack at row R, u = rho/w^R : sum over channels of eta^i / (u/w^i - 1), of the packs beside one another in a pool N(u)/D(u); the same for
                   all tracks (`wide.lanesums`; with max pools `wide.maxpools`)
    powers       : sum_j eta^j / (rho/w^j - 1), j = 32 b + t: over t of eta^t / (v^B - 1) sum over i < B of v^i (eta^n - 1) / (eta^32/w^(32 i) - 1)
                   with v = rho/w^t, B = n/32

Geometries that these passes do not cover stop the generator by `UnsupportedShape`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.convolution.chain import Stretch, contract_refusal, stretches
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.wide.dense import geometric
from zkpredict.circuits.wide.geometry import BLOCK_ROWS, PACKS_PER_BLOCK
from zkpredict.contracts.verifier.lowering import FIELD
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import SCALAR_OFFSET, STRIDE, inverse_of
from zkpredict.contracts.verifier.wide.correlating import Term, places_text
from zkpredict.contracts.verifier.wide.lanesums import FOLD, lanes_text, read_text
from zkpredict.contracts.verifier.wide.patches import patches_text
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.symbolic import Power, lifted

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator

MOST_OTHERS = 40
"""Values to be inverted beside the convolutions' own."""
TURN_VALUES = 4
"""Values that one turn of the loop inverts."""


class ConvolutionPart:
    """The convolutions' share of a contract in the making."""

    def __init__(self, generator: WideGenerator, circuit: ConvCircuit) -> None:
        self.generator, self.circuit = generator, circuit
        if reason := contract_refusal(circuit):
            raise UnsupportedShape(reason)

    @property
    def first(self) -> Grid:
        return self.circuit.grid(0)

    first_bottom = "LANES_BOTTOM"
    """The first of the values to be inverted."""

    @property
    def inner(self) -> int:
        """The layer that is the second convolution."""
        return 1

    @property
    def second(self) -> Grid:
        return self.circuit.grid(self.inner)

    @property
    def channels(self) -> int:
        return self.second.channels

    @cached_property
    def stretches(self) -> list[Stretch]:
        """All positions of the first layer."""
        return stretches(self.circuit)

    @cached_property
    def terms(self) -> list[Term]:
        """All positions of the second layer."""
        return Term.all_of(stretches(self.circuit, self.inner))

    def piece(self, one: Stretch) -> int:
        """The number of the piece of the second layer that a stretch lies in."""
        position = one.row * self.second.positions[1] + one.first
        return next(piece for piece in self.circuit.pieces(self.inner) if position in self.circuit.piece_packs(self.inner, piece))

    def above(self, one: Stretch) -> int:
        """By how much the exponent of a stretch's last position is above its piece's lowest."""
        return one.last - self.circuit.piece_exponent(self.inner, 0, self.piece(one))

    @property
    def step(self) -> int:
        """By how much exponents of neighbours on a stretch differ."""
        return self.circuit.groups(0)[0].runs[0].step

    @property
    def cuts(self) -> list[int]:
        """Where rows are cut."""
        return sorted({one.end for one in self.stretches} - {self.first.positions[1]})

    @property
    def lengths(self) -> list[int]:
        """Of the stretches that are read: whole rows, and what lies before each cut."""
        return [self.first.positions[1], *self.cuts]

    # memory and powers

    def lay_out(self) -> None:
        """Words and areas; what is zero at first is read as such."""
        generator, memory, first, second = self.generator, self.generator.memory, self.first, self.second
        for name in ("pixels", "powers", "correlation_bias", "taps_read", "patches_scalar", "patches_constant"):
            generator.word(name)
        for index in range(len(self.circuit.hidden_convolutions())):
            generator.word(f"power{index}")
        for exponent in self.eta_exponents:
            generator.word(f"eta_to_{exponent}")
        memory.word("BLANK_WINDOW")
        rows, columns = second.positions
        start = memory.end
        for place in range(len(self.lengths)):
            memory.area(f"LINES_{place}", WORD_BYTES * first.height)
        for index in range(len(self.terms)):
            memory.area(f"FALLING_{index}", WORD_BYTES * columns)
            memory.area(f"STARTS_{index}", WORD_BYTES * rows)
        # what lies there is no longer needed when values are inverted
        memory.at("PARTIALS", start)
        memory.area("PARTIALS_END", max(start + WORD_BYTES * (self.bottoms + MOST_OTHERS) - memory.end, WORD_BYTES))
        for index in range(len(self.terms)):
            memory.area(f"DOWN_{index}", WORD_BYTES * self.map_rows)
            memory.area(f"ACROSS_{index}", WORD_BYTES * self.map_columns)
        self.lay_out_lanes()

    def lay_out_lanes(self) -> None:
        """What is read of the first layer's lanes."""
        memory = self.generator.memory
        memory.area("LANES_TOP", WORD_BYTES * self.fractions)
        memory.area("TURNS", WORD_BYTES * BLOCK_ROWS)
        memory.area("TERMS", WORD_BYTES * self.circuit.blocks)
        for index in range(self.channels * self.second.pool):
            memory.word(f"LANE_TERM_{index}")

    @property
    def map_rows(self) -> int:
        return self.second.pooled[0]

    @property
    def map_columns(self) -> int:
        return self.second.pooled[1]

    @property
    def packs(self) -> int:
        """Packs of a track."""
        return PACKS_PER_BLOCK * self.circuit.blocks

    @property
    def fractions(self) -> int:
        """Packs beside one another in a pool of the second layer, on a track of the first."""
        return self.packs // self.second.pool

    @property
    def pools(self) -> int:
        """Pools of the second layer on a track of the first: each track has them on the same rows."""
        return self.packs // self.second.pool**2

    @cached_property
    def eta_exponents(self) -> list[int]:
        """Of the powers of eta that have words, each behind those that it is the product of."""
        return self.known_powers({BLOCK_ROWS, *range(1, self.channels)})

    def known_powers(self, more: set[int]) -> list[int]:
        """`more`, those that passes of kernels go by, and what their products are made of."""
        across = self.channels * self.second.kernel_width
        wanted = {self.channels, across, across * self.second.kernel_height, self.circuit.domain, *more}
        return sorted(wanted | {1 << bit for bit in range(max(wanted).bit_length())}, key=lambda one: (one & (one - 1) != 0, one))

    def reserve_bottoms(self) -> None:
        """The values to be inverted, in front of all others."""
        memory, blocks = self.generator.memory, self.circuit.blocks
        memory.area("LANES_BOTTOM", WORD_BYTES * self.fractions)
        memory.area("TURNS_BOTTOM", WORD_BYTES * BLOCK_ROWS // FOLD)
        memory.area("TERMS_BOTTOM", WORD_BYTES * blocks // FOLD)

    def inversion_lines(self, others: int) -> list[str]:
        """As `inversion_loop`, for the convolutions' values and `others` behind them, `TURN_VALUES` in each turn: ones fill the last. Raises
        `ValueError` for more than there is room for."""
        if others > MOST_OTHERS - TURN_VALUES:
            raise ValueError(f"{others} values to invert beside the convolutions' own, {MOST_OTHERS - TURN_VALUES} have room")
        count, apart = self.bottoms + others, f"sub({self.first_bottom}, PARTIALS)"
        filled = count + -count % TURN_VALUES
        places = ["place", *(f"add(place, {WORD_BYTES * index})" for index in range(1, TURN_VALUES))]
        up = [
            line for place in places
            for line in (f"mstore(sub({place}, {apart}), product)", f"product := mulmod(product, mload({place}), {FIELD})")
        ]  # fmt: skip
        down = [
            line for place in reversed(places)
            for line in (
                f"value := mload({place})", f"mstore({place}, mulmod(inverse, mload(sub({place}, {apart})), {FIELD}))",
                f"inverse := mulmod(inverse, value, {FIELD})",
            )
        ]  # fmt: skip
        last, turn = f"add({self.first_bottom}, {WORD_BYTES * filled})", WORD_BYTES * TURN_VALUES
        return [
            *(f"mstore(add({self.first_bottom}, {WORD_BYTES * index}), 1)" for index in range(count, filled)),
            "let product := 1",
            f"for {{ let place := {self.first_bottom} }} lt(place, {last}) {{ place := add(place, {turn}) }} {{",
            *(f"    {line}" for line in up),
            "}",
            *inverse_of("product"),
            "let value",
            f"for {{ let place := sub({last}, {turn}) }} iszero(lt(place, {self.first_bottom})) {{ place := sub(place, {turn}) }} {{",
            *(f"    {line}" for line in down),
            "}",
        ]

    @property
    def bottoms(self) -> int:
        """How many they are."""
        return self.fractions + (BLOCK_ROWS + self.circuit.blocks) // FOLD

    def reserve(self) -> None:
        """Asks for powers of alpha."""
        ask = self.generator.rows.ask
        ask(self.step, *(self.step * (self.first.positions[1] - cut) for cut in self.cuts), *(self.step * length for length in self.lengths))
        ask(*(one.last for one in self.stretches))
        ask(*(run.last for run in self.circuit.groups(0)[0].runs))
        for layer, piece, _ in self.circuit.hidden_convolutions():
            ask(*self.circuit.group_exponents(layer, piece))
        for term in self.terms:
            ask(term.step, *(self.above(one) for one in term.stretches))

    # statements

    def weight_lines(self) -> list[str]:
        """Powers of eta, and the constant part of what the first layer's kernels meet."""
        n, lines = self.circuit.domain, []
        for exponent in self.eta_exponents:
            if exponent & (exponent - 1):
                bits = [1 << bit for bit in range(exponent.bit_length()) if exponent >> bit & 1]
                value = f"mload(ETA_TO_{bits[0]})"
                for bit in bits[1:]:
                    value = f"mulmod({value}, mload(ETA_TO_{bit}), {FIELD})"
            else:
                half = f"mload(ETA_TO_{exponent // 2})"
                value = f"mulmod({half}, {half}, {FIELD})" if exponent > 1 else "mload(ETA)"
            lines.append(f"mstore(ETA_TO_{exponent}, {value})")
        for index in range(len(self.circuit.hidden_convolutions())):
            before = f"mulmod(mload(POWER{index - 1}), mload(ETA_TO_{n}), {FIELD})" if index else "mload(ETA)"
            lines.append(f"mstore(POWER{index}, {before})")
        program = self.generator.program()
        total = lifted(0)
        for run in self.circuit.groups(0)[0].runs:
            total = total + self.generator.rows.formula(run.last)
        series = lifted(geometric(Power("alpha", self.step), self.circuit.blocks))  # type: ignore[arg-type]  # a power stands in for alpha
        program.compute("PATCHES_CONSTANT", total * series)
        return lines + self.generator.lines(program)

    def stated_lines(self) -> list[str]:
        """The scalars of the columns that hidden kernels meet, and their stated values."""
        lines = []
        for name in self.generator.plan.correlations:
            lines += [
                "sum := addmod(sum, mulmod(power, mload(value), r), r)",
                "value := add(value, 32)",
                "power := mulmod(power, mload(NU), r)",
                f"mstore({name.upper()}_SCALAR, mulmod(power, there, r))",
            ]
        return lines

    def functions(self) -> str:
        """The Solidity of all passes."""
        return "\n".join((patches_text(self), places_text(self), self.weigh_text(), self.read_text())) + "\n"

    def weigh_text(self) -> str:
        """The function that leaves what is to be inverted."""
        return lanes_text(self)

    def read_text(self) -> str:
        """The function that gives `powers`, and what is read of lanes."""
        return read_text(self)

    @property
    def other_biases(self) -> list[str]:
        """Yul of sum_i eta^(1 + n i) q_i[0] of kernels behind the second convolution."""
        return []

    # rows

    def row_lines(self, column: RowColumn, first: int) -> list[str]:
        """Statements for the scalars of a layer's kernels, the first of them at row `first`."""
        rows, circuit, layer = self.generator.rows, self.circuit, column.layer
        lines = []
        for group in range(len(column.exponents)):
            if layer == 0:
                value = "mload(PATCHES_SCALAR)"
            else:
                value = ""
                for index, piece in enumerate(circuit.pieces(layer)):
                    stated = f"mload(CONV{layer}_{piece}_VALUE)"
                    exponent = circuit.group_exponents(layer, piece)[group]
                    term = f"mulmod({stated}, {rows.power(exponent)}, {FIELD})" if exponent else stated
                    value = f"addmod({value}, {term}, {FIELD})" if index else term
                value = f"mulmod(mload(ROW_FACTOR), {value}, {FIELD})"
            lines.append(f"mstore(add(MSM, {STRIDE * (first + group) + SCALAR_OFFSET}), {value})")
        return lines
