"""The private model file: round trip, hostile bytes, and nothing secret in what anybody might see."""

import os
import stat
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import changed, random_network, refuses

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model


@pytest.fixture(scope="module")
def data(model) -> bytes:
    return model.to_bytes()


def flag_position(model) -> int:
    return 5 + len(model.network.to_bytes())


# Round trip


def test_round_trip(model, data, image):
    again = Model.from_bytes(data)
    assert again.to_bytes() == data
    assert again.commitment == model.commitment and again.secrets == model.secrets
    assert again.predict(image) == model.predict(image)


def test_round_trip_before_the_commitment():
    model = Model(random_network(1, (5, 3)))
    assert Model.from_bytes(model.to_bytes()).to_bytes() == model.to_bytes() == b"zkpM\x01" + model.network.to_bytes() + b"\x00"


def test_bytes_are_the_documented_ones(model, data):
    public = model.commitment.to_bytes()
    secrets = b"".join(secret.to_bytes(32, "big") for secret in model.secrets)
    length = len(public).to_bytes(4, "little")
    assert data == b"zkpM\x01" + model.network.to_bytes() + b"\x01" + length + public + secrets
    assert len(model.secrets) == len(model.commitment.rows)


def test_a_model_committed_on_more_rows_stays_on_them(image):
    model = commit_model(random_network(1, (30, 12, 4)), 2048)
    again = Model.from_bytes(model.to_bytes())
    assert again.compiled.circuit == model.commitment.circuit and again.compiled.circuit.domain == 2048


def test_save_and_load_leave_one_file_that_only_its_owner_reads(model, tmp_path):
    path = tmp_path / "m.model"
    path.write_bytes(b"old")
    path.chmod(0o644)
    model.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and os.listdir(tmp_path) == ["m.model"]
    assert Model.load(path).to_bytes() == model.to_bytes()


# Hostile bytes


def test_truncations_are_refused_by_the_field_that_is_cut(data):
    for length in [*range(0, len(data), 37), len(data) - 1]:
        with pytest.raises(MalformedFile, match=r"^model: .+ needs \d+ bytes at offset \d+, \d+ are left$") as caught:
            Model.from_bytes(data[:length])
        assert caught.type is MalformedFile


@pytest.mark.parametrize("count", [1, 32])
def test_trailing_bytes_are_refused(model, data, count):
    with refuses(MalformedFile, f"model: {count} bytes trail after the end at offset {len(data)}"):
        Model.from_bytes(data + bytes(count))
    bare = Model(model.network).to_bytes()
    with refuses(MalformedFile, f"model: {count} bytes trail after the end at offset {len(bare)}"):
        Model.from_bytes(bare + bytes(count))


@pytest.mark.parametrize("position", range(5))
def test_another_magic_is_refused(data, position):
    altered = changed(data, position)
    with refuses(MalformedFile, f"model: model magic is {altered[:5]!r}, expected b'zkpM\\x01'"):
        Model.from_bytes(altered)


