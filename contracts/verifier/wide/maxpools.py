"""Max pools in a contract: two convolutions with windows of 2 x 2 behind each, then dense layers.

With EACH_ROW[row] = 1/(rho/w^row - 1), a lane that hands on `activation` counts Y = activation EACH_ROW[row], and all that is read of lanes is, window by
window (a, b above c, d) and channel by channel, with W of each match its alpha^e 2^(24 place + 8) and C what kernels make of the place,

    W_1 (Y_a - Y_b) + W_2 (Y_c - Y_d) + W_3 (Y_b + Y_1 - Y_d - Y_2) + eta^channel C (Y_d + Y_2 + Y_3)

times (rho^n - 1)/n. Y of a layer are copied pack by pack into the order of its numbers. What a match is about is written over its Y, which nobody
else reads, and then weighed pack by pack, by Horner's rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.convolution.chain import pooled_layers
from zkpredict.circuits.convolution.weights import MATCH_SCALE
from zkpredict.circuits.field import MODULUS, root_of_unity
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.wide.geometry import BLOCK_ROWS, LANE_BITS, PACK_LANES, Band, Run
from zkpredict.contracts.verifier.lowering import number
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.wide.convolutions import ConvolutionPart
from zkpredict.contracts.verifier.wide.correlating import function_text
from zkpredict.contracts.verifier.wide.lanesums import FOLD, denominators, four, horner, inverses

if TYPE_CHECKING:
    from zkpredict.circuits.wide.geometry import Piece

POWERS_A_TURN = 8
"""Rows that a turn of the loop over powers of eta takes: `horner` holds a stack slot for each."""
PACK_WORDS = WORD_BYTES * PACK_LANES


class MaxPoolPart(ConvolutionPart):
    """The convolutions' and max pools' share of a contract in the making."""

    first_bottom = "EACH_ROW_BOTTOM"

    @property
    def inner(self) -> int:
        return 2

    @property
    def pools_of(self) -> tuple[int, ...]:
        """The layers that are max pools."""
        return pooled_layers(self.circuit)

    @cached_property
    def eta_exponents(self) -> list[int]:
        """Those of the second convolution, and what the kernels behind the last pool go by from place to place."""
        return self.known_powers({self.pool(self.pools_of[-1]).channels})

    def pool(self, layer: int) -> Grid:
        return self.circuit.grid(layer)

    # memory

    def lay_out_lanes(self) -> None:
        """What is read of lanes: of one pool after the other in the same words."""
        memory, circuit = self.generator.memory, self.circuit
        memory.area("EACH_ROW", WORD_BYTES * circuit.domain)
        memory.area("PLACES", WORD_BYTES * max(self.pool(layer).count for layer in self.pools_of))
        memory.area("ENTRANTS", WORD_BYTES * max(circuit.widths[layer] for layer in self.pools_of) + PACK_WORDS)
        memory.area("MATCHES", PACK_WORDS * max(circuit.groups(layer)[0].packs for layer in self.pools_of))

    def reserve_bottoms(self) -> None:
        self.generator.memory.area("EACH_ROW_BOTTOM", WORD_BYTES * self.bottoms)

    @property
    def bottoms(self) -> int:
        return self.circuit.domain // FOLD

    def reserve(self) -> None:
        super().reserve()
        for layer in self.pools_of:
            band = self.circuit.groups(layer)[0]
            for run, _ in used_runs(band):
                self.generator.rows.ask(run.exponent(band.used(run) - 1), run.step)

    @property
    def other_biases(self) -> list[str]:
        """The kernels behind the last pool have one position, whose weight is 1."""
        return [f"mload(POWER{len(self.circuit.hidden_convolutions()) - 1})"]

    # statements

    def _rows(self) -> tuple[str, int, str, int]:
        n = self.circuit.domain
        return "EACH_ROW", n, "mload(RHO)", pow(root_of_unity(n), -1, MODULUS)

    def weigh_text(self) -> str:
        lines = ["let r := mload(ORDER)", *denominators(*self._rows())]
        return function_text("_weighLanes", "Denominators of what each row counts.", "pure", lines)

    def read_text(self) -> str:
        n = self.circuit.domain
        entries = [f"mload({f'add(at, {WORD_BYTES * index})' if index else 'at'})" for index in reversed(range(POWERS_A_TURN))]
        turn = horner("sum", ["sum", *entries], "eta", POWERS_A_TURN)
        lines = [
            "let r := mload(ORDER)",
            f"let unit := mulmod(mload(VANISHING), {number(pow(n, -1, MODULUS))}, r)",
            *four(pow(root_of_unity(n), -n // FOLD, MODULUS)),
            *inverses(*self._rows()),
            "{",
            "    let eta := mload(ETA)",
            "    let sum := 0",
            f"    for {{ let at := add(EACH_ROW, {WORD_BYTES * n}) }} gt(at, EACH_ROW) {{ }} {{",
            f"        at := sub(at, {WORD_BYTES * POWERS_A_TURN})",
            *(f"        {line}" for line in turn),
            "    }",
            "    mstore(POWERS, mulmod(sum, unit, r))",
            "}",
            *(line for lanes in self._sizes() for line in _copy(lanes)),
            *_PACKED,
            "let read := 0",
        ]
        for layer in self.pools_of:
            lines += ["{", *(f"    {line}" for line in (*self._copied(layer), *self._places(layer), *self._matches(layer))), "}"]
        lines.append("mstore(TAPS_READ, mulmod(read, unit, r))")
        return function_text("_readPlaces", "The powers of eta at rho, and what kernels and max pools read of lanes.", "pure", lines)

    def _sizes(self) -> list[int]:
        """Of how many lanes packs are that are read."""
        found = {PACK_LANES}
        for layer in self.pools_of:
            found |= {lanes_of(group, self.pool(layer).channels) for group in range(len(self.circuit.groups(layer - 1)))}
        return sorted(found)

    def _copied(self, layer: int) -> Iterator[str]:
        """What the lanes of a pool's entrants and of its matches count."""
        circuit, channels = self.circuit, self.pool(layer).channels
        activation = self.generator.tracks.activation
        for group, band in enumerate(circuit.groups(layer - 1)):
            lanes = lanes_of(group, channels)
            for run, piece in used_runs(band):
                to = WORD_BYTES * (channels * run.first + PACK_LANES * group)
                own = activation(circuit.activations[layer - 1], piece.track)
                yield f"copy_{lanes}(add(ENTRANTS, {to}), {WORD_BYTES * channels}, {_rows_of(band, run, piece)}, {band.used(run)}, {own})"
        band = circuit.groups(layer)[0]
        for run, piece in used_runs(band):
            own = activation(circuit.activations[layer], piece.track)
            yield f"copy_{PACK_LANES}({_at('MATCHES', PACK_LANES * run.first)}, {PACK_WORDS}, {_rows_of(band, run, piece)}, {band.used(run)}, {own})"
        for spare in range(band.values, PACK_LANES * band.packs):
            yield f"mstore({_at('MATCHES', spare)}, 0)"

    def _places(self, layer: int) -> list[str]:
        """What kernels make of each place of a pool's output, at its first channel."""
        grid = self.pool(layer)
        rows, columns = grid.positions
        if layer == self.pools_of[-1]:
            return [
                f"let place := mulmod({self.other_biases[0]}, mload(ETA), r)",
                f"for {{ let at := PLACES }} lt(at, add(PLACES, {WORD_BYTES * rows * columns})) {{ at := add(at, 32) }} {{",
                "    mstore(at, place)",
                f"    place := mulmod(place, mload(ETA_TO_{grid.channels}), r)",
                "}",
            ]
        value = ""
        for index in range(len(self.terms)):
            own = f"mulmod(mload(add(DOWN_{index}, row)), mload(add(ACROSS_{index}, column)), r)"
            value = f"addmod({value}, {own}, r)" if value else own
        return [
            "let to := PLACES",
            f"for {{ let row := 0 }} lt(row, {WORD_BYTES * rows}) {{ row := add(row, 32) }} {{",
            f"    for {{ let column := 0 }} lt(column, {WORD_BYTES * columns}) {{ column := add(column, 32) }} {{",
            f"        mstore(to, mulmod({value}, mload(ETA), r))",
            "        to := add(to, 32)",
            "    }",
            "}",
        ]

    def _matches(self, layer: int) -> list[str]:
        """All windows of a pool, and what is read of their winners."""
        grid = self.pool(layer)
        rows, columns = grid.positions
        channels, outputs = grid.channels, self.circuit.widths[layer + 1]
        number_, line = WORD_BYTES * channels, WORD_BYTES * channels * grid.width
        return [
            f"// play_{layer}: in the place of what three matches count what they are about; won: what the winner is made of",
            f"function play_{layer}(entrant, match) -> won {{",
            "    let order := mload(ORDER)",
            f"    let b := mload(add(entrant, {number_}))",
            f"    let d := mload(add(entrant, {line + number_}))",
            "    let first := mload(match)",
            "    mstore(match, addmod(mload(entrant), sub(order, b), order))",
            f"    let other := add(match, {WORD_BYTES * outputs})",
            "    won := addmod(d, mload(other), order)",
            f"    mstore(other, addmod(mload(add(entrant, {line})), sub(order, d), order))",
            f"    other := add(other, {WORD_BYTES * outputs})",
            "    first := addmod(add(b, first), sub(order, won), order)",
            "    won := addmod(won, mload(other), order)",
            "    mstore(other, first)",
            "}",
            "let entrant := ENTRANTS",
            "let match := MATCHES",
            f"for {{ let at := PLACES }} lt(at, add(PLACES, {WORD_BYTES * rows * columns})) {{ }} {{",
            f"    for {{ let end := add(at, {WORD_BYTES * columns}) }} lt(at, end) {{ at := add(at, 32) }} {{",
            "        let all := 0",
            f"        for {{ let channel := {number_} }} channel {{ }} {{",
            "            channel := sub(channel, 32)",
            f"            all := addmod(mulmod(all, mload(ETA), r), play_{layer}(add(entrant, channel), add(match, channel)), r)",
            "        }",
            "        read := addmod(read, mulmod(all, mload(at), r), r)",
            f"        entrant := add(entrant, {2 * number_})",
            f"        match := add(match, {number_})",
            "    }",
            f"    entrant := add(entrant, {2 * line - 2 * number_ * columns})",
            "}",
            *self._weighed(layer),
        ]

    def _weighed(self, layer: int) -> Iterator[str]:
        """What matches are about, by their packs' powers of alpha."""
        band, rows = self.circuit.groups(layer)[0], self.generator.rows
        yield "let all := 0"
        for run, _ in used_runs(band):
            used = band.used(run)
            own = f"packed({_at('MATCHES', PACK_LANES * run.first)}, {used}, {rows.power(run.step)})"
            last = rows.power(run.exponent(used - 1))
            yield f"all := addmod(all, {own if last == '1' else f'mulmod({own}, {last}, r)'}, r)"
        yield f"read := addmod(read, mulmod(all, {1 << MATCH_SCALE}, r), r)"


