"""Columns, and what follows from them: the shape of a proof.

A placement says which columns there are, in which round the prover commits to each, and which challenges follow each round. The
rest is derived here by running the constraints once: which cells a proof must state (cells that multiply cells; all others stay
linear), and from that the messages and their order, the claims that are opened and the number of blinders a column needs.
Lineage: linearisation of PLONK (ePrint 2019/953, section 8), multi-point opening of BDFG20 (2020/081, section 4), several
polynomials in one column of fflonk (2021/1167).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from functools import cached_property
from typing import Any

from zkpredict.circuits.expression import SHIFTED, Cell, Environment, Expression, shifted_name
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.records import dataclass

CellName = tuple[str, int]
"""A column and a rotation: the value at this row (0), the next one (1), and so on."""
ROOTS = -2 * SHIFTED
"""Where a column of m `components` is opened, in the place of a rotation: all roots of X^m = 1/rho together."""


class Origin(Enum):
    """What commits a column."""

    PROOF = "a point of the proof"
    FIXED = "a constant of the protocol"
    MODEL = "the row points of the model: never opened, so never stated"
    STATEMENT = "points of the statement, such as a hidden input's: never opened, so never stated"


@dataclass(frozen=True)
class Column:
    """`round`: in which round of a proof its commitment is sent, from 1 (0 for columns that no proof commits).

    `defined_by` names the constraint that determines the column from the columns before it: the prover solves that constraint
    for it. Columns without one are filled by their gadget. `values`: of a fixed column, on the subgroup of the order of their number.
    `mask`: zero on every row, so nothing but its blinders: it hides sums of columns of the model at rotations where no other column
    of the proof is read.
    `centred`: its values add up to zero, and its polynomial has no constant term and none of X^n.
    `components`: of a column that no constraint reads, m polynomials t_j in one, sum_j X^j t_j(X^m). A proof states all t_j(1/rho):
    sum_j t_j(1/rho) X^j is what is left of the column modulo X^m - 1/rho.
    """

    name: str
    origin: Origin
    round: int = 0
    defined_by: str | None = None
    values: tuple[int, ...] = ()
    mask: bool = False
    centred: bool = False
    components: int = 0


@dataclass(frozen=True)
class Derived:
    """A challenge that follows from those that are drawn: base^exponent, times `factor` if there is one."""

    name: str
    base: str
    exponent: int = 1
    factor: str | None = None

    def value(self, challenges: Mapping[str, int]) -> int | None:
        """Its value, or None before its parts are known."""
        if self.base not in challenges or (self.factor is not None and self.factor not in challenges):
            return None
        scale = 1 if self.factor is None else challenges[self.factor]
        return pow(challenges[self.base], self.exponent, MODULUS) * scale % MODULUS


@dataclass(frozen=True)
class Round:
    """One message of the prover: points, then scalars, by name; `challenges` are drawn once it is absorbed."""

    name: str
    points: tuple[str, ...]
    scalars: tuple[str, ...]
    challenges: tuple[str, ...]


@dataclass(frozen=True)
class Claim:
    """What is opened together: at the rotations `points`, the linearisation's share there (`linearised`) or a stated column; at `ROOTS`
    the components of a column."""

    points: tuple[int, ...]
    column: str | None
    """None: the linearised part of the combined constraint at the only rotation in `points`."""


QUOTIENT_ROUND, EVALUATION_ROUND, OPENING_ROUND, FINAL_ROUND = "quotient", "evaluations", "opening", "final"


@dataclass(frozen=True)
class Form:
    """The shape of every proof of one kind of circuit.

    `columns`: all of them, those of the proof in the order in which it sends them. `rounds`: the prover's messages. `stated`: the
    cells whose values a proof states, in order. `rotations`: all that constraints read, 0 first.
    """

    columns: tuple[Column, ...]
    rounds: tuple[Round, ...]
    stated: tuple[CellName, ...]
    rotations: tuple[int, ...]
    outputs: int = 0
    """How many numbers of the network's output a proof makes public."""
    cells: frozenset[CellName] = frozenset()
    """All cells that constraints read."""
    shifted: tuple[str, ...] = ()
    """The columns that constraints read at X/shift."""
    derived: tuple[Derived, ...] = ()
    """Challenges that follow from those that are drawn."""

    @classmethod
    def of(
        cls,
        columns: Iterable[Column],
        commit_rounds: Mapping[str, tuple[str, ...]],
        total: Callable[[Environment], Any],
    ) -> Form:
        """`commit_rounds`: the challenges after each round of columns, by the round's name, in order; the last is the quotient's.

        `total` evaluates the combined constraint. Raises `ValueError` for a cell of a column that is not among `columns`, for weights
        that are multiplied with weights, and for columns of different numbers of components.
        """
        columns = tuple(columns)
        cells, products = _cells_and_products(total)
        known = {column.name: column for column in columns}
        if len(known) != len(columns):
            raise ValueError(f"two columns have one name among {[column.name for column in columns]}")
        if len({column.components for column in columns} - {0}) > 1:
            raise ValueError("columns have different numbers of components: a proof opens those of one number")
        for name, rotation in sorted(cells):
            if name not in known:
                raise ValueError(f"constraints read cell {name} (rotation {rotation}), but nothing commits to a column {name}")
        order = {column.name: number for number, column in enumerate(columns)}
        stated = tuple(sorted(_cover(products, known, order), key=lambda cell: (_rank(cell[1]), order[cell[0]])))
        rotations = tuple(sorted({rotation for _, rotation in cells}, key=_rank))
        rounds = []
        for number, (name, challenges) in enumerate(commit_rounds.items(), 1):
            points = tuple(column.name for column in columns if column.round == number)
            rounds.append(Round(name, points, (), challenges))
        components = tuple(name for column in columns for name in component_names(column))
        scalars = (*map(scalar_name, stated), *(linearised_name(rotation) for rotation in rotations[1:]), *components)
        rounds.append(Round(EVALUATION_ROUND, (), scalars, ("nu",)))
        rounds.append(Round(OPENING_ROUND, ("opening",), (), ("zeta",)))
        rounds.append(Round(FINAL_ROUND, ("final",), (), ()))
        shifted = tuple(sorted(name for name, rotation in cells if rotation == SHIFTED))
        return cls(columns, tuple(rounds), stated, rotations, cells=frozenset(cells), shifted=shifted)

    @cached_property
    def points(self) -> tuple[str, ...]:
        """Names of a proof's points, in the order of the rounds and of the file."""
        return tuple(name for message in self.rounds for name in message.points)

    @cached_property
    def scalars(self) -> tuple[str, ...]:
        """Names of a proof's scalars, in order."""
        return tuple(name for message in self.rounds for name in message.scalars)

    @cached_property
    def proof_columns(self) -> tuple[Column, ...]:
        """The columns that a proof commits to."""
        return tuple(column for column in self.columns if column.origin is Origin.PROOF)

    @cached_property
    def claims(self) -> tuple[Claim, ...]:
        """Everything that is opened, by powers of nu: ordered by points, components last; at one set of points the linearisation comes
        first."""
        points: dict[str, tuple[int, ...]] = {}
        for name, rotation in self.stated:
            points[name] = (*points.get(name, ()), rotation)
        order = {column.name: number for number, column in enumerate(self.columns)}
        found = [Claim((rotation,), None) for rotation in self.rotations]
        found += [Claim(at, name) for name, at in points.items()]
        found += [Claim((ROOTS,), name) for name in self.components]

        def place(claim: Claim) -> tuple[Any, ...]:
            number = -1 if claim.column is None else order[claim.column]
            return tuple(map(_rank, claim.points)), number

        return tuple(sorted(found, key=place))

    @cached_property
    def components(self) -> dict[str, int]:
        """The columns that are several polynomials in one, and of how many each."""
        return {column.name: column.components for column in self.columns if column.components}

    @property
    def blinders(self) -> int:
        """Random coefficients in each column: one for each value of it that a proof fixes, which is the column at every rotation
        of tau (its own commitment, the quotient's) and of rho (stated values and sums of them). One more where a column is centred,
        which has none in its constant term."""
        return 2 * len(self._usual) + self._centred

    def blinders_of(self, column: str) -> int:
        """Those of one column: a mask has more, for the rotations of its own."""
        return 2 * len(self._usual | self._rotations.get(column, set())) + self._centred

    @cached_property
    def _rotations(self) -> dict[str, set[int]]:
        """Where each column is read."""
        found: dict[str, set[int]] = {}
        for name, rotation in self.cells:
            found.setdefault(name, set()).add(rotation)
        return found

    @cached_property
    def _usual(self) -> set[int]:
        """The rotations at which a proof's columns are read, but for masks."""
        own = {column.name for column in self.proof_columns if not column.mask}
        return {0} | {rotation for name, rotation in self.cells if name in own}

    @cached_property
    def _centred(self) -> int:
        return int(any(column.centred for column in self.columns))

    def derive(self, challenges: Mapping[str, int]) -> dict[str, int]:
        """The challenges that follow from those known so far."""
        found = {one.name: one.value(challenges) for one in self.derived}
        return {name: value for name, value in found.items() if value is not None}


