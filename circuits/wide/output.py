"""The end of a wide circuit: what is claimed of the last layer's outputs Z.

    class, margin : M = Z_y + 2^46 on the idle rows of block 0, D_i = M - 2^46 - Z_i - s_i in the packs of the last layer,
                    s_i = [i < y] or m (0 at y);   D_y = 0,  sign = 0 on the high lane of M and of every D_i
    margin        : M - m on the idle rows of block 1, so M >= m
    threshold     : D = Z - t,  sign = 0 on its high lane
    logits        : packs are public numbers: there is nothing on the trace

Why a class is unique whatever the rows: subtract two solutions with classes y < y'. With all D_i and M below 2^47 every digit of the
base-2^48 sum has magnitude at most 2^47 - 1 + 2^47 - 1 + 1, below 2^48, so it vanishes: D'_y = -delta - 1 and D_y' = delta with
delta = M - M', of which one is negative. With a margin the digits at y and y' may have m more; M is then in m..2^47 - 1, so that delta
has m less. D_y = 0 holds row by row, not in the sum: rows of the first layer reach many powers of alpha there.
"""

from __future__ import annotations

from functools import reduce
from operator import add

from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS, S, inverse, power
from zkpredict.circuits.gadgets.base import Cells, Constraint, Run
from zkpredict.circuits.publics import Patches, Periodic, PublicPolynomial
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import LOGIT_LIMIT, Kind
from zkpredict.circuits.wide.geometry import BLOCK_ROWS, IDLE_ROWS, LANE_BITS, Band
from zkpredict.circuits.wide.lanes import WideGadget, lane, place, write

LARGEST_TRACK = 0
SPARE_ROWS = tuple(BLOCK_ROWS + row for row in IDLE_ROWS)
"""Of M - m, on the track of M."""
LANE_BASE = 1 << LANE_BITS


class Output(WideGadget):
    """The claim on the last layer."""

    @property
    def band(self) -> Band:
        return self.circuit.output

    @property
    def ranked(self) -> bool:
        return self.circuit.claim.ranked

    @property
    def signed_tracks(self) -> tuple[int, ...]:
        """Tracks with lanes that must not be negative."""
        return tuple(sorted({*self.band.tracks, *((LARGEST_TRACK,) if self.ranked else ())}))

    @property
    def has_margin(self) -> bool:
        return self.circuit.claim.kind is Kind.MARGIN

    def constraints(self) -> tuple[Constraint, ...]:
        found = [
            Constraint(f"differences on track {track} are not negative", Public(f"nonnegative{track}") * Cell(f"sign{track}"))
            for track in self.signed_tracks
        ]
        if self.ranked:
            own = reduce(add, [Public(f"winner{track}") * lane(track) for track in self.band.tracks])
            found.append(Constraint("the claimed class differs from itself by 0", own))
        return tuple(found)

    def selectors(self, alpha: S) -> dict[str, Patches[S]]:
        found = {}
        for track in self.signed_tracks:
            pieces = [piece for piece in self.band.pieces if piece.track == track]
            parts: list[Periodic[S]] = [Periodic(piece.period, dict(piece.lane_rows(self.band.heads))) for piece in pieces]
            if self.ranked and track == LARGEST_TRACK:
                parts.append(Periodic(self.circuit.domain, {IDLE_ROWS[0]: 1}))
            found[f"nonnegative{track}"] = Patches(tuple(parts))
        return found

    def read(self) -> Expression | None:
        """What the sum takes from the trace beside the fold: - sum_e alpha^e c_e M."""
        return -1 * (Public("largest") * lane(LARGEST_TRACK)) if self.ranked else None

    def spare(self) -> Expression | None:
        """What the sum over all rows must give on its own: M - (M - m) - m."""
        if not self.has_margin:
            return None
        share = self.circuit.claim.parameter * inverse(self.circuit.domain) % MODULUS
        return Public("spare") * lane(LARGEST_TRACK) - share

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        if not self.ranked:
            return {}
        n, weight = self.circuit.domain, self.largest_weight(alpha)
        high, low = IDLE_ROWS
        found: dict[str, PublicPolynomial] = {"largest": Periodic(n, {high: weight * LANE_BASE % MODULUS, low: weight})}
        if self.has_margin:
            less_high, less_low = SPARE_ROWS
            found["spare"] = Periodic(n, {high: LANE_BASE, low: 1, less_high: MODULUS - LANE_BASE, less_low: MODULUS - 1})
        found |= {f"winner{track}": Periodic(n, {}) for track in self.band.tracks}
        pack, at = divmod(statement.claim, self.band.values_per_pack)
        track, row = list(self.band.pack_places())[pack]
        first = row + at * self.band.lanes
        found[f"winner{track}"] = Periodic(n, {row: 1 for row in range(first, first + self.band.lanes)})
        return found

    def largest_weight(self, alpha: S) -> S | int:
        """sum_e alpha^e c_e, where c_e has a 1 at each value in use of pack e."""
        return self._packed(alpha, [1] * self.band.values)

    def constants(self, statement: Statement, alpha: S) -> S | int:
        """sum_e alpha^e constant_e."""
        claim, y = self.circuit.claim, statement.claim
        if claim.kind is Kind.LOGITS:
            return -self._packed(alpha, list(statement.outputs)) % MODULUS
        if claim.kind is Kind.THRESHOLD:
            return -self._packed(alpha, [claim.parameter]) % MODULUS
        behind = [int(i < y) if claim.kind is Kind.CLASS else claim.parameter * (i != y) for i in range(self.band.values)]
        return -self._packed(alpha, [LOGIT_LIMIT + more for more in behind]) % MODULUS

    def _packed(self, alpha: S, values: list[int]) -> S | int:
        """sum over packs e of alpha^e (the values of the pack, packed as its lanes are)."""
        total: S | int = 0
        per_pack = self.band.values_per_pack
        for number, exponent in enumerate(self.band.exponents()):
            own = values[number * per_pack : (number + 1) * per_pack]
            packed = sum(value << self.band.value_shift(at) for at, value in enumerate(own))
            total = (total + power(alpha, exponent) * packed) % MODULUS
        return total

    def fill(self, cells: Cells, run: Run) -> None:
        """Another class than the network's own makes differences negative: their sign is not zero."""
        import numpy as np  # verifiers, which fill nothing, do not wait for it

        claim, logits = self.circuit.claim, run.pre_activations[-1]
        if claim.kind is Kind.THRESHOLD:
            place(cells, self.band, logits - claim.parameter, 0)
        if self.ranked:
            others = np.arange(self.band.values)
            behind = (others < run.claim) * 1 if claim.kind is Kind.CLASS else claim.parameter * (others != run.claim)
            place(cells, self.band, logits[run.claim] - logits - behind, 0)
            largest = int(logits[run.claim]) + LOGIT_LIMIT
            stored = {IDLE_ROWS: largest} | ({SPARE_ROWS: largest - claim.parameter} if self.has_margin else {})
            for rows, number in stored.items():
                for row, limbs in zip(rows, divmod(number, LANE_BASE), strict=True):
                    write(cells, LARGEST_TRACK, row, limbs % LANE_BASE)
