"""Copies what the page's verifier stands on from npm into the page, byte for byte: the modules of `@noble/curves` and
`@noble/hashes` that `bls12-381.js` and `sha3.js` import, and both licences.

    python -m zkpredict.tools.vendor [--check]

The page maps the packages' names to these files (an import map), so nothing is bundled, rewritten or minified.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHIPPED = Path("cli/serve/page/vendor")
ENTRIES = ("@noble/curves/bls12-381.js", "@noble/hashes/sha3.js")
LICENCES = ("@noble/curves/LICENSE", "@noble/hashes/LICENSE")
_IMPORT = re.compile(r"""^(?:import|export)\b[^'";]*from\s*['"]([^'"]+)['"]""", re.M)


def files(root: Path) -> dict[str, bytes]:
    """The bytes of every file to ship by its path below `SHIPPED`, from node_modules. Raises `FileNotFoundError` before `npm ci`."""
    found: dict[str, bytes] = {name: (root / "node_modules" / name).read_bytes() for name in LICENCES}
    left = list(ENTRIES)
    while left:
        name = left.pop()
        if name in found:
            continue
        found[name] = (root / "node_modules" / name).read_bytes()
        for imported in _IMPORT.findall(found[name].decode()):
            left.append(posixpath.normpath(posixpath.join(posixpath.dirname(name), imported)) if imported.startswith(".") else imported)
    return found


def differences(wanted: dict[str, bytes], folder: Path) -> list[str]:
    """Names of files in `folder` that are not as `wanted`, missing or too many."""
    present = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    return sorted(name for name in wanted.keys() | present.keys() if wanted.get(name) != present.get(name))


def stale(root: Path) -> list[str]:
    """Names of shipped files that are not those of the pinned packages."""
    return differences(files(root), root / SHIPPED)


def write(wanted: dict[str, bytes], folder: Path) -> None:
    """Writes all files below `folder`."""
    for name, data in wanted.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)


def main() -> int:
    if "--check" in sys.argv[1:]:
        found = stale(ROOT)
        print("\n".join(f"{name}: not as in the pinned package" for name in found) or "current")
        return int(bool(found))
    wanted = files(ROOT)
    for name in differences(wanted, ROOT / SHIPPED):
        if name not in wanted:
            (ROOT / SHIPPED / name).unlink()
    write(wanted, ROOT / SHIPPED)
    print(f"{len(wanted)} files, {sum(map(len, wanted.values()))} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
