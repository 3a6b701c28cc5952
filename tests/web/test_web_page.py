"""The page in a real browser: drawing, keyboard, proving, forging, phone width, tables, dark and light, and nothing from elsewhere."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from playwright.sync_api import Page, expect

from zkpredict.kernel import G1
from zkpredict.tools.load import serving
from zkpredict.verifier import native
from zkpredict.verifier.commitment import ModelCommitment

pytestmark = pytest.mark.node
SEVEN = [(70, 60), (200, 60), (120, 240)]
PLACES = ("browser", "native", "evm")


def opened(page: Page, url: str) -> Page:
    page.goto(url)
    expect(page.locator("html")).to_have_attribute("data-ready", "true")
    return page


def drawn(page: Page, corners: list[tuple[int, int]]) -> None:
    """A stroke on the pad, by mouse."""
    box = page.locator("#pad").bounding_box()
    scale = box["width"] / 280
    points = [(box["x"] + x * scale, box["y"] + y * scale) for x, y in corners]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=12)
    page.mouse.up()
    expect(page.locator("#prove")).to_be_enabled()


def seen(page: Page) -> bytes:
    """The bytes that the page shows as what the network sees, read off its canvas."""
    return bytes(page.evaluate("""() => {
        const canvas = document.getElementById("seen");
        return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i % 4 === 0)];
    }"""))


def proven(page: Page, says: str) -> bytes:
    """Presses prove and waits for all three verifiers; the proof's bytes as the page shows them."""
    page.locator("#prove").click()
    expect(page.locator("#status")).to_have_text(re.compile(rf"^VALID: {says}, \d+ ms after you asked, checked in this browser$"))
    for place in PLACES:
        expect(page.locator(f"#verifiers [data-verifier={place}] .verdict")).to_have_text(f"VALID: {says}")
    return bytes.fromhex("".join(page.locator("#parts td.hex").all_inner_texts()))


def refusals(page: Page) -> list[str]:
    """Forges as the form says; what each verifier refuses with."""
    page.locator("#forge-form button").click()
    verdicts = [page.locator(f"#forge-verdicts [data-verifier={place}] .verdict") for place in PLACES]
    for verdict in verdicts:
        expect(verdict).to_be_visible()
    return [verdict.inner_text().removeprefix("REFUSED: ") for verdict in verdicts]


def test_a_drawn_seven_is_proven_and_valid_everywhere_and_every_forgery_is_refused(page, server, artefacts):
    asked = []
    page.on("request", lambda request: asked.append(request))
    opened(page, server.url)
    drawn(page, SEVEN)
    proof, image = proven(page, "7"), seen(page)
    commitment = ModelCommitment.from_bytes(bytes.fromhex(json.loads(server.ask("GET", "/v1/model")[2])["commitment"]), G1.from_compressed)
    native.verify(commitment, image, native.parse_proof(proof))  # what is shown is what is proven
    assert [request.post_data_json["image"] for request in asked if request.url.endswith("/v1/prove")] == [image.hex()]

    rounds = page.locator("#rounds li")
    assert rounds.count() == 6
    sizes = [int(re.match(r"(\d+) bytes, [\d.]+ ms$", text)[1]) for text in page.locator("#rounds li .quiet").all_inner_texts()]
    assert sum(sizes) == len(proof) - 39
    gas = [int(text.replace(",", "")) for text in page.locator("#verifiers [data-verifier=evm] td.number").all_inner_texts()]
    whole = page.locator("#verifiers [data-verifier=evm] .quiet").inner_text()
    assert whole == f"{sum(gas):,} gas" and sum(gas) > 200_000
    expect(page.locator("#open-costs tbody tr")).to_have_count(3)
    page.screenshot(path=artefacts / "proven.png", full_page=True)

    assert refusals(page) == ["FailedOpening", "FailedOpening", "OpeningFailed"]  # another class
    page.locator("#forge-seen").click(position={"x": 3, "y": 3})
    assert page.locator("#forge-value").input_value() == "255"
    assert refusals(page) == ["FailedOpening", "FailedOpening", "OpeningFailed"]  # another pixel
    page.locator("input[name=what][value=proof]").check()
    assert refusals(page) == ["MalformedProof"] * 3  # the last bit of limb: off the curve, or outside the subgroup
    page.screenshot(path=artefacts / "forged.png", full_page=True)


