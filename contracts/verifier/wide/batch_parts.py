"""Parts of a batch's contract: tracks with a stack each, rows with their slots' shares, and the classes of all inputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.batch.layout import DenseBatch
from zkpredict.circuits.networks.activations import Activation
from zkpredict.circuits.rows import RowColumn
from zkpredict.contracts.verifier.lowering import FIELD
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.symbolic import Symbol, lifted
from zkpredict.contracts.verifier.wide import batch_loops as loops
from zkpredict.contracts.verifier.wide.outputs import OutputPart
from zkpredict.contracts.verifier.wide.plan import progressions
from zkpredict.contracts.verifier.wide.rows import RowPart
from zkpredict.contracts.verifier.wide.tracks import TrackPart

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.batches import BatchGenerator


class BatchTracks(TrackPart):
    """One track for each stack; what it hands on is summed with the stacks' powers of alpha."""

    def _reserve_activations(self) -> None:
        for kind in self.kinds.values():
            self.generator.word(f"{kind}_all")

    def _moved_activations(self) -> list[str]:
        return [
            f"mstore({name}_ALL, addmod(mulmod(mload({name}_ALL), mload(TRACK_STEP), {FIELD}), mload({name}), {FIELD}))"
            for name in (kind.upper() for kind in self.kinds.values())
        ]

    def _moved_winner(self) -> list[str]:
        return []

    def activation(self, kind: Activation, track: int) -> str:
        return f"mload({self.kinds[kind].upper()}{'' if self.count == 1 else '_ALL'})"

    def functions(self) -> str:
        text = super().functions()
        self.generator.words["largest_lane"] = self.generator.words["lanes"]  # of all stacks, as they are folded
        return text


class BatchRows(RowPart):
    """Rows of later layers have their slots' shares in what they read."""

    def _scalar(self, column: RowColumn) -> str:
        if column.coefficients:
            return super()._scalar(column)
        activation = self.generator.tracks.activation(self.generator.circuit.activations[column.layer - 1], 0)
        met = f"addmod(mulmod(mload(READS{column.layer}), {activation}, {FIELD}), mload(BIAS_AT_RHO), {FIELD})"
        return f"mulmod(mload(DELTA_{self.generator.plan.constraint_count - 1}), {met}, {FIELD})"


class BatchOutputs(OutputPart):
    """The classes of all inputs."""

    generator: BatchGenerator
    circuit: DenseBatch

    def claim_text(self) -> str:
        return "each of classes is the class of its image in images, the first one with the largest logit"

    def reserve(self) -> None:
        for run in progressions(self.band.exponents()):
            self.generator.rows.ask(run.last, run.step)
        self.generator.memory.area("PACK_WEIGHTS", WORD_BYTES * self.band.packs)
        for name in ("largest_weight", "largest", "winner"):
            self.generator.word(name)

    def fixed_constant(self) -> Symbol:
        return lifted(0)

    def largest(self) -> Symbol:
        return Symbol.named("largest")

    def spare(self) -> Symbol:
        return lifted(0)

    def winner(self) -> Symbol:
        return Symbol.named("winner")

    def weigh(self) -> str:
        return loops.weigh_images(self)

    def check(self) -> str:
        return """        {
            uint256 index = _noClass();
            if (index != IMAGES) return (uint32(WrongClass.selector), index);
        }
"""
