"""The suite of `zkpredict bench`: choosing, running, writing, comparing."""

from __future__ import annotations

import argparse
from dataclasses import asdict, replace
from pathlib import Path

from zkpredict.benchmarks.install import install, missing, pins
from zkpredict.benchmarks.networks import DEFAULT_NETWORKS, NETWORKS, QUICK_NETWORKS, BenchNetwork, model_network
from zkpredict.benchmarks.results import Change, Row, from_csv, merged, to_csv, worse
from zkpredict.benchmarks.prepare import Plan
from zkpredict.benchmarks.processes import Limits
from zkpredict.benchmarks.suite import run_suite as measure
from zkpredict.benchmarks.systems import SYSTEMS
from zkpredict.benchmarks.tables import figure, markdown, title
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.files.storage import FileOutput, read_file, write_together
from zkpredict.cli.console import Console, say_aside
from zkpredict.prover.model import Model

WORK = Path("build/bench")
_SHOWN = ("prove_seconds", "prove_cpu", "prove_inner", "prove_memory", "verify_seconds", "proof_bytes", "verify_gas", "accuracy")


def run_suite(arguments: argparse.Namespace, console: Console) -> None:
    """Measures, writes `results.csv`, `results.md` and the plots, and says what got worse. Networks of an earlier run into the same
    folder that were not run again stay as they were."""
    out = Path(arguments.out or WORK)
    before = _baseline(arguments.baseline, out)
    networks = _chosen("network", arguments.networks, NETWORKS, QUICK_NETWORKS if arguments.quick else DEFAULT_NETWORKS)
    if arguments.model:
        networks.append(_own_network(arguments.model))
    systems = _chosen("system", arguments.systems, SYSTEMS, tuple(SYSTEMS))
    draw = None if arguments.no_plots else _plotter()
    runs = arguments.runs or (1 if arguments.quick else 3)
    peers = Path(arguments.peers).resolve()
    limits = Limits(arguments.limit, arguments.limit_gib)
    timed_only = arguments.quick or arguments.timed
    plan = Plan(systems, networks, peers, WORK.resolve(), runs, limits, arguments.prepare, timed_only, arguments.slow, _speaker(console))
    if arguments.prepare:
        return _prepare(plan, console)
    rows: list[Row] = []
    for network in networks:  # what is measured is kept, whatever happens to the next one
        rows += measure(replace(plan, networks=[network]))
        kept = merged(rows, _baseline(None, out))
        written = _write(out, kept)
    changes = worse(rows, before)
    if draw is not None:
        written += draw(kept, out)
    console.result(
        {"rows": [asdict(row) for row in rows], "worse": [str(change) for change in changes], "written": [str(path) for path in written]},
        [*_lines(rows), *_compared(changes, bool(before)), f"written: {', '.join(map(str, written))}"],
    )


def _prepare(plan: Plan, console: Console) -> None:
    """Makes and keeps what is not timed. Writes no results."""
    rows = measure(plan)
    console.result({"rows": [asdict(row) for row in rows], "kept": str(plan.work)}, [*_lines(rows), f"kept in {plan.work}"])


def install_peers(arguments: argparse.Namespace, console: Console) -> None:
    """Installs the named peers, or all."""
    names = arguments.install_peers or list(pins())
    folder = Path(arguments.peers).resolve()
    for name in names:
        install(folder, name, _speaker(console))
    console.result({"installed": names, "folder": str(folder)}, [f"installed in {folder}: {', '.join(names)}"])


def list_entries(arguments: argparse.Namespace, console: Console) -> None:
    """Names systems and networks."""
    folder = Path(arguments.peers).resolve()
    states = {name: (missing(folder, system.peer) if system.peer else None) or "here" for name, system in SYSTEMS.items()}
    lines = ["systems", *(f"  {name:<20} {SYSTEMS[name].title:<48} {state}" for name, state in states.items()), "networks"]
    lines += [f"  {name}{'' if name in DEFAULT_NETWORKS else '  (only when named)'}" for name in NETWORKS]
    console.result({"systems": states, "networks": list(NETWORKS)}, lines)


def _chosen(what: str, text: str | None, registry: dict, default: tuple[str, ...]) -> list:
    names = default if text is None else [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UnusableInput(f"--{what}s names none: choose from {', '.join(registry)}")
    for name in names:
        if name not in registry:
            raise UnusableInput(f"there is no {what} {name!r}: choose from {', '.join(registry)}")
    return [registry[name] for name in dict.fromkeys(names)]


def _own_network(path: str) -> BenchNetwork:
    network = Model.load(path).network
    return model_network(network, f"{network.name} of {Path(path).name}")


def _baseline(path: str | None, out: Path) -> list[Row]:
    """The rows to compare with: of `path`, else of the last run into `out`, else none."""
    if path is None and not (out / "results.csv").is_file():
        return []
    file = path or out / "results.csv"
    return from_csv(read_file(file, "results").decode(errors="replace"), str(file))


def _write(out: Path, rows: list[Row]) -> list[Path]:
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnusableInput(f"cannot write {out}: {error.strerror}") from None
    files = {out / "results.csv": to_csv(rows), out / "results.md": f"# Measured\n\n{markdown(rows)}"}
    write_together([FileOutput(path, text.encode()) for path, text in files.items()])
    return list(files)


def _plotter():
    """The drawing function, asked for before anything is measured. Raises `UnusableInput` when matplotlib is not installed."""
    try:
        from zkpredict.benchmarks.plots import draw
    except ImportError as error:
        raise UnusableInput(f"plots need {error.name}: pip install 'zkpredict[plots]', or add --no-plots") from None
    return draw


def _speaker(console: Console):
    return (lambda text: None) if console.as_json else lambda text: say_aside(f"  {text}")


def _compared(changes: list[Change], compared: bool) -> list[str]:
    if not compared:
        return []
    return [str(change) for change in changes] or ["nothing is slower, larger or dearer than before by more than the spread"]


def _lines(rows: list[Row]) -> list[str]:
    found = {row.key: row for row in rows}
    lines = []
    for network, system in dict.fromkeys((row.network, row.system) for row in rows if row.network and row.system in SYSTEMS):
        lines.append(f"{network}, {title(system)}")
        shown = [(name, found.get((network, system, name))) for name in _SHOWN]
        for name, row in shown:
            if row is not None:
                lines.append(f"  {name.replace('_', ' '):<16} {figure(row) if row.median is not None else row.note}")
    return lines
