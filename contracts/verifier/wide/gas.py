"""What verifying in wide circuits costs, part by part: rows for `contracts.gas`. It compiles the contracts, which takes Node and solc."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

from zkpredict.circuits.batch.registered import RegisteredBatch
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, calldata_floor
from zkpredict.contracts.checkout import mnist_samples
from zkpredict.contracts.verifier.batch_client import batch_arguments, deploy_batch_verifier, send_batch_verification
from zkpredict.contracts.verifier.client import deploy_verifier, register_model, send_verification
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_input, onchain_proof
from zkpredict.contracts.verifier.gas import ZERO_BYTE_GAS, Cost, split
from zkpredict.contracts.verifier.vectors import StoredStatement
from zkpredict.contracts.verifier.score_client import (
    deploy_score_verifier, deploy_test_sets, score_arguments, send_score_verification, send_set, set_arguments,
)  # fmt: skip
from zkpredict.contracts.verifier.wide.scores import ScoreGenerator
from zkpredict.contracts.verifier.wide.lanesums import FOLD
from zkpredict.contracts.verifier.wide.shared import SharedPart
from zkpredict.contracts.verifier.wide.source import WideGenerator
from zkpredict.contracts.verifier.wide.vectors import BATCH, BATCH_NAME, SCORE_NAME, stored_batch, stored_score, stored_statements
from zkpredict.verifier.registered import RegisteredScore
from zkpredict.verifier.costs import CALLDATA_BYTE_GAS

_CONVOLUTION_ENDS = {
    "ZETA": "transcript", "VANISHING": "powers of rho", "PATCHES_CONSTANT": "weights, public polynomials", "PIXELS": "image", "CORRELATION_BIAS": "places of the second layer",
    "BIAS_AT_RHO": "poles, inversion", "POWERS": "tracks, powers of eta", "TAPS_READ": "lanes",
}
_SHARED_ENDS = {
    "ZETA": "transcript", "VANISHING": "powers of rho", "THETA_SUM": "weights, public polynomials", "PIXELS": "image", "LANES_SCALE": "places of the second layer",
    "ETA_RHO_4_BOTTOM": "lanes", "READS2": "poles, inversion", "POWERS": "tracks", "TAPS_READ": "lanes that are read",
}  # fmt: skip
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
    yield from batch_rows()
    yield from score_rows()


def batch_rows() -> Iterator[Cost]:
    """Deployment, registration and verification of the stored batch. Raises `UnusableInput` outside a checkout, which has the images."""
    (commitment, proof), (images, _) = stored_batch(), mnist_samples()
    count, name, chain = len(proof.classes), f"batch verifier {BATCH_NAME} n={BATCH.domain}", EmbeddedChain()
    deployed = deploy_batch_verifier(chain, commitment.circuit, count)
    yield Cost(f"{name} deployment", deployed.receipt.gas_used, len(chain.code(deployed.address)), f"once per circuit and number of inputs, here {count}")
    registered = register_model(chain, deployed.address, commitment)
    yield Cost(f"{name} register", registered.gas_used, "", f"once per model: {len(commitment.rows)} points checked and stored")
    cost = send_batch_verification(chain, deployed.address, commitment, images[:count], proof).gas_used
    arguments = batch_arguments(commitment.model_id, images[:count].tobytes(), proof.parts[0])
    calldata = deployed.contract.artifact.encode("verifyBatchOrRevert", *arguments)
    yield Cost(f"{name} verify {count}", cost, len(arguments[-1]), f"whole transaction, the first {count} MNIST test images; bytes are the proof's")
    yield Cost(f"{name} verify, each input", -(-cost // count), "", "rounded up")
    yield Cost(f"{name} verify: calldata", sum(CALLDATA_BYTE_GAS if byte else ZERO_BYTE_GAS for byte in calldata), len(calldata), "of the above")
    yield Cost(f"{name} verify: least by calldata", calldata_floor(calldata), "", "EIP-7623: what a transaction with this calldata pays at least")


_SCORE_ENDS = {
    "ZETA": "transcript", "INPUT_SHARE": "slots, shares", "LARGEST_WEIGHT": "weights", "PIXELS": "classes of all inputs, the set's weights",
    "PARTIALS": "poles", "READS1": "inversion", "VALUE": "public polynomials, tracks, fold",
}  # fmt: skip


def score_rows() -> Iterator[Cost]:
    """Deployment and registration of the stored test set, and verification of the stored score on it, part by part. Raises `UnusableInput`
    outside a checkout, which has the images."""
    (commitment, tests, score), (images, _) = stored_score(), mnist_samples()
    count, chain = len(tests.labels), EmbeddedChain()
    sets = deploy_test_sets(chain)
    yield Cost("test sets deployment", sets.receipt.gas_used, len(chain.code(sets.address)), "once for all circuits and sets")
    arguments = set_arguments(tests, images[:count].tobytes())
    calldata = sets.contract.artifact.encode("register", *arguments)
    cost = send_set(chain, sets.address, tests, images[:count].reshape(count, -1)).gas_used
    yield Cost(f"test sets register {count}", cost, len(calldata), f"once per test set, the first {count} MNIST test images; a transaction may take 16,777,216 (EIP-7825)")
    yield Cost("test sets register, each input", -(-cost // count), "", "rounded up")
    yield Cost(f"test sets register {count}: least by calldata", calldata_floor(calldata), "", "EIP-7623")
    name = f"score verifier {SCORE_NAME} n={BATCH.domain}"
    deployed = deploy_score_verifier(chain, commitment.circuit, count, sets.address)
    yield Cost(f"{name} deployment", deployed.receipt.gas_used, len(chain.code(deployed.address)), f"once per circuit and number of inputs, here {count}")
    registered = register_model(chain, deployed.address, commitment)
    yield Cost(f"{name} register", registered.gas_used, "", f"once per model: {len(commitment.rows)} points checked and stored")
    cost = send_score_verification(chain, deployed.address, commitment, score).gas_used
    proof = score_arguments(score, score.right, score.proof.parts[0])[-1]
    yield Cost(f"{name} verify {count}", cost, len(proof), f"whole transaction, the first {count} MNIST test images, {score.right} of them right; bytes are the proof's")
    yield Cost(f"{name} verify, each input", -(-cost // count), "", "rounded up")
    for part, gas in score_parts(deployed.contract, score).items():
        yield Cost(f"{name} verify {count}: {part}", gas, "", "")


def score_parts(contract: Contract, score: RegisteredScore) -> dict[str, int]:
    """Gas of each part of a score's verification, in order; together they are the whole transaction's."""
    commitment, tests, _ = stored_score()
    generator = ScoreGenerator(RegisteredBatch.of(commitment.circuit, len(tests.labels)), FinalCheck.POINT_EVALUATION)
    generator.source()
    ends = {generator.memory.places[word]: part for word, part in _SCORE_ENDS.items()}
    arguments = score_arguments(score, score.right, score.proof.parts[0])
    return split(contract, contract.artifact.encode("verifyScoreOrRevert", *arguments), ends)


def parts(contract: Contract, statement: StoredStatement) -> dict[str, int]:
    """Gas of each part of one verification, in order; together they are the whole transaction's."""
    proof = statement.proof
    generator = WideGenerator(cast("WideCircuit", statement.commitment.circuit), FinalCheck.POINT_EVALUATION)
    generator.source()
    places = generator.memory.places
    held = generator.convolutions
    own = _ENDS if held is None else _SHARED_ENDS if isinstance(held, SharedPart) else _CONVOLUTION_ENDS
    ends = {places[word]: part for word, part in own.items() if word in places}
    if held is not None:
        if "TERMS_BOTTOM" in places:
            ends[places["TERMS_BOTTOM"] + 32 * (generator.circuit.blocks // FOLD - 1)] = "lanes"
    else:
        ends[places[f"{generator.bottoms[0].upper()}_INVERSE"]] = "inversion"
    arguments = statement.commitment.model_id, onchain_input(statement.commitment.circuit, statement.image), proof.digit, onchain_proof(proof)
    return split(contract, contract.artifact.encode("verifyOrRevert", *arguments), ends)
