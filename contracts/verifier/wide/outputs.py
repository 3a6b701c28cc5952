"""The claim on the last layer: weights of its packs, the winner's place, public outputs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.statement import OUTPUT_BYTES, Statement
from zkpredict.circuits.wide.claims import LOGIT_LIMIT, Kind
from zkpredict.circuits.wide.geometry import BLOCK_ROWS, IDLE_ROWS, LANE_BITS, PACK_BITS
from zkpredict.circuits.wide.output import SPARE_ROWS, Output
from zkpredict.contracts.verifier.lowering import FIELD, number
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import indented
from zkpredict.contracts.verifier.symbolic import Power, Symbol, inverse_name, lifted
from zkpredict.contracts.verifier.wide.plan import progressions

if TYPE_CHECKING:
    from zkpredict.contracts.verifier.wide.source import WideGenerator

LANE_BASE = 1 << LANE_BITS


class OutputPart:
    """The output's share of a contract in the making."""

    def __init__(self, generator: WideGenerator) -> None:
        self.generator = generator
        self.circuit = generator.circuit
        self.band, self.claim = self.circuit.output, self.circuit.claim
        self.per_pack = self.band.values_per_pack
        self.value_bits = self.band.lanes * LANE_BITS

    @property
    def logits(self) -> bool:
        return self.claim.kind is Kind.LOGITS

    def claim_text(self) -> str:
        """What a proof says, in words."""
        image = "the input whose commitment is image" if self.circuit.private_input else "image"
        return {
            Kind.CLASS: f"digit is the class of {image}, the first one with the largest logit",
            Kind.MARGIN: f"digit is the class of {image}, and no other logit is nearer than {self.claim.parameter}",
            Kind.LOGITS: f"the logits of {image} are the numbers that the proof starts with, and digit is the first of the largest",
            Kind.THRESHOLD: f"the output for {image} is at least {self.claim.parameter}; digit is 0",
        }[self.claim.kind]

    def reserve(self) -> None:
        """Asks for the powers of alpha of the last layer's packs, and words for what the claim makes of them."""
        if self.claim.kind is Kind.THRESHOLD:
            return
        for run in progressions(self.band.exponents()):
            self.generator.rows.ask(run.last, run.step)
        self.generator.memory.area("PACK_WEIGHTS", WORD_BYTES * self.band.packs)
        if self.claim.ranked:
            self.generator.word("largest_weight")
            for name in ("winner_high_bottom", "winner_low_bottom"):
                self.generator.bottom(name)

    def fixed_constant(self) -> Symbol:
        """The claim's part of the constant term that no statement changes."""
        if self.claim.kind is not Kind.THRESHOLD:
            return lifted(0)
        return lifted(self.generator.plan.gadget(Output).constants(Statement(b"", 0), Power("alpha", 1)))  # type: ignore[type-var]  # a power stands in for alpha

    def publics(self) -> list[tuple[str, Symbol]]:
        return []

    def largest(self) -> Symbol:
        """The public polynomial `largest` at rho."""
        high, low = (self.generator.formulas.pole(row) for row in IDLE_ROWS)
        return Symbol.named("largest_weight") * (high * LANE_BASE + low)

    def spare(self) -> Symbol:
        """The public polynomial `spare` at rho: the largest logit less what is left of it above the margin."""
        (high, low), (less_high, less_low) = ([self.generator.formulas.pole(row) for row in rows] for rows in (IDLE_ROWS, SPARE_ROWS))
        return (high - less_high) * LANE_BASE + low - less_low

    def winner(self) -> Symbol:
        """The constraint that the claimed class differs from itself by 0: `winner` of its track at rho, times the lane of that track."""
        if not self.claim.ranked:
            return lifted(0)
        high, low = (Symbol.named(inverse_name(f"winner_{name}_bottom")) for name in ("high", "low"))
        scale = Symbol.named("vanishing") * inverse(self.circuit.domain)
        return scale * (high + low) * Symbol.named("winner_lane")

    # Solidity

    def weigh(self) -> str:
        """The body of the function that weighs the output."""
        if self.claim.kind is Kind.THRESHOLD:
            return "        // the number is a constant of the circuit\n        digit;"
        lines = ["let r := mload(ORDER)", *self._pack_weights()]
        lines += self._public_numbers() if self.logits else self._ranked()
        text = "        assembly {\n" + indented(lines) + "\n        }"
        return text + ("\n        digit;" if self.logits else "\n" + self._winner())

    def _pack_weights(self) -> list[str]:
        """alpha^e of every pack, one behind the other."""
        lines, first = ["// PACK_WEIGHTS[k] = alpha^e of pack k"], 0
        rows = self.generator.rows
        for run in progressions(self.band.exponents()):
            last = first + run.count - 1
            if run.count == 1:
                lines.append(f"mstore({_at('PACK_WEIGHTS', WORD_BYTES * first)}, {rows.power(run.last)})")
            else:
                lines += [
                    "{",
                    f"    let weight := {rows.power(run.last)}",
                    f"    for {{ let at := {_at('PACK_WEIGHTS', WORD_BYTES * last)} }} 1 {{ at := sub(at, 32) }} {{",
                    "        mstore(at, weight)",
                    f"        if eq(at, {_at('PACK_WEIGHTS', WORD_BYTES * first)}) {{ break }}",
                    f"        weight := mulmod(weight, {rows.power(run.step)}, {FIELD})",
                    "    }",
                    "}",
                ]
            first += run.count
        return lines

    def _ones(self, count: int) -> int:
        """The pack with a 1 at its first `count` values."""
        return sum(1 << self.band.value_shift(at) for at in range(count))

    def _ranked(self) -> list[str]:
        """The weight of the largest logit, and the constants of the differences."""
        full = self._ones(self.per_pack)
        missing = full - self._ones(self.band.values - (self.band.packs - 1) * self.per_pack)
        lines = [
            f"let pack := div(digit, {self.per_pack})",
            f"let at := mod(digit, {self.per_pack})",
            "let own := mload(add(PACK_WEIGHTS, mul(32, pack)))",
            "// sum = the weights of all packs, before = of those before the claimed class's; c = the pack with a 1 at each value",
            "let sum := 0",
            "let before := 0",
            f"for {{ let k := 0 }} lt(k, {self.band.packs}) {{ k := add(k, 1) }} {{",
            "    if eq(k, pack) { before := sum }",
            f"    sum := addmod(sum, mload(add(PACK_WEIGHTS, mul(32, k))), {FIELD})",
            "}",
            f"sum := mulmod(sum, {number(full)}, {FIELD})",
        ]
        if missing:
            last = f"mload({_at('PACK_WEIGHTS', WORD_BYTES * (self.band.packs - 1))})"
            lines.append(f"sum := addmod(sum, mulmod({last}, {number(MODULUS - missing)}, {FIELD}), {FIELD})")
        lines.append("mstore(LARGEST_WEIGHT, sum)")
        if self.claim.kind is Kind.CLASS:
            # (2^240 - 2^(240 - 48 at)) / (2^48 - 1): a 1 at each value before `at`
            ones = f"div(sub({number(1 << PACK_BITS)}, shl(sub({PACK_BITS}, mul({self.value_bits}, at)), 1)), {(1 << self.value_bits) - 1})"
            behind = f"addmod(mulmod(before, {number(full)}, {FIELD}), mulmod(own, {ones}, {FIELD}), {FIELD})"
            lines += [
                "// constant_sum -= 2^46 sum + (weights of the classes below digit)",
                f"let lost := addmod(mulmod(sum, {number(LOGIT_LIMIT)}, {FIELD}), {behind}, {FIELD})",
            ]
        else:
            margin = self.claim.parameter
            value = f"shl(sub({PACK_BITS - self.value_bits}, mul({self.value_bits}, at)), {margin})"
            lines += [
                f"// constant_sum -= (2^46 + {margin}) sum - {margin} (weight of digit)",
                f"let lost := addmod(mulmod(sum, {number(LOGIT_LIMIT + margin)}, {FIELD}), sub({FIELD}, mulmod(own, {value}, {FIELD})), {FIELD})",
            ]
        lines.append(f"mstore(CONSTANT_SUM, addmod(mload(CONSTANT_SUM), sub({FIELD}, lost), {FIELD}))")
        return lines

    def _winner(self) -> str:
        """Poles of the claimed class's difference: on which track and rows it lies follows from the run of its pack."""
        n, root = self.circuit.domain, root_of_unity(self.circuit.domain)
        places, lines = list(self.band.pack_places()), []
        runs = [run for run in self.band.runs if self.band.used(run)]
        for run in runs:
            track, row = places[run.first]
            chosen = [f"base := {number(pow(root, -row, MODULUS))}"]
            if self.circuit.tracks > 1:
                chosen.append(f"mstore(WINNER_TRACK, {track})")
            if any(self.band.used(one) > 1 for one in runs):
                pitch = places[run.first + 1][1] - row if self.band.used(run) > 1 else 0
                chosen += [f"pitch := {number(pow(root, -pitch, MODULUS))}", f"steps := sub(pack, {run.first})"]
            if run.first:
                lines += [f"if gt(pack, {run.first - 1}) {{", *(f"    {line}" for line in chosen), "}"]
            else:
                lines += chosen
        step = number(pow(root, -self.band.lanes, MODULUS))
        statements = [
            "let r := mload(ORDER)",
            f"let pack := div(digit, {self.per_pack})",
            "let base",
            *(["let pitch", "let steps"] if any(self.band.used(one) > 1 for one in runs) else []),
            *lines,
            f"let pole := mulmod(mload(RHO), base, {FIELD})",
        ]
        if any(self.band.used(one) > 1 for one in runs):
            statements += [
                "for { } steps { steps := shr(1, steps) } {",
                f"    if and(steps, 1) {{ pole := mulmod(pole, pitch, {FIELD}) }}",
                f"    pitch := mulmod(pitch, pitch, {FIELD})",
                "}",
            ]
        statements += [
            f"for {{ let i := mod(digit, {self.per_pack}) }} i {{ i := sub(i, 1) }} {{ pole := mulmod(pole, {step}, {FIELD}) }}",
            "mstore(WINNER_HIGH_BOTTOM, sub(pole, 1))",
            f"mstore(WINNER_LOW_BOTTOM, sub(mulmod(pole, {number(pow(root, -1, MODULUS))}, {FIELD}), 1))",
        ]
        note = f"        // pole = rho/w^row for the high lane of the difference of `digit`, w of order {n}; blocks are {BLOCK_ROWS} rows\n"
        return note + "        assembly {\n" + indented(statements) + "\n        }"

    def _public_numbers(self) -> list[str]:
        """The public outputs, pack by pack."""
        last = self.band.values - (self.band.packs - 1) * self.per_pack
        value = f"signextend({OUTPUT_BYTES - 1}, shr({8 * (WORD_BYTES - OUTPUT_BYTES)}, calldataload(output)))"
        return [
            "// constant_sum -= sum over packs of alpha^e (outputs of the pack, in base 2^48)",
            "let sum := 0",
            "let output := OUTPUTS_AT",
            f"for {{ let k := 0 }} lt(k, {self.band.packs}) {{ k := add(k, 1) }} {{",
            "    let packed := 0",
            f"    let count := {self.per_pack}",
            *([f"    if eq(k, {self.band.packs - 1}) {{ count := {last} }}"] if last < self.per_pack else []),
            "    for { let i := 0 } lt(i, count) { i := add(i, 1) } {",
            f"        packed := add(shl({self.value_bits}, packed), {value})",
            f"        output := add(output, {OUTPUT_BYTES})",
            "    }",
            *([f"    packed := shl(mul({self.value_bits}, sub({self.per_pack}, count)), packed)"] if last < self.per_pack else []),
            f"    packed := add(packed, mul({FIELD}, slt(packed, 0)))",
            f"    sum := addmod(sum, mulmod(packed, mload(add(PACK_WEIGHTS, mul(32, k))), {FIELD}), {FIELD})",
            "}",
            f"mstore(CONSTANT_SUM, addmod(mload(CONSTANT_SUM), sub({FIELD}, sum), {FIELD}))",
        ]

    def errors(self) -> str:
        return "    error OutputOutOfRange(uint256 index);\n\n" if self.logits else ""

    def check(self) -> str:
        if not self.logits:
            return ""
        return """        {
            (uint32 reason, uint256 detail) = _checkOutputs(digit);
            if (reason != 0) return (reason, detail);
        }
"""

    def functions(self) -> str:
        if not self.logits:
            return ""
        return f"""    /// Refuses public outputs beyond what a circuit holds, and a digit that is not the first of the largest.
    function _checkOutputs(uint256 digit) private pure returns (uint32, uint256) {{
        int256 largest = type(int256).min;
        uint256 first;
        for (uint256 i = 0; i < CLASSES; ++i) {{
            int256 value;
            // value = int64(output i), big-endian
            assembly {{
                value := signextend({OUTPUT_BYTES - 1}, shr({8 * (WORD_BYTES - OUTPUT_BYTES)}, calldataload(add(OUTPUTS_AT, mul({OUTPUT_BYTES}, i)))))
            }}
            if (value >= {LOGIT_LIMIT} || value <= -{LOGIT_LIMIT}) return (uint32(OutputOutOfRange.selector), i);
            if (value > largest) (largest, first) = (value, i);
        }}
        return first == digit ? (0, 0) : (uint32(WrongDigit.selector), digit);
    }}
"""


def _at(area: str, offset: int) -> str:
    return f"add({area}, {offset})" if offset else area
