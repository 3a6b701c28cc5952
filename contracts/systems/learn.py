"""Life-long learning from Python: stages' weights as data, the network that they are, losses, and a program's calls. Contracts: `solidity/learn`.

    weights = StageWeights(neurons, bias, classes, class_bias)     # what one stage adds
    network_of([first, second]).infer(images)                      # the integer reference
    program = Program(contract); program.claim(key, weights, standing, own)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass, replace

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt
from zkpredict.contracts.systems.losses import Loss, loss_of
from zkpredict.contracts.systems.samples import Part
from zkpredict.contracts.systems.seals import derive_salt, seal
from zkpredict.kernel import keccak256

WEIGHTS, PART = "zkpredict weights", "zkpredict learn part"
STATES = ("sealing", "live", "closed", "aborted")
PHASES = ("commit", "open", "claim", "publish", "refute", "present", "over")
MOST_LOSS = (1 << 32) - 1


@dataclass(frozen=True)
class Terms:
    """How a program runs: the contract's `Terms`. `parts` of a tester and stage, `window` in seconds, amounts in wei."""

    input_bytes: int
    per_part: int
    parts: int
    probe: int
    epochs: int
    shift: int
    loss: Loss = Loss.ERRORS
    margin: int = 0
    window: int = 86_400
    threshold: int = 0
    delta: int = 1
    stake: int = 10**16
    bond: int = 10**17
    part_bond: int = 5 * 10**16


@dataclass(frozen=True, eq=False)
class StageWeights:
    """What a stage adds: int8 `neurons` [n, inputs], int32 `bias` [n]; int8 `classes` [c, all neurons so far], int32 `class_bias` [c]."""

    neurons: np.ndarray
    bias: np.ndarray
    classes: np.ndarray
    class_bias: np.ndarray

    @property
    def data(self) -> bytes:
        """As `GrowingNetwork.sol` reads it. Raises `UnusableInput` for values that do not fit."""
        return b"".join(
            [_packed(self.neurons.T, ">i1"), _packed(self.bias, ">i4")]
            + [_packed(row, ">i1") + _packed(bias, ">i4") for row, bias in zip(self.classes, self.class_bias, strict=True)]
        )

    @classmethod
    def from_bytes(cls, data: bytes, inputs: int, before: int, stage: tuple[int, int]) -> StageWeights:
        """The weights of a stage of (neurons, classes) after `before` neurons. Raises `UnusableInput` for another length."""
        new, classes = stage
        row = before + new + 4
        expected = new * (inputs + 4) + classes * row
        if len(data) != expected:
            raise UnusableInput(f"a stage of {new} neurons and {classes} classes is {expected} bytes, got {len(data)}")
        at = new * inputs
        rows = [data[at + 4 * new + c * row :][:row] for c in range(classes)]
        return cls(
            np.frombuffer(data[:at], ">i1").reshape(inputs, new).T.astype(np.int64), np.frombuffer(data[at : at + 4 * new], ">i4").astype(np.int64),
            np.array([np.frombuffer(r[:-4], ">i1") for r in rows]).astype(np.int64), np.array([np.frombuffer(r[-4:], ">i4")[0] for r in rows]).astype(np.int64),
        )  # fmt: skip


def network_of(stages: Sequence[StageWeights], shift: int) -> IntegerNetwork:
    """The dense network that stages are: earlier classes have zeros at later stages' neurons."""
    width = sum(len(stage.neurons) for stage in stages)
    rows = [np.pad(stage.classes, ((0, 0), (0, width - stage.classes.shape[1]))) for stage in stages]
    first = DenseLayer(np.concatenate([s.neurons for s in stages]).astype(np.int64), np.concatenate([s.bias for s in stages]).astype(np.int64), shift)
    return IntegerNetwork((first, DenseLayer(np.concatenate(rows).astype(np.int64), np.concatenate([s.class_bias for s in stages]).astype(np.int64))))


def losses_of(network: IntegerNetwork, part: Part, kind: Loss = Loss.ERRORS, margin: int = 0) -> list[int]:
    """The loss of every sample. Twin of `GrowingNetwork.lossOf`."""
    images = np.array([np.frombuffer(data, np.uint8) for data in part.inputs])
    return [loss_of(kind, z, label, margin) for z, label in zip(network.infer(images).logits.tolist(), part.labels, strict=True)]


