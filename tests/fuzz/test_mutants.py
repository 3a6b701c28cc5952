"""Bounded runs of what `zkpredict.tools.fuzz` and `.mutation` do at length: docs/evidence.md has the long ones."""

from __future__ import annotations

import importlib
import random
from collections import Counter
from dataclasses import fields

import pytest
from eth_utils import keccak
from support import random_image, random_network

from zkpredict.tools import fuzz, mutation
from zkpredict.tools.fuzz import ACCEPTED, CRASHED, MUTATIONS, Corpus, Statement, judge, judge_batch, mutated
from zkpredict.tools.mutation import Mutant, mutants_of, source_of, unchanged

PROOFS = 2160
CALLDATAS = 540
CIRCUITS = 2000


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    """Eight proofs of a small network, under two commitments to it."""
    network = random_network(61, (60, 80, 10))
    return Corpus.make(8, network, [random_image(seed, 60) for seed in range(8)])


def test_honest_statements_are_accepted(corpus):
    assert [judge(statement) for statement in corpus.statements] == [ACCEPTED] * 8


def test_mutated_proofs(corpus):
    outcomes = judge_batch(corpus, range(PROOFS))
    assert {outcome for _, outcome in outcomes} == {"MalformedProof", "WrongStatement", "FailedOpening"}
    assert Counter(name for name, _ in outcomes.elements()) == {m.__name__: PROOFS // len(MUTATIONS) for m in MUTATIONS}


@pytest.mark.parametrize("name", MUTATIONS, ids=[mutation.__name__ for mutation in MUTATIONS])
def test_every_mutation_changes_something(corpus, name):
    found = {name(random.Random(seed), corpus.statements[0], corpus.statements[-1]) for seed in range(20)}
    assert len(found - set(corpus.statements)) > 3


def test_acceptance_and_crashes_are_reported(corpus, monkeypatch, capsys):
    """The run's own alarm: a verifier that takes everything, and one that falls over."""
    _, mutant = mutated(corpus, 4)
    monkeypatch.setattr(fuzz, "verify", lambda *arguments: None)
    assert judge(mutant) == ACCEPTED
    monkeypatch.setattr(fuzz, "verify", lambda *arguments: {}["x"])
    assert judge(mutant) == f"{CRASHED} (KeyError: 'x')"
    assert fuzz.report("run", Counter({("a", "FailedOpening"): 2}), 1.0) == 0
    assert fuzz.report("run", Counter({("a", ACCEPTED): 1}), 1.0) == 1
    assert fuzz.report("run", Counter({("a", judge(mutant)): 1}), 1.0) == 1
    assert '"accepted or crashed": 1' in capsys.readouterr().out
    with pytest.raises(RuntimeError, match="honest proofs are refused"):
        fuzz.assert_honest([Statement(corpus.statements[0].commitment, b"", corpus.statements[0].proof)])


@pytest.mark.parametrize("universal", [False, True], ids=["one circuit", "universal"])
def test_mutated_calldata(mnist, mnist_images, universal):
    from zkpredict.tools.calldata import MUTATIONS as CALL_MUTATIONS
    from zkpredict.tools.calldata import SAME_CALL, fuzz_calldata

    outcomes = fuzz_calldata(Corpus.make(4, mnist.network, mnist_images[:4]), CALLDATAS, universal=universal)
    assert sum(outcomes.values()) == CALLDATAS
    assert {name for name, _ in outcomes} == {m.__name__ for m in CALL_MUTATIONS}
    errors = {"OpeningFailed", "PrecompileFailed", "PointAtInfinity", "ScalarNotCanonical", "UnknownModel", "WrongDigit"}
    lengths = {"WrongCalldataLength", "WrongCalldataLayout", "WrongImageLength", "WrongProofLength"}
    found = {outcome for _, outcome in outcomes}
    assert found <= errors | lengths | {"false", "no reason", SAME_CALL, "another function"}
    assert {"false", "OpeningFailed", "PrecompileFailed", "ScalarNotCanonical", "PointAtInfinity"} <= found


def test_circuit_bytes_have_one_verdict():
    from zkpredict.tools.circuitbytes import AGREED, DIFFERENT, TAKEN, circuit_bytes, fuzz_circuit_bytes, outcome, parsed

    outcomes = {outcome: number for (_, outcome), number in fuzz_circuit_bytes(CIRCUITS).items()}
    errors = ("TooManyPacks", "TooManyInputs", "UnknownGate", "WrongCircuitLength", "WrongCircuitMagic", "WrongDomain", "WrongLanes")
    named = {f"{AGREED}: {name}" for name in (*errors, "WrongLayerCount", "WrongWidth")}
    assert outcomes.keys() == {TAKEN, *named} and outcomes[TAKEN] > CIRCUITS // 10
    # what would be found
    good = next(data for data in map(circuit_bytes, range(100)) if parsed(data))
    digest = {"result": f"0x{parsed(good).digest.hex()}"}
    assert (outcome(good, digest), outcome(good, {"result": f"0x{bytes(32).hex()}"}), outcome(b"zkpC", digest)) == (TAKEN, DIFFERENT, DIFFERENT)
    refused = {"error": {"message": "execution reverted", "code": 3, "data": f"0x{keccak(text='WrongCircuitLength(uint256)')[:4].hex()}{0:064x}"}}
    assert outcome(good, refused) == DIFFERENT and outcome(b"zkpC", {"error": {"message": "out of gas"}}) == f"{CRASHED} (out of gas)"


# the mutation tester


def test_mutants_of_a_small_function():
    source = 'def f(a, b):\n    """Text."""\n    if a < 3 or not b:\n        raise ValueError("no")\n    return a - 2 * b\n'
    found = [f"{mutant.before} -> {mutant.after}" for mutant in mutants_of(source, "m")]
    assert sorted(found) == sorted(
        [
            *("a < 3 -> a >= 3", "a < 3 -> a <= 3", "a < 3 -> True", "a < 3 -> False", "3 -> 4"),
            *("a < 3 or not b -> a < 3 and (not b)", "a < 3 or not b -> not b", "a < 3 or not b -> a < 3", "not b -> b"),
            *("raise ValueError('no') -> (nothing)", "a - 2 * b -> a + 2 * b", "2 * b -> 2 + b", "2 -> 3"),
        ]
    )


def test_annotations_are_no_code_to_mutate():
    found = [m.before for m in mutants_of("@dataclass\nclass A:\n    rows: tuple[int, ...]\n    size: int = 3\n", "m")]
    assert found == ["3"]


def test_names_of_a_class_stay_none_of_its_fields():
    """`ClassVar` is the one annotation that decides something: without it the unmutated module would not be imported."""
    module = "zkpredict.verifier.registered"
    found = dict(vars(importlib.import_module(module)))
    exec(compile(unchanged(source_of(module), module).tree, "m", "exec"), found)
    assert [field.name for field in fields(found["RegisteredScore"])] == ["set_id", "right", "proof"]


def test_mutants_of_lists_bytes_and_signs():
    source = "def f(c):\n    c.absorb(b'x')\n    x = -c.next\n    x += 1\n    y = x + 2\n    return (g(1), g(x)), {1: 2} if x else []\n"
    found = {f"{mutant.before} -> {mutant.after}" for mutant in mutants_of(source, "m")}
    sums = {"x + 2 -> x", "x + 2 -> 2", "x + 2 -> x - 2", "x += 1 -> (nothing)"}
    cells = {"c.absorb(b'x') -> (nothing)", "b'x' -> b'y'", "-c.next -> c.next", "c.next -> c"}
    assert sums | cells | {"(g(1), g(x)) -> (g(x),)", "(g(1), g(x)) -> (g(1),)", "{1: 2} -> {}"} <= found
    for mutant in mutants_of(source, "m"):
        compile(mutant.tree, "m", "exec")


NATIVE = [module for module, killers in mutation.TARGETS.items() if killers.startswith(mutation.NATIVE_KILLERS)]


def sampled(module: str, count: int) -> list[Mutant]:
    return random.Random(module).sample(list(mutants_of(source_of(module), module)), count)


@pytest.mark.parametrize("module", NATIVE)
def test_a_sample_of_the_verifiers_mutants_dies(module):
    """One of each module; all of them by `python -m zkpredict.tools.mutation`."""
    survived = [m.name for m in sampled(module, 1) if mutation.outlives(mutation.TARGETS[module], m)]
    assert [name for name in survived if name not in mutation.explanations()] == []


@pytest.mark.parametrize("module", [f"zkpredict.{name}" for name in ("circuits.wide.keys", "verifier.independent_wide")])
def test_a_sample_of_the_mutants_of_wide_circuits_dies(module):
    survived = [m.name for m in sampled(module, 1) if mutation.outlives(mutation.TARGETS[module], m)]
    assert [name for name in survived if name not in mutation.explanations()] == []


@pytest.mark.parametrize("module", NATIVE[:3])
def test_no_mutation_at_all_survives(module):
    """The twin: run as a mutant, each module as it is passes all killers, so mutants do not die of the machinery."""
    assert mutation.outlives(mutation.TARGETS[module], unchanged(source_of(module), module))


def test_survivors_are_explained_by_name():
    """docs/evidence.md says why each does no harm. No count and no line is held here: the long run says what is stale."""
    page = mutation.explanations()
    explained = {module: mutation.explained_in(page, module) for module in mutation.TARGETS}
    table = page.split("## Mutation testing")[1].split("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows and sum(map(len, explained.values())) == len(rows)
    assert mutation.explained_in("| verifier.native: `a` -> `b` |  |", "zkpredict.verifier.native") == set()


def test_counting_runs_nothing(capsys, monkeypatch):
    monkeypatch.setattr(mutation, "run_killers", None)
    module = "zkpredict.verifier.transcript"
    assert mutation.main([module, "--count"]) == 0
    assert capsys.readouterr().out == f"{module}: {len(list(mutants_of(source_of(module), module)))} mutants\n"


def test_a_known_mutant_dies():
    """The separator of a second challenge drawn from one state."""
    module, before = "zkpredict.verifier.transcript", "self.state + bytes([number])"
    (separator,) = (m for m in mutants_of(source_of(module), module) if (m.before, m.after) == (before, "self.state"))
    statement = "drawn = keccak256(self.state + bytes([number])) if number else self.state"
    assert separator.name == f"verifier.transcript: `{before}` -> `self.state` in `{statement}`"
    assert not mutation.outlives(mutation.NATIVE_KILLERS, separator)
