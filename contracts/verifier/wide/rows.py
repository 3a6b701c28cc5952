"""The model's rows, and their scalars: a layer's rows have exponents that fall by a step, run by run, on every track that it reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.wide.dense import Dense, geometric
from zkpredict.circuits.wide.geometry import LANE_BITS
from zkpredict.circuits.wide.joined import bias, reads
from zkpredict.circuits.wide.layout import WideCircuit, hidden_rows_name
from zkpredict.circuits.wide.replicas import ReplicaCircuit, kinds
from zkpredict.contracts.verifier.lowering import FIELD
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import POINT_BYTES, SCALAR_OFFSET, STRIDE
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.symbolic import Power, Symbol, lifted
from zkpredict.contracts.verifier.wide import hidden
from zkpredict.contracts.verifier.wide.shared import SharedPart
from zkpredict.contracts.verifier.wide.plan import Progression, progressions
from zkpredict.contracts.verifier.wide.registration import PART_ROWS

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator


UNROLLED_ROWS = 32
Replicas = tuple[tuple[int, ...], ...]
"""Exponents of the same rows, for each replica of their layer."""


@dataclass(frozen=True)
class CopiedRun:
    """Rows whose lowest exponents are a progression, and by how much the other replicas' are above them."""

    run: Progression
    shifts: tuple[int, ...]


@dataclass(frozen=True)
class Copied:
    """sum over replicas of alpha^exponent, where replica by replica a run of exponents is moved by `shifts`: `base` is the lowest."""

    base: int
    shifts: tuple[int, ...]

    @classmethod
    def of(cls, exponents: Iterable[int]) -> Copied:
        own = sorted(exponents)
        return cls(own[0], tuple(exponent - own[0] for exponent in own))


