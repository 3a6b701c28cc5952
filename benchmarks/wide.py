"""What wide circuits cost: networks of the table in docs/benchmarks.md, and how proving time grows with weights and with neurons.

    python -m zkpredict.benchmarks.wide --out docs/benchmarks [--model FILE ...] [--runs N] [--only networks|scaling]

Writes wide.csv, and scaling-wide-weights and scaling-wide-neurons as SVG and PNG (they need zkpredict[plots]). Weights are random int8 unless a
model file is given: times and sizes depend on the shape alone.
"""

from __future__ import annotations

import argparse
import csv
import io
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, fields
from itertools import pairwise
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.networks import mnist_images
from zkpredict.benchmarks.timing import measure_process
from zkpredict.circuits.files.storage import write_atomically
from zkpredict.circuits.networks.activations import RELU, RELU8, Activation
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.verifier.costs import estimate_costs
from zkpredict.verifier.native import verify

SHAPES = ((784, 64, 10), (784, 128, 64, 10), (784, 512, 512, 10), (784, 2000, 60, 4000, 10))
WEIGHTS_AT_1000_NEURONS = ((1, 990, 10), (100, 990, 10), (990, 990, 10), (1980, 990, 10), (4000, 990, 10))
"""Inputs, hidden neurons, outputs: about 10 thousand to 4 million weights, at 1,000 neurons."""
NEURONS = ((16, 1_000, 10), (16, 3_000, 10), (16, 10_000, 10), (16, 30_000, 10), (16, 50_000, 2, 50_000, 10))
"""1,000 to 100,000 neurons, few weights each."""


@dataclass(frozen=True)
class Measurement:
    """One network: seconds by the clock (median, lowest) and of the processor in all threads (median), and bytes."""

    group: str
    network: str
    weights: int
    neurons: int
    domain: int
    tracks: int
    rows: int
    runs: int
    commit_seconds: float
    prove_median: float
    prove_lowest: float
    prove_processor: float
    verify_median: float
    verify_lowest: float
    proof_bytes: int
    model_bytes: int
    peak_bytes: int
    gas_estimate: int


