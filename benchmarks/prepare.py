"""What the suite makes once and keeps: set-ups, memory, sizes, contracts, binding, accuracy. Nothing here is timed but set-ups.

    CASE/setup.json        the set-up that lies beside it: for which weights, circuit and pins, what it took, when, at what load
    CASE/prepared.json     the rows of all the rest, or why there are none: the step that failed or was stopped, and the limits it had

Both are of use for the same weights, circuit and pins only; a failure at a limit until the limits are wider. Ours is made anew every time.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zkpredict.benchmarks.install import pins
from zkpredict.benchmarks.networks import BenchNetwork
from zkpredict.benchmarks.processes import Command, CommandFailed, CommandStopped, Limits, run_all
from zkpredict.benchmarks.results import Row, from_csv, to_csv
from zkpredict.benchmarks.systems.base import Case, OnChain, System
from zkpredict.circuits.files.storage import write_atomically

STAGES = ("witness", "prove", "verify")
_SETUP, _PREPARED = "setup.json", "prepared.json"
_TOLD = {"weights", "pins", "circuit", "seconds", "cpu", "peak", "ceremony", "made", "load"}
_TOLD_PREPARED = {"weights", "pins", "circuit", "rows", "cpu", "failed", "limits"}
"""What these files say; one of another version is not used."""


@dataclass(frozen=True)
class Plan:
    """What to run. `limits` are those of one command. `prepare_only`: no timed rounds; `timed_only`: peers that are not prepared are left
    out. Who needs more than `slow` seconds of processor time for one pass is timed once."""

    systems: Sequence[System]
    networks: Sequence[BenchNetwork]
    peers: Path
    work: Path
    runs: int
    limits: Limits
    prepare_only: bool = False
    timed_only: bool = False
    slow: float = 30.0
    say: Callable[[str], None] = lambda text: None


@dataclass(frozen=True)
class Prepared:
    """The rows of a system on a network that no timing is in, the processor seconds of one pass, and why there is no more, if so."""

    rows: list[Row]
    cpu: float = 0.0
    failed: str | None = None


def prepared(plan: Plan, system: System, case: Case) -> Prepared:
    """What is kept for a peer, else what is made now."""
    if system.peer is None:
        return _made(plan, system, case)
    kept = _kept(case.file(_PREPARED), system, case, _TOLD_PREPARED)
    if kept and (kept["failed"] is None or plan.timed_only or plan.limits.within(Limits(*kept["limits"]))):
        return Prepared(from_csv(kept["rows"], str(case.file(_PREPARED))), kept["cpu"], kept["failed"])
    if plan.timed_only:
        return Prepared([], failed="left out: it is not prepared (zkpredict bench --prepare)")
    made = _made(plan, system, case)
    told = {"rows": to_csv(made.rows), "cpu": made.cpu, "failed": made.failed, "limits": [plan.limits.seconds, plan.limits.gib]}
    _keep(case.file(_PREPARED), system, case, told)
    return made


def _made(plan: Plan, system: System, case: Case) -> Prepared:
    rows: list[Row] = []
    try:
        rows += _setup_rows(plan, system, case)
        plan.say(f"{case.network.name}, {system.title}: one pass, for its memory")
        done = [(stage, run_all(commands, plan.limits, watch_memory=True)) for stage in STAGES if (commands := getattr(system, stage)(case))]
    except CommandFailed as failure:
        when = f" ({_now()})" if isinstance(failure, CommandStopped) else ""
        return Prepared(rows, failed=f"{failure}{when}")
    rows += [Row.of(case.network.name, system.name, f"{stage}_memory", "bytes", [one.peak_bytes]) for stage, one in done]
    cpu = sum(one.cpu for _, one in done)
    rows += _other_rows(plan, system, case, cpu)
    return Prepared(rows, cpu)


def _setup_rows(plan: Plan, system: System, case: Case) -> Iterator[Row]:
    kept, note = {}, ""
    if system.peer is not None:
        kept = _kept(case.file(_SETUP), system, case, _TOLD)
    if kept:
        note = f"made {kept['made']}, load {kept['load']}"
    else:
        plan.say(f"{case.network.name}, {system.title}: set-up")
        case.file(_SETUP).unlink(missing_ok=True)
        case.write_inputs()
        system.write(case)
        kept = _setup(system.setup(case), plan.limits)
        _keep(case.file(_SETUP), system, case, kept)
    name = (case.network.name, system.name)
    yield Row.of(*name, "setup_seconds", "s", [kept["seconds"]], note)
    if kept["ceremony"]:
        note_of = "a development ceremony: its secret could have been kept"
        yield Row.of(*name, "ceremony_seconds", "s", [kept["ceremony"]], note_of)
    yield Row.of(*name, "setup_cpu", "cpu s", [kept["cpu"]], note)
    yield Row.of(*name, "setup_memory", "bytes", [kept["peak"]], note)


def _setup(commands: Sequence[Command], limits: Limits) -> dict[str, object]:
    """Runs a set-up, and says what it took."""
    load = f"{os.getloadavg()[0]:.1f}"
    try:
        done = [(command.part, run_all([command], limits, watch_memory=True)) for command in commands]
    except CommandStopped as stopped:
        raise CommandStopped(f"set-up {stopped}") from None
    except CommandFailed as failure:
        raise CommandFailed(f"set-up {failure}") from None
    own = [one for part, one in done if part == "setup"]
    return {
        "seconds": sum(one.seconds for one in own),
        "cpu": sum(one.cpu for one in own),
        "peak": max(one.peak_bytes for _, one in done),
        "ceremony": sum(one.inner or one.seconds for part, one in done if part == "ceremony"),
        "made": time.strftime("%Y-%m-%d %H:%M"),
        "load": load,
    }


def _now() -> str:
    return f"{time.strftime('%Y-%m-%d')}, load {os.getloadavg()[0]:.0f}"


def _named(system: System, case: Case) -> dict[str, object]:
    circuit = hashlib.sha256(system.circuit(case).encode()).hexdigest()
    return {"weights": case.digest(), "pins": pins().get(system.peer or "", {}), "circuit": circuit}


def _kept(path: Path, system: System, case: Case, told: set[str]) -> dict:
    """What `path` says, if it is for these weights, circuit and pins; else nothing."""
    known = json.loads(path.read_text()) if path.is_file() else {}
    wanted = _named(system, case)
    return known if known.keys() >= told and {name: known[name] for name in wanted} == wanted else {}


def _keep(path: Path, system: System, case: Case, told: dict[str, object]) -> None:
    write_atomically(path, json.dumps({**_named(system, case), **told}).encode())


def _other_rows(plan: Plan, system: System, case: Case, cpu: float) -> Iterator[Row]:
    """Sizes, chain, accuracy, binding and what cannot be measured."""
    name = (case.network.name, system.name)
    for measure, size in system.sizes(case).items():
        yield Row.of(*name, measure, "bytes", [size])
    facts = system.facts
    for measure in ("weights", "bound", "hidden", "trusted", "notes"):
        yield Row(*name, measure, note=getattr(facts, measure))
    yield Row.of(*name, "steps", "count", [facts.steps])
    yield Row.of(*name, "files", "count", [facts.files])
    plan.say(f"{case.network.name}, {system.title}: binding")
    yield _binding_row(plan, system, case, cpu)
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


def _binding_row(plan: Plan, system: System, case: Case, cpu: float) -> Row:
    name = (case.network.name, system.name, "other_weights")
    if cpu > plan.slow:
        return Row(*name, note="not tried on a network this large")
    other = Case(case.network.other(), case.folder / "other", plan.peers)
    other.write_inputs()
    try:
        accepted, what = system.binding(case, other, plan.limits)
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
