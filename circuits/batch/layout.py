"""Where the inputs of a batch lie: slot by slot on a track, then stack by stack on further tracks.

    image b : slot b mod J, stack b div J, where J = slots of the model's circuit and G_0 its tracks
    slot    : the model's own blocks, each `slot` blocks further on
    stack   : tracks G_0 stack ... G_0 (stack + 1) - 1
    weight  : alpha^E_b, E_b = D stack + 3 (J - 1 - slot), by which every equation of image b is multiplied

D is so large that equations of different images never have the same power of alpha, whatever places a row of the first layer fills:
docs/batches.md. Slots to spare in the last stack hold the network's run on zeros, of which nothing is claimed. Circuits with convolutions
have one slot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS, S, power
from zkpredict.circuits.placement import AnyCircuit, has_shared_rows
from zkpredict.circuits.wide.claims import CLASS
from zkpredict.circuits.wide.geometry import PACKS_PER_BLOCK
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.circuits.wide.layout import WideCircuit

if TYPE_CHECKING:
    from zkpredict.circuits.gadgets.base import Gadget

MAX_BATCH_TRACKS = 256
ADVICE = "`zkpredict commit --batch --again --model FILE --out FILE` makes a commitment that has them"


class BatchCircuit(WideCircuit):
    """The circuit of a model, for `images` inputs: one of the classes below. Its bytes and its digest are those of the model's circuit.

    Raises `UnsupportedNetwork` when they are too many, and for claims and inputs that batches have not.
    """

    images: int

    def __post_init__(self) -> None:
        if self.private_input:
            raise UnsupportedNetwork(f"batches have public inputs only, and the model was committed for hidden ones: {ADVICE}")
        if self.claim != CLASS:
            raise UnsupportedNetwork(f"batches claim the class only, and the model was committed to claim {self.claim}: {ADVICE}")
        super().__post_init__()
        if not 1 <= self.images <= self.most_images:
            raise UnsupportedNetwork(f"a proof of this model holds 1 to {self.most_images} inputs, got {self.images}")

    @staticmethod
    def of(circuit: AnyCircuit, images: int) -> BatchCircuit:
        """`circuit` for a batch. Raises `UnsupportedNetwork` for circuits that have none."""
        if not isinstance(circuit, WideCircuit):
            raise UnsupportedNetwork(f"compact circuits have no batches: {ADVICE}")
        if isinstance(circuit, ReplicaCircuit):
            raise UnsupportedNetwork(f"circuits with replicas, which are for single proofs on a chain, have no batches: {ADVICE}")
        if has_shared_rows(circuit):
            raise UnsupportedNetwork(f"circuits with shared rows, which are for single proofs on a chain, have no batches: {ADVICE}")
        fields = (circuit.widths, circuit.lanes, circuit.activations, circuit.domain, circuit.claim, circuit.private_input, circuit.slotted)
        if isinstance(circuit, ConvCircuit):
            return ConvBatch(*fields, circuit.grids, circuit.wiring, images)
        return DenseBatch(*fields, images)

    def gadgets(self) -> tuple[Gadget, ...]:
        from zkpredict.circuits.batch.placement import batch_gadgets  # late: it builds on this module

        return batch_gadgets(self)

    @property
    def most_images(self) -> int:
        """Inputs that one proof can hold."""
        return MAX_BATCH_TRACKS // self.model_tracks * self.slots

    @property
    def stacks(self) -> int:
        """How often the model's tracks are there."""
        return -(-self.images // self.slots)

    @property
    def places(self) -> int:
        """Slots in all: those to spare hold zeros."""
        return self.stacks * self.slots

    @property
    def tracks(self) -> int:
        return self.model_tracks * self.stacks

    @property
    def rotated(self) -> range:
        """The slots for which rows of later layers are read at other rows."""
        return range(1, self.slots if self.layers > 1 else 1)

    @cached_property
    def model(self) -> WideCircuit:
        """The model's own circuit."""
        return WideCircuit(self.widths, self.lanes, self.activations, self.domain, self.claim, self.private_input, self.slotted)

    def track(self, stack: int, track: int) -> int:
        """The number of the model's `track` in a stack."""
        return self.model_tracks * stack + track

    # powers of alpha

    @property
    def stack_exponent(self) -> int:
        """D: all packs of the model's tracks, and all that a row of the first layer reaches beyond them."""
        return PACKS_PER_BLOCK * self.blocks * self.model_tracks + (self.packs_per_row - 1) * max(self.input_steps)

    def slot_exponent(self, slot: int) -> int:
        """3 (J - 1 - slot)."""
        return PACKS_PER_BLOCK * (self.slots - 1 - slot)

    def image_exponent(self, image: int) -> int:
        """E_b."""
        stack, slot = divmod(image, self.slots)
        return self.stack_exponent * stack + self.slot_exponent(slot)

    def stack_sum(self, alpha: S) -> S | int:
        """The sum over stacks of alpha^(D stack)."""
        return sum_of_powers(power(alpha, self.stack_exponent), range(self.stacks))

    def slot_sum(self, alpha: S) -> S | int:
        """The sum over slots of alpha^(3 (J - 1 - slot)): with `stack_sum`, the sum of all weights."""
        return sum_of_powers(power(alpha, PACKS_PER_BLOCK), range(self.slots))


@dataclass(frozen=True)
class DenseBatch(BatchCircuit):
    """Of a model of dense layers."""

    images: int = 1


@dataclass(frozen=True)
class ConvBatch(BatchCircuit, ConvCircuit):
    """Of a model with convolutions: one input a stack. No kernel reaches a power of alpha but those of its packs."""

    images: int = 1

    @property
    def stack_exponent(self) -> int:
        return PACKS_PER_BLOCK * self.blocks * self.model_tracks

    @cached_property
    def model(self) -> ConvCircuit:
        return ConvCircuit(
            self.widths, self.lanes, self.activations, self.domain, self.claim, self.private_input, self.slotted, self.grids, self.wiring
        )


def sum_of_powers(base: S, exponents: Sequence[int]) -> S | int:
    """sum of base^e."""
    total: S | int = 0
    for exponent in exponents:
        total = (total + power(base, exponent)) % MODULUS
    return total
