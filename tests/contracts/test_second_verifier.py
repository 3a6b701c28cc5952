"""The contract of the second edition: it accepts what the Python verifiers accept, for every class, refuses the rest, and costs what it should."""

from __future__ import annotations

import random

import numpy as np
import pytest
from support import random_image, random_network, refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.circuits.second.total import Table, table_coefficients
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Reverted
from zkpredict.contracts.verifier import generate
from zkpredict.contracts.verifier.client import deploy_universal, deploy_verifier, register_circuit, register_model, send_verification, verify_on_chain
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.identity import compare_code
from zkpredict.contracts.verifier.second import gas
from zkpredict.contracts.verifier.second.table import chebyshev_sum
from zkpredict.contracts.verifier.second.vectors import stored_statements
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.native import verify

CODE_LIMIT = 24_576


def favouring(network: IntegerNetwork, digit: int) -> IntegerNetwork:
    """The network, with a bias that makes it say `digit`."""
    *first, last = network.layers
    bias = last.bias.copy()
    bias[digit] = 1 << 40
    return IntegerNetwork((*first, DenseLayer(last.weights, bias)))


@pytest.fixture(scope="module")
def shipped():
    """The chain and the shipped contract of 784-64-10."""
    chain = EmbeddedChain()
    return chain, deploy_verifier(chain, SecondCircuit((784, 64, 10), (1,))).contract


def test_classes_of_both_packs_are_accepted_and_no_others(shipped):
    """First and last of either pack: where M stands, and what it weighs, the contract finds by the digit."""
    chain, contract = shipped
    network, image = random_network(2, (784, 64, 10)), random_image(2, 784)
    for digit in (0, 4, 5, 9):
        model = commit_model(favouring(network, digit), placement="compact-2")
        register_model(chain, contract.address, model.commitment)
        proof = prove(model, image)
        assert proof.digit == digit
        assert verify_on_chain(chain, contract.address, model.commitment, image.tobytes(), proof).accepted
        wrong = (model.commitment.model_id, image.tobytes(), (digit + 1) % 10, onchain_proof(proof))
        assert contract.call("verify", *wrong) is False


def test_a_proof_for_somebody_is_refused_for_anybody_else(shipped):
    chain, contract = shipped
    model, image, sender = commit_model(random_network(6, (784, 64, 10)), placement="compact-2"), random_image(6, 784), bytes(31) + b"\1"
    register_model(chain, contract.address, model.commitment)
    proof = prove(model, image, context=sender)
    for context, reason in ((sender, ""), (bytes(32), "OpeningFailed"), (b"", "OpeningFailed")):
        assert verify_on_chain(chain, contract.address, model.commitment, image.tobytes(), proof, context=context).reason == reason


@pytest.mark.parametrize("check", FinalCheck)
def test_stored_statements_hold_and_their_twins_do_not(check):
    statements = stored_statements()
    chain, typical = EmbeddedChain(), statements["typical"]
    contract = deploy_verifier(chain, typical.commitment.circuit, check).contract
    compare_code(chain, contract.address, typical.commitment.circuit)
    register_model(chain, contract.address, typical.commitment)
    for statement in statements.values():
        verify(statement.commitment, statement.image, statement.proof)
        assert verify_on_chain(chain, contract.address, statement.commitment, statement.image, statement.proof).accepted
    parts = gas.parts(contract, typical, check)
    used = send_verification(chain, contract.address, typical.commitment, typical.image, typical.proof).gas_used
    assert sum(parts.values()) == used < (195_000 if check is FinalCheck.POINT_EVALUATION else 264_000)
    assert all(cost > 0 for cost in parts.values()) and {"image", "polynomial of the table", "inversion", "transcript"} < parts.keys()
    wrong = bytes([typical.image[0] ^ 1]) + typical.image[1:]
    assert verify_on_chain(chain, contract.address, typical.commitment, wrong, typical.proof).reason == "OpeningFailed"


