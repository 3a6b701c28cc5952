"""Line 17: the registry: registered twice, overwritten, a wrong number of rows, rows of another curve, colliding storage.

A model's id is the hash of circuit and rows, and its rows lie in a contract whose address follows from that id. So there is
nothing to overwrite, nobody to impersonate, and no slot to collide with.
"""

from __future__ import annotations

import numpy as np
import pytest
from eth_utils import keccak
from onchain import by_contract, compiled, deployed, encoded
from support import random_image, random_network, said
from verdicts import accepted

from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier import generate
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.source import SOURCES, contract_name, source
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Committed, Model
from zkpredict.prover.prove import Prover, prove
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.native import parse_proof
from zkpredict.verifier.transcript import MODEL_LABEL, context, keccak256

pytestmark = pytest.mark.node

POINT = 96
BN254_GENERATOR = (1).to_bytes(48, "big") + (2).to_bytes(48, "big")
OUTSIDE_THE_SUBGROUP = (4).to_bytes(48, "big") + (
    0x0A989BADD40D6212B33CFFC3F3763E9BC760F988C9926B26DA9DD85E928483446346B8ED00E1DE5D5EA93E354ABE706C
).to_bytes(48, "big")
MODULUS = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB
MSM = "0x000000000000000000000000000000000000000c"


def rows_of(model) -> bytes:
    return b"".join(row.to_uncompressed() for row in model.commitment.rows)


def fresh(model, text=None) -> Contract:
    """A new verifier without models."""
    circuit = model.compiled.circuit
    return Contract.deploy(EmbeddedChain(), compiled(text or source(circuit), contract_name(circuit)))[0]


def reverts(contract: Contract, name: str, *arguments):
    """Passes when `register` reverts with this error."""

    def check(rows: bytes) -> None:
        with pytest.raises(Reverted) as caught:
            contract.transact("register", rows)
        assert (caught.value.name, caught.value.arguments) == (name, arguments)

    return check


def test_a_model_registers_once_under_the_id_of_its_content(small):
    contract = fresh(small)
    assert contract.call("isRegistered", small.commitment.model_id) is False
    receipt = contract.transact("register", rows_of(small))
    registrar = contract.chain.sender.lower()
    assert contract.events(receipt) == [("ModelRegistered", {"modelId": small.commitment.model_id, "registrar": registrar})]
    stranger = contract.by(contract.chain.account(5))
    reverts(contract, "AlreadyRegistered", small.commitment.model_id)(rows_of(small))
    reverts(stranger, "AlreadyRegistered", small.commitment.model_id)(rows_of(small))


def test_without_that_check_the_address_is_taken_all_the_same(small):
    """Two guards for one thing: CREATE2 does not make a contract twice."""
    registry = (SOURCES / "ModelRegistry.sol").read_text(encoding="utf-8")
    guard = "if (place.code.length != 0) revert AlreadyRegistered(modelId);"
    assert registry.count(guard) == 1
    contract = with_registry(small, registry.replace(guard, ""))
    contract.transact("register", rows_of(small))
    reverts(contract, "RegistrationFailed")(rows_of(small))


def with_registry(model, registry: str, verifier: str | None = None, file: str = "ModelRegistry.sol") -> Contract:
    """A verifier whose registry (or the `file` it inherits from) has another source, and perhaps it too."""
    circuit = model.compiled.circuit
    name = contract_name(circuit)
    texts = {"Verifier.sol": verifier or source(circuit), file: registry}
    artifact = generate.compile_sources(generate._with_shared({}) | texts, generate._settings())[name]
    return Contract.deploy(EmbeddedChain(), artifact)[0]


def test_whoever_registers_first_gains_nothing(small, honest):
    """A front-runner pays for the registration; the model is what it was."""
    contract = fresh(small)
    contract.by(contract.chain.account(7)).transact("register", rows_of(small))
    proof = parse_proof(honest.proof)
    question = small.commitment.model_id, honest.image, proof.digit, encoded(honest.proof)
    assert contract.call("verify", *question) is True


