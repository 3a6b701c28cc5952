"""What a circuit's max pools must be for a tournament to have one outcome, whatever weights an owner commits to.

Matches of one window may lie in one pack, the earlier ones above, and a pack is one equation. If a difference a - b could leave its lane,
a forger would take one less for the match above, which changes a or b, and 2^24 more for this one: the pack stays what it is. Where all that
plays lies in 0..2^15 - 1, with or without one less in a match before, nothing leaves a lane, so every match is what it is called
(docs/convolutions.md). Bounds of weights do not count here: rows are the owner's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.networks.activations import HIGHEST_ARGUMENT, LOWEST_ARGUMENT, RELU
from zkpredict.circuits.wide.layout import NARROW

if TYPE_CHECKING:
    from zkpredict.circuits.convolution.layout import ConvCircuit


def check_pools(circuit: ConvCircuit) -> None:
    """Raises `UnsupportedNetwork`, naming the layer, for a max pool of another kind, and where numbers that play may lie outside
    0..2^15 - 1 for some weights."""
    reached: list[tuple[int, int]] = []
    for layer in range(circuit.layers - 1):
        if not circuit.is_pool(layer):
            reached.append(circuit.activations[layer].bounds(LOWEST_ARGUMENT, HIGHEST_ARGUMENT, 0))
            continue
        grid = circuit.grid(layer)
        if circuit.activations[layer] != RELU or circuit.lanes[layer] != NARROW:
            raise UnsupportedNetwork(f"layer {layer} is a max pool: it has relu and one lane for each match")
        if grid.kernel_height * grid.kernel_width < 2:
            raise UnsupportedNetwork(f"layer {layer} is a max pool: its windows hold at least 2 numbers")
        sources = circuit.readings(layer)[0][0]
        low, high = (sum(ends) for ends in zip(*(reached[source] for source in sources), strict=True))
        if low < 0 or high > HIGHEST_ARGUMENT:
            raise UnsupportedNetwork(
                f"layer {layer} is a max pool of numbers that may be {low} to {high} for some weights: they must lie in 0..{HIGHEST_ARGUMENT} "
                "(give the layers that it reads relu8)"
            )
        reached.append((0, high))
