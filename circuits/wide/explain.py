"""Why the one sum of a wide circuit does not close: every pack, number and byte that is not what it should be, by name. In plain ints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import LOGIT_LIMIT, Kind
from zkpredict.circuits.wide.compiler import WideNetwork, value_places
from zkpredict.circuits.wide.dense import Dense
from zkpredict.circuits.wide.geometry import IDLE_ROWS, LANE_BITS, PACK_LANES, PACKS_PER_BLOCK, BLOCK_ROWS, Band
from zkpredict.circuits.wide.keys import TABLES, TAGS, Keys
from zkpredict.circuits.wide.lanes import lane
from zkpredict.circuits.wide.output import LARGEST_TRACK, SPARE_ROWS

Place = tuple[int, int]
"""Track and first row of a pack."""


@dataclass(frozen=True)
class _Ints:
    """An `Environment` of ints of any size, row by row."""

    columns: Mapping[str, np.ndarray]

    def constant(self, value: int) -> int:
        return value

    def cell(self, column: str, rotation: int) -> np.ndarray:
        return np.roll(self.columns[column], -rotation)

    def public(self, name: str) -> int:
        raise ValueError(f"what a lane says depends on no public polynomial, not on {name}")

    challenge = public


def wrong_parts(compiled: WideNetwork, statement: Statement, trace: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Names of what does not hold in a trace: packs of layers, packs that nobody uses, M less its margin, limbs in no table."""
    yield from wrong_packs(compiled, statement, trace)
    yield from wrong_limbs(compiled, trace)


def wrong_packs(compiled: WideNetwork, statement: Statement, trace: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Those that are no limbs."""
    rows = _Ints({name: np.array([int(value) for value in values], dtype=object) for name, values in trace.items()})
    circuit = compiled.circuit
    numbers = [lane(track).evaluate(rows) for track in range(circuit.tracks)]
    held = {place: _number(numbers, place) for place in _places(circuit.tracks, circuit.domain)}
    expected = dict.fromkeys(held, 0)
    held_by = [(layer, band) for layer in range(circuit.layers - 1) for band in circuit.groups(layer)]
    for layer, band in [*held_by, (circuit.layers - 1, circuit.output)]:
        inputs = [_inputs(compiled, layer, statement, rows, copy) for copy in range(circuit.copies(layer - 1) if layer else 1)]
        places = list(band.pack_places())
        for place in places:
            expected.pop(place)
        ends = _ends(compiled, statement, numbers) if layer == circuit.layers - 1 else None
        for pack in range(band.packs):
            bias, weights = compiled.packed(layer, pack)
            value = bias + sum(weight * read for weight, read in zip(weights, inputs[pack % len(inputs)], strict=True))
            value += _half(band) if ends is None else ends[pack]
            if value != (held[places[pack]] if places else 0):
                yield f"pack {pack} of layer {layer}"
        spare = _half(band) if ends is None else 0
        expected |= dict.fromkeys(places[band.packs :], spare)
    for (track, row), value in expected.items():
        if held[track, row] != value:
            yield f"the pack at row {row} of track {track}, which nobody uses,"
    if circuit.claim.kind is Kind.MARGIN and _spare(numbers) != circuit.claim.parameter:
        yield "the largest logit less the margin"


def _places(tracks: int, domain: int) -> Iterator[Place]:
    for track in range(tracks):
        for block in range(0, domain, BLOCK_ROWS):
            yield from ((track, block + position * PACK_LANES) for position in range(PACKS_PER_BLOCK))


def _number(numbers: Sequence[np.ndarray], place: Place) -> int:
    """The 240 bits of a pack, or more."""
    track, row = place
    total = 0
    for value in numbers[track][row : row + PACK_LANES]:
        total = (total << LANE_BITS) + value
    return total


def _inputs(compiled: WideNetwork, layer: int, statement: Statement, rows: _Ints, copy: int) -> list[int]:
    """What a layer reads, by neuron of the layer before, in a replica of that."""
    if layer == 0 and compiled.circuit.private_input:
        chunks = enumerate(compiled.circuit.chunks)
        return [int(value) for part, chunk in chunks for value in rows.columns[f"input{part}"][: len(chunk)]]
    if layer == 0:
        return list(statement.input)
    before = compiled.circuit.groups(layer - 1)[copy]
    found = [0] * before.values
    for track, (places, neurons) in value_places(before).items():
        values = Dense(compiled.circuit, layer).activation(track).evaluate(rows)
        for row, neuron in zip(places.tolist(), neurons.tolist(), strict=True):
            found[neuron] = int(values[row])
    return found


def _half(band: Band) -> int:
    return sum(1 << (band.value_shift(place) + band.lanes * LANE_BITS - 1) for place in range(band.values_per_pack))


def _ends(compiled: WideNetwork, statement: Statement, numbers: Sequence[np.ndarray]) -> list[int]:
    """What the claim adds to each pack of the last layer."""
    claim, band, y = compiled.circuit.claim, compiled.circuit.output, statement.claim
    taken = {
        Kind.CLASS: [LOGIT_LIMIT + (i < y) for i in range(band.values)],
        Kind.MARGIN: [LOGIT_LIMIT + claim.parameter * (i != y) for i in range(band.values)],
        Kind.LOGITS: list(statement.outputs),
        Kind.THRESHOLD: [claim.parameter],
    }[claim.kind]
    largest = _double(numbers, IDLE_ROWS) if claim.ranked else 0
    per_pack = band.values_per_pack
    return [
        sum((largest - value) << band.value_shift(at) for at, value in enumerate(taken[first : first + per_pack]))
        for first in range(0, band.values, per_pack)
    ]


def _double(numbers: Sequence[np.ndarray], rows: tuple[int, ...]) -> int:
    high, low = rows
    return (int(numbers[LARGEST_TRACK][high]) << LANE_BITS) + int(numbers[LARGEST_TRACK][low])


def _spare(numbers: Sequence[np.ndarray]) -> int:
    return _double(numbers, IDLE_ROWS) - _double(numbers, SPARE_ROWS)


def wrong_limbs(compiled: WideNetwork, columns: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Limbs that are in no table, and entries of the table that are not counted as often as they occur."""
    circuit = compiled.circuit
    gadget = Keys(circuit)
    entries = [(TAGS[number % len(TAGS)], value) for number, value in enumerate(TABLES[gadget.fixed])]
    counts = dict.fromkeys(entries, 0)
    looked_up: dict[str, list[tuple[int, int]]] = {}
    for track in range(circuit.tracks):
        exact = columns.get(f"exact{track}", [0] * circuit.domain)
        tops = zip(columns[f"sign{track}"], columns[f"top{track}"], exact, strict=True)
        keys = {f"top{track}": [(1 + sign, top + one) for sign, top, one in tops]}
        keys |= {name: [(0, value) for value in columns[name]] for name in gadget.bytes_of(track)}
        looked_up |= keys
    looked_up |= {name: [(0, value) for value in columns[name]] for name in gadget.private_bytes}
    for name, own in looked_up.items():
        for row, key in enumerate(own):
            if key in counts:
                counts[key] += 1
            else:
                yield f"{name} at row {row}, which is in no table,"
    step = circuit.domain // len(entries)
    given = dict.fromkeys(entries, 0)
    for number, key in enumerate(entries):
        given[key] += columns["mult"][number * step]
    yield from (f"the count of {value} under tag {tag}" for (tag, value), count in counts.items() if given[tag, value] != count)
