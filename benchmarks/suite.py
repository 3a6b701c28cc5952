"""The suite: every chosen system on every chosen network, in one run, with ours between the others each time.

Set-ups are made once and kept (their time too) under the work folder, by network, weights and pinned versions. Then one round that
is not timed, whose memory is watched, and `runs` timed rounds: ours, a peer, ours, the next peer, and so on. A peer's ratio
to ours is taken between neighbours, so that a change of the machine's load counts on both sides.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from zkpredict.benchmarks.install import missing, pins
from zkpredict.benchmarks.machine import load_row, machine_rows
from zkpredict.benchmarks.networks import BenchNetwork
from zkpredict.benchmarks.processes import CommandFailed, Finished, run_all
from zkpredict.benchmarks.results import Row
from zkpredict.benchmarks.systems.base import Case, OnChain, System
from zkpredict.circuits.files.storage import write_atomically

STAGES = ("witness", "prove", "verify")
_KEPT = "setup.json"
_TOLD = {"weights", "pins", "seconds", "cpu", "peak", "ceremony", "made"}
"""What that file says; one of another version is not used."""


@dataclass(frozen=True)
class Plan:
    """What to run. `limit`: seconds for one command; with `quick` set-ups that are not kept yet are left out, and what takes long."""

    systems: Sequence[System]
    networks: Sequence[BenchNetwork]
    peers: Path
    work: Path
    runs: int
    limit: float
    quick: bool = False
    say: Callable[[str], None] = lambda text: None


@dataclass
class Measurement:
    """The runs of one system on one network."""

    system: System
    case: Case
    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    @cached_property
    def warm(self) -> dict[str, Callable[[], object]]:
        """What the system does in this process, everything loaded."""
        return self.system.in_process(self.case)

    def add(self, stage: str, done: Finished) -> None:
        self.seconds[f"{stage}_seconds"].append(done.seconds)
        self.seconds[f"{stage}_cpu"].append(done.cpu)
        if done.inner is not None:
            self.seconds[f"{stage}_inner"].append(done.inner)


def run_suite(plan: Plan) -> list[Row]:
    """All rows. A system that is absent, refuses or fails gets a row that says why, never a zero."""
    return [row for network in plan.networks for row in _network_rows(plan, network)]


def _network_rows(plan: Plan, network: BenchNetwork) -> Iterator[Row]:
    yield from machine_rows(network.name, plan.peers, sorted({system.peer for system in plan.systems if system.peer}))
    yield load_row(network.name, "load before")
    yield Row.of(network.name, "network", "weights", "count", [network.weights])
    yield Row.of(network.name, "network", "neurons", "count", [network.neurons])
    measured = []
    for system in plan.systems:
        case = Case(network, plan.work / network.name / system.name, plan.peers)
        why = (missing(plan.peers, system.peer) if system.peer else None) or system.refuses(network)
        if why is None:
            try:
                yield from _setup_rows(plan, system, case)
                measured.append(Measurement(system, case))
                continue
            except CommandFailed as failure:
                why = f"set-up {failure}"
            except _LeftOut as left_out:
                why = str(left_out)
        plan.say(f"{network.name}, {system.title}: {why}")
        yield Row(network.name, system.name, "prove_seconds", "s", note=why)
    yield from _rounds(plan, measured)
    yield load_row(network.name, "load after the rounds")
    for one in measured:
        yield from _other_rows(plan, one)


class _LeftOut(Exception):
    """A quick run does not make set-ups of other systems."""


def _setup_rows(plan: Plan, system: System, case: Case) -> Iterator[Row]:
    kept = case.file(_KEPT)
    wanted = {"weights": case.digest(), "pins": pins().get(system.peer or "", {})}
    known = json.loads(kept.read_text()) if kept.is_file() else {}
    note = ""
    if system.peer is not None and known.keys() >= _TOLD and {name: known[name] for name in wanted} == wanted:
        note = f"made earlier, {known['made']}"
    elif plan.quick and system.peer is not None:
        raise _LeftOut("left out by --quick: its set-up is not made yet")
    else:
        plan.say(f"{case.network.name}, {system.title}: set-up")
        kept.unlink(missing_ok=True)
        case.write_inputs()
        system.write(case)
        commands = system.setup(case)
        done = [(command.part, run_all([command], plan.limit, watch_memory=True)) for command in commands]
        own = [one for part, one in done if part == "setup"]
        known = {
            **wanted,
            "seconds": sum(one.seconds for one in own),
            "cpu": sum(one.cpu for one in own),
            "peak": max(one.peak_bytes for _, one in done),
            "ceremony": sum(one.inner or one.seconds for part, one in done if part == "ceremony"),
            "made": time.strftime("%Y-%m-%d %H:%M"),
        }
        write_atomically(kept, json.dumps(known).encode())
    name = (case.network.name, system.name)
    yield Row.of(*name, "setup_seconds", "s", [known["seconds"]], note)
    if known["ceremony"]:
        note_of = "a development ceremony: its secret could have been kept"
        yield Row.of(*name, "ceremony_seconds", "s", [known["ceremony"]], note_of)
    yield Row.of(*name, "setup_cpu", "cpu s", [known["cpu"]], note)
    yield Row.of(*name, "setup_memory", "bytes", [known["peak"]], note)


def _rounds(plan: Plan, measured: list[Measurement]) -> Iterator[Row]:
    """The round that is watched, the timed rounds, and their rows. Who fails is taken out, with a row that says so."""
    alive = []
    for one in measured:
        plan.say(f"{one.case.network.name}, {one.system.title}: memory")
        try:
            yield from _memory_rows(plan, one)
            alive.append(one)
        except CommandFailed as failure:
            yield Row(one.case.network.name, one.system.name, "prove_seconds", "s", note=str(failure))
    measured[:] = alive
    ours = next((one for one in alive if one.system.peer is None), None)
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(plan.runs):
        plan.say(f"{alive[0].case.network.name}, round {number + 1} of {plan.runs}" if alive else "nothing to time")
        for one in alive:
            reference = _once(plan, ours) if ours is not None and one is not ours else {}
            found = _once(plan, one)
            for measure, seconds in found.items():
                if measure in reference:
                    ratios[one.system.name, measure].append(seconds / reference[measure])
    for one in alive:
        name = (one.case.network.name, one.system.name)
        for measure, values in one.seconds.items():
            yield Row.of(*name, measure, "cpu s" if measure.endswith("_cpu") else "s", values)
        for measure in ("prove_seconds", "prove_cpu", "prove_inner", "verify_seconds", "verify_cpu", "verify_inner"):
            if values := ratios[one.system.name, measure]:
                yield Row.of(*name, f"{measure}_to_ours", "ratio", values)


def _once(plan: Plan, one: Measurement) -> dict[str, float]:
    """One timed pass over all stages: adds to `one`; for ratios, proving has its witness step in it."""
    found: dict[str, float] = defaultdict(float)
    for stage in STAGES:
        commands = getattr(one.system, stage)(one.case)
        if not commands:
            continue
        done = run_all(commands, plan.limit)
        one.add(stage, done)
        into = "verify" if stage == "verify" else "prove"
        found[f"{into}_seconds"] += done.seconds
        found[f"{into}_cpu"] += done.cpu
        if done.inner is not None:
            found[f"{into}_inner"] += done.inner
    for name, work in one.warm.items():
        start, processor = time.perf_counter(), time.process_time()
        work()
        one.seconds[f"{name}_warm"].append(time.perf_counter() - start)
        one.seconds[f"{name}_warm_cpu"].append(time.process_time() - processor)
    return found


def _memory_rows(plan: Plan, one: Measurement) -> Iterator[Row]:
    for stage in STAGES:
        commands = getattr(one.system, stage)(one.case)
        if commands:
            done = run_all(commands, plan.limit, watch_memory=True)
            yield Row.of(one.case.network.name, one.system.name, f"{stage}_memory", "bytes", [done.peak_bytes])


def _other_rows(plan: Plan, one: Measurement) -> Iterator[Row]:
    """Sizes, chain, accuracy, binding and what cannot be measured."""
    system, case = one.system, one.case
    name = (case.network.name, system.name)
    for measure, size in system.sizes(case).items():
        yield Row.of(*name, measure, "bytes", [size])
    facts = system.facts
    for measure in ("weights", "bound", "hidden", "trusted", "notes"):
        yield Row(*name, measure, note=getattr(facts, measure))
    yield Row.of(*name, "steps", "count", [facts.steps])
    yield Row.of(*name, "files", "count", [facts.files])
    if plan.quick and system.peer is not None:
        return
    plan.say(f"{case.network.name}, {system.title}: binding")
    yield _binding_row(plan, one)
    plan.say(f"{case.network.name}, {system.title}: contract and accuracy")
    yield from _chain_rows(name, _tried(lambda: system.on_chain(case)))
    accuracy = _tried(lambda: system.accuracy(case))
    if isinstance(accuracy, str):
        yield Row(*name, "accuracy", "share", note=accuracy)
    else:
        share, images, how = accuracy
        yield Row(*name, "accuracy", "share", share, share, share, images, how)


def _tried(work: Callable[[], object]) -> object:
    """What `work` gives, or the words of the command that failed in it."""
    try:
        return work()
    except CommandFailed as failure:
        return str(failure)


def _binding_row(plan: Plan, one: Measurement) -> Row:
    name = (one.case.network.name, one.system.name, "other_weights")
    other = Case(one.case.network.other(), one.case.folder / "other", plan.peers)
    other.write_inputs()
    try:
        accepted, what = one.system.binding(one.case, other, plan.limit)
    except CommandFailed as failure:
        return Row(*name, note=f"not told: {failure}")
    return Row(*name, note=f"{'ACCEPTED' if accepted else 'refused'}: {what}")


def _chain_rows(name: tuple[str, str], found: OnChain | str) -> Iterator[Row]:
    if isinstance(found, str):
        yield Row(*name, "verify_gas", "gas", note=found)
        return
    yield Row.of(*name, "code_bytes", "bytes", [found.code_bytes], found.note)
    yield Row.of(*name, "calldata_bytes", "bytes", [found.calldata_bytes])
    for measure in ("deploy_gas", "register_gas", "verify_gas"):
        gas = getattr(found, measure)
        if gas is not None:
            yield Row.of(*name, measure, "gas", [gas])
        elif found.note and measure != "register_gas":
            yield Row(*name, measure, "gas", note=found.note)

