"""Scores on registered test sets on the chain as a user meets them: deploy, register, check; refusals name what to type."""

import numpy as np
import pytest
from cli_desk import MEANT
from support import random_network

from zkpredict.prover.model import Model

NETWORK = random_network(5, (36, 20, 4))


@pytest.fixture
def place(tmp_path, run):
    """A model committed for batches, a set of seven inputs with labels of which one is wrong, and a score on it for a job."""
    Model(NETWORK).save(tmp_path / "m.model")
    assert run("commit", "--model", tmp_path / "m.model", "--batch", "--domain", 512, "--out", tmp_path / "m.commitment").code == 0
    images = np.random.default_rng(2).integers(0, 256, (7, 36), dtype=np.uint8)
    labels = NETWORK.infer(images).digits.astype(np.uint8)
    labels[2] = (labels[2] + 1) % 4
    np.save(tmp_path / "i.npy", images)
    np.save(tmp_path / "l.npy", labels)
    assert run("testset", tmp_path / "i.npy", "--labels", tmp_path / "l.npy", "--out", tmp_path / "t.set").code == 0
    score = ("score", tmp_path / "i.npy", "--registered", tmp_path / "t.set", "--model", tmp_path / "m.model")
    assert run(*score, "--out", tmp_path / "s.score", "--for", "job").code == 0
    return tmp_path


@pytest.mark.node
def test_a_contract_checks_a_score(run, place):
    common, state = ("--commitment", place / "m.commitment"), ("--state", place / "chain.json")
    made = run("chain", "deploy", "--verifier", "--score", 7, *common, *state, "--json")
    assert made.code == 0 and made.json["kind"].startswith("ScoreVerifier_36_20_4_x7_n512_") and made.json["test_sets_gas"] > 500_000
    at = ("--contract", made.json["contract"], *state)
    check = ("chain", "verify-score", place / "s.score", "--set", place / "t.set", *common, "--for", "job", *at)
    unknown = run(*check)
    assert unknown.code == 1 and unknown.out.startswith("INVALID: UnknownModel(0x") and "register it first: zkpredict chain register --" in unknown.out
    assert run("chain", "register", *common, *at).code == 0
    unknown = run(*check)
    assert unknown.code == 1 and unknown.out.startswith("INVALID: UnknownSet(0x") and "register it first: zkpredict chain register-set " in unknown.out
    register = ("chain", "register-set", place / "t.set", place / "i.npy", *at)
    known = run(*register, "--json")
    assert known.code == 0 and known.json["contract"] == made.json["test_sets"] and known.json["gas"] > 150_000
    again = run(*register)
    assert again.code == 2 and f"the test set {known.json['set_id']} is registered at {made.json['test_sets']} already" in again.err
    valid = run(*check)
    assert valid.code == 0 and "is right on 6 of 7 images." in valid.out and "asked for at least 6" in valid.out
    asked = run(*check, "--at-least", 2, "--json")
    assert (asked.json["right"], asked.json["at_least"]) == (6, 2) and asked.json["gas"] > 200_000
    assert (run(*check, "--at-least", 7).code, run(*check, "--at-least", 7).out) == (1, "INVALID: TooFewRight(6)\n")
    other = check[: check.index("--for")] + ("--for", "another") + at
    assert (run(*other).code, run(*other).out) == (1, f"INVALID: OpeningFailed\n  {MEANT}; `zkpredict verify-score` checks it without a chain\n")


def test_a_set_is_registered_with_its_inputs_only(run, place):
    state = ("--state", place / "chain.json")
    made = run("chain", "deploy", "--test-sets", *state, "--json")
    assert made.code == 0 and made.json["kind"] == "TestSets"
    at = ("--contract", made.json["contract"], *state)
    np.save(place / "other.npy", np.load(place / "i.npy")[::-1])
    wrong = run("chain", "register-set", place / "t.set", place / "other.npy", *at)
    assert wrong.code == 2 and f"{place / 't.set'}: the inputs are not those of the registered test set" in wrong.err
    assert "is registered." in run("chain", "register-set", place / "t.set", place / "i.npy", *at).out
    predictor = run("chain", "deploy", "--verifier", "--universal", *state, "--json").json["contract"]
    none = run("chain", "register-set", place / "t.set", place / "i.npy", "--contract", predictor, *state)
    assert none.code == 2 and f"the contract at {predictor} is no registry of test sets, nor a verifier of scores" in none.err
    check = ("chain", "verify-score", place / "s.score", "--set", place / "t.set", "--commitment", place / "m.commitment")
    assert f"the contract at {predictor} is no verifier of scores" in run(*check, "--contract", predictor, *state).err


def test_options_that_do_not_go_together_are_refused(run, place):
    common = ("--commitment", place / "m.commitment")
    for command, said in (
        (("--verifier", "--score", 7, "--universal"), "a verifier of scores is for one circuit and one number of inputs"),
        (("--verifier", "--sets", "0x" + "11" * 20, *common), "--sets goes with --score N"),
        (("--test-sets", *common), "--test-sets"),
        (("--verifier", "--score", 7, "--sets", "0x" + "11" * 20, *common), "there is no contract at 0x1111111111111111111111111111111111111111 on this chain"),
        (("--verifier", "--score", 5000, *common), "a proof of this model holds 1 to "),
    ):
        found = run("chain", "deploy", *command)
        assert found.code == 2 and said in found.err, found.err
