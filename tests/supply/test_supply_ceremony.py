"""The commitment key is checked by its hash, and by pairings when `commit` starts: once a process, whatever it is asked to commit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import random_network, refuses

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.layout import DOMAINS
from zkpredict.cli.main import main
from zkpredict.kernel import G1, G2
from zkpredict.prover import setup
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.verifier.ceremony import CEREMONY_SHA256, G1_POWERS, TABLE_COMMITMENT, TAU_G2

POINT = 96
NOT_POWERS = "commitment key is not the powers of the ceremony's secret: reinstall zkpredict"
CACHES = (setup.monomial_key, setup.lagrange_key, setup.check_key)


@pytest.fixture
def fresh_key() -> Iterator[None]:
    """No key is in memory before or after the test."""
    for cached in CACHES:
        cached.cache_clear()
    yield
    for cached in CACHES:
        cached.cache_clear()


@pytest.fixture
def key(fresh_key, monkeypatch):
    """Runs on another key: a function from the shipped bytes to others, as if their hash were the pinned one."""

    def use(change) -> None:
        changed = change(setup._setup_bytes())
        monkeypatch.setattr(setup, "_setup_bytes", lambda: changed)

    return use


def replaced(number: int, point: G1):
    """The key with point `number` replaced."""
    return lambda data: data[: number * POINT] + point.to_uncompressed() + data[(number + 1) * POINT :]


def swapped(first: int, second: int):
    def change(data: bytes) -> bytes:
        parts = [data[n * POINT : (n + 1) * POINT] for n in (first, second)]
        data = data[: first * POINT] + parts[1] + data[(first + 1) * POINT :]
        return data[: second * POINT] + parts[0] + data[(second + 1) * POINT :]

    return change


def test_files_are_those_that_are_pinned():
    for name, pinned in (("trusted_setup.txt", CEREMONY_SHA256), ("setup.bin", setup.SETUP_SHA256)):
        assert hashlib.sha256((Path(setup.FOLDER) / name).read_bytes()).hexdigest() == pinned


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_shipped_key_passes(fresh_key, domain):
    setup.check_key(domain)


@pytest.mark.parametrize("number", [1, 2, 700, G1_POWERS - 2, G1_POWERS - 1])
def test_one_power_changed(key, number):
    key(replaced(number, G1.generator().mul(5)))
    with refuses(MalformedFile, NOT_POWERS):
        setup.check_key(1024)


@pytest.mark.parametrize("first, second", [(1, 2), (100, 4000), (G1_POWERS - 2, G1_POWERS - 1)])
def test_powers_in_another_order(key, first, second):
    key(swapped(first, second))
    with refuses(MalformedFile, NOT_POWERS):
        setup.check_key(1024)


def test_powers_of_another_secret(key):
    """All in order among themselves: known powers of 3, up to where they matter. Only [tau]_2 tells."""
    powers = b"".join(G1.generator().mul(pow(3, n, setup.MODULUS)).to_uncompressed() for n in range(G1_POWERS))
    key(lambda data: powers + data[len(powers) :])
    with refuses(MalformedFile, NOT_POWERS):
        setup.check_key(1024)


def test_another_start(key):
    key(replaced(0, G1.generator().mul(2)))
    with refuses(MalformedFile, "commitment key does not start at the generator: reinstall zkpredict"):
        setup.check_key(1024)


def test_a_verifier_of_another_secret(fresh_key, monkeypatch):
    monkeypatch.setattr(setup, "TAU_G2", G2.generator().mul(7).to_compressed())
    with refuses(MalformedFile, NOT_POWERS):
        setup.check_key(1024)


@pytest.mark.parametrize("domain, number", [(1024, 0), (1024, 1023), (2048, 5), (2048, 2047)])
def test_a_lagrange_point_changed(key, domain, number):
    start = G1_POWERS + (0 if domain == 1024 else 1024)
    key(replaced(start + number, G1.generator()))
    with refuses(MalformedFile, f"commitment key has another Lagrange basis for {domain} rows: reinstall zkpredict"):
        setup.check_key(domain)


def test_another_table_commitment(fresh_key, monkeypatch):
    assert G1.from_compressed(TABLE_COMMITMENT) and TAU_G2
    monkeypatch.setattr(setup, "TABLE_COMMITMENT", G1.generator().to_compressed())
    with refuses(MalformedFile, "commitment key gives the lookup table `table` another commitment: reinstall zkpredict"):
        setup.check_key(1024)


def test_commit_checks_before_it_uses_the_key(key, tmp_path, capsys):
    key(replaced(900, G1.generator()))
    model = tmp_path / "m.model"
    Model(random_network(1, (4, 3))).save(model)
    before = model.read_bytes()
    assert main(["commit", "--model", str(model), "--out", str(tmp_path / "m.commitment")]) == 2
    assert capsys.readouterr().err == f"zkpredict: {NOT_POWERS}\n"
    assert model.read_bytes() == before and not (tmp_path / "m.commitment").exists()


def test_the_hash_is_checked_first(fresh_key, monkeypatch, tmp_path):
    """A key with another hash is refused before anything is computed with it."""
    data = bytearray((Path(setup.FOLDER) / "setup.bin").read_bytes())
    data[1000] ^= 1
    (tmp_path / "setup.bin").write_bytes(data)
    monkeypatch.setattr(setup, "FOLDER", tmp_path)
    setup._setup_bytes.cache_clear()
    found = hashlib.sha256(data).hexdigest()
    with refuses(MalformedFile, f"commitment key has sha256 {found}, expected {setup.SETUP_SHA256}: reinstall zkpredict"):
        commit_model(random_network(1, (4, 3)))


def test_the_check_is_made_once_a_process(fresh_key, monkeypatch):
    calls = []
    original = setup.pairing_check
    monkeypatch.setattr(setup, "pairing_check", lambda pairs: calls.append(pairs) or original(pairs))
    for seed in range(3):
        commit_model(random_network(seed, (4, 3)))
    assert len(calls) == 1