def test_a_forged_scalar_and_another_model_are_refused_by_name(page, server):
    opened(page, server.url)
    drawn(page, SEVEN)
    proven(page, "7")
    page.locator("input[name=what][value=proof]").check()
    page.locator("#forge-part").select_option("scalar cell")
    assert refusals(page) == ["FailedOpening", "FailedOpening", "OpeningFailed"]
    page.locator("#forge-part").select_option("model id")
    assert refusals(page) == ["WrongStatement"] * 3
    page.locator("#forge-part").select_option("magic")
    assert refusals(page) == ["MalformedProof"] * 3
    page.locator("input[name=what][value=class]").check()
    page.locator("#forge-class").select_option("7")
    page.locator("#forge-form button").click()
    expect(page.locator("#forge-verdicts")).to_have_text("that changes nothing: it is so already")


def test_a_server_that_sends_another_proof_back_is_caught_by_the_browser(page, server):
    """The visitor's bytes are hashed, not the server's: a true proof about another picture is refused."""
    other = json.loads(server.ask("POST", "/v1/prove", {"image": [0] * 784})[2])
    page.route("**/v1/prove", lambda route: route.fulfill(json=other))
    opened(page, server.url)
    drawn(page, SEVEN)
    page.locator("#prove").click()
    expect(page.locator("#status")).to_have_text(re.compile("^REFUSED by this browser: the opening does not match"))
    expect(page.locator("#status")).to_have_class("bad")


def test_another_model_than_the_visitor_pinned_is_not_used(page, server):
    page.goto(f"{server.url}/#model={'0' * 64}")
    expect(page.locator("#model")).to_have_text(f"This server's model is {server.model_id}, you asked for {'0' * 64}.")
    expect(page.locator("#prove")).to_be_disabled()
    page.goto("about:blank")
    opened(page, f"{server.url}/#model={server.model_id}")


def test_by_keyboard_alone_from_the_address_to_valid(page, server):
    opened(page, server.url)
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "pad":
            break
    assert page.evaluate("document.activeElement.id") == "pad"
    for key, count in ((" ", 1), ("ArrowUp", 9), ("ArrowDown", 18), (" ", 1)):
        for _ in range(count):
            page.keyboard.press(key)
    assert page.locator("#pad").get_attribute("aria-label") == "Drawing area. Pen up at column 14, row 23 of 28"
    for _ in range(6):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "prove":
            break
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_have_text(re.compile("^VALID: 1, "))
    page.locator("#rounds summary").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#rounds .sent").first).to_have_text("Sends [limb] [horner] [cell]; then draws alpha, beta.")
    expect(page.locator("#rounds .sent").first).to_be_visible()
    page.locator("#pad").focus()
    page.keyboard.press("Delete")
    expect(page.locator("#prove")).to_be_disabled()


def test_every_control_has_a_name_and_every_section_a_heading(page, server):
    opened(page, server.url)
    drawn(page, SEVEN)
    proven(page, "7")
    nameless = page.evaluate("""() => [...document.querySelectorAll("button, input, select, textarea, canvas, [role=region]")].filter((one) => one.offsetParent !== null)
        .filter((one) => !(one.getAttribute("aria-label") || one.labels?.length || one.textContent.trim())).map((one) => one.outerHTML)""")
    assert nameless == []
    assert page.evaluate("[...document.querySelectorAll('section')].every((one) => document.getElementById(one.getAttribute('aria-labelledby')).textContent)")
    assert page.get_by_role("status").count() >= 1 and page.get_by_role("main").count() == 1


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_at_phone_width_nothing_is_cut_by_touch(browser, server, artefacts, scheme):
    context = browser.new_context(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True, color_scheme=scheme)
    page = context.new_page()
    opened(page, server.url)
    box = page.locator("#pad").bounding_box()
    touch = context.new_cdp_session(page)
    points = [(box["x"] + box["width"] * share, box["y"] + box["height"] * down) for share, down in ((0.5, 0.15), (0.5, 0.4), (0.5, 0.85))]
    for kind, at in zip(("touchStart", "touchMove", "touchMove"), points, strict=True):
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": at[0], "y": at[1]}]})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    expect(page.locator("#prove")).to_be_enabled()
    proven(page, "1")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark == ("rgb(20, 23, 27)" if scheme == "dark" else "rgb(255, 255, 255)")
    page.screenshot(path=artefacts / f"phone-{scheme}.png", full_page=True)
    context.close()


