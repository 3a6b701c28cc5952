"""Yul that evaluates the image at rho: Horner's rule, 32 pixels a word, blank stretches skipped."""

from __future__ import annotations

from zkpredict.contracts.verifier.lowering import FIELD

WORD_PIXELS = 32
CHUNK_PIXELS = 8


def pixel_lines(pixels: int) -> list[str]:
    """Statements that add `pixels` pixels at IMAGE_AT to the variable `pixels`; `rho` and `rho2` are variables too.

    The first word holds the pixels that do not fill a word, behind zeros, which change nothing while `pixels` is zero.
    """
    first = pixels % WORD_PIXELS or WORD_PIXELS
    word = "calldataload(IMAGE_AT)"
    return [
        f"let rho{CHUNK_PIXELS} := mload(RHO_{CHUNK_PIXELS})",
        f"let word := {word if first == WORD_PIXELS else f'shr({8 * (WORD_PIXELS - first)}, {word})'}",
        f"for {{ let next := add(IMAGE_AT, {first}) }} 1 {{ next := add(next, {WORD_PIXELS}) }} {{",
        "    switch word",
        f"    case 0 {{ pixels := mulmod(pixels, mload(RHO_{WORD_PIXELS}), {FIELD}) }}",
        "    default {",
        *(f"        {line}" for start in range(0, WORD_PIXELS, CHUNK_PIXELS) for line in _chunk(start)),
        "    }",
        f"    if eq(next, {'add(IMAGE_AT, IMAGE_BYTES)'}) {{ break }}",
        "    word := calldataload(next)",
        "}",
    ]


def _chunk(start: int) -> list[str]:
    """Eight pixels of `word` from byte `start`: pixels = pixels * rho^8 + (their own polynomial)."""
    shift = 8 * (WORD_PIXELS - CHUNK_PIXELS - start)
    mask = (1 << 8 * CHUNK_PIXELS) - 1
    found = f"shr({shift}, word)" if start == 0 else f"and(word, {mask << shift:#x})"
    value = ""
    for at in range(start, start + CHUNK_PIXELS, 2):
        pair = f"add(mul(byte({at}, word), rho), byte({at + 1}, word))"
        value = f"add({pair}, mulmod(rho2, {value}, {FIELD}))" if value else pair
    return [
        f"pixels := mulmod(pixels, rho{CHUNK_PIXELS}, {FIELD})",
        f"if {found} {{",
        f"    pixels := add(pixels, {value})",
        "}",
    ]
