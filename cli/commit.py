"""`zkpredict commit`."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput
from zkpredict.circuits.files.outputs import COMMITMENT
from zkpredict.circuits.files.storage import FileOutput, one_at_a_time, refuse_to_replace, write_together
from zkpredict.circuits.placement import PLACEMENT_NAMES
from zkpredict.circuits.wide.claims import CLASS, Claim, parse_claim
from zkpredict.cli.claimwords import AIMS, CLAIM_FORMS, add_placement_options, circuit_facts, circuit_line, claim_line
from zkpredict.cli.console import Console
from zkpredict.cli.hidden import takes_hidden
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.private import load_model
from zkpredict.cli.statement import milliseconds, refuse_same_file, refuse_together

if TYPE_CHECKING:
    from zkpredict.circuits.choice import Choice
    from zkpredict.circuits.networks.reference import IntegerNetwork
    from zkpredict.prover.model import Model

EXAMPLE = """zkpredict commit --model mnist.model --out mnist.commitment
zkpredict commit --model mnist.model --out mnist.commitment --for chain
zkpredict commit --model mnist.model --out mnist.commitment --edition 2
zkpredict commit --model mnist.model --out mnist.commitment --claim margin=2000 --again
zkpredict commit --model mnist.model --batch --again --out mnist-batch.commitment
zkpredict commit --model mnist.model --hidden-input --again --out mnist-hidden.commitment"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--model", required=True, metavar="FILE", help="integer model file; its secrets are written back into it")
    parser.add_argument("--out", required=True, metavar="FILE", help="public commitment file to write")
    add_placement_options(parser)
    parser.add_argument(
        "--for", dest="aim", choices=AIMS,
        help="what to make cheapest: proof, its size (default), or chain, its verification there; `zkpredict report` shows the costs",
    )
    parser.add_argument(
        "--edition", type=int, choices=(1, 2), help="of compact circuits: 2 is --placement compact-2, the cheapest on-chain (default: 1)"
    )
    parser.add_argument("--claim", metavar="CLAIM", help=f"what proofs say of the output: {CLAIM_FORMS} (default: class)")
    parser.add_argument("--hidden-input", action="store_true", help="for inputs that only commitments of `zkpredict hide` are published of")
    parser.add_argument("--batch", action="store_true", help="in a circuit that proves many inputs at once (`zkpredict prove-batch`)")
    parser.add_argument("--again", action="store_true", help="replace the commitment this model already has")
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    if arguments.edition is not None:
        refuse_together("--edition", {"--placement": arguments.placement}, "it says which compact placement")
        first, _, second = PLACEMENT_NAMES
        arguments.placement = {1: first, 2: second}[arguments.edition]
    if arguments.aim is not None:
        refuse_together("--for", {"--domain": arguments.domain}, "it chooses the rows")
        refuse_together("--for", {"--batch": arguments.batch}, "that is one circuit, with nothing to choose")
    claim = None if arguments.claim is None else parse_claim(arguments.claim)
    refuse_same_file(arguments.out, model_file=arguments.model)
    with one_at_a_time(arguments.model):
        model = load_model(arguments.model, console)
        outputs = []
        replaceable = [] if model.committed is None else [model.commitment.to_bytes()]
        if model.committed is not None and not arguments.again:
            _refuse_another(arguments, model, claim)
        else:
            model = _committed(arguments, console, model, claim or CLASS)
            outputs.append(FileOutput(arguments.model, model.to_bytes(), private=True))
        commitment = model.commitment
        refuse_to_replace(arguments.out, COMMITMENT, arguments.force, [*replaceable, commitment.to_bytes()])
        write_together([*outputs, FileOutput(arguments.out, commitment.to_bytes())])
    made = f", made in {milliseconds(console.times['commit'])}" if console.times else " (already made: written again)"
    console.result(
        {
            "model_id": commitment.model_id.hex(),
            "network": model.network.name,
            **circuit_facts(commitment.circuit),
            "rows": len(commitment.rows),
            "commitment": str(arguments.out),
            "seconds": console.times,
        },
        [
            f"Model {model.network.name} is committed under {commitment.model_id.hex()}{made}.",
            f"  public    {arguments.out}: {len(commitment.rows)} row commitments over {commitment.circuit.domain} rows",
            f"  circuit   {circuit_line(commitment.circuit)}",
            f"  claim     {claim_line(commitment.circuit)}",
            f"  private   {arguments.model}: the weights and the secrets of the rows; keep it, and keep it to yourself",
        ],
    )


def _committed(arguments: argparse.Namespace, console: Console, model: Model, claim: Claim) -> Model:
    """`model` with a new commitment. Raises `UnsupportedNetwork` with the name of its file."""
    from zkpredict.prover.commit import commit_model

    placement, domain, joined, shared = arguments.placement, arguments.domain, None, False
    try:
        if arguments.aim is not None:
            chosen = _cheapest(arguments, model.network, claim)
            placement, domain = (placement, None) if chosen is None else (chosen.placement, chosen.domain)
            joined, shared = chosen and chosen.joined, chosen is not None and chosen.shared
        with console.counted("commit", "rows") as progress:
            return commit_model(model, domain, claim, placement, arguments.hidden_input, progress, arguments.batch, joined, shared)
    except UnsupportedNetwork as error:
        raise UnsupportedNetwork(f"{arguments.model} cannot be proven: {error}") from None


def _cheapest(arguments: argparse.Namespace, network: IntegerNetwork, claim: Claim) -> Choice | None:
    """The circuit that is cheapest for what `--for` names; None when none fits."""
    from zkpredict.contracts.verifier.choosing import cheapest_on_chain, smallest_proof

    if arguments.aim != "chain":
        return smallest_proof(network, claim, arguments.hidden_input, arguments.placement)
    try:
        return cheapest_on_chain(network, claim, arguments.hidden_input, arguments.placement)
    except UnusableInput as error:
        raise UnusableInput(f"--for chain: {error}; use --for proof") from None


def _holds_batches(model: Model) -> bool:
    """Whether the commitment is as `--batch` would make it, or has slots on other rows."""
    from zkpredict.circuits.choice import compile_any
    from zkpredict.circuits.wide.layout import WideCircuit

    circuit = model.commitment.circuit
    if isinstance(circuit, WideCircuit) and circuit.slotted:
        return True
    try:
        return compile_any(model.network, batch=True).circuit == circuit
    except UnsupportedNetwork:
        return False  # with --again the refusal says why


def _refuse_another(arguments: argparse.Namespace, model: Model, claim: Claim | None) -> None:
    """Raises `UnusableInput` when the commitment that the model has is not what is asked for."""
    has = circuit_facts(model.commitment.circuit)
    wanted = [
        ("on another domain", arguments.domain, has["domain"]),
        ("in another placement", arguments.placement, has["placement"]),
        ("for another claim", claim and str(claim), has["claim"]),
        ("for public inputs", arguments.hidden_input or None, takes_hidden(model.commitment.circuit)),
        ("without batches", arguments.batch or None, arguments.batch and _holds_batches(model)),
    ]
    if arguments.aim is not None and not any(value is not None and value != own for _, value, own in wanted):
        best = _cheapest(arguments, model.network, claim or CLASS)
        digest = best.circuit.digest if best and best.circuit else None
        wanted.append((f"in a circuit that is not the cheapest for {arguments.aim}", digest, model.commitment.circuit.digest))
    for what, value, own in wanted:
        if value is not None and value != own:
            raise UnusableInput(f"{arguments.model} is committed {what}: add --again to replace its commitment")
