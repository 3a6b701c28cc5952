"""What the kernels of a first convolution meet in the image, in a contract (`wide.convolutions`).

    H_e = sum over x < e of beta^(e - 1 - x) a[x]        by Horner's rule along an image row; e: where a stretch of positions ends
    P_e = sum over j < w of rho^(w - 1 - j) H_(e + j)    H_e sum_j rho^(w - 1 - j) beta^j where the pixels behind e are blank
    met = P_e - beta^e P_0                               sum over x < e of beta^(e - 1 - x) a[x + j] = H_(e + j) - beta^e H_j, for each tap j
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.convolution.chain import WORD_PIXELS
from zkpredict.circuits.field import MODULUS
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.publics import UnsupportedShape, rho_to
from zkpredict.contracts.verifier.symbolic import Symbol
from zkpredict.contracts.verifier.wide.correlating import function_text

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.convolutions import ConvolutionPart

GROUP_PIXELS = 4
"""Pixels in one statement."""


def patches_text(part: ConvolutionPart) -> str:
    """The function that meets the image row by row."""
    first, rows = part.first, part.generator.rows
    lines = [
        "let r := mload(ORDER)",
        f"let beta := {rows.power(part.step)}",
        *_functions(part),
        "{",
        f"    let turn := {_rho_to(part, first.kernel_width)}",
        *(f"    {line}" for line in _line_weights(part)),
        "}",
        "// sum over j of rho^(w - 1 - j) beta^j",
        "{",
        "    let blank := 1",
        "    let power := 1",
        *(["    power := mulmod(power, beta, r)", "    blank := addmod(mulmod(blank, mload(RHO), r), power, r)"] * (first.kernel_width - 1)),
        "    mstore(BLANK_WINDOW, blank)",
        "}",
        "let image := IMAGE_AT",
        "let total := 0",
        f"for {{ let line := 0 }} lt(line, {WORD_BYTES * first.height}) {{ line := add(line, 32) }} {{",
        "    let word := calldataload(image)",
        f"    image := add(image, {first.width})",
        f"    if shr({8 * (WORD_PIXELS - first.width)}, word) {{",
        "        let value := 0",
        *(f"        {line}" for line in _row(part)),
        "    }",
        "}",
        "mstore(PIXELS, total)",
    ]
    program = part.generator.program()
    n = part.circuit.domain
    met = rho_to(n - first.taps) * Symbol.named("pixels") + Symbol.named("patches_constant")
    program.compute("PATCHES_SCALAR", Symbol.named("row_factor") * pow(n, -1, MODULUS) * met)
    lines += part.generator.lines(program)
    return function_text("_evaluatePatches", "What the first layer's kernels meet: the image at rho, each position by its power of alpha.", "pure", lines)


def _functions(part: ConvolutionPart) -> list[str]:
    first = part.first
    found = [
        "// window: P from H and the pixels behind it, in the upper bytes of `pixels`",
        "function window(value, pixels, beta_) -> met {",
        "    let order := mload(ORDER)",
        "    met := value",
        *(
            line for j in range(first.kernel_width - 1)
            for line in (f"    value := add(byte({j}, pixels), mulmod(beta_, value, order))", "    met := addmod(value, mulmod(mload(RHO), met, order), order)")
        ),
        "}",
    ]
    if part.cuts:
        height = range(first.kernel_height)
        found += [
            "// spread: a row of positions reads as many rows of the image as the kernel is high",
            "function spread(to, weight, turn_) {",
            "    let order := mload(ORDER)",
            *(
                f"    {line}"
                for row in reversed(height)
                for line in (
                    [f"mstore(add(to, {WORD_BYTES * row}), addmod(mload(add(to, {WORD_BYTES * row})), weight, order))"]
                    + (["weight := mulmod(weight, turn_, order)"] if row else [])
                )
            ),
            "}",
        ]
    return found


def _row(part: ConvolutionPart) -> list[str]:
    """Statements that add to `total` what each stretch meets in the pixels of `word`, by the weight of the line."""
    lines, start = [], 0
    for end in (*part.cuts, part.first.positions[1]):
        while start < end:
            stop = min(start + GROUP_PIXELS, end)
            lines.append(_group(start, stop))
            start = stop
        lines += _met(part, end)
    # met of all stretches lacks beta^e P_0
    lost = ""
    for place, end in enumerate(part.lengths):
        own = f"mulmod(mload(add(LINES_{place}, line)), {part.generator.rows.power(part.step * end)}, r)"
        lost = f"add({lost}, {own})" if lost and place == 1 else f"addmod({lost}, {own}, r)" if lost else own
    return [
        *lines,
        f"if shr({8 * (WORD_PIXELS + 1 - part.first.kernel_width)}, word) {{",
        f"    total := addmod(total, mulmod(sub(r, window(0, word, beta)), {lost}, r), r)",
        "}",
    ]


def _group(start: int, stop: int) -> str:
    """Horner's rule over the pixels start..stop - 1 of `word`."""
    value = "value"
    for at in range(start, stop):
        value = f"add(byte({at}, word), mulmod(beta, {value}, r))"  # in this order each step holds one stack slot
    return f"value := {value}"


