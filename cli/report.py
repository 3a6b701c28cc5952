"""`zkpredict report`: what quantisation cost, and what a proof will cost."""

from __future__ import annotations

import io
import sys
from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput, bits
from zkpredict.cli.console import Console
from zkpredict.cli.private import BOUNDS, add_private_option, load_model, say_private

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from rich.table import Table

    from zkpredict.circuits.files.schema import Schema
    from zkpredict.circuits.networks.reference import IntegerNetwork
    from zkpredict.training.datasets import LabelledImages
    from zkpredict.training.samples import Rows
    from zkpredict.verifier.costs import Costs
    from zkpredict.training.report import AccuracyReport, CircuitReport, LayerReport, Offer

EXAMPLE = "zkpredict report --model examples/mnist.model --original examples/mnist.keras --data tests/data"
_SHOWN_DISAGREEMENTS = 20


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("--model", metavar="FILE", required=True, help="integer model file")
    parser.add_argument(
        "--original", "--keras", metavar="MODEL", help="the float model it came from, run by Keras or the ONNX runtime on the data"
    )
    parser.add_argument("--data", metavar="DATA", help="folder with t10k idx files, or a table; without it, bounds and costs only")
    parser.add_argument("--label", metavar="COLUMN", help="the column of a table that holds the classes (default: the one left over)")
    parser.add_argument("--input-scale", metavar="SCALE", help="how the original is fed bytes, when it does not say: unit, signed, bytes")
    parser.add_argument("--threshold", metavar="T", help="for an original of one output: class 1 is an output above T")
    add_private_option(parser, BOUNDS)


def run(arguments: Namespace, console: Console) -> None:
    with console.step("start"):
        from zkpredict.training.report import accuracy_report, circuit_report

    if arguments.original and not arguments.data:
        raise UnusableInput("--original is compared on data: give --data too")
    for option, value in (("--input-scale", arguments.input_scale), ("--threshold", arguments.threshold)):
        if value is not None and not arguments.original:
            raise UnusableInput(f"{option} is about --original MODEL: give that too")
    model = load_model(arguments.model, console)
    network, schema = model.network, model.schema
    circuit = circuit_report(network, model.compiled if model.committed else None)
    if arguments.private and circuit.layers:
        say_private(console, BOUNDS, arguments.model)
    accuracy, noun = None, "images"
    if arguments.data:
        with console.step("reading data"):
            data = _samples(arguments, network.shape[0], schema)
        noun = data.noun
        answers = _original_answers(arguments, console, data, network, schema) if arguments.original else None
        with console.step(f"classifying {len(data):,} {noun}"):
            accuracy = accuracy_report(network, data, answers)
    console.result(
        {"network": network.name, "accuracy": accuracy.to_json() if accuracy else None, **circuit.to_json(arguments.private)},
        [] if console.as_json else _lines(network.name, accuracy, circuit, arguments.private, noun, schema.classes),
    )


def _samples(arguments: Namespace, inputs: int, schema: Schema) -> LabelledImages | Rows:
    """The labelled images or rows of `--data`. Raises `UnusableInput` when they do not go with the model."""
    from zkpredict.training.datasets import load_split
    from zkpredict.training.samples import Readings, is_table

    if not is_table(arguments.data):
        if not schema.shared:
            raise UnusableInput(f"--data {arguments.data}: this model takes {inputs} readings, give a table (.csv, .tsv, .json, .npy)")
        if arguments.label is not None:
            raise UnusableInput("--label names a column of a table: --data is a folder of images")
        return load_split(arguments.data, "test")
    if not schema.features:
        raise UnusableInput(f"--data {arguments.data}: this model has no feature scale, it takes bytes: give a folder of idx files")
    rows = Readings.read(arguments.data, schema, inputs, arguments.label).rows(schema, schema.classes)
    if rows.labels is None:
        raise UnusableInput(f"--data {arguments.data}: which column holds the classes? A table of features needs one more")
    return rows


def _original_answers(
    arguments: Namespace, console: Console, data: LabelledImages | Rows, network: IntegerNetwork, schema: Schema
) -> np.ndarray:
    """The classes that the original gives the data, in its own units. Raises `UnusableInput` when it is another network."""
    from zkpredict.cli.quantize import load_libraries
    from zkpredict.training.importers import read_model
    from zkpredict.training.inputs import InputScale, parse_input_scale, parse_threshold
    from zkpredict.training.original import original_classes
    from zkpredict.training.samples import Rows

    threshold = None if arguments.threshold is None else parse_threshold(arguments.threshold)
    load_libraries(arguments.original, console)
    with console.step("reading the original"):
        imported = read_model(arguments.original, threshold)
    shape = (imported.inputs, *(layer.outputs for layer in imported.layers))
    if shape != network.shape:
        raise UnusableInput(
            f"{imported.source} is {'-'.join(map(str, shape))}, the integer model {network.name}: they are not the same network"
        )
    if isinstance(data, Rows):
        values = data.readings
    else:
        stated = parse_input_scale(arguments.input_scale, imported.inputs) if arguments.input_scale else None
        own = InputScale.of_features(schema.features, imported.inputs, "") if schema.features else None
        scale = stated or own or imported.demand()
        values = data.flat * scale.factor + scale.offset
    with console.step("asking the original"):
        return original_classes(arguments.original, imported, values)


