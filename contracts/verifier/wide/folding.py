"""The scalars of the columns that are no track's, and the value that the folded sum must take: linearisation and fold in formulas."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from zkpredict.circuits.columns import linearised_name
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.placement import QUOTIENT_SPLIT
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.publics import rho_to
from zkpredict.contracts.verifier.symbolic import Symbol, lifted
from zkpredict.contracts.verifier.wide import hidden
from zkpredict.contracts.verifier.wide.formulas import MODEL_COLUMNS

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator


def fold_lines(generator: WideGenerator) -> Callable[[], list[str]]:
    """Statements for those scalars and for `value`. The formulas are made at once, and note which poles there are; the statements when
    their inverses have words."""
    there, minus = generator.share(0), MODULUS - 1
    terms, constant = linearised(generator)
    scalars: dict[str, Symbol] = {}
    for (name, rotation), value in terms.items():
        scalars[name] = scalars.get(name, lifted(0)) + generator.share(rotation) * value
    scalars["quotient"] = there * Symbol.named("vanishing") * minus
    if generator.circuit.quotient_pieces == 2:
        scalars["quotient_high"] = scalars["quotient"] * rho_to(QUOTIENT_SPLIT)
    scalars["opening"] = generator.all_distances() * minus
    at_rho, elsewhere = Symbol.named("stated_sum") - constant, lifted(0)
    for rotation in generator.form.rotations[1:]:
        stated = Symbol.named(linearised_name(rotation))
        at_rho, elsewhere = at_rho - stated, elsewhere + generator.share(rotation) * stated
    value = there * at_rho + elsewhere + generator.more_value()

    def lines() -> list[str]:
        program = generator.program()
        for name, formula in scalars.items():
            program.compute(f"{name.upper()}_SCALAR", formula)
        if generator.check is FinalCheck.PAIRING:
            program.compute("GENERATOR_SCALAR", -value)
            program.compute("FINAL_SCALAR", Symbol.named("zeta"))
        else:
            program.compute(generator.word("value"), value)
        return generator.lines(program)

    return lines


def linearised(generator: WideGenerator) -> tuple[dict[tuple[str, int], Symbol], Symbol]:
    """What `lookup_table`, `fold` and `sum` say, and the constraints of a hidden input, weighed by their powers of delta: the factor of each
    cell that is left (but rows' and tracks' lookups'), and the constant, with that of the tracks."""
    plan, known = generator.plan, {"constants": Symbol.named("constant_sum") * pow(generator.circuit.domain, -1, MODULUS)}
    if generator.circuit.claim.ranked:
        known |= {"largest": generator.outputs.largest(), "spare": generator.outputs.spare()}

    def public(name: str) -> Symbol:
        if name in plan.selectors and name not in known:
            known[name] = generator.formulas.selector(name)
        return known.get(name, Symbol.named(name))

    own_lookups, weights = hidden.lookups(generator.circuit), generator.summed()
    terms: dict[tuple[str, int], Symbol] = {}
    looped = hidden.looped(generator.circuit)
    constant = (Symbol.named("input_constant") if looped else lifted(0)) + Symbol.named("tracks_constant") + generator.outputs.winner() * generator.delta(plan.winner_constraint)
    whole = [(weight, generator.formulas.whole(name)) for name, weight in weights.items()]
    for weight, found in [*whole, *((generator.delta(index), linear) for index, linear in hidden.constraints(generator.circuit))]:
        constant = constant + weight * substituted(lifted(found.constant), public)
        for cell, value in found.terms.items():
            if cell[0] in own_lookups[len(looped) :] or not cell[0].startswith((*MODEL_COLUMNS, "lookup")):
                terms[cell] = terms.get(cell, lifted(0)) + weight * substituted(lifted(value), public)
    if generator.convolutions is not None:
        constant = constant + weights["sum"] * Symbol.named("taps_read")
    return terms, constant


def substituted(formula: Symbol, replacement: Callable[[str], Symbol]) -> Symbol:
    """The formula with other formulas in the place of names."""
    total = lifted(0)
    for monomial, value in formula.terms:
        product = lifted(value)
        for factor in monomial:
            product = product * (substituted(factor, replacement) if isinstance(factor, Symbol) else replacement(factor))
        total = total + product
    return total
