"""`zkpredict prove-many`."""

from __future__ import annotations

import argparse
import json
import shlex
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.outputs import BATCH, INDEX, PROOF
from zkpredict.circuits.files.storage import read_file, refuse_to_replace, write_atomically
from zkpredict.cli.console import REFUSED, Console
from zkpredict.cli.crews import add_crew_options, check_crew_options, crew
from zkpredict.cli.hidden import add_context_options, context_facts, context_lines, read_context, takes_hidden
from zkpredict.cli.inputs import Inputs, add_data_options, numbers, read_inputs
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.private import load_model
from zkpredict.cli.prove_batch import committed_model
from zkpredict.cli.rows import add_left_out_option
from zkpredict.cli.statement import MAX_PROOF_FILE_BYTES, image_name
from zkpredict.cli.words import Words
from zkpredict.verifier.batch import MAX_BATCH_BYTES

if TYPE_CHECKING:
    from zkpredict.prover.many import Job
    from zkpredict.prover.model import Model

EXAMPLE = """zkpredict prove-many pictures/ --model mnist.model --out proofs/
zkpredict prove-many t10k-images-idx3-ubyte.gz --model mnist.model --out proofs/ --workers 2
zkpredict prove-many t10k-images-idx3-ubyte.gz --batch 1000 --model mnist.model --out batches/
zkpredict prove-many inputs.npy --model mnist.model --out proofs/ --scheduler tls://10.0.0.5:8786 --tls-ca ca.pem --tls-cert me.pem --tls-key me.key
zkpredict prove-many inputs.npy --model mnist.model --out proofs/ --scheduler tcp://10.0.0.5:8786 --worker-model /srv/mnist.model"""
INDEX_NAME = "index.json"


def configure(parser: argparse.ArgumentParser) -> None:
    add_data_options(parser)
    add_left_out_option(parser)
    parser.add_argument("--model", required=True, metavar="FILE", help="committed model file (private)")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where proofs go; those that are there already, and hold, are kept")
    parser.add_argument("--batch", type=at_least_one, metavar="N", help="one proof for every N inputs, as `zkpredict prove-batch` makes them, instead of one for each")
    add_crew_options(parser, "one for each processor")
    add_context_options(parser, "proofs that are valid only under")


def run(arguments: argparse.Namespace, console: Console) -> int:
    check_crew_options(arguments)
    with console.step("start"):
        import zkpredict.prover.many  # noqa: F401  its time is not the proofs'
    with console.step("read model"):
        model = committed_model(arguments, console) if arguments.batch else _single_model(arguments, console)
    inputs = read_inputs(arguments, console, model.commitment.circuit.inputs, model.schema, arguments.label, model.picture)
    context = read_context(arguments)
    jobs = _jobs(arguments, inputs, context)
    folder = Path(arguments.out)
    refuse_to_replace(folder / INDEX_NAME, INDEX, False)
    with console.counted("check what is there", "proofs") as progress:
        claims = _kept(folder, jobs, model, progress)
    kept = set(claims)
    left = [job for job in jobs if job.name not in claims]
    try:
        refusals = _prove(arguments, console, model, folder, left, claims)
    except KeyboardInterrupt:
        there = len(claims) - len(kept)
        raise KeyboardInterrupt(f"interrupted: {there} proofs were made, and are kept in {folder}; the same command goes on from there") from None
    _say(arguments, console, model, inputs, folder, jobs, claims, refusals, kept, context)
    return REFUSED if refusals else 0


def _prove(
    arguments: argparse.Namespace, console: Console, model: Model, folder: Path, left: list[Job], claims: dict[str, tuple[int, ...]]
) -> dict[str, str]:
    """Proves and writes what is `left`, and adds to `claims`; gives the reasons of refusals by name."""
    from zkpredict.prover.many import prove_many

    refusals = {}
    if left:
        with crew(arguments, console, model, len(left)) as workers, console.progress("prove", sum(map(len, left))) as advance:
            for result in prove_many(model.commitment, left, workers, console.note):
                if result.refusal:
                    refusals[result.job.name] = result.refusal
                else:
                    _make(folder)
                    write_atomically(_path(folder, result.job), result.proof)
                    claims[result.job.name] = result.claims
                advance(len(result.job))
    return refusals


def _single_model(arguments: argparse.Namespace, console: Console) -> Model:
    model = load_model(arguments.model, console)
    if model.committed is None:
        step = shlex.join(["zkpredict", "commit", "--model", arguments.model, "--out"])
        raise UnusableInput(f"{arguments.model} has no commitment yet: `{step} FILE` makes it")
    if takes_hidden(model.commitment.circuit):
        raise UnusableInput(f"{arguments.model} takes hidden inputs: `zkpredict prove --hidden OPENING` proves about one")
    return model


