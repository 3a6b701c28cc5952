"""Solidity source of `TestSets`, the registry of test sets for all circuits: its template, the loop over an input's bytes that verifiers
have, and their last opening."""

from __future__ import annotations

import re
from string import Template

from zkpredict.circuits.batch.interleaving import MOST_TOGETHER
from zkpredict.circuits.layout import MAX_DEGREE
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.memory import WORD_BYTES, MemoryMap
from zkpredict.contracts.verifier.pieces import SOURCES, indented, opens
from zkpredict.contracts.verifier.pixels import any_pixel_lines
from zkpredict.verifier.testset import INPUTS_LABEL, REGISTERED_LABEL

TEST_SETS = "TestSets"
_WORDS = (
    "ORDER", "COUNT", "INPUT_BYTES", "PER_POINT", "POINTS", "IMAGES_AT", "LABELS_AT", "POINTS_AT", "OPENING_AT",
    "VALUES", "BUFFER", "INPUTS_HASH", "INPUT_START", "INPUT", "U", "ZETA", "VALUE", "LIFT", "INVERSE", "INVERSE_2", "INVERSE_4", "INVERSE_8", "INVERSE_16",
    "INVERSE_32",
)  # fmt: skip


def test_sets_source() -> str:
    """The Solidity file. It imports `ITestSets.sol`."""
    memory = MemoryMap()
    memory.area("STATE", 192)
    for name in _WORDS:
        memory.word(name)
    memory.area("SUM", 128)
    memory.at("MSM", memory.end)
    opening = re.sub(r"\bFINAL_AT\b", "mload(OPENING_AT)", opens(FinalCheck.POINT_EVALUATION))
    return Template((SOURCES / f"{TEST_SETS}.sol.template").read_text(encoding="utf-8")).substitute(
        coefficients=str(MAX_DEGREE + 1),
        label=REGISTERED_LABEL.decode(),
        label_word=f"0x{REGISTERED_LABEL.ljust(WORD_BYTES, bytes(1)).hex()}",
        label_bytes=str(len(REGISTERED_LABEL)),
        inputs_label=INPUTS_LABEL.decode(),
        inputs_label_word=f"0x{INPUTS_LABEL.ljust(WORD_BYTES, bytes(1)).hex()}",
        inputs_label_bytes=str(len(INPUTS_LABEL)),
        together=str(MOST_TOGETHER),
        memory=memory.constants("    "),
        pixels=indented(any_pixel_lines("mload(INPUT_START)", "mload(INPUT_BYTES)", point="INVERSE", any_point=True)),
        opens=opening,
    )