def test_a_pickle_is_refused_by_its_first_bytes():
    with refuses(MalformedFile, r"model: model magic is b'\x80\x04\x95\x00\x00', expected b'zkpM\x01'"):
        Model.from_bytes(b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00.")


@pytest.mark.parametrize("flag", [2, 255])
def test_another_flag_is_refused(model, data, flag):
    position = flag_position(model)
    assert data[position] == 1
    with refuses(MalformedFile, f"model: committed flag is {flag}, expected 0 or 1"):
        Model.from_bytes(data[:position] + bytes([flag]) + data[position + 1 :])


@pytest.mark.parametrize("length", [0, 1 << 31, (1 << 32) - 1])
def test_another_length_of_the_commitment_is_refused(model, data, length):
    position = flag_position(model) + 1
    altered = data[:position] + length.to_bytes(4, "little") + data[position + 4 :]
    left = len(data) - position - 4
    message = f"model: commitment needs {length} bytes at offset {position + 4}, {left} are left"
    if not length:
        message = "model: commitment magic needs 5 bytes at offset 0, 0 are left"
    with refuses(MalformedFile, message):
        Model.from_bytes(altered)


@pytest.mark.parametrize("secret", [MODULUS, MODULUS + 1, (1 << 256) - 1])
def test_secrets_from_the_field_order_upwards_are_refused_unseen(data, secret):
    below = data[:-32] + (MODULUS - 1).to_bytes(32, "big")
    assert Model.from_bytes(below).secrets[-1] == MODULUS - 1
    with refuses(MalformedFile, "model: a row secret is not below the field order"):
        Model.from_bytes(data[:-32] + secret.to_bytes(32, "big"))


@pytest.mark.parametrize("shape", [(30, 13, 4), (31, 12, 4), (30, 12, 5), (30, 4), (30, 90, 4), (1023, 4)])
def test_a_commitment_of_another_circuit_is_refused(model, data, shape):
    other = random_network(1, shape, largest=1)
    altered = b"zkpM\x01" + other.to_bytes() + data[flag_position(model) :]
    with refuses(MalformedFile, f"model: the commitment is for another circuit than network {other.name}"):
        Model.from_bytes(altered)


def test_a_network_no_circuit_holds_is_refused_by_layer_and_row_when_it_is_committed():
    huge = DenseLayer(np.array([[1], [40000]]), np.array([0, 0]))
    model = Model(IntegerNetwork((huge, DenseLayer(np.array([[1, 1]]), np.array([0])))))
    assert Model.from_bytes(model.to_bytes()).network.shape == (1, 2, 1)
    with refuses(UnsupportedNetwork, "layer 0 row 1 reaches up to 2^24 on some input, the limit is 32767"):
        commit_model(model.network)


@settings(max_examples=200)
@given(data=st.data())
def test_a_changed_byte_is_refused_or_read_as_another_model(model, data):
    honest = model.to_bytes()
    position = data.draw(st.integers(0, len(honest) - 1))
    altered = changed(honest, position, data.draw(st.integers(1, 255)))
    try:
        read = Model.from_bytes(altered)
    except UnusableInput as error:
        assert type(error) is MalformedFile and str(error).startswith("model: ")
    else:
        assert read.to_bytes() == altered


def test_hostile_headers_allocate_nothing():
    huge = b"zkpM\x01zkpN\x01\x01" + (65536).to_bytes(4, "little") + (128).to_bytes(4, "little") + b"\x00\x08"
    tracemalloc.start()
    with refuses(MalformedFile, "model: layer 0 weights needs 67108864 bytes at offset 21, 0 are left"):
        Model.from_bytes(huge)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20


def test_load_names_the_file(tmp_path, data):
    path = tmp_path / "m"
    with refuses(UnusableInput, f"cannot read model {path}: No such file or directory"):
        Model.load(path)
    path.write_bytes(data[:4])
    with refuses(MalformedFile, f"{path}: model magic needs 5 bytes at offset 0, 4 are left"):
        Model.load(path)


# Before the commitment


@pytest.mark.parametrize("name", ["commitment", "secrets"])
def test_an_uncommitted_model_says_what_to_do(model, name):
    assert getattr(model, name)
    with refuses(UnusableInput, "this model has no commitment yet: run `zkpredict commit` first"):
        getattr(Model(model.network), name)


# Nothing private is shown


def private_words(model) -> list[str]:
    """Secrets in every usual spelling, and the weights as arrays print them."""
    words = []
    for secret in model.secrets:
        words += [str(secret), f"{secret:x}", secret.to_bytes(32, "big").hex(), secret.to_bytes(32, "little").hex()]
    return words + [str(layer.weights[0, :3].tolist())[1:-1] for layer in model.network.layers]


def test_no_repr_shows_weights_or_secrets(model):
    shown = repr(model) + str(model) + repr(model.committed) + repr(model.compiled.circuit)
    assert model.commitment.rows[0].to_compressed().hex() in shown
    assert not [word for word in private_words(model) if word in shown]
    for private in ("network", "secrets", "weights"):
        assert private not in shown


def test_no_refusal_shows_secrets(model, data):
    shown = []
    for position in range(flag_position(model), len(data)):
        for altered in (changed(data, position, 0xFF), data[:position]):
            try:
                Model.from_bytes(altered)
            except MalformedFile as error:
                shown.append(str(error))
    assert len(shown) > len(data) - flag_position(model)
    assert not [word for word in private_words(model) for message in shown if word in message]
