"""What quantisation cost: accuracy float against integer, confusions, disagreements, and the bounds of every layer.

The integer network is always measured by its reference, `IntegerNetwork.infer`. No TensorFlow: what the original answered comes in as an
array, whoever ran it (`zkpredict.training.original`).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np

from zkpredict.circuits.choice import AnyCompiled, Choice, choices, replica_choices, shared_choices
from zkpredict.circuits.compiler import CompiledNetwork
from zkpredict.circuits.errors import UnsupportedNetwork, UnusableInput, bit_bound, bits
from zkpredict.circuits.layout import LANE_BITS, LOGIT_LIMIT, NARROW
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import PLACEMENT_NAMES, claim_of
from zkpredict.circuits.second.compiler import SecondNetwork
from zkpredict.circuits.second.layout import LANE_BITS as SECOND_LANE_BITS
from zkpredict.circuits.sizes import compile_or_advise
from zkpredict.circuits.wide.claims import LOGIT_LIMIT as WIDE_LOGIT_LIMIT
from zkpredict.circuits.wide.compiler import WideNetwork
from zkpredict.circuits.wide.layout import DOUBLE
from zkpredict.contracts.verifier.wide.fits import surely_fits
from zkpredict.training.datasets import LabelledImages
from zkpredict.training.samples import Rows
from zkpredict.verifier.costs import Costs, estimate_costs

_BATCH = 500
"""Samples that are run at once: a convolution reads each number of a map many times."""


@dataclass(frozen=True)
class LayerReport:
    """One layer in the circuit.

    `bound`: the largest absolute pre-activation over ALL byte inputs. `lane_bits`: what its lane holds, 24 (narrow) or 48.
    `shape` says in words what it reads and hands on. `headroom_bits`: log2 of how much longer the longest row could get, at this shift, before it leaves the lane.

    What follows from the weights (`PRIVATE`) is told on request only; without it two bounds are told, rounded up to powers of two.
    """

    PRIVATE = ("largest_weight", "bound", "shift", "headroom_bits")

    number: int
    inputs: int
    outputs: int
    largest_weight: int
    bound: int
    shift: int
    lane: str
    lane_bits: int
    headroom_bits: float
    shape: str

    def to_json(self, private: bool = False) -> dict:
        facts = {name: value for name, value in asdict(self).items() if private or name not in self.PRIVATE}
        return facts | {"largest_weight_bits": bit_bound(self.largest_weight), "bound_bits": bit_bound(self.bound)}

    def to_line(self, private: bool = False) -> str:
        shape, lanes = f"  layer {self.number}  {self.shape}", f"{self.lane} lanes ({self.lane_bits} bits)"
        if not private:
            return f"{shape}: |weight| <= {bits(self.largest_weight)}, |z| <= {bits(self.bound)} on any input, {lanes}"
        return (
            f"{shape}: |weight| <= {self.largest_weight}, |z| <= {self.bound:,} on any input, shift {self.shift}, {lanes}, "
            f"{self.headroom_bits:.2f} bits to spare"
        )


@dataclass(frozen=True)
class Offer:
    """One way to place the network, with what its proofs cost, or why it is none. `chosen`: the one that is, or would be, committed."""

    placement: str
    domain: int
    costs: Costs | None
    refused: str
    chosen: bool
    replicas: tuple[int, ...] = ()
    """How often each hidden layer lies on the trace, in a circuit with replicas."""
    shared: bool = False
    """Whether all layers share its rows of weights."""

    @classmethod
    def of(cls, choice: Choice, chosen: AnyCompiled) -> Offer:
        costs = None if choice.circuit is None else estimate_costs(choice.circuit)
        return cls(choice.placement, choice.domain, costs, choice.refused, choice.circuit == chosen.circuit, choice.replicas, choice.shared)

    def to_json(self) -> dict:
        facts = {"placement": self.placement, "domain": self.domain, "refused": self.refused or None, "chosen": self.chosen}
        facts |= {"replicas": list(self.replicas)} if self.replicas else {}
        facts |= {"shared_rows": True} if self.shared else {}
        return (self.costs.as_dict() if self.costs else {}) | facts


@dataclass(frozen=True)
class CircuitReport:
    """The layers, proof costs and choices of a network, and why it is placed as it is; or no layers, no costs and the reason why no
    circuit holds it."""

    layers: tuple[LayerReport, ...]
    costs: Costs | None
    unprovable: str | None
    offers: tuple[Offer, ...] = ()
    why: str = ""

    def to_json(self, private: bool = False) -> dict:
        return {
            "layers": [layer.to_json(private) for layer in self.layers],
            "costs": self.costs.as_dict() if self.costs else None,
            "unprovable": self.unprovable,
            "choices": [offer.to_json() for offer in self.offers],
            "why": self.why,
        }


@dataclass(frozen=True)
class Disagreement:
    """An image on which float and integer network differ."""

    index: int
    label: int
    float_digit: int
    integer_digit: int


@dataclass(frozen=True, eq=False)
class AccuracyReport:
    """How the integer network does on labelled images; the float fields are None without a float network.

    `confusion[label, digit]` counts the integer network's answers, int64 [classes, classes].
    """

    images: int
    integer_accuracy: float
    float_accuracy: float | None
    confusion: np.ndarray
    disagreements: tuple[Disagreement, ...] | None

    @property
    def lost_points(self) -> float | None:
        """Percentage points of accuracy that quantisation cost; negative when the integer network is better."""
        return None if self.float_accuracy is None else 100 * (self.float_accuracy - self.integer_accuracy)

    def to_json(self) -> dict:
        return {
            "images": self.images,
            "integer_accuracy": self.integer_accuracy,
            "float_accuracy": self.float_accuracy,
            "lost_points": self.lost_points,
            "confusion": self.confusion.tolist(),
            "disagreements": None if self.disagreements is None else [asdict(entry) for entry in self.disagreements],
        }


def circuit_report(network: IntegerNetwork, committed: AnyCompiled | None = None) -> CircuitReport:
    """Compiles `network`, unless it is `committed` in a circuit already, and says what its proofs cost, there and in other circuits. A
    network that fits no circuit can still be run and exported."""
    try:
        compiled = committed or compile_or_advise(network)
    except UnsupportedNetwork as error:
        return CircuitReport((), None, str(error))
    circuit = compiled.circuit
    private_input = isinstance(compiled, WideNetwork) and compiled.circuit.private_input
    offered = list(choices(network, claim_of(circuit), private_input))
    replicas = [] if private_input else [*replica_choices(network, claim_of(circuit)), *shared_choices(network, claim_of(circuit))]
    own = [one for one in replicas if one.circuit == circuit]
    on_chain = (one for one in sorted(replicas, key=_gas) if one.circuit is not None and surely_fits(one.circuit))
    offered += own or islice(on_chain, 1)
    offers = tuple(Offer.of(choice, compiled) for choice in offered)
    return CircuitReport(layer_reports(compiled), estimate_costs(circuit), None, offers, _why(compiled, committed is not None, offers))


def _gas(choice: Choice) -> int:
    """The estimated gas of a proof in a circuit that holds the network."""
    return 0 if choice.circuit is None else estimate_costs(choice.circuit).verify_gas_estimate or 0


def _why(compiled: AnyCompiled, committed: bool, offers: tuple[Offer, ...]) -> str:
    """Why this circuit is taken, of those on offer."""
    if committed:
        return "it is committed there: `zkpredict commit --again` with --placement, --domain or --for chooses anew"
    compact = [offer for offer in offers if offer.placement == PLACEMENT_NAMES[0]]
    if not isinstance(compiled, WideNetwork):
        return "compact circuits have the smallest proofs, and one with these rows holds it; `zkpredict commit --for chain` takes the cheapest on-chain"
    if compiled.network.grids:
        return "the smallest proof of the circuits with convolutions that hold it"
    reason = next((offer.refused for offer in reversed(compact) if offer.refused), "")
    return f"the smallest proof of a wide circuit; no compact one holds it ({reason})"


def layer_reports(compiled: AnyCompiled) -> tuple[LayerReport, ...]:
    """One entry for each layer of a compiled network."""
    network = compiled.network
    wide, first = isinstance(compiled, WideNetwork), isinstance(compiled, CompiledNetwork)
    all_lanes = compiled.circuit.lanes if first else (*compiled.circuit.lanes, DOUBLE)
    lane_bits = SECOND_LANE_BITS if isinstance(compiled, SecondNetwork) else LANE_BITS
    found = []
    for number, (layer, interval) in enumerate(zip(network.layers, network.intervals, strict=True)):
        lanes, bits = all_lanes[number], all_lanes[number] * lane_bits
        last = number == len(network.layers) - 1
        limit = (WIDE_LOGIT_LIMIT if wide else LOGIT_LIMIT) if last else 1 << (bits - 1 - compiled.scales[number])
        found.append(
            LayerReport(
                number=number,
                inputs=layer.inputs,
                outputs=layer.outputs,
                largest_weight=int(np.abs(layer.narrow.astype(np.int64)).max(initial=0)),
                bound=interval.magnitude,
                shift=layer.shift,
                lane="narrow" if lanes == NARROW else "wide",
                lane_bits=bits,
                headroom_bits=float(np.log2(limit / max(interval.magnitude, 1))),
                shape=_shape(layer),
            )
        )
    return tuple(found)


def _shape(layer: DenseLayer) -> str:
    """What a layer does, in words."""
    if isinstance(layer, ConvLayer | MaxPoolLayer):
        return layer.wiring.in_words(layer.grid.in_words(layer.channels))
    return layer.wiring.in_words(f"{layer.inputs} to {layer.outputs}")


def accuracy_report(
    network: IntegerNetwork, data: LabelledImages | Rows, float_digits: np.ndarray | None = None
) -> AccuracyReport:
    """Runs every sample. `float_digits` int64 [samples]: what the original model answered. Raises `UnusableInput` when samples,
    labels and network do not fit each other."""
    inputs, classes = network.shape[0], network.shape[-1]
    if data.flat.shape[1] != inputs:
        shape = list(data.images.shape[1:]) if isinstance(data, LabelledImages) else [data.flat.shape[1]]
        raise UnusableInput(f"the model takes {inputs} {'pixels' if len(shape) == 2 else 'inputs'}, the {data.noun} are {shape}")
    if data.classes > classes:
        raise UnusableInput(f"the model knows {classes} classes, the labels go up to {data.classes - 1}")
    digits = np.concatenate([network.infer(data.flat[first : first + _BATCH]).digits for first in range(0, len(data), _BATCH)])
    confusion = np.zeros((classes, classes), np.int64)
    np.add.at(confusion, (data.labels, digits), 1)
    disagreements, float_accuracy = None, None
    if float_digits is not None:
        float_accuracy = float((float_digits == data.labels).mean())
        disagreements = tuple(
            Disagreement(int(i), int(data.labels[i]), int(float_digits[i]), int(digits[i]))
            for i in np.flatnonzero(float_digits != digits)
        )
    return AccuracyReport(len(data), float((digits == data.labels).mean()), float_accuracy, confusion, disagreements)
