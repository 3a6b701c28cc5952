"""The page's files, read once: what is not in this list cannot be asked for. No path of a request ever reaches the file system."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".md": "text/plain; charset=utf-8",
    ".ts": "text/plain; charset=utf-8",
    ".json": "application/json",
    "": "text/plain; charset=utf-8",
}
_INLINE = re.compile(r'<script type="importmap">(.*?)</script>', re.DOTALL)


@dataclass(frozen=True)
class Asset:
    data: bytes
    type: str
    tag: str
    policy: str | None = None


def assets() -> dict[str, Asset]:
    """Every file by the path it is served at: the page at /, the verifier below /verifier/, what it stands on below /vendor/."""
    page = files("zkpredict.cli.serve") / "page"
    found = dict(_below(page, ""))
    found |= dict(_below(files("zkpredict.verifier") / "javascript", "/verifier"))
    for path, document in (("/index.html", "/"), ("/docs.html", "/docs")):
        found[document] = found.pop(path)
    return found


def _below(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    listed: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        path = f"{prefix}/{entry.name}"
        if entry.is_dir():
            listed += _below(entry, path)
        elif (kind := TYPES.get(_suffix(entry.name))) is not None:
            listed.append((path, _asset(entry.read_bytes(), kind)))
    return listed


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2]}" if "." in name else ""


def _asset(data: bytes, kind: str) -> Asset:
    tag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    return Asset(data, kind, tag, policy(data.decode()) if kind.startswith("text/html") else None)


def policy(document: str = "") -> str:
    """The content security policy of a document: its own files alone, and of inline text only its import map, by hash."""
    maps = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in _INLINE.findall(document)]
    scripts = " ".join(["'self'", *(f"'sha256-{one}'" for one in maps)])
    return (
        f"default-src 'none'; script-src {scripts}; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
