"""What no vote overrules: evidence and the name of a version. And which votes pass: every outcome of one house beside every one of the other."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from eth_abi import decode, encode
from eth_utils import keccak

from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import SYSTEMS, Settings, compile_sources
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems import council
from zkpredict.contracts.systems.council import Council, State, Terms, evidence_of
from zkpredict.contracts.systems.patches import patched
from zkpredict.contracts.systems.stories.council_attacks import CHANGE, _small

ROOT, LATER = b"r" * 32, (1 << 40) - 1


def settable_score(chain: EmbeddedChain) -> Contract:
    """A score that says what it was told."""
    source = Path(__file__).with_name("Council.sol").read_text(encoding="utf-8")
    artifact = compile_sources({"Council.sol": source}, Settings.load(SYSTEMS), SYSTEMS)["SettableScore"]
    return Contract.deploy(chain, artifact)[0]


class Gate:
    """A gate that obeys this account and asks for a score of at least 90 on one test."""

    def __init__(self) -> None:
        self.chain = EmbeddedChain()
        self.versions = Contract.deploy(self.chain, load("ModelVersions"))[0]
        self.predictor = Contract.deploy(self.chain, load("PatchablePredictor"), self.versions.address)[0]
        base = deploy_packed(self.chain, _small()).contract.address
        self.score = settable_score(self.chain)
        arguments = self.chain.sender, self.predictor.address, base, 100, self.score.address, ROOT, 90
        self.gate = Contract.deploy(self.chain, load("UpdateGate"), *arguments)[0]
        self.judge = Contract.deploy(self.chain, load("VersionPrediction"), self.predictor.address)[0]
        self.handle = self.gate.call("handle")
        self.delta, self.digest, _ = council.store(self.chain, CHANGE)

    def adopt(self) -> str:
        """The name of the error, empty when the change is adopted."""
        parent = self.versions.call("latest", self.handle)
        try:
            self.gate.transact("adopt", (parent, False, self.delta, self.digest, LATER, 7))
        except Reverted as refusal:
            return refusal.named(load("ModelVersions")).name if not refusal.name else refusal.name
        return ""


def test_a_change_needs_a_final_score_on_the_standing_test_that_is_not_below_the_last():
    bench = Gate()
    model = bench.judge.call("candidateOf", bench.handle, 0, False, bench.delta)
    for score, error in (
        ((bytes(32), ROOT, 95, True), "WrongEvidence"), ((model, bytes(32), 95, True), "WrongEvidence"),
        ((model, ROOT, 95, False), "NotShownAsGood"), ((model, ROOT, 89, True), "NotShownAsGood"), ((model, ROOT, 95, True), ""),
    ):  # fmt: skip
        bench.score.transact("set", *score)
        assert bench.adopt() == error
    assert bench.gate.call("standing") == 95
    following = bench.judge.call("candidateOf", bench.handle, 1, False, bench.delta)
    bench.score.transact("set", model, ROOT, 99, True)
    assert bench.adopt() == "WrongEvidence"
    bench.score.transact("set", following, ROOT, 94, True)
    assert bench.adopt() == "NotShownAsGood"


def test_a_version_and_a_change_are_models_of_their_own():
    bench, old, new = Gate(), _small(), patched(_small(), [CHANGE])
    model = bench.judge.call("candidateOf", bench.handle, 0, False, bench.delta)
    bench.score.transact("set", model, ROOT, 90, True)
    candidate = evidence_of(bench.handle, 0, False, bench.delta)
    images = np.random.default_rng(3).integers(0, 256, (6, 6)).astype(np.uint8)
    before = [bench.judge.call("holds", model, image.tobytes(), new.predict(image), candidate) for image in images]
    assert before == [True] * 6 and bench.adopt() == ""
    versions = [(bench.judge.call("modelOf", bench.handle, v), evidence_of(bench.handle, v)) for v in (0, 1)]
    for image in images:
        for network, (name, evidence) in zip((old, new), versions):
            assert [bench.judge.call("holds", name, image.tobytes(), c, evidence) for c in range(3)] == [c == network.predict(image) for c in range(3)]
        assert bench.judge.call("holds", model, image.tobytes(), new.predict(image), candidate)
    with pytest.raises(Reverted) as refusal:
        bench.judge.call("holds", versions[0][0], images[0].tobytes(), 0, versions[1][1])
    assert refusal.value.name == "AnotherModel"


OUTCOMES = {"for": (2, 1), "against": (1, 2), "tie": (1, 1), "too few": (1, 0)}
"""Votes for and against of a house of four, half of which must vote."""


def test_a_vote_passes_only_with_a_quorum_and_a_majority_in_each_house():
    chain = EmbeddedChain()
    people = [chain.account(n) for n in range(8)]
    houses = [Contract.deploy(chain, load("House"), "house", [p.sender for p in part])[0].address for part in (people[:4], people[4:])]
    versions = Contract.deploy(chain, load("ModelVersions"))[0]
    predictor = Contract.deploy(chain, load("PatchablePredictor"), versions.address)[0]
    base = deploy_packed(chain, _small()).contract.address
    members = Council.deploy(chain, tuple(houses), base, predictor.address, Terms(delay=100, period=9000, extension=1, quorum=50, bond=10))
    delta, digest, _ = council.store(chain, CHANGE)
    proposals = {pair: members.propose(delta, digest, str(pair))[0] for pair in product(OUTCOMES, repeat=2)}
    chain.advance(400)
    chain.mine()
    for pair, number in proposals.items():
        for outcome, house in zip(pair, (people[:4], people[4:])):
            yes, no = OUTCOMES[outcome]
            for person, side in zip(house, [True] * yes + [False] * no):
                members.by(person).vote(number, side)
    chain.advance(10_000)
    chain.mine()
    assert {pair for pair, number in proposals.items() if members.state(number) is State.SUCCEEDED} == {("for", "for")}
    assert all(members.state(number) is State.DEFEATED for pair, number in proposals.items() if pair != ("for", "for"))
    for pair, number in proposals.items():
        before = members.governor.call("credit", chain.sender)
        members.governor.transact("releaseBond", number)
        assert members.governor.call("credit", chain.sender) - before == (10 if "for" in pair else 0)


def test_nobody_has_a_right_over_the_timelock():
    """Its only proposer is the governor, and its only admin is itself: no account is, not even the deployer."""
    chain = EmbeddedChain()
    house = Contract.deploy(chain, load("House"), "house", [chain.sender])[0].address
    governor = Contract.deploy(chain, load("TwoHouseGovernor"), "council", house, house, Terms().arguments)[0]
    timelock = governor.call("timelock")

    def has(role: bytes, who: str) -> bool:
        return decode(["bool"], chain.call(timelock, keccak(text="hasRole(bytes32,address)")[:4] + encode(["bytes32", "address"], [role, who])))[0]

    admin, proposer, canceller = bytes(32), keccak(text="PROPOSER_ROLE"), keccak(text="CANCELLER_ROLE")
    assert has(admin, timelock) and has(proposer, governor.address)
    assert not any(has(role, who) for role in (admin, proposer, canceller) for who in (chain.sender, house)) and not has(admin, governor.address)
