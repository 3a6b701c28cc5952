"""The original float model, run as its owner runs it, in a process of its own: by Keras or by the ONNX runtime, not by our arithmetic.

`python -P -m zkpredict.training.original keras|onnx FILE OUTPUT < inputs.npy` prints an `.npy` of scores, or JSON of labels.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys

import numpy as np

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.arrays import parse_npy
from zkpredict.training.importers import importer_of
from zkpredict.training.importers.imported import Answer, Imported

_FLOATS = ("<f2", "<f4", "<f8")


def original_classes(path: str, imported: Imported, values: np.ndarray) -> np.ndarray:
    """The class that the original at `path` gives each row of `values`, float [rows, inputs] in its own units and our order; int64 [rows].

    Raises `UnusableInput` when what runs it is not installed, or it cannot be run.
    """
    importer = importer_of(path)
    buffer = io.BytesIO()
    np.save(buffer, imported.as_original(np.asarray(values, np.float64)))
    # -P: else whatever lies in the current folder could be imported in place of a library
    command = [sys.executable, "-P", "-m", "zkpredict.training.original", importer.name.lower(), str(path), imported.answer.output or ""]
    child = subprocess.run(command, input=buffer.getvalue(), capture_output=True)
    if child.returncode:
        said = child.stderr.decode(errors="replace").strip().splitlines()
        raise UnusableInput(f"cannot run {imported.source}: {said[-1] if said else f'exit code {child.returncode}'}")
    return classes_of(imported.answer, _answers(child.stdout, imported.source), len(values), imported.source)


def _answers(said: bytes, source: str) -> np.ndarray | list[str]:
    return json.loads(said) if said.startswith(b"[") else parse_npy(said, f"what {source} answers", _FLOATS)


def classes_of(answer: Answer, found: np.ndarray | list[str], count: int, source: str) -> np.ndarray:
    """Class numbers from what an original says: scores [rows, classes] or [rows, 1], or labels. Raises `UnusableInput`."""
    if isinstance(found, list):
        unknown = next((label for label in found if label not in answer.labels), None)
        if answer.kind != "labels" or len(found) != count or unknown is not None:
            raise UnusableInput(f"{source} answers {unknown!r}, expected one of {', '.join(answer.labels) or 'no labels'} for each of {count} rows")
        return np.array([answer.labels.index(label) for label in found])
    scores = np.asarray(found, np.float64).reshape(count, -1) if count else np.zeros((0, 1))
    if not np.isfinite(scores).all():
        raise UnusableInput(f"{source} answers what is not finite")
    return np.argmax(scores, axis=1) if answer.kind == "scores" else (scores[:, 0] > answer.threshold).astype(np.int64)


def main(kind: str, path: str, output: str) -> None:
    values = parse_npy(sys.stdin.buffer.read(), "the inputs", _FLOATS)
    try:
        found = (_run_keras if kind == "keras" else _run_onnx)(path, output, values)
    except UnusableInput as error:
        sys.exit(str(error))
    if isinstance(found, list):
        sys.stdout.buffer.write(json.dumps(found).encode())
    else:
        np.save(sys.stdout.buffer, np.ascontiguousarray(found, np.float64))


def _run_keras(path: str, output: str, values: np.ndarray) -> np.ndarray:
    from zkpredict.training.importers.keras_files import open_keras

    model = open_keras(path)
    return model.predict(values.astype(np.float32).reshape(len(values), *model.input_shape[1:]), verbose=0, batch_size=256)


def _run_onnx(path: str, output: str, values: np.ndarray) -> np.ndarray | list[str]:
    try:
        import onnxruntime
    except ImportError as error:
        raise UnusableInput(f"{error.name} is not installed: pip install 'zkpredict[onnx]'") from None
    onnxruntime.set_default_logger_severity(4)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        (entrance,) = session.get_inputs()
        kinds = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(float16)": np.float16, "tensor(int64)": np.int64}
        shape = [size for size in entrance.shape[1:]]
        fed = values.astype(kinds[entrance.type]).reshape(len(values), *shape)
        batches = [fed[row : row + 1] for row in range(len(fed))] if entrance.shape[0] == 1 else [fed]
        answers = [session.run([output], {entrance.name: batch})[0] for batch in batches]
    except (RuntimeError, ValueError, KeyError, *_runtime_errors()) as error:
        raise MalformedFile(f"the ONNX runtime refuses it: {(str(error).strip() or type(error).__name__).splitlines()[0]}") from None
    found = np.concatenate([np.asarray(answer) for answer in answers])
    return [str(label) for label in found.reshape(-1).tolist()] if found.dtype.kind in "iuOSU" else found


def _runtime_errors() -> list[type[Exception]]:
    """What the ONNX runtime raises: classes without a common base."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    return [found for found in vars(state).values() if isinstance(found, type) and issubclass(found, Exception)]


if __name__ == "__main__":
    main(*sys.argv[1:])
