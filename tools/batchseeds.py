"""Batches, scores and registered test sets as fuzzing targets: parsers, and what they take."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.prover.model import Model
    from zkpredict.verifier.score import Score
    from zkpredict.verifier.testset import RegisteredSet


def batch(data: bytes) -> object:
    from zkpredict.kernel import G1
    from zkpredict.verifier.batch import BatchProof

    return BatchProof.from_bytes(data, G1.from_compressed, _model().commitment.circuit)


def score(data: bytes) -> object:
    from zkpredict.kernel import G1
    from zkpredict.verifier.score import Score

    return Score.from_bytes(data, G1.from_compressed, _model().commitment.circuit)


def registered_score(data: bytes) -> object:
    from zkpredict.kernel import G1
    from zkpredict.verifier.registered import RegisteredScore

    return RegisteredScore.from_bytes(data, G1.from_compressed, _model().commitment.circuit)


def registered_set(data: bytes) -> object:
    from zkpredict.verifier.testset import parse_set

    return parse_set(data)


@cache
def _model() -> Model:
    """A small network, committed with slots."""
    import numpy as np

    from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
    from zkpredict.prover.commit import commit_model

    source = np.random.default_rng(1)
    hidden, last = (source.integers(-20, 21, shape) for shape in ((20, 9), (3, 20)))
    layers = (DenseLayer(hidden, np.zeros(20, np.int64), 6), DenseLayer(last, np.zeros(3, np.int64)))
    return commit_model(IntegerNetwork(layers), 512, batch=True)


def _images() -> np.ndarray:
    """Nine, in two stacks."""
    import numpy as np

    return np.random.default_rng(2).integers(0, 256, (9, 9), dtype=np.uint8)


@cache
def _graded() -> Score:
    """All of them are called class 0."""
    import numpy as np

    from zkpredict.prover.batch import prove_score

    return prove_score(_model(), _images(), np.zeros(9, np.int64))


@cache
def _set() -> RegisteredSet:
    import numpy as np

    from zkpredict.prover.registered import register_set

    return register_set(_images(), np.arange(9))


def batch_proofs() -> tuple[bytes, ...]:
    return (_graded().proof.to_bytes(),)


def scores() -> tuple[bytes, ...]:
    return (_graded().to_bytes(),)


@cache
def registered_scores() -> tuple[bytes, ...]:
    from zkpredict.prover.registered import prove_registered

    return (prove_registered(_model(), _images(), _set()).to_bytes(),)


def registered_sets() -> tuple[bytes, ...]:
    """Of one polynomial, and of two."""
    import numpy as np

    from zkpredict.prover.registered import register_set

    return _set().to_bytes(), register_set(np.eye(3, 2000, 5, np.uint8), np.arange(3)).to_bytes()
