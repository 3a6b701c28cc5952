"""A model owner who commits to anything: polynomials of any degree below 4096 instead of a network's packed rows.

`follow` computes what such rows compute, pack by pack, exactly as the linear check reads them; a `RowsForger` proves it if it
can be proven, with cells of the forger's choice where nothing pins them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np
from forger import Claim, Forger, claim_of, complete, write_value

from support import horner_column, said

from zkpredict.circuits import constraints as system
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.layout import PACK_BITS, PACK_LANES, READOUT_ROW, Circuit, Group
from zkpredict.circuits.gadgets.dense import row_column
from zkpredict.circuits.witness import Trace
from zkpredict.kernel import Vector
from zkpredict.prover import prove as rounds
from zkpredict.prover.setup import monomial_key
from zkpredict.verifier.commitment import ModelCommitment

Rows = Sequence[Sequence[Sequence[int]]]
"""Per layer, per row: coefficients of a polynomial, low first."""


@dataclass(frozen=True)
class Owner:
    """A circuit, polynomials of the owner's choice for its rows, and their commitments."""

    circuit: Circuit
    rows: Rows

    @property
    def commitment(self) -> ModelCommitment:
        points = [monomial_key().msm(Vector.from_ints([c % MODULUS for c in row])) for layer in self.rows for row in layer]
        return ModelCommitment(self.circuit, tuple(points))


def by_values(values: Mapping[int, int], domain: int) -> list[int]:
    """The polynomial of degree < n with these values on the domain, 0 elsewhere."""
    return Vector.from_ints([values.get(row, 0) % MODULUS for row in range(domain)]).intt().to_ints()


def folded(row: Sequence[int], domain: int) -> list[int]:
    """The polynomial modulo X^n - 1: all that the domain sees of it."""
    found = [0] * domain
    for position, coefficient in enumerate(row):
        found[position % domain] = (found[position % domain] + coefficient) % MODULUS
    return found


def pack_values(owner: Owner, layer: int, image: Sequence[int], trace: Trace) -> list[int]:
    """What the linear check demands of each pack of `layer`: field elements."""
    circuit, n = owner.circuit, owner.circuit.domain
    group, together = circuit.layer_groups[layer], circuit.packs_per_row(layer)
    found = []
    for pack in range(group.packs):
        row = folded(owner.rows[layer][pack // together], n)
        place = pack % together
        if layer == 0:
            block = circuit.inputs + 1
            terms = zip(row[place * block :], (1, *image))
        else:
            terms = zip(Vector.from_ints(row).ntt().to_ints(), _read(circuit, layer, place, trace))
        found.append((sum(weight * value for weight, value in terms) + group.offset(pack)) % MODULUS)
    return found


def _read(circuit: Circuit, layer: int, place: int, trace: Trace) -> list[int]:
    """What each value of a row of a later layer is multiplied with, at alpha = 1: its first or its second reading."""
    found, n = system.selectors(circuit, 1), circuit.domain
    name = f"reads{layer}" if place == 0 else f"reads_next{layer}"
    cells = trace["cell"] if place == 0 else trace["cell"][1:] + trace["cell"][:1]
    bias = 3 if place == 0 else 7
    return [found[name].at_row(row) * cells[row] + (row == bias) * found[f"bias{layer}"].at_row(row) for row in range(n)]


def write_pack(limb: list[int], group: Group, pack: int, value: int) -> None:
    """A pack's value as 30 bytes; what lies above 2^240 is lost."""
    rows = [group.pack_row(pack) + 4 * lane + place for lane in range(PACK_LANES) for place in (1, 2, 3)]
    for row, byte in zip(rows, (value % (1 << PACK_BITS)).to_bytes(PACK_BITS // 8, "big")):
        limb[row] = byte


def follow(
    owner: Owner,
    image: Sequence[int],
    digit: int,
    free: Mapping[int, int] | None = None,
    seed: Mapping[int, int] | None = None,
) -> Trace:
    """The best trace for `digit`: every pack as the rows demand, every difference as the logits demand.

    `free`: cells (row to value) that no row constraint pins. `seed`: what cells hold until their own layer is written, for rows
    that read ahead.
    """
    circuit, limb, free = owner.circuit, [0] * owner.circuit.domain, free or {}
    early = {**(seed or {}), **free}
    trace = _with(complete(circuit, limb), early)
    for layer, group in enumerate(circuit.layer_groups):
        for pack, value in enumerate(pack_values(owner, layer, image, trace)):
            write_pack(limb, group, pack, value)
        trace = _with(complete(circuit, limb), early)
    logits = read_values(circuit, trace)
    for index, logit in enumerate(logits):
        write_value(limb, circuit.difference_group, index, logits[digit] - logit - (index < digit))
    return _with(complete(circuit, limb), free)


def read_values(circuit: Circuit, trace: Trace) -> list[int]:
    """The logits in a trace, with their offsets."""
    group, horner = circuit.layer_groups[-1], horner_column(trace["limb"])
    found = []
    for index in range(group.outputs):
        pack = horner[group.pack_row(index // group.values_per_pack) + READOUT_ROW]
        found.append(pack >> group.value_shift(index) & ((1 << group.value_bits) - 1))
    return found


def _with(trace: Trace, free: Mapping[int, int]) -> Trace:
    for row, value in free.items():
        trace["cell"][row] = value
    return trace


@dataclass(eq=False)
class RowsForger(Forger):
    """Proves with an owner's rows instead of a network's."""

    owner: Owner | None = None
    chosen: Trace | None = field(default=None)

    def trace(self) -> Trace:
        return self.chosen

    def combined_rows(self) -> dict[str, Vector]:
        circuit, alpha, found = self.circuit, self.challenges["alpha"], {}
        for layer, rows in enumerate(self.owner.rows):
            size = max(map(len, rows))
            vectors = [Vector.from_ints([c % MODULUS for c in row] + [0] * (size - len(row))) for row in rows]
            weights = [pow(alpha, exponent, MODULUS) for exponent in circuit.row_exponents(layer)]
            found[row_column(layer)] = Vector.linear_combination(vectors, weights)

        return found

    def on_domain(self, own):
        """The domain sees a row of any degree modulo X^n - 1."""
        rows, n = super().on_domain(own), self.circuit.domain
        if self.challenges:
            for name, row in self.row_coefficients.items():
                rows.columns[name] = Vector.from_ints(folded(row.to_ints(), n)).ntt()
        return rows


def owner_claim(owner: Owner, image: np.ndarray, digit: int, trace: Trace) -> Claim:
    """What an owner's forger says."""
    model = SimpleNamespace(commitment=owner.commitment)
    return claim_of(RowsForger(model, said(image, digit), owner=owner, chosen=trace))


def wide_quotients(patch) -> None:
    """Room for rows of degree up to 4095: the numerator then reaches degree 5n."""
    patch.setattr(rounds, "quotient_length", lambda circuit: 5 * circuit.domain)
