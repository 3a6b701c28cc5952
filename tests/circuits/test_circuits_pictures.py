"""Pictures as people have them: each conversion gives the same bytes as the plain picture of the same drawing, and says what it did."""

import hashlib
import io
import struct

import numpy as np
import pytest
from PIL import Image
from support import changed, refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.exif import orientation_of
from zkpredict.circuits.files.images import Reading, load_image, prepare_image
from zkpredict.prover.model import Model

AVERAGED = "280 x 280 pixels are averaged down to 28 x 28"
CLEAR_DARK = "transparent parts are taken as white paper and the picture is inverted, because the ink is dark"


@pytest.fixture(scope="module")
def seven(root) -> np.ndarray:
    """The shipped seven, light ink on black, 280 x 280."""
    return np.kron(np.asarray(Image.open(root / "examples" / "seven.png")), np.ones((10, 10), np.uint8))


@pytest.fixture(scope="module")
def plain(root) -> bytes:
    return load_image(root / "examples" / "seven.png", 784).tobytes()


@pytest.fixture(scope="module")
def model(root) -> Model:
    return Model.load(root / "examples" / "mnist.model")


@pytest.fixture
def save(tmp_path):
    def write(content, name: str = "a.png", **options):
        content.save(tmp_path / name, **options)
        return tmp_path / name

    return write


def layered(shade, alpha: np.ndarray) -> Image.Image:
    """One shade everywhere, as opaque as `alpha` says."""
    return Image.fromarray(np.concatenate([np.full((*alpha.shape, 3), shade, np.uint8), alpha[..., None]], axis=-1))


def test_the_shipped_pictures_keep_their_bytes(root):
    names = {
        "seven": "8f6a418c9a639f9e14e96feca47a97df2a35a0a68ae2875431c5c80e05536941",
        "zero": "d469b96b1201daeb1aa385cf83dfb3d55f49579157daa5aeb936cde7995d0fba",
        "two": "3f8c3b265b6083fb0e5c68b6a5631b0d23bfe4cafce3c55e1b6a9cce9308ded2",
        "unlike-five": "c6915d57f7525d68c2a9af4111daad3c1c819bffaf65404eaa24c3fe293c4c0c",
    }
    for name, digest in names.items():
        found = prepare_image(root / "examples" / f"{name}.png", 784)
        assert (hashlib.sha256(found.pixels).hexdigest(), found.notes) == (digest, ())


def test_the_bytes_that_a_jpeg_gave_are_named(save, seven, plain):
    """Decoders may differ: whoever gets another proof of the same JPEG sees where they part. PNG leaves nothing open."""
    drawing = Image.fromarray(seven)
    found = prepare_image(save(drawing, "a.jpg", quality=90), 784)
    digest = hashlib.sha256(found.pixels).hexdigest()
    note = f"JPEG may decode to other bytes elsewhere (PNG does not): here the network gets the sha256 {digest}"
    assert (found.pixels == plain, found.notes) == (False, (AVERAGED, note))
    assert prepare_image(save(drawing), 784).notes == (AVERAGED,)


# EXIF

TURNED = {1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: np.transpose,
          6: np.rot90, 7: lambda a: np.rot90(a, 2).T, 8: lambda a: np.rot90(a, -1)}  # fmt: skip
"""How a camera that is held in each of the eight ways stores an upright scene (EXIF 2.32, tag 274)."""


