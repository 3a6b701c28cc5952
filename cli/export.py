"""`zkpredict export`: the network as Solidity contracts that anyone can compile, deploy and call."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.outputs import MANIFEST as MANIFEST_KIND
from zkpredict.circuits.files.outputs import SOLIDITY
from zkpredict.circuits.files.storage import FileOutput, refuse_to_replace, write_together
from zkpredict.cli.console import Console
from zkpredict.cli.network import add_network_options, read_network
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.statement import refuse_same_file

EXAMPLE = "zkpredict export --target solidity --model examples/mnist.model --out contracts-of-mnist"
SOURCE, MANIFEST = "Network.sol", "manifest.json"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--target", choices=("solidity",), default="solidity", help="what to write (solidity)")
    add_network_options(parser)
    parser.add_argument("--out", required=True, metavar="DIR", help=f"folder for {SOURCE} and {MANIFEST}, made if missing")
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    from zkpredict.circuits.networks.reference import IntegerNetwork
    from zkpredict.contracts.open.export import export_exact, export_packed

    if not arguments.out:
        raise UnusableInput("--out is empty: give the folder to write into, . for this one")
    folder = Path(arguments.out)
    for name in (SOURCE, MANIFEST):
        refuse_same_file(folder / name, network=arguments.model)
    for name, kind in ((SOURCE, SOLIDITY), (MANIFEST, MANIFEST_KIND)):
        refuse_to_replace(folder / name, kind, arguments.force)
    with console.step("read"):
        network = read_network(arguments.model, arguments.mode)
    with console.step("write"):
        exported = export_packed(network) if isinstance(network, IntegerNetwork) else export_exact(network)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnusableInput(f"cannot make the folder {folder}: {error.strerror}") from None
        manifest = json.dumps(exported.manifest, indent=2) + "\n"
        outputs = {SOURCE: exported.source, MANIFEST: manifest}
        write_together([FileOutput(folder / name, text.encode()) for name, text in outputs.items()])
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