def random_network(widths: tuple[int, ...], seed: int = 1, activation: Activation = RELU8) -> IntegerNetwork:
    """Uniform int8 weights, in rows of more than 784 inputs smaller ones in proportion: every sum fits a narrow lane, as those of trained
    networks do."""
    source = np.random.default_rng(seed)
    layers = []
    for inputs, outputs in pairwise(widths):
        largest = max(1, min(127, 127 * 784 // inputs))
        weights = source.integers(-largest, largest + 1, (outputs, inputs), dtype=np.int8)
        layers.append((weights, source.integers(-1000, 1001, outputs)))
    hidden = [DenseLayer(*layer, 8, activation) for layer in layers[:-1]]
    return IntegerNetwork((*hidden, DenseLayer(*layers[-1], 0, RELU)))


def measured(group: str, model: Model, commit_seconds: float, runs: int) -> Measurement:
    """Proves and verifies `runs` times in this process after one run that is not counted, and proves once as a whole process."""
    network, circuit = model.network, model.commitment.circuit
    image = mnist_images()[0] if circuit.inputs == 784 else np.random.default_rng(1).integers(0, 256, circuit.inputs, dtype=np.uint8)
    proof = prove(model, image)
    proving = [timed(lambda: prove(model, image)) for _ in range(runs)]
    checking = [timed(lambda: verify(model.commitment, image, proof)) for _ in range(runs)]
    with tempfile.TemporaryDirectory() as folder:
        paths = [str(Path(folder, name)) for name in ("m.model", "i.npy", "p.proof")]
        model.save(paths[0])
        np.save(paths[1], image)
        process = measure_process(["prove", paths[1], "--model", paths[0], "--out", paths[2]], 1)
    return Measurement(
        group=group, network=network.name, weights=sum(layer.weight_count for layer in network.layers),
        neurons=sum(network.shape[1:]), domain=circuit.domain, tracks=circuit.tracks if isinstance(circuit, WideCircuit) else 1,
        rows=circuit.total_rows, runs=runs, commit_seconds=commit_seconds,
        prove_median=statistics.median(clock for clock, _ in proving), prove_lowest=min(proving)[0],
        prove_processor=statistics.median(busy for _, busy in proving),
        verify_median=statistics.median(clock for clock, _ in checking), verify_lowest=min(checking)[0],
        proof_bytes=len(proof.to_bytes()), model_bytes=len(model.to_bytes()), peak_bytes=process.peak_bytes or 0,
        gas_estimate=estimate_costs(circuit).verify_gas_estimate,
    )  # fmt: skip


def timed(action: Callable[[], object]) -> tuple[float, float]:
    """Seconds by the clock and of the processor."""
    start, busy = time.perf_counter(), time.process_time()
    action()
    return time.perf_counter() - start, time.process_time() - busy


def measurements(models: list[Path], only: str | None, runs: int) -> Iterator[Measurement]:
    """Every row of the table, one network at a time."""
    if only != "scaling":
        for path in models:
            model = Model.load(path)
            yield measured("trained", *_committed(model.network if model.committed is None else model), runs)
        for shape in SHAPES:
            yield measured("random", *_committed(random_network(shape)), runs)
    if only != "networks":
        for group, shapes in (("weights", WEIGHTS_AT_1000_NEURONS), ("neurons", NEURONS)):
            for shape in shapes:
                yield measured(group, *_committed(random_network(shape)), runs)


def _committed(network: IntegerNetwork | Model) -> tuple[Model, float]:
    """A model and how long its commitment took; a model that is committed stays as it is, in 0 seconds."""
    if isinstance(network, Model):
        return network, 0.0
    start = time.perf_counter()
    return commit_model(network, placement="wide"), time.perf_counter() - start


def to_csv(found: list[Measurement]) -> str:
    """A line each, the names of the fields first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    names = [field.name for field in fields(Measurement)]
    writer.writerow(names)
    writer.writerows([f"{value:.4g}" if isinstance(value, float) else value for value in asdict(one).values()] for one in found)
    return text.getvalue()


def draw(found: list[Measurement], out: Path) -> list[Path]:
    """Proving time over weights, and over neurons."""
    from zkpredict.benchmarks.plots import lines

    written = []
    for group in ("weights", "neurons"):
        own = [one for one in found if one.group == group]
        if own:
            series = {
                "clock, lowest": [(getattr(one, group), one.prove_lowest) for one in own],
                "processor, median": [(getattr(one, group), one.prove_processor) for one in own],
            }
            written += lines(series, group, "proving, in process, seconds", out / f"scaling-wide-{group}")
    return written


def main() -> int:
    """Measures, prints, writes."""
    parser = argparse.ArgumentParser(description="Measure wide circuits.")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder (default: %(default)s)")
    parser.add_argument("--model", type=Path, action="append", default=[], help="a trained model to measure as well")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--only", choices=("networks", "scaling"))
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    found = []
    for one in measurements(arguments.model, arguments.only, arguments.runs):
        found.append(one)
        print(
            f"{one.group:<8} {one.network:<28} n={one.domain} tracks={one.tracks:<2} rows={one.rows:<5} prove {one.prove_median:.3f} s "
            f"(lowest {one.prove_lowest:.3f}, processor {one.prove_processor:.3f}), verify {1000 * one.verify_median:.1f} ms, "
            f"{one.proof_bytes:,} bytes, peak {one.peak_bytes / 1e6:.0f} MB of a {one.model_bytes / 1e6:.1f} MB model",
            flush=True,
        )
        write_atomically(arguments.out / "wide.csv", to_csv(found).encode())
    for path in draw(found, arguments.out):
        print(f"written {path}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
