"""How a byte becomes an input of a float model: part of the model, read from it or stated by its owner, never assumed.

    input = factor * byte + offset           one number each, or one each per feature

A model that begins with Rescaling is fed bytes: it scales them itself. One that begins with Normalization or BatchNormalization carries
means and deviations of its features: their scales. Any other says nothing, so somebody must.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.codec import load_json
from zkpredict.circuits.files.schema import DEVIATIONS, BadSchema, Feature, Schema
from zkpredict.circuits.files.storage import read_file
from zkpredict.circuits.networks.dense import MAX_PIXEL
from zkpredict.training.floating import UNIT_PIXEL

_RANGE = re.compile(r"([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?):([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)")
_MAX_SCHEMA_FILE = 1 << 22
CHOICES = "unit (byte / 255), signed (byte / 127.5 - 1), bytes (0 to 255 as they are), LOW:HIGH (byte 0 is LOW, byte 255 is HIGH), FILE.json"


@dataclass(frozen=True, eq=False)
class InputScale:
    """`factor`, `offset`: see above. `schema`: the scales of the features where readings are turned into bytes; `said`: for people."""

    factor: np.ndarray | float = field(repr=False)
    offset: np.ndarray | float = field(repr=False)
    said: str
    schema: Schema = Schema()

    @classmethod
    def of_features(cls, features: Sequence[Feature], inputs: int, said: str, classes: tuple[str, ...] = ()) -> InputScale:
        """Byte 0 is each feature's low reading, byte 255 its high one."""
        schema = Schema(tuple(features), classes)
        scales = schema.scales(inputs)
        if len(scales) != inputs:
            raise UnusableInput(f"the scale has {len(scales)} features, the model takes {inputs} inputs")
        if len(features) == 1:
            return cls((scales[0].high - scales[0].low) / MAX_PIXEL, scales[0].low, said, schema)
        low, high = (np.array([getattr(scale, end) for scale in scales]) for end in ("low", "high"))
        return cls((high - low) / MAX_PIXEL, low, said, schema)


BYTES = InputScale(1.0, 0.0, "bytes 0 to 255 as they are")
_FIXED = {
    "unit": InputScale(UNIT_PIXEL, 0.0, "byte / 255"),
    "signed": InputScale(1 / 127.5, -1.0, "byte / 127.5 - 1"),
    "bytes": BYTES,
}


def parse_input_scale(text: str, inputs: int) -> InputScale:
    """What `--input-scale` says: one of `CHOICES`. Raises `UnusableInput`."""
    if text in _FIXED:
        return _FIXED[text]
    match = _RANGE.fullmatch(text)
    if match:
        try:
            low, high = map(float, match.groups())
            return InputScale.of_features([Feature("input", low, high)], inputs, f"byte 0 is {low:g}, byte 255 is {high:g}, clipped beyond")
        except (ValueError, BadSchema) as error:
            raise UnusableInput(f"--input-scale {text}: {error}") from None
    if text.endswith(".json"):
        return read_feature_file(text, inputs)
    raise UnusableInput(f"--input-scale {text}: expected {CHOICES}")


def read_feature_file(path: str | Path, inputs: int) -> InputScale:
    """The scale in a JSON file: {"features": [{"name", "min", "max"} or {"name", "mean", "deviation"}, ...], "classes": [...]}."""
    what = f"feature scale {path}"
    found = load_json(read_file(path, "feature scale", _MAX_SCHEMA_FILE), what)
    if not isinstance(found, dict) or set(found) - {"features", "classes"} or not isinstance(found.get("features"), list):
        raise UnusableInput(f'{what}: expected {{"features": [{{"name": ..., "min": ..., "max": ...}}, ...], "classes": [...]}}')
    classes = found.get("classes", [])
    try:
        features = [_feature(entry) for entry in found["features"]]
        if not isinstance(classes, list):
            raise BadSchema("classes is no list of names")
        return InputScale.of_features(features, inputs, f"the feature scale of {path}, clipped beyond", tuple(classes))
    except (BadSchema, UnusableInput) as error:
        raise UnusableInput(f"{what}: {error}") from None


def _feature(entry: object) -> Feature:
    """One feature of the JSON file. Raises `BadSchema`."""
    fields = set(entry) if isinstance(entry, dict) else set()
    if fields not in ({"name", "min", "max"}, {"name", "mean", "deviation"}):
        raise BadSchema(f"a feature has name, min, max, or name, mean, deviation; got {sorted(map(str, fields)) or entry!r}")
    first, second = (entry[key] for key in (("min", "max") if "min" in fields else ("mean", "deviation")))
    if any(isinstance(value, bool) or not isinstance(value, (int, float)) for value in (first, second)):
        raise BadSchema(f"feature {entry['name']!r}: its scale is no pair of numbers")
    return Feature(entry["name"], first, second) if "min" in fields else Feature.of_moments(entry["name"], first, second)


def feature_file(schema: Schema) -> bytes:
    """The JSON that `read_feature_file` reads."""
    features = [{"name": feature.name, "min": feature.low, "max": feature.high} for feature in schema.features]
    return (json.dumps({"features": features, "classes": list(schema.classes)}, indent=2, ensure_ascii=False) + "\n").encode()


def scale_of_moments(mean: np.ndarray, deviation: np.ndarray, names: Sequence[str], inputs: int, source: str) -> InputScale:
    """`DEVIATIONS` deviations to both sides of each mean."""
    mean, deviation = (np.broadcast_to(part, (inputs,)).astype(float) for part in (mean, deviation))
    try:
        features = [Feature.of_moments(*feature) for feature in zip(names, mean.tolist(), deviation.tolist(), strict=True)]
    except BadSchema as error:
        raise UnusableInput(f"{source}: {error}: state the scale with --input-scale or --calibrate") from None
    return InputScale.of_features(features, inputs, f"readings, by {source}: mean plus and minus {DEVIATIONS} deviations, clipped beyond")


def scale_of_readings(readings: np.ndarray, names: Sequence[str], source: str) -> InputScale:
    """From the smallest to the largest of each feature in `readings`, float [rows, features]; a feature that never varies gets
    room of one unit around it, as any scale does for it."""
    readings = np.asarray(readings, np.float64)
    if readings.ndim != 2 or not readings.size or not np.isfinite(readings).all():
        raise UnusableInput(f"{source}: readings must be finite numbers [rows, features], got {list(readings.shape)}")
    low, high = readings.min(axis=0), readings.max(axis=0)
    still = low == high
    low, high = np.where(still, low - 0.5, low), np.where(still, high + 0.5, high)
    try:
        features = [Feature(*feature) for feature in zip(names, low.tolist(), high.tolist(), strict=True)]
    except BadSchema as error:
        raise UnusableInput(f"{source}: {error}") from None
    return InputScale.of_features(features, len(features), f"readings, from the smallest to the largest in {source}, clipped beyond")


def input_names(count: int) -> list[str]:
    """Names for features that have none."""
    return [f"x{number}" for number in range(count)] if count > 1 else ["x"]


def parse_threshold(text: str) -> float:
    """The number of `--threshold`. Raises `UnusableInput`."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise UnusableInput(f"--threshold {text}: expected a number")
    return value
