"""Labelled samples of any kind for `report` and `quantize`: images as bytes, or rows of a table as readings and as bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cached_property
from pathlib import Path

import numpy as np

from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.tables import SUFFIXES, Table, read_table


@dataclass(frozen=True, eq=False)
class Rows:
    """Rows of a table: `readings` float64 [rows, features], as the original model is fed; `flat` uint8 [rows, features], as the integer
    network is; `labels` int64 [rows] or None; `clipped`: rows with a reading beyond its scale."""

    readings: np.ndarray = field(repr=False)
    flat: np.ndarray = field(repr=False)
    labels: np.ndarray | None = field(repr=False)
    clipped: int = 0
    noun = "rows"

    def __len__(self) -> int:
        return len(self.flat)

    @property
    def classes(self) -> int:
        """One more than the largest label."""
        return 0 if self.labels is None else int(self.labels.max()) + 1


def is_table(path: str | Path) -> bool:
    """Whether `path` names a table rather than a folder of idx files."""
    return Path(path).suffix.lower() in SUFFIXES and not Path(path).is_dir()


@dataclass(frozen=True, eq=False)
class Readings:
    """A table split into features and labels, before anything is scaled."""

    table: Table
    columns: list[int]
    label: int | None

    @classmethod
    def read(cls, path: str | Path, schema: Schema, inputs: int, label: str | None) -> Readings:
        """The table at `path`. `label`: the column of labels; by default the one that is left when the features are named.

        Raises `UnusableInput` saying which column is missing or too many.
        """
        table = read_table(path)
        if label is None and table.columns and len(table.columns) == inputs + 1:
            names = {feature.name for feature in schema.features}
            left = [name for name in table.columns if name not in names]
            label = left[0] if len(left) == 1 else table.columns[-1]
        column = None if label is None else table.column(label)
        return cls(table, table.feature_columns(schema, inputs, [label] if label is not None else ()), column)

    @property
    def names(self) -> list[str]:
        """The names of the features, as the table has them; empty when it has none."""
        return [self.table.columns[column] for column in self.columns] if self.table.columns else []

    def numbers(self) -> np.ndarray:
        """The readings, float64 [rows, features]."""
        return np.array([[float(value) for value in readings] for readings in self.exact])

    @cached_property
    def exact(self) -> list[list[Fraction]]:
        """The readings as written. Raises `UnusableInput` where one is no number."""
        return [self.table.readings(row, self.columns) for row in range(len(self.table))]

    def rows(self, schema: Schema, classes: Sequence[str]) -> Rows:
        """Every row in bytes, and its label as a class number. Raises `UnusableInput` where a cell cannot be used."""
        inputs = len(self.columns)
        flat, clipped = np.empty((len(self.table), inputs), np.uint8), 0
        for row, readings in enumerate(self.exact):
            encoded, beyond = schema.encode(readings, inputs)
            flat[row] = np.frombuffer(encoded, np.uint8)
            clipped += bool(beyond)
        labels = None if self.label is None else np.array([self.table.class_at(row, self.label, classes) for row in range(len(self.table))])
        return Rows(self.numbers(), flat, labels, clipped)
