"""Every parser of untrusted bytes as a fuzzing target: what it may raise, what it must give back, valid seeds to start from.

`python -m zkpredict.tools.parsers TARGET FOLDER -max_total_time=SECONDS` fuzzes one target with atheris (coverage-guided,
libFuzzer) on a corpus folder; `zkpredict.tools.fuzz --atheris` runs them all. The hypothesis tests in tests/fuzz use the same targets.
"""

from __future__ import annotations

import gzip
import io
import json
import random
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from zkpredict.tools.batchseeds import (
    batch, batch_proofs, registered_score, registered_scores, registered_set, registered_sets, score, scores,
)  # fmt: skip
from zkpredict.tools.hiddenseeds import hidden, hidden_inputs, opening, openings
from zkpredict.tools.mapseeds import any_circuit, map_circuits, map_networks

ROOT = Path(__file__).resolve().parents[1]
VECTORS = ROOT / "tests" / "fuzz" / "vectors.json"
INPUTS = 784


@dataclass(frozen=True)
class Target:
    """`parse` takes bytes; what it returns goes through `write`, if there is one, and must give the same bytes again."""

    name: str
    parse: Callable[[bytes], object]
    seeds: Callable[[], tuple[bytes, ...]]
    write: Callable[[object], bytes] | None = None


class Finding(AssertionError):
    """A parser took bytes that it would not write, or raised what it does not document."""


def check(target: Target, data: bytes) -> bool:
    """Whether `data` parses. Raises `Finding` for what must never happen."""
    from zkpredict.circuits.errors import UnusableInput
    from zkpredict.verifier.errors import VerificationError

    try:
        found = target.parse(data)
    except (UnusableInput, VerificationError):
        return False
    except BaseException as error:  # a panic of the native kernel is no Exception
        raise Finding(f"{target.name}: {type(error).__name__}: {error} on {data[:60].hex()}...") from error
    if target.write is not None and target.write(found) != data:
        raise Finding(f"{target.name}: takes bytes that are not canonical: {data[:60].hex()}...")
    return True


# parsers


def _proof(data: bytes) -> object:
    from zkpredict.verifier.native import parse_proof

    return parse_proof(data)


def _commitment(data: bytes) -> object:
    from zkpredict.kernel import G1
    from zkpredict.verifier.commitment import ModelCommitment

    return ModelCommitment.from_bytes(data, G1.from_compressed)


def _circuit(data: bytes) -> object:
    from zkpredict.circuits.files.codec import ByteReader
    from zkpredict.circuits.layout import Circuit

    reader = ByteReader(data, "circuit")
    circuit = Circuit.read(reader)
    reader.finish()
    return circuit


def _model(data: bytes) -> object:
    from zkpredict.prover.model import Model

    return Model.from_bytes(data)


def _network(data: bytes) -> object:
    from zkpredict.circuits.networks.reference import IntegerNetwork

    return IntegerNetwork.from_bytes(data)


def _exact(data: bytes) -> object:
    from zkpredict.circuits.networks.exact import ExactNetwork

    return ExactNetwork.from_bytes(data)


def _idx(data: bytes) -> object:
    from zkpredict.circuits.files.idx import parse_idx

    return parse_idx(data, 3)


def _ceremony(data: bytes) -> object:
    from zkpredict.verifier.ceremony import parse_ceremony

    return parse_ceremony(data)


def _image(suffix: str, auto: bool = False) -> Callable[[bytes], object]:
    def parse(data: bytes) -> object:
        from zkpredict.circuits.files.images import load_image

        with tempfile.NamedTemporaryFile(suffix=suffix) as file:
            file.write(data)
            file.flush()
            image = load_image(file.name, INPUTS, auto=auto)
        if image.shape != (INPUTS,) or image.dtype.name != "uint8":
            raise Finding(f"image: gives {image.dtype} {image.shape}")
        return image

    return parse


def _keras(data: bytes) -> object:
    from zkpredict.training.importers.keras_archive import checked_archive

    return checked_archive(data, "Keras model")


def _onnx(data: bytes) -> object:
    from zkpredict.training.importers.onnx_models import onnx_model

    return onnx_model(data, "ONNX model")


def _schema(data: bytes) -> object:
    from zkpredict.circuits.files.schema import Schema

    return Schema.from_bytes(data)


def _table(data: bytes) -> object:
    from zkpredict.circuits.files.tables import parse_table

    suffix = ".json" if data[:1] in (b"[", b"{") else ".npy" if data[:1] == b"\x93" else ".csv"
    table = parse_table(data, suffix, "table")
    return [table.reading(row, column) for row in range(min(len(table), 20)) for column in range(len(table.cells[0]))]


