"""`zkpredict train`: a Keras network on MNIST idx files."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.outputs import KERAS
from zkpredict.circuits.files.storage import refuse_to_replace
from zkpredict.cli.console import Console
from zkpredict.cli.parser import add_force_option
from zkpredict.training.activations import RATIONALS, RELU, FloatActivation, rational
from zkpredict.training.datasets import LabelledImages, fetch_splits, load_split
from zkpredict.training.lenet import BATCH, EPOCHS, HIDDEN, POOLINGS, train_lenet
from zkpredict.training.networks import Recipe, train

EXAMPLE = """zkpredict train --data mnist/ --out mnist.keras
zkpredict train --fetch --out mnist.keras
zkpredict train --data mnist/ --activation rational_relu --delta 0.3 --out rational.keras
zkpredict train --data mnist/ --network lenet --out lenet.keras"""
DELTA = 0.3


def configure(parser: ArgumentParser) -> None:
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", metavar="DIR", help="folder with the four MNIST idx files, plain or .gz")
    source.add_argument("--fetch", action="store_true", help="let Keras download MNIST")
    parser.add_argument("--out", metavar="FILE", required=True, help="Keras model to write, ends in .keras")
    add_force_option(parser)
    widths = " ".join(map(str, Recipe.hidden))
    parser.add_argument(
        "--network", choices=("dense", *POOLINGS), default="dense", help="dense layers of the widths below; or LeNet-5 with average or max pooling: "
        "6 and 16 kernels 5 x 5, then 120 and 84 (default: %(default)s)"
    )  # fmt: skip
    parser.add_argument("--layers", metavar="WIDTH", type=int, nargs="+", help=f"hidden widths of dense networks (default: {widths})")
    parser.add_argument(
        "--activation", choices=("relu", *RATIONALS), default="relu", help="of the hidden layers; the rational ones: v^2 / (delta + |v|), "
        "v (delta + |v| + v) / (2 (delta + |v|)), v / (delta + |v|) (default: %(default)s)"
    )  # fmt: skip
    parser.add_argument("--delta", type=float, help=f"of a rational activation, above 0 (default: {DELTA})")
    parser.add_argument("--epochs", type=int, help=f"passes over the training images (default: {Recipe.epochs}, of LeNet-5 {EPOCHS})")
    parser.add_argument("--batch", type=int, help=f"images in a gradient step (default: {Recipe.batch}, of LeNet-5 {BATCH})")
    parser.add_argument("--seed", type=int, default=Recipe.seed, help="start of all randomness (default: %(default)s)")


def run(arguments: Namespace, console: Console) -> None:
    from zkpredict.training.importers.keras_files import import_keras, save_keras
    from zkpredict.training.importers.keras_layers import keras_model

    recipe = _recipe(arguments)
    out = Path(arguments.out)
    if out.suffix != ".keras" or not out.parent.is_dir():
        raise UnusableInput(f"cannot write {out}: give a file that ends in .keras in a folder that exists")
    refuse_to_replace(out, KERAS, arguments.force)
    with console.step("reading images"):
        fitting, test = _splits(arguments)
    with console.step("starting Keras"):
        import_keras()
    with console.progress("training", recipe.epochs) as advance:
        lenet = arguments.network in POOLINGS
        trained = train_lenet(fitting, recipe, advance, arguments.network) if lenet else train(fitting, recipe, advance)
    with console.step("testing"):
        found = keras_model(import_keras(), trained.model, "the trained model")
        network = found.over(found.demand())
        accuracy = float((network.digits(test.flat) == test.labels).mean())
    refuse_to_replace(out, KERAS, arguments.force)  # again: training took its time
    save_keras(trained.model, out)
    facts = {
        "network": "-".join(map(str, network.shape)),
        "training_images": len(fitting),
        "test_images": len(test),
        "validation_accuracy": trained.validation_accuracy,
        "test_accuracy": accuracy,
        "out": str(out),
    }
    _show(console, recipe, facts)


def _recipe(arguments: Namespace) -> Recipe:
    """What the options say. Raises `UnusableInput`."""
    activation, lenet = _activation(arguments), arguments.network in POOLINGS
    if lenet and (arguments.layers is not None or activation != RELU):
        raise UnusableInput(f"--network {arguments.network} has its own layers, with relu: leave out --layers and --activation")
    epochs = arguments.epochs if arguments.epochs is not None else EPOCHS if lenet else Recipe.epochs
    batch = arguments.batch if arguments.batch is not None else BATCH if lenet else Recipe.batch
    return Recipe(HIDDEN if lenet else tuple(arguments.layers or Recipe.hidden), epochs, batch, arguments.seed, activation)


def _activation(arguments: Namespace) -> FloatActivation:
    if arguments.activation in RATIONALS:
        return rational(arguments.activation, DELTA if arguments.delta is None else arguments.delta)
    if arguments.delta is not None:
        raise UnusableInput(f"--delta belongs to a rational activation: add --activation {', '.join(RATIONALS)}")
    return RELU


def _splits(arguments: Namespace) -> tuple[LabelledImages, LabelledImages]:
    """Training and test images, of one size."""
    fitting, test = fetch_splits() if arguments.fetch else (load_split(arguments.data, "train"), load_split(arguments.data, "test"))
    if fitting.images.shape[1:] != test.images.shape[1:]:
        raise UnusableInput(f"training images are {fitting.images.shape[1:]}, test images {test.images.shape[1:]}")
    return fitting, test


def _show(console: Console, recipe: Recipe, facts: dict) -> None:
    console.result(
        {"epochs": recipe.epochs, "batch": recipe.batch, "seed": recipe.seed, "seconds": console.times, **facts},
        [
            f"{facts['network']} trained for {recipe.epochs} epochs on {facts['training_images']:,} images (seed {recipe.seed})",
            f"  float accuracy   {facts['test_accuracy']:.2%} of {facts['test_images']:,} test images, "
            f"{facts['validation_accuracy']:.2%} in validation",
            f"  written          {facts['out']}",
        ],
    )
