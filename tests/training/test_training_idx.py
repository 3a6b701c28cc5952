"""The idx parser, on the shipped MNIST files and on every way to break one."""

import gzip
import hashlib
import struct

import numpy as np
import pytest
from support import refuses

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.idx import MAX_IDX_BYTES, parse_idx, read_image, read_images, read_labels
from zkpredict.circuits.files.images import load_image

PIXELS_SHA256 = "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161"
SMALL = struct.pack(">HBBIII", 0, 8, 3, 2, 2, 3) + bytes(range(12))
PACKED = gzip.compress(SMALL, mtime=0)
"""Without the time of day, which would make other test names in each worker process."""


def test_reads_the_real_images(data_folder):
    images = read_images(data_folder / "t10k-images-idx3-ubyte.gz")
    labels = read_labels(data_folder / "t10k-labels-idx1-ubyte.gz")
    assert images.shape == (10_000, 28, 28) and images.dtype == np.uint8
    assert labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    assert hashlib.sha256(images.tobytes()).hexdigest() == PIXELS_SHA256


def test_shipped_pictures_are_the_test_images(data_folder, examples):
    for name, index in {"seven": 0, "two": 1, "zero": 3, "unlike-five": 8}.items():
        expected = read_image(data_folder / "t10k-images-idx3-ubyte.gz", index)
        assert np.array_equal(load_image(examples / f"{name}.png", 784), expected.reshape(-1))


@pytest.mark.parametrize("packed", [False, True])
def test_plain_and_gzip_are_the_same(packed):
    data = PACKED if packed else SMALL
    assert parse_idx(data, 3).tolist() == [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]


@pytest.mark.parametrize(
    "data, message",
    [
        (b"", "idx file: idx magic needs 4 bytes at offset 0, 0 are left"),
        (SMALL[:9], "idx file: dimension 1 needs 4 bytes at offset 8, 1 are left"),
        (SMALL[:-1], "idx file: values needs 12 bytes at offset 16, 11 are left"),
        (SMALL + b"\0", "idx file: 1 bytes trail after the end at offset 28"),
        (b"\1" + SMALL[1:], "idx file: idx magic is 01000803, expected 00000803"),
        (SMALL[:2] + b"\x0d" + SMALL[3:], "idx file: idx magic is 00000d03, expected 00000803"),
        (SMALL[:3] + b"\1" + SMALL[4:], "idx file: idx magic is 00000801, expected 00000803: it holds labels, expected images"),
        (SMALL[:4] + b"\xff" * 12, f"idx file: claims {(2**32 - 1) ** 3} bytes, the limit is {MAX_IDX_BYTES}"),
        (PACKED[:-9], f"idx file: gzip stream is cut short after {len(PACKED) - 9} bytes"),
        (PACKED + b"more", "idx file: 4 bytes trail after the gzip stream"),
        (gzip.compress(SMALL + b"\0", mtime=0), "idx file: 1 bytes trail after the end at offset 28"),
    ],
)
def test_refuses_broken_files(data, message):
    with refuses(MalformedFile, message):
        parse_idx(data, 3)


def test_refuses_a_damaged_gzip_stream():
    data = bytearray(PACKED)
    data[-5] ^= 1
    with pytest.raises(MalformedFile, match=r"^idx file: broken gzip stream \(.*incorrect data check\)$"):
        parse_idx(bytes(data), 3)


def test_refuses_a_decompression_bomb(monkeypatch):
    monkeypatch.setattr("zkpredict.circuits.files.idx.MAX_IDX_BYTES", 1000)
    with refuses(MalformedFile, "idx file: unpacks to more than 1016 bytes"):
        parse_idx(gzip.compress(bytes(1_000_000)), 3)


def test_image_by_index(data_folder, tmp_path):
    path = tmp_path / "images"
    path.write_bytes(SMALL)
    assert read_image(path, 1).tolist() == [[6, 7, 8], [9, 10, 11]]
    for index in (-1, 2):
        with refuses(UnusableInput, f"idx images {path}: there is no image {index}, the file holds 2 (from 0)"):
            read_image(path, index)
