"""Batches for the independent verifier, written from docs/batches.md: weights by counting packs, every input term by term.

It takes from the circuit where lanes lie (`circuits.batch.layout`, `circuits.wide.geometry`) and nothing that evaluates.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from py_ecc.optimized_bls12_381 import curve_order as ORDER

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.batch import BatchPart, BatchProof, refuse_other_model
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.independent import chain, check_claims, check_point, decode_point, keccak256, opening_claims
from zkpredict.verifier.independent_compact import lagrange_basis
from zkpredict.verifier.independent_convolution import first_layer_values, has_kernels, lane_values
from zkpredict.verifier.independent_wide import (
    BIAS, BLOCK, LANE, LARGEST, PACK_STARTS, chunks_of, constants, fold_exponents, head_rows, shared_values, strides_of, weighted,
)  # fmt: skip
from zkpredict.verifier.score import Score


def verify_batch(commitment_bytes: bytes, inputs: Sequence[bytes], proof_bytes: bytes, contexts: Sequence[bytes] | bytes = b"") -> tuple[int, ...]:
    """Returns the classes that the committed network gives `inputs`, as the proof shows, which was made for `contexts` (32 bytes or none,
    for each part if they differ).

    Raises `MalformedFile` for the commitment, else `MalformedProof`, `WrongStatement` or `FailedOpening`, as native does.
    """
    commitment = ModelCommitment.from_bytes(commitment_bytes, decode_point)
    refuse_other_model(proof_bytes, commitment)
    proof = BatchProof.from_bytes(proof_bytes, decode_point, commitment.circuit)
    model_id = keccak256(keccak256(b"zkpredict model v1", commitment.circuit.digest), *(row.to_uncompressed() for row in commitment.rows))
    if proof.model_id != model_id:
        raise WrongStatement(f"the proof is for model {proof.model_id.hex()}, the commitment is of model {model_id.hex()}")
    if len(inputs) != len(proof.classes):
        raise WrongStatement(f"the proof is about {len(proof.classes)} inputs, there are {len(inputs)}")
    each = [contexts] * len(proof.parts) if isinstance(contexts, bytes) else contexts
    first = 0
    for part, context in zip(proof.parts, each, strict=True):
        _check_part(commitment, inputs[first : first + len(part.classes)], part, context)
        first += len(part.classes)
    return proof.classes


def _check_part(commitment: ModelCommitment, inputs: Sequence[bytes], part: BatchPart, context: bytes) -> None:
    circuit = BatchCircuit.of(commitment.circuit, len(inputs))
    for number, (data, digit) in enumerate(zip(inputs, part.classes, strict=True)):
        if len(data) != circuit.inputs:
            raise WrongStatement(f"input {number} has {len(data)} bytes, the circuit takes {circuit.inputs}")
        if digit >= circuit.classes:
            raise WrongStatement(f"input {number} is said to be of class {digit}, which is not one of the {circuit.classes} classes")
    if len(context) not in (0, 32):
        raise WrongStatement(f"the context has {len(context)} bytes, expected 32 or none")
    said = b"".join(digit.to_bytes(2, "big") for digit in part.classes)
    statement = len(inputs).to_bytes(4, "big") + said + b"".join(inputs) + context
    label = keccak256(b"zkpredict batch v1", circuit.digest)
    challenges = chain(keccak256(label, part.model_id, statement), part)
    check_point(circuit, challenges)
    publics = batch_values(circuit, inputs, part.classes, challenges["alpha"], challenges["rho"], challenges.get("eta", 0))
    check_claims(opening_claims(commitment, part, challenges, publics, batch=circuit), part, challenges)


def image_exponents(circuit: BatchCircuit, count: int | None = None) -> list[int]:
    """E_b of every slot of every stack, or of `count` inputs: what a model's packs and the rest of its rows reach apart, and three for each
    slot behind."""
    model = circuit.model
    apart = len(fold_exponents(model))
    if not isinstance(model, ConvCircuit):  # a kernel reaches its own packs only
        share = max(1, (model.domain - 1) // (model.inputs + 1))
        apart += (share - 1) * len(PACK_STARTS) * max(strides_of(model))
    stacks = range(circuit.stacks if count is None else -(-count // circuit.slots))
    found = [apart * stack + len(PACK_STARTS) * behind for stack in stacks for behind in reversed(range(circuit.slots))]
    return found if count is None else found[:count]


def batch_values(
    circuit: BatchCircuit, inputs: Sequence[bytes] | None, classes: Sequence[int], alpha: int, point: int, eta: int = 0
) -> dict[str, int]:
    """All public polynomials at a `point` outside the domain; `eta`: of circuits with a hidden convolution; without `inputs` all but
    theirs."""
    model, exponents = circuit.model, image_exponents(circuit)
    basis = lagrange_basis(model.domain, point)
    weights = [pow(alpha, exponent, ORDER) for exponent in exponents]
    said = [*classes, *(0 for _ in range(len(weights) - len(classes)))]

    @cache
    def constants_of(digit: int) -> int:
        return constants(model, digit, (), alpha)

    alone = ("winner", "nonnegative", "largest", "constants")
    found = {name: value for name, value in shared_values(model, 0, (), alpha, point, basis).items() if not name.startswith(alone)}
    every = sum(weight * constants_of(digit) for weight, digit in zip(weights, said, strict=True))
    found["constants"] = every * pow(model.domain, -1, ORDER) % ORDER
    found["stack_step"] = pow(alpha, exponents[circuit.slots] - exponents[0], ORDER) if circuit.stacks > 1 else _step(circuit, alpha)
    found["slot_lift"] = pow(alpha, exponents[0], ORDER)
    by_slot, by_stack = weights[: circuit.slots], [pow(alpha, e - exponents[0], ORDER) for e in exponents[:: circuit.slots]]
    for layer in range(1, model.layers):
        if not isinstance(model, ConvCircuit) or not (has_kernels(model, layer) or model.wired(layer).largest):
            found |= _reads(model, layer, by_slot, basis)
            found["stacks"] = sum(by_stack) % ORDER
    found |= _outputs(circuit, classes, by_slot, alpha, basis)
    if inputs is None:
        return found
    if not isinstance(model, ConvCircuit):
        return found | _inputs(circuit, inputs, weights, alpha, point)
    lanes = lane_values(model, alpha, eta, basis)
    if "correlation_bias" in lanes:
        lanes["correlation_bias"] = lanes["correlation_bias"] * sum(weights) % ORDER
    return found | lanes | _patches(model, inputs, weights, alpha, point)


def _patches(model: ConvCircuit, inputs: Sequence[bytes], weights: list[int], alpha: int, point: int) -> dict[str, int]:
    """What the kernels of the first layer meet, image by image."""
    found: dict[str, int] = {}
    for weight, data in zip(weights, inputs, strict=True):
        for name, value in first_layer_values(model, data, alpha, point).items():
            found[name] = (found.get(name, 0) + weight * value) % ORDER
    return found


def _step(circuit: BatchCircuit, alpha: int) -> int:
    """alpha^D where there is one stack: multiplied with nothing, but written into the constraints."""
    two = BatchCircuit.of(circuit.model, circuit.slots + 1)
    exponents = image_exponents(two)
    return pow(alpha, exponents[circuit.slots] - exponents[0], ORDER)


def _reads(model: WideCircuit, layer: int, by_slot: list[int], basis: list[int]) -> dict[str, int]:
    """Where the rows of a later layer are read, and where their bias is, for each slot."""
    found: dict[str, int] = {}
    for slot, weight in enumerate(by_slot):
        found[f"bias_{slot}"] = weight * basis[BIAS + BLOCK * slot] % ORDER
        for band in model.groups(layer - 1):
            for track, rows in head_rows(band).items():
                name = f"reads{layer}_{track}_{slot}"
                found[name] = (found.get(name, 0) + weight * sum(basis[row + BLOCK * slot] for row in rows)) % ORDER
    return found


def _inputs(circuit: BatchCircuit, inputs: Sequence[bytes], weights: list[int], alpha: int, point: int) -> dict[str, int]:
    """Term k of a chunk of the sum of all inputs (the first one behind the sum of all weights), again for each pack of a row."""
    model, n, found = circuit.model, circuit.domain, {}
    share = max(1, (n - 1) // (model.inputs + 1))
    met = [sum(weight * data[at] for weight, data in zip(weights, inputs, strict=False)) % ORDER for at in range(model.inputs)]
    for number, stride in enumerate(strides_of(model)):
        ratio = pow(alpha, len(PACK_STARTS) * stride, ORDER)
        for chunk, positions in enumerate(chunks_of(model)):
            own = [*([sum(weights)] if chunk == 0 else []), *(met[position] for position in positions)]
            terms = [pow(ratio, pack, ORDER) * value for pack in range(share) for value in own]
            total = sum(term * pow(point, -k % n, ORDER) for k, term in enumerate(terms))
            found[f"inputs_{number}_{chunk}"] = total * pow(n, -1, ORDER) % ORDER
    return found


def _outputs(circuit: BatchCircuit, classes: Sequence[int], by_slot: list[int], alpha: int, basis: list[int]) -> dict[str, int]:
    """Signs that must be zero in every slot, the largest logits, and the differences that must be zero."""
    model = circuit.model
    band = model.output
    signs = head_rows(band)
    signs.setdefault(0, []).append(LARGEST[0])
    slots = range(circuit.slots)
    found = {f"nonnegative{t}": sum(basis[row + BLOCK * slot] for row in rows for slot in slots) % ORDER for t, rows in signs.items()}
    high, low = LARGEST
    places = sum(weight * (LANE * basis[high + BLOCK * slot] + basis[low + BLOCK * slot]) for slot, weight in enumerate(by_slot))
    found["largest"] = weighted(model, band, [1] * model.classes, alpha) * places % ORDER
    heads = [(track, row + place) for track, row in band.pack_places() for place in band.heads]
    found |= {f"winner{model.tracks * stack + track}": 0 for stack in range(circuit.stacks) for track, _ in heads}
    for number, digit in enumerate(classes):
        track, row = heads[digit]
        name = f"winner{model.tracks * (number // circuit.slots) + track}"
        first = row + BLOCK * (number % circuit.slots)
        found[name] = (found[name] + basis[first] + basis[first + 1]) % ORDER
    return found


def verify_score(commitment_bytes: bytes, inputs: Sequence[bytes], labels: Sequence[int], score_bytes: bytes) -> int:
    """Returns on how many of `inputs` the committed network says what `labels` say, as the score proves. Raises as `verify_batch`."""
    circuit = ModelCommitment.from_bytes(commitment_bytes, decode_point).circuit
    for number, label in enumerate(labels):
        if not 0 <= label < circuit.classes:
            raise WrongStatement(f"label {number} is {label}, the network has {circuit.classes} classes")
    score = Score.from_bytes(score_bytes, decode_point, circuit)
    sizes = len(labels).to_bytes(4, "big") + circuit.inputs.to_bytes(4, "big")
    said = b"".join(label.to_bytes(2, "big") for label in labels)
    set_id = keccak256(b"zkpredict test set v1", sizes, said, *inputs)
    if score.set_id != set_id:
        raise WrongStatement(f"the score is of test set {score.set_id.hex()}, these inputs and labels are {set_id.hex()}")
    parts = len(score.proof.parts)
    contexts = [keccak256(b"zkpredict score v1", set_id, parts.to_bytes(4, "big"), part.to_bytes(4, "big")) for part in range(parts)]
    classes = verify_batch(commitment_bytes, inputs, score.proof.to_bytes(), contexts)
    right = [one for one, label in zip(classes, labels, strict=True) if one == label]
    if score.right != len(right):
        raise WrongStatement(f"the score says {score.right} right answers, its classes give {len(right)}")
    return score.right
