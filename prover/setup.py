"""The prover's commitment key: the ceremony's G1 powers, and for each domain its Lagrange basis with blinding points.

`setup.bin` holds, uncompressed, [tau^i]_1 for i < 4096, then [L_i(tau)]_1 for n = 1024, 2048 and 512. It is derived from
`trusted_setup.txt` by `python -m zkpredict.prover.setup` and pinned here by its sha256; a test derives it again. `commit` also
checks by pairings that it is a key: `check_key`.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from functools import cache
from threading import Lock

from zkpredict.circuits.gadgets.bytes import TABLE
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.kernel import G1, G2, Bases, Vector, pairing_check
from zkpredict.verifier.ceremony import CODES_COMMITMENTS, G1_POWERS, TABLE_COMMITMENT, TAU_G2, parse_ceremony

FOLDER = os.path.join(os.path.dirname(__file__), "ceremony")
SETUP_SHA256 = "822778826acbcfa6d7080145a28b85545cdbdcb265e769bbffdfd8491cbf8ae6"

TABLES_FROM = 8
"""The proof, of one shape and in one process, from which on the key has tables."""

_POINT_BYTES = 96
_proofs: Counter[tuple[int, int, int]] = Counter()
_counting = Lock()
SETUP_DOMAINS = (1024, 2048, 512)
"""The domains with a Lagrange basis in the file, in its order."""


@cache
def _setup_bytes() -> bytes:
    data = read_file(os.path.join(FOLDER, "setup.bin"), "commitment key")
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
def lagrange_key(domain: int, blinders: int = 0) -> Bases:
    """[L_i(tau)]_1 for i < n, then the blinding points [tau^k (tau^n - 1)]_1 for k < `blinders`."""
    start = G1_POWERS + sum(n for n in SETUP_DOMAINS[: SETUP_DOMAINS.index(domain)])
    powers = monomial_key()
    blinding = [powers[domain + k] - powers[k] for k in range(blinders)]
    return Bases.concat([_section(start, domain), Bases(blinding)])


def announce_proof(domain: int, blinders: int, longest: int) -> None:
    """To be called before each proof over n = `domain` rows whose polynomials have at most `longest` coefficients.

    Tables of the key make a proof a fifth faster and take as long to make as `TABLES_FROM` proofs save: so a process that has made
    that many gets them, one that proves once never waits for them. They take some 2 kB a point.
    """
    shape = domain, blinders, longest
    with _counting:
        _proofs[shape] += 1
        due = _proofs[shape] == TABLES_FROM
    if due:
        lagrange_key(domain, blinders).precompute(domain + blinders)
        monomial_key().precompute(min(longest, G1_POWERS))


@cache
def check_key(domain: int) -> None:
    """Checks, once a process, that the key is the powers of the secret behind the verifier's [tau]_2, and their Lagrange basis.

    Batched with powers of a number c hashed from key and constants: a key that is wrong anywhere passes with chance below
    4096/r. Raises `MalformedFile`.
    """
    from zkpredict.circuits.wide.keys import TABLES  # late: proofs in compact circuits need none of these

    powers, lagrange = monomial_key(), lagrange_key(domain)
    challenge = int.from_bytes(hashlib.sha512(_setup_bytes() + TAU_G2 + TABLE_COMMITMENT + b"".join(CODES_COMMITMENTS.values())).digest(), "big") % MODULUS
    weights = Vector.powers(challenge, G1_POWERS - 1)
    if powers[0] != G1.generator():
        raise _wrong_key("does not start at the generator")
    # e(sum c^i [tau^(i+1)], [1]) = e(sum c^i [tau^i], [tau])
    above, below = powers[1:].msm(weights), powers.msm(weights)
    if not pairing_check([(above, G2.generator()), (-below, G2.from_compressed(TAU_G2))]):
        raise _wrong_key("is not the powers of the ceremony's secret")
    # sum c^i [L_i(tau)] = sum of the coefficients of the polynomial with the values c^i
    if lagrange.msm(weights[:domain]) != powers.msm(weights[:domain].intt()):
        raise _wrong_key(f"has another Lagrange basis for {domain} rows")
    for name, values in {"table": TABLE, **TABLES}.items():
        expected = TABLE_COMMITMENT if name == "table" else CODES_COMMITMENTS[name]
        if powers.msm(Vector.from_ints(list(values)).intt()).to_compressed() != expected:
            raise _wrong_key(f"gives the lookup table `{name}` another commitment")


def _wrong_key(reason: str) -> MalformedFile:
    return MalformedFile(f"commitment key {reason}: reinstall zkpredict")


def derive_setup(ceremony_file: bytes) -> bytes:
    """`setup.bin` from the ceremony file: every point checked, Lagrange bases by a group transform. A few seconds."""
    powers = Bases.from_compressed(b"".join(parse_ceremony(ceremony_file).g1_powers))
    return powers.to_uncompressed() + b"".join(powers.lagrange(n).to_uncompressed() for n in SETUP_DOMAINS)


if __name__ == "__main__":
    write_atomically(os.path.join(FOLDER, "setup.bin"), derive_setup(read_file(os.path.join(FOLDER, "trusted_setup.txt"), "ceremony file")))
