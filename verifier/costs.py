"""What a proof will cost, before anybody proves anything: exact counts, and an estimate of verification gas from the EIPs.

Exact gas of the shipped circuits is measured in `contracts/gas.csv`; this estimate serves any circuit of any placement.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import pairwise

from zkpredict.circuits.columns import Origin
from zkpredict.circuits.convolution.chain import contract_refusal, pooled_layers
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.layout import PACK_ROWS, Circuit
from zkpredict.circuits.placement import AnyCircuit, form, has_shared_rows, placement_of
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.circuits.statement import OUTPUT_BYTES
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.verifier.messages import HEADER_BYTES, POINT_BYTES, SCALAR_BYTES

G1MSM_DISCOUNTS = (
    1000, 949, 848, 797, 764, 750, 738, 728, 719, 712, 705, 698, 692, 687, 682, 677, 673, 669, 665, 661, 658, 654, 651, 648,
    645, 642, 640, 637, 635, 632, 630, 627, 625, 623, 621, 619, 617, 615, 613, 611, 609, 608, 606, 604, 603, 601, 599, 598,
    596, 595, 593, 592, 591, 589, 588, 586, 585, 584, 582, 581, 580, 579, 577, 576, 575, 574, 573, 572, 570, 569, 568, 567,
    566, 565, 564, 563, 562, 561, 560, 559, 558, 557, 556, 555, 554, 553, 552, 551, 550, 549, 548, 547, 547, 546, 545, 544,
    543, 542, 541, 540, 540, 539, 538, 537, 536, 536, 535, 534, 533, 532, 532, 531, 530, 529, 528, 528, 527, 526, 525, 525,
    524, 523, 522, 522, 521, 520, 520, 519,
)  # fmt: skip
"""EIP-2537: price per thousand of each of k points, k from 1 to 128; the last one holds for more points too."""
G1_MUL_GAS = 12_000
POINT_EVALUATION_GAS = 50_000
BASE_GAS = 21_000
CALLDATA_BYTE_GAS = 16
GAS_PER_PIXEL = 22
GAS_PER_ROW = 150
GAS_FIXED = 21_500
"""Transcript, public polynomials, linearisation, hashing and memory of one verification, fitted to the measured contracts."""
SECOND_GAS_FIXED = 23_900
"""The same of verifiers of the second edition, with the table's polynomial."""
UNIVERSAL_GAS_PER_PIXEL = 31
UNIVERSAL_GAS_PER_LAYER = 3_900
UNIVERSAL_GAS_PER_CLASS = 335
UNIVERSAL_GAS_PER_ROW = 165
UNIVERSAL_GAS_PER_EXPONENT = 410
UNIVERSAL_GAS_FIXED = 21_300
"""The same of the universal verifier, whose loops run over layers, classes, rows and powers of alpha."""
WIDE_GAS_PER_ROW = 264
WIDE_GAS_PER_TRACK = 17_400
WIDE_GAS_FIXED = 11_000
"""The same of verifiers made for wide circuits."""
CONVOLUTION_GAS_PER_PIXEL, CONVOLUTION_GAS_PER_DOMAIN_ROW, CONVOLUTION_GAS_LESS = 60, 65, 20_000
MAX_POOL_GAS_PER_LANE = 190
SHARED_GAS_PER_PIXEL = 30
PROVE_SECONDS_PER_CELL = 3.2e-6
PROVE_SECONDS_PER_WEIGHT = 3e-9
PROVE_SECONDS_FIXED = 0.05
"""Processor time to prove (on two idle cores it takes some 0.6 of it), fitted to measured proofs: for each row of each column that a
proof commits, for each weight, and once."""


@dataclass(frozen=True)
class Costs:
    """Exact, except the estimates: a whole transaction with an image that has no blank pixels, at a verifier made for the circuit and at
    the universal one (None where none serves it: convolutions of geometries that no contract is made for; wide circuits and those of the second edition at the universal one), and the processor time to prove. Every blank pixel costs less gas, so they
    bound other images from above. A proof's file has `proof_bytes`, of which `proof_payload_bytes` are points, scalars and outputs, and the
    rest says which model and class it is of.
    """

    placement: str
    domain: int
    tracks: int
    packs: int
    packs_available: int
    committed_rows: int
    registry_bytes: int
    proof_points: int
    folded_points: int
    proof_bytes: int
    proof_payload_bytes: int
    verify_gas_estimate: int | None
    universal_gas_estimate: int | None
    prove_seconds_estimate: float

    def as_dict(self) -> dict[str, object]:
        return asdict(self)


def msm_gas(points: int) -> int:
    """Gas of the G1MSM precompile for `points` points (EIP-2537)."""
    return points * G1_MUL_GAS * G1MSM_DISCOUNTS[min(points, len(G1MSM_DISCOUNTS)) - 1] // 1000


