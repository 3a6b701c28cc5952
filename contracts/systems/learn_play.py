"""A learning program on a stage: networks that are trained in exact integers, testers with sealed parts, and epochs by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from functools import cache
from typing import Any

import numpy as np

from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.chain.interface import Contract, Receipt
from zkpredict.contracts.checkout import example_network, mnist_samples
from zkpredict.contracts.systems.learn import PART, Program, StageWeights, Terms, losses_of, network_of, pack_losses, store
from zkpredict.contracts.systems.samples import Part
from zkpredict.contracts.systems.seals import derive_salt
from zkpredict.contracts.systems.stage import Stage
from zkpredict.kernel import keccak256

STAGES = ((16, 8), (8, 2))
"""Neurons and classes of the story's network: eight digits, then all ten."""
TRAIN_FROM = 5000
PRIZE = 10**18


@cache
def _features() -> tuple[np.ndarray, np.ndarray, int, np.ndarray]:
    """Hidden weights, biases, shift of the example network, and its activations on the training images, all for 24 neurons."""
    layer = example_network().layers[0]
    wide = sum(neurons for neurons, _ in STAGES)
    weights, bias = layer.weights[:wide], layer.bias[:wide]
    images = mnist_samples()[0][TRAIN_FROM:].astype(np.int64)
    return weights, bias, layer.shift, np.maximum(images @ weights.T + bias, 0) >> layer.shift


def features_shift() -> int:
    """What the story's networks shift activations by."""
    return _features()[2]


