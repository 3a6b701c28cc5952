"""Line 7: circuit shape, widths or selectors chosen by the prover.

The shape is in the circuit digest, the digest is in the model id, and selectors are computed by the verifier.
"""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest
from forger import Claim, Forger, WithTrace, claim_of, complete, lay_out, lies
from guards import replaced_property, rewritten_selectors
from owners import Owner, RowsForger, follow, read_values
from support import random_image, random_network, said
from verdicts import MISMATCH, NATIVE, accepted, refused

from zkpredict.circuits.publics import Periodic
from zkpredict.circuits.layout import Circuit
from zkpredict.prover.prove import Prover
from zkpredict.prover.commit import commit_model
from zkpredict.prover.rows import hidden_rows
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.native import parse_proof


@pytest.fixture(scope="module")
def last_class(small):
    """An image of class 2, the one that a narrower circuit leaves out."""
    return next(image for image in (random_image(seed, 12) for seed in range(100)) if small.predict(image) == 2)


def committed_polynomials(model):
    """The rows of a model as coefficients, secrets and all."""
    found = [[] for _ in range(model.commitment.circuit.layers)]
    for column, row in hidden_rows(model.compiled, model.secrets):
        found[column.layer].append((row if column.coefficients else row.intt()).to_ints())
    return found


class UnderAnotherCircuit(RowsForger):
    """Proves with the shape of its own choice, and puts the registered model id on top."""

    @property
    def circuit(self) -> Circuit:
        return self.owner.circuit


def under(circuit, model, image, model_id):
    """The model's own rows under `circuit`: the digit that comes out, and its proof naming `model_id`."""
    owner = Owner(circuit, committed_polynomials(model))
    digit = follow_digit(owner, image)
    named = SimpleNamespace(to_bytes=model.commitment.to_bytes, model_id=model_id)
    trace = follow(owner, image.tolist(), digit)
    forger = UnderAnotherCircuit(SimpleNamespace(commitment=named), said(image, digit), owner=owner, chosen=trace)
    return claim_of(forger)


def follow_digit(owner, image):
    logits = read_values(owner.circuit, follow(owner, image.tolist(), 0))
    return logits.index(max(logits))


def test_a_narrower_circuit_leaves_a_class_out_and_is_refused(small, last_class):
    """Two classes instead of three: same rows, same row count, another digit."""
    narrow = replace(small.compiled.circuit, widths=(12, 6, 2))
    other = ModelCommitment(narrow, small.commitment.rows)
    claim = under(narrow, small, last_class, small.commitment.model_id)
    assert parse_proof(claim.proof).digit != small.predict(last_class)

    refused(claim, FailedOpening, MISMATCH)
    swapped = Claim(other.to_bytes(), claim.image, claim.proof)
    ids = small.commitment.model_id.hex(), other.model_id.hex()
    refused(swapped, WrongStatement, f"the proof is for model {ids[0]}, the commitment is of model {ids[1]}")


def test_a_model_id_without_the_circuit_would_let_the_shape_be_chosen(small, last_class):
    narrow = replace(small.compiled.circuit, widths=(12, 6, 2))
    other = ModelCommitment(narrow, small.commitment.rows)
    with replaced_property(ModelCommitment, "model_id", small.commitment.model_id):
        claim = under(narrow, small, last_class, small.commitment.model_id)
        assert accepted(Claim(other.to_bytes(), claim.image, claim.proof), NATIVE) != small.predict(last_class)


@pytest.mark.parametrize("widths", [(12, 5, 3), (12, 7, 3), (12, 6, 4), (12, 10, 3)])
def test_no_other_width_fits_the_registered_model(small, last_class, widths):
    circuit = replace(small.compiled.circuit, widths=widths)
    claim = under(circuit, small, last_class, small.commitment.model_id)
    refused(claim, FailedOpening, MISMATCH, NATIVE)


class ChosenSelectors(WithTrace):
    """Computes everything with selectors under which its lie is no lie."""

    chosen_selectors = None

    @property
    def publics(self):
        with rewritten_selectors(lambda circuit, alpha, found: self.chosen_selectors(found)):
            return Prover.publics.fget(self)


def no_limb_tops(found):
    """Selectors under which no row is the first limb of a lane, so that no activation is checked."""
    return found | {"limb_top": Periodic(1, {})}


def test_selectors_of_the_provers_choice_are_refused(small, small_image):
    lie = lies(small, small_image, range(-4000, 20_000, 500))[0]
    circuit = small.compiled.circuit
    trace = complete(circuit, lay_out(small.compiled, lie.pre_activations, lie.digit))
    trace["cell"][circuit.layer_groups[0].value_row(lie.neuron) + 2] += lie.delta
    forger = ChosenSelectors(small, said(small_image, lie.digit), chosen=trace)
    forger.chosen_selectors = no_limb_tops
    refused(claim_of(forger), FailedOpening, MISMATCH)
    with rewritten_selectors(lambda circuit, alpha, found: no_limb_tops(found)):
        assert accepted(claim_of(WithTrace(small, said(small_image, lie.digit), chosen=trace)), NATIVE) == lie.digit


def test_a_longer_shift_is_another_circuit():
    """Wide lanes shift by 32 bits where narrow ones shift by 8: another digest, another id, other rows."""
    model = commit_model(random_network(7, (12, 3, 3)))
    wide = replace(model.compiled.circuit, lanes=(2, 2))
    other = ModelCommitment(wide, model.commitment.rows)
    assert wide.digest != model.compiled.circuit.digest
    image = random_image(3, 12)
    claim = claim_of(Forger(model, said(image, model.predict(image))))
    ids = model.commitment.model_id.hex(), other.model_id.hex()
    message = f"the proof is for model {ids[0]}, the commitment is of model {ids[1]}"
    refused(Claim(other.to_bytes(), claim.image, claim.proof), WrongStatement, message)