def _met(part: ConvolutionPart, end: int) -> list[str]:
    """P_end, with the weight of the line where that is not zero."""
    beside, place = part.first.kernel_width - 1, part.lengths.index(end)
    behind = f"shl({8 * end}, word)"
    inner = [
        "let met",
        f"switch and(shr({8 * (WORD_PIXELS - end - beside)}, word), {(1 << 8 * beside) - 1:#x})",
        "case 0 { met := mulmod(value, mload(BLANK_WINDOW), r) }",
        f"default {{ met := window(value, {behind}, beta) }}",
    ]
    if end == part.first.positions[1]:
        return ["{", *(f"    {line}" for line in inner), f"    total := addmod(total, mulmod(mload(add(LINES_{place}, line)), met, r), r)", "}"]
    return [
        f"{{ let weight := mload(add(LINES_{place}, line))",
        "if weight {",
        *(f"    {line}" for line in inner),
        "    total := addmod(total, mulmod(weight, met, r), r)",
        "} }",
    ]


def _rho_to(part: ConvolutionPart, exponent: int) -> str:
    """Yul of rho^exponent."""
    bits = [f"mload(RHO_{1 << bit})" if bit else "mload(RHO)" for bit in range(exponent.bit_length()) if exponent >> bit & 1]
    value = bits[0]
    for bit in bits[1:]:
        value = f"mulmod({value}, {bit}, r)"
    return value


def _line_weights(part: ConvolutionPart) -> list[str]:
    """For each row of the image, from the last to the first, the weights of the last positions of the rows that read it: turn value + entering -
    turn^h leaving. Where a row is cut, by how much more the positions before the cut have."""
    columns, rows, height = part.first.positions[1], part.generator.rows, part.first.kernel_height
    last = {one.row: rows.power(one.last) for one in part.stretches if one.end == columns}
    lines = ["let leaving := turn", *["leaving := mulmod(leaving, turn, r)"] * (height - 1), "leaving := sub(r, leaving)", "let weight := 0"]
    for row in reversed(range(part.first.height)):
        value, entering, gone = "mulmod(weight, turn, r)", last.get(row - height + 1), last.get(row + 1)
        if gone:
            value = f"add({value}, mulmod({gone}, leaving, r))"
        if entering:
            value = f"addmod({value}, {entering}, r)"
        elif gone:
            value = f"mod({value}, r)"
        lines += [f"weight := {value}", f"mstore({_word('LINES_0', row)}, weight)"]
    for one in part.stretches:
        if one.end == columns:
            continue
        if one.first:
            raise UnsupportedShape("a row of positions of the first convolution is cut twice")
        moved = f"mulmod({last[one.row]}, {rows.power(part.step * (columns - one.end))}, r)"
        lines.append(f"spread({_word(f'LINES_{part.lengths.index(one.end)}', one.row)}, addmod({rows.power(one.last)}, sub(r, {moved}), r), turn)")
    return lines


def _word(area: str, index: int) -> str:
    return f"add({area}, {WORD_BYTES * index})" if index else area
