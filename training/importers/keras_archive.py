"""What of a stranger's Keras file reaches Keras: a copy, made here, of the fields that were checked.

The archive has known members of honest sizes, the configuration names plain layers of Keras itself on an allow list (no Lambda, no
custom or registered object, but for the rational activations of `zkpredict.training.layers`), and all HDF5 data lies inside the file (no external files, links or virtual data).
"""

from __future__ import annotations

import io
import json
import lzma
import math
import zipfile
import zlib

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.codec import load_json
from zkpredict.circuits.networks.dense import MAX_WEIGHTS, MAX_WIDTH
from zkpredict.circuits.networks.convolution import MAX_OUTPUTS
from zkpredict.training.importers.hdf5 import check_hdf5, first_line
from zkpredict.training.importers.maps import SUPPORTED as MAPS
from zkpredict.training.importers.maps import convolution_grid, max_pool_grid, pool_size, summed, zero_padding

LAYERS = (
    "InputLayer", "Rescaling", "Normalization", "BatchNormalization", "Flatten", "Reshape", "Dropout", "Dense", "Conv2D",
    "DepthwiseConv2D", "SeparableConv2D", "ZeroPadding2D", "MaxPooling2D", "GlobalMaxPooling2D", "AveragePooling2D", "GlobalAveragePooling2D",
    "Add", "Activation", "ReLU", "LeakyReLU", "Softmax",
)  # fmt: skip
RATIONAL = ("RationalSquare", "RationalRelu", "Softsign")
"""Those of `zkpredict.training.layers`, by the names under which Keras knows them: `zkpredict>RationalSquare` and so on."""
CONVOLUTIONS = ("Conv2D", "DepthwiseConv2D", "SeparableConv2D")
MODELS = ("Sequential", "Functional")
MAX_NESTING = 4
Shape = tuple[int, ...]
_NEAREST = {
    **dict.fromkeys(("Conv1D", "Conv3D", "Conv2DTranspose"), f"supported are {MAPS}"),
    "Lambda": "files cannot carry code: use Rescaling, Dense and ReLU",
    "PReLU": "use ReLU or LeakyReLU", "ELU": "use ReLU or LeakyReLU", "Add": "write it as keras.layers.Add()([x, y])",
    **dict.fromkeys(("Concatenate", "Multiply", "Subtract", "Average", "Maximum", "Minimum", "Dot"), "branches are joined by Add only"),
    "LayerNormalization": "use BatchNormalization, which folds into a layer",
}  # fmt: skip
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_MAX_JSON_BYTES = 1 << 20
_MODEL_FIELDS = ("name", "trainable", "dtype", "input_layers", "output_layers")
_LAYER_FIELDS = ("module", "class_name", "config", "registered_name", "name", "inbound_nodes")
_MAX_DELTA = 1e30
_UNPACKING_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError)
_VALUE_MODULES = ("keras.initializers", "keras.regularizers", "keras.constraints")


