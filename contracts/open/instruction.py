"""A predict instruction for the embedded EVM: a precompile that runs a registered integer network.

Address 0x0000000000000000000000000070726564696374, the word "predict". Input: the model id (32 bytes), then the image, exactly
as many bytes as the network has inputs. Output, as `abi.encode(uint256, int256[])` lays it out: class, the offset 64, the number
of logits, the logits. The results are those of the integer reference, which it runs.

Gas follows the work: 600 + 3 for each started word of input + 1 for each started 8 multiply-adds + 2 for each neuron. Kernels count at
each of their positions, an average pool one for each number that it adds, a max pool one for each match. For 784-64-10 that is 7,178, for LeNet-5 45,831. Input without a registered model or with an image of another size fails like every precompile's
malformed input: the call returns nothing and all gas it was given is gone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from eth.abc import ComputationAPI
from eth.exceptions import VMError
from eth_abi import encode
from eth_utils import keccak

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.artifact import Artifact, load
from zkpredict.contracts.chain.precompiles import NATIVE
from zkpredict.contracts.chain.evm import Precompile

ADDRESS = b"predict".rjust(20, b"\0")
BASE_GAS = 600
WORD_GAS = 3
MULTIPLY_ADDS_PER_GAS = 8
NEURON_GAS = 2
ID_BYTES = 32


@dataclass
class PredictInstruction:
    """The instruction and the models it knows, by 32-byte id."""

    models: dict[bytes, IntegerNetwork] = field(default_factory=dict)

    @classmethod
    def of(cls, networks: Iterable[IntegerNetwork]) -> PredictInstruction:
        """An instruction that knows `networks` by their hashes."""
        instruction = cls()
        for network in networks:
            instruction.register(network)
        return instruction

    @property
    def precompiles(self) -> dict[bytes, Precompile]:
        """For `EmbeddedChain`: this instruction beside the chain's usual precompiles."""
        return {**NATIVE, ADDRESS: self}

    def register(self, network: IntegerNetwork, model_id: bytes | None = None) -> bytes:
        """Makes `network` known as `model_id` (without one: as `network_id`); gives the id. An id is never given twice."""
        model_id = network_id(network) if model_id is None else model_id
        if len(model_id) != ID_BYTES:
            raise UnusableInput(f"a model id has {ID_BYTES} bytes, got {len(model_id)}")
        known = self.models.setdefault(model_id, network)
        if known.to_bytes() != network.to_bytes():
            raise UnusableInput(f"the model id 0x{model_id.hex()} belongs to another network")
        return model_id

    def __call__(self, computation: ComputationAPI) -> None:
        data = computation.msg.data_as_bytes
        computation.consume_gas(input_gas(len(data)), reason="predict input")
        network = self.models.get(data[:ID_BYTES])
        if network is None:
            raise VMError("no model is registered under this id")
        image = np.frombuffer(data, np.uint8, offset=ID_BYTES)
        if image.size != network.shape[0]:
            raise VMError(f"the image has {image.size} bytes, the model takes {network.shape[0]}")
        computation.consume_gas(work_gas(network), reason="predict")
        result = network.infer(image[None, :])
        computation.output = encode(["uint256", "int256[]"], [int(result.digits[0]), result.logits[0].tolist()])


def network_id(network: IntegerNetwork) -> bytes:
    """The id a network has by itself: keccak-256 of its canonical bytes."""
    return keccak(network.to_bytes())


def input_gas(size: int) -> int:
    """Gas of taking `size` bytes of input."""
    return BASE_GAS + WORD_GAS * -(-size // 32)


def work_gas(network: IntegerNetwork) -> int:
    """Gas of running `network` once, without its input: 1 for each started 8 multiply-adds, 2 for each neuron."""
    multiply_adds = sum(_work(layer) for layer in network.layers)
    return -(-multiply_adds // MULTIPLY_ADDS_PER_GAS) + NEURON_GAS * sum(network.shape[1:])


def _work(layer: DenseLayer) -> int:
    """Multiply-adds, additions or comparisons of one layer."""
    if isinstance(layer, MaxPoolLayer):
        return layer.lanes
    if isinstance(layer, ConvLayer):
        return layer.grid.count * layer.weight_count + sum(grid.inputs for grid in layer.grids if grid.area > 1)
    return layer.weight_count


def instruction_gas(network: IntegerNetwork) -> int:
    """All gas of one successful predict instruction. A caller may give it no more: a failure takes all that it was given."""
    return input_gas(ID_BYTES + network.shape[0]) + work_gas(network)


def caller() -> Artifact:
    """The example of a contract that asks the instruction: `predict` and `logits` as `PackedPredictor` has them, of the model whose
    id its constructor takes. What it does is all that any contract needs to do: one static call of `ADDRESS` with id and image.

        contract, _ = Contract.deploy(chain, caller(), network_id(network))
        contract.call("predict", image)
    """
    return load("InstructionPredictor")
