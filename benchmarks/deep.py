"""Whether deep networks keep their accuracy in integers: trains them, calibrates them, and counts right answers.

    python -m zkpredict.benchmarks.deep --data mnist/

`mnist/` holds the four MNIST idx files. Takes some minutes; needs zkpredict[training]. Exit code 1 when a network loses more points of
accuracy on the 10,000 test images than `NETWORKS` allows.
"""

from __future__ import annotations

import argparse
import sys

from zkpredict.training.calibrate import Calibration, calibrate
from zkpredict.training.datasets import calibration_data, load_split
from zkpredict.training.importers.keras_files import import_keras
from zkpredict.training.importers.keras_layers import keras_model
from zkpredict.training.networks import Recipe, train

NETWORKS: dict[tuple[int, ...], float] = {(64,): 0.1, (256,) * 5: 0.2, (128,) * 10: 0.2}
"""Hidden widths, and the points that quantisation may lose."""
EPOCHS = 12


def kept_accuracy(folder: str, hidden: tuple[int, ...], epochs: int = EPOCHS, seed: int = 1) -> Calibration:
    """Trains 784-hidden-10 on the training images and quantises it with them; measured on the test images."""
    fitting = load_split(folder, "train")
    model = train(fitting, Recipe(hidden, epochs, seed=seed)).model
    imported = keras_model(import_keras(), model, "the trained model")
    floats = imported.over(imported.demand())
    return calibrate(floats, calibration_data(folder, floats.shape[0]))


def main() -> int:
    """Prints a line for each network; 1 when one lost too much."""
    parser = argparse.ArgumentParser(description="Train deep networks and see what quantisation costs them.")
    parser.add_argument("--data", metavar="DIR", required=True, help="folder with the four MNIST idx files")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="passes over the training images (default: %(default)s)")
    arguments = parser.parse_args()
    failed = False
    for hidden, limit in NETWORKS.items():
        found = kept_accuracy(arguments.data, hidden, arguments.epochs)
        saturated = max((layer.saturated or 0.0 for layer in found.chosen.layers), default=0.0)
        worst = max(interval.magnitude for interval in found.chosen.network.intervals)
        print(
            f"{found.chosen.network.name}: float {found.float_accuracy:.2%}, integer {found.chosen.accuracy:.2%} with {found.chosen.name} "
            f"(lost {found.lost_points:.2f} points, allowed {limit:.2f}); at most {saturated:.3%} of a layer saturated, |z| < 2^{worst.bit_length()} "
            f"on any image; tried {found.tried}",
            flush=True,
        )
        failed = failed or found.lost_points > limit
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
