"""The widths that a refusal names are exact: they fit, and one more does not."""

import re

import numpy as np
import pytest
from support import random_network, refuses

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.layout import WIDE
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.sizes import compile_or_advise, size_advice

HIDDEN = re.compile(r"at most (\d+) neurons in hidden layer (\d+)")


@pytest.mark.parametrize("shape", [(784, 161, 10), (784, 500, 10), (30, 90, 90, 4), (100, 300, 20, 5), (4, 8, 8, 500, 3)])
def test_the_largest_widths_fit_and_one_more_does_not(shape):
    network = random_network(1, shape, largest=1)
    with pytest.raises(UnsupportedNetwork) as refusal:
        compile_or_advise(network, placement="compact")
    with pytest.raises(UnsupportedNetwork) as bare:
        compile_network(network)
    assert str(refusal.value) == f"{bare.value}: {size_advice(network, placement='compact')}"
    named = [(int(count), int(place)) for count, place in HIDDEN.findall(str(refusal.value))]
    assert named
    for count, place in named:
        narrower = (*shape[:place], count, *shape[place + 1 :])
        compile_network(random_network(1, narrower, largest=1))
        with pytest.raises(UnsupportedNetwork):
            compile_network(random_network(1, (*shape[:place], count + 1, *shape[place + 1 :]), largest=1))


def test_the_sentence_for_the_shapes_that_people_try():
    with refuses(
        UnsupportedNetwork,
        "network 784-200-10 needs 36 packs of rows, a domain of 2048 rows has 32: it fits with at most 160 neurons in hidden layer 1",
    ):
        compile_or_advise(random_network(1, (784, 200, 10), largest=1), placement="compact")
    with refuses(
        UnsupportedNetwork,
        "3072 inputs do not fit a domain of 2048 rows: it fits with at most 2046 inputs",
    ):
        compile_or_advise(random_network(1, (3072, 4, 3), largest=1), placement="compact")
    with refuses(
        UnsupportedNetwork, "4096 inputs do not fit a domain of 2048 rows: it fits with at most 2046 inputs (a picture of 45 x 45)"
    ):
        compile_or_advise(random_network(1, (4096, 4, 3), largest=1), placement="compact")
    with refuses(
        UnsupportedNetwork,
        "network 784-81-10 needs 20 packs of rows, a domain of 1024 rows has 16: it fits another number of rows: leave out --domain",
    ):
        compile_or_advise(random_network(1, (784, 81, 10), largest=1), 1024, placement="compact")


def test_when_no_layer_alone_is_too_wide_all_are_narrowed():
    network = random_network(1, (30, 200, 200, 200, 4), largest=1)
    advice = size_advice(network, placement="compact")
    most = int(re.fullmatch(r"it fits with at most (\d+) neurons in every hidden layer", advice).group(1))
    compile_network(random_network(1, (30, *(most,) * 3, 4), largest=1))
    with pytest.raises(UnsupportedNetwork):
        compile_network(random_network(1, (30, *(most + 1,) * 3, 4), largest=1))


def test_wide_lanes_halve_what_fits():
    """The stand-in reaches what the network reaches, so it gets the lanes that the network would get."""
    narrow = random_network(1, (20, 200, 3), largest=1)
    hidden = narrow.layers[0]
    wide = IntegerNetwork((DenseLayer(hidden.weights, hidden.bias + (1 << 22), 12), narrow.layers[1]))
    assert compile_network(IntegerNetwork((
        DenseLayer(wide.layers[0].weights[:20], wide.layers[0].bias[:20], 12), DenseLayer(narrow.layers[1].weights[:, :20], narrow.layers[1].bias)
    ))).circuit.lanes[0] == WIDE  # fmt: skip
    found = [int(HIDDEN.search(size_advice(network, placement="compact")).group(1)) for network in (narrow, wide)]
    assert found == [160, 80]


def test_a_bound_that_fits_no_lane_is_no_question_of_size():
    network = IntegerNetwork((DenseLayer(np.full((2, 4), 1 << 40), np.zeros(2, np.int64), 10), DenseLayer(np.ones((2, 2), int), np.zeros(2, int))))
    assert size_advice(network, placement="compact") == "" == size_advice(random_network(1, (30, 12, 4)))
    with pytest.raises(UnsupportedNetwork) as bare:
        compile_network(network)
    with refuses(UnsupportedNetwork, str(bare.value)):
        compile_or_advise(network, placement="compact")