def checked_archive(data: bytes, what: str) -> bytes:
    """A `.keras` archive of the checked fields of `data`: plain layers with plain weights. Raises for anything else."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise MalformedFile(f"{what}: not a .keras file (a zip archive saved by Keras 3)") from None
    names = archive.namelist()
    if sorted(names) != sorted((_CONFIG, _METADATA, _WEIGHTS)):
        raise MalformedFile(f"{what}: holds {', '.join(sorted(names)[:5])}, expected {_CONFIG}, {_METADATA}, {_WEIGHTS}")
    text = _member(archive, _CONFIG, _MAX_JSON_BYTES, what)
    config = json.dumps(checked_config(load_json(text, f"{what}: {_CONFIG}"), what))
    weights = _member(archive, _WEIGHTS, len(data), what)  # Keras stores it uncompressed
    check_hdf5(weights, f"{what}: {_WEIGHTS}")
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as copy:
        copy.writestr(_CONFIG, config)
        copy.writestr(_METADATA, "{}")
        copy.writestr(_WEIGHTS, weights)
    return target.getvalue()


def _member(archive: zipfile.ZipFile, name: str, limit: int, what: str) -> bytes:
    try:
        with archive.open(name) as file:
            content = file.read(limit + 1)
    except _UNPACKING_ERRORS as error:
        raise MalformedFile(f"{what}: {name} cannot be unpacked: {first_line(error)}") from None
    if len(content) > limit:
        raise MalformedFile(f"{what}: {name} unpacks to more than {limit} bytes")
    return content


def checked_config(config: object, what: str, legacy: bool = False) -> dict:
    """The checked fields of a configuration: one Sequential or Functional model of `LAYERS`, of sizes a network may have.

    What says how to compile or build the model is left out: Keras builds it from the input layer. `legacy`: as .h5 files have it,
    where layers may lack their module.
    """
    if not isinstance(config, dict):
        raise MalformedFile(f"{what}: {_CONFIG} describes no model with layers")
    kind = config.get("class_name")
    kind = "Functional" if legacy and kind == "Model" else kind
    if isinstance(config.get("config"), dict) and (kind not in MODELS or config.get("registered_name") not in (None, kind)):
        raise UnsupportedNetwork(f"{what}: a {kind} model, expected {' or '.join(MODELS)}: save it as one, or export it to ONNX")
    return _ConfigCheck(what, legacy).model(config, kind, 0)[0]


class _ConfigCheck:
    def __init__(self, what: str, legacy: bool) -> None:
        self.what, self.legacy = what, legacy

    def model(self, config: dict, kind: str, depth: int, before: Shape = ()) -> tuple[dict, Shape]:
        """The checked configuration of a model or of one inside it, fed values of the shape `before` (none: it says so); what it hands on."""
        what, inner = self.what, config.get("config")
        entries = inner.get("layers") if isinstance(inner, dict) else None
        if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
            raise MalformedFile(f"{what}: {_CONFIG} describes no model with layers")
        if depth > MAX_NESTING:
            raise UnsupportedNetwork(f"{what}: models lie in models more than {MAX_NESTING} deep")
        layers, shape = [], before or (1,)
        shapes: dict[str, Shape] = {}
        for number, entry in enumerate(entries):
            fed, name = self.fed(entry, shapes) if kind == "Functional" and number else [shape], _name_of(entry)
            checked, shape = self.layer(entry, fed or [(1,)], depth)
            if not fed:
                raise UnsupportedNetwork(f"{what}: layer '{name}' is not fed by layers in front of it: a model has one input")
            if kind == "Functional" and name in shapes:
                raise UnsupportedNetwork(f"{what}: two layers are called '{name}'")
            shapes[name] = shape
            layers.append(checked)
        first = layers[0]["class_name"] if layers else "InputLayer"
        sized = self.legacy and layers and isinstance(layers[0]["config"], dict) and "batch_input_shape" in layers[0]["config"]
        if first != "InputLayer" and not sized:
            raise UnsupportedNetwork(f"{what}: the first layer is a {first}: build the model with an input shape")
        inner = {key: inner[key] for key in _MODEL_FIELDS if key in inner}
        _check_values(inner, f"{what}: the model")
        module = "keras" if kind == "Sequential" else "keras.src.models.functional"
        found = {"class_name": kind, "config": inner | {"layers": layers}}
        return (found if self.legacy else found | {"module": module, "registered_name": kind}), shape

    def fed(self, entry: dict, shapes: dict[str, Shape]) -> list[Shape]:
        """The shapes that one layer of a Functional model is fed, none where nothing in front of it feeds it. Raises for a layer that is used more
        than once, and for one that is fed by several and is no Add."""
        where, nodes, kind = f"{self.what}: layer '{_name_of(entry)}'", entry.get("inbound_nodes"), entry.get("class_name")
        if isinstance(nodes, list) and len(nodes) > 1:
            raise UnsupportedNetwork(f"{where}: it is used more than once: give each use a layer of its own")
        names = _fed_by(nodes)
        if len(names) > 1 and kind in (*LAYERS, *MODELS, *RATIONAL) and kind != "Add":
            raise UnsupportedNetwork(f"{where} is fed by {len(names)} layers: branches are joined by Add only")
        return [shapes[name] for name in names] if all(name in shapes for name in names) else []

    def layer(self, entry: dict, fed: list[Shape], depth: int) -> tuple[dict, Shape]:
        """The checked configuration of one layer that is fed values of these shapes; the shape that it hands on."""
        kind, settings = entry.get("class_name"), entry.get("config")
        if not isinstance(settings, dict):
            raise MalformedFile(f"{self.what}: {_CONFIG} has a {kind} layer without config")
        name = settings.get("name")
        where = f"{self.what}: layer '{name}'"
        registered, module = entry.get("registered_name"), entry.get("module")
        if kind in MODELS and registered in (None, kind) and module in (None, "keras", "keras.src.models.functional", "keras.models"):
            inner, shape = self.model(entry, kind, depth + 1, fed[0])
            _check_values(entry.get("inbound_nodes"), where)
            return {key: entry[key] for key in ("name", "inbound_nodes") if key in entry} | inner, shape
        origin = registered if registered not in (None, kind) else module or ("keras.layers" if self.legacy else None)
        if kind in RATIONAL and registered == f"zkpredict>{kind}":
            return self.rational(entry, kind, settings, where), fed[0]
        if kind not in LAYERS or origin != "keras.layers":
            label = kind if origin == "keras.layers" else f"{kind} of {origin}"
            raise UnsupportedNetwork(f"{where} is a {label}: {nearest(kind)}")
        _check_values(settings, where)
        _check_values(entry.get("inbound_nodes"), where)
        return {key: entry[key] for key in _LAYER_FIELDS if key in entry}, self.shape(where, kind, settings, fed)

    def rational(self, entry: dict, kind: str, settings: dict, where: str) -> dict:
        """The checked configuration of a rational activation: its delta, and nothing that Keras would look up."""
        delta = settings.get("delta")
        if isinstance(delta, bool) or not isinstance(delta, (int, float)):
            raise MalformedFile(f"{where} is a {kind} without a number delta")
        if not 0 < delta < _MAX_DELTA:
            raise MalformedFile(f"{where}: delta must be a number above 0 and below {_MAX_DELTA:g}, got {str(delta)[:20]}")
        _check_values(entry.get("inbound_nodes"), where)
        kept = {key: entry[key] for key in ("name", "inbound_nodes") if key in entry}
        config = {"name": settings.get("name"), "delta": float(delta)}
        return kept | {"module": None, "class_name": kind, "config": config, "registered_name": f"zkpredict>{kind}"}

    def shape(self, where: str, kind: str, settings: dict, fed: list[Shape]) -> Shape:
        """What a layer hands on, without the batch. Raises for sizes beyond the limits."""
        before = fed[0]
        found = settings.get("batch_shape", settings.get("batch_input_shape"))
        if kind == "InputLayer" or (self.legacy and found is not None):
            sizes = found[1:] if isinstance(found, list) else []
            if not sizes or not all(isinstance(size, int) and 0 < size <= MAX_WIDTH for size in sizes):
                raise UnsupportedNetwork(f"{where} has the input shape {found}, expected fixed sizes up to {MAX_WIDTH}")
            before = tuple(sizes)
        try:
            after, weights = _after(kind, settings, summed(fed) if kind == "Add" else before)
        except UnsupportedNetwork as error:
            raise UnsupportedNetwork(f"{where}: {error}") from None
        numbers = math.prod(after) if all(type(size) is int for size in after) else after[-1]
        limit = MAX_OUTPUTS if len(after) == 3 else MAX_WIDTH
        if not isinstance(numbers, int) or not 0 < numbers <= limit or weights > MAX_WEIGHTS:
            raise UnsupportedNetwork(f"{where} hands on {numbers} values after {math.prod(before)}, beyond the limits")
        return after


def _after(kind: str, settings: dict, before: Shape) -> tuple[Shape, int]:
    """What a layer of a kind hands on after `before`, and how many weights it has. Raises `UnsupportedNetwork`."""
    numbers = math.prod(before)
    if kind == "Dense":
        count = settings.get("units")
        return (count,), numbers * count if type(count) is int else 0
    if kind in CONVOLUTIONS:
        grid, channels = convolution_grid(before, settings), before[-1] * _whole(settings, "depth_multiplier", 1)
        count = channels if kind == "DepthwiseConv2D" else _whole(settings, "filters", 0)
        return (*grid.positions, count), grid.taps * max(count, channels if kind == "SeparableConv2D" else 0)
    if kind == "AveragePooling2D":
        high, wide = pool_size(before, kind, settings)
        return (before[0] // high, before[1] // wide, before[2]), 0
    if kind in ("GlobalAveragePooling2D", "GlobalMaxPooling2D"):
        (pool_size if kind == "GlobalAveragePooling2D" else max_pool_grid)(before, kind, settings)
        return (before[-1],), 0
    if kind == "MaxPooling2D":
        return (*max_pool_grid(before, kind, settings).positions, before[-1]), 0
    if kind == "ZeroPadding2D":
        read, (top, left, bottom, right) = zero_padding(before, settings)
        return (read.height + top + bottom, read.width + left + right, read.channels), 0
    if kind == "Flatten":
        return (numbers,), 0
    if kind == "Reshape":
        target = settings.get("target_shape")
        if isinstance(target, (list, tuple)) and all(type(size) is int and size > 0 for size in target) and math.prod(target) == numbers:
            return tuple(target), 0
        return (numbers,), 0
    return before, 0


def _whole(settings: dict, name: str, default: int) -> int:
    """A whole number from 1, or 0, which no limit lets pass."""
    value = settings.get(name, default)
    return value if type(value) is int and 0 < value <= MAX_WIDTH else 0


def nearest(kind: object) -> str:
    """What to use in place of a layer that is not read, for errors."""
    return _NEAREST.get(str(kind), f"only {', '.join(LAYERS)} can be quantised")


def _name_of(entry: dict) -> str:
    settings = entry.get("config")
    return str(entry.get("name") or (settings.get("name") if isinstance(settings, dict) else None))


def _fed_by(nodes: object) -> list[str]:
    """The names of the layers that feed the one with these nodes in a Functional configuration; none when that is not said as Keras says it."""
    if not isinstance(nodes, list) or len(nodes) != 1:
        return []
    (node,) = nodes
    try:
        if isinstance(node, list):  # Keras 2: [[name, node, tensor, arguments], ...]
            return [str(tensor[0]) for tensor in node]
        fed = node["args"]
        fed = fed[0] if len(fed) == 1 and isinstance(fed[0], list) else fed
        return [str(tensor["config"]["keras_history"][0]) for tensor in fed]
    except (KeyError, IndexError, TypeError):
        return []


def _check_values(value: object, where: str) -> None:
    """Raises when a setting is an object other than a Keras initializer, regularizer, constraint, dtype policy or tensor."""
    if isinstance(value, list):
        for item in value:
            _check_values(item, where)
    if not isinstance(value, dict):
        return
    if "class_name" in value or "module" in value:
        module, kind = value.get("module"), value.get("class_name")
        plain = module in _VALUE_MODULES or (module, kind) in (("keras", "DTypePolicy"), (None, "__keras_tensor__"))
        if (module, kind) == ("builtins", "function") or value.get("registered_name") not in (None, ""):
            called = value["config"] if isinstance(value.get("config"), str) else value.get("registered_name")
            raise UnsupportedNetwork(
                f"{where} uses '{str(called)[:60]}', code of your own, which no file can carry: use relu in hidden layers and linear, "
                "softmax or sigmoid in the last, or train one"
            )
        if not plain:
            raise UnsupportedNetwork(f"{where} needs the object {module}.{kind}, which is not loaded from files")
    for item in value.values():
        _check_values(item, where)
