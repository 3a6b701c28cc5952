"""The loop over tracks: a track's values are copied to fixed words, one formula serves all, and its results are moved to their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.networks.activations import Activation
from zkpredict.circuits.wide.output import Output
from zkpredict.contracts.verifier.lowering import FIELD
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import SCALAR_OFFSET, STRIDE, indented, read

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator


class TrackPart:
    """The tracks' share of a contract in the making."""

    def __init__(self, generator: WideGenerator) -> None:
        self.generator = generator
        self.plan = generator.plan
        self.count = generator.circuit.tracks

    @property
    def kinds(self) -> dict[Activation, str]:
        """The circuit's activations, by the word that holds what a lane hands on."""
        kinds = dict.fromkeys(self.generator.circuit.activations)
        return {kind: f"activation_{number}" for number, kind in enumerate(kinds)}

    def lay_out(self) -> None:
        """Words for one track's values: where they are if it is the only one, else behind one another as they are copied."""
        generator, plan, memory = self.generator, self.plan, self.generator.memory
        for kind in self.kinds.values():
            generator.word(kind)
        for name in ("tracks_constant", "lanes"):
            generator.word(name)
        if self.count == 1:
            for name in (*plan.lane_columns, *plan.rational_columns):
                generator.words[name] = generator.words[f"{name}0"]
            for family, own in plan.families.items():
                for number in range(own.count):
                    index = own.first + number
                    generator.words[f"delta_{family}_{number}"] = generator.words[f"delta_{index}"] if index else read("DELTAS")
            generator.word("negative")
            generator.words["largest_lane"] = generator.words["winner_lane"] = generator.words["lanes"]
            return
        for name in ("lane", "track_constant", "track_step", "winner_lane", "negative"):
            generator.word(name)
        memory.word("WINNER_TRACK")
        for area, names in self._areas().items():
            memory.area(area, WORD_BYTES * len(names))
            for number, name in enumerate(names):
                place = memory.at(f"TRACK_{name.upper()}", memory.places[area] + WORD_BYTES * number)
                generator.words[name] = read(place)
        memory.area("NEGATIVES", WORD_BYTES * self.count)
        memory.area("LANE_OF", WORD_BYTES * self.count)
        generator.words["largest_lane"] = read("LANE_OF")
        self._reserve_activations()
        for number in range(plan.lookups):
            memory.word(f"LOOKUP_{number}_SCALAR")

    def _reserve_activations(self) -> None:
        for kind in self.kinds.values():
            self.generator.memory.area(f"{kind.upper()}_OF", WORD_BYTES * self.count)

    def _moved_activations(self) -> list[str]:
        """Statements that keep what lanes of the track hand on."""
        return [f"mstore(add({name.upper()}_OF, mul(32, track)), mload({name.upper()}))" for name in self.kinds.values()]

    def _moved_winner(self) -> list[str]:
        """Statements that keep the claimed class's lane, where that is on the track."""
        return ["if eq(track, mload(WINNER_TRACK)) { mstore(WINNER_LANE, mload(LANE)) }"]

    def _areas(self) -> dict[str, tuple[str, ...]]:
        """What is copied for each track: areas with the names of their words."""
        found = {"TRACK_LANES": self.plan.lane_columns}
        if self.plan.rational_columns:
            found["TRACK_RATIONAL"] = self.plan.rational_columns
        for family, own in self.plan.families.items():
            found[f"TRACK_{family.upper()}_DELTAS"] = tuple(f"delta_{family}_{number}" for number in range(own.count))
        return found

    def negative(self, track: int) -> str:
        """The word for the weight of a track's signs."""
        if self.count == 1:
            return "NEGATIVE"
        return self.generator.memory.at(f"NEGATIVE{track}", self.generator.memory.places["NEGATIVES"] + WORD_BYTES * track)

    def activation(self, kind: Activation, track: int) -> str:
        """Yul of what a lane of `track` hands on."""
        name = self.kinds[kind].upper()
        return f"mload({name})" if self.count == 1 else f"mload(add({name}_OF, {WORD_BYTES * track}))"

    def functions(self) -> str:
        """The Solidity of the loop and of its body."""
        generator, formulas, alone = self.generator, self.generator.formulas, self.count == 1
        program = generator.program()
        program.compute("LANES" if alone else "LANE", formulas.lane())
        for kind, name in self.kinds.items():
            program.compute(name.upper(), formulas.activation(kind))
        signed = bool(self.plan.gadget(Output).signed_tracks)
        program.compute("TRACKS_CONSTANT" if alone else "TRACK_CONSTANT", formulas.track_constant(signed))
        for number, scalar in enumerate(formulas.lookup_scalars()):
            program.compute(f"LOOKUP0_{number}_SCALAR" if alone else f"LOOKUP_{number}_SCALAR", scalar)
        body = indented(generator.lines(program))
        if not alone:
            for name, place in (("largest_lane", "LANE_OF"), ("winner_lane", "WINNER_LANE")):
                generator.words[name] = read(place, generator.words["lane"].bound)
        name = "_tracks" if alone else "_track"
        text = f"""    /// What one track's constraints say of its values: their constants, the scalars of its lookups, its lane and what that hands on.
    function {name}() private pure {{
        // tracks_constant = sum of delta^i (constant part of constraint i); lookup scalar = there (delta^i keys - delta^sum theta)
        assembly {{
            let r := mload(ORDER)
{body}
        }}
    }}
"""
        return text.rstrip("\n") if alone else self._loop() + "\n" + text.rstrip("\n")

    def _loop(self) -> str:
        plan, count = self.plan, self.count
        lanes, more = len(plan.lane_columns) * WORD_BYTES, len(plan.rational_columns) * WORD_BYTES
        lines = [f"mcopy(TRACK_LANES, add(STATED, mul(track, {lanes})), {lanes})"]
        if more:
            lines.append(f"mcopy(TRACK_RATIONAL, add(STATED, add({lanes * count}, mul(track, {more}))), {more})")
        for family, own in plan.families.items():
            size = WORD_BYTES * own.count
            lines.append(f"mcopy(TRACK_{family.upper()}_DELTAS, add(DELTAS, add({WORD_BYTES * own.first}, mul(track, {size}))), {size})")
        lines.append("mstore(NEGATIVE, mload(add(NEGATIVES, mul(32, track))))")
        moved = [
            "let r := mload(ORDER)",
            f"mstore(TRACKS_CONSTANT, addmod(mload(TRACKS_CONSTANT), mload(TRACK_CONSTANT), {FIELD}))",
            f"mstore(LANES, addmod(mulmod(mload(LANES), mload(TRACK_STEP), {FIELD}), mload(LANE), {FIELD}))",
            "mstore(add(LANE_OF, mul(32, track)), mload(LANE))",
            *self._moved_winner(),
        ]
        moved += self._moved_activations()
        start = self.generator.point_offset("lookup0_0") + SCALAR_OFFSET
        for number in range(plan.lookups):
            at = f"add(MSM, add({start + STRIDE * number}, mul(track, {STRIDE * plan.lookups})))"
            moved.append(f"mstore({at}, mload(LOOKUP_{number}_SCALAR))")
        return f"""    /// Every track by the same formulas. lanes = sum over tracks g of alpha^(3 B g) lane_g, by Horner's rule.
    function _tracks() private pure {{
        for (uint256 track = {count}; track > 0;) {{
            --track;
            assembly {{
{indented(lines, 16)}
            }}
            _track();
            assembly {{
{indented(moved, 16)}
            }}
        }}
    }}
"""

