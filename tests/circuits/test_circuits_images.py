"""Pictures to bytes: each documented step against plain numpy, and hostile files."""

import io
import struct
import tracemalloc
import warnings
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from support import changed, npy, refuses

from zkpredict.circuits.files import pictures
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.images import load_image

GREY = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)


# Pictures


def test_a_grey_png_of_the_right_size_is_taken_byte_for_byte(save):
    found = load_image(save("a.png", Image.fromarray(GREY)), 64)
    assert found.dtype == np.uint8 and found.tolist() == GREY.reshape(-1).tolist()


def test_the_suffix_does_not_matter_for_pictures(save):
    assert load_image(save("a.dat", Image.fromarray(GREY), format="PNG"), 64).tolist() == GREY.reshape(-1).tolist()


def test_jpeg_is_what_its_decoder_gives(save):
    path = save("a.jpg", Image.fromarray(np.kron(GREY, np.ones((2, 2), np.uint8))), quality=95)
    decoded = np.asarray(Image.open(path))
    assert load_image(path, 256).tolist() == decoded.reshape(-1).tolist()
    assert np.abs(decoded.astype(int) - np.kron(GREY, np.ones((2, 2)))).max() < 40


def test_colours_become_grey_by_itu_601_luma(save):
    colours = np.random.default_rng(1).integers(0, 256, (4, 4, 3), dtype=np.uint8)
    found = load_image(save("a.png", Image.fromarray(colours)), 16).astype(float)
    luma = colours.astype(float) @ [0.299, 0.587, 0.114]
    assert np.abs(found - luma.reshape(-1)).max() <= 0.51


@pytest.mark.parametrize("alpha", [0, 128, 255])
def test_transparent_parts_become_black(save, alpha):
    pixels = np.zeros((4, 4, 4), np.uint8)
    pixels[..., :3], pixels[..., 3] = 200, 255
    pixels[0, 0, :3] = 250
    pixels[1, 2, 3] = alpha
    found = load_image(save("a.png", Image.fromarray(pixels)), 16).reshape(4, 4)
    assert abs(int(found[1, 2]) - 200 * alpha / 255) <= 1
    assert np.delete(found.reshape(-1), 6).tolist() == [250] + [200] * 14


def test_grey_with_alpha_becomes_black_too(save):
    pixels = np.stack([GREY, np.where(GREY > 100, 255, 0).astype(np.uint8)], axis=-1)
    found = load_image(save("a.png", Image.fromarray(pixels, "LA")), 64)
    assert found.tolist() == np.where(GREY > 100, GREY, 0).reshape(-1).tolist()


def test_palette_pictures_are_looked_up(save):
    picture = Image.new("P", (2, 2))
    picture.putpalette([0, 0, 0, 255, 255, 255, 90, 90, 90, 7, 7, 7])
    picture.putdata([0, 1, 2, 3])
    assert load_image(save("a.png", picture), 4).tolist() == [0, 255, 90, 7]
    assert load_image(save("b.png", picture, transparency=2), 4).tolist() == [0, 255, 0, 7]


def test_one_bit_pictures_are_black_and_white(save):
    assert load_image(save("a.png", Image.fromarray(np.array([[True, False], [False, True]]))), 4).tolist() == [255, 0, 0, 255]


@pytest.mark.parametrize("name", ["a.png", "a.npy"])
def test_invert_turns_ink_on_paper_into_ink_on_black(save, name):
    path = save(name, npy(GREY) if name.endswith("npy") else Image.fromarray(GREY))
    assert load_image(path, 64, invert=True).tolist() == (255 - GREY).reshape(-1).tolist()


def test_invert_comes_before_the_padding(save):
    paper = Image.new("L", (8, 4), 255)
    assert load_image(save("a.png", paper), 64).reshape(8, 8)[:, 0].tolist() == [0, 0, 255, 255, 255, 255, 0, 0]
    assert load_image(save("a.png", paper), 64, invert=True, allow_blank=True).tolist() == [0] * 64


@pytest.mark.parametrize(("height", "width"), [(8, 4), (4, 8), (7, 8), (1, 8)])
def test_other_shapes_are_padded_to_a_centred_square(save, height, width):
    pixels = np.random.default_rng(2).integers(1, 256, (height, width), dtype=np.uint8)
    square = np.zeros((8, 8), np.uint8)
    top, left = (8 - height) // 2, (8 - width) // 2
    square[top : top + height, left : left + width] = pixels
    assert load_image(save("a.png", Image.fromarray(pixels)), 64).tolist() == square.reshape(-1).tolist()


@pytest.mark.parametrize("factor", [2, 3, 7])
def test_larger_pictures_shrink_by_box_averages(save, factor):
    pixels = np.random.default_rng(3).integers(0, 256, (8 * factor, 8 * factor), dtype=np.uint8)
    boxes = pixels.reshape(8, factor, 8, factor).mean(axis=(1, 3)).reshape(-1)
    # rounded twice: over rows, then over columns
    assert np.abs(load_image(save("a.png", Image.fromarray(pixels)), 64) - boxes).max() <= 1


def test_smaller_pictures_grow_by_whole_pixels(save):
    found = load_image(save("a.png", Image.fromarray(GREY)), 16 * 16).reshape(16, 16)
    assert found.tolist() == np.kron(GREY, np.ones((2, 2), np.uint8)).tolist()


def test_the_shipped_seven_is_28_by_28(root):
    found = load_image(root / "examples" / "seven.png", 784)
    assert (found.shape, found.dtype, int(found.max())) == ((784,), np.uint8, 255)


