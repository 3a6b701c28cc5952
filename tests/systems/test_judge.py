"""Predictions and scores: what holds and what does not, and both scores against models with settable answers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from clocked import Clocked, rarely
from eth_utils import keccak
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from model_pay import DAY, Money
from system_guards import cut_board
from world import Refused, machine_settings, new, outcome, same

from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.systems.samples import Part, Sheet
from zkpredict.contracts.systems.stories import Guard
from zkpredict.contracts.verifier.generate import shipped
from zkpredict.contracts.verifier.score_client import set_arguments
from zkpredict.contracts.verifier.testsets import TEST_SETS
from zkpredict.prover.registered import register_set
from zkpredict.verifier.testset import RegisteredSet

MODEL = b"\5" * 32
PART = Part(tuple(bytes([n]) * 40 for n in range(5)), (1, 2, 3, 4, 5))
numbers, rights = st.integers(0, 4), st.lists(st.booleans(), min_size=5, max_size=5)


def test_an_open_prediction_runs_the_code_that_it_was_named_by(embedded):
    predictor, prediction = new(embedded, "FirstByte"), new(embedded, load("OpenPrediction"))
    model = prediction.call("modelOf", predictor.address)
    assert model == keccak(embedded.code(predictor.address))[:12] + bytes.fromhex(predictor.address[2:])
    assert prediction.call("holds", model, b"\7xx", 7, b"") is True
    assert prediction.call("holds", model, b"\7xx", 8, b"") is False
    assert outcome(lambda: prediction.call("holds", model, b"\7", 7, b"\0")) == "UnwantedEvidence"
    for wrong in (bytes([model[0] ^ 1]) + model[1:], model[:-1] + bytes([model[-1] ^ 1])):
        assert outcome(lambda wrong=wrong: prediction.call("holds", wrong, b"\7", 7, b"")) == "ModelChanged"
    assert outcome(lambda: prediction.call("modelOf", embedded.account(5).sender)) == "ModelChanged"


@pytest.mark.parametrize("name", ["ProvenPrediction", "DisputedPrediction"])
def test_a_prediction_needs_the_contract_that_decides(embedded, name):
    expected = {"ProvenPrediction": "NoVerifier", "DisputedPrediction": "NoClaims"}[name]
    assert outcome(lambda: new(embedded, load(name), embedded.account(5).sender)) == expected


def test_a_disputed_prediction_is_a_final_claim_of_exactly_that(embedded):
    claims = new(embedded, "SettableClaims")
    prediction = new(embedded, load("DisputedPrediction"), claims.address)
    claims.transact("set", 3, MODEL, keccak(b"input"), 7, True)
    claims.transact("set", 4, MODEL, keccak(b"input"), 7, False)
    three, four = ((n).to_bytes(32, "big") for n in (3, 4))
    assert prediction.call("holds", MODEL, b"input", 7, three) is True
    for arguments in ((MODEL, b"input", 7, four), (MODEL, b"input", 8, three), (MODEL, b"other", 7, three), (bytes(32), b"input", 7, three)):
        assert prediction.call("holds", *arguments) is False
    assert outcome(lambda: prediction.call("holds", MODEL, b"input", 7, three + b"\0")) == "WrongEvidenceLength"


def _encoded(classes) -> bytes:
    return b"".join(one.to_bytes(2, "big") for one in classes)


@cache
def registered(part: Part) -> RegisteredSet:
    """A part's samples as a test set."""
    return register_set(np.frombuffer(b"".join(part.inputs), np.uint8).reshape(len(part.inputs), -1), np.array(part.labels))


def registry(chain: EmbeddedChain, *parts: Part) -> Contract:
    """A registry of test sets that knows some parts."""
    sets = new(chain, shipped(TEST_SETS))
    for part in parts:
        sets.transact("register", *set_arguments(registered(part), b"".join(part.inputs)))
    return sets


