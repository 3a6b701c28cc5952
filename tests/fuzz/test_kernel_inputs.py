"""The native kernel under hostile arguments: an ordinary Python exception, never a panic (which is no `Exception`) or an abort."""

from __future__ import annotations

import array
import math
import subprocess
import sys
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zkpredict.kernel import GENERATOR, MODULUS, G1, G2, Bases, Vector, evaluate_program, keccak256, pairing_check, root_of_unity

DOCUMENTED = (ValueError, TypeError, OverflowError, IndexError, ZeroDivisionError, BufferError, MemoryError)
"""MemoryError only where the caller asks for a length that no machine holds: see `LENGTHS`."""
EXAMPLES = 120

LENGTHS = st.one_of(
    st.integers(-3, 70),
    st.sampled_from([-1, 1 << 44, (1 << 48) - 1, 1 << 48, 1 << 62, (1 << 63) - 1, 1 << 63, 1 << 64, 1 << 200, -(1 << 63)]),
)
SCALARS = st.one_of(st.integers(-2, 5), st.sampled_from([MODULUS - 1, MODULUS, MODULUS + 1, 1 << 255, 1 << 256, 1 << 300, -(1 << 70)]))
BYTES = st.one_of(
    st.binary(max_size=200),
    st.sampled_from([48, 64, 96, 192, 4096]).flatmap(lambda n: st.binary(min_size=n, max_size=n)),
    st.binary(max_size=100).map(bytearray),
    st.binary(max_size=100).map(memoryview),
    st.binary(max_size=100).map(lambda data: memoryview(data)[::2]),
    st.sampled_from([G1.generator().to_compressed(), G1.generator().to_uncompressed(), G2.generator().to_compressed()]),
)
ODD = st.sampled_from(
    [None, True, "text", 1.5, math.nan, math.inf, 2j, Fraction(1, 3), [], [1], [1, None], {}, {1}, (), object(), int, range(4), "9" * 5000]
)
ARRAYS = st.sampled_from(
    [
        *(np.arange(8).astype(kind) for kind in ("<i8", ">i8", "<i4", "<u8", "<f8", "bool", "S3", "object", "M8[s]", "c16")),
        *(np.zeros(shape, np.int64) for shape in ((), (0,), (2, 2), (0, 5), (1, 1, 1))),
        np.arange(20)[::3],
        np.arange(20)[::-1],
        np.array([-(1 << 63), (1 << 63) - 1]),
        np.asfortranarray(np.arange(6).reshape(2, 3)),
        *(np.arange(4).reshape(2, 2).astype(kind) for kind in ("i1", "u1", "<u2", ">u2", "<i4", "<u8")),
        np.array([[300, -5], [2, 1 << 40]]),
        np.empty((0, 1 << 60), np.int8),
        *(array.array(kind, [1, 2, 3]) for kind in "bBhHiIlLqQfd"),
    ]
)
VECTORS = st.one_of(
    st.sampled_from([Vector.zeros(0), Vector.zeros(8), Vector.powers(3, 8), Vector.from_ints([1, 0, MODULUS - 1]), Vector.zeros(1)])
)
POINTS = st.sampled_from([G1.identity(), G1.generator(), G2.generator(), G2.identity(), -G1.generator()])
BASES = st.sampled_from([Bases([]), Bases([G1.generator()] * 4), Bases([G1.identity(), G1.generator()] * 4)])
ANYTHING = st.one_of(LENGTHS, SCALARS, BYTES, ODD, ARRAYS, VECTORS, POINTS, BASES)
LISTS = st.lists(ANYTHING, max_size=5)
ARGUMENT = st.one_of(
    ANYTHING, LISTS, st.builds(slice, LENGTHS, LENGTHS, LENGTHS), st.lists(POINTS, max_size=4), st.lists(SCALARS, max_size=8)
)


def methods(kind: type) -> list[str]:
    """Everything callable on a class but what every object has."""
    operators = ("__add__", "__sub__", "__mul__", "__radd__", "__rsub__", "__rmul__", "__neg__", "__eq__", "__getitem__", "__len__")
    names = [name for name in dir(kind) if not name.startswith("_")] + [name for name in operators if hasattr(kind, name)]
    return [name for name in names if callable(getattr(kind, name))] + ["__new__"]


CALLS = [(kind, name) for kind in (Vector, Bases, G1, G2) for name in methods(kind)]


def attempt(function, *arguments) -> None:
    """Calls; what is raised must be documented. A panic is a BaseException and ends the test."""
    try:
        function(*arguments)
    except DOCUMENTED:
        pass


