"""`zkpredict chain`: contracts on an EVM chain, embedded in this process or behind any node's RPC address.

The embedded chain (Prague rules) needs no key and no node. Each command gets a new one, unless `--state FILE` keeps it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.files.storage import one_at_a_time
from zkpredict.cli import chainbatch, chainproof, chainscore
from zkpredict.cli.chaininstruction import ask_instruction, reference
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.network import add_network_options, read_network, read_schema_of
from zkpredict.cli.parser import add_json_option
from zkpredict.cli.statement import add_image_options, image_name, read_statement_image, refuse_together

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.circuits.networks.exact import ExactNetwork
    from zkpredict.circuits.networks.reference import IntegerNetwork
    from zkpredict.contracts.chain.interface import Chain, Contract, Receipt
    from zkpredict.contracts.open.deploy import Deployment
    from zkpredict.contracts.chain.evm import EmbeddedChain

EXAMPLE = """zkpredict chain predict examples/seven.png --model examples/mnist.model
zkpredict chain deploy --predict --model examples/mnist.model --state chain.json
zkpredict chain verify examples/seven.png seven.proof --commitment examples/mnist.commitment"""


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, summary, example, options, action in _ACTIONS:
        sub = actions.add_parser(name, help=summary, description=summary, example=example)
        options(sub)
        chain_options(sub)
        add_json_option(sub, default=argparse.SUPPRESS)
        sub.set_defaults(act=action)


def run(arguments: argparse.Namespace, console: Console) -> int | None:
    with loading(console):
        from zkpredict.contracts.chain.interface import Reverted
    try:
        return arguments.act(arguments, console)
    except Reverted as refusal:
        paid = f" ({refusal.gas_used:,} gas, transaction {refusal.transaction})" if refusal.transaction else ""
        console.error(f"{refusal}{paid}", REFUSED)
        return REFUSED


@contextmanager
def loading(console: Console) -> Iterator[None]:
    """Around imports of what runs a chain: they take seconds, so they are a step; and what is not installed is named."""
    try:
        with console.step("load the chain"):
            yield
    except ImportError as error:
        raise UnusableInput(f"this needs an EVM ({error.name} is not installed): pip install 'zkpredict[chain]'") from None


@contextmanager
def open_chain(arguments: argparse.Namespace, console: Console) -> Iterator[Chain]:
    """The chain that the options name."""
    number = getattr(arguments, "account", None)
    if arguments.rpc_url is not None:
        if number is not None:
            raise UnusableInput("--account goes with the embedded chain: a node takes the key of --key-file")
        if arguments.state is not None:
            raise UnusableInput("--state keeps the embedded chain: it does not go with --rpc-url")
        with loading(console):
            from zkpredict.contracts.chain.rpc import RpcChain, read_key
        with console.step("connect"):
            node = RpcChain(arguments.rpc_url, read_key(arguments.key_file))
        yield node
        return
    if arguments.key_file is not None:
        raise UnusableInput("--key-file goes with --rpc-url: the embedded chain has its own accounts")
    with loading(console):
        from zkpredict.contracts.chain.evm import EmbeddedChain
    if arguments.state is None:
        yield EmbeddedChain().account(number or 0)
        return
    with _kept_chain(arguments.state, console) as chain:
        yield chain.account(number or 0)


@contextmanager
def _kept_chain(path: str, console: Console) -> Iterator[EmbeddedChain]:
    """The embedded chain in a file, written when everything went well or the chain refused.

    One command at a time: the file is written anew, and two commands that read the same history would lose one's transactions.
    """
    from zkpredict.contracts.chain.interface import Reverted
    from zkpredict.contracts.chain.state import open_state, save_state

    with one_at_a_time(path):
        with console.step("replay the chain"):
            chain = open_state(path)
        before = len(chain.history)
        refusal = None
        try:
            yield chain
        except Reverted as error:
            refusal = error
        if len(chain.history) > before:
            save_state(path, chain)
        if refusal is not None:
            raise refusal


def chain_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("chain", "the embedded EVM (Prague), unless --rpc-url names a node")
    group.add_argument("--state", metavar="FILE", help="keep the embedded chain in FILE from one command to the next")
    group.add_argument("--rpc-url", metavar="URL", help="talk to the node at this address instead")
    group.add_argument(
        "--key-file", metavar="FILE", help="file with the signing key as 64 hex digits (default: the variable ZKPREDICT_CHAIN_KEY)"
    )


def account_option(parser: argparse.ArgumentParser) -> None:
    """Which of the embedded chain's accounts signs: for commands of contracts that tell their callers apart."""
    parser.add_argument("--account", type=int, metavar="N", help="sign for account N of the embedded chain, 0 to 7 (default: 0)")


