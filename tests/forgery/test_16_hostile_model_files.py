"""Line 16: a hostile model file: huge shapes, NaN, wrong dtypes, zip bomb, pickle.

Every length is checked before anything is allocated, and nothing in a file is ever executed. More Keras archives:
tests/training/test_training_keras.py.
"""

from __future__ import annotations

import io
import os
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest
from guards import replaced
from support import refuses

from zkpredict.circuits.networks import dense
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.files.images import load_image
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.kernel import G1
from zkpredict.prover.model import Model
from zkpredict.training.floating import FloatLayer
from zkpredict.training.importers.keras_archive import checked_archive
from zkpredict.verifier.commitment import ModelCommitment

HEAD = b"zkpM\x01zkpN\x01"
ONE_MEGABYTE = 1 << 20


def layer(inputs: int, outputs: int, shift: int = 0, size: int = 1) -> bytes:
    return inputs.to_bytes(4, "little") + outputs.to_bytes(4, "little") + bytes([shift, size])


HOSTILE = {
    "a terabyte of weights": (
        b"\x01" + layer((1 << 32) - 1, (1 << 32) - 1),
        "model: layer 0 claims the shape 4294967295 x 4294967295, beyond the limits",
    ),
    "the largest shape without its bytes": (
        b"\x01" + layer(1 << 13, 1 << 10, size=8),
        "model: layer 0 weights needs 67108864 bytes at offset 21, 0 are left",
    ),
    "more weights than all layers may have together": (
        b"\x02" + layer(1 << 16, 1) + bytes(1 << 16) + bytes(8) + layer(1 << 16, 1 << 8),
        "model: layer 1 claims the shape 256 x 65536, beyond the limits",
    ),
    "no neurons": (b"\x01" + layer(5, 0), "model: layer 0 claims the shape 0 x 5, beyond the limits"),
    "no layers": (b"\x00", "model: layer count is 0, expected 1 to 16"),
    "255 layers": (b"\xff", "model: layer count is 255, expected 1 to 16"),
    "weights of three bytes": (b"\x01" + layer(1, 1, size=3), "model: layer 0 weight size is 3, expected 1, 2, 4 or 8"),
    "a shift beyond the word": (
        b"\x01" + layer(1, 1, shift=255) + b"\x01" + bytes(8),
        "model: shift must be an int in 0..62, got 255",
    ),
    "padded weights": (
        b"\x01" + layer(1, 1, size=8) + b"\x01" + bytes(7) + bytes(8),
        "model: layer 0 weights fit in fewer than 8 bytes",
    ),
    "layers that do not chain": (
        b"\x02" + layer(1, 2) + b"\x01\x01" + bytes(16) + layer(1, 1) + b"\x01" + bytes(8),
        "model: layer 0 has 2 outputs but layer 1 has 1 inputs",
    ),
    "sums beyond int64": (
        b"\x01" + layer(1, 1, size=8) + (1 << 62).to_bytes(8, "little") + bytes(8),
        "model: layer 0 can reach up to 2^70, beyond 2^62: int64 could wrap",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_network_is_refused_before_it_costs_anything(case):
    body, message = HOSTILE[case]
    tracemalloc.start()
    try:
        with refuses(MalformedFile, message):
            Model.from_bytes(HEAD + body)
        assert tracemalloc.get_traced_memory()[1] < ONE_MEGABYTE
    finally:
        tracemalloc.stop()


def test_the_honest_twin_loads(small):
    assert Model.from_bytes(small.to_bytes()).commitment.model_id == small.commitment.model_id


def test_without_the_length_check_the_claim_is_believed():
    """A reader that pads what is missing allocates what the header claims."""
    padding = lambda reader, count, field: bytes(count)
    body = b"\x01" + layer(1 << 10, 1 << 10, size=8)
    with pytest.MonkeyPatch.context() as patch:
        reader = ByteReader(body, "model")
        reader.take(1 + 10, "header")
        patch.setattr(ByteReader, "take", padding)
        assert len(reader.take(8 << 20, "weights")) == 8 << 20
    with replaced(dense.MAX_WEIGHTS, 1), refuses(
        MalformedFile, "model: layer 0 claims the shape 1024 x 1024, beyond the limits"
    ):
        Model.from_bytes(HEAD + body)


class Payload:
    """Runs a command when unpickled."""

    def __reduce__(self):
        return os.mkdir, (self.path,)

    def __init__(self, path: str) -> None:
        self.path = path


def test_a_pickle_is_never_opened(tmp_path):
    marker = tmp_path / "executed"
    data = pickle.dumps(Payload(str(marker)))
    with refuses(MalformedFile, f"model: model magic is {data[:5]!r}, expected b'zkpM\\x01'"):
        Model.from_bytes(data)
    array = io.BytesIO()
    np.save(array, np.array([Payload(str(marker))], dtype=object), allow_pickle=True)
    path = tmp_path / "image.npy"
    path.write_bytes(array.getvalue())
    with refuses(UnusableInput, f"image {path} holds Python objects: save whole numbers from 0 to 255 with the type uint8"):
        load_image(path, 1)
    assert not marker.exists()
    pickle.loads(data)
    assert marker.exists()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_not_finite_are_refused_by_place(value):
    weights = np.ones((2, 3))
    weights[1, 2] = value
    with refuses(UnsupportedNetwork, f"layer 'dense': 1 weights not finite, the first at [1, 2] is {value}"):
        FloatLayer("dense", weights, np.zeros(2))
    FloatLayer("dense", np.ones((2, 3)), np.zeros(2))


@pytest.mark.parametrize("kind", ["float64", "bool", "object", "complex128", "U1"])
def test_weights_that_are_no_integers_are_refused(kind):
    with refuses(UnsupportedNetwork, f"weights must be integers, got dtype {np.dtype(kind)}"):
        DenseLayer(np.ones((1, 1)).astype(kind), np.zeros(1, np.int64))
    IntegerNetwork((DenseLayer(np.ones((1, 1), np.int64), np.zeros(1, np.int64)),))


def test_a_zip_bomb_is_not_unpacked():
    """A configuration of a gigabyte in a megabyte: reading stops at the limit."""
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name in ("config.json", "metadata.json", "model.weights.h5"):
            with archive.open(name, "w", force_zip64=True) as member:
                for _ in range(64 if name == "config.json" else 0):
                    member.write(bytes(ONE_MEGABYTE))
    tracemalloc.start()
    try:
        with refuses(MalformedFile, "bomb: config.json unpacks to more than 1048576 bytes"):
            checked_archive(bomb.getvalue(), "bomb")
        assert tracemalloc.get_traced_memory()[1] < 8 * ONE_MEGABYTE
    finally:
        tracemalloc.stop()


def test_a_commitment_that_claims_many_rows_is_refused_before_it_reads_them(small):
    raw = small.commitment.to_bytes()
    start = len(raw) - 2 * 48 - 2
    with refuses(MalformedFile, "commitment: has 65535 rows, its circuit needs 2"):
        ModelCommitment.from_bytes(raw[:start] + b"\xff\xff" + raw[start + 2 :], G1.from_compressed)
    huge = raw[:5] + raw[5:13] + (1 << 31).to_bytes(4, "little") + raw[17:]
    with refuses(
        MalformedFile, "commitment: layer widths must be in 1..65536, got (2147483648, 6, 3)"
    ):
        ModelCommitment.from_bytes(huge, G1.from_compressed)