def estimate_costs(circuit: AnyCircuit) -> Costs:
    """The cost of proofs in `circuit`."""
    shape = form(circuit)
    tables = sum(column.origin is Origin.FIXED for column in shape.columns)
    committed = sum(column.origin is Origin.STATEMENT for column in shape.columns)  # points of a hidden input, in the place of its bytes
    points = circuit.total_rows + len(shape.points) - 1 + tables + committed  # every point but the final one, and the tables
    header = OUTPUT_BYTES * shape.outputs
    payload = header + len(shape.points) * POINT_BYTES + len(shape.scalars) * SCALAR_BYTES
    onchain = payload + (len(shape.points) - 1) * POINT_BYTES  # every point but the final one is uncompressed there
    calldata = onchain + (2 * POINT_BYTES * committed or circuit.inputs) + 7 * 32
    alike = BASE_GAS + CALLDATA_BYTE_GAS * calldata + msm_gas(points) + POINT_EVALUATION_GAS
    gas: int | None
    universal: int | None
    if isinstance(circuit, ConvCircuit):
        tracks, available, universal = circuit.tracks, circuit.folded, None
        gas = None if contract_refusal(circuit) else alike + _wide_gas(circuit) + _convolution_gas(circuit)
        packs = sum(band.packs for layer in range(circuit.layers) for band in circuit.groups(layer))
    elif isinstance(circuit, SecondCircuit):
        tracks, available, gas, universal = 1, circuit.domain // PACK_ROWS, alike + _second_gas(circuit), None
        packs = sum(group.packs for group in circuit.layer_groups)
    elif isinstance(circuit, WideCircuit):
        tracks, available, gas = circuit.tracks, circuit.folded, alike + _wide_gas(circuit)
        packs, universal = sum(band.packs for band in circuit.bands), None
    else:
        tracks, available, gas = 1, circuit.domain // PACK_ROWS, alike + _compact_gas(circuit)
        packs, universal = sum(group.packs for group in circuit.groups), alike + _universal_gas(circuit)
    return Costs(
        placement=placement_of(circuit),
        domain=circuit.domain,
        tracks=tracks,
        packs=packs,
        packs_available=available,
        committed_rows=circuit.total_rows,
        registry_bytes=circuit.total_rows * 96,
        proof_points=len(shape.points),
        folded_points=points,
        proof_bytes=HEADER_BYTES + payload,
        proof_payload_bytes=payload,
        verify_gas_estimate=gas,
        universal_gas_estimate=universal,
        prove_seconds_estimate=round(
            PROVE_SECONDS_FIXED + PROVE_SECONDS_PER_CELL * circuit.domain * len(shape.points) + PROVE_SECONDS_PER_WEIGHT * weights_of(circuit), 2
        ),
    )


def weights_of(circuit: AnyCircuit) -> int:
    """How many weights networks in `circuit` have: those of kernels once, whatever the number of their positions."""
    if isinstance(circuit, ConvCircuit):
        return sum(circuit.taps(layer) * circuit.channels(layer) for layer in range(circuit.layers) if not circuit.is_pool(layer))
    return sum(one * following for one, following in pairwise(circuit.widths))


def _compact_gas(circuit: Circuit) -> int:
    return GAS_PER_PIXEL * circuit.inputs + GAS_PER_ROW * circuit.total_rows + GAS_FIXED


def _second_gas(circuit: SecondCircuit) -> int:
    return GAS_PER_PIXEL * circuit.inputs + GAS_PER_ROW * circuit.total_rows + SECOND_GAS_FIXED


def _wide_gas(circuit: WideCircuit) -> int:
    """What a wide verifier's own code takes."""
    pixels = 0 if circuit.private_input else circuit.inputs
    return GAS_PER_PIXEL * pixels + WIDE_GAS_PER_ROW * circuit.total_rows + WIDE_GAS_PER_TRACK * circuit.tracks + WIDE_GAS_FIXED


def _convolution_gas(circuit: ConvCircuit) -> int:
    """What convolutions add to it: the image by rows, powers of eta and sums over lanes; with max pools each lane of an entrant or match."""
    if has_shared_rows(circuit):
        return SHARED_GAS_PER_PIXEL * circuit.inputs
    pools = pooled_layers(circuit)
    return (
        CONVOLUTION_GAS_PER_PIXEL * circuit.inputs
        + CONVOLUTION_GAS_PER_DOMAIN_ROW * circuit.domain
        + MAX_POOL_GAS_PER_LANE * sum(circuit.widths[layer] + circuit.matches(layer) for layer in pools)
        - CONVOLUTION_GAS_LESS
    )


def _universal_gas(circuit: Circuit) -> int:
    exponents = circuit.first_equation(circuit.layers) + circuit.classes + len(circuit.pinned_rows)
    return (
        UNIVERSAL_GAS_PER_PIXEL * circuit.inputs
        + UNIVERSAL_GAS_PER_LAYER * circuit.layers
        + UNIVERSAL_GAS_PER_CLASS * circuit.classes
        + UNIVERSAL_GAS_PER_ROW * circuit.total_rows
        + UNIVERSAL_GAS_PER_EXPONENT * exponents
        + UNIVERSAL_GAS_FIXED
    )
