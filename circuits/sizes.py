"""What to change about a network that no circuit holds: the exact largest widths that would fit.

Whether widths w fit is asked of the compiler itself, with a stand-in network of that shape: zero weights, and in every row of layer i
the bias max |z_i| of the given network. It chooses the same lanes, so the answer is exact; and a bound that is too large for any lane stays
too large for every width, so that nothing is promised.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np

from zkpredict.circuits.choice import AnyCompiled, compile_any
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.records import replace
from zkpredict.circuits.wide.claims import CLASS, Claim


def compile_or_advise(
    network: IntegerNetwork, domain: int | None = None, claim: Claim = CLASS, placement: str | None = None, private_input: bool = False,
    batch: bool = False, joined: int | None = None, shared: bool = False,
) -> AnyCompiled:
    """`compile_any`, whose `UnsupportedNetwork` also says which widths would fit, when any would."""
    try:
        return compile_any(network, domain, claim, placement, private_input, batch, joined, shared)
    except UnsupportedNetwork as error:
        advice = size_advice(network, domain, claim, placement, private_input, batch)
        raise UnsupportedNetwork(f"{error}{advice and ': '}{advice}") from None


def size_advice(
    network: IntegerNetwork, domain: int | None = None, claim: Claim = CLASS, placement: str | None = None, private_input: bool = False,
    batch: bool = False,
) -> str:
    """How the network could be made to fit; empty when it fits, or when its size is not the reason that it does not."""
    if network.grids or network.wired:
        return ""
    shape = network.shape

    def fits(widths: tuple[int, ...], at: int | None = domain) -> bool:
        try:
            compile_any(_stand_in(network, widths), at, claim, placement, private_input, batch)
        except UnsupportedNetwork:
            return False
        return True

    if fits(shape):
        return ""
    if domain is not None and fits(shape, None):
        return "it fits another number of rows: leave out --domain"
    found = []
    for place, width in enumerate(shape[:-1]):
        most = _largest(lambda count: fits((*shape[:place], count, *shape[place + 1 :])), width)  # noqa: B023  called here
        if most:
            found.append(f"{most} inputs{_picture(most, width)}" if place == 0 else f"{most} neurons in hidden layer {place}")
    if found:
        return f"it fits with at most {', or with at most '.join(found)}"
    most = _largest(lambda count: fits((shape[0], *(min(count, width) for width in shape[1:-1]), shape[-1])), max(shape[1:-1], default=1))
    return f"it fits with at most {most} neurons in every hidden layer" if most else ""


def _stand_in(network: IntegerNetwork, widths: tuple[int, ...]) -> IntegerNetwork:
    """A network of these widths that reaches in every row what `network` reaches in the largest row of the layer."""
    layers = []
    for layer, interval, (inputs, outputs) in zip(network.layers, network.intervals, pairwise(widths), strict=True):
        bias = np.full(outputs, interval.magnitude, np.int64)
        layers.append(replace(layer, weights=np.zeros((outputs, inputs), np.int8), bias=bias))
    return IntegerNetwork(tuple(layers))


def _largest(fits: Callable[[int], bool], below: int) -> int:
    """The largest count in 1..below-1 that fits, 0 for none: what fits at some width fits at every smaller one."""
    low, high = 0, below
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def _picture(most: int, width: int) -> str:
    """For inputs that are a square picture: the largest one that fits."""
    return f" (a picture of {math.isqrt(most)} x {math.isqrt(most)})" if math.isqrt(width) ** 2 == width else ""
