"""`zkpredict inspect`: what a file is and says. What follows from private weights is shown with `--private` only."""

from __future__ import annotations

import argparse

from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.networks.activations import RELU
from zkpredict.circuits.networks.dense import Network
from zkpredict.circuits.errors import MalformedFile, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.exact import MAGIC as EXACT_MAGIC
from zkpredict.circuits.networks.exact import ExactNetwork
from zkpredict.circuits.files.kinds import OWN_KINDS, kind_of, recognise
from zkpredict.circuits.files.schema import Schema
from zkpredict.circuits.files.storage import read_file
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.layout import MAGIC as CIRCUIT_MAGIC
from zkpredict.circuits.layout import LANE_BITS
from zkpredict.circuits.placement import AnyCircuit, claim_of, form, has_shared_rows, placement_of, read_circuit
from zkpredict.circuits.statement import OUTPUT_BYTES
from zkpredict.circuits.second.layout import LANE_BITS as SECOND_LANE_BITS
from zkpredict.circuits.second.layout import MAGIC as SECOND_MAGIC
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.circuits.wide.layout import MAGIC as WIDE_CIRCUIT_MAGIC
from zkpredict.circuits.wide.layout import BY_SIDE_MAGIC, CONVOLUTION_MAGIC, REPLICA_MAGIC, WIRED_MAGIC, WideCircuit
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.cli.claimwords import claim_line, claim_sentence, proof_for, replicas_in_words
from zkpredict.cli.console import Console
from zkpredict.cli.hidden import takes_hidden, warn_of_opening_readers
from zkpredict.cli.private import add_private_option, say_private, warn_of_readers
from zkpredict.cli.statement import image_name
from zkpredict.kernel import G1
from zkpredict.prover.hiding import MAGIC as OPENING_MAGIC
from zkpredict.prover.hiding import OpenedInput
from zkpredict.prover.model import MAGIC as MODEL_MAGIC
from zkpredict.prover.model import SCHEMA_MAGIC as MODEL_SCHEMA_MAGIC
from zkpredict.prover.model import Model
from zkpredict.verifier.batch import read_head
from zkpredict.verifier.commitment import MAGIC as COMMITMENT_MAGIC
from zkpredict.verifier.commitment import SCHEMA_MAGIC as COMMITMENT_SCHEMA_MAGIC
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import MalformedProof, VerificationError
from zkpredict.verifier.hidden import MAGIC as HIDDEN_MAGIC
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.messages import BATCH_MAGIC, DIGIT_BYTES, HEADER_BYTES, MODEL_ID_BYTES, REGISTERED_MAGIC, SCORE_MAGIC, Proof, proof_bytes
from zkpredict.verifier.messages import MAGIC as PROOF_MAGIC
from zkpredict.verifier.native import parse_proof
from zkpredict.verifier.score import read_score_head
from zkpredict.verifier.testset import SET_MAGIC, parse_set

EXAMPLE = "zkpredict inspect examples/mnist.commitment"

_PRIVATE = ("shifts", "worst case")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help="a model, 10^8 network, commitment, circuit, proof, batch, score, test set, hidden input or opening file")
    parser.add_argument("--commitment", metavar="FILE", help="for a proof: the commitment of its model, whose circuit names its parts")
    add_private_option(parser, "shifts and exact worst cases")


def run(arguments: argparse.Namespace, console: Console) -> None:
    data = read_file(arguments.file, "file")
    magic = data[: len(PROOF_MAGIC)]
    explain = _EXPLAINERS.get(magic)
    if explain is None:
        kind = kind_of(data, str(arguments.file))
        if kind in OWN_KINDS:
            raise MalformedFile(f"{arguments.file} is {kind.name} in the format {magic[4:].hex()}, which this version does not read")
        found = recognise(data, str(arguments.file)) or "nothing in it tells what it is"
        raise MalformedFile(f"{arguments.file} is no model, 10^8 network, commitment, circuit, proof, batch, score, test set, hidden input or opening: {found}")
    if arguments.commitment is None:
        kind, facts = explain(data, str(arguments.file), console)
    elif magic == PROOF_MAGIC:
        kind, facts = _proof_of(arguments.commitment, data, str(arguments.file))
    else:
        raise UnusableInput("--commitment goes with the proof of one input: it names its parts")
    hidden = [name for name in facts if name in _PRIVATE]
    if not arguments.private:
        facts = {name: value for name, value in facts.items() if name not in _PRIVATE}
        if hidden:
            facts["not shown"] = f"{' and '.join(hidden)}, which follow from the weights: --private shows them"
    elif hidden:
        say_private(console, " and ".join(hidden), arguments.file)
    facts = {"file": kind, "bytes": len(data), **facts}
    width = max(map(len, facts))
    console.result(facts, [f"{name:<{width}}  {value}" for name, value in facts.items()])


