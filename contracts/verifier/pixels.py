"""Yul that evaluates the image at rho: Horner's rule over words of 32 pixels, blank words and blank stretches of 8 skipped.

    pixels = pixels * rho^32 + (8 pixels) * rho^24 + (8 pixels) * rho^16 + (8 pixels) * rho^8 + (8 pixels)

rho has 240 bits, so a pixel times rho fits in a word beside a field element: two pixels a step, nothing reduced in between.
"""

from __future__ import annotations

from dataclasses import dataclass

from zkpredict.circuits.field import MODULUS
from zkpredict.contracts.verifier.lowering import FIELD

WORD_PIXELS = 32
CHUNK_PIXELS = 8
PIXELS_BOUND = 2 * MODULUS + (1 << 248)
"""The result does not exceed this: an element, the last eight pixels' higher terms, and two pixels of which one is times rho."""
MAX_UNROLLED = 5
"""Words in one turn of the loop: more saves little gas and takes 500 bytes of code each."""


def pixel_lines(pixels: int, point: str = "RHO", start: str = "IMAGE_AT") -> list[str]:
    """Statements that evaluate `pixels` pixels at `start` into the variable `pixels`; `rho` and `rho2`, `point` and its square, are
    variables too.

    The first word holds the pixels that do not fill a word, behind zeros, which change nothing while `pixels` is zero.
    """
    words, first = -(-pixels // WORD_PIXELS), pixels % WORD_PIXELS or WORD_PIXELS
    unrolled = max(size for size in range(1, MAX_UNROLLED + 1) if words % size == 0)
    load = f"calldataload({start})"
    body = _word()
    for number in range(unrolled - 1):
        body += [f"word := calldataload({_after('next', WORD_PIXELS * number)})", *_word()]
    turns = words // unrolled
    return [
        *(f"let rho{power} := mload({point}_{power})" for power in (8, 16, 32)),
        f"let rho24 := mulmod(rho8, rho16, {FIELD})",
        f"let word := {load if first == WORD_PIXELS else f'shr({8 * (WORD_PIXELS - first)}, {load})'}",
        f"for {{ let next := add({start}, {first}) }} 1 {{ next := add(next, {WORD_PIXELS * unrolled}) }} {{",
        *(f"    {line}" for line in body),
        f"    if eq(next, add({start}, {first + WORD_PIXELS * unrolled * (turns - 1)})) {{ break }}",
        f"    word := calldataload({_after('next', WORD_PIXELS * (unrolled - 1))})",
        "}",
    ]


def any_pixel_lines(start: str = "IMAGE_AT", count: str = "mload(INPUTS)", point: str = "RHO", any_point: bool = False) -> list[str]:
    """The same for `count` pixels at `start`, a word of 32 in each turn. `any_point`: rho may have more than 240 bits."""
    sixteenth = f"mload({point}_16)"
    form = Form(any_point, sixteenth) if any_point else PLAIN  # one variable less: its products nest one deeper
    return [
        *(f"let rho{power} := mload({point}_{power})" for power in (8, 16, 32) if not (any_point and power == 16)),
        f"let rho24 := mulmod(rho8, {form.sixteenth}, {FIELD})",
        f"let last := add({start}, {count})",
        f"let next := add({start}, add(1, and(sub({count}, 1), {WORD_PIXELS - 1})))",
        f"let word := shr(mul(8, sub(add({start}, {WORD_PIXELS}), next)), calldataload({start}))",
        f"for {{ }} 1 {{ next := add(next, {WORD_PIXELS}) }} {{",
        *(f"    {line}" for line in _word(form)),
        "    if eq(next, last) { break }",
        "    word := calldataload(next)",
        "}",
    ]


@dataclass(frozen=True)
class Form:
    """How products with rho are written: reduced where it has more than 240 bits; and what reads rho^16."""

    reduced: bool
    sixteenth: str


PLAIN = Form(False, "rho16")


def _word(form: Form = PLAIN) -> list[str]:
    """The 32 pixels of `word`."""
    lines = [f"pixels := mulmod(pixels, rho32, {FIELD})", "if word {"]
    for start in range(0, WORD_PIXELS, CHUNK_PIXELS):
        above = WORD_PIXELS - CHUNK_PIXELS - start
        mask = (1 << 8 * CHUNK_PIXELS) - 1 << 8 * above
        found = f"shr({8 * above}, word)" if start == 0 else f"and(word, {mask:#x})"
        value, power = _polynomial(start, form), form.sixteenth if above == 16 else f"rho{above}"
        gained = f"addmod(pixels, mulmod({power}, {value}, {FIELD}), {FIELD})"
        if not above:
            gained = f"addmod(pixels, {value}, {FIELD})" if form.reduced else f"add(pixels, {value})"
        lines.append(f"    if {found} {{ pixels := {gained} }}")
    return [*lines, "}"]


def _polynomial(start: int, form: Form) -> str:
    """Eight pixels of `word` from byte `start`, by Horner's rule in rho^2."""
    value = ""
    for at in range(start, start + CHUNK_PIXELS, 2):
        first = f"mulmod(byte({at}, word), rho, {FIELD})" if form.reduced else f"mul(byte({at}, word), rho)"
        pair = f"add({first}, byte({at + 1}, word))"
        value = f"add({pair}, mulmod(rho2, {value}, {FIELD}))" if value else pair
    return value


def _after(base: str, distance: int) -> str:
    return f"add({base}, {distance})" if distance else base
