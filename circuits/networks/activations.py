"""What a hidden layer hands on for each pre-activation z, in exact integers: one registry of activations.

With u = z >> shift (an arithmetic shift: floor towards minus infinity), and d, c, C public parameters:

| name              | tag | a                                                   | a lies in           | u may be     |
|-------------------|-----|-----------------------------------------------------|---------------------|--------------|
| `relu`            | 0   | max(z, 0) >> shift                                  | 0 and up            | anything     |
| `relu8`           | 1   | min(max(z, 0) >> shift, 255)                        | 0..255              | anything     |
| `rational_square` | 2   | floor(u^2 / (d + abs u))                            | 0..32767            | 16 bits      |
| `rational_relu`   | 3   | floor(u (d + abs u + u) / (2 (d + abs u)))          | -8192..32766        | 16 bits      |
| `softsign`        | 4   | floor(C u / (c + abs u))                            | -C..C, C <= 32767   | 16 bits      |

"16 bits" is -32768..32767: what a 24-bit lane holds above its lowest byte. A network whose worst-case bounds leave that range
is refused (`IntegerNetwork`), so a rational activation is a function on 65,536 arguments. All of them are looked at when one
is made: the denominator is positive, the value fits 16 signed bits, and it is monotone on either side of zero, which
is what makes `bounds` exact.

In files an activation is its tag, one byte, and its parameters, each an unsigned little-endian number of two bytes, in the
order of the fields below.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, bits
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.records import dataclass, values_of

MAX_BYTE = 255
ARGUMENT_BITS = 16
LOWEST_ARGUMENT, HIGHEST_ARGUMENT = -(1 << (ARGUMENT_BITS - 1)), (1 << (ARGUMENT_BITS - 1)) - 1
MAX_DENOMINATOR = 1 << 24
"""Denominators stay at or below it, so that a remainder fits a lane of 24 bits."""
MAX_PARAMETER = 1 << 15
"""Of d and c: with it d + |u| is at most 2^16, so that remainders of `rational_square` and `softsign` fit 16 bits."""
_PARAMETER_BYTES = 2


@dataclass(frozen=True)
class Activation(ABC):
    """One activation with its parameters. Raises `UnsupportedNetwork` for parameters out of range."""

    name: ClassVar[str]
    tag: ClassVar[int]
    limits: ClassVar[dict[str, int]] = {}
    """The largest value of each parameter; the smallest is 1."""

    def __post_init__(self) -> None:
        for field, value in values_of(self).items():
            largest = self.limits[field]
            if type(value) is not int or not 1 <= value <= largest:
                raise UnsupportedNetwork(f"{self.name}: {field} must be an int in 1..{largest}, got {value!r}")

    def __str__(self) -> str:
        """The name, with parameters as in `rational_square(d=4096)`."""
        given = ", ".join(f"{field}={value}" for field, value in values_of(self).items())
        return f"{self.name}({given})" if given else self.name

    @abstractmethod
    def apply(self, z: np.ndarray, shift: int) -> np.ndarray:
        """Activations of pre-activations `z`, int64 of any shape. The reference for every other implementation."""

    @abstractmethod
    def apply_int(self, z: int, shift: int) -> int:
        """The same for one Python int."""

    @abstractmethod
    def bounds(self, low: int, high: int, shift: int) -> tuple[int, int]:
        """Smallest and largest activation of a pre-activation in low..high. Raises `UnsupportedNetwork` when z >> shift may
        leave what the activation is defined on."""

    def to_bytes(self) -> bytes:
        """Tag and parameters."""
        return bytes([self.tag]) + b"".join(value.to_bytes(_PARAMETER_BYTES, "little") for value in values_of(self).values())


@dataclass(frozen=True)
class Relu(Activation):
    """max(z, 0) >> shift."""

    name, tag = "relu", 0

    def apply(self, z: np.ndarray, shift: int) -> np.ndarray:
        return np.maximum(z, 0) >> shift

    def apply_int(self, z: int, shift: int) -> int:
        return max(z, 0) >> shift

    def bounds(self, low: int, high: int, shift: int) -> tuple[int, int]:
        """Zero is taken as the lower end whatever `low` is."""
        return 0, self.apply_int(high, shift)


@dataclass(frozen=True)
class SaturatingRelu(Activation):
    """min(max(z, 0) >> shift, 255): every layer maps bytes to bytes, so worst-case bounds do not compound."""

    name, tag = "relu8", 1

    def apply(self, z: np.ndarray, shift: int) -> np.ndarray:
        return np.minimum(np.maximum(z, 0) >> shift, MAX_BYTE)

    def apply_int(self, z: int, shift: int) -> int:
        return min(max(z, 0) >> shift, MAX_BYTE)

    def bounds(self, low: int, high: int, shift: int) -> tuple[int, int]:
        """Zero is taken as the lower end whatever `low` is."""
        return 0, self.apply_int(high, shift)


@dataclass(frozen=True)
class Polynomial:
    """constant + u * linear + abs(u) * size + u^2 * square + u abs(u) * signed_square, with integer coefficients."""

    constant: int = 0
    linear: int = 0
    size: int = 0
    square: int = 0
    signed_square: int = 0

    def __call__(self, u: Any) -> Any:
        """The value at `u`, an int or an int64 array."""
        size = abs(u)
        return self.constant + u * self.linear + size * self.size + u * u * self.square + u * size * self.signed_square


@dataclass(frozen=True)
class Rational(Activation):
    """floor(N(u) / D(u)) at u = z >> shift, with `numerator` N and `denominator` D > 0 for every u."""

    def __post_init__(self) -> None:
        super().__post_init__()
        u = np.arange(LOWEST_ARGUMENT, HIGHEST_ARGUMENT + 1, dtype=np.int64)
        below = self.denominator(u)
        wrong = np.flatnonzero((below <= 0) | (below > MAX_DENOMINATOR))
        if len(wrong):
            raise UnsupportedNetwork(
                f"{self}: the denominator at u = {u[wrong[0]]} is {below[wrong[0]]}, expected 1..{MAX_DENOMINATOR}"
            )
        values = self.numerator(u) // below
        wrong = np.flatnonzero((values < LOWEST_ARGUMENT) | (values > HIGHEST_ARGUMENT))
        if len(wrong):
            raise UnsupportedNetwork(f"{self}: the value at u = {u[wrong[0]]} is {values[wrong[0]]}, beyond 16 signed bits")
        for side in (values[u <= 0], values[u >= 0]):
            steps = np.diff(side)
            if steps.min() < 0 < steps.max():
                raise UnsupportedNetwork(f"{self}: it rises and falls on one side of zero, so bounds would not hold")

    @property
    @abstractmethod
    def numerator(self) -> Polynomial:
        """N."""

    @property
    @abstractmethod
    def denominator(self) -> Polynomial:
        """D."""

    def apply(self, z: np.ndarray, shift: int) -> np.ndarray:
        u = z >> shift
        return self.numerator(u) // self.denominator(u)

    def apply_int(self, z: int, shift: int) -> int:
        return self.at(z >> shift)

    def at(self, u: int) -> int:
        """floor(N(u) / D(u))."""
        return self.numerator(u) // self.denominator(u)

    def bounds(self, low: int, high: int, shift: int) -> tuple[int, int]:
        first, last = low >> shift, high >> shift
        if first < LOWEST_ARGUMENT or last > HIGHEST_ARGUMENT:
            raise UnsupportedNetwork(
                f"reaches up to {bits(max(abs(low), abs(high)))} on some input, {self} takes {ARGUMENT_BITS} signed bits after its "
                f"shift of {shift}"
            )
        # monotone on either side of zero: the extremes are at the ends, or at zero
        values = [self.at(u) for u in (first, last, *([0] if first < 0 < last else []))]
        return min(values), max(values)


@dataclass(frozen=True)
class RationalSquare(Rational):
    """floor(u^2 / (d + abs u)): even in u, near abs u for large u, flat at zero."""

    name, tag, limits = "rational_square", 2, {"d": MAX_PARAMETER}
    d: int

    @property
    def numerator(self) -> Polynomial:
        return Polynomial(square=1)

    @property
    def denominator(self) -> Polynomial:
        return Polynomial(constant=self.d, size=1)


@dataclass(frozen=True)
class RationalRelu(Rational):
    """floor(u (d + abs u + u) / (2 (d + abs u))): near u for large u, near -d/2 for small u, u/2 at zero."""

    name, tag, limits = "rational_relu", 3, {"d": MAX_PARAMETER}
    d: int

    @property
    def numerator(self) -> Polynomial:
        return Polynomial(linear=self.d, signed_square=1, square=1)

    @property
    def denominator(self) -> Polynomial:
        return Polynomial(constant=2 * self.d, size=2)


@dataclass(frozen=True)
class Softsign(Rational):
    """floor(scale u / (c + abs u)): odd but for the floor, bounded by `scale`."""

    name, tag, limits = "softsign", 4, {"scale": HIGHEST_ARGUMENT, "c": MAX_PARAMETER}
    scale: int
    c: int

    @property
    def numerator(self) -> Polynomial:
        return Polynomial(linear=self.scale)

    @property
    def denominator(self) -> Polynomial:
        return Polynomial(constant=self.c, size=1)


KINDS: tuple[type[Activation], ...] = (Relu, SaturatingRelu, RationalSquare, RationalRelu, Softsign)
"""Every activation a hidden layer may have, in the order of their tags."""
RELU, RELU8 = Relu(), SaturatingRelu()


def activation_named(name: str, **parameters: int) -> Activation:
    """The activation of that name. Raises `UnsupportedNetwork` for an unknown name, and for parameters it does not take."""
    kind = next((kind for kind in KINDS if kind.name == name), None)
    if kind is None:
        raise UnsupportedNetwork(f"there is no activation '{name}', known are {', '.join(kind.name for kind in KINDS)}")
    if set(parameters) != set(kind.limits):
        raise UnsupportedNetwork(
            f"{name} takes {' and '.join(kind.limits) or 'no parameters'}, got {' and '.join(parameters) or 'none'}"
        )
    return kind(**parameters)


def read_activation(reader: ByteReader, what: str) -> Activation:
    """Parses `Activation.to_bytes` at the reader's cursor; `what` names the layer. Raises `MalformedFile`."""
    tag = reader.unsigned(1, f"{what} activation")
    kind = next((kind for kind in KINDS if kind.tag == tag), None)
    if kind is None:
        raise MalformedFile(f"{reader.what}: {what} activation is {tag}, expected 0 to {len(KINDS) - 1}")
    parameters = {name: reader.unsigned(_PARAMETER_BYTES, f"{what} {kind.name} {name}") for name in kind.limits}
    try:
        return kind(**parameters)
    except UnsupportedNetwork as error:
        raise MalformedFile(f"{reader.what}: {what}: {error}") from None
