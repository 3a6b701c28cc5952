"""What commands call inputs and answers: "image" and "digit" where a model says nothing else, "input" and "class" where it does."""

from __future__ import annotations

import argparse

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.records import dataclass
from zkpredict.cli.statement import image_name


@dataclass(frozen=True)
class Words:
    """The words for a model with this schema."""

    schema: Schema

    @property
    def input(self) -> str:
        return "image" if not self.schema.features else "input"

    @property
    def answer(self) -> str:
        return "class" if self.schema else "digit"

    def said(self, number: int) -> str:
        """An answer as people read it: 7, or virginica (class 2)."""
        name = self.schema.class_name(number)
        return str(number) if name is None else f"{name} (class {number})"

    def answered(self, number: int) -> dict:
        """The same for machines; `digit` is there for every model."""
        return {"digit": number} | ({"class": number, "class_name": self.schema.class_name(number)} if self.schema else {})

    def facts(self, number: int, data: bytes) -> dict:
        """The same, and the hash of the proven bytes; `image_sha256` is there for every model."""
        return self.answered(number) | {"image_sha256": image_name(data)} | ({"input_sha256": image_name(data)} if self.schema else {})


def add_class_options(parser: argparse.ArgumentParser, what: str) -> None:
    """Adds `--digit` and `--class`; `what` is what happens for any other answer."""
    answer = parser.add_mutually_exclusive_group()
    answer.add_argument("--digit", type=int, metavar="D", help=f"{what} D")
    answer.add_argument("--class", dest="class_name", metavar="NAME", help="the same, by the class's name")


def wanted_class(arguments: argparse.Namespace, schema: Schema) -> int | None:
    """The number of the class that `--digit` or `--class` names; None for neither. Raises `UnusableInput`."""
    if arguments.class_name is None:
        return arguments.digit
    try:
        return schema.class_number(arguments.class_name)
    except UnusableInput as error:
        raise UnusableInput(f"--class: {error}") from None
