"""Yul of a score's loops: what the proof states of the set's inputs, the claim that opens it, and the weights of the set's points.

    roots     = rho zeta^m - 1, which every other share is multiplied with
    input     : share = nu^(number of claims before) (distances of all rotations from zeta); its value is sum_j stated_j zeta^j
    B(j)      : that of slot J - m + j for m <= J; for m > J slot after slot, stack after stack
    A(c)      : that of the last slot of polynomial c, and of the stacks before it
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.batch.registered import RegisteredBatch
from zkpredict.contracts.verifier.lowering import FIELD
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import indented
from zkpredict.contracts.verifier.publics import UnsupportedShape, rho_to
from zkpredict.contracts.verifier.symbolic import Symbol
from zkpredict.contracts.verifier.wide.batch_loops import block_lines, winner_function

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.scores import ScoreGenerator

HALF_LANES, ONE_LANES = "0x" + "7fff" * 16, "0x" + "0001" * 16
LABELS_PER_WORD = 16
HEAD_BYTES = 40
"""Of a set's data, behind the first byte: bytes of an input, number of inputs, the inputs' hash."""


def check_weights(circuit: RegisteredBatch) -> None:
    """That the loops give the circuit's own weights. Raises `UnsupportedShape`."""
    m, slots = circuit.together, circuit.slots
    used = min(m, slots)
    places = [circuit.image_exponent(slots - used + place) for place in range(m)]
    ends = [circuit.stack_exponent * (number * m // slots) + circuit.slot_exponent((number * m % slots + m - 1) % slots if m < slots else slots - 1)
            for number in range(circuit.polynomials)]
    if [circuit.component_exponent(place) for place in range(m)] != places or [circuit.polynomial_exponent(c) for c in range(circuit.polynomials)] != ends:
        raise UnsupportedShape("the weights of a set's polynomials are not those of slots and stacks")


def roots_lines(circuit: RegisteredBatch) -> list[str]:
    """Statements for rho zeta^m - 1, in `roots`."""
    squares = [f"roots := mulmod(roots, roots, {FIELD})"] * (circuit.together.bit_length() - 1)
    return ["let roots := mload(ZETA)", *squares, f"roots := addmod(mulmod(roots, mload(RHO), {FIELD}), sub({FIELD}, 1), {FIELD})"]


def set_functions(generator: ScoreGenerator) -> str:
    """Functions that read the set, and weigh what is stated of it."""
    return f"{_read_function(generator)}\n\n{_weigh_function(generator)}\n\n{winner_function(generator)}\n\n"


def _read_function(generator: ScoreGenerator) -> str:
    circuit, memory = generator.circuit, generator.memory
    labels = WORD_BYTES * -(-circuit.images // LABELS_PER_WORD)
    size = HEAD_BYTES + 2 * circuit.images + 96 * circuit.polynomials
    memory.area("SET_HEAD", HEAD_BYTES)
    memory.at("SET_LABELS", memory.places["SET_HEAD"] + HEAD_BYTES)
    memory.end = memory.places["SET_LABELS"]
    memory.area("SET_REST", max(size - HEAD_BYTES, labels))
    spare = LABELS_PER_WORD * (labels // WORD_BYTES) - circuit.images
    unused = [f"    if eq(at, {labels - WORD_BYTES}) {{ differ := or(differ, {(1 << 16 * spare) - 1:#x}) }}"] if spare else []
    count = [
        f"let lanes := {HALF_LANES}",
        f"for {{ let at := 0 }} lt(at, {labels}) {{ at := add(at, 32) }} {{",
        "    let differ := xor(calldataload(add(CLASSES_AT, at)), mload(add(SET_LABELS, at)))",
        *unused,
        "    differ := not(or(or(add(and(differ, lanes), lanes), differ), lanes))",
        f"    right := add(right, shr(240, mul(shr(15, differ), {ONE_LANES})))",
        "}",
    ]
    points = [
        f"let from := add(SET_LABELS, {2 * circuit.images})",
        f"for {{ let to := add(SET_0, 16) }} lt(to, add(SET_0, {160 * circuit.polynomials})) {{ to := add(to, STRIDE) }} {{",
        "    mcopy(to, from, 48)",
        "    mcopy(add(to, 64), add(from, 48), 48)",
        "    from := add(from, POINT_BYTES)",
        "}",
    ]
    return f"""    /// The set's points into the multi-scalar multiplication, and its labels, of which at least `atLeast` must be the classes.
    function _readSet(bytes32 setId, uint256 atLeast) private view returns (uint32, uint256) {{
        address data = TEST_SETS.dataOf(setId);
        if (data == address(0)) return (uint32(UnknownSet.selector), uint256(setId));
        uint256 inputBytes;
        uint256 count;
        // bytes of an input u32 | number of inputs u32 | the inputs' hash | labels u16 each | points, x and y of 48 bytes each
        assembly {{
            extcodecopy(data, SET_HEAD, 1, {size})
            inputBytes := shr(224, mload(SET_HEAD))
            count := and(shr(192, mload(SET_HEAD)), 0xffffffff)
        }}
        if (inputBytes != IMAGE_BYTES) return (uint32(WrongSetInputs.selector), inputBytes);
        if (count != IMAGES) return (uint32(WrongSetCount.selector), count);
        uint256 right;
        // 16 classes and labels at a time: a lane of `differ` is 0 where they are the same, and then 1 after the next two lines
        assembly {{
{indented(count)}
        }}
        if (right < atLeast) return (uint32(TooFewRight.selector), right);
        assembly {{
{indented(points)}
        }}
        return (0, 0);
    }}"""


def _weigh_function(generator: ScoreGenerator) -> str:
    circuit = generator.circuit
    m, slots, size = circuit.together, circuit.slots, WORD_BYTES * circuit.slots
    used = min(m, slots)
    generator.word("pixels")
    turn = [f"    if eq(slot, {size}) {{", "        slot := 0", f"        stack := mulmod(stack, mload(TRACK_STEP), {FIELD})", "    }"]
    met = [
        "let met := 0",
        f"let slot := {WORD_BYTES * (slots - used)}",
        "let stack := 1",
        f"for {{ let at := 0 }} lt(at, {WORD_BYTES * m}) {{ at := add(at, 32) }} {{",
        *(turn if m > slots else []),
        f"    let weight := mulmod(mload(add(INPUT_0_VALUE, at)), mload(add(SLOT_WEIGHTS, slot)), {FIELD})",
        f"    met := addmod(met, {f'mulmod(weight, stack, {FIELD})' if m > slots else 'weight'}, {FIELD})",
        "    slot := add(slot, 32)",
        "}",
        "mstore(MET, met)",
    ]
    if m <= slots:
        met.remove("let stack := 1")
    left = [
        "let left := 0",
        f"for {{ let at := {WORD_BYTES * m} }} at {{ }} {{",
        "    at := sub(at, 32)",
        f"    left := addmod(mulmod(left, mload(ZETA), {FIELD}), mload(add(INPUT_0_VALUE, at)), {FIELD})",
        "}",
        f"mstore(INPUT_VALUE, mulmod(left, mload(INPUT_SHARE), {FIELD}))",
    ]
    step = ["let step := mload(TRACK_STEP)", *([f"step := mulmod(step, step, {FIELD})"] * ((m // used).bit_length() - 1))]
    weights = [
        "let stack := mload(INPUT_SHARE)",
        *(step if circuit.polynomials > 1 else []),
        f"let slot := {WORD_BYTES * (used - 1)}",
        f"for {{ let to := SET_0_SCALAR }} lt(to, add(SET_0_SCALAR, {160 * circuit.polynomials})) {{ to := add(to, STRIDE) }} {{",
        f"    mstore(to, mulmod(stack, mload(add(SLOT_WEIGHTS, slot)), {FIELD}))",
        f"    slot := add(slot, {WORD_BYTES * used})",
        *([f"    if iszero(lt(slot, {size})) {{", f"        slot := {WORD_BYTES * (used - 1)}", f"        stack := mulmod(stack, step, {FIELD})", "    }"]
          if circuit.polynomials > 1 else []),
        "}",
    ]
    program = generator.program()
    program.compute("PIXELS", rho_to(circuit.inputs - 1) * Symbol.named("met"))
    more = [*generator.lines(program), *block_lines(generator)]
    parts = "\n".join("            {\n" + indented(part, 16) + "\n            }" for part in (met, left, weights))
    return f"""    /// What the proof states of the inputs at 1/rho, in the place of the sum of all images; and the opening of the set's polynomials to it.
    function _weighSet() private pure {{
        // met = sum_j alpha^B(j) stated_j; pixels = rho^(bytes of an input - 1) met; point c: share alpha^A(c)
        // input_value = share sum_j stated_j zeta^j
        assembly {{
            let r := mload(ORDER)
{parts}
{indented(more)}
        }}
    }}"""
