"""Every parser against arbitrary and damaged bytes: only documented refusals, only canonical bytes, no giant allocation, no hang."""

from __future__ import annotations

import io
import random
import signal
import tracemalloc
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import h5py  # noqa: F401  what checking a Keras archive needs
import numpy as np
import PIL.PngImagePlugin  # noqa: F401  loaded here, so that loading it counts as nobody's allocation
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import refuses

from zkpredict.tools.parsers import TARGETS, Finding, Target, check, mutated_bytes
from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.images import load_image

EXAMPLES = 60
MUTANTS = 150
ALLOCATION = 64 << 20
"""Far above what any honest input of these sizes needs, far below what a header can claim."""
HANG_SECONDS = 600

every_target = pytest.mark.parametrize("target", TARGETS.values(), ids=TARGETS)


@contextmanager
def bounded() -> Iterator[None]:
    """Fails on a hang, and when more than `ALLOCATION` bytes are held at once."""

    def give_up(*_: object) -> None:
        raise Finding(f"still running after {HANG_SECONDS} seconds")

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(HANG_SECONDS)
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
    assert peak < ALLOCATION


@every_target
def test_seeds_are_valid(target):
    """What is mutated is worth mutating: it parses (the ceremony's and Keras' seeds only nearly do, by their size)."""
    found = [check(target, seed) for seed in target.seeds()]
    assert all(found) or target.name in ("ceremony", "keras", "npy")
    assert any(found) or target.name in ("ceremony", "keras")


@every_target
def test_damaged_files(target):
    chance, seeds = random.Random(target.name), target.seeds()
    with bounded():
        for _ in range(MUTANTS):
            check(target, mutated_bytes(chance, chance.choice(seeds)))


