"""Convolutions and max pools of a batch: what is linear in activations is so in those of all images.

    first layer : q = sum_b alpha^E_b q_b is what kernels meet, and is the q of the image sum_b alpha^E_b x_b but for its first entry
    hidden one  : `conv` is sum_b alpha^E_b q_b, one column for all images
    check       : c of a lane on stack i is alpha^(D i) c
"""

from __future__ import annotations

from functools import reduce
from operator import add
from collections.abc import Mapping
from typing import cast

import numpy as np

from zkpredict.circuits.batch.gadgets import STACK_STEP, OfAll, combined_inputs
from zkpredict.circuits.batch.layout import ConvBatch
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.convolution.gadgets import Convolution, Correlations, MaxPool, patches, public_correlation
from zkpredict.circuits.convolution.layout import correlation
from zkpredict.circuits.convolution.weights import read_tracks
from zkpredict.circuits.expression import Cell, Expression, Public
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.publics import Constant, PublicPolynomial
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.dense import handed_on
from zkpredict.circuits.wide.fold import horner
from zkpredict.circuits.wide.inputs import InputVector


class BatchConvolution(OfAll, Convolution):
    """One layer of kernels of all images."""

    circuit: ConvBatch

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        if self.layer:
            return {}
        values = np.array(combined_inputs(self.circuit, cast(BatchStatement, statement), alpha), dtype=object)
        found: dict[str, PublicPolynomial] = {}
        for piece in self.circuit.pieces(0):
            met = public_correlation(self.circuit.model, piece, values, alpha, self.circuit.stack_sum(alpha))
            for chunk, own in enumerate(self.circuit.chunks_of(0)):
                found[patches(piece, chunk)] = InputVector(self.circuit.domain, met[own.start : own.stop])
        return found


class BatchMaxPool(OfAll, MaxPool):
    """The tournaments of all images."""

    circuit: ConvBatch  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`


class BatchCorrelations(Correlations):
    """That every `conv` column is what it is called, for all images together."""

    circuit: ConvBatch

    def read(self) -> Expression:
        circuit = self.circuit
        parts = circuit.hidden_convolutions()
        found = reduce(add, [Public(f"power{number}") * Cell(correlation(*part)) for number, part in enumerate(parts)])
        found = Public("powers") * found - Public("correlation_bias")
        activations = {one.tag: one for one in circuit.activations}
        for track, tag in read_tracks(circuit.model):
            own = [handed_on(activations[tag], circuit.track(stack, track)) for stack in range(circuit.stacks)]
            found = found - Public(f"taps{track}_{tag}") * horner(own, STACK_STEP)
        return found

    def late_publics(self, statement: Statement, challenges: Mapping[str, int]) -> dict[str, PublicPolynomial]:
        found = Correlations(self.circuit.model).late_publics(statement, challenges)
        bias = found["correlation_bias"]
        if not isinstance(bias, Constant):
            raise ValueError("the bias of correlations is the same on every row")
        found["correlation_bias"] = Constant(bias.value * self.circuit.stack_sum(challenges["alpha"]) % MODULUS)
        return found
