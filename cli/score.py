"""`zkpredict score`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.outputs import SCORE
from zkpredict.circuits.files.storage import refuse_to_replace, write_atomically
from zkpredict.cli.batches import add_label_options, plural, read_labelled, read_tests, settle_labels
from zkpredict.cli.console import Console
from zkpredict.cli.crews import add_crew_options, check_crew_options, crew
from zkpredict.cli.hidden import add_context_options, context_facts, context_lines, read_context
from zkpredict.cli.inputs import add_data_options
from zkpredict.cli.parser import add_force_option
from zkpredict.cli.prove_batch import committed_model, not_its_own
from zkpredict.cli.statement import milliseconds, refuse_same_file, refuse_together
from zkpredict.cli.words import Words
from zkpredict.verifier.errors import VerificationError

if TYPE_CHECKING:
    import numpy as np

    from zkpredict.prover.model import Model
    from zkpredict.verifier.score import Score

EXAMPLE = """zkpredict score t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz --model mnist.model --out mnist.score
zkpredict score iris.csv --labels species --model iris.model --out iris.score
zkpredict score digits.npy --labels labels.npy --count 1000 --model mnist.model --out mnist.score
zkpredict score t10k-images-idx3-ubyte.gz --labels t10k-labels-idx1-ubyte.gz --model mnist.model --out mnist.score --workers 2
zkpredict score t10k-images-idx3-ubyte.gz --count 128 --registered mnist.set --model mnist.model --out mnist.score --for round-1"""


def configure(parser: argparse.ArgumentParser) -> None:
    add_data_options(parser)
    add_label_options(parser, "; --registered knows it")
    parser.add_argument("--registered", metavar="SET", help="of the inputs of a test set file (`zkpredict testset`): the score verifies without them")
    parser.add_argument("--model", required=True, metavar="FILE", help="committed model file (private); `zkpredict commit --batch` commits it")
    parser.add_argument("--out", required=True, metavar="FILE", help="score file to write")
    add_crew_options(parser, "none: the parts are proven one after the other, here")
    add_context_options(parser, "with --registered: a score that is valid only under")
    add_force_option(parser)


def run(arguments: argparse.Namespace, console: Console) -> None:
    check_crew_options(arguments)
    settle_labels(arguments)
    with console.step("start"):
        from zkpredict.prover import batch, registered  # noqa: F401  their time is not the proof's
    refuse_same_file(arguments.out, model_file=arguments.model, data=arguments.data, labels=arguments.labels, test_set=arguments.registered)
    refuse_to_replace(arguments.out, SCORE, arguments.force)
    model, context = committed_model(arguments, console), read_context(arguments)
    words = Words(model.schema)
    images, prove, check = _task(arguments, console, model, context)
    with console.counted("prove", plural(words, 2).split()[1]) as progress:
        score = prove(progress=progress)
    with console.step("check"):
        try:
            check(score=score)
        except VerificationError as error:
            raise not_its_own(arguments.model, error) from None
    data = score.to_bytes()
    write_atomically(arguments.out, data)
    console.result(
        {
            "inputs": len(images), "right": score.right, "set_id": score.set_id.hex(), **context_facts(context), "proof": str(arguments.out),
            "proof_bytes": len(data), "parts": len(score.proof.parts), "model_id": model.commitment.model_id.hex(), "network": model.network.name,
            "seconds": console.times,
        },
        [
            f"The network is right on {score.right:,} of {plural(words, len(images))} ({100 * score.right / len(images):.2f} %), and {arguments.out} proves it.",
            f"  proof     {len(data):,} bytes, made in {milliseconds(console.times['prove'])}",
            f"  test set  {score.set_id.hex()}",
            f"  model     {model.network.name}, id {model.commitment.model_id.hex()}",
            *context_lines(context),
            f"  public    {'commitments to ' if arguments.registered else ''}every {words.input}, every label, every {words.answer}, model id and commitment, network shape",
            "  private   every weight and bias",
        ],
    )  # fmt: skip


def _task(arguments: argparse.Namespace, console: Console, model: Model, context: bytes) -> tuple[np.ndarray, Callable[..., Score], Callable[..., int]]:
    """The inputs, what proves their score and what checks it. Raises `UnusableInput` for arguments that do not go together."""
    from zkpredict.cli.sets import check_set, read_set
    from zkpredict.prover.batch import prove_score
    from zkpredict.prover.registered import prove_registered
    from zkpredict.verifier.registered import verify_registered
    from zkpredict.verifier.score import verify_score

    size, commitment = model.network.shape[0], model.commitment
    if arguments.registered is None:
        if arguments.labels is None or context:
            raise UnusableInput("a score takes --labels, and no --context or --for, unless --registered names a test set (`zkpredict testset` makes one)")
        images, labels = read_labelled(arguments, console, size, model.schema, model.picture)
        check = partial(verify_score, commitment, images, labels)
        if arguments.workers is None and arguments.scheduler is None:
            return images, partial(prove_score, model, images, labels), check
        return images, partial(_by_workers, arguments, console, model, images, labels), check
    refuse_together("--registered", {"--workers": arguments.workers, "--scheduler": arguments.scheduler}, "a score on a registered set is one part")
    tests = read_set(arguments.registered)
    images, given = read_tests(arguments, console, size, model.schema, model.picture)
    check_set(tests, images, given, arguments.registered)
    return images, partial(prove_registered, model, images, tests, context), partial(verify_registered, commitment, tests, context=context)


def _by_workers(
    arguments: argparse.Namespace, console: Console, model: Model, images: np.ndarray, labels: np.ndarray, progress: Callable[[int, int], None]
) -> Score:
    """The score, each part of it proven by one of the workers that the options name. Raises `UnusableInput`."""
    from zkpredict.prover.batch import images_each
    from zkpredict.prover.many import prove_score_by
    from zkpredict.verifier.errors import WrongStatement
    from zkpredict.verifier.score import TestSet

    circuit = model.commitment.circuit
    try:
        tests = TestSet.of(images, labels, circuit)
    except WrongStatement as error:
        raise UnusableInput(str(error)) from None
    with crew(arguments, console, model, -(-len(images) // images_each(circuit))) as workers:
        return prove_score_by(model.commitment, tests, workers, console.note, progress)
