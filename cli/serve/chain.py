"""The process that runs chains: proofs in the embedded EVM with gas by part, calldata, an open network in Solidity and as Bitcoin
script, and the node when the server has one. It has the public commitment; weights only of a model that is open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib.util import find_spec
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.claimwords import claim_facts
from zkpredict.cli.serve.node import NodeDesk, NodeSettings, spoken
from zkpredict.cli.serve.worker import serve_jobs

if TYPE_CHECKING:
    from zkpredict.circuits.placement import AnyCircuit
    from zkpredict.contracts.chain.interface import Contract
    from zkpredict.verifier.commitment import ModelCommitment
    from zkpredict.verifier.messages import Proof

Answer = dict[str, Any]
ZERO_BYTE_GAS = 4
FUNCTION = "verifyOrRevert(bytes32,bytes,uint256,bytes)"


def notary(connection: Connection, shown: str, open_model: str | None, node: NodeSettings | None) -> None:
    """Entry of the worker. `shown`: the commitment file in hexadecimal; `open_model`: a model file whose weights are public."""
    serve_jobs(connection, lambda: _start(shown, open_model, node))


def _start(shown: str, open_model: str | None, node: NodeSettings | None) -> tuple[Answer, Callable[[Answer], Answer]]:
    from zkpredict.kernel import G1
    from zkpredict.verifier.commitment import ModelCommitment

    commitment = ModelCommitment.from_bytes(bytes.fromhex(shown), G1.from_compressed)
    missing = next((name for name in ("eth", "ckzg", "eth_abi", "web3") if find_spec(name) is None), None)
    if missing is not None:  # said now, not in somebody's request
        raise UnusableInput(f"this needs an EVM ({missing} is not installed): pip install 'zkpredict[serve]'")
    missing_contract = no_contract(commitment.circuit)
    if node is not None and missing_contract is not None:
        raise UnusableInput(f"--contract cannot be used: {missing_contract}")
    desk = NodeDesk(commitment, node) if node else None
    hello = {"no_contract": missing_contract, "node": desk.facts() if desk else None}
    return hello, Desk(commitment, OpenDesk(open_model) if open_model else None, desk, missing_contract).answer


@dataclass
class Desk:
    """Answers one job after the other: `do` is what, `image` and `proof` are bytes in hexadecimal. `no_contract`: why none checks these proofs."""

    commitment: ModelCommitment
    opened: OpenDesk | None
    node: NodeDesk | None
    no_contract: str | None = None

    def answer(self, job: Answer) -> Answer:
        image = bytes.fromhex(job["image"])
        if job["do"] == "open":
            return self.opened.predict(image) if self.opened else {}
        if self.no_contract is not None:
            return {"unavailable": self.no_contract}
        if job["do"] == "deploy":
            return self.ready()
        proof, refusal = self._parsed(bytes.fromhex(job["proof"]))
        if proof is None:
            return refusal
        try:
            if job["do"] == "evm":
                return self.in_evm(image, proof)
            if job["do"] == "calldata":
                return self.calldata(image, proof)
            if self.node is None:
                return {"unavailable": "this server was started without a node"}
            return self.node.send(image, proof) if job["do"] == "send" else self.node.verdict(image, proof)
        except UnusableInput as error:
            return {"unavailable": str(error)}

    def ready(self) -> Answer:
        """Deploys the verifier before anybody waits for it."""
        try:
            return {"contract": self.verifier.address}
        except UnusableInput as error:
            return {"unavailable": str(error)}

    @cached_property
    def verifier(self) -> Contract:
        """A verifier on a chain of this process that knows the model: its circuit's own where that ships or the circuit is wide or of the
        second edition (then it is compiled here), else the universal one. Raises `UnusableInput` for a circuit that none serves, and without a compiler."""
        from zkpredict.contracts.chain.evm import EmbeddedChain
        from zkpredict.contracts.chain.interface import Reverted
        from zkpredict.contracts.verifier.client import deploy_universal, deploy_verifier, prepare_circuit, register_model

        chain, circuit = EmbeddedChain(), self.commitment.circuit
        try:
            deployed = deploy_verifier(chain, circuit) if own_contract(circuit) else deploy_universal(chain)
            prepare_circuit(chain, deployed.address, circuit)
            register_model(chain, deployed.address, self.commitment)
        except Reverted as refusal:
            raise UnusableInput(f"no contract of this version serves this model: {refusal}") from None
        return deployed.contract

    def in_evm(self, image: bytes, proof: Proof) -> Answer:
        """The contract's verdict; for an accepted proof the gas of each part, which together are the whole transaction's."""
        from zkpredict.contracts.verifier.client import verify_on_chain

        contract = self.verifier
        said = verify_on_chain(contract.chain, contract.address, self.commitment, image, proof)
        if not said.accepted:
            return {"valid": False, "kind": said.reason, "reason": spoken(said.reason, said.arguments)}
        found = self._gas(contract, image, proof)
        return {"valid": True, "digit": proof.digit, **claim_facts(self.commitment.circuit, proof.outputs), "gas": sum(found.values()), "parts": found}

    def _gas(self, contract: Contract, image: bytes, proof: Proof) -> dict[str, int]:
        from zkpredict.circuits.second.layout import SecondCircuit
        from zkpredict.circuits.wide.layout import WideCircuit
        from zkpredict.contracts.verifier.encoding import FinalCheck
        from zkpredict.contracts.verifier.gas import parts
        from zkpredict.contracts.verifier.handover import Handover
        from zkpredict.contracts.verifier.second.gas import parts as second_parts
        from zkpredict.contracts.verifier.vectors import StoredStatement
        from zkpredict.contracts.verifier.wide.gas import parts as wide_parts

        statement = StoredStatement("asked", self.commitment, image, proof)
        if isinstance(self.commitment.circuit, WideCircuit):
            return wide_parts(contract, statement)
        if isinstance(self.commitment.circuit, SecondCircuit):
            return second_parts(contract, statement)
        if ships(self.commitment.circuit):
            return parts(contract, statement, FinalCheck.POINT_EVALUATION)
        return transaction_gas(contract, Handover.of(image, proof).calldata("verifyOrRevert"))

    def calldata(self, image: bytes, proof: Proof) -> Answer:
        """What a transaction to the verifier carries: to the node's when there is one."""
        from zkpredict.contracts.verifier.encoding import FinalCheck
        from zkpredict.contracts.verifier.handover import Handover

        check = self.node.check if self.node else FinalCheck.POINT_EVALUATION
        data = Handover.of(image, proof, check).calldata("verifyOrRevert")
        return {"valid": True, "function": FUNCTION, "data": f"0x{data.hex()}", "bytes": len(data)}

    def _parsed(self, proof_bytes: bytes) -> tuple[Proof | None, Answer]:
        """The proof, or why there is nothing to send: a contract takes parts of a proof, so its bytes must be one of this model."""
        from zkpredict.circuits.placement import form
        from zkpredict.verifier.errors import VerificationError
        from zkpredict.verifier.native import check_names, parse_proof

        try:
            proof = parse_proof(proof_bytes, form(self.commitment.circuit))
            check_names(self.commitment, proof)
        except VerificationError as error:
            return None, {"valid": False, "kind": type(error).__name__, "reason": f"{error}; so there is nothing to send to a contract"}
        return proof, {}


