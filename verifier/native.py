"""The native verifier: one multi-scalar multiplication (18 points for 784-64-10 on 1024 rows) and one pairing equation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np

from zkpredict.circuits.columns import Form, Origin
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.order import Picture, check_order
from zkpredict.circuits.placement import COMPACT_FORM, AnyCircuit, form
from zkpredict.circuits.statement import CONTEXT_BYTES, Statement
from zkpredict.circuits.wide.claims import LOGIT_LIMIT
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.kernel import G1, G2, pairing_check
from zkpredict.verifier.ceremony import CODES_COMMITMENTS, TABLE_COMMITMENT, TAU_G2
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.messages import Proof, derive_challenges
from zkpredict.verifier.opening import Fold, fold, linearise

FIXED_COLUMNS = {"table": TABLE_COMMITMENT, **CODES_COMMITMENTS}
"""The commitments of the columns that are constants of the protocol, compressed."""


def parse_proof(data: bytes, shape: Form | ModelCommitment = COMPACT_FORM) -> Proof:
    """Proof bytes to a `Proof` with kernel points, all checked. `shape`: what proofs for the model look like, or the model's commitment.
    Raises `MalformedProof`."""
    return Proof.from_bytes(data, G1.from_compressed, form(shape.circuit) if isinstance(shape, ModelCommitment) else shape)


def statement_for(
    circuit: AnyCircuit, image: bytes | HiddenInput, digit: int, outputs: tuple[int, ...] = (), context: bytes = b""
) -> Statement:
    """"The network says `digit` about `image`", if the circuit can say so. Raises `WrongStatement` for an image of another size,
    a digit that is no class, public outputs that are not as many as the circuit's, out of range or have their largest elsewhere, a hidden input where the circuit
    takes a public one, or the reverse, and a context of another length than 32 bytes."""
    private = isinstance(circuit, WideCircuit) and circuit.private_input
    if isinstance(image, HiddenInput) != private:
        takes = "takes a hidden one (`zkpredict hide`)" if private else "takes a public one"
        raise WrongStatement(f"the input is {'public' if private else 'hidden'}, the circuit {takes}")
    size = image.inputs if isinstance(image, HiddenInput) else len(image)
    if size != circuit.inputs:
        raise WrongStatement(f"the image has {size} bytes, the circuit takes {circuit.inputs}")
    if isinstance(image, HiddenInput) and image.domain != circuit.domain:
        raise WrongStatement(f"the input is hidden on {image.domain} rows, the circuit has {circuit.domain}")
    if len(context) not in (0, CONTEXT_BYTES):
        raise WrongStatement(f"the context has {len(context)} bytes, expected {CONTEXT_BYTES} or none")
    if not 0 <= digit < circuit.classes:
        raise WrongStatement(f"the digit {digit} is not one of the {circuit.classes} classes")
    expected = form(circuit).outputs
    if len(outputs) != expected:
        raise WrongStatement(f"the proof states {len(outputs)} outputs, the circuit makes {expected} public")
    for number, value in enumerate(outputs):
        if abs(value) >= LOGIT_LIMIT:
            raise WrongStatement(f"output {number} is {value}, beyond {LOGIT_LIMIT - 1}")
    if outputs and digit != outputs.index(max(outputs)):
        raise WrongStatement(f"the digit is {digit}, the largest output is number {outputs.index(max(outputs))}")
    if isinstance(image, HiddenInput):
        return Statement(b"", digit, outputs, image.absorbed, context)
    return Statement(image, digit, outputs, context=context)


def image_bytes(image: bytes | np.ndarray, picture: Picture | None = None) -> bytes:
    """`image` as bytes, row by row. A uint8 array may have any shape, and that of the model's `picture` where it reads one. Raises `WrongStatement`
    for anything else."""
    if isinstance(image, (bytes, bytearray, memoryview)):
        return bytes(image)
    if isinstance(image, np.ndarray) and image.dtype == np.uint8:
        try:
            check_order(image.shape, picture, "the image")
        except UnusableInput as error:
            raise WrongStatement(str(error)) from None
        return image.tobytes()
    kind = f"{image.dtype} array" if isinstance(image, np.ndarray) else type(image).__name__
    raise WrongStatement(f"the image must be bytes or a uint8 array, got {kind}")


def check_names(commitment: ModelCommitment, proof: Proof) -> None:
    """Refuses a proof for another model, or with other parts than the circuit's proofs have. Raises `WrongStatement`."""
    if proof.model_id != commitment.model_id:
        raise WrongStatement(
            f"the proof is for model {proof.model_id.hex()}, the commitment is of model {commitment.model_id.hex()}"
        )
    check_form(proof, form(commitment.circuit))


def check_form(proof: Proof, expected: Form) -> None:
    """Refuses a proof with other parts than proofs of this form have. Raises `WrongStatement`."""
    if proof.form.rounds != expected.rounds:
        raise WrongStatement(
            f"the proof has {len(proof.points)} points and {len(proof.scalars)} scalars of another kind of circuit, "
            f"this one's proofs have {len(expected.points)} and {len(expected.scalars)}"
        )


