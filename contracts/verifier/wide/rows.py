"""The scalars of the model's rows: a layer's rows have exponents that fall by a step, run by run, on every track that it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.rows import RowColumn
from zkpredict.contracts.verifier.lowering import FIELD
from zkpredict.contracts.verifier.symbolic import Symbol, lifted
from zkpredict.contracts.verifier.wide.plan import Progression, progressions

from zkpredict.contracts.verifier.pieces import SCALAR_OFFSET, STRIDE

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator


UNROLLED_ROWS = 32


class RowPart:
    """The rows' share of a contract in the making."""

    def __init__(self, generator: WideGenerator) -> None:
        self.generator = generator
        self.powers: dict[int, str] = {}
        self.runs: dict[tuple[int, ...], str] = {}

    def reserve(self) -> None:
        """Asks for every power of alpha that a run starts at or goes by."""
        for column in self.generator.circuit.row_columns:
            if tuple(column.exponents) not in self.runs:
                self.runs[tuple(column.exponents)] = f"rows_{len(self.runs)}"
                for run in progressions(column.exponents):
                    self.ask(run.last, run.step)
        if self.generator.circuit.packs_per_row > 1:
            self.ask(*self.generator.circuit.input_steps)
        for band in self.generator.circuit.hidden:
            self.ask(*(run.last for run in band.runs))

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

    @property
    def few(self) -> bool:
        """Whether rows are written out one by one: less gas, and code for each."""
        return self.generator.circuit.total_rows <= UNROLLED_ROWS

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
            for run in progressions(exponents):
                if run.count == 1:
                    lines += [f"    mstore(next, {self._first(run)})", "    next := add(next, STRIDE)"]
                else:
                    lines.append(f"    next := progress(next, {self._first(run)}, {self.power(run.step)}, {run.count})")
            lines.append("}")
        return lines

    def _first(self, run: Progression) -> str:
        return f"mulmod(scalar, {self.power(run.last)}, {FIELD})" if run.last else "scalar"

    def lines(self) -> list[str]:
        """Every column of the model in order."""
        columns = self.generator.circuit.row_columns
        if not self.few:
            names = (self.runs[tuple(column.exponents)] for column in columns)
            calls = [f"to := {name}(to, {self._scalar(column)})" for name, column in zip(names, columns, strict=True)]
            return ["let to := add(MSM, 128)", *calls]
        lines, first = ["let scalar", "let weight"], 0
        for column in columns:
            lines.append(f"scalar := {self._scalar(column)}")
            for run in progressions(column.exponents):
                lines.append(f"weight := {self._first(run)}")
                for number in reversed(range(first, first + run.count)):
                    lines.append(f"mstore(add(MSM, {STRIDE * number + SCALAR_OFFSET}), weight)")
                    if number > first:
                        lines.append(f"weight := mulmod(weight, {self.power(run.step)}, {FIELD})")
                first += run.count
        return lines

    def _scalar(self, column: RowColumn) -> str:
        """Yul of the scalar of a column's combined rows."""
        if column.coefficients:
            step, chunk = (int(part) for part in column.name.removeprefix("rows0_").split("_"))
            if len(self.generator.circuit.chunks) > 1:
                return f"mulmod(mload(INPUT_FACTOR), mload(add(CHUNKS, {32 * chunk})), {FIELD})"
            return f"mload(INPUT_SCALAR_{step})"
        track = int(column.name.rpartition("_")[2])
        before = self.generator.circuit.bands[column.layer - 1]
        activation = self.generator.tracks.activation(self.generator.circuit.activations[column.layer - 1], track)
        scalar = f"mulmod(mload(READS{column.layer}_{track}), {activation}, {FIELD})"
        if track == before.tracks[0]:
            scalar = f"addmod({scalar}, mload(BIAS_AT_RHO), {FIELD})"
        return f"mulmod(mload(ROW_FACTOR), {scalar}, {FIELD})"

