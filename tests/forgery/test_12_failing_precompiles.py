"""Line 12: a precompile call that fails, runs out of gas, or returns short data, treated as success.

A chain is built whose precompiles misbehave, one at a time. A false proof must never pass on it, and an honest one must be
refused by name, not waved through. The last kind of chain is real: where nobody installed a precompile, a call to its address
succeeds and returns nothing.
"""

from __future__ import annotations

import pytest
from eth.exceptions import OutOfGas, VMError
from onchain import by_contract, compiled, encoded
from verdicts import by_native

from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.chain.precompiles import NATIVE
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.source import contract_name, source
from zkpredict.verifier.native import parse_proof

pytestmark = pytest.mark.node

POINT_EVALUATION = FinalCheck.POINT_EVALUATION
PAIRING = FinalCheck.PAIRING
SHA256, MODEXP, OPENING, MSM, PAIRS = (bytes(19) + bytes([number]) for number in (0x02, 0x05, 0x0A, 0x0C, 0x0F))


def fails(computation):
    raise VMError("out of order")


def runs_dry(computation):
    raise OutOfGas("out of order")


def returning(size: int, byte: int = 0):
    """Succeeds with `size` bytes of the same value."""

    def precompile(computation):
        computation.output = bytes([byte]) * size

    return precompile


MISBEHAVIOURS = {
    "fails": fails,
    "runs out of gas": runs_dry,
    "is not there": returning(0),
    "returns one byte": returning(1, 1),
    "returns 31 bytes": returning(31, 1),
    "returns 63 bytes": returning(63, 1),
    "returns 127 bytes": returning(127, 1),
    "returns 192 bytes": returning(192, 1),
}
NAMED = dict.fromkeys((SHA256, OPENING, PAIRS), "OpeningFailed") | dict.fromkeys((MODEXP, MSM), "PrecompileFailed")


@pytest.fixture(scope="module")
def questions(small, honest):
    """The honest claim and the same about another digit: model id, image, digit, then the proof for either final check."""
    proof = parse_proof(honest.proof)

    def question(digit, check):
        return small.commitment.model_id, honest.image, digit, encoded(honest.proof, check)

    return {check: (question(proof.digit, check), question((proof.digit + 1) % 3, check)) for check in FinalCheck}


def contract_on(chain, small, check, text=None) -> Contract:
    """The verifier on `chain`, with the model registered."""
    circuit = small.compiled.circuit
    contract, _ = Contract.deploy(chain, compiled(text or source(circuit, check), contract_name(circuit, check)))
    contract.transact("register", b"".join(row.to_uncompressed() for row in small.commitment.rows))
    return contract


@pytest.fixture(scope="module")
def registered_chain(small):
    """Deploys and registers on an honest chain, and then replays that history with misbehaving precompiles at call time only."""

    def make(check, broken, text=None):
        switch = {"on": False}

        def switched(address, misbehave):
            honest = NATIVE.get(address) or EmbeddedChain()._vm().state.computation_class._precompiles[address]
            return lambda computation: (misbehave if switch["on"] else honest)(computation)

        chain = EmbeddedChain(NATIVE | {address: switched(address, misbehave) for address, misbehave in broken.items()})
        contract = contract_on(chain, small, check, text)
        switch["on"] = True
        return contract

    return make


@pytest.mark.parametrize("check", FinalCheck, ids=lambda check: check.value)
def test_on_a_sound_chain_the_truth_passes_and_the_lie_does_not(registered_chain, questions, check):
    contract = registered_chain(check, {})
    true, false = questions[check]
    assert contract.call("verify", *true) is True
    assert contract.call("verify", *false) is False


@pytest.mark.parametrize("misbehaviour", MISBEHAVIOURS)
@pytest.mark.parametrize(
    ("check", "address"),
    [
        (POINT_EVALUATION, SHA256),
        (POINT_EVALUATION, MODEXP),
        (POINT_EVALUATION, MSM),
        (POINT_EVALUATION, OPENING),
        (PAIRING, MODEXP),
        (PAIRING, MSM),
        (PAIRING, PAIRS),
    ],
    ids=lambda value: value.value if isinstance(value, FinalCheck) else f"0x{value[-1]:02x}",
)
def test_a_broken_precompile_never_counts_as_yes(registered_chain, questions, check, address, misbehaviour):
    contract = registered_chain(check, {address: MISBEHAVIOURS[misbehaviour]})
    for question in questions[check]:
        assert contract.call("verify", *question) is False
        with pytest.raises(Reverted) as caught:
            contract.call("verifyOrRevert", *question)
        assert caught.value.name == NAMED[address]


def test_without_the_length_of_the_answer_a_missing_precompile_accepts_everything(registered_chain, small, questions):
    """The guard removed from the source: on a chain without 0x0a, the lie passes."""
    text = source(small.compiled.circuit, POINT_EVALUATION)
    guard = "holds := and(holds, eq(returndatasize(), 64))"
    assert text.count(guard) == 1
    contract = registered_chain(POINT_EVALUATION, {OPENING: returning(0)}, text.replace(guard, ""))
    assert contract.call("verify", *questions[POINT_EVALUATION][1]) is True


def test_without_its_success_a_failing_precompile_accepts_everything(registered_chain, small, questions):
    """`holds` as it was before the call, and the size of whatever answered last."""
    text = source(small.compiled.circuit, POINT_EVALUATION)
    call = "holds := and(holds, staticcall(FINAL_GAS, 0x0a, STATE, 192, 0x00, 64))"
    size = "holds := and(holds, eq(returndatasize(), 64))"
    assert text.count(call) == text.count(size) == 1
    careless = text.replace(call, "pop(staticcall(FINAL_GAS, 0x0a, STATE, 192, 0x00, 64))").replace(size, "")
    contract = registered_chain(POINT_EVALUATION, {OPENING: fails}, careless)
    assert contract.call("verify", *questions[POINT_EVALUATION][1]) is True


@pytest.mark.parametrize("check", FinalCheck, ids=lambda check: check.value)
def test_too_little_gas_never_counts_as_yes(registered_chain, questions, check):
    """From nothing to plenty: false or an error for the lie at every step, and the truth passes with plenty."""
    contract = registered_chain(check, {})
    true, false = questions[check]
    for gas in (60_000, 100_000, 140_000, 180_000, 220_000, 260_000, 300_000, 400_000, 1_000_000):
        for question, right in ((true, True), (false, False)):
            try:
                verdict = contract.call("verify", *question, gas=gas)
            except (Reverted, ValueError):
                continue
            assert verdict is False or right
    assert contract.call("verify", *true, gas=1_000_000) is True


def test_a_model_is_not_registered_where_points_cannot_be_checked(small):
    chain = EmbeddedChain(NATIVE | {MSM: returning(0)})
    circuit = small.compiled.circuit
    contract, _ = Contract.deploy(chain, compiled(source(circuit), contract_name(circuit)))
    with pytest.raises(Reverted) as caught:
        contract.transact("register", b"".join(row.to_uncompressed() for row in small.commitment.rows))
    assert caught.value.name == "PrecompileFailed"


def test_the_honest_twin_passes_everywhere(honest):
    assert by_native(honest) == by_contract(honest) == by_contract(honest, PAIRING)
