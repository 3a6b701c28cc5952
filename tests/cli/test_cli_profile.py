"""`zkpredict bench --profile`: what is counted, and that watching leaves nothing behind. No test of a time."""

import numpy as np
import pytest

from zkpredict.benchmarks.profile import PYTHON, STAGES, Time, profile, watch
from zkpredict.kernel import G1, MODULUS, Bases, Vector
from zkpredict.prover.model import Model


def test_the_profile_names_every_stage_and_multiplication(run, desk):
    outcome = run("bench", desk.image, "--model", desk.model, "--profile", "--runs", "1", "--json")
    found = outcome.json
    assert (outcome.code, outcome.err, found["network"], found["runs"]) == (0, "", "36-12-4", 1)
    stages = {stage["name"] for stage in found["stages"]}
    assert {"multi-scalar multiplications", "transforms", "inversions", PYTHON} <= stages <= {*STAGES, "vector arithmetic", PYTHON}
    counts = [int(product["name"].split()[0].replace(",", "")) for product in found["multiplications"]]
    assert sum(counts) == found["full_scalars"] > 1024
    for clock in ("clock", "processor"):
        assert found["distance"][clock] == found["total"][clock] / found["floor"][clock]
    said = run("bench", desk.image, "--model", desk.model, "--profile", "--runs", "1")
    assert (said.code, said.err) == (0, "") and said.out.splitlines()[-1].startswith("distance to the floor ")


def test_the_stages_are_the_whole(desk):
    found = profile(Model.load(desk.model), desk.pixels, 1)
    assert Time.sum(line.time for line in found.stages).clock == pytest.approx(found.total.clock)


def test_every_multiplication_is_seen_with_its_full_size_scalars():
    point = G1.generator()
    bases = Bases([point] * 6)
    vector = Vector.from_ints([0, 5, MODULUS - 5, 2**64 - 1, 2**64, MODULUS - 2**64])
    with watch() as calls:
        assert bases.msm(vector) == point.mul(2**64 - 1)
        bases.msm_each([vector, vector[4:5]])
        bases.msm_integers(np.full((2, 3), 2**40), [vector[4:6], vector[0:2]])
    products = [call for call in calls if call.bases is not None]
    assert [call.lengths for call in products] == [(6,), (6, 1), (5, 5)]
    assert [call.full for call in products] == [(2,), (2, 1), (2, 0)]
    assert {call.stage for call in products} == {"multi-scalar multiplications"}


def test_watching_ends_with_the_block():
    before = {kind: dict(vars(kind)) for kind in (Vector, Bases, G1)}
    with pytest.raises(ValueError, match="length must be a power of two"), watch() as calls:
        assert Vector.powers(2, 4).ntt() != Vector.zeros(4)
        Vector.zeros(3).ntt()
    assert {kind: dict(vars(kind)) for kind in before} == before
    assert [call.stage for call in calls] == ["vector arithmetic", "transforms", *["vector arithmetic"] * 3]
    assert Vector.zeros(4).ntt() == Vector.zeros(4) and len(calls) == 5