def no_contract(circuit: AnyCircuit) -> str | None:
    """Why no contract of this version checks proofs in `circuit`, in a line; None where one does. Nothing is compiled to find out."""
    from zkpredict.circuits.convolution.chain import contract_refusal
    from zkpredict.circuits.convolution.layout import ConvCircuit
    from zkpredict.circuits.second.layout import SecondCircuit
    from zkpredict.circuits.wide.layout import WideCircuit
    from zkpredict.contracts.verifier.compact import check_served
    from zkpredict.contracts.verifier.publics import UnsupportedShape
    from zkpredict.contracts.verifier.second.source import second_source
    from zkpredict.contracts.verifier.wide.source import wide_source

    elsewhere = "they hold natively and in your browser, not on a chain"
    if isinstance(circuit, ConvCircuit) and (why := contract_refusal(circuit)):
        return f"no contract of this version checks such proofs: {why}; {elsewhere}"
    try:
        if isinstance(circuit, WideCircuit):
            wide_source(circuit)
        elif isinstance(circuit, SecondCircuit):
            second_source(circuit)
        elif not ships(circuit):
            check_served(circuit)
    except UnsupportedShape:
        return f"no contract of this version checks such proofs; {elsewhere}"
    except UnusableInput as error:
        return str(error)
    return None


