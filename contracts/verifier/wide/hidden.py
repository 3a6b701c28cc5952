"""A hidden input: its commitment's points are an argument in the place of bytes, and what rows read is a column of the proof.

    committed_c : a point of the statement, hashed with it and folded:  [P_c] with the scalar  there delta^i (input_end - 1)
    input_c     : a column of bytes of the proof, stated at rho as all are
    rows of layer 0, part c, are weighed with  (1 - input_end - input_bias) input_c,  that of part 0 plus input_bias

The multi-scalar multiplication refuses points off the curve or outside the subgroup, whatever their scalars (EIP-2537).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.placement import all_constraints
from zkpredict.circuits.wide.keys import KEYS, Keys
from zkpredict.circuits.wide.layout import WideCircuit, hidden_rows_name
from zkpredict.circuits.wide.private import PrivateInput
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import POINT_BYTES, SCALAR_OFFSET, Lookup, indented, read
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.symbolic import Symbol, lifted
from zkpredict.verifier.opening import Linear, OpenedCells

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator

LOOKUP = "lookup_input"
MAX_UNROLLED = 2
"""Lookups of three bytes a row that are written out one by one; more are a loop."""
ERROR = "InputPointAtInfinity"


def parts_of(circuit: WideCircuit) -> range:
    """The points that commit to a hidden input; none for a public one."""
    return range(len(circuit.chunks) if circuit.private_input else 0)


def committed(circuit: WideCircuit) -> tuple[str, ...]:
    """Names of those points."""
    return tuple(f"committed{part}" for part in parts_of(circuit))


def held(circuit: WideCircuit) -> tuple[str, ...]:
    """Columns of a proof that hold the input."""
    return tuple(f"input{part}" for part in parts_of(circuit))


def lookups(circuit: WideCircuit) -> tuple[str, ...]:
    """Columns of a proof that look its bytes up."""
    return tuple(name for name, _ in Keys(circuit).lookups() if name.startswith(LOOKUP))


def looped(circuit: WideCircuit) -> tuple[str, ...]:
    """Those that a loop weighs: all of three keys, if they are many."""
    full = len(parts_of(circuit)) // KEYS
    return lookups(circuit)[: full if full > MAX_UNROLLED else 0]


def argument_bytes(circuit: WideCircuit) -> int:
    """Length of the argument `image`: the input's bytes, or the points of its commitment."""
    return POINT_BYTES * len(parts_of(circuit)) if circuit.private_input else circuit.inputs


def opened(circuit: WideCircuit) -> dict[tuple[str, int], Symbol]:
    """What a proof states of a hidden input, as names."""
    return {(name, 0): Symbol.named(name) for name in held(circuit)}


def constraints(circuit: WideCircuit) -> list[tuple[int, Linear[Symbol]]]:
    """That the columns hold what was committed, and bytes, but for what the loop weighs: each constraint with its index, as a formula in what is
    stated."""
    wanted = {f"input {part} is the committed one" for part in parts_of(circuit)} | set(lookups(circuit)[len(looped(circuit)) :])
    found = [(index, _stated(one, opened(circuit))) for index, one in enumerate(all_constraints(circuit)) if one.name in wanted]
    if len(found) != len(wanted):
        raise UnsupportedShape(f"a hidden input has {len(found)} constraints, the contract weighs {len(wanted)}")
    return found


def _stated(constraint: Constraint, cells: Mapping[tuple[str, int], Symbol]) -> Linear[Symbol]:
    """A constraint as a formula in names for what is stated."""
    linear = constraint.expression.evaluate(OpenedCells(Lookup(Symbol.named), Lookup(Symbol.named), cells))
    return Linear(lifted(linear.constant), {cell: lifted(value) for cell, value in linear.terms.items()})


def _looked_up(circuit: WideCircuit) -> Linear[Symbol]:
    """The constraint of a lookup in names for its column and its bytes, which all that are looped have alike. Raises `UnsupportedShape`."""
    found = []
    for group, name in enumerate(looped(circuit)):
        cells = {(f"input{KEYS * group + number}", 0): Symbol.named(f"byte_{number}") for number in range(KEYS)}
        (own,) = (_stated(one, cells) for one in all_constraints(circuit) if one.name == name)
        found.append(Linear(own.constant, {(cell.replace(name, LOOKUP), at): value for (cell, at), value in own.terms.items()}))
    if any(other != found[0] for other in found) or set(found[0].terms) != {(LOOKUP, 0)}:
        raise UnsupportedShape("the lookups of a hidden input differ")
    return found[0]


