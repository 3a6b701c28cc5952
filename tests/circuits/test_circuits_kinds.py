"""A file of another kind is named by every reader, with the command that takes it."""

import io

import pytest
from PIL import Image
from support import random_network, refuses

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.kinds import OWN_KINDS, kind_of, recognise
from zkpredict.circuits.files.storage import read_file
from zkpredict.cli import inspect
from zkpredict.prover.model import Model

KERAS = b"PK\x03\x04....config.json....model.weights.h5"


def test_what_inspect_explains_is_known():
    assert list(dict.fromkeys(kind_of(magic, "a") for magic in inspect._EXPLAINERS)) == list(OWN_KINDS)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
def test_pictures_are_known_by_what_pillow_writes(kind):
    stream = io.BytesIO()
    Image.new("L", (3, 3)).save(stream, kind)
    found = kind_of(stream.getvalue(), "a").name
    assert found == ("a picture" if kind in ("PNG", "JPEG") else f"a {kind.replace('WEBP', 'WebP')} picture")


def test_the_shipped_keras_model_is_known_and_other_archives_are_not_taken_for_one(root):
    shipped = (root / "examples" / "mnist.keras").read_bytes()
    assert recognise(shipped, "my m.keras") == "it is a Keras model (`zkpredict quantize 'my m.keras' --out FILE` makes a model file of it)"
    assert recognise(shipped.replace(b"model.weights.h5", b"model.heights.h5"), "m.zip") == "it is a zip archive"


@pytest.mark.parametrize("data", [b"", b"z", b"hello", b"\0" * 40, b"RIFF....WAVE", b"....ftypmp42"])
def test_other_bytes_are_nothing_that_is_known(data):
    assert kind_of(data, "a") is None and recognise(data, "a") == ""


def test_readers_refuse_another_kind_and_leave_the_rest_to_the_parser(tmp_path):
    path = tmp_path / "a.keras"
    path.write_bytes(KERAS)
    quantize = f"it is a Keras model (`zkpredict quantize {path} --out FILE` makes a model file of it)"
    for what in ("model", "network", "commitment"):
        with refuses(MalformedFile, f"{path} is no {what} file: {quantize}"):
            read_file(path, what)
    with refuses(MalformedFile, f"{path} is no commitment file: {quantize}"):
        read_file(path, "commitment", 10)
    assert read_file(path, "Keras model") == KERAS
    path.write_bytes(b"hello")
    assert read_file(path, "model") == b"hello"
    with refuses(MalformedFile, f"{path}: model magic is b'hello', expected b'zkpM\\x01'"):
        Model.load(path)
    Model(random_network(1, (4, 3))).save(path)
    assert Model.load(path).network.shape == (4, 3)
    with refuses(
        MalformedFile,
        f"{path} is no commitment file: it is a private model file (`zkpredict commit --model {path} --out FILE` makes its public commitment)",
    ):
        read_file(path, "commitment")
