"""Runs many claims through a real interpreter and counts what it accepts, refuses and takes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median

import numpy as np

from zkpredict.contracts.bitcoin.compiler import claim
from zkpredict.contracts.bitcoin.interpreters import Interpreter, SpendRefused
from zkpredict.contracts.bitcoin.transaction import Input, Outpoint, Output, Transaction

_ANY_OUTPOINT = Outpoint("00" * 32, 0)
_AMOUNT = 1_000


@dataclass(frozen=True)
class Tally:
    """How many claims were run, how many of them accepted, and the milliseconds a claim took: the median by the clock, and
    the mean of this process's own processor time, which other work on the machine disturbs less."""

    claims: int
    accepted: int
    clock_milliseconds: float
    processor_milliseconds: float


def claim_transaction(image: np.ndarray, digit: int) -> Transaction:
    """A transaction whose only input claims `digit` for `image`."""
    return Transaction((Input(_ANY_OUTPOINT, claim(image, digit)),), ())


def refusal(interpreter: Interpreter, lock: bytes, image: np.ndarray, digit: int) -> str | None:
    """Why `interpreter` refuses the claim, or None when it accepts it."""
    try:
        interpreter.check(claim_transaction(image, digit), 0, Output(_AMOUNT, lock))
    except SpendRefused as error:
        return str(error)
    return None


def tally(
    interpreter: Interpreter, lock: bytes, claims: Iterable[tuple[np.ndarray, int]],
    advance: Callable[[int], None] = lambda count: None,
) -> Tally:
    """Runs every (image, digit) claim."""
    accepted, clock = 0, []
    processor_start = time.process_time()
    for image, digit in claims:
        start = time.perf_counter()
        accepted += refusal(interpreter, lock, image, digit) is None
        clock.append(time.perf_counter() - start)
        advance(1)
    processor = time.process_time() - processor_start
    return Tally(len(clock), accepted, 1000 * median(clock), 1000 * processor / len(clock))


def wrong_claims(images: np.ndarray, digits: np.ndarray, classes: int, count: int) -> list[tuple[np.ndarray, int]]:
    """`count` claims of a class the network does not give, going round through images and through all other classes."""
    return [
        (images[number % len(images)], (int(digits[number % len(images)]) + 1 + number % (classes - 1)) % classes)
        for number in range(count)
    ]
