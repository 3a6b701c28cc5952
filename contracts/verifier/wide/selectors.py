"""Where layers read and where nothing may be negative: the poles of those selectors, and the words that hold them at rho."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.field import MODULUS, root_of_unity
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.shared.gadgets import reads as shared_reads
from zkpredict.circuits.shared.layout import FIRST_DENSE, SharedCircuit
from zkpredict.circuits.wide.geometry import PACK_LANES
from zkpredict.circuits.wide.joined import bias, reads
from zkpredict.circuits.wide.output import Output
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.contracts.verifier.lowering import FIELD, number
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.symbolic import Symbol, lifted
from zkpredict.contracts.verifier.wide.formulas import Ladder, is_complement
from zkpredict.contracts.verifier.wide import hidden
from zkpredict.contracts.verifier.wide.inputs import input_scalars
from zkpredict.contracts.verifier.wide.rows import pack_weight

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator

UNROLLED_CLIMB = 5
"""Rows in one turn of a loop over poles, where code has room."""
NESTED = 3
"""Steps of Horner's rule in one statement: each holds two stack seats."""


def reads_words(generator: WideGenerator) -> list[tuple[str, Symbol]]:
    """The words that loops read, with their formulas: `reads` of each layer and track, `bias`, signs' weights, the input's scalars."""
    plan, formulas = generator.plan, generator.formulas
    found = _joined_words(generator, plan.circuit) if isinstance(plan.circuit, ReplicaCircuit) else _layer_words(generator)
    output = plan.gadget(Output)
    first = plan.first_constraint[Output]
    for index, track in enumerate(output.signed_tracks):
        place = generator.tracks.negative(track)
        found.append((place, generator.delta(first + index) * formulas.selector(f"nonnegative{track}")))
    if generator.convolutions is not None:
        return found
    return found + (hidden.row_scalars(generator) if plan.circuit.private_input else input_scalars(generator))


def _layer_words(generator: WideGenerator) -> list[tuple[str, Symbol]]:
    plan, formulas, found = generator.plan, generator.formulas, []
    for layer in plan.dense_layers:
        for track in plan.circuit.tracks_of(layer - 1):
            found.append((generator.word(f"reads{layer}_{track}"), formulas.selector(f"reads{layer}_{track}")))
    if isinstance(plan.circuit, SharedCircuit):
        for layer in range(FIRST_DENSE, plan.circuit.layers):
            found.append((generator.word(shared_reads(layer)), formulas.selector(shared_reads(layer))))
    if plan.dense_layers:
        found.append((generator.word("bias_at_rho"), formulas.selector("bias")))
    return found


def _joined_words(generator: WideGenerator, circuit: ReplicaCircuit) -> list[tuple[str, Symbol]]:
    """With the weights of packs in the formulas."""
    formulas, joined, found = generator.formulas, generator.plan.joined, []
    for track, number_ in circuit.joined_rows.values():
        for kind in joined.kinds_on(track, number_):
            total = lifted(0)
            for seat in joined.seats_of(kind, track, number_):
                weight = Symbol.named(pack_weight(seat.layer, seat.pack))
                for piece in circuit.pieces_on(seat, track):
                    total = total + weight * formulas.part(Periodic(piece.period, dict(piece.lane_rows(circuit.source(seat).heads))))
            found.append((generator.word(reads(kind, track, number_)), total))
        biases = lifted(0)
        for seat in joined.biases_on(track, number_):
            biases = biases + Symbol.named(pack_weight(seat.layer, seat.pack)) * formulas.pole(seat.bias_row)
        if biases != lifted(0):
            found.append((generator.word(bias(track, number_)), biases))
    return found


def pole_lines(generator: WideGenerator) -> tuple[list[str], list[str]]:
    """Functions, and statements for all denominators; the formulas that use them were made before."""
    plan, formulas, n = generator.plan, generator.formulas, generator.circuit.domain
    ladders = {}
    for name, polynomial in plan.parts.polynomials.items():
        single = polynomial.period == n and list(polynomial.values.values()) == [1]
        if not single and not is_complement(polynomial):
            ladders[name] = Ladder.of(polynomial)
    functions: dict[tuple[int, int], list[str]] = {}  # by period and pitch: pieces of a circuit have all positions, or one
    lines = ["let top, bottom"] if ladders else []
    for name, ladder in ladders.items():
        own = PACK_LANES // ladder.pitch
        if ladder.count % own:
            raise UnsupportedShape(f"a layer lies on {ladder.count} rows of a period")
        root, function = root_of_unity(ladder.period), f"packs_{ladder.period}_{ladder.pitch}"
        if generator.large:
            steps = UNROLLED_CLIMB if generator.convolutions is not None and ladder.count % UNROLLED_CLIMB == 0 else 1
            functions.setdefault((0, steps), climb(steps))
            function = "climb" if steps == 1 else "climbFast"
            more = f", {number(pow(root, -ladder.pitch, MODULUS))}, {ladder.count}"
            lines += _ladder(generator, name, function, more, ladder)
            continue
        functions.setdefault((ladder.period, ladder.pitch), _pack_function(function, ladder, own))
        lines += _ladder(generator, name, function, "", ladder)
    for row in formulas.poles:
        place = _bottom(generator, f"pole_{row}_bottom")
        lines.append(f"mstore({place}, {_pole('RHO', n, row)})")
    for period, row in formulas.nodes:
        place = _bottom(generator, f"node_{period}_{row}_bottom")
        lines.append(f"mstore({place}, {_pole(_rho(n // period), period, row)})")
    return [line for function in functions.values() for line in function], lines


