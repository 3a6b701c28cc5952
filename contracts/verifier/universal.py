"""Solidity source of the verifier that serves every compact circuit, from the same constraints as the others.

What circuits of one domain size share is computed by generated formulas, a block for each size: selectors and the scalars of the fold.
What differs (rows, packs, classes, slots) are numbers that the contract derives from a circuit's bytes when it is registered, and
loops over them. The shape of the loops is checked here: a constraint that they do not serve stops the generator by `UnsupportedShape`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from string import Template

from zkpredict.circuits.columns import Form, Origin
from zkpredict.circuits.constraints import selectors, total_constraint
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.layout import DOMAINS, NARROW, PACK_LANES, PACK_ROWS, WIDE, Circuit, Group, row_column
from zkpredict.circuits.networks.dense import MAX_LAYERS
from zkpredict.circuits.placement import COMPACT_FORM, form
from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.statement import CONTEXT_BYTES
from zkpredict.contracts.verifier.absorbing import check_scalars, draw_challenges, scalar_word, scalars_offset
from zkpredict.contracts.verifier.encoding import FinalCheck, absorbed_points
from zkpredict.contracts.verifier.lowering import FIELD, Program, Value
from zkpredict.contracts.verifier.memory import WORD_BYTES, MemoryMap
from zkpredict.contracts.verifier.pixels import PIXELS_BOUND, any_pixel_lines
from zkpredict.contracts.verifier.points import copy_points
from zkpredict.contracts.verifier.publics import ALPHA, Fraction, Selectors, UnsupportedShape
from zkpredict.contracts.verifier.pieces import (
    INVERSION_BYTES, POINT_BYTES, SCALAR_OFFSET, SOURCES, STRIDE, Lookup, indented, opens, part, read, word_aligned,
)
from zkpredict.contracts.verifier.symbolic import Symbol, inverse_name, lifted
from zkpredict.verifier.opening import Fold, Linearisation, OpenedCells, fold, stated_cells

MAX_PACKS = DOMAINS[-1] // PACK_ROWS
"""Of all groups together, so also the most rows that a model has."""
MAX_CLASSES = MAX_PACKS // 2 * Group(1, WIDE, 1, 0, 1).values_per_pack
"""Logits and differences take as many packs each."""
_READS, _READS_NEXT, _BIAS = "reads1", "reads_next1", "bias1"
_PLACES = {"PROOF_AT": "mload(PROOF_PLACE)", "SCALARS_AT": "mload(SCALARS_PLACE)", "FINAL_AT": "mload(FINAL_PLACE)"}
"""What is a constant in the contract of one circuit, and a word of memory here."""


def universal_name(check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """The contract's name."""
    return "UniversalVerifier" + ("_pairing" if check is FinalCheck.PAIRING else "")


