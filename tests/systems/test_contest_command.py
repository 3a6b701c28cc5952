"""`zkpredict contest` on the embedded chain: a contest of two hidden networks from the first seal to the prize."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support import random_network

from zkpredict.cli.main import main
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import account_key
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.chain.state import open_state, save_state
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems.goods import trip_network, trips
from zkpredict.contracts.verifier.client import deploy_verifier, register_model
from zkpredict.prover.commit import commit_model

SPONSOR, ADA, BOB, STRANGER = range(4)
ADDRESSES = [account_key(n).public_key.to_checksum_address() for n in range(4)]
HOUR, PER_PART = 3600, 4


class Desk:
    """Runs `zkpredict contest ... --json` beside a chain with a verifier, two committed models and a part of a test."""

    def __init__(self, folder, capsys) -> None:
        self.folder, self._capsys = folder, capsys
        self.state = folder / "chain.json"
        self.models = [commit_model(trip_network()) for _ in range(2)]
        for number, model in enumerate(self.models):
            model.save(folder / f"{number}.model")
        self.on_chain(self._prepare)
        inputs, _ = trips(PER_PART, 9)
        said = [trip_network().predict(row) for row in inputs]
        np.save(folder / "inputs.npy", inputs)
        np.save(folder / "labels.npy", np.array([*said[:3], (said[3] + 1) % 3], np.uint8))
        self.part = ["--part", 0, "--inputs", folder / "inputs.npy", "--labels", folder / "labels.npy"]
        self.contract = self.run("deploy", "--min-window", 60)[1]["contract"]

    def _prepare(self, chain) -> None:
        verifier = deploy_verifier(chain, self.models[0].commitment.circuit)
        for model in self.models:
            register_model(chain, verifier.address, model.commitment)
        self.prediction = Contract.deploy(chain, load("ProvenPrediction"), verifier.address)[0].address

    def run(self, *words: object, account: int = SPONSOR) -> tuple[int, dict]:
        code = main(["contest", *map(str, words), "--state", str(self.state), "--account", str(account), "--json"])
        return code, json.loads(self._capsys.readouterr().out)

    def __call__(self, verb: str, *words: object, account: int = SPONSOR) -> tuple[int, dict]:
        return self.run(verb, 1, "--contract", self.contract, *words, account=account)

    def on_chain(self, act) -> None:
        chain = open_state(self.state)
        act(chain)
        save_state(self.state, chain)

    def next_phase(self) -> None:
        self.on_chain(lambda chain: (chain.advance(HOUR), chain.mine()))

    def wrong_labels(self):
        np.save(self.folder / "wrong.npy", np.zeros(PER_PART, np.uint8))
        return self.folder / "wrong.npy"

    def model(self, number: int) -> list:
        return ["--model", self.folder / f"{number}.model"]


@pytest.fixture
def desk(tmp_path, capsys):
    return Desk(tmp_path, capsys)


def test_a_contest_from_the_first_seal_to_the_prize(desk):
    create = ["--prediction", desk.prediction, "--owner", ADDRESSES[SPONSOR], "--per-part", PER_PART, "--input-bytes", 24, "--hours", 1]
    assert desk.run("create", "--contract", desk.contract, *create, "--prize", 1000, "--stake", 7)[1]["claim_bond"] == 100
    assert list(desk("status")[1]["you_can"]) == ["enter", "seal-part --part 0"]
    assert desk("seal-part", *desk.part)[0] == 0
    for who in (ADA, BOB):
        assert desk("enter", *desk.model(who - ADA), account=who)[1]["paid"] == 7
    desk.next_phase()
    assert desk("status", account=ADA)[1]["you_can"] == {"reveal": "your stake of 7 wei is slashed"}
    for who in (ADA, BOB):
        assert desk("reveal", *desk.model(who - ADA), account=who)[0] == 0
    desk.next_phase()
    assert desk("status")[1]["you_can"] == {"open-part --part 0": "your bond of 100 wei is slashed"}
    assert desk("open-part", *desk.part)[0] == 0
    desk.next_phase()
    assert desk("claim", "--right", 3, account=ADA)[0] == 0
    assert desk("claim", "--right", 4, account=BOB)[0] == 0
    desk.next_phase()
    code, said = desk("prove", *desk.model(0), *desk.part, account=ADA)
    assert (code, said["proven"], said["in_all"]) == (0, 3, 3)
    code, said = desk("prove", *desk.model(0), *desk.part, account=ADA)
    assert code == 1 and said["error"] == "there is nothing to prove in part 0: what the model gets right there is proven"
    said = desk("status", account=BOB)[1]
    assert (said["phase"], said["best"], said["best_right"]) == ("PROVE", ADDRESSES[ADA].lower(), 3)
    assert said["you_can"] == {"prove": "your bond of 100 wei is slashed if you claimed more than the winner proves"}
    code, said = desk("settle", account=STRANGER)
    assert code == 1 and said["error"].startswith("the contract refused: WrongPhase(4, 6)")
    desk.next_phase()
    assert desk("settle", account=STRANGER)[0] == 0
    for who in (ADA, BOB):
        assert desk("collect", "--entrant", ADDRESSES[who], account=STRANGER)[0] == 0
    assert desk("status", account=ADA)[1]["credit"] == 1000 + 7 + 100 + 50
    assert desk("status", account=BOB)[1]["credit"] == 7
    for who in (SPONSOR, ADA, BOB):
        assert desk("withdraw", account=who)[0] == 0


def test_what_cannot_be_used_is_said(desk):
    code, said = desk("status")
    assert code == 2 and said["error"] == f"the contract at {desk.contract} has no contest 1"
    create = ["--prediction", desk.prediction, "--owner", ADDRESSES[SPONSOR], "--per-part", 5, "--input-bytes", 24, "--prize", 1000]
    assert desk.run("create", "--contract", desk.contract, *create)[0] == 0
    code, said = desk("seal-part", *desk.part)
    assert code == 2 and said["error"] == "a part of this contest is 5 inputs of 24 bytes and 5 labels, the files hold (4, 24) and (4,)"
    code, said = desk("prove", *desk.model(0), *desk.part[:2], "--inputs", desk.folder / "0.model", "--labels", desk.folder / "labels.npy")
    assert code == 2 and "0.model is no .npy: " in said["error"]


class OpenDesk(Desk):
    """The same chain, with two predictors in the open: the trip network and one that answers otherwise."""

    def _prepare(self, chain) -> None:
        other = random_network(5, (24, 16, 3))
        self.predictors = [deploy_packed(chain, network).contract.address for network in (trip_network(), other)]
        self.prediction = Contract.deploy(chain, load("OpenPrediction"))[0].address

    def predictor(self, number: int) -> list:
        return ["--predictor", self.predictors[number]]


def test_a_contest_in_the_open_in_which_one_lies(tmp_path, capsys):
    """Bob enters a network that is not the one whose answers he posts; a stranger finds out by running it."""
    desk = OpenDesk(tmp_path, capsys)
    create = ["--prediction", desk.prediction, "--owner", ADDRESSES[SPONSOR], "--per-part", PER_PART, "--input-bytes", 24, "--hours", 1, "--by-answers"]
    assert desk.run("create", "--contract", desk.contract, *create, "--prize", 1000, "--stake", 7)[0] == 0
    assert desk("seal-part", *desk.part)[0] == 0
    code, said = desk("enter", *desk.model(0), account=ADA)
    assert code == 2 and said["error"] == "this contest is of networks in the open: give --predictor ADDRESS"
    for verb in ("enter", "reveal"):
        for who in (ADA, BOB):
            assert desk(verb, *desk.predictor(who - ADA), account=who)[0] == 0
        desk.next_phase()
    assert desk("open-part", *desk.part)[0] == 0
    desk.next_phase()
    code, said = desk("post", *desk.model(0), *desk.part[:2], "--inputs", desk.part[3], "--labels", desk.wrong_labels(), account=ADA)
    assert code == 2 and said["error"] == "the files given for part 0 are not the part that was opened"
    code, said = desk("post", *desk.model(0), "--part", 1, *desk.part[2:], account=ADA)
    assert code == 2 and said["error"] == "give --part, --inputs and --labels once for each opened part: 0"
    assert desk("status", account=ADA)[1]["you_can"] == {"post": "you cannot win; your stake comes back"}
    for who in (ADA, BOB):
        code, said = desk("post", *desk.model(0), *desk.part, account=who)
        assert (code, said["paid"]) == (0, 100)
    desk.next_phase()
    assert desk("status", account=STRANGER)[1]["you_can"] == {"refute": "an entrant that lies about its network can win"}
    code, said = desk("refute", "--entrant", ADDRESSES[ADA], *desk.part, account=STRANGER)
    assert code == 1 and said["error"] == "every answer of this entrant is what its network says"
    code, said = desk("refute", "--entrant", ADDRESSES[SPONSOR], *desk.part, account=STRANGER)
    assert code == 2 and said["error"] == f"{ADDRESSES[SPONSOR]} posted no answers in contest 1"
    assert desk("refute", "--entrant", ADDRESSES[BOB], *desk.part, account=STRANGER)[0] == 0
    desk.next_phase()
    code, said = desk("present", account=BOB)
    assert code == 1 and said["error"].startswith("the contract refused: EntryRefuted(")
    assert desk("status", account=ADA)[1]["you_can"] == {"present": "nobody may win"}
    assert desk("present", "--entrant", ADDRESSES[ADA], account=STRANGER)[0] == 0
    desk.next_phase()
    assert desk("settle", account=STRANGER)[0] == 0
    for who in (ADA, BOB):
        assert desk("collect", "--entrant", ADDRESSES[who], account=STRANGER)[0] == 0
    assert [desk("status", account=who)[1]["credit"] for who in (SPONSOR, ADA, BOB, STRANGER)] == [100, 1107, 7, 50]


def test_verbs_of_the_other_kind_of_contest_are_refused(desk):
    create = ["--prediction", desk.prediction, "--owner", ADDRESSES[SPONSOR], "--per-part", PER_PART, "--input-bytes", 24, "--hours", 1, "--prize", 1000]
    assert desk.run("create", "--contract", desk.contract, *create)[0] == 0
    code, said = desk("enter", "--predictor", desk.contract, account=ADA)
    assert code == 2 and said["error"] == "this contest is of networks that stay hidden: give --model FILE"
    code, said = desk("post", *desk.model(0), *desk.part, account=ADA)
    assert code == 2 and said["error"] == "contest 1 is of hidden networks, which claim and prove: nobody posts answers there"
    create = ["--prediction", desk.prediction, *create[2:], "--by-answers"]
    assert desk.run("create", "--contract", desk.contract, *create)[0] == 0
    code, said = desk.run("enter", 2, "--contract", desk.contract, "--predictor", desk.contract, account=ADA)
    assert code == 2 and said["error"] == f"the prediction at {desk.prediction} is no OpenPrediction: it knows no network by its address"
