"""Random networks of every kind that wide circuits hold, for `test_prover_wide_networks.py`; more of them by

    python tests/prover/wide_networks.py --examples 500
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[1])]

import numpy as np
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from support import MISMATCH, plain_inference, refuses

from zkpredict.circuits.choice import compile_any
from zkpredict.circuits.errors import FalseClaim, UnsupportedNetwork
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalRelu, RationalSquare, Softsign
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import form
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.circuits.wide.compiler import WideNetwork
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import parse_proof, verify

BLOCK_VALUES_512 = 160
"""Narrow values that one track of 512 rows holds beside the last layer's differences is near this: the widths below lie on both sides."""
WIDTHS = st.one_of(st.integers(1, 60), st.sampled_from([4, 5, 6, 159, 160, 161, 239, 240, 241]))
GATES = (RELU, RELU8, RationalRelu(158), RationalSquare(4096), Softsign(200, 300))


@st.composite
def networks(draw) -> IntegerNetwork:
    """One to four layers. Weights are random, or all at their bounds, of either sign; what no activation takes is not drawn."""
    depth = draw(st.integers(1, 4))
    widths = [draw(st.integers(1, 40)), *(draw(WIDTHS) for _ in range(depth - 1)), draw(st.integers(1, 12))]
    rational = draw(st.sampled_from(GATES[2:]))
    source = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    extreme = draw(st.booleans())
    layers: list[DenseLayer] = []
    for number, (inputs, outputs) in enumerate(zip(widths, widths[1:])):
        largest = draw(st.sampled_from([1, 9, 127]))
        weights = source.choice([-largest, largest], (outputs, inputs)) if extreme else source.integers(-largest, largest + 1, (outputs, inputs))
        bias = source.integers(-999, 1000, outputs)
        if number == depth - 1:
            layers.append(DenseLayer(weights, bias))
            continue
        gate = draw(st.sampled_from([RELU, RELU8, rational]))
        reach = IntegerNetwork((*layers, DenseLayer(weights, bias))).intervals[-1].magnitude
        layers.append(DenseLayer(weights, bias, max(0, reach.bit_length() - 15) + draw(st.integers(0, 2)), gate))
    return IntegerNetwork(tuple(layers))


@st.composite
def claims(draw, network: IntegerNetwork) -> Claim:
    """A claim that fits the number of outputs, for some of which no input gives a true one."""
    if network.shape[-1] == 1:
        low, high = network.intervals[-1].low[0], network.intervals[-1].high[0]
        return draw(st.sampled_from([Claim(Kind.LOGITS), Claim(Kind.THRESHOLD, low), Claim(Kind.THRESHOLD, (low + high) // 2)]))
    return draw(st.sampled_from([CLASS, Claim(Kind.LOGITS), Claim(Kind.MARGIN, 1), Claim(Kind.MARGIN, 5000)]))


def images(network: IntegerNetwork, source: np.random.Generator) -> list[np.ndarray]:
    """A random image, and the two that take a row of the first layer to its bounds: uint8 [inputs] each."""
    row = network.layers[0].weights[source.integers(network.shape[1])]
    ends = [np.where(row > 0, 255, 0), np.where(row < 0, 255, 0)]
    return [image.astype(np.uint8) for image in (source.integers(0, 256, network.shape[0]), *ends)]


def holds(claim: Claim, logits: list[int]) -> bool:
    """Whether a claim is true of these logits, in plain Python."""
    if claim.kind is Kind.THRESHOLD:
        return logits[0] >= claim.parameter
    answer = logits.index(max(logits))
    return claim.kind is not Kind.MARGIN or all(logits[answer] - z >= claim.parameter for i, z in enumerate(logits) if i != answer)


def check(network: IntegerNetwork, claim: Claim, domain: int | None, chosen: int) -> None:
    """Compiles, commits, proves, verifies, and compares with integers of Python; a changed image is refused."""
    try:
        compiled = compile_any(network, domain, claim, "wide")
    except UnsupportedNetwork as refusal:
        assert "reaches up to" in str(refusal) or "tracks of" in str(refusal)
        return
    assert isinstance(compiled, WideNetwork)
    model = commit_model(network, domain, claim, "wide")
    assert model.commitment.circuit == compiled.circuit
    for image in images(network, np.random.default_rng(chosen)):
        z, answer = plain_inference(network, image.tolist())
        assert network.infer(image[None, :]).logits[0].tolist() == z[-1]
        if not holds(claim, z[-1]):
            try:
                prove(model, image)
            except FalseClaim:
                continue
            raise AssertionError("a false claim was proven")
        proof = parse_proof(prove(model, image).to_bytes(), form(compiled.circuit))
        assert proof.digit == answer and proof.outputs == (tuple(z[-1]) if claim.kind is Kind.LOGITS else ())
        verify(model.commitment, image, proof)
        other = image.copy()
        other[chosen % len(other)] ^= 1
        with refuses(FailedOpening, MISMATCH):
            verify(model.commitment, other, proof)


def run(examples: int) -> None:
    """So many networks, the same ones each time."""

    @seed(9)
    @settings(max_examples=examples, deadline=None, database=None, derandomize=False, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def one(data) -> None:
        network = data.draw(networks())
        claim = data.draw(claims(network))
        check(network, claim, data.draw(st.sampled_from([None, 512, 1024])), data.draw(st.integers(0, 2**16)))

    one()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Prove random networks in wide circuits.")
    parser.add_argument("--examples", type=int, default=500)
    run(parser.parse_args().examples)