def test_changed_parts_are_refused_by_name(shipped):
    chain, contract = shipped
    statement = stored_statements()["typical"]
    register_model(chain, contract.address, statement.commitment)
    sound = onchain_proof(statement.proof)

    def reason(proof: bytes) -> tuple:
        with pytest.raises(Reverted) as refusal:
            contract.call("verifyOrRevert", statement.commitment.model_id, statement.image, statement.proof.digit, proof)
        return refusal.value.name, tuple(refusal.value.arguments)

    scalars = 6 * 96
    for number in range(7):
        at = scalars + 32 * number
        value = int.from_bytes(sound[at : at + 32], "big")
        assert reason(sound[:at] + ((value + 1) % MODULUS).to_bytes(32, "big") + sound[at + 32 :]) == ("OpeningFailed", ())
        assert reason(sound[:at] + MODULUS.to_bytes(32, "big") + sound[at + 32 :]) == ("ScalarNotCanonical", (number,))
    for number in range(6):
        at = 96 * number
        assert reason(sound[:at] + bytes(96) + sound[at + 96 :]) == ("PointAtInfinity", (number,))
        other = 96 * ((number + 1) % 6)
        assert reason(sound[:at] + sound[other : other + 96] + sound[at + 96 :]) == ("OpeningFailed", ())
    assert reason(sound + b"\0") == ("WrongProofLength", (849,))


@pytest.mark.parametrize("shape", [(20, 12, 6, 4), (5, 3)])
def test_contracts_of_other_circuits(shape):
    """Compiled now: several hidden layers, and a single layer, whose packs have falling powers of alpha."""
    chain, model = EmbeddedChain(), commit_model(random_network(1, shape), placement="compact-2")
    contract = deploy_verifier(chain, model.commitment.circuit).contract
    register_model(chain, contract.address, model.commitment)
    image = random_image(1, shape[0])
    proof = prove(model, image)
    assert verify_on_chain(chain, contract.address, model.commitment, image.tobytes(), proof).accepted
    assert verify_on_chain(chain, contract.address, model.commitment, bytes(shape[0]), proof).reason == "OpeningFailed"
    assert len(chain.code(contract.address)) < CODE_LIMIT


def test_the_universal_verifier_does_not_serve_it():
    chain, circuit = EmbeddedChain(), SecondCircuit((784, 64, 10), (1,))
    address = deploy_universal(chain).address
    with refuses(
        UnusableInput, "this contract checks proofs in compact circuits of the first edition, and this model's is of the second: each of those "
        "has a verifier of its own",
    ):
        register_circuit(chain, address, circuit)
    with refuses(
        UnusableInput, f"the verifier at {address} serves compact circuits of the first edition only: deploy one for this model's (`deploy_verifier`)"
    ):
        register_model(chain, address, stored_statements()["typical"].commitment)


def test_shipped_code_fits():
    for circuit, check in generate.SHIPPED:
        assert len(generate.artifact(circuit, check).runtime) < CODE_LIMIT


def test_the_table_polynomial_by_chebyshev_polynomials():
    """At its nodes it is the table, and elsewhere the short form is the polynomial."""
    root = root_of_unity(256)
    assert [Table(1024).evaluate(pow(root, i, MODULUS), 1024) for i in range(0, 256, 37)] == list(range(0, 256, 37))
    assert len(table_coefficients()) == 256 and len(chebyshev_sum()) == 127
    for seed in range(3):
        y = random.Random(seed).randrange(2, MODULUS)
        u, total = (y + inverse(y)) % MODULUS, 0
        for coefficient in reversed(chebyshev_sum()):
            total = (total * u + coefficient) % MODULUS
        geometric = (pow(y, 256, MODULUS) - 1) * inverse(y - 1) % MODULUS
        found = 128 - geometric * inverse(2) - pow(y, 128, MODULUS) * (y - inverse(y)) * total
        assert found % MODULUS == Table(1024).evaluate(y, 1024)
    assert np.array_equal(np.unique([Table(1024).evaluate(pow(root, i, MODULUS), 1024) for i in range(256)]), np.arange(256))
