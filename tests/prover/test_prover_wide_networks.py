"""Random networks compile, prove, verify and match plain integers: shapes, signs, extreme weights, gates, claims, full tracks."""

import pytest
from support import random_network
from wide_networks import check, run

from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.wide.claims import CLASS
from zkpredict.circuits.wide.compiler import compile_wide


def test_random_networks_are_proven_and_match_plain_integers():
    run(20)


def test_a_track_that_is_just_full_and_one_that_just_is_not():
    """The widest hidden layer of one track at 512 rows, and one neuron more."""

    def tracks(width: int) -> int:
        return compile_wide(random_network(1, (3, width, 2), largest=9), CLASS, 512).circuit.tracks

    full = next(width for width in range(1, 1000) if tracks(width + 1) == 2)
    assert (tracks(full), tracks(full + 1)) == (1, 2)
    for width in (full, full + 1):
        check(random_network(1, (3, width, 2), largest=9), CLASS, 512, 7)


def test_more_tracks_than_64_are_refused_with_what_would_fit():
    with pytest.raises(UnsupportedNetwork, match="needs .* tracks of 512 rows, at most 64 fit"):
        compile_wide(random_network(1, (1, 40_000, 2), largest=1), CLASS, 512)