def _deploy_options(parser: argparse.ArgumentParser) -> None:
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--predict", action="store_true", help="the contract that runs the network of --model in the open")
    what.add_argument("--verifier", action="store_true", help="the contract that checks proofs about models of --commitment's circuit, or of every compact one")
    what.add_argument("--test-sets", action="store_true", help="the registry of test sets that scores are proven on, for all circuits")
    add_network_options(parser, required=False)
    chainproof.add_commitment_option(parser, required=False)
    chainproof.add_pairing_option(parser)
    chainproof.add_kind_options(parser)
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--batch", type=int, metavar="N", help="with --verifier: of proofs about N inputs (`zkpredict prove-batch`), compiled now")
    size.add_argument("--score", type=int, metavar="N", help="with --verifier: of scores on registered test sets of N inputs (`zkpredict score --registered`), compiled now")
    parser.add_argument("--sets", metavar="ADDRESS", help="with --score: the registry that sets are read from (default: deploy one first)")


def _deploy(arguments: argparse.Namespace, console: Console) -> None:
    if arguments.sets is not None and arguments.score is None:
        raise UnusableInput("--sets goes with --score N: the registry that a verifier of scores reads")
    if arguments.test_sets:
        ignored = {"--model": arguments.model, "--mode": arguments.mode, "--commitment": arguments.commitment, "--pairing": arguments.pairing}
        ignored |= {"--universal": arguments.universal, "--specialised": arguments.specialised, "--batch": arguments.batch, "--score": arguments.score}
        refuse_together("--test-sets", ignored, "the registry keeps test sets for all circuits")
        with open_chain(arguments, console) as chain:
            chainscore.deploy_sets(chain, console, _short_lived(arguments))
        return
    if arguments.verifier:
        ignored = {"--model": arguments.model, "--mode": arguments.mode}
        refuse_together("--verifier", ignored, "a verifier serves the models of circuits, and runs no network itself")
        _deploy_verifier(arguments, console)
        return
    ignored = {"--commitment": arguments.commitment, "--pairing": arguments.pairing}
    ignored |= {"--universal": arguments.universal, "--specialised": arguments.specialised, "--batch": arguments.batch}
    ignored |= {"--score": arguments.score}
    refuse_together("--predict", ignored, "the contract runs the network of --model in the open, and checks no proof")
    if arguments.model is None:
        raise UnusableInput("give the network to deploy: --model FILE")
    with console.step("read"):
        network = read_network(arguments.model, arguments.mode)
    with open_chain(arguments, console) as chain, console.step("deploy"):
        deployed = _deploy_predictor(chain, network)
    receipts = deployed.receipts
    console.result(
        {
            "contract": deployed.contract.address,
            "kind": deployed.contract.artifact.name,
            "network": network.name,
            "data_contracts": list(deployed.data),
            "transactions": [{"transaction": r.transaction, "gas": r.gas_used, "contract": r.contract} for r in receipts],
            "gas": deployed.gas_used,
        },
        [
            f"{deployed.contract.artifact.name} for {network.name} is at {deployed.contract.address}.",
            *(f"  transaction  {receipt.transaction}  {receipt.gas_used:>10,} gas" for receipt in receipts),
            f"  gas          {deployed.gas_used:,} in all, {len(deployed.data)} data contracts",
            *_short_lived(arguments),
            "  public       every weight: this contract runs the network in the open",
        ],
    )


def _deploy_verifier(arguments: argparse.Namespace, console: Console) -> None:
    refuse_together("--universal", {"--commitment": arguments.universal and arguments.commitment}, "it serves the models of every compact circuit")
    if arguments.batch is not None:
        refuse_together("--batch", {"--universal": arguments.universal}, "a verifier of batches is for one circuit and one number of inputs")
    if arguments.score is not None:
        refuse_together("--score", {"--universal": arguments.universal}, "a verifier of scores is for one circuit and one number of inputs")
    commitment = None if arguments.universal else chainproof.read_commitment(arguments.commitment)
    with open_chain(arguments, console) as chain, console.step("deploy"):
        if commitment is not None and arguments.batch is not None:
            batch = chainbatch.deploy_batch(chain, commitment, arguments.batch, arguments.pairing)
            return chainproof.show_deployed(console, batch, commitment, _short_lived(arguments), arguments.batch)
        if commitment is not None and arguments.score is not None:
            sets = chainscore.sets_for(chain, None if arguments.sets is None else checked_address(chain, arguments.sets))
            score = chainscore.deploy_score(chain, commitment, arguments.score, sets.address, arguments.pairing)
            notes = [*chainscore.sets_lines(sets), *_short_lived(arguments)]
            return chainproof.show_deployed(console, score, commitment, notes, arguments.score, chainscore.sets_facts(sets))
        deployed = chainproof.deploy_for(chain, commitment, arguments.pairing, arguments.specialised)
    chainproof.show_deployed(console, deployed, commitment, _short_lived(arguments))


