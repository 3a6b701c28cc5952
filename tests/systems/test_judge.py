"""Predictions and scores: what holds and what does not, and both scores against models with settable answers."""

from __future__ import annotations

import pytest
from clocked import Clocked, rarely
from eth_utils import keccak
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, rule
from model_pay import DAY, Money
from world import Refused, machine_settings, new, outcome, same

from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.systems.samples import Part, Sheet

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


class ProvenMachine(Clocked):
    """One score on five samples, of which the model gets some right."""

    @initialize(right=rights)
    def deploy(self, right):
        self.score = new(self.chain, load("ProvenScore"), self.prediction.address)
        self.right, self.proven = right, set()
        for data, label, good in zip(PART.inputs, PART.labels, right):
            self.prediction.transact("set", MODEL, data, label if good else 0)
        self.score.transact("open", MODEL, 40, PART.data)

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
