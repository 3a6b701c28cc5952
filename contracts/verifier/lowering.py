"""From formulas to Yul: common factors taken out, shared parts computed once, `addmod` only where 256 bits could overflow.

Every value lives in a memory word of its own, so nothing depends on the depth of the EVM stack. A word holds a number
below `bound`, which may exceed the field order: `mulmod` takes any 256-bit operands, and two elements fit in one word unreduced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from itertools import combinations
from typing import Any

from zkpredict.circuits.field import MODULUS
from zkpredict.contracts.verifier.symbolic import Symbol

WORD = 1 << 256
MAX_NESTING = 6
"""How deep an expression nests before its value goes to memory: each level may hold a stack slot, and sixteen are in reach."""
MAX_OPERANDS = 3
MAX_COMMENT = 220
FIELD = "r"
"""Name of the variable that holds the field order: one byte of code where the constant would take 33."""


@dataclass(frozen=True)
class Value:
    """Yul text of a number at most `bound`, and how deep its expression nests."""

    text: str
    bound: int
    nesting: int


@dataclass(frozen=True)
class Product:
    """A product of named factors (names of inputs or of other nodes)."""

    factors: tuple[str, ...]


@dataclass(frozen=True)
class Total:
    """`sum coefficient * node`; the empty name is the constant 1."""

    terms: tuple[tuple[str, int], ...]


@dataclass
class Program:
    """Formulas to compute together. `inputs` maps each name to the Yul expression that reads it, and its bound.

    After `lines`, `bounds` has for each target the number that the stored value does not exceed.
    """

    inputs: Mapping[str, Value]
    nodes: dict[str, Product | Total] = field(default_factory=dict)
    formulas: dict[str, Symbol] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    bounds: dict[str, int] = field(default_factory=dict)
    _known: dict[Product | Total, str] = field(default_factory=dict)

    def compute(self, target: str, formula: Symbol) -> None:
        """Asks for `formula`, to be stored at the memory constant `target`."""
        self.outputs[target], self.formulas[target] = self._total(formula), formula

    def _total(self, formula: Symbol) -> str:
        """The node of a sum. Takes out what all terms share, then the factor most of them share."""
        terms = [(Counter(monomial), value) for monomial, value in formula.terms]
        if len(terms) == 1:
            factors, value = terms[0]
            if value == 1 and factors:
                return self._product(factors)
            return self._node(Total(((self._product(factors) if factors else "", value),)))
        common = terms[0][0].copy() if terms else Counter()
        for factors, _ in terms:
            common &= factors
        if common:
            rest = Symbol.of({_monomial(factors - common): value for factors, value in terms})
            factor, sign = rest._as_product()
            node = self._product(common + Counter(factor))
            return node if sign == 1 else self._node(Total(((node, sign),)))
        counts = Counter(factor for factors, _ in terms for factor in factors)
        popular = max(counts, key=lambda factor: (counts[factor], repr(factor)), default=None)
        if popular is not None and 1 < counts[popular] < len(terms):
            inside = Symbol.of({_monomial(f - Counter([popular])): v for f, v in terms if popular in f})
            outside = Symbol.of({_monomial(f): v for f, v in terms if popular not in f})
            factor, sign = inside._as_product()
            parts = [(self._product(Counter([popular]) + Counter(factor)), sign)]
            parts += [(self._product(Counter(m)) if m else "", value) for m, value in outside.terms]
        else:
            parts = [(self._product(factors) if factors else "", value) for factors, value in terms]
        return self._node(Total(tuple(parts)))

    def _product(self, factors: Counter[Any]) -> str:
        names = [name for factor, power in factors.items() for name in self._powered(factor, power)]
        return names[0] if len(names) == 1 else self._node(Product(tuple(sorted(names))))

    def _powered(self, factor: str | Symbol, power: int) -> list[str]:
        name = factor if isinstance(factor, str) else self._total(factor)
        result = name
        for _ in range(power - 1):
            result = self._node(Product(tuple(sorted((result, name)))))
        return [result]

    def _node(self, node: Product | Total) -> str:
        if node not in self._known:
            name = f"N{len(self.nodes)}"
            self._known[node], self.nodes[name] = name, node
        return self._known[node]

    def _share_pairs(self) -> None:
        """While two factors occur together in several products, their product becomes a node of its own."""
        while True:
            counts: Counter[Any] = Counter()
            for node in self.nodes.values():
                if isinstance(node, Product) and len(node.factors) > 2:
                    counts.update(set(combinations(sorted(node.factors), 2)))
            for node in self.nodes.values():
                if isinstance(node, Product) and len(node.factors) == 2 and node.factors in counts:
                    counts[node.factors] += 1
            pair = max(counts, key=lambda p: (counts[p], p), default=None)
            if pair is None or counts[pair] < 2:
                return
            shared = next((name for name, node in self.nodes.items() if node == Product(pair)), None) or self._node(Product(pair))
            for name, node in list(self.nodes.items()):
                if isinstance(node, Product) and len(node.factors) > 2 and not Counter(pair) - Counter(node.factors):
                    left = Counter(node.factors) - Counter(pair)
                    self.nodes[name] = Product(tuple(sorted([*left.elements(), shared])))

    def _split(self) -> None:
        """Cuts long products and sums into nodes of few operands, so that nesting is counted node by node."""
        for name, node in list(self.nodes.items()):
            while isinstance(node, Product) and len(node.factors) > MAX_OPERANDS:
                part = self._node(Product(node.factors[:MAX_OPERANDS]))
                node = Product((*node.factors[MAX_OPERANDS:], part))
            while isinstance(node, Total) and len(node.terms) > MAX_OPERANDS:
                part = self._node(Total(node.terms[:MAX_OPERANDS]))
                node = Total((*node.terms[MAX_OPERANDS:], (part, 1)))
            self.nodes[name] = node

    def lines(self, slots: Iterable[str]) -> list[str]:
        """Yul statements. `slots` supplies names of free memory words for values that are used more than once."""
        self._share_pairs()
        self._split()
        uses: Counter[Any] = Counter(self.outputs.values())
        reachable = self._order()
        for name in reachable:
            node = self.nodes[name]
            uses.update(node.factors if isinstance(node, Product) else [n for n, _ in node.terms if n])
        free = iter(slots)
        read = dict(self.inputs)
        stored = {node: target for target, node in reversed(self.outputs.items())}
        lines = []
        for name in reachable:
            value = self._expression(name, read)
            if name in stored or uses[name] > 1 or value.nesting >= MAX_NESTING:
                slot = stored.get(name) or next(free)
                lines += self._comment(name, stored)
                lines.append(f"mstore({slot}, {value.text})")
                value = Value(f"mload({slot})", value.bound, 0)
            read[name] = value
        lines += [f"mstore({t}, {read[n].text})" for t, n in self.outputs.items() if stored.get(n) != t or n in self.inputs]
        self.bounds = {target: read[name].bound for target, name in self.outputs.items()}
        return lines

    def _comment(self, name: str, stored: Mapping[str, str]) -> list[str]:
        """What a stored result is, for one that can be read."""
        text = f"// {stored[name].lower()} = {self.formulas[stored[name]]!r}" if name in stored else ""
        return [text] if 0 < len(text) <= MAX_COMMENT else []

    def _order(self) -> list[str]:
        """Nodes that outputs need, operands first."""
        found: dict[str, None] = {}

        def visit(name: str) -> None:
            if not name or name in found or name in self.inputs:
                return
            node = self.nodes[name]
            for operand in node.factors if isinstance(node, Product) else [n for n, _ in node.terms]:
                visit(operand)
            found[name] = None

        for name in self.outputs.values():
            visit(name)
        return list(found)

    def _expression(self, name: str, read: Mapping[str, Value]) -> Value:
        """Yul of a node from the values of its operands."""
        node = self.nodes[name]
        if isinstance(node, Product):
            return reduce(_times, (read[factor] for factor in node.factors))
        positive_first = sorted(node.terms, key=lambda term: term[1] > MODULUS // 2)
        return reduce(_plus, [_scaled(read[operand] if operand else None, value) for operand, value in positive_first] or [ZERO])


ZERO = Value("0", 0, 0)


def _times(one: Value, other: Value) -> Value:
    """A product below the field order. The EVM evaluates arguments from the last: the deepest there holds up nothing."""
    first, second = sorted((one, other), key=lambda value: value.nesting)
    return Value(f"mulmod({first.text}, {second.text}, {FIELD})", MODULUS, _nesting(first, second))


def _plus(one: Value, other: Value) -> Value:
    """A sum, reduced only if it might not fit in a word."""
    first, second = sorted((one, other), key=lambda value: value.nesting)
    bound = one.bound + other.bound
    if bound < WORD:
        return Value(f"add({first.text}, {second.text})", bound, _nesting(first, second))
    return Value(f"addmod({first.text}, {second.text}, {FIELD})", MODULUS, _nesting(first, second))


def _nesting(first: Value, second: Value) -> int:
    return max(first.nesting, second.nesting) + 1


def _scaled(value: Value | None, coefficient: int) -> Value:
    """`coefficient * value`; None stands for 1."""
    if value is None:
        return Value(number(coefficient), coefficient, 0)
    if coefficient == 1:
        return value
    if coefficient == MODULUS - 1 and value.bound <= MODULUS:
        return Value(f"sub({FIELD}, {value.text})", MODULUS, value.nesting + 1)
    if coefficient == MODULUS - 1 and value.bound <= 2 * MODULUS:
        return Value(f"sub({number(2 * MODULUS)}, {value.text})", 2 * MODULUS, value.nesting + 1)
    return Value(f"mulmod({value.text}, {number(coefficient)}, {FIELD})", MODULUS, value.nesting + 1)


def number(value: int) -> str:
    """A constant as Yul text."""
    return str(value) if value < 1 << 32 else f"{value:#x}"


def _monomial(factors: Counter[Any]) -> tuple[Any, ...]:
    return tuple(sorted(factors.elements(), key=repr))
