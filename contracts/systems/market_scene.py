"""A job of the market as stories tell it: who does what, at what price, phase after phase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import numpy as np

from zkpredict.contracts.chain.interface import Receipt
from zkpredict.contracts.systems.market import DAY, Checks, Market, Terms, items_of, nibbles
from zkpredict.contracts.systems.stage import Stage, ether

DELAY, LEAST_STAKE = 3, 10**15


class Scene:
    """A posted job, played on by whoever is told to."""

    def __init__(self, stage: Stage, terms: Terms, inputs: np.ndarray, right: Sequence[int], checked: Sequence[int] = (), labels: Sequence[int] = (),
                 label: str = "") -> None:  # fmt: skip
        self.stage, self.terms, self.answers = stage, terms, list(right)
        self.contract = stage.deploy("requester", "AnswerMarket", DELAY, DAY, LEAST_STAKE, vault=True, label="market deploy")
        self.market = Market(self.contract)
        self.label = "market" if label else ""
        self.checks = Checks.of(checked or (1, 4, 6)[: terms.checks], terms.rows, labels or right)
        self.salt = self.by("requester").salt(stage.key("requester"), 1)
        self.job, receipt = self.by("requester").post(terms, inputs, self.checks, self.salt)
        seal = self.contract.call("checksSeal", stage.address("requester"), *self.checks.arguments, self.salt)
        random = [seal, *(self.contract.call("deadlineOf", self.job, phase).to_bytes(4, "big") for phase in range(5))]
        what = f"posts {len(inputs)} items and {ether(terms.units * terms.reward + terms.bond)}"
        stage.tell("requester", what, receipt.gas_used, label, _zeros(*random))
        self.owners: list[str] = []

    def by(self, who: str) -> Market:
        return self.market.by(self.stage.account(who))

    def owner(self, unit: int) -> str:
        return self.owners[unit]

    def _done(self, who: str, what: str, verb: str, receipt: Receipt, *random: bytes) -> None:
        self.stage.tell(who, what, receipt.gas_used, f"{self.label} {verb}" if self.label and verb else "", _zeros(*random))

    def join(self, who: str, count: int = 1) -> None:
        self._done(who, f"takes {count} unit{'s' * (count > 1)} and stakes {ether(self.terms.stake * count)}", "join", self.by(who).join(self.job, count))
        self.owners += [who] * count

    def draw(self) -> None:
        """Arms the beacon, lets its block come, fixes it, and waits for the time to commit."""
        self._done("stranger", "names the block that draws who has which items", "arm", self.by("stranger").draw(self.job)[1])
        self.stage.mine(DELAY + 1)
        self._done("stranger", "draws from its header", "", self.by("stranger").draw(self.job)[1])
        self.until(1)

    def until(self, phase: int) -> None:
        deadline = self.contract.call("deadlineOf", self.job, phase - 1)
        self.stage.wait(max(1, deadline + 1 - self.stage.now))

    def right(self, unit: int) -> list[int]:
        columns = self.market.job(self.job).columns
        return [self.answers[item] for item in items_of(self.market.seed(self.job), unit, self.terms.rows, columns)]

    def salt_of(self, unit: int) -> bytes:
        return self.market.salt(self.stage.key(self.owner(unit)), self.job, unit)

    def commit(self, unit: int, answers: Sequence[int]) -> None:
        who = self.owner(unit)
        seal = self.by(who).seal(self.job, unit, nibbles(answers), self.salt_of(unit))
        self._done(who, f"seals its answers of unit {unit}", "commit", self.by(who).commit(self.job, unit, answers, self.salt_of(unit)), seal)

    def reveal(self, unit: int, answers: Sequence[int]) -> None:
        who = self.owner(unit)
        receipt = self.by(who).reveal(self.job, unit, answers, self.salt_of(unit))
        self._done(who, f"shows them: {''.join(map(str, answers))}", "reveal", receipt, nibbles(answers), self.salt_of(unit))

    def committed(self, work: Mapping[int, Sequence[int]]) -> None:
        for unit, answers in work.items():
            self.commit(unit, answers)
        self.until(2)

    def revealed(self, work: Mapping[int, Sequence[int]]) -> None:
        """Commits and reveals, up to the time to open the checks."""
        self.committed(work)
        for unit, answers in work.items():
            self.reveal(unit, answers)
        self.until(3)

    def open_checks(self) -> None:
        columns = ", ".join(map(str, self.checks.columns))
        receipt = self.by("requester").open_checks(self.job, self.checks, self.salt)
        self._done("requester", f"opens the labels of columns {columns}", "open checks", receipt, self.salt)
        self.until(4)

    def settle(self, unit: int) -> None:
        who = self.owner(unit)
        self._done(who, f"shows that unit {unit} passes", "settle", self.by(who).settle(self.job, unit), self.market.answers(self.job, unit))

    def run(self, work: Mapping[int, Sequence[int]]) -> None:
        """Everything after the draw; units whose answers are wrong are refused when they settle."""
        self.revealed(work)
        self.open_checks()
        for unit, answers in work.items():
            if answers == self.right(unit):
                self.settle(unit)
            else:
                self.stage.refuses(self.owner(unit), f"tries to have unit {unit} pass", "ChecksFailed", partial(self.by("stranger").settle, self.job, unit))
        self.until(5)

    def collect_all(self) -> None:
        """A stranger collects for everybody."""
        by = self.contract.by(self.stage.account("stranger"))
        for unit, who in enumerate(self.owners):
            self._done("stranger", f"collects for unit {unit} of {who}", "collect", by.transact("collect", self.job, unit))
        self._done("stranger", "has the rest reclaimed", "reclaim", by.transact("reclaim", self.job))

    def credit(self, who: str) -> int:
        return self.contract.call("credit", self.stage.address(who))


def _zeros(*random: bytes) -> int:
    """Zero bytes in what differs from run to run."""
    return sum(part.count(0) for part in random)
