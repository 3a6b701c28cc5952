"""How much a circuit may ask of whoever lays it out: a file of few bytes must not cost a verifier minutes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnsupportedNetwork

if TYPE_CHECKING:
    from zkpredict.circuits.convolution.layout import ConvCircuit

MAX_PLACES = 1 << 21
"""Of all windows in all positions of all layers: about a second of work. VGG-16 for 32 x 32 has some 27,000."""


def check_places(circuit: ConvCircuit) -> None:
    """Raises `UnsupportedNetwork` when the kernels of all layers lie at too many places of their maps."""
    grids = (grid for layer in range(circuit.layers) for _, grid in circuit.readings(layer) if grid is not None)
    places = sum(grid.kernel_height * grid.kernel_width * grid.count for grid in grids)
    if places > MAX_PLACES:
        raise UnsupportedNetwork(f"its kernels lie at {places} places of maps, at most {MAX_PLACES} fit")
