"""A hostile owner of a wide circuit: polynomials of any degree below 4096 for its rows, and what they compute, exponent by exponent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
from forger import Claim, Forger, claim_of
from owners import by_values as by_values
from owners import folded
from wide_forger import LANE, LARGEST, LESS_MARGIN, Sheet, put, put_double, settle

from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.placement import columns
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import LOGIT_LIMIT, Kind
from zkpredict.circuits.wide.geometry import Band
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.kernel import Vector
from zkpredict.prover.setup import monomial_key
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.independent_wide import band_exponents, fold_exponents

Rows = Mapping[str, Sequence[Sequence[int]]]
"""For each column of the model its rows: coefficients of polynomials, low first."""
DOUBLE = LANE * LANE


@dataclass(frozen=True)
class WideOwner:
    """A circuit, polynomials of the owner's choice for its rows, and their commitments."""

    circuit: WideCircuit
    rows: Rows

    @property
    def commitment(self) -> ModelCommitment:
        points = [
            monomial_key().msm(Vector.from_ints([c % MODULUS for c in row]))
            for column in self.circuit.row_columns
            for row in self.rows[column.name]
        ]
        return ModelCommitment(self.circuit, tuple(points))


def blank_rows(circuit: WideCircuit) -> dict[str, list[list[int]]]:
    """Rows of nothing but a random entry that nobody reads: 1."""
    n = circuit.domain
    return {
        column.name: [[0] * (n - 1) + [1] if column.coefficients else by_values({31: 1}, n) for _ in column.exponents]
        for column in circuit.row_columns
    }


