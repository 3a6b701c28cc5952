"""Scores on registered test sets for the independent verifier, written from docs/batches.md: the set's id byte by byte, weights by counting
packs, what is left of the set's polynomial term by term.

It takes from the circuit where lanes lie and nothing that evaluates, as `independent_batch` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from py_ecc.optimized_bls12_381 import curve_order as ORDER

from zkpredict.circuits.batch.registered import RegisteredBatch
from zkpredict.circuits.errors import MalformedFile
from zkpredict.verifier.batch import BatchPart, refuse_other_model
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.independent import Claim, Point, Roots, chain, check_claims, check_point, decode_point, keccak256, opening_claims
from zkpredict.verifier.independent_batch import batch_values, image_exponents
from zkpredict.verifier.independent_wide import PACK_STARTS, strides_of
from zkpredict.verifier.registered import RegisteredScore
from zkpredict.verifier.score import BEFORE_BATCH
from zkpredict.verifier.testset import RegisteredSet


def verify_registered(commitment_bytes: bytes, set_bytes: bytes, score_bytes: bytes, context: bytes = b"") -> int:
    """Returns on how many inputs of the registered set the committed network says what their labels say, as the score proves, which was
    made for `context` (32 bytes, or none).

    Raises `MalformedFile` for the commitment and the set, else `MalformedProof`, `WrongStatement` or `FailedOpening`, as native does.
    """
    commitment = ModelCommitment.from_bytes(commitment_bytes, decode_point)
    tests = RegisteredSet.from_bytes(set_bytes, decode_point)
    refuse_other_model(score_bytes[BEFORE_BATCH:], commitment)
    score = RegisteredScore.from_bytes(score_bytes, decode_point, commitment.circuit)
    model_id = keccak256(keccak256(b"zkpredict model v1", commitment.circuit.digest), *(row.to_uncompressed() for row in commitment.rows))
    if score.proof.model_id != model_id:
        raise WrongStatement(f"the proof is for model {score.proof.model_id.hex()}, the commitment is of model {model_id.hex()}")
    if tests.size != commitment.circuit.inputs:
        raise WrongStatement(f"the test set has inputs of {tests.size} bytes, the circuit takes {commitment.circuit.inputs}")
    for number, label in enumerate(tests.labels):
        if label >= commitment.circuit.classes:
            raise WrongStatement(f"label {number} is {label}, the network has {commitment.circuit.classes} classes")
    name = set_id(tests)
    if score.set_id != name:
        raise WrongStatement(f"the score is of test set {score.set_id.hex()}, these inputs and labels are {name.hex()}")
    if len(score.proof.classes) != len(tests.labels):
        raise WrongStatement(f"the score is of {len(score.proof.classes)} inputs, the test set has {len(tests.labels)}")
    if len(context) not in (0, 32):
        raise WrongStatement(f"the context has {len(context)} bytes, expected 32 or none")
    first, m = 0, places(tests.size)
    for part in score.proof.parts:
        end = first + len(part.classes)
        if first % m or end % m and end != len(tests.labels):
            raise WrongStatement(f"inputs {first} to {end - 1} of the set are no whole polynomials: each holds {m}")
        points = tests.points[first // m :][: -(-len(part.classes) // m)]
        _check_part(commitment, cast("Sequence[Point]", points), name, first, part, context)
        first = end
    right = [one for one, label in zip(score.proof.classes, tests.labels, strict=True) if one == label]
    if score.right != len(right):
        raise WrongStatement(f"the score says {score.right} right answers, its classes give {len(right)}")
    return score.right


def set_id(tests: RegisteredSet) -> bytes:
    """The name of a set: sizes, labels and points."""
    labels = keccak256(*(label.to_bytes(2, "big") for label in tests.labels))
    points = [bytes(16) + half for point in tests.points for half in (point.to_uncompressed()[:48], point.to_uncompressed()[48:])]
    return keccak256(b"zkpredict registered set v1", len(tests.labels).to_bytes(4, "big"), tests.size.to_bytes(4, "big"), labels, *points)


def places(size: int) -> int:
    """How many inputs of `size` bytes share a point."""
    if not 1 <= size <= 4096:
        raise MalformedFile(f"test set: inputs of {size} bytes, expected at most 4096")
    m = 1
    while m < 64 and 2 * m * size <= 4096:
        m *= 2
    return m


def _check_part(commitment: ModelCommitment, points: Sequence[Point], name: bytes, first: int, part: BatchPart, context: bytes) -> None:
    circuit = RegisteredBatch.of(commitment.circuit, len(part.classes))
    for number, digit in enumerate(part.classes):
        if digit >= circuit.classes:
            raise WrongStatement(f"input {number} is said to be of class {digit}, which is not one of the {circuit.classes} classes")
    said = b"".join(digit.to_bytes(2, "big") for digit in part.classes)
    statement = len(part.classes).to_bytes(4, "big") + first.to_bytes(4, "big") + said + name + context
    label = keccak256(b"zkpredict registered batch v1", circuit.digest)
    challenges = chain(keccak256(label, part.model_id, statement), part)
    check_point(circuit, challenges)
    alpha, rho, m = challenges["alpha"], challenges["rho"], places(circuit.inputs)
    within, apart = weights(circuit, m, len(points))
    stated = tuple(part.scalars[f"input_{place}"] for place in range(m))
    publics = batch_values(circuit, None, part.classes, alpha, rho) | _inputs(circuit, within, stated, alpha, rho)
    claims = opening_claims(commitment, part, challenges, publics, batch=circuit)
    folded = [(point, pow(alpha, exponent, ORDER)) for point, exponent in zip(points, apart, strict=True)]
    check_claims([*claims, Claim(folded, {Roots(rho, m): stated})], part, challenges)


def weights(circuit: RegisteredBatch, m: int, count: int) -> tuple[list[int], list[int]]:
    """Exponents of the places in a polynomial, the least of them zero, and of the `count` polynomials: together those of every input."""
    exponents = image_exponents(circuit, count * m)
    within = [exponent - min(exponents[:m]) for exponent in exponents[:m]]
    apart = [exponents[m * number] - within[0] for number in range(count)]
    return within, apart


def _inputs(circuit: RegisteredBatch, within: Sequence[int], stated: Sequence[int], alpha: int, point: int) -> dict[str, int]:
    """The sum of all inputs at 1/point from what is stated of it, behind the sum of all weights, again for each pack of a row."""
    n, found = circuit.domain, {}
    one = sum(pow(alpha, exponent, ORDER) for exponent in image_exponents(circuit))
    met = sum(pow(alpha, exponent, ORDER) * value for exponent, value in zip(within, stated, strict=True))
    block = one + met * pow(point, -1, ORDER)
    share = max(1, (n - 1) // (circuit.inputs + 1))
    for number, stride in enumerate(strides_of(circuit.model)):
        ratio = pow(alpha, len(PACK_STARTS) * stride, ORDER)
        terms = [pow(ratio, pack, ORDER) * block * pow(point, n - pack * (circuit.inputs + 1), ORDER) for pack in range(share)]
        whole = sum(terms) + one * (1 - pow(point, n, ORDER))  # the very first term has X^0, not X^n
        found[f"inputs_{number}_0"] = whole * pow(n, -1, ORDER) % ORDER
    return found
