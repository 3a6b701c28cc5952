"""The Ethereum KZG ceremony (EIP-4844; 141,416 contributions): what a verifier needs of it, and its file's checked parser.

A verifier uses three constants: the generators and [tau]_2. `TABLE_COMMITMENT` is [T(tau)]_1 for the lookup table
T(w^i) = i on the subgroup of order 256. Tests recompute all of them from the ceremony file, which the prover ships.
"""

from __future__ import annotations


from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.layout import MAX_DEGREE
from zkpredict.circuits.records import dataclass

CEREMONY_SHA256 = "d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7"
G1_POWERS, G2_POWERS = MAX_DEGREE + 1, 65

TAU_G2 = bytes.fromhex(
    "b5bfd7dd8cdeb128843bc287230af38926187075cbfbefa81009a2ce615ac53d2914e5870cb452d2afaaab24f3499f72"
    "185cbfee53492714734429b7b38608e23926c911cceceac9a36851477ba4c60b087041de621000edc98edada20c1def2"
)
TABLE_COMMITMENT = bytes.fromhex(
    "a646f2f19e78809b93e8dc5cbfd654f0420b773c96e04a972d9b849a4e615111c96e045ae79d31b952ae278334d0718b"
)
CODES_COMMITMENTS = {
    "codes_relu": bytes.fromhex(
        "87f86f3cb34cde0849266ac295eb91fc255fe875b3199c095c5577b7d811e3aa035ac80eefb8b0444ec682e1a14655de"
    ),
    "codes_relu8": bytes.fromhex(
        "85933c2c50ebc1abee2671bea541d7fe7a15d0360d6eb439bea23898bd1847b190bbf04a552b25d194b615bb974f382d"
    ),
}
"""The same for the tables of wide circuits, on the subgroup of order 512 (`circuits.wide.keys`)."""


@dataclass(frozen=True)
class Ceremony:
    """Compressed points: `g1_powers` [tau^i]_1 for i < 4096 (48 bytes each), `g2_powers` [tau^i]_2 for i <= 64 (96 bytes each)."""

    g1_powers: tuple[bytes, ...]
    g2_powers: tuple[bytes, ...]


def parse_ceremony(data: bytes) -> Ceremony:
    """Parses the `trusted_setup.txt` of the ceremony after checking its sha256. Raises `MalformedFile`.

    Lines of hex: the two counts, then 4096 Lagrange G1 points (not used here), 65 G2 powers, 4096 G1 powers.
    """
    import hashlib  # late: who verifies needs the constants only

    found = hashlib.sha256(data).hexdigest()
    if found != CEREMONY_SHA256:
        raise MalformedFile(f"ceremony file has sha256 {found}, expected {CEREMONY_SHA256}")
    lines = data.decode("ascii").split()
    start = 2 + G1_POWERS
    g2_powers = lines[start : start + G2_POWERS]
    g1_powers = lines[start + G2_POWERS :]
    return Ceremony(tuple(map(bytes.fromhex, g1_powers)), tuple(map(bytes.fromhex, g2_powers)))
