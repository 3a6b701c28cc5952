"""The predict instruction of the embedded chain, and what the network itself says."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.network import read_schema_of
from zkpredict.cli.statement import image_name, read_statement_image

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.circuits.networks.exact import ExactNetwork
    from zkpredict.circuits.networks.reference import IntegerNetwork


def ask_instruction(arguments: argparse.Namespace, console: Console, network: IntegerNetwork | ExactNetwork) -> int | None:
    """`chain predict --instruction`: asks the embedded chain's own."""
    from zkpredict.cli.chain import loading  # late: it imports this module

    with loading(console):
        from eth_abi import decode

        from zkpredict.circuits.networks.reference import IntegerNetwork
        from zkpredict.contracts.artifact import address_text
        from zkpredict.contracts.chain.evm import EmbeddedChain
        from zkpredict.contracts.open.instruction import ADDRESS, PredictInstruction, network_id

    if arguments.rpc_url is not None or arguments.state is not None or arguments.contract is not None:
        raise UnusableInput("--instruction asks a fresh embedded chain: leave out --rpc-url, --state and --contract")
    if not isinstance(network, IntegerNetwork):
        raise UnusableInput("the predict instruction runs integer networks: use --mode packed")
    image = read_statement_image(arguments, console, arguments.image, network.shape[0], read_schema_of(arguments.model))
    chain = EmbeddedChain(PredictInstruction.of([network]).precompiles)
    data = network_id(network) + image.tobytes()
    with console.step("predict"):
        digit, logits = decode(["uint256", "int256[]"], chain.call(address_text(ADDRESS), data))
        gas = chain.call_gas(address_text(ADDRESS), data)
        receipt = chain.transact(address_text(ADDRESS), data)
    agrees = reference(network, image) == (digit, list(logits))
    console.result(
        {
            "digit": digit,
            "logits": list(logits),
            "instruction_gas": gas,
            "gas": receipt.gas_used,
            "transaction": receipt.transaction,
            "model_id": network_id(network).hex(),
            "agrees_with_model": agrees,
            "image_sha256": image_name(image),
        },
        [
            f"The predict instruction says {digit}.",
            f"  logits       {' '.join(map(str, logits))}",
            f"  gas          {gas:,} for the instruction, {receipt.gas_used:,} for the whole transaction",
            f"  transaction  {receipt.transaction}",
            f"  model        {network.name}, id {network_id(network).hex()}",
        ],
    )
    return None if agrees else REFUSED


def reference(network: IntegerNetwork | ExactNetwork, image: np.ndarray) -> tuple[int, list[int]]:
    """Digit and logits of the network itself."""
    result = network.infer(image[None, :])
    return int(result.digits[0]), [int(value) for value in result.logits[0]]
