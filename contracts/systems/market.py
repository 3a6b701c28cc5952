"""Client of the market: posts jobs, takes units, seals and shows answers, opens and contests checks, collects.

    market = Market(contract)
    job, receipt = market.post(terms, inputs, checks)
    market.join(job, 2); market.draw(job)              # `draw` arms or fixes the beacon, whichever is due
    market.commit(job, unit, answers, salt)

A worker's files are none: items are in the chain's events, its salts come from its key, its answers from its model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

import numpy as np
from eth_abi import encode
from eth_utils import to_checksum_address

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt
from zkpredict.contracts.systems import seals
from zkpredict.contracts.systems.dispute_play import Option
from zkpredict.contracts.systems.samples import MOST_LABEL, Part
from zkpredict.kernel import keccak256

DAY = 24 * 3600
NOBODY = "0x" + "0" * 40
KIND, CHECKS_KIND = "market answers", "market checks"
PHASES = ("join", "commit", "reveal", "check", "settle", "done")


class Unit(IntEnum):
    """`AnswerMarket.UnitState`."""

    NONE, JOINED, COMMITTED, REVEALED, PASSED, COLLECTED = range(6)


class Verdict(IntEnum):
    """`AnswerMarket.Verdict`."""

    UNOPENED, FALSE_CHECKS, VOID, JUDGED = range(4)


@dataclass(frozen=True)
class Terms:
    """What a requester fixes; amounts in wei. `windows` are the seconds of each phase but the last. Without `prediction` (the address of
    an `IPrediction`) the labels are people's."""

    units: int
    replication: int
    checks: int
    reward: int
    stake: int
    bond: int
    allowed: int = 0
    prediction: str = NOBODY
    model: bytes = bytes(32)
    windows: tuple[int, int, int, int, int] = (DAY, DAY, DAY, DAY, DAY)

    @property
    def rows(self) -> int:
        return self.units // self.replication


@dataclass(frozen=True)
class Checks:
    """The columns that are checked, ascending, and the labels of all items in them, column by column."""

    columns: tuple[int, ...]
    labels: tuple[int, ...]

    @classmethod
    def of(cls, columns: Sequence[int], rows: int, answers: Sequence[int]) -> Checks:
        """From the right answers to all items, by item number."""
        chosen = tuple(sorted(columns))
        return cls(chosen, tuple(int(answers[column * rows + row]) for column in chosen for row in range(rows)))

    @property
    def arguments(self) -> tuple[bytes, bytes]:
        return bytes(self.columns), nibbles(self.labels)


@dataclass(frozen=True)
class Job:
    """A job as the chain has it."""

    number: int
    requester: str
    units: int
    joined: int
    revealed: int
    passed: int
    replication: int
    drawn: bool
    contested: bool
    reclaimed: bool
    reward: int
    stake: int
    items: int
    checks: int
    allowed: int
    input_bytes: int
    bond: int
    prediction: str
    model: bytes
    data_root: bytes
    check_seal: bytes
    checks_hash: bytes

    @property
    def rows(self) -> int:
        """Items of a column: units of one copy."""
        return self.units // self.replication

    @property
    def columns(self) -> int:
        """Items of a unit."""
        return self.items // self.rows


def nibbles(values: Sequence[int]) -> bytes:
    """Four bits each, the first in the upper half of the first byte. Raises `UnusableInput` for what does not fit."""
    if any(not 0 <= value <= MOST_LABEL for value in values):
        raise UnusableInput(f"answers and labels are 0 to {MOST_LABEL}, got {[v for v in values if not 0 <= v <= MOST_LABEL][:3]}")
    even = [*map(int, values), *[0] * (len(values) % 2)]
    return bytes(high << 4 | low for high, low in zip(even[::2], even[1::2], strict=True))


