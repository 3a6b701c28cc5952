"""scikit-learn estimators in memory: their numbers are read, nothing is pickled, and scikit-learn itself is not needed to read them.

MLPClassifier, MLPRegressor (with a threshold) and LogisticRegression, alone or behind StandardScaler and MinMaxScaler in a Pipeline.
"""

from __future__ import annotations

import numpy as np

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.training.importers.imported import Answer, Imported
from zkpredict.training.importers.folding import fold
from zkpredict.training.importers.steps import End, Linear, Relu, Scale, Step, in_a_row

ESTIMATORS = ("MLPClassifier", "MLPRegressor", "LogisticRegression", "StandardScaler", "MinMaxScaler", "Pipeline")
_SETTINGS = {"MLPClassifier": "coefs_", "MLPRegressor": "coefs_", "LogisticRegression": "coef_", "StandardScaler": "n_features_in_", "MinMaxScaler": "min_"}
"""What an estimator has once it is fitted."""


def sklearn_model(estimator: object, threshold: float | None = None) -> Imported:
    """The float model of a fitted estimator. Raises `UnsupportedNetwork`, naming it, for others, `UnusableInput` when it is not fitted."""
    parts = _parts(estimator)
    what = f"scikit-learn's {type(parts[-1]).__name__}"
    steps = [step for part in parts for step in _STEPS[type(part).__name__](part, what)]
    last = parts[-1]
    folded = fold(in_a_row(steps), what, threshold)
    names = tuple(map(str, getattr(parts[0], "feature_names_in_", ())))
    labels = tuple(map(str, getattr(last, "classes_", ())))
    numbered = list(labels) == list(map(str, range(len(labels))))
    moments = folded.entry is not None and folded.entry.moments is not None
    answer = Answer(None, "labels", labels) if labels else Answer(None, "value", threshold=threshold or 0.0)
    return Imported(what, folded, "moments" if moments else None, answer, names, () if numbered else labels)


def _parts(estimator: object) -> list[object]:
    """The steps of a pipeline, or the one estimator, each of a type that is read and fitted."""
    parts = [part for _, part in estimator.steps] if type(estimator).__name__ == "Pipeline" else [estimator]
    parts = [part for part in parts if part not in (None, "passthrough")]
    for part in parts:
        kind = type(part).__name__
        if kind not in _STEPS or not type(part).__module__.startswith("sklearn."):
            raise UnsupportedNetwork(f"cannot read {type(part).__module__}.{kind}: only scikit-learn's {', '.join(ESTIMATORS)}")
        if not hasattr(part, _SETTINGS[kind]):
            raise UnusableInput(f"scikit-learn's {kind} is not fitted yet: call fit first")
    if not parts or type(parts[-1]).__name__ in ("StandardScaler", "MinMaxScaler"):
        raise UnsupportedNetwork("the pipeline does not end in a classifier")
    return parts


def _network(model, what: str) -> list[Step]:
    if model.activation not in ("relu", "identity"):
        raise UnsupportedNetwork(f"{what}: its activation is {model.activation}: fit it with activation='relu'")
    steps: list[Step] = []
    for number, (weights, bias) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        steps.append(Linear(f"layer {number}", np.asarray(weights, np.float64).T, np.asarray(bias, np.float64)))
        if number < len(model.coefs_) - 1 and model.activation == "relu":
            steps.append(Relu(f"layer {number}"))
    ends = {"softmax": "softmax", "logistic": "sigmoid"}
    if model.out_activation_ in ends:
        steps.append(End("the output", ends[model.out_activation_]))
    elif model.out_activation_ != "identity":
        raise UnsupportedNetwork(f"{what}: its output is {model.out_activation_}, expected softmax, logistic or identity")
    return steps


def _regression(model, what: str) -> list[Step]:
    weights, bias = (np.asarray(part, np.float64) for part in (model.coef_, model.intercept_))
    bias = np.broadcast_to(bias, (len(weights),))
    return [Linear("the coefficients", weights, bias), End("the output", "sigmoid" if len(weights) == 1 else "softmax")]


def _standard(scaler, what: str) -> list[Step]:
    count = scaler.n_features_in_
    mean = np.zeros(count) if scaler.mean_ is None else np.asarray(scaler.mean_, np.float64)
    deviation = np.ones(count) if scaler.scale_ is None else np.asarray(scaler.scale_, np.float64)
    both = scaler.mean_ is not None and scaler.scale_ is not None
    return [Scale("StandardScaler", 1 / deviation, -mean / deviation, (mean, deviation) if both else None)]


def _range(scaler, what: str) -> list[Step]:
    if scaler.clip:
        raise UnsupportedNetwork(f"{what}: its MinMaxScaler clips: fit it with clip=False, the feature scale of the model clips already")
    return [Scale("MinMaxScaler", np.asarray(scaler.scale_, np.float64), np.asarray(scaler.min_, np.float64))]


_STEPS = {
    "MLPClassifier": _network,
    "MLPRegressor": _network,
    "LogisticRegression": _regression,
    "StandardScaler": _standard,
    "MinMaxScaler": _range,
}
