"""docs/security.md stays true: its bits are computed anew, and every line of attacks has a test that exists."""

from __future__ import annotations

import re
from math import log2

import pytest

from zkpredict.circuits.layout import DOMAINS
from zkpredict.prover.setup import G1_POWERS
from zkpredict.verifier.transcript import POINT_CHALLENGE_BITS

LARGEST = DOMAINS[-1]
DEGREE = G1_POWERS - 1
WEIGHT = log2(3) - 256
"""log2 of the chance that a 256-bit hash modulo r hits one given value: three of 2^256 preimages at most."""
BAD_VALUES = {
    "alpha": (255, WEIGHT),
    "beta": (LARGEST + 255 + 2 * LARGEST, WEIGHT),
    "delta": (5, WEIGHT),
    "rho": (DEGREE + LARGEST - 1 + DEGREE, -POINT_CHALLENGE_BITS),
    "nu": (4, WEIGHT),
    "zeta": (DEGREE + 2, WEIGHT),
}


def rows_between(page: str, begin: str) -> list[list[str]]:
    """The cells of a table in the page, without its head."""
    lines = page.partition(f"<!-- {begin} -->")[2].partition("<!-- end -->")[0].strip().splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


@pytest.fixture(scope="module")
def page(root) -> str:
    return (root / "docs" / "security.md").read_text(encoding="utf-8")


def test_the_bits_are_what_they_are_computed_to_be(page):
    table = {name: (int(count), chance) for name, _, count, chance in rows_between(page, "bits")}
    assert table == {
        name: (count, f"2^-{-int(10 * (log2(count) + weight)) / 10}") for name, (count, weight) in BAD_VALUES.items()
    }


def test_each_of_the_twenty_lines_has_its_tests(page, root):
    rows = rows_between(page, "attacks")
    assert [int(row[0]) for row in rows] == list(range(1, 21))
    for number, *_, tests in rows:
        names = re.findall(r"`([^`]+)`", tests)
        assert names[0].startswith(f"test_{int(number):02d}_")
        for name in names:
            assert (root / "tests" / "forgery" / name).exists() or (root / name).exists(), name


def test_no_forgery_test_is_missing_from_the_page(page, root):
    for path in (root / "tests" / "forgery").glob("test_[0-9]*.py"):
        assert path.name in page
