"""Life-long learning: strangers improve a network for five epochs, it grows from eight digits to ten, and forgets nothing.

Needs a checkout: the test is MNIST test images, in parts of 50 by two testers; the networks are trained on others in exact integers.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from zkpredict.contracts.checkout import mnist_samples
from zkpredict.contracts.systems.learn import Terms, network_of
from zkpredict.contracts.systems.learn_play import BEST, STAGES, TRAIN_FROM, Play, features_shift, trained
from zkpredict.contracts.systems.samples import Part
from zkpredict.contracts.systems.stage import Stage, StoryFailed, ether
from zkpredict.contracts.systems.stories.learn_attacks import ATTACKS

__all__ = ["ATTACKS", "CAST", "play"]

CAST = ("initiator", "tester", "ada", "bob", "cyd", "dan", "mallory", "stranger")
PER_PART, PARTS_PER_STAGE = 50, 5
_EPOCHS = ((0, 20), (0, 60), (0, BEST), (1, 100), (1, BEST))
"""Stage of each epoch and how many images its winner trained on."""
_ALSO = ((0, 10), (0, 40), (0, 100), (1, 60), (1, 1500))


def story_terms(**changed: Any) -> Terms:
    named = dict(input_bytes=784, per_part=PER_PART, parts=PARTS_PER_STAGE, probe=2, epochs=5, shift=features_shift(), threshold=30)
    return Terms(**(named | changed))


@cache
def story_parts() -> tuple[tuple[Part, ...], ...]:
    """Parts of both testers: those of the first stage show digits 0 to 7 only."""
    images, labels = mnist_samples()
    few, all_ = (np.flatnonzero(labels[:TRAIN_FROM] < classes) for classes in (8, 10))
    half = PER_PART * PARTS_PER_STAGE
    chosen = [np.concatenate([few[t * half :][:half], all_[1000 + t * half :][:half]]) for t in range(2)]
    return tuple(tuple(Part.of(images[rows[at : at + PER_PART]], labels[rows[at : at + PER_PART]].tolist()) for at in range(0, len(rows), PER_PART)) for rows in chosen)


def play(stage: Stage) -> None:
    program = Play.create(stage, story_terms(), STAGES, ("initiator", "tester"), story_parts(), trained(0, 0))
    program.begin()
    for number, (best, also) in enumerate(zip(_EPOCHS, _ALSO, strict=True)):
        program.commit("ada", trained(*best), stake=3 * program.terms.stake)
        program.commit("bob", trained(*also))
        if number == 0:
            program.commit("cyd", trained(0, 100))
            program.commit("dan", trained(0, 0))
        program.test()
        program.claim("ada")
        program.claim("bob")
        if number == 0:
            _cheat(program)
        program.next_window()
        for who in ("ada", "bob", *(("cyd",) if number == 0 else ())):
            program.publish(who, label=f"publish {'16 neurons, 8' if best[0] == 0 else '8 neurons, 2'} classes")
        program.next_window()
        if number == 0:
            _refute_cyd(program)
        if number == 2:
            program.act("bob", "objects to ada's network with all his points, which are not enough", "object", stage.address("ada"), label="object")
        program.next_window()
        program.present("ada")
        program.next_window()
        program.settle("ada")
        for who in ("ada", "bob", *(("cyd", "dan") if number == 0 else ())):
            program.collect(number, who)
        stage.tell("stranger", f"epoch {number}: the loss is {program.contract.call('loss')}, stage {program.contract.call('stage')}, state {program.program.state}")
    _remembers(program)
    _ask_versions(program)
    program.finish()
    for number in range(5):
        program.act("stranger", f"shares what is left of the prize: epoch {number}", "collectRest", number, label="collect the rest")
    stage.tell("stranger", f"ada has {ether(program.contract.call('credit', stage.address('ada')))} and {program.contract.call('points', stage.address('ada'))} points")


def _cheat(program: Play) -> None:
    """Cyd claims that her network is never wrong; dan, who did not train at all, cannot claim."""
    program.stage.refuses("dan", "claims the standing network for his own", "NotBetter", lambda: program.claim("dan"))
    program.claim("cyd", own=[0] * (2 * PER_PART))


def _refute_cyd(program: Play) -> None:
    true = program.losses(program.networks["cyd"])
    program.refute("stranger", "cyd", true.index(1))


def _ask_versions(program: Play) -> None:
    """Every version goes on answering as it did: what pinned the second one has a network of eight digits still."""
    stage = program.stage
    prediction = stage.deploy("stranger", "LearnedPrediction", program.program.learned.address, label="deploy a prediction")
    image = mnist_samples()[0][9]
    networks = {2: network_of([trained(0, 60)], program.terms.shift), 5: program.network_at(2)}
    for version, network in networks.items():
        model, said = prediction.call("modelOf", version), network.predict(image)
        evidence = version.to_bytes(32, "big")
        receipt = prediction.by(stage.account("stranger")).transact("holds", model, image.tobytes(), said, evidence)
        stage.tell("stranger", f"asks version {version} about one image: {said}", receipt.gas_used, f"ask version {version}")
        if [prediction.call("holds", model, image.tobytes(), class_, evidence) for class_ in range(10)] != [class_ == said for class_ in range(10)]:
            raise StoryFailed(f"version {version} was expected to say {said}, and nothing else")


def _remembers(program: Play) -> None:
    """The logits of the first eight digits are what they were before the network grew, on the chain and on all 10,000 images."""
    images, _ = mnist_samples()
    network, weights = program.program.network, program.program.learned.call("weightsOf")
    before, after = (program.network_at(count).infer(images).logits for count in (1, 2))
    if not (before == after[:, :8]).all():
        raise StoryFailed("an old logit changed")
    for number in (0, 4321, 9999):
        image = images[number].tobytes()
        old, new = (list(network.call("logits", weights[:count], image)) for count in (1, 2))
        if old != new[:8] or new != after[number].tolist():
            raise StoryFailed(f"image {number} has other logits on the chain")
    program.stage.tell("stranger", "finds the logits of digits 0 to 7 bit for bit as before on 10,000 images, three of them on the chain")