def demands(owner: WideOwner, layer: int, image: Sequence[int], sheet: Sheet) -> dict[int, int]:
    """What the rows of a layer add to the equation of each power of alpha: field elements. Rows of the first layer reach as many powers
    as packs may share a row, whether there are such packs or not."""
    circuit, n, found = owner.circuit, owner.circuit.domain, {}
    share = max(1, (n - 1) // (circuit.inputs + 1))
    if layer and isinstance(circuit, ReplicaCircuit):
        return joined_demands(owner, circuit, layer, sheet)
    for column in circuit.row_columns:
        if column.layer != layer:
            continue
        replicas = [zip(own, owner.rows[column.name], strict=True) for own in (column.exponents, *column.copies)]
        for exponent, row in (pair for pairs in replicas for pair in pairs):
            seen = folded(row, n)
            if layer:
                values = Vector.from_ints(seen).ntt().to_ints()
                read = activations_read(circuit.bands[layer - 1], int(column.name.rpartition("_")[2]), sheet)
                total = sum(values[at] * value for at, value in read.items())
                found[exponent] = (found.get(exponent, 0) + total) % MODULUS
                continue
            _, number, chunk = column.name.split("_")
            step = circuit.input_steps[int(number)]
            inputs = circuit.chunks[int(chunk)]
            own = [*([1] if chunk == "0" else []), *(image[at] for at in inputs)]
            for place in range(share):
                total = sum(c * value for c, value in zip(seen[place * len(own) :], own))
                found[exponent + step * place] = (found.get(exponent + step * place, 0) + total) % MODULUS
    return found


def joined_demands(owner: WideOwner, circuit: ReplicaCircuit, layer: int, sheet: Sheet) -> dict[int, int]:
    """The same of the slots of a layer in joined rows: what a pack's seat gives is demanded of it in every replica."""
    found: dict[int, int] = {}
    for name, (track, number) in circuit.joined_rows.items():
        values = Vector.from_ints(folded(owner.rows[name][0], circuit.domain)).ntt().to_ints()
        for seat in circuit.seats_on(track, number):
            if seat.layer != layer:
                continue
            read = activations_read(circuit.source(seat), track, sheet)
            read = {seat.bias_row if at == 30 else at: value for at, value in read.items()}
            total = sum(values[at] * value for at, value in read.items())
            for own in circuit.exponents_of(layer):
                found[own[seat.pack]] = (found.get(own[seat.pack], 0) + total) % MODULUS
    return found


def activations_read(before: Band, track: int, sheet: Sheet) -> dict[int, int]:
    """What a later layer's row is multiplied with, by row: 1 for the bias (at 30) on the layer's first track, activations of ReLU lanes."""
    found = {30: 1} if track == before.tracks[0] else {}
    for own, row in before.pack_places():
        if own == track:
            for place in before.heads:
                top, mid, sign = (sheet[f"{name}{track}"][row + place] for name in ("top", "mid", "sign"))
                found[row + place] = sign * (256 * top + mid - 32768)
    return found


def write_pack(sheet: Sheet, place: tuple[int, int], value: int) -> None:
    """240 bits in ten lanes; what lies above is lost."""
    track, row = place
    for lane in reversed(range(10)):
        put(sheet, (track, row + lane), value % LANE)
        value //= LANE


def half_pack(band: Band) -> int:
    """The offset of a pack of a hidden layer."""
    base, half = LANE**band.lanes, LANE**band.lanes // 2
    total = 0
    for _ in band.heads:
        total = total * base + half
    return total


@dataclass(frozen=True)
class End:
    """What the forger puts at the end of a ranked circuit: the largest logit M (with its offset), and what is behind."""

    largest: int
    taken: Sequence[int]
    """For each class what its difference lacks: 2^46 + [i < y], or 2^46 + m."""


def end_of(circuit: WideCircuit, digit: int, logit: int) -> End:
    """The honest one."""
    claim = circuit.claim
    behind = [int(i < digit) if claim.kind is Kind.CLASS else claim.parameter * (i != digit) for i in range(circuit.classes)]
    return End(logit + LOGIT_LIMIT, [LOGIT_LIMIT + more for more in behind])


def wide_follow(
    owner: WideOwner, image: Sequence[int], digit: int, logit: int = 0, free: Mapping[tuple[int, int], int] | None = None
) -> Sheet:
    """The best trace for `digit` with the largest logit `logit`: every pack as the rows demand. `free`: numbers for lanes of no pack."""
    circuit = owner.circuit
    names = [column.name for column in columns(circuit) if column.round == 1]
    sheet: Sheet = {name: [0] * circuit.domain for name in names}
    exponents, added = fold_exponents(circuit), {}
    for place, number in (free or {}).items():
        put(sheet, place, number)
    for layer in range(circuit.layers - 1):
        added |= _sum(added, demands(owner, layer, image, settle(circuit, sheet)))
        for band in circuit.groups(layer):
            for place in band.pack_places():
                write_pack(sheet, place, (half_pack(band) + added.get(exponents[place], 0)) % MODULUS)
    added = _sum(added, demands(owner, circuit.layers - 1, image, settle(circuit, sheet)))
    end = end_of(circuit, digit, logit)
    put_double(sheet, LARGEST, end.largest)
    if circuit.claim.kind is Kind.MARGIN:
        put_double(sheet, LESS_MARGIN, end.largest - circuit.claim.parameter)
    for pack, place in enumerate(circuit.output.pack_places()):
        known = sum(
            (end.largest - end.taken[5 * pack + at]) * DOUBLE ** (4 - at) for at in range(5) if 5 * pack + at < circuit.classes
        )
        write_pack(sheet, place, (known + added.get(exponents[place], 0)) % MODULUS)
    return settle(circuit, sheet)


def logits_of(owner: WideOwner, image: Sequence[int]) -> list[int]:
    """What the rows demand of the last layer, read as five balanced digits of 48 bits a pack: the logits, if they are any."""
    circuit, found = owner.circuit, []
    sheet, added = wide_follow(owner, image, 0), {}
    for layer in range(circuit.layers):
        added = _sum(added, demands(owner, layer, image, sheet))
    for exponent in band_exponents(circuit, circuit.output):
        number = -added.get(exponent, 0) % MODULUS
        number = number - MODULUS if number > MODULUS // 2 else number
        digits = []
        for _ in range(5):
            digit = (number + DOUBLE // 2) % DOUBLE - DOUBLE // 2
            digits.append(digit)
            number = (number - digit) // DOUBLE
        found += digits[::-1]
    return found[: circuit.classes]


def _sum(one: Mapping[int, int], other: Mapping[int, int]) -> dict[int, int]:
    return {e: (one.get(e, 0) + other.get(e, 0)) % MODULUS for e in {*one, *other}}


@dataclass(eq=False)
class WideRowsForger(Forger):
    """Proves with an owner's rows instead of a network's."""

    owner: WideOwner | None = None
    chosen: Sheet | None = field(default=None)

    def trace(self) -> Sheet:
        return self.chosen

    def combined_rows(self) -> dict[str, Vector]:
        alpha, found = self.challenges["alpha"], {}
        for column in self.circuit.row_columns:
            rows = self.owner.rows[column.name]
            size = max(map(len, rows))
            vectors = [Vector.from_ints([c % MODULUS for c in row] + [0] * (size - len(row))) for row in rows]
            found[column.name] = Vector.linear_combination(vectors, column.weights(alpha))
        return found

    def on_domain(self, own):
        """The domain sees a row of any degree modulo X^n - 1."""
        rows, n = super().on_domain(own), self.circuit.domain
        if self.challenges:
            for name, row in self.row_coefficients.items():
                rows.columns[name] = Vector.from_ints(folded(row.to_ints(), n)).ntt()
        return rows


def wide_owner_claim(owner: WideOwner, image: np.ndarray, digit: int, sheet: Sheet) -> Claim:
    """What an owner's forger says."""
    model = SimpleNamespace(commitment=owner.commitment)
    return claim_of(WideRowsForger(model, Statement(bytes(image), digit), owner=owner, chosen=sheet))
