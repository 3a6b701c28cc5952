"""Proving a batch: the prover of one input with another circuit and another trace, part by part."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zkpredict.circuits.batch.gadgets import image_weights
from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.batch.witness import batch_trace
from zkpredict.circuits.convolution.compiler import ConvNetwork
from zkpredict.circuits.errors import FalseClaim, UnsupportedNetwork, UnusableInput
from zkpredict.circuits.networks.dense import Inference
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.wide.compiler import WideNetwork
from zkpredict.circuits.witness import Trace
from zkpredict.kernel import Vector
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover
from zkpredict.prover.wide_rows import correlation_column
from zkpredict.verifier.batch import BatchPart, BatchProof, batch_bytes, batch_statement_for, part_sizes
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.score import Score, TestSet

PART_TRACKS = 64
"""Of parts of a large batch: more make a proof a little shorter, and take more memory (some 3 MB a track)."""


@dataclass(eq=False)
class BatchProver(Prover):
    """One part of a batch. Everything random is drawn anew; an instance proves once."""

    @property
    def said(self) -> BatchStatement:
        """The statement. Raises `TypeError` for one that is of a single input."""
        if not isinstance(self.statement, BatchStatement):
            raise TypeError("a batch is proven of a statement about several inputs")
        return self.statement

    @cached_property
    def circuit(self) -> AnyCircuit:
        return BatchCircuit.of(self.model.commitment.circuit, len(self.said.classes))

    def trace(self) -> Trace:
        if not isinstance(self.compiled, WideNetwork) or not isinstance(self.circuit, BatchCircuit):
            raise UnsupportedNetwork("only wide circuits have batches")
        return batch_trace(self.compiled, self.circuit, self.said)

    @cached_property
    def inference(self) -> Inference:
        """What the network computes for all inputs."""
        return self.compiled.network.infer(np.frombuffer(self.statement.input, np.uint8).reshape(len(self.said.classes), -1))

    def correlation(self, layer: int, piece: int, chunk: int) -> Vector:
        """What the kernels of a hidden convolution meet, of all inputs together."""
        if not isinstance(self.compiled, ConvNetwork) or not isinstance(self.circuit, BatchCircuit):
            raise ValueError(f"the network has no convolution in layer {layer}")
        read, alpha = self.compiled.network.read_by(layer, self.inference.activations), self.challenges["alpha"]
        met = [correlation_column(self.compiled, layer, piece, own, alpha, chunk) for own in read]
        return Vector.linear_combination(met, image_weights(self.circuit, alpha))

    def prove_part(self) -> BatchPart:
        """Runs all rounds."""
        found = self.prove()
        return BatchPart(found.model_id, found.digit, found.points, found.scalars, found.form, classes=self.said.classes)


def prove_batch(
    model: Model, images: np.ndarray, classes: Sequence[int] | None = None, context: bytes = b"",
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> BatchProof:
    """Proves what `model` says about each of `images` (uint8 [count, ...]), for `context` (32 bytes, or none).

    `progress` is told how many inputs of how many are done. Raises `UnusableInput` when the images do not fit, `UnsupportedNetwork`
    for a model that was committed without batches, `FalseClaim` when `classes` are given and are not the network's answers.
    """
    return prove_parts(model, images, classes, lambda number, parts: context, progress)


def prove_parts(
    model: Model, images: np.ndarray, classes: Sequence[int] | None, context: Callable[[int, int], bytes],
    progress: Callable[[int, int], None],
) -> BatchProof:
    """The same with `context(number of the part, parts)`."""
    circuit = model.commitment.circuit

    def prover(piece: Piece) -> BatchProver:
        return BatchProver(model, _stated(circuit, piece.inputs, piece.classes, context(piece.number, piece.parts)))

    try:
        inputs = batch_bytes(np.asarray(images), circuit.inputs, circuit.picture)
    except WrongStatement as error:
        raise UnusableInput(str(error)) from None
    return prove_each(model, inputs, classes, images_each(circuit), prover, progress)


@dataclass(frozen=True)
class Piece:
    """What part `number` of `parts` is about: `inputs` one behind another, from number `first` on, and what the network says of each."""

    number: int
    parts: int
    first: int
    inputs: bytes
    classes: tuple[int, ...]


def prove_each(
    model: Model, inputs: bytes, classes: Sequence[int] | None, each: int, prover: Callable[[Piece], BatchProver],
    progress: Callable[[int, int], None],
) -> BatchProof:
    """A proof for every `each` inputs, by the `prover` of their piece. Raises `FalseClaim` as `prove_batch`."""
    rows = np.frombuffer(inputs, np.uint8).reshape(-1, model.commitment.circuit.inputs)
    answers = [int(digit) for first in range(0, len(rows), each) for digit in model.network.infer(rows[first : first + each]).digits]
    wrong = [] if classes is None else [number for number, (own, said) in enumerate(zip(answers, classes, strict=True)) if own != said]
    if wrong:
        raise FalseClaim(f"cannot prove class {list(classes or ())[wrong[0]]} of input {wrong[0]}: the network says {answers[wrong[0]]}")
    parts, first, sizes = [], 0, list(part_sizes(len(rows), min(each, len(rows))))
    for number, size in enumerate(sizes):
        own = slice(first, first + size)
        parts.append(prover(Piece(number, len(sizes), first, rows[own].tobytes(), tuple(answers[own]))).prove_part())
        first += size
        progress(first, len(rows))
    return BatchProof(model.commitment.model_id, tuple(parts))


def _stated(circuit: AnyCircuit, inputs: bytes, classes: tuple[int, ...], context: bytes) -> BatchStatement:
    try:
        return batch_statement_for(BatchCircuit.of(circuit, len(classes)), inputs, classes, context)
    except WrongStatement as error:
        raise UnusableInput(str(error)) from None


def images_each(circuit: AnyCircuit) -> int:
    """Inputs in each part of a large batch. Raises `UnsupportedNetwork` for a circuit without batches."""
    one = BatchCircuit.of(circuit, 1)
    return max(1, PART_TRACKS // one.model_tracks) * one.slots


def prove_score(
    model: Model, images: np.ndarray, labels: np.ndarray, progress: Callable[[int, int], None] = lambda done, total: None
) -> Score:
    """Proves on how many of `images` (uint8 [count, ...]) `model` says what `labels` (integers [count]) say. Raises as `prove_batch`."""
    try:
        tests = TestSet.of(np.asarray(images), np.asarray(labels), model.commitment.circuit)
    except WrongStatement as error:
        raise UnusableInput(str(error)) from None
    proof = prove_parts(model, images, None, tests.context, progress)
    return Score(tests.set_id, tests.right(proof.classes), proof)
