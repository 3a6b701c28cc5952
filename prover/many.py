"""Many independent proofs, or proofs of batches, by many workers: what is sent, what comes back, and why it is believed.

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
from itertools import accumulate
from typing import TYPE_CHECKING, Any, Protocol

from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.circuits.placement import form
from zkpredict.prover.batch import images_each, prove_batch
from zkpredict.verifier.batch import BatchProof, parse_batch, part_sizes, verify_parts
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import VerificationError, WrongStatement
from zkpredict.verifier.native import parse_proof, verify
from zkpredict.verifier.score import Score, TestSet

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.prover.model import Model

ATTEMPTS = 4
"""How often a job is handed out before everything stops: each time a worker was lost with it, or gave no valid proof."""


@dataclass(frozen=True)
class Job:
    """One statement to prove: the input as bytes, and what it is called. `batch`: 0, or how many inputs, one behind another, one proof is about."""

    name: str
    data: bytes = field(repr=False)
    context: bytes = b""
    batch: int = 0

    @classmethod
    def of_batch(cls, name: str, images: np.ndarray, context: bytes = b"") -> Job:
        """One proof about all of `images`, uint8 [count, ...]."""
        return cls(name, images.tobytes(), context, len(images))

    def __len__(self) -> int:
        """How many inputs it is about."""
        return self.batch or 1


@dataclass(frozen=True)
class Answer:
    """What a worker said: the bytes of a proof, or why the claim is false. `worker`: its name, as whoever runs it knows it."""

    worker: str
    proof: bytes = b""
    refusal: str = ""


@dataclass(frozen=True)
class Result:
    """A verified proof and the class it states of each input, or `refusal`: why the claim is false for this input."""

    job: Job
    proof: bytes = b""
    claims: tuple[int, ...] = ()
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


def prove_score_by(
    commitment: ModelCommitment, tests: TestSet, crew: Crew, warn: Callable[[str], None] = lambda text: None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Score:
    """The score on `tests`, its parts proven by the crew; each is verified, and belongs to its place by its context. `progress` is told
    how many inputs of how many are done. Raises as `prove_many`."""
    total, found, done = len(tests.labels), dict[str, BatchProof](), 0
    sizes = list(part_sizes(total, min(total, images_each(commitment.circuit))))
    ends = list(accumulate(size * tests.size for size in sizes))
    jobs = [
        Job(f"part {number} of {len(sizes)}", tests.inputs[end - size * tests.size : end], tests.context(number, len(sizes)), size)
        for number, (size, end) in enumerate(zip(sizes, ends, strict=True))
    ]
    for result in prove_many(commitment, jobs, crew, warn):
        if result.refusal:
            raise UnusableInput(f"a worker refused {result.job.name}, which claims nothing that could be false: {result.refusal}")
        found[result.job.name] = parse_batch(result.proof, commitment)
        done += len(result.job)
        progress(done, total)
    proof = BatchProof(commitment.model_id, tuple(part for job in jobs for part in found[job.name].parts))
    return Score(tests.set_id, tests.right(proof.classes), proof)


def checked(commitment: ModelCommitment, job: Job, answer: Answer) -> Result:
    """The answer as a result. Raises `VerificationError` for a proof that does not hold for this job.

    A refusal cannot be checked without the weights; it costs a proof, and never makes a false one.
    """
    if answer.refusal:
        return Result(job, refusal=answer.refusal)
    return Result(job, answer.proof, verified(commitment, job, answer.proof))


def verified(commitment: ModelCommitment, job: Job, proof: bytes) -> tuple[int, ...]:
    """The class that a proof states of each of this job's inputs. Raises `VerificationError`."""
    if not job.batch:
        single = parse_proof(proof, form(commitment.circuit))
        verify(commitment, job.data, single, job.context)
        return (single.digit,)
    batch = parse_batch(proof, commitment)
    if len(batch.classes) != job.batch:
        raise WrongStatement(f"the proof is about {len(batch.classes)} inputs, there are {job.batch}")
    each = min(job.batch, images_each(commitment.circuit))
    if len(batch.parts[0].classes) != each:
        raise WrongStatement(f"the proof has parts of {len(batch.parts[0].classes)} inputs, expected {each}")
    verify_parts(commitment, job.data, batch, [job.context] * len(batch.parts))
    return batch.classes


# a worker's side


def prove_job(model: Model, job: Job) -> tuple[bytes, str]:
    """The proof, or why the claim is false."""
    import numpy as np

    from zkpredict.prover.prove import prove

    data = np.frombuffer(job.data, np.uint8)
    try:
        if job.batch:
            return prove_batch(model, data.reshape(job.batch, -1), context=job.context).to_bytes(), ""
        return prove(model, data, context=job.context).to_bytes(), ""
    except FalseClaim as error:
        return b"", str(error)


@lru_cache(maxsize=2)
def held_model(source: bytes | str) -> Model:
    """The model of a file's bytes, or of a file on this machine: read once a process. Raises `UnusableInput`."""
    from zkpredict.prover.model import Model

    return Model.load(source) if isinstance(source, str) else Model.from_bytes(source, "the model that was sent")
