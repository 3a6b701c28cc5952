"""Fiat-Shamir: a fixed vector, and every field of statement and proof moves every challenge drawn after it."""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path

import pytest
from Crypto.Hash import keccak
from hypothesis import given
from hypothesis import strategies as st
from support import changed, said

from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.layout import NARROW, WIDE, Circuit
from zkpredict.kernel import G1
from zkpredict.circuits.columns import FINAL_ROUND
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.verifier import messages
from zkpredict.verifier.messages import Proof
from zkpredict.verifier.transcript import Transcript, context, keccak256

VECTORS = Path(__file__).parent / "vectors"
NAMES = ("alpha", "beta", "delta", "rho", "nu", "zeta")


def derive_challenges(circuit: Circuit, image: bytes, proof: Proof) -> dict[str, int]:
    return messages.derive_challenges(circuit.digest, said(image, proof.digit), proof)


def listed(challenges: dict[str, int]) -> tuple[int, ...]:
    assert tuple(challenges) == NAMES
    return tuple(challenges.values())


# The fixed vector


def test_the_vector_is_made_by_its_generator():
    made = subprocess.run([sys.executable, VECTORS / "make_transcript.py"], capture_output=True, text=True, check=True).stdout
    assert made == (VECTORS / "transcript.json").read_text()


def test_transcript_matches_the_vector():
    vector = json.loads((VECTORS / "transcript.json").read_text())
    sent = {name: bytes.fromhex(value) for name, value in vector["messages"].items()}
    about = vector["statement"]
    digest, model_id, image = (bytes.fromhex(about[name]) for name in ("circuit_digest", "model_id", "image"))
    transcript, found = Transcript(digest, model_id, said(image, about["digit"])), {}
    for message in COMPACT_FORM.rounds[:-1]:
        transcript.absorb(sent.pop(message.name))
        found |= transcript.draw(message.challenges)
    assert COMPACT_FORM.rounds[-1].name == FINAL_ROUND and not sent
    assert found == {name: int(vector["challenges"][name], 16) for name in NAMES}


# Its pieces


@given(st.binary(max_size=300))
def test_keccak_matches_reference(data):
    assert keccak256(data) == keccak.new(digest_bits=256, data=data).digest()


def test_keccak_is_ethereum_s():
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"


def test_contexts_separate_labels_and_circuits():
    digests = [bytes(32), b"\x01" + bytes(31)]
    assert len({context(label, digest) for label in (b"zkpredict proof v1", b"zkpredict model v1") for digest in digests}) == 4


@given(st.binary(min_size=1, max_size=100))
def test_challenges_are_in_range_and_differ_from_each_other(message):
    transcript = Transcript(bytes(32), bytes(32), said(b"", 0))
    before = transcript.draw(["first"])["first"]
    transcript.absorb(message)
    drawn = transcript.draw(["first", "second", "third"])
    assert all(0 <= value < MODULUS for value in drawn.values()) and len({before, *drawn.values()}) == 4
    assert transcript.draw(["rho"])["rho"] == int.from_bytes(transcript.state, "big") >> 16 < 1 << 240
    assert transcript.draw(["first", "second", "third"]) == drawn


def test_absorbing_is_a_chain_so_that_cutting_messages_elsewhere_matters():
    one, two = (Transcript(bytes(32), bytes(32), said(b"", 0)) for _ in range(2))
    one.absorb(b"ab")
    two.absorb(b"a")
    two.absorb(b"b")
    assert one.draw(["any"]) != two.draw(["any"])


# The statement moves all six


CIRCUIT = Circuit((30, 12, 4), (NARROW, WIDE), 1024)


@pytest.fixture(scope="module")
def honest(proof, image) -> tuple[int, ...]:
    challenges = listed(derive_challenges(CIRCUIT, image.tobytes(), proof))
    assert challenges == listed(derive_challenges(CIRCUIT, image.tobytes(), dataclasses.replace(proof)))
    return challenges


def moved(honest, challenges) -> list[bool]:
    return [ours != theirs for ours, theirs in zip(honest, listed(challenges))]


@pytest.mark.parametrize(
    "circuit",
    [
        Circuit((30, 12, 4), (NARROW, WIDE), 2048),
        Circuit((30, 12, 4), (WIDE, WIDE), 1024),
        Circuit((30, 13, 4), (NARROW, WIDE), 1024),
        Circuit((31, 12, 4), (NARROW, WIDE), 1024),
    ],
)
def test_the_circuit_moves_every_challenge(proof, image, honest, circuit):
    assert moved(honest, derive_challenges(circuit, image.tobytes(), proof)) == [True] * 6


@pytest.mark.parametrize("position", [0, 31])
def test_the_model_id_moves_every_challenge(proof, image, honest, position):
    other = dataclasses.replace(proof, model_id=changed(proof.model_id, position))
    assert moved(honest, derive_challenges(CIRCUIT, image.tobytes(), other)) == [True] * 6


def test_the_digit_moves_every_challenge(proof, image, honest):
    other = dataclasses.replace(proof, digit=(proof.digit + 1) % 4)
    assert moved(honest, derive_challenges(CIRCUIT, image.tobytes(), other)) == [True] * 6


def test_every_pixel_moves_every_challenge(proof, image, honest):
    for position in range(30):
        other = changed(image.tobytes(), position)
        assert moved(honest, derive_challenges(CIRCUIT, other, proof)) == [True] * 6


# Messages move what is drawn after them, and nothing before


def parts_and_challenges_before() -> list[tuple[str, str, int]]:
    """Every point and scalar of a proof, with how many challenges are drawn before it is said."""
    found, before = [], 0
    for message in COMPACT_FORM.rounds:
        found += [("points", name, before) for name in message.points] + [("scalars", name, before) for name in message.scalars]
        before += len(message.challenges)
    return found


@pytest.mark.parametrize(("kind", "name", "first"), parts_and_challenges_before())
def test_every_part_of_a_message_moves_exactly_the_challenges_behind_it(proof, image, honest, kind, name, first):
    value = getattr(proof, kind)[name]
    other = (value + 1) % MODULUS if isinstance(value, int) else value + G1.generator()
    altered = proof.changed(**{kind: {name: other}})
    assert moved(honest, derive_challenges(CIRCUIT, image.tobytes(), altered)) == [False] * first + [True] * (6 - first)


def test_swapping_two_fields_of_a_message_moves_its_challenges(proof, image, honest):
    altered = proof.changed(points={"limb": proof.points["cell"], "cell": proof.points["limb"]})
    assert moved(honest, derive_challenges(CIRCUIT, image.tobytes(), altered)) == [True] * 6


def test_only_the_final_opening_comes_after_every_challenge(proof, image, honest):
    altered = proof.changed(points={"final": proof.points["final"] + G1.generator()})
    assert moved(honest, derive_challenges(CIRCUIT, image.tobytes(), altered)) == [False] * 6