@cache
def trained(stage: int, samples: int) -> StageWeights:
    """A stage's weights: neurons of the example network, classes by a perceptron over so many images, in exact integers.

    The second stage's classes are trained against the logits that the best first stage gives, which stay as they are.
    """
    weights, bias, _, all_activations = _features()
    start = sum(neurons for neurons, _ in STAGES[:stage])
    first_class = sum(classes for _, classes in STAGES[:stage])
    end, last_class = start + STAGES[stage][0], first_class + STAGES[stage][1]
    labels = mnist_samples()[1][TRAIN_FROM:]
    chosen = np.flatnonzero(labels < last_class)[:samples]
    table = np.zeros((last_class, end + 1), dtype=np.int64)
    if stage:
        old = trained(0, BEST)
        table[:first_class, : old.classes.shape[1]], table[:first_class, end] = old.classes << _DOWN, old.class_bias << _DOWN
    total = table.copy()
    for i in chosen:
        a = np.append(all_activations[i, :end], 1)
        said, label = int(np.argmax(table @ a)), int(labels[i])
        if said != label:
            if label >= first_class:
                table[label] += a
            if said >= first_class:
                table[said] -= a
        total += table
    average = (total // max(len(chosen), 1))[first_class:] >> _DOWN
    return StageWeights(weights[start:end], bias[start:end], average[:, :end], average[:, end])


BEST = 4000
_DOWN = 7
"""Bits that averages lose to fit into a byte."""


@dataclass
class Play:
    """A program on a stage; `testers` are names of the cast, `parts[t][n]` their parts."""

    stage: Stage
    contract: Contract
    terms: Terms
    testers: tuple[str, ...]
    parts: Sequence[Sequence[Part]]
    networks: dict[str, StageWeights] = field(default_factory=dict)
    claims: dict[str, bytes] = field(default_factory=dict)
    blocks: list[StageWeights] = field(default_factory=list)

    @classmethod
    def create(cls, stage: Stage, terms: Terms, stages: Sequence[tuple[int, int]], testers: tuple[str, ...], parts: Sequence[Sequence[Part]], first: StageWeights, prize: int = PRIZE) -> Play:
        who = testers[0]
        weights = store(stage.account(who), first.data)
        addresses = [stage.address(tester) for tester in testers]
        versions = stage.deploy(who, "ModelVersions").address
        contract = stage.deploy(who, "LifelongLearning", astuple(terms), list(stages), addresses, weights, 1, versions, vault=True, label="deploy")
        play = cls(stage, contract, terms, testers, parts, blocks=[first])
        play.act(who, f"puts {prize} wei into the prize", "fund", value=prize, label="fund")
        return play

    def act(self, who: str, what: str, function: str, *arguments: Any, **named: Any) -> Receipt:
        return self.stage.act(who, what, self.contract, function, *arguments, **named)

    @property
    def program(self) -> Program:
        return Program(self.contract)

    def part_salt(self, tester: int, number: int) -> bytes:
        key = self.stage.key(self.testers[tester])
        return derive_salt(key, f"{PART} {tester} {number}", self.stage.chain.chain_id, self.contract.address, 0)

    def seal_all(self) -> None:
        for tester, who in enumerate(self.testers):
            seals = [part.seal(self.part_salt(tester, n)) for n, part in enumerate(self.parts[tester])]
            self.act(who, f"seals {len(seals)} parts of the test", "sealParts", tester, 0, seals, value=len(seals) * self.terms.part_bond,
                     label="seal parts", random=seals)  # fmt: skip

    def draw(self, who: str, number: int) -> None:
        """Arms and fixes."""
        self.act(who, "names the block that draws", "arm", number, label="arm")
        self.stage.mine(2)
        receipt = Program(self.contract.by(self.stage.account(who))).fix(number)
        self.stage.tell(who, "draws", receipt.gas_used, "fix (as drawn)")

    def open_part(self, tester: int, number: int, part: Part | None = None) -> None:
        part = part or self.parts[tester][number]
        self.act(self.testers[tester], f"opens part {number}: {len(part.labels)} samples", "openPart", tester, number, part.data,
                 self.part_salt(tester, number), label=f"open a part of {len(part.labels)} (as drawn)")  # fmt: skip

    def begin(self) -> None:
        """Sealing, probe and start."""
        self.seal_all()
        self.stage.wait(self.terms.window)
        self.draw("stranger", 0)
        mask = self.contract.call("probed")
        for number in (n for n in range(len(self.parts[0])) if mask >> n & 1):
            for tester in range(len(self.testers)):
                self.open_part(tester, number)
        self.act("stranger", "starts the first epoch: what the probe drew is as it was sealed", "start", label="start (as drawn)")

    def commit(self, who: str, weights: StageWeights, stake: int = 0) -> None:
        self.networks[who] = weights
        made = self.program.seal_of(self.stage.key(who), self.stage.address(who), weights.data)
        self.act(who, "seals weights", "commit", made, value=stake or self.terms.stake, label="commit", random=(made,))

    def test(self, by: str = "stranger", without: int | None = None) -> None:
        """Draws the epoch's part and opens it."""
        self.stage.wait(self.terms.window)
        self.draw(by, self.program.epoch + 1)
        for tester in range(len(self.testers)):
            if tester != without:
                self.open_part(tester, self.contract.call("drawnPart"))
        self.stage.wait(self.terms.window)

    @property
    def drawn(self) -> list[Part]:
        number = self.contract.call("drawnPart")
        return [parts[number] for parts in self.parts]

    def network(self, weights: StageWeights | None = None) -> IntegerNetwork:
        """The standing network, or the one with `weights` in its stage's place."""
        blocks = self.blocks if weights is None else [*self.blocks[: self.contract.call("stage")], weights]
        return network_of(blocks, self.terms.shift)

    def network_at(self, stages: int) -> IntegerNetwork:
        """The standing network of the first stages."""
        return network_of(self.blocks[:stages], self.terms.shift)

    def losses(self, weights: StageWeights | None = None) -> list[int]:
        network = self.network(weights)
        return [loss for part in self.drawn for loss in losses_of(network, part, self.terms.loss, self.terms.margin)]

    def claim(self, who: str, own: list[int] | None = None, standing: list[int] | None = None) -> None:
        weights = self.networks[who]
        own, standing = own or self.losses(weights), standing or self.losses()
        self.claims[who] = pack_losses(standing, own)
        salt = self.program.salt(self.stage.key(who))
        self.act(who, f"claims a loss of {sum(own)}, where the standing network has {sum(standing)}", "claim", keccak256(weights.data), salt,
                 self.claims[who], value=self.terms.bond, label=f"claim {len(own) + len(standing)} losses (as drawn)")  # fmt: skip

    def publish(self, who: str, data: bytes | None = None, label: str = "") -> None:
        self.act(who, "publishes its weights", "publish", data or self.networks[who].data, label=label)

    def refute(self, by: str, who: str, place: int, of_standing: bool = False, sample: tuple[Any, ...] | None = None) -> None:
        tester, index = divmod(place, self.terms.per_part)
        sample = sample or self.drawn[tester].sample(index, tester)
        self.act(by, f"runs the network on one sample of {who}'s claim", "refute", self.stage.address(who), self.claims[who], of_standing, sample,
                 label="refute a loss (as drawn)")  # fmt: skip

    def present(self, who: str, by: str = "stranger") -> None:
        self.act(by, f"puts {who} forward", "present", self.stage.address(who), label="present")

    def settle(self, winner: str = "") -> None:
        """Ends the epoch, and keeps what its winner made."""
        number = self.contract.call("stage")
        self.act("stranger", "settles the epoch, as anybody may", "settle", label="settle (as drawn)")
        if winner:
            self.blocks[number:] = [self.networks[winner]]

    def collect(self, epoch: int, who: str) -> None:
        self.act("stranger", f"has what is {who}'s credited to {who}", "collect", epoch, self.stage.address(who), label="collect (as drawn)")

    def next_window(self) -> None:
        self.stage.wait(self.terms.window)

    def finish(self) -> None:
        """Opens every part that is left, once the program is closed."""
        for number in range(len(self.parts[0])):
            for tester in range(len(self.testers)):
                if not self.contract.call("partOf", tester, number)[2]:
                    self.open_part(tester, number)
