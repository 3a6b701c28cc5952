"""`zkpredict commit`."""

from __future__ import annotations

import argparse

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.files.outputs import COMMITMENT
from zkpredict.circuits.files.storage import FileOutput, one_at_a_time, refuse_to_replace, write_together
from zkpredict.circuits.layout import DOMAINS
from zkpredict.cli.console import Console
from zkpredict.cli.hidden import takes_hidden
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.private import load_model
from zkpredict.cli.statement import milliseconds, refuse_same_file

EXAMPLE = """zkpredict commit --model mnist.model --out mnist.commitment
zkpredict commit --model mnist.model --hidden-input --again --out mnist-hidden.commitment"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, metavar="FILE", help="integer model file; its secrets are written back into it")
    parser.add_argument("--out", required=True, metavar="FILE", help="public commitment file to write")
    parser.add_argument(
        "--domain", type=int, choices=DOMAINS, help="rows of the circuit: more rows, fewer points and less gas, slower proofs"
    )
    parser.add_argument("--hidden-input", action="store_true", help="for inputs that only commitments of `zkpredict hide` are published of")
    parser.add_argument("--again", action="store_true", help="replace the commitment this model already has")
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    from zkpredict.prover.commit import commit_model

    refuse_same_file(arguments.out, model_file=arguments.model)
    with one_at_a_time(arguments.model):
        model = load_model(arguments.model, console)
        outputs = []
        replaceable = [] if model.committed is None else [model.commitment.to_bytes()]
        if model.committed is not None and not arguments.again:
            if arguments.domain not in (None, model.commitment.circuit.domain):
                raise UnusableInput(f"{arguments.model} is committed on another domain: add --again to replace its commitment")
            if arguments.hidden_input and not takes_hidden(model.commitment.circuit):
                raise UnusableInput(f"{arguments.model} is committed for public inputs: add --again to replace its commitment")
        else:
            with console.step("commit"):
                try:
                    model = commit_model(model, arguments.domain, private_input=arguments.hidden_input)
                except UnsupportedNetwork as error:
                    raise UnsupportedNetwork(f"{arguments.model} cannot be proven: {error}") from None
            outputs.append(FileOutput(arguments.model, model.to_bytes(), private=True))
        commitment = model.commitment
        refuse_to_replace(arguments.out, COMMITMENT, arguments.force, [*replaceable, commitment.to_bytes()])
        write_together([*outputs, FileOutput(arguments.out, commitment.to_bytes())])
    made = f", made in {milliseconds(console.times['commit'])}" if console.times else " (already made: written again)"
    console.result(
        {
            "model_id": commitment.model_id.hex(),
            "network": model.network.name,
            "domain": commitment.circuit.domain,
            "rows": len(commitment.rows),
            "commitment": str(arguments.out),
            "seconds": console.times,
        },
        [
            f"Model {model.network.name} is committed under {commitment.model_id.hex()}{made}.",
            f"  public    {arguments.out}: {len(commitment.rows)} row commitments over {commitment.circuit.domain} rows",
            f"  private   {arguments.model}: the weights and the secrets of the rows; keep it, and keep it to yourself",
        ],
    )
