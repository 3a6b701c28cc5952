"""Rows, their CSV, and what counts as worse."""

from __future__ import annotations

from dataclasses import replace

import pytest
from support import refuses

from zkpredict.benchmarks.results import Row, from_csv, merged, to_csv, worse
from zkpredict.benchmarks.tables import figure, markdown, show
from zkpredict.circuits.errors import MalformedFile

TIME = Row.of("net", "zkpredict", "prove_seconds", "s", [0.4, 0.2, 0.3])
GAS = Row.of("net", "zkpredict", "verify_gas", "gas", [250_000])
SHARE = Row.of("net", "zkpredict", "accuracy", "share", [0.97])
ABSENT = Row("net", "snarkjs", "prove_seconds", "s", note="absent: zkpredict bench --install-peers snarkjs")


def test_a_row_is_median_and_extremes():
    assert (TIME.median, TIME.low, TIME.high, TIME.runs) == (0.3, 0.2, 0.4, 3)


def test_csv_and_back():
    rows = [TIME, GAS, SHARE, ABSENT, Row("", "run", "load before", note='8.8, "two" cores')]
    assert from_csv(to_csv(rows)) == rows


def test_an_absent_figure_is_empty_and_no_zero():
    assert to_csv([ABSENT]).splitlines()[1] == "net,snarkjs,prove_seconds,s,,,,0,absent: zkpredict bench --install-peers snarkjs"


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda t: t.replace("network,", "net,", 1), "r: the first line must be network,system,measure,unit,median,low,high,runs,note"),
        (lambda t: t + "a,b\n", "r: line 3 has 2 fields, expected 9"),
        (lambda t: t.replace(",s,", ",ms,"), "r: line 2: unit 'ms' is not one of 's', 'cpu s', 'bytes', 'gas', 'ratio', 'share', 'count', ''"),
        (lambda t: t.replace("0.3,0.2", "x,0.2"), "r: line 2: x,0.2,0.4,3 are no figures"),
    ],
)
def test_a_broken_csv_is_refused(change, message):
    with refuses(MalformedFile, message):
        from_csv(change(to_csv([TIME])), "r")


def test_a_run_replaces_its_own_networks_only():
    other, again = Row.of("other", "zkpredict", "prove_seconds", "s", [1.0]), Row.of(*TIME.key, "s", [0.5])
    assert merged([again], [other, TIME, GAS]) == [other, again]


def test_slower_by_more_than_the_spread_is_flagged_and_by_less_is_not():
    slower = Row.of(*TIME.key, "s", [0.41, 0.5, 0.6])
    assert [str(change) for change in worse([slower], [TIME])] == [
        "slower: net, zkpredict, prove_seconds: 0.3 before, 0.5 now seconds"
    ]
    assert worse([replace(slower, low=0.4)], [TIME]) == []
    assert worse([TIME], [slower]) == []


def test_any_growth_of_an_exact_figure_is_flagged():
    dearer = Row.of(*GAS.key, "gas", [250_001])
    assert [str(change) for change in worse([dearer], [GAS])] == [
        "dearer: net, zkpredict, verify_gas: 250000 before, 250001 now gas"
    ]
    assert worse([GAS], [dearer]) == worse([GAS], [GAS]) == []


def test_less_accuracy_is_worse():
    less = Row.of(*SHARE.key, "share", [0.96])
    assert [str(change)[:13] for change in worse([less], [SHARE])] == ["less accurate"]
    assert worse([SHARE], [less]) == []


def test_what_either_run_lacks_is_not_compared():
    measured = Row.of(*ABSENT.key, "s", [9.0])
    assert worse([ABSENT], [measured]) == worse([measured], [ABSENT]) == worse([measured], []) == []


@pytest.mark.parametrize(
    "value, unit, text",
    [
        (0.0123, "s", "12.3 ms"), (19.69, "s", "19.7 s"), (1234.0, "s", "1,234 s"), (583, "bytes", "583 B"), (66_823, "bytes", "66,823 B"),
        (138_479_371, "bytes", "138 MB"), (249_106, "gas", "249,106"), (19.69, "ratio", "19.7 ×"), (0.9798, "share", "97.98%"),
    ],
)  # fmt: skip
def test_figures_for_people(value, unit, text):
    assert show(value, unit) == text


def test_a_missing_figure_is_a_dash_and_the_page_says_why():
    assert figure(None) == figure(ABSENT) == "–"
    page = markdown([TIME, GAS, ABSENT])
    assert "- snarkjs Groth16, pixels public: absent: zkpredict bench --install-peers snarkjs" in page
    assert "| zkpredict | 300 ms (200 ms to 400 ms) |" in page
