"""What batches cost: the shipped MNIST network with slots, 1 to 1,024 images in a proof, and a larger network without slots.

    python -m zkpredict.benchmarks.batch --out docs/benchmarks [--runs N]

Writes batch.csv. Weights of the larger network are random: times and sizes depend on the shape alone.
"""

from __future__ import annotations

import argparse
import csv
import io
import statistics
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.networks import mnist_images
from zkpredict.benchmarks.wide import random_network, timed
from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.files.storage import write_atomically
from zkpredict.prover.batch import prove_batch
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.verifier.batch import parse_batch, verify_batch

SIZES = (1, 16, 128, 1024)
LARGER, LARGER_SIZES = (784, 512, 512, 10), (16,)


@dataclass(frozen=True)
class BatchMeasurement:
    """One size of a batch: seconds by the clock (median, lowest) and of the processor in all threads (median), and bytes. Verifying
    includes reading the proof."""

    network: str
    images: int
    domain: int
    slots: int
    tracks: int
    runs: int
    prove_median: float
    prove_lowest: float
    prove_processor: float
    verify_median: float
    verify_lowest: float
    verify_processor: float
    proof_bytes: int


def measured(model: Model, images: np.ndarray, runs: int) -> BatchMeasurement:
    """Proves and verifies `runs` times in this process after one run that is not counted."""
    circuit = BatchCircuit.of(model.commitment.circuit, len(images))
    data = prove_batch(model, images).to_bytes()
    verify_batch(model.commitment, images, parse_batch(data, model.commitment))
    proving = [timed(lambda: prove_batch(model, images)) for _ in range(runs)]
    checking = [timed(lambda: verify_batch(model.commitment, images, parse_batch(data, model.commitment))) for _ in range(runs)]
    return BatchMeasurement(
        network=model.network.name, images=len(images), domain=circuit.domain, slots=circuit.slots, tracks=circuit.tracks, runs=runs,
        prove_median=statistics.median(clock for clock, _ in proving), prove_lowest=min(proving)[0],
        prove_processor=statistics.median(busy for _, busy in proving),
        verify_median=statistics.median(clock for clock, _ in checking), verify_lowest=min(checking)[0],
        verify_processor=statistics.median(busy for _, busy in checking), proof_bytes=len(data),
    )  # fmt: skip


def to_csv(found: list[BatchMeasurement]) -> str:
    """A line each, the names of the fields first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([field.name for field in fields(BatchMeasurement)])
    writer.writerows([f"{value:.4g}" if isinstance(value, float) else value for value in asdict(one).values()] for one in found)
    return text.getvalue()


def main() -> int:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description="Measure batches.")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder (default: %(default)s)")
    parser.add_argument("--model", type=Path, default=Path("examples/mnist.model"), help="of 784 inputs (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=5)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    images, found = mnist_images(), []
    small, larger = commit_model(Model.load(arguments.model), batch=True), commit_model(random_network(LARGER), batch=True)
    for model, sizes in ((small, SIZES), (larger, LARGER_SIZES)):
        for size in sizes:
            one = measured(model, images[:size], arguments.runs)
            found.append(one)
            print(
                f"{one.network:<16} {one.images:>5} images, n={one.domain} slots={one.slots} tracks={one.tracks}: prove {one.prove_median:.3f} s "
                f"(lowest {one.prove_lowest:.3f}, processor {one.prove_processor:.3f}), verify {1000 * one.verify_median:.1f} ms "
                f"(processor {1000 * one.verify_processor:.1f}), {one.proof_bytes:,} bytes",
                flush=True,
            )
            write_atomically(arguments.out / "batch.csv", to_csv(found).encode())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
