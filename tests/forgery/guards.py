"""Taking one guard away, on the prover's and on the verifiers' side: a guard matters if the forgery passes without it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from zkpredict.circuits import constraints as system
from zkpredict.circuits import linear, placement
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.layout import Circuit
from zkpredict.verifier import messages


@contextmanager
def replaced(original: Any, replacement: Any) -> Iterator[None]:
    """Every module of the package that holds `original` holds `replacement` instead."""
    holders = [
        (module, name)
        for key, module in list(sys.modules.items())
        if key.split(".")[0] == "zkpredict"
        for name, value in list(vars(module).items())
        if value is original
    ]
    assert holders
    with pytest.MonkeyPatch.context() as patch:
        for module, name in holders:
            patch.setattr(module, name, replacement)
        yield


@contextmanager
def rewritten_constraints(rewrite: Callable[[Circuit, tuple[Constraint, ...]], tuple[Constraint, ...]]) -> Iterator[None]:
    """Prover and verifiers use `rewrite(circuit, constraints)`."""
    original = system.constraints
    with replaced(original, lambda circuit: rewrite(circuit, original(circuit))):
        yield


def unchecked_parts():
    """A proof may have any points and scalars: nobody looks at infinity or at the field order."""
    return replaced(messages.check_parts, lambda points, scalars: None)


@contextmanager
def without_constraint(*names: str) -> Iterator[None]:
    """The named constraints say nothing: they hold whatever the cells are. The columns they read are still there."""

    def nothing(_, found):
        return tuple(Constraint(c.name, 0 * c.expression) if c.name in names else c for c in found)

    with rewritten_constraints(nothing):
        yield


@contextmanager
def rewritten_selectors(rewrite: Callable[[Circuit, int, dict[str, Periodic]], dict[str, Periodic]]) -> Iterator[None]:
    """Prover and native verifier use `rewrite(circuit, alpha, selectors)` as their selectors."""
    original = system.selectors
    with replaced(original, lambda circuit, alpha: rewrite(circuit, alpha, original(circuit, alpha))):
        yield


@contextmanager
def with_public(name: str, rows: Callable[[Circuit, int], dict[int, int]]) -> Iterator[None]:
    """A further public polynomial of prover and native verifier, by its values `rows(circuit, alpha)` on the domain."""
    with rewritten_selectors(lambda circuit, alpha, found: found | {name: Periodic(circuit.domain, rows(circuit, alpha))}):
        yield


def _forget() -> None:
    """What was derived from circuits is derived anew."""
    linear.equations.cache_clear()
    placement.placed.cache_clear()


@contextmanager
def replaced_property(owner: type, name: str, value: Any) -> Iterator[None]:
    """A property of a class is this constant."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, name, property(lambda _: value))
        _forget()
        yield
    _forget()
