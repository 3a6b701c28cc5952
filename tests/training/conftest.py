"""What the training tests share: the shipped images, float networks, and Keras files."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from zkpredict.training.datasets import LabelledImages, load_split
from zkpredict.training.floating import FloatLayer, FloatNetwork
from zkpredict.training.importers.keras_files import save_keras

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def data_folder() -> Path:
    return ROOT / "tests" / "data"


@pytest.fixture(scope="session")
def examples() -> Path:
    return ROOT / "examples"


@pytest.fixture(scope="session")
def test_images(data_folder) -> LabelledImages:
    """The 10,000 MNIST test images."""
    return load_split(data_folder, "test")


@pytest.fixture
def random_network():
    """Makes float networks of any shape, weights normal, biases small."""

    def make(*shape: int, seed: int = 0, **pixels: float) -> FloatNetwork:
        draw = np.random.default_rng(seed)
        layers = [
            FloatLayer(f"dense_{t}", draw.normal(size=(outputs, inputs)) / inputs**0.5, draw.normal(size=outputs) / 10)
            for t, (inputs, outputs) in enumerate(zip(shape, shape[1:]))
        ]
        return FloatNetwork(tuple(layers), **pixels)

    return make


@pytest.fixture
def saved(tmp_path):
    """Saves a model and gives its path."""

    def save(model):
        path = tmp_path / "model.keras"
        save_keras(model, path)
        return path

    return save


@pytest.fixture
def tampered(saved):
    """A saved plain model with one archive member changed, removed (None) or added."""

    def tamper(name: str, change, packing=zipfile.ZIP_STORED):
        from keras_cases import plain

        path = saved(plain())
        with zipfile.ZipFile(path) as archive:
            members = {entry: archive.read(entry) for entry in archive.namelist()}
        members[name] = change(members.get(name))
        with zipfile.ZipFile(path, "w", packing) as archive:
            for entry, content in members.items():
                if content is not None:
                    archive.writestr(entry, content)
        return path

    return tamper
