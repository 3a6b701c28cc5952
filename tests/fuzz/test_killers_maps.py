"""Killers of mutants of circuits with convolutions, pools and residuals: stored circuits of every kind and what follows from each, and every refusal."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from map_facts import facts_of
from support import MISMATCH, refuses

from zkpredict.circuits.batch.convolution import BatchCorrelations
from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.convolution import layout, places
from zkpredict.circuits.convolution.gadgets import Correlations, by_group
from zkpredict.circuits.convolution.layout import ConvCircuit, part_of
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalRelu, Softsign
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.networks.wiring import PLAIN, Reading, Wiring
from zkpredict.circuits.placement import read_circuit
from zkpredict.circuits.publics import RowValues
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import Claim, Kind
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import verify

STORED = json.loads((Path(__file__).parent / "map_vectors.json").read_text())
LARGEST = Wiring(largest=True)
IN_RANGE = "for some weights: they must lie in 0..32767 (give the layers that it reads relu8)"
SMALL, WINDOWS = Grid(5, 5, 1, 2, 2), Grid(4, 4, 2, 2, 2, 2)


def stored(name: str) -> ConvCircuit:
    found = read_circuit(ByteReader(bytes.fromhex(STORED[name]["circuit"]), "circuit"))
    assert isinstance(found, ConvCircuit)
    return found


@pytest.mark.parametrize("name", STORED)
def test_circuits_are_what_they_were(name):
    circuit = stored(name)
    assert circuit.to_bytes().hex() == STORED[name]["circuit"]
    assert facts_of(circuit) == {kind: said for kind, said in STORED[name].items() if kind != "circuit"}


def test_names_of_kernels_say_piece_and_chunk():
    assert [part_of(row.name) for row in stored("chunks of a sum").row_columns if row.layer == 2] == [(0, 0), (0, 1)]
    assert part_of("kernels1_12") == (12, 0)


def test_numbers_lie_in_bands_of_their_group():
    circuit = stored("max pool before a convolution")
    z = np.arange(99)
    first, second = by_group(circuit, 2, z)
    assert first.dtype == second.dtype == np.int64 and first.reshape(9, 10).tolist() == z.reshape(9, 11)[:, :10].tolist()
    assert second.reshape(9, 10)[:, 0].tolist() == z[10::11].tolist() and not second.reshape(9, 10)[:, 1:].any()
    for layer in (1, 3):
        (whole,) = by_group(circuit, layer, z)
        assert whole is z


def test_a_run_fills_what_is_constrained():
    """Two groups of channels, matches in two rounds, and a dense layer of what is left."""
    source = np.random.default_rng(1)
    network = IntegerNetwork((
        ConvLayer(source.integers(-9, 10, (11, 4)), source.integers(-99, 100, 11), 8, RELU8, Grid(4, 4, 1, 2, 2)), MaxPoolLayer(Grid(3, 3, 11, 2, 2)),
        DenseLayer(source.integers(-9, 10, (3, 44)), source.integers(-99, 100, 3)),
    ))  # fmt: skip
    model, image = commit_model(network, 512), source.integers(0, 256, 16, dtype=np.uint8)
    proof = prove(model, image)
    verify(model.commitment, image, proof)
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, image, replace(proof, digit=(proof.digit + 1) % 3))


def test_the_bias_of_a_batch_is_a_constant(monkeypatch):
    batch = BatchCorrelations(BatchCircuit.of(stored("a hidden one"), 2))
    monkeypatch.setattr(Correlations, "late_publics", lambda *parts: {"correlation_bias": RowValues([1])})
    with refuses(ValueError, "the bias of correlations is the same on every row"):
        batch.late_publics(Statement(b"", 0), {"alpha": 5})


# refusals


def pooling(activation=RELU8, grid=WINDOWS, **changed: object) -> ConvCircuit:
    """A convolution, a max pool, two classes."""
    fields = {
        "widths": (25, 32, grid.count * grid.channels, 2), "lanes": (1, 1), "activations": (activation, RELU), "domain": 512,
        "grids": (SMALL, grid, None), "wiring": (PLAIN, LARGEST, PLAIN),
    }  # fmt: skip
    return ConvCircuit(**(fields | changed))


def mapped(*grids: Grid | None, **changed: object) -> ConvCircuit:
    """A convolution of three channels, and what is behind it."""
    fields = {"widths": (25, 48, 3), "lanes": (1,), "activations": (RELU8,), "domain": 512, "grids": grids or (SMALL, None)}
    return ConvCircuit(**(fields | changed))


def test_circuits_that_have_none_of_it():
    assert mapped().in_words(0) == "5 x 5 x 1 by 3 kernels 2 x 2 to 4 x 4 x 3"
    for changed, message in (
        ({"private_input": True}, "circuits with convolutions have public inputs only"),
        ({"slotted": True}, "circuits with convolutions have no slots: batches hold dense layers only"),
        ({"domain": 513}, "domain must be one of (512, 1024, 2048), got 513"),
        ({"grids": (SMALL,)}, "1 grids do not match 2 layers"), ({"grids": (None, None)}, "2 grids do not match 2 layers"),
        ({"grids": (SMALL, None, None)}, "3 grids do not match 2 layers"),
        ({"wiring": (PLAIN,)}, "1 wirings do not match 2 layers, or say nothing"),
        ({"wiring": (PLAIN, PLAIN)}, "2 wirings do not match 2 layers, or say nothing"),
        ({"wiring": (PLAIN, Wiring((0, 1)))}, "layer 1 reads up to 32 layers before it, each once and in order, got (0, 1)"),
        ({"widths": (25, 49, 3)}, "the grid of layer 0 does not fit widths 25 and 49"),
        ({"widths": (24, 48, 3)}, "the grid of layer 0 does not fit widths 24 and 48"),
        ({"widths": (25, 48), "lanes": (), "activations": (), "grids": (SMALL,)}, "the last layer must have one position: it gives the classes"),
        ({"grids": (SMALL, Grid(4, 4, 3, 4, 3))}, "the last layer must have one position: it gives the classes"),
    ):
        if message.startswith("the last layer must have one position") and "widths" not in changed:
            changed = changed | {"widths": (25, 48, 4)}
        with refuses(UnsupportedNetwork, message):
            mapped(**changed)
    behind = "and convolutions, pools and sums behind one have no circuit; where there are none, write all layers as dense ones"
    for grids, widths, message in (
        ((None, Grid(4, 4, 3, 2, 2), None), (9, 48, 9, 2), f"layer 0 is dense, {behind}"),
        ((Grid(5, 5, 1, 5, 5), None, None), (25, 48, 9, 2), f"layer 0 has a kernel as large as what it reads, so one position: it is a dense layer, {behind}"),
    ):
        with refuses(UnsupportedNetwork, message):
            ConvCircuit(widths, (1, 1), (RELU8, RELU8), 512, grids=grids)
    with refuses(ValueError, "layer 1 has no grid"):
        mapped().grid(1)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"lanes": (1, 2)}, "layer 1 is a max pool: it has relu and one lane for each match"),
        ({"activations": (RELU8, RELU8)}, "layer 1 is a max pool: it has relu and one lane for each match"),
        ({"widths": (25, 32, 12, 2)}, "the grid of layer 1 does not fit widths 32 and 12"),
        ({"widths": (25, 32, 16, 2)}, "the grid of layer 1 does not fit widths 32 and 16"),
        ({"activation": Softsign(100, 7)}, f"layer 1 is a max pool of numbers that may be -100 to 99 {IN_RANGE}"),
        ({"grid": Grid(4, 4, 2, 1, 1, 2)}, "layer 1 is a max pool: its windows hold at least 2 numbers"),
        (
            {"widths": (25, 32, 8), "lanes": (1,), "activations": (RELU8,), "grids": (SMALL, WINDOWS), "wiring": (PLAIN, LARGEST)},
            "the last layer must have one position: it gives the classes",
        ),
        (
            {"widths": (25, 32, 2), "lanes": (1,), "activations": (RELU8,), "grids": (SMALL, Grid(4, 4, 2, 4, 4)), "wiring": (PLAIN, LARGEST)},
            "the last layer must have one position: it gives the classes",
        ),
    ],
)  # fmt: skip
def test_pools_that_cannot_be(changed, message):
    with refuses(UnsupportedNetwork, message):
        pooling(**changed)


def test_what_plays_in_a_pool_fits_a_lane():
    """One layer of relu reaches 2^15 - 1, and so does its pool; anything that is added to it does not fit."""
    assert pooling(RELU).matches(1) == 3 * 8 and pooling(grid=Grid(4, 4, 2, 1, 2, 2)).matches(1) == 8
    point, second = Grid(4, 4, 2, 1, 1), Grid(2, 2, 2, 1, 2)
    widths, lanes = (25, 32, 32, 8, 4, 2), (1, 1, 1, 1)
    activations = (RELU8, RELU8, RELU, RELU)

    def pools(first, other, sources, last=()) -> ConvCircuit:
        wiring = (PLAIN, PLAIN, Wiring(sources, (), True), Wiring(last, (), True), PLAIN)
        return ConvCircuit(widths, lanes, (first, other, *activations[2:]), 512, grids=(SMALL, point, WINDOWS, second, None), wiring=wiring)

    for first, other, sources in ((RELU8, RELU8, (0, 1)), (RELU, RELU8, ()), (RELU8, RELU, (0,)), (RELU8, RELU, ())):
        assert pools(first, other, sources).is_pool(3)
    for first, other, high in ((RELU, RELU, 65534), (RELU, RELU8, 33022), (RELU8, RELU, 33022)):
        with refuses(UnsupportedNetwork, f"layer 2 is a max pool of numbers that may be 0 to {high} {IN_RANGE}"):
            pools(first, other, (0, 1))
    both = Grid(2, 2, 2, 1, 1)
    for activation, high in ((RELU, 65534), (RELU8, 33022)):
        with refuses(UnsupportedNetwork, f"layer 4 is a max pool of numbers that may be 0 to {high} {IN_RANGE}"):
            ConvCircuit(
                (25, 32, 32, 8, 8, 4, 2), (1,) * 5, (RELU8, RELU, RELU, activation, RELU), 512, grids=(SMALL, point, WINDOWS, both, second, None),
                wiring=(PLAIN, PLAIN, LARGEST, PLAIN, Wiring((2, 3), (), True), PLAIN),
            )  # fmt: skip


def test_limits(monkeypatch):
    assert (layout.MAX_MAPPED_TRACKS, layout.MAX_CORRELATIONS, layout.MAX_TAPS, places.MAX_PLACES) == (256, 512, 1 << 16, 1 << 21)
    assert mapped().most_tracks == 256 and mapped(activations=(RationalRelu(4096),)).most_tracks == 64
    assert mapped(Grid(2, 1, 510, 1, 1), None, widths=(1020, 2, 3)).taps(0) == 510
    with refuses(UnsupportedNetwork, "layer 0 reads 511 channels, a column of 512 rows holds 510"):
        mapped(Grid(2, 1, 511, 1, 1), None, widths=(1022, 2, 3))
    wide = Wiring(beside=(Reading((0,), Grid(1, 2, 511, 1, 1)),))
    with refuses(UnsupportedNetwork, "layer 2 reads 511 channels, a column of 512 rows holds 510"):
        ConvCircuit(
            (6, 1022, 4, 4, 2), (1, 1, 1), (RELU8,) * 3, 512, grids=(Grid(2, 3, 1, 2, 2), None, Grid(1, 2, 2, 1, 1), None),
            wiring=(PLAIN, PLAIN, wide, PLAIN),
        )  # fmt: skip
    assert ConvCircuit((2, 2, 600, 3), (1, 1), (RELU8, RELU8), 512, grids=(Grid(2, 1, 1, 1, 1), None, None)).most_layers == layout.MAX_MAPPED_LAYERS
    tracks, taps = mapped().tracks, mapped().taps(0)
    for name, fits, message in (
        ("MAX_TAPS", 48, "layer 1 has 48 taps, at most 47 fit"), ("MAX_MATCHES", 24, "layer 1 has 24 matches, at most 23 fit"),
        ("MAX_CORRELATIONS", 2, "its kernels need 2 columns for what they meet, at most 1 fit"),
    ):
        circuit = {"MAX_TAPS": lambda: mapped(SMALL, Grid(4, 4, 3, 4, 4)), "MAX_MATCHES": pooling, "MAX_CORRELATIONS": lambda: stored("chunks of a sum")}[name]
        if name == "MAX_CORRELATIONS":
            fits = len(circuit().hidden_convolutions())
            message = f"circuit: its kernels need {fits} columns for what they meet, at most {fits - 1} fit"
        monkeypatch.setattr(layout, name, fits)
        circuit()
        monkeypatch.setattr(layout, name, fits - 1)
        with refuses(MalformedFile if name == "MAX_CORRELATIONS" else UnsupportedNetwork, message):
            circuit()
        monkeypatch.undo()
    assert (tracks, taps) == (1, 4)
    monkeypatch.setattr(layout, "MAX_MAPPED_TRACKS", 0)
    with refuses(UnsupportedNetwork, "network 25-48-3 needs 1 tracks of 512 rows, at most 0 fit"):
        mapped()
    monkeypatch.undo()
    held = 4 * 16 + 4 * 4 * 1
    monkeypatch.setattr(places, "MAX_PLACES", held)
    mapped(SMALL, Grid(4, 4, 3, 4, 4))
    monkeypatch.setattr(places, "MAX_PLACES", held - 1)
    with refuses(UnsupportedNetwork, f"its kernels lie at {held} places of maps, at most {held - 1} fit"):
        mapped(SMALL, Grid(4, 4, 3, 4, 4))


def test_a_circuit_that_claims_logits_has_them_in_the_fold():
    circuit = replace(mapped(), claim=Claim(Kind.LOGITS))
    assert circuit.groups(1) == () and circuit.output.values == circuit.classes and circuit.bands[-1] is circuit.output
    assert min(circuit.output.exponents()) == circuit.folded


# bytes


def test_bytes_that_are_no_circuit():
    plain, wiring, sides = (bytes.fromhex(STORED[name]["circuit"]) for name in ("one convolution", "max pool", "sides that differ"))
    assert (plain[:5], wiring[:5]) == (b"zkpC\3", b"zkpC\5") and bytes.fromhex(STORED["sides that differ"]["circuit"])[:5] == b"zkpC\7"
    grid = stored("one convolution").grid(0)
    flag = plain.index(b"\1" + grid.to_bytes())
    for data, message in (
        (plain[:flag] + b"\2" + plain[flag + 1 :], "circuit: the grid of layer 0 is announced by 2, expected 0 or 1"),
        (plain[:flag] + b"\0" + plain[flag + 1 + len(grid.to_bytes()) :], "circuit: 2 grids do not match 2 layers"),
        (b"zkpC\5" + plain[5:] + PLAIN.to_bytes() * 2, "circuit: no layer has a wiring, so its magic is b'zkpC\\x03'"),
        (b"zkpC\7" + by_side(stored("one convolution")), "circuit: no stride or pool differs by side, so its magic is b'zkpC\\x03' or b'zkpC\\x05'"),
        (plain[:-1], None), (wiring[:-1], None), (sides[:-1], None),
    ):
        with pytest.raises(MalformedFile) as caught:
            read_circuit(ByteReader(data, "circuit"))
        assert message is None or str(caught.value) == message


def by_side(circuit: ConvCircuit) -> bytes:
    """The bytes behind the magic, with grids that say both strides, as no circuit says them that has no others."""
    data = circuit.to_bytes()
    start = data.index(b"\1" + circuit.grid(0).to_bytes())
    grids = b"".join(b"\0" if grid is None else b"\1" + grid.to_bytes(True) for grid in circuit.grids)
    return data[5:start] + grids + PLAIN.to_bytes(True) * circuit.layers
