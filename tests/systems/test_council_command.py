"""`zkpredict council` on the embedded chain: a change from two model files, proposed, voted, waited for and run; and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image
from support import random_network

from zkpredict.cli.main import main
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.state import open_state, save_state
from zkpredict.contracts.systems.patches import Delta, Entry, patched
from zkpredict.prover.commit import commit_model

OLD = random_network(5, (16, 3, 4))
NEW = patched(OLD, [Delta.of([Entry(0, 3, 1, 7), Entry(1, 3, 2, -40)])])
PIXELS = np.arange(16, dtype=np.uint8) * 9
DAY = 86_400


class Desk:
    """Accounts 0 and 1 are drivers, 2 is a passenger."""

    def __init__(self, folder, capsys) -> None:
        self.folder, self._capsys, self.place = folder, capsys, []
        commit_model(OLD).save(folder / "old.model")
        commit_model(NEW).save(folder / "new.model")
        Image.fromarray(PIXELS.reshape(4, 4)).save(folder / "i.png")
        who = [EmbeddedChain().account(n).sender for n in range(3)]
        made = self("deploy", "--drivers", f"{who[0]},{who[1]}", "--passengers", who[2], "--model", folder / "old.model")[1]
        self.place = ["--governor", made["governor"], "--gate", made["gate"]]

    def __call__(self, verb: str, *arguments: object, account: int = 0) -> tuple[int, dict]:
        place = [] if verb in ("delta", "show", "count") else self.place
        words = [verb, *arguments, *place, "--state", self.folder / "chain.json", "--account", account, "--json"]
        code = main(["council", *map(str, words)])
        return code, json.loads(self._capsys.readouterr().out)

    def wait(self, seconds: int) -> None:
        chain = open_state(self.folder / "chain.json")
        chain.advance(seconds)
        chain.mine()
        save_state(self.folder / "chain.json", chain)


@pytest.fixture
def desk(tmp_path, capsys) -> Desk:
    return Desk(tmp_path, capsys)


def test_a_change_goes_from_two_files_to_the_next_version(desk):
    stored = desk("delta", "--model", desk.folder / "old.model", "--to", desk.folder / "new.model")[1]
    assert stored["weights"] == 2
    assert desk("show", "--delta", stored["delta"])[1]["entries"] == [[0, 3, 1, 7], [1, 3, 2, -40]]
    code, proposed = desk("propose", "--delta", stored["delta"], "--why", "a test")
    assert (code, proposed["parent"], proposed["bond"]) == (0, 0, 10**16)
    number = proposed["proposal"]
    [seen] = desk("status")[1]["proposals"]
    assert (seen["phase"], [o["verb"] for o in seen["you_can"]]) == ("pending", ["cancel"])
    assert desk("queue", number)[0] == 1
    desk.wait(DAY + 1)
    assert [o["verb"] for o in desk("status", account=2)[1]["proposals"][0]["you_can"]] == ["vote"]
    for account in (0, 1, 2):
        assert desk("vote", number, "--for", account=account)[0] == 0
    code, refused = desk("vote", number, "--against", account=2)
    assert code == 1 and "GovernorAlreadyCastVote" in refused["error"]
    desk.wait(3 * DAY)
    [seen] = desk("status", account=5)[1]["proposals"]
    assert (seen["phase"], seen["tallies"], [o["verb"] for o in seen["you_can"]]) == ("succeeded", [[2, 0, 1], [1, 0, 1]], ["queue", "release"])
    assert desk("queue", number, account=5)[0] == 0
    assert "TimelockUnexpectedOperationState" in desk("execute", number)[1]["error"]
    desk.wait(2 * DAY)
    assert desk("execute", number, account=5)[0] == 0 and desk("release", number, account=5)[0] == 0
    assert desk("withdraw")[1]["wei"] == 10**16
    image = desk.folder / "i.png"
    assert [desk("predict", image, *more)[1]["digit"] for more in ([], ["--version", 0])] == [int(n.infer(PIXELS[None]).digits[0]) for n in (NEW, OLD)]
    assert desk("status")[1]["version"] == 1


def test_what_cannot_be_used_is_named(desk):
    old = desk.folder / "old.model"
    assert desk("delta", "--model", old, "--to", old)[1]["error"] == "a change of no weight: the two networks are the same"
    assert desk("vote", 7, "--for") == (2, {"error": "there is no proposal 7: `council status` lists all", "exit_code": 2})
    governor, gate = desk.place[1], desk.place[3]
    assert desk("show", "--delta", gate)[1]["error"] == f"there is no data contract at {gate}"
    desk.place = ["--governor", governor, "--gate", governor]
    assert desk("status")[0] == 2
    desk.place = ["--governor", gate, "--gate", gate]
    assert desk("status")[1]["error"].startswith(f"the contract at {gate} is no TwoHouseGovernor")


def test_an_escrow_pays_by_a_pinned_version_and_what_it_settled_is_a_vote(desk):
    """The whole way: an escrow, houses of those between whom it settles, a deal on version 0, a delivery, and its votes."""
    state = ["--state", desk.folder / "chain.json", "--json"]

    def run(*words: object, account: int = 0) -> tuple[int, dict]:
        code = main([str(word) for word in (*words, *state, "--account", account)])
        return code, json.loads(desk._capsys.readouterr().out)

    who = [EmbeddedChain().account(n).sender for n in range(3)]
    escrow = run("escrow", "deploy")[1]["contract"]
    code, made = run("council", "deploy", "--escrow", escrow, "--fee", 7, "--weekly-cap", 1, "--model", desk.folder / "old.model")
    assert code == 0 and "are counted by the SettledRides at " in made["notes"][0]
    rides = made["notes"][0].split()[8].rstrip(":")
    desk.place = ["--governor", made["governor"], "--gate", made["gate"]]
    pinned = desk("pin")[1]
    assert pinned["version"] == 0 and desk("pin", "--prediction", pinned["prediction"])[1]["model_id"] == pinned["model_id"]
    assert desk("pin", "--version", 1)[0] == 1
    deal, values, reading = (desk.folder / name for name in ("deal.json", "values.npy", "reading.json"))
    payout = [word for _ in range(4) for word in ("--payout", 5)]
    words = ["--contract", escrow, "--prediction", pinned["prediction"], "--model-id", pinned["model_id"], "--supplier", who[1], "--instrument", who[2]]
    assert run("escrow", "post", "--deal", deal, *words, *payout, "--quota", 1)[0] == 0
    np.save(values, PIXELS)
    assert run("escrow", "sign", "--deal", deal, "--serial", 0, "--values", values, "--out", reading, account=2)[0] == 0
    code, said = run("escrow", "deliver", reading, "--deal", deal, "--evidence", pinned["evidence"], account=1)
    assert (code, said["class"]) == (0, int(OLD.infer(PIXELS[None]).digits[0]))
    code, said = run("council", "count", "--rides", rides, "--escrow", escrow, "--delivery", 1)
    assert code == 2 and said["error"].endswith("settled 1 deliveries, numbers from 0")
    assert run("council", "count", "--rides", rides, "--escrow", escrow, "--delivery", 0)[1]["paid"] == 7
    code, said = run("council", "count", "--rides", rides, "--escrow", escrow, "--delivery", 0)
    assert code == 1 and said["error"].startswith("the contract refused: CountedBefore(0)")