# seeds


def _stored(field: str) -> Callable[[], tuple[bytes, ...]]:
    return lambda: tuple(bytes.fromhex(case[field]) for case in json.loads(VECTORS.read_text()).values())


def _circuits() -> tuple[bytes, ...]:
    return tuple(_commitment(data).circuit.to_bytes() for data in _stored("commitment")())


@cache
def _small_network():
    import numpy as np

    from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork

    source = np.random.default_rng(1)
    shapes = ((4, 3), (2, 4))
    layers = [DenseLayer(source.integers(-90, 90, s), source.integers(-900, 900, s[0]), t) for s, t in zip(shapes, (4, 0), strict=True)]
    return IntegerNetwork(tuple(layers))


def _models() -> tuple[bytes, ...]:
    from zkpredict.prover.commit import commit_model
    from zkpredict.prover.model import Model

    return Model(_small_network()).to_bytes(), commit_model(_small_network()).to_bytes(), *_tables("model")


def _networks() -> tuple[bytes, ...]:
    from dataclasses import replace

    from zkpredict.circuits.networks.activations import Softsign
    from zkpredict.circuits.networks.reference import IntegerNetwork

    first, last = _small_network().layers
    gated = IntegerNetwork((replace(first, shift=5, activation=Softsign(300, 9)), last))
    return tuple(network.to_bytes() for network in (_small_network(), gated, *map_networks()))


def _exact_networks() -> tuple[bytes, ...]:
    from zkpredict.circuits.networks.exact import ExactLayer, ExactNetwork

    layers = [ExactLayer(layer.weights * 10**6, layer.bias * 10**6) for layer in _small_network().layers]
    return (ExactNetwork(tuple(layers)).to_bytes(),)


def _arrays() -> tuple[bytes, ...]:
    import numpy as np

    found = []
    for array in (np.zeros(INPUTS, np.uint8), np.asfortranarray(np.ones((28, 28), np.uint8)), np.zeros(3)):
        buffer = io.BytesIO()
        np.save(buffer, array)
        found.append(buffer.getvalue())
    return tuple(found)


def _pictures(kind: str) -> Callable[[], tuple[bytes, ...]]:
    def make() -> tuple[bytes, ...]:
        import numpy as np
        from PIL import Image

        found = []
        for mode, shape in (("L", (28, 28)), ("RGB", (9, 13, 3)), ("RGBA", (5, 5, 4)), ("LA", (4, 6, 2))):
            if kind == "JPEG" and mode.endswith("A"):
                continue
            buffer = io.BytesIO()
            Image.fromarray(np.arange(np.prod(shape), dtype=np.uint8).reshape(shape)).save(buffer, kind)
            found.append(buffer.getvalue())
        return tuple(found)

    return make


def _photos() -> tuple[bytes, ...]:
    """Dark strokes on paper, held upright and on its side."""
    import numpy as np
    from PIL import Image

    page = np.full((50, 40), 210, np.uint8)
    page[10:14, 10:30] = page[14:40, 24:29] = 30
    found = []
    for kind, orientation in (("PNG", 1), ("JPEG", 6)):
        buffer, exif = io.BytesIO(), Image.Exif()
        exif[274] = orientation
        Image.fromarray(page).save(buffer, kind, exif=exif)
        found.append(buffer.getvalue())
    return tuple(found)


def _idx_files() -> tuple[bytes, ...]:
    plain = bytes([0, 0, 8, 3]) + b"".join(n.to_bytes(4, "big") for n in (2, 3, 4)) + bytes(range(24))
    return plain, gzip.compress(plain, mtime=0)


def _ceremonies() -> tuple[bytes, ...]:
    """Its first lines: anything but the one file is refused by its hash."""
    return ((ROOT / "prover" / "ceremony" / "trusted_setup.txt").read_bytes()[:500],)


def _archives() -> tuple[bytes, ...]:
    """The shipped model's, with its weights cut to what every HDF5 file starts with, and a whole one with next to nothing in it."""
    with zipfile.ZipFile(ROOT / "examples" / "mnist.keras") as shipped:
        members = {name: shipped.read(name) for name in shipped.namelist()}
    found = []
    for weights in (members["model.weights.h5"][:2048], b""):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, content in (members | {"model.weights.h5": weights}).items():
                archive.writestr(name, content)
        found.append(buffer.getvalue())
    return tuple(found)


def _tables(suffix: str) -> tuple[bytes, ...]:
    return tuple((ROOT / "examples" / "tables" / f"{name}.{suffix}").read_bytes() for name in ("iris", "cancer"))


