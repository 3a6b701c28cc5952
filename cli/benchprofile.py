"""`zkpredict bench --profile`: the prover, stage by stage."""

from __future__ import annotations

import os
from dataclasses import asdict

import numpy as np

from zkpredict.benchmarks.profile import Profile, Time, profile
from zkpredict.cli.console import Console
from zkpredict.prover.model import Model

RUNS = 7


def run_profile(model: Model, image: np.ndarray, runs: int | None, console: Console) -> None:
    """Profiles the prover of a model on an image: uint8 [inputs]."""
    runs = runs or RUNS
    with console.progress("profiling", runs) as advance:
        found = profile(model, image, runs, advance)
    console.result(
        {"network": model.network.name, "cores": os.cpu_count(), **asdict(found), "distance": asdict(found.distance)},
        _lines(found, model.network.name),
    )


def _lines(found: Profile, network: str) -> list[str]:
    """Three columns: what, its time on the clock, and the processor's in all threads."""

    def line(name: str, time: Time) -> str:
        return f"{name:<58} {1000 * time.clock:>9.2f} {1000 * time.processor:>10.2f}"

    lines = [f"{network}, {os.cpu_count()} cores, medians of {found.runs} runs, milliseconds", ""]
    lines.append(f"{'':<58} {'clock':>9} {'processor':>10}")
    lines.append(line("prove, in process", found.total))
    for stage in found.stages:
        calls = f", {stage.calls} calls" if stage.calls else ""
        lines.append(line(f"  {stage.name}{calls}", stage.time))
    lines += ["", "the multi-scalar multiplications one by one"]
    lines += [line(f"  {product.name}", product.time) for product in found.multiplications]
    lines += ["", line(f"floor: {found.full_scalars:,} full-size scalars in a bare loop", found.floor)]
    lines.append(f"{'distance to the floor':<58} {found.distance.clock:>9.2f} {found.distance.processor:>10.2f}")
    return lines
