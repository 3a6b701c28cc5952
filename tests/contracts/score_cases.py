"""Scores on registered sets for the tests of their contracts: models, sets, proofs, and contracts that are compiled once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from wide_cases import watched

from zkpredict.circuits.networks.activations import RELU, RELU8, Activation, RationalRelu
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.verifier.client import register_model
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.score_client import deploy_score_verifier, deploy_test_sets, is_set_registered, score_arguments, send_set
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.registered import prove_registered, register_set
from zkpredict.verifier.batch import BatchPart
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.registered import RegisteredScore
from zkpredict.verifier.testset import RegisteredSet


@dataclass(frozen=True)
class Case:
    """A network's shape and gate, the rows of its circuit, and how many inputs a set has."""

    shape: tuple[int, ...]
    activation: Activation
    domain: int
    count: int
    check: FinalCheck = FinalCheck.POINT_EVALUATION


CASES = {
    "two stacks in a polynomial": Case((200, 30, 3), RELU8, 512, 20),
    "two polynomials in a stack, rational, pairing": Case((600, 30, 9, 7), RationalRelu(4096), 1024, 9, FinalCheck.PAIRING),
}
FIRST = "two stacks in a polynomial"


@dataclass(frozen=True)
class Scored:
    """A case with two models, both registered, a registered set and a score of the first model on it."""

    case: Case
    model: Model
    other: ModelCommitment
    images: np.ndarray
    tests: RegisteredSet
    score: RegisteredScore
    sets: Contract
    contract: Contract
    seen: list[tuple[bytes, bytes]]

    @property
    def part(self) -> BatchPart:
        return self.score.proof.parts[0]

    def arguments(self, part: BatchPart | None = None, **changed: object) -> tuple:
        """Of `verifyScore`, with some of model_id, set_id, at_least, classes and encoded changed."""
        names = ("model_id", "set_id", "at_least", "classes", "encoded")
        given = score_arguments(self.score, self.score.right, part or self.part, self.case.check)
        return tuple((dict(zip(names, given, strict=True)) | changed).values())

    def refusal(self, *arguments: object) -> tuple[str, tuple]:
        """Name and arguments of the error; ("", ()) when the contract accepts."""
        return refused(self.contract, "verifyScoreOrRevert", *arguments)

    def registered(self, images: np.ndarray, labels: np.ndarray) -> RegisteredSet:
        """Another set that the registry knows, from now on at the latest."""
        tests = register_set(images, labels)
        if not is_set_registered(self.sets, tests.set_id):
            send_set(self.sets.chain, self.sets.address, tests, images)
        return tests


def refused(contract: Contract, function: str, *arguments: object) -> tuple[str, tuple]:
    """Name and arguments of the error of a call; ("", ()) when there is none."""
    try:
        contract.call(function, *arguments)
    except Reverted as refusal:
        return refusal.name, refusal.arguments
    return "", ()


def network(case: Case, seed: int) -> IntegerNetwork:
    """Weights in -20..20, biases in -99..99."""
    source, layers = np.random.default_rng(seed), []
    for number, (inputs, outputs) in enumerate(zip(case.shape, case.shape[1:])):
        last = number == len(case.shape) - 2
        weights = source.integers(-20, 21, (outputs, inputs))
        layers.append(DenseLayer(weights, source.integers(-99, 100, outputs), 0 if last else 8, RELU if last else case.activation))
    return IntegerNetwork(tuple(layers))


def images_of(case: Case, seed: int = 5) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (case.count, case.shape[0]), dtype=np.uint8)


@cache
def scored(name: str) -> Scored:
    case = CASES[name]
    model, other = (commit_model(network(case, seed), case.domain, batch=True) for seed in (3, 4))
    images = images_of(case)
    labels = network(case, 3).infer(images).digits.copy()
    labels[:2] = (labels[:2] + 1) % case.shape[-1]
    chain, seen = watched()
    sets, tests = deploy_test_sets(chain).contract, register_set(images, labels)
    send_set(chain, sets.address, tests, images)
    contract = deploy_score_verifier(chain, model.commitment.circuit, case.count, sets.address, case.check).contract
    for commitment in (model.commitment, other.commitment):
        register_model(chain, contract.address, commitment)
    return Scored(case, model, other.commitment, images, tests, prove_registered(model, images, tests), sets, contract, seen)
