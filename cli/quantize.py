"""`zkpredict quantize`: a Keras model becomes an integer model file."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from zkpredict.cli.console import Console

EXAMPLE = "zkpredict quantize examples/mnist.keras --out mnist.model"


def configure(parser: ArgumentParser) -> None:
    parser.add_argument("keras", metavar="MODEL.keras", help="dense ReLU network saved by Keras 3")
    parser.add_argument("--out", metavar="FILE", required=True, help="integer model to write (private: it holds the weights)")


def run(arguments: Namespace, console: Console) -> None:
    from zkpredict.prover.model import Model
    from zkpredict.training.keras_files import import_keras, load_keras
    from zkpredict.training.quantize import quantize
    from zkpredict.training.report import layer_reports

    with console.step("starting Keras"):
        import_keras()
    with console.step("reading the Keras model"):
        floats = load_keras(arguments.keras)
    with console.step("quantising"):
        model = Model(quantize(floats))
        layers = layer_reports(model.compiled)
    model.save(arguments.out)
    console.result(
        {"network": model.network.name, "layers": [layer.to_json() for layer in layers], "out": arguments.out},
        [
            f"{model.network.name} in integers",
            *(layer.to_line() for layer in layers),
            f"  written  {arguments.out}",
        ],
    )
