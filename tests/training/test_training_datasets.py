"""Folders of idx files: both spellings, plain or gzip, and what is said when they do not fit."""

import gzip
import shutil
import struct

import numpy as np
import pytest
from support import refuses

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.training.datasets import LabelledImages, load_split


def _idx(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def folder(tmp_path, test_images):
    """The first five real test images, as plain files in the original spelling."""
    (tmp_path / "t10k-images-idx3-ubyte").write_bytes(_idx(test_images.images[:5]))
    (tmp_path / "t10k-labels-idx1-ubyte").write_bytes(_idx(test_images.labels[:5]))
    return tmp_path


def test_real_test_images(test_images):
    assert len(test_images) == 10_000 and test_images.flat.shape == (10_000, 784) and test_images.classes == 10


@pytest.mark.parametrize("separator", ["-", "."])
@pytest.mark.parametrize("packed", [False, True])
def test_every_spelling(folder, test_images, separator, packed):
    for stem, kind in (("t10k-images", "idx3-ubyte"), ("t10k-labels", "idx1-ubyte")):
        original = folder / f"{stem}-{kind}"
        data = original.read_bytes()
        original.unlink()
        (folder / f"{stem}{separator}{kind}{'.gz' if packed else ''}").write_bytes(gzip.compress(data) if packed else data)
    loaded = load_split(folder, "test")
    assert np.array_equal(loaded.images, test_images.images[:5]) and np.array_equal(loaded.labels, test_images.labels[:5])


def test_training_files_have_their_own_name(folder):
    with refuses(
        UnusableInput,
        f"data folder {folder} holds none of train-images-idx3-ubyte, train-images-idx3-ubyte.gz, "
        "train-images.idx3-ubyte, train-images.idx3-ubyte.gz",
    ):
        load_split(folder, "train")
    for kind in ("images-idx3", "labels-idx1"):
        shutil.copy(folder / f"t10k-{kind}-ubyte", folder / f"train-{kind}-ubyte")
    assert len(load_split(folder, "train")) == 5


def test_refuses_counts_that_differ(folder):
    (folder / "t10k-labels-idx1-ubyte").write_bytes(_idx(np.zeros(4, np.uint8)))
    with refuses(UnusableInput, f"t10k files in {folder}: 5 images but 4 labels"):
        load_split(folder, "test")


def test_refuses_swapped_files(folder):
    images, labels = folder / "t10k-images-idx3-ubyte", folder / "t10k-labels-idx1-ubyte"
    images.write_bytes(labels.read_bytes())
    with refuses(MalformedFile, f"idx images {images}: idx magic is 00000801, expected 00000803: it holds labels, expected images"):
        load_split(folder, "test")


def test_refuses_a_missing_folder(tmp_path):
    with refuses(UnusableInput, f"data folder {tmp_path / 'none'} is not a folder"):
        load_split(tmp_path / "none", "test")


def test_refuses_no_images():
    with refuses(UnusableInput, "no images: the shape is [0, 28, 28]"):
        LabelledImages(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))
