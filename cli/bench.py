"""`zkpredict bench`."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict

from zkpredict.circuits.files.images import load_image
from zkpredict.cli.console import Console
from zkpredict.cli.parser import at_least_one
from zkpredict.cli.statement import milliseconds
from zkpredict.verifier.costs import estimate_costs

EXAMPLE = """\
zkpredict bench examples/seven.png --model examples/mnist.model
zkpredict bench examples/seven.png --model examples/mnist.model --profile"""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("image", metavar="IMAGE", help="PNG, JPEG or .npy")
    parser.add_argument("--model", required=True, metavar="FILE", help="model file")
    parser.add_argument("--runs", type=at_least_one, default=7, metavar="N", help="counted runs of each measurement (default 7)")
    parser.add_argument("--profile", action="store_true", help="say where the prover's time goes, and how far it is from the floor")


def run(arguments: argparse.Namespace, console: Console) -> None:
    if arguments.profile:
        from zkpredict.cli.benchprofile import run_profile

        return run_profile(arguments, console)
    from zkpredict.benchmarks.proving import proving_rows
    from zkpredict.prover.model import Model

    model = Model.load(arguments.model)
    image = load_image(arguments.image, model.network.shape[0])
    rows = []
    with console.progress("measuring", 9) as advance:
        for row in proving_rows(model, image, arguments.runs):
            rows.append(row)
            advance(1)
    costs = estimate_costs(model.compiled.circuit)
    lines = [f"{os.cpu_count()} cores, median (lowest to highest) of {arguments.runs} runs"]
    for name, measured, note in rows:
        spread = f"({milliseconds(measured.low)} to {milliseconds(measured.high)})"
        memory = f", peak {measured.peak_bytes / 1e6:.0f} MB" if measured.peak_bytes else ""
        lines.append(f"{name:<34} {milliseconds(measured.median):>11}  {spread:<26} {note}{memory}")
    lines += [
        f"{'proof':<34} {costs.proof_payload_bytes:,} bytes of points and scalars",
        f"{'registration':<34} {costs.registry_bytes:,} bytes for {costs.committed_rows} rows",
        f"{'verification on-chain':<34} about {costs.verify_gas_estimate:,} gas at most, estimated "
        "for an image without blank pixels (measured gas: contracts/gas.csv)",
    ]
    console.result(
        {
            "cores": os.cpu_count(),
            "measurements": [{"name": name, "note": note, **asdict(measured)} for name, measured, note in rows],
            "costs": costs.as_dict(),
        },
        lines,
    )
