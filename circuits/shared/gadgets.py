"""The gadgets of circuits with shared rows.

    rows(X) = sum over rows j of alpha^(3 B/4 (R - 1 - j)) row_j(X), in coefficients;   conv(h) = 1/n sum_k q[k] h^-k
    sum over h of rows(h) conv(h) = <rows, q>

    q of the first kernels : sum over positions of alpha^e(pos) (1, x[pos + k])                    public
    q of a group of kernels: sum over positions of alpha^e(group, pos) (1, a[pos + k])             a: sums of 2 x 2
    q of a seat            : alpha^e(seat) (1, sum over lanes h read of act(h) h^(s k))            s = 4 behind the second convolution, else 1

That `conv` is that is one equation, at a challenge eta that is drawn behind it: sum_k eta^(1 + k) conv's q[k], for all k below n, is

    sum over h of conv(h) powers(h),     powers(X) = eta sum over k < n of (eta X)^k
    = the public part  +  sum over lanes of act c,       c(X) = reads(X) geometric(X) for dense layers, both in closed form
      geometric(X) = (sum over seats of alpha^e(seat) eta^(2 + start)) (sum over k < m of (eta X^s)^k)

The m numbers that a dense layer reads lie on m different h^s, so sums of their powers below m are as good as the numbers themselves: a
pack's entries are the coefficients of the polynomial that takes its weights there. With s = 4 the four lanes of a window share one power.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from operator import add
from typing import TYPE_CHECKING

from zkpredict.circuits.columns import Column, Origin
from zkpredict.circuits.convolution.gadgets import input_numbers
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS, S, inverse, powers, root_of_unity
from zkpredict.circuits.gadgets.base import Cells, Gadget, Run
from zkpredict.circuits.publics import Constant, Patches, Periodic, PublicPolynomial, RowValues, Selector
from zkpredict.circuits.records import dataclass
from zkpredict.circuits.shared.kinds import KindKeys, KindLanes, KindOutput, byte_of
from zkpredict.circuits.shared.layout import FIRST_DENSE, MET, ROWS, Segment, SharedCircuit, power_step
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.dense import Dense
from zkpredict.circuits.wide.fold import Fold
from zkpredict.circuits.wide.geometry import LANE_BITS, PACK_LANES
from zkpredict.circuits.wide.lanes import WideGadget, place
from zkpredict.circuits.wide.total import Total

if TYPE_CHECKING:
    import numpy as np


class SharedLanes(KindLanes):
    """Lanes of positions that lie where their windows do."""

    circuit: SharedCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def fill(self, cells: Cells, run: Run) -> None:
        for layer in range(self.circuit.layers - 1):
            for band, own in zip(self.circuit.groups(layer), by_pack(self.circuit, layer, run.pre_activations[layer]), strict=True):
                place(cells, band, own, 1 << (band.lanes * LANE_BITS - 1))


def by_pack(circuit: SharedCircuit, layer: int, z: np.ndarray) -> list[np.ndarray]:
    """The numbers of a layer's output as its bands hold them: zeros where a group has fewer channels than a pack has places."""
    import numpy as np  # verifiers, which fill nothing, do not wait for it

    if layer >= FIRST_DENSE:
        return [z]
    grid, found = z.reshape(circuit.positions(layer), circuit.channels(layer)), []
    places = [circuit.place_of(layer, position) for position in range(len(grid))]
    for number, band in enumerate(circuit.groups(layer)):
        own = np.zeros((band.packs, PACK_LANES), dtype=np.int64)
        channels = grid[:, number * PACK_LANES : (number + 1) * PACK_LANES]
        own[places, : channels.shape[1]] = channels
        found.append(own.ravel())
    return found


@dataclass(frozen=True)
class Geometric:
    """scale times the sum over k < count of (ratio X^step)^k."""

    domain: int
    scale: int
    ratio: int
    step: int
    count: int

    def coefficients(self) -> list[int]:
        """Low first, n of them."""
        found, value = [0] * self.domain, self.scale
        for number in range(self.count):
            found[number * self.step] = value
            value = value * self.ratio % MODULUS
        return found

    def evaluate(self, point: int, domain: int) -> int:
        """At any point."""
        ratio = self.ratio * pow(point, self.step, MODULUS) % MODULUS
        if ratio == 1:
            return self.scale * self.count % MODULUS
        return self.scale * (pow(ratio, self.count, MODULUS) - 1) * inverse(ratio - 1) % MODULUS


class SharedRows(Dense):
    """All layers: the one product of rows with what they meet. `layer` 0 has the columns; every layer has its own constants."""

    circuit: SharedCircuit  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def columns(self) -> tuple[Column, ...]:
        return () if self.layer else (Column(MET, Origin.PROOF, 2), Column(ROWS, Origin.MODEL))

    def read_by_weights(self) -> Expression | None:
        return None if self.layer else Cell(ROWS) * Cell(MET)

    def activation(self, track: int) -> Expression:
        return byte_of(track)

    def selectors(self, alpha: S) -> dict[str, Selector[S]]:
        """Where a dense layer reads: all lanes of the layer before it, those to spare as well."""
        if self.layer < FIRST_DENSE:
            return {}
        bands = self.circuit.groups(self.layer - 1)
        parts: list[Periodic[S]] = [Periodic(piece.period, dict(piece.lane_rows(band.heads))) for band in bands for piece in band.pieces]
        return {reads(self.layer): Patches(tuple(parts))}

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        return {}