# Pictures that are refused


@pytest.mark.parametrize("inputs", [2, 30, 783])
def test_networks_without_a_square_of_inputs_take_no_picture(save, inputs):
    path = save("a.png", Image.fromarray(GREY))
    message = f"a network of {inputs} inputs takes no square picture: give an .npy file of {inputs} bytes"
    with refuses(UnusableInput, message):
        load_image(path, inputs)


def test_other_formats_are_refused(save):
    grey = Image.fromarray(GREY)
    again = ": it is a {} picture (save it again as PNG or JPEG)"
    heif = b"\0\0\0\x18ftypheic" + bytes(20)
    for name, content, found in (
        ("a.gif", grey, again.format("GIF")),
        ("a.bmp", grey, again.format("BMP")),
        ("a.tif", grey, again.format("TIFF")),
        ("a.webp", grey, again.format("WebP")),
        ("a.heic", heif, ": it is a HEIF picture, as phones make them (save it again as PNG or JPEG)"),
        ("a.jpg", heif[:8], ""),
        ("a.csv", b"5.1,3.5\n", ": it is a table (`zkpredict prove {path} --row N --model FILE --out PROOF` takes a row, for a model that was made with a scale of its features)"),
        ("a.txt", b"hello", ""),
        ("a.png", b"", ""),
    ):
        path = save(name, content)
        with refuses(UnusableInput, f"image {path} is neither PNG nor JPEG nor .npy{found.replace('{path}', str(path))}"):
            load_image(path, 64)


def test_missing_files_and_folders_are_refused(tmp_path):
    with refuses(UnusableInput, f"cannot read image {tmp_path / 'no.png'}: No such file or directory"):
        load_image(tmp_path / "no.png", 64)
    with refuses(UnusableInput, f"cannot read image {tmp_path}: Is a directory"):
        load_image(tmp_path, 64)


def encoded(kind: str) -> bytes:
    stream = io.BytesIO()
    pixels = np.random.default_rng(4).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(stream, kind)
    return stream.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_every_truncation_is_read_or_refused_with_one_line(save, kind):
    data = encoded(kind)
    whole = load_image(save("a", data), 784).tolist()
    refused = 0
    for length in range(0, len(data), 7):
        path = save("a", data[:length])
        try:
            assert load_image(path, 784).tolist() == whole
        except UnusableInput as error:
            refused += 1
            assert str(error).startswith(f"image {path} is ") and "\n" not in str(error)
    assert refused >= len(range(0, len(data), 7)) - 4


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_bytes_are_read_or_refused_without_a_word_on_stderr(save, kind, data):
    content = encoded(kind)
    for _ in range(data.draw(st.integers(1, 4))):
        content = changed(content, data.draw(st.integers(0, len(content) - 1)), data.draw(st.integers(1, 255)))
    path = save("a", content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            found = load_image(path, 784)
        except UnusableInput as error:
            assert str(error).startswith(f"image {path} is ")
        else:
            assert (found.shape, found.dtype) == ((784,), np.uint8)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_header(width: int, height: int) -> bytes:
    """A PNG whose header claims `width` x `height` grey pixels and whose data is one row of nothing."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(bytes(8))) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(8193, 1), (1, 8193), (10_000, 10_000), (8193, 9000)])
def test_a_header_that_claims_a_huge_picture_allocates_nothing(save, size):
    path = save("a.png", png_header(*size))
    tracemalloc.start()
    with refuses(UnusableInput, f"image {path} is {size[0]} x {size[1]} pixels, at most 8192 a side: scale it down first"):
        load_image(path, 784)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 21


def test_a_header_beyond_pillow_s_own_limit_is_refused_in_one_line(save):
    path = save("a.png", png_header(1 << 30, 1 << 30))
    with refuses(UnusableInput, f"image {path} is larger than 8192 pixels a side: scale it down first"):
        load_image(path, 784)


def test_the_largest_picture_is_read(save):
    assert load_image(save("a.png", Image.new("L", (8192, 2), 255)), 64, allow_blank=True).max() == 0
    assert load_image(save("a.png", Image.new("L", (8192, 8192), 255)), 64, allow_blank=True).min() == 255


def test_more_transparencies_than_a_palette_has_are_damage(save):
    def picture(count: int):
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 3, 0, 0, 0)) + chunk(b"PLTE", b"\xff" * 768)
        data = chunk(b"tRNS", bytes(count)) + chunk(b"IDAT", zlib.compress(bytes(72))) + chunk(b"IEND", b"")
        return save("a.png", b"\x89PNG\r\n\x1a\n" + header + data)

    assert load_image(picture(256), 64, allow_blank=True).max() == 0
    path = picture(257)
    with refuses(UnusableInput, f"image {path} is damaged: open it in a viewer, and if it shows, save it again as PNG"):
        load_image(path, 64)


@pytest.mark.parametrize(("home", "name"), [(Image, "open"), (pictures, "_grey")], ids=["pillow", "conversion"])
@pytest.mark.parametrize("kind", [MemoryError, AttributeError, RecursionError])
def test_what_is_no_damage_is_not_called_damage(save, monkeypatch, home, name, kind):
    def fail(*arguments, **options):
        raise kind

    path = save("a.png", Image.fromarray(GREY).convert("RGB"))
    monkeypatch.setattr(home, name, fail)
    with pytest.raises(kind):
        load_image(path, 64)
