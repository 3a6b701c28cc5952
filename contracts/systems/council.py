"""Client of the council: deploys houses, governor and gate, stores changes, and takes a proposal from `propose` to `execute`.

    council = Council.deploy(chain, (drivers, passengers), base)     # base: a deployed `PackedPredictor`
    proposal, receipt = council.propose(delta, "why")
    council.vote(proposal, True); council.queue(proposal); council.execute(proposal)

Who looks at a proposal needs nothing but the governor's address: the chain's events have the rest.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Self

from eth_abi import decode, encode
from eth_utils import to_checksum_address

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt, Reverted
from zkpredict.contracts.open.weights import data_creation, data_hash
from zkpredict.contracts.systems.dispute_play import Option
from zkpredict.contracts.systems.log import deliveries, log_path
from zkpredict.contracts.systems.patches import Delta
from zkpredict.kernel import keccak256

DAY = 24 * 3600
NOBODY = "0x" + "0" * 40
_UPDATE = ["uint32", "bool", "address", "bytes32", "uint40", "uint256"]


class State(IntEnum):
    """OpenZeppelin's `IGovernor.ProposalState`."""

    PENDING, ACTIVE, CANCELED, DEFEATED, SUCCEEDED, QUEUED, EXPIRED, EXECUTED = range(8)


@dataclass(frozen=True)
class Terms:
    """What a deployment fixes for ever. Times in seconds, the quorum in percent of each house's units, the bond in wei, `cap` in
    entries of changes within 30 days."""

    delay: int = DAY
    period: int = 3 * DAY
    extension: int = DAY
    timelock: int = 2 * DAY
    grace: int = 14 * DAY
    quorum: int = 20
    bond: int = 10**16
    cap: int = 5000

    @property
    def arguments(self) -> tuple[int, ...]:
        return self.delay, self.period, self.extension, self.timelock, self.grace, self.quorum, self.bond


@dataclass(frozen=True)
class Tally:
    """One house's votes of a proposal, and how many it takes."""

    yes: int
    no: int
    needed: int

    @property
    def passed(self) -> bool:
        return self.yes + self.no >= max(self.needed, 1) and self.yes > self.no


@dataclass(frozen=True)
class Proposal:
    """A proposal as its event has it. `parent`, `fresh`, `delta`, `until` and `evidence` are what `adopt` will be called with."""

    number: int
    proposer: str
    gate: str
    call: bytes
    description: str
    vote_start: int
    parent: int
    fresh: bool
    delta: str
    until: int
    evidence: int

    @property
    def action(self) -> tuple[list[str], list[int], list[bytes], bytes]:
        """The arguments of `queue`, `execute` and `cancel`."""
        return [self.gate], [0], [self.call], keccak256(self.description.encode())


