"""Reading and writing Keras models. The only door to Keras: it is imported inside `import_keras`, never on import.

A `.keras` file may come from anybody. Keras never opens it: it opens a copy made here of the fields that were checked. The
archive has known members of honest sizes, the configuration names plain layers of Keras itself on an allow list (no Lambda,
no custom or registered object), and all HDF5 data lies inside the file (no external files, links or virtual data).
"""

from __future__ import annotations

import io
import json
import lzma
import math
import os
import tempfile
import zipfile
import zlib
from pathlib import Path

import numpy as np

from zkpredict.circuits.files.codec import load_json
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.files.storage import read_file
from zkpredict.circuits.networks.dense import MAX_WEIGHTS, MAX_WIDTH
from zkpredict.training.floating import UNIT_PIXEL, FloatLayer, FloatNetwork
from zkpredict.training.importers.hdf5 import check_hdf5, first_line

LAYERS = ("InputLayer", "Rescaling", "Flatten", "Dropout", "Dense", "Activation", "ReLU", "Softmax")
_CONFIG, _METADATA, _WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
_MAX_JSON_BYTES = 1 << 20
_MAX_WEIGHT_BYTES = 8 * MAX_WEIGHTS
_MODEL_FIELDS = ("name", "trainable", "dtype", "input_layers", "output_layers")
_LAYER_FIELDS = ("module", "class_name", "config", "registered_name", "name", "inbound_nodes")
_UNPACKING_ERRORS = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError, ValueError)
_VALUE_MODULES = ("keras.initializers", "keras.regularizers", "keras.constraints")