def row(seed: bytes, unit: int, rows: int, column: int) -> int:
    """The row that a unit has of a column. Twin of `market/Assignment.sol`."""
    turn = int.from_bytes(keccak256(encode(["bytes32", "uint256", "uint256"], [seed, unit // rows, column]))) % rows
    return (unit % rows + turn) % rows


def items_of(seed: bytes, unit: int, rows: int, columns: int) -> list[int]:
    """The items of a unit, one of each column."""
    return [column * rows + row(seed, unit, rows, column) for column in range(columns)]


def deploy(chain: Chain, draw_delay: int = 128, min_window: int = DAY, least_stake: int = 10**15) -> Contract:
    """A market; its parameters never change."""
    return Contract.deploy(chain, load("AnswerMarket"), draw_delay, min_window, least_stake)[0]


@dataclass(frozen=True)
class Market:
    """A market, seen by one account."""

    contract: Contract

    def by(self, chain: Chain) -> Market:
        return Market(self.contract.by(chain))

    def post(self, terms: Terms, inputs: np.ndarray, checks: Checks, salt: bytes) -> tuple[int, Receipt]:
        """Posts inputs, uint8 [items, bytes], with sealed checks. The job's number."""
        part = Part.of(inputs, [0] * len(inputs))
        if len(part.inputs) % terms.rows or len(checks.columns) != terms.checks or len(checks.labels) != terms.checks * terms.rows:
            raise UnusableInput(
                f"{len(part.inputs)} items do not lie in columns of {terms.rows} rows, or the checks are not {terms.checks} such columns"
            )
        seal = self.contract.call("checksSeal", self.contract.chain.sender, *checks.arguments, salt)
        deadlines, now = [], self.contract.chain.block().timestamp + 600
        for window in terms.windows:
            now += window
            deadlines.append(now)
        fixed = terms.units, terms.replication, terms.checks, terms.allowed, part.input_bytes, terms.reward, terms.stake, terms.bond
        value = terms.reward * terms.units + terms.bond
        receipt = self.contract.transact("post", (*fixed, terms.prediction, terms.model, seal, deadlines), part.data, value=value)
        return self._event(receipt, "Posted")["id"], receipt

    def job(self, number: int) -> Job:
        """Raises `UnusableInput` when there is none of this number."""
        if not 0 < number <= (count := self.contract.call("jobs")):
            raise UnusableInput(f"there is no job {number}: this market has {count}, numbered from 1")
        values = list(self.contract.call("jobAt", number)[:-1])
        values[0], values[16] = to_checksum_address(values[0]), to_checksum_address(values[16])
        return Job(number, *values)

    def inputs(self, number: int) -> list[bytes]:
        """The items of a job, from its event."""
        values = self._first("Posted", number)
        size = self.job(number).input_bytes + 1
        return [values["data"][at + 1 : at + size] for at in range(0, len(values["data"]), size)]

    def unit(self, number: int, unit: int) -> tuple[str, Unit, bytes]:
        worker, state, answers = self.contract.call("unitAt", number, unit)
        return to_checksum_address(worker), Unit(state), answers

    def units_of(self, number: int, who: str) -> list[int]:
        return [unit for unit in range(self.job(number).joined) if self.unit(number, unit)[0] == who]

    def seed(self, number: int) -> bytes:
        """Raises `UnusableInput` when nothing was drawn yet."""
        seed = self.contract.call("drawn", number)[1]
        if not any(seed):
            raise UnusableInput(f"job {number}: items are not drawn yet: `market draw`")
        return seed

    def join(self, number: int, count: int) -> Receipt:
        return self.contract.transact("join", number, count, value=self.job(number).stake * count)

    def draw(self, number: int) -> tuple[str, Receipt]:
        """Arms the beacon, fixes it, or notes that it is fixed: whichever is due."""
        block, seed = self.contract.call("drawn", number)
        if any(seed):
            return "assign", self.contract.transact("assign", number)
        if block == 0:
            return "arm", self.contract.transact("arm", number)
        if self.contract.chain.block().number <= block:
            raise UnusableInput(f"job {number}: block {block} draws, and this is block {self.contract.chain.block().number}: wait")
        return "fix", self.contract.transact("fix", number, self.contract.chain.block(block).header)

    def seal(self, number: int, unit: int, packed: bytes, salt: bytes, who: str | None = None) -> bytes:
        chain = self.contract.chain
        return seals.seal(KIND, chain.chain_id, self.contract.address, number << 16 | unit, who or chain.sender, packed, salt)

    def salt(self, key: bytes, number: int, unit: int | None = None) -> bytes:
        """The salt of a unit's answers, or of a requester's checks, from the account's key."""
        kind, id_ = (CHECKS_KIND, number) if unit is None else (KIND, number << 16 | unit)
        return seals.derive_salt(key, kind, self.contract.chain.chain_id, self.contract.address, id_)

    def commit(self, number: int, unit: int, answers: Sequence[int], salt: bytes) -> Receipt:
        return self.contract.transact("commit", number, unit, self.seal(number, unit, nibbles(answers), salt))

    def reveal(self, number: int, unit: int, answers: Sequence[int], salt: bytes) -> Receipt:
        return self.contract.transact("reveal", number, unit, nibbles(answers), salt)

    def open_checks(self, number: int, checks: Checks, salt: bytes) -> Receipt:
        return self.contract.transact("openChecks", number, *checks.arguments, salt)

    def opened(self, number: int) -> tuple[bytes, bytes]:
        """Columns and labels of the opened checks. Raises `UnusableInput` when they are not open."""
        if not any(self.job(number).checks_hash):
            raise UnusableInput(f"job {number}: the checks are not open")
        values = self._first("ChecksOpened", number)
        return values["columns"], values["labels"]

    def answers(self, number: int, unit: int) -> bytes:
        """What a unit revealed."""
        found = [values["answers"] for values in self._all("Answered", number) if values["unit"] == unit]
        if not found:
            raise UnusableInput(f"job {number}: unit {unit} revealed nothing")
        return found[0]

    def settle(self, number: int, unit: int) -> Receipt:
        return self.contract.transact("settle", number, unit, self.answers(number, unit), *self.opened(number))

    def false_checks(self, number: int, right: Sequence[int]) -> list[tuple[int, int, int]]:
        """Place, row and right class of every opened check that is not the right answer to its item."""
        job, (columns, labels) = self.job(number), self.opened(number)
        found = []
        for place, column in enumerate(columns):
            for row_ in range(job.rows):
                at = place * job.rows + row_
                label = labels[at // 2] >> 4 if at % 2 == 0 else labels[at // 2] & 15
                if right[column * job.rows + row_] != label:
                    found.append((place, row_, int(right[column * job.rows + row_])))
        return found

    def contest(self, number: int, place: int, row_: int, class_: int, evidence: bytes = b"") -> Receipt:
        inputs, (columns, labels) = self.inputs(number), self.opened(number)
        item = columns[place] * self.job(number).rows + row_
        part = Part.of(np.array([list(data) for data in inputs], np.uint8), [0] * len(inputs))
        path = part.sample(item)[4]
        return self.contract.transact("contest", number, place, row_, inputs[item], path, class_, evidence, columns, labels)

    def _event(self, receipt: Receipt, name: str) -> dict[str, Any]:
        return next(values for found, values in self.contract.events(receipt) if found == name)

    def _all(self, name: str, number: int) -> list[dict[str, Any]]:
        logs = self.contract.chain.logs(self.contract.address, [self.contract.artifact.topic(name), number.to_bytes(32, "big")])
        return [self.contract.artifact.decode_event(log.topics, log.data)[1] for log in logs]

    def _first(self, name: str, number: int) -> dict[str, Any]:
        return self._all(name, number)[0]


def options(market: Market, job: Job) -> list[Option]:
    """What the market's account can do about a job now, until when, and what it loses otherwise."""
    contract, number = market.contract, job.number
    me, phase = contract.chain.sender, contract.call("phaseOf", number)
    end = contract.call("deadlineOf", number, phase) if phase < 5 else None
    mine = [(unit, market.unit(number, unit)[1]) for unit in market.units_of(number, me)]
    stake = f"its stake of {job.stake} wei"
    found = []
    if phase == 0 and job.joined < job.units:
        found.append(Option("join", end, "the job goes on without you"))
    if job.joined and not any(contract.call("drawn", number)[1]) and (phase == 1 or phase == 0 and job.joined == job.units):
        found.append(Option("draw", contract.call("deadlineOf", number, 1), "nobody can work; stakes and rewards go back"))
    elif phase == 1 and not job.drawn and any(contract.call("drawn", number)[1]):
        found.append(Option("draw", end, "units that reveal nothing keep their stakes"))
    if phase == 1:
        found += [Option(f"commit unit {unit}", end, f"the unit loses {stake}") for unit, state in mine if state is Unit.JOINED]
    if phase == 2:
        found += [Option(f"reveal unit {unit}", end, f"the unit loses {stake}") for unit, state in mine if state is Unit.COMMITTED]
    if phase == 3 and me == job.requester and not any(job.checks_hash):
        found.append(Option("open", end, f"all revealed units are paid, and share your bond of {job.bond} wei"))
    if phase == 4 and any(job.checks_hash):
        found += [Option(f"settle unit {unit}", end, f"the unit counts as failed and loses {stake} and its reward") for unit, state in mine if state is Unit.REVEALED]
        if job.prediction != NOBODY and not job.contested and job.revealed:
            found.append(Option("contest", end, "false checks stand, if there are any"))
    if phase == 5:
        found += [Option(f"collect unit {unit}", None, "its money stays where it is") for unit, state in mine if state is not Unit.COLLECTED]
        if me == job.requester and not job.reclaimed:
            found.append(Option("reclaim", None, "your money stays where it is"))
    return found
