"""The public input at rho, chunk by chunk, and what the rows of the first layer are weighed with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.field import MODULUS
from zkpredict.contracts.verifier.lowering import FIELD
from zkpredict.contracts.verifier.pixels import PIXELS_BOUND, any_pixel_lines, pixel_lines
from zkpredict.contracts.verifier.publics import rho_to
from zkpredict.contracts.verifier.pieces import indented
from zkpredict.contracts.verifier.symbolic import Symbol, lifted
from zkpredict.contracts.verifier.wide import hidden

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator

ONE = lifted(1)


def input_functions(generator: WideGenerator) -> str:
    """The function that evaluates a public input, with that for a chunk where there are several; of a hidden one the function that reads it."""
    if generator.circuit.private_input:
        return hidden.function(generator.circuit)
    return f"""    /// The input as polynomials at rho, by Horner's rule. rho has 240 bits, so that two elements and 255 rho + 255 fit in a word: two
    /// pixels a step, and zero pixels skipped by 8 and by 32.
    function _evaluateInputs() private pure {{
{_evaluation(generator)}
    }}

{_chunk_function(generator)}"""


def _evaluation(generator: WideGenerator) -> str:
    """The body of the function that evaluates the input."""
    circuit = generator.circuit
    generator.word("pixels", PIXELS_BOUND)
    if len(circuit.chunks) == 1:
        lines = [
            "let r := mload(ORDER)", "let rho := mload(RHO)", "let rho2 := mload(RHO_2)", "let pixels := 0",
            *pixel_lines(circuit.inputs), "mstore(PIXELS, pixels)",
        ]
        if circuit.packs_per_row > 1:
            program = generator.program()
            program.compute(generator.word("rho_block"), rho_to(circuit.inputs + 1))
            lines += generator.lines(program)
        return "        // for pixel in image: pixels = pixels * rho + pixel\n        assembly {\n" + indented(lines) + "\n        }"
    chunks = generator.memory.area("CHUNKS", 32 * len(circuit.chunks))
    generator.memory.word("CHUNK_AT")
    generator.memory.word("CHUNK_LENGTH")
    last = circuit.chunks[-1]
    program = generator.program()
    program.compute(generator.word("last_factor"), rho_to(circuit.domain - len(last) + 1))
    factor = indented(generator.lines(program))
    return f"""        // n times chunk c of the input at rho, v the bytes of the chunk behind a 1 in the first of them:
        //     rho^(n - m + 1) (v_0 rho^(m - 1) + v_1 rho^(m - 2) + ...) - v_0 (rho^n - 1), m bytes
        // which is rho^2 (v_0 rho^(n - 2) + ...) but for the last chunk, and 1 + rho^2 pixels for the first
        assembly {{
            let r := mload(ORDER)
{factor}
        }}
        uint256 start = IMAGE_AT;
        for (uint256 i = 0; i < {len(circuit.chunks)}; ++i) {{
            uint256 length = i == 0 ? {len(circuit.chunks[0])} : i == {len(circuit.chunks) - 1} ? {len(last)} : {circuit.domain - 1};
            assembly {{
                mstore(CHUNK_AT, start)
                mstore(CHUNK_LENGTH, length)
            }}
            _evaluateChunk();
            assembly {{
                let r := mload(ORDER)
                let factor := mload(RHO_2)
                if eq(i, {len(circuit.chunks) - 1}) {{ factor := mload(LAST_FACTOR) }}
                let lead := 1
                if i {{ lead := mulmod(byte(0, calldataload(start)), sub(r, mload(VANISHING)), r) }}
                mstore(add({chunks}, mul(32, i)), addmod(lead, mulmod(mload(PIXELS), factor, r), r))
            }}
            start += length;
        }}"""


def _chunk_function(generator: WideGenerator) -> str:
    """The function that evaluates a chunk, where there are several."""
    if len(generator.circuit.chunks) == 1:
        return ""
    lines = [
        "let r := mload(ORDER)", "let rho := mload(RHO)", "let rho2 := mload(RHO_2)", "let pixels := 0",
        *any_pixel_lines("mload(CHUNK_AT)", "mload(CHUNK_LENGTH)"), "mstore(PIXELS, pixels)",
    ]
    return f"""    /// A chunk of the input as a polynomial at rho.
    function _evaluateChunk() private pure {{
        // for pixel in chunk: pixels = pixels * rho + pixel
        assembly {{
{indented(lines)}
        }}
    }}

"""


def input_scalars(generator: WideGenerator, one: Symbol = ONE) -> list[tuple[str, Symbol]]:
    """Words for the scalars of the first layer's combined rows, one for each kind of row: of the only chunk, or the factor of each. `one`: what
    the bias meets."""
    circuit = generator.circuit
    n, packs, block = circuit.domain, circuit.packs_per_row, circuit.inputs + 1
    scale = Symbol.named("row_factor") * pow(n, -1, MODULUS)
    if len(circuit.chunks) > 1:
        return [(generator.word("input_factor"), scale)]
    value = (rho_to(circuit.inputs) * one + Symbol.named("pixels")) * rho_to(n - packs * block + 1)
    found = []
    for number in range(len(circuit.input_steps)):
        own = value if packs == 1 else value * Symbol.named(f"shared_{number}")
        found.append((generator.word(f"input_scalar_{number}"), scale * (own - Symbol.named("vanishing") * one)))
    return found


def shared_lines(generator: WideGenerator) -> list[str]:
    """For packs that share a row: their weights, each block of coefficients above the other."""
    circuit = generator.circuit
    if circuit.private_input or circuit.packs_per_row == 1:
        return []
    lines = ["// shared = sum over p < packs of (alpha^step)^p rho^((packs - 1 - p) (inputs + 1))"]
    for number, step in enumerate(circuit.input_steps):
        lines += [
            "{",
            "    let total := 1",
            "    let weight := 1",
            f"    for {{ let p := 1 }} lt(p, {circuit.packs_per_row}) {{ p := add(p, 1) }} {{",
            f"        weight := mulmod(weight, {generator.rows.power(step)}, {FIELD})",
            f"        total := addmod(mulmod(total, mload(RHO_BLOCK), {FIELD}), weight, {FIELD})",
            "    }",
            f"    mstore({generator.word(f'shared_{number}')}, total)",
            "}",
        ]
    return lines
