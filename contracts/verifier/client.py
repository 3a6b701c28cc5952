"""The on-chain verifier from Python: deploy it, register models, check proofs, over any `Chain`.

    contract = deploy_universal(chain).address                  # or deploy_verifier(chain, circuit): one circuit, about 10 % less gas
    prepare_circuit(chain, contract, commitment.circuit)        # the universal one learns each circuit once
    register_model(chain, contract, commitment)
    verdict = verify_on_chain(chain, contract, commitment, image, proof)      # free; says why not
    receipt = send_verification(chain, contract, commitment, image, proof)    # a transaction that succeeds only for a true claim
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.columns import Form
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.placement import COMPACT_FORM, AnyCircuit
from zkpredict.circuits.statement import CONTEXT_BYTES
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt, Reverted
from zkpredict.contracts.verifier.compact import check_served
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_input, onchain_proof
from zkpredict.contracts.verifier.generate import SHIPPED, WIDE_INTERFACE, artifact, shipped, universal_artifact
from zkpredict.contracts.verifier.wide.registration import fits_at_once, parts_of, rows_of
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.messages import Proof


@dataclass(frozen=True)
class Verdict:
    """What the contract says: accepted, or the name and arguments of its error."""

    accepted: bool
    reason: str = ""
    arguments: tuple[Any, ...] = ()


def asked(contract: Contract, function: str, arguments: tuple[Any, ...]) -> Verdict:
    """What a function that reverts with what is wrong says; a call, which costs nothing."""
    try:
        contract.call(function, *arguments)
    except Reverted as refusal:
        return Verdict(False, refusal.name or str(refusal), refusal.arguments)
    return Verdict(True)


@dataclass(frozen=True)
class Deployed:
    """A new verifier contract and the transaction that made it."""

    contract: Contract
    receipt: Receipt

    @property
    def address(self) -> str:
        return self.contract.address


def deploy_verifier(chain: Chain, circuit: AnyCircuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Deployed:
    """Deploys the verifier of a circuit. Raises `UnusableInput` when its code does not ship and cannot be compiled here."""
    return Deployed(*Contract.deploy(chain, artifact(circuit, check)))


def deploy_universal(chain: Chain, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Deployed:
    """Deploys the verifier that serves every compact circuit."""
    return Deployed(*Contract.deploy(chain, universal_artifact(check)))


def verifier_at(chain: Chain, address: str) -> Contract:
    """The verifier at `address`, by the interface that it answers to: that of one circuit, or the universal one. What it *is*, its
    code says (`identity.compare_code`). Raises `UnusableInput` when nothing is there, or no verifier."""
    if not chain.code(address):
        raise UnusableInput(f"there is no contract at {address}")
    for found, question in ((artifact(*SHIPPED[0]), ("CIRCUIT_DIGEST",)), (universal_artifact(), ("circuitData", bytes(32)))):
        contract = Contract(chain, address, found)
        try:
            contract.call(*question)
        except (Reverted, MalformedFile):  # it does not answer as this kind does
            continue
        return contract
    raise UnusableInput(f"the contract at {address} is no verifier")


def is_universal(contract: Contract) -> bool:
    """Whether a verifier that `verifier_at` found serves every circuit."""
    return contract.artifact.name == universal_artifact().name


def register_circuit(chain: Chain, address: str, circuit: AnyCircuit) -> Receipt:
    """Registers a circuit with the universal verifier at `address`. Raises `UnusableInput` for one that it does not serve, `Reverted` when it
    knows it already."""
    check_served(circuit)
    return Contract(chain, address, universal_artifact()).transact("registerCircuit", circuit.to_bytes())


def prepare_circuit(chain: Chain, address: str, circuit: AnyCircuit) -> Receipt | None:
    """`register_circuit`, where that is needed: None when the verifier is made for one circuit, or knows this one already."""
    contract = verifier_at(chain, address)
    if not is_universal(contract) or _knows(contract, circuit):
        return None
    return register_circuit(chain, address, circuit)


def register_model(chain: Chain, address: str, commitment: ModelCommitment) -> Receipt:
    """Registers a model; of a model with many rows the last transaction (`registration` gives them one by one). Raises `UnusableInput`
    when the contract is for another circuit, or a universal one that does not know it (`prepare_circuit`), `Reverted` when it refuses."""
    *_, last = registration(chain, address, commitment)
    return last


def registration(chain: Chain, address: str, commitment: ModelCommitment) -> Iterator[Receipt]:
    """Registers a model, transaction by transaction: for one with more than 255 rows each part that is not stored yet, whoever stored the
    others, and then their list. Raises as `register_model` does; begun again, it goes on where it stopped."""
    contract = _for_circuit(chain, address, commitment.circuit)
    if not isinstance(commitment.circuit, WideCircuit) or fits_at_once(len(commitment.rows)):
        yield _register_at_once(contract, commitment)
        return
    parts = parts_of(commitment)
    if not contract.call("isRegistered", commitment.model_id):
        for own, part in parts.items():
            if not contract.call("isStored", own):
                yield contract.transact("storeRows", part)
    yield contract.transact("registerParts", commitment.model_id, list(parts))


def _register_at_once(contract: Contract, commitment: ModelCommitment) -> Receipt:
    address, rows = contract.address, rows_of(commitment)
    if not is_universal(contract):
        return contract.transact("register", rows)
    if not _knows(contract, commitment.circuit):
        raise UnusableInput(f"the universal verifier at {address} does not know circuit {commitment.circuit.digest.hex()} yet: register it first")
    return contract.transact("register", commitment.circuit.digest, rows)


def is_registered(chain: Chain, address: str, commitment: ModelCommitment) -> bool:
    """Whether the contract knows the model: ask before paying for `register_model`, which is refused for a known one."""
    return _for_circuit(chain, address, commitment.circuit).call("isRegistered", commitment.model_id)


def verify_on_chain(
    chain: Chain, address: str, commitment: ModelCommitment, image: bytes | HiddenInput, proof: Proof, *, context: bytes = b""
) -> Verdict:
    """Asks the contract whether `proof` holds for `image` (bytes, or a hidden input) under the model, made for `context` (32 bytes, or none);
    costs nothing and changes nothing. Raises `WrongStatement` for bytes where the model takes hidden inputs and the reverse, and for a
    context of another length."""
    contract, function, arguments = _statement(chain, address, commitment, image, proof, context)
    return asked(contract, function, arguments)


def send_verification(
    chain: Chain, address: str, commitment: ModelCommitment, image: bytes | HiddenInput, proof: Proof, *, gas: int | None = None,
    context: bytes = b"",
) -> Receipt:
    """Sends `verifyOrRevert`, or with a context `verifyForOrRevert`, as a transaction: its receipt says what it cost. Raises `Reverted` for a proof that does not hold."""
    contract, function, arguments = _statement(chain, address, commitment, image, proof, context)
    return contract.transact(function, *arguments, gas=gas)


def final_check(contract: Contract, shape: Form = COMPACT_FORM) -> FinalCheck:
    """Which form of proof a deployed verifier takes."""
    size = contract.call("PROOF_BYTES")
    for check in FinalCheck:
        if check.proof_bytes(shape) == size:
            return check
    raise UnusableInput(f"the verifier at {contract.address} takes proofs of {size} bytes, which this version does not make")


def _statement(
    chain: Chain, address: str, commitment: ModelCommitment, image: bytes | HiddenInput, proof: Proof, context: bytes
) -> tuple[Contract, str, tuple[Any, ...]]:
    """The contract, the function to ask and its arguments."""
    if len(context) not in (0, CONTEXT_BYTES):
        raise WrongStatement(f"the context has {len(context)} bytes, expected {CONTEXT_BYTES} or none")
    contract = _for_circuit(chain, address, commitment.circuit)
    encoded = onchain_proof(proof, final_check(contract, proof.form))
    arguments = (commitment.model_id, onchain_input(commitment.circuit, image), proof.digit, encoded)
    return (contract, "verifyForOrRevert", (*arguments, context)) if context else (contract, "verifyOrRevert", arguments)


def _knows(contract: Contract, circuit: AnyCircuit) -> bool:
    return int(contract.call("circuitData", circuit.digest), 16) != 0


def _for_circuit(chain: Chain, address: str, circuit: AnyCircuit) -> Contract:
    contract = verifier_at(chain, address)
    if is_universal(contract):
        if not isinstance(circuit, Circuit):
            kind = "compact circuits" if isinstance(circuit, WideCircuit) else "compact circuits of the first edition"
            raise UnusableInput(f"the verifier at {address} serves {kind} only: deploy one for this model's (`deploy_verifier`)")
        return contract
    digest = contract.call("CIRCUIT_DIGEST")
    if digest != circuit.digest:
        raise UnusableInput(f"the verifier at {address} is for circuit {digest.hex()}, the model has {circuit.digest.hex()}")
    return Contract(chain, address, shipped(WIDE_INTERFACE)) if isinstance(circuit, WideCircuit) else contract
