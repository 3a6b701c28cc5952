"""The prover's commitment key: the ceremony's G1 powers, and for each domain its Lagrange basis with four blinding points.

`setup.bin` holds, uncompressed, [tau^i]_1 for i < 4096, then [L_i(tau)]_1 for n = 1024 and n = 2048. It is derived from
`trusted_setup.txt` by `python -m zkpredict.prover.setup` and pinned here by its sha256; a test derives it again.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files import read_file, write_atomically
from zkpredict.circuits.layout import DOMAINS
from zkpredict.kernel import Bases
from zkpredict.verifier.ceremony import G1_POWERS, parse_ceremony

FOLDER = Path(__file__).parent / "ceremony"
SETUP_SHA256 = "15dc59bfa9da9d6ada1f84d02ca79f28eef212557fef43ed9866a8c1b371450c"
BLINDERS = 4
"""Random coefficients in each column's blinding: one for each linear value a proof fixes (at rho, omega rho, tau, omega tau)."""

_POINT_BYTES = 96


@cache
def _setup_bytes() -> bytes:
    data = read_file(FOLDER / "setup.bin", "commitment key")
    found = hashlib.sha256(data).hexdigest()
    if found != SETUP_SHA256:
        raise MalformedFile(f"commitment key has sha256 {found}, expected {SETUP_SHA256}: reinstall zkpredict")
    return data


def _section(start: int, count: int) -> Bases:
    data = _setup_bytes()[start * _POINT_BYTES : (start + count) * _POINT_BYTES]
    return Bases.from_uncompressed(data, subgroup_check=False)


@cache
def monomial_key() -> Bases:
    """[tau^i]_1 for i < 4096."""
    return _section(0, G1_POWERS)


@cache
def lagrange_key(domain: int) -> Bases:
    """[L_i(tau)]_1 for i < n, then the blinding points [tau^k (tau^n - 1)]_1 for k < 4."""
    start = G1_POWERS + sum(n for n in DOMAINS if n < domain)
    powers = monomial_key()
    blinding = [powers[domain + k] - powers[k] for k in range(BLINDERS)]
    return Bases.concat([_section(start, domain), Bases(blinding)])


def derive_setup(ceremony_file: bytes) -> bytes:
    """`setup.bin` from the ceremony file: every point checked, Lagrange bases by a group transform. A few seconds."""
    powers = Bases.from_compressed(b"".join(parse_ceremony(ceremony_file).g1_powers))
    return powers.to_uncompressed() + b"".join(powers.lagrange(n).to_uncompressed() for n in DOMAINS)


if __name__ == "__main__":
    write_atomically(FOLDER / "setup.bin", derive_setup(read_file(FOLDER / "trusted_setup.txt", "ceremony file")))
