"""Real servers, on free ports of the loopback address, and a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import chromium
from playwright.sync_api import Browser, Page, expect

from zkpredict.tools.load import PATIENCE, Running, serving

expect.set_options(timeout=1000 * PATIENCE)


@pytest.fixture(scope="module")
def server(root) -> Iterator[Running]:
    """The shipped network, open."""
    with serving("--open", ) as running:
        yield running


@pytest.fixture(scope="module")
def browser(root) -> Iterator[Browser]:
    with chromium(root) as found:
        yield found


@pytest.fixture
def noise() -> list[str]:
    """What a test expects in the console of its page; nothing by default."""
    return []


@pytest.fixture
def page(browser, noise) -> Iterator[Page]:
    """A page that may talk to its server alone; anything else in its console, and any error, fails the test."""
    context = browser.new_context(viewport={"width": 1000, "height": 800})
    context.route("**/*", lambda route: route.continue_() if route.request.url.startswith("http://127.0.0.1:") else route.abort())
    found, said = context.new_page(), []
    found.set_default_timeout(1000 * PATIENCE)
    found.on("console", lambda message: said.append(message.text))
    found.on("pageerror", lambda error: said.append(str(error)))
    yield found
    context.close()
    assert said == noise


@pytest.fixture(scope="session")
def artefacts(root) -> Path:
    """Where screenshots are kept for people to look at."""
    folder = root / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder
