"""Long fuzzing runs, in a checkout, on two processes:

    python -m zkpredict.tools.fuzz --proofs 100000       mutated proofs against the native verifier
    python -m zkpredict.tools.fuzz --calldatas 100000    mutated calldata against the generated contract (needs `npm ci`)
    python -m zkpredict.tools.fuzz --circuits 100000     circuit bytes to the universal verifier and to the parser (needs `npm ci`)
    python -m zkpredict.tools.fuzz --atheris 600         coverage-guided fuzzing of every parser (needs atheris)

Exit code 1 when anything was accepted, or escaped as an exception that is not documented. docs/evidence.md has the results.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, partial
from importlib.util import find_spec
from itertools import accumulate
from pathlib import Path

from zkpredict.tools.parsers import TARGETS
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.files.idx import read_images
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.kernel import G1
from zkpredict.verifier.ceremony import TABLE_COMMITMENT
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import VerificationError
from zkpredict.verifier.messages import HEADER_BYTES, POINT_BYTES, SCALAR_BYTES, proof_bytes
from zkpredict.verifier.native import parse_proof, verify

ROOT = Path(__file__).resolve().parents[1]
MODEL, IMAGES = ROOT / "examples" / "mnist.model", ROOT / "tests" / "data" / "t10k-images-idx3-ubyte.gz"
CORPUS_PROOFS, BATCH, WORKERS = 12, 250, 2
POINTS, SCALARS = len(COMPACT_FORM.points), len(COMPACT_FORM.scalars)
_LENGTHS = [len(message.points) for message in COMPACT_FORM.rounds if message.points]
ROUNDS = tuple(zip(accumulate([0, *_LENGTHS[:-1]]), accumulate(_LENGTHS), strict=True))
"""Points of each message, first to last."""
ACCEPTED, CRASHED = "ACCEPTED", "CRASHED"


@dataclass(frozen=True)
class Statement:
    """What a verifier is handed."""

    commitment: bytes
    image: bytes
    proof: bytes

    def point(self, number: int) -> bytes:
        start = HEADER_BYTES + POINT_BYTES * number
        return self.proof[start : start + POINT_BYTES]

    def scalar(self, number: int) -> int:
        start = HEADER_BYTES + POINTS * POINT_BYTES + SCALAR_BYTES * number
        return int.from_bytes(self.proof[start : start + SCALAR_BYTES], "big")

    def with_proof(self, start: int, part: bytes) -> Statement:
        return Statement(self.commitment, self.image, self.proof[:start] + part + self.proof[start + len(part) :])

    def with_point(self, number: int, part: bytes) -> Statement:
        return self.with_proof(HEADER_BYTES + POINT_BYTES * number, part)

    def with_scalar(self, number: int, value: int) -> Statement:
        return self.with_proof(HEADER_BYTES + POINTS * POINT_BYTES + SCALAR_BYTES * number, value.to_bytes(SCALAR_BYTES, "big"))


@dataclass(frozen=True)
class Corpus:
    """Honest statements: the first half of one model, the others of its twin with other row secrets."""

    statements: tuple[Statement, ...]

    @classmethod
    def make(cls, count: int = CORPUS_PROOFS, network=None, images=None) -> Corpus:
        """Proofs of the shipped network on test images, or of a given network on given images."""
        from zkpredict.prover.commit import commit_model
        from zkpredict.prover.model import Model
        from zkpredict.prover.prove import prove

        network = Model.load(MODEL).network if network is None else network
        images = read_images(IMAGES)[:count].reshape(count, -1) if images is None else images
        models = [commit_model(network), commit_model(network)]
        chosen = [models[2 * number // count] for number in range(count)]
        return cls(
            tuple(
                Statement(model.commitment.to_bytes(), image.tobytes(), prove(model, image).to_bytes())
                for model, image in zip(chosen, images, strict=True)
            )
        )


# mutations of a proof: each takes a source of chance, an honest statement and another one


def flip_bits(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    data = bytearray(honest.proof)
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return honest.with_proof(0, bytes(data))


def overwrite(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    start = chance.randrange(len(honest.proof))
    length = min(chance.choice((1, 2, 8, 32, 48, 200)), len(honest.proof) - start)
    return honest.with_proof(start, chance.choice((chance.randbytes(length), bytes(length), b"\xff" * length)))


def resize(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    data = honest.proof
    length = chance.randrange(len(data))
    cut = chance.choice((data[:length], data[length:], data + chance.randbytes(chance.randint(1, 64)), data + data))
    return Statement(honest.commitment, honest.image, cut)


def splice(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    at = chance.randrange(1, len(honest.proof))
    return Statement(honest.commitment, honest.image, honest.proof[:at] + other.proof[at:])


def scalar_arithmetic(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    number = chance.randrange(SCALARS)
    value = honest.scalar(number)
    choices = (value + 1, value - 1, -value, 2 * value, value * value, chance.randrange(MODULUS), 0, 1)
    return honest.with_scalar(number, chance.choice(choices) % MODULUS)


def scalar_beyond_order(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    number = chance.randrange(SCALARS)
    return honest.with_scalar(number, min(honest.scalar(number) + MODULUS, (1 << 256) - 1))


def scalar_swap(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    first, second = chance.sample(range(SCALARS), 2)
    return honest.with_scalar(first, honest.scalar(second)).with_scalar(second, honest.scalar(first))


def scalar_replay(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    return honest.with_scalar(chance.randrange(SCALARS), other.scalar(chance.randrange(SCALARS)))


def point_arithmetic(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    number = chance.randrange(POINTS)
    point = G1.from_compressed(honest.point(number))
    term = chance.choice((G1.generator(), point, G1.from_compressed(honest.point(chance.randrange(POINTS)))))
    changed = chance.choice((-point, point + term, point - G1.generator(), point.mul(chance.randrange(MODULUS))))
    return honest.with_point(number, changed.to_compressed())


def point_swap(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    first, second = chance.sample(range(POINTS), 2)
    return honest.with_point(first, honest.point(second)).with_point(second, honest.point(first))


def point_replay(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    number = chance.randrange(POINTS)
    return honest.with_point(number, other.point(chance.choice((number, chance.randrange(POINTS)))))


def point_constant(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    row = chance.choice(_commitment(honest.commitment).rows).to_compressed()
    constants = (G1.generator().to_compressed(), TABLE_COMMITMENT, row, b"\xc0" + bytes(47), b"\x80" + bytes(46) + b"\x04")
    return honest.with_point(chance.randrange(POINTS), chance.choice(constants))


def points_shifted(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    """Two points moved so that their sum stays."""
    first, second = chance.sample(range(POINTS), 2)
    move = G1.generator().mul(chance.randrange(MODULUS))
    moved = (G1.from_compressed(honest.point(first)) + move, G1.from_compressed(honest.point(second)) - move)
    return honest.with_point(first, moved[0].to_compressed()).with_point(second, moved[1].to_compressed())


def message_replay(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    """One round's points, or all scalars, of another proof; or everything but those."""
    points = [(HEADER_BYTES + POINT_BYTES * a, HEADER_BYTES + POINT_BYTES * b) for a, b in ROUNDS]
    start, end = chance.choice([*points, (HEADER_BYTES + POINTS * POINT_BYTES, proof_bytes())])
    if chance.random() < 0.3:
        return other.with_proof(start, honest.proof[start:end])
    return honest.with_proof(start, other.proof[start:end])


