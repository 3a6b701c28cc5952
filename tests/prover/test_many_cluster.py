"""A real Dask cluster with TLS: weights travel encrypted or not at all, and whatever workers do, results are proofs that hold."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager

import numpy as np
import pytest
from support import random_image, random_network, refuses

from zkpredict.circuits.errors import UnusableInput
from zkpredict.prover.commit import commit_model
from zkpredict.prover.crews.cluster import Certificates, ClusterCrew, OnWorkers, Sent
from zkpredict.prover.many import Job, prove_many, verified

LYING = """
from zkpredict.prover.crews import cluster

def lie(source, job):
    import dataclasses
    from distributed import get_worker
    return str(get_worker().address), cluster.prove_job(cluster.held_model(source.data), dataclasses.replace(job, data=bytes(len(job.data))))[0], ""

cluster._prove.__code__ = lie.__code__
cluster._prove.__globals__["cluster"] = cluster
"""


@pytest.fixture(scope="module")
def certificates(root):
    folder = root / "tests" / "data" / "tls"
    return Certificates(*(str(folder / name) for name in ("ca.pem", "node.pem", "node.key")))


@pytest.fixture(scope="module")
def made():
    return commit_model(random_network(5, (12, 6, 3)))


@pytest.fixture(scope="module")
def jobs():
    return [Job(f"{number:05d}", random_image(number, 12).tobytes()) for number in range(8)]


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@contextmanager
def process(*words, folder):
    with open(folder / f"{words[0]}-{time.monotonic_ns()}.log", "wb") as log:
        started = subprocess.Popen([sys.executable, "-m", "distributed.cli." + words[0], *map(str, words[1:])], stdout=log, stderr=log, cwd=folder)
    try:
        yield started
    finally:
        started.kill()
        started.wait()


@pytest.fixture(scope="module")
def cluster(certificates, tmp_path_factory):
    """The address of a scheduler, and what starts a worker."""
    folder, port = tmp_path_factory.mktemp("cluster"), free_port()
    tls = ("--tls-ca-file", certificates.authority, "--tls-cert", certificates.certificate, "--tls-key", certificates.key)
    address = f"tls://127.0.0.1:{port}"

    def worker(*options):
        return process("dask_worker", address, "--nthreads", 1, "--no-nanny", "--no-dashboard", "--local-directory", folder, *options, *tls, folder=folder)

    with process("dask_scheduler", "--host", "127.0.0.1", "--port", port, "--protocol", "tls", "--no-dashboard", *tls, folder=folder):
        yield address, worker, folder


def reach(address, source, made, certificates, said, workers):
    """A crew, once `workers` are there."""
    until = time.monotonic() + 120
    while True:
        try:
            crew = ClusterCrew(address, source, made.commitment.model_id, certificates, said.append)
        except UnusableInput as error:
            assert "has no workers" in str(error) or "no Dask scheduler" in str(error)
            assert time.monotonic() < until, error
            continue
        if len(crew._addresses()) == workers:
            return crew
        crew._client.close()


def test_weights_travel_encrypted_and_a_lying_and_a_dying_worker_cost_nothing(made, jobs, certificates, cluster):
    address, worker, folder = cluster
    (folder / "lying.py").write_text(LYING)
    said, found = [], {}
    with worker() as honest, worker("--preload", folder / "lying.py"), worker():
        with reach(address, Sent(made.to_bytes()), made, certificates, said, 3) as crew:
            for result in prove_many(made.commitment, jobs, crew, said.append):
                found[result.job.name] = result
                if len(found) == 2:
                    os.kill(honest.pid, signal.SIGKILL)
    assert sorted(found) == [job.name for job in jobs]
    for job in jobs:
        assert verified(made.commitment, job, found[job.name].proof) == found[job.name].claims
    lies = [line for line in said if "gave no valid proof" in line]
    assert lies and all("gets no more jobs" in line for line in lies)
    logs = b"".join(path.read_bytes() for path in folder.glob("*.log"))
    weights = made.network.to_bytes()[-40:]
    assert weights not in logs and repr(weights)[2:-1].encode() not in logs


def test_batches_are_proven_by_a_cluster_and_those_of_a_dying_worker_go_to_another(certificates, cluster):
    address, worker, _ = cluster
    made = commit_model(random_network(5, (12, 6, 3)), domain=512, batch=True)
    images = np.stack([random_image(number, 12) for number in range(20)])
    batches = [Job.of_batch(f"{first:02d}", images[first : first + 3], bytes(32)) for first in range(0, 20, 3)]
    found = {}
    with worker() as dying, worker():
        with reach(address, Sent(made.to_bytes()), made, certificates, [], 2) as crew:
            for result in prove_many(made.commitment, batches, crew):
                if not found:
                    os.kill(dying.pid, signal.SIGKILL)
                found[result.job.name] = result
    claims = [one for job in batches for one in found[job.name].claims]
    assert claims == list(map(made.predict, images)) and sorted(found) == [job.name for job in batches]
    assert all(verified(made.commitment, job, found[job.name].proof) == found[job.name].claims for job in batches)


def test_weights_stay_where_they_are(made, jobs, certificates, cluster, tmp_path):
    address, worker, _ = cluster
    made.save(tmp_path / "m.model")
    with worker():
        with reach(address, OnWorkers(str(tmp_path / "m.model")), made, certificates, [], 1) as crew:
            assert {result.job.name for result in prove_many(made.commitment, jobs[:2], crew)} == {"00000", "00001"}
        other = commit_model(made.network)
        with pytest.raises(UnusableInput, match=f"has another model, or none, at {tmp_path / 'm.model'}: {made.commitment.model_id.hex()}"):
            ClusterCrew(address, OnWorkers(str(tmp_path / "m.model")), other.commitment.model_id, certificates, print)
        with pytest.raises(UnusableInput, match="has another model, or none, at /nowhere: cannot read model /nowhere: No such file or directory"):
            ClusterCrew(address, OnWorkers("/nowhere"), made.commitment.model_id, certificates, print)


def test_weights_never_travel_in_clear(made):
    told = (
        "the weights would travel to tcp://127.0.0.1:1 unencrypted: give --tls-ca, --tls-cert and --tls-key for a scheduler with TLS, or "
        "--worker-model PATH if every worker has the model file"
    )
    with refuses(UnusableInput, told):
        ClusterCrew("tcp://127.0.0.1:1", Sent(made.to_bytes()), made.commitment.model_id, None, print)


def test_the_bytes_of_a_model_are_in_no_representation(made):
    assert repr(Sent(made.to_bytes())) == "Sent()"