def _circuit_facts(circuit: AnyCircuit) -> dict:
    facts = {
        "network": "-".join(map(str, circuit.widths)),
        "placement": placement_of(circuit),
        "domain": circuit.domain,
        "lane bits": ", ".join(str(_lane_bits(circuit) * lanes) for lanes in circuit.lanes) or "none",
        "rows": circuit.total_rows,
        "claim": claim_line(circuit),
        "proof": f"{len(form(circuit).points)} points, {len(form(circuit).scalars)} scalars, {proof_bytes(form(circuit)):,} bytes",
        "circuit digest": circuit.digest.hex(),
    }
    if isinstance(circuit, WideCircuit):
        facts |= {"tracks": circuit.tracks, "gates": ", ".join(map(str, circuit.activations)) or "none"}
    if isinstance(circuit, ReplicaCircuit):
        facts["replicas"] = replicas_in_words(circuit)
    if has_shared_rows(circuit):
        facts["weights"] = f"{circuit.total_rows} rows that all layers share"
    if isinstance(circuit, ConvCircuit):
        facts["layers"] = "; ".join(map(circuit.in_words, range(circuit.layers)))
    if takes_hidden(circuit):
        facts["input"] = "hidden (`zkpredict hide`)"
    return facts


def _lane_bits(circuit: AnyCircuit) -> int:
    return SECOND_LANE_BITS if isinstance(circuit, SecondCircuit) else LANE_BITS


def _worst_case(network: Network) -> str:
    """Per layer, how large a sum gets on any image."""
    return ", ".join(f"|z| <= {interval.magnitude}" for interval in network.intervals)


def _circuit(data: bytes, what: str, _: Console) -> tuple[str, dict]:
    reader = ByteReader(data, what)
    circuit = read_circuit(reader)
    reader.finish()
    return "circuit (public)", _circuit_facts(circuit)


def _commitment(data: bytes, what: str, _: Console) -> tuple[str, dict]:
    commitment = ModelCommitment.from_bytes(data, G1.from_compressed, what)
    facts = {"model id": commitment.model_id.hex(), **_circuit_facts(commitment.circuit), **_schema_facts(commitment.schema)}
    return "model commitment (public)", facts


def _schema_facts(schema: Schema) -> dict:
    """The scale of each feature, and the names of the classes; nothing for a model of plain bytes."""
    found = {"features": "; ".join(f"{feature.name} {feature.low:g} to {feature.high:g}" for feature in schema.features)}
    found["classes"] = ", ".join(schema.classes)
    return {name: value for name, value in found.items() if value}


def _model(data: bytes, what: str, console: Console) -> tuple[str, dict]:
    model = Model.from_bytes(data, what)
    warn_of_readers(what, model, console)
    facts = {
        "shifts": ", ".join(str(layer.shift) for layer in model.network.layers),
        "worst case": _worst_case(model.network),
        "committed": "yes" if model.committed else "no",
    }
    activations = [layer.activation for layer in model.network.layers[:-1]]
    if any(activation != RELU for activation in activations):
        facts["activations"] = ", ".join(map(str, activations))
    if model.committed:
        facts["model id"] = model.commitment.model_id.hex()
    try:
        facts |= _circuit_facts(model.compiled.circuit)
        facts |= _schema_facts(model.schema)
    except UnsupportedNetwork as error:
        facts |= {"network": model.network.name, "cannot be proven": str(error)}
    return "model (PRIVATE: holds the weights)", facts


def _exact(data: bytes, what: str, _: Console) -> tuple[str, dict]:
    network = ExactNetwork.from_bytes(data, what)
    facts = {"network": network.name, "worst case": f"{_worst_case(network)}, in units of 10^-8"}
    return "10^8 network (PRIVATE: holds the weights)", facts


def _proof(data: bytes, what: str, _: Console) -> tuple[str, dict]:
    if len(data) > proof_bytes() and not (len(data) - HEADER_BYTES) % OUTPUT_BYTES:
        return "proof (public)", _unnamed_proof(data, what)
    try:
        proof = parse_proof(data)
    except MalformedProof as error:
        raise MalformedFile(f"{what}: {error}") from None
    return "proof (public)", _proof_facts(proof, f"the model says {proof.digit}")