class Met(WideGadget):
    """That `conv` is what rows meet."""

    circuit: SharedCircuit

    def read(self) -> Expression:
        """What the sum takes: the column at powers of eta, less the public part and the activations it stands for."""
        last, read = self.circuit.last_track, [Public(reads(layer)) * Public(geometric(layer)) for layer in range(FIRST_DENSE, self.circuit.layers)]
        taken = [*(Public(f"taps{track}") * byte_of(track) for track in range(last)), reduce(add, read) * byte_of(last)]
        return Public("powers") * Cell(MET) - Public("public_part") - reduce(add, taken)

    def late_publics(self, statement: Statement, challenges: Mapping[str, int]) -> dict[str, PublicPolynomial]:
        circuit, alpha, eta = self.circuit, challenges["alpha"], challenges["eta"]
        n = circuit.domain
        found: dict[str, PublicPolynomial] = {"powers": Geometric(n, eta, eta, 1, n)}
        public = public_entries(circuit, statement.input, alpha)
        total = sum(value * pow(eta, 1 + entry, MODULUS) for entry, value in public.items())
        found["public_part"] = Constant(total * inverse(n) % MODULUS)
        for layer in range(FIRST_DENSE, circuit.layers):
            scale = sum(
                pow(alpha, circuit.seat_exponent(layer, seat.number), MODULUS) * pow(eta, 2 + seat.start, MODULUS) for seat in circuit.segments_of(layer)
            )
            found[geometric(layer)] = Geometric(n, scale % MODULUS, eta, power_step(layer), circuit.numbers_read(layer))
        return found | window_weights(circuit, alpha, eta)


def reads(layer: int) -> str:
    """Name of where a dense layer reads."""
    return f"reads{layer}"


def geometric(layer: int) -> str:
    """Name of what weighs the lanes that a dense layer reads."""
    return f"geometric{layer}"


def weights_of(circuit: SharedCircuit, segment: Segment, alpha: int) -> list[int]:
    """Of a convolution's group: each position's power of alpha."""
    return [pow(alpha, exponent - segment.number, MODULUS) for exponent in circuit.exponents_at[segment.layer]]


def public_entries(circuit: SharedCircuit, data: bytes, alpha: int) -> dict[int, int]:
    """The entries of `conv` that the statement and alpha give: those of the first kernels, and every bias's."""
    found = {}
    for segment in circuit.segments:
        if segment.layer >= FIRST_DENSE:
            found[segment.start] = pow(alpha, circuit.seat_exponent(segment.layer, segment.number), MODULUS)
            continue
        own = weights_of(circuit, segment, alpha)
        found[segment.start] = sum(own) % MODULUS
        if segment.layer == 0:
            met = met_by_kernels(circuit, 0, input_numbers(data)).astype(object).T
            sums = (sum(value * weight for value, weight in zip(row, own, strict=True)) for row in met)
            found |= {segment.start + 1 + tap: int(value) % MODULUS for tap, value in enumerate(sums)}
    return found


def met_by_kernels(circuit: SharedCircuit, layer: int, values: np.ndarray) -> np.ndarray:
    """What a kernel meets at each position: int64 [positions, taps], of the numbers that the layer reads."""
    grid = circuit.grid(layer)
    sums = grid.sums(values[None])[0].reshape(-1, grid.channels)
    return sums[grid.places()].reshape(grid.count, -1)


def window_weights(circuit: SharedCircuit, alpha: int, eta: int) -> dict[str, PublicPolynomial]:
    """c on the lanes of the first convolution: eta^(2 + start + tap) alpha^e over the groups, positions and taps that read a lane's window."""
    grid, n = circuit.grid(1), circuit.domain
    places, channels = grid.places(), grid.channels
    by_window = [0] * circuit.windows(grid)
    for segment in circuit.segments_of(1):
        taps = [pow(eta, 2 + segment.start + channels * tap, MODULUS) for tap in range(places.shape[1])]
        for weight, windows in zip(weights_of(circuit, segment, alpha), places.tolist(), strict=True):
            for tap, window in zip(taps, windows, strict=True):
                by_window[window] = (by_window[window] + weight * tap) % MODULUS
    columns = circuit.grid(0).positions[1]
    rows, by_channel = list(circuit.groups(0)[0].pack_places()), powers(eta, channels)
    values = [[0] * n for _ in range(circuit.last_track)]
    for position in range(circuit.positions(0)):
        window = position // columns // 2 * (columns // 2) + position % columns // 2
        track, row = rows[circuit.place_of(0, position)]
        for channel, power in enumerate(by_channel):
            values[track][row + channel] = by_window[window] * power % MODULUS
    return {f"taps{track}": RowValues(own) for track, own in enumerate(values)}


def nodes(circuit: SharedCircuit, layer: int) -> list[int]:
    """For each number that a dense layer reads, h^s of its lanes."""
    bands, found = circuit.groups(layer - 1), []
    root, step = root_of_unity(circuit.domain), power_step(layer)
    places = [list(band.pack_places()) for band in bands]
    channels = circuit.channels(layer - 1)
    for number in range(circuit.numbers_read(layer)):
        if layer == FIRST_DENSE:
            window, channel = divmod(number, channels)
            group, at = divmod(channel, PACK_LANES)
            _, row = places[group][window]
        else:
            pack, at = divmod(number, PACK_LANES)
            _, row = places[0][pack]
        found.append(pow(root, step * (row + at), MODULUS))
    return found


def shared_gadgets(circuit: SharedCircuit) -> tuple[Gadget, ...]:
    """All of them, in the order in which their constraints are weighed."""
    layers = tuple(SharedRows(circuit, layer) for layer in range(circuit.layers))
    keys, output, met = KindKeys(circuit), KindOutput(circuit), Met(circuit)
    return (SharedLanes(circuit), keys, Fold(circuit), *layers, met, output, Total(circuit, layers, output, keys, met))
