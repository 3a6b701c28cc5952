"""Long work lets other Python threads run, and survives threads and forks."""

import os
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from zkpredict.kernel import G1, Bases, Vector

N = 4096


@pytest.fixture(scope="module")
def bases():
    return Bases.concat([Bases([G1.generator().mul(i + 1) for i in range(64)])] * (N // 64))


def vector(seed):
    return Vector.from_wide_bytes(np.random.default_rng(seed).bytes(64 * N))


def test_long_work_releases_the_interpreter(bases):
    """Nobody is made to give way here, so another thread has a turn during a multiplication only if that lets go by itself."""
    scalars, ticks, done, interval = vector(1), [], threading.Event(), sys.getswitchinterval()

    def tick():
        while not done.is_set():
            ticks.append(time.perf_counter())
            time.sleep(0.001)

    def has_turn() -> bool:
        start = time.perf_counter()
        bases.msm(scalars)
        end = time.perf_counter()
        return any(start < at < end for at in ticks)

    clock = threading.Thread(target=tick)
    sys.setswitchinterval(60)
    try:
        clock.start()
        assert any(has_turn() for _ in range(100))
    finally:
        sys.setswitchinterval(interval)
        done.set()
        clock.join()


def test_results_do_not_depend_on_threads(bases):
    vectors = [vector(seed) for seed in range(4)]
    alone = [(bases.msm(v), v.coset_ntt(4 * N, 7)) for v in vectors]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda v: (bases.msm(v), v.coset_ntt(4 * N, 7)), vectors))
    assert together == alone


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_builds_its_own_threads(bases):
    scalars = vector(1)
    expected = bases.msm(scalars).to_compressed()
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(write, bases.msm(scalars).to_compressed())
        os._exit(0)
    os.close(write)
    deadline = time.monotonic() + 60
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > deadline:
            os.kill(child, 9)
            os.waitpid(child, 0)
            pytest.fail("the child hangs")
        time.sleep(0.01)
    assert os.read(read, 48) == expected
    os.close(read)
