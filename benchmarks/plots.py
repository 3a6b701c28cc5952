"""Plots of a run as SVG and PNG. Bars differ by hatching and are labelled with their figures: nothing hangs on colour."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
matplotlib.rcParams["svg.hashsalt"] = "zkpredict"
from matplotlib import pyplot as plt  # noqa: E402

from zkpredict.benchmarks.results import Row  # noqa: E402
from zkpredict.benchmarks.tables import show, title  # noqa: E402

BARS = (
    ("prove_seconds", "s", "proving, whole process, median", "proving"),
    ("prove_memory", "bytes", "memory while proving, peak", "memory"),
    ("proof_bytes", "bytes", "proof", "proof-size"),
    ("verify_gas", "gas", "verification on-chain", "gas"),
)
HATCHES = ("", "///", "...", "xx", "\\\\\\", "++", "oo", "--", "**", "|||", "//..", "xx..")


def draw(rows: Sequence[Row], out: Path) -> list[Path]:
    """Draws every plot for which there are figures: bars for each network, proving time over weights and neurons where networks differ."""
    written = []
    for network in dict.fromkeys(row.network for row in rows if row.network):
        for measure, unit, heading, name in BARS:
            found = [row for row in rows if row.network == network and row.measure == measure and row.median]
            if found:
                written += _bars(found, unit, f"{network}: {heading}", out / f"{name}-{network.replace(' ', '-')}")
    for count in ("weights", "neurons"):
        if scaling := _scaling(rows, count):
            written += lines(scaling, count, "proving, whole process, seconds", out / f"scaling-{count}")
    return written


def _bars(found: Sequence[Row], unit: str, heading: str, stem: Path) -> list[Path]:
    figure, axes = plt.subplots(figsize=(8, 0.9 + 0.42 * len(found)), layout="constrained")
    values = [row.median for row in found]
    bars = axes.barh([title(row.system) for row in found], values, color="white", edgecolor="black")
    for bar, row, hatch in zip(bars, found, HATCHES * 2, strict=False):
        bar.set_hatch(hatch)
        axes.annotate(show(row.median, unit), (bar.get_width(), bar.get_y() + bar.get_height() / 2), (4, 0),
                      textcoords="offset points", va="center", fontsize=8)  # fmt: skip
    axes.invert_yaxis()
    axes.set_xscale("log")
    axes.set_xlim(min(values) / 2, max(values) * 6)
    axes.set_title(f"{heading} (logarithmic)", fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    return _save(figure, stem)


def _scaling(rows: Sequence[Row], count: str) -> dict[str, list[tuple[float, float]]]:
    """(`count`, proving seconds) by system, for systems that were measured on two networks or more."""
    counts = {row.network: row.median for row in rows if row.system == "network" and row.measure == count}
    found: dict[str, list[tuple[float, float]]] = {}
    for row in rows:
        if row.measure == "prove_seconds" and row.median and row.network in counts:
            found.setdefault(row.system, []).append((counts[row.network], row.median))
    return {system: sorted(points) for system, points in found.items() if len(points) > 1}


def lines(scaling: Mapping[str, Sequence[tuple[float, float]]], count: str, what: str, stem: Path) -> list[Path]:
    """Draws named series of (`count`, `what`), both logarithmic."""
    figure, axes = plt.subplots(figsize=(8, 5), layout="constrained")
    styles = [(line, marker) for line in ("-", "--", ":", "-.") for marker in "osv^D"]
    for (system, points), (line, marker) in zip(scaling.items(), styles, strict=False):
        axes.plot(*zip(*points, strict=True), line, marker=marker, color="black", markerfacecolor="white", label=title(system))
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel(count)
    axes.set_ylabel(what)
    axes.legend(fontsize=7, handlelength=5, frameon=False)
    axes.spines[["top", "right"]].set_visible(False)
    return _save(figure, stem)


def _save(figure, stem: Path) -> list[Path]:
    paths = [stem.with_name(stem.name + ending) for ending in (".svg", ".png")]
    figure.savefig(paths[0], metadata={"Date": None})
    figure.savefig(paths[1], dpi=150)
    plt.close(figure)
    return paths
