"""The network that `chain`, `export` and `script` run in the open: from a model file, a 10^8 network, or a float model."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.storage import read_file, read_head

if TYPE_CHECKING:
    from zkpredict.circuits.networks.exact import ExactNetwork
    from zkpredict.circuits.networks.reference import IntegerNetwork
    from zkpredict.training.floating import FloatNetwork

MODES = ("packed", "exact")


def add_network_options(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Adds `--model` and `--mode`."""
    parser.add_argument(
        "--model", required=required, metavar="FILE", help="model file, 10^8 network of `script scale`, or a float model (.keras, .h5, .onnx)"
    )
    parser.add_argument(
        "--mode", choices=MODES, help="packed: the integer network, cheap; exact: classic 10^8 fixed point. Default: what FILE holds"
    )


def read_network(path: str, mode: str | None) -> IntegerNetwork | ExactNetwork:
    """The network in a file, checked against `mode`. Raises `UnusableInput`."""
    from zkpredict.circuits.networks.exact import MAGIC, ExactNetwork
    from zkpredict.prover.model import Model
    from zkpredict.training.importers import SUFFIXES

    if path.lower().endswith(SUFFIXES):
        return _from_float(path, mode)
    data = read_file(path, "network")
    found = "exact" if data.startswith(MAGIC) else "packed"
    if mode not in (None, found):
        raise UnusableInput(f"{path} holds {'a 10^8 network' if found == 'exact' else 'an integer network'}: use --mode {found}")
    return ExactNetwork.from_bytes(data, f"network {path}") if found == "exact" else Model.from_bytes(data, f"model {path}").network


def read_schema_of(path: str | None) -> Schema:
    """What the bytes of the model at `path` mean; nothing for any other file, and for none. Raises `UnusableInput`."""
    from zkpredict.prover.model import SCHEMA_MAGIC, Model

    if path is None or read_head(path, "network")[: len(SCHEMA_MAGIC)] != SCHEMA_MAGIC:
        return Schema()
    return Model.load(path).schema


def _from_float(path: str, mode: str | None) -> IntegerNetwork | ExactNetwork:
    from zkpredict.training.importers import read_model

    imported = read_model(path)
    floats = imported.over(imported.demand())
    if mode == "exact":
        return exact_network(floats)
    from zkpredict.training.calibrate import assumed_use, few_bits
    from zkpredict.training.quantize import quantize

    network = quantize(floats)
    warning = few_bits(assumed_use(network))
    if warning:
        raise UnusableInput(f"{path}: {warning}, and give the model file that makes")
    return network


def exact_network(floating: FloatNetwork) -> ExactNetwork:
    """The float network in 10^8 fixed point, its pixel scaling folded into the first layer, whose inputs are pixels / 255.

    Raises `UnusableInput` for convolutions, and for activations other than ReLU: this arithmetic has neither.
    """
    from zkpredict.circuits.networks.exact import ExactNetwork
    from zkpredict.circuits.networks.dense import MAX_PIXEL
    from zkpredict.training.activations import RELU

    for layer in floating.layers:
        if layer.grid is not None:
            raise UnusableInput(f"layer '{layer.name}' reads a map: 10^8 networks have dense layers only; quantize --calibrate DATA takes convolutions")
        if layer.activation != RELU:
            raise UnusableInput(f"layer '{layer.name}' has the activation {layer.activation.name}: 10^8 networks have relu only, use --mode packed")
    first, *others = floating.layers
    per_unit_pixel = floating.pixel_scale * MAX_PIXEL
    return ExactNetwork.from_floats([
        ((first.weights * per_unit_pixel).T, floating.over_bytes[0].bias),
        *((layer.weights.T, layer.bias) for layer in others),
    ])
