"""A real Chromium for the tests: the one that npm brings, pinned in package.json, unpacked once into build/.

No download of its own, no root, no browser of the machine: the same binary everywhere. What is missing is said with what to type.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from zkpredict.circuits.files.storage import one_at_a_time
from zkpredict.tools.load import PATIENCE

PACKAGE = Path("node_modules/@sparticuz/chromium")
_UNPACK = """
const [from, to] = process.argv.slice(1);
const { brotliDecompressSync } = require("node:zlib");
const { readFileSync, writeFileSync, mkdirSync } = require("node:fs");
mkdirSync(to, { recursive: true });
writeFileSync(`${to}/chromium`, brotliDecompressSync(readFileSync(`${from}/bin/chromium.br`)), { mode: 0o755 });
for (const name of ["al2023", "fonts", "swiftshader"]) writeFileSync(`${to}/${name}.tar`, brotliDecompressSync(readFileSync(`${from}/bin/${name}.tar.br`)));
"""
_FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig><dir>{folder}/fonts</dir><cachedir>{folder}/fonts-cache</cachedir></fontconfig>
"""
"""The fonts that come with the browser, so that screenshots look alike on every machine."""


def unpacked(root: Path) -> Path:
    """The folder with the browser and the libraries that come with it. Raises `RuntimeError` before `npm ci`."""
    package = root / PACKAGE
    if not (package / "package.json").exists():
        raise RuntimeError(f"the browser tests need the Chromium in {PACKAGE}: run `npm ci --ignore-scripts`")
    folder = root / "build" / f"chromium-{json.loads((package / 'package.json').read_text())['version']}"
    folder.parent.mkdir(exist_ok=True)
    with one_at_a_time(str(folder)):
        if not (folder / "complete").exists():
            subprocess.run(["node", "-e", _UNPACK, str(package), str(folder)], check=True, timeout=PATIENCE)
            for name in ("al2023", "fonts", "swiftshader"):
                subprocess.run(["tar", "-xf", f"{name}.tar"], cwd=folder, check=True, timeout=PATIENCE)
            (folder / "fonts.conf").write_text(_FONTS.format(folder=folder))
            (folder / "complete").touch()
    return folder


@contextmanager
def chromium(root: Path) -> Iterator[Browser]:
    """A headless browser."""
    folder = unpacked(root)
    surroundings = {**os.environ, "LD_LIBRARY_PATH": str(folder / "lib"), "FONTCONFIG_FILE": str(folder / "fonts.conf")}
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=str(folder / "chromium"), env=surroundings, timeout=1000 * PATIENCE, args=["--no-sandbox", "--disable-gpu", "--no-zygote"])
        try:
            yield browser
        finally:
            browser.close()