def _rho(power: int) -> str:
    return "RHO" if power == 1 else f"RHO_{power}"


def _bottom(generator: WideGenerator, name: str) -> str:
    return generator.bottom(name)


def _pole(word: str, period: int, row: int) -> str:
    """Yul of y/w^row - 1; y is not zero, so nothing wraps."""
    if row % period == 0:
        return f"sub(mload({word}), 1)"
    return f"sub(mulmod(mload({word}), {number(pow(root_of_unity(period), -row, MODULUS))}, {FIELD}), 1)"


def climb(steps: int) -> list[str]:
    """A function for the sum of 1/(u - 1) over u, u pitch, u pitch^2, ..., as a fraction; `top` stays below twice the field order. `steps` of
    them in a turn."""
    step = [
        "let term := sub(u, 1)",
        f"top := add(mulmod(top, term, {FIELD}), bottom)",
        f"bottom := mulmod(bottom, term, {FIELD})",
        f"u := mulmod(u, pitch, {FIELD})",
    ]
    pair = [
        "let term := sub(u, 1)",
        f"u := mulmod(u, pitch, {FIELD})",
        "let next := sub(u, 1)",
        f"u := mulmod(u, pitch, {FIELD})",
        f"let both := mulmod(term, next, {FIELD})",
        f"top := add(mulmod(top, both, {FIELD}), mulmod(bottom, add(term, next), {FIELD}))",
        f"bottom := mulmod(bottom, both, {FIELD})",
    ]
    turns = [*[pair] * (steps // 2), *[step] * (steps % 2)]
    return [
        f"function {'climb' if steps == 1 else 'climbFast'}(u, pitch, count) -> top, bottom {{",
        "    let r := mload(ORDER)",
        "    bottom := 1",
        f"    for {{ }} count {{ count := sub(count, {steps}) }} {{",
        *(f"        {line}" for lines in turns for line in (lines if steps == 1 else ["{", *(f"    {one}" for one in lines), "}"])),
        "    }",
        "}",
    ]


def _pack_function(name: str, ladder: Ladder, own: int) -> list[str]:
    """A function for the sum of 1/(u/w^(i pitch) - 1) over the `own` values i of a pack, as a fraction, added for three packs: the
    fraction's polynomials in u are the same for every pack of one period, so their coefficients are constants.

    `top` and `bottom` stay below twice the field order.
    """
    root = root_of_unity(ladder.period)
    above, below = fraction_of([pow(root, -ladder.pitch * index, MODULUS) for index in range(own)])
    if ladder.count == own:
        return [
            f"function {name}(u) -> top, bottom {{",
            "    let r := mload(ORDER)",
            *(f"    {line}" for line in (*_horner("above", above), *_horner("below", below))),
            "    top := above",
            "    bottom := below",
            "}",
        ]
    turn = number(pow(root, -ladder.pitch * own, MODULUS))
    return [
        f"function {name}(u) -> top, bottom {{",
        "    let r := mload(ORDER)",
        "    bottom := 1",
        f"    for {{ let turns := {ladder.count // own} }} 1 {{ }} {{",
        *(f"        {line}" for line in _horner("above", above)),
        *(f"        {line}" for line in _horner("below", below)),
        f"        top := add(mulmod(top, below, {FIELD}), mulmod(bottom, above, {FIELD}))",
        f"        bottom := mulmod(bottom, below, {FIELD})",
        "        turns := sub(turns, 1)",
        "        if iszero(turns) { break }",
        f"        u := mulmod(u, {turn}, {FIELD})",
        "    }",
        "}",
    ]


def fraction_of(shifts: list[int]) -> tuple[list[int], list[int]]:
    """Coefficients of N and D, low first, with N(u)/D(u) = sum over shifts s of 1/(s u - 1)."""
    above, below = [0], [1]
    for shift in shifts:
        above = [(a + b) % MODULUS for a, b in zip(_times(above, shift), [*below, *[0] * (len(above) + 1 - len(below))], strict=True)]
        below = _times(below, shift)
    return above[:-1], below


def _times(polynomial: list[int], shift: int) -> list[int]:
    """The polynomial times (shift u - 1)."""
    low, high = [-c % MODULUS for c in polynomial] + [0], [0] + [c * shift % MODULUS for c in polynomial]
    return [(a + b) % MODULUS for a, b in zip(low, high, strict=True)]


def _horner(name: str, coefficients: list[int]) -> list[str]:
    """Statements for a polynomial at u, a few steps each: an element and a constant fit in a word unreduced."""
    lines, left = [], coefficients[::-1]
    value, declared = number(left.pop(0)), False
    while left:
        for coefficient in left[:NESTED]:
            value = f"add(mulmod({value}, u, {FIELD}), {number(coefficient)})"
        left = left[NESTED:]
        lines.append(f"{'' if declared else 'let '}{name} := {value}")
        value, declared = name, True
    return lines


def _ladder(generator: WideGenerator, name: str, function: str, more: str, ladder: Ladder) -> list[str]:
    root = root_of_unity(ladder.period)
    y = f"mload({_rho(generator.circuit.domain // ladder.period)})"
    start = f"mulmod({y}, {number(pow(root, -ladder.first, MODULUS))}, {FIELD})" if ladder.first else y
    top, bottom = generator.word(f"{name}_top", 2 * MODULUS), _bottom(generator, f"{name}_bottom")
    return [f"top, bottom := {function}({start}{more})", f"mstore({top}, top)", f"mstore({bottom}, bottom)"]
