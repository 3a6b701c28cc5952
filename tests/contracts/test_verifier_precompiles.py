"""Precompiles that are missing, fail, return too little or too much: never a reason to accept."""

from __future__ import annotations

import pytest
from eth.exceptions import VMError
from nodes import client, running_anvil
from verifier_mutations import honest

from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.chain.precompiles import G1_MSM, NATIVE, PAIRING, POINT_EVALUATION
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier.client import deploy_verifier, register_model
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.vectors import stored_statement

SHA256 = bytes(19) + b"\x02"
MODEXP = bytes(19) + b"\x05"


def returns(output: bytes):
    """A precompile that succeeds with `output`, for nothing."""

    def run(computation):
        computation.output = output

    return run


def fails(computation):
    raise VMError("this precompile always fails")


def truncated(precompile, size: int):
    """The true answer, cut or padded to `size` bytes."""

    def run(computation):
        precompile(computation)
        computation.output = bytes(computation.output)[:size].ljust(size, b"\0")

    return run


ANSWERS = {
    "missing": returns(b""),
    "failing": fails,
    "one byte": returns(b"\x01"),
    "one word": returns(bytes(31) + b"\x01"),
}


def asked(precompiles: dict, check: FinalCheck) -> tuple[bool, str]:
    """Registers on honest precompiles, then asks on the given ones, at the same addresses."""
    statement = stored_statement("typical", 1024)
    honest_chain = EmbeddedChain(dict(NATIVE))
    contract = deploy_verifier(honest_chain, statement.commitment.circuit, check).contract
    register_model(honest_chain, contract.address, statement.commitment)
    call = honest(statement.commitment, statement.image, statement.proof, check)
    assert contract.call("verify", *call.arguments)
    machine = honest_chain._vm().state.computation_class
    plain = machine._precompiles
    machine._precompiles = {**plain, **precompiles}
    try:
        verdict = contract.call("verify", *call.arguments)
        with pytest.raises(Reverted) as caught:
            contract.call("verifyOrRevert", *call.arguments)
    finally:
        machine._precompiles = plain
    return verdict, caught.value.name


def cases():
    """Which precompile, in which variant, answers what, and the error: all but a pairing's "one", which is its yes."""
    for answer in ("missing", "failing", "one byte", "one word"):
        yield G1_MSM, FinalCheck.POINT_EVALUATION, answer, "PrecompileFailed"
        yield POINT_EVALUATION, FinalCheck.POINT_EVALUATION, answer, "OpeningFailed"
        yield SHA256, FinalCheck.POINT_EVALUATION, answer, "OpeningFailed"
        # one word from modexp has the right length, but is not the inverse
        yield MODEXP, FinalCheck.POINT_EVALUATION, answer, "OpeningFailed" if answer == "one word" else "PrecompileFailed"
        if answer != "one word":
            yield PAIRING, FinalCheck.PAIRING, answer, "OpeningFailed"


@pytest.mark.parametrize(("address", "check", "answer", "error"), list(cases()))
def test_a_precompile_that_does_not_answer_is_a_refusal(address, check, answer, error):
    assert asked({address: ANSWERS[answer]}, check) == (False, error)


@pytest.mark.parametrize("size", [0, 64, 127, 129, 160])
def test_a_sum_of_the_wrong_length_is_refused(size):
    assert asked({G1_MSM: truncated(NATIVE[G1_MSM], size)}, FinalCheck.POINT_EVALUATION) == (False, "PrecompileFailed")


@pytest.mark.parametrize("size", [0, 32, 63, 65])
def test_a_point_evaluation_of_the_wrong_length_is_refused(size):
    changed = {POINT_EVALUATION: truncated(NATIVE[POINT_EVALUATION], size)}
    assert asked(changed, FinalCheck.POINT_EVALUATION) == (False, "OpeningFailed")


def test_a_pairing_that_says_no_or_anything_but_one_is_refused():
    for output in (bytes(32), bytes(31) + b"\x02", b"\x01" + bytes(31), b"\xff" * 32):
        assert asked({PAIRING: returns(output)}, FinalCheck.PAIRING) == (False, "OpeningFailed")


def test_registration_needs_the_precompile_too():
    statement = stored_statement("typical", 1024)
    for answer in ANSWERS.values():
        chain = EmbeddedChain({**NATIVE, G1_MSM: answer})
        contract = deploy_verifier(chain, statement.commitment.circuit).contract
        with pytest.raises(Reverted) as caught:
            register_model(chain, contract.address, statement.commitment)
        assert caught.value.name == "PrecompileFailed"


def test_too_little_gas_is_never_an_acceptance():
    statement = stored_statement("typical", 1024)
    contract = _registered()
    call = honest(statement.commitment, statement.image, statement.proof)
    for gas in (60_000, 100_000, 150_000, 200_000, 240_000):
        try:
            assert contract.call("verify", *call.arguments, gas=gas) is False
        except Reverted as stopped:
            assert stopped.halt
        with pytest.raises(Reverted):
            contract.call("verifyOrRevert", *call.arguments, gas=gas)
    assert contract.call("verify", *call.arguments, gas=260_000)


def test_false_proofs_do_not_burn_all_gas():
    """A failing precompile eats what it is given: the contract gives it twice its price, no more."""
    statement = stored_statement("typical", 1024)
    contract = _registered()
    call = honest(statement.commitment, statement.image, statement.proof)
    for at in (95, 600, 879):  # a point off the curve, another commitment, the final point
        proof = call.proof[:at] + bytes([call.proof[at] ^ 1]) + call.proof[at + 1 :]
        data = contract.artifact.encode("verify", call.model_id, call.image, call.digit, proof)
        assert int.from_bytes(contract.chain.call(contract.address, data), "big") == 0
        assert contract.chain.call_gas(contract.address, data) < 400_000


def _registered() -> Contract:
    statement = stored_statement("typical", 1024)
    chain = EmbeddedChain()
    contract = deploy_verifier(chain, statement.commitment.circuit).contract
    register_model(chain, contract.address, statement.commitment)
    return contract


def test_before_prague_nothing_can_be_registered():
    """On a Cancun anvil 0x0c is an empty account: calls of it succeed and return nothing."""
    with running_anvil("cancun") as url:
        chain = client(url)
        statement = stored_statement("typical", 1024)
        contract = deploy_verifier(chain, statement.commitment.circuit).contract
        with pytest.raises(Reverted) as caught:
            register_model(chain, contract.address, statement.commitment)
        assert caught.value.name == "PrecompileFailed"