@dataclass(frozen=True)
class Council:
    """A governor and the gate of one model, seen by one account."""

    governor: Contract
    gate: Contract

    @classmethod
    def deploy(
        cls, chain: Chain, houses: tuple[str, str], base: str, predictor: str, terms: Terms = Terms(), name: str = "council",
        scores: str = NOBODY, test_root: bytes = bytes(32), standing: int = 0,
    ) -> Council:  # fmt: skip
        """Deploys governor (and its timelock) and gate. `predictor` is a `PatchablePredictor`, whose registry gets the model's handle."""
        governor, _ = Contract.deploy(chain, load("TwoHouseGovernor"), name, *houses, terms.arguments)
        gate, _ = Contract.deploy(
            chain, load("UpdateGate"), governor.call("timelock"), predictor, base, terms.cap, scores, test_root, standing
        )
        return cls(governor, gate)

    @classmethod
    def at(cls, governor: Contract, gate: Contract) -> Council:
        """A governor and a gate that belong together. Raises `UnusableInput` when they do not."""
        timelock, wanted = gate.call("timelock"), governor.call("timelock")
        if timelock != wanted:
            raise UnusableInput(f"the gate at {gate.address} obeys {timelock}, and the governor's timelock is {wanted}")
        return cls(governor, gate)

    def by(self, chain: Chain) -> Self:
        """The same council, seen by another account."""
        return type(self)(self.governor.by(chain), self.gate.by(chain))

    @property
    def handle(self) -> bytes:
        return self.gate.call("handle")

    @property
    def versions(self) -> Contract:
        return Contract(self.gate.chain, to_checksum_address(self.gate.call("versions")), load("ModelVersions"))

    @property
    def predictor(self) -> Contract:
        return Contract(self.gate.chain, to_checksum_address(self.gate.call("predictor")), load("PatchablePredictor"))

    @property
    def latest(self) -> int:
        """The number of the model's latest version."""
        return self.versions.call("latest", self.handle)

    def propose(self, delta: str, delta_hash: bytes, why: str, fresh: bool = False, evidence: int = 0, parent: int | None = None) -> tuple[int, Receipt]:
        """Proposes the stored change as the next version; the proposal's number. The bond goes with it."""
        until = self.governor.call("earliest") + self.governor.call("grace")
        update = self.latest if parent is None else parent, fresh, delta, delta_hash, until, evidence
        receipt = self.governor.transact("proposeUpdate", self.gate.address, update, why, value=self.governor.call("bond"))
        return created(self.governor, receipt), receipt

    def proposal(self, number: int) -> Proposal:
        """Raises `UnusableInput` when there is none of this number."""
        found = [proposal for proposal in proposals(self.governor) if proposal.number == number]
        if not found:
            raise UnusableInput(f"there is no proposal {number}: `council status` lists all")
        return found[0]

    def vote(self, number: int, yes: bool) -> Receipt:
        return self.governor.transact("castVote", number, int(yes))

    def queue(self, number: int) -> Receipt:
        return self.governor.transact("queue", *self.proposal(number).action)

    def execute(self, number: int) -> Receipt:
        """Raises `Reverted` with the gate's, the registry's or the predictor's reason when one of them refuses."""
        try:
            return self.governor.transact("execute", *self.proposal(number).action)
        except Reverted as refusal:
            for name in ("UpdateGate", "ModelVersions", "PatchablePredictor", "PrivateGate", "RowRegistry"):
                refusal = refusal if refusal.name else refusal.named(load(name))
            raise refusal from None

    def cancel(self, number: int) -> Receipt:
        return self.governor.transact("cancel", *self.proposal(number).action)

    def state(self, number: int) -> State:
        return State(self.governor.call("state", number))

    def tallies(self, number: int) -> tuple[Tally, Tally]:
        """Of both houses. Before the vote starts, all zero."""
        if self.state(number) is State.PENDING:
            return Tally(0, 0, 0), Tally(0, 0, 0)
        return Tally(*self.governor.call("tally", number, 0)), Tally(*self.governor.call("tally", number, 1))


class PrivateCouncil(Council):
    """A governor and the gate of a private model, whose versions are models of a `RowRegistry` (`rows.py`)."""

    @classmethod
    def of(
        cls, chain: Chain, houses: tuple[str, str], registry: str, base: bytes, terms: Terms = Terms(), name: str = "council",
        scores: str = NOBODY, test_root: bytes = bytes(32), standing: int = 0,
    ) -> PrivateCouncil:  # fmt: skip
        """Deploys governor and gate; `base` is the registered model that is version 0, `terms.cap` counts rows."""
        governor, _ = Contract.deploy(chain, load("TwoHouseGovernor"), name, *houses, terms.arguments)
        gate, _ = Contract.deploy(chain, load("PrivateGate"), governor.call("timelock"), registry, base, terms.cap, scores, test_root, standing)
        return cls(governor, gate)

    @property
    def latest(self) -> int:
        return self.gate.call("latest")

    def model(self, version: int) -> bytes:
        """The id of a version, as verifiers and deals know it."""
        return self.gate.call("models", version)

    def propose_model(self, model: bytes, why: str, evidence: int = 0, parent: int | None = None) -> tuple[int, Receipt]:
        """Proposes a registered model as the next version. Raises `UnusableInput` when the gate's registry does not have it."""
        registry = Contract(self.gate.chain, to_checksum_address(self.gate.call("registry")), load("RowRegistry"))
        holder = to_checksum_address(registry.call("holderOf", model))
        if holder == NOBODY:
            raise UnusableInput(f"the registry at {registry.address} has no model {model.hex()}: register or derive it first")
        return self.propose(holder, keccak256(self.gate.chain.code(holder)), why, evidence=evidence, parent=parent)


