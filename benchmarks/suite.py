"""The suite: every chosen system on every chosen network, in one run, with ours between the others each time.

What is not timed is made once and kept under the work folder, by network, weights and pinned versions (`prepare.py`): set-ups,
memory, contracts, binding, accuracy. Then `runs` timed rounds: ours, a peer, ours, the next peer, and so on; who needs long is timed
once. A peer's ratio to ours is taken between neighbours, so that a change of the machine's load counts on both sides.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

from zkpredict.benchmarks.install import missing
from zkpredict.benchmarks.machine import load_row, machine_rows
from zkpredict.benchmarks.networks import BenchNetwork
from zkpredict.benchmarks.prepare import STAGES, Plan, prepared
from zkpredict.benchmarks.processes import CommandFailed, Finished, run_all
from zkpredict.benchmarks.results import Row
from zkpredict.benchmarks.systems.base import Case, System


@dataclass
class Measurement:
    """The runs of one system on one network. `slow`: it is timed once."""

    system: System
    case: Case
    slow: bool
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
            made = prepared(plan, system, case)
            yield from made.rows
            why = made.failed
            if why is None:
                measured.append(Measurement(system, case, made.cpu > plan.slow))
                continue
        plan.say(f"{network.name}, {system.title}: {why}")
        yield Row(network.name, system.name, "prove_seconds", "s", note=why)
    if plan.prepare_only:
        return
    yield load_row(network.name, "load before the rounds")
    yield from _rounds(plan, measured)
    yield load_row(network.name, "load after the rounds")


def _rounds(plan: Plan, measured: list[Measurement]) -> Iterator[Row]:
    """The timed rounds, and their rows. Who fails is taken out, with a row that says so."""
    alive = list(measured)
    ours = next((one for one in alive if one.system.peer is None), None)
    ratios: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(plan.runs):
        plan.say(f"{alive[0].case.network.name}, round {number + 1} of {plan.runs}" if alive else "nothing to time")
        for one in [one for one in alive if number == 0 or not one.slow]:
            try:
                reference = _once(plan, ours) if ours is not None and one is not ours else {}
                found = _once(plan, one)
            except CommandFailed as failure:
                yield Row(one.case.network.name, one.system.name, "prove_seconds", "s", note=str(failure))
                alive.remove(one)
                continue
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
        done = run_all(commands, plan.limits)
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
