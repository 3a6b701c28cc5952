"""Labelled images from a folder of MNIST idx files (numpy only), or fetched by Keras when somebody asks for it."""

from __future__ import annotations

import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.idx import read_images, read_labels

SPLITS = {"train": "train", "test": "t10k"}


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """`images` uint8 [count, rows, columns] and `labels` uint8 [count]; at least one image."""

    images: np.ndarray
    labels: np.ndarray

    def __post_init__(self) -> None:
        if len(self.images) != len(self.labels):
            raise UnusableInput(f"{len(self.images)} images but {len(self.labels)} labels")
        if not self.images.size:
            raise UnusableInput(f"no images: the shape is {list(self.images.shape)}")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def flat(self) -> np.ndarray:
        """The images as network inputs: uint8 [count, rows * columns]."""
        return self.images.reshape(len(self.images), -1)

    @property
    def classes(self) -> int:
        """One more than the largest label."""
        return int(self.labels.max()) + 1


def load_split(folder: str | Path, split: str) -> LabelledImages:
    """The "train" or "test" images and labels in `folder`.

    Takes both spellings (`t10k-images-idx3-ubyte` and `t10k-images.idx3-ubyte`), plain or with `.gz`. Raises
    `UnusableInput` for a missing or malformed file and when the counts differ.
    """
    stem = SPLITS[split]
    images = read_images(_find(folder, f"{stem}-images", "idx3-ubyte"))
    labels = read_labels(_find(folder, f"{stem}-labels", "idx1-ubyte"))
    try:
        return LabelledImages(images, labels)
    except UnusableInput as error:
        raise UnusableInput(f"{stem} files in {folder}: {error}") from None


def fetch_splits() -> tuple[LabelledImages, LabelledImages]:
    """MNIST (train, test) through `keras.datasets`, which downloads it once and keeps it. Raises `UnusableInput`."""
    from zkpredict.training.importers.keras_files import import_keras

    keras = import_keras()
    try:
        with redirect_stdout(sys.stderr):  # Keras prints its progress on stdout, where results belong
            (train_images, train_labels), (test_images, test_labels) = keras.datasets.mnist.load_data()
    except MemoryError:
        raise
    except Exception as error:  # no contract: Keras itself raises a bare Exception when the download fails
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UnusableInput(f"cannot fetch MNIST: {reason}; give a folder of idx files with --data") from None
    return LabelledImages(train_images, train_labels), LabelledImages(test_images, test_labels)


def _find(folder: str | Path, stem: str, kind: str) -> Path:
    folder = Path(folder)
    if not folder.is_dir():
        raise UnusableInput(f"data folder {folder} is not a folder")
    names = [f"{stem}{separator}{kind}{packed}" for separator in "-." for packed in ("", ".gz")]
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise UnusableInput(f"data folder {folder} holds none of {', '.join(names)}")
