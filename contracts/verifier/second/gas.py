"""What verifying in circuits of the second edition costs, part by part: rows for `contracts.gas`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.verifier.client import deploy_verifier, register_model, send_verification
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.gas import Cost, split
from zkpredict.contracts.verifier.second.source import SecondGenerator
from zkpredict.contracts.verifier.second.vectors import stored_statements
from zkpredict.contracts.verifier.vectors import StoredStatement

_ENDS = {
    "ZETA": "transcript",
    "VANISHING": "powers of rho, sigma and shift",
    "PIXELS": "image",
    "READOUT_BOTTOM": "public polynomials",
    "READS1_BOTTOM_INVERSE": "inversion",
    "TABLE": "polynomial of the table",
}
"""The word whose writing ends a part."""


def rows() -> Iterator[Cost]:
    """Deployment, registration and verification of 784-64-10, and the parts of a typical verification."""
    for check in FinalCheck:
        name = "verifier second edition" + (" pairing" if check is FinalCheck.PAIRING else "")
        statements = stored_statements()
        typical = statements["typical"]
        chain = EmbeddedChain()
        deployed = deploy_verifier(chain, typical.commitment.circuit, check)
        size = len(chain.code(deployed.address))
        yield Cost(f"{name} deployment", deployed.receipt.gas_used, size, "once per circuit shape; EIP-170 allows 24,576 bytes")
        registered = register_model(chain, deployed.address, typical.commitment)
        yield Cost(f"{name} register", registered.gas_used, "", f"once per model: {typical.commitment.circuit.total_rows} points checked and stored")
        for case, statement in statements.items():
            cost = send_verification(chain, deployed.address, statement.commitment, statement.image, statement.proof).gas_used
            yield Cost(f"{name} verify {case}", cost, check.proof_bytes(typical.proof.form), "whole transaction; bytes are the proof's")
        for part, gas in parts(deployed.contract, typical, check).items():
            yield Cost(f"{name} verify typical: {part}", gas, "", "")


def parts(contract: Contract, statement: StoredStatement, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> dict[str, int]:
    """Gas of each part of one verification, in order; together they are the whole transaction's."""
    generator = SecondGenerator(cast("Any", statement.commitment.circuit), check)
    generator.source()
    places, proof = generator.memory.places, statement.proof
    arguments = statement.commitment.model_id, statement.image, proof.digit, onchain_proof(proof, check)
    calldata = contract.artifact.encode("verifyOrRevert", *arguments)
    return split(contract, calldata, {places[word]: part for word, part in _ENDS.items()})