@pytest.mark.parametrize("kind, name", CALLS, ids=[f"{kind.__name__}.{name}" for kind, name in CALLS])
@settings(max_examples=EXAMPLES // 4)
@given(data=st.data())
def test_methods(kind, name, data):
    arguments = data.draw(st.lists(ARGUMENT, max_size=3))
    instances = {Vector: VECTORS, Bases: BASES, G1: POINTS, G2: POINTS}[kind]
    if name == "__new__":
        attempt(kind, *arguments)
    else:
        attempt(getattr(kind, name), *arguments)
        attempt(getattr(data.draw(instances), name, kind), *arguments)


@settings(max_examples=EXAMPLES)
@given(arguments=st.lists(ARGUMENT, max_size=2))
def test_functions(arguments):
    for function in (pairing_check, root_of_unity, keccak256, evaluate_program):
        attempt(function, *arguments)


@settings(max_examples=EXAMPLES)
@given(length=LENGTHS, scalar=SCALARS, other=LENGTHS)
@example(length=1 << 47, scalar=0, other=1 << 47)
def test_lengths(length, scalar, other):
    vector, bases = Vector.powers(5, 8), Bases([G1.generator()] * 8)
    for call in (
        lambda: Vector.zeros(length),
        lambda: Vector.powers(scalar, length),
        lambda: vector.repeat(length),
        lambda: vector.rotate(length),
        lambda: vector.scatter(length, [other]),
        lambda: vector.scatter(length, list(range(8))),
        lambda: vector.coset_ntt(length, scalar),
        lambda: vector.coset_intt(scalar),
        lambda: vector.divide_by_linear(scalar),
        lambda: vector[length:other],
        lambda: vector[length],
        lambda: bases[length:other],
        lambda: bases[length],
        lambda: bases.lagrange(length),
        lambda: bases.precompute(length),
        lambda: root_of_unity(length),
        lambda: vector.evaluate(scalar),
        lambda: vector.scan(vector, scalar),
        lambda: G1.generator().mul(scalar),
    ):
        attempt(call)


@settings(max_examples=EXAMPLES)
@given(
    n=LENGTHS,
    inputs=st.lists(st.tuples(VECTORS, LENGTHS) | st.tuples(ANYTHING, ANYTHING), max_size=3),
    operations=st.lists(st.tuples(st.sampled_from("+-*/"), st.integers(0, 6), st.integers(0, 6)) | ARGUMENT, max_size=6),
)
def test_programs(n, inputs, operations):
    attempt(evaluate_program, n, inputs, operations)


@settings(max_examples=EXAMPLES)
@given(data=BYTES)
def test_bytes(data):
    for call in (G1.from_compressed, G1.from_uncompressed, G2.from_compressed, G2.from_uncompressed):
        attempt(call, data)
    for call in (Bases.from_compressed, Bases.from_uncompressed, Vector.from_bytes, Vector.from_wide_bytes, Vector.from_signed):
        attempt(call, data)


@settings(max_examples=EXAMPLES)
@given(buffer=ARRAYS, data=st.data())
def test_buffers(buffer, data):
    vector = data.draw(VECTORS)
    for call in (Vector.from_signed, Vector.from_ints, Vector.from_bytes, vector.__getitem__):
        attempt(call, buffer)
    attempt(Vector.combine_rows, buffer, data.draw(LISTS))
    attempt(data.draw(BASES).msm_integers, buffer, data.draw(st.lists(VECTORS, max_size=4)))
    attempt(vector.scatter, 8, buffer)
    attempt(lambda: vector + buffer)
    attempt(lambda: vector * buffer)


class Lying:
    """An object that answers every protocol, each with nonsense."""

    def __len__(self) -> int:
        return 1 << 40

    def __getitem__(self, index):
        return self

    def __index__(self) -> int:
        raise RuntimeError("no index")

    def __iter__(self):
        yield 1
        raise RuntimeError("no more")

    def __int__(self) -> int:
        return 1 << 400


@pytest.mark.parametrize("kind, name", CALLS, ids=[f"{kind.__name__}.{name}" for kind, name in CALLS])
def test_lying_objects(kind, name):
    instance = {Vector: Vector.powers(3, 8), Bases: Bases([G1.generator()]), G1: G1.generator(), G2: G2.generator()}[kind]
    for arguments in ((Lying(),), (Lying(), Lying()), ([Lying()],), ([Lying()], [Lying()]), (8, Lying())):
        for function in (kind if name == "__new__" else getattr(kind, name), getattr(instance, name, kind)):
            try:
                function(*arguments)
            except (*DOCUMENTED, RuntimeError):
                pass


def test_an_endless_iterator_is_the_callers(tmp_path):
    """Nothing can refuse it beforehand; an address-space limit turns it into MemoryError or an abort of that process alone."""
    script = "\n".join(
        [
            "import resource, itertools",
            "from zkpredict.kernel import Vector",
            "resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))",
            "Vector.from_ints(itertools.repeat(1, 1000))",
            "try: Vector.zeros(1 << 40)",
            "except MemoryError: print('refused')",
        ]
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env={"RAYON_NUM_THREADS": "2"})
    assert (found.returncode, found.stdout) == (0, "refused\n"), found.stderr


def test_subclasses_of_int_and_bytes_are_taken_at_their_value():
    class Number(int):
        def to_bytes(self, *arguments):
            return b"\xff" * 32

        def __index__(self) -> int:
            return MODULUS

        def __mod__(self, other) -> int:
            return 1000

    class Text(bytes):
        def __len__(self) -> int:
            return 1 << 40

    attempt(Vector.from_ints, [Number(1 << 100)])
    attempt(G1.generator().mul, Number(1 << 100))
    attempt(root_of_unity, Number(8))
    attempt(Vector.zeros(8).rotate, Number(8))
    attempt(G1.from_compressed, Text(b"short"))
    attempt(Vector.from_bytes, Text(bytes(32)))
    assert GENERATOR == 7