def verify(commitment: ModelCommitment, image: bytes | np.ndarray | HiddenInput, proof: Proof, context: bytes = b"") -> None:
    """Accepts by returning: the network under `commitment` gives `image` (bytes, uint8, or a hidden input) the class `proof.digit`,
    and the proof was made for `context` (32 bytes, or none).

    Raises `WrongStatement` or `FailedOpening`. protocol.md, "What the verifier checks".
    """
    circuit = commitment.circuit
    check_names(commitment, proof)
    statement = statement_for(
        circuit, image if isinstance(image, HiddenInput) else image_bytes(image, circuit.picture), proof.digit, proof.outputs, context
    )
    check_opening(commitment, circuit, statement, proof, cast("tuple[G1, ...]", image.points) if isinstance(image, HiddenInput) else ())


def check_opening(
    commitment: ModelCommitment, circuit: AnyCircuit, statement: Statement, proof: Proof, hidden: tuple[G1, ...] = ()
) -> None:
    """The equations of one proof: `circuit` is that of the model, or a batch of it. Raises `FailedOpening`."""
    challenges = derive_challenges(circuit.digest, statement, proof)
    if challenges["rho"] == 0 or pow(challenges["rho"], circuit.domain, MODULUS) == 1:
        raise FailedOpening("the challenge point rho is zero or fell into the domain")
    linearisation = linearise(circuit, statement, challenges, proof.scalars)
    claim = fold(circuit, linearisation, proof.scalars, challenges)
    terms = column_terms(commitment, proof, claim, challenges, hidden, circuit)
    points = _kernel(proof)
    terms.append((points["opening"], claim.opening))
    terms.append((G1.generator(), -claim.value % MODULUS))
    terms.append((points["final"], challenges["zeta"]))
    folded = G1.linear_combination([point for point, _ in terms], [scalar for _, scalar in terms])
    # e(L - [value] + zeta final, [1]) = e(final, [tau])
    if not pairing_check([(folded, G2.generator()), (-points["final"], G2.from_compressed(TAU_G2))]):
        raise FailedOpening("the opening does not match: the claim is false, or the proof was made for another statement")


def column_terms(
    commitment: ModelCommitment, proof: Proof, claim: Fold[int], challenges: Mapping[str, int], hidden: tuple[G1, ...] = (),
    circuit: AnyCircuit | None = None,
) -> list[tuple[G1, int]]:
    """The folded columns as points and scalars: the proof's, the constants', the model's rows by powers of alpha, and the points
    of a hidden input, or of a registered set, in order. `circuit`: a batch of the model's, by default the model's own.

    Raises `ValueError` when the fold has a column that nothing commits to, or leaves one out.
    """
    alpha, points = challenges["alpha"], _kernel(proof)
    left, given = dict(claim.columns), iter(hidden)
    terms: list[tuple[G1, int]] = []
    for column in form(circuit or commitment.circuit).columns:
        if column.name not in left:
            raise ValueError(f"column {column.name} is not folded")
        scalar = left.pop(column.name)
        if column.origin is Origin.PROOF:
            terms.append((points[column.name], scalar))
        elif column.origin is Origin.FIXED:
            terms.append((G1.from_compressed(FIXED_COLUMNS[column.name]), scalar))
        elif column.origin is Origin.STATEMENT:
            terms += [(next(given), scalar * weight % MODULUS) for weight in statement_weights(circuit, alpha)]
        else:
            terms += [(row, scalar * weight % MODULUS) for row, weight in rows_of_column(commitment, column.name, alpha)]
    if left:
        raise ValueError(f"nothing commits to the folded columns {', '.join(left)}")
    return terms


def statement_weights(circuit: AnyCircuit | None, alpha: int) -> list[int]:
    """Of the points of which a column of the statement is made: one for that of a hidden input, powers of alpha for those of a set."""
    from zkpredict.circuits.batch.registered import RegisteredBatch  # late: few proofs are of registered sets

    return circuit.point_weights(alpha) if isinstance(circuit, RegisteredBatch) else [1]


def rows_of_column(commitment: ModelCommitment, name: str, alpha: int) -> list[tuple[G1, int]]:
    """A column of the model: its layer's row points, each with its power of alpha. Raises `ValueError` for a name that is none."""
    start = 0
    for column in commitment.circuit.row_columns:
        count = len(column.exponents)
        start -= count if column.again else 0
        if column.name == name:
            points = cast("tuple[G1, ...]", commitment.rows)[start : start + count]
            return list(zip(points, column.weights(alpha), strict=True))
        start += count
    raise ValueError(f"no layer has the column {name}")


def _kernel(proof: Proof) -> Mapping[str, G1]:
    """The points of a proof, which `parse_proof` decoded into the kernel's type; the kernel takes no other (TypeError)."""
    return cast("Mapping[str, G1]", proof.points)
