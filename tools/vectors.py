"""Public test vectors by function, for whoever writes another verifier: `python -m zkpredict.tools.vectors` makes `vectors/*.json` anew.

Everything is derived from the stored proofs of `contracts/verifier/vectors.json`, by `zkpredict.tools.reading` (for wide circuits from
proofs stored in `tests/fuzz`, by `zkpredict.tools.wide_vectors`), so a run always gives the same bytes. Nothing is written that does not hold: the multiples of a fold satisfy the pairing equation, or are said not to;
both verifiers agree about every proof. `--check` compares with the files.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.storage import write_atomically
from zkpredict.contracts.verifier.vectors import StoredStatement, stored_statement
from zkpredict.kernel import G1, G2, pairing_check
from zkpredict.tools.reading import GENERATOR, ORDER, POINTS, SCALARS, fold, linearise, transcript
from zkpredict.tools.wide_vectors import check_wide_independently, wide_vectors
from zkpredict.verifier import independent, native
from zkpredict.verifier.ceremony import TABLE_COMMITMENT, TAU_G2
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import VerificationError

FOLDER = Path(__file__).resolve().parents[1] / "vectors"
MADE_BY = "python -m zkpredict.tools.vectors"
VALID = (("typical", 1024), ("empty", 2048))
_HEADER, _POINT, _SCALAR = 39, 48, 32
_BASE_FIELD = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
_OFF_CURVE = b"\x80" + bytes(46) + b"\x01"
_OUTSIDE = b"\x80" + bytes(46) + b"\x04"


class Parts:
    """A stored statement, its proof cut into points and scalars by their places in the file, and all that follows from it."""

    def __init__(self, statement: StoredStatement, data: bytes | None = None) -> None:
        self.statement, self.circuit = statement, statement.commitment.circuit
        self.data = statement.proof.to_bytes() if data is None else data
        scalars = self.data[_HEADER + _POINT * len(POINTS) :]
        self.points = {name: G1.from_compressed(self.data[at : at + _POINT]) for name, at in zip(POINTS, range(_HEADER, len(self.data), _POINT), strict=False)}
        self.scalars = {name: int.from_bytes(scalars[at : at + _SCALAR], "big") for name, at in zip(SCALARS, range(0, len(scalars), _SCALAR), strict=True)}
        self.digit = int.from_bytes(self.data[37:39], "little")
        raw = {name: point.to_uncompressed() for name, point in self.points.items()}
        self.said = transcript(self.circuit.digest, self.data[5:37], self.digit, statement.image, raw, self.scalars)
        self.challenges = self.said["challenges"]
        alpha, rho = self.challenges["alpha"], self.challenges["rho"]
        self.publics = independent.public_values(self.circuit, statement.image, self.digit, alpha, rho)
        self.linearised = linearise(self.circuit.layers, self.publics, self.challenges, self.scalars)
        exponents = independent.row_exponents(self.circuit)
        self.multiples = fold(self.circuit.domain, exponents, self.linearised, self.challenges, self.scalars)

    def holds(self) -> bool:
        """Whether e(sum of multiples, [1]) = e(W', [tau])."""
        named = dict(self.points) | {f"row{number}": row for number, row in enumerate(self.statement.commitment.rows)}
        named |= {"table": G1.from_compressed(TABLE_COMMITMENT), "generator": G1.generator()}
        total = G1.linear_combination([named[name] for name in self.multiples], list(self.multiples.values()))
        return pairing_check([(total, G2.generator()), (-self.points["final"], G2.from_compressed(TAU_G2))])


def _numbers(values: dict[str, int]) -> dict[str, str]:
    return {name: f"0x{value:064x}" for name, value in values.items()}


def _valid() -> list[Parts]:
    return [Parts(stored_statement(*name)) for name in VALID]


def _statement(parts: Parts) -> dict:
    return {"circuit": parts.circuit.to_bytes().hex(), "digit": parts.digit, "image": parts.statement.image.hex()}


def transcript_vectors() -> dict:
    """Bytes in, states and challenges out; and what three usual mistakes give instead."""
    cases, mistakes = [], []
    for parts in _valid():
        raw = {name: point.to_uncompressed() for name, point in parts.points.items()}
        about = (parts.circuit.digest, parts.data[5:37], parts.digit, parts.statement.image)
        given = {
            "circuit_digest": about[0].hex(), "model_id": about[1].hex(), "digit": about[2], "image": about[3].hex(),
            "points": {name: value.hex() for name, value in raw.items()}, "scalars": _numbers(parts.scalars),
        }  # fmt: skip
        states = [state.hex() for state in parts.said["states"]]
        cases.append({"given": given, "states": states, "challenges": _numbers(parts.challenges)})
        compressed = {name: point.to_compressed() for name, point in parts.points.items()}
        other_digit = transcript(*about[:2], about[2] << 240, about[3], raw, parts.scalars)
        third = int.from_bytes(parts.said["states"][3], "big")
        mistakes.append({
            "given": len(mistakes),
            "digit hashed little-endian: alpha": _numbers(other_digit["challenges"])["alpha"],
            "points hashed compressed: alpha": _numbers(transcript(*about, compressed, parts.scalars)["challenges"])["alpha"],
            "rho taken modulo r: rho": f"0x{third % ORDER:064x}",
        })
    return {"valid": cases, "invalid": mistakes}


def public_polynomial_vectors() -> dict:
    """Circuit, image, digit, alpha and a point in; the value of every public polynomial out. On a row there is no value: rho is refused."""
    cases = []
    for parts in _valid():
        asked = {name: parts.challenges[name] for name in ("alpha", "rho")}
        cases.append({"given": _statement(parts) | _numbers(asked), "values": _numbers(parts.publics)})
    rows = {"0": 0, "row 0": 1, "row 5 of 1024": pow(GENERATOR, (ORDER - 1) // 1024 * 5, ORDER)}
    refused = [{"rho": f"0x{point:064x}", "domain": 1024, "why": f"rho is {what}"} for what, point in rows.items()]
    return {"valid": cases, "invalid": refused}


def _linear_given(parts: Parts) -> dict:
    return {
        "layers": parts.circuit.layers, "publics": _numbers(parts.publics), "challenges": _numbers(parts.challenges),
        "scalars": _numbers(parts.scalars),
    }  # fmt: skip


def linearisation_vectors() -> dict:
    """Values in; the constant c and the coefficients of N (`here`) and M (`there`) out."""
    valid = [
        {"given": _linear_given(parts), "constant": f"0x{found.constant:064x}", "here": _numbers(found.here), "there": _numbers(found.there)}
        for parts in _valid()
        for found in [parts.linearised]
    ]
    wrong = [_linear_given(parts) | {"why": why, "constant": f"0x{found.constant:064x}"} for parts, why, found in _wrong_orders()]
    return {"valid": valid, "invalid": wrong}


def _wrong_orders() -> Iterator[tuple]:
    """What c would be, had somebody weighed the constraints in the opposite order."""
    for parts in _valid():
        turned = dict(parts.challenges, delta=pow(parts.challenges["delta"], -1, ORDER))
        yield parts, "constraints weighed by falling powers of delta, from delta^0", linearise(parts.circuit.layers, parts.publics, turned, parts.scalars)


def fold_vectors() -> dict:
    """Linearisation in; the multiple of every point out, and whether the pairing equation holds."""
    valid, invalid = [], []
    for parts in _valid():
        valid.append(_fold(parts))
        for name in SCALARS:
            at = _HEADER + _POINT * len(POINTS) + _SCALAR * SCALARS.index(name)
            changed = ((parts.scalars[name] + 1) % ORDER).to_bytes(_SCALAR, "big")
            wrong = Parts(parts.statement, parts.data[:at] + changed + parts.data[at + _SCALAR :])
            invalid.append(_fold(wrong) | {"why": f"the scalar {name} is one too large"})
    if not all(case["holds"] for case in valid) or any(case["holds"] for case in invalid):
        raise AssertionError("a fold says of a stored proof what it should not")
    return {"valid": valid, "invalid": invalid}


def _fold(parts: Parts) -> dict:
    rows = [row.to_compressed().hex() for row in parts.statement.commitment.rows]
    points = {name: point.to_compressed().hex() for name, point in parts.points.items()}
    given = {
        "domain": parts.circuit.domain, "row_exponents": independent.row_exponents(parts.circuit), "rows": rows, "points": points,
        "scalars": _numbers(parts.scalars), "challenges": _numbers(parts.challenges),
        "constant": f"0x{parts.linearised.constant:064x}", "here": _numbers(parts.linearised.here), "there": _numbers(parts.linearised.there),
    }  # fmt: skip
    return {"given": given, "multiples": _numbers(parts.multiples), "holds": parts.holds()}


def commitment_vectors() -> dict:
    """A commitment file in; circuit, digest and model id out, or a refusal."""
    valid, data = [], b""
    for parts in _valid():
        data, circuit = parts.statement.commitment.to_bytes(), parts.circuit
        valid.append({
            "file": data.hex(), "widths": list(circuit.widths), "lanes": list(circuit.lanes), "domain": circuit.domain,
            "circuit": circuit.to_bytes().hex(), "circuit_digest": circuit.digest.hex(), "model_id": parts.statement.commitment.model_id.hex(),
        })  # fmt: skip
    last = data[:-_POINT]
    refused = {
        "empty": b"", "another magic": b"zkpP" + data[4:], "a later format": data[:4] + b"\x02" + data[5:], "cut": data[:-1],
        "a byte more": data + b"\0", "a domain of 4096 rows": data.replace((2048).to_bytes(2, "little"), (4096).to_bytes(2, "little"), 1),
        "a row at infinity": last + b"\xc0" + bytes(47), "a row off the curve": last + _OFF_CURVE, "a row outside the subgroup": last + _OUTSIDE,
        "a row not compressed": last + bytes([data[-_POINT] & 0x7F]) + data[-_POINT + 1 :],
        "a coordinate not below p": last + (_BASE_FIELD | 1 << 383).to_bytes(_POINT, "big"),
    }  # fmt: skip
    return {"valid": valid, "invalid": [_refused_commitment(why, file) for why, file in refused.items()]}


def _refused_commitment(why: str, file: bytes) -> dict:
    for decode in (G1.from_compressed, independent.decode_point):
        try:
            ModelCommitment.from_bytes(file, decode)
        except MalformedFile:
            continue
        raise AssertionError(f"a commitment is accepted that should not be: {why}")
    return {"file": file.hex(), "why": why}


def proof_vectors() -> dict:
    """A commitment, an image and a proof in; the digit out, or the kind of refusal."""
    valid = []
    for parts in _valid():
        case = _proof_case(parts, parts.statement.image, parts.data)
        valid.append(case | {"digit": parts.digit})
        if _verdict(case) != "accepted":
            raise AssertionError("a stored proof is refused")
    parts = Parts(stored_statement(*VALID[0]))
    invalid = [_proof_case(parts, image, data) | {"why": why} for why, image, data in _forgeries(parts)]
    invalid.append(_proof_case(_valid()[1], parts.statement.image, parts.data) | {"why": "another model's proof"})
    for case in invalid:
        case["error"] = _verdict(case)
        if case["error"] == "accepted":
            raise AssertionError(f"a proof is accepted that should not be: {case['why']}")
    return {"valid": valid, "invalid": invalid}


def _proof_case(parts: Parts, image: bytes, data: bytes) -> dict:
    return {"commitment": parts.statement.commitment.to_bytes().hex(), "image": image.hex(), "proof": data.hex()}


def _verdict(case: dict) -> str:
    """The class of the native verifier's refusal; `accepted` without one."""
    commitment, image, proof = _files(case)
    return _outcome(lambda: native.verify(ModelCommitment.from_bytes(commitment, G1.from_compressed), image, native.parse_proof(proof)))


def check_independently(cases: Iterable[dict]) -> None:
    """Raises `AssertionError` unless the independent verifier says the same of each case of `proof.json`; a second for most."""
    for case in cases:
        said = _outcome(partial(independent.verify, *_files(case)))
        expected = case.get("error", "accepted")
        if said != expected:
            raise AssertionError(f"the verifiers disagree about {case.get('why', 'a valid proof')}: {expected}, {said}")


def _files(case: dict) -> tuple[bytes, bytes, bytes]:
    commitment, image, proof = (bytes.fromhex(case[name]) for name in ("commitment", "image", "proof"))
    return commitment, image, proof


def _outcome(check: Callable[[], object]) -> str:
    try:
        check()
    except VerificationError as error:
        return type(error).__name__
    return "accepted"


def _forgeries(parts: Parts) -> Iterator[tuple[str, bytes, bytes]]:
    """Why, image, proof: one for each thing that a verifier has to check."""
    image, data = parts.statement.image, parts.data
    scalars = _HEADER + _POINT * len(POINTS)

    def put(at: int, new: bytes) -> bytes:
        return data[:at] + new + data[at + len(new) :]

    yield "empty", image, b""
    yield "cut", image, data[:-1]
    yield "a byte more", image, data + b"\0"
    yield "another magic", image, put(0, b"zkpK")
    yield "another model id", image, put(5, bytes([data[5] ^ 1]))
    yield "no such class", image, put(37, b"\x0a\x00")
    yield "another digit", image, put(37, bytes([(data[37] + 1) % 10]))
    yield "another pixel", bytes([image[0] ^ 1]) + image[1:], data
    yield "a pixel less", image[:-1], data
    yield "a pixel more", image + b"\0", data
    for number, name in enumerate(POINTS):
        yield f"point {name} negated", image, put(_HEADER + _POINT * number, bytes([data[_HEADER + _POINT * number] ^ 0x20]))
    first = _HEADER
    yield "a point at infinity", image, put(first, b"\xc0" + bytes(47))
    yield "a point off the curve", image, put(first, _OFF_CURVE)
    yield "a point outside the subgroup", image, put(first, _OUTSIDE)
    yield "a point not compressed", image, put(first, bytes([data[first] & 0x7F]))
    yield "a coordinate not below p", image, put(first, (_BASE_FIELD | 1 << 383).to_bytes(_POINT, "big"))
    yield "points limb and horner swapped", image, put(first, data[first + _POINT : first + 2 * _POINT] + data[first : first + _POINT])
    for number, name in enumerate(SCALARS):
        at = scalars + _SCALAR * number
        yield f"scalar {name} plus one", image, put(at, ((parts.scalars[name] + 1) % ORDER).to_bytes(_SCALAR, "big"))
        if parts.scalars[name] + ORDER < 1 << 256:
            yield f"scalar {name} plus r: the same number, written otherwise", image, put(at, (parts.scalars[name] + ORDER).to_bytes(_SCALAR, "big"))
    yield "scalar limb is r", image, put(scalars, ORDER.to_bytes(_SCALAR, "big"))


FUNCTIONS: dict[str, Callable[[], dict]] = {
    "transcript": transcript_vectors,
    "public_polynomials": public_polynomial_vectors,
    "linearisation": linearisation_vectors,
    "fold": fold_vectors,
    "commitment": commitment_vectors,
    "proof": proof_vectors,
    "wide": wide_vectors,
}
"""What makes each file."""


def text_of(name: str) -> str:
    """The file `name`.json as it should be."""
    make = FUNCTIONS[name]
    return json.dumps({"made_by": MADE_BY, "about": make.__doc__, **make()}, indent=1) + "\n"


def main(argv: list[str] | None = None) -> int:
    """Writes all files, or compares them with `--check`: 0 when all is current, 1 when not."""
    parser = argparse.ArgumentParser(prog=MADE_BY, description=__doc__.split(":")[0])
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    arguments = parser.parse_args(argv)
    stale = []
    for name in FUNCTIONS:
        path, text = FOLDER / f"{name}.json", text_of(name)
        if arguments.check:
            stale += [] if path.is_file() and path.read_text(encoding="utf-8") == text else [path.name]
        else:
            FOLDER.mkdir(exist_ok=True)
            if name == "proof":
                made = json.loads(text)
                check_independently(made["valid"] + made["invalid"])
            if name == "wide":
                check_wide_independently()
            write_atomically(path, text.encode())
    print("\n".join(f"{name} is stale" for name in stale) or f"{len(FUNCTIONS)} files are {'current' if arguments.check else 'written'}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
