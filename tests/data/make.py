"""Makes the files of this folder again, byte for byte: python tests/data/make.py FOLDER_WITH_MNIST_IDX_FILES

The float digits come from `model.predict` of Keras itself on examples/mnist.keras, so they check our reading of Keras too.
"""

import gzip
import sys
from pathlib import Path

import numpy as np

from zkpredict.training.datasets import load_split
from zkpredict.training.importers.keras_files import import_keras

HERE = Path(__file__).resolve().parent


def main(source: Path) -> None:
    for name in ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"):
        (HERE / f"{name}.gz").write_bytes(gzip.compress((source / name).read_bytes(), 9, mtime=0))
    model = import_keras().saving.load_model(HERE.parents[1] / "examples" / "mnist.keras", compile=False)
    logits = model.predict(load_split(HERE, "test").flat, batch_size=1000, verbose=0)
    np.save(HERE / "mnist-float-digits.npy", logits.argmax(axis=1).astype(np.uint8))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
