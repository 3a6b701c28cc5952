"""Nothing public and nothing printed holds a weight, a bias or a row secret, in any encoding one would meet by accident."""

from __future__ import annotations

import logging
import os
import traceback
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support import random_image, random_network, refuses, said

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.witness import build_trace
from zkpredict.cli.main import main
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.native import verify

SHAPE = (25, 9, 4)
RUN = 6
"""Bytes of consecutive weights that count as a find: chance occurrences are below 1e-6 for all that is scanned here."""


@pytest.fixture(scope="module")
def private() -> Model:
    """A committed model whose weights fill 16 bits, so that its bytes are no common ones."""
    return commit_model(random_network(31, SHAPE, largest=30_000))


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    return random_image(32, SHAPE[0])


@pytest.fixture(scope="module")
def prover(private, picture) -> Prover:
    prover = Prover(private, said(picture, private.predict(picture)))
    prover.finished = prover.prove()
    return prover


@pytest.fixture(scope="module")
def needles(private) -> set[bytes]:
    """Runs of weights as integers of every size and order, as hex, and two by two as decimals; row secrets as bytes, hex, decimals."""
    found = set()
    for layer in private.network.layers:
        for array in (layer.weights, layer.weights.T, layer.bias):
            for kind in ("<i2", ">i2", "<i4", ">i4", "<i8", ">i8", "<f4", "<f8"):
                if kind.endswith("i2") and abs(array).max() >= 1 << 15:
                    continue
                found |= _runs(np.ascontiguousarray(array).astype(kind).tobytes(), max(RUN, 2 * int(kind[2])))
            ints = [str(int(value)) for value in array.flat]
            found |= {f"{a}{gap}{b}".encode() for a, b in zip(ints, ints[1:]) if len(a + b) > 8 for gap in (", ", ",", " ")}
    for secret in private.secrets:
        found |= {secret.to_bytes(32, "big"), secret.to_bytes(32, "little"), str(secret).encode()}
    return found | {needle.hex().encode() for needle in found if len(needle) >= RUN}


def _runs(data: bytes, length: int) -> Iterator[bytes]:
    runs = {data[start : start + length] for start in range(len(data) - length + 1)}
    return {run for run in runs if len(set(run)) > 3}


def finds(data: bytes | str, needles: set[bytes]) -> list[bytes]:
    """The needles in `data`. In text, any white space counts as one blank."""
    raw = " ".join(data.split()).encode() if isinstance(data, str) else data
    return [needle for needle in needles if needle in raw]


def test_the_scan_finds_weights_where_they_are(private, needles):
    """The twin: the model file, its network, an unhidden row, a repr that shows arrays."""
    assert finds(private.to_bytes(), needles) and finds(private.network.to_bytes(), needles)
    assert finds(repr(private.network.layers[0].weights.tolist()), needles)
    assert finds(private.network.layers[1].weights.tobytes().hex(), needles)
    assert finds(str(private.secrets), needles) and finds(private.secrets[0].to_bytes(32, "big"), needles)


def test_public_bytes(private, prover, needles):
    proof = prover.finished
    circuit = private.commitment.circuit
    for data in (proof.to_bytes(), private.commitment.to_bytes(), circuit.to_bytes(), *(onchain_proof(proof, c) for c in FinalCheck)):
        assert finds(data, needles) == []


def test_reprs(private, picture, prover, needles):
    compiled = private.compiled
    trace = build_trace(compiled, said(picture, private.predict(picture)))
    things = [
        *(private, private.committed, private.commitment, private.network, *private.network.layers, compiled, prover.finished),
        *(prover, *prover.columns.values(), trace, private.network.infer(picture[None, :]), compiled.circuit),
        *(*prover.quotient.values(), *prover.row_coefficients.values(), *private.commitment.rows),
    ]
    for thing in things:
        assert finds(repr(thing) + str(thing), needles) == [], type(thing)


def test_reprs_do_not_show_activations(private, picture):
    """What the network computed on the way is as private as its weights."""
    inference = private.network.infer(picture[None, :])
    trace = build_trace(private.compiled, said(picture, private.predict(picture)))
    shown = repr(inference) + repr(trace) + repr(private.network.intervals)
    for value in (*inference.pre_activations[0].flat, *inference.logits.flat, *private.network.intervals[0].high):
        assert str(int(value)) not in shown


def test_what_the_commands_print(private, picture, needles, tmp_path, capfd, caplog):
    caplog.set_level(logging.DEBUG)
    model, commitment, image, proof = (str(tmp_path / name) for name in ("m.model", "m.commitment", "i.npy", "p.proof"))
    Model(private.network).save(model)
    np.save(image, picture)
    wrong = str((private.predict(picture) + 1) % SHAPE[-1])
    runs = [
        ["commit", "--model", model, "--out", commitment],
        ["prove", image, "--model", model, "--out", proof],
        ["prove", image, "--model", model, "--out", proof, "--digit", wrong],
        ["verify", image, proof, "--commitment", commitment],
        ["inspect", model],
        ["inspect", commitment],
        ["inspect", proof],
        ["commit", "--model", model, "--out", commitment, "--domain", "2048"],
        ["prove", commitment, "--model", model, "--out", proof],
    ]
    codes = [main([*run, *extra]) for run in runs for extra in ([], ["--json"])]
    assert codes == [code for code in (0, 0, 1, 0, 0, 0, 0, 2, 2) for _ in range(2)]
    printed = capfd.readouterr()
    secrets = {s.to_bytes(32, "big").hex().encode() for s in Model.load(model).secrets}
    for text in (printed.out, printed.err, caplog.text):
        assert finds(text, needles | secrets) == []
    for path in (commitment, proof):
        assert finds(Path(path).read_bytes(), needles) == []


def test_refusals_of_damaged_models(private, needles):
    """Cut anywhere, or with any header byte changed: the message says where, never what."""
    data = private.to_bytes()
    damaged = [data[:length] for length in range(0, len(data), 31)] + [data + b"\x00"]
    damaged += [data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :] for at in range(0, len(data), 17)]
    refused = 0
    for number, changed in enumerate(damaged):
        try:
            Model.from_bytes(changed)
        except UnusableInput as error:
            refused += 1
            assert finds(str(error), needles) == [], number
    assert refused > len(damaged) // 3


def test_refusals_of_proofs_and_tracebacks(private, picture, prover, needles):
    other = commit_model(private.network)
    mixed = Model(private.network, type(private.committed)(private.commitment, other.secrets))
    forged = Prover(mixed, prover.statement).prove()
    message = "the opening does not match: the claim is false, or the proof was made for another statement"
    with refuses(FailedOpening, message):
        verify(private.commitment, picture, forged)
    try:
        Prover(private, said(picture, (prover.statement.claim + 1) % SHAPE[-1])).prove()
    except ValueError as error:
        frames = traceback.TracebackException.from_exception(error, capture_locals=True)
        text = "".join(frames.format())
    own = [frame for frame in text.split("  File ") if os.path.basename(__file__) not in frame]
    assert "UnprovableTrace" in text and finds("".join(own), needles) == []


def test_proofs_of_the_test_ceremony_are_refused_by_the_real_one(world, few):
    """The verifiers have the ceremony's own [tau]_2 again outside the modules that switch it."""
    with refuses(FailedOpening, "the opening does not match: the claim is false, or the proof was made for another statement"):
        verify(world.model.commitment, few.images[0], few.real[0])
