"""What a contract makes of the lanes that a second convolution reads, and of the powers of eta, at rho (`wide.convolutions`)."""

from __future__ import annotations

from collections.abc import Sequence
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
FOLD = 4
"""Points u, u w^(n/4), ... at which a polynomial is known once its terms of equal degrees modulo 4 are."""


def lanes_text(part: ConvolutionPart) -> str:
    """Numerators and denominators of packs, and denominators of `powers`."""
    n, blocks = part.circuit.domain, part.circuit.blocks
    root = root_of_unity(n)
    above, below = pack_fraction(root, part.channels, range(0, BLOCK_ROWS * part.second.pool, BLOCK_ROWS))
    lines = ["let r := mload(ORDER)"]
    for degree, entries in enumerate(above):
        value = ""
        for index, entry in enumerate(entries):
            term = f"mulmod(mload(ETA_TO_{index}), {number(entry)}, r)" if index else number(entry)
            value = f"addmod({value}, {term}, r)" if value else term
        lines.append(f"mstore(LANE_TERM_{degree}, {value})")
    turns = blocks // part.second.pool
    fold = FOLD if turns % FOLD == 0 and len(above) >= FOLD else 1
    quarter, back = pow(root, -n // FOLD, MODULUS), pow(root, n // fold - PACK_LANES, MODULUS)
    lines += [
        *four(quarter),
        "let u := mload(RHO)",
        "// packs that lie beside one another in a pool, in the order of positions",
        *walk(above, below, turns, fold, pow(root, -BLOCK_ROWS * part.second.pool, MODULUS), back),
        *(line for each in _poles_of_powers(part) for line in denominators(*each)),
    ]
    return function_text("_weighLanes", "The lanes of every pack by their channels' powers of eta, as fractions in rho; denominators of the powers of eta.", "pure", lines)


def walk(above: list[list[int]], below: list[int], turns: int, fold: int, step: int, back: int) -> list[str]:
    """Statements that store N and D at all packs of a track: the places of blocks, then `turns` of each, `fold` of them at a time; `u` goes on by
    `step`, and by `back` from one place to the next."""
    terms = [f"mload(LANE_TERM_{degree})" for degree in range(len(above))]
    return [
        "{",
        "    let to := LANES_TOP",
        f"    for {{ let position := 0 }} lt(position, {PACKS_PER_BLOCK}) {{ position := add(position, 1) }} {{",
        f"        for {{ let turn := 0 }} lt(turn, {turns // fold}) {{ turn := add(turn, 1) }} {{",
        *(f"            {line}" for line in fractions_at(terms, [number(one) for one in below], fold, turns // fold)),
        f"            u := mulmod(u, {number(step)}, r)",
        "            to := add(to, 32)",
        "        }",
        f"        u := mulmod(u, {number(back)}, r)",
        f"        to := add(to, {WORD_BYTES * (turns - turns // fold)})",
        "    }",
        "}",
    ]


def pack_fraction(root: int, channels: int, firsts: Sequence[int]) -> tuple[list[list[int]], list[int]]:
    """N by degree and channel, and D by degree: the sum over channels i, and packs whose first rows are `firsts`, of
    eta^i / (u root^-(first + i) - 1)."""
    shifts = [pow(root, -(first + index), MODULUS) for first in firsts for index in range(channels)]

    def product(of: list[int]) -> list[int]:
        found = [1]
        for shift in of:
            low, high = [-c % MODULUS for c in found] + [0], [0] + [c * shift % MODULUS for c in found]
            found = [(a + b) % MODULUS for a, b in zip(low, high, strict=True)]
        return found

    without = [product(shifts[:place] + shifts[place + 1 :]) for place in range(len(shifts))]
    above = [
        [sum(without[channels * pack + index][degree] for pack in range(len(firsts))) % MODULUS for index in range(channels)]
        for degree in range(len(shifts))
    ]
    return above, product(shifts)

def read_text(part: ConvolutionPart) -> str:
    """`powers`, and what is read of the first layer's lanes."""
    n, blocks, root = part.circuit.domain, part.circuit.blocks, root_of_unity(part.circuit.domain)
    scale = number(pow(n, -1, MODULUS))
    entries = [f"mload({f'add(TERMS, {WORD_BYTES * index})' if index else 'TERMS'})" for index in reversed(range(blocks))]
    lines = [
        "let r := mload(ORDER)",
        *four(pow(root, -n // FOLD, MODULUS)),
        *(line for each in _poles_of_powers(part) for line in inverses(*each)),
        f"let unit := mulmod(mload(VANISHING), {scale}, r)",
        "let v := mload(RHO)",
        "let power := 1",
        "let sum := 0",
        f"for {{ let turn := TURNS }} lt(turn, add(TURNS, {WORD_BYTES * BLOCK_ROWS})) {{ turn := add(turn, 32) }} {{",
        "    let value",
        *(f"    {line}" for line in horner("value", entries, "v", NESTED_TERMS)),
        "    sum := addmod(sum, mulmod(mulmod(value, mload(turn), r), power, r), r)",
        "    power := mulmod(power, mload(ETA), r)",
        f"    v := mulmod(v, {number(pow(root, -1, MODULUS))}, r)",
        "}",
        f"mstore(POWERS, mulmod(mulmod(sum, unit, r), addmod(mload(ETA_TO_{n}), sub(r, 1), r), r))",
        *_pools(part),
        *_term_function(part),
        "let read := 0",
        *(f"read := addmod(read, term(DOWN_{index}, ACROSS_{index}), r)" for index in range(len(part.terms))),
    ]
    lines.append("mstore(TAPS_READ, mulmod(mulmod(read, unit, r), mload(ETA), r))")
    return function_text("_readPlaces", "The powers of eta at rho, and the first layer's activations as the second layer's kernels read them.", "pure", lines)


def _poles_of_powers(part: ConvolutionPart) -> list[tuple[str, int, str, int]]:
    """The poles of `powers`: where their inverses lie, how many they are, the first v and by what the next one differs."""
    blocks, root = part.circuit.blocks, root_of_unity(part.circuit.domain)
    return [
        ("TURNS", BLOCK_ROWS, f"mload(RHO_{blocks})", pow(root, -blocks, MODULUS)),
        ("TERMS", blocks, f"mload(ETA_TO_{BLOCK_ROWS})", pow(root, -BLOCK_ROWS, MODULUS)),
    ]


def denominators(area: str, count: int, start: str, turn: int) -> list[str]:
    """Statements that store v^4 - 1 for v = start, start turn, ...: a quarter of `count`."""
    return [
        "{",
        f"    let v := {start}",
        f"    for {{ let place := {area}_BOTTOM }} lt(place, add({area}_BOTTOM, {WORD_BYTES * count // FOLD})) {{ place := add(place, 32) }} {{",
        "        let square := mulmod(v, v, r)",
        "        mstore(place, addmod(mulmod(square, square, r), sub(r, 1), r))",
        f"        v := mulmod(v, {number(turn)}, r)",
        "    }",
        "}",
    ]


def inverses(area: str, count: int, start: str, turn: int) -> list[str]:
    """Statements that store 1/(v - 1) for v = start, start turn, ..., from 1/(v^4 - 1): (1 + v + v^2 + v^3)/(v^4 - 1), and as much at v times a
    fourth root of 1."""
    quarter = WORD_BYTES * count // FOLD
    return [
        "{",
        f"    let v := {start}",
        f"    let to := {area}",
        f"    for {{ let place := {area}_BOTTOM }} lt(place, add({area}_BOTTOM, {quarter})) {{ place := add(place, 32) }} {{",
        "        let a := mload(place)",
        "        let b := mulmod(a, v, r)",
        "        let c := mulmod(b, v, r)",
        f"        four(to, {quarter}, a, b, c, mulmod(c, v, r))",
        f"        v := mulmod(v, {number(turn)}, r)",
        "        to := add(to, 32)",
        "    }",
        "}",
    ]


def fractions_at(above: list[str], below: list[str], fold: int, distance: int) -> list[str]:
    """Statements that store N and D at u, or at the `fold` points that have its power `fold` in common, `distance` words from one another."""
    apart = "sub(LANES_BOTTOM, LANES_TOP)"
    if fold == 1:
        return [
            "let value", *horner("value", above[::-1], "u", NESTED_LANES), "mstore(to, value)",
            *horner("value", below[::-1], "u", NESTED_LANES), f"mstore(add(to, {apart}), value)",
        ]  # fmt: skip
    lines = ["let u2 := mulmod(u, u, r)", "let u4 := mulmod(u2, u2, r)"]
    factors = dict(zip("bcd", ("u", "u2", "mulmod(u2, u, r)"), strict=True))
    for place, coefficients in (("to", above), (f"add(to, {apart})", below)):
        inner = []
        for name, rest in zip("abcd", range(FOLD), strict=True):
            inner += [f"let {name}", *horner(name, coefficients[rest::FOLD][::-1], "u4", NESTED_LANES)]
            if name in factors:
                inner.append(f"{name} := mulmod({name}, {factors[name]}, r)")
        lines += ["{", *(f"    {line}" for line in inner), f"    four({place}, {WORD_BYTES * distance}, a, b, c, d)", "}"]
    return lines


def four(quarter: int) -> list[str]:
    """The function that makes four values of four sums: a + b + c + d at u, and at u times each power of `quarter`, a fourth root of 1. b, c, d are
    below the field's order."""
    return [
        "function four(to, distance, a, b, c, d) {",
        "    let order := mload(ORDER)",
        "    let even := addmod(a, c, order)",
        "    let odd := addmod(b, d, order)",
        "    let opposite := add(to, mul(2, distance))",
        "    mstore(to, addmod(even, odd, order))",
        "    mstore(opposite, addmod(even, sub(order, odd), order))",
        "    even := addmod(a, sub(order, c), order)",
        f"    odd := mulmod(add(b, sub(order, d)), {number(quarter)}, order)",
        "    mstore(add(to, distance), addmod(even, odd, order))",
        "    mstore(add(opposite, distance), addmod(even, sub(order, odd), order))",
        "}",
    ]


def _pools(part: ConvolutionPart) -> list[str]:
    """Statements that leave in LANES_TOP, pool by pool, the sums of the fractions of its rows."""
    across, pool, apart = part.map_columns, part.second.pool, "sub(LANES_BOTTOM, LANES_TOP)"
    sums = []
    for x in range(across):
        value = ""
        for place in (WORD_BYTES * (across * row + x) for row in range(pool)):
            own = f"mulmod(mload(add(from, {place})), mload(add(from, add({place}, {apart}))), r)"
            value = f"add({value}, {own})" if value else own
            value = f"mod({value}, r)" if pool > 1 and place >= WORD_BYTES * across else value
        sums.append(f"mstore(add(to, {WORD_BYTES * x}), {value})")
    return [
        "{",
        "    let from := LANES_TOP",
        f"    for {{ let to := LANES_TOP }} lt(to, add(LANES_TOP, {WORD_BYTES * part.pools})) {{ to := add(to, {WORD_BYTES * across}) }} {{",
        *(f"        {line}" for line in sums),
        f"        from := add(from, {WORD_BYTES * across * pool})",
        "    }",
        "}",
    ]


def _term_function(part: ConvolutionPart) -> list[str]:
    """The function that gives what is read by one term: sum over rows y of a track's pools of (sum over tracks of activation DOWN(y)) times
    (sum over x of lanes(y, x) ACROSS(x))."""
    kind, across = part.circuit.activations[0], part.map_columns
    rows = part.pools // across
    weight = ""
    for number_, track in enumerate(part.circuit.tracks_of(0)):
        place = f"add(down, {WORD_BYTES * rows * number_})" if number_ else "down"
        own = f"mulmod(mload({place}), {part.generator.tracks.activation(kind, track)}, order)"
        weight = f"addmod({weight}, {own}, order)" if weight else own
    met = ["mulmod(mload(at), mload(across), order)"]
    met += [f"mulmod(mload(add(at, {WORD_BYTES * x})), mload(add(across, {WORD_BYTES * x})), order)" for x in range(1, across)]
    sums = ["met := " + met[0]]
    for start in range(1, across, 2):
        more = f"add({met[start]}, {met[start + 1]})" if start + 1 < across else met[start]
        sums.append(f"met := addmod(met, {more}, order)")
    return [
        "function term(down, across) -> total {",
        "    let order := mload(ORDER)",
        "    let at := LANES_TOP",
        f"    for {{ let end := add(down, {WORD_BYTES * rows}) }} lt(down, end) {{ down := add(down, 32) }} {{",
        "        let met",
        *(f"        {line}" for line in sums),
        f"        total := addmod(total, mulmod(met, {weight}, order), order)",
        f"        at := add(at, {WORD_BYTES * across})",
        "    }",
        "}",
    ]


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
