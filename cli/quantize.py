"""`zkpredict quantize`: a Keras model becomes an integer model file."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from zkpredict.circuits.files.outputs import MODEL
from zkpredict.circuits.files.storage import refuse_to_replace
from zkpredict.cli.calibration import add_calibration_options, quantise
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.statement import refuse_same_file

EXAMPLE = """zkpredict quantize examples/mnist.keras --out mnist.model
zkpredict quantize deep.keras --calibrate mnist/ --out deep.model"""


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("keras", metavar="MODEL.keras", help="dense ReLU network saved by Keras 3")
    parser.add_argument("--out", metavar="FILE", required=True, help="integer model to write (private: it holds the weights)")
    add_calibration_options(parser)
    add_force_option(parser)


def run(arguments: Namespace, console: Console) -> int | None:
    from zkpredict.prover.model import Model
    from zkpredict.training.importers.keras_files import import_keras, load_keras
    from zkpredict.training.report import circuit_report

    refuse_same_file(arguments.out, Keras_model=arguments.keras)
    refuse_to_replace(arguments.out, MODEL, arguments.force)
    with console.step("starting Keras"):
        import_keras()
    with console.step("reading the Keras model"):
        floats = load_keras(arguments.keras)
    found = quantise(arguments, console, floats)
    if found.refusal:
        console.error(f"{found.refusal}; nothing was written", REFUSED)
        return REFUSED
    model, circuit = Model(found.network), circuit_report(found.network)
    model.save(arguments.out)
    console.result(
        {"network": model.network.name, "out": arguments.out, **found.facts, **circuit.to_json()},
        [
            f"{model.network.name} in integers",
            *found.lines,
            *(layer.to_line() for layer in circuit.layers),
            *([f"  cannot be proven: {circuit.unprovable}"] if circuit.unprovable else []),
            f"  written  {arguments.out}",
        ],
    )
    return None
