"""In which order arrays of pictures are taken: the model's shape or a row, at every door; channels first are refused with how to turn them."""

import json

import numpy as np
import pytest
from support import MISMATCH, refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.images import load_image
from zkpredict.circuits.files.order import Picture, check_order
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.convolution import ConvLayer, Grid
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.cli.main import main
from zkpredict.prover.batch import prove_batch, prove_score
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.batch import verify_batch
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.native import verify
from zkpredict.verifier.score import verify_score

SHAPE = (4, 4, 3)
ADVICE = "is 3 x 4 x 4, the model takes 4 x 4 x 3 (rows, columns, channels): np.transpose(array, (1, 2, 0)) puts its channels last"
EACH = "is 3 x 4 x 4, the model takes 4 x 4 x 3 (rows, columns, channels): np.transpose(array, (0, 2, 3, 1)) puts its channels last"


def network() -> IntegerNetwork:
    source = np.random.default_rng(1)
    conv = ConvLayer(source.integers(-9, 10, (2, 12)), source.integers(-99, 100, 2), 8, RELU8, Grid(*SHAPE, 2, 2))
    return IntegerNetwork((conv, DenseLayer(source.integers(-9, 10, (3, 18)), source.integers(-99, 100, 3))))


@pytest.fixture(scope="module")
def model():
    return commit_model(network(), 512)


@pytest.fixture(scope="module")
def batched():
    return commit_model(network(), 512, batch=True)


IMAGES = np.random.default_rng(2).integers(0, 256, (2, *SHAPE), dtype=np.uint8)
IMAGE, TURNED = IMAGES[0], IMAGES[0].transpose(2, 0, 1)


def test_one_picture_is_taken_in_the_models_order_alone(model):
    proof = prove(model, IMAGE)
    assert proof.digit == model.predict(IMAGE) == model.predict(IMAGE.reshape(-1))
    for same in (IMAGE, IMAGE.reshape(-1), IMAGE.tobytes(), IMAGE[None], np.asfortranarray(IMAGE)):
        verify(model.commitment, same, proof)
    for door in (prove, type(model).predict):
        with refuses(UnusableInput, f"the image {ADVICE}"):
            door(model, TURNED)
    with refuses(WrongStatement, f"the image {ADVICE}"):
        verify(model.commitment, TURNED, proof)
    with refuses(FailedOpening, MISMATCH):  # as it was taken before it was refused: another picture
        verify(model.commitment, TURNED.reshape(-1), proof)


def test_many_pictures_are_taken_in_the_models_order_alone(batched):
    turned = IMAGES.transpose(0, 3, 1, 2)
    labels = np.array([batched.predict(image) for image in IMAGES])
    proof, score = prove_batch(batched, IMAGES), prove_score(batched, IMAGES, labels)
    for same in (IMAGES, IMAGES.reshape(2, -1)):
        verify_batch(batched.commitment, same, proof)
        verify_score(batched.commitment, same, labels, score)
    with refuses(UnusableInput, f"each input {EACH}"):
        prove_batch(batched, turned)
    with refuses(UnusableInput, f"each input {EACH}"):
        prove_score(batched, turned, labels)
    with refuses(WrongStatement, f"each input {EACH}"):
        verify_batch(batched.commitment, turned, proof)
    with refuses(WrongStatement, f"each input {EACH}"):
        verify_score(batched.commitment, turned, labels, score)


def test_files_are_taken_in_the_models_order_alone(model, batched, tmp_path, capsys):
    def path(name, content):
        place = tmp_path / name
        if content is None:
            return str(place)
        np.save(place, content) if isinstance(content, np.ndarray) else place.write_bytes(content)
        return str(place)

    one, two = path("m.model", model.to_bytes()), path("b.model", batched.to_bytes())
    public, batch_public = path("m.commitment", model.commitment.to_bytes()), path("b.commitment", batched.commitment.to_bytes())
    good, wrong = path("good.npy", np.asfortranarray(IMAGE)), path("wrong.npy", TURNED)
    many, wrong_many = path("many.npy", IMAGES), path("wrong_many.npy", IMAGES.transpose(0, 3, 1, 2))
    labels = path("labels.npy", np.array([batched.predict(image) for image in IMAGES], np.uint8))
    proof, batch, score = path("p.proof", None), path("b.batch", None), path("s.score", None)
    assert main(["prove", good, "--model", one, "--out", proof]) == main(["verify", good, proof, "--commitment", public]) == 0
    assert main(["prove-batch", many, "--model", two, "--out", batch]) == 0
    assert main(["score", many, "--labels", labels, "--model", two, "--out", score]) == 0
    capsys.readouterr()
    refused = [
        (["prove", wrong, "--model", one, "--out", f"{proof}2"], f"image {wrong} {ADVICE}"),
        (["verify", wrong, proof, "--commitment", public], f"image {wrong} {ADVICE}"),
        (["prove-batch", wrong_many, "--model", two, "--out", f"{batch}2"], f"each input of {wrong_many} {EACH}"),
        (["verify-batch", wrong_many, batch, "--commitment", batch_public], f"each input of {wrong_many} {EACH}"),
        (["score", wrong_many, "--labels", labels, "--model", two, "--out", f"{score}2"], f"each input of {wrong_many} {EACH}"),
        (["verify-score", wrong_many, score, "--labels", labels, "--commitment", batch_public], f"each input of {wrong_many} {EACH}"),
        (["prove-many", wrong_many, "--model", one, "--out", str(tmp_path / "proofs")], f"each input of {wrong_many} {EACH}"),
    ]
    for command, reason in refused:
        assert main([*command, "--json"]) == 2
        assert json.loads(capsys.readouterr().out)["error"] == reason
    assert np.array_equal(load_image(good, 48, picture=model.picture), IMAGE.reshape(-1))
    with refuses(UnusableInput, f"image {wrong} {ADVICE}"):
        load_image(wrong, 48, picture=model.commitment.picture)


def test_shapes_that_fit_and_shapes_that_do_not():
    colour, grey, square, flat = Picture(4, 5, 3), Picture(4, 5, 1), Picture(3, 3, 3), Picture(1, 5, 3)
    for picture, shapes in ((colour, [(4, 5, 3), (60,), (1, 60), (1, 4, 5, 3)]), (grey, [(4, 5), (4, 5, 1), (1, 4, 5), (20,)]), (square, [(3, 3, 3)]), (flat, [(5, 3), (1, 5, 3)])):
        for shape in shapes:
            check_order(shape, picture, "it")
    check_order((5, 4, 3), None, "it")
    check_order((7, 7), colour, "it")  # of another size: whoever counts its numbers says so
    with refuses(UnusableInput, "it is 3 x 4 x 5, the model takes 4 x 5 x 3 (rows, columns, channels): np.transpose(array, (1, 2, 0)) puts its channels last"):
        check_order((3, 4, 5), colour, "it")
    for shape, picture in (((5, 4, 3), colour), ((6, 10), colour), ((5, 4), grey), ((3, 5), flat)):
        wanted = f"it is {' x '.join(map(str, shape))}, the model takes {picture} (rows, columns, channels): give it that shape, or its bytes in a row in that order"
        with refuses(UnusableInput, wanted):
            check_order(shape, picture, "it")