def other_digit(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    digit = (honest.proof[37] + chance.randint(1, 9)) % 10 if chance.random() < 0.8 else chance.randrange(10, 1 << 16)
    return honest.with_proof(37, digit.to_bytes(2, "little"))


def other_image(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    image = bytearray(honest.image)
    at = chance.randrange(len(image))
    image[at] ^= chance.randint(1, 255)
    images = (bytes(image), honest.image[:at] + honest.image[at + 1 :] + b"\x00", honest.image[:at], honest.image + b"\x00")
    return Statement(honest.commitment, chance.choice(images), honest.proof)


def other_statement(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    """An honest proof with another one's image, commitment, model id, or several of them."""
    moved = Statement(
        chance.choice((honest.commitment, other.commitment)), chance.choice((honest.image, other.image)), honest.proof
    )
    return moved.with_proof(5, other.proof[5:37]) if chance.random() < 0.5 else moved


def other_commitment(chance: random.Random, honest: Statement, other: Statement) -> Statement:
    """Rows swapped or moved, with the proof naming the model that this makes."""
    rows = [row.to_compressed() for row in _commitment(honest.commitment).rows]
    first, second = chance.sample(range(len(rows)), 2)
    moved = G1.from_compressed(rows[first]) + G1.from_compressed(rows[second])
    rows[first] = chance.choice((rows[second], moved.to_compressed()))
    changed = honest.commitment[: -len(rows) * POINT_BYTES] + b"".join(rows)
    model_id = ModelCommitment.from_bytes(changed, G1.from_compressed).model_id
    return Statement(changed, honest.image, honest.with_proof(5, model_id).proof)


Mutation = Callable[[random.Random, Statement, Statement], Statement]
MUTATIONS: tuple[Mutation, ...] = (
    *(flip_bits, overwrite, resize, splice, scalar_arithmetic, scalar_beyond_order, scalar_swap, scalar_replay),
    *(point_arithmetic, point_swap, point_replay, point_constant, points_shifted, message_replay),
    *(other_digit, other_image, other_statement, other_commitment),
)


def mutated(corpus: Corpus, seed: int) -> tuple[str, Statement]:
    """Mutant number `seed` and the name of its mutation; never an honest statement."""
    chance = random.Random(seed)
    mutation = MUTATIONS[seed % len(MUTATIONS)]
    while True:
        honest, other = chance.sample(corpus.statements, 2)
        found = mutation(chance, honest, other)
        if found not in corpus.statements:
            return mutation.__name__, found


@cache
def _commitment(data: bytes) -> ModelCommitment:
    return ModelCommitment.from_bytes(data, G1.from_compressed)


def judge(statement: Statement) -> str:
    """What the native verifier makes of it: the class of its refusal, or `ACCEPTED`, or `CRASHED` and how."""
    try:
        verify(_commitment(statement.commitment), statement.image, parse_proof(statement.proof))
    except (VerificationError, MalformedFile) as error:
        return type(error).__name__
    except BaseException as error:  # a panic of the native kernel is no Exception
        return f"{CRASHED} ({type(error).__name__}: {error})"
    return ACCEPTED


def judge_batch(corpus: Corpus, seeds: range) -> Counter[tuple[str, str]]:
    """Counts (mutation, outcome) over `seeds`."""
    return Counter((name, judge(statement)) for name, statement in (mutated(corpus, seed) for seed in seeds))


def run_batches(judge_range: Callable[[range], Counter], count: int) -> Counter[tuple[str, str]]:
    """Adds up the counts of `count` seeds, batch by batch on all workers."""
    batches = [range(start, min(start + BATCH, count)) for start in range(0, count, BATCH)]
    with ProcessPoolExecutor(WORKERS) as pool:
        return sum(pool.map(judge_range, batches), Counter())


def report(what: str, outcomes: Counter[tuple[str, str]], seconds: float) -> int:
    """Prints one JSON object; returns the exit code."""
    kinds: dict[str, dict[str, int]] = {}
    for (mutation, outcome), number in sorted(outcomes.items()):
        kinds.setdefault(mutation, {})[outcome] = number
    bad = sum(number for (_, outcome), number in outcomes.items() if outcome.startswith((ACCEPTED, CRASHED)))
    totals = Counter()
    for (_, outcome), number in outcomes.items():
        totals[outcome] += number
    found = {"run": what, "count": totals.total(), "accepted or crashed": bad, "outcomes": totals, "mutations": kinds}
    print(json.dumps(found | {"seconds": round(seconds)}, indent=1))
    return 1 if bad else 0


def fuzz_proofs(count: int) -> int:
    """Mutated proofs against the native verifier."""
    corpus, start = Corpus.make(), time.perf_counter()
    assert_honest(corpus.statements)
    outcomes = run_batches(partial(judge_batch, corpus), count)
    return report(f"{count} mutated proofs, native verifier", outcomes, time.perf_counter() - start)


def fuzz_contract(count: int, pairing: bool, universal: bool) -> int:
    """Mutated calldata against the contract of the shipped network, or the universal one."""
    from zkpredict.tools.calldata import fuzz_calldata
    from zkpredict.contracts.verifier.encoding import FinalCheck

    start, check = time.perf_counter(), FinalCheck.PAIRING if pairing else FinalCheck.POINT_EVALUATION
    outcomes = fuzz_calldata(Corpus.make(), count, check, universal)
    return report(f"{count} mutated calldatas, {'universal ' if universal else ''}contract ({check.value})", outcomes, time.perf_counter() - start)


def fuzz_circuits(count: int) -> int:
    """Circuit bytes to the universal verifier and to the Python parser: one verdict."""
    from zkpredict.tools.circuitbytes import fuzz_circuit_bytes

    start = time.perf_counter()
    return report(f"{count} circuits, universal verifier and parser", fuzz_circuit_bytes(count), time.perf_counter() - start)


def fuzz_parsers(names: Iterable[str], seconds: int) -> int:
    """Every parser under atheris, two at a time, each for `seconds`."""
    if find_spec("atheris") is None:
        sys.exit("atheris is not installed; it comes with requirements/test.txt where it has a wheel")
    with ThreadPoolExecutor(WORKERS) as pool:
        found = dict(zip(names, pool.map(partial(under_atheris, limit=f"-max_total_time={seconds}"), names), strict=True))
    print(json.dumps({"run": f"atheris, {seconds} seconds for each target", "targets": found}, indent=1))
    return 1 if any(target["findings"] for target in found.values()) else 0


def under_atheris(name: str, limit: str, program: Sequence[str] = ("-m", "zkpredict.tools.parsers")) -> dict:
    """One target in a process of its own up to `limit`, an option of libFuzzer; what that says of it.

    `program` is what Python runs with target, folder and limit. Findings are copied into build/findings.
    Raises `RuntimeError` with the last line of the log when nothing was executed.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, *program, name, folder, limit]
        log = subprocess.run(command, capture_output=True, text=True, errors="replace").stderr
        findings = sorted(Path(folder).glob("finding-*"))
        for path in findings:
            kept = ROOT / "build" / "findings" / f"{name}-{path.name}"
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_bytes(path.read_bytes())
        figures = {key: [int(n) for n in re.findall(rf"{pattern} *(\d+)", log)] for key, pattern in _FIGURES.items()}
    result = {key: max(numbers, default=0) for key, numbers in figures.items()} | {"findings": [path.name for path in findings]}
    if not result["executions"] and not findings:
        raise RuntimeError(f"atheris did not run on {name}: {log.strip().splitlines()[-1:]}")
    return result


_FIGURES = {"executions": "number_of_executed_units:", "edges": " cov:", "corpus": " corp:", "peak_mb": "peak_rss_mb:"}


def assert_honest(statements: Iterable[Statement]) -> None:
    """A run means nothing unless what it mutates is accepted."""
    refused = [outcome for outcome in map(judge, statements) if outcome != ACCEPTED]
    if refused:
        raise RuntimeError(f"honest proofs are refused: {refused}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m zkpredict.tools.fuzz", description="long fuzzing runs")
    parser.add_argument("--proofs", type=int, default=0, metavar="N")
    parser.add_argument("--calldatas", type=int, default=0, metavar="N")
    parser.add_argument("--pairing", action="store_true", help="calldata for the contract's pairing variant")
    parser.add_argument("--universal", action="store_true", help="calldata for the universal verifier")
    parser.add_argument("--circuits", type=int, default=0, metavar="N")
    parser.add_argument("--atheris", type=int, default=0, metavar="SECONDS", help="for each target")
    parser.add_argument("--targets", nargs="+", choices=TARGETS, default=list(TARGETS), metavar="TARGET")
    options = parser.parse_args(arguments)
    os.environ.setdefault("RAYON_NUM_THREADS", "1")
    codes = [fuzz_proofs(options.proofs)] if options.proofs else []
    codes += [fuzz_contract(options.calldatas, options.pairing, options.universal)] if options.calldatas else []
    codes += [fuzz_circuits(options.circuits)] if options.circuits else []
    codes += [fuzz_parsers(options.targets, options.atheris)] if options.atheris else []
    return max(codes, default=0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
