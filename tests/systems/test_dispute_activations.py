"""Dispute programs run ReLU: a network with another activation is refused by name, and never run as if it were ReLU."""

from dataclasses import replace

import numpy as np
import pytest
from support import refuses

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU, RELU8, Softsign
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.systems.inference import Inference

FIRST, LAST = DenseLayer(np.array([[3]]), np.array([1]), 1), DenseLayer(np.array([[1], [2]]), np.array([0, 0]))


@pytest.mark.parametrize("activation", [RELU8, Softsign(9, 9)], ids=str)
def test_other_activations_are_refused(activation):
    Inference.of(IntegerNetwork((replace(FIRST, activation=RELU), LAST)))
    with refuses(UnsupportedNetwork, f"layer 0 uses {activation}: dispute programs hold relu only"):
        Inference.of(IntegerNetwork((replace(FIRST, activation=activation), LAST)))
