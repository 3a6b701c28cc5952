"""`zkpredict contract`: the verifier contract as files, for people who deploy with tools of their own."""

from __future__ import annotations

import argparse
from pathlib import Path

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files import outputs
from zkpredict.circuits.files.storage import FileOutput, refuse_to_replace, write_together
from zkpredict.cli.chain import loading
from zkpredict.cli.chainproof import or_universal
from zkpredict.cli.console import Console
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.statement import refuse_same_file

EXAMPLE = """zkpredict contract --out verifier
zkpredict contract --commitment examples/mnist.commitment --out verifier"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", required=True, metavar="DIR", help="folder for the files, made if missing")
    parser.add_argument("--commitment", metavar="FILE", help="also write the calls that register this model")
    parser.add_argument("--specialised", action="store_true", help="the verifier of this commitment's circuit alone: 10 %% less gas")
    parser.add_argument("--pairing", action="store_true", help="the variant for chains without the point evaluation precompile")
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    with loading(console):
        from zkpredict.circuits.layout import Circuit
        from zkpredict.contracts.verifier.encoding import FinalCheck
        from zkpredict.contracts.verifier.handover import Package, package
    from zkpredict.verifier.commitment import ModelCommitment

    if not arguments.out:
        raise UnusableInput("--out is empty: give the folder to write into, . for this one")
    if arguments.specialised and arguments.commitment is None:
        raise UnusableInput("--specialised needs --commitment FILE: it says for which circuit")
    commitment = None if arguments.commitment is None else ModelCommitment.load(arguments.commitment)
    check = FinalCheck.PAIRING if arguments.pairing else FinalCheck.POINT_EVALUATION
    with console.step("write"):
        if commitment is not None and not isinstance(commitment.circuit, Circuit):
            found = Package.specialised(commitment.circuit, check)
        else:
            with or_universal():
                found = Package.specialised(commitment.circuit, check) if arguments.specialised and commitment else Package.universal(check)
        files = package(found, commitment)
        _write(Path(arguments.out), files, arguments)
    folder = Path(arguments.out)
    name = found.artifact.name
    console.result(
        {"contract": name, "folder": str(folder), "files": sorted(files), "code_bytes": len(found.artifact.runtime)},
        [
            f"{folder} holds {name}, which checks proofs about {found.serves}.",
            f"  code      {folder / name}.json: ABI and {len(found.artifact.runtime):,} bytes, nothing to compile",
            f"  source    {folder / name}.sol and what it imports",
            f"  pays      {folder / 'PaidPrediction.sol'}: an example of a contract that pays for a proven answer",
            *([f"  register  {folder / 'registration.json'}: the calls that make the model known"] if commitment else []),
            f"  next      {folder / 'DEPLOY.md'}",
        ],
    )


def _write(folder: Path, files: dict[str, str], arguments: argparse.Namespace) -> None:
    """All files or none. Raises `UnusableInput` for what `--force` would be needed for."""
    for name in files:
        refuse_same_file(folder / name, commitment=arguments.commitment)
        refuse_to_replace(folder / name, _kind(name), arguments.force)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(f"cannot make the folder {folder}: {error.strerror}") from None
    write_together([FileOutput(folder / name, text.encode()) for name, text in files.items()])


def _kind(name: str) -> outputs.FileKind:
    if name == "registration.json":
        return outputs.REGISTRATION
    return {".sol": outputs.SOLIDITY, ".json": outputs.ARTIFACT, ".md": outputs.NOTE}[Path(name).suffix]
