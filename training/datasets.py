"""Labelled images from a folder of MNIST idx files (numpy only), or fetched by Keras when somebody asks for it."""

from __future__ import annotations

import math
import sys
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.arrays import parse_npy
from zkpredict.circuits.files.idx import MAX_IDX_BYTES, read_images, read_labels
from zkpredict.circuits.files.kinds import recognise
from zkpredict.circuits.files.order import Picture, lies_channels_first
from zkpredict.circuits.files.storage import read_file, read_head
from zkpredict.training.calibrate import SAMPLE, CalibrationData

_KINDS = {"images": "idx3-ubyte", "labels": "idx1-ubyte"}
SPLITS = {"train": "train", "test": "t10k"}


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """`images` uint8 [count, rows, columns] and `labels` uint8 [count]; at least one image."""

    images: np.ndarray
    labels: np.ndarray
    noun = "images"

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
    images = read_images(_find(folder, stem, "images"))
    labels = read_labels(_find(folder, stem, "labels"))
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


def holds_bytes(path: str | Path) -> bool:
    """Whether `path` is an `.npy` file of uint8 rows: images as they are, unless the model is fed readings. Raises `UnusableInput`."""
    return Path(path).suffix.lower() == ".npy" and not Path(path).is_dir() and _npy(path).dtype == np.uint8


def _npy(path: str | Path) -> np.ndarray:
    return parse_npy(read_file(path, "images", MAX_IDX_BYTES), f"images {path}")


def _npy_data(path: str | Path, inputs: int, picture: Picture | None, turned: bool) -> CalibrationData:
    images = _npy(path)
    if images.dtype != np.uint8 or images.ndim < 2 or not len(images) or math.prod(images.shape[1:]) != inputs:
        raise UnusableInput(f"images {path} are {images.dtype} {list(images.shape)}, the model takes uint8 [images, {inputs}]")
    note = ""
    if picture is not None and lies_channels_first(images.shape[1:], picture, f"each image of {path}", rows_too=not turned):
        images, note = images.transpose(0, 2, 3, 1), ", turned from channels first to channels last"
    flat = np.ascontiguousarray(images).reshape(len(images), inputs)
    sample = flat[:: -(-len(flat) // SAMPLE)]
    source = f"scales from {len(sample):,} of the {len(flat):,} images in {path}, measured on all of them{note}"
    return CalibrationData(sample, flat, None, source)


def calibration_data(path: str | Path, inputs: int, picture: Picture | None = None, turned: bool = False) -> CalibrationData:
    """Images of a uint8 `.npy` file, [images, inputs] or [images, rows, columns]; or what a folder of idx files has to choose scales from (training images, if there are any) and to measure accuracy on (test
    images, if there are any). `picture`: what a model with convolutions reads; arrays with channels first are turned. `turned`: its original takes
    them so, and numbers in a row are refused, because they show no order. Raises `UnusableInput`."""
    if Path(path).suffix.lower() == ".npy" and not Path(path).is_dir():
        return _npy_data(path, inputs, picture, turned)
    present = [split for split in SPLITS if _names(path, SPLITS[split], "images", existing=True)]
    if not present:
        _find(path, SPLITS["test"], "images")
    splits = {split: load_split(path, split) for split in present}
    for split, data in splits.items():
        if data.flat.shape[1] != inputs:
            raise UnusableInput(f"the model takes {inputs} values, the {split} images in {path} are {list(data.images.shape[1:])}")
        if picture is not None and picture != (*data.images.shape[1:], 1):
            raise UnusableInput(f"the {split} images in {path} are {list(data.images.shape[1:])}, the model takes pictures of {picture}")
    fitting, check = splits[present[0]], splits[present[-1]]
    sample = fitting.flat[:: -(-len(fitting) // SAMPLE)]
    source = f"scales from {len(sample):,} of the {len(fitting):,} {present[0]} images, measured on the {len(check):,} {present[-1]} images"
    return CalibrationData(sample, check.flat, check.labels, source)


def _find(folder: str | Path, stem: str, what: str) -> Path:
    folder = Path(folder)
    if not folder.is_dir():
        known = recognise(read_head(folder), str(folder)) if folder.is_file() else ""
        raise UnusableInput(f"data folder {folder} is not a folder{f': {known}' if known else ''}")
    found = _names(folder, stem, what, existing=True)
    if not found:
        raise UnusableInput(f"data folder {folder} holds none of {', '.join(_names(folder, stem, what))}")
    return folder / found[0]


def _names(folder: str | Path, stem: str, what: str, existing: bool = False) -> list[str]:
    """How the file may be called; or those of the names that are there."""
    names = [f"{stem}-{what}{separator}{_KINDS[what]}{packed}" for separator in "-." for packed in ("", ".gz")]
    return [name for name in names if (Path(folder) / name).is_file()] if existing else names
