"""PaidPrediction: pays for a proven prediction once, whoever copies the proof."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from eth_utils import keccak
from verifier_mutations import Call, honest

from zkpredict.contracts.chain.interface import Contract, Receipt, Reverted
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier.client import deploy_verifier, register_model
from zkpredict.contracts.verifier.generate import CONSUMER, shipped
from zkpredict.contracts.verifier.vectors import stored_statement

PRICE = 10**15
LATER = 10**11


@dataclass(frozen=True)
class Market:
    """The consumer seen by its customer, the provider's account, and a true claim."""

    contract: Contract
    provider: EmbeddedChain
    call: Call

    def post(self, deadline: int = LATER, image: bytes | None = None) -> bytes:
        image_hash = keccak(self.call.image if image is None else image)
        arguments = self.call.model_id, image_hash, self.provider.sender, deadline
        receipt = self.contract.transact("post", *arguments, value=PRICE)
        return self.contract.events(receipt)[0][1]["jobId"]

    def answer(self, job: bytes, call: Call | None = None, by: EmbeddedChain | None = None) -> Receipt:
        call = call or self.call
        return self.contract.by(by or self.provider).transact("answer", job, call.image, call.digit, call.proof)


@pytest.fixture
def market() -> Market:
    chain = EmbeddedChain()
    statement = stored_statement("typical", 1024)
    verifier = deploy_verifier(chain, statement.commitment.circuit)
    register_model(chain, verifier.address, statement.commitment)
    contract, _ = Contract.deploy(chain, shipped(CONSUMER), verifier.address)
    return Market(contract, chain.account(1), honest(statement.commitment, statement.image, statement.proof))


def refused(action, *arguments, **named) -> tuple[str, tuple]:
    with pytest.raises(Reverted) as caught:
        action(*arguments, **named)
    return caught.value.name, caught.value.arguments


def test_a_proven_answer_is_paid_once(market):
    job = market.post()
    before = market.provider.balance(market.provider.sender)
    receipt = market.answer(job)
    assert market.contract.events(receipt) == [("Answered", {"jobId": job, "digit": market.call.digit})]
    assert market.contract.call("answers", job) == 1 + market.call.digit
    assert before - market.provider.balance(market.provider.sender) < 10**18  # it paid gas and was paid
    assert market.contract.chain.balance(market.contract.address) == 0
    assert refused(market.answer, job) == ("AlreadyAnswered", (job,))


def test_another_valid_proof_of_the_same_claim_is_no_second_payment(market, root):
    from zkpredict.prover.commit import commit_model
    from zkpredict.prover.model import Model
    from zkpredict.prover.prove import prove

    model = commit_model(Model.load(root / "examples" / "mnist.model").network, 1024)
    statement = stored_statement("typical", 1024)
    verifier = Contract(market.contract.chain, market.contract.call("verifier"), shipped("Verifier_784_64_10_n1024"))
    register_model(verifier.chain, verifier.address, model.commitment)
    import numpy as np

    image = np.frombuffer(statement.image, np.uint8)
    calls = [honest(model.commitment, statement.image, prove(model, image)) for _ in range(2)]
    assert calls[0].proof != calls[1].proof
    provider = market.provider
    receipt = market.contract.transact("post", calls[0].model_id, keccak(statement.image), provider.sender, LATER, value=PRICE)
    job = market.contract.events(receipt)[0][1]["jobId"]
    market.answer(job, calls[0])
    assert refused(market.answer, job, calls[1]) == ("AlreadyAnswered", (job,))


def test_a_copied_proof_helps_nobody_else(market):
    job = market.post()
    thief = market.provider.account(2)
    name, (sender,) = refused(market.answer, job, by=thief)
    assert (name, sender.lower()) == ("NotTheProvider", thief.sender.lower())
    market.answer(job)


def test_the_same_claim_can_be_bought_again_by_its_nonce(market):
    first, second = market.post(), market.post()
    assert first != second and market.contract.call("nonces", market.contract.chain.sender) == 2
    market.answer(first)
    market.answer(second)
    assert market.contract.call("answers", second) == 1 + market.call.digit


def test_false_answers_are_not_paid(market):
    from dataclasses import replace

    job = market.post()
    other = replace(market.call, digit=(market.call.digit + 1) % 10)
    with pytest.raises(Reverted) as caught:
        market.answer(job, other)
    assert caught.value.named(shipped("Verifier_784_64_10_n1024")).name == "OpeningFailed"
    image = bytes([market.call.image[0] ^ 1]) + market.call.image[1:]
    assert refused(market.answer, job, replace(market.call, image=image)) == ("WrongImage", (keccak(image),))
    unknown = bytes(32)
    assert refused(market.answer, unknown) == ("NoSuchJob", (unknown,))
    assert market.contract.call("answers", job) == 0
    market.answer(job)


def test_a_customer_gets_the_money_back_after_the_deadline_only(market):
    chain = market.contract.chain
    deadline = chain._vm().state.timestamp + 3600
    job = market.post(deadline=deadline)
    assert refused(market.contract.transact, "cancel", job) == ("TooEarly", (deadline,))
    chain.advance(7200)
    name, _ = refused(market.contract.by(market.provider).transact, "cancel", job)
    assert name == "NotTheCustomer"
    chain.advance(7200)
    market.contract.transact("cancel", job)
    assert chain.balance(market.contract.address) == 0
    assert refused(market.answer, job) == ("NoSuchJob", (job,))
