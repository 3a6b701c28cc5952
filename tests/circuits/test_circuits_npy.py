"""Arrays in `.npy` files to bytes: taken as they are or refused in one line, hostile headers among them."""


import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import npy, refuses

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.images import load_image

GREY = np.arange(0, 256, 4, dtype=np.uint8).reshape(8, 8)


@pytest.mark.parametrize("version", [(1, 0), (2, 0)])
@pytest.mark.parametrize("shape", [(64,), (8, 8), (1, 8, 8, 1), (4, 4, 2, 2)])
def test_npy_is_taken_byte_for_byte(save, shape, version):
    assert load_image(save("a.npy", npy(GREY.reshape(shape), version)), 64).tolist() == GREY.reshape(-1).tolist()


def test_column_major_npy_is_read_row_by_row(save):
    assert npy(np.asfortranarray(GREY)) != npy(GREY)
    assert load_image(save("a.npy", npy(np.asfortranarray(GREY))), 64).tolist() == GREY.reshape(-1).tolist()


def test_a_scalar_npy_is_one_pixel(save):
    assert load_image(save("a.npy", npy(np.array(7, np.uint8))), 1).tolist() == [7]


def test_npy_of_another_size_is_refused(save):
    path = save("a.NPY", npy(GREY))
    assert load_image(path, 64).size == 64
    with refuses(UnusableInput, f"image {path} has 64 values, the network takes 784"):
        load_image(path, 784)


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        ((GREY / 255).astype(">f8"), "floats of 8 bytes"),
        (np.full((8, 8), np.nan, np.float32), "float32, and at [0, 0] nan"),
        (np.array([b"a" * 64]), "byte strings"),
        (np.array(["a"]), "text"),
        (np.array(["2020-01-01"], "M8[D]"), "dates"),
    ],
)
def test_npy_of_another_type_is_refused(save, array, kind):
    path = save("a.npy", npy(array))
    with refuses(UnusableInput, f"image {path} holds {kind}: save whole numbers from 0 to 255 with the type uint8"):
        load_image(path, 64)


@pytest.mark.parametrize(
    ("array", "seen", "line"),
    [
        (GREY / 252, "float64 from 0 to 1; what is proven is uint8 from 0 to 255. If 1 stands for 255, ", "np.rint(255.0 * np.load({path!r})).astype(np.uint8)"),
        (GREY.astype(np.int64), "int64 from 0 to 252; what is proven is uint8 from 0 to 255. ", "np.load({path!r}).astype(np.uint8)"),
        (GREY / 2 + 0.5, "float64 from 0.5 to 126.5; what is proven is uint8 from 0 to 255. ", "np.rint(np.load({path!r})).astype(np.uint8)"),
        (GREY > 0, "bool from False to True; what is proven is uint8 from 0 to 255. If 1 stands for 255, ", "np.rint(255.0 * np.load({path!r})).astype(np.uint8)"),
    ],
)
def test_npy_of_other_numbers_says_what_makes_bytes_of_them(save, tmp_path, array, seen, line):
    path = save("a.npy", npy(array))
    saving = f"np.save({str(tmp_path / 'a-uint8.npy')!r}, {line.format(path=str(path))})"
    with refuses(UnusableInput, f"image {path} holds {seen}`{saving}` makes bytes"):
        load_image(path, 64)
    exec(saving, {"np": np})
    assert load_image(tmp_path / "a-uint8.npy", 64).size == 64


def test_npy_of_objects_is_refused_and_never_unpickled(save, tmp_path):
    class Trap:
        def __reduce__(self):
            return (open, (str(tmp_path / "opened"), "w"))

    path = save("a.npy", npy(np.array([Trap()], object)))
    with refuses(UnusableInput, f"image {path} holds Python objects: save whole numbers from 0 to 255 with the type uint8"):
        load_image(path, 1)
    assert not (tmp_path / "opened").exists()


def raw_npy(header: str, body: bytes = bytes(4), version: int = 1) -> bytes:
    size = len(header).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + header.encode("latin-1") + body


GOOD = "{'descr': '|u1', 'fortran_order': False, 'shape': (4,), }\n"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "\x00",
        GOOD[:-1],
        GOOD[:50],
        GOOD.replace("4,", "-4,"),
        GOOD.replace("4,", "4L,"),
        GOOD.replace("4,", "4 4,"),
        GOOD.replace("4,", "1, " * 40),
        GOOD.replace("4,", "1" * 5000),
        GOOD.replace("False", "None"),
        GOOD.replace("'|u1'", "[('a', '|u1')]"),
        GOOD.replace("}", "'more': 1}"),
        "{[]: 1}\n",
        "(" * 9000 + "\n",
        "-" * 9000 + "1\n",
        "__import__('os').getcwd()\n",
    ],
)
def test_hostile_npy_headers_are_refused_unevaluated(save, header):
    assert load_image(save("a.npy", raw_npy(GOOD)), 4).tolist() == [0] * 4
    path = save("a.npy", raw_npy(header))
    with refuses(MalformedFile, f"image {path}: the npy header is not one that numpy.save writes for a plain array"):
        load_image(path, 4)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x93NUMPX\x01\x00", r": npy magic is b'\x93NUMPX', expected b'\x93NUMPY'"),
        (b"PK\x03\x04", ": npy magic needs 6 bytes at offset 0, 4 are left"),
        (b"\x93NUMPY\x01\x01", r": npy minor version is b'\x01', expected b'\x00'"),
        (b"\x93NUMPY\x01\x00\xff", ": npy header length needs 2 bytes at offset 8, 1 are left"),
        (b"\x93NUMPY\x02\x00\xff\xff\xff\xff", ": npy header needs 4294967295 bytes at offset 12, 0 are left"),
    ],
)
def test_broken_npy_files_are_refused(save, content, message):
    path = save("a.npy", content)
    with refuses(MalformedFile, f"image {path}{message}"):
        load_image(path, 4)


@pytest.mark.parametrize(
    ("shape", "body", "claimed"),
    [("4,", bytes(3), (4,)), ("4,", bytes(5), (4,)), ("999999999, 999999999", bytes(4), (999999999,) * 2), ("", bytes(4), ())],
)
def test_npy_bodies_of_another_length_are_refused(save, shape, body, claimed):
    path = save("a.npy", raw_npy(GOOD.replace("4,", shape), body))
    with refuses(UnusableInput, f"image {path} claims the shape {claimed} but holds {len(body)} bytes"):
        load_image(path, 4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.binary(max_size=200))
def test_any_bytes_named_npy_are_refused(save, data):
    path = save("a.npy", data)
    with pytest.raises(UnusableInput, match=r"^image .*a\.npy: npy (magic|version|minor version|header)"):
        load_image(path, 4)