def import_keras():
    """The `keras` module, quiet, on the processor, without kernels that differ from one processor to the next in the last bits.

    Raises `UnusableInput` when it is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    try:
        import keras
    except ImportError as error:
        raise UnusableInput(
            f"this needs Keras ({error.name} is not installed): pip install 'zkpredict[training]'"
        ) from None
    return keras


def save_keras(model, path: str | Path) -> None:
    """Saves a Keras model beside `path`, then renames it onto it. Raises `UnusableInput` when that cannot be written."""
    target = Path(path)
    if target.suffix != ".keras":
        raise UnusableInput(f"a Keras model file ends in .keras, got {target}")
    try:
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
            temporary = Path(folder) / "model.keras"
            model.save(temporary)
            os.replace(temporary, target)
    except OSError as error:
        raise UnusableInput(f"cannot write {path}: {error.strerror or error}") from None


def load_keras(path: str | Path) -> FloatNetwork:
    """The float network in a `.keras` file.

    Raises `MalformedFile` for anything but an honest Keras archive, `UnsupportedNetwork`, naming the layer, for a model that
    is no chain of dense ReLU layers, and `UnusableInput` when the file cannot be read or Keras is not installed.
    """
    data = read_file(path, "Keras model", _MAX_WEIGHT_BYTES)
    what = f"Keras model {path}"
    keras = import_keras()
    checked = _checked_archive(data, what)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "checked.keras"
        copy.write_bytes(checked)
        try:
            model = keras.saving.load_model(copy, compile=False, safe_mode=True)
        except MemoryError:
            raise
        except Exception as error:  # no contract: what layers and TensorFlow raise on a file that does not fit itself has no common type
            raise MalformedFile(f"{what}: Keras cannot load it: {first_line(error)}") from None
    return float_network(model)


def float_network(model) -> FloatNetwork:
    """The float network of a Keras model.

    The model is a chain of: one input, an optional Rescaling of the pixels, Flatten and Dropout anywhere, Dense layers each
    followed by ReLU, and a last Dense that is linear or softmax (which does not change the largest logit). A model with
    Rescaling is fed bytes; one without is fed pixels / 255. Raises `UnsupportedNetwork`, naming the layer.
    """
    keras = import_keras()
    dense: list = []
    activations: list[str] = []
    scale, offset = None, 0.0
    for layer in _chain(model):
        kind = type(layer).__name__
        if type(layer) is not getattr(keras.layers, kind, None) or kind not in LAYERS:
            raise _refused(layer, kind)
        if kind == "Rescaling":
            if dense or not (np.ndim(layer.scale) == 0 and np.ndim(layer.offset) == 0):
                raise _wrong(layer, "Rescaling must be one number, before the first Dense layer")
            scale, offset = (scale or 1.0) * float(layer.scale), offset * float(layer.scale) + float(layer.offset)
        elif kind == "Flatten" and layer.data_format != "channels_last":
            raise _wrong(layer, f"data_format is {layer.data_format}, expected channels_last")
        elif kind == "Dense":
            if dense and activations[-1] != "relu":
                raise _wrong(dense[-1], f"a hidden layer needs ReLU, its activation is {activations[-1]}")
            if len(layer.input.shape) != 2:
                raise _wrong(layer, f"its input has the shape {layer.input.shape}, put Flatten before it")
            dense.append(layer)
            activations.append("linear")
        found = _activation(layer, kind)
        if found != "linear":
            if not dense or activations[-1] != "linear":
                raise _wrong(layer, f"{found} must directly follow one Dense layer")
            activations[-1] = found
    if not dense:
        raise UnsupportedNetwork("the Keras model has no Dense layer")
    if "softmax" in activations[:-1] or activations[-1] == "relu":
        at = activations.index("softmax") if "softmax" in activations[:-1] else -1
        raise _wrong(dense[at], "only hidden layers have ReLU, and only the last may have softmax")
    return FloatNetwork(tuple(map(_float_layer, dense)), UNIT_PIXEL if scale is None else scale, offset)


def _chain(model) -> list:
    """The layers from input to output, when each feeds exactly the next one."""
    if not model.built:
        raise UnsupportedNetwork("the Keras model has no input shape yet: build it first")
    if len(model.inputs) != 1 or len(model.outputs) != 1:
        raise UnsupportedNetwork(
            f"the Keras model has {len(model.inputs)} inputs and {len(model.outputs)} outputs, expected one of each"
        )
    if isinstance(model, import_keras().Sequential):
        return model.layers
    producers = {id(layer.output): layer for layer in model.layers}
    chain, tensor = [], model.outputs[0]
    while tensor is not model.inputs[0]:
        layer = producers.pop(id(tensor), None)
        if layer is None or isinstance(layer.input, (list, tuple, dict)):
            where = f"before layer '{chain[-1].name}'" if chain else "at the output"
            raise UnsupportedNetwork(f"the Keras model is no chain of layers: it branches, merges or loops {where}")
        chain.append(layer)
        tensor = layer.input
    left = [layer for layer in producers.values() if type(layer).__name__ != "InputLayer"]
    if left:
        raise _wrong(left[0], "it lies beside the chain from input to output")
    return chain[::-1]


def _activation(layer, kind: str) -> str:
    """What `layer` does to its values element by element: linear (nothing), relu or softmax."""
    if kind in ("Dense", "Activation"):
        name = getattr(layer.activation, "__name__", str(layer.activation))
        if name not in ("linear", "relu", "softmax"):
            raise _wrong(layer, f"activation {name} is not supported, use relu (hidden) or linear, softmax (last)")
        return name
    if kind == "ReLU":
        if layer.max_value is not None or layer.negative_slope or layer.threshold:
            raise _wrong(layer, "only plain ReLU is supported: no max_value, negative_slope or threshold")
        return "relu"
    if kind == "Softmax":
        if layer.axis not in (-1, 1):
            raise _wrong(layer, f"softmax runs over axis {layer.axis}, expected the last one")
        return "softmax"
    return "linear"


def _float_layer(layer) -> FloatLayer:
    if layer.quantization_mode is not None or getattr(layer, "lora_enabled", False):
        raise _wrong(layer, "its kernel is quantised or has LoRA: give the float model")
    to_numpy = import_keras().ops.convert_to_numpy
    weights = np.asarray(to_numpy(layer.kernel)).astype(np.float64).T
    bias = np.asarray(to_numpy(layer.bias)).astype(np.float64) if layer.use_bias else np.zeros(len(weights))
    return FloatLayer(layer.name, weights, bias)


def _checked_archive(data: bytes, what: str) -> bytes:
    """A `.keras` archive of the checked fields of `data`: plain layers with plain weights. Raises for anything else."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError):
        raise MalformedFile(f"{what}: not a .keras file (a zip archive saved by Keras 3)") from None
    names = archive.namelist()
    if sorted(names) != sorted((_CONFIG, _METADATA, _WEIGHTS)):
        raise MalformedFile(f"{what}: holds {', '.join(sorted(names)[:5])}, expected {_CONFIG}, {_METADATA}, {_WEIGHTS}")
    text = _member(archive, _CONFIG, _MAX_JSON_BYTES, what)
    config = json.dumps(_checked_config(load_json(text, f"{what}: {_CONFIG}"), what))
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


