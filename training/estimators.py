"""`zkpredict.from_sklearn`: a fitted scikit-learn estimator as a model that can be committed to and prove."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.schema import Feature
from zkpredict.prover.model import Model
from zkpredict.training.importers.sklearn_models import sklearn_model
from zkpredict.training.inputs import InputScale, scale_of_readings
from zkpredict.training.original import classes_of
from zkpredict.training.quantize import quantize

MAX_DISAGREEMENT = 0.02
"""Share of the rows given on which the integers may differ from the estimator; beyond it something is wrong, not rounded."""


def from_sklearn(
    estimator: object,
    readings: object = None,
    *,
    features: Sequence[Feature] | None = None,
    classes: Sequence[str] = (),
    threshold: float | None = None,
) -> Model:
    """The integer model of a fitted MLPClassifier, LogisticRegression or MLPRegressor, alone or behind a StandardScaler or MinMaxScaler in a
    Pipeline; not committed to yet (`commit_model`).

    `readings` [rows, features], an array or a DataFrame like that the estimator was fitted on: the scale of each feature reaches from
    the smallest to the largest, and the classes of all rows are compared with `estimator.predict`. Without them, `features` states
    the scales, or they are those of the StandardScaler. `classes`: names, by default the estimator's own when they are texts.
    `threshold`: for one output without a sigmoid, class 1 is an output above it.

    Raises `UnsupportedNetwork` for another estimator, `UnusableInput` without a scale or when the classes differ on more than 2 % of
    the rows.
    """
    imported = sklearn_model(estimator, threshold)
    columns = [str(name) for name in getattr(readings, "columns", ())]
    values = None if readings is None else _numbers(readings, imported.inputs)
    if features is not None:
        scale = InputScale.of_features(tuple(features), imported.inputs, "as stated")
    elif values is not None:
        scale = scale_of_readings(values, imported.features or columns or imported.names, "the readings")
    else:
        scale = imported.found()
    if scale is None:
        raise UnusableInput(
            f"{imported.source} does not say how its inputs are scaled: give the readings it was fitted on, from_sklearn(estimator, X), "
            "or features=[zp.Feature(name, low, high), ...]"
        )
    schema = imported.schema(scale, classes)
    model = Model(quantize(imported.over(scale)), schema=schema)
    if values is not None:
        _compare(model, imported, estimator, readings, values)
    return model


def _numbers(readings: object, inputs: int) -> np.ndarray:
    try:
        values = np.asarray(readings, np.float64)
    except (TypeError, ValueError):
        raise UnusableInput("the readings are not all numbers: leave out columns of text") from None
    if values.ndim != 2 or values.shape[1] != inputs:
        raise UnusableInput(f"readings must have the shape [rows, {inputs}], got {list(values.shape)}")
    return values


def _compare(model: Model, imported, estimator, readings: object, values: np.ndarray) -> None:
    """Raises `UnusableInput` when the integers and the estimator disagree on too many rows."""
    scales = model.schema.scales(values.shape[1])
    rows = np.stack([_bytes(values[:, column], scale) for column, scale in enumerate(scales)], axis=1)
    answers = estimator.predict(readings)
    found = [str(answer) for answer in answers] if imported.answer.kind == "labels" else np.asarray(answers, np.float64)
    expected = classes_of(imported.answer, found, len(values), imported.source)
    agreement = float((model.network.infer(rows).digits == expected).mean())
    if agreement < 1 - MAX_DISAGREEMENT:
        raise UnusableInput(
            f"on {100 - 100 * agreement:.1f} % of the rows the integers give another class than {imported.source}: "
            "state the scales with features=, or fit it with less weight decay between features of very different size"
        )


def _bytes(column: np.ndarray, scale: Feature) -> np.ndarray:
    """A column in bytes, in floating point: for comparing only, what is proven is `Schema.encode`, exactly."""
    return np.floor((column.clip(scale.low, scale.high) - scale.low) / (scale.high - scale.low) * 255 + 0.5).astype(np.uint8)
