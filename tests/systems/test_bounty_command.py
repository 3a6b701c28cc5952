"""`zkpredict bounty` on the embedded chain: a hidden judge that says yes, says no and says nothing, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zkpredict.cli.main import main
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import account_key
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.chain.state import open_state, save_state
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems.goods import trip_network, trips
from zkpredict.contracts.verifier.client import deploy_verifier, register_model
from zkpredict.prover.commit import commit_model

SPONSOR, JUDGE, ANNA, BEN, CARL, STRANGER = range(6)
ADDRESSES = [account_key(n).public_key.to_checksum_address() for n in range(6)]
HOUR = 3600


class Desk:
    """Runs `zkpredict bounty ... --json` beside a chain with a hidden and an open judge."""

    def __init__(self, folder, capsys) -> None:
        self.folder, self._capsys, self.state = folder, capsys, folder / "chain.json"
        self.model = commit_model(trip_network())
        self.model.save(folder / "judge.model")
        self.on_chain(self._prepare)
        rows, _ = trips(60, 9)
        said = [trip_network().predict(row) for row in rows]
        self.wanted = said[0]
        yes, no = ([row for row, class_ in zip(rows, said) if (class_ == said[0]) is kind] for kind in (True, False))
        for name, row in (("anna", yes[0]), ("ben", no[0]), ("carl", yes[1])):
            np.save(folder / f"{name}.npy", row)
        self.contract = self.run("deploy", "--window", HOUR)[1]["contract"]

    def _prepare(self, chain) -> None:
        verifier = deploy_verifier(chain, self.model.commitment.circuit)
        register_model(chain, verifier.address, self.model.commitment)
        self.hidden = Contract.deploy(chain, load("ProvenPrediction"), verifier.address)[0].address
        self.predictor = deploy_packed(chain, trip_network()).contract.address

    def run(self, *words: object, account: int = SPONSOR) -> tuple[int, dict]:
        code = main(["bounty", *map(str, words), "--state", str(self.state), "--account", str(account), "--json"])
        return code, json.loads(self._capsys.readouterr().out)

    def __call__(self, verb: str, *words: object, account: int = SPONSOR, bounty: int = 1) -> tuple[int, dict]:
        return self.run(verb, bounty, *words, "--contract", self.contract, account=account)

    def post(self, *judge: object, **changed) -> tuple[int, dict]:
        words = {"--judge": ADDRESSES[JUDGE], "--input-bytes": 24, "--class": self.wanted, "--wanted": 2, "--reward": 100, "--deposit": 10, "--share": 150,
                 "--days": 1} | changed  # fmt: skip
        return self.run("post", "--contract", self.contract, *judge, *sum(words.items(), ()))

    @property
    def hidden_judge(self) -> list:
        return ["--prediction", self.hidden, "--model-id", self.model.commitment.model_id.hex()]

    def picture(self, name: str):
        return self.folder / f"{name}.npy"

    def on_chain(self, act) -> None:
        chain = open_state(self.state)
        act(chain)
        save_state(self.state, chain)

    def wait(self, hours: int) -> None:
        self.on_chain(lambda chain: (chain.advance(hours * HOUR), chain.mine()))


@pytest.fixture
def desk(tmp_path, capsys):
    return Desk(tmp_path, capsys)


def test_a_bounty_with_a_yes_a_no_and_a_silence(desk):
    assert desk.post(*desk.hidden_judge)[1]["paid"] == 200
    assert desk("status", account=JUDGE)[1]["you_can"] == {"stand": "nobody can claim, and you earn no deposits"}
    assert desk("stand", "--places", 3, account=JUDGE)[1]["paid"] == 450
    assert desk("status", account=ANNA)[1]["you_can"] == {"seal": "somebody else gets the reward"}
    cast = ((ANNA, "anna"), (BEN, "ben"), (CARL, "carl"))
    for who, name in cast:
        assert desk("seal", desk.picture(name), account=who)[1]["paid"] == 10
    assert desk("status", account=ANNA)[1]["you_can"] == {"show": "your deposit of 10 wei is slashed"}
    code, said = desk("show", desk.picture("ben"), account=ANNA)
    assert code == 1 and said["error"].startswith("the contract refused: SealBroken(")
    code, said = desk("answer", "--claimant", ADDRESSES[ANNA], "--model", desk.folder / "judge.model", account=JUDGE)
    assert code == 2 and said["error"] == f"{ADDRESSES[ANNA]} showed no picture in bounty 1"
    for who, name in cast:
        assert desk("show", desk.picture(name), account=who)[0] == 0
    said = desk("status", account=JUDGE)[1]
    assert said["you_can"] == {f"answer --claimant {ADDRESSES[who]}": "150 wei of your bond are the claimant's" for who, _ in cast} | {"stand": "nobody can claim, and you earn no deposits"}
    for who in (ANNA, BEN):
        assert desk("answer", "--claimant", ADDRESSES[who], "--model", desk.folder / "judge.model", account=JUDGE)[0] == 0
    code, said = desk("expire", "--claimant", ADDRESSES[CARL], account=CARL)
    assert code == 1 and said["error"].startswith("the contract refused: TooEarly(")
    desk.wait(1)
    assert f"expire --claimant {ADDRESSES[CARL]}" in desk("status", account=STRANGER)[1]["you_can"]
    assert desk("expire", "--claimant", ADDRESSES[CARL], account=STRANGER)[0] == 0
    desk.wait(24)
    said = desk("status", account=STRANGER)[1]
    assert (said["phase"], said["you_can"]) == ("OVER", {"finish": "pot and bond stay held"})
    assert desk("finish", account=STRANGER)[0] == 0
    credits = {who: desk("status", account=who)[1]["credit"] for who in range(6)}
    assert credits == {SPONSOR: 100, JUDGE: 300 + 10, ANNA: 110, BEN: 0, CARL: 160, STRANGER: 0}
    assert desk("withdraw", account=ANNA)[1]["wei"] == 110


def test_a_judge_in_the_open_needs_no_evidence(desk):
    assert desk.post("--predictor", desk.predictor)[0] == 0
    assert desk("stand", "--places", 1, account=JUDGE)[0] == 0
    for verb in ("seal", "show"):
        assert desk(verb, desk.picture("anna"), account=ANNA)[0] == 0
    code, said = desk("answer", "--claimant", ADDRESSES[ANNA], "--class", desk.wanted + 1, account=JUDGE)
    assert code == 1 and said["error"].startswith("the contract refused: NotShown(")
    assert desk("answer", "--claimant", ADDRESSES[ANNA], account=STRANGER)[0] == 0
    assert desk("status", account=ANNA)[1]["credit"] == 110


def test_what_cannot_be_used_is_said(desk):
    code, said = desk("status")
    assert code == 2 and said["error"] == f"the contract at {desk.contract} has no bounty 1"
    code, said = desk.post()
    assert code == 2 and said["error"] == "give --predictor ADDRESS, or --prediction ADDRESS and --model-id HEX"
    code, said = desk.post("--predictor", desk.predictor, **{"--class": 256})
    assert code == 2 and said["error"] == "--class is at most 255, --wanted and --places at most 65535"
    code, said = desk.post(*desk.hidden_judge, **{"--share": 99})
    assert code == 1 and said["error"].startswith("the contract refused: ShareTooSmall(99, 100)")
    assert desk.post(*desk.hidden_judge)[0] == 0
    assert desk("stand", "--places", 1, account=JUDGE)[0] == 0
    for verb in ("seal", "show"):
        assert desk(verb, desk.picture("anna"), account=ANNA)[0] == 0
    code, said = desk("answer", "--claimant", ADDRESSES[ANNA], account=JUDGE)
    assert code == 2 and said["error"].startswith("the prediction answers nothing about this input (")
    code, said = desk("answer", "--claimant", ADDRESSES[ANNA], "--model", desk.folder / "judge.model", "--class", 1, account=JUDGE)
    assert code == 2 and said["error"] == "--model makes the evidence: give it without --class and --evidence"
