"""The passes of a contract over the image and over the places of the map that a second convolution reads (`wide.convolutions`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.convolution.chain import WORD_PIXELS
from zkpredict.circuits.field import MODULUS
from zkpredict.contracts.verifier.lowering import number
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import indented
from zkpredict.contracts.verifier.publics import UnsupportedShape, rho_to
from zkpredict.contracts.verifier.symbolic import Symbol

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.convolutions import ConvolutionPart

GROUP_PIXELS = 4
"""Pixels of which nothing is looked at when all of them are blank."""


def patches_text(part: ConvolutionPart) -> str:
    first, rows = part.first, part.generator.rows
    width, height = first.kernel_width, first.kernel_height
    lines = [
        "let r := mload(ORDER)",
        "let rho := mload(RHO)",
        "let image := IMAGE_AT",
        f"let beta := {rows.power(part.step)}",
        "// window: g(X) of a stretch of `length` positions; out = beta^length",
        "function window(to, length, beta_, out, rho_) {",
        "    let order := mload(ORDER)",
        f"    let place := add(to, shl(5, add(length, {width - 2})))",
        "    let value := 0",
        "    let entering := 1",
        f"    for {{ let i := 0 }} lt(i, add(length, {width - 1})) {{ i := add(i, 1) }} {{",
        "        value := mulmod(value, beta_, order)",
        f"        if lt(i, {width}) {{",
        "            value := addmod(value, entering, order)",
        "            entering := mulmod(entering, rho_, order)",
        "        }",
        "        if iszero(lt(i, length)) {",
        "            value := addmod(value, sub(order, out), order)",
        "            out := mulmod(out, rho_, order)",
        "        }",
        "        mstore(place, value)",
        "        place := sub(place, 32)",
        "    }",
        "}",
        "// spread: a row of positions reads as many rows of the image as the kernel is high",
        "function spread(to, weight, turn) {",
        "    let order := mload(ORDER)",
        *(
            f"    {line}"
            for row in reversed(range(height))
            for line in (
                [f"mstore(add(to, {WORD_BYTES * row}), addmod(mload(add(to, {WORD_BYTES * row})), weight, order))"]
                + (["weight := mulmod(weight, turn, order)"] if row else [])
            )
        ),
        "}",
    ]
    for place, length in enumerate(part.lengths):
        lines.append(f"window(SEEN_{place}, {length}, beta, {rows.power(part.step * length)}, rho)")
    lines += [f"let turn := {_rho_turn(part, width)}", *_line_weights(part)]
    sums = [f"sum{place}" for place in range(len(part.lengths))]
    lines += [
        "let total := 0",
        f"for {{ let line := 0 }} lt(line, {WORD_BYTES * first.height}) {{ line := add(line, 32) }} {{",
        "    let word := calldataload(image)",
        f"    image := add(image, {first.width})",
        f"    if shr({8 * (WORD_PIXELS - first.width)}, word) {{",
        *(f"        let {name} := 0" for name in sums),
        *(f"        {line}" for line in _pixels(part, sums)),
        *(f"        total := addmod(total, mulmod(mload(add(LINES_{place}, line)), {name}, r), r)" for place, name in enumerate(sums)),
    ]
    lines += ["    }", "}", "mstore(PIXELS, total)"]
    program = part.generator.program()
    n = part.circuit.domain
    met = rho_to(n - first.taps) * Symbol.named("pixels") + Symbol.named("patches_constant")
    program.compute("PATCHES_SCALAR", Symbol.named("row_factor") * pow(n, -1, MODULUS) * met)
    lines += part.generator.lines(program)
    return function_text("_evaluatePatches", "What the first layer's kernels meet: the image at rho, each position by its power of alpha.", "pure", lines)

def _pixels(part: ConvolutionPart, sums: list[str]) -> list[str]:
    """Statements that add the pixels of `word` to the sum of each stretch that reads them."""
    width, found = part.first.width, []
    for start in range(0, width, GROUP_PIXELS):
        own = range(start, min(start + GROUP_PIXELS, width))
        mask = sum(0xFF << 8 * (WORD_PIXELS - 1 - at) for at in own)
        found.append(f"if and(word, {mask:#x}) {{")
        for at in own:
            found += [f"    {{ let pixel := byte({at}, word)", "    if pixel {"]
            for place, length in enumerate(part.lengths):
                if at < length + part.first.kernel_width - 1:
                    seen = f"mload(add(SEEN_{place}, {WORD_BYTES * at}))"
                    found.append(f"        {sums[place]} := addmod({sums[place]}, mulmod(pixel, {seen}, r), r)")
            found.append("    } }")
        found.append("}")
    return found

def _rho_turn(part: ConvolutionPart, width: int) -> str:
    """Yul of rho^width."""
    bits = [f"mload(RHO_{1 << bit})" if bit else "rho" for bit in range(width.bit_length()) if width >> bit & 1]
    value = bits[0]
    for bit in bits[1:]:
        value = f"mulmod({value}, {bit}, r)"
    return value

def _line_weights(part: ConvolutionPart) -> list[str]:
    """For each row of positions the weight of its last one, spread over image rows; where a row is cut, by how much more the positions
    before the cut have."""
    columns, rows, lines = part.first.positions[1], part.generator.rows, []
    for one in part.stretches:
        if one.end == columns:
            lines.append(f"spread(add(LINES_0, {WORD_BYTES * one.row}), {rows.power(one.last)}, turn)")
            continue
        if one.first:
            raise UnsupportedShape("a row of positions of the first convolution is cut twice")
        place = part.lengths.index(one.end)
        behind = next(other for other in part.stretches if other.row == one.row and other.end == columns)
        moved = f"mulmod({rows.power(behind.last)}, {rows.power(part.step * (columns - one.end))}, r)"
        lines.append(f"spread(add(LINES_{place}, {WORD_BYTES * one.row}), addmod({rows.power(one.last)}, sub(r, {moved}), r), turn)")
    return lines

def places_text(part: ConvolutionPart) -> str:
    """V, the two passes, and the constant."""
    second, rows = part.second, part.generator.rows
    count, columns = second.positions
    across = part.channels * second.kernel_width
    lines = [
        "let r := mload(ORDER)",
        "let sum := 0",
        "// positions before `place`, from the last to the first: weight, weight step, weight step^2, ...",
        "function fill(place, count, weight, step) -> total {",
        "    let order := mload(ORDER)",
        "    for { } count { count := sub(count, 1) } {",
        "        place := sub(place, 32)",
        "        mstore(place, weight)",
        "        total := addmod(total, weight, order)",
        "        weight := mulmod(weight, step, order)",
        "    }",
        "}",
    ]
    for run, used in part.hidden_runs:
        above = part._above(run, used)
        power = f"mload(POWER{part._piece(run)})"
        start = f"mulmod({power}, {rows.power(above)}, r)" if above else power
        end = f"add(POSITIONS, {WORD_BYTES * (run.first + used)})"
        lines.append(f"sum := addmod(sum, fill({end}, {used}, {start}, {rows.power(run.step)}), r)")
    lines += [
        f"mstore(CORRELATION_BIAS, mulmod(sum, {number(pow(part.circuit.domain, -1, MODULUS))}, r))",
        *_pass("across", 1, columns, second.kernel_width),
        *_pass("down", part.map_columns, count, second.kernel_height),
        f"for {{ let row := 0 }} lt(row, {count}) {{ row := add(row, 1) }} {{",
        f"    let from := add(POSITIONS, mul(row, {WORD_BYTES * columns}))",
        f"    across(from, add(ACROSS, mul(row, {WORD_BYTES * part.map_columns})), mload(ETA_TO_{part.channels}), mload(ETA_TO_{across}))",
        "}",
        f"for {{ let column := 0 }} lt(column, {WORD_BYTES * part.map_columns}) {{ column := add(column, 32) }} {{",
        "    down(add(ACROSS, column), add(PLACES, column), "
        f"mload(ETA_TO_{across}), mload(ETA_TO_{across * second.kernel_height}))",
        "}",
    ]
    return function_text("_weighPlaces", "How often, and with which power of eta, kernels of the second layer read each place of the map before.", "pure", lines)

def _pass(name: str, pitch: int, count: int, width: int) -> list[str]:
    """A pass over `count` words with a kernel of `width`: value = ratio value + entering - ratio^width leaving."""
    lines = [f"function {name}(from, to, ratio, leaving) {{", "    let order := mload(ORDER)", "    let value := mload(from)", "    mstore(to, value)"]
    for place in range(1, count + width - 1):
        value = "mulmod(value, ratio, order)"
        if place < count:
            value = f"addmod(mload(add(from, {WORD_BYTES * pitch * place})), {value}, order)"
        if place >= width:
            gone = f"mulmod(mload(add(from, {WORD_BYTES * pitch * (place - width)})), leaving, order)"
            value = f"addmod(sub(order, {gone}), {value}, order)"
        lines += [f"    value := {value}", f"    mstore(add(to, {WORD_BYTES * pitch * place}), value)"]
    return [*lines, "}"]


def function_text(name: str, about: str, mutability: str, lines: list[str]) -> str:
    return f"""    /// {about}
    function {name}() private {mutability} {{
        assembly {{
{indented(lines)}
        }}
    }}
"""
