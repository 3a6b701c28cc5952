"""`zkpredict bench`: one model's times, the suite beside other systems, its peers, and the parts of a proof."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from pathlib import Path

from zkpredict.circuits.errors import UnusableInput
from zkpredict.cli.console import Console
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.statement import add_image_options, milliseconds, read_statement_image, refuse_together
from zkpredict.verifier.costs import Costs, estimate_costs

EXAMPLE = """\
zkpredict bench examples/seven.png --model examples/mnist.model
zkpredict bench examples/seven.png --model examples/mnist.model --profile
zkpredict bench examples/tables/iris.csv --row 70 --label species --model examples/tables/iris.model
zkpredict bench --install-peers ezkl snarkjs solc
zkpredict bench --quick
zkpredict bench --networks 784-64-10,LeNet-5 --prepare --limit 1800 --limit-gib 8
zkpredict bench --networks 784-64-10,LeNet-5 --timed --runs 5 --out docs/benchmarks
zkpredict bench --proof-size examples/mnist.model"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", nargs="?", metavar="IMAGE", help="time one model on this picture, or row of a table; without one, the suite runs")
    add_image_options(parser)
    parser.add_argument("--model", metavar="FILE", help="model file; in the suite, one more network")
    parser.add_argument("--runs", type=at_least_one, metavar="N", help="counted runs of each measurement (default 7; suite 3, quick 1)")
    parser.add_argument("--profile", action="store_true", help="say where the prover's time goes on IMAGE, and how far it is from the floor")
    suite = parser.add_argument_group("the suite: every system on every network, in one run")
    suite.add_argument("--quick", action="store_true", help="under two minutes: one network, one run, of others only those that are prepared")
    suite.add_argument("--systems", metavar="A,B", help="only these (--list names them)")
    suite.add_argument("--networks", metavar="A,B", help="only these (--list names them)")
    suite.add_argument("--list", action="store_true", help="name systems and networks, and say which peers are here")
    suite.add_argument("--prepare", action="store_true", help="make and keep what is not timed: set-ups, memory, contracts, binding, accuracy; and stop")
    suite.add_argument("--timed", action="store_true", help="leave out systems that are not prepared: nothing runs but what is timed, and all of ours")
    suite.add_argument("--slow", type=at_least_one, default=30, metavar="S", help="time once who needs more than S processor seconds a pass (default 30)")
    suite.add_argument("--limit", type=at_least_one, default=3600, metavar="S", help="stop one command after S seconds (default 3600)")
    suite.add_argument("--limit-gib", type=at_least_one, metavar="G", help="stop one command when its processes hold more than G GiB (default: never)")
    suite.add_argument("--out", metavar="DIR", help="results.csv, results.md and plots (default build/bench)")
    suite.add_argument("--baseline", metavar="CSV", help="say what got worse since this one (default: the results.csv in --out)")
    suite.add_argument("--no-plots", action="store_true", help="draw nothing; plots need zkpredict[plots]")
    suite.add_argument("--peers", default="build/peers", metavar="DIR", help="where other systems are installed (default build/peers)")
    suite.add_argument("--install-peers", nargs="*", metavar="NAME", help="install other systems there, all or those named, and stop")
    parser.add_argument("--proof-size", metavar="MODEL", help="count a proof of this model part by part, and how it grows, and stop")


def run(arguments: argparse.Namespace, console: Console) -> None:
    given = vars(arguments)
    others = {f"--{name.replace('_', '-')}": given[name] for name in ("quick", "prepare", "timed", "systems", "networks", "list", "out", "baseline")}
    others |= {"--install-peers": arguments.install_peers, "--proof-size": arguments.proof_size}
    if arguments.image is not None or arguments.idx is not None:
        refuse_together("IMAGE", others, "the suite has its own image")
        return _one_model(arguments, console)
    about_image = ("index", "invert", "auto", "allow_blank", "row", "label", "taken_as")
    for name in about_image:
        if given[name] not in (None, False):
            raise UnusableInput(f"--{'as' if name == 'taken_as' else name.replace('_', '-')} goes with IMAGE or --idx FILE: the suite has its own image")
    if arguments.profile:
        raise UnusableInput("--profile needs IMAGE and --model FILE: what is proven")
    if arguments.proof_size is not None:
        return _proof_size(arguments.proof_size, console)
    from zkpredict.cli import benchsuite

    if arguments.install_peers is not None:
        return benchsuite.install_peers(arguments, console)
    if arguments.list:
        return benchsuite.list_entries(arguments, console)
    return benchsuite.run_suite(arguments, console)