def _lines(
    name: str, accuracy: AccuracyReport | None, circuit: CircuitReport, private: bool, noun: str = "images", classes: Sequence[str] = ()
) -> list[str]:
    lines = [f"network {name}", ""]
    if accuracy is not None:
        lines += _accuracy_lines(accuracy, noun, classes)
    if circuit.costs is None:
        return [*lines, f"cannot be proven: {circuit.unprovable}"]
    rounded = [] if private else ["rounded up to powers of two; --private shows exact bounds, shifts and headroom"]
    layers = _render(_layer_table(circuit.layers, private))
    return [*lines, *layers, *rounded, "", *_cost_lines(circuit.costs), "", *_render(_choice_table(circuit.offers)), f"chosen, because {circuit.why}"]


def _accuracy_lines(accuracy: AccuracyReport, noun: str, classes: Sequence[str]) -> list[str]:
    lines = [f"accuracy over {accuracy.images:,} test images" if noun == "images" else f"accuracy over {accuracy.images:,} {noun}"]
    if accuracy.float_accuracy is not None:
        lines.append(f"  float    {accuracy.float_accuracy:.2%}")
    lines.append(f"  integer  {accuracy.integer_accuracy:.2%}")
    if accuracy.lost_points is not None:
        lines.append(f"  quantisation lost {accuracy.lost_points:.2f} points")
    lines += ["", *_render(_confusion_table(accuracy, classes)), ""]
    if accuracy.disagreements is not None:
        lines.append(f"float and integer disagree on {len(accuracy.disagreements)} {noun}")
        for entry in accuracy.disagreements[:_SHOWN_DISAGREEMENTS]:
            lines.append(
                f"  {noun[:-1]} {entry.index:5}  label {entry.label}  float {entry.float_digit}  integer {entry.integer_digit}"
            )
        left = len(accuracy.disagreements) - _SHOWN_DISAGREEMENTS
        lines += [f"  and {left} more (all of them with --json)", ""] if left > 0 else [""]
    return lines


def _cost_lines(costs: Costs) -> list[str]:
    tracks = f" in {costs.tracks} tracks" if costs.tracks > 1 else ""
    return [
        f"a proof will cost, in a {costs.placement} circuit",
        f"  trace          {costs.domain:,} rows{tracks}, {costs.packs} of {costs.packs_available} packs in use",
        f"  commitments    {costs.committed_rows} rows, {costs.registry_bytes:,} bytes in a registry",
        f"  proof          {costs.proof_bytes:,} bytes, made in about {costs.prove_seconds_estimate:.2f} s of processor time",
        f"  verification   {_gas(costs)}",
    ]


def _gas(costs: Costs) -> str:
    """What verification on-chain is estimated to cost, or that there is none."""
    if costs.verify_gas_estimate is None:
        return "native only: no contract is made for these convolutions (docs/convolutions.md)"
    universal = "" if costs.universal_gas_estimate is None else f", {costs.universal_gas_estimate:,} at the universal verifier"
    return (
        f"about {costs.verify_gas_estimate:,} gas at most{universal}, {costs.folded_points} points folded (estimates for an image without "
        "blank pixels; every blank one costs less)"
    )


def _choice_table(offers: Sequence[Offer]) -> Table:
    table = _table("where it could be placed")
    for heading in ("", "placement", "n", "tracks", "points", "proof bytes", "rows", "gas, about", "processor s, about"):
        table.add_column(heading, justify="left" if heading in ("", "placement") else "right")
    for offer in offers:
        mark, costs = "chosen" if offer.chosen else "", offer.costs
        if costs is None:
            table.add_row(mark, offer.placement, str(offer.domain), "does not fit")
            continue
        table.add_row(
            mark, offer.placement + ", replicas" * bool(offer.replicas) + ", shared rows" * offer.shared, str(offer.domain), str(costs.tracks), str(costs.proof_points), f"{costs.proof_bytes:,}",
            f"{costs.committed_rows:,}", "none" if costs.verify_gas_estimate is None else f"{costs.verify_gas_estimate:,}", f"{costs.prove_seconds_estimate:.2f}",
        )  # fmt: skip
    return table


def _layer_table(layers: Sequence[LayerReport], private: bool) -> Table:
    table = _table("bounds over all byte inputs")
    for heading in ("layer", "shape", "|weight|", "|z|", "lanes", *(("shift", "headroom") if private else ())):
        table.add_column(heading, justify="right")
    for layer in layers:
        shown = (str(layer.largest_weight), f"{layer.bound:,}") if private else (bits(layer.largest_weight), bits(layer.bound))
        table.add_row(
            str(layer.number), layer.shape, *shown, f"{layer.lane}, {layer.lane_bits} bits",
            *((str(layer.shift), f"{layer.headroom_bits:.2f} bits") if private else ()),
        )  # fmt: skip
    return table


def _confusion_table(accuracy: AccuracyReport, names: Sequence[str]) -> Table:
    table = _table("integer answers: a row for each label, a column for each answer")
    table.add_column("", justify="right", style="bold")
    classes = len(accuracy.confusion)
    for answer in range(classes):
        table.add_column(names[answer] if names else str(answer), justify="right")
    for label, counts in enumerate(accuracy.confusion.tolist()):
        cells = [f"[bold]{n}[/bold]" if n and answer == label else str(n or "·") for answer, n in enumerate(counts)]
        table.add_row(names[label] if names else str(label), *cells)
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
