"""Training on what an escrow logged: settled trips, published in order through `LoggedParts`, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems import council, training
from zkpredict.contracts.systems.council import Council, Terms, evidence_of
from zkpredict.contracts.systems.delivery import Deal
from zkpredict.contracts.systems.goods import trip_network, trips
from zkpredict.contracts.systems.judges import OpenJudge, VersionJudge
from zkpredict.contracts.systems.patches import Delta
from zkpredict.contracts.systems.program import WEIGHTS
from zkpredict.contracts.systems.stage import Stage
from zkpredict.contracts.systems.training_int import Recipe, network_of, plain_training

RECIPE = Recipe((24, 16, 3), 8, 40, activation_shift=4, margin=2000, error_shift=5, update_shifts=(2, 2), first_weights=(40, 40))


class Settled:
    """An escrow that settled 70 trips, and contracts that train on its log."""

    def __init__(self) -> None:
        self.stage = Stage(EmbeddedChain(), ("buyer", "supplier", "instrument", "rival"))
        judge = OpenJudge.deploy(self.stage, "buyer", trip_network())
        self.deal = Deal.open(self.stage, judge, (1, 2, 3), 70)
        values = [row.tobytes() for row in trips(70, 5)[0]]
        for first in range(0, 70, 35):
            self.deal.deliver_batch(first, values[first : first + 35])
        self.samples = [(judge.says(v), v) for v in values]
        terms = self.deal.terms
        self.origins = [(terms.buyer, terms.supplier, self.deal.number, serial) for serial in range(70)]
        self.claims = training.deploy(self.stage.account("buyer"), draw_delay=2)
        self.parts = Contract.deploy(self.stage.account("rival"), self.stage.artifacts("LoggedParts"), self.claims.address, self.deal.escrow.address, 24)[0]


@pytest.fixture(scope="module")
def settled() -> Settled:
    return Settled()


@pytest.mark.parametrize("spoil", ["label", "values", "order", "serial"])
def test_what_was_not_settled_is_not_published(settled, spoil):
    samples, origins = list(settled.samples), list(settled.origins)
    if spoil == "label":
        samples[5] = ((samples[5][0] + 1) % 3, samples[5][1])
    elif spoil == "values":
        samples[63] = (samples[63][0], bytes(24))
    elif spoil == "order":
        samples[0], samples[1] = samples[1], samples[0]
    else:
        origins[9] = (*origins[9][:3], 77)
    with pytest.raises(Reverted) as refusal:
        training.publish_logged(settled.parts, 70, samples, origins)
    assert refusal.value.name == "NotLogged"


def test_a_network_is_trained_on_settled_trips_and_on_nothing_else(settled):
    training.publish_logged(settled.parts, 70, settled.samples, settled.origins)
    assert (settled.parts.call("next"), settled.claims.call("partsOf", settled.parts.address, 24)) == (1, 1)
    with pytest.raises(Reverted) as refusal:  # the second part is not full: six trips are no 64
        training.publish_logged(settled.parts, 70, settled.samples + settled.samples[:58], settled.origins + settled.origins[:58])
    assert refusal.value.name == "NotLogged"
    run, _ = training.open_run(settled.claims, RECIPE.program(64), settled.parts.address, 0, 1)
    settled.claims.transact("arm", run)
    settled.stage.mine(3)
    training.fix(settled.claims, run)
    images = np.array([list(values) for _, values in settled.samples[:64]], np.uint8)
    labels = np.array([label for label, _ in settled.samples[:64]], np.uint8)
    found = training.Run.read(settled.claims, run)
    network = network_of(found.trace(settled.claims, images, labels))
    for layer, expected in zip(network.layers, plain_training(RECIPE, images, labels, found.seed)):
        assert (layer.weights == expected).all()


def test_what_was_trained_on_the_log_is_adopted_by_two_houses_and_pays_the_next_trip(settled):
    """The whole circle: settled trips, a claim of training that nobody refuted, a vote of both sides, a deal on the new version."""
    stage, claims = settled.stage, settled.claims
    if settled.parts.call("next") == 0:
        training.publish_logged(settled.parts, 70, settled.samples, settled.origins)
    recipe = replace(RECIPE, batches=60)
    run, _ = training.open_run(claims, recipe.program(64), settled.parts.address, 0, 1)
    claims.transact("arm", run)
    stage.mine(3)
    training.fix(claims, run)
    images = np.array([list(values) for _, values in settled.samples[:64]], np.uint8)
    labels = np.array([label for label, _ in settled.samples[:64]], np.uint8)
    found = training.Run.read(claims, run)
    trace = found.trace(claims, images, labels)
    claim, _ = training.claim_training(claims, run, trace)
    new = network_of(trace)
    old = _untrained(replace(recipe, batches=1), images, labels, found.seed)
    chain = stage.account("rival")
    houses = tuple(stage.deploy("rival", "House", who, [stage.address(who)]).address for who in ("buyer", "supplier"))
    versions = stage.deploy("rival", "ModelVersions")
    predictor = stage.deploy("rival", "PatchablePredictor", versions.address)
    terms = Terms(delay=100, period=1000, extension=1, timelock=100, quorum=50, bond=10)
    members = Council.deploy(chain, houses, deploy_packed(chain, old).contract.address, predictor.address, terms)
    address, digest, _ = council.store(chain, Delta.between(old, new))
    stage.wait(claims.call("window") + 1)
    claims.transact("finalize", claim)
    assert claims.call("isTrained", claim, run, trace.roots(trace.program.steps)[WEIGHTS])
    number, _ = members.propose(address, digest, f"what claim {claim} trained")
    stage.wait(terms.delay + 1)
    for who in ("buyer", "supplier"):
        members.by(stage.account(who)).vote(number, True)
    stage.wait(terms.period)
    members.queue(number)
    stage.wait(terms.timelock + 1)
    members.execute(number)
    for image in images[:4]:
        assert list(predictor.call("logitsAt", members.handle, 1, image.tobytes())) == new.infer(image[None]).logits[0].tolist()
    judge = stage.deploy("rival", "VersionPrediction", predictor.address)
    pinned = VersionJudge(new, judge.address, judge.call("modelOf", members.handle, 1), evidence_of(members.handle, 1))
    deal = Deal.open(stage, pinned, (1, 2, 3), 1, settled.deal.escrow)
    deal.deliver(0, images[0].tobytes(), "a trip")
    assert deal.escrow.call("status", deal.number)[8] == (1, 2, 3)[new.predict(images[0])]


def _untrained(recipe: Recipe, images: np.ndarray, labels: np.ndarray, seed: bytes) -> IntegerNetwork:
    first, second = plain_training(recipe, images, labels, seed)
    return IntegerNetwork((DenseLayer(first, np.zeros(len(first), np.int64), recipe.activation_shift), DenseLayer(second, np.zeros(len(second), np.int64))))
