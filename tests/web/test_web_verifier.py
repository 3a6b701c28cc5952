"""The verifier in JavaScript: every public vector in Node, the native verifier's verdict on circuits no vector has, and its vendored files."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace

import numpy as np
import pytest
from support import changed, random_image, random_network


from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.schema import Feature, Schema
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import hide
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.tools import vendor, wide_vectors
from zkpredict.tools.load import PATIENCE
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import VerificationError
from zkpredict.verifier.messages import HEADER_BYTES
from zkpredict.verifier.native import parse_proof, verify

pytestmark = pytest.mark.node
SCHEMA = Schema(tuple(Feature(f"reading {i} µ", -1.5, 2.25 + i) for i in range(9)), ("no", "<b>yes</b>", "日本"))
SHAPES = [((30, 12, 4), None), ((9, 3), None), ((9, 3), 2048), ((20, 21, 8, 12), None), ((784, 40, 10), 2048), ((2046, 5, 2), None)]


def node(root, *arguments: str, given: str = "") -> subprocess.CompletedProcess:
    return subprocess.run(["node", *arguments], cwd=root, input=given, capture_output=True, text=True, timeout=PATIENCE)


def test_every_public_vector_holds_in_node(root):
    ran = node(root, "--test", "tests/web/vectors.test.mjs")
    assert ran.returncode == 0, ran.stdout[-3000:]
    expected = sum(len(found["valid"]) + len(found["invalid"]) for found in (json.loads(f.read_text()) for f in (root / "vectors").glob("*.json")))
    assert re.findall(r"^# (pass|fail|skipped) (\d+)$", ran.stdout, re.M) == [("pass", str(expected + 1)), ("fail", "0"), ("skipped", "0")]


def cases() -> list[tuple[bytes, bytes, bytes]]:
    """Commitments, images and proofs of many circuits, each also with one bit changed in many places."""
    found = []
    for seed, (shape, domain) in enumerate(SHAPES):
        model = commit_model(random_network(seed, shape), domain, placement="compact")
        image = random_image(seed, shape[0])
        found += around(model.commitment.to_bytes(), image, prove(model, image).to_bytes())
    model = commit_model(Model(random_network(7, (9, 3)), schema=SCHEMA))
    image = random_image(7, 9)
    shown, proof = model.commitment.to_bytes(), prove(model, image).to_bytes()
    return found + around(shown, image, proof) + [(changed(shown, len(shown) - place), image.tobytes(), proof) for place in range(1, 240, 7)]


def around(shown: bytes, image: np.ndarray, proof: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """The case itself, then its tampered twins."""
    pixels = image.tobytes()
    places = [*range(0, HEADER_BYTES, 5), *range(HEADER_BYTES, len(proof), 97)]
    return [
        (shown, pixels, proof),
        (shown, changed(pixels, len(pixels) // 2), proof),
        (shown, pixels + b"\0", proof),
        (shown[:-1], pixels, proof),
        *((changed(shown, place), pixels, proof) for place in (0, 4, 9, 11, 12, 14, 40, len(shown) - 3)),
        *((shown, pixels, changed(proof, place)) for place in places),
    ]


def native(shown: bytes, image: bytes, proof: bytes) -> str | tuple[int, str | None]:
    try:
        commitment = ModelCommitment.from_bytes(shown, G1.from_compressed)
        verify(commitment, image, parsed := parse_proof(proof))
    except (MalformedFile, VerificationError) as error:
        return type(error).__name__
    return parsed.digit, commitment.schema.class_name(parsed.digit)


def test_javascript_and_native_agree_on_circuits_that_no_vector_has_and_on_their_tampered_twins(root):
    asked = cases()
    given = json.dumps([dict(zip(("commitment", "image", "proof"), (part.hex() for part in case), strict=True)) for case in asked])
    ran = node(root, "tests/web/verdicts.mjs", given=given)
    assert ran.returncode == 0, ran.stderr[-3000:]
    said = [one.get("refused") or (one["digit"], one["className"]) for one in json.loads(ran.stdout)]
    assert said == [native(*case) for case in asked]
    accepted = [one for one in said if isinstance(one, tuple)]
    assert len(accepted) >= len(SHAPES) + 1 and {"MalformedFile", "MalformedProof", "WrongStatement", "FailedOpening"} <= set(said)


def test_a_proof_for_somebody_holds_for_nobody_else(root):
    model, image, context = commit_model(random_network(1, (9, 4, 3))), random_image(1, 9), bytes(range(32))
    case = {"commitment": model.commitment.to_bytes().hex(), "image": image.tobytes().hex(), "proof": prove(model, image, context=context).to_bytes().hex()}
    contexts = (context, b"", changed(context, 31), context[1:])
    said = json.loads(node(root, "tests/web/verdicts.mjs", given=json.dumps([{**case, "context": one.hex()} for one in contexts])).stdout)
    assert [one.get("refused") for one in said] == [None, "FailedOpening", "FailedOpening", "WrongStatement"]
    assert said[3]["reason"] == "the context has 31 bytes, expected 32 or none"


def test_javascript_and_native_agree_on_every_wide_circuit_and_on_twins_changed_in_each_byte_of_circuit_and_input(root):
    """Circuits of every kind of the stored proofs; a changed circuit is another one, or none. Both verifiers, same kind of refusal."""
    twins = []
    for case in wide_vectors.stored():
        size, head = len(case.known.circuit.to_bytes()), 5
        twins += [case, replace(case, context=case.context + b"\0"), replace(case, context=bytes(32 - len(case.context)))]
        for mask in (1, 14):
            twins += [replace(case, commitment=changed(case.commitment, place, mask)) for place in range(head, head + size)]
        if case.hidden:
            twins += [replace(case, image=changed(case.image, place)) for place in (0, 4, 5, 7, 20, len(case.image) - 1)]
    asked = [{"hidden" if one.hidden else "image": one.image.hex(), "commitment": one.commitment.hex(), "proof": one.proof.hex(), "context": one.context.hex()} for one in twins]
    ran = node(root, "tests/web/verdicts.mjs", given=json.dumps(asked))
    assert ran.returncode == 0, ran.stderr[-3000:]
    said = [one.get("refused") or (one["digit"], one["claim"], one["outputs"]) for one in json.loads(ran.stdout)]
    expected = [native_wide(one) for one in twins]
    assert [(ours, theirs, one.name, one.commitment[:90].hex()) for one, ours, theirs in zip(twins, said, expected, strict=True) if ours != theirs] == []
    assert sum(isinstance(one, tuple) for one in said) == len(wide_vectors.stored())
    assert {"MalformedFile", "WrongStatement", "FailedOpening"} <= set(map(str, said))


def native_wide(case: wide_vectors.Case) -> str | tuple[int, str, list[int]]:
    try:
        commitment = ModelCommitment.from_bytes(case.commitment, G1.from_compressed)
        verify(commitment, case.input, parsed := parse_proof(case.proof, commitment), case.context)
    except (MalformedFile, VerificationError) as error:
        return type(error).__name__
    claim = commitment.circuit.claim
    return parsed.digit, f"{claim.kind.word} {claim.parameter}", list(parsed.outputs)


def test_a_wide_model_with_names_has_its_id_and_says_the_name(root):
    schema = Schema((), ("no", "<b>yes</b>", "日本"))
    model = commit_model(Model(random_network(7, (9, 5, 3)), schema=schema), placement="wide")
    image = random_image(7, 9)
    case = {"commitment": model.commitment.to_bytes().hex(), "image": image.tobytes().hex(), "proof": prove(model, image).to_bytes().hex()}
    (said,) = json.loads(node(root, "tests/web/verdicts.mjs", given=json.dumps([case])).stdout)
    assert (said["modelId"], said["className"]) == (model.commitment.model_id.hex(), schema.class_name(said["digit"]))


def test_a_gate_that_the_verifier_does_not_know_is_refused_by_name(root):
    model = commit_model(random_network(1, (9, 4, 3)))
    image = random_image(1, 9)
    shown = bytearray(model.commitment.to_bytes())
    at = shown.index(model.commitment.circuit.to_bytes()) + len(model.commitment.circuit.to_bytes()) - 2
    shown[at] |= 1 << 4
    given = json.dumps([{"commitment": shown.hex(), "image": image.tobytes().hex(), "proof": prove(model, image).to_bytes().hex()}])
    reason = "commitment: a hidden layer has a gate other than ReLU, which this verifier does not know"
    assert json.loads(node(root, "tests/web/verdicts.mjs", given=given).stdout) == [{"refused": "MalformedFile", "reason": reason}]


def test_files_of_another_kind_are_refused_by_name(root):
    """Batches and scores among them, which this verifier does not know."""
    model = commit_model(random_network(1, (9, 4, 3)))
    image = random_image(1, 9)
    right = {"commitment": model.commitment.to_bytes(), "image": image.tobytes(), "proof": prove(model, image).to_bytes()}
    wrong = [
        ("proof", b"zkpB\1" + right["proof"][5:], "MalformedProof", "proof: this is a proof of a batch, which this verifier does not know; expected a proof"),
        ("proof", b"zkpR\1" + right["proof"][5:], "MalformedProof", "proof: this is a proven score, which this verifier does not know; expected a proof"),
        ("proof", right["commitment"], "MalformedProof", "proof: this is a public model commitment; expected a proof"),
        ("commitment", model.to_bytes(), "MalformedFile", "commitment: this is a private model file; expected a public model commitment"),
        ("commitment", right["proof"], "MalformedFile", "commitment: this is a proof; expected a public model commitment"),
    ]
    given = json.dumps([{name: value.hex() for name, value in (right | {name: data}).items()} for name, data, *_ in wrong])
    said = json.loads(node(root, "tests/web/verdicts.mjs", given=given).stdout)
    assert said == [{"refused": kind, "reason": reason} for *_, kind, reason in wrong]


def test_vendored_files_are_those_of_npm_with_their_licences(root):
    assert vendor.stale(root) == []
    shipped = root / vendor.SHIPPED
    assert {path.relative_to(shipped).parts[1] for path in shipped.rglob("LICENSE")} == {"curves", "hashes"}


def test_a_vendored_file_that_differs_is_named(root, tmp_path):
    source = vendor.files(root)
    name = next(iter(source))
    vendor.write(source | {name: source[name] + b"//"}, tmp_path)
    assert vendor.differences(source, tmp_path) == [name]
    (tmp_path / "more.js").write_text("x")
    assert vendor.differences(source, tmp_path) == [name, "more.js"]


def test_readings_may_be_hidden(root):
    """A schema of a model for hidden inputs is bound where values have their random entry."""
    model = commit_model(Model(random_network(7, (9, 3)), schema=SCHEMA), private_input=True)
    opened, other = (hide(random_image(seed, 9), model.commitment.circuit.domain) for seed in (7, 8))
    shown, proof = model.commitment.to_bytes().hex(), prove(model, opened)
    asked = [{"commitment": shown, "hidden": one.hidden.to_bytes().hex(), "proof": proof.to_bytes().hex()} for one in (opened, other)]
    holds, refused = json.loads(node(root, "tests/web/verdicts.mjs", given=json.dumps(asked)).stdout)
    assert holds["digit"] == proof.digit and refused["refused"] == "FailedOpening"
