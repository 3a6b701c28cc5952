"""Line 34: max pools, residual connections and positions of a convolution. Each forger runs a network that differs from the committed one
in one place, with everything behind it as it follows; each passes when what says otherwise is taken out.
"""

from __future__ import annotations

import numpy as np
from freezing import frozen_everywhere
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused
from wide_forger import wide_honest
from wired_forger import POOL, deceived, follow, forged, patched, pooled, residual

from zkpredict.circuits.convolution import reads, weights
from zkpredict.circuits.networks.grid import Grid
from zkpredict.verifier.errors import FailedOpening

# a kernel that differs by position


def exchanged(network, image):
    """Two positions of the first layer hold each other's numbers, as if each had a kernel of its own."""
    z = network.layers[0].apply(image.astype(np.int64)[None]).reshape(36, 2)
    z[[5, 10]] = z[[10, 5]]
    return follow(network, image, {0: z.reshape(1, -1)})


def test_a_kernel_that_differs_by_position():
    """Every position's pack has a power of alpha of its own, drawn behind the trace."""
    model, image, run = deceived(residual, exchanged)
    assert accepted(wide_honest(model, image)) == model.predict(image)
    claim, digit = forged(model, image, run)
    refused(claim, FailedOpening, MISMATCH)
    with frozen_everywhere(alpha=1):
        assert accepted(forged(model, image, run)[0], PYTHON) == digit


# border outputs


def repeated(grid: Grid) -> np.ndarray:
    """The places of a kernel where the map goes on beyond its edges."""
    height, width, _ = grid.pooled
    y = np.clip(np.arange(grid.positions[0])[:, None] * grid.stride + np.arange(grid.kernel_height) - grid.pad_top, 0, height - 1)
    x = np.clip(np.arange(grid.positions[1])[:, None] * grid.stride + np.arange(grid.kernel_width) - grid.pad_left, 0, width - 1)
    return (y[:, None, :, None] * width + x[None, :, None, :]).reshape(grid.count, -1)


def test_border_outputs():
    """Padding is read by no tap: here the outputs at the border see the edge's own pixels there."""

    def lie(network, image):
        with patched(Grid, "places", repeated):
            return follow(network, image, {})

    model, image, run = deceived(pooled, lie)
    claim, digit = forged(model, image, run)
    refused(claim, FailedOpening, MISMATCH)
    with patched(Grid, "places", repeated):
        assert accepted(forged(model, image, run)[0], NATIVE) == digit


# a pooled maximum that is not one of its inputs


def lifted(network, image):
    """The final of one window ends higher and that of another, in the same place of another pack, as much lower."""
    z, handed = follow(network, image, {})
    finals, inputs = 2 * 18, set(handed[0][0].tolist())
    for up, down in ((at, at + 10) for at in range(8)):
        for step in (-120, -50, 50, 120):
            own = z[1].copy()
            own[0, finals + up] += step
            own[0, finals + down] -= step
            run = follow(network, image, {1: own})
            if np.argmax(run[0][-1]) != np.argmax(z[-1]) and not set(run[1][1][0].tolist()) <= inputs:
                return run
    return None


def test_a_pooled_maximum_that_is_not_one_of_its_inputs():
    """A match's pack is a public sum of lanes at a power of alpha of its own, drawn behind the trace."""
    model, image, run = deceived(pooled, lifted)
    claim, digit = forged(model, image, run)
    refused(claim, FailedOpening, MISMATCH)
    with frozen_everywhere(alpha=1):
        assert accepted(forged(model, image, run)[0], PYTHON) == digit


def test_matches_that_nobody_compares():
    """All finals are 0, so that the last of a window wins whatever the others are: c without matches says just that."""

    def lie(network, image):
        return follow(network, image, {1: np.zeros((1, 3 * 18), np.int64)})

    model, image, run = deceived(pooled, lie)
    claim, digit = forged(model, image, run)
    refused(claim, FailedOpening, MISMATCH)
    with patched(weights.LaneWeights, "_add_matches", lambda self, layer: None):
        assert accepted(forged(model, image, run)[0], NATIVE) == digit


# a tournament that reads another lane


def elsewhere(self) -> np.ndarray:
    """Every window begins one place further, but for the last column."""
    places = TRUE_PLACES(self)
    return np.where(places % self.pooled[1] < self.pooled[1] - 1, places + 1, places) if self == POOL else places


TRUE_PLACES = Grid.places


def test_a_tournament_that_reads_another_lane():
    """Which lanes play is public, in the circuit's bytes."""

    def lie(network, image):
        with patched(Grid, "places", elsewhere):
            return follow(network, image, {})

    model, image, run = deceived(pooled, lie)
    claim, digit = forged(model, image, run)
    refused(claim, FailedOpening, MISMATCH)
    with patched(Grid, "places", elsewhere):
        assert accepted(forged(model, image, run)[0], NATIVE) == digit


# a residual that is left out


def test_a_residual_that_is_left_out():
    """Which layers are added up is public: c has the taps of the lanes of all of them."""

    def lie(network, image):
        return follow(network, image, {}, without=(0,))

    model, image, run = deceived(residual, lie)
    claim, digit = forged(model, image, run, (0,))
    refused(claim, FailedOpening, MISMATCH)
    true = reads.summed
    with patched(reads, "summed", lambda circuit, sources: true(circuit, (1,) if sources == (0, 1) else sources)):
        assert accepted(forged(model, image, run, (0,))[0], NATIVE) == digit
