"""A test ceremony, a small model committed under it, and piles of its proofs beside piles of simulated ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from support import random_image, random_network, said
from trapdoor import Simulator, ceremony_of, random_scalar

from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover
from zkpredict.verifier.messages import Proof

REPEATS, OTHERS, FEW = 200, 40, 30
"""Proofs of one statement, and of other images; so many again are simulated. Most tests do with a few."""


@dataclass(frozen=True)
class World:
    """A ceremony with known `tau` and a model committed under it."""

    tau: int
    model: Model

    @property
    def simulator(self) -> Simulator:
        return Simulator(self.tau, self.model.commitment)


@dataclass(frozen=True)
class Piles:
    """Proofs with the images they are about. The first `repeats` are all about one image."""

    repeats: int
    images: list[np.ndarray]
    provers: list[Prover]
    real: list[Proof]
    simulated: list[Proof]


@pytest.fixture(scope="session")
def world() -> World:
    tau = random_scalar()
    with ceremony_of(tau):
        return World(tau, commit_model(random_network(21, (20, 8, 3))))


@pytest.fixture(scope="module")
def trapdoor(world) -> Iterator[World]:
    """Prover and verifiers are on the test ceremony while a module that asks for this runs."""
    with ceremony_of(world.tau):
        yield world


@pytest.fixture(scope="module")
def piles(world) -> Piles:
    """240 honest proofs and as many simulated ones."""
    return _piles(world, REPEATS, OTHERS)


@pytest.fixture(scope="session")
def few(world) -> Piles:
    """30 honest proofs and as many simulated ones, half of them about one image."""
    return _piles(world, FEW // 2, FEW // 2)


def _piles(world: World, repeats: int, others: int) -> Piles:
    images = [random_image(100, 20)] * repeats + [random_image(101 + number, 20) for number in range(others)]
    provers, real, simulated = [], [], []
    with ceremony_of(world.tau):
        for image in images:
            prover = Prover(world.model, said(image, world.model.predict(image)))
            real.append(prover.prove())
            provers.append(prover)
            simulated.append(world.simulator.prove(image.tobytes(), prover.statement.claim))
    return Piles(repeats, images, provers, real, simulated)
