"""Many independent proofs by many workers: what is sent, what comes back, and why it is believed.

    job     -> a worker proves it with its own copy of the model            worker gone: the job goes again, to whoever is there
    answer  -> verified here against commitment, input and context          not valid: the job goes again, to another worker
    result  -> the proof, or why there is none (the claim is false)

Nothing a worker says is believed: a result is a proof that this process has verified. Workers come from `Crew`s: processes of this
machine (`zkpredict.prover.crews.local`), a Dask cluster (`zkpredict.prover.crews.cluster`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.circuits.placement import form
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import VerificationError
from zkpredict.verifier.native import parse_proof, verify

if TYPE_CHECKING:
    from zkpredict.prover.model import Model

ATTEMPTS = 4
"""How often a job is handed out before everything stops: each time a worker was lost with it, or gave no valid proof."""


@dataclass(frozen=True)
class Job:
    """One statement to prove: the input as bytes, and what it is called."""

    name: str
    data: bytes = field(repr=False)
    context: bytes = b""


@dataclass(frozen=True)
class Answer:
    """What a worker said: the bytes of a proof, or why the claim is false. `worker`: its name, as whoever runs it knows it."""

    worker: str
    proof: bytes = b""
    refusal: str = ""


@dataclass(frozen=True)
class Result:
    """A verified proof and the class it states, or `refusal`: why the claim is false for this input."""

    job: Job
    proof: bytes = b""
    claim: int | None = None
    refusal: str = ""


class WorkerLost(Exception):
    """The worker stopped, or could not do, what it was given. `why` names no value of a model."""

    def __init__(self, worker: str, why: str) -> None:
        self.worker, self.why = worker, why
        super().__init__(f"worker {worker}: {why}")


class Crew(Protocol):
    """Workers that have the model."""

    @property
    def room(self) -> int:
        """How many jobs may be out at a time: enough that no worker waits."""

    def submit(self, job: Job) -> Any:
        """Hands a job out; what comes back stands for it in `wait` and `answer`."""

    def wait(self, handed: Collection[Any]) -> Collection[Any]:
        """Those of `handed` that have ended: none, when nothing ended within a second or so."""

    def answer(self, ended: Any) -> Answer:
        """Raises `WorkerLost`."""

    def distrust(self, worker: str) -> None:
        """Gives no more jobs to this worker. Raises `UnusableInput` when no other is left."""


def prove_many(
    commitment: ModelCommitment, jobs: Iterable[Job], crew: Crew, warn: Callable[[str], None] = lambda text: None
) -> Iterator[Result]:
    """Yields a result for each job, as they come in, in any order. Whoever stops listening loses only what is out.

    Raises `UnusableInput` when a job comes back without a valid proof `ATTEMPTS` times.
    """
    waiting, failures = deque((job, 0) for job in jobs), 0
    handed: dict[Any, tuple[Job, int]] = {}
    while waiting or handed:
        while waiting and len(handed) < crew.room:
            job, failures = waiting.popleft()
            handed[crew.submit(job)] = job, failures
        for ended in crew.wait(handed):
            job, failures = handed.pop(ended)
            try:
                answer = crew.answer(ended)
                yield checked(commitment, job, answer)
            except WorkerLost as lost:
                if failures + 1 == ATTEMPTS:
                    raise UnusableInput(f"{job.name} could not be proven in {ATTEMPTS} attempts; the last: {lost}") from None
                warn(f"{lost}; {job.name} goes to another worker")
                waiting.appendleft((job, failures + 1))
            except VerificationError as error:
                if failures + 1 == ATTEMPTS:
                    raise UnusableInput(f"{job.name} came back without a valid proof {ATTEMPTS} times; the last from worker {answer.worker}: {error}") from None
                warn(f"worker {answer.worker} gave no valid proof of {job.name} ({error}), and gets no more jobs")
                waiting.appendleft((job, failures + 1))
                crew.distrust(answer.worker)


def checked(commitment: ModelCommitment, job: Job, answer: Answer) -> Result:
    """The answer as a result. Raises `VerificationError` for a proof that does not hold for this job.

    A refusal cannot be checked without the weights; it costs a proof, and never makes a false one.
    """
    if answer.refusal:
        return Result(job, refusal=answer.refusal)
    return Result(job, answer.proof, verified(commitment, job, answer.proof))


def verified(commitment: ModelCommitment, job: Job, proof: bytes) -> int:
    """The class that a proof states of this job's input. Raises `VerificationError`."""
    parsed = parse_proof(proof, form(commitment.circuit))
    verify(commitment, job.data, parsed, job.context)
    return parsed.digit


# a worker's side


def prove_job(model: Model, data: bytes, context: bytes) -> tuple[bytes, str]:
    """The proof, or why the claim is false."""
    import numpy as np

    from zkpredict.prover.prove import prove

    try:
        return prove(model, np.frombuffer(data, np.uint8), context=context).to_bytes(), ""
    except FalseClaim as error:
        return b"", str(error)


@lru_cache(maxsize=2)
def held_model(source: bytes | str) -> Model:
    """The model of a file's bytes, or of a file on this machine: read once a process. Raises `UnusableInput`."""
    from zkpredict.prover.model import Model

    return Model.load(source) if isinstance(source, str) else Model.from_bytes(source, "the model that was sent")