def scalar_name(cell: CellName) -> str:
    """How the stated value of a cell is called: `cell`, `cell_next`, `cell_next2`, `cell_previous`."""
    return cell[0] + _suffix(cell[1])


def linearised_name(rotation: int) -> str:
    """How the value of everything that occurs linearly at a rotation is called."""
    return "linearised" + _suffix(rotation)


def component_names(column: Column) -> list[str]:
    """How the values of a column's components at 1/rho are called."""
    return [f"{column.name}_{number}" for number in range(column.components)]


def _suffix(rotation: int) -> str:
    if rotation == SHIFTED:
        return shifted_name("")
    word = "_next" if rotation > 0 else "_previous"
    return "" if rotation == 0 else word + (str(abs(rotation)) if abs(rotation) > 1 else "")


def _rank(rotation: int) -> tuple[bool, int]:
    """0, 1, 2, ..., then -1, -2, ..., then `ROOTS`."""
    return rotation < 0, abs(rotation)


def _cells_and_products(total: Callable[[Environment], Any]) -> tuple[set[CellName], set[frozenset[CellName]]]:
    """All cells, and all pairs of cells that are factors of one product (a single cell: its square)."""
    products: set[frozenset[CellName]] = set()
    return set(total(_Recorder(products)).cells), products


@dataclass(frozen=True)
class _Recorded:
    """The cells that a value depends on; multiplying two notes every pair of cells that meet."""

    cells: frozenset[CellName]
    products: set[frozenset[CellName]]

    def __add__(self, other: _Recorded) -> _Recorded:
        return _Recorded(self.cells | other.cells, self.products)

    __sub__ = __add__

    def __mul__(self, other: _Recorded) -> _Recorded:
        self.products.update(frozenset((one, two)) for one in self.cells for two in other.cells)
        return self + other


