"""scikit-learn estimators as models: five lines to a verified proof, and what cannot be read."""

import numpy as np
import pytest
from support import refuses

import zkpredict as zp
from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput

datasets = pytest.importorskip("sklearn.datasets", reason="needs the test requirements")
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.neural_network import MLPClassifier, MLPRegressor  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import MinMaxScaler, StandardScaler  # noqa: E402
from sklearn.tree import DecisionTreeClassifier  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
IRIS, CANCER, DIGITS = datasets.load_iris(), datasets.load_breast_cancer(), datasets.load_digits()


def _network(*hidden: int, **settings) -> MLPClassifier:
    return MLPClassifier(hidden_layer_sizes=hidden, max_iter=600, random_state=2, alpha=0.01, **settings)


def test_five_lines_to_a_verified_proof():
    classifier = make_pipeline(StandardScaler(), _network(12)).fit(IRIS.data, IRIS.target_names[IRIS.target])
    model = zp.commit_model(zp.from_sklearn(classifier, IRIS.data))
    row = model.encode(IRIS.data[0])
    proof = zp.prove(model, row)
    zp.verify(model.commitment, row, proof)
    assert model.schema.class_name(proof.digit) == "setosa" == classifier.predict(IRIS.data[:1])[0]
    with pytest.raises(zp.VerificationError):
        zp.verify(model.commitment, model.encode(IRIS.data[100]), proof)


@pytest.mark.parametrize(
    "data, estimator",
    [
        (CANCER, make_pipeline(StandardScaler(), _network(12))),
        (CANCER, make_pipeline(MinMaxScaler(), LogisticRegression())),
        (IRIS, LogisticRegression(max_iter=500)),
        (DIGITS, make_pipeline(MinMaxScaler(), _network(24))),
    ],
)
def test_integers_lose_at_most_a_fifth_of_a_point(data, estimator):
    """Of accuracy over the whole data set, against the estimator itself; and they name the same classes almost everywhere."""
    estimator.fit(data.data, data.target)
    model, step = zp.from_sklearn(estimator, data.data), 1 + len(data.data) // 1000
    rows = np.array([model.encode(row) for row in data.data[::step]])
    digits, expected = model.network.infer(rows).digits, estimator.predict(data.data[::step])
    accuracy = [(answers == data.target[::step]).mean() for answers in (expected, digits)]
    assert accuracy[0] > 0.95 and 100 * (accuracy[0] - accuracy[1]) <= 0.2 and (digits == expected).mean() > 0.995


def test_scales_come_from_the_scaler_or_are_stated():
    classifier = make_pipeline(StandardScaler(), _network(8)).fit(IRIS.data, IRIS.target)
    model = zp.from_sklearn(classifier)
    mean, deviation = IRIS.data.mean(axis=0), IRIS.data.std(axis=0)
    assert np.allclose([f.low for f in model.schema.features], mean - 4 * deviation)
    assert np.allclose([f.high for f in model.schema.features], mean + 4 * deviation)
    stated = [zp.Feature(name, 0, 10) for name in IRIS.feature_names]
    assert zp.from_sklearn(classifier, features=stated).schema.features == tuple(stated)
    with refuses(
        UnusableInput, "scikit-learn's MLPClassifier does not say how its inputs are scaled: give the readings it was fitted on, "
        "from_sklearn(estimator, X), or features=[zp.Feature(name, low, high), ...]"
    ):  # fmt: skip
        zp.from_sklearn(_network(8).fit(IRIS.data, IRIS.target))


def test_readings_the_estimator_was_not_fitted_on_are_found_out():
    """In millimetres instead of centimetres, of which a scale that stops at 8 is all ends."""
    classifier = make_pipeline(StandardScaler(), _network(8)).fit(IRIS.data * 10, IRIS.target)
    stated = [zp.Feature(name, 0, 8) for name in IRIS.feature_names]
    with pytest.raises(UnusableInput, match="of the rows the integers give another class than scikit-learn's MLPClassifier"):
        zp.from_sklearn(classifier, IRIS.data * 10, features=stated)


def test_regression_needs_a_threshold():
    regressor = MLPRegressor(hidden_layer_sizes=(8,), max_iter=600, random_state=1).fit(IRIS.data, IRIS.data[:, 0] * 2)
    with pytest.raises(UnsupportedNetwork, match="has one output and no sigmoid: that is a regression, and a proof says classes"):
        zp.from_sklearn(regressor, IRIS.data)
    model = zp.from_sklearn(regressor, IRIS.data, threshold=11.5)
    answers = model.network.infer(np.array([model.encode(row) for row in IRIS.data])).digits
    assert (answers == (regressor.predict(IRIS.data) > 11.5)).mean() > 0.98


@pytest.mark.parametrize(
    "make, kind, message",
    [
        (lambda: DecisionTreeClassifier().fit(IRIS.data, IRIS.target), UnsupportedNetwork,
         "cannot read sklearn.tree._classes.DecisionTreeClassifier: only scikit-learn's MLPClassifier, MLPRegressor, LogisticRegression, "
         "StandardScaler, MinMaxScaler, Pipeline"),
        (lambda: _network(4), UnusableInput, "scikit-learn's MLPClassifier is not fitted yet: call fit first"),
        (lambda: _network(4, activation="tanh").fit(IRIS.data, IRIS.target), UnsupportedNetwork,
         "scikit-learn's MLPClassifier: its activation is tanh: fit it with activation='relu'"),
        (lambda: _network(4).fit(IRIS.data, np.eye(3, dtype=int)[IRIS.target]), UnsupportedNetwork,
         "scikit-learn's MLPClassifier: layer 'the output': sigmoid of 3 outputs: these are 3 independent labels, of which a proof states "
         "none; train one model a label, or use softmax when only one of them holds"),
        (lambda: make_pipeline(MinMaxScaler(clip=True), _network(4)).fit(IRIS.data, IRIS.target), UnsupportedNetwork,
         "scikit-learn's MLPClassifier: its MinMaxScaler clips: fit it with clip=False, the feature scale of the model clips already"),
        (lambda: StandardScaler().fit(IRIS.data), UnsupportedNetwork, "the pipeline does not end in a classifier"),
    ],
)  # fmt: skip
def test_other_estimators_are_refused(make, kind, message):
    with refuses(kind, message):
        zp.from_sklearn(make(), IRIS.data)
