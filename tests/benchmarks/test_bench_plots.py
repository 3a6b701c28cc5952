"""Plots: one for each kind of figure and network, twice the same, readable without colour."""

from __future__ import annotations

import re

from zkpredict.benchmarks.plots import draw
from zkpredict.benchmarks.results import Row


def _rows() -> list[Row]:
    found = []
    for network, weights, scale in (("a", 100, 1), ("b", 1000, 7)):
        found.append(Row.of(network, "network", "weights", "count", [weights]))
        found += [Row.of(network, "zkpredict", "prove_seconds", "s", [0.2 * scale]), Row.of(network, "snarkjs", "prove_seconds", "s", [4 * scale])]
    return [*found, Row("a", "ezkl-private", "prove_seconds", "s", note="absent"), Row.of("a", "zkpredict", "verify_gas", "gas", [249_106])]


def test_plots_of_what_was_measured_and_no_others(tmp_path):
    written = draw(_rows(), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        f"{stem}.{kind}" for stem in ("proving-a", "proving-b", "gas-a", "scaling-weights") for kind in ("svg", "png")
    )
    assert sorted(written) == sorted(tmp_path.iterdir()) and all(path.stat().st_size > 3000 for path in written)


def test_the_same_rows_draw_the_same_file_in_black_and_white(tmp_path):
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        draw(_rows(), tmp_path / name)
    first, second = ((tmp_path / name / "proving-a.svg").read_text() for name in ("one", "two"))
    assert first == second
    assert set(re.findall(r"#[0-9a-f]{6}", first)) <= {"#000000", "#ffffff"}