def _proof_facts(proof: Proof, claim: str) -> dict:
    here = ", ".join(name for name in proof.scalars if not name.endswith("_next"))
    beside = ", ".join(name.removesuffix("_next") for name in proof.scalars if name.endswith("_next"))
    return {
        "claim": claim,
        "model id": proof.model_id.hex(),
        "points": f"{len(proof.points)}: {', '.join(proof.points)}",
        "scalars": f"{len(proof.scalars)}: {here} at rho; {beside} at omega rho",
    }


def _unnamed_proof(data: bytes, what: str) -> dict:
    """What a proof of a wide circuit says by itself: its parts have names only in its circuit."""
    header = ByteReader(data[:HEADER_BYTES], what)
    header.take(len(PROOF_MAGIC), "magic")
    model_id, digit = header.take(MODEL_ID_BYTES, "model id"), header.unsigned(DIGIT_BYTES, "digit")
    return {
        "claim": f"about class {digit}: what is claimed of it, the commitment of its model says",
        "model id": model_id.hex(),
        "parts": f"{len(data) - HEADER_BYTES:,} bytes of points and scalars, unchecked: `zkpredict inspect {what} --commitment FILE` names them",
    }


def _proof_of(path: str, data: bytes, what: str) -> tuple[str, dict]:
    """A proof beside the commitment at `path`. Raises `MalformedFile`."""
    commitment = ModelCommitment.load(path)
    try:
        proof = proof_for(commitment, data)
    except VerificationError as error:
        raise MalformedFile(f"{what}: {error}") from None
    if proof.model_id != commitment.model_id:
        raise MalformedFile(f"{what} is for model {proof.model_id.hex()}, {path} is of model {commitment.model_id.hex()}")
    said = claim_sentence(claim_of(commitment.circuit), str(proof.digit), proof.outputs)
    return "proof (public)", _proof_facts(proof, f"the model {said}")


def _batch(data: bytes, what: str, _: Console) -> tuple[str, dict]:
    return "proof of a batch (public)", _batch_facts(ByteReader(data, what))


def _score(data: bytes, what: str, _: Console) -> tuple[str, dict]:
    reader = ByteReader(data, what)
    set_id, right = read_score_head(reader, data[: len(SCORE_MAGIC)])
    found = {"right answers": right, "test set": set_id.hex(), **_batch_facts(reader)}
    if not data.startswith(REGISTERED_MAGIC):
        return "score (public)", found
    return "score on a registered test set (public)", found | {"checked": "nothing: this takes the set"}


def _set(data: bytes, what: str, _: Console) -> tuple[str, dict]:
    tests = parse_set(data, what)
    return "registered test set (public)", {
        "inputs": len(tests.labels), "bytes of an input": tests.size, "labels": len(set(tests.labels)), "points": len(tests.points),
        "set id": tests.set_id.hex(), "checked": "the points, not that they are those of inputs",
    }  # fmt: skip


def _batch_facts(reader: ByteReader) -> dict:
    """What the head says: parts have names only in the model's circuit."""
    model_id, count, each = read_head(reader)
    return {"inputs": count, "parts": -(-count // each), "inputs in each": each, "model id": model_id.hex(), "checked": "nothing: this takes the inputs"}


def _hidden(data: bytes, what: str, _: Console) -> tuple[str, dict]:
    return "hidden input (public)", _hidden_facts(HiddenInput.from_bytes(data, G1.from_compressed, what))


def _opening(data: bytes, what: str, console: Console) -> tuple[str, dict]:
    opened = OpenedInput.from_bytes(data, what)
    warn_of_opening_readers(what, console)
    return "opening of a hidden input (PRIVATE: holds the input)", _hidden_facts(opened.hidden)


def _hidden_facts(hidden: HiddenInput) -> dict:
    return {"inputs": hidden.inputs, "domain": hidden.domain, "points": len(hidden.points), "hidden sha256": image_name(hidden.to_bytes())}


_EXPLAINERS = {
    MODEL_MAGIC: _model,
    MODEL_SCHEMA_MAGIC: _model,
    EXACT_MAGIC: _exact,
    COMMITMENT_MAGIC: _commitment,
    COMMITMENT_SCHEMA_MAGIC: _commitment,
    CIRCUIT_MAGIC: _circuit,
    WIDE_CIRCUIT_MAGIC: _circuit,
    CONVOLUTION_MAGIC: _circuit,
    WIRED_MAGIC: _circuit,
    BY_SIDE_MAGIC: _circuit,
    REPLICA_MAGIC: _circuit,
    SECOND_MAGIC: _circuit,
    PROOF_MAGIC: _proof,
    BATCH_MAGIC: _batch,
    SCORE_MAGIC: _score,
    REGISTERED_MAGIC: _score,
    SET_MAGIC: _set,
    HIDDEN_MAGIC: _hidden,
    OPENING_MAGIC: _opening,
}
