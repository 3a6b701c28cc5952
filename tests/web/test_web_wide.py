"""The page and the server for wide models: another activation, a convolution without a contract, and claims in words."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from test_web_page import SEVEN, drawn, opened, seen

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "convolution"))

from conv_cases import conv_network

from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.tools.load import Running, serving
from zkpredict.verifier import native
from zkpredict.verifier.commitment import ModelCommitment

pytestmark = pytest.mark.node
NO_CONTRACT = (
    "no contract of this version checks such proofs: a contract holds two convolutions, then dense layers, with max pools behind both or behind neither, and no residuals; "
    "this circuit has 1 layers of kernels and 0 max pools on 1 tracks; "
    "they hold natively and in your browser, not on a chain"
)
ALL, OFF_CHAIN = ("browser", "native", "evm"), ("browser", "native")


def committed(path: Path, model: Model, *about: object) -> str:
    commit_model(model, *about).save(path)
    return str(path)


def proven(page, says: str, places: tuple[str, ...]) -> bytes:
    page.locator("#prove").click()
    expect(page.locator("#status")).to_have_text(re.compile(rf"^VALID: {re.escape(says)}, \d+ ms after you asked, checked in this browser$"))
    expect(page.locator("#verifiers [data-verifier]")).to_have_count(len(places))
    for place in places:
        expect(page.locator(f"#verifiers [data-verifier={place}] .verdict")).to_have_text(f"VALID: {says}")
    return bytes.fromhex("".join(page.locator("#parts td.hex").all_inner_texts()))


def refusals(page, places: tuple[str, ...]) -> list[str]:
    page.locator("#forge-form button").click()
    verdicts = [page.locator(f"#forge-verdicts [data-verifier={place}] .verdict") for place in places]
    for verdict in verdicts:
        expect(verdict).to_be_visible()
    return [verdict.inner_text().removeprefix("REFUSED: ") for verdict in verdicts]


def holds(server: Running, image: bytes, proof: bytes) -> None:
    commitment = ModelCommitment.from_bytes(bytes.fromhex(json.loads(server.ask("GET", "/v1/model")[2])["commitment"]), G1.from_compressed)
    native.verify(commitment, image, native.parse_proof(proof, commitment))


def test_a_wide_model_is_proven_and_valid_everywhere_and_every_forgery_is_refused(page, root, tmp_path, artefacts):
    model = committed(tmp_path / "m.model", Model.load(root / "examples" / "mnist_rational.model"))
    with serving("--open", "--workers", "1", model=model) as server:
        opened(page, server.url)
        drawn(page, SEVEN)
        proof = proven(page, "7", ALL)
        holds(server, seen(page), proof)
        sizes = [int(re.match(r"(\d+) bytes, [\d.]+ ms$", text)[1]) for text in page.locator("#rounds li .quiet").all_inner_texts()]
        assert len(sizes) == 6 and sum(sizes) == len(proof) - 39
        gas = [int(text.replace(",", "")) for text in page.locator("#verifiers [data-verifier=evm] td.number").all_inner_texts()]
        assert page.locator("#verifiers [data-verifier=evm] .quiet").inner_text() == f"{sum(gas):,} gas" and sum(gas) > 200_000
        expect(page.locator("#open-costs tbody tr")).to_have_count(3)
        page.screenshot(path=artefacts / "wide.png", full_page=True)
        assert refusals(page, ALL) == ["FailedOpening", "FailedOpening", "OpeningFailed"]  # another class
        page.locator("input[name=what][value=input]").check()
        assert refusals(page, ALL) == ["FailedOpening", "FailedOpening", "OpeningFailed"]
        page.locator("input[name=what][value=proof]").check()
        assert refusals(page, ALL) == ["MalformedProof"] * 3  # of the first point
        page.locator("#forge-part").select_option("scalar rem_low0")
        assert refusals(page, ALL) == ["FailedOpening", "FailedOpening", "OpeningFailed"]
        page.locator("#calldata").click()
        expect(page.locator("#calldata-note")).to_have_text(re.compile(r"^[\d,]+ bytes for verifyOrRevert\(bytes32,bytes,uint256,bytes\)$"))


def test_a_convolution_is_proven_and_valid_everywhere(page, root, tmp_path, artefacts):
    model = committed(tmp_path / "m.model", Model.load(root / "examples" / "lenet.model"))
    with serving("--workers", "1", model=model) as server:
        opened(page, server.url)
        drawn(page, SEVEN)
        image = seen(page)
        holds(server, image, proven(page, "7", ALL))
        page.screenshot(path=artefacts / "convolution.png", full_page=True)
        assert refusals(page, ALL) == ["FailedOpening", "FailedOpening", "OpeningFailed"]
        bound = json.loads(server.ask("POST", "/v1/prove", {"image": image.hex(), "context": "33" * 32})[2])["proof"]
        verdicts = [server.ask("POST", "/v1/verify", {"image": image.hex(), "proof": bound, **more})[2] for more in ({"context": "33" * 32}, {"context": "34" * 32}, {})]
        assert [json.loads(one).get("kind", "VALID") for one in verdicts] == ["VALID", "FailedOpening", "FailedOpening"]


def test_where_no_contract_checks_a_model_the_page_says_why_and_asks_the_others(page, tmp_path):
    """One convolution: the contract of this version holds two."""
    model = committed(tmp_path / "m.model", Model(conv_network(1, [(Grid(6, 5, 1, 3, 2), 3)], 4)))
    with serving("--workers", "1", model=model) as server:
        opened(page, server.url)
        page.locator("#raw-bytes").fill("07" * 30)
        page.locator("#prove").click()
        expect(page.locator("#status")).to_have_class("good")
        verdicts = page.locator("#verifiers .verdict")
        expect(verdicts).to_have_text([re.compile("^VALID: ")] * 2)
        assert page.locator("#verifiers [data-verifier]").evaluate_all("(cards) => cards.map((card) => card.dataset.verifier)") == list(OFF_CHAIN)
        expect(page.locator("#no-contract")).to_have_text(f"N{NO_CONTRACT[1:]}.")
        expect(page.locator("#calldata")).to_be_hidden()
        assert refusals(page, OFF_CHAIN) == ["FailedOpening"] * 2
        described = json.loads(server.ask("GET", "/v1/model")[2])
        assert (described["verifiers"], described["no_contract"]) == (["native"], NO_CONTRACT)
        asked = {"image": "07" * 30, "proof": "".join(page.locator("#parts td.hex").all_inner_texts())}
        error = {"kind": "Unavailable", "what": NO_CONTRACT, "where": "the server", "next": "ask for another verifier"}
        for path, more in (("/v1/verify", {"in": "evm"}), ("/v1/calldata", {})):
            status, _, body = server.ask("POST", path, asked | more)
            assert (status, json.loads(body)["error"]) == (422, error)


def identity(claim: Claim, path: Path) -> str:
    """Two inputs, whose difference to each other is that of the outputs; of a threshold the first alone."""
    outputs = 1 if claim.kind is Kind.THRESHOLD else 2
    return committed(path, Model(IntegerNetwork((DenseLayer(np.eye(2, dtype=np.int64)[:outputs], np.zeros(outputs, np.int64)),))), 512, claim, "wide")


def test_a_margin_is_claimed_in_words_and_refused_where_it_is_not_reached(page, noise, tmp_path):
    noise.append("Failed to load resource: the server responded with a status of 422 (Unprocessable Entity)")
    with serving("--workers", "1", model=identity(Claim(Kind.MARGIN, 200), tmp_path / "m.model")) as server:
        opened(page, server.url)
        expect(page.locator("#model")).to_have_text(re.compile("A proof says which class it gives, and that this one leads every other by at least 200.$"))
        page.locator("#raw-bytes").fill("01 ff")
        proven(page, "1, which leads every other class by at least 200", ALL)
        assert page.locator("#answer .answer").inner_text() == "The network says 1, which leads every other class by at least 200."
        assert refusals(page, ALL) == ["FailedOpening", "FailedOpening", "OpeningFailed"]
        page.locator("#raw-bytes").fill("64ff")
        page.locator("#prove").click()
        refused = "cannot prove a margin of 200: for this input another class is closer (input); give another input"
        expect(page.locator("#status")).to_have_text(refused)
        assert json.loads(server.ask("GET", "/v1/health")[2])["status"] == "ok"
        says = "The network committed under model_id, run in exact integers on the input, has its largest output at this class, at least 200 above every other."
        assert json.loads(server.ask("GET", "/v1/model")[2])["says"] == says
        assert json.loads(server.ask("GET", "/openapi.json")[2])["info"]["description"].endswith(says)
        words = page.evaluate("""async () => {
            const { claimOf, inWords } = await import("/claims.js");
            return [["class", 0n, []], ["logits", 0n, [1n]], ["logits", 0n, [7n, -2555n]], ["threshold", -1200n, []]].map(([kind, parameter, outputs]) =>
                [claimOf({ kind, parameter }), inWords({ kind, parameter }, "seven", outputs)]);
        }""")
        public = "A proof says which outputs (logits) it gives, and makes them public."
        assert words == [
            ["A proof says which class it gives.", "seven"], [public, "the output 1"], [public, "seven, with the outputs 7; -2,555"],
            ["A proof says that its output is at least -1,200.", "an output of at least -1,200"],
        ]


@pytest.mark.parametrize(("claim", "image", "digit", "outputs"), [(Claim(Kind.LOGITS), "07ff", 1, [7, 255]), (Claim(Kind.THRESHOLD, 200), "c800", 0, None)])
def test_public_outputs_and_thresholds_are_proven_and_a_changed_input_is_refused(tmp_path, claim, image, digit, outputs):
    with serving("--workers", "1", model=identity(claim, tmp_path / "m.model")) as server:
        made = json.loads(server.ask("POST", "/v1/prove", {"image": image})[2])
        for said in (made, json.loads(server.ask("POST", "/v1/verify", {"image": image, "proof": made["proof"]})[2])):
            assert (said["digit"], said["claim"], said.get("outputs")) == (digit, str(claim), outputs)
        twin = json.loads(server.ask("POST", "/v1/verify", {"image": "ffff", "proof": made["proof"]})[2])
        assert (twin["valid"], twin["kind"]) == (False, "FailedOpening")
        if claim.kind is Kind.THRESHOLD:
            status, _, body = server.ask("POST", "/v1/prove", {"image": "c7ff"})
            assert (status, json.loads(body)["error"]["what"]) == (422, "cannot prove that the output is at least 200: for this input it is less")