def _checked_config(config: object, what: str) -> dict:
    """The checked fields of a configuration: one Sequential or Functional model of `LAYERS`, of sizes a network may have.

    What says how to compile or build the model is left out: Keras builds it from the input layer.
    """
    inner = config.get("config") if isinstance(config, dict) else None
    entries = inner.get("layers") if isinstance(inner, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise MalformedFile(f"{what}: {_CONFIG} describes no model with layers")
    kind = config.get("class_name")
    if kind not in ("Sequential", "Functional") or config.get("registered_name") not in (None, kind):
        raise UnsupportedNetwork(f"{what}: a {kind} model, expected Sequential or Functional")
    layers, before = [], 1
    for previous, entry in zip([None, *entries], entries):
        before = _check_layer(entry, before, what)
        if kind == "Functional" and previous is not None and _fed_by(entry) != previous.get("name"):
            name, before_it = entry.get("name"), previous.get("name")
            raise UnsupportedNetwork(f"{what}: layer '{name}' is not fed by '{before_it}' alone: only chains can be quantised")
        layers.append({key: entry[key] for key in _LAYER_FIELDS if key in entry})
    if layers and layers[0]["class_name"] != "InputLayer":
        first = layers[0]["class_name"]
        raise UnsupportedNetwork(f"{what}: the first layer is a {first}: build the model with an input shape")
    inner = {key: inner[key] for key in _MODEL_FIELDS if key in inner}
    _check_values(inner, f"{what}: the model")
    module = "keras" if kind == "Sequential" else "keras.src.models.functional"
    return {"module": module, "class_name": kind, "config": inner | {"layers": layers}, "registered_name": kind}


def _check_layer(entry: dict, before: int, what: str) -> int:
    """Checks one layer of a configuration that is fed `before` values; how many it hands on."""
    kind, settings = entry.get("class_name"), entry.get("config")
    if not isinstance(settings, dict):
        raise MalformedFile(f"{what}: {_CONFIG} has a {kind} layer without config")
    where = f"{what}: layer '{settings.get('name')}'"
    registered = entry.get("registered_name")
    origin = registered if registered not in (None, kind) else entry.get("module")
    if kind not in LAYERS or origin != "keras.layers":
        label = kind if origin == "keras.layers" else f"{kind} of {origin}"
        raise UnsupportedNetwork(f"{where} is a {label}, only {', '.join(LAYERS)} can be quantised")
    _check_values(settings, where)
    _check_values(entry.get("inbound_nodes"), where)
    width = before
    if kind == "InputLayer":
        shape = settings.get("batch_shape", settings.get("batch_input_shape"))
        sizes = shape[1:] if isinstance(shape, list) else []
        if not sizes or not all(isinstance(size, int) and 0 < size <= MAX_WIDTH for size in sizes):
            raise UnsupportedNetwork(f"{where} has the input shape {shape}, expected fixed sizes up to {MAX_WIDTH}")
        width = math.prod(sizes)
    elif kind == "Dense":
        width = settings.get("units")
    if not isinstance(width, int) or not 0 < width <= MAX_WIDTH or before * width > MAX_WEIGHTS:
        raise UnsupportedNetwork(f"{where} hands on {width} values after {before}, beyond the limits")
    return width


def _fed_by(entry: dict) -> str | None:
    """The name of the one layer that feeds this one in a Functional configuration; None when there is not exactly one."""
    try:
        (node,) = entry["inbound_nodes"]
        (tensor,) = node["args"]
        return tensor["config"]["keras_history"][0]
    except (KeyError, IndexError, TypeError, ValueError):
        return None


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
        if not plain or value.get("registered_name"):
            raise UnsupportedNetwork(f"{where} needs the object {module}.{kind}, which is not loaded from files")
    for item in value.values():
        _check_values(item, where)


def _wrong(layer, reason: str) -> UnsupportedNetwork:
    return UnsupportedNetwork(f"layer '{layer.name}': {reason}")


def _refused(layer, kind: str) -> UnsupportedNetwork:
    return UnsupportedNetwork(f"layer '{layer.name}' is a {kind}, only {', '.join(LAYERS)} can be quantised")
