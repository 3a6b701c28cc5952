"""The pass of a contract over the positions of a second convolution (`wide.convolutions`).

Positions' weights are sums of products of a row's and a column's: rows of positions whose weights fall by one step between the same columns
are one term. So is what kernels make of them: C(y, x) = sum over terms of DOWN(y) ACROSS(x).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zkpredict.circuits.convolution.chain import Stretch
from zkpredict.circuits.field import MODULUS
from zkpredict.contracts.verifier.lowering import number
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import indented

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.convolutions import ConvolutionPart


@dataclass(frozen=True)
class Term:
    """Stretches between the same columns whose weights fall by `step`."""

    step: int
    first: int
    end: int
    stretches: tuple[Stretch, ...]

    @classmethod
    def all_of(cls, stretches: list[Stretch]) -> list[Term]:
        """Each stretch in one term."""
        keys = dict.fromkeys((one.step, one.first, one.end) for one in stretches)
        return [cls(*key, tuple(one for one in stretches if (one.step, one.first, one.end) == key)) for key in keys]


def places_text(part: ConvolutionPart) -> str:
    """DOWN and ACROSS of each term, and the constant."""
    second, rows = part.second, part.generator.rows
    count, columns = second.positions
    wide = part.channels * second.kernel_width
    lines = [
        "let r := mload(ORDER)",
        "let sum := 0",
        "// fill: `count` words before `place`, from the last to the first: 1, step, step^2, ...",
        "function fill(place, count, step) -> total {",
        "    let order := mload(ORDER)",
        "    let weight := 1",
        "    for { } count { count := sub(count, 1) } {",
        "        place := sub(place, 32)",
        "        mstore(place, weight)",
        "        total := addmod(total, weight, order)",
        "        weight := mulmod(weight, step, order)",
        "    }",
        "}",
        *kernel_pass("across", columns, second.kernel_width),
        *kernel_pass("down", count, second.kernel_height),
    ]
    for index, term in enumerate(part.terms):
        lines += [
            "{",
            f"    let total := fill(add(FALLING_{index}, {WORD_BYTES * term.end}), {term.end - term.first}, {rows.power(term.step)})",
            f"    across(FALLING_{index}, ACROSS_{index}, mload(ETA_TO_{part.channels}), mload(ETA_TO_{wide}))",
            "    let weights := 0",
            "    let weight",
        ]
        for one in term.stretches:
            above, power = rows.power(part.above(one)), f"mload(POWER{part.piece(one)})"
            lines += [
                f"    weight := {power if above == '1' else f'mulmod({power}, {above}, r)'}",
                f"    mstore(add(STARTS_{index}, {WORD_BYTES * one.row}), weight)",
                "    weights := addmod(weights, weight, r)",
            ]
        lines += [
            f"    down(STARTS_{index}, DOWN_{index}, mload(ETA_TO_{wide}), mload(ETA_TO_{wide * second.kernel_height}))",
            "    sum := addmod(sum, mulmod(weights, total, r), r)",
            "}",
        ]
    lines += [f"sum := addmod(sum, {bias}, r)" for bias in part.other_biases]
    lines.append(f"mstore(CORRELATION_BIAS, mulmod(sum, {number(pow(part.circuit.domain, -1, MODULUS))}, r))")
    return function_text("_weighPlaces", "How often, and with which power of eta, kernels of the second layer read each place of the map before.", "pure", lines)


def kernel_pass(name: str, count: int, width: int) -> list[str]:
    """A pass over `count` words with a kernel of `width`: value = ratio value + entering - ratio^width leaving."""
    lines = [f"function {name}(from, to, ratio, leaving) {{", "    let order := mload(ORDER)", "    let value := mload(from)", "    mstore(to, value)"]
    for place in range(1, count + width - 1):
        value = "mulmod(value, ratio, order)"
        if place < count:
            value = f"addmod(mload(add(from, {WORD_BYTES * place})), {value}, order)"
        if place >= width:
            gone = f"mulmod(mload(add(from, {WORD_BYTES * (place - width)})), leaving, order)"
            value = f"addmod(sub(order, {gone}), {value}, order)"
        lines += [f"    value := {value}", f"    mstore(add(to, {WORD_BYTES * place}), value)"]
    return [*lines, "}"]


def function_text(name: str, about: str, mutability: str, lines: list[str]) -> str:
    return f"""    /// {about}
    function {name}() private {mutability} {{
        assembly {{
{indented(lines)}
        }}
    }}
"""
