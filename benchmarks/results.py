"""Results as rows, the CSV they are kept in, and what has become slower, larger or dearer since another CSV."""

from __future__ import annotations

import csv
import io
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields

from zkpredict.circuits.errors import MalformedFile

RUN = "run"
"""The system of rows that say what the run was made on: machine, versions, commit, load."""
UNITS = {
    "s": "seconds", "cpu s": "processor seconds", "bytes": "bytes", "gas": "gas", "ratio": "times ours", "share": "share",
    "count": "count", "": "text",
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One figure. `median`, `low` and `high` over `runs` are None when there is no figure: `note` then says why, or is the text."""

    network: str
    system: str
    measure: str
    unit: str = ""
    median: float | None = None
    low: float | None = None
    high: float | None = None
    runs: int = 0
    note: str = ""

    @property
    def key(self) -> tuple[str, str, str]:
        return self.network, self.system, self.measure

    @classmethod
    def of(cls, network: str, system: str, measure: str, unit: str, values: Sequence[float], note: str = "") -> Row:
        """Median and extremes of at least one value."""
        return cls(network, system, measure, unit, statistics.median(values), min(values), max(values), len(values), note)


def to_csv(rows: Iterable[Row]) -> str:
    """A line a row, the names of the fields first; figures as short as they can be read back."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Row))
    for row in rows:
        writer.writerow("" if value is None else f"{value:.6g}" if isinstance(value, float) else value for value in astuple(row))
    return text.getvalue()


def from_csv(text: str, what: str = "results") -> list[Row]:
    """Parses what `to_csv` wrote. Raises `MalformedFile` with the line."""
    reader = csv.reader(io.StringIO(text))
    names = [field.name for field in fields(Row)]
    if next(reader, None) != names:
        raise MalformedFile(f"{what}: the first line must be {','.join(names)}")
    found = []
    for number, line in enumerate(reader, 2):
        if len(line) != len(names):
            raise MalformedFile(f"{what}: line {number} has {len(line)} fields, expected {len(names)}")
        network, system, measure, unit, *figures, runs, note = line
        if unit not in UNITS:
            raise MalformedFile(f"{what}: line {number}: unit {unit!r} is not one of {', '.join(map(repr, UNITS))}")
        try:
            numbers = [float(figure) if figure else None for figure in figures]
            found.append(Row(network, system, measure, unit, *numbers, int(runs), note))
        except ValueError:
            raise MalformedFile(f"{what}: line {number}: {','.join(line[4:8])} are no figures") from None
    return found


def merged(rows: Sequence[Row], before: Iterable[Row]) -> list[Row]:
    """`rows`, behind those of `before` whose networks were not run again."""
    again = {row.network for row in rows}
    return [*(row for row in before if row.network not in again), *rows]


@dataclass(frozen=True)
class Change:
    """A figure that got worse by more than the spread of both runs."""

    row: Row
    before: Row

    def __str__(self) -> str:
        word = {"s": "slower", "cpu s": "slower", "gas": "dearer", "share": "less accurate"}.get(self.row.unit, "larger")
        return (
            f"{word}: {self.row.network}, {self.row.system}, {self.row.measure}: "
            f"{self.before.median:.6g} before, {self.row.median:.6g} now {UNITS[self.row.unit]}"
        )


def worse(rows: Iterable[Row], before: Iterable[Row]) -> list[Change]:
    """What got worse: its best now is beyond its worst before. Exact figures (bytes, gas) have no spread: any growth counts.

    Figures that either run lacks are not compared; a ratio follows from others and is not either.
    """
    known = {row.key: row for row in before if row.median is not None}
    found = []
    for row in rows:
        old = known.get(row.key)
        if row.median is None or old is None or row.unit in ("ratio", "count", ""):
            continue
        if row.high < old.low if row.unit == "share" else row.low > old.high:
            found.append(Change(row, old))
    return found