@every_target
def test_every_truncation(target):
    """None parses, but for tables, whose last number only gets shorter, and for pictures: Pillow forgives a missing end, and a proof is about the bytes it gives, not about the file."""
    for seed in target.seeds():
        step = max(1, len(seed) // 150)
        with bounded():
            for length in range(0, len(seed), step):
                assert not check(target, seed[:length]) or target.name in ("png", "jpeg", "photo", "table")


@every_target
@settings(max_examples=EXAMPLES)
@given(data=st.binary(max_size=300))
def test_arbitrary_bytes(target, data):
    assert not check(target, data) or target.name == "table"  # one digit is a table of one number


@every_target
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_arbitrary_bytes_behind_an_honest_start(target, data):
    seed = data.draw(st.sampled_from(target.seeds()))
    keep = data.draw(st.integers(4, min(len(seed), 64)))
    check(target, seed[:keep] + data.draw(st.binary(max_size=200)))


@every_target
@settings(max_examples=EXAMPLES)
@given(data=st.data())
def test_arbitrary_field(target, data):
    """Four honest bytes become any others: lengths, counts, types."""
    seed = data.draw(st.sampled_from(target.seeds()))
    at = data.draw(st.integers(0, min(len(seed) - 4, 200)))
    check(target, seed[:at] + data.draw(st.binary(min_size=4, max_size=4)) + seed[at + 4 :])


# claims without content


def npy(header: str) -> bytes:
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def png(width: int, height: int, body: bytes = b"") -> bytes:
    chunks = [(b"IHDR", width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x00\x00\x00\x00"), (b"IDAT", body), (b"IEND", b"")]
    packed = (len(c).to_bytes(4, "big") + t + c + zlib.crc32(t + c).to_bytes(4, "big") for t, c in chunks)
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


def network_claiming(inputs: int, outputs: int) -> bytes:
    return b"zkpN\x01\x01" + inputs.to_bytes(4, "little") + outputs.to_bytes(4, "little") + b"\x00\x08"


CLAIMS = {
    "network": network_claiming(1 << 13, 1 << 13),
    "model": b"zkpM\x01" + network_claiming(1 << 16, 1 << 10),
    "exact": b"zkpE\x01\x01" + (1 << 13).to_bytes(4, "little") * 2,
    "idx": bytes([0, 0, 8, 3]) + (1 << 9).to_bytes(4, "big") * 3,
    "npy": npy("{'descr': '|u1', 'fortran_order': False, 'shape': (999999999, 999999999), }"),
    "png": png(8192, 8192),
    "circuit": b"zkpC\x01\x00\x04\x10" + (1 << 16).to_bytes(4, "little") * 17 + bytes([1] * 15 + [2]),
    "commitment": b"zkpK\x01zkpC\x01\x00\x04\x01" + bytes([5, 0, 0, 0, 9, 0, 0, 0, 2]) + b"\xff\xff",
}


@pytest.mark.parametrize("name", CLAIMS)
def test_headers_that_claim_much_get_nothing(name):
    with bounded():
        assert not check(TARGETS[name], CLAIMS[name])


def test_a_compressed_bomb_is_cut_off():
    """A gzip stream of more zeros than the limit, a thousandth of their size."""
    packer = zlib.compressobj(wbits=31)
    bomb = b"".join([*(packer.compress(bytes(1 << 20)) for _ in range(257)), packer.flush()])
    with refuses(MalformedFile, "idx file: unpacks to more than 268435472 bytes"):
        TARGETS["idx"].parse(bomb)


@pytest.mark.parametrize("shape", [(1 << 31, 1 << 31, 0), (0, 1 << 31, 1 << 31), (1 << 28, 2, 0)])
def test_empty_arrays_have_no_huge_axes(shape):
    """Found by atheris: numpy's refusal of such a shape escaped."""
    claimed = max(shape[0], 1) * max(shape[1], 1) * max(shape[2], 1)
    with refuses(MalformedFile, f"idx file: claims {claimed} bytes, the limit is 268435456"):
        TARGETS["idx"].parse(bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in shape))


def test_an_archive_of_a_later_zip_version():
    """Found by atheris: Python's zipfile raises NotImplementedError when it opens one."""
    data = TARGETS["keras"].seeds()[0]
    entry = data.index(b"PK\x01\x02")
    with refuses(MalformedFile, "Keras model: not a .keras file (a zip archive saved by Keras 3)"):
        TARGETS["keras"].parse(data[: entry + 6] + b"\xf6\x00" + data[entry + 8 :])


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_an_archive_with_damaged_compressed_members(method):
    """Found by atheris: a broken stream raises zlib's own error, or lzma's, and neither is an OSError."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in ("config.json", "metadata.json", "model.weights.h5"):
            archive.writestr(name, b'{"config": {"layers": []}}' * 50)
    data, start = buffer.getvalue(), 30 + len("config.json")
    for at in range(start, start + 60):
        assert not check(TARGETS["keras"], data[:at] + b"\xff" * 8 + data[at + 8 :])


@pytest.mark.parametrize(
    ("header", "kind", "reason"),
    [
        ("{'descr': '|O', 'fortran_order': False, 'shape': (784,), }", UnusableInput, " holds Python objects: save whole numbers from 0 to 255 with the type uint8"),
        ("(" * 5000, MalformedFile, ": the npy header is not one that numpy.save writes for a plain array"),
        ("{'descr': __import__('os')}", MalformedFile, ": the npy header is not one that numpy.save writes for a plain array"),
    ],
    ids=["objects", "deep", "call"],
)
def test_a_header_is_never_evaluated(tmp_path, header, kind, reason):
    """numpy's own reader would run the header through Python's parser; ours matches it against one shape."""
    path = tmp_path / "a.npy"
    path.write_bytes(npy(header))
    with refuses(kind, f"image {path}{reason}"):
        load_image(path, 784)


# the checks see what they are for


def test_findings_are_found():
    lenient = Target("lenient", lambda data: data.rstrip(b"\x00"), lambda: (b"x",), lambda found: found)
    assert check(lenient, b"x")
    with pytest.raises(Finding, match="lenient: takes bytes that are not canonical: 7800"):
        check(lenient, b"x\x00")
    with pytest.raises(Finding, match="crashing: IndexError"):
        check(Target("crashing", lambda data: data[100], lambda: (b"x",)), b"x")
    with pytest.raises(AssertionError):
        with bounded():
            np.zeros(ALLOCATION + 1, np.uint8)
