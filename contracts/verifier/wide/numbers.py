"""Names of a wide circuit's contract and what it imports, and the numbers in its template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.statement import OUTPUT_BYTES
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.contracts.verifier.encoding import FinalCheck, absorbed_points
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import POINT_BYTES, SCALAR_OFFSET, SOURCES, opens, part, word_aligned
from zkpredict.contracts.verifier.wide.plan import WidePlan
from zkpredict.contracts.verifier.wide.registration import fits_at_once
from zkpredict.verifier.transcript import MODEL_LABEL, PROOF_LABEL, context

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator

MAX_SMALL_TRACKS, MAX_SMALL_PARTS = 2, 8
MAX_REPLICA_PARTS = 23
"""Parts of a circuit with replicas, whose pieces have few sizes: one function serves those of a size. With more there are many sizes:
of circuits with 24 to 113 parts that were tried, no contract compiles or fits."""


def wide_name(circuit: WideCircuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """`WideVerifier_784_64_10_n1024_` and the digest's first bytes, as activations, lanes and claim have no short name."""
    pairing = "_pairing" if check is FinalCheck.PAIRING else ""
    return f"WideVerifier_{'_'.join(map(str, circuit.widths))}_n{circuit.domain}_{circuit.digest[:4].hex()}{pairing}"


def registry_of(circuit: WideCircuit) -> str:
    """The registry that a circuit's verifier has: by how many rows its models have."""
    return "SmallModels" if fits_at_once(circuit.total_rows) else "LargeModels"


def is_large(circuit: WideCircuit) -> bool:
    """Whether code is written for its size: a circuit with so many rows that their points cost far more than loops."""
    if isinstance(circuit, (ConvCircuit, BatchCircuit)):
        return True
    if isinstance(circuit, ReplicaCircuit):
        return circuit.tracks > MAX_SMALL_TRACKS
    return circuit.tracks > MAX_SMALL_TRACKS or len(WidePlan(circuit).parts.polynomials) > MAX_SMALL_PARTS


def replica_refusal(circuit: AnyCircuit) -> str:
    """Why no contract is made for a circuit with replicas; empty when there is one, and for other circuits."""
    if not isinstance(circuit, ReplicaCircuit):
        return ""
    parts = len(WidePlan(circuit).parts.polynomials)
    if parts <= MAX_REPLICA_PARTS:
        return ""
    return f"its layers lie on the trace in {parts} parts, the code of a contract holds {MAX_REPLICA_PARTS}; without replicas (`commit --for proof`) there is one"


def numbers_of(generator: WideGenerator) -> dict[str, str]:
    """Sizes, places and hashes by their names in the template."""
    circuit, check = generator.circuit, generator.check
    start = 4 + 5 * WORD_BYTES + word_aligned(generator.argument_bytes) + WORD_BYTES
    points_at = start + OUTPUT_BYTES * generator.form.outputs
    absorbed = absorbed_points(generator.form)
    small = registry_of(circuit) == "SmallModels"
    register = "register" if small else "register_parts"
    return {
        "name": wide_name(circuit, check),
        "shape": f"{'-'.join(map(str, circuit.widths))}, {circuit.domain} rows, {circuit.tracks} tracks",
        "claim": generator.outputs.claim_text(),
        "more_imports": "",
        "registry": registry_of(circuit),
        "register": (SOURCES / f"{register}.sol.part").read_text(encoding="utf-8").rstrip(),
        "entry": part("entry"),
        "data": "its data contract" if small else "the data contracts of its parts",
        "circuit_digest": f"0x{circuit.digest.hex()}",
        "model_context": f"0x{context(MODEL_LABEL, circuit.digest).hex()}",
        "proof_context": f"0x{context(PROOF_LABEL, circuit.digest).hex()}",
        "rows": str(circuit.total_rows),
        "image_bytes": str(generator.argument_bytes),
        "classes": str(circuit.classes),
        "proof_bytes": str(generator.proof_bytes),
        "points": str(len(generator.form.points)),
        "calldata_bytes": str(start + word_aligned(generator.proof_bytes)),
        "outputs_at": str(start),
        "outputs_bytes": str(points_at - start),
        "proof_at": str(points_at),
        "scalars_at": str(points_at + POINT_BYTES * len(absorbed)),
        "final_at": str(start + generator.proof_bytes - check.final_bytes),
        "msm_points": str(circuit.total_rows + len(generator.points)),
        "msm_gas": str(20_000 * (circuit.total_rows + len(generator.points))),
        "stated_start": str(generator.point_offset(absorbed[0]) + SCALAR_OFFSET),
        "stated_end": str(generator.point_offset("mult")),
        "memory": generator.memory.constants("    "),
        "opens": opens(check),
    }
