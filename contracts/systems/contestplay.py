"""A model contest of the stories, played: parts that are sealed and opened, entrants that seal, reveal, claim and prove."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.chain.interface import Contract, Receipt
from zkpredict.contracts.checkout import mnist_samples
from zkpredict.contracts.systems.contest import PART, Params, Sealing
from zkpredict.contracts.systems.samples import Part, Sheet
from zkpredict.contracts.systems.stage import Stage, ether

DAY = 86_400
PRIZE, STAKE, CLAIM_BOND, PART_BOND = 10**18, 10**16, 10**17, 5 * 10**16


@dataclass
class Contest:
    """A contest on a stage. `parts` by number; `owners` are names of the cast, one for each part."""

    stage: Stage
    contract: Contract
    params: Params
    owners: tuple[str, ...]
    parts: tuple[Part, ...]
    number: int = 1
    opened: list[int] = field(default_factory=list)
    models: dict[str, bytes] = field(default_factory=dict)

    @classmethod
    def create(cls, stage: Stage, prediction: str, owners: tuple[str, ...], parts: tuple[Part, ...], *, by_answers: bool = False, **changed: Any) -> Contest:
        """The sponsor creates a contest with windows of a day; every owner seals its parts."""
        contract = stage.deploy("sponsor", "ModelContest", 3600, vault=True)
        now = stage.now
        params = Params(
            prediction, by_answers, changed.get("min_rule", False), len(parts), len(parts[0].labels), parts[0].input_bytes, STAKE,
            changed.get("claim_bond", CLAIM_BOND), PART_BOND, tuple(now + (day + 1) * changed.get("window", DAY) for day in range(6)),
            tuple(map(stage.address, owners)),
        )
        contest = cls(stage, contract, params, owners, parts)
        what = f"opens a contest for {ether(PRIZE)}"
        random = tuple(deadline.to_bytes(4, "big") for deadline in params.deadlines)
        stage.act("sponsor", what, contract, "create", params.argument, value=PRIZE, label="create", random=random)
        for number, owner in enumerate(owners):
            seal = parts[number].seal(contest.part_salt(number))
            what = f"seals part {number} of the test"
            stage.act(owner, what, contract, "sealPart", 1, number, seal, value=PART_BOND, label="seal a part", random=(seal,))
        return contest

    def part_salt(self, number: int) -> bytes:
        return self.sealing(self.owners[number]).salt(f"{PART} {number}")

    def sealing(self, who: str) -> Sealing:
        return Sealing(self.stage.key(who), self.stage.address(who), self.stage.chain.chain_id, self.contract.address, self.number)

    def enter(self, who: str, model: bytes, *, made: bytes | None = None, value: int = STAKE) -> Receipt:
        made = self.sealing(who).model(model) if made is None else made
        return self.stage.act(who, "seals its model", self.contract, "enter", 1, made, value=value, label="enter", random=(made,))

    def reveal(self, who: str, model: bytes, *, salt: bytes | None = None, what: str = "reveals its model") -> Receipt:
        self.models[who] = model
        salt = self.sealing(who).salt("zkpredict entry") if salt is None else salt
        return self.stage.act(who, what, self.contract, "reveal", 1, model, salt, label="reveal", random=(model, salt))

    def open_part(self, number: int, part: Part | None = None, what: str = "") -> Receipt:
        part = part or self.parts[number]
        what = what or f"opens part {number}: {len(part.labels)} samples"
        salt = self.part_salt(number)
        receipt = self.stage.act(self.owners[number], what, self.contract, "openPart", 1, number, part.data, salt, label="open a part", random=(salt,))
        self.opened.append(number)
        return receipt

    def open_all(self) -> None:
        for number in range(len(self.parts)):
            self.open_part(number)

    def claim(self, who: str, right: int) -> Receipt:
        return self.stage.act(who, f"claims {right} right answers", self.contract, "claim", 1, right, value=CLAIM_BOND, label="claim")

    def prove(self, who: str, samples: list[tuple[tuple[Any, ...], bytes]], what: str = "", label: str = "") -> Receipt:
        """Proves samples, each with its evidence, in one transaction."""
        arguments = 1, self.stage.address(who), [sample for sample, _ in samples], [evidence for _, evidence in samples]
        what = what or f"proves {len(samples)} samples"
        return self.stage.act(who, what, self.contract, "prove", *arguments, label=label, random=arguments[3])

    def sample(self, place: int, index: int) -> tuple[Any, ...]:
        return self.parts[self.opened[place]].sample(index, place)

    def post(self, who: str, answers: Sheet, what: str) -> Receipt:
        return self.stage.act(who, what, self.contract, "post", 1, answers.data, answers.differences(self.labels), value=CLAIM_BOND, label="post all answers")

    def refute(self, by: str, who: str, answers: Sheet, place: int, index: int, class_: int, what: str, **changed: Any) -> Receipt:
        """Shows that the answer of `who` to a sample is wrong: its model gives it `class_`."""
        posted = changed.get("posted") or answers.posted(place, index)
        arguments = 1, self.stage.address(who), self.models[who], self.sample(place, index), posted, class_, b""
        return self.stage.act(by, what, self.contract, "refute", *arguments, label="refute one answer")

    @property
    def labels(self) -> Sheet:
        return Sheet(tuple(self.parts[number].labels for number in self.opened))

    def answers(self, network: IntegerNetwork) -> Sheet:
        """What a network says about all opened samples."""
        rows = [[network.predict(np.frombuffer(data, np.uint8)) for data in self.parts[number].inputs] for number in self.opened]
        return Sheet(tuple(map(tuple, rows)))

    def finish(self, entrants: tuple[str, ...], by: str = "stranger") -> None:
        """A stranger settles and has everybody's money credited."""
        self.stage.act(by, "settles the contest, as anybody may", self.contract, "settle", 1, label="settle")
        for who in entrants:
            what = f"has what is {who}'s credited to {who}"
            self.stage.act(by, what, self.contract, "collect", 1, self.stage.address(who), label="collect")


@cache
def digits(first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """MNIST test images and labels from `first` on: uint8 [count, 784], uint8 [count]. Raises `UnusableInput` outside a checkout."""
    images, labels = mnist_samples()
    return images[first : first + count], labels[first : first + count]


def part_of(first: int, count: int) -> Part:
    """A part of MNIST test images."""
    images, labels = digits(first, count)
    return Part.of(images, labels.tolist())


def pruned(network: IntegerNetwork, neurons: int) -> IntegerNetwork:
    """The network without its first `neurons` hidden ones: a weaker competitor."""
    first, *rest = network.layers
    weights, bias = first.weights.copy(), first.bias.copy()
    weights[:neurons], bias[:neurons] = 0, 0
    return IntegerNetwork((DenseLayer(weights, bias, first.shift), *rest))
