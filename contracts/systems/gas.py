"""Writes `gas.csv` of the systems: what the labelled transactions of every story cost on the embedded chain.

`python -m zkpredict.contracts.systems.gas` plays all stories and writes, `--only NAME` keeps the other stories' rows, `--check`
compares. Gas is that of whole transactions. What is random in them, like a proof, is counted as if no byte of it were zero. Rows
whose label ends in `(as drawn)` depend on what a draw names: they are those of the embedded chain, whose draws repeat.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterable
from pathlib import Path

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.systems import stories
from zkpredict.contracts.systems.stage import Event, Stage, StoryFailed

FILE = Path(__file__).with_name("gas.csv")
_NONZERO_BYTE_GAS = 12
"""What a byte of calldata costs more than a zero byte."""
DRAWN = " (as drawn)"
"""The end of labels of calls that cost more or less with a draw, and so another amount on every chain."""
Row = tuple[str, str, int]
"""Story, label, gas."""


def rows_of(name: str, events: Iterable[Event]) -> list[Row]:
    """The labelled transactions of a story. One label is one row: of several transactions, the dearest."""
    found: dict[str, int] = {}
    for event in events:
        if event.label and event.gas is not None:
            gas = event.gas + _NONZERO_BYTE_GAS * event.zeros
            found[event.label] = max(found.get(event.label, 0), gas)
    return [(name, label, gas) for label, gas in found.items()]


def without_draws(rows: Iterable[Row]) -> list[tuple[str, str, int | None]]:
    """The rows with no amount where it depends on a draw: what is the same on every chain."""
    return [(name, label, None if label.endswith(DRAWN) else gas) for name, label, gas in rows]


def measure(name: str) -> list[Row]:
    """Plays a story on a fresh embedded chain; its rows. Raises `StoryFailed`."""
    module = stories.story(name)
    stage = Stage(EmbeddedChain(), module.CAST)
    stories.play(module, stage)
    return rows_of(name, stage.events)


def written() -> list[Row]:
    """The rows of `gas.csv`."""
    text = read_file(FILE, "gas report").decode()
    return [(row["story"], row["label"], int(row["gas"])) for row in csv.DictReader(io.StringIO(text))]


def to_csv(rows: Iterable[Row]) -> str:
    """The report as text, stories in alphabetical order, a story's rows as they happened."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("story", "label", "gas"))
    ordered: list[Row] = sorted(rows, key=lambda row: row[0])
    writer.writerows(ordered)
    return text.getvalue()


def main(argv: list[str] | None = None) -> int:
    """0 when written or current, 1 when `--check` finds a difference, 2 when a story cannot be played."""
    parser = argparse.ArgumentParser(prog="python -m zkpredict.contracts.systems.gas", description="Measure what the systems cost.")
    parser.add_argument("--check", action="store_true", help="compare with gas.csv instead of writing it")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="play these stories only")
    arguments = parser.parse_args(argv)
    try:
        names = arguments.only or list(stories.STORIES)
        rows = [row for name in names for row in measure(name)]
        kept = [row for row in written() if row[0] not in names and row[0] in stories.STORIES]
        text = to_csv([*kept, *rows])
        if arguments.check:
            current = read_file(FILE, "gas report").decode() == text
            print("gas.csv is current" if current else text)
            return 0 if current else 1
        write_atomically(FILE, text.encode())
        print(text, end="")
    except (UnusableInput, StoryFailed) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
