"""What several tests share: refusals asserted to the letter, random networks that compile, worst-case images, slow twins."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pytest

from zkpredict.circuits.field import MODULUS, inverse, inverses, powers, root_of_unity
from zkpredict.circuits.layout import ACTIVATION_BITS, LANE_ROWS, LIMB_BITS, PACK_ROWS, Circuit
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.witness import complete_trace
from zkpredict.kernel import Vector


@contextmanager
def refuses(kind: type[Exception], message: str) -> Iterator[None]:
    """Passes when the block raises exactly `kind` (no subclass) with exactly `message`."""
    with pytest.raises(kind) as caught:
        yield
    assert (caught.type, str(caught.value)) == (kind, message)


def random_network(seed: int, shape: tuple[int, ...], largest: int = 40, extra_shift: int = 0) -> IntegerNetwork:
    """Weights in -largest..largest, biases in -999..999, every shift the smallest one that fits a lane, plus `extra_shift`."""
    source = np.random.default_rng(seed)
    layers: list[DenseLayer] = []
    for number, (inputs, outputs) in enumerate(zip(shape, shape[1:]), 1):
        weights = source.integers(-largest, largest + 1, (outputs, inputs))
        bias = source.integers(-999, 1000, outputs)
        shift = 0
        if number < len(shape) - 1:
            reach = IntegerNetwork((*layers, DenseLayer(weights, bias))).intervals[-1].magnitude
            shift = max(0, reach.bit_length() - ACTIVATION_BITS) + extra_shift
        layers.append(DenseLayer(weights, bias, shift))
    return IntegerNetwork(tuple(layers))


def random_image(seed: int, inputs: int) -> np.ndarray:
    """Uniform bytes: uint8 [inputs]."""
    return np.random.default_rng(seed).integers(0, 256, inputs, dtype=np.uint8)


def worst_images(network: IntegerNetwork, row: int) -> tuple[np.ndarray, np.ndarray]:
    """The images that bring `row` of the first layer to its largest and to its smallest value: uint8 [inputs] each."""
    weights = network.layers[0].weights[row]
    return np.where(weights > 0, 255, 0).astype(np.uint8), np.where(weights < 0, 255, 0).astype(np.uint8)


def plain_inference(network: IntegerNetwork, image: list[int]) -> tuple[list[list[int]], int]:
    """The slow twin of `IntegerNetwork.infer` on Python ints: pre-activations of each layer, and the digit."""
    values, found = list(image), []
    for layer in network.layers:
        z = [bias + sum(w * a for w, a in zip(row, values)) for row, bias in zip(layer.weights.tolist(), layer.bias.tolist())]
        found.append(z)
        values = [layer.activation.apply_int(entry, layer.shift) for entry in z]
    return found, found[-1].index(max(found[-1]))


def said(image: np.ndarray | bytes, digit: int) -> Statement:
    """"The network says `digit` about `image`."""
    return Statement(bytes(image), digit)


def horner_column(limb: Sequence[int]) -> list[int]:
    """The running pack values, by their own loop: 256 times the last one plus the limb, carried over r0, zero after a pack's first
    row. The slow twin of what the prover solves from the constraint."""
    horner, current = [0] * len(limb), 0
    for row, value in enumerate(limb):
        horner[row] = current
        if row % PACK_ROWS == 0:
            current = 0
        elif row % LANE_ROWS:
            current = ((current << LIMB_BITS) + int(value)) % MODULUS
    horner[0] = current
    return horner


def trace_of_limbs(circuit: Circuit, limb: Iterable[int]) -> dict[str, list[int]]:
    """A trace from the limbs on rows r1..r3, with its running pack values."""
    trace = complete_trace(circuit, {"limb": list(map(int, limb)), "cell": [0] * circuit.domain})
    return trace | {"horner": horner_column(trace["limb"])}


def changed(data: bytes, position: int, delta: int = 1) -> bytes:
    """`data` with `delta` xored onto the byte at `position`."""
    return data[:position] + bytes([data[position] ^ delta]) + data[position + 1 :]


def evaluate(coefficients: list[int], point: int) -> int:
    """A polynomial (low coefficient first) at `point`, by Horner."""
    total = 0
    for coefficient in reversed(coefficients):
        total = (total * point + coefficient) % MODULUS
    return total


def evaluate_values(values: list[int], point: int) -> int:
    """The polynomial of degree < n with these values at the n-th roots of unity, at a `point` that is none of them.

    Barycentric: (point^n - 1)/n * sum_i values[i] w^i / (point - w^i).
    """
    n = len(values)
    nodes = powers(root_of_unity(n), n)
    terms = inverses([(point - node) % MODULUS for node in nodes])
    total = sum(value * node * term for value, node, term in zip(values, nodes, terms))
    return total * (pow(point, n, MODULUS) - 1) * inverse(n) % MODULUS


def at_domain(coefficients: list[int]) -> list[int]:
    """A polynomial's values at the n-th roots of unity, n its length: the kernel's transform, tested with the kernel."""
    return Vector.from_ints(coefficients).ntt().to_ints()


@dataclass(frozen=True, eq=False)
class PlainRows:
    """An `Environment` of Python ints in numpy object arrays, row by row; what it returns is not yet reduced."""

    columns: dict[str, np.ndarray]
    publics: dict[str, np.ndarray]
    challenges: dict[str, int]

    @classmethod
    def of(cls, columns: dict[str, list[int]], publics: dict[str, list[int]], challenges: dict[str, int]) -> PlainRows:
        return cls(*({k: np.array(v, object) for k, v in part.items()} for part in (columns, publics)), challenges)

    def constant(self, value: int):
        return value

    def cell(self, column: str, rotation: int):
        return np.roll(self.columns[column], -rotation)

    def public(self, name: str):
        return self.publics[name]

    def challenge(self, name: str):
        return self.challenges[name]


MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"
"""How both verifiers refuse a proof that is well-formed and does not hold: the one place where tests write it down."""


def npy(array: np.ndarray, version: tuple[int, int] | None = None) -> bytes:
    """The array as an `.npy` file."""
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, version)
    return stream.getvalue()
