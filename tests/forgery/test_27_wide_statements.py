"""Lines 6, 8, 10, 11, 13 and 20 on wide circuits: what a proof says is what its circuit claims, of this input, for this model.

Logits that are public, claims that differ by a number, pieces of the quotient, points and scalars, and what is drawn when.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from forger import Claim as Handed
from forger import WithTrace, claim_of
from freezing import ahead, blind_to, blind_to_statement, frozen_everywhere
from support import random_image, refuses
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused
from wide_forger import committed, settle, sheet_of, wide_claim, wide_honest, wide_network, wide_run

from zkpredict.circuits.errors import FalseClaim
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import form
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.kernel import G1
from zkpredict.prover.prove import prove
from zkpredict.verifier import native
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, MalformedProof, WrongStatement
from zkpredict.verifier.messages import HEADER_BYTES, POINT_BYTES
from zkpredict.verifier.native import parse_proof

IMAGE = random_image(27, 12)
LOGITS = Claim(Kind.LOGITS)


@pytest.fixture(scope="module")
def network():
    return wide_network(3, (12, 20, 4), RELU8, shift=4)


@pytest.fixture(scope="module")
def model(network):
    return committed(network)


@pytest.fixture(scope="module")
def honest(model):
    return wide_honest(model, IMAGE)


@pytest.fixture(scope="module")
def open_model(network):
    return committed(network, LOGITS)


@pytest.fixture(scope="module")
def open_honest(open_model):
    return wide_honest(open_model, IMAGE)


def parsed(model, claim: Handed):
    return parse_proof(claim.proof, form(model.commitment.circuit))


# public outputs


def test_logits_are_what_the_network_says(network, open_model, open_honest):
    proof = parsed(open_model, open_honest)
    assert list(proof.outputs) == wide_run(network, IMAGE.tolist())[-1]
    assert accepted(open_honest) == proof.digit == open_model.predict(IMAGE)


@pytest.mark.parametrize("place", range(4))
def test_other_logits_are_refused(open_model, open_honest, place):
    """Said of an honest proof, and proven by a forger."""
    proof = parsed(open_model, open_honest)
    outputs = tuple(value - (at == place) for at, value in enumerate(proof.outputs))
    digit = outputs.index(max(outputs))
    refused(open_honest.with_proof(replace(proof, outputs=outputs, digit=digit).to_bytes()), FailedOpening, MISMATCH, NATIVE)
    sheet = sheet_of(open_model, wide_run(open_model.network, IMAGE.tolist()), digit)
    by = PYTHON if place == 0 else NATIVE
    refused(wide_claim(open_model, IMAGE, digit, sheet, outputs), FailedOpening, MISMATCH, by)


def test_logits_that_make_the_same_pack_are_out_of_range(open_model, open_honest):
    """One more logit 0, 2^48 less of logit 1: the equation holds, and the range is what refuses it."""
    proof = parsed(open_model, open_honest)
    outputs = (proof.outputs[0] + 1, proof.outputs[1] - (1 << 48), *proof.outputs[2:])
    digit = outputs.index(max(outputs))
    sheet = sheet_of(open_model, wide_run(open_model.network, IMAGE.tolist()), digit)
    forged = wide_claim(open_model, IMAGE, digit, sheet, outputs)
    refused(forged, WrongStatement, f"output 1 is {outputs[1]}, beyond {(1 << 46) - 1}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "LOGIT_LIMIT", 1 << 60)
        assert accepted(forged, NATIVE) == digit


def test_the_digit_is_that_of_the_largest_output(open_model, open_honest):
    proof = parsed(open_model, open_honest)
    best = proof.outputs.index(max(proof.outputs))
    other = (best + 1) % 4
    wrong = open_honest.with_proof(replace(proof, digit=other).to_bytes())
    refused(wrong, WrongStatement, f"the digit is {other}, the largest output is number {best}")
    equal = replace(proof, outputs=(5, 5, 4, 3), digit=1)
    refused(open_honest.with_proof(equal.to_bytes()), WrongStatement, "the digit is 1, the largest output is number 0")


def test_outputs_may_not_be_left_out(open_model, open_honest):
    """A proof in memory whose form has none: its rounds are those of the circuit."""
    proof = parsed(open_model, open_honest)
    bare = replace(proof, form=replace(proof.form, outputs=0), outputs=())
    with refuses(WrongStatement, "the proof states 0 outputs, the circuit makes 4 public"):
        native.verify(open_model.commitment, IMAGE, bare)


# claims


def test_a_proof_of_one_claim_is_none_of_another(network, model, honest, open_model, open_honest):
    """By length where it differs, by name where it does not: the claim is part of the model id."""
    margins = [committed(network, Claim(Kind.MARGIN, m)) for m in (1, 2)]
    proofs = [wide_honest(one, IMAGE) for one in margins]
    assert [accepted(one, NATIVE) for one in proofs] == [model.predict(IMAGE)] * 2
    ids = [one.commitment.model_id.hex() for one in margins]
    swapped = Handed(margins[1].commitment.to_bytes(), IMAGE.tobytes(), proofs[0].proof)
    refused(swapped, WrongStatement, f"the proof is for model {ids[0]}, the commitment is of model {ids[1]}")
    renamed = replace(parsed(margins[0], proofs[0]), model_id=margins[1].commitment.model_id)
    refused(swapped.with_proof(renamed.to_bytes()), FailedOpening, MISMATCH)
    longer = Handed(model.commitment.to_bytes(), IMAGE.tobytes(), open_honest.proof)
    with pytest.raises(MalformedProof):
        accepted(longer, NATIVE)
    assert len({one.commitment.circuit.digest for one in (model, open_model, *margins)}) == 4


def test_a_threshold_is_that_of_the_circuit(network):
    single = wide_network(9, (12, 20, 1))
    logit = wide_run(single, IMAGE.tolist())[-1][0]
    low, high = (committed(single, Claim(Kind.THRESHOLD, logit + more)) for more in (0, 1))
    reached = wide_honest(low, IMAGE)
    assert accepted(reached) == 0
    with refuses(FalseClaim, f"cannot prove that the output is at least {logit + 1}: for this input it is less"):
        prove(high, IMAGE)
    renamed = replace(parsed(low, reached), model_id=high.commitment.model_id)
    refused(Handed(high.commitment.to_bytes(), IMAGE.tobytes(), renamed.to_bytes()), FailedOpening, MISMATCH)


def test_another_digit_image_or_model(network, model, honest):
    proof = parsed(model, honest)
    refused(honest.with_proof(replace(proof, digit=(proof.digit + 1) % 4).to_bytes()), FailedOpening, MISMATCH)
    refused(honest.with_proof(replace(proof, digit=4).to_bytes()), WrongStatement, "the digit 4 is not one of the 4 classes")
    for image in (IMAGE[:-1], np.append(IMAGE, IMAGE[:1])):
        message = f"the image has {len(image)} bytes, the circuit takes 12"
        refused(replace(honest, image=image.tobytes()), WrongStatement, message)
    for place in (0, 11):
        other = IMAGE.copy()
        other[place] ^= 1
        refused(replace(honest, image=other.tobytes()), FailedOpening, MISMATCH, PYTHON if place else NATIVE)
    twin = committed(network)
    moved = replace(proof, model_id=twin.commitment.model_id).to_bytes()
    refused(Handed(twin.commitment.to_bytes(), honest.image, moved), FailedOpening, MISMATCH)


@pytest.mark.parametrize("by", [255, 254])
def test_the_last_chunk_of_a_long_input_counts(by):
    """An input of three chunks: its first, its last and the values on either side of each seam."""
    image = random_image(28, 1100)
    model = committed(wide_network(4, (1100, 12, 3), shift=8), domain=512)
    chunks = model.commitment.circuit.chunks
    assert [len(chunk) for chunk in chunks] == [510, 511, 79]
    honest = wide_honest(model, image)
    assert accepted(honest, PYTHON if by == 255 else NATIVE) == model.predict(image)
    for place in (0, 509, 510, 1020, 1021, 1099):
        other = image.copy()
        other[place] ^= by
        refused(replace(honest, image=other.tobytes()), FailedOpening, MISMATCH, NATIVE)


# points and scalars


@pytest.fixture(scope="module")
def split_model(network):
    return committed(network, domain=2048)


def test_the_pieces_of_the_quotient_have_their_places(split_model):
    honest = wide_honest(split_model, IMAGE)
    assert accepted(honest) == split_model.predict(IMAGE)
    proof = parsed(split_model, honest)
    low, high = proof.points["quotient"], proof.points["quotient_high"]
    swapped = proof.changed({"quotient": high, "quotient_high": low})
    refused(honest.with_proof(swapped.to_bytes()), FailedOpening, MISMATCH)
    summed = proof.changed({"quotient": low + high})
    refused(honest.with_proof(summed.to_bytes()), FailedOpening, MISMATCH, NATIVE)


def test_every_point_and_scalar_counts(model, honest):
    proof = parsed(model, honest)
    names = list(proof.points)
    for number, name in enumerate(names):
        other = proof.changed({name: proof.points[names[number - 1]]})
        refused(honest.with_proof(other.to_bytes()), FailedOpening, MISMATCH, NATIVE)
        start = HEADER_BYTES + POINT_BYTES * number
        infinite = honest.proof[:start] + b"\xc0" + bytes(47) + honest.proof[start + 48 :]
        refused(honest.with_proof(infinite), MalformedProof, f"proof: point {name} is at infinity", PYTHON if number == 0 else NATIVE)
    for name, value in proof.scalars.items():
        other = proof.changed(scalars={name: (value + 1) % MODULUS})
        refused(honest.with_proof(other.to_bytes()), FailedOpening, MISMATCH, NATIVE)
        start = honest.proof.index(value.to_bytes(32, "big"))
        alias = honest.proof[:start] + (value + MODULUS).to_bytes(32, "big") + honest.proof[start + 32 :]
        refused(honest.with_proof(alias), MalformedProof, f"proof: scalar {name} is not below the field order")


def test_rows_of_another_model_or_order(model, honest):
    """One row replaced by another point, or two swapped: another model id, and with that id no proof."""
    commitment, proof = model.commitment, parsed(model, honest)
    rows = list(commitment.rows)
    for changed in ([rows[0] + G1.generator(), *rows[1:]], [rows[1], rows[0], *rows[2:]]):
        other = ModelCommitment(commitment.circuit, tuple(changed))
        moved = replace(proof, model_id=other.model_id).to_bytes()
        refused(Handed(other.to_bytes(), honest.image, moved), FailedOpening, MISMATCH, NATIVE)


# what is drawn when


class KnowsBeta(WithTrace):
    """Knows beta and gamma before it commits: one multiplicity absorbs the reciprocals of whatever is in no table."""

    def trace(self):
        known, sheet, circuit = ahead(self, "trace"), self.chosen, self.circuit
        beta, gamma = known["beta"], known["gamma"]
        missing = 0
        for track in range(circuit.tracks):
            for row in range(circuit.domain):
                top, mid, low, sign, exact = (sheet[f"{name}{track}"][row] for name in ("top", "mid", "low", "sign", "exact"))
                for key in (beta + mid, beta + low, beta + gamma * (1 + sign) + top + exact):
                    missing += inverse(key % MODULUS)
        step = circuit.domain // 512
        for number, (tag, entry) in enumerate(entries_of(circuit)):
            missing -= sheet["mult"][number * step] * inverse((beta + gamma * tag + entry) % MODULUS)
        sheet["mult"][0] = (sheet["mult"][0] + missing * beta) % MODULUS
        return sheet


def entries_of(circuit):
    upper = [*range(129, 256), 129]
    return [pair for k in range(128) for pair in ((0, 2 * k), (1, k), (0, 2 * k + 1), (2, upper[k]))]


def test_the_trace_is_absorbed_before_the_lookup_is_drawn(model, honest):
    """A byte that is 300, on an idle row: in no table, but for one who knows beta."""
    truth, circuit = model.predict(IMAGE), model.commitment.circuit
    sheet = sheet_of(model, wide_run(model.network, IMAGE.tolist()), truth)
    sheet["mid0"][511] = 300
    sheet = settle(circuit, sheet)

    def forge():
        chosen = {name: list(values) for name, values in sheet.items()}
        return claim_of(KnowsBeta(model, Statement(IMAGE.tobytes(), truth), chosen=chosen))

    refused(forge(), FailedOpening, MISMATCH)
    with blind_to("trace"):
        assert accepted(forge(), NATIVE) == truth


@pytest.mark.parametrize("field", ["claim", "input"])
def test_the_statement_is_absorbed(model, honest, field):
    """Frozen or not, another digit is no other proof; but its challenges differ because it is heard."""
    proof = parsed(model, honest)
    said = [Statement(IMAGE.tobytes(), proof.digit), Statement(IMAGE.tobytes(), (proof.digit + 1) % 4)]
    if field == "input":
        said[1] = Statement(bytes([IMAGE[0] ^ 1]) + IMAGE.tobytes()[1:], proof.digit)
    draw = lambda statement: native.derive_challenges(model.commitment.circuit.digest, statement, proof)["alpha"]
    assert draw(said[0]) != draw(said[1])
    with blind_to_statement(field):
        assert draw(said[0]) == draw(said[1])


def test_outputs_are_absorbed(open_model, open_honest):
    """The challenges of both verifiers change with each of them."""
    from zkpredict.verifier import independent

    proof, circuit = parsed(open_model, open_honest), open_model.commitment.circuit
    drawn = set()
    for outputs in (proof.outputs, *(tuple(v + (at == k) for at, v in enumerate(proof.outputs)) for k in range(4))):
        statement = Statement(IMAGE.tobytes(), proof.digit, outputs)
        mine = native.derive_challenges(circuit.digest, statement, proof)
        theirs = independent.draw_challenges(circuit.digest, IMAGE.tobytes(), replace(proof, outputs=outputs))
        assert mine == theirs
        drawn.add(mine["alpha"])
    assert len(drawn) == 5


@pytest.mark.parametrize("name", ["alpha", "beta", "gamma", "theta"])
def test_frozen_challenges_change_nothing_for_the_honest(model, name):
    """The twin of every test that freezes one: the same proof is accepted with it, so it is no other check that refuses."""
    with frozen_everywhere(**{name: 12345}):
        assert accepted(wide_honest(model, IMAGE), NATIVE) == model.predict(IMAGE)


# the worst case


def test_inputs_at_the_worst_case_bound_are_proven():
    """All 255 where one row's weights are positive, all 0 elsewhere, and the other way about: on lanes that are just wide enough."""
    weights = np.random.default_rng(1).integers(-120, 121, (10, 12))
    bias = np.zeros(10, dtype=np.int64)
    bias[0] = (1 << 23) - 1 - 255 * int(np.where(weights[0] > 0, weights[0], 0).sum())
    hidden = DenseLayer(weights, bias, 8)
    network = IntegerNetwork((hidden, wide_network(2, (10, 3)).layers[0]))
    for claim in (CLASS, Claim(Kind.LOGITS)):
        model = committed(network, claim)
        for image in (np.where(weights[0] > 0, 255, 0), np.where(weights[0] < 0, 255, 0)):
            honest = wide_honest(model, image.astype(np.uint8))
            assert accepted(honest, NATIVE) == model.predict(image.astype(np.uint8))
