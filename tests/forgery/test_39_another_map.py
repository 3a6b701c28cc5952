"""Line 39: shared rows whose second grid reads another map than the first layer makes. Where only the numbers of both agree, channels that
the grid alone has are lanes that nothing pins: one commitment, one picture, two classes.

The circuit refuses such grids. Without that refusal both verifiers and the contract take both classes.
"""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import onchain
import pytest
from forger import claim_of
from support import refuses
from verdicts import by_independent, by_native
from wide_owners import WideOwner, WideRowsForger

from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork
from zkpredict.circuits.field import MODULUS, powers, root_of_unity
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.gadgets.base import Cells, Run
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.placement import placed, read_circuit
from zkpredict.circuits.publics import RowValues
from zkpredict.circuits.shared import gadgets
from zkpredict.circuits.shared.gadgets import public_entries, weights_of
from zkpredict.circuits.shared.layout import SharedCircuit
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.witness import complete_trace, filled_columns
from zkpredict.kernel import Vector

REASON = "maps that are read as they are made: with the same rows, columns and channels"
MADE, SAID = (6, 6, 10), (5, 6, 12)
"""Rows, columns and channels: of the first layer, and of the grid behind it. 360 numbers both."""
LOOSE = 158
"""A row of channel 10, which no lane of the first layer lies on."""
WINDOW_TAP = 22
"""Of the second kernel: the tap that reads it."""
IMAGE = np.arange(64, dtype=np.uint8)


def circuit() -> SharedCircuit:
    grids = (Grid(8, 8, 1, 3, 3), Grid(*SAID, 1, 2, pool=2), Grid(2, 2, 2, 1, 1, pool=2))
    return SharedCircuit((64, 360, 8, 3), (1, 1), (RELU8, RELU8), 512, grids=grids)


@pytest.fixture
def unguarded(monkeypatch) -> SharedCircuit:
    """The circuit, as it was made before maps were compared."""
    reason = SharedCircuit._wrong

    def lenient(self: SharedCircuit) -> str:
        found = reason(self)
        return "" if found == REASON else found

    monkeypatch.setattr(SharedCircuit, "_wrong", lenient)
    monkeypatch.setattr(gadgets, "window_weights", added_window_weights)
    return circuit()


def added_window_weights(own: SharedCircuit, alpha: int, eta: int) -> dict[str, RowValues]:
    """As the independent verifier and the contract have them, which add up what falls on one row; the prover's falls over here."""
    grid, columns = own.grid(1), own.grid(0).positions[1]
    [second], rows = own.segments_of(1), list(own.groups(0)[0].pack_places())
    by_window = [0] * own.windows(grid)
    for weight, windows in zip(weights_of(own, second, alpha), grid.places().tolist()):
        for tap, window in enumerate(windows):
            by_window[window] += weight * pow(eta, 2 + second.start + grid.channels * tap, MODULUS)
    values = [[0] * own.domain for _ in range(own.last_track)]
    for position in range(own.positions(0)):
        window = position // columns // 2 * (columns // 2) + position % columns // 2
        track, row = rows[own.place_of(0, position)]
        for channel, power in enumerate(powers(eta, grid.channels) if window < len(by_window) else ()):
            values[track][row + channel] = (values[track][row + channel] + by_window[window] * power) % MODULUS
    return {f"taps{track}": RowValues(value) for track, value in enumerate(values)}


def owner_of(own: SharedCircuit) -> WideOwner:
    """Its second kernel reads the loose channel; its classes are 100 and what that kernel hands on."""
    second, output = own.segments_of(1)[0], own.segments_of(2)[0]
    row = [0] * own.domain
    row[second.start + 1 + WINDOW_TAP] = 256 << own.groups(1)[0].value_shift(0)
    for number, weight in enumerate((100, 1)):
        row[output.start + number] = own.claim.row_sign * (weight << own.output.value_shift(number)) % MODULUS
    row[-1] = 12345
    return WideOwner(own, {"rows": [row]})


def sheet_of(own: SharedCircuit, value: int, digit: int) -> dict[str, list[int]]:
    """The trace in which the loose lane hands on `value`."""
    second = np.zeros(8, dtype=np.int64)
    second[2] = 256 * value
    run = Run([np.zeros(360, dtype=np.int64), second, np.array([100, value, 0])], digit, np.zeros(64, dtype=np.uint8))
    cells = Cells({name: np.zeros(own.domain, dtype=np.int64) for name in filled_columns(own)})
    for gadget in placed(own):
        gadget.fill(cells, run)
    cells["top0"][LOOSE], cells["mid0"][LOOSE] = 128, value
    return {name: values.tolist() for name, values in complete_trace(own, cells).items()}


class Loose(WideRowsForger):
    """What its rows meet, by the lanes of its own trace."""

    def handed_on(self, track: int, row: int) -> int:
        return (0, 255, self.chosen[f"mid{track}"][row])[self.chosen[f"kind{track}"][row]]

    def window(self, number: int, channel: int) -> int:
        own, columns = self.circuit, self.circuit.grid(0).positions[1]
        rows, (down, across) = list(own.groups(0)[0].pack_places()), divmod(number, columns // 2)
        places = (own.place_of(0, (2 * down + a) * columns + 2 * across + b) for a in (0, 1) for b in (0, 1))
        return sum(self.handed_on(rows[place][0], rows[place][1] + channel) for place in places)

    def met_by_shared_rows(self) -> Vector:
        own, alpha, grid = self.circuit, self.challenges["alpha"], self.circuit.grid(1)
        entries = [0] * own.domain
        for place, entry in public_entries(own, self.statement.input, alpha).items():
            entries[place] = entry
        [second], [output] = own.segments_of(1), own.segments_of(2)
        for weight, windows in zip(weights_of(own, second, alpha), grid.places().tolist()):
            for at, (window, channel) in enumerate((window, channel) for window in windows for channel in range(grid.channels)):
                entries[second.start + 1 + at] += weight * self.window(window, channel)
        lanes = [(track, row + lane) for band in own.groups(1) for track, row in band.pack_places() for lane in range(10)]
        handed = [(row, value) for track, row in lanes if (value := self.handed_on(track, row))]
        seat, root = pow(alpha, own.seat_exponent(2, output.number), MODULUS), root_of_unity(own.domain)
        for power in range(output.count - 1):
            entries[output.start + 1 + power] = seat * sum(value * pow(root, 4 * power * row, MODULUS) for row, value in handed)
        return Vector.from_ints([entry % MODULUS for entry in entries]).intt()


def test_a_grid_that_reads_another_map_is_no_circuit():
    with refuses(UnsupportedNetwork, f"circuits with shared rows hold {REASON}"):
        circuit()


def test_without_that_refusal_one_picture_has_two_classes(unguarded):
    owner = owner_of(unguarded)
    model = SimpleNamespace(commitment=owner.commitment, compiled=None, secrets=())
    for value, digit in ((0, 0), (200, 1)):
        claim = claim_of(Loose(model, Statement(IMAGE.tobytes(), digit), owner=owner, chosen=sheet_of(unguarded, value, digit)))
        assert by_native(claim) == by_independent(claim) == onchain.by_contract(claim) == digit


def test_a_file_of_such_a_circuit_is_refused(unguarded, monkeypatch):
    data = unguarded.to_bytes()
    assert read_circuit(ByteReader(data, "circuit")) == unguarded
    monkeypatch.undo()
    with refuses(MalformedFile, f"circuit: circuits with shared rows hold {REASON}"):
        read_circuit(ByteReader(data, "circuit"))