def pack_losses(standing: Sequence[int], own: Sequence[int]) -> bytes:
    """What `claim` takes. Raises `UnusableInput` for a loss that does not fit."""
    if any(not 0 <= loss <= MOST_LOSS for loss in (*standing, *own)):
        raise UnusableInput(f"a loss is 0 to {MOST_LOSS}: such a network cannot be claimed about")
    return b"".join(int(loss).to_bytes(4, "big") for loss in (*standing, *own))


def deploy(chain: Chain, terms: Terms, stages: Sequence[tuple[int, int]], testers: Sequence[str], first: StageWeights, draw_delay: int = 128, versions: str | None = None) -> Contract:
    """Stores the first stage's weights and starts a program, with a registry of versions of its own unless one is given. Parameters are fixed by that."""
    weights = store(chain, first.data)
    versions = Contract.deploy(chain, load("ModelVersions"))[0].address if versions is None else versions
    return Contract.deploy(chain, load("LifelongLearning"), astuple(terms), list(stages), list(testers), weights, draw_delay, versions)[0]


def store(chain: Chain, data: bytes) -> str:
    """A new data contract; its address."""
    code = b"\x61" + (len(data) + 1).to_bytes(2, "big") + bytes.fromhex("80600a5f395ff3") + b"\0" + data
    return chain.deploy(code).created


@dataclass(frozen=True)
class Program:
    """A program as the contract's account sees it."""

    contract: Contract

    @property
    def terms(self) -> Terms:
        found = Terms(*self.contract.call("terms")[0])
        return replace(found, loss=Loss(found.loss))

    @property
    def testers(self) -> list[str]:
        return list(self.contract.call("terms")[1])

    @property
    def epoch(self) -> int:
        return self.contract.call("epoch")

    @property
    def state(self) -> str:
        return STATES[self.contract.call("state")]

    @property
    def badges(self) -> Contract:
        return Contract(self.contract.chain, self.contract.call("badges"), load("Badges"))

    @property
    def network(self) -> Contract:
        return Contract(self.contract.chain, self.contract.call("network"), load("GrowingNetwork"))

    @property
    def learned(self) -> Contract:
        """The standing network, and every version before it."""
        return Contract(self.contract.chain, self.contract.call("learned"), load("Learned"))

    def deadlines(self) -> list[int]:
        """The six ends of the epoch's phases."""
        packed = self.contract.call("epochs", self.epoch)[0]
        return [packed >> 8 + 40 * i & (1 << 40) - 1 for i in range(6)]

    def phase(self, now: int) -> str:
        return PHASES[sum(now >= deadline for deadline in self.deadlines())]

    def salt(self, key: bytes, name: str = WEIGHTS) -> bytes:
        chain = self.contract.chain
        number = self.epoch if name == WEIGHTS else 0
        return derive_salt(key, name, chain.chain_id, self.contract.address, number)

    def seal_of(self, key: bytes, who: str, data: bytes) -> bytes:
        chain = self.contract.chain
        return seal(WEIGHTS, chain.chain_id, self.contract.address, self.epoch, who, keccak256(data), self.salt(key))

    def network_with(self, candidate: bytes | None = None) -> IntegerNetwork:
        """The standing network, read from the chain, or the one with `candidate` in its stage's place."""
        addresses = self.learned.call("weightsOf")
        data = [self.contract.chain.code(address)[1:] for address in addresses]
        if candidate is not None:
            data[self.contract.call("stage") :] = [candidate]
        found: list[StageWeights] = []
        neurons = 0
        for number, stage_data in enumerate(data):
            stage = self.network.call("stages", number)
            found.append(StageWeights.from_bytes(stage_data, self.terms.input_bytes, neurons, stage))
            neurons += stage[0]
        return network_of(found, self.terms.shift)

    def losses(self, parts: Sequence[Part], candidate: bytes | None = None) -> list[int]:
        """Losses on the drawn parts, tester after tester."""
        network, terms = self.network_with(candidate), self.terms
        return [loss for part in parts for loss in losses_of(network, part, terms.loss, terms.margin)]

    def claimed_losses(self, who: str) -> bytes:
        """What an account claimed in this epoch, from the chain's events. Raises `UnusableInput` when it did not."""
        artifact = self.contract.artifact
        for log in reversed(self.contract.chain.logs(self.contract.address, [artifact.topic("Claimed")])):
            _, event = artifact.decode_event(log.topics, log.data)
            if event["epoch"] == self.epoch and event["who"].lower() == who.lower():
                return event["losses"]
        raise UnusableInput(f"{who} claimed nothing in epoch {self.epoch}")

    def false_loss(self, who: str, claimed: bytes, parts: Sequence[Part]) -> tuple[int, bool] | None:
        """Place of the first false loss of a claim, and whether it is of the standing network; None when all are true."""
        half = len(claimed) // 8
        said = [int.from_bytes(claimed[at : at + 4], "big") for at in range(0, len(claimed), 4)]
        published = self.contract.call("candidates", self.epoch, who)[5]
        own = self.losses(parts, self.contract.chain.code(published)[1:]) if int(published, 16) else said[half:]
        wrong = [(place % half, place < half) for place, pair in enumerate(zip(said, [*self.losses(parts), *own], strict=True)) if pair[0] != pair[1]]
        return wrong[0] if wrong else None

    def fix(self, number: int) -> Receipt:
        """Draws for epoch `number - 1`, or for the probe (0). Raises `UnusableInput` when its block is not there yet."""
        draw_block, _ = self.contract.call("drawn", number)
        latest = self.contract.chain.block().number
        if draw_block == 0 or latest <= draw_block:
            raise UnusableInput("not armed yet: `learn arm` first" if draw_block == 0 else f"wait for block {draw_block + 1}, it is {latest}")
        return self.contract.transact("fix", number, self.contract.chain.block(draw_block).header)