def exif_bytes(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[274] = orientation
    return exif.tobytes()


@pytest.mark.parametrize("orientation", TURNED)
@pytest.mark.parametrize("mode", ["L", "RGBA"])
def test_every_orientation_is_turned_upright(save, seven, plain, orientation, mode):
    stored = Image.fromarray(np.ascontiguousarray(TURNED[orientation](seven))).convert(mode)
    found = prepare_image(save(stored, exif=exif_bytes(orientation)), 784)
    turned = [] if orientation == 1 else [f"turned upright, as its EXIF orientation {orientation} says"]
    assert (found.pixels, list(found.notes)) == (plain, [*turned, AVERAGED])
    untold = load_image(save(stored, "b.png"), 784).tobytes()
    assert (untold == plain) == (orientation == 1)


def test_a_jpeg_on_its_side_is_the_upright_digit(save, seven, model):
    stored = save(Image.fromarray(np.rot90(seven)), "a.jpg", exif=exif_bytes(6), quality=92)
    assert model.predict(load_image(stored, 784)) == 7
    assert model.predict(load_image(save(Image.fromarray(np.rot90(seven)), "b.jpg", quality=92), 784)) != 7


@pytest.mark.parametrize("order", ["<", ">"])
def test_both_byte_orders_are_read_and_damage_is_told_from_nothing(order):
    def tiff(*entries, number=42) -> bytes:
        head = {"<": b"II", ">": b"MM"}[order] + struct.pack(f"{order}HIH", number, 8, len(entries))
        return b"Exif\0\0" + head + b"".join(struct.pack(f"{order}HHIHH", *entry, 0) for entry in entries)

    other, good = (0x0112 - 1, 4, 1, 9), (0x0112, 3, 1, 8)
    assert orientation_of(tiff(other, good)) == 8
    assert [orientation_of(data) for data in (b"", b"Exif\0\0", tiff(other), tiff())] == [1] * 4
    for data in (
        tiff(other, good)[:-4], tiff(good, number=43), tiff(number=43), tiff((0x0112, 3, 1, 9)), tiff((0x0112, 3, 1, 0)),
        tiff((0x0112, 4, 1, 8)), tiff((0x0112, 3, 2, 8)), b"XX" + tiff(good)[8:], b"II", tiff(good)[:12] + b"\xff\xff\xff\xff",
    ):  # fmt: skip
        assert orientation_of(data) is None


def test_damaged_exif_is_said(save, seven, plain):
    whole = exif_bytes(1)
    found = prepare_image(save(Image.fromarray(seven), exif=changed(whole, 6, 0xFF)), 784)
    assert (found.pixels, list(found.notes)) == (plain, ["its EXIF data is damaged: the picture is taken as it is stored", AVERAGED])


# Transparency


def test_dark_ink_on_a_transparent_canvas_is_what_light_ink_on_black_is(save, seven, plain):
    found = prepare_image(save(layered(0, seven)), 784)
    assert (found.pixels, list(found.notes)) == (plain, [CLEAR_DARK, AVERAGED])
    told = prepare_image(save(layered(0, seven)), 784, Reading(invert=True))
    assert (told.pixels, list(told.notes)) == (plain, ["transparent parts are taken as white paper", AVERAGED])


def test_light_ink_on_a_transparent_canvas_stays_on_black(save, seven, plain):
    found = prepare_image(save(layered(255, seven)), 784)
    assert (found.pixels, list(found.notes)) == (plain, ["transparent parts are taken as black", AVERAGED])
    told = save(layered(255, seven))
    with refuses(
        UnusableInput,
        f"image {told} is one shade (0) all over for the network, so there is nothing to recognise: "
        "look for faint ink with --auto, or insist with --allow-blank",
    ):
        load_image(told, 784, invert=True)


@pytest.mark.parametrize(("shade", "white"), [(0, True), (84, True), (86, False), (255, False)])
def test_white_is_taken_only_where_black_would_hide_most_of_the_ink(save, seven, shade, white):
    seen = load_image(save(layered(shade, np.where(seven > 127, 255, 0).astype(np.uint8))), 784)
    assert sorted({int(seen.min()), int(seen.max())}) == [0, 255 - shade if white else shade]


def test_a_palette_with_a_transparent_entry_keeps_its_dark_ink(save):
    picture = Image.new("P", (2, 2))
    picture.putpalette([0, 0, 0, 255, 255, 255, 90, 90, 90, 7, 7, 7])
    picture.putdata([0, 1, 2, 3])
    assert load_image(save(picture, transparency=1), 4).tolist() == [255, 0, 165, 248]
    assert load_image(save(picture), 4).tolist() == [0, 255, 90, 7]


def test_transparent_16_bit_grey_keeps_its_ink(save):
    values = np.array([[0, 900], [40_000, 65535]], np.uint16)
    assert load_image(save(Image.fromarray(values), transparency=0), 4).tolist() == [0, 3, 156, 255]
    assert load_image(save(Image.fromarray(values), transparency=65535), 4).tolist() == [0, 3, 156, 0]
    assert load_image(save(Image.fromarray(np.minimum(values, 30_000)), transparency=30_000), 4).tolist() == [255, 252, 0, 0]


# 16-bit grey


@pytest.mark.parametrize(("largest", "depth"), [(255, 8), (256, 10), (1023, 10), (4080, 12), (4096, 14), (16384, 16), (65535, 16)])
def test_16_bit_grey_is_read_by_its_real_range(save, largest, depth):
    values = np.array([[0, largest // 3], [largest // 2, largest]], np.uint16)
    found = prepare_image(save(Image.fromarray(values)), 4)
    assert list(found.pixels) == [int(value) >> (depth - 8) for value in values.reshape(-1)]
    assert found.notes == (f"16-bit grey up to {largest} is read as {depth} bits, of which the upper 8 are used",)
    assert max(found.pixels) >= 64


def test_a_scan_of_12_bits_is_the_same_digit(save, seven, plain, model):
    assert load_image(save(Image.fromarray(seven.astype(np.uint16) << 4)), 784).tobytes() == plain
    assert model.predict(np.frombuffer(plain, np.uint8)) == 7 != model.predict(np.frombuffer(plain, np.uint8) >> 4)


def test_16_bit_colours_say_what_they_lose(save, seven, plain):
    stream = io.BytesIO()
    Image.fromarray(np.stack([seven] * 3, axis=-1)).save(stream, "PNG")
    assert not [note for note in prepare_image(save(Image.fromarray(seven)), 784).notes if "16-bit" in note]
    path = save(Image.fromarray(seven))
    path.write_bytes(sixteen_bit_rgb(seven))
    found = prepare_image(path, 784)
    assert (found.pixels, list(found.notes)) == (plain, ["of its 16-bit colours the high byte is used", AVERAGED])


def sixteen_bit_rgb(grey: np.ndarray) -> bytes:
    """A PNG of 16 bits a colour, which Pillow does not write."""
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    wide = np.repeat((grey.astype(">u2") * 257)[..., None], 3, axis=-1)
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in wide)
    header = struct.pack(">IIBBBBB", grey.shape[1], grey.shape[0], 16, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# What is said, and what is refused


def test_what_is_lost_is_said(save, seven):
    wide = np.pad(seven, ((0, 0), (20, 60)))
    coloured = np.stack([wide, wide // 2, wide], axis=-1)
    assert prepare_image(save(Image.fromarray(coloured)), 784).notes == (
        "colours are turned into grey",
        "360 x 280 pixels are padded with black to a square",
        "360 x 360 pixels are averaged down to 28 x 28",
    )
    assert prepare_image(save(Image.fromarray(seven[::20, ::20])), 784).notes == ("14 x 14 pixels are blown up to 28 x 28",)
    assert prepare_image(save(Image.fromarray(np.stack([seven[::10, ::10]] * 3, axis=-1))), 784).notes == ()


def test_of_a_moving_picture_the_first_frame_is_used(save, seven, plain):
    frames = [Image.fromarray(seven), Image.fromarray(255 - seven)]
    found = prepare_image(save(frames[0], save_all=True, append_images=frames[1:]), 784)
    assert (found.pixels, list(found.notes)) == (plain, ["only the first of 2 pictures in the file is used", AVERAGED])


def test_a_light_background_is_warned_of(save, seven):
    paper = save(Image.fromarray(255 - seven))
    warning = "the background is 255 for the network, not black as in MNIST: try --auto for a photo, or "
    assert prepare_image(paper, 784).notes[-1] == warning + "--invert for dark ink on white"
    assert prepare_image(paper, 784, Reading(invert=True)).notes == (AVERAGED,)
    dark = save(Image.fromarray(seven))
    assert prepare_image(dark, 784, Reading(invert=True)).notes[-1] == warning + "leave out --invert"
    dim = save(Image.fromarray(np.maximum(seven, 40)))
    assert prepare_image(dim, 784).notes[-1] == "the background is 40 for the network, not black as in MNIST: try --auto for a photo"


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_a_picture_of_one_shade_is_refused_unless_blank_is_allowed(save, shade):
    path = save(Image.new("L", (50, 50), shade))
    nothing = f"image {path} is one shade ({shade}) all over for the network, so there is nothing to recognise: "
    with refuses(UnusableInput, f"{nothing}look for faint ink with --auto, or insist with --allow-blank"):
        load_image(path, 784)
    assert load_image(path, 784, allow_blank=True).tolist() == [shade] * 784
    spotted = Image.new("L", (28, 28), shade)
    spotted.putpixel((3, 4), 255 - shade or 1)
    assert len(set(load_image(save(spotted), 784).tolist())) == 1 + (shade != 127)


def test_a_shape_that_only_fits_by_coincidence_is_refused(save, seven, root):
    path = root / "examples" / "seven.png"
    with refuses(
        UnusableInput,
        f"image {path} is 28 x 28 pixels, and the 4 inputs of this network are no picture of that: give it a row of 4 values "
        "(an .npy file of bytes), or a picture of exactly 2 x 2",
    ):
        load_image(path, 4)
    with pytest.raises(UnusableInput, match="^image .* is 28 x 28 pixels, and the 49 inputs of this network are no picture of that: "):
        load_image(path, 49)
    assert load_image(save(Image.fromarray(np.array([[0, 9], [8, 7]], np.uint8))), 4).size == 4
    assert load_image(path, 64).size == 64


def test_auto_and_invert_exclude_each_other_and_bytes_are_taken_as_they_are(save, tmp_path, root):
    with refuses(UnusableInput, "--invert does not go with --auto, which finds out itself whether the ink is dark"):
        load_image(root / "examples" / "seven.png", 784, invert=True, auto=True)
    np.save(tmp_path / "a.npy", np.zeros(4, np.uint8))
    with refuses(UnusableInput, f"image {tmp_path / 'a.npy'} holds the bytes themselves: --auto is for pictures (PNG, JPEG)"):
        load_image(tmp_path / "a.npy", 4, auto=True)
    assert load_image(tmp_path / "a.npy", 4).tolist() == [0] * 4
