"""The tables and small models in examples/tables, from scikit-learn's own data: `python examples/make_tables.py`.

Each is a StandardScaler and an MLPClassifier, exported to ONNX by skl2onnx, then quantised and committed to by the commands of the
README. Needs scikit-learn, skl2onnx and onnxruntime. `commit` draws fresh secrets, so ids differ from run to run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from zkpredict.cli.main import main

HERE = Path(__file__).resolve().parent / "tables"
SHAPES = {"iris": (12,), "cancer": (12,), "wine": (16,)}
"""Hidden widths. wine: thirteen chemical readings of wines of three growers."""
NAMES = {"wine": ("grower A", "grower B", "grower C")}
LABELS = {"iris": "species", "cancer": "diagnosis", "wine": "grower"}


def load(name: str):
    """scikit-learn's data set, its classes named after what they are."""
    from sklearn import datasets

    data = {"iris": datasets.load_iris, "cancer": datasets.load_breast_cancer, "wine": datasets.load_wine}[name]()
    data.target_names = np.array(NAMES.get(name, data.target_names))
    return data


def write_table(name: str, path: Path) -> None:
    """A CSV of all rows: features by name, and the class as a text in the last column."""
    data = load(name)
    names = [str(feature) for feature in data.feature_names]
    lines = [",".join([*names, LABELS[name]])]
    lines += [",".join([*(f"{value:.10g}" for value in row), str(data.target_names[label])]) for row, label in zip(data.data, data.target, strict=True)]
    path.write_text("\n".join(lines) + "\n")


def write_onnx(name: str, path: Path) -> None:
    """The classifier, fitted on two of three rows."""
    from skl2onnx import to_onnx
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    data = load(name)
    fitted = np.arange(len(data.data)) % 3 != 0
    model = make_pipeline(StandardScaler(), MLPClassifier(SHAPES[name], alpha=0.01, max_iter=2000, random_state=2))
    model.fit(data.data[fitted], data.target_names[data.target[fitted]])
    path.write_bytes(to_onnx(model, data.data[:1].astype(np.float32), options={"zipmap": False}, target_opset=18).SerializeToString())


def make(name: str) -> None:
    table, onnx, model, commitment = (HERE / f"{name}.{suffix}" for suffix in ("csv", "onnx", "model", "commitment"))
    write_table(name, table)
    write_onnx(name, onnx)
    for arguments in (
        ["quantize", onnx, "--calibrate", table, "--activation", "relu", "--out", model, "--force"],
        ["commit", "--model", model, "--out", commitment, "--force"],
        ["report", "--model", model, "--original", onnx, "--data", table],
    ):
        if main([str(argument) for argument in arguments]):
            sys.exit(1)


if __name__ == "__main__":
    for example in SHAPES:
        make(example)