def options(program: Program, now: int, me: str) -> dict[str, str]:
    """What an account may do now, and what it loses by doing nothing."""
    contract, terms = program.contract, program.terms
    mine = [t for t, tester in enumerate(program.testers) if tester.lower() == me.lower()]
    if program.state == "sealing":
        return _before(contract, terms, now, mine)
    if program.state != "live":
        return {"expire": "parts that nobody opened keep their bonds here"}
    phase = program.phase(now)
    stake, _, gain, _, _, published, refuted, _ = contract.call("candidates", program.epoch, me)
    shown = int(published, 16) != 0
    found = {
        "commit": {} if stake else {"commit": "you are not in this epoch"},
        "open": {"arm and fix": "the epoch is void"} | ({"open-part": f"each part that was drawn and not opened loses {terms.part_bond} wei"} if mine else {}),
        "claim": {"claim": "half of your stake is burned"} if stake and not gain else {},
        "publish": {"publish": "you cannot win; half of stake and bond is burned if you claimed most"} if gain and not shown else {},
        "refute": {"refute": "a false loss stands", "object": "a network that you would not want can win"},
        "present": {"present": "nobody may win"} if shown and not refuted else {},
        "over": {"settle": "nobody is paid until somebody does"},
    }  # fmt: skip
    return found[phase]


def _before(contract: Contract, terms: Terms, now: int, mine: list[int]) -> dict[str, str]:
    if now < contract.call("sealBy"):
        return {"seal-parts": "the program is aborted unless all parts are sealed"} if mine else {}
    if now >= contract.call("probeBy"):
        return {"start or abort": "nothing moves until somebody does"}
    return {"arm, fix and start": "the program is aborted"} | ({"open-part": f"each part that was drawn loses {terms.part_bond} wei"} if mine else {})


def _packed(values: np.ndarray, kind: str) -> bytes:
    found = np.asarray(values)
    limit = np.iinfo(np.dtype(kind))
    if found.size and (int(found.min()) < limit.min or int(found.max()) > limit.max):
        raise UnusableInput(f"weights are {limit.min} to {limit.max}, got {int(found.min())} to {int(found.max())}")
    return found.astype(kind).tobytes()
