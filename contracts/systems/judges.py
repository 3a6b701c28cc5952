"""Networks that contracts ask: in the open, by its predictor, or hidden, by proofs. One face for stories and clients."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from zkpredict.circuits.layout import DOMAINS
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.chain.interface import Chain, Contract
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems.stage import Stage
from zkpredict.contracts.systems.verifiers import verifier
from zkpredict.contracts.verifier.client import register_model
from zkpredict.contracts.verifier.encoding import onchain_input, onchain_proof
from zkpredict.contracts.verifier.vectors import stored_statements
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove


@dataclass
class OpenJudge:
    """A network that runs on the chain: `evidence` is empty."""

    network: IntegerNetwork
    prediction: str
    model: bytes

    @classmethod
    def deploy(cls, stage: Stage, who: str, network: IntegerNetwork) -> OpenJudge:
        """Deploys the predictor and, for this story, `OpenPrediction`."""
        contract = stage.deploy(who, "OpenPrediction")
        deployed = deploy_packed(stage.account(who), network)
        stage.tell(who, f"puts {network.name} on the chain, for all to see", deployed.gas_used)
        return cls(network, contract.address, contract.call("modelOf", deployed.contract.address))

    @property
    def inputs(self) -> int:
        return self.network.shape[0]

    def says(self, values: bytes) -> int:
        return self.network.predict(np.frombuffer(values, np.uint8))

    def evidence(self, values: bytes) -> bytes:
        return b""


@dataclass
class VersionJudge:
    """One version of a network that is governed: `evidence` names it."""

    network: IntegerNetwork
    prediction: str
    model: bytes
    named: bytes

    @property
    def inputs(self) -> int:
        return self.network.shape[0]

    def says(self, values: bytes) -> int:
        return self.network.predict(np.frombuffer(values, np.uint8))

    def evidence(self, values: bytes) -> bytes:
        return self.named


@dataclass
class HiddenJudge:
    """A network that only its owner has: `evidence` is a proof, made once for each input."""

    private: Model
    prediction: str
    model: bytes
    _proofs: dict[bytes, bytes] = field(default_factory=dict)

    @classmethod
    def deploy(cls, stage: Stage, who: str, network: IntegerNetwork, prediction: Contract | None = None) -> HiddenJudge:
        """Commits to the network, deploys the verifier of its circuit unless a `prediction` has one, and registers it."""
        private = commit_model(network)
        chain = stage.account(who)
        if prediction is None:
            prediction = cls.prediction_for(stage, who, private)
        cls.register(stage, who, chain, prediction, private)
        return cls(private, prediction.address, private.commitment.model_id)

    @staticmethod
    def prediction_for(stage: Stage, who: str, private: Model) -> Contract:
        """`ProvenPrediction` with a new verifier for the circuit of a model."""
        deployed, receipt = Contract.deploy(stage.account(who), verifier(private.commitment.circuit))
        stage.tell(who, f"deploys the verifier of {private.network.name} at {deployed.address}", receipt.gas_used)
        return stage.deploy(who, "ProvenPrediction", deployed.address)

    @staticmethod
    def register(stage: Stage, who: str, chain: Chain, prediction: Contract, private: Model) -> None:
        receipt = register_model(chain, prediction.call("verifier"), private.commitment)
        stage.tell(who, f"registers the model {private.commitment.model_id.hex()[:8]}..., whose weights nobody sees", receipt.gas_used)

    @property
    def inputs(self) -> int:
        return self.private.network.shape[0]

    def says(self, values: bytes) -> int:
        return self.private.network.predict(np.frombuffer(values, np.uint8))

    def evidence(self, values: bytes) -> bytes:
        if values not in self._proofs:
            self._proofs[values] = onchain_proof(prove(self.private, np.frombuffer(values, np.uint8)))
        return self._proofs[values]


@dataclass
class StoredJudge:
    """The shipped model, of which nobody here has the weights: it answers what it has proven before (`verifier/vectors.json`)."""

    prediction: str
    model: bytes
    answers: dict[bytes, tuple[int, bytes]]

    @classmethod
    def deploy(cls, stage: Stage, who: str) -> StoredJudge:
        """Deploys the shipped verifier and registers the shipped model."""
        statements = [found for found in stored_statements() if found.commitment.circuit.domain == DOMAINS[0]]
        commitment = statements[0].commitment
        chain = stage.account(who)
        deployed, receipt = Contract.deploy(chain, verifier(commitment.circuit))
        stage.tell(who, f"deploys the shipped verifier at {deployed.address}", receipt.gas_used)
        prediction = stage.deploy(who, "ProvenPrediction", deployed.address)
        receipt = register_model(chain, deployed.address, commitment)
        stage.tell(who, f"registers the shipped model {commitment.model_id.hex()[:8]}...", receipt.gas_used)
        answers = {onchain_input(commitment.circuit, found.image): (found.proof.digit, onchain_proof(found.proof)) for found in statements}
        return cls(prediction.address, commitment.model_id, answers)

    @property
    def inputs(self) -> int:
        return len(next(iter(self.answers)))

    def says(self, values: bytes) -> int:
        return self.answers[values][0]

    def evidence(self, values: bytes) -> bytes:
        return self.answers[values][1]
