"""Shared rows in a contract: all of what they meet that is public, in terms of eta, and the lanes that the second convolution and dense
layers read, at rho.

    exponents      : those of a position are a row's and a column's: weights of positions are D(y) A(x), both of the first convolution and
                     the second. So is what kernels make of them, by passes of V(x) = r V(x - 1) + A(x) - r^w A(x - w): what a pixel, or
                     a window of 2 x 2, is multiplied with is DOWN(y) ACROSS(x)
    public part    : sum over pixels of DOWN(y) ACROSS(x) pixel, and biases
    lanes          : the four lanes of a window are n/4 rows apart: 4/((rho/w^R)^4 - 1) together; over the channels N(u)/D(u), u = (rho/w^R)^4
    powers         : eta ((eta rho)^n - 1)/(eta rho - 1)
    dense layer t  : reads(rho) scale ((eta rho^s)^m - 1)/(eta rho^s - 1)
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.convolution.chain import contract_refusal
from zkpredict.circuits.field import MODULUS, root_of_unity
from zkpredict.circuits.shared.gadgets import reads
from zkpredict.circuits.shared.layout import FIRST_DENSE, QUARTERS, SharedCircuit, power_step
from zkpredict.circuits.wide.geometry import BLOCK_ROWS, PACK_LANES, PACKS_PER_BLOCK
from zkpredict.contracts.verifier.lowering import number
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.wide.convolutions import MOST_OTHERS, ConvolutionPart
from zkpredict.contracts.verifier.wide.correlating import function_text, kernel_pass
from zkpredict.contracts.verifier.wide.lanesums import FOLD, four, pack_fraction, walk

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator

NESTED_CHANNELS = 8
"""Channels that are added up in one statement: of ten the stack does not hold all terms."""
GROUP_PIXELS = 4
"""Pixels that are skipped together where they are zero."""


class SharedPart(ConvolutionPart):
    """The shared rows' share of a contract in the making."""

    circuit: SharedCircuit

    def __init__(self, generator: WideGenerator, circuit: SharedCircuit) -> None:
        self.generator, self.circuit = generator, circuit
        if reason := contract_refusal(circuit):
            raise UnsupportedShape(reason)

    # exponents

    @cached_property
    def across(self) -> tuple[list[int], list[int]]:
        """For each column of positions of both convolutions by how much its exponents are above the lowest of their row."""
        return self._split(0)[1], self._split(1)[1]

    @cached_property
    def down(self) -> tuple[list[int], list[int]]:
        """For each row of positions the lowest exponent."""
        return self._split(0)[0], self._split(1)[0]

    def _split(self, layer: int) -> tuple[list[int], list[int]]:
        """Those of the last group of channels. Raises `UnsupportedShape` where exponents are not sums of a row's and a column's."""
        columns = self.circuit.grid(layer).positions[1]
        last = len(self.circuit.groups(layer)) - 1
        own = [exponent - last for exponent in self.circuit.exponents_at[layer]]
        lowest = min(own[:columns])
        across = [exponent - lowest for exponent in own[:columns]]
        down = [exponent - across[0] for exponent in own[::columns]]
        if own != [row + column for row in down for column in across] or min(down) < 0:
            raise UnsupportedShape("exponents of positions are not sums of a row's and a column's")
        return down, across

    @property
    def denominators(self) -> tuple[int, ...]:
        """The s of all eta rho^s - 1."""
        return tuple(sorted({1, *(power_step(layer) for layer in self.dense)}))

    @property
    def dense(self) -> range:
        return range(FIRST_DENSE, self.circuit.layers)

    # memory and powers

    def lay_out(self) -> None:
        """Words and areas; what is zero at first is read as such."""
        generator, memory, first, second = self.generator, self.generator.memory, self.first, self.second
        for name in ("pixels", "powers", "public_part", "taps_read", "lanes_scale"):
            generator.word(name)
        for layer in self.dense:
            generator.word(f"scale_{layer}")
        for exponent in self.eta_exponents:
            generator.word(f"eta_to_{exponent}")
        memory.area("PARTIALS", WORD_BYTES * (self.bottoms + MOST_OTHERS))
        for layer, grid in enumerate((first, second)):
            for name, side, width in (("DOWN", 0, grid.kernel_height), ("ACROSS", 1, grid.kernel_width)):
                memory.area(f"{name}_OF_{layer}", WORD_BYTES * grid.positions[side])
                memory.area(f"{name}_{layer}", WORD_BYTES * (grid.positions[side] + width - 1))
        memory.area("LANES_TOP", WORD_BYTES * self.fractions)
        for index in range(self.channels):
            memory.word(f"LANE_TERM_{index}")

    @property
    def fractions(self) -> int:
        """Windows of 2 x 2 on a track of the first layer, those to spare as well."""
        return PACKS_PER_BLOCK * self.circuit.quarter

    @property
    def bottoms(self) -> int:
        """Values to be inverted."""
        return self.fractions + len(self.denominators)

    @cached_property
    def eta_exponents(self) -> list[int]:
        """Of the powers of eta that have words, each behind those that it is the product of."""
        counts = {one.count for one in self.circuit.segments}
        taps = {one.count - 1 for one in self.circuit.segments if one.layer >= FIRST_DENSE}
        passes = set()
        for grid in (self.first, self.second):
            row = grid.channels * grid.kernel_width
            passes |= {grid.channels, row, row * grid.kernel_height}
        wanted = {self.circuit.domain, *counts, *taps, *passes, *range(1, self.channels)}
        return sorted(wanted | {1 << bit for bit in range(max(wanted).bit_length())}, key=lambda one: (one & (one - 1) != 0, one))

    def reserve_bottoms(self) -> None:
        """The values to be inverted, in front of all others."""
        memory = self.generator.memory
        memory.area("LANES_BOTTOM", WORD_BYTES * self.fractions)
        for step in self.denominators:
            memory.word(f"ETA_RHO_{step}_BOTTOM")

    def reserve(self) -> None:
        """Asks for powers of alpha."""
        ask = self.generator.rows.ask
        for exponents in (*self.down, *self.across):
            known = sorted(exponents)
            ask(known[0], *(after - before for before, after in zip(known, known[1:], strict=False)))
        for layer in self.dense:
            run = self.circuit.groups(layer)[0].runs[0]
            ask(run.step, self.circuit.seat_exponent(layer, self.circuit.seats(layer) - 1))
        ask(*range(len(self.circuit.groups(1))))

    # statements

    def weight_lines(self) -> list[str]:
        """Powers of eta."""
        lines = []
        for exponent in self.eta_exponents:
            bits = [1 << bit for bit in range(exponent.bit_length()) if exponent >> bit & 1]
            if len(bits) > 1:
                value = f"mload(ETA_TO_{bits[0]})"
                for bit in bits[1:]:
                    value = f"mulmod(mload(ETA_TO_{bit}), {value}, r)"
            else:
                half = f"mload(ETA_TO_{exponent // 2})"
                value = f"mulmod({half}, {half}, r)" if exponent > 1 else "mload(ETA)"
            lines.append(f"mstore(ETA_TO_{exponent}, {value})")
        return lines

    def functions(self) -> str:
        """The Solidity of all passes."""
        return "\n".join((self._patches_text(), self._places_text(), self._lanes_text(), self._read_text())) + "\n"

    def _eta(self, exponent: int) -> str:
        return f"mload(ETA_TO_{exponent})" if exponent else "1"

    def _patches_text(self) -> str:
        """The function that weighs positions, and meets the image."""
        first = self.first
        groups = []
        for start in range(0, first.width, GROUP_PIXELS):
            stop = min(start + GROUP_PIXELS, first.width)
            mask = sum(0xFF << 8 * (31 - at) for at in range(start, stop))
            groups.append(f"if and(word, {mask:#x}) {{ {_pixels(start, stop)} }}")
        lines = [
            "let r := mload(ORDER)",
            *kernel_pass("acrossFirst", first.positions[1], first.kernel_width),
            *kernel_pass("downFirst", first.positions[0], first.kernel_height),
            "let down, across",
            *self._weights(0),
            "acrossFirst(ACROSS_OF_0, ACROSS_0, mload(ETA), " + self._eta(first.kernel_width) + ")",
            f"downFirst(DOWN_OF_0, DOWN_0, {self._eta(first.kernel_width)}, {self._eta(first.taps)})",
            "let image := IMAGE_AT",
            "let total := 0",
            f"for {{ let line := DOWN_0 }} lt(line, add(DOWN_0, {WORD_BYTES * first.height})) {{ line := add(line, 32) }} {{",
            "    let word := calldataload(image)",
            f"    image := add(image, {first.width})",
            f"    if shr({8 * (32 - first.width)}, word) {{",
            "        let value := 0",
            *(f"        {line}" for line in groups),
            "        total := addmod(total, mulmod(mload(line), value, r), r)",
            "    }",
            "}",
            "// eta (the bias's entry) + eta^2 (those of the taps)",
            "total := mulmod(mload(ETA), addmod(mulmod(down, across, r), mulmod(mload(ETA), total, r), r), r)",
            "mstore(PUBLIC_PART, total)",
            "mstore(PIXELS, total)",
        ]
        return function_text("_evaluatePatches", "The entries of the first kernels: each pixel by what its row and its column are read with.", "pure", lines)

    def _weights(self, layer: int) -> list[str]:
        """Statements for the weights of rows and columns of positions; `down` and `across` are their sums."""
        lines = []
        for name, exponents in (("down", self.down[layer]), ("across", self.across[layer])):
            order = sorted(range(len(exponents)), key=exponents.__getitem__)
            start = self.generator.rows.power(exponents[order[0]])
            lines += ["{", f"let weight := {start}", f"{name} := weight", f"mstore({_word(f'{name.upper()}_OF_{layer}', order[0])}, weight)"]
            for before, after in zip(order, order[1:], strict=False):
                step = self.generator.rows.power(exponents[after] - exponents[before])
                lines += [f"weight := mulmod(weight, {step}, r)", f"{name} := addmod({name}, weight, r)"]
                lines.append(f"mstore({_word(f'{name.upper()}_OF_{layer}', after)}, weight)")
            lines.append("}")
        return lines

    def _places_text(self) -> str:
        """The function for what windows are multiplied with, for the scales of lanes, and for the entries of biases."""
        second, circuit, channels = self.second, self.circuit, self.second.channels
        row = channels * second.kernel_width
        n = circuit.domain
        lines = [
            "let r := mload(ORDER)",
            *kernel_pass("acrossSecond", second.positions[1], second.kernel_width),
            *kernel_pass("downSecond", second.positions[0], second.kernel_height),
            "let down, across",
            *self._weights(1),
            f"acrossSecond(ACROSS_OF_1, ACROSS_1, {self._eta(channels)}, {self._eta(row)})",
            f"downSecond(DOWN_OF_1, DOWN_1, {self._eta(row)}, {self._eta(row * second.kernel_height)})",
            "// power = eta^(1 + start), segment by segment",
            f"let power := mulmod(mload(ETA), {self._eta(circuit.segments[0].count)}, r)",
            "let scale := 0",
        ]
        groups = circuit.segments_of(1)
        for segment in groups:
            above = self.generator.rows.power(len(groups) - 1 - segment.number)
            own = "power" if above == "1" else f"mulmod(power, {above}, r)"
            lines += [f"scale := addmod(scale, {own}, r)", f"power := mulmod(power, {self._eta(segment.count)}, r)"]
        lines += [
            "let total := addmod(mload(PUBLIC_PART), mulmod(scale, mulmod(down, across, r), r), r)",
            "mstore(LANES_SCALE, mulmod(scale, mload(ETA), r))",
        ]
        for layer in self.dense:
            seats = circuit.segments_of(layer)
            step = self.generator.rows.power(circuit.groups(layer)[0].runs[0].step)
            last, turn = self.generator.rows.power(circuit.seat_exponent(layer, len(seats) - 1)), self._eta(seats[0].count)
            # sum over seats of alpha^(last + step (count - 1 - s)) eta^(count s), by Horner's rule in alpha^step
            lines += ["{", "let sum := 1"]
            if len(seats) > 1:
                lines.append("let own := 1")
            for _ in seats[1:]:
                lines += [f"own := mulmod(own, {turn}, r)", f"sum := addmod(mulmod(sum, {step}, r), own, r)"]
            lines += [
                f"sum := mulmod(mulmod(sum, {last}, r), power, r)",
                "total := addmod(total, sum, r)",
                f"mstore(SCALE_{layer}, mulmod(sum, mload(ETA), r))",
                f"power := mulmod(power, mulmod({'own' if len(seats) > 1 else '1'}, {turn}, r), r)" if layer < circuit.layers - 1 else "",
                "}",
            ]
        lines.append(f"mstore(PUBLIC_PART, mulmod(total, {number(pow(n, -1, MODULUS))}, r))")
        return function_text("_weighPlaces", "What the entries of rows meet: places of the map before, lanes, and what biases do.", "pure", [line for line in lines if line])

    def _lanes_text(self) -> str:
        """The function that leaves what is to be inverted."""
        circuit, root = self.circuit, pow(root_of_unity(self.circuit.domain), QUARTERS, MODULUS)
        above, below = pack_fraction(root, self.channels, [0])
        lines = ["let r := mload(ORDER)"]
        for degree, entries in enumerate(above):
            value = ""
            for index, entry in enumerate(entries):
                term = f"mulmod({self._eta(index)}, {number(entry)}, r)" if index else number(entry)
                if index == NESTED_CHANNELS:
                    lines.append(f"mstore(LANE_TERM_{degree}, {value})")
                    value = f"mload(LANE_TERM_{degree})"
                value = f"addmod({value}, {term}, r)" if value else term
            lines.append(f"mstore(LANE_TERM_{degree}, {value})")
        turns = circuit.quarter
        fold = FOLD if turns % FOLD == 0 and len(above) >= FOLD else 1
        back = pow(root, BLOCK_ROWS * (turns // fold) - PACK_LANES, MODULUS)
        lines += [
            *four(pow(root_of_unity(circuit.domain), -circuit.domain // FOLD, MODULUS)),
            f"let u := mload(RHO_{QUARTERS})",
            "// windows by their places in blocks, then by blocks",
            *walk(above, below, turns, fold, pow(root, -BLOCK_ROWS, MODULUS), back),
            *(f"mstore(ETA_RHO_{step}_BOTTOM, addmod(mulmod(mload(ETA), {_rho(step)}, r), sub(r, 1), r))" for step in self.denominators),
        ]
        about = "The lanes of every window by their channels' powers of eta, as fractions in rho; what geometric series are divided by."
        return function_text("_weighLanes", about, "pure", lines)

    def _read_text(self) -> str:
        """`powers`, and what is read of lanes."""
        circuit, n = self.circuit, self.circuit.domain
        columns = self.second.pooled[1]
        rows = self.fractions // columns
        kinds, tracks = circuit.activations, self.generator.tracks
        weight = ""
        for track in range(circuit.last_track):
            at = WORD_BYTES * rows * track
            held = self.second.pooled[0] - rows * track
            own = f"mulmod(mload({f'add(down, {at})' if at else 'down'}), {tracks.activation(kinds[0], track)}, r)"
            own = own if held >= rows else f"mul(lt(down, add(DOWN_1, {WORD_BYTES * held})), {own})"
            weight = f"addmod({weight}, {own}, r)" if weight else own
        met, apart = [], "sub(LANES_BOTTOM, LANES_TOP)"
        for x in range(columns):
            at = WORD_BYTES * (x % PACKS_PER_BLOCK * circuit.quarter + x // PACKS_PER_BLOCK)
            fraction = f"mulmod(mload(add(at, {at})), mload(add(at, add({at}, {apart}))), r)"
            met.append(f"met := addmod(met, mulmod({fraction}, mload({_word('ACROSS_1', x)}), r), r)")
        scale = number(QUARTERS * pow(n, -1, MODULUS) % MODULUS)
        lines = [
            "let r := mload(ORDER)",
            f"mstore(POWERS, mulmod(mload(ETA), {self._series(1, n)}, r))",
            "let read := 0",
            "{",
            "    let at := LANES_TOP",
            f"    for {{ let down := DOWN_1 }} lt(down, add(DOWN_1, {WORD_BYTES * min(rows, self.second.pooled[0])})) {{ down := add(down, 32) }} {{",
            "        let met := 0",
            *(f"        {line}" for line in met),
            f"        read := addmod(read, mulmod(met, {weight}, r), r)",
            f"        at := add(at, {WORD_BYTES * columns // PACKS_PER_BLOCK})",
            "    }",
            "}",
            f"read := mulmod(mulmod(read, mload(LANES_SCALE), r), mulmod(mload(VANISHING), {scale}, r), r)",
        ]
        for layer in self.dense:
            series = self._series(power_step(layer), circuit.numbers_read(layer))
            own = f"mulmod(mulmod({series}, mload(SCALE_{layer}), r), mload({reads(layer).upper()}), r)"
            lines.append(f"read := addmod(read, mulmod({own}, {tracks.activation(kinds[layer - 1], circuit.last_track)}, r), r)")
        lines.append("mstore(TAPS_READ, read)")
        return function_text("_readPlaces", "The column of what rows meet at powers of eta, and the activations that it stands for.", "pure", lines)

    def _series(self, step: int, count: int) -> str:
        """Yul of the sum over k < count of (eta rho^step)^k."""
        value = self._eta(count)
        for bit in range((step * count).bit_length()):
            if step * count >> bit & 1:
                value = f"mulmod({_rho(1 << bit)}, {value}, r)"
        return f"mulmod(addmod({value}, sub(r, 1), r), mload(ETA_RHO_{step}_BOTTOM), r)"

    def row_scalar(self) -> str:
        """Yul of the scalar of the combined rows."""
        return "mulmod(mload(ROW_FACTOR), mload(CONV_VALUE), r)"


def _pixels(start: int, stop: int) -> str:
    """Yul that adds pixels start..stop - 1 of `word` to `value`, each by its column's weight."""
    terms = [f"mulmod(byte({at}, word), mload({_word('ACROSS_0', at)}), r)" for at in range(start, stop)]
    pairs = [f"add({a}, {b})" for a, b in zip(terms[::2], terms[1::2], strict=False)] + terms[len(terms) // 2 * 2 :]
    return " ".join(f"value := addmod(value, {pair}, r)" for pair in pairs)


def _rho(power: int) -> str:
    return f"mload(RHO_{power})" if power > 1 else "mload(RHO)"


def _word(area: str, index: int) -> str:
    return f"add({area}, {WORD_BYTES * index})" if index else area
