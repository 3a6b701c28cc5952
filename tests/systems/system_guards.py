"""Cutting guards out of the contracts' sources: a guard matters if the attack succeeds without it.

`cut_board` compiles a contract once with a switch at every guard, so that a test needs no compiler run of its own: the mask of
the guards that are off lies in a storage slot that nothing else uses, and `cut(uint256)` sets it. With mask 0 the contract does
what the shipped one does; a test holds it to that.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.compile import SYSTEMS, Settings, compile_sources
from zkpredict.contracts.systems.stories import Guard

_SWITCH = """
/// Whether guard k is off.
function _isCut(uint256 k) view returns (bool off) {
    assembly ("memory-safe") {
        off := and(shr(k, sload(0x%s)), 1)
    }
}
""" % ("c07" * 21 + "c")
_SETTER = """
    function cut(uint256 mask) external {
        assembly ("memory-safe") {
            sstore(0x%s, mask)
        }
    }
}
""" % ("c07" * 21 + "c")


def removed(file: str, text: str, instead: str = "") -> dict[str, str]:
    """The source of `file`, in which `text` must occur once, with `instead` in its place."""
    source = (SYSTEMS / file).read_text(encoding="utf-8")
    assert source.count(text) == 1, f"{file} has {source.count(text)} times {text!r}"
    return {file: source.replace(text, instead)}


def compiled(sources: dict[str, str], name: str) -> Artifact:
    """The contract called `name` of changed sources; what they import and do not hold comes from the shipped ones."""
    return compile_sources(sources, Settings.load(SYSTEMS), SYSTEMS, strict=False)[name]


@cache
def cut_board(name: str, guards: tuple[Guard, ...]) -> Artifact:
    """The shipped contract `name` with a switch at each of `guards`: guard k is off when bit k of `cut(mask)` is set."""
    home = next(path for path in SYSTEMS.glob("*/*.sol") if re.search(rf"^contract {name}\b", path.read_text(), re.MULTILINE))
    file = home.relative_to(SYSTEMS).as_posix()
    sources = {file: home.read_text(encoding="utf-8")}
    for number, guard in enumerate(guards):
        text = sources.get(guard.file) or (SYSTEMS / guard.file).read_text(encoding="utf-8")
        assert text.count(guard.text) == 1, f"{guard.file} has {text.count(guard.text)} times {guard.text!r}"
        sources[guard.file] = text.replace(guard.text, _switched(guard, number))
    for changed in {guard.file for guard in guards}:
        sources[changed] = re.sub(r"\bpure\b", "view", sources[changed])
        if changed != file:
            sources[changed] = sources[changed].replace("pragma solidity 0.8.37;", 'pragma solidity 0.8.37;\nimport {_isCut} from "Cut.sol";', 1)
    sources["Cut.sol"] = "// SPDX-License-Identifier: MIT\npragma solidity 0.8.37;\n" + _SWITCH
    main = sources[file].replace("pragma solidity 0.8.37;", 'pragma solidity 0.8.37;\nimport {_isCut} from "Cut.sol";', 1)
    start = re.search(rf"^contract {name}\b", main, re.MULTILINE).start()
    end = main.index("\n}\n", start)
    sources[file] = main[: end + 1] + _SETTER.lstrip("\n") + main[end + 3 :]
    return compiled(sources, name)


def _switched(guard: Guard, number: int) -> str:
    statement = guard.text.rstrip().endswith((";", "}"))
    if statement:
        return f"if (_isCut({number})) {{ {guard.instead} }} else {{ {guard.text} }}"
    return f"(_isCut({number}) ? {guard.instead} : {guard.text})"


def all_guards(attacks: Sequence) -> tuple[Guard, ...]:
    """Every guard of some attacks once, in order."""
    return tuple(dict.fromkeys(guard for attack in attacks for guard in attack.guards))
