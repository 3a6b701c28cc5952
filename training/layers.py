"""Keras layers of the rational activations, to train networks with; `zkpredict.circuits.networks.activations` has their integers.

    from zkpredict.training.layers import RationalSquare
    model.add(keras.layers.Dense(64))
    model.add(RationalSquare(delta=1.0))

Importing this module imports Keras. Saved models name the layers `zkpredict>RationalSquare` and so on.
"""

from __future__ import annotations

from zkpredict.training.activations import rational
from zkpredict.training.importers.keras_files import import_keras

keras = import_keras()
PACKAGE = "zkpredict"


class _Rational(keras.layers.Layer):
    """An activation with one positive number `delta`, which is part of the public circuit. Raises `UnsupportedNetwork`."""

    def __init__(self, delta: float = 1.0, **options) -> None:
        super().__init__(**options)
        self.form = rational(self.kind, float(delta))
        self.delta = self.form.delta

    def call(self, values):
        return self.form.over(values, keras.ops.abs(values))

    def compute_output_shape(self, shape):
        return shape

    def get_config(self) -> dict:
        return {**super().get_config(), "delta": self.delta}


@keras.saving.register_keras_serializable(PACKAGE)
class RationalSquare(_Rational):
    """v^2 / (delta + |v|): even, near |v| for large v, flat at zero."""

    kind = "rational_square"


@keras.saving.register_keras_serializable(PACKAGE)
class RationalRelu(_Rational):
    """v (delta + |v| + v) / (2 (delta + |v|)): near v for large v, near -delta/2 for small v."""

    kind = "rational_relu"


@keras.saving.register_keras_serializable(PACKAGE)
class Softsign(_Rational):
    """v / (delta + |v|): odd, between -1 and 1."""

    kind = "softsign"


LAYERS = {layer.kind: layer for layer in (RationalSquare, RationalRelu, Softsign)}
