"""What only a checkout of the repository has, for the developers' commands: the example model and the MNIST test images."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.idx import read_images, read_labels
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.prover.model import Model

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = 100


def example_network(name: str = "mnist.model") -> IntegerNetwork:
    """The network of an example model, 784-64-10. Raises `UnusableInput` outside a checkout."""
    return example_model(name).network


def example_model(name: str) -> Model:
    """An example model with its commitment. Raises `UnusableInput` outside a checkout."""
    return Model.load(_path(f"examples/{name}"))


def sample_images() -> np.ndarray:
    """The first 100 MNIST test images, uint8 [100, 784]. Raises `UnusableInput` outside a checkout."""
    return read_images(_path("tests/data/t10k-images-idx3-ubyte.gz")).reshape(-1, 784)[:SAMPLE]


def mnist_samples() -> tuple[np.ndarray, np.ndarray]:
    """All MNIST test images and their labels, uint8 [10000, 784] and [10000]. Raises `UnusableInput` outside a checkout."""
    images = read_images(_path("tests/data/t10k-images-idx3-ubyte.gz")).reshape(-1, 784)
    return images, read_labels(_path("tests/data/t10k-labels-idx1-ubyte.gz"))


def typical_image(images: np.ndarray) -> int:
    """Number of the image that has as many non-zero pixels as the median."""
    return int(np.argsort((images > 0).sum(axis=1), kind="stable")[len(images) // 2])


def _path(name: str) -> Path:
    path = ROOT / name
    if not path.is_file():
        raise UnusableInput(f"this command needs a checkout of the repository: there is no {path}")
    return path
