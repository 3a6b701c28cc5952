"""Integer SGD as a program of the multiply-add machine: replayable bit for bit, so that "trained on this data" can be disputed.

A 784-64-10 network of int8 weights W without biases; int32 masters M = 2^16 W. Forward as in the project, squared hinge of one against all,
backward by the same shifts, per batch of samples s:

    z1 = W1 x          a1 = max(z1, 0) >> 7       z2 = W2 a1
    e  = clamp(round(min(z2 - m, 0) or max(z2 + m, 0), 7), 127)           min for the sample's class, max for all others
    d  = clamp(round(W2^T e where a1 > 0, 1), 2^15 - 1)
    M2 -= round(sum_s e a1^T, u2)      M1 -= round(sum_s d x^T, u1)      W = clamp(round(M, 16), 127)

The last fifth of the batches moves half as far: u1 and u2 are one more.

`round(v, s)` is (v + 2^(s-1)) >> s; masters are clamped, too. First masters and the order of samples come from the seed. The weight region is
that of `Inference` for the trained network, so the root over the trained weights is the root of a registered model.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.systems.machine import Machine, Memory, Trace
from zkpredict.contracts.systems.merkle import WORD, depth_of
from zkpredict.contracts.systems.program import DATA, SCRATCH, WEIGHTS, Nest, Op, Operand, Program, samples_at

LIMIT = 127
SCALE = 16
"""A master is 2^16 times its weight."""
ERROR_LIMIT, DELTA_LIMIT = 127, (1 << 15) - 1


@dataclass(frozen=True)
class Recipe:
    """Everything a trainer could choose, fixed before the data's order and the first weights are drawn."""

    shape: tuple[int, int, int] = (784, 64, 10)
    batch: int = 32
    batches: int = 500
    activation_shift: int = 7
    margin: int = 1 << 15
    error_shift: int = 7
    delta_shift: int = 1
    update_shifts: tuple[int, int] = (4, 0)
    first_weights: tuple[int, int] = (32, 32)
    """The first masters are 16 random bits times these."""

    @property
    def halved_from(self) -> int:
        """The first batch whose update moves half as far."""
        return -(-4 * self.batches // 5)

    def program(self, samples: int) -> Program:
        """The run over a data region of `samples` samples. Raises `UnusableInput` when a sum could leave its cell."""
        return _Layout(self, samples).program()


def sample_words(inputs: int) -> int:
    """Words of one sample in the data region: its label's, its input's, filled up to a power of two (`Samples.sol`)."""
    return 1 << depth_of(WORD + inputs)


def data_region(images: np.ndarray, labels: np.ndarray, part: int) -> bytes:
    """Samples as the contract's tree has them: number in its part and label, then the input. `part` samples a part."""
    words = sample_words(images.shape[1])
    region = np.zeros((len(images), words * WORD), np.uint8)
    numbers = [(i % part << 8 | int(label)).to_bytes(WORD, "big") for i, label in enumerate(labels)]
    region[:, :WORD] = np.frombuffer(b"".join(numbers), np.uint8).reshape(-1, WORD)
    region[:, WORD : WORD + images.shape[1]] = images
    return region.tobytes()


def run_of(program: Program, data: bytes, seed: bytes) -> Trace:
    """The training run from a seed."""
    return Trace(Machine(program, seed), Memory.of(program, data))


def trained_network(recipe: Recipe, memory: Memory) -> IntegerNetwork:
    """The network in the weight region after a run."""
    inputs, hidden, outputs = recipe.shape
    weights = memory.regions[WEIGHTS].view(np.int8)[: hidden * (inputs + outputs)].astype(np.int64)
    first, second = weights[: hidden * inputs].reshape(hidden, inputs), weights[hidden * inputs :].reshape(outputs, hidden)
    none = (np.zeros(count, np.int64) for count in (hidden, outputs))
    return IntegerNetwork((DenseLayer(first, next(none), recipe.activation_shift), DenseLayer(second, next(none))))


def network_of(trace: Trace) -> IntegerNetwork:
    """The network that a training run ends with; shape and shift are read from the program."""
    program = trace.program
    multiply = next(nest for nest in program.body if nest.op is Op.MAC)
    shift = next(nest.shift for nest in program.body if nest.op is Op.RELU)
    _, hidden, inputs = multiply.counts
    outputs = next(nest.counts[1] for nest in program.body if nest.op is Op.ERROR)
    return trained_network(Recipe((inputs, hidden, outputs), activation_shift=shift), trace.memory(program.steps))


def plain_training(recipe: Recipe, images: np.ndarray, labels: np.ndarray, seed: bytes) -> tuple[np.ndarray, np.ndarray]:
    """The slow twin: the equations above in numpy int64, without program or machine. The trained W1 and W2."""
    from zkpredict.kernel import keccak256

    def rounded(value: np.ndarray, shift: int) -> np.ndarray:
        return (value + (1 << shift >> 1)) >> shift

    def first(rows: int, columns: int, scale: int) -> np.ndarray:
        words = b"".join(keccak256(seed + i.to_bytes(WORD, "big")) for i in range(-(-rows * columns // 16)))
        return np.frombuffer(words, ">i2")[: rows * columns].astype(np.int64).reshape(rows, columns) * scale

    inputs, hidden, outputs = recipe.shape
    m1, m2 = first(hidden, inputs, recipe.first_weights[0]), first(outputs, hidden, recipe.first_weights[1])
    most, (u1, u2) = LIMIT << SCALE, recipe.update_shifts
    for number in range(recipe.batches):
        half = int(number >= recipe.halved_from)
        w1, w2 = (np.clip(rounded(m, SCALE), -LIMIT, LIMIT) for m in (m1, m2))
        chosen = samples_at(seed, len(images), range(number * recipe.batch, (number + 1) * recipe.batch))
        x, right = images[chosen].astype(np.int64), np.arange(outputs) == labels[chosen].astype(np.int64)[:, None]
        a1 = np.maximum(x @ w1.T, 0) >> recipe.activation_shift
        z2 = a1 @ w2.T
        e = np.where(right, np.minimum(z2 - recipe.margin, 0), np.maximum(z2 + recipe.margin, 0))
        e = np.clip(rounded(e, recipe.error_shift), -ERROR_LIMIT, ERROR_LIMIT)
        d = np.clip(rounded(np.where(a1 > 0, e @ w2, 0), recipe.delta_shift), -DELTA_LIMIT, DELTA_LIMIT)
        m2 = np.clip(m2 - rounded(e.T @ a1, u2 + half), -most, most)
        m1 = np.clip(m1 - rounded(d.T @ x, u1 + half), -most, most)
    return tuple(np.clip(rounded(m, SCALE), -LIMIT, LIMIT) for m in (m1, m2))


class _Layout:
    def __init__(self, recipe: Recipe, samples: int) -> None:
        self._recipe, self._samples, self._scratch = recipe, samples, 0

    def program(self) -> Program:
        r = self._recipe
        inputs, hidden, outputs = r.shape
        self._check()
        s = r.batch
        words = sample_words(inputs)
        label = Operand(DATA, 1, WORD - 1, sample=words * WORD, signed=False)
        w1, w2 = 0, hidden * inputs
        m1, m2 = self._take(4, hidden * inputs), self._take(4, outputs * hidden)
        g1, g2 = self._take(4, hidden * inputs), self._take(4, outputs * hidden)
        z1, a1, h, masked, d = (self._take(width, s * hidden) for width in (4, 4, 4, 4, 2))
        z2, e = self._take(4, s * outputs), self._take(2, s * outputs)

        def pixel(i: int, j: int, k: int) -> Operand:
            return Operand(DATA, 1, WORD, (i, j, k), sample=words * WORD, signed=False)

        def cell(base: int, width: int, i: int, j: int, k: int, signed: bool = True, region: int = SCRATCH) -> Operand:
            return Operand(region, width, base, (width * i, width * j, width * k), signed=signed)

        most = LIMIT << SCALE
        first, second = (hidden, inputs, 1), (outputs, hidden, 1)
        row1, row2 = (inputs, 1, 0), (hidden, 1, 0)
        wide, narrow = (s, hidden, 1), (s, outputs, 1)
        of_wide, of_narrow = (hidden, 1, 0), (outputs, 1, 0)
        quantise = (
            Nest(Op.QUANTISE, first, cell(w1, 1, *row1, region=WEIGHTS), a=cell(m1, 4, *row1), shift=SCALE, limit=LIMIT),
            Nest(Op.QUANTISE, second, cell(w2, 1, *row2, region=WEIGHTS), a=cell(m2, 4, *row2), shift=SCALE, limit=LIMIT),
        )
        prologue = (
            Nest(Op.SEED, first, cell(m1, 4, *row1), margin=r.first_weights[0]),
            Nest(Op.SEED, second, cell(m2, 4, *row2), margin=r.first_weights[1]),
            *quantise,
        )
        body = (
            Nest(Op.ZERO, wide, cell(z1, 4, *of_wide)),
            Nest(Op.MAC, (s, hidden, inputs), cell(z1, 4, *of_wide), a=cell(w1, 1, 0, inputs, 1, region=WEIGHTS), b=pixel(0, 0, 1)),
            Nest(Op.RELU, wide, cell(a1, 4, *of_wide, signed=False), a=cell(z1, 4, *of_wide), shift=r.activation_shift),
            Nest(Op.ZERO, narrow, cell(z2, 4, *of_narrow)),
            Nest(Op.MAC, (s, outputs, hidden), cell(z2, 4, *of_narrow), a=cell(w2, 1, 0, hidden, 1, region=WEIGHTS),
                 b=cell(a1, 4, hidden, 0, 1, signed=False)),
            Nest(Op.ERROR, narrow, cell(e, 2, *of_narrow), a=cell(z2, 4, *of_narrow), b=label, shift=r.error_shift, limit=ERROR_LIMIT, margin=r.margin),
            Nest(Op.ZERO, wide, cell(h, 4, *of_wide)),
            Nest(Op.MAC, (s, hidden, outputs), cell(h, 4, *of_wide), a=cell(w2, 1, 0, 1, hidden, region=WEIGHTS), b=cell(e, 2, outputs, 0, 1)),
            Nest(Op.MASK, wide, cell(masked, 4, *of_wide), a=cell(a1, 4, *of_wide, signed=False), b=cell(h, 4, *of_wide)),
            Nest(Op.QUANTISE, wide, cell(d, 2, *of_wide), a=cell(masked, 4, *of_wide), shift=r.delta_shift, limit=DELTA_LIMIT),
            Nest(Op.ZERO, second, cell(g2, 4, *row2)),
            Nest(Op.MAC, (s, outputs, hidden), cell(g2, 4, 0, hidden, 1), a=cell(e, 2, outputs, 1, 0), b=cell(a1, 4, hidden, 0, 1, signed=False)),
            Nest(Op.ZERO, first, cell(g1, 4, *row1)),
            Nest(Op.MAC, (s, hidden, inputs), cell(g1, 4, 0, inputs, 1), a=cell(d, 2, hidden, 1, 0), b=pixel(0, 0, 1)),
            Nest(Op.UPDATE, second, cell(m2, 4, *row2), b=cell(g2, 4, *row2), shift=r.update_shifts[1], limit=most, margin=r.halved_from),
            Nest(Op.UPDATE, first, cell(m1, 4, *row1), b=cell(g1, 4, *row1), shift=r.update_shifts[0], limit=most, margin=r.halved_from),
            *quantise,
        )  # fmt: skip
        weights = w2 + outputs * hidden + 4 * (hidden + outputs)
        depths = depth_of(words * WORD * self._samples), depth_of(weights), depth_of(self._scratch)
        return Program(depths, prologue, body, r.batches, self._samples, r.batch, inputs, name="-".join(map(str, r.shape)))

    def _check(self) -> None:
        """Every sum on the way, at its worst, against the int32 it is summed in."""
        r = self._recipe
        inputs, hidden, outputs = r.shape
        z1 = inputs * LIMIT * 255
        a1 = z1 >> r.activation_shift
        worst = {
            "z1": z1, "z2": hidden * LIMIT * a1, "W2^T e": outputs * LIMIT * ERROR_LIMIT,
            "sum e a1": r.batch * ERROR_LIMIT * a1, "sum d x": r.batch * DELTA_LIMIT * 255,
            "first weights": (1 << 15) * max(r.first_weights),
        }  # fmt: skip
        for name, value in worst.items():
            if value >> 31:
                raise UnusableInput(f"recipe: {name} can reach {value}, beyond int32: take a larger shift, a smaller batch or fewer neurons")
        if hidden * inputs % 4 or (outputs * hidden) % 4 or self._samples < 1:
            raise UnusableInput(f"recipe: rows of {r.shape} must fill words of 4 bytes, and there must be samples")

    def _take(self, width: int, count: int) -> int:
        start = -(-self._scratch // 8) * 8
        self._scratch = start + width * count
        return start