def _copy(lanes: int) -> list[str]:
    """The function that copies what packs of so many lanes count."""
    each = (f"        mstore({_at('to', lane)}, mulmod(mload({_at('from', lane)}), activation, order))" for lane in range(lanes))
    return [
        f"// copy_{lanes}: `count` packs of {lanes} lanes, the first at `from` in EACH_ROW, the next ones by `pitch` behind it",
        f"function copy_{lanes}(to, step, from, pitch, count, activation) {{",
        "    let order := mload(ORDER)",
        "    for { } count { count := sub(count, 1) } {",
        *each,
        "        to := add(to, step)",
        "        from := add(from, pitch)",
        "    }",
        "}",
    ]


def _pack() -> str:
    """Yul of the pack at `from`."""
    value = "mload(from)"
    for lane in range(1, PACK_LANES):
        value = f"add(mload({_at('from', lane)}), mulmod({1 << LANE_BITS:#x}, {value}, order))"
    return value


def _at(place: str, word: int) -> str:
    return f"add({place}, {WORD_BYTES * word})" if word else place


def lanes_of(group: int, channels: int) -> int:
    """How many lanes of a pack hold channels of a group."""
    return min(PACK_LANES, channels - PACK_LANES * group)


_PACKED = [
    "// packed: sum over `count` packs of ten numbers from `from` on of step^(count - 1 - i) times the i-th, numbers 24 bits apart",
    "function packed(from, count, step) -> sum {",
    "    let order := mload(ORDER)",
    "    for { } count { count := sub(count, 1) } {",
    f"        sum := addmod(mulmod(sum, step, order), {_pack()}, order)",
    f"        from := add(from, {PACK_WORDS})",
    "    }",
    "}",
]


def used_runs(band: Band) -> list[tuple[Run, Piece]]:
    """The runs of a band with packs in use, each with its piece."""
    pieces = [piece for piece in band.pieces for _ in piece.positions]
    return [(run, piece) for run, piece in zip(band.runs, pieces, strict=True) if band.used(run)]


def _rows_of(band: Band, run: Run, piece: Piece) -> str:
    """Yul of where a run's first pack lies in EACH_ROW, and by how much its packs differ."""
    _, row = list(band.pack_places())[run.first]
    return f"add(EACH_ROW, {WORD_BYTES * row}), {WORD_BYTES * BLOCK_ROWS * piece.stride}"