@pytest.mark.parametrize("length", [0, 1, POINT, 2 * POINT - 1, 2 * POINT + 1, 3 * POINT])
def test_a_wrong_number_of_rows_is_refused(small, length):
    contract = fresh(small)
    reverts(contract, "WrongRowsLength", length)((rows_of(small) * 2)[:length])


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize(
    "point",
    [BN254_GENERATOR, OUTSIDE_THE_SUBGROUP, b"\x00" * 47 + b"\x01" * 49, b"\xff" * POINT],
    ids=["another curve's generator", "outside the subgroup", "off the curve", "beyond the field"],
)
def test_rows_that_are_no_points_of_the_group_are_refused(small, point, place):
    rows = rows_of(small)
    contract = fresh(small)
    reverts(contract, "PrecompileFailed", MSM)(rows[: POINT * place] + point + rows[POINT * (place + 1) :])
    contract.transact("register", rows)


@pytest.mark.parametrize("coordinate", [0, 1])
def test_a_coordinate_plus_p_is_refused(small, coordinate):
    """The same point under a second name would be a second model."""
    rows = bytearray(rows_of(small))
    start = 48 * coordinate
    raised = int.from_bytes(rows[start : start + 48], "big") + MODULUS
    rows[start : start + 48] = raised.to_bytes(48, "big")
    reverts(fresh(small), "PrecompileFailed", MSM)(bytes(rows))


@pytest.mark.parametrize("place", [0, 1])
def test_infinity_is_refused_by_place(small, place):
    rows = rows_of(small)
    reverts(fresh(small), "PointAtInfinity", place)(rows[: POINT * place] + bytes(POINT) + rows[POINT * (place + 1) :])


def test_without_the_precompile_points_outside_the_subgroup_get_in(small):
    """The guard removed: such a model is registered (and every proof for it then fails at the same precompile)."""
    registry = (SOURCES / "ModelRegistry.sol").read_text(encoding="utf-8")
    guard = "if (!valid) revert PrecompileFailed(address(0x0c));"
    assert registry.count(guard) == 1
    rows = OUTSIDE_THE_SUBGROUP + rows_of(small)[POINT:]
    contract = with_registry(small, registry.replace(guard, "valid;"))
    contract.transact("register", rows)
    reverts(fresh(small), "PrecompileFailed", MSM)(rows)


def test_models_do_not_disturb_each_other(small, honest):
    """Ten models in one contract, each in a data contract of its own that starts with STOP."""
    contract = fresh(small)
    models = [small, *(commit_model(random_network(seed, (12, 6, 3))) for seed in range(9))]
    ids = {contract.call("isRegistered", model.commitment.model_id) for model in models}
    assert ids == {False}
    for model in models:
        contract.transact("register", rows_of(model))
    proof = parse_proof(honest.proof)
    answers = [
        contract.call("verify", model.commitment.model_id, honest.image, proof.digit, encoded(honest.proof)) for model in models
    ]
    assert answers == [True] + [False] * 9
    for model in models:
        code = contract.chain.code(data_contract(contract.address, model.commitment.model_id))
        assert code[0] == 0 and len(code) == 1 + 160 * len(model.commitment.rows)
        assert contract.chain.call(data_contract(contract.address, model.commitment.model_id), b"\xff" * 4) == b""


def data_contract(registry: str, model_id: bytes) -> str:
    """EIP-1014, then the address of a first CREATE: nobody but the registry can put code there."""
    proxy_code = bytes.fromhex("67363d3d37363d34f03d5260086018f3")
    proxy = keccak(b"\xff" + bytes.fromhex(registry[2:]) + model_id + keccak(proxy_code))[12:]
    return "0x" + keccak(b"\xd6\x94" + proxy + b"\x01")[12:].hex()


