"""The predict instruction against the packed contract and numpy, its price, and what it refuses."""

from __future__ import annotations

import pytest
from eth_abi import decode
from networks import probing_images, random_network, shipped, test_images

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.artifact import address_text
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.open.instruction import ADDRESS, PredictInstruction, caller, instruction_gas, network_id

PLACE = address_text(ADDRESS)


@pytest.mark.parametrize("shape", [(30, 4), (64, 20, 10), (100, 33, 17, 5), (7, 1)])
@pytest.mark.parametrize("seed", [1, 2])
def test_instruction_matches_solidity(shape, seed):
    network = random_network(shape, seed)
    instruction = PredictInstruction.of([network])
    chain = EmbeddedChain(instruction.precompiles)
    packed = deploy_packed(chain, network).contract
    asked, _ = Contract.deploy(chain, caller(), network_id(network))
    for image in probing_images(shape[0], seed):
        raw = chain.call(PLACE, network_id(network) + image.tobytes())
        logits = packed.call("logits", image.tobytes())
        assert decode(["uint256", "int256[]"], raw) == (packed.call("predict", image.tobytes()), logits)
        assert asked.call("logits", image.tobytes()) == logits
        assert asked.call("predict", image.tobytes()) == packed.call("predict", image.tobytes()) == network.predict(image)


def test_gas_follows_the_multiply_adds(probe):
    small, large = random_network((784, 8, 10), 1), shipped()
    chain = EmbeddedChain(PredictInstruction.of([small, large]).precompiles)
    contract, _ = Contract.deploy(chain, probe, 0)
    image = test_images()[0].tobytes()
    for network in (small, large):
        success, _, used = contract.call("ask", PLACE, network_id(network) + image)
        assert success and used >= instruction_gas(network)
        assert chain.call_gas(PLACE, network_id(network) + image) == instruction_gas(network)
    assert instruction_gas(large) == 600 + 3 * 26 + (784 * 64 + 64 * 10) // 8 + 2 * 74
    assert instruction_gas(small) == 600 + 3 * 26 + (784 * 8 + 8 * 10) // 8 + 2 * 18


@pytest.mark.parametrize(
    "change",
    [
        lambda data: b"",
        lambda data: data[:31],
        lambda data: data[:32],
        lambda data: data[:-1],
        lambda data: data + b"\0",
        lambda data: bytes([data[0] ^ 1]) + data[1:],
    ],
    ids=["empty", "short id", "no image", "short image", "long image", "unknown model"],
)
def test_malformed_input_fails_and_takes_all_gas(probe, change):
    network = random_network((9, 3), 1)
    chain = EmbeddedChain(PredictInstruction.of([network]).precompiles)
    contract, _ = Contract.deploy(chain, probe, 0)
    good = network_id(network) + bytes(9)
    assert contract.call("ask", PLACE, good)[0]
    success, output, used = contract.call("ask", PLACE, change(good))
    assert not success and output == b"" and used >= 2_000_000


def test_too_little_gas_fails():
    network = random_network((9, 3), 1)
    chain = EmbeddedChain(PredictInstruction.of([network]).precompiles)
    data = network_id(network) + bytes(9)
    enough = 21_000 + 4 * data.count(0) + 16 * (len(data) - data.count(0)) + instruction_gas(network)
    assert chain.call(PLACE, data, gas=enough)
    with pytest.raises(Reverted) as refusal:
        chain.call(PLACE, data, gas=enough - 1)
    assert "OutOfGas" in refusal.value.halt


def test_the_calling_contract_refuses_by_name():
    network = random_network((9, 3), 1)
    chain = EmbeddedChain(PredictInstruction.of([network]).precompiles)
    model = network_id(network)
    contract, _ = Contract.deploy(chain, caller(), model)
    with pytest.raises(Reverted) as refusal:
        contract.call("predict", bytes(8))
    assert (refusal.value.name, refusal.value.arguments) == ("InstructionFailed", (model, 8))
    plain, _ = Contract.deploy(EmbeddedChain(), caller(), model)
    with pytest.raises(Reverted) as refusal:
        plain.call("predict", bytes(9))
    assert (refusal.value.name, refusal.value.arguments) == ("NoInstruction", (0,))


def test_an_id_belongs_to_one_network():
    one, other = random_network((9, 3), 1), random_network((9, 3), 2)
    instruction = PredictInstruction.of([one, one])
    assert instruction.register(other, b"\x07" * 32) == b"\x07" * 32
    with pytest.raises(UnusableInput, match="belongs to another network"):
        instruction.register(one, b"\x07" * 32)
    with pytest.raises(UnusableInput, match="a model id has 32 bytes, got 3"):
        instruction.register(one, b"abc")
