"""What networks with convolutions and max pools cost: random int8 weights, proven and verified, with times and sizes.

    python -m zkpredict.benchmarks.maps lenet cifar
    python -m zkpredict.benchmarks.maps vgg16 --repeat 1      # 14.7 million weights: a minute or two, 1 GB

Times are medians, of the clock and of the processor (all threads together: what a busy machine does not change).
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.native import verify

R = TypeVar("R")
POOL = (0, 2)
Step = tuple[int, int]
"""Output channels and side of the kernel (3: same size; 5: valid), or `POOL`: the largest of 2 x 2."""
SHIFT, LARGEST, REACH = 8, 127, 60_000
"""Weights are up to 127, and fewer bits where a kernel has so many taps that its worst case would leave a lane of 24 bits."""


def _vgg(*widths: tuple[int, int]) -> list[Step]:
    return [step for channels, count in widths for step in [(channels, 3)] * count + [POOL]]


NETWORKS: dict[str, tuple[tuple[int, int, int], list[Step], tuple[int, ...]]] = {
    "lenet": ((28, 28, 1), [(6, 5), POOL, (16, 5), POOL], (120, 84, 10)),
    "cifar": ((32, 32, 3), [(16, 3), (16, 3), POOL, (32, 3), POOL, (64, 3), POOL], (10,)),
    "vgg16": ((32, 32, 3), _vgg((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)), (10,)),
}
"""Input, convolutions and pools, dense layers."""


def network(name: str, seed: int = 1) -> IntegerNetwork:
    """The network of that name with random weights."""
    (height, width, channels), steps, widths = NETWORKS[name]
    source, layers = np.random.default_rng(seed), list[DenseLayer]()
    for outputs, side in steps:
        if (outputs, side) == POOL:
            layers.append(MaxPoolLayer(Grid(height, width, channels, 2, 2, 2)))
            height, width = height // 2, width // 2
            continue
        padding = (1, 1, 1, 1, 1) if side == 3 else (0, 0, 1, 0, 0)
        grid = Grid(height, width, channels, side, side, 1, *padding)
        layers.append(ConvLayer(*_numbers(source, outputs, grid.taps), SHIFT, RELU8, grid))
        (height, width), channels = grid.positions, outputs
    whole = Grid(height, width, channels, height, width)
    for number, outputs in enumerate(widths):
        last = number == len(widths) - 1
        weights, bias = _numbers(source, outputs, whole.taps if number == 0 else layers[-1].outputs)
        shift, activation = (0, DenseLayer.activation) if last else (SHIFT, RELU8)
        layers.append(ConvLayer(weights, bias, shift, activation, whole) if number == 0 else DenseLayer(weights, bias, shift, activation))
    return IntegerNetwork(tuple(layers))


def _numbers(source: np.random.Generator, outputs: int, taps: int) -> tuple[np.ndarray, np.ndarray]:
    most = min(LARGEST, REACH // taps)
    return source.integers(-most, most + 1, (outputs, taps), dtype=np.int8), source.integers(-999, 1000, outputs)


def timed(repeat: int, run: Callable[[], R]) -> tuple[R, str]:
    """The last result, and the medians in words."""
    clock, processor = [], []
    for _ in range(repeat):
        begun, used = time.perf_counter(), time.process_time()
        found = run()
        clock.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
    return found, f"{statistics.median(clock):.3f} s ({statistics.median(processor):.3f} s of processor)"


def measure(name: str, repeat: int) -> str:
    """Commits, proves and verifies; the figures in one line."""
    net = network(name)
    model, committing = timed(1, lambda: commit_model(net))
    circuit = model.commitment.circuit
    if not isinstance(circuit, WideCircuit):
        raise TypeError(f"{name} has convolutions: its circuit is wide")
    image = np.random.default_rng(3).integers(0, 256, net.shape[0], dtype=np.uint8)
    proof, proving = timed(repeat, lambda: prove(model, image))
    _, verifying = timed(repeat, lambda: verify(model.commitment, image, proof))
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    return (
        f"{name}: {sum(net.shape[1:-1]):,} numbers handed on, {circuit.tracks} tracks of {circuit.domain} rows, {circuit.total_rows:,} committed rows; "
        f"commit {committing}, prove {proving}, verify {verifying}; proof {len(proof.to_bytes()):,} bytes; {memory:,} MB"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints a line for each network."""
    parser = argparse.ArgumentParser(description="Prove and verify networks with convolutions and max pools.")
    parser.add_argument("names", nargs="+", choices=sorted(NETWORKS), metavar="NAME", help=f"of {', '.join(sorted(NETWORKS))}")
    parser.add_argument("--repeat", type=int, default=3, help="proofs and verifications of each (default: %(default)s)")
    chosen = parser.parse_args(arguments)
    for name in chosen.names:
        print(measure(name, chosen.repeat), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