def test_a_table_gets_a_form_in_its_scales_and_class_names_and_no_logits(page, artefacts):
    with serving(model="examples/tables/iris.model") as running:
        opened(page, running.url)
        assert page.locator("#features input").count() == 4
        for number, reading in enumerate(("5.1", "3.5", "1.4", "0.2")):
            page.locator(f"#feature-{number}").fill(reading)
        page.locator("#prove").click()
        expect(page.locator("#status")).to_have_text(re.compile(r"^VALID: setosa \(class 0\), "))
        for place in PLACES:
            expect(page.locator(f"#verifiers [data-verifier={place}] .verdict")).to_have_text("VALID: setosa")
        expect(page.locator("#logits")).to_be_hidden()
        expect(page.locator("#open")).to_be_hidden()
        assert all(re.fullmatch(r"\d+ bytes", text) for text in page.locator("#rounds li .quiet").all_inner_texts())  # no times: they tell of weights
        page.locator("#feature-1").fill("three")
        expect(page.locator("#feature-1-note")).to_have_text('"three" is no number')
        expect(page.locator("#prove")).to_be_disabled()
        page.locator("#feature-1").fill("99")
        expect(page.locator("#feature-1-note")).to_have_text(re.compile("^byte 255, clipped to the scale; scale "))
        page.screenshot(path=artefacts / "table.png", full_page=True)


def test_readings_become_the_bytes_that_python_makes_of_them(page, server, root):
    """Exact decimals in JavaScript and in Python: the same byte for every reading, at ties and beyond both ends too."""
    from fractions import Fraction

    from zkpredict.circuits.files.schema import Feature

    scales = [(-1.5, 2.25), (0.1, 0.3), (4.3, 7.9), (1e-7, 1.0), (-3e21, 5e21), (0.0, 255.0)]
    readings = ["0", "-1.5", "2.25", "0.2", "5.1", "1e-7", "4e20", ".5", "5.", "-7", "127.5", "0.30000000000000004", "254.5", "1E2"]
    page.goto(f"{server.url}/docs")
    found = page.evaluate("""async ([scales, readings]) => {
        const { byteOf } = await import("/features.js");
        return scales.map(([low, high]) => readings.map((text) => Object.values(byteOf(text, { low, high }))));
    }""", [scales, readings])
    expected = []
    for low, high in scales:
        feature = Feature("x", low, high)
        expected.append([[feature.byte(Fraction(text)), not feature.holds(Fraction(text))] for text in readings])
    assert found == expected


def test_every_public_vector_holds_in_the_browser(page, server, root):
    page.route("**/testing/vectors.mjs", lambda route: route.fulfill(path=root / "tests/web/vectors.mjs", content_type="text/javascript"))
    opened(page, server.url)
    content = {path.stem: json.loads(path.read_text()) for path in (root / "vectors").glob("*.json")}
    failed, count = page.evaluate("""async (content) => {
        const { runVectors } = await import("/testing/vectors.mjs");
        const cases = runVectors((name) => content[name]);
        const failed = [];
        for (const { file, kind, number, title, run } of cases) {
            try { run(); } catch (error) { failed.push(`${file} ${kind} ${number} ${title}: ${error.message}`); }
        }
        return [failed, cases.length];
    }""", content)
    assert failed == []
    assert count == sum(len(one["valid"]) + len(one["invalid"]) for one in content.values())


def test_the_page_is_complete_without_any_other_server(page, server):
    """Everything it loads comes from the server; its policy allows nothing else, and its scripts are the ones that ship."""
    urls = []
    page.on("request", lambda request: urls.append(request.url))
    policy = []
    page.on("response", lambda response: policy.append(response.headers.get("content-security-policy", "")))
    opened(page, server.url)
    assert urls and all(url.startswith((server.url, "data:")) for url in urls)
    assert all("default-src 'none'" in one and "unsafe" not in one for one in policy if one)
    for path in ("verifier/index.js", "vendor/@noble/curves/LICENSE"):
        assert server.ask("GET", f"/{path}")[0] == 200


def test_the_api_page_lists_every_route_of_the_document(page, server):
    document = json.loads(server.ask("GET", "/openapi.json")[2])
    page.goto(f"{server.url}/docs")
    expect(page.locator("#routes section")).to_have_count(len(document["paths"]))
    expected = [f"{method.upper()} {path}" for path, methods in document["paths"].items() for method in methods]
    assert page.locator("#routes h2").all_inner_texts() == expected


def test_a_token_opens_the_page_and_a_wrong_one_does_not(page, noise, tmp_path):
    noise += ["Failed to load resource: the server responded with a status of 401 (Unauthorized)"] * 2
    token = tmp_path / "token"
    token.write_text(hashlib.sha256(b"a test").hexdigest())
    with serving("--token-file", str(token)) as running:
        page.goto(running.url)
        expect(page.locator("#door")).to_be_visible()
        page.locator("#token").fill("0" * 64)
        page.locator("#door-form button").click()
        expect(page.locator("#door")).to_be_visible()
        page.locator("#token").fill(token.read_text())
        page.locator("#door-form button").click()
        expect(page.locator("html")).to_have_attribute("data-ready", "true")
        drawn(page, SEVEN)
        proven(page, "7")
