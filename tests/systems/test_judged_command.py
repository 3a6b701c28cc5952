"""`zkpredict judged` on the embedded chain: three hidden judges, of which one is silent, from the prize to the last withdrawal."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zkpredict.cli.main import main
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import account_key
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.chain.state import open_state, save_state
from zkpredict.contracts.systems.goods import trip_network, trips
from zkpredict.contracts.verifier.client import deploy_verifier, register_model
from zkpredict.prover.commit import commit_model

SPONSOR, MINOS, RHADA, AIAKOS, ADA, BOB, STRANGER = range(7)
ADDRESSES = [account_key(n).public_key.to_checksum_address() for n in range(8)]
HOUR = 3600


class Desk:
    """Runs `zkpredict judged ... --json` beside a chain with a verifier and three committed models."""

    def __init__(self, folder, capsys) -> None:
        self.folder, self._capsys, self.state = folder, capsys, folder / "chain.json"
        self.models = [commit_model(trip_network()) for _ in range(3)]
        for number, model in enumerate(self.models):
            model.save(folder / f"{number}.model")
        self.on_chain(self._prepare)
        self.inputs, _ = trips(2, 9)
        for name, row in zip(("ada", "bob"), self.inputs):
            np.save(folder / f"{name}.npy", row)
        self.said = [trip_network().predict(row) for row in self.inputs]
        self.contract = self.run("deploy", "--min-window", 60)[1]["contract"]

    def _prepare(self, chain) -> None:
        verifier = deploy_verifier(chain, self.models[0].commitment.circuit)
        for model in self.models:
            register_model(chain, verifier.address, model.commitment)
        self.prediction = Contract.deploy(chain, load("ProvenPrediction"), verifier.address)[0].address

    def run(self, *words: object, account: int = SPONSOR) -> tuple[int, dict]:
        code = main(["judged", *map(str, words), "--state", str(self.state), "--account", str(account), "--json"])
        return code, json.loads(self._capsys.readouterr().out)

    def __call__(self, verb: str, *words: object, account: int = SPONSOR) -> tuple[int, dict]:
        return self.run(verb, 1, *words, "--contract", self.contract, account=account)

    def create(self, **changed) -> tuple[int, dict]:
        judges = [word for n in range(3) for word in ("--judge", f"{ADDRESSES[MINOS + n]}:{self.models[n].commitment.model_id.hex()}")]
        words = {"--prediction": self.prediction, "--input-bytes": 24, "--prize": 1000, "--fee": 30, "--bond": 100, "--hours": 1} | changed
        return self.run("create", "--contract", self.contract, *judges, *sum(words.items(), ()))

    def on_chain(self, act) -> None:
        chain = open_state(self.state)
        act(chain)
        save_state(self.state, chain)

    def next_phase(self) -> None:
        self.on_chain(lambda chain: (chain.advance(HOUR), chain.mine()))


@pytest.fixture
def desk(tmp_path, capsys):
    return Desk(tmp_path, capsys)


def test_a_contest_from_the_prize_to_the_last_withdrawal(desk):
    assert desk.create()[0] == 0
    assert desk("status", account=MINOS)[1]["you_can"] == {"stand": "you do not grade, and earn no fees", "enter": "you do not take part"}
    for judge in (MINOS, RHADA, AIAKOS):
        assert desk("stand", account=judge)[1]["paid"] == 100
    for who, name in ((ADA, "ada.npy"), (BOB, "bob.npy")):
        assert desk("enter", desk.folder / name, account=who)[1]["paid"] == 30
    desk.next_phase()
    assert desk("status", account=ADA)[1]["you_can"] == {"reveal": "your fee of 30 wei is slashed"}
    for who, name in ((ADA, "ada.npy"), (BOB, "bob.npy")):
        assert desk("reveal", desk.folder / name, account=who)[0] == 0
    desk.next_phase()
    assert desk("status", account=RHADA)[1]["you_can"] == {"grade": "your bond of 100 wei goes to the 2 entries that you leave out"}
    code, said = desk("grade", "--model", desk.folder / "1.model", account=MINOS)
    assert code == 2 and said["error"].endswith(f"asked is {desk.models[0].commitment.model_id.hex()}")
    for judge in (MINOS, RHADA):
        assert desk("grade", "--model", desk.folder / f"{judge - MINOS}.model", account=judge)[1]["calls"] == 2
    code, said = desk("grade", "--model", desk.folder / "0.model", account=MINOS)
    assert code == 1 and said["error"] == "there is no entry left to grade"
    code, said = desk("grade", "--model", desk.folder / "2.model", "--entrant", ADDRESSES[BOB], account=AIAKOS)
    assert (code, said["calls"]) == (0, 1)
    assert desk("status", account=AIAKOS)[1]["you_can"] == {"grade": "your bond of 100 wei goes to the 1 entries that you leave out"}
    desk.next_phase()
    assert desk("rank", account=STRANGER)[1]["calls"] == 2
    desk.next_phase()
    assert desk("status", account=STRANGER)[1]["you_can"] == {"settle": "nobody is paid until somebody does"}
    assert desk("settle", account=STRANGER)[0] == 0
    assert desk("collect", account=STRANGER)[1]["calls"] == 2
    said = desk("status", account=ADA)[1]
    assert (said["phase"], said["best"], said["winners"]) == ("SETTLED", max(desk.said), desk.said.count(max(desk.said)))
    prize = {who: 1000 // said["winners"] if desk.said[who - ADA] == max(desk.said) else 0 for who in (ADA, BOB)}
    credits = {who: desk("status", account=who)[1]["credit"] for who in (MINOS, RHADA, AIAKOS, ADA, BOB)}
    assert credits == {MINOS: 120, RHADA: 120, AIAKOS: 10, ADA: prize[ADA] + 100 + 10, BOB: prize[BOB]}
    for who in credits:
        assert desk("withdraw", account=who)[1].get("wei") == credits[who] or not credits[who]


def test_what_cannot_be_used_is_said(desk):
    code, said = desk("status")
    assert code == 2 and said["error"] == f"the contract at {desk.contract} has no contest 1"
    code, said = desk.create(**{"--judge": ADDRESSES[0]})
    assert code == 2 and said["error"] == f"--judge {ADDRESSES[0]} is no ADDRESS:MODEL"
    code, said = desk.create(**{"--judge": f"{ADDRESSES[0]}:{'00' * 32}"})
    assert code == 2 and said["error"].startswith("there are 1, 3 or 5 judges, ")
    code, said = desk.create(**{"--judge": f"{ADDRESSES[0]}:00"})
    assert code == 2 and said["error"] == "the model of --judge is 32 bytes in hexadecimal, got 1"
    assert desk.create()[0] == 0
    code, said = desk("stand", account=STRANGER)
    assert code == 2 and said["error"].startswith(f"this account is {ADDRESSES[STRANGER]}, and the judges of contest 1 are ")
    code, said = desk("grade", "--model", desk.folder / "0.model", account=STRANGER)
    assert code == 2 and said["error"] == f"give --judge N, 0 to 2: {ADDRESSES[STRANGER]} is none of them"
    np.save(desk.folder / "short.npy", np.zeros(23, np.uint8))
    code, said = desk("enter", desk.folder / "short.npy", account=ADA)
    assert code == 2 and "24" in said["error"]
