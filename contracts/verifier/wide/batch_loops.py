"""Yul of a batch's loops: slots with their points and weights, inputs with their classes and poles, and public polynomials from them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.wide.claims import LOGIT_LIMIT
from zkpredict.circuits.wide.geometry import BIAS_ROW, BLOCK_ROWS, IDLE_ROWS, PACK_BITS, PACKS_PER_BLOCK
from zkpredict.circuits.wide.output import LANE_BASE, Output
from zkpredict.contracts.verifier.lowering import FIELD, number
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import indented
from zkpredict.contracts.verifier.pixels import pixel_lines
from zkpredict.contracts.verifier.publics import UnsupportedShape, rho_to
from zkpredict.contracts.verifier.symbolic import Symbol
from zkpredict.contracts.verifier.wide.inputs import input_scalars, shared_lines
from zkpredict.contracts.verifier.wide.selectors import climb

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.batch_parts import BatchOutputs
    from zkpredict.contracts.verifier.wide.batches import BatchGenerator
    from zkpredict.contracts.verifier.wide.formulas import Ladder

HIGH_ROW, LOW_ROW = IDLE_ROWS
FIRST_BOTTOMS = "HIGH_BOTTOMS"
"""The first of the areas of values to be inverted; the others follow it."""


def _over_slots(size: int, body: list[str]) -> list[str]:
    """A loop over the words of all slots, whose place in their areas is `at`."""
    return [f"for {{ let at := 0 }} lt(at, {size}) {{ at := add(at, 32) }} {{", *(f"    {line}" for line in body), "}"]


def _turn(period: int, rows: int) -> str:
    """The constant w^-rows, w of order `period`."""
    return number(pow(root_of_unity(period), -rows, MODULUS))


def slot_lines(generator: BatchGenerator) -> list[str]:
    """Points, weights and shares of slots, and sums of weights."""
    circuit = generator.circuit
    size, rotations = WORD_BYTES * circuit.slots, len(generator.form.stated) + 2
    weights = [
        "// slot_points[j] = w^(-32 j) rho, slot_weights[j] = alpha^(3 (J - 1 - j)), every = (sum of those) (sum over stacks of alpha^(D i))",
        f"let cubed := mulmod(mload(ALPHA), mulmod(mload(ALPHA), mload(ALPHA), {FIELD}), {FIELD})",
        "let weight := 1",
        "let sum := 0",
        f"for {{ let at := {size} }} at {{ }} {{",
        "    at := sub(at, 32)",
        "    mstore(add(SLOT_WEIGHTS, at), weight)",
        f"    sum := addmod(sum, weight, {FIELD})",
        f"    weight := mulmod(weight, cubed, {FIELD})",
        "}",
        f"let step := {_power_text(generator, circuit.stack_exponent)}",
        "let stacks := 1",
        f"for {{ let i := 1 }} lt(i, {circuit.stacks}) {{ i := add(i, 1) }} {{ stacks := addmod(mulmod(stacks, step, {FIELD}), 1, {FIELD}) }}",
        "mstore(STACKS, stacks)",
        f"mstore(EVERY, mulmod(sum, stacks, {FIELD}))",
    ]
    distances = [
        "// share_j = nu^(m + 1 + j) (zeta - w rho) product over k != j of (zeta - w^(-32 k) rho), for j = 0 without nu: there; m + 1 values are",
        "// opened at rho and one at w rho. here = product over all k of (zeta - w^(-32 k) rho)",
        "let point := mload(RHO)",
        f"let before := addmod(mload(ZETA), sub({FIELD}, mulmod(point, {number(root_of_unity(circuit.domain))}, {FIELD})), {FIELD})",
        *_over_slots(size, [
            "mstore(add(SLOT_POINTS, at), point)",
            f"let distance := addmod(mload(ZETA), sub({FIELD}, point), {FIELD})",
            "mstore(add(SLOT_DISTANCES, at), distance)",
            "mstore(add(SHARES, at), before)",
            f"before := mulmod(before, distance, {FIELD})",
            f"point := mulmod(point, {_turn(circuit.domain, BLOCK_ROWS)}, {FIELD})",
        ]),
        *generator.all_distances_lines("before"),
        f"for {{ let at := {size} }} at {{ }} {{",
        "    at := sub(at, 32)",
        f"    mstore(add(SHARES, at), mulmod(mload(add(SHARES, at)), behind, {FIELD}))",
        f"    behind := mulmod(behind, mload(add(SLOT_DISTANCES, at)), {FIELD})",
        "}",
        "mstore(HERE, behind)",
        "mstore(THERE, mload(SHARES))",
        "let power := 1",
        f"for {{ let k := 0 }} lt(k, {rotations}) {{ k := add(k, 1) }} {{ power := mulmod(power, mload(NU), {FIELD}) }}",
        f"for {{ let at := 32 }} lt(at, {size}) {{ at := add(at, 32) }} {{",
        f"    mstore(add(SHARES, at), mulmod(mload(add(SHARES, at)), power, {FIELD}))",
        f"    power := mulmod(power, mload(NU), {FIELD})",
        "}",
        *generator.last_share_lines("before", "power"),
    ]
    return ["{", *(f"    {line}" for line in weights), "}", "{", *(f"    {line}" for line in distances), "}"]


def _power_text(generator: BatchGenerator, exponent: int) -> str:
    """Yul of alpha^exponent, from the squares."""
    bits = [1 << bit for bit in range(exponent.bit_length()) if exponent >> bit & 1]
    value = generator.words[f"alpha_{bits[0]}"].text
    for bit in bits[1:]:
        value = f"mulmod({value}, {generator.words[f'alpha_{bit}'].text}, {FIELD})"
    return value


# inputs


def weigh_images(outputs: BatchOutputs) -> str:
    """The body of the function that weighs classes: constants, and the poles of differences that must be zero."""
    generator, circuit, band = outputs.generator, outputs.circuit, outputs.band
    memory, value_bits = generator.memory, outputs.value_bits
    memory.area("CLASS_TABLE", 2 * WORD_BYTES * circuit.classes)
    if generator.weighs_images:
        memory.area("IMAGE_WEIGHTS", WORD_BYTES * circuit.images)
    if "BOTTOMS" not in memory.places:
        reserve_bottoms(generator)
    lines = [
        *outputs._pack_weights(),
        "// class_table[y] = sum over classes i < y of the weight of their differences; w^-row of y's own difference",
        "let weight := 0",
        "let to := CLASS_TABLE",
        "let at := PACK_WEIGHTS",
    ]
    places = list(band.pack_places())
    table = f"add(CLASS_TABLE, {2 * WORD_BYTES * circuit.classes})"
    for run in (run for run in band.runs if band.used(run)):
        row, used = places[run.first][1], band.used(run)
        pitch = places[run.first + 1][1] - row if used > 1 else 0
        if any(places[run.first + k] != (0, row + pitch * k) for k in range(used)):
            raise UnsupportedShape("packs of a run are not evenly spaced on one track")
        lines += [
            "{",
            f"    let first := {number(pow(root_of_unity(circuit.domain), -row, MODULUS))}",
            f"    for {{ let end := add(at, {WORD_BYTES * used}) }} lt(at, end) {{ at := add(at, 32) }} {{",
            "        let turn := first",
            f"        for {{ let shift := {PACK_BITS} }} and(gt(shift, {PACK_BITS - value_bits * outputs.per_pack}), lt(to, {table})) {{ to := add(to, 64) }} {{",
            f"            shift := sub(shift, {value_bits})",
            "            mstore(to, weight)",
            "            mstore(add(to, 32), turn)",
            f"            weight := addmod(weight, mulmod(mload(at), shl(shift, 1), {FIELD}), {FIELD})",
            f"            turn := mulmod(turn, {_turn(circuit.domain, band.lanes)}, {FIELD})",
            "        }",
            *([f"        first := mulmod(first, {_turn(circuit.domain, pitch)}, {FIELD})"] if used > 1 else []),
            "    }",
            "}",
        ]
    lines += [
        "mstore(LARGEST_WEIGHT, weight)",
        "// constant_sum = every (constant_sum - 2^46 weights of all classes) - sum over images b of alpha^E_b (weights of the classes below theirs)",
        f"weight := addmod(mload(CONSTANT_SUM), sub({FIELD}, mulmod(weight, {number(LOGIT_LIMIT)}, {FIELD})), {FIELD})",
        f"mstore(CONSTANT_SUM, mulmod(weight, mload(EVERY), {FIELD}))",
    ]
    return "        assembly {\n" + indented(["let r := mload(ORDER)", *lines]) + "\n        }\n" + _image_loop(generator)


def _image_loop(generator: BatchGenerator) -> str:
    circuit, lanes = generator.circuit, generator.circuit.output.lanes
    later = [f"mstore(add(bottom, {WORD_BYTES * lane}), sub(pole, 1))" if lane else "mstore(bottom, sub(pole, 1))" for lane in range(lanes)]
    poles = [later[0]]
    for line in later[1:]:
        poles += [f"pole := mulmod(pole, {_turn(circuit.domain, 1)}, {FIELD})", line]
    lines = [
        "let r := mload(ORDER)",
        "let stack := 1",
        "let lost := 0",
        "let bottom := WINNER_BOTTOMS",
        "let slot := 0",
        f"for {{ let b := 0 }} lt(b, {circuit.images}) {{ b := add(b, 1) }} {{",
        *(
            [f"    if eq(slot, {WORD_BYTES * circuit.slots}) {{", "        slot := 0", f"        stack := mulmod(stack, mload(TRACK_STEP), {FIELD})", "    }"]
            if circuit.stacks > 1
            else []
        ),
        "    let own := add(CLASS_TABLE, shl(6, shr(240, calldataload(add(CLASSES_AT, add(b, b))))))",
        f"    let weight := mulmod(stack, mload(add(SLOT_WEIGHTS, slot)), {FIELD})",
        *(["    mstore(add(IMAGE_WEIGHTS, shl(5, b)), weight)"] if generator.weighs_images else []),
        f"    lost := addmod(lost, mulmod(weight, mload(own), {FIELD}), {FIELD})",
        f"    let pole := mulmod(mload(add(SLOT_POINTS, slot)), mload(add(own, 32)), {FIELD})",
        *(f"    {line}" for line in poles),
        f"    bottom := add(bottom, {WORD_BYTES * lanes})",
        "    slot := add(slot, 32)",
        "}",
        f"mstore(CONSTANT_SUM, addmod(mload(CONSTANT_SUM), sub({FIELD}, lost), {FIELD}))",
    ]
    kept = "image_weights[b] = alpha^E_b; " if generator.weighs_images else ""
    note = f"        // {kept}poles of the lanes of the difference of b's class, at the point of its slot\n"
    return note + "        assembly {\n" + indented(lines) + "\n        }"


def image_functions(generator: BatchGenerator) -> str:
    """Functions that evaluate all inputs, and add up the winners."""
    circuit = generator.circuit
    generator.word("pixels")
    generator.memory.word("IMAGE_START")
    own = ["let r := mload(ORDER)", "let rho := mload(RHO)", "let rho2 := mload(RHO_2)", "let pixels := 0"]
    own += [*pixel_lines(circuit.inputs, start="mload(IMAGE_START)"), "mstore(IMAGE_START, pixels)"]
    shared = block_lines(generator)
    more = ["let r := mload(ORDER)", *shared] if shared else []
    block = "\n        assembly {\n" + indented(more) + "\n        }" if more else ""
    return f"""    /// The sum of all images, each with its weight, as a polynomial at rho: evaluating is linear.
    function _evaluateImages() private pure {{
        // pixels = sum over images b of alpha^E_b pixels_b(rho){block}
        uint256 sum = 0;
        for (uint256 b = 0; b < IMAGES; ++b) {{
            assembly {{
                mstore(IMAGE_START, add(IMAGE_AT, mul(b, {circuit.inputs})))
            }}
            _evaluateImage();
            assembly {{
                sum := addmod(sum, mulmod(mload(IMAGE_START), mload(add(IMAGE_WEIGHTS, shl(5, b))), R), R)
            }}
        }}
        assembly {{
            mstore(PIXELS, sum)
        }}
    }}

    /// One image as a polynomial at rho, by Horner's rule: its start is in IMAGE_START, and then the value. rho has 240 bits, so that two
    /// elements and 255 rho + 255 fit in a word: two pixels a step, and zero pixels skipped by 8 and by 32.
    function _evaluateImage() private pure {{
        // for pixel in image: pixels = pixels * rho + pixel
        assembly {{
{indented(own)}
        }}
    }}

