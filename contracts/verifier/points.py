"""Points as Yul: constants of the curve written to memory in the form of EIP-2537, and the search for a point at infinity."""

from __future__ import annotations

from zkpredict.contracts.chain.precompiles import FIELD_PRIME
from zkpredict.contracts.chain.rules import padded
from zkpredict.contracts.verifier.encoding import ONCHAIN_POINT_BYTES, FinalCheck
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.kernel import G1, G2
from zkpredict.verifier.native import FIXED_COLUMNS


MAX_UNROLLED = 1 << 16


def copy_points(fixed: tuple[str, ...], absorbed: tuple[str, ...], check: FinalCheck, unrolled: int = MAX_UNROLLED) -> list[str]:
    """Fixed points and the proof's into the multi-scalar multiplication, and whether one of the latter is at infinity. More than
    `unrolled` points are copied by a loop."""
    lines = []
    for name in fixed:
        lines += stored(name.upper(), 0, padded(G1.from_compressed(FIXED_COLUMNS[name])))
    places = {name: f"add(PROOF_AT, {ONCHAIN_POINT_BYTES * number})" for number, name in enumerate(absorbed)}
    if check is FinalCheck.PAIRING:
        lines += stored("GENERATOR", 0, padded(G1.generator()))
        places["final"] = "FINAL_AT"
    lines.append("// infinite: some x is 0 modulo 2^256; the search below looks at all of it")
    if by_loop := len(absorbed) > unrolled:
        lines += ["let infinite := 0", *_copied_by_loop(absorbed)]
        places = {name: place for name, place in places.items() if name not in absorbed}
    for number, (name, place) in enumerate(places.items()):
        point = name.upper()
        nowhere = f"iszero(mload(add({point}, 32)))"
        lines += [
            f"calldatacopy(add({point}, 16), {place}, 48)",
            f"calldatacopy(add({point}, 80), add({place}, 48), 48)",
            f"infinite := or(infinite, {nowhere})" if number or by_loop else f"let infinite := {nowhere}",
        ]
    return [*lines, *locate_infinity(absorbed[0].upper(), len(absorbed) + (check is FinalCheck.PAIRING), check)]


def _copied_by_loop(absorbed: tuple[str, ...]) -> list[str]:
    return [
        "{",
        "    let from := PROOF_AT",
        f"    for {{ let to := {absorbed[0].upper()} }} lt(from, SCALARS_AT) {{ to := add(to, STRIDE) }} {{",
        "        calldatacopy(add(to, 16), from, 48)",
        "        calldatacopy(add(to, 80), add(from, 48), 48)",
        "        infinite := or(infinite, iszero(mload(add(to, 32))))",
        f"        from := add(from, {ONCHAIN_POINT_BYTES})",
        "    }",
        "}",
    ]


def locate_infinity(first: str, count: int, check: FinalCheck) -> list[str]:
    """Sets `wrong` to 1 + index of the first of `count` points, from the place `first` on, that is at infinity."""
    lines = [
        f"// wrong = 1 + i for the first of the {count} points, from {first.lower()} on, with x == 0",
        "if infinite {",
        f"    for {{ let i := 0 }} lt(i, {count}) {{ i := add(i, 1) }} {{",
        f"        let x := add({first}, mul(i, STRIDE))",
        "        if iszero(or(mload(x), mload(add(x, 32)))) {",
        "            wrong := add(i, 1)",
        "            break",
        "        }",
        "    }",
        "}",
    ]
    if check is FinalCheck.POINT_EVALUATION:
        lines.append(f"// wrong = {count + 1} for the flag `infinity` of the compressed last point")
        lines.append(f"if and(byte(0, calldataload(FINAL_AT)), 0x40) {{ wrong := {count + 1} }}")
    return lines


def stored(area: str, offset: int, data: bytes) -> list[str]:
    """Writes constant `data` to memory, word by word; zero words need no writing."""
    lines = []
    for start in range(0, len(data), WORD_BYTES):
        word = data[start : start + WORD_BYTES]
        place = f"add({area}, {offset + start})" if offset + start else area
        if any(word):
            lines.append(f"mstore({place}, 0x{word.hex()})")
    return lines


def padded_g2(point: G2, negated: bool = False) -> bytes:
    """A point of G2 as EIP-2537 takes it: x.c0, x.c1, y.c0, y.c1 in 64 bytes each."""
    raw = point.to_uncompressed()
    x1, x0, y1, y0 = (int.from_bytes(raw[start : start + 48], "big") for start in range(0, 192, 48))
    if negated:
        y0, y1 = -y0 % FIELD_PRIME, -y1 % FIELD_PRIME
    return b"".join(value.to_bytes(64, "big") for value in (x0, x1, y0, y1))
