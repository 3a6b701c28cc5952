"""What a proof will cost, before anybody proves anything: exact counts, and an estimate of verification gas from the EIPs.

Exact gas of the shipped circuits is measured in `contracts/gas.csv`; this estimate serves any circuit.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from zkpredict.circuits.layout import PACK_ROWS, Circuit
from zkpredict.circuits.placement import form
from zkpredict.verifier.messages import POINT_BYTES, SCALAR_BYTES

G1MSM_DISCOUNTS = (
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665, 661, 658, 654, 651, 648,
    645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615, 613, 611, 609, 608, 606, 604, 603, 601, 599, 598,
)  # fmt: skip
"""EIP-2537: price per thousand of each of k points, k from 1: as many as any circuit of at most 32 packs needs."""
G1_MUL_GAS = 12_000
POINT_EVALUATION_GAS = 50_000
BASE_GAS = 21_000
CALLDATA_BYTE_GAS = 16
GAS_PER_PIXEL = 22
GAS_PER_ROW = 150
GAS_FIXED = 21_500
"""Transcript, public polynomials, linearisation, hashing and memory of one verification, fitted to the measured contracts."""
UNIVERSAL_GAS_PER_PIXEL = 31
UNIVERSAL_GAS_PER_LAYER = 3_900
UNIVERSAL_GAS_PER_CLASS = 335
UNIVERSAL_GAS_PER_ROW = 165
UNIVERSAL_GAS_PER_EXPONENT = 410
UNIVERSAL_GAS_FIXED = 21_300
"""The same of the universal verifier, whose loops run over layers, classes, rows and powers of alpha."""


@dataclass(frozen=True)
class Costs:
    """Exact, except the estimates: a whole transaction with an image that has no blank pixels, at a verifier made for the circuit and at
    the universal one. Every blank pixel costs less, so they bound other images from above.
    """

    domain: int
    packs: int
    packs_available: int
    committed_rows: int
    registry_bytes: int
    folded_points: int
    proof_payload_bytes: int
    verify_gas_estimate: int
    universal_gas_estimate: int

    def as_dict(self) -> dict[str, int]:
        return asdict(self)


def msm_gas(points: int) -> int:
    """Gas of the G1MSM precompile for `points` points (EIP-2537)."""
    return points * G1_MUL_GAS * G1MSM_DISCOUNTS[points - 1] // 1000


def estimate_costs(circuit: Circuit) -> Costs:
    """The cost of proofs in `circuit`."""
    shape = form(circuit)
    points = circuit.total_rows + len(shape.points)  # every point but the final one, and the table
    payload = len(shape.points) * POINT_BYTES + len(shape.scalars) * SCALAR_BYTES
    onchain = payload + (len(shape.points) - 1) * POINT_BYTES  # every point but the final one is uncompressed there
    calldata = onchain + circuit.inputs + 7 * 32
    exponents = circuit.first_equation(circuit.layers) + circuit.classes + len(circuit.pinned_rows)
    alike = BASE_GAS + CALLDATA_BYTE_GAS * calldata + msm_gas(points) + POINT_EVALUATION_GAS
    return Costs(
        domain=circuit.domain,
        packs=sum(group.packs for group in circuit.groups),
        packs_available=circuit.domain // PACK_ROWS,
        committed_rows=circuit.total_rows,
        registry_bytes=circuit.total_rows * 96,
        folded_points=points,
        proof_payload_bytes=payload,
        verify_gas_estimate=alike + GAS_PER_PIXEL * circuit.inputs + GAS_PER_ROW * circuit.total_rows + GAS_FIXED,
        universal_gas_estimate=alike
        + UNIVERSAL_GAS_PER_PIXEL * circuit.inputs
        + UNIVERSAL_GAS_PER_LAYER * circuit.layers
        + UNIVERSAL_GAS_PER_CLASS * circuit.classes
        + UNIVERSAL_GAS_PER_ROW * circuit.total_rows
        + UNIVERSAL_GAS_PER_EXPONENT * exponents
        + UNIVERSAL_GAS_FIXED,
    )
