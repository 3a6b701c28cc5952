"""A schema is bound to the model id: proofs verify with it, and no other schema goes with the same id."""

import numpy as np
import pytest
from support import MISMATCH, random_network, refuses

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.schema import Feature, Schema
from zkpredict.circuits.wide.layout import WIDE_DOMAINS
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import hide
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.prover.setup import lagrange_key, monomial_key
from zkpredict.verifier import independent
from zkpredict.verifier.binding import BLINDING_POINTS, PRIVATE_BLINDING_POINTS, schema_scalar
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.native import verify

SCHEMA = Schema(tuple(Feature(f"f{n}", -1.0 * n, n + 0.5) for n in range(6)), ("yes", "no", "maybe"))
IMAGE = np.arange(6, dtype=np.uint8) * 40


@pytest.fixture(scope="module")
def model() -> Model:
    return commit_model(Model(random_network(3, (6, 5, 3)), schema=SCHEMA))


@pytest.fixture(scope="module")
def proof(model):
    return prove(model, IMAGE)


def test_the_blinding_points_are_those_of_the_ceremony(model):
    assert set(BLINDING_POINTS) == set(WIDE_DOMAINS)
    for domain, point in BLINDING_POINTS.items():
        assert monomial_key()[domain - 1].to_compressed() == point
    assert model.compiled.blinding_position(0) == model.compiled.circuit.domain - 1


def test_those_of_hidden_inputs_are_where_values_have_their_random_entry():
    assert set(PRIVATE_BLINDING_POINTS) == set(WIDE_DOMAINS)
    for domain, point in PRIVATE_BLINDING_POINTS.items():
        assert lagrange_key(domain)[domain - 1].to_compressed() == point


def test_a_model_of_readings_proves_about_hidden_ones():
    private = commit_model(Model(random_network(3, (6, 5, 3)), schema=SCHEMA), private_input=True)
    opened = hide(IMAGE, private.commitment.circuit.domain)
    proof = prove(private, opened)
    verify(private.commitment, opened.hidden, proof)
    hidden = HiddenInput.from_bytes(opened.hidden.to_bytes(), independent.decode_point)
    assert independent.verify(private.commitment.to_bytes(), hidden, proof.to_bytes()) == proof.digit
    bare = ModelCommitment(private.commitment.circuit, private.commitment.rows)
    assert bare.model_id == private.commitment.model_id
    with refuses(FailedOpening, MISMATCH):
        verify(private.commitment, hide(IMAGE[::-1].copy(), private.commitment.circuit.domain).hidden, proof)


def test_files_keep_the_schema_and_the_id(model):
    data = model.commitment.to_bytes()
    assert data.startswith(b"zkpK\x02")
    for decode in (G1.from_compressed, independent.decode_point):
        found = ModelCommitment.from_bytes(data, decode)
        assert (found.schema, found.model_id, found.to_bytes()) == (SCHEMA, model.commitment.model_id, data)
    again = Model.from_bytes(model.to_bytes())
    assert again.schema == SCHEMA and again.to_bytes() == model.to_bytes()


def test_both_verifiers_accept_proofs_of_a_model_with_a_schema(model, proof):
    verify(model.commitment, IMAGE, proof)
    assert independent.verify(model.commitment.to_bytes(), IMAGE.tobytes(), proof.to_bytes()) == proof.digit
    changed = IMAGE.copy()
    changed[0] ^= 1
    with pytest.raises(FailedOpening):
        verify(model.commitment, changed, proof)


@pytest.mark.parametrize(
    "old, new", [(b"yes", b"YES"), (b"\x02f2", b"\x02g2")]
)
def test_another_schema_has_another_id(model, proof, old, new):
    """What an owner would show later: the same rows, with a class or a feature renamed."""
    data = model.commitment.to_bytes()
    assert data.count(old) == 1
    other = ModelCommitment.from_bytes(data.replace(old, new), G1.from_compressed)
    assert other.inner.to_compressed() == model.commitment.inner.to_compressed() and other.model_id != model.commitment.model_id
    with refuses(
        WrongStatement, f"the proof is for model {proof.model_id.hex()}, the commitment is of model {other.model_id.hex()}"
    ):
        verify(other, IMAGE, proof)


def test_another_scale_has_another_id(model):
    wider = Schema((Feature("f0", -0.0, 0.75), *SCHEMA.features[1:]), SCHEMA.classes)
    data = model.commitment.to_bytes().replace(SCHEMA.to_bytes(), wider.to_bytes())
    assert ModelCommitment.from_bytes(data, G1.from_compressed).model_id != model.commitment.model_id


def test_the_scalar_depends_on_circuit_row_and_schema(model):
    circuit, inner = model.commitment.circuit, model.commitment.inner
    other_circuit = commit_model(random_network(3, (6, 4, 3))).commitment.circuit
    found = {
        schema_scalar(circuit, inner, SCHEMA), schema_scalar(other_circuit, inner, SCHEMA),
        schema_scalar(circuit, inner + G1.generator(), SCHEMA), schema_scalar(circuit, inner, Schema((), SCHEMA.classes)),
    }  # fmt: skip
    assert len(found) == 4 and all(0 < scalar < MODULUS for scalar in found)


def test_rows_without_the_schema_say_nothing_about_readings(model, proof):
    """The owner may show a file of version 01 with the same rows: the id is the same, and so is what a proof says about bytes."""
    bare = ModelCommitment(model.commitment.circuit, model.commitment.rows)
    assert bare.model_id == model.commitment.model_id and not bare.schema
    verify(bare, IMAGE, proof)


def test_a_schema_that_is_not_that_of_the_model_is_refused(model):
    wrong = SCHEMA.to_bytes().replace(b"yes", b"YES")
    data = model.to_bytes()
    start = data.index(SCHEMA.to_bytes())
    with refuses(MalformedFile, "model: the commitment shows another schema than the model"):
        Model.from_bytes(data[:start] + wrong + data[start + len(wrong) :])


@pytest.mark.parametrize(
    "schema, message",
    [
        (Schema(SCHEMA.features[:5]), "commitment: the schema has 5 features, the network takes 6 inputs"),
        (Schema((), ("a", "b")), "commitment: the schema names 2 classes, the network knows 3"),
        (Schema(), "commitment: the schema says nothing: the file should be of version 01"),
    ],
)
def test_schemas_of_another_shape_are_refused(model, schema, message):
    data, old, new = model.commitment.to_bytes(), SCHEMA.to_bytes(), schema.to_bytes()
    data = data.replace(len(old).to_bytes(4, "little") + old, len(new).to_bytes(4, "little") + new)
    with refuses(MalformedFile, message):
        ModelCommitment.from_bytes(data, G1.from_compressed)


def test_models_without_a_schema_keep_their_bytes():
    plain = commit_model(random_network(3, (6, 5, 3)))
    assert plain.to_bytes().startswith(b"zkpM\x01") and plain.commitment.to_bytes().startswith(b"zkpK\x01")