def universal_source(check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """The Solidity file. It imports `IVerifier.sol`, `ModelRegistry.sol` and `CircuitRegistry.sol`."""
    return UniversalGenerator(check).source()


def registry_constants() -> dict[str, int]:
    """The places that `CircuitRegistry.sol` gives to what it derives, by name."""
    text = (SOURCES / "CircuitRegistry.sol").read_text(encoding="utf-8")
    return {name: int(value, 0) for name, value in re.findall(r"uint256 internal constant (\w+) = (0x[0-9a-f]+|\d+);", text)}


def two_layers(domain: int) -> Circuit:
    """The least circuit in which a layer reads another: its formulas are those of all."""
    return Circuit((1, 1, 1), (NARROW, WIDE), domain)


@dataclass
class UniversalGenerator:
    """The contract in the making: its memory map, and which names of formulas lie in which words."""

    check: FinalCheck
    memory: MemoryMap = field(default_factory=MemoryMap)
    words: dict[str, Value] = field(default_factory=dict)

    def source(self) -> str:
        small, large = DOMAINS
        self._lay_out()
        parts = {
            "padding": self._padding(),
            "copy_points": copy_points(self._fixed, absorbed_points(self._form), self.check),
            "check_scalars": check_scalars(self._form),
            "draw_challenges": draw_challenges(self._form),
            "rho_powers": self._rho_powers(),
            "pixels": any_pixel_lines(),
            "publics_small": self._publics(small),
            "publics_large": self._publics(large),
            "fold_small": self._fold(small),
            "fold_large": self._fold(large),
        }
        self._place_areas()
        text = {name: _placed(indented(lines)) for name, lines in parts.items()}
        template = (SOURCES / "Universal.sol.template").read_text(encoding="utf-8").replace("$loops", part("universal_loops"))
        return Template(template).substitute(text | self._numbers())

    @property
    def _form(self) -> Form:
        return COMPACT_FORM

    @property
    def _fixed(self) -> tuple[str, ...]:
        return tuple(column.name for column in self._form.columns if column.origin is Origin.FIXED)

    @property
    def _points(self) -> tuple[str, ...]:
        """Points of the multi-scalar multiplication before the rows: the fixed ones, then the proof's."""
        more = ("final", "generator") if self.check is FinalCheck.PAIRING else ()
        return (*self._fixed, *absorbed_points(self._form), *more)

    @property
    def _challenges(self) -> tuple[str, ...]:
        return tuple(name for message in self._form.rounds for name in message.challenges)

    def _word(self, name: str, bound: int = MODULUS, called: str = "") -> str:
        """Reserves the word of a value that formulas call `name`, or `called`."""
        place = self.memory.word(name.upper())
        self.words[called or name] = read(place, bound)
        return place

    def _lay_out(self) -> None:
        """All words that functions share, behind what is derived of a circuit. Areas whose neighbourhood matters: STATE in front of
        the proof's points, the scalars right behind those that come before them; the powers of rho; the denominators."""
        memory, registry = self.memory, registry_constants()
        memory.end = registry["RECORDS"] + MAX_LAYERS * registry["RECORD_BYTES"]
        scalars = scalars_offset(self._form)
        end = scalars + WORD_BYTES * len(self._form.scalars)
        memory.area("STATE", max(96 + DOMAINS[-1] + CONTEXT_BYTES, end, WORD_BYTES + POINT_BYTES * MAX_PACKS))
        for number, name in enumerate(self._form.scalars):
            self.words[name] = read(memory.at(scalar_word(name), memory.places["STATE"] + scalars + WORD_BYTES * number))
        start = memory.places["STATE"]
        memory.bury(start + INVERSION_BYTES, start + scalars)
        memory.bury(start + end, memory.end)
        for name in ("ORDER", "PROOF_PLACE", "SCALARS_PLACE", "FINAL_PLACE", "TOTAL"):
            memory.word(name)
        for name in (*self._challenges, "vanishing", "image", "constant_sum"):
            self._word(name)
        self._word("pixels", PIXELS_BOUND)
        for power in range(DOMAINS[-1].bit_length()):
            self._word(f"rho_{1 << power}")
        self._word("readout_top", 2 * MODULUS)
        self._word("bias1_top")
        memory.at("BOTTOMS", memory.end)
        for name in ("readout_bottom", "bias1_bottom"):
            self._word(name, called=inverse_name(name))
        self._word("rho_bottom", called=inverse_name("rho"))
        memory.area("READS_BOTTOMS", 2 * MAX_LAYERS * WORD_BYTES)
        self.partials_behind = memory.end - memory.places["BOTTOMS"]
        memory.area("PARTIALS", self.partials_behind)
        memory.area("READS_TOPS", 2 * MAX_LAYERS * WORD_BYTES)

    def _place_areas(self) -> None:
        """The input of the multi-scalar multiplication lies last but for areas of words that are written before they are read: its
        padding must be memory that nobody wrote to."""
        memory = self.memory
        memory.area("SUM", 128)
        if self.check is FinalCheck.PAIRING:
            memory.area("PAIRS", 768)
        memory.area("MSM", STRIDE * (len(self._points) + MAX_PACKS))
        start = memory.places["MSM"]
        for number, name in enumerate(self._points):
            memory.at(name.upper(), start + STRIDE * number)
            memory.at(f"{name.upper()}_SCALAR", start + STRIDE * number + SCALAR_OFFSET)
        memory.at("ROW_POINTS", start + STRIDE * len(self._points))
        memory.area("VALUES", WORD_BYTES * MAX_CLASSES)
        memory.at("ALPHAS", memory.end)

    def _rho_powers(self) -> list[str]:
        small, large = DOMAINS
        lines = []
        for doubling in range(1, large.bit_length()):
            step = [f"power := mulmod(power, power, {FIELD})", f"mstore(RHO_{1 << doubling}, power)"]
            lines += step if 1 << doubling <= small else [f"if eq(mload(DOMAIN), {large}) {{", *(f"    {line}" for line in step), "}"]
        return lines

    def _padding(self) -> list[str]:
        """Whether the bytes that fill the last word of the proof, which has one length, are zero."""
        left = self.check.proof_bytes(self._form) % WORD_BYTES
        if not left:
            return []
        return [f"canonical := and(canonical, iszero(shl({8 * left}, calldataload(add(start, {self.check.proof_bytes(self._form) - left})))))"]

    def _publics(self, domain: int) -> list[str]:
        """Selectors of the domain size, and the fraction of `bias`."""
        found = Selectors.of(two_layers(domain))
        names = {*found.indicators, *found.fractions}
        wanted = {name.removesuffix("_scalar") for name in ("lane_head", "limb_top", "pack_head", "table_head", _READS, _READS_NEXT, _BIAS)}
        if names != wanted:
            raise UnsupportedShape(f"circuits have the selectors {', '.join(sorted(names))}, the universal verifier evaluates {', '.join(sorted(wanted))}")
        check_reads(two_layers(domain))
        program = Program(dict(self.words))
        for name, formula in found.indicators.items():
            if name not in self.words:
                self._word(name)
            program.compute(name.upper(), formula)
        bias = _bias(found)
        program.compute("BIAS1_TOP", bias.numerator)
        program.compute("BIAS1_BOTTOM", bias.denominator)
        return [*self._lines(program), "mstore(RHO_BOTTOM, mload(RHO))"]

    def _lines(self, program: Program) -> list[str]:
        """The program's statements. Raises `ValueError` when a word that functions share may be larger than they take it to be."""
        lines = program.lines(self.memory.scratch())
        known = {value.text.removeprefix("mload(").removesuffix(")"): value.bound for value in self.words.values()}
        for place, bound in program.bounds.items():
            if bound > known.get(place, bound):
                raise ValueError(f"{place} may be as large as {bound:#x}")
        return lines

    def _public(self, domain: int, name: str, bias: Fraction) -> Symbol:
        """A public polynomial at rho as a formula in the words that hold its parts."""
        if name in self.words or name == "vanishing":
            return Symbol.named(name)
        vanishing, scale = Symbol.named("vanishing"), inverse(domain)
        if name == "constants":
            return Symbol.named("constant_sum") * scale
        if name == "inputs":
            return (Symbol.named("image") - vanishing) * scale
        top, bottom = ("readout", "readout") if name == "readout" else ("bias1", "bias1")
        factor = lifted(scale) if name == "readout" else bias.factor
        return Symbol.named(f"{top}_top") * Symbol.named(inverse_name(f"{bottom}_bottom")) * vanishing * factor

    def _fold(self, domain: int) -> list[str]:
        circuit = two_layers(domain)
        bias = _bias(Selectors.of(circuit))
        given = {
            _READS: Symbol.named("vanishing") * inverse(domain),
            _READS_NEXT: Symbol.named("vanishing") * ALPHA * inverse(domain),
        }
        zero = Symbol.of({})

        def folded(reads: Mapping[str, Symbol]) -> Fold[Symbol]:
            return claim(circuit, lambda name: reads[name] if name in reads else self._public(domain, name, bias))

        found = folded({_READS: zero, _READS_NEXT: zero})
        check_layers(domain)
        program = Program(dict(self.words))
        columns = dict(found.columns)
        program.compute(self._target("INPUT_ROWS"), lifted(columns.pop(row_column(0))))
        program.compute(self._target("BIAS_PART"), lifted(columns.pop(row_column(1))))
        for name, target in ((_READS, "READS_FACTOR"), (_READS_NEXT, "READS_NEXT_FACTOR")):
            alone = folded({_READS: zero, _READS_NEXT: zero, _BIAS: zero} | {name: given[name]})
            program.compute(self._target(target), lifted(alone.columns[row_column(1)]))
        for name in (*self._fixed, *absorbed_points(self._form)[:-1]):
            program.compute(f"{name.upper()}_SCALAR", lifted(columns.pop(name)))
        if columns:
            raise UnsupportedShape(f"no point of the contract commits to {', '.join(columns)}")
        program.compute("OPENING_SCALAR", lifted(found.opening))
        if self.check is FinalCheck.PAIRING:
            program.compute("GENERATOR_SCALAR", lifted(-found.value))
            program.compute("FINAL_SCALAR", Symbol.named("zeta"))
        else:
            program.compute(self._target("VALUE"), lifted(found.value))
        return self._lines(program)

    def _target(self, name: str) -> str:
        """A word for a result of the fold: the same one on both domain sizes."""
        return name if name in self.memory.places else self.memory.word(name)

    def _numbers(self) -> dict[str, str]:
        check, group = self.check, Group(1, WIDE, 1, 0, 1)
        size = check.proof_bytes(self._form)
        return {
            "name": universal_name(check),
            "points": str(len(self._form.points)),
            "points_before": str(len(self._points)),
            "proof_bytes": str(size),
            "proof_padded": str(word_aligned(size)),
            "scalars_offset": str(POINT_BYTES * len(absorbed_points(self._form))),
            "final_offset": str(size - check.final_bytes),
            "small": str(DOMAINS[0]),
            "large": str(DOMAINS[1]),
            "lanes": str(PACK_LANES),
            "per_pack": str(group.values_per_pack),
            "pack_values": str(WORD_BYTES * group.values_per_pack),
            "value_bits": str(group.value_bits),
            "borrow": f"{MODULUS - (1 << group.value_bits):#x}",
            "partials_behind": str(self.partials_behind),
            "memory": self.memory.constants("    "),
            "entry": part("entry"),
            "opens": _placed(opens(check)),
        }


def _bias(found: Selectors) -> Fraction:
    bias = found.fractions[_BIAS]
    if not isinstance(bias, Fraction):
        raise UnsupportedShape("the biases' selector is no fraction of two formulas")
    return bias


def claim(circuit: Circuit, public: Callable[[str], Symbol]) -> Fold[Symbol]:
    """The verifier's own linearisation and fold, run on names; `public` gives the formula of a public polynomial by its name."""
    shape = form(circuit)
    values = {name: Symbol.named(name) for name in shape.scalars}
    challenges = {name: Symbol.named(name) for message in shape.rounds for name in message.challenges}
    world: OpenedCells[Symbol] = OpenedCells(Lookup(public), challenges, stated_cells(shape, values))
    linearisation: Linearisation[Symbol] = Linearisation.of(shape, total_constraint(circuit, world))
    return fold(circuit, linearisation, values, challenges)


def check_layers(domain: int) -> None:
    """That every layer but the first has the formula of layer 1 under its own names, that nothing else depends on how many layers there
    are, and that a circuit of one layer has what the others do. Raises `UnsupportedShape`."""
    reference = claim(two_layers(domain), Symbol.named)
    for layers in (1, 2, 3, 4, 5):
        deeper = claim(Circuit((1,) * (layers + 1), (NARROW,) * (layers - 1) + (WIDE,), domain), Symbol.named)
        expected = {name: value for name, value in reference.columns.items() if name != row_column(1)}
        for layer in range(1, layers):
            names = {name: f"{name.removesuffix('1')}{layer}" for name in (_READS, _READS_NEXT, _BIAS)}
            expected[row_column(layer)] = _renamed(lifted(reference.columns[row_column(1)]), names)
        if (deeper.columns, deeper.opening, deeper.value) != (expected, reference.opening, reference.value):
            raise UnsupportedShape(f"circuits of {layers} layers have other formulas than those of two")


def check_reads(circuit: Circuit) -> None:
    """That `reads` and `reads_next` of layer 1 are what the loops evaluate: 1, and alpha, on ten rows a lane apart in the group's period,
    the second's one row earlier. Raises `UnsupportedShape`."""
    registry = registry_constants()
    found, group = selectors(circuit, ALPHA), circuit.layer_groups[0]
    for name, earlier, value in ((_READS, 0, lifted(1)), (_READS_NEXT, 1, ALPHA)):
        polynomial = found[name]
        first = group.residue * PACK_ROWS + 2 - earlier
        rows = {first + 4 * lane: value for lane in range(PACK_LANES)}
        if not isinstance(polynomial, Periodic) or polynomial.period != group.stride * PACK_ROWS or {row: lifted(v) for row, v in polynomial.values.items()} != rows:
            raise UnsupportedShape(f"{name} of layer 1 is not what the universal verifier evaluates")
    if registry["BEFORE_POLE"] != registry["ACTIVATION_POLE"] + WORD_BYTES or registry["LANE_PITCH"] != registry["BEFORE_POLE"] + WORD_BYTES:
        raise UnsupportedShape("the poles of `reads` and `reads_next` do not lie one behind the other")


def _renamed(formula: Symbol, names: Mapping[str, str]) -> Symbol:
    """The formula with other names, in normal form."""
    total = Symbol.of({})
    for monomial, value in formula.terms:
        product = lifted(value)
        for factor in monomial:
            product = product * (Symbol.named(names.get(factor, factor)) if isinstance(factor, str) else _renamed(factor, names))
        total = total + product
    return total


def _placed(text: str) -> str:
    for constant, word in _PLACES.items():
        text = re.sub(rf"\b{constant}\b", word, text)
    return text