def _commitments() -> tuple[bytes, ...]:
    return (*_stored("commitment")(), *_tables("commitment"))


def _schemas() -> tuple[bytes, ...]:
    return tuple(_commitment(data).schema.to_bytes() for data in _tables("commitment"))


def _readings() -> tuple[bytes, ...]:
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, np.array([[5.1, 3.5], [4.9, -0.0]], np.float32))
    return b"a,b\n5.1,3.5\n-1e-3,.5\n", b'"a";"b"\n1;2\n', b'[{"a": 5.1, "b": -1e3}]', b"[[1, 2], [3, 4]]", buffer.getvalue()


def _to_bytes(found) -> bytes:
    return found.to_bytes()


TARGETS = {
    target.name: target
    for target in (
        Target("proof", _proof, _stored("proof"), _to_bytes),
        Target("batch", batch, batch_proofs, _to_bytes),
        Target("score", score, scores, _to_bytes),
        Target("registered score", registered_score, registered_scores, _to_bytes),
        Target("test set", registered_set, registered_sets, _to_bytes),
        Target("commitment", _commitment, _commitments, _to_bytes),
        Target("circuit", _circuit, _circuits, _to_bytes),
        Target("any circuit", any_circuit, map_circuits, _to_bytes),
        Target("model", _model, _models, _to_bytes),
        Target("network", _network, _networks, _to_bytes),
        Target("exact", _exact, _exact_networks, _to_bytes),
        Target("npy", _image(".npy"), _arrays),
        Target("png", _image(".png"), _pictures("PNG")),
        Target("jpeg", _image(".jpg"), _pictures("JPEG")),
        Target("photo", _image(".png", auto=True), _photos),
        Target("idx", _idx, _idx_files),
        Target("ceremony", _ceremony, _ceremonies),
        Target("keras", _keras, _archives),
        Target("onnx", _onnx, lambda: _tables("onnx")),
        Target("schema", _schema, _schemas, _to_bytes),
        Target("table", _table, _readings),
        Target("hidden", hidden, hidden_inputs, _to_bytes),
        Target("opening", opening, openings, _to_bytes),
    )
}


def mutated_bytes(chance: random.Random, data: bytes) -> bytes:
    """`data` with a few bits flipped, bytes overwritten with telling values, cut, repeated or put in."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data) + 1)
        size = chance.choice((1, 1, 2, 4, 8, 48))
        telling = chance.choice((b"\x00", b"\xff", b"\x7f", b"\x80", b"\x01")) * size
        choice = chance.randrange(6)
        if choice == 0 and data:
            at = at % len(data)
            data = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        elif choice == 1:
            data = data[:at] + telling + data[at + size :]
        elif choice == 2:
            data = data[:at] + chance.randbytes(size) + data[at + size :]
        elif choice == 3:
            data = data[:at]
        elif choice == 4:
            data = data[:at] + data[at : at + size] * 2 + data[at + size :]
        else:
            data = data[:at] + telling + data[at:]
    return data


def fuzz_with_atheris(name: str, folder: str, limit: str) -> None:
    """Runs libFuzzer in this process up to `limit` (its option); it never returns. A finding ends it with a file in `folder`."""
    import atheris

    target = TARGETS[name]
    for number, seed in enumerate(target.seeds()):
        Path(folder, f"seed{number}").write_bytes(seed)
    with atheris.instrument_imports(include=["zkpredict.circuits", "zkpredict.verifier", "zkpredict.prover", "zkpredict.training"]):
        _import_afresh()
    options = [limit, "-rss_limit_mb=2048", "-timeout=60", "-print_final_stats=1", "-close_fd_mask=0"]
    atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/finding-", folder], lambda data: check(target, data) and None)
    atheris.Fuzz()


def _import_afresh() -> None:
    """Loads every parser's modules again, this time under atheris."""
    import importlib

    names = [n for n in sys.modules if n.startswith("zkpredict.") and ".kernel" not in n and ".tools" not in n]
    for name in names:
        del sys.modules[name]
    for name in ("verifier.native", "verifier.commitment", "prover.model", "prover.hiding", "circuits.files.images", "circuits.files.idx", "circuits.networks.exact"):
        importlib.import_module(f"zkpredict.{name}")
    for name in ("circuits.files.tables", "training.importers.keras_files", "training.importers.onnx_models"):
        importlib.import_module(f"zkpredict.{name}")


if __name__ == "__main__":
    fuzz_with_atheris(*sys.argv[1:])
