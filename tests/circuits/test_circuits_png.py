"""The plain PNG reader gives Pillow's bytes for what it takes, and takes nothing else."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, PngImagePlugin
from support import changed

from zkpredict.circuits.files.images import Reading, prepare_image
from zkpredict.circuits.files.png import SIGNATURE, plain_grey


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png(rows: bytes, width: int, height: int, header: bytes = bytes([8, 0, 0, 0, 0]), after: bytes = b"", parts: int = 1) -> bytes:
    """A file with these filtered rows."""
    packed = zlib.compress(rows)
    step = -(-len(packed) // parts)
    data = b"".join(chunk(b"IDAT", packed[start : start + step]) for start in range(0, len(packed), step))
    return SIGNATURE + chunk(b"IHDR", struct.pack(">II", width, height) + header) + data + after + chunk(b"IEND", b"")


@pytest.mark.parametrize("kinds", [(0,), (1,), (2,), (3,), (4,), (0, 1, 2, 3, 4)], ids=str)
def test_every_filter_gives_what_pillow_reads(kinds):
    draw = np.random.default_rng(len(kinds) + kinds[0])
    for width, height in ((1, 1), (1, 9), (9, 1), (28, 28), (64, 64)):
        rows = b"".join(bytes([draw.choice(kinds)]) + draw.bytes(width) for _ in range(height))
        for parts in (1, 3):
            data = png(rows, width, height, parts=parts)
            assert plain_grey(data, width, height) == Image.open(io.BytesIO(data)).tobytes()


def test_what_pillow_writes_is_read_without_it(tmp_path, root):
    for name in ("seven", "two", "zero", "unlike-five"):
        data = (root / "examples" / f"{name}.png").read_bytes()
        assert plain_grey(data, 28, 28) == Image.open(io.BytesIO(data)).tobytes()
        with_text = PngImagePlugin.PngInfo()
        with_text.add_text("Software", "zkpredict look")
        Image.open(io.BytesIO(data)).save(tmp_path / "text.png", pnginfo=with_text)
        assert plain_grey((tmp_path / "text.png").read_bytes(), 28, 28) is None
        for reading in (Reading(), Reading(invert=True)):
            one, other = (prepare_image(path, 784, reading) for path in (root / "examples" / f"{name}.png", tmp_path / "text.png"))
            assert (one.pixels, one.notes) == (other.pixels, other.notes)


ROWS = bytes(4 * 5)
PLAIN = png(ROWS, 4, 4)
HEADERS = {"16 bits": [16, 0, 0, 0, 0], "1 bit": [1, 0, 0, 0, 0], "a palette": [8, 3, 0, 0, 0], "colours": [8, 2, 0, 0, 0],
           "alpha": [8, 4, 0, 0, 0], "compression 1": [8, 0, 1, 0, 0], "filter method 1": [8, 0, 0, 1, 0], "interlacing": [8, 0, 0, 0, 1]}  # fmt: skip
OTHERS = {
    **{what: png(ROWS, 4, 4, bytes(header)) for what, header in HEADERS.items()},
    "another size": png(bytes(5 * 5), 4, 5),
    "transparency": png(ROWS, 4, 4).replace(chunk(b"IEND", b""), chunk(b"tRNS", b"\0\0") + chunk(b"IEND", b"")),
    "EXIF": png(ROWS, 4, 4, after=chunk(b"eXIf", b"MM\0*")),
    "a chunk before": SIGNATURE + chunk(b"gAMA", bytes(4)) + PLAIN[8:],
    "filter 5": png(b"\5" + ROWS[1:], 4, 4),
    "too few rows": png(ROWS[:-5], 4, 4),
    "too many rows": png(ROWS + bytes(5), 4, 4),
    "a longer stream": png(ROWS, 4, 4).replace(chunk(b"IDAT", zlib.compress(ROWS)), chunk(b"IDAT", zlib.compress(ROWS) + b"\0")),
    "a cut stream": png(ROWS, 4, 4).replace(chunk(b"IDAT", zlib.compress(ROWS)), chunk(b"IDAT", zlib.compress(ROWS)[:-1])),
    "no stream": SIGNATURE + chunk(b"IHDR", struct.pack(">II", 4, 4) + bytes([8, 0, 0, 0, 0])) + chunk(b"IEND", b""),
    "no zlib": png(ROWS, 4, 4).replace(chunk(b"IDAT", zlib.compress(ROWS)), chunk(b"IDAT", b"no")),
    "bytes behind the end": PLAIN + b"\0",
    "a body of the end": png(ROWS, 4, 4).replace(chunk(b"IEND", b""), chunk(b"IEND", b"\0")),
    "no end": PLAIN[:-12],
    "a cut chunk": PLAIN[:-1],
    "another signature": changed(PLAIN, 0),
    "a wrong checksum": changed(PLAIN, 32),
    "nothing": b"",
    "a signature only": SIGNATURE,
}


@pytest.mark.parametrize("what", OTHERS)
def test_everything_else_is_left_to_pillow(what):
    assert plain_grey(PLAIN, 4, 4) == bytes(16)
    assert plain_grey(OTHERS[what], 4, 4) is None


def test_large_pictures_are_left_to_pillow():
    assert plain_grey(png(bytes(64 * 65), 64, 64), 64, 64) == bytes(64 * 64)
    assert plain_grey(png(bytes(65 * 65), 64, 65), 64, 65) is None
