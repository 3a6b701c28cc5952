"""What `quantize` says about activations: chosen and measured on images, or what is assumed without any."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.console import Console

if TYPE_CHECKING:
    from zkpredict.circuits.networks.reference import IntegerNetwork
    from zkpredict.training.calibrate import CalibrationData
    from zkpredict.training.floating import FloatNetwork

ACTIVATIONS = ("auto", "relu", "relu8")
MAX_LOSS = 0.5
POOR = 0.5
"""Share of right answers below which a model is probably fed otherwise than it was trained."""


@dataclass(frozen=True, eq=False)
class Quantised:
    """A network, what to tell about its activations, and why it should not be used (None: it may)."""

    network: IntegerNetwork = field(repr=False)
    facts: dict
    lines: list[str]
    refusal: str | None = None


def add_calibration_options(parser: ArgumentParser) -> None:
    """Adds `--calibrate`, `--activation` and `--max-loss`."""
    parser.add_argument(
        "--calibrate", metavar="DATA", help="table of readings (.csv, .tsv, .json, .npy), images as bytes (.npy of uint8) or folder of idx files: choose scales and "
        "activation on these and measure what the original loses"
    )
    parser.add_argument(
        "--activation", choices=ACTIVATIONS, default="auto", help="relu: bounds over all inputs, cheapest for one or two hidden layers; "
        "relu8: activations saturate at a byte, keeps deep networks, needs --calibrate; auto: the more accurate one (default)"
    )  # fmt: skip
    parser.add_argument(
        "--max-loss", metavar="POINTS", type=_points, help=f"refuse to lose more points of accuracy than this (default: {MAX_LOSS})"
    )


def quantise(arguments: Namespace, console: Console, floats: FloatNetwork, data: CalibrationData | None) -> Quantised:
    """Quantises as the options say, on `data` if there is any. Raises `UnusableInput` and `UnsupportedNetwork`."""
    if data is None:
        return _assumed(arguments, console, floats)
    from zkpredict.training.calibrate import calibrate, choices

    tried = choices(floats, arguments.activation)
    with console.progress("quantising and classifying", len(tried) * len(data.check)) as advance:
        found = calibrate(floats, data, arguments.activation, advance)
    limit, refusal = MAX_LOSS if arguments.max_loss is None else arguments.max_loss, None
    if found.lost_points > limit:
        refusal = (
            f"quantisation loses {found.lost_points:.2f} points on {found.images:,} {found.noun} ({found.float_accuracy:.2%} in floats, "
            f"{found.chosen.accuracy:.2%} in integers with {found.chosen.name}), more than {limit:g}: {_way_out(found, arguments)}"
        )
    lines = found.to_lines()
    if found.labelled and found.float_accuracy < POOR:
        lines.append(
            f"  WARNING  the original itself is right on {found.float_accuracy:.1%} of this data: is it fed as it was trained? "
            "--input-scale says how a byte becomes an input"
        )
    return Quantised(found.chosen.network, {"calibration": found.to_json() | {"max_loss": limit}}, lines, refusal)


def _way_out(found, arguments: Namespace) -> str:
    accept = f"to accept that, --max-loss {found.lost_points + 0.01:.2f}"
    if arguments.activation == "relu":
        return f"try --activation auto; {accept}"
    return f"train it with fewer or narrower layers, or with a weight penalty; {accept}"


def _assumed(arguments: Namespace, console: Console, floats: FloatNetwork) -> Quantised:
    from zkpredict.training.calibrate import ASSUMED_IMAGES, assumed_use, few_bits
    from zkpredict.training.quantize import quantize

    if arguments.activation == "relu8":
        raise UnusableInput("relu8 takes its scales from images: add --calibrate DATA, a table or a folder of idx files")
    if arguments.max_loss is not None:
        raise UnusableInput("--max-loss is measured on images: add --calibrate DATA, a table or a folder of idx files")
    with console.step("quantising"):
        network = quantize(floats)
        use = assumed_use(network)
    lines = [
        "  assumed  nothing about the images: every value fits for any input, accuracy was not measured (--calibrate DATA does both)",
        *(f"{layer.to_line()} on {ASSUMED_IMAGES} images of random bytes" for layer in use),
    ]
    warning = few_bits(use)
    return Quantised(network, {"layer_use": [layer.to_json() for layer in use], "warning": warning}, lines + ([f"  WARNING  {warning}"] if warning else []))


def _points(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 100:
        raise ArgumentTypeError(f"{text!r} is no number of percentage points from 0 to 100")
    return value
