"""Line 35: an owner whose kernels are polynomials of any degree. Whatever lies behind the taps, one input has one class.

The owner commits to a network's kernels with random values on all rows behind them, and adds a random multiple of X^n - 1 to each, up to
degree 4079: with more the quotient would have no commitment. The prover, who is the owner, tries every class.
"""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
from forger import claim_of
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused
from wide_forger import sheet_of
from wide_owners import WideOwner, WideRowsForger
from wired_forger import follow, patched, pooled, residual

from zkpredict.circuits.convolution.gadgets import Correlations
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.publics import RowValues
from zkpredict.circuits.statement import Statement
from zkpredict.kernel import Vector
from zkpredict.prover import prove as rounds
from zkpredict.prover.commit import commit_model
from zkpredict.prover.wide_rows import correlation_column
from zkpredict.verifier.errors import FailedOpening

LENGTH, POINTS = 4080, 4096


@pytest.fixture(autouse=True)
def room(monkeypatch):
    """A quotient for rows of any degree."""
    monkeypatch.setattr(rounds, "quotient_length", lambda circuit: 9 * circuit.domain)


def hostile(network, seed):
    """The network's circuit with the owner's polynomials, and the compiled network."""
    compiled, source = commit_model(network, 512).compiled, random.Random(seed)
    circuit, n, plain = compiled.circuit, compiled.circuit.domain, iter(compiled.all_rows)
    rows = {}
    for column in circuit.row_columns:
        used = range(len(compiled.chunk(column))) if circuit.is_convolution(column.layer) else None
        rows[column.name] = []
        for _ in column.exponents:
            row = next(plain)
            row = [value if used is None or at in used else source.randrange(MODULUS) for at, value in enumerate(row)]
            row = row if column.coefficients else Vector.from_ints(row).intt().to_ints()
            multiple = [source.randrange(MODULUS) for _ in range(LENGTH - n)]
            row = [*row, *([0] * (LENGTH - n))]
            for at, value in enumerate(multiple):
                row[at], row[at + n] = (row[at] - value) % MODULUS, (row[at + n] + value) % MODULUS
            rows[column.name].append(row)
    return WideOwner(circuit, rows), compiled


class Owner(WideRowsForger):
    """Fills its correlations as the network's activations have them, and one entry as it likes."""

    handed = ()
    entry = None

    def correlation(self, layer, piece, chunk):
        found = correlation_column(self.compiled, layer, piece, self.compiled.network.read_by(layer, self.handed)[0], self.challenges["alpha"], chunk)
        if self.entry is None or layer != self.circuit.layers - 1:
            return found
        return found + Vector.from_ints([self.entry[1]]).scatter(self.circuit.domain, [self.entry[0]])


def attempt(owner, compiled, image, digit, logits=None, entry=None):
    """The claim that the image has this class, with these logits or the network's own."""
    z, handed = follow(compiled.network, image, {})
    run = [*(one[0].tolist() for one in z[:-1]), z[-1][0].tolist() if logits is None else logits]
    model = SimpleNamespace(commitment=owner.commitment, compiled=compiled, secrets=())
    prover = Owner(model, Statement(image.tobytes(), digit), owner=owner, chosen=sheet_of(SimpleNamespace(compiled=compiled), run, digit))
    prover.handed, prover.entry = handed, entry
    return claim_of(prover)


@pytest.mark.parametrize("make", [pooled, residual])
@pytest.mark.parametrize("seed", range(3))
def test_one_input_has_one_class(make, seed):
    network, image = make(seed), np.random.default_rng(seed).integers(0, 256, 36, dtype=np.uint8)
    owner, compiled = hostile(network, seed)
    truth = network.predict(image)
    for digit in range(3):
        claim = attempt(owner, compiled, image, digit)
        if digit == truth:
            assert accepted(claim, PYTHON if seed == 0 else NATIVE) == truth
        else:
            refused(claim, FailedOpening, MISMATCH, NATIVE)


def test_columns_must_be_zero_behind_the_taps():
    """With the check of columns up to the last tap only, an entry behind it meets what the owner has put there: any class."""
    network, image = pooled(1), np.random.default_rng(1).integers(0, 256, 36, dtype=np.uint8)
    owner, compiled = hostile(network, 1)
    last, layer = compiled.circuit.row_columns[-1], compiled.circuit.layers - 1
    z = network.infer(image[None]).logits[0].tolist()
    other = (network.predict(image) + 1) % 3
    logits = [value + 1000 * (at == other) + (max(z) - z[other]) * (at == other) for at, value in enumerate(z)]
    spare = len(compiled.chunk(last)) + 5
    there = Vector.from_ints(owner.rows[last.name][0]).coset_ntt(POINTS, 1).to_ints()[spare * (POINTS // compiled.circuit.domain)]
    moved = sum(int(factor) * (b - a) for factor, a, b in zip(compiled.factors(layer), z, logits, strict=True))
    entry = (spare, moved * inverse(there) % MODULUS)
    refused(attempt(owner, compiled, image, other, logits, entry), FailedOpening, MISMATCH)
    true = Correlations.late_publics

    def up_to_the_taps(self, statement, challenges):
        found = true(self, statement, challenges)
        powers = found["powers"].values
        return found | {"powers": RowValues([*powers[:spare], 0, *powers[spare + 1 :]])}

    with patched(Correlations, "late_publics", up_to_the_taps):
        assert accepted(attempt(owner, compiled, image, other, logits, entry), NATIVE) == other
