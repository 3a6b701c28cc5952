"""`--auto`: photos of MNIST digits on paper give the digits back, whatever the light; what is no digit on paper is refused."""

import numpy as np
import pytest
from PIL import Image
from support import refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files import ink
from zkpredict.circuits.files.images import Reading, load_image, prepare_image
from zkpredict.circuits.files.idx import read_images, read_labels
from zkpredict.prover.model import Model

AUTO = Reading(auto=True)
SIZE = 180


@pytest.fixture(scope="module")
def digits(root) -> tuple[np.ndarray, list[int]]:
    data = root / "tests" / "data"
    return read_images(data / "t10k-images-idx3-ubyte.gz"), read_labels(data / "t10k-labels-idx1-ubyte.gz").tolist()


@pytest.fixture(scope="module")
def model(root) -> Model:
    return Model.load(root / "examples" / "mnist.model")


def photo(digit: np.ndarray, seed: int, paper=220, ink=50, shadow=60, grain=4, step=0, page=(400, 330)) -> np.ndarray:
    """A digit drawn in `ink` somewhere on `paper` that darkens by `shadow` towards a corner, and by `step` behind a sharp edge."""
    source = np.random.default_rng(seed)
    width, height = page
    drawing = np.zeros((height, width))
    top, left = source.integers(15, height - SIZE - 14), source.integers(15, width - SIZE - 14)
    drawing[top : top + SIZE, left : left + SIZE] = np.asarray(Image.fromarray(digit).resize((SIZE, SIZE), Image.Resampling.BICUBIC)) / 255
    rows, columns = np.mgrid[0:height, 0:width]
    light = paper - shadow * (columns / width + rows / height) / 2 - step * (columns > width * 0.6)
    shades = light + drawing * (ink - light)
    return np.clip(shades + source.normal(0, grain, shades.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("light", "least"),
    [
        ({}, 39),
        ({"ink": 130}, 39),
        ({"shadow": 130}, 39),
        ({"grain": 12}, 39),
        ({"paper": 30, "ink": 220, "shadow": 15}, 39),
        ({"page": (210, 210)}, 39),
    ],
    ids=["pen", "pencil", "shadow", "grain", "chalk", "close"],
)
def test_photos_of_digits_are_read_as_the_digits(tmp_path, digits, model, light, least):
    images, labels = digits
    right = plain = 0
    for number in range(40):
        path = tmp_path / "photo.jpg"
        Image.fromarray(photo(images[number], number, **light)).convert("RGB").save(path, quality=85)
        right += model.predict(load_image(path, 784, auto=True)) == labels[number]
        plain += model.predict(load_image(path, 784)) == labels[number]
    assert right >= least > 2 * plain


def test_the_result_is_laid_out_as_mnist_is(tmp_path, digits):
    """The box of 20 x 20, full contrast, the centre of mass within a pixel of the middle."""
    for number in range(10):
        Image.fromarray(photo(digits[0][number], number)).save(tmp_path / "a.png")
        seen = load_image(tmp_path / "a.png", 784, auto=True).reshape(28, 28).astype(int)
        rows, columns = np.flatnonzero(seen.any(axis=1)), np.flatnonzero(seen.any(axis=0))
        assert max(rows[-1] - rows[0], columns[-1] - columns[0]) + 1 == 20 and seen.max() == 255
        for axis in (0, 1):
            assert abs((np.arange(28) * seen.sum(axis=1 - axis)).sum() / seen.sum() - 14) <= 0.5


def test_a_thin_line_gets_the_stroke_of_mnist(tmp_path):
    page = np.full((300, 300), 230, np.uint8)
    page[60:240, 150:153] = 40
    Image.fromarray(page).save(tmp_path / "one.png")
    seen = load_image(tmp_path / "one.png", 784, auto=True).reshape(28, 28)
    assert [int(np.count_nonzero(row > 127)) for row in seen if row.max() > 127] == [2] * 20


def test_what_was_found_and_left_out_is_said(tmp_path, digits, model):
    page = photo(digits[0][0], 1, grain=0, shadow=0)
    clean = page.copy()
    page[:6, :] = 20  # the edge of the table
    page[320:324, 10:14] = 50  # a speck
    for name, shades in (("clean", clean), ("dirty", page)):
        Image.fromarray(shades).save(tmp_path / f"{name}.png")
    expected, found = (prepare_image(tmp_path / f"{name}.png", 784, AUTO) for name in ("clean", "dirty"))
    seen, clear = (np.frombuffer(image.pixels, np.uint8) for image in (found, expected))
    assert np.abs(seen.astype(int) - clear).mean() < 5 < clear.mean() / 4
    assert model.predict(seen) == model.predict(clear) == 7
    (note,) = expected.notes
    assert note.startswith("dark ink on light ground was found on ") and note.endswith("fitted into 20 x 20 and centred by its mass")
    assert found.notes[1:] == ("2 other patches of ink left out: specks, or ink that runs out of the picture",)


def test_ink_twice_as_wide_as_high_is_questioned(tmp_path, digits):
    drawing = np.zeros((200, 500), np.uint8)
    for column, number in ((40, 0), (320, 2)):
        drawing[40:180, column : column + 140] = np.kron(digits[0][number], np.ones((5, 5), np.uint8))
    Image.fromarray(drawing).save(tmp_path / "two.png")
    assert prepare_image(tmp_path / "two.png", 784, AUTO).notes[-1] == "the ink is more than twice as wide as high: is it one digit?"


def noise() -> np.ndarray:
    return np.random.default_rng(3).normal(200, 6, (200, 200)).clip(0, 255).astype(np.uint8)


def faint() -> np.ndarray:
    page = np.full((200, 200), 200, np.uint8)
    page[80:120, 90:110] = 185
    return page


def speck() -> np.ndarray:
    page = np.full((200, 200), 200, np.uint8)
    page[80:84, 90:94] = 20
    return page


@pytest.mark.parametrize("shades", [noise(), faint(), np.full((50, 50), 9, np.uint8)], ids=["noise", "faint", "one shade"])
def test_paper_without_ink_is_refused(tmp_path, shades):
    path = tmp_path / "a.png"
    Image.fromarray(shades).save(path)
    with refuses(UnusableInput, f"image {path}: --auto finds no ink that stands out from its ground: take the photo nearer, in even light"):
        prepare_image(path, 784, AUTO)


def test_a_speck_is_no_digit(tmp_path):
    path = tmp_path / "a.png"
    Image.fromarray(speck()).save(path)
    message = f"image {path}: --auto finds ink on 0.0 % of the picture, expected 0.1 to 50 %: crop it around the digit"
    with refuses(UnusableInput, message):
        prepare_image(path, 784, AUTO)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (2, 2), (5, 7)])
def test_tiny_pictures_are_read_or_refused(tmp_path, size):
    path = tmp_path / "a.png"
    Image.fromarray(np.random.default_rng(4).integers(0, 256, size, dtype=np.uint8)).save(path)
    try:
        assert load_image(path, 784, auto=True).shape == (784,)
    except UnusableInput as error:
        assert str(error).startswith(f"image {path}: --auto finds ")


def test_patches_match_flood_filling():
    mask = np.random.default_rng(5).random((40, 50)) < 0.4
    left, areas = {tuple(place) for place in np.argwhere(mask)}, []
    while left:
        stack, area = [left.pop()], 0
        while stack:
            row, column = stack.pop()
            area += 1
            near = {(row + y, column + x) for y in (-1, 0, 1) for x in (-1, 0, 1)} & left
            left -= near
            stack += near
        areas.append(area)
    assert sorted(patch.area for patch in ink._patches(mask)) == sorted(areas)
