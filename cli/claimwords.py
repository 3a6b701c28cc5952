"""What commands call circuits and claims: in options, in lines for people, and in facts for machines."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING

from zkpredict.circuits.placement import PLACEMENT_NAMES, AnyCircuit, claim_of, form, has_shared_rows, placement_of, with_replicas
from zkpredict.circuits.wide.claims import Claim, Kind, parse_claim
from zkpredict.circuits.wide.layout import WIDE_DOMAINS, WideCircuit
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.messages import MAGIC, MODEL_ID_BYTES, proof_bytes

if TYPE_CHECKING:
    from zkpredict.circuits.wide.replicas import ReplicaCircuit
    from zkpredict.cli.words import Words
    from zkpredict.verifier.commitment import ModelCommitment
    from zkpredict.verifier.messages import Proof

CLAIM_FORMS = "class, margin=M, logits or threshold=T"
AIMS = ("proof", "chain")


def add_placement_options(parser: argparse.ArgumentParser) -> None:
    """Adds `--placement` and `--domain`."""
    parser.add_argument(
        "--placement", choices=PLACEMENT_NAMES,
        help="compact: one trace, for small networks; compact-2: its second edition, the cheapest on-chain; wide: any dense network "
        "(default: compact where it fits)",
    )
    parser.add_argument(
        "--domain", type=int, choices=WIDE_DOMAINS, help="rows of the circuit: more rows, fewer points and less gas, slower proofs (compact: 1024, 2048; compact-2: 1024)"
    )


def add_claim_option(parser: argparse.ArgumentParser) -> None:
    """Adds `--claim` of commands that take a proof: what it has to say."""
    parser.add_argument("--claim", metavar="CLAIM", help=f"also refuse a model whose proofs say anything else than CLAIM: {CLAIM_FORMS}")


def require_claim(circuit: AnyCircuit, text: str | None) -> None:
    """Raises `WrongStatement` when proofs in `circuit` do not claim what `text` of `--claim` says, `UnusableInput` for no claim."""
    if text is not None and parse_claim(text) != claim_of(circuit):
        raise WrongStatement(f"proofs of this model claim {claim_of(circuit)}, not {parse_claim(text)}")


def circuit_facts(circuit: AnyCircuit) -> dict:
    """For machines: placement, rows, tracks, gates and claim."""
    facts = {"placement": placement_of(circuit), "domain": circuit.domain, "claim": str(claim_of(circuit))}
    if isinstance(circuit, WideCircuit):
        facts |= {"tracks": circuit.tracks, "slots": circuit.slots, "gates": [str(one) for one in circuit.activations]}
    if joined := with_replicas(circuit):
        facts |= {"replicas": [joined.copies(layer) for layer in range(joined.layers - 1)]}
    if has_shared_rows(circuit):
        facts |= {"shared_rows": True}
    return facts


def circuit_line(circuit: AnyCircuit) -> str:
    """The same for people, with what a proof consists of."""
    shape = form(circuit)
    size = f"{len(shape.points)} points and {len(shape.scalars)} scalars a proof, {proof_bytes(shape):,} bytes"
    if not isinstance(circuit, WideCircuit):
        return f"{placement_of(circuit)}, n = {circuit.domain}, {size}"
    gates = ", ".join(dict.fromkeys(map(str, circuit.activations))) or "no gates"
    slots = f" with {circuit.slots} slots for batches" if circuit.slotted else ""
    joined = with_replicas(circuit)
    copies = f", {replicas_in_words(joined)}" if joined else ", shared rows" if has_shared_rows(circuit) else ""
    return f"wide, n = {circuit.domain}, {circuit.tracks} track{'s' if circuit.tracks > 1 else ''}{slots}, {gates}{copies}, {size}"


def replicas_in_words(circuit: ReplicaCircuit) -> str:
    """How often hidden layers lie on the trace: `hidden layers 7 and 2 times`."""
    times = [str(circuit.copies(layer)) for layer in range(circuit.layers - 1)]
    counted = " and ".join([", ".join(times[:-1]), times[-1]] if len(times) > 1 else times)
    return f"hidden layer{'s' if len(times) > 1 else ''} {counted} time{'s' if times != ['1'] else ''}"


def claim_line(circuit: AnyCircuit) -> str:
    """What a proof in `circuit` will say."""
    claim = claim_of(circuit)
    return {
        Kind.CLASS: "the class with the largest output",
        Kind.MARGIN: f"the class, which leads every other by at least {claim.parameter:,}",
        Kind.LOGITS: "every output (logit), which a proof makes public",
        Kind.THRESHOLD: f"the only output is at least {claim.parameter:,}",
    }[claim.kind]


def sentence(circuit: AnyCircuit, words: Words, digit: int, outputs: Sequence[int] = ()) -> str:
    """What a proof says, after "the network": `says 7`, `gives an output of at least -5`."""
    return claim_sentence(claim_of(circuit), words.said(digit), outputs)


def claim_sentence(claim: Claim, answer: str, outputs: Sequence[int]) -> str:
    """The same of a claim and an answer in words."""
    if claim.kind is Kind.THRESHOLD:
        return f"gives an output of at least {claim.parameter:,}"
    if claim.kind is Kind.MARGIN:
        return f"says {answer}, which leads every other class by at least {claim.parameter:,}"
    if claim.kind is Kind.LOGITS:
        shown = ", ".join(f"{value:,}" for value in outputs)
        return f"gives the output {shown}" if len(outputs) == 1 else f"says {answer}, with the logits {shown}"
    return f"says {answer}"


def claim_facts(circuit: AnyCircuit, outputs: Sequence[int] = ()) -> dict:
    """The claim for machines, with the outputs that a proof of logits makes public."""
    claim = claim_of(circuit)
    return {"claim": str(claim), **({"outputs": list(outputs)} if claim.kind is Kind.LOGITS else {})}


def proof_for(commitment: ModelCommitment, data: bytes) -> Proof:
    """A proof file of a model. Raises `MalformedProof`; `WrongStatement` when it is one of another model, with another form."""
    from zkpredict.verifier.native import parse_proof

    refuse_other_model(commitment, data)
    return parse_proof(data, form(commitment.circuit))


def refuse_other_model(commitment: ModelCommitment, data: bytes) -> None:
    """Raises `WrongStatement` for a proof that is of another length and names another model: it would be refused as malformed."""
    named = data[len(MAGIC) : len(MAGIC) + MODEL_ID_BYTES]
    expected = proof_bytes(form(commitment.circuit))
    if data.startswith(MAGIC) and len(named) == MODEL_ID_BYTES and named != commitment.model_id and len(data) != expected:
        raise WrongStatement(
            f"the proof is for model {named.hex()}, the commitment is of model {commitment.model_id.hex()}, which claims "
            f"{claim_of(commitment.circuit)} in {expected:,} bytes (another claim, placement or number of rows is another model)"
        )
