"""Which activation a quantised network gets, decided on images; and what it lost, layer by layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.layout import ACTIVATION_BITS
from zkpredict.circuits.networks.activations import MAX_BYTE, RELU8
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.training.activations import RELU as FLOAT_RELU
from zkpredict.training.floating import FloatNetwork
from zkpredict.training.quantize import quantize
from zkpredict.training.saturating import LANE_SHIFT

CHOICES = ("auto", "relu", "relu8")
SAMPLE = 10_000
"""At most so many images are looked at for scales, evenly spread over those given."""
ASSUMED_IMAGES = 256
FEW_BITS = 6
LEAST_GAIN = 0.1
"""What counts as a gain, in points. Within it `relu` is taken where a circuit holds its sums: compact circuits, the cheapest to
verify, have no other. Where none does, `relu8` is: its sums always fit 24 bits."""
_BATCH = 500


@dataclass(frozen=True, eq=False)
class CalibrationData:
    """Images uint8 [count, inputs]: `sample` to choose scales from, `check` to measure on, and their `labels` (None: the float
    network's answers are taken as the right ones). `source` says in words what was sampled and what measured. `answers`: what the
    original model itself says about `check` (None: the float network is asked, our reading of it)."""

    sample: np.ndarray
    check: np.ndarray
    labels: np.ndarray | None
    source: str
    answers: np.ndarray | None = None
    noun: str = "images"


@dataclass(frozen=True)
class LayerUse:
    """How a hidden layer is used on images: bits of its largest activation, and the share of activations at the top of `relu8`
    (None for other activations)."""

    number: int
    activation: str
    bits: int
    saturated: float | None

    def to_json(self) -> dict:
        return asdict(self)

    def to_line(self) -> str:
        line = f"  layer {self.number}  {self.activation}: activations of {self.bits} bits"
        return line if self.saturated is None else f"{line}, {self.saturated:.4%} of them saturated"


@dataclass(frozen=True, eq=False)
class Candidate:
    """A network that was tried: the share of right answers, how its layers were used, and whether lanes of a circuit hold its sums."""

    name: str
    network: IntegerNetwork
    accuracy: float
    layers: tuple[LayerUse, ...]
    fits: bool


@dataclass(frozen=True, eq=False)
class Calibration:
    """What was chosen, everything that was tried (its share of right answers, or why it could not be), and the float network's
    share of right answers."""

    chosen: Candidate
    tried: dict[str, float | str]
    float_accuracy: float
    images: int
    labelled: bool
    source: str
    noun: str = "images"

    @property
    def lost_points(self) -> float:
        """Percentage points that quantisation cost: of accuracy, or of answers that differ where there are no labels."""
        return 100 * (self.float_accuracy - self.chosen.accuracy)

    def to_json(self) -> dict:
        return {
            "activation": self.chosen.name, "integer_accuracy": self.chosen.accuracy, "float_accuracy": self.float_accuracy,
            "lost_points": self.lost_points, "images": self.images, "labelled": self.labelled, "source": self.source,
            "tried": self.tried, "layer_use": [layer.to_json() for layer in self.chosen.layers],
        }

    def to_lines(self) -> list[str]:
        what = "accuracy" if self.labelled else "answers like the float network's"
        others = [f"{name} {found if isinstance(found, str) else f'{found:.2%}'}" for name, found in self.tried.items()]
        return [
            f"  {self.source}",
            f"  {what} on {self.images:,} {self.noun}: {self.chosen.accuracy:.2%} in integers, {self.float_accuracy:.2%} in floats; "
            f"quantisation lost {self.lost_points:.2f} points",
            f"  activation {self.chosen.name}" + (f", chosen from {'; '.join(others)}" if len(others) > 1 else ""),
            *(layer.to_line() for layer in self.chosen.layers),
        ]


def calibrate(
    floats: FloatNetwork, data: CalibrationData, activation: str = "auto", on_images: Callable[[int], None] = lambda count: None
) -> Calibration:
    """Quantises `floats` in every way that `activation` allows, measures each on the images, and keeps the best (of two within
    `LEAST_GAIN` points the one whose sums a circuit holds, and `relu` if both do).

    Calls `on_images(count)` as images are classified, `len(data.check)` for each way. Raises `UnsupportedNetwork` when none
    works, and `UnusableInput` for images of another size and for a choice that the network leaves no room for.
    """
    float_digits = floats.digits(data.check) if data.answers is None else data.answers
    right = float_digits if data.labels is None else data.labels
    found: dict[str, Candidate | UnsupportedNetwork] = {}
    for name in choices(floats, activation):
        try:
            network = quantize(floats, data.sample if name == "relu8" else None)
        except UnsupportedNetwork as error:
            found[name] = error
            continue
        digits, layers = _run(network, data.check, on_images)
        found[name] = Candidate(name, network, float((digits == right).mean()), layers, _fits_lanes(network))
    return Calibration(
        _chosen(list(found.values())),
        {name: each.accuracy if isinstance(each, Candidate) else f"not possible: {each}" for name, each in found.items()},
        float((float_digits == right).mean()), len(data.check), data.labels is not None, data.source, data.noun,
    )


def _chosen(found: list[Candidate | UnsupportedNetwork]) -> Candidate:
    """The first one that no other beats by more than `LEAST_GAIN`, those that fit before those that do not. Raises the first error
    when there is none."""
    candidates = [each for each in found if isinstance(each, Candidate)]
    if not candidates:
        raise next(error for error in found if isinstance(error, UnsupportedNetwork))
    best = max(each.accuracy for each in candidates)
    return next(each for each in sorted(candidates, key=lambda each: not each.fits) if 100 * (best - each.accuracy) <= LEAST_GAIN)


def _fits_lanes(network: IntegerNetwork) -> bool:
    """Whether every hidden sum fits a lane of 24 bits, or a compact circuit, with its lanes of 48 bits, holds the whole network."""
    hidden = zip(network.layers[:-1], network.intervals[:-1], strict=True)
    if all(layer.shift <= LANE_SHIFT and interval.magnitude < 1 << (ACTIVATION_BITS + layer.shift) for layer, interval in hidden):
        return True
    try:
        compile_network(network)
    except UnsupportedNetwork:
        return False
    return True


def choices(floats: FloatNetwork, activation: str) -> tuple[str, ...]:
    """The ways to try. A network with a rational activation has one; ReLU layers in it, if any, stay ReLU."""
    rational = sorted({layer.activation.name for layer in floats.layers[:-1]} - {FLOAT_RELU.name})
    if rational:
        if activation != "auto":
            raise UnusableInput(f"the network's own activations are {', '.join(rational)}: use --activation auto, not {activation}")
        return (rational[0],)
    if floats.convolutions:
        if activation == "relu":
            raise UnusableInput("a network with convolutions is quantised with relu8: use --activation auto, not relu")
        return ("relu8",)
    return ("relu", "relu8") if activation == "auto" else (activation,)


def assumed_use(network: IntegerNetwork) -> tuple[LayerUse, ...]:
    """How the hidden layers are used on images of random bytes: what can be said without data."""
    images = np.random.default_rng(0).integers(0, 256, (ASSUMED_IMAGES, network.shape[0]), dtype=np.uint8)
    return _run(network, images, lambda count: None)[1]


def few_bits(use: tuple[LayerUse, ...]) -> str | None:
    """A warning when a hidden layer has fewer than `FEW_BITS` bits of activations; None when all have enough."""
    poor = [layer for layer in use if layer.bits < FEW_BITS]
    if not poor:
        return None
    return (
        f"worst-case bounds leave only {poor[0].bits} bits to the activations of layer {poor[0].number}"
        f"{' and to those behind it' if len(poor) > 1 else ''}: this network is likely to answer wrongly; quantize it with --calibrate DATA"
    )


def _run(network: IntegerNetwork, images: np.ndarray, on_images: Callable[[int], None]) -> tuple[np.ndarray, tuple[LayerUse, ...]]:
    digits, hidden = [], network.layers[:-1]
    largest, full = [0] * len(hidden), [0] * len(hidden)
    for first in range(0, len(images), _BATCH):
        inference = network.infer(images[first : first + _BATCH])
        digits.append(inference.digits)
        for number, values in enumerate(inference.activations):
            largest[number] = max(largest[number], int(np.abs(values).max()))
            full[number] += int((values == MAX_BYTE).sum())
        on_images(len(inference.digits))
    layers = tuple(
        LayerUse(
            number, str(layer.activation), largest[number].bit_length(),
            full[number] / (len(images) * layer.outputs) if layer.activation == RELU8 else None,
        )
        for number, layer in enumerate(hidden)
    )
    return np.concatenate(digits), layers
