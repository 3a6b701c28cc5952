"""The process that holds the weights: it proves and verifies, one job at a time, and says nothing else of what it holds.

Answers are built here field by field. An error that nobody foresaw ends the process with its type and place on stderr, never
its message, which could show a value; the pool starts another one.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.cli.claimwords import claim_facts
from zkpredict.cli.serve.pool import send

if TYPE_CHECKING:
    from zkpredict.prover.model import Model

Answer = dict[str, Any]


def serve_jobs(connection: Connection, start: Callable[[], tuple[Answer, Callable[[Answer], Answer]]]) -> None:
    """A worker's life: `start` gives what to say first and what answers jobs; ends when the pipe does. Signals are the parent's."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        try:
            hello, answer = start()
        except UnusableInput as error:
            send(connection, {"unusable": str(error)})
            return
        send(connection, hello)
        while True:
            send(connection, answer(json.loads(connection.recv_bytes())))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return  # the server is gone, or wants no more
    except Exception as error:  # noqa: BLE001  the process ends here: type and place only, a message could hold a weight
        place = traceback.extract_tb(error.__traceback__)[-1]
        print(f"zkpredict: a worker stopped: {type(error).__name__} at {os.path.basename(place.filename)}:{place.lineno}", file=sys.stderr, flush=True)
        sys.exit(1)


def prover(connection: Connection, path: str, shows: tuple[bool, bool], threads: int) -> None:
    """Entry of a proving worker. `shows`: logits, and the times of the rounds."""
    os.environ["RAYON_NUM_THREADS"] = str(threads)  # read when the kernel first computes
    serve_jobs(connection, lambda: _load(path, *shows))


def _load(path: str, logits: bool, times: bool) -> tuple[Answer, Callable[[Answer], Answer]]:
    import numpy as np

    from zkpredict.circuits.wide.layout import WideCircuit
    from zkpredict.prover.model import Model

    model = Model.load(path)
    if model.committed is None:
        raise UnusableInput(f"{path} has no commitment yet: `zkpredict commit --model {path} --out FILE` makes it")
    commitment = model.commitment
    if isinstance(commitment.circuit, WideCircuit) and commitment.circuit.private_input:
        raise UnusableInput(f"{path} takes hidden inputs: a server would see them. Commit to the model again for public ones to serve it")
    with suppress(FalseClaim):  # tables and thread pools are made here, not in somebody's request, whatever it says of the empty input
        prove_once(model, np.zeros(commitment.circuit.inputs, np.uint8))

    def answer(job: Answer) -> Answer:
        image = bytes.fromhex(job["image"])
        if job["do"] == "verify":
            return verdict(commitment, image, bytes.fromhex(job["proof"]), bytes.fromhex(job["context"]))
        try:
            said = prove_once(model, np.frombuffer(image, np.uint8), job["class"], bytes.fromhex(job["context"]), times)
        except FalseClaim as error:
            asked_another = job["class"] is not None and job["class"] != model.predict(np.frombuffer(image, np.uint8))
            return {"refused": "FalseClaim", "what": str(error), "where": "class" if asked_another else "input"}
        if logits:
            said["logits"] = [int(value) for value in model.network.infer(np.frombuffer(image, np.uint8)[None, :]).logits[0]]
        return said

    return {"commitment": commitment.to_bytes().hex(), "network": model.network.name}, answer


def prove_once(model: Model, image: Any, wanted: int | None = None, context: bytes = b"", times: bool = False) -> Answer:
    """A proof, checked, with what each round sent. Raises `FalseClaim`; `UnusableInput` when weights and commitment disagree."""
    from zkpredict.prover.asked import check_image, statement_of
    from zkpredict.prover.prove import Prover
    from zkpredict.verifier.errors import VerificationError
    from zkpredict.verifier.messages import POINT_BYTES, SCALAR_BYTES
    from zkpredict.verifier.native import verify

    rounds: list[Answer] = []

    class Timed(Prover):
        def answer(self, message: Any) -> None:
            start = time.perf_counter()
            super().answer(message)
            size = POINT_BYTES * len(message.points) + SCALAR_BYTES * len(message.scalars)
            said: Answer = {"name": message.name, "points": message.points, "scalars": message.scalars, "bytes": size, "challenges": message.challenges}
            if times:
                said["milliseconds"] = round(1000 * (time.perf_counter() - start), 1)
            rounds.append(said)

    image = check_image(model, image)
    digit = model.network.classify(image)
    if wanted is not None and wanted != digit:
        raise FalseClaim(f"cannot prove class {wanted}: the network says {digit}")
    proof = Timed(model, statement_of(model, image, digit, context=context)).prove()
    try:
        verify(model.commitment, image, proof, context)
    except VerificationError as error:
        raise UnusableInput(f"the model file's weights or secrets are not those of its commitment ({type(error).__name__})") from None
    return {"digit": digit, **claim_facts(model.commitment.circuit, proof.outputs), "proof": proof.to_bytes().hex(), "rounds": rounds}


def verdict(commitment: Any, image: bytes, proof_bytes: bytes, context: bytes) -> Answer:
    """What the native verifier says."""
    from zkpredict.circuits.placement import form
    from zkpredict.verifier.errors import VerificationError
    from zkpredict.verifier.native import parse_proof, verify

    start = time.perf_counter()
    try:
        proof = parse_proof(proof_bytes, form(commitment.circuit))
        verify(commitment, image, proof, context)
    except VerificationError as error:
        return {"valid": False, "kind": type(error).__name__, "reason": str(error)}
    return {"valid": True, "digit": proof.digit, **claim_facts(commitment.circuit, proof.outputs), "milliseconds": round(1000 * (time.perf_counter() - start), 2)}
