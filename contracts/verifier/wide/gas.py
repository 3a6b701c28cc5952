"""What verifying in wide circuits costs, part by part: rows for `contracts.gas`. It compiles the contracts, which takes Node and solc."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.verifier.client import deploy_verifier, register_model, send_verification
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_input, onchain_proof
from zkpredict.contracts.verifier.gas import Cost, split
from zkpredict.contracts.verifier.vectors import StoredStatement
from zkpredict.contracts.verifier.wide.source import WideGenerator
from zkpredict.contracts.verifier.wide.vectors import stored_statements

_CONVOLUTION_ENDS = {
    "ZETA": "transcript", "VANISHING": "powers of rho", "PATCHES_CONSTANT": "weights, public polynomials", "PIXELS": "image",
    "BIAS_AT_RHO": "poles, inversion", "POWERS": "tracks, powers of eta", "TAPS_READ": "lanes of the first layer",
}
_ENDS = {"ZETA": "transcript", "VANISHING": "powers of rho", "PIXELS": "image", "PARTIAL_0": "weights, public polynomials"}


def rows() -> Iterator[Cost]:
    """Deployment, registration and verification of the typical image, for each stored network, and the parts of the latter."""
    for statement in stored_statements():
        circuit = statement.commitment.circuit
        name = f"wide verifier {statement.name} n={circuit.domain}"
        chain = EmbeddedChain()
        deployed = deploy_verifier(chain, circuit)
        size = len(chain.code(deployed.address))
        yield Cost(f"{name} deployment", deployed.receipt.gas_used, size, "once per circuit; EIP-170 allows 24,576 bytes")
        registered = register_model(chain, deployed.address, statement.commitment)
        yield Cost(f"{name} register", registered.gas_used, "", f"once per model: {circuit.total_rows} points checked and stored")
        cost = send_verification(chain, deployed.address, statement.commitment, statement.image, statement.proof).gas_used
        size = FinalCheck.POINT_EVALUATION.proof_bytes(statement.proof.form)
        yield Cost(f"{name} verify typical", cost, size, "whole transaction; bytes are the proof's")
        for part, gas in parts(deployed.contract, statement).items():
            yield Cost(f"{name} verify typical: {part}", gas, "", "")


def parts(contract: Contract, statement: StoredStatement) -> dict[str, int]:
    """Gas of each part of one verification, in order; together they are the whole transaction's."""
    proof = statement.proof
    generator = WideGenerator(cast("WideCircuit", statement.commitment.circuit), FinalCheck.POINT_EVALUATION)
    generator.source()
    places = generator.memory.places
    held = generator.convolutions
    ends = {places[word]: part for word, part in (_ENDS if held is None else _CONVOLUTION_ENDS).items() if word in places}
    if held is not None:
        ends[places["PLACES"] + 32 * (held.map_rows * held.map_columns - 1)] = "places of the second layer"
        ends[places["TERMS_BOTTOM"] + 32 * (generator.circuit.blocks - 1)] = "lanes of the first layer"
    else:
        ends[places[f"{generator.bottoms[0].upper()}_INVERSE"]] = "inversion"
    arguments = statement.commitment.model_id, onchain_input(statement.commitment.circuit, statement.image), proof.digit, onchain_proof(proof)
    return split(contract, contract.artifact.encode("verifyOrRevert", *arguments), ends)