class RowPart:
    """The rows' share of a contract in the making."""

    def __init__(self, generator: WideGenerator) -> None:
        self.generator = generator
        self.powers: dict[int, str] = {}
        self.runs: dict[Replicas, str] = {}
        self.sums: dict[tuple[int, ...], str] = {}

    def read_lines(self, registry: str) -> list[str]:
        """Statements that read the rows as they are hashed, from where that registry keeps them."""
        if registry == "SmallModels":
            return ["extcodecopy(data, add(STATE, 32), 1, mul(ROWS, POINT_BYTES))"]
        parts, last = divmod(self.generator.circuit.total_rows - 1, PART_ROWS)
        size = PART_ROWS * POINT_BYTES
        return [
            f"extcodecopy(data, PARTS, 1, {WORD_BYTES * (parts + 1)})",
            "let at := add(STATE, 32)",
            f"for {{ let part := PARTS }} lt(part, add(PARTS, {WORD_BYTES * parts})) {{ part := add(part, 32) }} {{",
            f"    extcodecopy(mload(part), at, 1, {size})",
            f"    at := add(at, {size})",
            "}",
            f"extcodecopy(mload(add(PARTS, {WORD_BYTES * parts})), at, 1, {POINT_BYTES * (last + 1)})",
        ]

    def copy_lines(self) -> list[str]:
        """Statements that copy them to the multi-scalar multiplication."""
        half = POINT_BYTES // 2
        if not self.few:
            return [
                "let from := add(STATE, 32)",
                "let end := add(MSM, mul(ROWS, STRIDE))",
                "for { let to := add(MSM, 16) } lt(to, end) { to := add(to, STRIDE) } {",
                f"    mcopy(to, from, {half})",
                f"    mcopy(add(to, 64), add(from, {half}), {half})",
                "    from := add(from, POINT_BYTES)",
                "}",
            ]
        moves = [
            (STRIDE * row + 16 + 64 * coordinate, WORD_BYTES + POINT_BYTES * row + half * coordinate)
            for row in range(self.generator.circuit.total_rows) for coordinate in range(2)
        ]
        return [f"mcopy(add(MSM, {to}), add(STATE, {start}), {half})" for to, start in moves]

    def reserve(self) -> None:
        """Asks for every power of alpha that a run starts at or goes by."""
        circuit = self.generator.circuit
        for column in circuit.row_columns:
            if exponents_of(column) not in self.runs:
                self.runs[exponents_of(column)] = f"rows_{len(self.runs)}"
                self.ask_runs(exponents_of(column))
        if self.generator.convolutions is not None:
            self.generator.convolutions.reserve()
        elif circuit.packs_per_row > 1 and not circuit.private_input:
            self.ask(*circuit.input_steps)
        for layer in range(circuit.layers - 1):
            for lasts in last_exponents(circuit, layer):
                self.ask(lasts.base)
                self.ask_sum(lasts.shifts)
        if isinstance(circuit, ReplicaCircuit):
            for layer in range(1, circuit.layers):
                self.ask_runs(circuit.exponents_of(layer))
                for pack in range(circuit.packs(layer)):
                    self.generator.word(pack_weight(layer, pack))

    def ask_runs(self, replicas: Sequence[Sequence[int]]) -> None:
        """Words for what the rows' weights start at and go by."""
        for own in copied_runs(replicas):
            self.ask(own.run.last, own.run.step)
            self.ask_sum(own.shifts)

    def ask_sum(self, shifts: tuple[int, ...]) -> None:
        """A word for the sum of alpha^shift over replicas, where there are several."""
        if len(shifts) > 1 and shifts not in self.sums:
            self.ask(*shifts)
            self.sums[shifts] = self.generator.word(f"replicas_{len(self.sums)}")

    def sum_formula(self, shifts: tuple[int, ...]) -> Symbol:
        """That sum, for one that was asked for."""
        return Symbol.named(self.sums[shifts].lower()) if len(shifts) > 1 else lifted(1)

    def weight_lines(self) -> list[str]:
        """Statements for sums over replicas, and for the weights of the packs in joined rows."""
        lines = [f"mstore({place}, {self._summed(shifts)})" for shifts, place in self.sums.items()]
        circuit = self.generator.circuit
        if not isinstance(circuit, ReplicaCircuit):
            return lines
        inner = ["let weight"]
        for layer in range(1, circuit.layers):
            first = 0
            for own in copied_runs(circuit.exponents_of(layer)):
                inner.append(f"weight := {self._start(own)}")
                for pack in reversed(range(first, first + own.run.count)):
                    inner.append(f"mstore({pack_weight(layer, pack).upper()}, weight)")
                    if pack > first:
                        inner.append(f"weight := mulmod(weight, {self.power(own.run.step)}, {FIELD})")
                first += own.run.count
        return [*lines, "{", *(f"    {line}" for line in inner), "}"]

    def _summed(self, shifts: tuple[int, ...]) -> str:
        """Yul of the sum of alpha^shift; the first shift is 0."""
        total = self.power(shifts[0])
        for shift in shifts[1:]:
            total = f"addmod({total}, {self.power(shift)}, {FIELD})"
        return total

    def ask(self, *exponents: int) -> None:
        """Words for powers of alpha."""
        for exponent in exponents:
            if exponent and exponent not in self.powers:
                self.powers[exponent] = self.generator.word(f"alpha_to_{exponent}")

    def power_lines(self) -> list[str]:
        """Statements for the powers that were asked for, each the product of two known ones where there are such."""
        known = {1 << bit: name for bit in range(16) if (name := f"alpha_{1 << bit}") in self.generator.words}
        reads = {exponent: self.generator.words[name].text for exponent, name in known.items()}
        lines = []
        for exponent in sorted(self.powers):
            if exponent in reads:
                value = reads[exponent]
            else:
                half = next((one for one in reads if exponent - one in reads), None)
                factors = [half, exponent - half] if half else [1 << bit for bit in range(16) if exponent >> bit & 1]
                value = reads[factors[0]]
                for factor in factors[1:]:
                    value = f"mulmod({value}, {reads[factor]}, {FIELD})"
            lines.append(f"mstore({self.powers[exponent]}, {value})")
            reads[exponent] = f"mload({self.powers[exponent]})"
        return lines

    def formula(self, exponent: int) -> Symbol:
        """alpha^exponent, for one that was asked for."""
        return Symbol.named(f"alpha_to_{exponent}") if exponent else lifted(1)

    def power(self, exponent: int) -> str:
        """Yul of alpha^exponent, for one that was asked for."""
        return f"mload({self.powers[exponent]})" if exponent else "1"

    def offsets(self) -> Symbol:
        """The constants of hidden layers: a sum of geometric series, of which many have one ratio and length. Raises `UnsupportedShape`
        when that is not what the layers say."""
        circuit = self.generator.circuit
        groups: dict[tuple[int, int], list[tuple[Copied, int]]] = {}
        for layer in range(circuit.layers - 1):
            band = circuit.bands[layer]
            half = band.lanes * LANE_BITS - 1
            offset = sum(1 << (band.value_shift(place) + half) for place in range(band.values_per_pack))
            for run, lasts in zip(band.runs, last_exponents(circuit, layer), strict=True):
                groups.setdefault((run.step, run.count), []).append((lasts, offset))
        some = 0x123456789ABCDEF
        series = sum(
            pow(some, lasts.base + shift, MODULUS) * offset * geometric(pow(some, step, MODULUS), count)
            for (step, count), own in groups.items() for lasts, offset in own for shift in lasts.shifts
        )
        if series % MODULUS != sum(Dense(circuit, layer).constants(some) for layer in range(circuit.layers)) % MODULUS:
            raise UnsupportedShape("the constants of layers are not the offsets of their packs")
        total = lifted(0)
        for (step, count), own in groups.items():
            firsts = lifted(0)
            for lasts, offset in own:
                firsts = firsts + self.formula(lasts.base) * self.sum_formula(lasts.shifts) * offset
            total = total + firsts * lifted(geometric(Power("alpha", step), count))  # type: ignore[arg-type]  # a power stands in for alpha
        return total

    @property
    def few(self) -> bool:
        """Whether rows are written out one by one: less gas, and code for each."""
        return self.generator.circuit.total_rows <= UNROLLED_ROWS or self.generator.convolutions is not None

    def functions(self) -> list[str]:
        """For each list of exponents a function that writes the scalars of such rows, from the scalar of the combined ones."""
        if self.few:
            return []
        lines = [
            "// from the last of `count` rows to the first: weight, weight step, weight step^2, ...",
            "function progress(to, weight, step, count) -> next {",
            "    let r := mload(ORDER)",
            "    next := add(to, mul(count, STRIDE))",
            "    for { let place := sub(next, STRIDE) } 1 { place := sub(place, STRIDE) } {",
            "        mstore(place, weight)",
            "        if eq(place, to) { break }",
            f"        weight := mulmod(weight, step, {FIELD})",
            "    }",
            "}",
        ]
        for exponents, name in self.runs.items():
            lines += [f"function {name}(to, scalar) -> next {{", "    let r := mload(ORDER)", "    next := to"]
            for own in copied_runs(exponents):
                run = own.run
                if run.count == 1:
                    lines += [f"    mstore(next, {self._first(own)})", "    next := add(next, STRIDE)"]
                else:
                    lines.append(f"    next := progress(next, {self._first(own)}, {self.power(run.step)}, {run.count})")
            lines.append("}")
        return lines

    def _first(self, own: CopiedRun) -> str:
        """Yul of the weight of a run's last row."""
        start = self._start(own)
        return f"mulmod(scalar, {start}, {FIELD})" if start != "1" else "scalar"

    def _start(self, own: CopiedRun) -> str:
        """Yul of the sum over replicas of alpha to the exponent of a run's last row."""
        if len(own.shifts) == 1:
            return self.power(own.run.last)
        total = f"mload({self.sums[own.shifts]})"
        return f"mulmod({self.power(own.run.last)}, {total}, {FIELD})" if own.run.last else total

    def lines(self) -> list[str]:
        """Every column of the model in order."""
        columns = self.generator.circuit.row_columns
        if not self.few:
            names = (self.runs[exponents_of(column)] for column in columns)
            calls = [f"to := {name}(to, {self._scalar(column)})" for name, column in zip(names, columns, strict=True)]
            return ["let to := add(MSM, 128)", *calls]
        lines, first = ["let scalar", "let weight"], 0
        for column in columns:
            if column.name.startswith("kernels"):
                if not column.again and self.generator.convolutions is not None:
                    lines += self.generator.convolutions.row_lines(column, first)
                    first += len(column.exponents)
                continue
            lines.append(f"scalar := {self._scalar(column)}")
            for own in copied_runs(exponents_of(column)):
                run = own.run
                lines.append(f"weight := {self._first(own)}")
                for number in reversed(range(first, first + run.count)):
                    lines.append(f"mstore(add(MSM, {STRIDE * number + SCALAR_OFFSET}), weight)")
                    if number > first:
                        lines.append(f"weight := mulmod(weight, {self.power(run.step)}, {FIELD})")
                first += run.count
        return lines

    def _scalar(self, column: RowColumn) -> str:
        """Yul of the scalar of a column's combined rows."""
        circuit, held = self.generator.circuit, self.generator.convolutions
        if isinstance(held, SharedPart):
            return held.row_scalar()
        if isinstance(circuit, ReplicaCircuit) and not column.coefficients:
            return f"mulmod(mload(ROW_FACTOR), {self._met(circuit, column)}, {FIELD})"
        if column.coefficients:
            step, chunk = (int(part) for part in column.name.removeprefix("rows0_").split("_"))
            if len(self.generator.circuit.chunks) > 1:
                return f"mulmod(mload(INPUT_FACTOR), mload(add(CHUNKS, {32 * chunk})), {FIELD})"
            return f"mload(INPUT_SCALAR_{step})"
        if column.layer == 0:
            names = [hidden_rows_name(part) for part in hidden.parts_of(self.generator.circuit)]
            return f"mload(INPUT_SCALAR_{names.index(column.name)})"
        track = int(column.name.rpartition("_")[2])
        tracks = self.generator.circuit.tracks_of(column.layer - 1)
        activation = self.generator.tracks.activation(self.generator.circuit.activations[column.layer - 1], track)
        scalar = f"mulmod(mload(READS{column.layer}_{track}), {activation}, {FIELD})"
        if track == tracks[0]:
            scalar = f"addmod({scalar}, mload(BIAS_AT_RHO), {FIELD})"
        return f"mulmod(mload(ROW_FACTOR), {scalar}, {FIELD})"


    def _met(self, circuit: ReplicaCircuit, column: RowColumn) -> str:
        """Yul of what a joined row is multiplied with."""
        track, number = circuit.joined_rows[column.name]
        joined, total = self.generator.plan.joined, ""
        for kind in joined.kinds_on(track, number):
            activation = self.generator.tracks.activation(kinds(circuit)[kind], track)
            product = f"mulmod(mload({reads(kind, track, number).upper()}), {activation}, {FIELD})"
            total = f"addmod({total}, {product}, {FIELD})" if total else product
        if joined.biases_on(track, number):
            total = f"addmod({total}, mload({bias(track, number).upper()}), {FIELD})"
        return total


def copied_runs(replicas: Sequence[Sequence[int]]) -> list[CopiedRun]:
    """Rows cut into runs whose exponents, in every replica, fall by the same step."""
    if len(replicas) == 1:
        return [CopiedRun(run, (0,)) for run in progressions(replicas[0])]
    found: list[CopiedRun] = []
    own = [Copied.of(exponents) for exponents in zip(*replicas, strict=True)]
    for shifts, rows in groupby(own, lambda one: one.shifts):
        found += [CopiedRun(run, shifts) for run in progressions(row.base for row in rows)]
    return found


def exponents_of(column: RowColumn) -> Replicas:
    """The exponents of a column's rows, replica by replica."""
    return tuple(tuple(own) for own in (column.exponents, *column.copies))


def last_exponents(circuit: WideCircuit, layer: int) -> list[Copied]:
    """For each run of a layer its lowest exponents, all replicas together."""
    bands = circuit.groups(layer)
    return [Copied.of(run.last for run in runs) for runs in zip(*(band.runs for band in bands), strict=True)]


def pack_weight(layer: int, pack: int) -> str:
    """Name of the word with the weight of a pack in joined rows."""
    return f"weight_{layer}_{pack}"
