"""What docs/shared-rows.md says, checked: names of constraints, sizes of LeNet-5's circuit, and gas as `contracts/gas.csv` has it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from zkpredict.circuits.constraints import constraints
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.placement import form
from zkpredict.circuits.shared.compiler import compile_shared
from zkpredict.circuits.shared.layout import SharedCircuit
from zkpredict.prover.model import Model
from zkpredict.verifier.costs import estimate_costs

ROOT = Path(__file__).parents[2]
PAGE, WIDE = ((ROOT / "docs" / name).read_text(encoding="utf-8") for name in ("shared-rows.md", "wide.md"))


@pytest.fixture(scope="module")
def circuit() -> SharedCircuit:
    return compile_shared(Model.load(ROOT / "examples" / "lenet.model").network).circuit


def test_every_constraint_has_its_line(circuit):
    for one in constraints(circuit):
        name = one.name.replace("track 0", "track g")
        if "track " in name and "track g" not in name:
            continue
        assert f"`{name}`" in PAGE + WIDE or name.startswith("lookup"), name


def test_sizes_are_those_of_the_circuit(circuit):
    shape, costs = form(circuit), estimate_costs(circuit)
    assert f"LeNet-5 has {circuit.entries:,} entries" in PAGE and f"{quotient_length(circuit):,} coefficients for LeNet-5" in PAGE
    assert f"| points summed, scalars | 60, 24 | {costs.folded_points}, {len(shape.scalars)} |" in PAGE
    assert f"| rows of weights (points) | 26 | {circuit.total_rows} |" in PAGE and f"Proofs are {costs.proof_bytes:,} bytes" in PAGE


def test_gas_is_what_is_measured():
    with (ROOT / "contracts" / "gas.csv").open(encoding="utf-8", newline="") as file:
        gas = {row["name"]: row["gas"] for row in csv.DictReader(file)}
    for name, own in (("LeNet-5", 1), ("LeNet-5, shared rows", 2)):
        start = f"wide verifier {name} n=2048"
        assert f"{int(gas[f'{start} verify typical']):,}" in PAGE and f"{int(gas[f'{start} register']):,}" in PAGE
        for part in ("sum of points (0x0c)", "calldata", "final check (0x0a)", "image", "base cost", "transcript", "poles, inversion"):
            line = next(line for line in PAGE.splitlines() if line.startswith(f"| {part} |"))
            assert line.strip("|").split("|")[own].strip() == f"{int(gas[f'{start} verify typical: {part}']):,}", part
