"""The ceremony: the file is the known one, every constant follows from it, and its powers are powers of one tau."""

import hashlib
import random
from pathlib import Path

import pytest
from support import changed, refuses

from zkpredict.circuits.gadgets.bytes import TABLE
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS, inverse, powers, root_of_unity
from zkpredict.circuits.layout import MAX_DEGREE
from zkpredict.kernel import G1, G2, Bases, Vector, pairing_check
from zkpredict.prover.setup import FOLDER
from zkpredict.verifier.ceremony import (
    CEREMONY_SHA256,
    CODES_COMMITMENTS,
    G1_POWERS,
    G2_POWERS,
    TABLE_COMMITMENT,
    TAU_G2,
    Ceremony,
    parse_ceremony,
)

EIP_4844_SHA256 = "d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7"


@pytest.fixture(scope="module")
def data() -> bytes:
    return (Path(FOLDER) / "trusted_setup.txt").read_bytes()


@pytest.fixture(scope="module")
def ceremony(data) -> Ceremony:
    return parse_ceremony(data)


@pytest.fixture(scope="module")
def g1_powers(ceremony) -> list[G1]:
    return list(Bases.from_compressed(b"".join(ceremony.g1_powers)))


@pytest.fixture(scope="module")
def g2_powers(ceremony) -> list[G2]:
    return [G2.from_compressed(power) for power in ceremony.g2_powers]


def test_the_shipped_file_is_the_ceremony_of_eip_4844(data, ceremony):
    assert hashlib.sha256(data).hexdigest() == CEREMONY_SHA256 == EIP_4844_SHA256
    assert (len(ceremony.g1_powers), len(ceremony.g2_powers)) == (G1_POWERS, G2_POWERS) == (4096, 65)
    assert {len(power) for power in ceremony.g1_powers} == {48} and {len(power) for power in ceremony.g2_powers} == {96}
    assert MAX_DEGREE == G1_POWERS - 1


@pytest.mark.parametrize(
    "alter",
    [
        lambda data: changed(data, 0),
        lambda data: changed(data, len(data) // 2),
        lambda data: changed(data, len(data) - 2),
        lambda data: data[:-1],
        lambda data: data + b"\n",
        lambda data: b"\n".join(data.split(b"\n")[:2] + data.split(b"\n")[2:][::-1]),
        lambda data: data.replace(b"a", b"A", 1),
        lambda data: b"",
    ],
    ids=["first byte", "middle byte", "last digit", "cut", "extended", "other order", "upper case", "empty"],
)
def test_an_altered_file_is_refused_by_its_hash(data, alter):
    altered = alter(data)
    found = hashlib.sha256(altered).hexdigest()
    with refuses(MalformedFile, f"ceremony file has sha256 {found}, expected {EIP_4844_SHA256}"):
        parse_ceremony(altered)


def test_the_powers_start_at_the_generators_and_tau_is_the_shipped_constant(ceremony, g1_powers, g2_powers):
    assert g1_powers[0] == G1.generator() and g2_powers[0] == G2.generator()
    assert ceremony.g2_powers[1] == TAU_G2 and G2.from_compressed(TAU_G2) == g2_powers[1]
    assert g2_powers[1] != G2.generator() and not g1_powers[1].is_identity()


def consecutive(powers_of_tau: list[G1], tau: G2) -> bool:
    """e(sum_i k_i tau^(i+1), [1]) = e(sum_i k_i tau^i, [tau]) for random k: all steps in one equation."""
    weights = [random.SystemRandom().randrange(1, MODULUS) for _ in powers_of_tau[1:]]
    upper = Bases(powers_of_tau[1:]).msm(Vector.from_ints(weights))
    lower = Bases(powers_of_tau[:-1]).msm(Vector.from_ints(weights))
    return pairing_check([(upper, G2.generator()), (-lower, tau)])


def test_every_g1_power_is_tau_times_the_one_before(g1_powers, g2_powers):
    assert consecutive(g1_powers, g2_powers[1])


@pytest.mark.parametrize("position", [1, 2000, 4095])
def test_one_altered_power_is_found_by_the_pairing(g1_powers, g2_powers, position):
    altered = list(g1_powers)
    altered[position] = altered[position] + G1.generator()
    assert not consecutive(altered, g2_powers[1])
    swapped = list(g1_powers)
    swapped[position], swapped[position - 1] = swapped[position - 1], swapped[position]
    assert not consecutive(swapped, g2_powers[1])


def test_every_g2_power_is_tau_times_the_one_before(g1_powers, g2_powers):
    tau = g1_powers[1]
    for before, after in zip(g2_powers, g2_powers[1:]):
        assert pairing_check([(tau, before), (-G1.generator(), after)])
    assert not pairing_check([(tau, g2_powers[3]), (-G1.generator(), g2_powers[5])])


def test_the_table_commitment_is_the_interpolated_table_at_tau(g1_powers):
    # T(w^i) = i on the subgroup of order 256: coefficient k is sum_i i w^(-ik) / 256
    back = powers(inverse(root_of_unity(256)), 256)
    coefficients = [sum(i * back[i * k % 256] for i in range(256)) * inverse(256) % MODULUS for k in range(256)]
    assert TABLE == tuple(range(256))
    committed = G1.linear_combination(g1_powers[:256], coefficients)
    assert committed.to_compressed() == TABLE_COMMITMENT
    coefficients[17] = (coefficients[17] + 1) % MODULUS
    assert G1.linear_combination(g1_powers[:256], coefficients).to_compressed() != TABLE_COMMITMENT


@pytest.mark.parametrize("name", sorted(CODES_COMMITMENTS))
def test_the_tables_of_wide_circuits_are_committed(g1_powers, name):
    """Bytes on even places; the lower tops on places 1 modulo 4, the upper ones on places 3 modulo 4 (without 128 where lanes saturate)."""
    upper = list(range(128, 256)) if name == "codes_relu" else [*range(129, 256), 129]
    values = [(j // 2, j // 4, j // 2, upper[j // 4])[j % 4] for j in range(512)]
    back = powers(inverse(root_of_unity(512)), 512)
    coefficients = [sum(value * back[i * k % 512] for i, value in enumerate(values)) * inverse(512) % MODULUS for k in range(512)]
    assert G1.linear_combination(g1_powers[:512], coefficients).to_compressed() == CODES_COMMITMENTS[name]
