"""`zkpredict prove-many`."""

from __future__ import annotations

import argparse
import json
import os
import shlex
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.outputs import PROOF, INDEX
from zkpredict.circuits.files.storage import read_file, refuse_to_replace, write_atomically
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.hidden import add_context_options, context_facts, context_lines, read_context, takes_hidden
from zkpredict.cli.inputs import Inputs, add_data_options, read_inputs
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.private import load_model
from zkpredict.cli.rows import add_left_out_option
from zkpredict.cli.statement import MAX_PROOF_FILE_BYTES, image_name
from zkpredict.cli.words import Words

if TYPE_CHECKING:
    from zkpredict.prover.many import Crew, Job
    from zkpredict.prover.model import Model

EXAMPLE = """zkpredict prove-many pictures/ --model mnist.model --out proofs/
zkpredict prove-many t10k-images-idx3-ubyte.gz --model mnist.model --out proofs/ --workers 2
zkpredict prove-many inputs.npy --model mnist.model --out proofs/ --scheduler tls://10.0.0.5:8786 --tls-ca ca.pem --tls-cert me.pem --tls-key me.key
zkpredict prove-many inputs.npy --model mnist.model --out proofs/ --scheduler tcp://10.0.0.5:8786 --worker-model /srv/mnist.model"""
INDEX_NAME = "index.json"
SUFFIX = ".proof"


def configure(parser: argparse.ArgumentParser) -> None:
    add_data_options(parser)
    add_left_out_option(parser)
    parser.add_argument("--model", required=True, metavar="FILE", help="committed model file (private)")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where each input's proof goes; proofs that are there already, and hold, are kept")
    parser.add_argument("--workers", type=at_least_one, metavar="N", help="processes of this machine (default: one for each processor)")
    parser.add_argument("--scheduler", metavar="ADDRESS", help="a Dask scheduler: prove on its workers instead (each needs zkpredict[cluster])")
    parser.add_argument("--worker-model", metavar="PATH", help="where every worker has the model file: weights do not travel")
    for name, what in (("ca", "certificate of the authority"), ("cert", "own certificate"), ("key", "own key")):
        parser.add_argument(f"--tls-{name}", metavar="PEM", help=f"{what}, for a scheduler with TLS: weights travel encrypted, once to each worker")
    add_context_options(parser, "proofs that are valid only under")


def run(arguments: argparse.Namespace, console: Console) -> int:
    certificates = _check_options(arguments)
    with console.step("start"):
        from zkpredict.prover.many import Job, prove_many
    with console.step("read model"):
        model = load_model(arguments.model, console)
        if model.committed is None:
            step = shlex.join(["zkpredict", "commit", "--model", arguments.model, "--out"])
            raise UnusableInput(f"{arguments.model} has no commitment yet: `{step} FILE` makes it")
        if takes_hidden(model.commitment.circuit):
            raise UnusableInput(f"{arguments.model} takes hidden inputs: `zkpredict prove --hidden OPENING` proves about one")
    inputs = read_inputs(arguments, console, model.commitment.circuit.inputs, model.schema, arguments.label)
    twice = next((name for name, times in Counter(inputs.names).items() if times > 1), None)
    if twice is not None:
        raise UnusableInput(f"{arguments.data} holds two pictures called {twice}: their proofs would have one name")
    context = read_context(arguments)
    jobs = [Job(name, data.tobytes(), context) for name, data in zip(inputs.names, inputs.values, strict=True)]
    folder = Path(arguments.out)
    refuse_to_replace(folder / INDEX_NAME, INDEX, False)
    with console.counted("check what is there", "proofs") as progress:
        claims = _kept(folder, jobs, model, progress)
    kept, refusals = len(claims), {}
    left = [job for job in jobs if job.name not in claims]
    if left:
        with _crew(arguments, certificates, console, model, len(left)) as crew, console.progress("prove", len(left)) as advance:
            for result in prove_many(model.commitment, left, crew, console.note):
                if result.claim is None:
                    refusals[result.job.name] = result.refusal
                else:
                    _make(folder)
                    write_atomically(_path(folder, result.job.name), result.proof)
                    claims[result.job.name] = result.claim
                advance(1)
    _say(arguments, console, model, inputs, folder, claims, refusals, kept, context)
    return REFUSED if refusals else 0


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UnusableInput(f"cannot make the folder {folder}: {error.strerror}") from None


def _path(folder: Path, name: str) -> Path:
    return folder / f"{name}{SUFFIX}"


