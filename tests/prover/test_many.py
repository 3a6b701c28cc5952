"""Many proofs by many workers: whatever workers do, a result is a proof that holds, and nothing that was proven is lost."""

import os
import signal
from dataclasses import replace

import numpy as np
import pytest
from support import random_image, random_network, refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.prover import batch
from zkpredict.prover.batch import images_each, prove_score
from zkpredict.prover.commit import commit_model
from zkpredict.prover.crews.local import LocalCrew
from zkpredict.prover.many import ATTEMPTS, Answer, Job, Result, WorkerLost, prove_job, prove_many, prove_score_by, verified
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.score import TestSet, verify_score

CONTEXT = bytes(range(32))
MISMATCH = "the opening does not match: the claim is false, or the proof was made for another statement"


@pytest.fixture(scope="module")
def made():
    return commit_model(random_network(5, (12, 6, 3)))


@pytest.fixture(scope="module")
def jobs():
    return [Job(f"{number:05d}", random_image(number, 12).tobytes(), CONTEXT) for number in range(5)]


class Here:
    """A crew of this process: two workers take turns, one proof at a time; `twist` is what becomes of their answers."""

    room = 2

    def __init__(self, model, twist=lambda worker, job, answer: answer):
        self.model, self.twist, self.turn, self.distrusted = model, twist, 0, set()

    def submit(self, job):
        trusted = [worker for worker in ("a", "b") if worker not in self.distrusted]
        self.turn += 1
        return (self.turn, trusted[self.turn % len(trusted)], job)

    def wait(self, handed):
        return [max(handed)] if self.turn % 2 else list(handed)  # the last first, or both at once

    def answer(self, ended):
        _, worker, job = ended
        return self.twist(worker, job, Answer(worker, *prove_job(self.model, job)))

    def distrust(self, worker):
        self.distrusted.add(worker)
        if len(self.distrusted) == 2:
            raise UnusableInput("nobody is left")


def outcome(made, jobs, crew):
    """Every result by its job's name, with what was said on the way."""
    said = []
    found = {result.job.name: result for result in prove_many(made.commitment, jobs, crew, said.append)}
    return found, said


def assert_all_hold(made, jobs, found):
    assert sorted(found) == [job.name for job in jobs]
    for job in jobs:
        result = found[job.name]
        assert result.claims == (made.predict(np.frombuffer(job.data, np.uint8)),) == verified(made.commitment, job, result.proof)


def test_every_job_has_a_proof_that_holds(made, jobs):
    found, said = outcome(made, jobs, Here(made))
    assert_all_hold(made, jobs, found)
    assert said == []
    with refuses(FailedOpening, MISMATCH):
        verified(made.commitment, Job("other", jobs[1].data, CONTEXT), found[jobs[0].name].proof)


def test_a_proof_of_another_input_is_found_and_its_worker_gets_no_more(made, jobs):
    wrong = prove_job(made, jobs[4])[0]
    crew = Here(made, lambda worker, job, answer: Answer(worker, wrong) if worker == "b" and job is not jobs[4] else answer)
    found, said = outcome(made, jobs, crew)
    assert_all_hold(made, jobs, found)
    assert crew.distrusted == {"b"} and len(said) == 1 and said[0].startswith("worker b gave no valid proof of 0000")


def test_a_proof_for_another_context_is_found(made, jobs):
    crew = Here(made, lambda worker, job, answer: Answer(worker, prove_job(made, replace(job, context=bytes(32)))[0]))
    with refuses(UnusableInput, "nobody is left"):
        outcome(made, jobs, crew)


def test_a_worker_that_is_lost_loses_nothing(made, jobs):
    lost = set()

    def once(worker, job, answer):
        if job.name in lost:
            return answer
        lost.add(job.name)
        raise WorkerLost(worker, "it stopped")

    found, said = outcome(made, jobs, Here(made, once))
    assert_all_hold(made, jobs, found)
    assert len(said) == len(jobs) and all(line.endswith(f"; {name} goes to another worker") for line, name in zip(sorted(said, key=lambda s: s.split("; ")[1]), sorted(lost)))


def test_jobs_that_always_fail_stop_everything(made, jobs):
    def always(worker, job, answer):
        raise WorkerLost("a", "it stopped")

    with refuses(UnusableInput, f"00000 could not be proven in {ATTEMPTS} attempts; the last: worker a: it stopped"):
        outcome(made, jobs[:1], Here(made, always))


def test_what_is_false_is_refused_and_the_others_go_on(made, jobs):
    crew = Here(made, lambda worker, job, answer: Answer(worker, refusal="no") if job is jobs[2] else answer)
    found, _ = outcome(made, jobs, crew)
    assert found[jobs[2].name] == Result(jobs[2], refusal="no")
    assert sum(bool(result.claims) for result in found.values()) == 4


@pytest.fixture(scope="module")
def batched():
    return commit_model(random_network(5, (12, 6, 3)), domain=512, batch=True)


