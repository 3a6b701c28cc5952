"""What a wide circuit can claim about a network's output; chosen when the model is committed, and part of the circuit's digest.

| kind        | parameter        | says                                                                    |
|-------------|------------------|-------------------------------------------------------------------------|
| `class`     | 0                | class y has the largest logit, the lowest index among equals            |
| `margin`    | m >= 1           | Z_y - Z_i >= m for every other class i                                  |
| `logits`    | 0                | the logits are these numbers, which become public                       |
| `threshold` | t                | the only output is at least t                                           |
"""

from __future__ import annotations

from enum import IntEnum

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.records import dataclass

PARAMETER_BYTES = 8
LOGIT_BITS = 46
LOGIT_LIMIT = 1 << LOGIT_BITS
"""What the absolute value of a logit stays below."""


class Kind(IntEnum):
    """How an output becomes a claim."""

    CLASS = 0
    MARGIN = 1
    LOGITS = 2
    THRESHOLD = 3

    @property
    def word(self) -> str:
        return self.name.lower()


@dataclass(frozen=True)
class Claim:
    """A kind with its parameter. Raises `UnsupportedNetwork` for a parameter out of range."""

    kind: Kind = Kind.CLASS
    parameter: int = 0

    def __post_init__(self) -> None:
        low, high = {
            Kind.MARGIN: (1, LOGIT_LIMIT - 1),
            Kind.THRESHOLD: (1 - LOGIT_LIMIT, LOGIT_LIMIT - 1),
        }.get(self.kind, (0, 0))
        if not low <= self.parameter <= high:
            raise UnsupportedNetwork(f"the claim {self.kind.word} takes a number in {low}..{high}, got {self.parameter}")

    def __str__(self) -> str:
        return f"{self.kind.word} {self.parameter}" if self.kind in (Kind.MARGIN, Kind.THRESHOLD) else self.kind.word

    @property
    def ranked(self) -> bool:
        """Whether one class is compared with all others."""
        return self.kind in (Kind.CLASS, Kind.MARGIN)

    @property
    def row_sign(self) -> int:
        """By what the rows of the last layer are multiplied before they are committed: ranked claims subtract the logits."""
        return -1 if self.ranked else 1

    def check(self, outputs: int) -> None:
        """Raises `UnsupportedNetwork` for a network with a number of outputs that the claim does not fit."""
        if self.kind is Kind.THRESHOLD and outputs != 1:
            raise UnsupportedNetwork(f"a threshold is for a network with one output, this one has {outputs}")
        if self.ranked and outputs == 1:
            raise UnsupportedNetwork(
                f"the claim {self.kind.word} of a network with one output says nothing: `zkpredict commit --claim threshold=T` proves "
                "that it is at least T, `--claim logits` what it is"
            )


CLASS = Claim()


def parse_claim(text: str) -> Claim:
    """`class`, `logits`, `margin=M` or `threshold=T`. Raises `UnusableInput`."""
    word, _, number = text.partition("=")
    kind = next((kind for kind in Kind if kind.word == word), None)
    takes = kind in (Kind.MARGIN, Kind.THRESHOLD)
    if kind is None or bool(number) != takes or (takes and not _is_int(number)):
        raise UnusableInput(f"'{text}' is no claim: give class, logits, margin=M or threshold=T, with a whole number M or T")
    try:
        return Claim(kind, int(number) if takes else 0)
    except UnsupportedNetwork as error:
        raise UnusableInput(str(error)) from None


def _is_int(text: str) -> bool:
    return text.removeprefix("-").isascii() and text.removeprefix("-").isdecimal()
