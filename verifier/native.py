"""The native verifier: one multi-scalar multiplication (18 points for 784-64-10 on 1024 rows) and one pairing equation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zkpredict.circuits.field import MODULUS, powers
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.constraints import row_column
from zkpredict.kernel import G1, G2, pairing_check
from zkpredict.verifier.ceremony import TABLE_COMMITMENT, TAU_G2
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.messages import Proof
from zkpredict.verifier.opening import ConstraintChallenges, fold, linearise
from zkpredict.verifier.transcript import Transcript


@dataclass(frozen=True)
class Challenges:
    """Every challenge of one proof, in the order in which they are drawn."""

    constraints: ConstraintChallenges
    nu: int
    zeta: int


def parse_proof(data: bytes) -> Proof:
    """Proof bytes to a `Proof` with kernel points, all checked. Raises `MalformedProof`."""
    return Proof.from_bytes(data, G1.from_compressed)


def check_statement(circuit: Circuit, image: bytes, digit: int) -> None:
    """Refuses an image of another size and a digit that is no class. Raises `WrongStatement`."""
    if len(image) != circuit.inputs:
        raise WrongStatement(f"the image has {len(image)} bytes, the circuit takes {circuit.inputs}")
    if not 0 <= digit < circuit.classes:
        raise WrongStatement(f"the digit {digit} is not one of the {circuit.classes} classes")


def image_bytes(image: bytes | np.ndarray) -> bytes:
    """`image` as bytes, row by row. A uint8 array may have any shape. Raises `WrongStatement` for anything else."""
    if isinstance(image, (bytes, bytearray, memoryview)):
        return bytes(image)
    if isinstance(image, np.ndarray) and image.dtype == np.uint8:
        return image.tobytes()
    kind = f"{image.dtype} array" if isinstance(image, np.ndarray) else type(image).__name__
    raise WrongStatement(f"the image must be bytes or a uint8 array, got {kind}")


def derive_challenges(circuit: Circuit, image: bytes, proof: Proof) -> Challenges:
    """Runs the transcript over a proof."""
    transcript = Transcript(circuit.digest, proof.model_id, proof.digit, image)
    transcript.absorb(proof.trace.absorbed())
    alpha, beta = transcript.challenge(), transcript.second_challenge()
    transcript.absorb(proof.sums.absorbed())
    delta = transcript.challenge()
    transcript.absorb(proof.quotient.absorbed())
    rho = transcript.point_challenge()
    transcript.absorb(proof.evaluations.absorbed())
    nu = transcript.challenge()
    transcript.absorb(proof.opening.absorbed())
    return Challenges(ConstraintChallenges(alpha, beta, delta, rho), nu, transcript.challenge())


def verify(commitment: ModelCommitment, image: bytes | np.ndarray, proof: Proof) -> None:
    """Accepts by returning: the network under `commitment` gives `image` (bytes, or uint8) the class `proof.digit`.

    Raises `WrongStatement` or `FailedOpening`. protocol.md, "What the verifier checks".
    """
    circuit = commitment.circuit
    if proof.model_id != commitment.model_id:
        raise WrongStatement(
            f"the proof is for model {proof.model_id.hex()}, the commitment is of model {commitment.model_id.hex()}"
        )
    image = image_bytes(image)
    check_statement(circuit, image, proof.digit)
    challenges = derive_challenges(circuit, image, proof)
    rho, alpha = challenges.constraints.rho, challenges.constraints.alpha
    if rho == 0 or pow(rho, circuit.domain, MODULUS) == 1:
        raise FailedOpening("the challenge point rho is zero or fell into the domain")
    linearisation = linearise(circuit, image, proof.digit, challenges.constraints, proof.evaluations)
    claim = fold(circuit, linearisation, proof.evaluations, rho, challenges.nu, challenges.zeta)

    columns = committed_columns(proof)
    terms = [(columns[name], scalar) for name, scalar in claim.columns.items() if name in columns]
    for layer, points in enumerate(rows_by_layer(commitment)):
        weights = powers(alpha, circuit.first_equation(circuit.layers))[circuit.first_equation(layer) :]
        scale = claim.columns[row_column(layer)]
        terms += [(row, scale * w % MODULUS) for row, w in zip(points, weights[:: circuit.packs_per_row(layer)])]
    terms.append((proof.opening.opening, claim.opening))
    terms.append((G1.generator(), -claim.value % MODULUS))
    terms.append((proof.final, challenges.zeta))
    folded = G1.linear_combination([point for point, _ in terms], [scalar for _, scalar in terms])
    # e(L - [value] + zeta final, [1]) = e(final, [tau])
    if not pairing_check([(folded, G2.generator()), (-proof.final, G2.from_compressed(TAU_G2))]):
        raise FailedOpening("the opening does not match: the claim is false, or the proof was made for another statement")


def committed_columns(proof: Proof) -> dict[str, G1]:
    """The commitment of every column but the weight rows."""
    return {
        "limb": proof.trace.limb,
        "horner": proof.trace.horner,
        "cell": proof.trace.cell,
        "linear": proof.sums.linear,
        "lookup": proof.sums.lookup,
        "quotient": proof.quotient.quotient,
        "table": G1.from_compressed(TABLE_COMMITMENT),
    }


def rows_by_layer(commitment: ModelCommitment) -> list[tuple[G1, ...]]:
    """The commitment's rows, split by layer."""
    found, start = [], 0
    for layer in range(commitment.circuit.layers):
        count = commitment.circuit.row_count(layer)
        found.append(commitment.rows[start : start + count])
        start += count
    return found