def _register(arguments: argparse.Namespace, console: Console) -> int | None:
    with open_chain(arguments, console) as chain:
        arguments.contract = checked_address(chain, arguments.contract)
        return chainproof.register(chain, arguments, console)


def _verify(arguments: argparse.Namespace, console: Console) -> int | None:
    return _verified_by(chainproof.verify, arguments, console)


def _verify_batch(arguments: argparse.Namespace, console: Console) -> int | None:
    return _verified_by(chainbatch.verify, arguments, console)


def _register_set(arguments: argparse.Namespace, console: Console) -> None:
    with open_chain(arguments, console) as chain:
        if arguments.contract is not None:
            arguments.contract = checked_address(chain, arguments.contract)
        elif arguments.rpc_url is not None:
            raise UnusableInput("give --contract ADDRESS of a registry of test sets (`zkpredict chain deploy --test-sets`)")
        chainscore.register(chain, arguments, console)


def _verify_score(arguments: argparse.Namespace, console: Console) -> int | None:
    _refuse_free_send(arguments)
    with open_chain(arguments, console) as chain:
        arguments.contract = checked_address(chain, arguments.contract)
        return chainscore.verify(chain, arguments, console)


def _verified_by(
    verify: Callable[[Chain, argparse.Namespace, Console], int | None], arguments: argparse.Namespace, console: Console
) -> int | None:
    _refuse_free_send(arguments)
    if arguments.contract is not None:
        refuse_together("--contract", {"--pairing": arguments.pairing}, "that contract has its way of checking already")
    with open_chain(arguments, console) as chain:
        if arguments.contract is not None:
            arguments.contract = checked_address(chain, arguments.contract)
        return verify(chain, arguments, console)


def _predict_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="PNG, JPEG or .npy (uint8)")
    add_image_options(parser)
    add_network_options(parser, required=False)
    parser.add_argument("--contract", metavar="ADDRESS", help="a deployed predictor (default: deploy --model first)")
    parser.add_argument("--instruction", action="store_true", help="embedded chain only: ask its predict instruction instead")
    parser.add_argument("--send", action="store_true", help="with --rpc-url: also send a transaction, which costs gas")


def _predict(arguments: argparse.Namespace, console: Console) -> int | None:
    _refuse_free_send(arguments)
    network = None
    if arguments.model is None and arguments.mode is not None:
        raise UnusableInput("--mode goes with --model: a deployed contract has its mode already")
    if arguments.model is not None:
        with console.step("read"):
            network = read_network(arguments.model, arguments.mode)
    elif arguments.contract is None or arguments.instruction:
        raise UnusableInput("give --model FILE, or --contract ADDRESS of a deployed predictor")
    if arguments.instruction:
        return ask_instruction(arguments, console, network)
    with open_chain(arguments, console) as chain:
        contract, deployed = _predictor_of(arguments, console, chain, network)
        inputs = network.shape[0] if network is not None else _inputs_of(contract)
        image = read_statement_image(arguments, console, arguments.image, inputs, read_schema_of(arguments.model))
        with console.step("predict"):
            digit, logits, receipt = _ask(contract, image, arguments.rpc_url is None or arguments.send)
    agrees = None if network is None else reference(network, image) == (digit, logits)
    console.result(
        {
            "digit": digit,
            "logits": logits,
            "contract": contract.address,
            "gas": receipt.gas_used if receipt else None,
            "transaction": receipt.transaction if receipt else None,
            "deployment_gas": deployed.gas_used if deployed else None,
            "agrees_with_model": agrees,
            "image_sha256": image_name(image),
        },
        [
            f"The contract says {digit}.",
            f"  logits       {' '.join(map(str, logits))}",
            *([f"  gas          {receipt.gas_used:,}"] if receipt else []),
            *([f"  transaction  {receipt.transaction}"] if receipt else []),
            f"  contract     {contract.address}" + (f", deployed for {deployed.gas_used:,} gas" if deployed else ""),
            *([] if agrees is None else [f"  model        {arguments.model} says {'the same' if agrees else 'something else'}"]),
        ],
    )
    return REFUSED if agrees is False else None


