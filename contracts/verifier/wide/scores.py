"""The contract of scores on registered test sets: that of a batch, with what the proof states of the set's polynomials in the place of the
inputs, one more claim that opens them, and the set's points, which `TestSets` keeps, in the sum of points (docs/batches.md, section 10)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from zkpredict.circuits.batch.registered import INPUT, RegisteredBatch, RegisteredStatement
from zkpredict.circuits.batch.statement import COUNT_BYTES
from zkpredict.circuits.columns import ROOTS
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.lowering import FIELD
from zkpredict.contracts.verifier.memory import WORD_BYTES
from zkpredict.contracts.verifier.pieces import named_parts, padding_lines, part, word_aligned
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.symbolic import Symbol
from zkpredict.contracts.verifier.wide import score_loops as loops
from zkpredict.contracts.verifier.wide.batch_parts import BatchOutputs
from zkpredict.contracts.verifier.wide.batches import BatchGenerator, BatchPlan, batch_name
from zkpredict.verifier.score import SET_ID_BYTES
from zkpredict.verifier.transcript import context

HEAD_BYTES = 2 * WORD_BYTES + 2 * COUNT_BYTES
"""What is hashed before classes and set id: the circuit's context, the model id, the number of inputs and that of the first."""


def score_name(circuit: RegisteredBatch, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """`ScoreVerifier_784_64_10_x128_n2048_` and the digest's first bytes."""
    return batch_name(circuit, check).replace("Batch", "Score", 1)


def score_source(circuit: RegisteredBatch, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> str:
    """The Solidity file of the verifier of scores on sets of one size. Raises `UnsupportedShape` for a circuit that it does not serve."""
    return ScoreGenerator(circuit, check).source()


@dataclass(frozen=True)
class ScorePlan(BatchPlan):
    """The structure of a score."""

    circuit: RegisteredBatch

    @property
    def more_claims(self) -> list[tuple[tuple[int, ...], str | None]]:
        return [((ROOTS,), INPUT)]

    def check_form(self) -> None:
        super().check_form()
        stated = [f"{INPUT}_{place}" for place in range(self.circuit.together)]
        if self.form.components != {INPUT: len(stated)} or list(self.form.scalars[-len(stated) :]) != stated:
            raise UnsupportedShape(f"proofs have the scalars {', '.join(self.form.scalars)}")
        loops.check_weights(self.circuit)


class ScoreOutputs(BatchOutputs):
    """The classes of all inputs of the set."""

    def claim_text(self) -> str:
        return "each of classes is the class of its input in the set, the first one with the largest logit"


@dataclass
class ScoreGenerator(BatchGenerator):
    """The contract of a score in the making."""

    circuit: RegisteredBatch

    @cached_property
    def plan(self) -> ScorePlan:
        return ScorePlan(self.circuit)

    @cached_property
    def outputs(self) -> ScoreOutputs:
        return ScoreOutputs(self)

    @property
    def points(self) -> tuple[str, ...]:
        return (*super().points, *(f"set_{number}" for number in range(self.circuit.polynomials)))

    @property
    def weighs_images(self) -> bool:
        return False

    # statement

    def statement_parts(self) -> dict[str, str]:
        return named_parts("score_statement") | {
            "interface": "IScoreVerifier", "claim_argument": ", setId", "claim_argument_alone": "", "claim_parameter": "",
        }

    @property
    def argument_bytes(self) -> int:
        return self.circuit.inputs

    @property
    def statement_bytes(self) -> int:
        return HEAD_BYTES + self.class_bytes + SET_ID_BYTES

    def padding(self) -> list[str]:
        places = {"CLASSES": ("CLASSES_AT", self.class_bytes), "PROOF": ("PROOF_AT", self.proof_bytes)}
        return [line for name, place in places.items() for line in padding_lines({name: place})]

    def numbers(self) -> dict[str, str]:
        classes_at = 4 + 6 * WORD_BYTES
        proof_at = classes_at + word_aligned(self.class_bytes) + WORD_BYTES
        scalars_at = proof_at + self.proof_bytes - self.check.final_bytes - WORD_BYTES * len(self.form.scalars)
        return super().numbers() | {
            "name": score_name(self.circuit, self.check),
            "more_imports": 'import {ITestSets} from "./ITestSets.sol";\n',
            "entry": part("score_entry"),
            "proof_context": f"0x{context(RegisteredStatement.label, self.circuit.digest).hex()}",
            "classes_at": str(classes_at),
            "calldata_bytes": str(proof_at + word_aligned(self.proof_bytes)),
            "proof_at": str(proof_at),
            "scalars_at": str(scalars_at),
            "final_at": str(proof_at + self.proof_bytes - self.check.final_bytes),
        }

    # hooks

    def functions(self) -> dict[str, str]:
        return super().functions() | {"read_input": part("score_set") + "\n", "after_weights": "        _weighSet();\n"}

    def input_text(self) -> str:
        return loops.set_functions(self)

    def all_distances_lines(self, product: str) -> list[str]:
        for name in ("input_share", "input_value", "met"):
            self.word(name)
        return [
            "// the set's polynomials: roots = rho zeta^m - 1 is a factor of all other shares",
            *loops.roots_lines(self.circuit),
            f"mstore(ALL_DISTANCES, mulmod({product}, roots, {FIELD}))",
            "let behind := roots",
        ]

    def last_share_lines(self, product: str, power: str) -> list[str]:
        return [f"mstore(INPUT_SHARE, mulmod({product}, {power}, {FIELD}))"]

    def more_value(self) -> Symbol:
        return Symbol.named("input_value")
