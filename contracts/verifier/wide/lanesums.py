"""What a contract makes of the lanes that a second convolution reads, and of the powers of eta, at rho (`wide.convolutions`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.field import MODULUS, root_of_unity
from zkpredict.circuits.wide.geometry import BLOCK_ROWS, PACK_LANES, PACKS_PER_BLOCK
from zkpredict.contracts.verifier.lowering import number
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.wide.correlating import function_text

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.convolutions import ConvolutionPart

NESTED_LANES, NESTED_TERMS = 3, 6
"""Steps of Horner's rule in one statement, by how many variables there are beside."""


def lanes_text(part: ConvolutionPart) -> str:
    """Numerators and denominators of packs, and denominators of `powers`."""
    n, blocks = part.circuit.domain, part.circuit.blocks
    root = root_of_unity(n)
    above, below = _pack_fraction(part)
    lines = ["let r := mload(ORDER)"]
    for degree, entries in enumerate(above):
        value = ""
        for index, entry in enumerate(entries):
            term = f"mulmod(mload(ETA_TO_{index}), {number(entry)}, r)" if index else number(entry)
            value = f"addmod({value}, {term}, r)" if value else term
        lines.append(f"mstore(LANE_TERM_{degree}, {value})")
    terms = [f"mload(LANE_TERM_{degree})" for degree in reversed(range(len(above)))]
    pool, columns = part.second.pool, part.first.positions[1]
    across = columns // pool
    # fractions are added: top/bottom + more/under
    one = [
        *horner("more", terms, "u", NESTED_LANES), *horner("under", [number(entry) for entry in reversed(below)], "u", NESTED_LANES),
        f"u := mulmod(u, {number(pow(root, -BLOCK_ROWS * pool, MODULUS))}, r)",
    ]
    added = [
        "top := addmod(mulmod(top, under, r), mulmod(more, bottom, r), r)",
        "bottom := mulmod(bottom, under, r)",
    ]
    lines += [
        "let u := mload(RHO)",
        "let top",
        "let bottom",
        "let more",
        "let under",
        "// packs that lie beside one another in a pool, in the order of positions; w^(32 B) = 1, so u is back after a position's blocks",
        "{",
        "    let to := LANES_TOP",
        "    let below := LANES_ALL",
        f"    for {{ let position := 0 }} lt(position, {PACKS_PER_BLOCK}) {{ position := add(position, 1) }} {{",
        f"        for {{ let turn := 0 }} lt(turn, {blocks // pool}) {{ turn := add(turn, 1) }} {{",
        *(f"            {line}" for line in one),
        "            mstore(to, more)",
        "            mstore(below, under)",
        "            to := add(to, 32)",
        "            below := add(below, 32)",
        "        }",
        f"        u := mulmod(u, {number(pow(root, -PACK_LANES, MODULUS))}, r)",
        "    }",
        "}",
        "// and those below: the sum of a pool's row and the rows behind it",
        "{",
        "    let to := LANES_TOP",
        "    let into := LANES_BOTTOM",
        "    let from := LANES_TOP",
        "    let below := LANES_ALL",
        f"    for {{ let row := {part.pools // across} }} row {{ row := sub(row, 1) }} {{",
        f"        for {{ let column := {across} }} column {{ column := sub(column, 1) }} {{",
        "            top := mload(from)",
        "            bottom := mload(below)",
        *(
            f"            {line}"
            for row in range(1, pool)
            for line in (
                f"more := mload(add(from, {WORD_BYTES * across * row}))", f"under := mload(add(below, {WORD_BYTES * across * row}))", *added,
            )
        ),
        "            mstore(to, top)",
        "            mstore(into, bottom)",
        "            to := add(to, 32)",
        "            into := add(into, 32)",
        "            from := add(from, 32)",
        "            below := add(below, 32)",
        "        }",
        f"        from := add(from, {WORD_BYTES * across * (pool - 1)})",
        f"        below := add(below, {WORD_BYTES * across * (pool - 1)})",
        "    }",
        "}",
        f"let v := mload(RHO_{blocks})",
        f"for {{ let place := TURNS_BOTTOM }} lt(place, add(TURNS_BOTTOM, {WORD_BYTES * BLOCK_ROWS})) {{ place := add(place, 32) }} {{",
        "    mstore(place, addmod(v, sub(r, 1), r))",
        f"    v := mulmod(v, {number(pow(root, -blocks, MODULUS))}, r)",
        "}",
        f"v := mload(ETA_TO_{BLOCK_ROWS})",
        f"for {{ let place := TERMS_BOTTOM }} lt(place, add(TERMS_BOTTOM, {WORD_BYTES * blocks})) {{ place := add(place, 32) }} {{",
        "    mstore(place, addmod(v, sub(r, 1), r))",
        f"    v := mulmod(v, {number(pow(root, -BLOCK_ROWS, MODULUS))}, r)",
        "}",
    ]
    return function_text("_weighLanes", "The lanes of every pack by their channels' powers of eta, as fractions in rho; denominators of the powers of eta.", "pure", lines)