def _predictor_of(
    arguments: argparse.Namespace, console: Console, chain: Chain, network: IntegerNetwork | ExactNetwork | None
) -> tuple[Contract, Deployment | None]:
    """The predictor at `--contract`, or a new one that runs `network`, with how it was deployed."""
    from zkpredict.contracts.chain.interface import Contract
    from zkpredict.contracts.open.packed import predictor

    if arguments.contract is not None:
        return Contract(chain, checked_address(chain, arguments.contract), predictor()), None
    with console.step("deploy"):
        deployed = _deploy_predictor(chain, network)
    return deployed.contract, deployed


def _ask(contract: Contract, image: np.ndarray, sends: bool) -> tuple[int, list[int], Receipt | None]:
    """Digit and logits of the image, and the receipt of a transaction that asks the same when one is wished."""
    pixels = image.tobytes()
    digit, logits = contract.call("predict", pixels), list(contract.call("logits", pixels))
    return digit, logits, contract.transact("predict", pixels) if sends else None


def _deploy_predictor(chain: Chain, network: IntegerNetwork | ExactNetwork) -> Deployment:
    from zkpredict.circuits.networks.reference import IntegerNetwork
    from zkpredict.contracts.open.deploy import deploy_exact, deploy_packed

    return deploy_packed(chain, network) if isinstance(network, IntegerNetwork) else deploy_exact(chain, network)


def _inputs_of(contract: Contract) -> int:
    """How many bytes of image a predictor takes: it says so when it refuses an empty one."""
    from zkpredict.contracts.chain.interface import Reverted

    try:
        contract.call("predict", b"")
    except MalformedFile:  # an answer, but not a predictor's
        pass
    except Reverted as refusal:
        if refusal.name == "WrongImageSize":
            return refusal.arguments[1]
    raise UnusableInput(f"the contract at {contract.address} is no predictor")


def checked_address(chain: Chain, text: str) -> str:
    """The address, checksummed. Raises `UnusableInput` for text that is none, or an address without code."""
    from eth_utils import is_address, to_checksum_address

    if not is_address(text):
        raise UnusableInput(f"{text} is no address: 0x and 40 hex digits, with a right checksum if letters are mixed")
    if not chain.code(to_checksum_address(text)):
        raise UnusableInput(f"there is no contract at {text} on this chain")
    return to_checksum_address(text)


def _refuse_free_send(arguments: argparse.Namespace) -> None:
    if arguments.send and arguments.rpc_url is None:
        raise UnusableInput("--send goes with --rpc-url: the embedded chain is always sent a transaction, for nothing")


def _short_lived(arguments: argparse.Namespace) -> list[str]:
    gone = arguments.rpc_url is None and arguments.state is None
    return ["  gone now     this embedded chain ended with the command; --state FILE keeps one"] if gone else []


_DEPLOY_EXAMPLE = """zkpredict chain deploy --verifier --commitment examples/mnist.commitment --state chain.json
zkpredict chain deploy --verifier --universal --state chain.json
zkpredict chain deploy --predict --model examples/mnist.model"""
_FIRST_CONTRACT = "0x1e2f3311a0ed312f0229A66403d72Bc4e4517831"
"""Where the embedded chain's first transaction puts its contract: after the first line above, these examples work as they are."""
_REGISTER_EXAMPLE = f"zkpredict chain register --commitment examples/mnist.commitment --contract {_FIRST_CONTRACT} --state chain.json"
_VERIFY_EXAMPLE = "zkpredict chain verify examples/seven.png seven.proof --commitment examples/mnist.commitment"
_VERIFY_EXAMPLE += f"\n{_VERIFY_EXAMPLE} --contract {_FIRST_CONTRACT} --state chain.json"
_PREDICT_EXAMPLE = """zkpredict chain predict examples/seven.png --model examples/mnist.model
zkpredict chain predict examples/seven.png --model examples/mnist.model --instruction"""
_ACTIONS = (
    ("deploy", "deploy a contract", _DEPLOY_EXAMPLE, _deploy_options, _deploy),
    (
        "register", "tell a verifier contract which model proofs will be about", _REGISTER_EXAMPLE,
        chainproof.register_options, _register,
    ),
    ("verify", "check a proof on the chain", _VERIFY_EXAMPLE, chainproof.verify_options, _verify),
    ("verify-batch", "check a proof about many inputs on the chain", chainbatch.VERIFY_EXAMPLE, chainbatch.verify_options, _verify_batch),
    ("register-set", "register a test set, that scores are proven on", chainscore.REGISTER_EXAMPLE, chainscore.register_options, _register_set),
    ("verify-score", "check a score on a registered test set on the chain", chainscore.VERIFY_EXAMPLE, chainscore.verify_options, _verify_score),
    ("predict", "run the network on the chain, in the open", _PREDICT_EXAMPLE, _predict_options, _predict),
)