def row_scalars(generator: WideGenerator) -> list[tuple[str, Symbol]]:
    """Words for the scalars of the first layer's combined rows, one for each part of the input. Raises `UnsupportedShape` when a layer reads
    other than this says."""
    circuit, formulas = generator.circuit, generator.formulas
    world = OpenedCells(Lookup(Symbol.named), Lookup(Symbol.named), opened(circuit))
    terms = PrivateInput(circuit).read().evaluate(world).terms
    end, bias = formulas.selector("input_end"), formulas.selector("input_bias")
    found = []
    for part in parts_of(circuit):
        read = (lifted(1) - Symbol.named("input_end") - Symbol.named("input_bias")) * Symbol.named(f"input{part}")
        read = read if part else read + Symbol.named("input_bias")
        if lifted(terms[hidden_rows_name(part), 0]) != read:
            raise UnsupportedShape(f"the rows of part {part} of a hidden input are not what the contract weighs")
        weighed = (lifted(1) - end - bias) * Symbol.named(f"input{part}")
        weighed = weighed if part else weighed + bias
        found.append((generator.word(f"input_scalar_{part}"), Symbol.named("row_factor") * weighed))
    return found


# Solidity


def errors(circuit: WideCircuit) -> str:
    return f"    error {ERROR}(uint256 index);\n\n" if circuit.private_input else ""


def check(circuit: WideCircuit) -> str:
    """The statements that read the commitment, for the function that says why a proof is refused."""
    if not circuit.private_input:
        return ""
    return f"""        uint256 nowhere = _readInput();
        if (nowhere != 0) return (uint32({ERROR}.selector), nowhere - 1);
"""


def function(circuit: WideCircuit) -> str:
    """The function that reads the points of the commitment."""
    first, *_ = committed(circuit)
    return f"""    /// The points of the input's commitment, from the argument `image`. 0, or 1 + index of one at infinity, which commits to nothing secret.
    function _readInput() private pure returns (uint256 nowhere) {{
        // committed points, each 0^16 | x | 0^16 | y | scalar; nowhere = 1 + i for the last with x == 0 and y == 0, from the last to the first
        assembly {{
            for {{ let i := {len(parts_of(circuit))} }} i {{ }} {{
                let to := add({first.upper()}, mul(sub(i, 1), STRIDE))
                let from := add(IMAGE_AT, mul(sub(i, 1), POINT_BYTES))
                calldatacopy(add(to, 16), from, 48)
                calldatacopy(add(to, 80), add(from, 48), 48)
                if iszero(or(or(mload(to), mload(add(to, 32))), or(mload(add(to, 64)), mload(add(to, 96))))) {{ nowhere := i }}
                i := sub(i, 1)
            }}
        }}
    }}

"""


def weigh_function(generator: WideGenerator) -> str:
    """The function that weighs the lookups by a loop, and leaves their constants in INPUT_CONSTANT; nothing where there are few."""
    circuit, memory = generator.circuit, generator.memory
    if not looped(circuit):
        return ""
    names = [one.name for one in all_constraints(circuit)]
    index, stated = names.index(looped(circuit)[0]), generator.form.scalars.index(held(circuit)[0])
    memory.area("BYTES", WORD_BYTES * KEYS)
    for number in range(KEYS):
        generator.words[f"byte_{number}"] = read(memory.at(f"BYTE_{number}", memory.places["BYTES"] + WORD_BYTES * number))
    for name in ("delta_lookup", "lookup_constant", "lookup_scalar", "input_constant"):
        generator.word(name)
    own, program = _looked_up(circuit), generator.program()
    program.compute("LOOKUP_CONSTANT", Symbol.named("delta_lookup") * own.constant)
    weighed = Symbol.named("delta_lookup") * own.terms[LOOKUP, 0] - Symbol.named("theta_sum")
    program.compute("LOOKUP_SCALAR", Symbol.named("there") * weighed)
    start = generator.point_offset(looped(circuit)[0]) + SCALAR_OFFSET
    body = indented(generator.lines(program), 16)
    return f"""    /// The lookups of a hidden input's bytes, three a row, by the same formulas.
    function _weighLookups() private pure {{
        // input_constant = sum of delta^i (constant part of lookup i); scalar = there (delta^i keys - delta^sum theta)
        assembly {{
            let r := mload(ORDER)
            for {{ let i := 0 }} lt(i, {len(looped(circuit))}) {{ i := add(i, 1) }} {{
                mcopy(BYTES, add(STATED, add({WORD_BYTES * stated}, mul(i, {WORD_BYTES * KEYS}))), {WORD_BYTES * KEYS})
                mstore(DELTA_LOOKUP, mload(add(DELTAS, add({WORD_BYTES * index}, mul(i, {WORD_BYTES})))))
{body}
                mstore(INPUT_CONSTANT, addmod(mload(INPUT_CONSTANT), mload(LOOKUP_CONSTANT), r))
                mstore(add(MSM, add({start}, mul(i, STRIDE))), mload(LOOKUP_SCALAR))
            }}
        }}
    }}

"""
