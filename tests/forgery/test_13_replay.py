"""Line 13: a proof replayed by another sender, on another chain, for another model; proof bytes used as a nonce.

A proof is bound to image, digit and model and to nothing else. So it stays true wherever it is shown, and a contract that acts
on one keeps its own record: `PaidPrediction` names who may answer and settles a job once.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

import numpy as np
import pytest
from eth_utils import keccak
from forger import Claim, honest_claim
from onchain import by_contract, compiled, contract_for, encoded, registered
from support import random_image
from verdicts import MISMATCH, NATIVE, accepted, refused

from zkpredict.circuits.field import MODULUS
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import Settings, compile_sources
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier.generate import CONSUMER, shipped
from zkpredict.contracts.verifier.source import SOURCES, contract_name, source
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.verifier.errors import FailedOpening, MalformedProof, VerificationError, WrongStatement
from zkpredict.verifier.messages import HEADER_BYTES, POINT_BYTES, SCALAR_BYTES, proof_bytes
from zkpredict.verifier.native import parse_proof

PRICE = 10**15
VERIFIER = "Verifier_784_64_10_n1024"
"""Any verifier: they all have the same errors."""


def test_a_proof_for_another_image_is_refused(small, honest):
    for place in (0, 5, 11):
        pixels = bytearray(honest.image)
        pixels[place] ^= 1
        refused(replace(honest, image=bytes(pixels)), FailedOpening, MISMATCH)
    short = replace(honest, image=honest.image[:-1])
    refused(short, WrongStatement, "the image has 11 bytes, the circuit takes 12")
    refused(replace(honest, image=honest.image + b"\x00"), WrongStatement, "the image has 13 bytes, the circuit takes 12")


def test_a_proof_for_another_digit_is_refused(honest):
    proof = parse_proof(honest.proof)
    for step in (1, 2):
        claim = honest.with_proof(replace(proof, digit=(proof.digit + step) % 3).to_bytes())
        refused(claim, FailedOpening, MISMATCH)


def test_a_proof_for_another_model_is_refused(small, small_image, honest):
    """The same network committed once more: the same answer, but no proof of it."""
    twin = commit_model(small.network)
    proof = parse_proof(honest.proof)
    moved = replace(proof, model_id=twin.commitment.model_id).to_bytes()
    refused(Claim(twin.commitment.to_bytes(), honest.image, moved), FailedOpening, MISMATCH)
    ids = small.commitment.model_id.hex(), twin.commitment.model_id.hex()
    message = f"the proof is for model {ids[0]}, the commitment is of model {ids[1]}"
    refused(Claim(twin.commitment.to_bytes(), honest.image, honest.proof), WrongStatement, message)


@pytest.mark.node
def test_a_proof_belongs_to_no_chain_and_no_sender(small, honest):
    """What a consumer must not rely on: another verifier on another chain accepts the same bytes, from anybody."""
    circuit = small.compiled.circuit
    other = Contract.deploy(EmbeddedChain().account(3), compiled(source(circuit), contract_name(circuit)))[0]
    other.transact("register", b"".join(row.to_uncompressed() for row in small.commitment.rows))
    proof = parse_proof(honest.proof)
    question = small.commitment.model_id, honest.image, proof.digit, encoded(honest.proof)
    assert other.call("verify", *question) is True and by_contract(honest) == proof.digit


# a consumer


class Market:
    """A customer (account 1), a provider (account 2), a stranger (account 3), and `PaidPrediction` on the chain of the verifier."""

    def __init__(self, small) -> None:
        self.verifier = registered(small.commitment)
        self.chain = self.verifier.chain
        self.contract = Contract.deploy(self.chain, shipped(CONSUMER), self.verifier.address)[0]
        self.customer, self.provider, self.stranger = (self.contract.by(self.chain.account(i)) for i in (1, 2, 3))

    def post(self, model_id: bytes, image: bytes) -> bytes:
        provider = self.provider.chain.sender
        receipt = self.customer.transact("post", model_id, keccak(image), provider, 2**64 - 1, value=PRICE)
        return self.contract.events(receipt)[0][1]["jobId"]


@pytest.fixture(scope="module")
def market(small):
    return Market(small)


def reverts(name: str, contract: Contract, *call) -> None:
    """The consumer refuses by an error of its own, or hands on the verifier's."""
    with pytest.raises(Reverted) as caught:
        contract.transact(*call)
    names = caught.value.name, caught.value.named(shipped(VERIFIER)).name
    assert name in names


@pytest.mark.node
def test_a_job_is_paid_once(market, small, small_image, honest):
    digit = parse_proof(honest.proof).digit
    job = market.post(small.commitment.model_id, honest.image)
    answer = "answer", job, honest.image, digit, encoded(honest.proof)
    reverts("NotTheProvider", market.stranger, *answer)
    before = market.chain.balance(market.contract.address)
    market.provider.transact(*answer)
    assert before - market.chain.balance(market.contract.address) == PRICE
    assert market.contract.call("answers", job) == 1 + digit
    reverts("AlreadyAnswered", market.provider, *answer)
    another = honest_claim(small, small_image)  # other bytes for the same claim
    reverts("AlreadyAnswered", market.provider, "answer", job, honest.image, digit, encoded(another.proof))