def _jobs(arguments: argparse.Namespace, inputs: Inputs, context: bytes) -> list[Job]:
    """What is to be proven, in order: each input under its name, or every `--batch` of them under the numbers of the first and the last."""
    from zkpredict.prover.many import Job

    if arguments.batch:
        names, values, each = numbers(len(inputs), arguments.skip), inputs.values, arguments.batch
        starts = range(0, len(inputs), each)
        return [Job.of_batch(f"{names[first]}-{names[min(first + each, len(inputs)) - 1]}", values[first : first + each], context) for first in starts]
    twice = next((name for name, times in Counter(inputs.names).items() if times > 1), None)
    if twice is not None:
        raise UnusableInput(f"{arguments.data} holds two pictures called {twice}: their proofs would have one name")
    return [Job(name, data.tobytes(), context) for name, data in zip(inputs.names, inputs.values, strict=True)]


def _make(folder: Path) -> None:
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise UnusableInput(f"cannot make the folder {folder}: {error.strerror}") from None


def _path(folder: Path, job: Job) -> Path:
    return folder / f"{job.name}{'.batch' if job.batch else '.proof'}"


def _kept(folder: Path, jobs: list[Job], model: Model, progress: Callable[[int, int], None]) -> dict[str, tuple[int, ...]]:
    """The classes of the proofs that are there already and hold. Raises `UnusableInput` for a file that is something else."""
    from zkpredict.prover.many import verified
    from zkpredict.verifier.errors import VerificationError

    found = {}
    for number, job in enumerate(jobs):
        path, kind, most, about = _path(folder, job), PROOF, MAX_PROOF_FILE_BYTES, "this input"
        if job.batch:
            kind, most, about = BATCH, MAX_BATCH_BYTES, "these inputs"
        if path.exists():
            refuse_to_replace(path, kind, False)
            try:
                found[job.name] = verified(model.commitment, job, read_file(path, "proof", most))
            except VerificationError as error:
                raise UnusableInput(f"{path} is no proof about {about} by this model ({error}): move it away, or give another folder") from None
        progress(number + 1, len(jobs))
    return found


def _entries(words: Words, inputs: Inputs, folder: Path, jobs: list[Job], claims: dict[str, tuple[int, ...]], refusals: dict[str, str]) -> list[dict]:
    """What the index says of each input, in order; `place`: where it is in its batch, from 0."""
    found, number = [], 0
    for job in jobs:
        for place in range(len(job)):
            entry = {"name": inputs.names[number], "sha256": image_name(inputs.values[number].tobytes())}
            if job.name in claims:
                entry |= {"proof": _path(folder, job).name} | ({"place": place} if job.batch else {}) | words.answered(claims[job.name][place])
            else:
                entry |= {"refused": refusals[job.name]}
            found.append(entry)
            number += 1
    return found


def _check_of_last(arguments: argparse.Namespace, folder: Path, jobs: list[Job], context: bytes) -> str:
    """The command that checks the last batch."""
    skip = arguments.skip + sum(map(len, jobs[:-1]))
    words = ["zkpredict", "verify-batch", arguments.data, str(_path(folder, jobs[-1])), *(["--skip", str(skip)] if skip else []), "--count", str(len(jobs[-1]))]
    words += [f"--{name.replace('_', '-')}" for name in ("invert", "auto", "allow_blank") if getattr(arguments, name)]
    words += [word for name in arguments.label or () for word in ("--label", name)]
    words += ["--context", context.hex()] if context else []
    return shlex.join([*words, "--commitment", "FILE"])


def _say(
    arguments: argparse.Namespace, console: Console, model: Model, inputs: Inputs, folder: Path, jobs: list[Job],
    claims: dict[str, tuple[int, ...]], refusals: dict[str, str], kept: set[str], context: bytes,
) -> None:
    """Writes the index, in the order of the inputs, and says what was done."""
    words = Words(model.schema)
    entries = _entries(words, inputs, folder, jobs, claims, refusals)
    _make(folder)
    index = {"format": "zkpredict index of proofs 1", "model_id": model.commitment.model_id.hex(), "source": arguments.data, **context_facts(context), "proofs": entries}
    write_atomically(folder / INDEX_NAME, (json.dumps(index, indent=1) + "\n").encode())
    proven, there = (sum(len(job) for job in jobs if job.name in names) for names in (claims, kept))
    made, seconds = len(claims) - len(kept), console.times.get("prove", 0.0)
    rate = f", {(proven - there) / seconds:.1f} {words.input}s a second" if made and seconds else ""
    lines = [f"{proven} of {len(inputs)} inputs proven and verified in {folder}" + (f" ({there} were there already)" if there else "") + "."]
    lines += [f"  made      {made} proofs in {seconds:.1f} s{rate}", f"  model     {model.network.name}, id {model.commitment.model_id.hex()}", *context_lines(context)]
    lines += [f"  index     {folder / INDEX_NAME}: names, sha256 and {words.answer} of every input, in order"]
    lines += [f"  check     {_check_of_last(arguments, folder, jobs, context)}"] if arguments.batch else []
    lines += [f"  refused   {name}: {why}" for name, why in list(refusals.items())[:10]]
    lines += [f"  refused   and {len(refusals) - 10} more: see the index"] if len(refusals) > 10 else []
    facts = {"proven": proven, "kept": there, "refused": len(refusals), "inputs": len(inputs), "proofs": len(claims), "index": str(folder / INDEX_NAME)}
    console.result(facts | {"model_id": index["model_id"], "seconds": console.times, **context_facts(context)}, lines)
