"""What the bytes of an input and the numbers of the classes mean: the scale of each feature, and the names of the classes.

A feature's scale says which reading is byte 0 (`low`) and which is byte 255 (`high`). A reading becomes

    byte = floor((clip(reading, low, high) - low) * 255 / (high - low) + 1/2)

in exact rational arithmetic on decimals: the number as written, and of a floating-point number (a reading, or an end of the scale)
the shortest decimal that reads back as it, which is what Python, JavaScript and Rust print. So 5.1 is 51/10 in a text, in a float32 and
in a float64, and everybody gets the same bytes. What is proven is the bytes. A commitment binds its schema (`zkpredict.verifier.binding`), so its owner cannot show another one later.

    magic "zkpS" 01 | feature count u16 | per feature: name length u8, name in UTF-8, low f64, high f64 |
    class count u16 | per class: name length u8, name in UTF-8                                    (little-endian)

No features: inputs are bytes (pixels) as they are. One feature for more inputs: all of them share its scale.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.dense import MAX_PIXEL
from zkpredict.circuits.records import dataclass

if TYPE_CHECKING:
    from fractions import Fraction

MAGIC = b"zkpS\x01"
MAX_NAME_BYTES = 80
MAX_NAMES = (1 << 16) - 1
MAX_SCHEMA_BYTES = 1 << 19
DEVIATIONS = 4
"""How far from the mean a scale of mean and deviation reaches; what lies beyond is clipped."""


class BadSchema(ValueError):
    """A feature or class that cannot be used; says which and why."""


@dataclass(frozen=True)
class Feature:
    """`low` and `high`: the readings of byte 0 and byte 255, finite floats, `low < high`. Raises `BadSchema`."""

    name: str
    low: float
    high: float

    def __post_init__(self) -> None:
        check_name("feature", self.name)
        for end in ("low", "high"):
            value = float(getattr(self, end))
            if not math.isfinite(value):
                raise BadSchema(f"feature '{self.name}': {end} is {value}, expected a finite number")
            object.__setattr__(self, end, value + 0.0)  # -0.0 becomes 0.0: one scale has one encoding
        if not self.low < self.high:
            raise BadSchema(f"feature '{self.name}': low is {self.low}, which must be below high, {self.high}")

    @classmethod
    def of_moments(cls, name: str, mean: float, deviation: float) -> Feature:
        """The scale that reaches `DEVIATIONS` deviations to both sides of the mean."""
        return cls(name, mean - DEVIATIONS * deviation, mean + DEVIATIONS * deviation)

    @cached_property
    def _line(self) -> tuple[int, int, int, int]:
        """255 / (high - low) = a/b and 1/2 - low a/b = c/d."""
        from fractions import Fraction  # late, as below: models of pictures have no scale

        low, high = self.ends
        slope = MAX_PIXEL / (high - low)
        offset = Fraction(1, 2) - low * slope
        return slope.numerator, slope.denominator, offset.numerator, offset.denominator

    @cached_property
    def ends(self) -> tuple[Fraction, Fraction]:
        """`low` and `high` as the decimals that they are written as."""
        from fractions import Fraction

        return Fraction(repr(self.low)), Fraction(repr(self.high))

    @property
    def step(self) -> float:
        """How much of a reading one byte is."""
        return (self.high - self.low) / MAX_PIXEL

    def byte(self, reading: Fraction) -> int:
        """The byte of one reading: the formula above, on whole numbers: floor(reading * a/b + c/d), then clipped."""
        a, b, c, d = self._line
        numerator, denominator = reading.numerator, reading.denominator
        value = (numerator * a * d + c * denominator * b) // (denominator * b * d)
        return min(max(value, 0), MAX_PIXEL)

    def holds(self, reading: Fraction) -> bool:
        """Whether the reading lies in the scale, so that nothing is clipped."""
        low, high = self.ends
        return low <= reading <= high


@dataclass(frozen=True)
class Schema:
    """`features`: none, one for all inputs, or one each; `classes`: no names, or one each. Raises `BadSchema`."""

    features: tuple[Feature, ...] = ()
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "features", tuple(self.features))
        object.__setattr__(self, "classes", tuple(self.classes))
        for name in self.classes:
            check_name("class", name)
        for kind, names in (("feature", [feature.name for feature in self.features]), ("class", self.classes)):
            if len(names) > MAX_NAMES:
                raise BadSchema(f"{len(names)} {kind} names, at most {MAX_NAMES}")
            twice = next((name for name in names if list(names).count(name) > 1), None) if len(set(names)) < len(names) else None
            if twice is not None:
                raise BadSchema(f"two {'features' if kind == 'feature' else 'classes'} are called '{twice}'")

    def __bool__(self) -> bool:
        return bool(self.features or self.classes)

    @property
    def shared(self) -> bool:
        """Whether inputs are pixels: as they are, or all on one scale."""
        return len(self.features) <= 1

    def check_shape(self, inputs: int, classes: int) -> None:
        """Raises `BadSchema` unless the schema is one for that many inputs and classes."""
        if len(self.features) not in (0, 1, inputs):
            raise BadSchema(f"the schema has {len(self.features)} features, the network takes {inputs} inputs")
        if len(self.classes) not in (0, classes):
            raise BadSchema(f"the schema names {len(self.classes)} classes, the network knows {classes}")

    def scales(self, inputs: int) -> tuple[Feature, ...]:
        """The scale of each of `inputs` inputs; empty when they are bytes as they are."""
        return self.features * inputs if len(self.features) == 1 else self.features

    def encode(self, readings: Sequence[Fraction], inputs: int) -> tuple[bytes, tuple[str, ...]]:
        """The bytes of one row of readings, and the names of the features that were clipped. Raises `UnusableInput`."""
        scales = self.scales(inputs)
        if not scales:
            raise UnusableInput("this model has no feature scale: it takes bytes (a picture, or .npy of uint8)")
        if len(readings) != inputs:
            raise UnusableInput(f"the row has {len(readings)} values, the network takes {inputs}")
        clipped = tuple(
            scale.name if len(self.features) > 1 or inputs == 1 else f"{scale.name}[{position}]"
            for position, (scale, reading) in enumerate(zip(scales, readings, strict=True))
            if not scale.holds(reading)
        )
        return bytes(scale.byte(reading) for scale, reading in zip(scales, readings, strict=True)), clipped

    def class_name(self, number: int) -> str | None:
        """The name of a class; None when classes have none."""
        return self.classes[number] if self.classes else None

    def class_number(self, text: str) -> int:
        """The class called `text`, or numbered so when no class has that name. Raises `UnusableInput`."""
        if text in self.classes:
            return self.classes.index(text)
        if text.isascii() and text.isdigit() and len(text) <= 9:
            return int(text)
        known = f"one of {', '.join(self.classes)}, or a number" if self.classes else "a number: this model's classes have no names"
        raise UnusableInput(f"'{text}' is no class of this model, give {known}")

    def to_bytes(self) -> bytes:
        """The canonical bytes of the page above."""
        parts = [MAGIC, len(self.features).to_bytes(2, "little")]
        for feature in self.features:
            parts += [_name_bytes(feature.name), struct.pack("<dd", feature.low, feature.high)]
        parts.append(len(self.classes).to_bytes(2, "little"))
        return b"".join(parts + [_name_bytes(name) for name in self.classes])

    @classmethod
    def from_bytes(cls, data: bytes, what: str = "schema") -> Schema:
        """Parses exactly `to_bytes` output. Raises `MalformedFile`."""
        reader = ByteReader(data, what)
        reader.expect(MAGIC, "schema magic")
        try:
            features = tuple(_read_feature(reader, number) for number in range(reader.unsigned(2, "feature count")))
            classes = tuple(_read_name(reader, f"class {number}") for number in range(reader.unsigned(2, "class count")))
            reader.finish()
            found = cls(features, classes)
        except BadSchema as error:
            raise MalformedFile(f"{what}: {error}") from None
        if found.to_bytes() != data:
            raise MalformedFile(f"{what}: the schema is not in canonical form")
        return found


def read_schema(reader: ByteReader, inputs: int, classes: int) -> Schema:
    """A schema with u32 length at the cursor, for a network of that many inputs and classes. Raises `MalformedFile`."""
    size = reader.unsigned(4, "schema length")
    if size > MAX_SCHEMA_BYTES:
        raise MalformedFile(f"{reader.what}: the schema claims {size} bytes, the limit is {MAX_SCHEMA_BYTES}")
    schema = Schema.from_bytes(bytes(reader.take(size, "schema")), reader.what)
    try:
        schema.check_shape(inputs, classes)
    except BadSchema as error:
        raise MalformedFile(f"{reader.what}: {error}") from None
    if not schema:
        raise MalformedFile(f"{reader.what}: the schema says nothing: the file should be of version 01")
    return schema


def check_name(kind: str, name: str) -> None:
    """Raises `BadSchema` unless `name` is 1 to `MAX_NAME_BYTES` bytes of printable text that nothing can hide in."""
    if not isinstance(name, str) or not name or name != name.strip() or not name.isprintable():
        raise BadSchema(f"the {kind} name {name!r} is empty, or has blanks around it, or holds what cannot be printed")
    if len(name.encode(errors="surrogatepass")) > MAX_NAME_BYTES:
        raise BadSchema(f"the {kind} name {name[:20]!r}... is longer than {MAX_NAME_BYTES} bytes")


def _name_bytes(name: str) -> bytes:
    encoded = name.encode()
    return bytes([len(encoded)]) + encoded


def _read_name(reader: ByteReader, field: str) -> str:
    raw = reader.take(reader.unsigned(1, f"{field} name length"), f"{field} name")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise MalformedFile(f"{reader.what}: {field} name is no UTF-8") from None


def _read_feature(reader: ByteReader, number: int) -> Feature:
    name = _read_name(reader, f"feature {number}")
    return Feature(name, *struct.unpack("<dd", reader.take(16, f"feature {number} scale")))
