"""`zkpredict report`: what quantisation cost, and what a proof will cost."""

from __future__ import annotations

import io
import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.console import Console

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from zkpredict.verifier.costs import Costs
    from zkpredict.training.report import AccuracyReport, CircuitReport, LayerReport

EXAMPLE = "zkpredict report --model examples/mnist.model --keras examples/mnist.keras --data tests/data"
_SHOWN_DISAGREEMENTS = 20


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("--model", metavar="FILE", required=True, help="integer model file")
    parser.add_argument("--keras", metavar="MODEL.keras", help="the float model it came from (needs Keras)")
    parser.add_argument("--data", metavar="DIR", help="folder with t10k idx files; without it, bounds and costs only")


def run(arguments: Namespace, console: Console) -> None:
    with console.step("start"):
        from zkpredict.prover.model import Model
        from zkpredict.training.datasets import load_split
        from zkpredict.training.report import accuracy_report, circuit_report

    if arguments.keras and not arguments.data:
        raise UnusableInput("--keras is compared on images: give --data too")
    network = Model.load(arguments.model).network
    circuit = circuit_report(network)
    accuracy = None
    if arguments.data:
        with console.step("reading images"):
            data = load_split(arguments.data, "test")
        floats = _load_floats(arguments.keras, console) if arguments.keras else None
        with console.step(f"classifying {len(data):,} images"):
            accuracy = accuracy_report(network, data, floats)
    console.result(
        {"network": network.name, "accuracy": accuracy.to_json() if accuracy else None, **circuit.to_json()},
        [] if console.as_json else _lines(network.name, accuracy, circuit),
    )


def _load_floats(path: str, console: Console):
    from zkpredict.training.importers.keras_files import import_keras, load_keras

    with console.step("starting Keras"):
        import_keras()
    with console.step("reading the Keras model"):
        return load_keras(path)


def _lines(name: str, accuracy: AccuracyReport | None, circuit: CircuitReport) -> list[str]:
    lines = [f"network {name}", ""]
    if accuracy is not None:
        lines += _accuracy_lines(accuracy)
    if circuit.costs is None:
        return [*lines, f"cannot be proven: {circuit.unprovable}"]
    return [*lines, *_render(_layer_table(circuit.layers)), "", *_cost_lines(circuit.costs)]


def _accuracy_lines(accuracy: AccuracyReport) -> list[str]:
    lines = [f"accuracy over {accuracy.images:,} test images"]
    if accuracy.float_accuracy is not None:
        lines.append(f"  float    {accuracy.float_accuracy:.2%}")
    lines.append(f"  integer  {accuracy.integer_accuracy:.2%}")
    if accuracy.lost_points is not None:
        lines.append(f"  quantisation lost {accuracy.lost_points:.2f} points")
    lines += ["", *_render(_confusion_table(accuracy)), ""]
    if accuracy.disagreements is not None:
        lines.append(f"float and integer disagree on {len(accuracy.disagreements)} images")
        for entry in accuracy.disagreements[:_SHOWN_DISAGREEMENTS]:
            lines.append(
                f"  image {entry.index:5}  label {entry.label}  float {entry.float_digit}  integer {entry.integer_digit}"
            )
        left = len(accuracy.disagreements) - _SHOWN_DISAGREEMENTS
        lines += [f"  and {left} more (all of them with --json)", ""] if left > 0 else [""]
    return lines


def _cost_lines(costs: Costs) -> list[str]:
    return [
        "a proof will cost",
        f"  trace          {costs.domain:,} rows, {costs.packs} of {costs.packs_available} packs in use",
        f"  commitments    {costs.committed_rows} rows, {costs.registry_bytes:,} bytes in a registry",
        f"  proof          {costs.proof_payload_bytes} bytes of points and scalars",
        f"  verification   about {costs.verify_gas_estimate:,} gas at most, {costs.folded_points} points folded "
        "(estimate for an image without blank pixels; every blank one costs less)",
    ]


def _layer_table(layers: Sequence[LayerReport]) -> Table:
    table = _table("bounds over all byte inputs")
    for heading in ("layer", "shape", "|weight|", "|z|", "shift", "lanes", "headroom"):
        table.add_column(heading, justify="right")
    for layer in layers:
        table.add_row(
            str(layer.number), f"{layer.inputs} to {layer.outputs}", str(layer.largest_weight), f"{layer.bound:,}",
            str(layer.shift), f"{layer.lane}, {layer.lane_bits} bits", f"{layer.headroom_bits:.2f} bits",
        )
    return table


def _confusion_table(accuracy: AccuracyReport) -> Table:
    table = _table("integer answers: a row for each label, a column for each answer")
    table.add_column("", justify="right", style="bold")
    classes = len(accuracy.confusion)
    for answer in range(classes):
        table.add_column(str(answer), justify="right")
    for label, counts in enumerate(accuracy.confusion.tolist()):
        cells = [f"[bold]{n}[/bold]" if n and answer == label else str(n or "·") for answer, n in enumerate(counts)]
        table.add_row(str(label), *cells)
    return table


def _table(title: str) -> Table:
    from rich import box
    from rich.table import Table

    return Table(title=title, title_justify="left", title_style="", box=box.SIMPLE_HEAD)


def _render(table: Table) -> list[str]:
    """The table as lines, styled when stdout is a terminal, as wide as it needs to be."""
    from rich.console import Console as RichConsole

    target = io.StringIO()
    RichConsole(file=target, width=400, force_terminal=sys.stdout.isatty()).print(table)
    return [line.rstrip() for line in target.getvalue().rstrip().split("\n")]