def _one_model(arguments: argparse.Namespace, console: Console) -> None:
    from zkpredict.benchmarks.proving import measurements, proving_rows
    from zkpredict.cli.benchprofile import run_profile
    from zkpredict.prover.model import Model

    if arguments.model is None:
        raise UnusableInput("IMAGE needs --model FILE: the network that is timed on it")
    model = Model.load(arguments.model)
    image = read_statement_image(arguments, console, arguments.image, model.network.shape[0], model.schema, model.picture)
    if arguments.profile:
        return run_profile(model, image, arguments.runs, console)
    runs = arguments.runs or 7
    rows = []
    with console.progress("measuring", measurements(model)) as advance:
        for row in proving_rows(model, image, runs):
            rows.append(row)
            advance(1)
    costs = estimate_costs(model.compiled.circuit)
    lines = [f"{os.cpu_count()} cores, median (lowest to highest) of {runs} runs"]
    for name, measured, note in rows:
        spread = f"({milliseconds(measured.low)} to {milliseconds(measured.high)})"
        memory = f", peak {measured.peak_bytes / 1e6:.0f} MB" if measured.peak_bytes else ""
        lines.append(f"{name:<44} {milliseconds(measured.median):>11}  {spread:<26} {note}{memory}")
    lines += [
        f"{'proof':<44} {costs.proof_bytes:,} bytes, {costs.proof_payload_bytes:,} of them points and scalars",
        f"{'registration':<44} {costs.registry_bytes:,} bytes for {costs.committed_rows} rows",
        f"{'verification on-chain':<44} {_gas(costs)}",
    ]
    console.result(
        {
            "cores": os.cpu_count(),
            "measurements": [{"name": name, "note": note, **asdict(measured)} for name, measured, note in rows],
            "costs": costs.as_dict(),
        },
        lines,
    )


def _gas(costs: Costs) -> str:
    if costs.verify_gas_estimate is None:
        return "none: no contract is made for these convolutions (docs/convolutions.md)"
    universal = "" if costs.universal_gas_estimate is None else f", {costs.universal_gas_estimate:,} at the universal verifier"
    return f"about {costs.verify_gas_estimate:,} gas at most{universal}, estimated for an image without blank pixels (measured gas: contracts/gas.csv)"


def _proof_size(path: str, console: Console) -> None:
    from zkpredict.benchmarks.proofsize import growth, parts
    from zkpredict.circuits.placement import form
    from zkpredict.prover.model import Model

    model = Model.load(Path(path))
    found, grown = parts(form(model.compiled.circuit)), list(growth(model))
    lines = [f"a proof of {model.network.name}", "", f"{'part':<34} {'count':>5} {'file':>7} {'on-chain':>9}"]
    lines += [f"{part.name:<34} {part.count:>5} {part.file_bytes:>7,} {part.onchain_bytes:>9,}" for part in found]
    totals = (sum(part.file_bytes for part in found), sum(part.onchain_bytes for part in found))
    lines += [f"{'together, bytes':<34} {'':>5} {totals[0]:>7,} {totals[1]:>9,}", "", "how it grows"]
    lines.append(f"{'':<26} {'weights':>9} {'proof':>7} {'registry':>9} {'points to fold':>15}")
    for one in grown:
        costs = one.refused or f"{one.proof_bytes:>7,} {one.registry_bytes:>9,} {one.folded_points:>15,}"
        lines.append(f"{one.what:<26} {one.weights:>9,} {costs}")
    console.result({"parts": [asdict(part) for part in found], "growth": [asdict(one) for one in grown]}, lines)