@pytest.fixture(scope="module")
def batches():
    """Seven inputs, in batches of three, three and one."""
    images = np.stack([random_image(number, 12) for number in range(7)])
    return [Job.of_batch(f"{first}", images[first : first + 3], CONTEXT) for first in (0, 3, 6)]


def assert_batches_hold(batched, batches, found):
    assert sorted(found) == [job.name for job in batches]
    for job in batches:
        inputs = np.frombuffer(job.data, np.uint8).reshape(-1, 12)
        assert found[job.name].claims == tuple(map(batched.predict, inputs)) == verified(batched.commitment, job, found[job.name].proof)


def test_batches_are_jobs_too_and_a_lost_worker_loses_none(batched, batches):
    lost = set()

    def once(worker, job, answer):
        if job.name in lost:
            return answer
        lost.add(job.name)
        raise WorkerLost(worker, "it stopped")

    found, said = outcome(batched, batches, Here(batched, once))
    assert_batches_hold(batched, batches, found)
    assert len(said) == 3


@pytest.mark.parametrize(
    ("twist", "reason"),
    [
        (lambda job: replace(job, data=bytes(len(job.data))), MISMATCH),
        (lambda job: replace(job, context=bytes(32)), MISMATCH),
        (lambda job: Job.of_batch(job.name, np.frombuffer(job.data, np.uint8).reshape(3, 12)[:2], CONTEXT), "the proof is about 2 inputs, there are 3"),
        (lambda job: replace(job, data=job.data[:12], batch=0), "magic of a batch is b'zkpP\\x01', expected b'zkpB\\x01'"),
    ],
)
def test_a_batch_about_something_else_is_found_and_its_worker_gets_no_more(batched, batches, twist, reason):
    crew = Here(batched, lambda worker, job, answer: Answer(worker, prove_job(batched, twist(job))[0]) if worker == "b" else answer)
    found, said = outcome(batched, batches[:2], crew)
    assert_batches_hold(batched, batches[:2], found)
    assert crew.distrusted == {"b"} and len(said) == 1 and reason in said[0]


@pytest.mark.parametrize("liar", [False, True])
def test_a_score_is_put_together_of_parts_that_workers_prove(batched, monkeypatch, liar):
    monkeypatch.setattr(batch, "PART_TRACKS", 1)
    each = images_each(batched.commitment.circuit)
    images = np.stack([random_image(number, 12) for number in range(2 * each + 1)])
    labels = np.array(list(map(batched.predict, images)))
    labels[3] = (labels[3] + 1) % 3
    tests, said, done = TestSet.of(images, labels, batched.commitment.circuit), [], []

    def other_part(worker, job, answer):
        return Answer(worker, prove_job(batched, replace(job, context=tests.context(1, 3)))[0]) if liar and worker == "b" and job.name == "part 0 of 3" else answer

    crew = Here(batched, other_part)
    crew.turn = 0 if liar else 1  # the first job is b's
    score = prove_score_by(batched.commitment, tests, crew, said.append, lambda count, total: done.append((count, total)))
    assert verify_score(batched.commitment, images, labels, score) == len(images) - 1
    alone = prove_score(batched, images, labels)
    assert (score.set_id, score.right, [part.classes for part in score.proof.parts]) == (alone.set_id, alone.right, [part.classes for part in alone.proof.parts])
    assert done[-1] == (len(images), len(images)) and [MISMATCH in line for line in said] == [True] * liar


@pytest.fixture
def model_file(made, tmp_path):
    made.save(tmp_path / "m.model")
    return tmp_path / "m.model"


def test_a_process_that_is_killed_is_replaced(made, jobs, model_file):
    said, found = [], {}
    with LocalCrew(str(model_file), 1) as crew:
        for result in prove_many(made.commitment, jobs, crew, said.append):
            if not found:
                os.kill(crew.processes[0], signal.SIGKILL)
            found[result.job.name] = result
    assert_all_hold(made, jobs, found)
    assert said and all("a process ended before it answered" in line for line in said)


def test_a_process_that_is_killed_with_a_batch_is_replaced(batched, batches, tmp_path):
    batched.save(tmp_path / "b.model")
    said, found = [], {}
    with LocalCrew(str(tmp_path / "b.model"), 1) as crew:
        for result in prove_many(batched.commitment, batches, crew, said.append):
            if not found:
                os.kill(crew.processes[0], signal.SIGKILL)
            found[result.job.name] = result
    assert_batches_hold(batched, batches, found)
    assert said and all("a process ended before it answered" in line for line in said)


def test_a_model_file_that_is_gone_is_said_by_name(made, jobs, model_file):
    with LocalCrew(str(model_file), 1) as crew:
        model_file.unlink()
        with refuses(UnusableInput, f"cannot read model {model_file}: No such file or directory"):
            list(prove_many(made.commitment, jobs, crew))
