"""Keras models that the tests read and write. Importing this skips a test file where Keras is not installed."""

import pytest

keras = pytest.importorskip("keras", reason="needs pip install 'zkpredict[training]'")
L = keras.layers


def functional(*layers, shape=(6,)):
    """A chain of layers as a Functional model."""
    tensor = entrance = keras.Input(shape)
    for layer in layers:
        tensor = layer(tensor)
    return keras.Model(entrance, tensor)


def plain():
    """A model that everybody takes: 6-5-3."""
    return keras.Sequential([keras.Input((6,)), L.Dense(5, activation="relu", name="a"), L.Dense(3, name="b")])
