"""Where commands that prove much find workers: processes of this machine, or a Dask cluster."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.console import Console
from zkpredict.cli.parser import at_least_one

if TYPE_CHECKING:
    from zkpredict.prover.many import Crew
    from zkpredict.prover.model import Model


def add_crew_options(parser: argparse.ArgumentParser, default: str) -> None:
    """Adds `--workers`, `--scheduler` and what goes with it."""
    parser.add_argument("--workers", type=at_least_one, metavar="N", help=f"processes of this machine (default: {default})")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler: prove on its workers instead (each needs zkpredict[cluster])")
    parser.add_argument("--worker-model", metavar="PATH", help="where every worker has the model file: weights do not travel")
    for name, what in (("ca", "certificate of the authority"), ("cert", "own certificate"), ("key", "own key")):
        parser.add_argument(f"--tls-{name}", metavar="PEM", help=f"{what}, for a scheduler with TLS: weights travel encrypted, once to each worker")


def check_crew_options(arguments: argparse.Namespace) -> None:
    """Raises `UnusableInput` for options that do not go together."""
    tls = {"--tls-ca": arguments.tls_ca, "--tls-cert": arguments.tls_cert, "--tls-key": arguments.tls_key}
    given = {**tls, "--worker-model": arguments.worker_model}
    if arguments.scheduler is None:
        alone = next((name for name, value in given.items() if value is not None), None)
        if alone is not None:
            raise UnusableInput(f"{alone} goes with --scheduler")
    elif arguments.workers is not None:
        raise UnusableInput("--workers is for this machine: a cluster has the workers that it has")
    missing = [name for name, value in tls.items() if value is None]
    if missing and len(missing) < len(tls):
        raise UnusableInput(f"TLS takes {', '.join(tls)}: {missing[0]} is missing")


@contextmanager
def crew(arguments: argparse.Namespace, console: Console, model: Model, jobs: int) -> Iterator[Crew]:
    """The workers that the options name, for so many jobs. Raises `UnusableInput`."""
    if arguments.scheduler is None:
        from zkpredict.prover.crews.local import LocalCrew

        with LocalCrew(arguments.model, min(jobs, arguments.workers or len(os.sched_getaffinity(0)))) as local:
            yield local
        return
    from zkpredict.prover.crews.cluster import Certificates, ClusterCrew, OnWorkers, Sent

    with console.step("reach the cluster"):
        source = OnWorkers(arguments.worker_model) if arguments.worker_model is not None else Sent(model.to_bytes())
        certificates = None if arguments.tls_ca is None else Certificates(arguments.tls_ca, arguments.tls_cert, arguments.tls_key)
        cluster = ClusterCrew(arguments.scheduler, source, model.commitment.model_id, certificates, console.note)
    with cluster:
        yield cluster
