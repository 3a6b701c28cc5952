"""Scores on the chain: a registry of test sets, and verifiers of scores on sets of one size, which know models as single verifiers do.

    sets = deploy_test_sets(chain).address
    send_set(chain, sets, tests, images)                                   # once for each test set, for all circuits
    contract = deploy_score_verifier(chain, commitment.circuit, 128, sets).contract
    register_model(chain, contract.address, commitment)
    verdict = verify_score_on_chain(chain, contract.address, commitment, score)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from zkpredict.circuits.batch.registered import RegisteredBatch
from zkpredict.circuits.batch.statement import class_bytes
from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.statement import CONTEXT_BYTES
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt, Reverted
from zkpredict.contracts.verifier.batch_client import batch_part
from zkpredict.contracts.verifier.client import Deployed, Verdict, asked, final_check
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.generate import SCORE_INTERFACE, artifact, shipped
from zkpredict.contracts.verifier.testsets import TEST_SETS
from zkpredict.verifier.batch import BatchPart, batch_bytes
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.registered import RegisteredScore
from zkpredict.verifier.testset import RegisteredSet, check_inputs

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.kernel import G1

MOST_SET_BYTES = 24_576
"""Of a registered set: its labels, its points and 41 bytes before them are the code of one contract."""
_SET_HEAD_BYTES, _POINT_BYTES = 41, 96


def deploy_test_sets(chain: Chain) -> Deployed:
    """Deploys the registry of test sets, which serves every circuit."""
    return Deployed(*Contract.deploy(chain, shipped(TEST_SETS)))


def test_sets_at(chain: Chain, address: str) -> Contract:
    """The registry of test sets at `address`. What it *is*, its code says (`identity.compare_sets_code`). Raises `UnusableInput` when there
    is nothing, or another contract."""
    if not chain.code(address):
        raise UnusableInput(f"there is no contract at {address}")
    contract = Contract(chain, address, shipped(TEST_SETS))
    try:
        contract.call("inputsPerPoint", 1)
    except (Reverted, MalformedFile):  # it does not answer as a registry of test sets does
        raise UnusableInput(f"the contract at {address} is no registry of test sets: `zkpredict chain deploy --test-sets` makes one") from None
    return contract


def is_set_registered(contract: Contract, set_id: bytes) -> bool:
    """Whether the registry knows a set."""
    return int(contract.call("dataOf", set_id), 16) != 0


def set_arguments(tests: RegisteredSet, inputs: bytes) -> tuple[Any, ...]:
    """The arguments of `register`: bytes of an input, inputs, labels, points and opening."""
    points = b"".join(cast("G1", point).to_uncompressed() for point in tests.points)
    return tests.size, inputs, tests.label_bytes, points, cast("G1", tests.opening).to_compressed()


def send_set(chain: Chain, address: str, tests: RegisteredSet, images: np.ndarray, *, gas: int | None = None) -> Receipt:
    """Registers `tests`, the set of `images` (uint8 [count, ...]), with the registry at `address`.

    Raises `WrongStatement` for images that are not the set's, `UnusableInput` for a set that is too large or registered already, `Reverted`
    when the contract refuses."""
    contract = test_sets_at(chain, address)
    inputs = batch_bytes(images, tests.size)
    check_inputs(tests, inputs)
    size = _SET_HEAD_BYTES + len(tests.label_bytes) + _POINT_BYTES * len(tests.points)
    if size > MOST_SET_BYTES:
        raise UnusableInput(f"the set takes {size:,} bytes on the chain, of which a contract holds {MOST_SET_BYTES:,}: make several sets of fewer inputs")
    if is_set_registered(contract, tests.set_id):
        raise UnusableInput(f"the test set {tests.set_id.hex()} is registered at {address} already: whoever did has no rights over it, so use it")
    return contract.transact("register", *set_arguments(tests, inputs), gas=gas)


def deploy_score_verifier(
    chain: Chain, circuit: AnyCircuit, images: int, sets: str, check: FinalCheck = FinalCheck.POINT_EVALUATION
) -> Deployed:
    """Deploys the verifier of scores of models of `circuit` on sets of `images` inputs that the registry at `sets` keeps. Raises
    `UnsupportedNetwork` for a circuit without such scores or more inputs than one proof holds, `UnusableInput` for circuits that no contract
    serves, without a registry, and without a compiler."""
    test_sets_at(chain, sets)
    return Deployed(*Contract.deploy(chain, artifact(RegisteredBatch.of(circuit, images), check), sets))


def score_verifier_at(chain: Chain, address: str, circuit: AnyCircuit) -> tuple[Contract, int]:
    """The verifier of scores of `circuit` at `address`, and how many inputs its sets have. What it *is*, its code says
    (`identity.compare_score_code`). Raises `UnusableInput` when nothing is there, or another contract."""
    if not chain.code(address):
        raise UnusableInput(f"there is no contract at {address}")
    contract = Contract(chain, address, shipped(SCORE_INTERFACE))
    try:
        digest, images, _ = contract.call("CIRCUIT_DIGEST"), contract.call("IMAGES"), contract.call("TEST_SETS")
    except (Reverted, MalformedFile):  # it does not answer as a verifier of scores does
        raise UnusableInput(
            f"the contract at {address} is no verifier of scores: `zkpredict chain deploy --verifier --score N` makes one for sets of N inputs"
        ) from None
    if digest != circuit.digest:
        raise UnusableInput(f"the verifier at {address} is for circuit {digest.hex()}, the model has {circuit.digest.hex()}")
    return contract, images


def score_arguments(
    score: RegisteredScore, at_least: int, part: BatchPart, check: FinalCheck = FinalCheck.POINT_EVALUATION
) -> tuple[bytes, bytes, int, bytes, bytes]:
    """The arguments of `verifyScore`: model id, set id, the least number of right answers, classes and proof."""
    return part.model_id, score.set_id, at_least, class_bytes(part.classes), onchain_proof(part, check)


def verify_score_on_chain(
    chain: Chain, address: str, commitment: ModelCommitment, score: RegisteredScore, at_least: int | None = None, *, context: bytes = b""
) -> Verdict:
    """Asks the contract whether `score` holds under the model and the set that it names, made for `context` (32 bytes, or none), with at
    least `at_least` right answers, by default as many as it says; costs nothing and changes nothing. Raises `WrongStatement` for a context
    of another size and a score of another model, `UnusableInput` for one that is not of the contract's size."""
    contract, function, arguments = _statement(chain, address, commitment, score, at_least, context)
    return asked(contract, function, arguments)


