"""`zkpredict export`: the network as Solidity contracts that anyone can compile, deploy and call."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files import read_file, write_atomically
from zkpredict.cli.console import Console

if TYPE_CHECKING:
    from zkpredict.circuits.exact import ExactNetwork
    from zkpredict.circuits.network import IntegerNetwork

EXAMPLE = "zkpredict export --target solidity --model examples/mnist.model --out contracts-of-mnist"
MODES = ("packed", "exact")
SOURCE, MANIFEST = "Network.sol", "manifest.json"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", choices=("solidity",), default="solidity", help="what to write (solidity)")
    add_network_options(parser)
    parser.add_argument("--out", required=True, metavar="DIR", help=f"folder for {SOURCE} and {MANIFEST}, made if missing")


def add_network_options(parser: argparse.ArgumentParser, required: bool = True) -> None:
    """Adds `--model` and `--mode`."""
    parser.add_argument(
        "--model", required=required, metavar="FILE", help="model file, 10^8 network of `script scale`, or .keras (needs Keras)"
    )
    parser.add_argument(
        "--mode", choices=MODES, help="packed: the integer network, cheap; exact: classic 10^8 fixed point. Default: what FILE holds"
    )


def run(arguments: argparse.Namespace, console: Console) -> None:
    from zkpredict.circuits.network import IntegerNetwork
    from zkpredict.contracts.export import export_exact, export_packed

    with console.step("read"):
        network = read_network(arguments.model, arguments.mode)
    with console.step("write"):
        exported = export_packed(network) if isinstance(network, IntegerNetwork) else export_exact(network)
        folder = Path(arguments.out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableInput(f"cannot make the folder {folder}: {error.strerror}") from None
        manifest = json.dumps(exported.manifest, indent=2) + "\n"
        write_atomically(folder / SOURCE, exported.source.encode())
        write_atomically(folder / MANIFEST, manifest.encode())
    steps = exported.manifest["deploy"]
    console.result(
        {
            "network": network.name,
            "mode": exported.manifest["mode"],
            "source": str(folder / SOURCE),
            "manifest": str(folder / MANIFEST),
            "contracts": [step["create"] for step in steps],
        },
        [
            f"{folder / SOURCE} is {network.name} as {exported.manifest['mode']} contracts, {len(exported.source):,} bytes.",
            f"  create in this order  {', '.join(step['create'] for step in steps)}",
            f"  explained in          {folder / MANIFEST}",
            "  public: whoever sees the contracts can read every weight",
        ],
    )


def read_network(path: str, mode: str | None) -> IntegerNetwork | ExactNetwork:
    """The network in a file, checked against `mode`. Raises `UnusableInput`."""
    from zkpredict.circuits.exact import MAGIC, ExactNetwork
    from zkpredict.prover.model import Model

    if path.endswith(".keras"):
        return _from_keras(path, mode)
    data = read_file(path, "network")
    found = "exact" if data.startswith(MAGIC) else "packed"
    if mode not in (None, found):
        raise UnusableInput(f"{path} holds {'a 10^8 network' if found == 'exact' else 'an integer network'}: use --mode {found}")
    return ExactNetwork.from_bytes(data, f"network {path}") if found == "exact" else Model.from_bytes(data, f"model {path}").network


def _from_keras(path: str, mode: str | None) -> IntegerNetwork | ExactNetwork:
    from zkpredict.training.keras_files import load_keras

    floats = load_keras(path)
    if mode == "exact":
        from zkpredict.cli.script import exact_network

        return exact_network(floats)
    from zkpredict.training.quantize import quantize

    return quantize(floats)
