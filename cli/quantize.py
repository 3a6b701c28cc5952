"""`zkpredict quantize`: a float model becomes an integer model file."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.outputs import MODEL
from zkpredict.circuits.files.storage import refuse_to_replace
from zkpredict.cli.calibration import add_calibration_options, quantise
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.private import BOUNDS, add_private_option, say_private
from zkpredict.cli.statement import refuse_same_file

if TYPE_CHECKING:
    from zkpredict.cli.calibration import Quantised
    from zkpredict.prover.model import Model
    from zkpredict.circuits.files.schema import Schema
    from zkpredict.training.calibrate import CalibrationData
    from zkpredict.training.importers.imported import Imported
    from zkpredict.training.inputs import InputScale
    from zkpredict.training.samples import Readings

EXAMPLE = """zkpredict quantize examples/mnist.keras --out mnist.model
zkpredict quantize examples/tables/iris.onnx --calibrate examples/tables/iris.csv --out iris.model
zkpredict quantize pixels.h5 --input-scale unit --calibrate mnist/ --out pixels.model"""


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("original", metavar="MODEL", help="float model of dense layers, convolutions and pools: .keras, .h5, .hdf5 (Keras 2 and 3) or .onnx")
    parser.add_argument("--out", metavar="FILE", required=True, help="integer model to write (private: it holds the weights)")
    parser.add_argument(
        "--input-scale", metavar="SCALE", help="how a byte becomes an input: unit (byte / 255), signed (byte / 127.5 - 1), bytes (as they "
        "are), LOW:HIGH (byte 0 is LOW, byte 255 HIGH), or a .json of features; needed when neither model nor table say"
    )  # fmt: skip
    add_calibration_options(parser)
    parser.add_argument("--label", metavar="COLUMN", help="the column of a table that is no feature (default: the one left over)")
    parser.add_argument("--classes", metavar="NAMES", help="names of the classes, between commas, in the order of the outputs")
    parser.add_argument("--threshold", metavar="T", help="for a model of one output: class 1 is an output above T")
    add_force_option(parser)
    add_private_option(parser, BOUNDS)


def run(arguments: Namespace, console: Console) -> int | None:
    from zkpredict.prover.model import Model
    from zkpredict.training.importers import read_model
    from zkpredict.training.inputs import parse_threshold

    refuse_same_file(arguments.out, float_model=arguments.original, table=arguments.calibrate)
    refuse_to_replace(arguments.out, MODEL, arguments.force)
    threshold = None if arguments.threshold is None else parse_threshold(arguments.threshold)
    load_libraries(arguments.original, console)
    with console.step("reading the model"):
        imported = read_model(arguments.original, threshold)
    with console.step("reading data"):
        scale, table = _scale(arguments, imported)
        schema = imported.schema(scale, _names(arguments.classes))
        data = _data(arguments, imported, scale, schema, table)
    if data is not None:
        with console.step("asking the original"):
            data = _with_answers(arguments, imported, scale, data, table)
    found = quantise(arguments, console, imported.over(scale), data)
    if found.refusal:
        console.error(f"{found.refusal}; nothing was written", REFUSED)
        return REFUSED
    model = Model(found.network, schema=schema)
    model.save(arguments.out)
    _show(arguments, console, imported, scale, model, found)
    return None


def _show(
    arguments: Namespace, console: Console, imported: Imported, scale: InputScale, model: Model, found: Quantised
) -> None:
    """Says what was found about the inputs and the classes, what was rewritten, and how the layers came out."""
    from zkpredict.training.report import circuit_report

    circuit, schema, notes = circuit_report(found.network), model.schema, list(imported.folded.notes)
    if arguments.private and circuit.layers:
        say_private(console, BOUNDS, arguments.out)
    console.result(
        {
            "network": model.network.name, "out": arguments.out, "input": scale.said, "notes": notes,
            "features": [[feature.name, feature.low, feature.high] for feature in schema.features], "classes": list(schema.classes),
            **found.facts, **circuit.to_json(arguments.private),
        },
        [
            f"{model.network.name} in integers",
            f"  input    {scale.said}",
            *([f"  classes  {', '.join(schema.classes)}"] if schema.classes else []),
            *(f"  note     {note}" for note in notes),
            *found.lines,
            *(layer.to_line(arguments.private) for layer in circuit.layers),
            *([f"  cannot be proven: {circuit.unprovable}"] if circuit.unprovable else []),
            f"  written  {arguments.out}",
        ],
    )  # fmt: skip


def load_libraries(path: str, console: Console) -> None:
    """Starts what reading this file needs, as a step of its own: Keras takes seconds. Raises `UnusableInput`."""
    from zkpredict.training.importers import importer_of

    if importer_of(path).package == "Keras":
        from zkpredict.training.importers.keras_files import import_keras

        with console.step("starting Keras"):
            import_keras()


def _scale(arguments: Namespace, imported: Imported) -> tuple[InputScale, Readings | None]:
    """What the owner states, else what a table shows, else what the model says; and the table. Raises `UnusableInput` for none."""
    from zkpredict.circuits.files.schema import Feature, Schema
    from zkpredict.training.inputs import parse_input_scale, scale_of_readings
    from zkpredict.training.samples import Readings, is_table

    stated = parse_input_scale(arguments.input_scale, imported.inputs) if arguments.input_scale else None
    if arguments.calibrate is None or not is_table(arguments.calibrate) or _are_images(arguments, imported, stated):
        if arguments.label is not None:
            raise UnusableInput("--label names a column of a table: give one with --calibrate")
        return stated or imported.demand(), None
    if imported.turned is not None:
        raise UnusableInput(
            f"{imported.source} takes pictures with channels first, and a table shows no order: give --calibrate an .npy of bytes "
            f"[images, {', '.join(map(str, _channels_first(imported)))}], and --input-scale unit, signed or bytes"
        )
    known = stated.schema if stated else Schema(tuple(Feature(name, 0.0, 1.0) for name in imported.features))
    table = Readings.read(arguments.calibrate, known, imported.inputs, arguments.label)
    names = imported.features or table.names or imported.names
    scale = stated or scale_of_readings(table.numbers(), names, arguments.calibrate)
    if not scale.schema.features:
        raise UnusableInput(f"--input-scale {arguments.input_scale} is for bytes: give --calibrate a folder of idx files, or another scale")
    return scale, table


def _channels_first(imported: Imported) -> tuple[int, ...]:
    picture = imported.picture
    return () if picture is None else (picture.channels, picture.height, picture.width)


def _are_images(arguments: Namespace, imported: Imported, stated: InputScale | None) -> bool:
    """Whether `--calibrate` is an array of bytes for a model that is fed bytes, and not of readings."""
    from zkpredict.training.datasets import holds_bytes

    if arguments.label is not None or not holds_bytes(arguments.calibrate):
        return False
    scale = stated or imported.found()
    return scale is not None and not scale.schema.features


def _data(
    arguments: Namespace, imported: Imported, scale: InputScale, schema: Schema, table: Readings | None
) -> CalibrationData | None:
    """What scales are chosen from and accuracy is measured on; None without `--calibrate`."""
    from zkpredict.training.calibrate import CalibrationData
    from zkpredict.training.datasets import calibration_data

    if arguments.calibrate is None:
        return None
    if table is None:
        return calibration_data(arguments.calibrate, imported.inputs, imported.picture, imported.turned is not None)
    rows = table.rows(schema, schema.classes)
    return CalibrationData(rows.flat, rows.flat, rows.labels, f"scales from, and measured on, the {len(rows):,} rows of {arguments.calibrate}", noun="rows")


def _with_answers(
    arguments: Namespace, imported: Imported, scale: InputScale, data: CalibrationData, table: Readings | None
) -> CalibrationData:
    """The data with what the original itself says about it: it is fed readings as they stand, or bytes by the scale."""
    from dataclasses import replace

    from zkpredict.training.original import original_classes

    values = data.check * scale.factor + scale.offset if table is None else table.numbers()
    return replace(data, answers=original_classes(arguments.original, imported, values))


def _names(text: str | None) -> tuple[str, ...]:
    return () if text is None else tuple(name.strip() for name in text.split(","))
