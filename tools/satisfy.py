"""Every MNIST test image against the constraint system of a model, compact, wide or with convolutions, in a checkout:

    python -m zkpredict.tools.satisfy examples/lenet.model --proofs 100

What numpy says of an image (`plain_digits`, without the package's layers) is claimed. The columns are made as a prover makes them, at challenges
drawn once a run, and every constraint is evaluated on every row. Of one image in `TAMPERED` three falsehoods are told, each of which must fail.
`--proofs`, `--independent` and `--chain` prove and verify images spread over all of them, natively, independently and in the contract of the
model's circuit on the embedded EVM (which takes Node and solc), each with a twin whose image is changed. `--chain` says what its transactions
cost. Exit code 1 when anything is not as it should be; docs/evidence.md has the results.
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import sys
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.networks import mnist_images, mnist_labels
from zkpredict.circuits.columns import EVALUATION_ROUND
from zkpredict.circuits.constraints import constraints
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import QUOTIENT, form, placement_of
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.witness import Trace, build_trace
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier.client import deploy_verifier, register_model, send_verification, verify_on_chain
from zkpredict.kernel import Vector
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover, prove
from zkpredict.prover.rows import combined_rows
from zkpredict.verifier import independent
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import parse_proof, verify

PIXELS, MIDDLE = 784, 28 * 14 + 7
"""Pixels of an image, and the first of those in the middle, which every network reads."""
BATCH, TAMPERED, PROVEN = 50, 50, 5
"""Images that a process checks at once, of how many one is tampered with, and images that it proves at once."""
COUNTED = "mult"
"""A column that says nothing on most of its rows."""


def plain_digits(network: IntegerNetwork, images: np.ndarray) -> np.ndarray:
    """What the network says of images, uint8 [count, inputs]: by numpy, from weights and geometry alone; int64 [count]."""
    handed: list[np.ndarray] = []
    for number, layer in enumerate(network.layers):
        maps = [images.astype(np.int64)]
        if number:
            maps = [np.sum([handed[source] for source in sources], axis=0) for sources in layer.wiring.all_sources(number)]
        if isinstance(layer, MaxPoolLayer):
            handed.append(_windows(layer.grid, maps[0]).max(axis=(4, 5)).reshape(len(images), -1))
            continue
        z = _convolved(layer, maps) if isinstance(layer, ConvLayer) else maps[0] @ layer.weights.T + layer.bias
        handed.append(_activated(layer, z) if number < len(network.layers) - 1 else z)
    return np.argmax(handed[-1], axis=1)


def _convolved(layer: ConvLayer, maps: list[np.ndarray]) -> np.ndarray:
    """A convolution by sliding windows, over its own map and those beside it."""
    found, first = layer.bias, 0
    for grid, values in zip(layer.grids, maps, strict=True):
        kernel = layer.weights[:, first : first + grid.taps].reshape(-1, grid.kernel_height, grid.kernel_width, grid.channels)
        found = found + np.einsum("nyxcij,oijc->nyxo", _windows(grid, values), kernel, optimize=True)
        first += grid.taps
    return found.reshape(len(maps[0]), -1)


def _windows(grid: Grid, values: np.ndarray) -> np.ndarray:
    """What windows show of the sums of pools, zeros outside: [images, rows, columns, channels, kernel rows, kernel columns]."""
    (high, wide), (down, across), maps = grid.pool_sides, grid.strides, values.reshape(-1, grid.height, grid.width, grid.channels)
    maps = sum(maps[:, i : grid.height // high * high : high, j : grid.width // wide * wide : wide] for i in range(high) for j in range(wide))
    maps = np.pad(maps, ((0, 0), (grid.pad_top, grid.pad_bottom), (grid.pad_left, grid.pad_right), (0, 0)))
    return np.lib.stride_tricks.sliding_window_view(maps, (grid.kernel_height, grid.kernel_width), axis=(1, 2))[:, ::down, ::across]


def _activated(layer: DenseLayer, values: np.ndarray) -> np.ndarray:
    """Each different number once, by the definition on ints."""
    different, at = np.unique(values, return_inverse=True)
    return np.array([layer.activation.apply_int(value, layer.shift) for value in different.tolist()], np.int64)[at].reshape(values.shape)


@dataclass(frozen=True, eq=False)
class Uncommitted:
    """A column without a commitment: what `Prover.on_domain` reads of one."""

    values: Vector = field(repr=False)


@dataclass(eq=False)
class Columns(Prover):
    """The columns of a statement at `known` challenges, from a `laid` trace; nothing is blinded or committed. `rows`: those of the model."""

    known: dict[str, int] = field(default_factory=dict)
    rows: dict[str, Vector] = field(default_factory=dict, repr=False)
    laid: Trace = field(default_factory=dict, repr=False)

    def failing(self) -> set[str]:
        """The names of the constraints that fail on some row. A sum that does not close fails in the last one."""
        for message in self.form.rounds:
            if message.name == EVALUATION_ROUND or QUOTIENT.name in message.points:
                break
            self.commit_columns(message)
            self.challenges |= {name: self.known[name] for name in message.challenges}
        rows, zero = self.on_domain({}), Vector.zeros(self.circuit.domain)
        return {one.name for one in constraints(self.circuit) if one.expression.evaluate(rows) != zero}

    def trace(self) -> Trace:
        return self.laid

    def commit(self, values):
        return {name: Uncommitted(column) for name, column in values.items()}

    def closed(self, values: Vector, name: str) -> Vector:
        return values[0 : self.circuit.domain]

    def combined_rows(self) -> dict[str, Vector]:
        return self.rows


@dataclass(frozen=True, eq=False)
class System:
    """The constraint system of a committed model at challenges of its own. Traces do not depend on them, so a constraint that fails is
    missed with probability some 2^-240."""

    model: Model
    challenges: dict[str, int]

    @classmethod
    def of(cls, model: Model) -> System:
        """At random challenges."""
        names = sorted({name for message in form(model.commitment.circuit).rounds for name in message.challenges})
        return cls(model, {name: secrets.randbelow(MODULUS) for name in names})

    @cached_property
    def rows(self) -> dict[str, Vector]:
        """The committed rows, combined once for all images."""
        return combined_rows(self.model.compiled, self.model.secrets, self.challenges["alpha"])

    def failing(self, image: np.ndarray, digit: int, trace: Trace | None = None) -> set[str]:
        """What fails when `digit` is claimed of `image`, with the trace of it or another one."""
        statement = Statement(image.tobytes(), digit)
        laid = build_trace(self.model.compiled, statement) if trace is None else trace
        return Columns(self.model, statement, known=self.challenges, rows=self.rows, laid=laid).failing()

    def falsehoods(self, image: np.ndarray, digit: int, number: int) -> dict[str, set[str]]:
        """What fails for three that are near the truth: another class, another image, a cell of the trace."""
        honest = build_trace(self.model.compiled, Statement(image.tobytes(), digit))
        source = np.random.default_rng(number)
        name = source.choice(sorted(name for name in honest if name != COUNTED))
        cells = {**honest, name: honest[name].copy()}
        cells[name][source.integers(len(cells[name]))] += source.integers(1, 256)
        other = (digit + source.integers(1, self.model.network.shape[-1])) % self.model.network.shape[-1]
        return {
            "another class": self.failing(image, int(other)), "another image": self.failing(changed(image, number), digit, honest),
            "another cell": self.failing(image, digit, cells),
        }


def changed(image: np.ndarray, number: int) -> np.ndarray:
    """The image with one bit of a pixel in its middle changed."""
    found = image.copy()
    found[MIDDLE + number % 14] ^= 1
    return found


_HELD: list[System] = []
"""The system of a process."""


def hold(data: bytes, challenges: dict[str, int]) -> None:
    """Makes a process hold the system of a model file. Points of a commitment do not travel, its bytes do."""
    _HELD[:] = [System(Model.from_bytes(data), challenges)]


def check_batch(numbers: range) -> Counter[str]:
    """Counts what became of the images with these numbers."""
    (system,) = _HELD
    images, found = mnist_images()[numbers.start : numbers.stop], Counter()
    digits = plain_digits(system.model.network, images).tolist()
    found["images as labelled"] += int((np.array(digits) == mnist_labels()[numbers.start : numbers.stop]).sum())
    found["digits unlike the reference"] += int((system.model.network.infer(images).digits != digits).sum())
    for number, image, digit in zip(numbers, images, digits, strict=True):
        failing = system.failing(image, digit)
        found["images"] += 1
        found.update(f"constraint '{name}' fails" for name in failing)
        if number % TAMPERED == 0:
            for what, names in system.falsehoods(image, digit, number).items():
                found[f"{what}: refused" if names else f"{what}: SATISFIES THE SYSTEM"] += 1
    return found


def prove_some(alone: bool, numbers: list[int]) -> Counter[str]:
    """Counts what became of proofs of images and of their twins; `alone`: by the independent verifier."""
    model = _HELD[0].model
    who, images, shape, found = "independently" if alone else "natively", mnist_images(), form(model.commitment.circuit), Counter()
    public = model.commitment.to_bytes()
    for number, digit in zip(numbers, plain_digits(model.network, images[numbers]).tolist(), strict=True):
        data = prove(model, images[number]).to_bytes()

        def said(image: np.ndarray, data: bytes = data) -> int:
            if alone:
                return independent.verify(public, image.tobytes(), data)
            proof = parse_proof(data, shape)
            verify(model.commitment, image, proof)
            return proof.digit

        found[f"proofs verified {who}" if said(images[number]) == digit else f"proofs of ANOTHER DIGIT {who}"] += 1
        try:
            said(changed(images[number], number))
            found[f"twins ACCEPTED {who}"] += 1
        except FailedOpening:
            found[f"twins refused {who}"] += 1
    return found


def send_some(model: Model, numbers: list[int]) -> tuple[Counter[str], list[int]]:
    """Counts what became of proofs of images and of their twins in the contract of the model's circuit, and what each transaction cost. Raises
    `UnusableInput` for a circuit that has no contract."""
    images, commitment, found, costs = mnist_images(), model.commitment, Counter[str](), list[int]()
    contract = deploy_verifier(EmbeddedChain(), commitment.circuit).contract
    chain, address = contract.chain, contract.address
    register_model(chain, address, commitment)
    for number, digit in zip(numbers, plain_digits(model.network, images[numbers]).tolist(), strict=True):
        image, proof = images[number], prove(model, images[number])
        costs.append(send_verification(chain, address, commitment, image.tobytes(), proof).gas_used)
        found["proofs verified on a chain" if proof.digit == digit else "proofs of ANOTHER DIGIT on a chain"] += 1
        reason = verify_on_chain(chain, address, commitment, changed(image, number).tobytes(), proof).reason
        found["twins refused on a chain" if reason == "OpeningFailed" else f"twins not refused but '{reason}' on a chain"] += 1
    return found, costs


def spread(count: int, total: int) -> list[int]:
    """`count` numbers from 0 to total - 1, evenly spread."""
    return np.linspace(0, total - 1, count).astype(int).tolist()


GOOD = {"images", "images as labelled", "another class: refused", "another image: refused", "another cell: refused"} | {
    f"{what} {who}" for what in ("proofs verified", "twins refused") for who in ("natively", "independently", "on a chain")
}
"""What may be counted; anything else is a failure."""


def run(model: Model, count: int, proofs: int, alone: int, processes: int) -> Counter[str]:
    """Everything, on so many processes, with a line of progress every ten seconds."""
    if model.network.shape[0] != PIXELS:
        raise UnusableInput(f"the model takes {model.network.shape[0]} numbers, MNIST images have {PIXELS}")
    system, start, said, found = System.of(model), time.monotonic(), time.monotonic(), Counter[str]()
    numbers = [spread(many, len(mnist_images())) for many in (proofs, alone)]
    with ProcessPoolExecutor(processes, initializer=hold, initargs=(model.to_bytes(), system.challenges)) as pool:
        jobs: list[Iterable[Counter[str]]] = [pool.map(check_batch, [range(at, min(at + BATCH, count)) for at in range(0, count, BATCH)])]
        for own, each in zip(numbers, (False, True), strict=True):
            jobs.append(pool.map(partial(prove_some, each), [own[at : at + PROVEN] for at in range(0, len(own), PROVEN)]))
        for one in chain(*jobs):
            found += one
            if time.monotonic() - said > 10:
                said = time.monotonic()
                done = found["images"], found["proofs verified natively"], found["proofs verified independently"]
                print(f"{done[0]} of {count} images, {done[1]} of {proofs} and {done[2]} of {alone} proofs, {said - start:.0f} s", file=sys.stderr, flush=True)
    return found


def main() -> int:
    """Prints one JSON object; returns the exit code."""
    parser = argparse.ArgumentParser(description="Check MNIST test images against the constraint system of a model.")
    parser.add_argument("model", type=Path, help="a model file; it is committed in memory when it is not")
    parser.add_argument("--count", type=int, default=10_000, help="images to check, from the first (default: all %(default)s)")
    parser.add_argument("--proofs", type=int, default=100, help="images to prove and verify natively (default: %(default)s)")
    parser.add_argument("--independent", type=int, default=3, help="images to prove and verify independently (default: %(default)s)")
    parser.add_argument("--chain", type=int, default=0, help="images to prove and verify in a contract on the embedded EVM (default: none)")
    parser.add_argument("--processes", type=int, default=2, help="(default: %(default)s)")
    arguments = parser.parse_args()
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    start = time.monotonic()
    try:
        model = Model.load(arguments.model)
        model = model if model.committed else commit_model(model)
        found = run(model, min(arguments.count, len(mnist_images())), arguments.proofs, arguments.independent, arguments.processes)
        sent, costs = send_some(model, spread(arguments.chain, len(mnist_images()))) if arguments.chain else (Counter[str](), [])
        found += sent
    except UnusableInput as error:
        print(f"satisfy: {error}", file=sys.stderr)
        return 2
    bad = sum(number for what, number in found.items() if what not in GOOD)
    print(json.dumps({
        "model": str(arguments.model), "network": model.network.name, "placement": placement_of(model.commitment.circuit),
        "constraints": len(constraints(model.commitment.circuit)), "rows": model.commitment.circuit.domain,
        "counts": {what: number for what, number in sorted(found.items()) if number}, "bad": bad, **({"gas": sorted(costs)} if costs else {}), "seconds": round(time.monotonic() - start),
    }, indent=1))
    return 1 if bad else 0


if __name__ == "__main__":
    raise SystemExit(main())