def store(chain: Chain, delta: Delta) -> tuple[str, bytes, Receipt]:
    """Writes a change to a data contract, for all to read before anybody votes; its address and code hash."""
    receipt = chain.deploy(data_creation(delta.data))
    return receipt.created, data_hash(delta.data), receipt


def read_delta(chain: Chain, address: str) -> Delta:
    """The change in a data contract. Raises `UnusableInput` when there is none."""
    code = chain.code(address)
    if not code or code[0]:
        raise UnusableInput(f"there is no data contract at {address}")
    return Delta.from_bytes(code[1:])


def evidence_of(handle: bytes, version: int, fresh: bool = False, delta: str = NOBODY) -> bytes:
    """What `VersionPrediction.holds` takes as evidence."""
    return encode(["bytes32", "uint32", "bool", "address"], [handle, version, fresh, delta])


def count_ride(rides: Contract, escrow: Contract, index: int) -> Receipt:
    """Has delivery `index` of the escrow's log counted as a vote of each side, for the fee."""
    found = deliveries(escrow)
    if index >= len(found):
        raise UnusableInput(f"the escrow at {escrow.address} settled {len(found)} deliveries, numbers from 0")
    path = log_path([delivery.leaf for delivery in found], index)
    return rides.transact("count", len(found), index, found[index].argument, path, value=rides.call("fee"))


def created(governor: Contract, receipt: Receipt) -> int:
    """The number of the proposal that a transaction made."""
    return next(values["proposalId"] for name, values in governor.events(receipt) if name == "ProposalCreated")


def proposals(governor: Contract) -> list[Proposal]:
    """All proposals, oldest first, from the governor's events."""
    logs = governor.chain.logs(governor.address, [governor.artifact.topic("ProposalCreated")])
    return [_proposal(governor.artifact.decode_event(log.topics, log.data)[1]) for log in logs]


def _proposal(values: dict[str, Any]) -> Proposal:
    [gate], [call] = values["targets"], values["calldatas"]
    parent, fresh, delta, _, until, evidence = decode(_UPDATE, call[4:])
    return Proposal(
        values["proposalId"], to_checksum_address(values["proposer"]), to_checksum_address(gate), call, values["description"],
        values["voteStart"], parent, fresh, to_checksum_address(delta), until, evidence,
    )  # fmt: skip


def options(council: Council, proposal: Proposal, now: int) -> list[Option]:
    """What the council's account can do about a proposal now, until when, and what comes of not doing it."""
    governor, number = council.governor, proposal.number
    me, state = governor.chain.sender, council.state(proposal.number)
    found = []
    if state is State.PENDING and me == proposal.proposer:
        found.append(Option("cancel", proposal.vote_start, "it is voted on"))
    if state is State.ACTIVE and not governor.call("hasVoted", number, me) and governor.call("getVotes", me, proposal.vote_start):
        found.append(Option("vote", governor.call("proposalDeadline", number), "your house decides without you"))
    if state is State.SUCCEEDED:
        found.append(Option("queue", None, f"it cannot be adopted after {proposal.until}"))
    if state is State.QUEUED and now >= governor.call("proposalEta", number) and now <= proposal.until:
        found.append(Option("execute", proposal.until, "it never becomes a version"))
    if state not in (State.PENDING, State.ACTIVE) and governor.call("held", number.to_bytes(32, "big")):
        found.append(Option("release", None, "the bond stays where it is"))
    return found
