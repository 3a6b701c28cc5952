"""Line 8: another model's rows, swapped bias, scaled row, permuted rows, rows under another circuit digest."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from forger import Claim, claim_of, honest_claim
from guards import replaced_property
from support import random_image, random_network, said
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused

from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.native import parse_proof


def with_layer(network, number, **change):
    layers = list(network.layers)
    layers[number] = replace(layers[number], **change)
    return IntegerNetwork(tuple(layers))


def swapped_bias(network):
    bias = network.layers[1].bias
    return with_layer(network, 1, bias=bias[::-1])


def scaled_row(network):
    weights = network.layers[1].weights.copy()
    weights[0] *= 3
    return with_layer(network, 1, weights=weights)


def permuted_rows(network):
    last = network.layers[1]
    return with_layer(network, 1, weights=np.roll(last.weights, 1, axis=0), bias=np.roll(last.bias, 1))


def permuted_neurons(network):
    """Hidden neurons in another order, their outgoing weights left where they were."""
    first = network.layers[0]
    return with_layer(network, 0, weights=first.weights[::-1], bias=first.bias[::-1])


def one_weight_off_by_one(network):
    weights = network.layers[0].weights.copy()
    weights[0, 0] += 1
    return with_layer(network, 0, weights=weights)


def another_network(network):
    return random_network(99, network.shape)


IMPOSTORS = [another_network, swapped_bias, scaled_row, permuted_rows, permuted_neurons, one_weight_off_by_one]


def in_the_name_of(model, network, image):
    """An honest proof of what `network` says, on the commitment and the secrets of `model`."""
    impostor = Model(network, model.committed)
    return claim_of(Prover(impostor, said(image, impostor.predict(image))))


@pytest.mark.parametrize("change", IMPOSTORS)
def test_a_proof_by_other_weights_is_refused(small, change):
    network = change(small.network)
    images = [random_image(seed, 12) for seed in range(200)]
    image = next((i for i in images if network.predict(i) != small.predict(i)), images[0])
    accepted(honest_claim(small, image), NATIVE)
    refused(in_the_name_of(small, network, image), FailedOpening, MISMATCH)


def test_rows_that_the_model_id_does_not_bind_could_be_exchanged(small):
    """With an id that names only the circuit, the impostor brings its own rows."""
    network = permuted_rows(small.network)
    other = commit_model(network)
    image = next(i for i in (random_image(seed, 12) for seed in range(200)) if network.predict(i) != small.predict(i))
    claim = honest_claim(other, image)
    renamed = replace(parse_proof(claim.proof), model_id=small.commitment.model_id).to_bytes()
    ids = small.commitment.model_id.hex(), other.commitment.model_id.hex()
    message = f"the proof is for model {ids[0]}, the commitment is of model {ids[1]}"
    refused(claim.with_proof(renamed), WrongStatement, message, PYTHON)  # on chain a proof names no model
    refused(Claim(small.commitment.to_bytes(), claim.image, renamed), FailedOpening, MISMATCH)
    with replaced_property(ModelCommitment, "model_id", small.compiled.circuit.digest):
        assert accepted(honest_claim(other, image), NATIVE) != small.predict(image)


def test_committed_rows_in_another_order_are_another_model(small, honest):
    """Also a row put under another layer, and one repeated."""
    first, second = small.commitment.rows
    for rows in ((second, first), (first, first), (first + first, second)):
        other = ModelCommitment(small.compiled.circuit, rows)
        ids = small.commitment.model_id.hex(), other.model_id.hex()
        message = f"the proof is for model {ids[0]}, the commitment is of model {ids[1]}"
        refused(replace(honest, commitment=other.to_bytes()), WrongStatement, message)
        renamed = replace(parse_proof(honest.proof), model_id=other.model_id).to_bytes()
        refused(Claim(other.to_bytes(), honest.image, renamed), FailedOpening, MISMATCH, NATIVE)


def test_rows_under_another_circuit_digest_are_another_model(small, honest):
    other = ModelCommitment(replace(small.compiled.circuit, widths=(12, 7, 3)), small.commitment.rows)
    ids = small.commitment.model_id.hex(), other.model_id.hex()
    message = f"the proof is for model {ids[0]}, the commitment is of model {ids[1]}"
    refused(replace(honest, commitment=other.to_bytes()), WrongStatement, message)


def test_committing_the_same_weights_twice_gives_two_models(small, small_image, honest):
    """A proof for one is none for the other, though they compute the same."""
    again = commit_model(small.network)
    renamed = replace(parse_proof(honest.proof), model_id=again.commitment.model_id).to_bytes()
    refused(Claim(again.commitment.to_bytes(), honest.image, renamed), FailedOpening, MISMATCH, NATIVE)
    assert accepted(honest_claim(again, small_image), NATIVE) == small.predict(small_image)
