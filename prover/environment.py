"""The worlds in which a prover evaluates constraints: vectors over the domain, and over a coset of several times its size."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from zkpredict.circuits.constraints import selectors
from zkpredict.circuits.expression import SHIFTED, shifted_name
from zkpredict.circuits.field import GENERATOR, MODULUS
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.publics import Constant, Patches, Periodic, PublicPolynomial, RowValues, Selector
from zkpredict.circuits.records import dataclass
from zkpredict.kernel import Vector, evaluate_program


class Lazy(dict[str, Vector]):
    """Vectors by name, each made by `make(name)` when it is first asked for."""

    def __init__(self, make: Callable[[str], Vector]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, name: str) -> Vector:
        self[name] = found = self._make(name)
        return found


@dataclass(frozen=True, eq=False)
class Values:
    """An `Environment` of vectors over n or more points; `step` points further is the next row of the domain."""

    columns: Mapping[str, Vector]
    publics: Mapping[str, Vector]
    challenges: Mapping[str, int]
    step: int = 1

    def constant(self, value: int) -> int:
        return value % MODULUS

    def cell(self, column: str, rotation: int) -> Vector:
        if rotation == SHIFTED:
            return self.columns[shifted_name(column)]
        vector = self.columns[column]
        return vector.rotate(self.step * rotation) if rotation else vector

    def public(self, name: str) -> Vector:
        return self.publics[name]

    def challenge(self, name: str) -> int:
        return self.challenges[name]

    def reciprocal(self, values: Vector) -> Vector:
        return values.inverse()


Name = tuple[bool, object]
"""What stands for a value in a `Program`: whether it is computed, and the input's key or the operation's number."""


class Program:
    """An `Environment` that writes down what is to be done to vectors over `size` points, and then does it in one call.

    A vector that is shorter than `size` repeats; `step` points further is the next row of the domain.
    """

    def __init__(
        self, size: int, columns: Mapping[str, Vector], publics: Mapping[str, Vector], challenges: Mapping[str, int], step: int
    ) -> None:
        self._size, self._columns, self._publics, self._challenges, self._step = size, columns, publics, challenges, step
        self._inputs: dict[object, tuple[Vector, int]] = {}
        self._operations: list[tuple[str, Name, Name]] = []  # names, not `Written`: those hold the program, and it would hold itself

    def constant(self, value: int) -> int:
        return value % MODULUS

    def cell(self, column: str, rotation: int) -> Written:
        if rotation == SHIFTED:
            return self.input(self._columns[shifted_name(column)], 0, (column, rotation))
        return self.input(self._columns[column], self._step * rotation, (column, rotation))

    def public(self, name: str) -> Written:
        return self.input(self._publics[name], 0, name)

    def challenge(self, name: str) -> int:
        return self._challenges[name]

    def input(self, vector: Vector, shift: int, key: object) -> Written:
        """The vector read from `shift` on; the same `key` is the same input."""
        self._inputs.setdefault(key, (vector, shift % len(vector)))
        return Written(self, key)

    def write(self, operator: str, left: Written | int, right: Written | int) -> Written:
        """One more operation; ints are constants."""
        self._operations.append((operator, self._operand(left), self._operand(right)))
        return Written(self, len(self._operations) - 1, True)

    def _operand(self, one: Written | int) -> Name:
        return (self.input(Vector.from_ints([one % MODULUS]), 0, one % MODULUS) if isinstance(one, int) else one).name

    def run(self, result: Written) -> Vector:
        """The values of the last operation that was written."""
        if result != Written(self, len(self._operations) - 1, True):
            raise ValueError("only the result of the last operation can be had")
        numbers: dict[Name, int] = {(False, key): number for number, key in enumerate(self._inputs)}
        numbers |= {(True, k): len(self._inputs) + k for k in range(len(self._operations))}
        operations = [(operator, numbers[left], numbers[right]) for operator, left, right in self._operations]
        return evaluate_program(self._size, list(self._inputs.values()), operations)


@dataclass(frozen=True)
class Written:
    """A value in a `Program`: an input by its key, or the result of an operation by its number."""

    program: Program
    key: object
    computed: bool = False

    @property
    def name(self) -> Name:
        return self.computed, self.key

    def __add__(self, other: Written | int) -> Written:
        return self.program.write("+", self, other)

    def __radd__(self, other: int) -> Written:
        return self.program.write("+", other, self)

    def __sub__(self, other: Written | int) -> Written:
        return self.program.write("-", self, other)

    def __rsub__(self, other: int) -> Written:
        return self.program.write("-", other, self)

    def __mul__(self, other: Written | int) -> Written:
        return self.program.write("*", self, other)

    def __rmul__(self, other: int) -> Written:
        return self.program.write("*", other, self)


@dataclass(frozen=True, eq=False)
class Spread:
    """A public polynomial `sum_i coefficients[i] X^(i n/p)`, p of them: its values repeat, so only p (or 4p) are computed."""

    coefficients: Vector

    @classmethod
    def of(cls, polynomial: PublicPolynomial) -> Spread:
        """The coefficients of a public polynomial."""
        if isinstance(polynomial, Periodic):
            values = Vector.from_ints([value % MODULUS for value in polynomial.values.values()])
            return cls(values.scatter(polynomial.period, list(polynomial.values)).intt())
        if isinstance(polynomial, RowValues):
            return cls(Vector.from_ints(polynomial.values).intt())
        if isinstance(polynomial, Patches):
            return cls._sum([cls.of(part).coefficients for part in polynomial.parts])
        coefficients = [polynomial.value % MODULUS] if isinstance(polynomial, Constant) else polynomial.coefficients()
        return cls(Vector.from_ints(coefficients))

    @classmethod
    def _sum(cls, parts: list[Vector]) -> Spread:
        """The sum of spreads, with the longest period."""
        period = max(map(len, parts))
        total = Vector.zeros(period)
        for part in parts:
            total = total + part.scatter(period, list(range(0, period, period // len(part))))
        return cls(total)

    def on_domain(self, domain: int) -> Vector:
        """Values on the n-th roots of unity."""
        return self.coefficients.ntt().repeat(domain // len(self.coefficients))

    def on_coset(self, domain: int, extension: int) -> Vector:
        """Values on the coset 7 * <roots of unity of order extension * n>, as far as they do not repeat."""
        return Spread.all_on_coset({"": self}, domain, extension)[""]

    @staticmethod
    def all_on_coset(many: Mapping[str, Spread], domain: int, extension: int) -> dict[str, Vector]:
        """The same for each of many, those of one period in one go."""
        found: dict[str, Vector] = {}
        for period in {len(spread.coefficients) for spread in many.values()}:
            same = {name: spread.coefficients for name, spread in many.items() if len(spread.coefficients) == period}
            shift = pow(GENERATOR, domain // period, MODULUS)
            found |= dict(zip(same, Vector.coset_ntt_each(list(same.values()), extension * period, shift), strict=True))
        return found


def fixed_publics(circuit: AnyCircuit) -> dict[str, Selector[int]]:
    """The selectors that no challenge changes: all that a column of the first round may be defined by."""
    one, other = selectors(circuit, 0), selectors(circuit, 1)
    return {name: polynomial for name, polynomial in one.items() if other[name] == polynomial}