def _pack_fraction(part: ConvolutionPart) -> tuple[list[list[int]], list[int]]:
    """N by degree and channel, and D by degree: the sum over channels i, and packs k beside one another in a pool, of
    eta^i / (u w^-(i + 32 k) - 1)."""
    root, channels, pool = root_of_unity(part.circuit.domain), part.channels, part.second.pool
    shifts = [pow(root, -(index + BLOCK_ROWS * pack), MODULUS) for pack in range(pool) for index in range(channels)]

    def product(of: list[int]) -> list[int]:
        found = [1]
        for shift in of:
            low, high = [-c % MODULUS for c in found] + [0], [0] + [c * shift % MODULUS for c in found]
            found = [(a + b) % MODULUS for a, b in zip(low, high, strict=True)]
        return found

    without = [product(shifts[:place] + shifts[place + 1 :]) for place in range(len(shifts))]
    above = [
        [sum(without[channels * pack + index][degree] for pack in range(pool)) % MODULUS for index in range(channels)]
        for degree in range(len(shifts))
    ]
    return above, product(shifts)

def read_text(part: ConvolutionPart) -> str:
    """`powers`, and what is read of the first layer's lanes."""
    n, blocks, root = part.circuit.domain, part.circuit.blocks, root_of_unity(part.circuit.domain)
    scale = number(pow(n, -1, MODULUS))
    entries = [f"mload({f'add(TERMS_BOTTOM, {WORD_BYTES * index})' if index else 'TERMS_BOTTOM'})" for index in reversed(range(blocks))]
    lines = [
        "let r := mload(ORDER)",
        f"let unit := mulmod(mload(VANISHING), {scale}, r)",
        "let v := mload(RHO)",
        "let power := 1",
        "let sum := 0",
        f"for {{ let turn := TURNS_BOTTOM }} lt(turn, add(TURNS_BOTTOM, {WORD_BYTES * BLOCK_ROWS})) {{ turn := add(turn, 32) }} {{",
        "    let value",
        *(f"    {line}" for line in horner("value", entries, "v", NESTED_TERMS)),
        "    sum := addmod(sum, mulmod(mulmod(value, mload(turn), r), power, r), r)",
        "    power := mulmod(power, mload(ETA), r)",
        f"    v := mulmod(v, {number(pow(root, -1, MODULUS))}, r)",
        "}",
        f"mstore(POWERS, mulmod(mulmod(sum, unit, r), addmod(mload(ETA_TO_{n}), sub(r, 1), r), r))",
        f"for {{ let at := 0 }} lt(at, {WORD_BYTES * part.pools}) {{ at := add(at, 32) }} {{",
        "    mstore(add(LANES_TOP, at), mulmod(mload(add(LANES_TOP, at)), mload(add(LANES_BOTTOM, at)), r))",
        "}",
        "let place := PLACES",
        "let read := 0",
    ]
    kind = part.circuit.activations[0]
    for track in part.circuit.tracks_of(0):
        lines += [
            "{",
            "    let total := 0",
            "    let at := LANES_TOP",
            f"    for {{ let end := add(at, {WORD_BYTES * part.pools}) }} lt(at, end) {{ at := add(at, 32) }} {{",
            "        total := addmod(total, mulmod(mload(place), mload(at), r), r)",
            "        place := add(place, 32)",
            "    }",
            f"    read := addmod(read, mulmod(total, {part.generator.tracks.activation(kind, track)}, r), r)",
            "}",
        ]
    lines.append("mstore(TAPS_READ, mulmod(mulmod(read, unit, r), mload(ETA), r))")
    return function_text("_readPlaces", "The powers of eta at rho, and the first layer's activations as the second layer's kernels read them.", "pure", lines)


def horner(name: str, coefficients: list[str], point: str, depth: int) -> list[str]:
    """Statements for a polynomial at a point, highest coefficient first. What is added to is below the field's order, and each of `depth`
    steps in a statement holds one stack slot."""
    value, lines = coefficients[0], []
    for start in range(1, len(coefficients), depth):
        for coefficient in coefficients[start : start + depth]:
            value = f"add({coefficient}, mulmod({point}, {value}, r))"
        lines.append(f"{name} := {value}")
        value = name
    return lines or [f"{name} := {value}"]
