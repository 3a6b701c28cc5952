"""The commitment key: derived again from the ceremony it is the shipped file, and its Lagrange points are Lagrange points."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from support import changed, refuses

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.layout import DOMAINS
from zkpredict.kernel import G1, G2, Vector, pairing_check
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.prover import setup
from zkpredict.prover.polynomial import commit_column
from zkpredict.prover.setup import FOLDER, SETUP_DOMAINS, SETUP_SHA256, derive_setup, lagrange_key, monomial_key
from zkpredict.verifier.ceremony import TAU_G2, parse_ceremony

BLINDERS = COMPACT_FORM.blinders
by_domain = pytest.mark.parametrize("domain", DOMAINS)


@pytest.fixture(scope="module")
def ceremony_file() -> bytes:
    return (Path(FOLDER) / "trusted_setup.txt").read_bytes()


def scalars(seed: int, count: int) -> list[int]:
    source = np.random.default_rng(seed)
    return [int.from_bytes(source.bytes(40), "big") % MODULUS for _ in range(count)]


def test_the_shipped_key_is_derived_again_from_the_ceremony(ceremony_file):
    derived = derive_setup(ceremony_file)
    assert derived == (Path(FOLDER) / "setup.bin").read_bytes()
    assert hashlib.sha256(derived).hexdigest() == SETUP_SHA256
    assert len(derived) == 96 * (4096 + sum(SETUP_DOMAINS))


def test_an_altered_ceremony_derives_nothing(ceremony_file):
    altered = changed(ceremony_file, 500_000)
    found = hashlib.sha256(altered).hexdigest()
    message = f"ceremony file has sha256 {found}, expected d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7"
    with refuses(MalformedFile, message):
        derive_setup(altered)


def test_an_altered_key_file_is_refused_by_its_hash(tmp_path, monkeypatch):
    altered = changed((Path(FOLDER) / "setup.bin").read_bytes(), 12345)
    (tmp_path / "setup.bin").write_bytes(altered)
    assert setup._setup_bytes.__wrapped__() == (Path(FOLDER) / "setup.bin").read_bytes()
    monkeypatch.setattr(setup, "FOLDER", tmp_path)
    found = hashlib.sha256(altered).hexdigest()
    with refuses(MalformedFile, f"commitment key has sha256 {found}, expected {SETUP_SHA256}: reinstall zkpredict"):
        setup._setup_bytes.__wrapped__()


def test_the_monomial_key_is_the_ceremony_s(ceremony_file):
    encoded = parse_ceremony(ceremony_file).g1_powers
    assert len(monomial_key()) == 4096
    for index in (0, 1, 2, 1000, 4095):
        assert monomial_key()[index].to_compressed() == encoded[index]


@by_domain
def test_lagrange_key_matches_reference(domain):
    # the same polynomial by its values and by its coefficients
    values = scalars(domain, domain)
    coefficients = Vector.from_ints(values).intt()
    ours = lagrange_key(domain).msm(Vector.from_ints(values))
    assert ours == monomial_key().msm(coefficients)
    values[3] = (values[3] + 1) % MODULUS
    assert ours != lagrange_key(domain).msm(Vector.from_ints(values))


@by_domain
def test_lagrange_points_satisfy_their_pairing_equation(domain):
    # L_i (X - w^i) = w^i/n (X^n - 1):  e([L_i], [tau] - [w^i]) = e(w^i/n [tau^n - 1], [1])
    tau, root, key = G2.from_compressed(TAU_G2), root_of_unity(domain), lagrange_key(domain)
    vanishing = monomial_key()[domain] - monomial_key()[0]
    for index in (0, 1, 17, domain - 1):
        node = pow(root, index, MODULUS)
        right = vanishing.mul(node * inverse(domain) % MODULUS)
        assert pairing_check([(key[index], tau - G2.generator().mul(node)), (-right, G2.generator())])
        other = key[(index + 1) % domain]
        assert not pairing_check([(other, tau - G2.generator().mul(node)), (-right, G2.generator())])


@by_domain
def test_the_blinding_points_are_multiples_of_the_vanishing_polynomial(domain):
    key = lagrange_key(domain, BLINDERS)
    assert len(key) == domain + BLINDERS
    for k in range(BLINDERS):
        assert key[domain + k] == monomial_key()[domain + k] - monomial_key()[k]
    assert G1.linear_combination(list(key[0:domain]), [1] * domain) == G1.generator()


# Columns


@by_domain
def test_a_column_s_commitment_is_of_its_blinded_coefficients(domain):
    values = scalars(7, domain)
    column = commit_column(Vector.from_ints(values), BLINDERS)
    assert column.values.to_ints() == values and len(column.coefficients) == domain + BLINDERS
    assert column.commitment == monomial_key().msm(column.coefficients)
    folded = column.coefficients.to_ints()
    wrapped = [(low + high) % MODULUS for low, high in zip(folded[:domain], folded[domain:] + [0] * domain)]
    assert Vector.from_ints(wrapped).ntt().to_ints() == values


@by_domain
def test_two_columns_of_the_same_values_share_nothing_but_the_values(domain):
    one, two = (commit_column(Vector.zeros(domain), BLINDERS) for _ in range(2))
    assert one.values == two.values and one.commitment != two.commitment
    blinding = [column.coefficients.to_ints()[domain:] for column in (one, two)]
    assert len({0, *blinding[0], *blinding[1]}) == 1 + 2 * BLINDERS
    assert one.coefficients.evaluate(5) != two.coefficients.evaluate(5)
