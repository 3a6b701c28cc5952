"""The gas report of the verifier: its parts are the whole, and the whole stays within its budget."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier import gas
from zkpredict.contracts.verifier.client import deploy_verifier, register_model, send_verification, verify_on_chain
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.wide import gas as wide_gas, vectors as wide_vectors
from zkpredict.contracts.verifier.vectors import stored_statement, stored_statements
from zkpredict.prover.hiding import hide
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.native import verify
from zkpredict.verifier.registered import verify_registered

BUDGET = {(1024, FinalCheck.POINT_EVALUATION): 260_000, (2048, FinalCheck.POINT_EVALUATION): 235_000}


@pytest.mark.parametrize("check", FinalCheck)
@pytest.mark.parametrize("domain", [1024, 2048])
def test_parts_add_up_to_the_transaction(domain, check):
    statement = stored_statement("typical", domain)
    chain = EmbeddedChain()
    contract = deploy_verifier(chain, statement.commitment.circuit, check).contract
    register_model(chain, contract.address, statement.commitment)
    parts = gas.parts(contract, statement, check)
    used = send_verification(chain, contract.address, statement.commitment, statement.image, statement.proof).gas_used
    assert sum(parts.values()) == used < BUDGET.get((domain, check), 330_000)
    assert all(cost > 0 for cost in parts.values())
    final = "final check (0x0a)" if check is FinalCheck.POINT_EVALUATION else "final check (0x0f)"
    assert parts["sum of points (0x0c)"] > parts[final] > parts["image"] > parts["scalars of the fold"]


@pytest.mark.parametrize(("number", "budget"), [(0, 372_000), (1, 400_000), (2, 780_000), (3, 315_000), (4, 625_000), (5, 320_000), (6, 800_000), (7, 2_420_000), (8, 470_000)])
def test_parts_of_wide_verifications_add_up(number, budget):
    statement = wide_vectors.stored_statements()[number]
    verify(statement.commitment, statement.image, statement.proof)
    chain = EmbeddedChain()
    contract = deploy_verifier(chain, statement.commitment.circuit).contract
    register_model(chain, contract.address, statement.commitment)
    parts = wide_gas.parts(contract, statement)
    used = send_verification(chain, contract.address, statement.commitment, statement.image, statement.proof).gas_used
    assert sum(parts.values()) == used < budget
    assert all(cost > 0 for cost in parts.values())
    hidden = isinstance(statement.image, HiddenInput)
    inversion = "inversion" if number < 6 else "poles, inversion"
    assert {"transcript", inversion, "weights, public polynomials", "scalars of the fold"} < parts.keys() and ("image" in parts) is not hidden
    wrong = hide(bytes(784), 1024).hidden if hidden else bytes([statement.image[0] ^ 1]) + statement.image[1:]
    assert verify_on_chain(chain, contract.address, statement.commitment, wrong, statement.proof).reason == "OpeningFailed"


def test_a_score_about_128_images_stays_within_its_budget(root):
    """A whole entrant's transaction, as gas.csv has it: its parts are the whole, and the page says what they cost."""
    with (root / "contracts" / "gas.csv").open(encoding="utf-8") as file:
        costs = {row["name"]: int(row["gas"]) for row in csv.DictReader(file) if row["gas"]}
    name = f"score verifier {wide_vectors.SCORE_NAME} n=2048 verify 128"
    whole, parts = costs[name], [cost for row, cost in costs.items() if row.startswith(f"{name}: ")]
    assert sum(parts) == whole < 1_300_000 and len(parts) > 10
    page = (root / "docs" / "batches.md").read_text(encoding="utf-8")
    for found in (whole, costs["test sets register 128"], costs["test sets register, each input"], costs[f"{name}: sum of points (0x0c)"]):
        assert f"{found:,}" in page
    assert costs["test sets register 128"] < 16_777_216
    commitment, tests, score = wide_vectors.stored_score()
    assert verify_registered(commitment, tests, score) == score.right > 120
    wrong = replace(tests, labels=(tests.labels[1], *tests.labels[1:]))
    with pytest.raises(WrongStatement, match="the score is of test set"):
        verify_registered(commitment, wrong, score)


def test_rows_name_every_case_once():
    names = [row.name for row in gas.rows()]
    assert len(set(names)) == len(names)
    for case in ("empty", "typical", "full"):
        assert f"verifier n=1024 verify {case}" in names


def test_stored_statements_hold_and_their_twins_do_not():
    for statement in stored_statements():
        verify(statement.commitment, statement.image, statement.proof)
    typical, empty = stored_statement("typical", 1024), stored_statement("empty", 1024)
    chain = EmbeddedChain()
    address = deploy_verifier(chain, typical.commitment.circuit).address
    register_model(chain, address, typical.commitment)
    assert verify_on_chain(chain, address, typical.commitment, typical.image, typical.proof).accepted
    wrong = verify_on_chain(chain, address, typical.commitment, empty.image, typical.proof)
    assert (wrong.accepted, wrong.reason, wrong.arguments) == (False, "OpeningFailed", ())