@dataclass(frozen=True)
class _Recorder:
    """An `Environment` that notes which cells are multiplied."""

    products: set[frozenset[CellName]]

    def constant(self, value: int) -> _Recorded:
        return _Recorded(frozenset(), self.products)

    def cell(self, column: str, rotation: int) -> _Recorded:
        return _Recorded(frozenset({(column, rotation)}), self.products)

    def public(self, name: str) -> _Recorded:
        return self.constant(0)

    def challenge(self, name: str) -> _Recorded:
        return self.constant(0)


def _cover(
    products: set[frozenset[CellName]], known: Mapping[str, Column], order: Mapping[str, int]
) -> set[CellName]:
    """Cells to state, so that every product has at most one cell left: what must be, then whatever settles most products."""
    hidden = {name for name, column in known.items() if column.origin in (Origin.MODEL, Origin.STATEMENT)}
    chosen: set[CellName] = set()
    for pair in products:
        open_cells = [cell for cell in pair if cell[0] not in hidden]
        if not open_cells:
            raise ValueError(f"weights are multiplied with weights in {sorted(pair)}: neither may be stated")
        if len(open_cells) == 1:
            chosen.add(open_cells[0])
    left = {pair for pair in products if not pair & chosen}
    while left:
        counts: dict[CellName, int] = {}
        for pair in left:
            for cell in pair:
                counts[cell] = counts.get(cell, 0) + 1
        best = min(counts, key=lambda cell: (-counts[cell], _rank(cell[1]), order[cell[0]]))
        chosen.add(best)
        left = {pair for pair in left if best not in pair}
    return chosen


def cells_of(expression: Expression) -> set[Cell]:
    """Every cell that an expression reads."""
    return {Cell(*name) for name in _cells_and_products(expression.evaluate)[0]}