@pytest.mark.node
def test_a_proof_answers_only_its_own_job(market, small, honest):
    """Another image, another digit, another model: each is another claim."""
    digit = parse_proof(honest.proof).digit
    other = bytes(12)
    job = market.post(small.commitment.model_id, other)
    reverts("WrongImage", market.provider, "answer", job, honest.image, digit, encoded(honest.proof))
    reverts("OpeningFailed", market.provider, "answer", job, other, digit, encoded(honest.proof))
    asked = market.post(small.commitment.model_id, honest.image)
    reverts("OpeningFailed", market.provider, "answer", asked, honest.image, (digit + 1) % 3, encoded(honest.proof))
    twin = commit_model(small.network)
    registered(twin.commitment)
    foreign = market.post(twin.commitment.model_id, honest.image)
    reverts("OpeningFailed", market.provider, "answer", foreign, honest.image, digit, encoded(honest.proof))
    reverts("NoSuchJob", market.provider, "answer", secrets.token_bytes(32), honest.image, digit, encoded(honest.proof))
    assert market.contract.call("answers", asked) == 0


NAIVE = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;
import {IVerifier} from "./IVerifier.sol";

/// Pays once for each proof it has not seen: the mistake.
contract Naive {
    IVerifier immutable verifier;
    mapping(bytes32 => bool) seen;
    uint256 public paid;

    constructor(IVerifier verifier_) { verifier = verifier_; }

    function claim(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof) external {
        require(!seen[keccak256(proof)], "seen");
        seen[keccak256(proof)] = true;
        verifier.verifyOrRevert(modelId, image, digit, proof);
        ++paid;
    }
}
"""


@pytest.mark.node
def test_proof_bytes_are_no_nonce(market, small, small_image):
    """Two proofs of one claim are different bytes, so a contract that remembers bytes pays twice."""
    text = {"Naive.sol": NAIVE, "IVerifier.sol": (SOURCES / "IVerifier.sol").read_text(encoding="utf-8")}
    naive = Contract.deploy(market.chain, compile_sources(text, Settings.load())["Naive"], market.verifier.address)[0]
    claims = [honest_claim(small, small_image) for _ in range(2)]
    digit = accepted(claims[0], NATIVE)
    for claim in claims:
        question = small.commitment.model_id, claim.image, digit, encoded(claim.proof)
        naive.transact("claim", *question)
        reverts("Error", naive, "claim", *question)
    assert naive.call("paid") == 2


def reason(honest: Claim, data: bytes, place: int) -> tuple[type[VerificationError], str]:
    """Why `data`, the honest proof with another byte at `place`, is refused: what the field has become decides."""
    if place < 37:
        return WrongStatement, f"the proof is for model {data[5:37].hex()}, the commitment is of model {honest.proof[5:37].hex()}"
    if place < HEADER_BYTES:
        digit = int.from_bytes(data[37:HEADER_BYTES], "little")
        return (FailedOpening, MISMATCH) if digit < 3 else (WrongStatement, f"the digit {digit} is not one of the 3 classes")
    number = (place - HEADER_BYTES) // POINT_BYTES
    if number < len(COMPACT_FORM.points):
        start, name = HEADER_BYTES + number * POINT_BYTES, COMPACT_FORM.points[number]
        if data[start] & 0x40:
            return MalformedProof, f"proof: point {name} is at infinity"
        try:
            G1.from_compressed(data[start : start + POINT_BYTES])
        except ValueError as error:
            return MalformedProof, f"proof: point {name}: {error}"
    elif int.from_bytes(data[(start := place - (place - proof_bytes()) % SCALAR_BYTES) : start + SCALAR_BYTES], "big") >= MODULUS:
        name = COMPACT_FORM.scalars[(start - proof_bytes()) // SCALAR_BYTES]
        return MalformedProof, f"proof: scalar {name} is not below the field order"
    return FailedOpening, MISMATCH


def test_no_third_party_can_change_a_proof(honest):
    """Every byte of a proof matters: with one bit of any field flipped, it is refused."""
    source = np.random.default_rng(13)
    for place in range(5, len(honest.proof), 7):
        data = bytearray(honest.proof)
        data[place] ^= 1 << int(source.integers(8))
        refused(honest.with_proof(bytes(data)), *reason(honest, bytes(data), place), NATIVE)


@pytest.mark.node
def test_the_contract_of_another_circuit_knows_nothing_of_this_model(small, honest):
    """The circuit is in the id, so registries of different circuits never share a model."""
    foreign = contract_for(replace(small.compiled.circuit, widths=(12, 21, 3)))
    assert foreign.call("isRegistered", small.commitment.model_id) is False
    image = random_image(1, 12).tobytes()
    with pytest.raises(Reverted) as caught:
        foreign.call("verifyOrRevert", small.commitment.model_id, image, 0, encoded(honest.proof))
    assert (caught.value.name, caught.value.arguments) == ("UnknownModel", (small.commitment.model_id,))
