"""`zkpredict learn` on the embedded chain: a program from its parts to a winner, a false loss refuted, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zkpredict.cli.main import main
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.state import open_state, save_state
from zkpredict.contracts.systems.stories.learn_attacks import GOOD, KNOWS_NOTHING, WEAK, tiny_parts

HOUR = 3600


class Desk:
    """Account 0 starts the program and tests, 1 and 2 train."""

    def __init__(self, folder, capsys) -> None:
        self.folder, self._capsys, self.place = folder, capsys, []
        for name, weights in (("first", KNOWS_NOTHING), ("good", GOOD), ("weak", WEAK)):
            (folder / f"{name}.bin").write_bytes(weights.data)
        for number, part in enumerate(tiny_parts()[0][:3]):
            np.save(folder / f"i{number}.npy", np.array([np.frombuffer(data, np.uint8) for data in part.inputs]))
            np.save(folder / f"l{number}.npy", np.array(part.labels, np.uint8))
        terms = ["--input-bytes", 2, "--per-part", 4, "--parts", 3, "--probe", 1, "--epochs", 3, "--hours", 1, "--draw-delay", 1]
        code, made = self("deploy", "--stage", "1,2", "--first", folder / "first.bin", "--tester", EmbeddedChain().sender, *terms)
        assert code == 0, made
        self.place = ["--contract", made["contract"]]

    def __call__(self, verb: str, *arguments: object, account: int = 0) -> tuple[int, dict]:
        words = [verb, *arguments, *self.place, "--state", self.folder / "chain.json", "--account", account, "--json"]
        code = main(["learn", *map(str, words)])
        return code, json.loads(self._capsys.readouterr().out)

    def files(self, number: int) -> list:
        return ["--inputs", self.folder / f"i{number}.npy", "--labels", self.folder / f"l{number}.npy"]

    def wait(self, seconds: int = HOUR, blocks: int = 1) -> None:
        chain = open_state(self.folder / "chain.json")
        chain.advance(seconds)
        chain.mine(blocks)
        save_state(self.folder / "chain.json", chain)

    def draw(self) -> None:
        assert self("draw")[1]["step"] == "arm"
        self.wait(1, 2)
        assert self("draw")[1]["step"] == "fix"

    def open_any(self) -> int:
        """Opens the one part that is due; its number."""
        done = [n for n in range(3) if self("open-part", "--tester", 0, "--part", n, *self.files(n))[0] == 0]
        assert len(done) == 1
        return done[0]


@pytest.fixture
def desk(tmp_path, capsys) -> Desk:
    return Desk(tmp_path, capsys)


def test_a_program_goes_from_its_parts_to_a_winner(desk):
    good, weak = (["--weights", desk.folder / f"{name}.bin"] for name in ("good", "weak"))
    assert desk("fund", "--wei", 900)[0] == 0
    assert list(desk("status")[1]["you_can"]) == ["seal-parts"]
    for number in range(3):
        assert desk("seal-part", "--tester", 0, "--part", number, *desk.files(number))[0] == 0
    desk.wait()
    desk.draw()
    desk.open_any()
    assert desk("start", account=5)[0] == 0
    assert (desk("status", account=1)[1]["phase"], list(desk("status", account=1)[1]["you_can"])) == ("commit", ["commit"])
    assert desk("commit", "--weights", desk.folder / "i0.npy", account=1)[0] == 2
    for account, weights in ((1, good), (2, weak)):
        assert desk("commit", *weights, account=account)[0] == 0
    desk.wait()
    desk.draw()
    files = desk.files(desk.open_any())
    desk.wait()
    assert desk("claim", *weak, *files, account=1)[0] == 1
    for account, weights in ((1, good), (2, weak)):
        assert desk("claim", *weights, *files, account=account)[0] == 0
    desk.wait()
    for account, weights in ((1, good), (2, weak)):
        assert desk("publish", *weights, account=account)[0] == 0
    desk.wait()
    who = desk("status", account=1)[1]["you"]
    code, refused = desk("refute", "--who", who, *files, account=2)
    assert (code, refused["error"]) == (1, "every loss that this account claims is true")
    desk.wait()
    assert desk("present", "--who", who, account=5)[0] == 0
    desk.wait()
    assert desk("settle", account=5)[0] == 0
    assert [desk("collect", "--epoch", 0, account=account)[0] for account in (1, 2, 2)] == [0, 0, 1]
    seen = desk("status", account=1)[1]
    assert (seen["epoch"], seen["loss"], seen["points"], seen["credit"]) == (1, 0, 500, 300 + 10**16 + 10**17)
    assert desk("withdraw", account=1)[1]["wei"] == seen["credit"]


def test_what_cannot_be_used_is_named(desk):
    assert desk("draw")[0] == 1
    assert desk("abort")[1]["error"].startswith("the contract refused: TooEarly")
    assert desk("refute", "--who", desk.place[1], *desk.files(0))[0] in (1, 2)
    code, refused = desk("seal-part", "--tester", 0, "--part", 0, "--inputs", desk.folder / "l0.npy", "--labels", desk.folder / "l0.npy")
    assert code == 2 and "files hold" in refused["error"]