{winner_function(generator)}

"""


def block_lines(generator: BatchGenerator) -> list[str]:
    """The power of rho by which packs that share a row are apart, where they do."""
    circuit = generator.circuit
    if circuit.packs_per_row == 1:
        return []
    program = generator.program()
    program.compute(generator.word("rho_block"), rho_to(circuit.inputs + 1))
    return generator.lines(program)


def winner_function(generator: BatchGenerator) -> str:
    circuit = generator.circuit
    per_stack, size = WORD_BYTES * circuit.output.lanes * circuit.slots, WORD_BYTES * circuit.output.lanes * circuit.images
    lines = [
        "let r := mload(ORDER)",
        "let total := 0",
        "let at := WINNER_BOTTOMS",
        f"for {{ let i := 0 }} lt(i, {circuit.stacks}) {{ i := add(i, 1) }} {{",
        f"    let end := add(at, {per_stack})",
        f"    if gt(end, add(WINNER_BOTTOMS, {size})) {{ end := add(WINNER_BOTTOMS, {size}) }}",
        "    let sum := 0",
        f"    for {{ }} lt(at, end) {{ at := add(at, 32) }} {{ sum := addmod(sum, mload(at), {FIELD}) }}",
        f"    total := addmod(total, mulmod(sum, mload({'LANES' if circuit.stacks == 1 else 'add(LANE_OF, shl(5, i))'}), {FIELD}), {FIELD})",
        "}",
        f"mstore(WINNER, mulmod(total, mulmod(mload(VANISHING), {number(inverse(circuit.domain))}, {FIELD}), {FIELD}))",
    ]
    return f"""    /// The constraint that no claimed class differs from itself.
    function _addWinners() private pure {{
        // winner = sum over stacks i of lane_i (polynomial that is 1 on the lanes of the differences of its images' classes)
        assembly {{
{indented(lines)}
        }}
    }}"""


# public polynomials


def reserve_bottoms(generator: BatchGenerator) -> None:
    """Areas of values to be inverted, one behind the other and in front of the single ones."""
    circuit, memory = generator.circuit, generator.memory
    size = WORD_BYTES * circuit.slots
    for name, _ in _ladders(generator):
        memory.area(f"{name}_TOPS", size)
    memory.area("HIGH_BOTTOMS", size)
    memory.area("LOW_BOTTOMS", size)
    for name, _ in _ladders(generator):
        memory.area(f"{name}_BOTTOMS", size)
    memory.area("WINNER_BOTTOMS", WORD_BYTES * circuit.output.lanes * circuit.images)
    memory.area("BOTTOMS", WORD_BYTES * generator._most_bottoms)


def _ladders(generator: BatchGenerator) -> list[tuple[str, Ladder]]:
    """Rows that a slot reads, with the names of their areas."""
    return [(f"{name.upper()}_{k}", ladder) for name, own in generator.plan.ladders.items() for k, ladder in enumerate(own)]


def slot_poles(generator: BatchGenerator) -> tuple[list[str], list[str]]:
    """A function for the sum over rows, and statements for all slots."""
    circuit = generator.circuit
    n, size = circuit.domain, WORD_BYTES * circuit.slots
    rows = [
        f"mstore(add({name}_BOTTOMS, at), sub(mulmod(mload(add(SLOT_POINTS, at)), {_turn(n, row)}, {FIELD}), 1))"
        for name, row in (("HIGH", HIGH_ROW), ("LOW", LOW_ROW))
    ]
    lines = _over_slots(size, rows)
    for name, ladder in _ladders(generator):
        power = n // ladder.period
        y = "mload(RHO)" if power == 1 else f"mload(RHO_{power})"
        lines += [
            "{",
            f"    let u := mulmod({y}, {_turn(ladder.period, ladder.first)}, {FIELD})",
            *(f"    {line}" for line in _over_slots(size, [
                f"let top, bottom := climb(u, {_turn(ladder.period, ladder.pitch)}, {ladder.count})",
                f"mstore(add({name}_TOPS, at), top)",
                f"mstore(add({name}_BOTTOMS, at), bottom)",
                f"u := mulmod(u, {_turn(ladder.period, BLOCK_ROWS)}, {FIELD})",
            ])),
            "}",
        ]
    return climb(1), lines


def publics(generator: BatchGenerator) -> Callable[[], list[str]]:
    """Statements for the words that loops read, for when all poles are inverted."""
    for layer in range(1, generator.circuit.layers):
        generator.word(f"reads{layer}")
    generator.word("bias_at_rho")
    targets = input_scalars(generator, Symbol.named("every"))

    def lines() -> list[str]:
        shared = shared_lines(generator)
        program = generator.program()
        for place, formula in targets:
            program.compute(place, formula)
        return [*shared, "{", *(f"    {line}" for line in _sums(generator)), "}", *generator.lines(program)]

    return lines


def _sums(generator: BatchGenerator) -> list[str]:
    """What layers read at all slots, where nothing may be negative, and the largest logits."""
    circuit, plan = generator.circuit, generator.plan
    n, size = circuit.domain, WORD_BYTES * circuit.slots
    if (BIAS_ROW, PACKS_PER_BLOCK) != (HIGH_ROW, 3):
        raise UnsupportedShape("the bias does not lie on the first idle row")

    def ladder_sum(name: str) -> str:
        total = ""
        for k, ladder in enumerate(plan.ladders[name]):
            own = f"mulmod(mload(add({name.upper()}_{k}_TOPS, at)), mload(add({name.upper()}_{k}_BOTTOMS, at)), {FIELD})"
            own = own if ladder.period == n else f"mulmod({own}, {n // ladder.period}, {FIELD})"
            total = f"addmod({total}, {own}, {FIELD})" if total else own
        return total

    lines = [
        "// with unit = (rho^n - 1)/n: reads = unit sum_j share_j alpha^(3 (J - 1 - j)) (rows of slot j), bias so on its row; signs of all slots;",
        "// largest = (weights of all classes) unit sum_j alpha^(3 (J - 1 - j)) (2^24 high row + low row)",
        f"let unit := mulmod(mload(VANISHING), {number(inverse(n))}, {FIELD})",
        "let bias := 0",
        "let largest := 0",
        "let signs := 0",
        *(f"let reads{layer} := 0" for layer in range(1, circuit.layers)),
    ]
    body = [
        "let high := mload(add(HIGH_BOTTOMS, at))",
        "let weight := mload(add(SLOT_WEIGHTS, at))",
        f"largest := addmod(largest, mulmod(weight, addmod(mulmod(high, {LANE_BASE}, {FIELD}), mload(add(LOW_BOTTOMS, at)), {FIELD}), {FIELD}), {FIELD})",
        f"signs := addmod(signs, addmod(high, {ladder_sum('nonnegative')}, {FIELD}), {FIELD})",
        f"weight := mulmod(weight, mload(add(SHARES, at)), {FIELD})",
        f"bias := addmod(bias, mulmod(weight, high, {FIELD}), {FIELD})",
    ]
    body += [f"reads{layer} := addmod(reads{layer}, mulmod(weight, {ladder_sum(f'reads{layer}')}, {FIELD}), {FIELD})" for layer in range(1, circuit.layers)]
    lines += _over_slots(size, body)
    lines += [f"mstore(READS{layer}, mulmod(reads{layer}, unit, {FIELD}))" for layer in range(1, circuit.layers)]
    lines += [
        f"mstore(BIAS_AT_RHO, mulmod(mulmod(bias, unit, {FIELD}), mload(STACKS), {FIELD}))",
        f"mstore(LARGEST, mulmod(mulmod(largest, unit, {FIELD}), mload(LARGEST_WEIGHT), {FIELD}))",
        f"signs := mulmod(signs, unit, {FIELD})",
    ]
    first = plan.first_constraint[Output]
    if circuit.stacks == 1:
        return [*lines, f"mstore(NEGATIVE, mulmod(mload(add(DELTAS, {WORD_BYTES * first})), signs, {FIELD}))"]
    return [
        *lines,
        f"for {{ let at := 0 }} lt(at, {WORD_BYTES * circuit.stacks}) {{ at := add(at, 32) }} {{",
        f"    mstore(add(NEGATIVES, at), mulmod(mload(add(add(DELTAS, {WORD_BYTES * first}), at)), signs, {FIELD}))",
        "}",
    ]
