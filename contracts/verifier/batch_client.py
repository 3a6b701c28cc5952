"""Batches on the chain: a verifier for batches of one size, which knows models as single verifiers do (`client.register_model`).

    contract = deploy_batch_verifier(chain, commitment.circuit, 128).contract
    register_model(chain, contract.address, commitment)
    verdict = verify_batch_on_chain(chain, contract.address, commitment, images, proof)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import class_bytes
from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.statement import CONTEXT_BYTES
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt, Reverted
from zkpredict.contracts.verifier.client import Deployed, Verdict, asked, deploy_verifier, final_check
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.generate import BATCH_INTERFACE, shipped
from zkpredict.verifier.batch import BatchPart, BatchProof, batch_bytes
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import WrongStatement

if TYPE_CHECKING:
    import numpy as np


def deploy_batch_verifier(
    chain: Chain, circuit: AnyCircuit, images: int, check: FinalCheck = FinalCheck.POINT_EVALUATION
) -> Deployed:
    """Deploys the verifier of batches of `images` inputs of models of `circuit`. Raises `UnsupportedNetwork` for a circuit without batches or
    more inputs than one proof holds, `UnusableInput` for batches that no contract serves, and without a compiler."""
    return deploy_verifier(chain, BatchCircuit.of(circuit, images), check)


def batch_verifier_at(chain: Chain, address: str, circuit: AnyCircuit) -> tuple[Contract, int]:
    """The verifier of batches of `circuit` at `address`, and how many inputs it takes. What it *is*, its code says
    (`identity.compare_code`). Raises `UnusableInput` when nothing is there, or another contract."""
    if not chain.code(address):
        raise UnusableInput(f"there is no contract at {address}")
    contract = Contract(chain, address, shipped(BATCH_INTERFACE))
    try:
        digest, images = contract.call("CIRCUIT_DIGEST"), contract.call("IMAGES")
    except (Reverted, MalformedFile):  # it does not answer as a verifier of batches does
        raise UnusableInput(
            f"the contract at {address} is no verifier of batches: `zkpredict chain deploy --verifier --batch N` makes one for N inputs"
        ) from None
    if digest != circuit.digest:
        raise UnusableInput(f"the verifier at {address} is for circuit {digest.hex()}, the model has {circuit.digest.hex()}")
    return contract, images


def batch_part(proof: BatchProof, images: int) -> BatchPart:
    """The one part of a proof that a verifier of batches of `images` inputs takes. Raises `UnusableInput` for a proof of another size."""
    sizes = [len(part.classes) for part in proof.parts]
    if sizes != [images]:
        raise UnusableInput(
            f"the contract takes proofs of {images} inputs, this one has parts of {', '.join(map(str, sizes))}: prove {images} at a time"
        )
    return proof.parts[0]


def verify_batch_on_chain(
    chain: Chain, address: str, commitment: ModelCommitment, images: np.ndarray, proof: BatchProof, *, context: bytes = b""
) -> Verdict:
    """Asks the contract whether `proof` holds for `images` (uint8 [count, ...]) under the model, made for `context` (32 bytes, or none); costs
    nothing and changes nothing. Raises `WrongStatement` for images or a context of another size, `UnusableInput` for a proof that is not one of
    the contract's size."""
    contract, function, arguments = _statement(chain, address, commitment, images, proof, context)
    return asked(contract, function, arguments)


def send_batch_verification(
    chain: Chain, address: str, commitment: ModelCommitment, images: np.ndarray, proof: BatchProof, *, gas: int | None = None,
    context: bytes = b"",
) -> Receipt:
    """Sends the same as a transaction: its receipt says what it cost. Raises `Reverted` for a proof that does not hold."""
    contract, function, arguments = _statement(chain, address, commitment, images, proof, context)
    return contract.transact(function, *arguments, gas=gas)


def batch_arguments(model_id: bytes, inputs: bytes, part: BatchPart, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> tuple[bytes, ...]:
    """The arguments of `verifyBatch`: model id, inputs, classes and proof."""
    return model_id, inputs, class_bytes(part.classes), onchain_proof(part, check)


def _statement(
    chain: Chain, address: str, commitment: ModelCommitment, images: np.ndarray, proof: BatchProof, context: bytes
) -> tuple[Contract, str, tuple[Any, ...]]:
    """The contract, the function to ask and its arguments."""
    if len(context) not in (0, CONTEXT_BYTES):
        raise WrongStatement(f"the context has {len(context)} bytes, expected {CONTEXT_BYTES} or none")
    contract, count = batch_verifier_at(chain, address, commitment.circuit)
    part = batch_part(proof, count)
    inputs = batch_bytes(images, commitment.circuit.inputs, commitment.circuit.picture)
    arguments = batch_arguments(commitment.model_id, inputs, part, final_check(contract, part.form))
    return (contract, "verifyBatchForOrRevert", (*arguments, context)) if context else (contract, "verifyBatchOrRevert", arguments)
