"""Pieces of Solidity and Yul that the contracts of all circuits are put together from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from zkpredict.circuits.field import MODULUS
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.lowering import FIELD, Value
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.points import padded_g2, stored
from zkpredict.contracts.verifier.symbolic import Symbol, inverse_name
from zkpredict.kernel import G2
from zkpredict.verifier.ceremony import TAU_G2

SOURCES = Path(__file__).resolve().parent / "solidity"
GENERATED = Path(__file__).resolve().parent / "generated"
STRIDE = 160
"""Bytes of a term of the multi-scalar multiplication: a point and its scalar (EIP-2537)."""
POINT_BYTES = 96
SCALAR_OFFSET = 128


INVERSION_BYTES = 192
"""What an inversion, and the check of the last opening, take at STATE."""


def batch_inversion(names: list[str], words: Mapping[str, Value], reserve: Callable[[str], str]) -> list[str]:
    """Statements that invert the values called `names`, into words that `reserve` gives for the names of their inverses."""
    partial = [words[names[0]].text]
    lines = []
    for number, name in enumerate(names[1:]):
        place = reserve(f"partial_{number}")
        lines.append(f"mstore({place}, mulmod({partial[-1]}, {words[name].text}, {FIELD}))")
        partial.append(f"mload({place})")
    lines += inverse_of(partial[-1])
    for number in reversed(range(len(names))):
        name = inverse_name(names[number])
        if number:
            lines.append(f"mstore({reserve(name)}, mulmod(inverse, {partial[number - 1]}, {FIELD}))")
            lines.append(f"inverse := mulmod(inverse, {words[names[number]].text}, {FIELD})")
        else:
            lines.append(f"mstore({reserve(name)}, inverse)")
    return lines


def inversion_loop(area: str, partials: str, size: int) -> list[str]:
    """Statements that invert the `size` bytes of words from `area` on in their places."""
    return [
        "let product := 1",
        f"for {{ let place := 0 }} lt(place, {size}) {{ place := add(place, {WORD_BYTES}) }} {{",
        f"    mstore(add({partials}, place), product)",
        f"    product := mulmod(product, mload(add({area}, place)), {FIELD})",
        "}",
        *inverse_of("product"),
        f"for {{ let place := {size} }} place {{ }} {{",
        f"    place := sub(place, {WORD_BYTES})",
        f"    let value := mload(add({area}, place))",
        f"    mstore(add({area}, place), mulmod(inverse, mload(add({partials}, place)), {FIELD}))",
        f"    inverse := mulmod(inverse, value, {FIELD})",
        "}",
    ]


def inverse_of(value: str) -> list[str]:
    """Sets `inverse`, and `done` when it is one."""
    return [
        "mstore(STATE, 32)",
        "mstore(add(STATE, 32), 32)",
        "mstore(add(STATE, 64), 32)",
        f"mstore(add(STATE, 96), {value})",
        f"mstore(add(STATE, 128), sub({FIELD}, 2))",
        f"mstore(add(STATE, 160), {FIELD})",
        "done := staticcall(gas(), 0x05, STATE, 192, 0x00, 32)",
        "done := and(done, eq(returndatasize(), 32))",
        "let inverse := mload(0x00)",
        "done := and(done, iszero(iszero(inverse)))",
    ]


def padding_lines(parts: Mapping[str, tuple[str, int]]) -> list[str]:
    """Whether the bytes that fill the last words of image and proof are zero. `parts`: where each starts and its length, by name."""
    words = [
        f"shr({8 * (WORD_BYTES - -size % WORD_BYTES)}, calldataload(add({place}, {size})))"
        for place, size in parts.values()
        if size % WORD_BYTES
    ]
    return [f"canonical := and(canonical, iszero({f'or({words[0]}, {words[1]})' if len(words) > 1 else words[0]}))"] if words else []


def word_aligned(size: int) -> int:
    """`size` bytes in whole words."""
    return -(-size // WORD_BYTES) * WORD_BYTES


def part(name: str) -> str:
    """A piece of Solidity that several templates contain."""
    return (SOURCES / f"{name}.sol.part").read_text(encoding="utf-8").rstrip()


def named_parts(name: str) -> dict[str, str]:
    """Pieces of Solidity by name, from one file: each stands behind a line `@name`."""
    found: dict[str, str] = {}
    for piece in part(name).removeprefix("@").split("\n@"):
        own, _, text = piece.partition("\n")
        found[own] = text
    return found


def opens(check: FinalCheck) -> str:
    """The function that checks the last opening."""
    if check is FinalCheck.POINT_EVALUATION:
        return part("point_evaluation")
    constants = {
        "minus_generator": stored("PAIRS", 128, padded_g2(G2.generator(), negated=True)),
        "tau": stored("PAIRS", 512, padded_g2(G2.from_compressed(TAU_G2))),
    }
    return Template(part("pairing")).substitute({name: indented(lines) for name, lines in constants.items()})


def indented(lines: list[str], spaces: int = 12) -> str:
    """Statements as they stand in an assembly block of a function."""
    return "\n".join(" " * spaces + line for line in lines)


@dataclass(frozen=True)
class Lookup:
    """Names to formulas, as the mapping that `OpenedCells` reads."""

    formula: Callable[[str], Symbol]

    def __getitem__(self, name: str) -> Symbol:
        return self.formula(name)


def read(place: str, bound: int = MODULUS) -> Value:
    return Value(f"mload({place})", bound, 0)
