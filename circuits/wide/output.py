"""The end of a wide circuit: what is claimed of the last layer's outputs Z.

    class, margin : M = Z_y + 2^46 on the idle rows of block 0, D_i = M - 2^46 - Z_i - s_i in the packs of the last layer,
                    s_i = [i < y] or m (0 at y);   D_y = 0,  sign = 0 on the high lane of M and of every D_i
    threshold     : D = Z - t,  sign = 0 on its high lane
    logits        : packs are public numbers: there is nothing on the trace

Why a class is unique whatever the rows: with all D_i and M below 2^47 subtract two solutions with classes y < y'. Every digit of the
base-2^48 sum has magnitude below 2^48, so it vanishes: D'_y = -delta - 1 and D_y' = delta with delta = M - M', of which one is negative.
"""

from __future__ import annotations

from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS, S, power
from zkpredict.circuits.gadgets.base import Cells, Constraint, Run
from zkpredict.circuits.publics import Patches, Periodic, PublicPolynomial
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import LOGIT_LIMIT, Kind
from zkpredict.circuits.wide.geometry import IDLE_ROWS, LANE_BITS, Band
from zkpredict.circuits.wide.lanes import WideGadget, lane, place, write

LARGEST_TRACK = 0
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

    def constraints(self) -> tuple[Constraint, ...]:
        return tuple(
            Constraint(f"differences on track {track} are not negative", Public(f"nonnegative{track}") * Cell(f"sign{track}"))
            for track in self.signed_tracks
        )

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
        """What the sum takes from the trace beside the fold: - sum_e alpha^e c_e M + alpha^f D_y."""
        if not self.ranked:
            return None
        found = -1 * (Public("largest") * lane(LARGEST_TRACK))
        for track in self.band.tracks:
            found = found + Public(f"winner{track}") * lane(track)
        return found

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        if not self.ranked:
            return {}
        n, weight = self.circuit.domain, self.largest_weight(alpha)
        high, low = IDLE_ROWS
        found: dict[str, PublicPolynomial] = {"largest": Periodic(n, {high: weight * LANE_BASE % MODULUS, low: weight})}
        found |= {f"winner{track}": Periodic(n, {}) for track in self.band.tracks}
        pack, at = divmod(statement.claim, self.band.values_per_pack)
        track, row = list(self.band.pack_places())[pack]
        row += at * self.band.lanes
        free = pow(alpha, self.circuit.folded, MODULUS)
        found[f"winner{track}"] = Periodic(n, {row: free * LANE_BASE % MODULUS, row + 1: free})
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
            for row, limbs in zip(IDLE_ROWS, divmod(largest, LANE_BASE), strict=True):
                write(cells, LARGEST_TRACK, row, limbs % LANE_BASE)
