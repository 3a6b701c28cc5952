"""The results as markdown: one table of times and sizes for each network, one of what is promised, and what could not be measured."""

from __future__ import annotations

from collections.abc import Sequence

from zkpredict.benchmarks.results import RUN, Row
from zkpredict.benchmarks.systems import SYSTEMS

COLUMNS = (
    ("prove", "prove_seconds"), ("to ours", "prove_seconds_to_ours"), ("processor", "prove_cpu"), ("to ours", "prove_cpu_to_ours"),
    ("call alone", "prove_inner"), ("to ours", "prove_inner_to_ours"), ("witness", "witness_seconds"), ("memory", "prove_memory"),
    ("verify", "verify_seconds"), ("to ours", "verify_seconds_to_ours"), ("call alone", "verify_inner"),
)  # fmt: skip
SIZES = (
    ("set-up", "setup_seconds"), ("ceremony", "ceremony_seconds"), ("proving key", "proving_key_bytes"), ("verification key", "verification_key_bytes"),
    ("proof", "proof_bytes"), ("calldata", "calldata_bytes"), ("code", "code_bytes"), ("deploy", "deploy_gas"), ("verify", "verify_gas"),
    ("accuracy", "accuracy"),
)  # fmt: skip
PROMISES = ("weights", "bound", "hidden", "trusted", "other_weights", "steps", "files", "notes")
NOTHING = "–"


def markdown(rows: Sequence[Row]) -> str:
    """Everything, as sections of a page."""
    lines: list[str] = []
    for network in dict.fromkeys(row.network for row in rows if row.network):
        lines += _network(network, [row for row in rows if row.network == network])
    return "\n".join(lines)


def _network(network: str, rows: Sequence[Row]) -> list[str]:
    found = {(row.system, row.measure): row for row in rows}
    names = [name for name in dict.fromkeys(row.system for row in rows) if name not in ("network", RUN)]
    measured = [name for name in names if _has(found, name, "prove_seconds")]
    lines = [f"## {network}", "", *(f"- {row.measure}: {row.note}" for row in rows if row.system == RUN), ""]
    if measured:
        times = [[title(name), *(figure(found.get((name, m))) for _, m in COLUMNS)] for name in measured]
        lines += _table(["whole processes, medians", *(heading for heading, _ in COLUMNS)], times)
        sizes = [[title(name), *(figure(found.get((name, m))) for _, m in SIZES)] for name in measured]
        lines += _table(["once, and on the chain", *(heading for heading, _ in SIZES)], sizes)
        warm = [[title(name), figure(found.get((name, "prove_warm"))), figure(found.get((name, "prove_warm_cpu"))),
                 figure(found.get((name, "verify_warm"))), figure(found.get((name, "verify_warm_cpu")))]
                for name in measured if (name, "prove_warm") in found]  # fmt: skip
        lines += _table(["in process, everything loaded", "prove", "processor", "verify", "processor"], warm)
        promises = [[title(name), *(_text(found.get((name, measure))) for measure in PROMISES)] for name in measured]
        headings = [measure.replace("other_weights", "a proof by other weights") for measure in PROMISES]
        lines += _table(["what it promises", *headings], promises)
    absent = [(name, found[name, "prove_seconds"].note) for name in names if name not in measured and (name, "prove_seconds") in found]
    if absent:
        lines += ["Not measured:", "", *(f"- {title(name)}: {why}" for name, why in absent), ""]
    return lines


def title(system: str) -> str:
    """What people call a system; its name when the registry no longer has it."""
    return SYSTEMS[system].title if system in SYSTEMS else system


def figure(row: Row | None) -> str:
    """A figure with its unit and, where there are several runs, its spread, or of how many images; a dash where there is none."""
    if row is None or row.median is None:
        return NOTHING
    text = show(row.median, row.unit)
    if row.unit == "share":
        return f"{text} of {row.runs:,}"
    return f"{text} ({show(row.low, row.unit)} to {show(row.high, row.unit)})" if row.runs > 2 and row.low != row.high else text


def show(value: float, unit: str) -> str:
    """For people: 0.0123 s is `12.3 ms`, 138,479,371 bytes `138 MB`, a ratio `19.7 ×`."""
    if unit in ("s", "cpu s"):
        return f"{1000 * value:.3g} ms" if value < 1 else f"{value:,.3g} s" if value < 1000 else f"{value:,.0f} s"
    if unit == "bytes":
        scale, name = next(((s, n) for s, n in ((10**9, "GB"), (10**6, "MB"), (10**5, "kB")) if value >= s), (1, "B"))
        return f"{value / (1000 if name == 'kB' else scale):,.3g} {name}" if scale > 1 else f"{value:,.0f} B"
    if unit == "ratio":
        return f"{value:.3g} ×"
    return f"{value:.2%}" if unit == "share" else f"{value:,.0f}"


def _text(row: Row | None) -> str:
    if row is None:
        return NOTHING
    return figure(row) if row.median is not None else row.note or NOTHING


def _table(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """A markdown table without the columns in which nothing stands."""
    kept = [0, *(n for n in range(1, len(headings)) if any(line[n] != NOTHING for line in lines))]
    if len(kept) == 1:
        return []
    rows = [headings, ["---"] + ["---:"] * (len(headings) - 1), *lines]
    return [*("| " + " | ".join(row[n].replace("|", "/") for n in kept) + " |" for row in rows), ""]


def _has(found: dict, system: str, measure: str) -> bool:
    return (system, measure) in found and found[system, measure].median is not None
