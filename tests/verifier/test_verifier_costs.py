"""Estimates of costs: the schedule of EIP-2537 against another implementation, counts against real proofs."""

import numpy as np
import pytest
from eth.precompiles.bls12_381.constants import G1_MSM_DISCOUNTS, G1_MSM_MAX_DISCOUNT
from support import random_image, random_network

from zkpredict.circuits.choice import choices
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import prove
from zkpredict.verifier.costs import G1MSM_DISCOUNTS, estimate_costs, msm_gas
from zkpredict.verifier.messages import HEADER_BYTES

MEASURED = (
    ((784, 128, 64, 10), (2, 2), 512, 709_748), ((784, 128, 64, 10), (2, 2), 2048, 472_705), ((784, 512, 512, 10), (2, 2), 512, 3_880_397),
    ((784, 512, 512, 10), (2, 2), 2048, 2_005_976), ((784, 256, 256, 256, 10), (2, 2, 2), 2048, 1_103_215),
)  # fmt: skip
"""Gas of whole transactions with an image without blank pixels, at the generated verifier of the wide circuit, and its lanes."""


def test_the_discounts_are_those_of_the_embedded_chain():
    assert list(G1MSM_DISCOUNTS) == list(G1_MSM_DISCOUNTS) and G1MSM_DISCOUNTS[-1] == G1_MSM_MAX_DISCOUNT == 519
    assert (msm_gas(1), msm_gas(128), msm_gas(129)) == (12_000, 128 * 12 * 519, 129 * 12 * 519)


@pytest.mark.parametrize("claim", [CLASS, Claim(Kind.LOGITS)])
def test_counts_are_those_of_a_proof(claim):
    network = random_network(3, (12, 30, 5))
    for choice in choices(network, claim):
        if choice.circuit is None:
            assert choice.placement in ("compact", "compact-2") and claim != CLASS
            continue
        model = commit_model(network, choice.domain, claim, choice.placement)
        costs, proof = estimate_costs(choice.circuit), prove(model, random_image(1, 12))
        assert model.commitment.circuit == choice.circuit and costs.placement == choice.placement
        assert (costs.proof_points, costs.committed_rows) == (len(proof.points), len(model.commitment.rows))
        assert costs.proof_bytes == len(proof.to_bytes()) == costs.proof_payload_bytes + HEADER_BYTES


@pytest.mark.parametrize(("widths", "lanes", "domain", "gas"), MEASURED)
def test_wide_gas_is_estimated_within_two_per_cent(widths, lanes, domain, gas):
    circuit = WideCircuit(widths, lanes, (RELU8,) * len(lanes), domain)
    assert np.isclose(estimate_costs(circuit).verify_gas_estimate, gas, rtol=0.02)
