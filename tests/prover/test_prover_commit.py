"""Committing: every row against py_ecc, fresh secrets each time, and secrets that hide."""

import pytest
from py_ecc.optimized_bls12_381 import FQ, add, multiply, normalize
from py_ecc.optimized_bls12_381 import Z1 as INFINITY
from support import MISMATCH, random_network, refuses

from zkpredict.circuits.compiler import compile_network
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.kernel import G1
from zkpredict.prover import commit
from zkpredict.prover.commit import commit_model
from zkpredict.prover.rows import hidden_rows
from zkpredict.prover.model import Committed, Model
from zkpredict.prover.prove import prove
from zkpredict.prover.randomness import random_scalars
from zkpredict.prover.setup import lagrange_key, monomial_key
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import verify


def plain_point(point: G1):
    data = point.to_uncompressed()
    return FQ(int.from_bytes(data[:48], "big")), FQ(int.from_bytes(data[48:], "big")), FQ(1)


def plain_commitment(key, entries: dict[int, int]) -> bytes:
    """sum entries[i] key[i] by py_ecc, uncompressed."""
    total = INFINITY
    for position, entry in entries.items():
        total = add(total, multiply(plain_point(key[position]), entry))
    x, y = normalize(total)
    return int(x).to_bytes(48, "big") + int(y).to_bytes(48, "big")


@pytest.mark.parametrize(("shape", "domain"), [((3, 4, 2), 1024), ((2, 12, 2), 2048)])
def test_rows_match_reference(shape, domain):
    model = commit_model(random_network(1, shape), domain)
    compiled, number = model.compiled, 0
    for layer, rows in enumerate(compiled.rows):
        key = monomial_key() if layer == 0 else lagrange_key(domain)
        for row in rows:
            entries = {position: entry for position, entry in enumerate(row) if entry}
            entries[compiled.blinding_position(layer)] = model.secrets[number]
            expected = plain_commitment(key, entries)
            assert model.commitment.rows[number].to_uncompressed() == expected
            entries[0 if layer == 0 else 3] = (entries.get(0 if layer == 0 else 3, 0) + 1) % MODULUS
            assert model.commitment.rows[number].to_uncompressed() != plain_commitment(key, entries)
            number += 1
    assert number == len(model.commitment.rows) == compiled.circuit.total_rows


def test_hidden_rows_are_the_compiled_ones_but_for_the_secret():
    compiled = compile_network(random_network(2, (40, 25, 12, 3)))
    secrets = tuple(range(10**30, 10**30 + compiled.circuit.total_rows))
    number = 0
    for before, (column, after) in zip(compiled.all_rows, hidden_rows(compiled, secrets), strict=True):
        expected = list(before)
        expected[compiled.blinding_position(column.layer)] = secrets[number]
        assert after.to_ints() == expected
        number += 1
    assert number == len(secrets)


def test_two_commitments_of_one_network_share_nothing():
    network = random_network(1, (30, 12, 4))
    one, two = commit_model(network), commit_model(network)
    assert one.commitment.circuit == two.commitment.circuit
    assert one.commitment.model_id != two.commitment.model_id
    rows = {row.to_compressed() for model in (one, two) for row in model.commitment.rows}
    secrets = {*one.secrets, *two.secrets}
    assert len(rows) == len(secrets) == 2 * one.commitment.circuit.total_rows
    assert all(2**200 < secret < MODULUS for secret in secrets)


def test_every_row_is_hidden_by_its_secret_alone(monkeypatch):
    # with the secrets fixed the rows repeat; one other secret moves one row; so nothing else is random and nothing is bare
    network = random_network(1, (30, 12, 4))
    total = compile_network(network).circuit.total_rows

    class Fixed:
        def __init__(self, values):
            self.values = values

        def to_ints(self):
            return self.values

    def committed(values) -> list[bytes]:
        monkeypatch.setattr(commit, "random_scalars", lambda count: Fixed(values[:count]))
        return [row.to_compressed() for row in commit_model(network).commitment.rows]

    base = [11 + k for k in range(total)]
    first = committed(base)
    assert committed(base) == first
    for number in range(total):
        moved = committed([value + (index == number) for index, value in enumerate(base)])
        assert [ours != theirs for ours, theirs in zip(first, moved)] == [index == number for index in range(total)]
    bare = committed([0] * total)
    assert not set(bare) & set(first)


def test_secrets_that_are_not_the_commitment_s_prove_nothing(model, image):
    wrong = Model(model.network, Committed(model.commitment, tuple((s + 1) % MODULUS for s in model.secrets)))
    proof = prove(wrong, image)
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, image, proof)
    verify(model.commitment, image, prove(model, image))


def test_weights_that_are_not_the_commitment_s_prove_nothing(model, other_model, image):
    swapped = Model(other_model.network, model.committed)
    with refuses(FailedOpening, MISMATCH):
        verify(model.commitment, image, prove(swapped, image))


@pytest.mark.parametrize("domain", [None, 1024, 2048])
def test_the_domain_can_be_chosen(domain, image):
    model = commit_model(random_network(1, (30, 12, 4)), domain)
    assert model.commitment.circuit.domain == (domain or 1024)
    verify(model.commitment, image, prove(model, image))


def test_networks_that_fit_no_circuit_are_refused_before_any_commitment(monkeypatch):
    monkeypatch.setattr(commit, "random_scalars", lambda count: pytest.fail("secrets were drawn"))
    with refuses(UnsupportedNetwork, "network 784-161-10 needs 36 packs of rows, a domain of 2048 rows has 32: it fits with at most 160 neurons in hidden layer 1"):
        commit_model(random_network(1, (784, 161, 10), largest=1), placement="compact")


def test_random_scalars_are_many_fresh_and_below_the_order():
    drawn = random_scalars(500).to_ints() + random_scalars(500).to_ints()
    assert len(set(drawn)) == 1000 and all(value < MODULUS for value in drawn)
    # a uniform value is in the upper half half of the time: 1000 draws stay within 7 standard deviations
    assert 390 < sum(value > MODULUS // 2 for value in drawn) < 610
    assert isinstance(commit_model(random_network(1, (2, 2))).commitment, ModelCommitment)
