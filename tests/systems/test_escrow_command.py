"""`zkpredict escrow` on the embedded chain: a deal from post to withdrawal, its status for each side, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from zkpredict.cli.main import main
from zkpredict.contracts.chain.evm import account_key
from zkpredict.contracts.chain.state import open_state, save_state
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems.goods import BAD_APPLE, GOOD_APPLE, apple_network, apples

BUYER, SUPPLIER, INSTRUMENT = range(3)
ADDRESSES = [account_key(n).public_key.to_checksum_address() for n in range(4)]
DAY = 86_400


class Desk:
    """Runs `zkpredict escrow ... --json` beside a chain with an escrow and a network in the open."""

    def __init__(self, folder, capsys) -> None:
        self.folder, self._capsys = folder, capsys
        self.state, self.deal = folder / "chain.json", folder / "deal.json"
        self.contract = self("deploy")[1]["contract"]
        self.on_chain(lambda chain: setattr(self, "predictor", deploy_packed(chain, apple_network()).contract.address))
        readings, _ = apples(20, 6)
        self.good, self.bad = (next(row for row in readings if apple_network().predict(row) == kind) for kind in (GOOD_APPLE, BAD_APPLE))

    def __call__(self, *words: object, account: int = BUYER) -> tuple[int, dict]:
        code = main(["escrow", *map(str, words), "--state", str(self.state), "--account", str(account), "--json"])
        return code, json.loads(self._capsys.readouterr().out)

    def on_chain(self, act) -> None:
        chain = open_state(self.state)
        act(chain)
        save_state(self.state, chain)

    def post(self, quota: int = 3, **changed) -> tuple[int, dict]:
        words = {"--contract": self.contract, "--predictor": self.predictor, "--supplier": ADDRESSES[SUPPLIER], "--instrument": ADDRESSES[INSTRUMENT]} | changed
        return self("post", "--deal", self.deal, "--payout", 2, "--payout", 10, "--quota", quota, *sum(words.items(), ()))

    def sign(self, serial: int, values, account: int = INSTRUMENT) -> tuple[int, dict]:
        np.save(self.folder / "values.npy", values)
        out = self.folder / f"{serial}.json"
        return self("sign", "--deal", self.deal, "--serial", serial, "--values", self.folder / "values.npy", "--out", out, account=account)

    def deliver(self, serial: int, *words) -> tuple[int, dict]:
        return self("deliver", self.folder / f"{serial}.json", "--deal", self.deal, *words, account=SUPPLIER)


@pytest.fixture
def desk(tmp_path, capsys):
    return Desk(tmp_path, capsys)


def test_a_deal_from_post_to_withdrawal(desk):
    assert desk.post()[1]["paid"] == 30
    for serial, (values, earned) in enumerate(((desk.good, 10), (desk.bad, 2))):
        assert desk.sign(serial, values)[0] == 0
        code, said = desk.deliver(serial)
        assert (code, said["earned"], said["class"]) == (0, earned, int(earned == 10))
    said = desk("status", "--deal", desk.deal, account=SUPPLIER)[1]
    assert (said["phase"], said["delivered"], said["earned"], said["held"]) == ("OPEN", 2, 12, 30)
    assert sorted(said["you_can"]) == ["collect", "deliver"] and said["you_can"]["deliver"].startswith("what is not delivered by ")
    assert sorted(desk("status", "--deal", desk.deal)[1]["you_can"]) == ["close", "collect", "deliver"]
    assert desk("close", "--deal", desk.deal)[0] == 0
    assert desk("status", "--deal", desk.deal)[1]["phase"] == "CLOSING"
    code, said = desk("reclaim", "--deal", desk.deal)
    assert code == 1 and said["error"].startswith("the contract refused: DealOpen(")
    desk.on_chain(lambda chain: (chain.advance(8 * DAY), chain.mine()))
    said = desk("status", "--deal", desk.deal)[1]
    assert (said["phase"], sorted(said["you_can"])) == ("OVER", ["collect", "reclaim"])
    assert desk("reclaim", "--deal", desk.deal, account=3)[0] == 0
    assert desk("status", "--deal", desk.deal, account=SUPPLIER)[1]["credit"] == 12
    assert desk("withdraw", "--deal", desk.deal)[0] == 0
    assert desk("withdraw", "--deal", desk.deal, account=SUPPLIER)[0] == 0
    assert desk("status", "--deal", desk.deal)[1]["held"] == 0


def test_what_is_refused_and_why(desk):
    desk.post()
    code, said = desk.sign(0, desk.good, account=SUPPLIER)
    assert code == 2 and said["error"].endswith(f"readings of deal 1 are signed by {ADDRESSES[INSTRUMENT]}")
    desk.sign(0, desk.bad)
    code, said = desk.deliver(0, "--class", 1)
    assert code == 1 and said["error"].startswith("the contract refused: NotShown(")
    assert desk.deliver(0)[0] == 0
    code, said = desk.deliver(0)
    assert code == 1 and said["error"].startswith("the contract refused: SerialUsed(0)")
    code, said = desk.post()
    assert code == 2 and said["error"].endswith("exists already: a deal's terms are kept, so give another file")


def test_files_that_are_none_are_refused(desk):
    desk.post()
    deal = json.loads(desk.deal.read_text())
    for changed, message in (
        ("{}", "KeyError: 'format'"),
        (json.dumps(deal | {"format": "x"}), "it is no zkpredict deal 1"),
        (json.dumps(deal | {"terms": deal["terms"] | {"payout": 5}}), "TypeError: "),
        (json.dumps(deal | {"terms": deal["terms"] | {"buyer": "me"}}), "EncodingTypeError: "),
        (json.dumps(deal | {"terms": deal["terms"] | {"deadline": 5}}), "has no deal 1 with the terms in"),
    ):
        desk.deal.write_text(changed)
        code, said = desk("status", "--deal", desk.deal)
        assert code == 2 and message in said["error"], said
    desk.deal.write_text(json.dumps(deal))
    for values, message in ((np.zeros(3), "holds no bytes (uint8)"), (np.zeros((2, 2), np.uint8), "a reading is one row of bytes, these are 2 dimensions")):
        code, said = desk.sign(0, values)
        assert code == 2 and said["error"].endswith(message)
    (desk.folder / "0.json").write_text('{"deal": 1}')
    code, said = desk.deliver(0)
    assert code == 2 and said["error"].endswith("KeyError: 'serial'")
    code, said = desk("post", "--deal", desk.folder / "new.json", "--contract", desk.contract, "--supplier", ADDRESSES[1], "--instrument", ADDRESSES[2],
                      "--payout", 1, "--quota", 1)  # fmt: skip
    assert code == 2 and said["error"] == "give --predictor ADDRESS, or --prediction ADDRESS and --model-id HEX"
