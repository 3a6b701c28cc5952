"""Values between the layers of a model that is being folded: what layers hand on, and layers that still lack their activation.

    Handed   scale(sum over layers l of factor_l * a_l), behind it perhaps a pool, then padding       a_l: what layer l hands on
    Draft    sum over parts p of W_p * windows_p(sum of layers of p) + bias                           then perhaps max pools, then ReLU

A sum of two Handed is a Handed: whoever reads it reads all its layers. A sum with a Draft in it is a Draft, in which a Handed has
kernels of one position.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import numpy as np

from zkpredict.circuits.networks.convolution import Grid
from zkpredict.training.importers.steps import End, Linear, MaxPool, Pad, Pool, Scale

ONE = np.ones(())


@dataclass(frozen=True, eq=False)
class Handed:
    """`factors`: by the number of a layer, float [] or [size]; `shape`: rows, columns and channels of a map, or how many numbers, none for
    the model's input; `name`: of the step that gave it."""

    name: str
    factors: dict[int, np.ndarray] = field(repr=False)
    shape: tuple[int, ...]
    scale: Scale | None = None
    pool: Pool | None = None
    pad: Pad | None = None

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    @property
    def given(self) -> tuple[int, ...]:
        """Its shape behind the pool."""
        if self.pool is None or len(self.shape) != 3:
            return self.shape
        height, width, channels = self.shape
        return height // self.pool.size[0], width // self.pool.size[1], channels

    def groups(self, slopes: dict[int, float]) -> list[tuple[tuple[int, ...], np.ndarray]]:
        """Layers whose numbers are scaled alike, in ascending order, and that factor. `slopes`: of the leaky ones, which others are not added to."""
        found: dict[tuple[bytes, float], tuple[list[int], np.ndarray]] = {}
        for source, factor in sorted(self.factors.items()):
            key = np.broadcast_to(factor, self.shape and (self.size,)).tobytes(), slopes.get(source, 0.0)
            found.setdefault(key, ([], factor))[0].append(source)
        return [(tuple(sources), factor) for sources, factor in found.values()]

    def plus(self, other: Handed, name: str) -> Handed:
        """The sum of both, which have one shape and neither pool nor padding."""
        factors: dict[int, np.ndarray] = {}
        offset = np.zeros(())
        for value in (self, other):
            scale = value.scale or Scale("", ONE, np.zeros(()))
            for source, factor in value.factors.items():
                factors[source] = factors.get(source, np.zeros(())) + factor * scale.factor
            offset = offset + scale.offset
        return Handed(name, factors, self.shape, Scale(name, ONE, offset) if offset.any() else None)

    def as_kernel(self, name: str) -> Linear:
        """The step that gives the same map: each channel by a kernel of one position."""
        height, width, channels = self.given
        return Linear(name, np.eye(channels), np.zeros(channels), Grid(height, width, channels, 1, 1))


@dataclass(frozen=True, eq=False)
class Part:
    """`weights` float [channels, taps] over the sum of what `sources` hand on; `grid`: its windows, None for a dense layer."""

    sources: tuple[int, ...]
    weights: np.ndarray = field(repr=False)
    grid: Grid | None


@dataclass(frozen=True, eq=False)
class Draft:
    """A layer before its activation. All parts have as many positions; `pools` come between it and its ReLU."""

    name: str
    parts: tuple[Part, ...]
    bias: np.ndarray = field(repr=False)
    pools: tuple[MaxPool, ...] = ()

    @property
    def grid(self) -> Grid | None:
        return self.parts[0].grid

    @property
    def outputs(self) -> int:
        return math.prod(self.given)

    @property
    def given(self) -> tuple[int, ...]:
        """Its shape: rows, columns and channels, or how many numbers."""
        return (len(self.bias),) if self.grid is None else (*self.grid.positions, len(self.bias))

    def scaled(self, factor: np.ndarray, offset: np.ndarray) -> Draft:
        """With each channel multiplied and moved."""
        parts = tuple(replace(part, weights=part.weights * factor[:, None]) for part in self.parts)
        return replace(self, parts=parts, bias=self.bias * factor + offset)

    def plus(self, other: Draft) -> Draft:
        """The sum of both, which have one shape: the largest kernels first, and those with the same windows of the same numbers are one."""
        found: dict[tuple[tuple[int, ...], Grid | None], Part] = {}
        for part in (*self.parts, *other.parts):
            key = part.sources, part.grid
            before = found.get(key)
            found[key] = part if before is None else replace(part, weights=before.weights + part.weights)
        parts = sorted(found.values(), key=lambda part: -part.weights.shape[1])
        return Draft(self.name, tuple(parts), self.bias + other.bias)


@dataclass(frozen=True)
class Ended:
    """The logits, behind what makes an answer of them."""

    draft: Draft
    end: End


Value = Handed | Draft | Ended