CHANGED = {
    "label": Part(PART.inputs, (1, 2, 3, 4, 6)),
    "input": Part((*PART.inputs[:4], bytes(39) + b"\1"), PART.labels),
    "order": Part((PART.inputs[1], PART.inputs[0], *PART.inputs[2:]), PART.labels),
    "fewer": Part(PART.inputs[:4], PART.labels[:4]),
    "regrouped": Part(tuple(bytes([n // 2]) * 20 for n in range(10)), (*PART.labels, *PART.labels)),
}
"""Sets that differ from the part; the last has its bytes, in twice as many inputs."""
GUARDS = (
    Guard("judge/RegisteredTest.sol", "sizes != uint256(inputBytes) << 32 | count", "false"),
    Guard("judge/RegisteredTest.sol", "hash != _hash(setId, inputBytes, count, data)", "false"),
    Guard("judge/RegisteredTest.sol", "_label(set, i) != uint8(data[i * (inputBytes + 1)])", "false"),
    Guard("judge/ProvenScore.sol", "verifier.verifyScoreOrRevert(s.model, setId, 0, classes, proof);"),
    Guard("judge/RegisteredTest.sol", "if (data == address(0)) revert UnknownSet(setId);"),
)


def test_a_score_is_on_the_set_that_its_samples_are():
    """Another set is refused whatever differs, and each guard is what refuses it: without it the score would open."""
    chain = EmbeddedChain()
    sets = registry(chain, PART, *CHANGED.values())
    verifier = new(chain, "SettableScores", sets.address)
    score = new(chain, cut_board("ProvenScore", GUARDS), verifier.address, verifier.address)
    for part in CHANGED.values():
        assert outcome(lambda part=part: score.transact("openOnSet", MODEL, 40, PART.data, registered(part).set_id)) == "NotTheSet"
    assert outcome(lambda: score.transact("openOnSet", MODEL, 40, PART.data, b"\1" * 32)) == "UnknownSet"
    assert outcome(lambda: score.transact("openOnSet", MODEL, 40, PART.data, registered(PART).set_id)) == ""
    classes = _encoded(PART.labels)
    assert outcome(lambda: score.transact("proveOnSet", 1, classes, b"")) == "OpeningFailed"
    for part, mask in (("label", 4), ("input", 2), ("order", 2), ("fewer", 7), ("regrouped", 1)):
        score.transact("cut", mask)
        assert outcome(lambda part=part: score.transact("openOnSet", MODEL, 40, PART.data, registered(CHANGED[part]).set_id)) == "", part
    score.transact("cut", 8)
    assert outcome(lambda: score.transact("proveOnSet", 1, classes, b"")) == "" and score.call("score", 1) == (5, True)
    score.transact("cut", 0b10111)
    assert outcome(lambda: score.transact("openOnSet", MODEL, 40, PART.data, b"\1" * 32)) == ""


def test_scores_on_sets_need_a_verifier_and_a_set():
    chain = EmbeddedChain()
    sets = registry(chain, PART)
    verifier = new(chain, "SettableScores", sets.address)
    assert outcome(lambda: new(chain, load("ProvenScore"), verifier.address, chain.account(5).sender)) == "NoVerifier"
    plain = new(chain, load("ProvenScore"), verifier.address, "0x" + "00" * 20)
    assert outcome(lambda: plain.transact("openOnSet", MODEL, 40, PART.data, registered(PART).set_id)) == "NoVerifier"
    plain.transact("open", MODEL, 40, PART.data)
    assert outcome(lambda: plain.transact("proveOnSet", 1, _encoded(PART.labels), b"")) == "NotOnSet"
    assert outcome(lambda: plain.transact("proveOnSet", 2, _encoded(PART.labels), b"")) == "NoSuchScore"


class ProvenMachine(Clocked):
    """One score on five samples, of which the model gets some right: shown one by one, or all that are right by one proof."""

    @initialize(right=rights)
    def deploy(self, right):
        self.verifier = new(self.chain, "SettableScores", registry(self.chain, PART).address)
        self.score = new(self.chain, load("ProvenScore"), self.prediction.address, self.verifier.address)
        self.right, self.proven = right, set()
        self.said = [label if good else 0 for label, good in zip(PART.labels, right)]
        self.verifier.transact("set", MODEL, registered(PART).set_id, _encoded(self.said))
        for data, label, good in zip(PART.inputs, PART.labels, right):
            self.prediction.transact("set", MODEL, data, label if good else 0)
        self.score.transact("openOnSet", MODEL, 40, PART.data, registered(PART).set_id)

    @rule(score=st.sampled_from([1, 1, 1, 2]), lie=rarely)
    def prove_on_set(self, score, lie):
        def model():
            found = {number for number, good in enumerate(self.right) if good}
            for refused, name in ((score != 1, "NoSuchScore"), (lie, "OpeningFailed"), (found <= self.proven, "NothingNew")):
                if refused:
                    raise Refused(name)
            self.proven |= found

        classes = [(one + lie) % 7 for one in self.said]
        same(lambda: self.score.by(self.people[4]).transact("proveOnSet", score, _encoded(classes), b""), model)

    @rule(number=numbers, score=st.sampled_from([1, 1, 1, 2]), changed=rarely)
    def prove(self, number, score, changed):
        part, index, label, data, path = PART.sample(number)

        def model():
            for refused, name in ((score != 1, "NoSuchScore"), (changed, "WrongSample"), (number in self.proven, "AlreadyProven"), (not self.right[number], "NotShown")):
                if refused:
                    raise Refused(name)
            self.proven.add(number)

        sample = part, index, label ^ changed, data, path
        same(lambda: self.score.by(self.people[number]).transact("prove", score, sample, b""), model)

    @invariant()
    def the_count_is_what_was_proven(self):
        if hasattr(self, "score"):
            assert self.score.call("score", 1) == (len(self.proven), len(self.proven) == 5)
            assert self.score.call("about", 1) == (MODEL, PART.root, 5)


class SheetMachine(Clocked):
    """One bonded sheet: refuted by any wrong answer within its window, else final and released."""

    @initialize(right=rights, honest=st.lists(st.booleans(), min_size=5, max_size=5))
    def deploy(self, right, honest):
        self.sheet, self.money = new(self.chain, load("AnswerSheet"), self.prediction.address, DAY, 10), Money()
        self.truth = [label if good else 0 for label, good in zip(PART.labels, right)]
        answers = tuple(said if frank else (said + 1) % 16 for said, frank in zip(self.truth, honest))
        self.answers, self.labels = Sheet((answers,)), Sheet((PART.labels,))
        for data, said in zip(PART.inputs, self.truth):
            self.prediction.transact("set", MODEL, data, said)
        arguments = MODEL, 40, PART.data, self.answers.data, self.labels.data
        assert outcome(lambda: self.sheet.transact("open", *arguments, value=9)) == "BondTooSmall"
        self.until, self.refuted = self.now + DAY, False
        self.money.hold("bond", 11, 11)
        self.sheet.transact("open", *arguments, value=11)

    @rule(seconds=st.sampled_from([60, DAY // 3]))
    def time_passes(self, seconds):
        self.wait(seconds)

    @rule(number=numbers, by=st.integers(1, 3), lie=rarely)
    def refute(self, number, by, lie):
        now, class_ = self.now, (self.truth[number] + lie) % 16

        def model():
            said = self.answers.parts[0][number]
            for refused, name in (
                (self.refuted, "AlreadyRefuted"), (now >= self.until, "WindowOver"), (said == class_, "AnswerStands"), (lie, "NotShown"),
            ):  # fmt: skip
                if refused:
                    raise Refused(name)
            self.refuted = True
            self.money.slash("bond", self.address(by), 11)

        arguments = 1, PART.sample(number), self.answers.posted(0, number), class_, b""
        same(lambda: self.sheet.by(self.people[by]).transact("refute", *arguments), model)

    @rule()
    def release(self):
        now = self.now

        def model():
            if now < self.until:
                raise Refused("WindowOpen")
            if not self.money.held["bond"]:
                raise Refused("NothingToRelease")
            self.money.free("bond", self.address(0), 11)

        same(lambda: self.sheet.by(self.people[3]).transact("release", 1), model)

    @invariant()
    def score_and_money_are_as_modelled(self):
        if hasattr(self, "sheet"):
            right = sum(a == b for a, b in zip(self.answers.parts[0], PART.labels))
            assert self.sheet.call("score", 1) == ((0, False) if self.refuted else (right, self.now >= self.until))
            self.check(self.sheet, self.money)

    def teardown(self):
        if hasattr(self, "sheet"):
            self.wait(DAY)
            if self.money.held["bond"]:
                self.release()
            self.drain(self.sheet, self.money)


for machine in (ProvenMachine, SheetMachine):
    machine.TestCase.settings = machine_settings(8, 10)
TestProven, TestSheet = ProvenMachine.TestCase, SheetMachine.TestCase


def test_a_posted_answer_must_be_the_one_on_the_sheet():
    chain = EmbeddedChain()
    prediction = new(chain, "SettablePrediction")
    sheet = new(chain, load("AnswerSheet"), prediction.address, DAY, 10)
    answers = Sheet((PART.labels,))
    for data, label in zip(PART.inputs, PART.labels):
        prediction.transact("set", MODEL, data, label)
    sheet.transact("open", MODEL, 40, PART.data, answers.data, answers.data, value=10)
    false = Sheet(((9, *PART.labels[1:]),))
    assert outcome(lambda: sheet.transact("refute", 1, PART.sample(0), false.posted(0, 0), 1, b"")) == "WrongAnswer"
    assert outcome(lambda: sheet.transact("refute", 2, PART.sample(0), answers.posted(0, 0), 1, b"")) == "NoSuchSheet"
