"""Names change nobody's pay: all 203 ways to divide six units among identities, to the wei; and the pot by heads, which names do change."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from eth_abi import encode
from eth_utils import keccak
from model_market import partitions, pot_by_heads

from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.compile import SYSTEMS, Settings, compile_sources
from zkpredict.contracts.systems import market
from zkpredict.contracts.systems.market import Checks, Market, Terms

ALL = sorted(partitions(range(6)), key=lambda blocks: (len(blocks), blocks))
ITEMS, RIGHT = np.arange(12, dtype=np.uint8).reshape(12, 1), [i % 10 for i in range(12)]
TERMS = Terms(6, 2, 2, 1_000_003, 500_009, 2_000_011, windows=(90_000, 60_000, 60_000, 60_000, 60_000))
WRONG = (2,)
"""Units that fail; unit 4 shows nothing."""
HIDDEN, SALT = 4, bytes(32)


class Jobs:
    """One job for each partition on one chain: every phase of all of them, then the next."""

    def __init__(self, divided: list[list[list[int]]], opens: bool = True) -> None:
        self.chain = EmbeddedChain()
        self.market = Market(market.deploy(self.chain, 1, 60_000, 100))
        self.divided = divided
        self.owner = [{unit: number for number, block in enumerate(blocks, 1) for unit in block} for blocks in divided]
        checks = Checks.of((0, 2), 3, RIGHT)
        self.numbers = [self.market.post(TERMS, ITEMS, checks, SALT)[0] for _ in divided]
        self._each(lambda number, unit, by: by.contract.transact("join", number, 1, value=TERMS.stake))
        for number in self.numbers:
            self.market.draw(number)
        self.chain.mine(2)
        for number in self.numbers:
            self.market.draw(number)
        self._until(1)
        self.answers = {number: [self._work(number, unit) for unit in range(6)] for number in self.numbers}
        self._each(lambda number, unit, by: by.commit(number, unit, self.answers[number][unit], SALT))
        self._until(2)
        self._each(lambda number, unit, by: unit == HIDDEN or by.reveal(number, unit, self.answers[number][unit], SALT))
        self._until(3)
        for number in self.numbers if opens else ():
            self.market.open_checks(number, checks, SALT)
        self._until(4)
        passing = [unit for unit in range(6) if unit not in WRONG and unit != HIDDEN] if opens else []
        self._each(lambda number, unit, by: unit not in passing or self._settle(number, unit, checks))
        self._until(5)

    def _work(self, number: int, unit: int) -> list[int]:
        right = [RIGHT[item] for item in market.items_of(self.market.seed(number), unit, 3, 4)]
        return [(answer + 1) % 10 for answer in right] if unit in WRONG else right

    def _settle(self, number: int, unit: int, checks: Checks) -> None:
        self.market.contract.transact("settle", number, unit, market.nibbles(self.answers[number][unit]), *checks.arguments)

    def _each(self, act) -> None:
        for number, owner in zip(self.numbers, self.owner):
            for unit in range(6):
                act(number, unit, self.market.by(self.chain.account(owner[unit])))

    def _until(self, phase: int) -> None:
        end = max(self.market.contract.call("deadlineOf", number, phase - 1) for number in self.numbers)
        self.chain.advance(max(1, end - self.chain.block().timestamp))
        self.chain.mine()

    def pays(self, number: int) -> list[int]:
        """What each unit of a job brings its owner."""
        owner, found = self.owner[self.numbers.index(number)], []
        for unit in range(6):
            account = self.chain.account(owner[unit]).sender
            before = self.market.contract.call("credit", account)
            self.market.contract.transact("collect", number, unit)
            found.append(self.market.contract.call("credit", account) - before)
        return found


def kinds(divided: list[list[list[int]]]) -> list[list[list[int]]]:
    """One partition for each multiset of sizes: 11 of six."""
    return list({tuple(sorted(map(len, blocks))): blocks for blocks in divided}.values())


@pytest.mark.parametrize("opens", [True, False])
def test_pay_is_the_same_under_every_division_into_names(opens):
    assert len(ALL) == 203 and len(kinds(ALL)) == 11
    jobs = Jobs(kinds(ALL) if opens else [ALL[0], ALL[-1]], opens)
    found = [jobs.pays(number) for number in jobs.numbers]
    passed, failed = TERMS.reward + TERMS.stake, 0
    unopened = passed + TERMS.bond // 5
    expected = [passed, passed, failed, passed, 0, passed] if opens else [unopened] * 4 + [0, unopened]
    assert found == [expected] * len(jobs.numbers)


def test_a_pot_by_heads_pays_the_one_who_is_several():
    source = Path(__file__).with_name("Heads.sol").read_text(encoding="utf-8")
    artifact = compile_sources({"Heads.sol": source}, Settings.load(SYSTEMS), SYSTEMS)["Heads"]
    right, pot, got = b"\x01\x02\x03", 10**18, []
    for names in (1, 3):
        chain = EmbeddedChain()
        seal = keccak(encode(["bytes", "bytes32"], [right, SALT]))
        receipt = chain.deploy(artifact.creation_code(seal), value=pot)
        heads = Contract(chain, receipt.contract, artifact)
        people = [chain.account(n) for n in (1, *range(2, 2 + names))]
        for who in people:
            heads.by(who).transact("commit", keccak(encode(["address", "bytes", "bytes32"], [who.sender, right, SALT])))
        heads.transact("openChecks", right, SALT)
        for who in people:
            heads.by(who).transact("settle", right, SALT)
        honest, *others = (heads.call("share", who.sender) for who in people)
        assert pot_by_heads(pot, {who.sender: True for who in people}) == dict.fromkeys((who.sender for who in people), honest)
        got.append((honest, sum(others)))
    assert got == [(pot // 2, pot // 2), (pot // 4, 3 * (pot // 4))]


def test_every_copy_has_every_item_once_and_a_unit_one_of_each_column():
    for seed in (keccak(bytes([n])) for n in range(20)):
        units = [market.items_of(seed, unit, 3, 4) for unit in range(6)]
        for copy in (units[:3], units[3:]):
            assert sorted(item for unit in copy for item in unit) == list(range(12))
        assert all([item // 3 for item in unit] == [0, 1, 2, 3] for unit in units)


def test_what_a_share_of_the_units_saves_is_what_it_has_twice():
    """With two copies and a share sigma of the units, sigma / 2 of the work: every answer needed once where both copies are its own."""
    rows, columns, mine, saved, trials = 10, 8, (0, 1, 10, 11), 0, 400
    for n in range(trials):
        items = [item for unit in mine for item in market.items_of(keccak(n.to_bytes(4, "big")), unit, rows, columns)]
        saved += len(items) - len(set(items))
    assert abs(saved / (trials * len(mine) * columns) - 0.2 / 2) < 0.02


def main() -> None:
    """All 203 divisions on a chain: `python tests/systems/test_market_partitions.py`, some minutes."""
    for opens in (True, False):
        jobs = Jobs(ALL, opens)
        found = {tuple(jobs.pays(number)) for number in jobs.numbers}
        print(f"checks {'opened' if opens else 'not opened'}: {len(ALL)} divisions, {len(found)} kind of pay: {found}")
        assert len(found) == 1


if __name__ == "__main__":
    main()