def _kept(folder: Path, jobs: list[Job], model: Model, progress: Callable[[int, int], None]) -> dict[str, int]:
    """The classes of the proofs that are there already and hold. Raises `UnusableInput` for a file that is something else."""
    from zkpredict.prover.many import verified
    from zkpredict.verifier.errors import VerificationError

    found = {}
    for number, job in enumerate(jobs):
        path = _path(folder, job.name)
        if path.exists():
            refuse_to_replace(path, PROOF, False)
            try:
                found[job.name] = verified(model.commitment, job, read_file(path, "proof", MAX_PROOF_FILE_BYTES))
            except VerificationError as error:
                raise UnusableInput(f"{path} is no proof about this input by this model ({error}): move it away, or give another folder") from None
        progress(number + 1, len(jobs))
    return found


def _check_options(arguments: argparse.Namespace) -> tuple[str, str, str] | None:
    """The files for TLS, if they are named. Raises `UnusableInput` for options that do not go together."""
    tls = {"--tls-ca": arguments.tls_ca, "--tls-cert": arguments.tls_cert, "--tls-key": arguments.tls_key}
    given = {**tls, "--worker-model": arguments.worker_model}
    if arguments.scheduler is None:
        alone = next((name for name, value in given.items() if value is not None), None)
        if alone is not None:
            raise UnusableInput(f"{alone} goes with --scheduler")
    elif arguments.workers is not None:
        raise UnusableInput("--workers is for this machine: a cluster has the workers that it has")
    named = [value for value in tls.values() if value is not None]
    if named and len(named) < len(tls):
        raise UnusableInput(f"TLS takes {', '.join(tls)}: {next(name for name, value in tls.items() if value is None)} is missing")
    return (named[0], named[1], named[2]) if named else None


@contextmanager
def _crew(arguments: argparse.Namespace, tls: tuple[str, str, str] | None, console: Console, model: Model, jobs: int) -> Iterator[Crew]:
    """The workers that the options name. Raises `UnusableInput`."""
    if arguments.scheduler is None:
        from zkpredict.prover.crews.local import LocalCrew

        with LocalCrew(arguments.model, min(jobs, arguments.workers or len(os.sched_getaffinity(0)))) as local:
            yield local
        return
    from zkpredict.prover.crews.cluster import Certificates, ClusterCrew, OnWorkers, Sent

    with console.step("reach the cluster"):
        source = OnWorkers(arguments.worker_model) if arguments.worker_model is not None else Sent(model.to_bytes())
        certificates = Certificates(*tls) if tls else None
        cluster = ClusterCrew(arguments.scheduler, source, model.commitment.model_id, certificates, console.note)
    with cluster:
        yield cluster


def _say(
    arguments: argparse.Namespace, console: Console, model: Model, inputs: Inputs, folder: Path,
    claims: dict[str, int], refusals: dict[str, str], kept: int, context: bytes,
) -> None:
    """Writes the index, in the order of the inputs, and says what was done."""
    words = Words(model.schema)
    entries = [
        {"name": name, "sha256": image_name(data.tobytes())}
        | ({"proof": f"{name}{SUFFIX}", **words.answered(claims[name])} if name in claims else {"refused": refusals[name]})
        for name, data in zip(inputs.names, inputs.values, strict=True)
    ]
    _make(folder)
    index = {"format": "zkpredict index of proofs 1", "model_id": model.commitment.model_id.hex(), "source": arguments.data, **context_facts(context), "proofs": entries}
    write_atomically(folder / INDEX_NAME, (json.dumps(index, indent=1) + "\n").encode())
    made, seconds = len(claims) - kept, console.times.get("prove", 0.0)
    rate = f", {made / seconds:.1f} a second" if made and seconds else ""
    lines = [f"{len(claims)} of {len(inputs)} inputs proven and verified in {folder}" + (f" ({kept} were there already)" if kept else "") + "."]
    lines += [f"  made      {made} proofs in {seconds:.1f} s{rate}", f"  model     {model.network.name}, id {model.commitment.model_id.hex()}", *context_lines(context)]
    lines += [f"  index     {folder / INDEX_NAME}: names, sha256 and {words.answer} of every input, in order"]
    lines += [f"  refused   {name}: {why}" for name, why in list(refusals.items())[:10]]
    lines += [f"  refused   and {len(refusals) - 10} more: see the index"] if len(refusals) > 10 else []
    facts = {"proven": len(claims), "kept": kept, "refused": len(refusals), "inputs": len(inputs), "index": str(folder / INDEX_NAME), "seconds": console.times}
    console.result(facts | {"model_id": index["model_id"], **context_facts(context)}, lines)
