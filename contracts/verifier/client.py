"""The on-chain verifier from Python: deploy it, register models, check proofs, over any `Chain`.

    contract = deploy_verifier(chain, circuit).address
    register_model(chain, contract, commitment)
    verdict = verify_on_chain(chain, contract, commitment, image, proof)      # free; says why not
    receipt = send_verification(chain, contract, commitment, image, proof)    # a transaction that succeeds only for a true claim
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.columns import Form
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt, Reverted
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.generate import SHIPPED, artifact
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.messages import Proof


@dataclass(frozen=True)
class Verdict:
    """What the contract says: accepted, or the name and arguments of its error."""

    accepted: bool
    reason: str = ""
    arguments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Deployed:
    """A new verifier contract and the transaction that made it."""

    contract: Contract
    receipt: Receipt

    @property
    def address(self) -> str:
        return self.contract.address


def deploy_verifier(chain: Chain, circuit: Circuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Deployed:
    """Deploys the verifier of a circuit. Raises `UnusableInput` when its code does not ship and cannot be compiled here."""
    return Deployed(*Contract.deploy(chain, artifact(circuit, check)))


def verifier_at(chain: Chain, address: str) -> Contract:
    """The verifier at `address`; all verifiers have the same interface. Raises `UnusableInput` when nothing is there."""
    if not chain.code(address):
        raise UnusableInput(f"there is no contract at {address}")
    return Contract(chain, address, artifact(*SHIPPED[0]))


def register_model(chain: Chain, address: str, commitment: ModelCommitment) -> Receipt:
    """Registers a model. Raises `UnusableInput` when the contract is for another circuit, `Reverted` when it refuses."""
    contract = _for_circuit(chain, address, commitment.circuit)
    return contract.transact("register", b"".join(row.to_uncompressed() for row in commitment.rows))


def is_registered(chain: Chain, address: str, commitment: ModelCommitment) -> bool:
    """Whether the contract knows the model: ask before paying for `register_model`, which is refused for a known one."""
    return _for_circuit(chain, address, commitment.circuit).call("isRegistered", commitment.model_id)


def verify_on_chain(chain: Chain, address: str, commitment: ModelCommitment, image: bytes, proof: Proof) -> Verdict:
    """Asks the contract whether `proof` holds for `image` (bytes) under the model; costs nothing and changes nothing."""
    contract, arguments = _statement(chain, address, commitment, image, proof)
    try:
        contract.call("verifyOrRevert", *arguments)
    except Reverted as refusal:
        return Verdict(False, refusal.name or str(refusal), refusal.arguments)
    return Verdict(True)


def send_verification(
    chain: Chain, address: str, commitment: ModelCommitment, image: bytes, proof: Proof, *, gas: int | None = None
) -> Receipt:
    """Sends `verifyOrRevert` as a transaction: its receipt says what it cost. Raises `Reverted` for a proof that does not hold."""
    contract, arguments = _statement(chain, address, commitment, image, proof)
    return contract.transact("verifyOrRevert", *arguments, gas=gas)


def final_check(contract: Contract, shape: Form = COMPACT_FORM) -> FinalCheck:
    """Which form of proof a deployed verifier takes."""
    size = contract.call("PROOF_BYTES")
    for check in FinalCheck:
        if check.proof_bytes(shape) == size:
            return check
    raise UnusableInput(f"the verifier at {contract.address} takes proofs of {size} bytes, which this version does not make")


def _statement(chain: Chain, address: str, commitment: ModelCommitment, image: bytes, proof: Proof) -> tuple[Contract, tuple[Any, ...]]:
    contract = _for_circuit(chain, address, commitment.circuit)
    encoded = onchain_proof(proof, final_check(contract, proof.form))
    return contract, (commitment.model_id, image, proof.digit, encoded)


def _for_circuit(chain: Chain, address: str, circuit: Circuit) -> Contract:
    contract = verifier_at(chain, address)
    try:
        digest = contract.call("CIRCUIT_DIGEST")
    except Reverted:
        raise UnusableInput(f"the contract at {address} is no verifier") from None
    if digest != circuit.digest:
        raise UnusableInput(f"the verifier at {address} is for circuit {digest.hex()}, the model has {circuit.digest.hex()}")
    return contract
