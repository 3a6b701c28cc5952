"""`zkpredict dispute` on the embedded chain: a claim, its status for each side, a lie played down to its step, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from support import random_network

from zkpredict.cli.main import main
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.chain.state import open_state, save_state
from zkpredict.contracts.systems import dispute
from zkpredict.contracts.systems.dispute_play import Player
from zkpredict.contracts.systems.inference import Inference
from zkpredict.contracts.systems.machine import FaultyTrace
from zkpredict.circuits.files.schema import Feature, Schema
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model

NETWORK = random_network(5, (16, 3, 4))
PIXELS = np.arange(16, dtype=np.uint8) * 9
DAY = 86_400


@pytest.fixture
def desk(tmp_path, capsys):
    """Runs `zkpredict dispute ... --json` beside a model, an image and a chain with a registered model."""
    commit_model(NETWORK).save(tmp_path / "m.model")
    Image.fromarray(PIXELS.reshape(4, 4)).save(tmp_path / "i.png")
    Image.fromarray(PIXELS.reshape(4, 4) + 1).save(tmp_path / "other.png")
    return Desk(tmp_path, capsys)


class Desk:
    def __init__(self, folder: Path, capsys) -> None:
        self.folder, self._capsys = folder, capsys
        self.state = folder / "chain.json"
        self.contract = self("deploy")[1]["contract"]
        self("register", "--model", folder / "m.model")

    def __call__(self, verb: str, *arguments: object, account: int = 0) -> tuple[int, dict]:
        """Exit code and JSON of a verb."""
        place = [] if verb == "deploy" else ["--contract", self.contract]
        words = [verb, *arguments, *place, "--state", self.state, "--account", account, "--json"]
        code = main(["dispute", *map(str, words)])
        return code, json.loads(self._capsys.readouterr().out)

    @property
    def about(self) -> list:
        return [self.folder / "i.png", "--model", self.folder / "m.model"]

    def on_chain(self, act) -> None:
        """Does something to the chain that no verb does."""
        chain = open_state(self.state)
        act(chain, Contract(chain, self.contract, load("PredictionClaims")))
        save_state(self.state, chain)

    def wait(self, seconds: int) -> None:
        self.on_chain(lambda chain, _: (chain.advance(seconds), chain.mine()))


def lie(desk: Desk) -> FaultyTrace:
    """Claim 0 by account 0: the middle of the second layer is off by one bit."""
    inference = Inference.of(NETWORK)
    trace = FaultyTrace(inference.trace(PIXELS), 60)
    desk.on_chain(lambda _, contract: dispute.assert_prediction(contract, dispute.model_id(inference), PIXELS, trace))
    return trace


def test_a_true_claim_becomes_final_and_pays_its_bond_back(desk):
    code, claimed = desk("assert", *desk.about)
    assert (code, claimed["digit"], claimed["rounds"]) == (0, NETWORK.predict(PIXELS), 2)
    _, open_ = desk("status", 0, account=1)
    assert open_["phase"] == "open to challenges, 0 games open" and [o["verb"] for o in open_["you_can"]] == ["challenge"]
    code, refused = desk("challenge", 0, *desk.about, account=1)
    assert (code, refused["error"]) == (1, "claim 0 is right: a challenger would lose its bond")
    assert desk("finalize", 0)[0] == 1
    desk.wait(2 * DAY)
    assert desk("status", 0)[1]["phase"] == "final, its bond not yet freed"
    assert desk("finalize", 0, account=3)[0] == 0
    assert desk("status", 0)[1]["phase"] == "final"
    assert desk("withdraw")[1]["wei"] == claimed["bond"]


def test_a_lie_is_played_down_to_its_step(desk):
    trace = lie(desk)
    code, opened = desk("challenge", 0, *desk.about, account=1)
    assert code == 0
    cheats_view = desk("status", 0)[1]["games"][0]
    assert cheats_view["turn"] == "START" and [o["verb"] for o in cheats_view["you_can"]] == ["split"]
    assert "the claim and its bond" in cheats_view["you_can"][0]["otherwise"]
    for _ in range(2):
        assert desk("play", 0, *desk.about, account=1)[1] == {"game": 0, "turn": "START" if _ == 0 else "SPLIT", "over": False, "moves": []}
        desk.on_chain(lambda _, contract: Player(contract, trace).split(0))
        code, played = desk("play", 0, *desk.about, account=1)
        assert code == 0 and played["moves"][0]["move"] == "choose"
    assert [move["move"] for move in played["moves"]] == ["choose", "prove"] and played["turn"] == "CHALLENGER_WON"
    found = desk("status", 0)[1]
    assert found["phase"] == "refuted: not shown, which is not the opposite" and found["games"][0]["you_can"] == []
    assert desk("withdraw", account=1)[1]["wei"] == 2 * opened["bond"]


def test_a_cheat_cannot_have_its_lie_played_with_the_true_run(desk):
    lie(desk)
    desk("challenge", 0, *desk.about, account=1)
    code, refused = desk("play", 0, *desk.about)
    assert (code, refused["error"]) == (1, "game 0: this run is not the one that was claimed")


def test_a_game_whose_clock_ran_out_is_ended_by_anybody(desk):
    lie(desk)
    desk("challenge", 0, *desk.about, account=1)
    desk.wait(DAY + 1801)
    assert desk("play", 0, *desk.about, account=5)[1]["moves"][0]["move"] == "timeout"
    assert desk("status", 0)[1]["games"][0]["turn"] == "CHALLENGER_WON"


def test_what_cannot_be_used_is_named(desk):
    desk("assert", *desk.about)
    other = [desk.folder / "other.png", *desk.about[1:]]
    code, refused = desk("challenge", 0, *other, account=1)
    assert code == 2 and refused["error"].startswith("claim 0 is about the input whose keccak256 is ")
    assert desk("status", 7) == (2, {"error": "there is no claim 7: this contract has 1, numbered from 0", "exit_code": 2})
    assert desk("play", 3, *desk.about)[1]["error"] == "there is no game 3: this contract has 0, numbered from 0"
    assert desk("assert", *desk.about, "--k", 65)[1]["error"] == "--k is 2 to 64, got 65"
    assert desk("play", 0, *desk.about, "--watch", 1)[0] == 2
    machine = desk("deploy")[1]["machine"]
    desk.contract = machine
    assert desk("status", 0)[1]["error"].endswith("is no PredictionClaims of this version: deploy one, or give its address")


def test_a_claim_about_readings_takes_a_row_by_the_models_scale(desk):
    features = tuple(Feature(f"f{number}", 0, 255) for number in range(16))
    Model(NETWORK, schema=Schema(features)).save(desk.folder / "table.model")
    (desk.folder / "rows.csv").write_text(",".join(f.name for f in features) + "\n" + "\n".join(",".join(map(str, row)) for row in (PIXELS + 1, PIXELS)))
    about = [desk.folder / "rows.csv", "--model", desk.folder / "table.model"]
    code, said = desk("assert", *about, "--row", 1)
    assert (code, said["digit"]) == (0, NETWORK.predict(PIXELS))
    code, refused = desk("challenge", said["claim"], *about, "--row", 0, account=1)
    assert code == 2 and "is about the input whose keccak256 is " in refused["error"]
    code, refused = desk("assert", desk.folder / "i.png", "--model", desk.folder / "table.model")
    assert code == 2 and "this model takes 16 readings (f0, f1, " in refused["error"]


def test_people_read_what_they_can_do(desk, capsys):
    desk("assert", *desk.about)
    assert main(["dispute", "status", "0", "--contract", desk.contract, "--state", str(desk.state)]) == 0
    said = capsys.readouterr().out
    assert f"says {NETWORK.predict(PIXELS)}." in said and "  you can      challenge until " in said and said.rstrip().endswith("with 0 wei to withdraw.")