def send_score_verification(
    chain: Chain, address: str, commitment: ModelCommitment, score: RegisteredScore, at_least: int | None = None, *, gas: int | None = None,
    context: bytes = b"",
) -> Receipt:
    """Sends the same as a transaction: its receipt says what it cost. Raises `Reverted` for a score that does not hold."""
    contract, function, arguments = _statement(chain, address, commitment, score, at_least, context)
    return contract.transact(function, *arguments, gas=gas)


def _statement(
    chain: Chain, address: str, commitment: ModelCommitment, score: RegisteredScore, at_least: int | None, context: bytes
) -> tuple[Contract, str, tuple[Any, ...]]:
    """The contract, the function to ask and its arguments."""
    if len(context) not in (0, CONTEXT_BYTES):
        raise WrongStatement(f"the context has {len(context)} bytes, expected {CONTEXT_BYTES} or none")
    if score.proof.model_id != commitment.model_id:
        raise WrongStatement(f"the score is of model {score.proof.model_id.hex()}, the commitment is of model {commitment.model_id.hex()}")
    contract, count = score_verifier_at(chain, address, commitment.circuit)
    part = batch_part(score.proof, count)
    arguments = score_arguments(score, score.right if at_least is None else at_least, part, final_check(contract, part.form))
    return (contract, "verifyScoreForOrRevert", (*arguments, context)) if context else (contract, "verifyScoreOrRevert", arguments)