def own_contract(circuit: AnyCircuit) -> bool:
    """Whether the verifier is one for this circuit alone."""
    from zkpredict.circuits.layout import Circuit

    return not isinstance(circuit, Circuit) or ships(circuit)


def ships(circuit: AnyCircuit) -> bool:
    """Whether a verifier for this circuit alone comes with the package."""
    from zkpredict.contracts.verifier.encoding import FinalCheck
    from zkpredict.contracts.verifier.generate import SHIPPED

    return (circuit, FinalCheck.POINT_EVALUATION) in SHIPPED


def transaction_gas(contract: Contract, data: bytes) -> dict[str, int]:
    """What a transaction with `data` to a contract on the embedded chain costs, by part; nothing is sent."""
    from zkpredict.contracts.chain.interface import calldata_floor
    from zkpredict.verifier.costs import BASE_GAS, CALLDATA_BYTE_GAS

    found = {
        "base cost": BASE_GAS,
        "calldata": ZERO_BYTE_GAS * data.count(0) + CALLDATA_BYTE_GAS * (len(data) - data.count(0)),
        "contract": contract.chain.call_gas(contract.address, data),  # type: ignore[attr-defined]  # the embedded one
    }
    short = calldata_floor(data) - sum(found.values())
    return found if short <= 0 else found | {"up to the floor of calldata (EIP-7623)": short}


@dataclass
class OpenDesk:
    """The same prediction with the weights in the open: by a contract, and by a Bitcoin script."""

    path: str

    @cached_property
    def network(self) -> Any:
        from zkpredict.prover.model import Model

        return Model.load(self.path).network

    @cached_property
    def predictor(self) -> Contract:
        """Raises `UnusableInput` for networks that `packed` does not run."""
        from zkpredict.contracts.chain.evm import EmbeddedChain
        from zkpredict.contracts.open.deploy import deploy_packed

        return deploy_packed(EmbeddedChain(), self.network).contract

    @cached_property
    def script(self) -> bytes:
        """Raises `UnusableInput` for networks that no node's limits allow."""
        from zkpredict.contracts.bitcoin.compiler import claim_script, compile_script

        return claim_script(compile_script(self.network)).code

    def predict(self, image: bytes) -> Answer:
        return {"solidity": self._by_contract(image), "bitcoin": self._by_script(image)}

    def _by_contract(self, image: bytes) -> Answer:
        try:
            contract = self.predictor
        except UnusableInput as error:
            return {"unavailable": str(error)}
        data = contract.artifact.encode("predict", image)
        return {"digit": contract.call("predict", image), "gas": sum(transaction_gas(contract, data).values()), "bytes": len(data)}

    def _by_script(self, image: bytes) -> Answer:
        import numpy as np

        from zkpredict.contracts.bitcoin.compiler import claim
        from zkpredict.contracts.bitcoin.interpreters import open_interpreter
        from zkpredict.contracts.bitcoin.measure import refusal

        try:
            script = self.script
        except UnusableInput as error:
            return {"unavailable": str(error)}
        pixels = np.frombuffer(image, np.uint8)
        digit = self.network.predict(pixels)
        sizes = {"bytes": len(script), "claim_bytes": len(claim(pixels, digit)), "digit": digit}
        try:
            interpreter = open_interpreter()
        except UnusableInput as error:
            return sizes | {"accepted": None, "note": str(error)}
        return sizes | {"accepted": refusal(interpreter, script, pixels, digit) is None, "interpreter": interpreter.name}