@pytest.fixture
def colliding(small):
    """Another model, a proof of its digit under the id of `small`, and a registry in which both ids have one address."""
    other = commit_model(random_network(171, (12, 6, 3)))
    image = next(i for i in (random_image(seed, 12) for seed in range(100)) if other.predict(i) != small.predict(i))
    named = ModelCommitment(other.commitment.circuit, other.commitment.rows)
    vars(named)["model_id"] = small.commitment.model_id
    proof = Prover(Model(other.network, Committed(named, other.committed.secrets)), said(image, other.predict(image))).prove()
    address = data_contract(fresh(small).address, other.commitment.model_id)
    registry = (SOURCES / "DataContracts.sol").read_text(encoding="utf-8")
    formula = "data := shr(96, shl(96, keccak256(9, 23)))"
    assert registry.count(formula) == 1

    def contract(text: str | None = None) -> Contract:
        found = with_registry(small, registry.replace(formula, f"data := {address}"), text, "DataContracts.sol")
        found.transact("register", rows_of(other))
        return found

    question = small.commitment.model_id, image.tobytes(), proof.digit, encoded(proof.to_bytes())
    return contract, question, other


def test_two_ids_at_one_address_are_not_one_model(small, colliding):
    """An address has 160 bits, so an owner finds two such ids after 2^80 tries. The rows must still hash to the id."""
    contract, question, other = colliding
    chain = contract()
    assert chain.call("verify", *question) is False
    with pytest.raises(Reverted) as caught:
        chain.call("verifyOrRevert", *question)
    assert (caught.value.name, caught.value.arguments) == ("UnknownModel", (small.commitment.model_id,))
    honest = prove(other, np.frombuffer(question[1], np.uint8))
    twin = other.commitment.model_id, question[1], honest.digit, encoded(honest.to_bytes())
    assert chain.call("verify", *twin) is True


def test_without_hashing_the_rows_one_id_would_have_two_networks(small, colliding):
    contract, question, _ = colliding
    text = source(small.compiled.circuit)
    guard = "found := eq(keccak256(STATE, add(32, mul(ROWS, POINT_BYTES))), modelId)"
    assert text.count(guard) == 1
    assert contract(text.replace(guard, "found := 1")).call("verify", *question) is True
    assert question[2] != small.predict(np.frombuffer(question[1], np.uint8))


def test_an_unknown_model_is_refused_by_name(small, honest):
    contract = fresh(small)
    proof = parse_proof(honest.proof)
    for model_id in (small.commitment.model_id, bytes(32), b"\xff" * 32):
        question = model_id, honest.image, proof.digit, encoded(honest.proof)
        assert contract.call("verify", *question) is False
        with pytest.raises(Reverted) as caught:
            contract.call("verifyOrRevert", *question)
        assert (caught.value.name, caught.value.arguments) == ("UnknownModel", (model_id,))


def test_the_honest_twin_passes(honest):
    assert accepted(honest) == by_contract(honest)


ZERO_CHECK = "found := and(found, gt(mload(add(MSM, 32)), 0))"


def id_of_nobody(circuit) -> bytes:
    """The id of rows that are all zeros: what an address without code reads as."""
    return keccak256(context(MODEL_LABEL, circuit.digest) + bytes(96 * circuit.total_rows))


@pytest.mark.parametrize("check", FinalCheck)
def test_the_id_of_rows_that_nobody_registered_is_unknown(small, honest, check):
    """Line 21: `extcodecopy` of an address without code gives zero rows, which hash to this id, and the sum takes infinity."""
    circuit = small.compiled.circuit
    nobody = id_of_nobody(circuit)
    question = nobody, honest.image, parse_proof(honest.proof).digit, encoded(honest.proof, check)
    contract = deployed(source(circuit, check), contract_name(circuit, check))
    reverts_call(contract, "UnknownModel", nobody)(*question)
    assert contract.call("isRegistered", nobody) is False
    text = source(circuit, check)
    assert text.count(ZERO_CHECK) == 1
    # without the guard the model is taken for registered, and the proof is tried against rows at infinity
    reverts_call(deployed(text.replace(ZERO_CHECK, ""), contract_name(circuit, check)), "OpeningFailed")(*question)


def reverts_call(contract: Contract, name: str, *arguments):
    """`verifyOrRevert` must fail with this error; `verify` says False."""

    def check(*question) -> None:
        assert contract.call("verify", *question) is False
        with pytest.raises(Reverted) as caught:
            contract.call("verifyOrRevert", *question)
        assert (caught.value.name, caught.value.arguments) == (name, arguments)

    return check
