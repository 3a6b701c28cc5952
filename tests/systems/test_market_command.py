"""`zkpredict market` on the embedded chain: a job from its post to its end, a false check shown, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from support import random_network

from zkpredict.cli.main import main
from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.chain.state import open_state, save_state
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems.market import PHASES, Market, items_of
from zkpredict.prover.commit import commit_model

NETWORK = random_network(5, (16, 3, 4))
ITEMS = np.random.default_rng(3).integers(0, 256, (8, 16)).astype(np.uint8)
RIGHT = [int(digit) for digit in NETWORK.infer(ITEMS).digits]
HOUR = 3600
TERMS = ["--units", 4, "--columns", "0,3", "--reward", 1000, "--stake", 2000, "--bond", 5000, "--window", HOUR]


class Desk:
    """Account 0 asks, 1 and 2 work."""

    def __init__(self, folder, capsys) -> None:
        self.folder, self._capsys, self.place = folder, capsys, []
        np.save(folder / "items.npy", ITEMS)
        commit_model(NETWORK).save(folder / "m.model")
        (folder / "false.json").write_text(json.dumps([(answer + 1) % 4 for answer in RIGHT]))
        self.place = ["--contract", self("deploy", "--draw-delay", 1, "--min-window", 60, "--least-stake", 1)[1]["contract"]]

    def __call__(self, verb: str, *arguments: object, account: int = 0) -> tuple[int, dict]:
        words = [verb, *arguments, *self.place, "--state", self.folder / "chain.json", "--account", account, "--json"]
        code = main(["market", *map(str, words)])
        return code, json.loads(self._capsys.readouterr().out)

    @property
    def model(self) -> list:
        return ["--model", self.folder / "m.model"]

    def on_chain(self, act):
        chain = open_state(self.folder / "chain.json")
        found = act(chain)
        save_state(self.folder / "chain.json", chain)
        return found

    def until(self, phase: str) -> None:
        """Lets time pass until job 1 is in this phase."""

        def act(chain):
            market = Contract(chain, self.place[1], load("AnswerMarket"))
            end = market.call("deadlineOf", 1, PHASES.index(phase) - 1)
            chain.advance(max(1, end - chain.block().timestamp))
            chain.mine()

        self.on_chain(act)

    def verbs(self, account: int) -> list[str]:
        return [option["verb"] for option in self("status", 1, account=account)[1]["you_can"]]

    def drawn(self) -> None:
        """Two units each for accounts 1 and 2, drawn, in the time to commit."""
        for account in (1, 2):
            assert self("join", 1, "--units", 2, account=account)[0] == 0
        assert self("draw", 1)[1]["step"] == "arm"
        self.on_chain(lambda chain: chain.mine(2))
        assert self("draw", 1)[1]["step"] == "fix"
        self.until("commit")

    def shown(self, *files: list) -> None:
        """Both commit and reveal with these answers."""
        for phase in ("commit", "reveal"):
            if phase == "reveal":
                self.until(phase)
            for account, answers in zip((1, 2), files):
                assert self(phase, 1, *answers, account=account)[0] == 0
        self.until("check")


@pytest.fixture
def desk(tmp_path, capsys) -> Desk:
    return Desk(tmp_path, capsys)


def test_a_job_goes_from_its_post_to_its_end(desk):
    code, posted = desk("post", desk.folder / "items.npy", *TERMS, *desk.model)
    assert (code, posted["job"], posted["per_unit"]) == (0, 1, 4)
    assert desk.verbs(1) == ["join"]
    desk.drawn()
    assert desk.verbs(1) == ["draw", "commit unit 0", "commit unit 1"]
    mine = desk("items", 1, "--out", desk.folder / "mine.npy", account=1)[1]["yours"]
    assert (np.load(desk.folder / "mine.npy") == ITEMS).all() and set(mine) == {"0", "1"} and all(len(items) == 4 for items in mine.values())
    assert desk("items", 1, "--out", desk.folder / "mine.npy", account=1)[0] == 2
    desk.shown(desk.model, ["--answers", desk.folder / "false.json"])
    assert desk.verbs(0) == ["open"] and desk("settle", 1)[0] == 2
    assert desk("open", 1, "--columns", "0,2", *desk.model)[0] == 1
    assert desk("open", 1, "--columns", "0,3", *desk.model)[0] == 0
    desk.until("settle")
    assert desk.verbs(1) == ["settle unit 0", "settle unit 1"]
    assert desk("settle", 1, account=5)[1]["passed"] == [0, 1]
    desk.until("done")
    assert desk("status", 1)[1]["verdict"] == "void"
    assert desk("collect", 1, account=5)[1]["units"] == 4
    assert [desk("withdraw", account=who)[1]["wei"] for who in (1, 2)] == [2 * 3000, 2 * 2000]
    assert desk("withdraw")[0] == 1


def test_a_false_check_of_a_named_network_is_shown(desk):
    predictor = desk.on_chain(lambda chain: deploy_packed(chain, NETWORK).contract.address)
    false = ["--answers", desk.folder / "false.json"]
    assert desk("post", desk.folder / "items.npy", *TERMS, *false, "--predictor", predictor)[0] == 0

    def work(chain):
        """Account 1 takes two units and answers them, without the commands."""
        market = Market(Contract(chain.account(1), desk.place[1], load("AnswerMarket")))

        def until(phase):
            chain.advance(market.contract.call("deadlineOf", 1, phase - 1) - chain.block().timestamp)
            chain.mine()

        market.join(1, 2)
        until(1)
        market.draw(1)
        chain.mine(2)
        market.draw(1)
        answers = [[RIGHT[item] for item in items_of(market.seed(1), unit, 2, 4)] for unit in (0, 1)]
        for unit in (0, 1):
            market.commit(1, unit, answers[unit], bytes(32))
        until(2)
        for unit in (0, 1):
            market.reveal(1, unit, answers[unit], bytes(32))
        until(3)

    desk.on_chain(work)
    assert desk("open", 1, "--columns", "0,3", *false)[0] == 0
    desk.until("settle")
    assert "contest" in desk.verbs(2)
    assert desk("contest", 1, *false, account=2)[1]["error"] == "job 1: all checks are right, there is nothing to contest"
    assert desk("contest", 1, *desk.model, account=2)[1]["reward"] == 2500
    assert desk("settle", 1)[1]["failed"] == [0, 1]
    desk.until("done")
    desk("collect", 1)
    assert [desk("withdraw", account=who)[1]["wei"] for who in (1, 2)] == [2 * 3000, 2500]


def test_what_cannot_be_used_is_named(desk):
    items = desk.folder / "items.npy"
    assert desk("post", items, *TERMS)[1]["error"].startswith("give the answers: either --answers FILE, or --model FILE")
    assert desk("post", items, "--copies", 3, *TERMS, *desk.model)[1]["error"] == "--units is a multiple of --copies, got 4 and 3"
    assert desk("post", items, *TERMS, "--columns", "0,4", *desk.model)[1]["error"] == "--columns are below 4, got 4"
    assert desk("post", desk.folder / "m.model", *TERMS, *desk.model)[0] == 2
    assert desk("status", 1) == (2, {"error": "there is no job 1: this market has 0, numbered from 1", "exit_code": 2})
    desk("post", items, *TERMS, *desk.model)
    assert desk("commit", 1, *desk.model, account=1)[1]["error"].startswith("job 1: no unit of 0x")
    (desk.folder / "short.json").write_text("[1, 2]")
    assert desk("commit", 1, "--answers", desk.folder / "short.json")[1]["error"].endswith("must be a list of 8 answers, 0 to 15 or null")
