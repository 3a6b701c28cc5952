"""Gates: what a lane's pre-activation becomes. The registry, by tag; ReLU is the first entry.

A gate is registered by one line, `register(MyGate)`. Its tag stands in the circuit's bytes, so a circuit's digest says which gate
each layer has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnsupportedNetwork, bits
from zkpredict.circuits.expression import Public
from zkpredict.circuits.field import S
from zkpredict.circuits.gadgets.base import Gadget
from zkpredict.circuits.layout import LANE_ROWS, PACK_LANES, SIGN_ROW, Circuit
from zkpredict.circuits.publics import Periodic

if TYPE_CHECKING:
    from zkpredict.circuits.networks.activations import Activation
    from zkpredict.circuits.networks.dense import Interval

GATES: dict[int, type[Gate]] = {}
"""Every gate by its tag."""


class Gate(Gadget):
    """The activation of the hidden layers that carry its tag: reads a lane's limbs and sign, writes the activation at r2.

    `activation` is the name of the integer semantics in `circuits.networks.activations`; `tag` (0 to 15) stands for it in circuits.
    """

    tag: int
    activation: str

    def __init__(self, circuit: Circuit) -> None:
        super().__init__(circuit)
        self.everywhere = set(circuit.gates[:-1]) <= {self.tag}

    @property
    def on(self) -> Public:
        """1 on row r1 of the gate's lanes."""
        return Public("limb_top" if self.everywhere else f"gate{self.tag}")

    def selectors(self, alpha: S) -> dict[str, Periodic[S]]:
        if self.everywhere:
            return {}
        return {f"gate{self.tag}": Periodic(self.circuit.domain, {lane * LANE_ROWS + SIGN_ROW: 1 for lane in self.lanes()})}

    def lanes(self) -> list[int]:
        """Numbers of the lanes that this gate activates: all, or those of its own layers."""
        if self.everywhere:
            return list(range(self.circuit.domain // LANE_ROWS))
        return [
            group.pack_row(slot) // LANE_ROWS + lane
            for tag, group in zip(self.circuit.gates[:-1], self.circuit.layer_groups[:-1], strict=True)
            if tag == self.tag
            for slot in range(group.slots)
            for lane in range(PACK_LANES)
        ]

    @classmethod
    def fit(cls, number: int, shift: int, interval: Interval) -> tuple[int, int]:
        """Lanes a value and scale (as a power of two) at which layer `number` is stored. Raises `UnsupportedNetwork`."""
        raise NotImplementedError


def register(gate: type[Gate]) -> type[Gate]:
    """Adds a gate. Raises `ValueError` for a tag, or an activation, that another gate has."""
    if not 0 <= gate.tag <= 15 or gate.tag in GATES or any(g.activation == gate.activation for g in GATES.values()):
        raise ValueError(f"gate {gate.__name__} has the tag {gate.tag} and the activation {gate.activation}: taken, or out of range")
    GATES[gate.tag] = gate
    return gate


def gate_of(activation: Activation, number: int) -> type[Gate]:
    """The gate that computes `activation` of layer `number`. Raises `UnsupportedNetwork` when no gate of this placement does."""
    for gate in GATES.values():
        if gate.activation == activation.name:
            return gate
    known = ", ".join(gate.activation for gate in GATES.values())
    raise UnsupportedNetwork(f"layer {number} uses {activation}: compact circuits hold {known} only")


def check_rows(number: int, interval: Interval, limit: int, shift: int) -> None:
    """Refuses by name a row of layer `number` whose range reaches `limit`. Raises `UnsupportedNetwork`."""
    for row, (low, high) in enumerate(zip(interval.low, interval.high, strict=True)):
        if max(abs(low), abs(high)) >= limit:
            raise UnsupportedNetwork(
                f"layer {number} row {row} reaches up to {bits(max(abs(low), abs(high)))} on some input, "
                f"the limit is {limit - 1}" + (f" at shift {shift}" if shift else "")
            )
