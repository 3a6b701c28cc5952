"""Writes `gas.csv`: what the contracts cost on the embedded chain (Prague rules), exact to the unit of gas.

`python -m zkpredict.contracts.gas` measures and writes, `--check` measures and compares. It needs a checkout: the example
model and the MNIST test images. Gas is that of whole transactions: base cost, calldata, execution. Bytes are code sizes.
"""

from __future__ import annotations

import argparse
import csv
import io
import sys
from collections.abc import Iterator
from dataclasses import astuple, fields
from pathlib import Path

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.networks.exact import SCALE, ExactLayer, ExactNetwork
from zkpredict.circuits.files.storage import read_file, write_atomically
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.artifact import address_text
from zkpredict.contracts.checkout import example_network, sample_images, typical_image
from zkpredict.contracts.open.deploy import Deployment, deploy_exact, deploy_packed
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.open.instruction import ADDRESS, PredictInstruction, network_id
from zkpredict.contracts.verifier.gas import Cost, rows as verifier_rows
from zkpredict.contracts.verifier.second.gas import rows as second_rows
from zkpredict.contracts.verifier.wide.gas import rows as wide_rows

FILE = Path(__file__).with_name("gas.csv")
_DIVISORS = (512, 128)


def measure() -> list[Cost]:
    """Every row of the report, in order. Raises `UnusableInput` outside a checkout."""
    network, images = example_network(), sample_images()
    open_runs = [*packed_rows(network, images), *rational_rows(images), *exact_rows(network, images), *instruction_rows(network, images)]
    return [*open_runs, *verifier_rows(), *second_rows(), *wide_rows()]


def packed_rows(network: IntegerNetwork, images: np.ndarray) -> Iterator[Cost]:
    """`PackedPredictor` with the shipped network; the typical image is the one of median cost among `images`."""
    deployed = deploy_packed(EmbeddedChain(), network)
    yield from _deployment("packed", deployed, network.name)
    costs = sorted((_cost(deployed, image), number) for number, image in enumerate(images))
    typical, number = costs[len(costs) // 2]
    yield Cost("packed predict empty", _cost(deployed, np.zeros_like(images[0])), "", "all pixels 0")
    yield Cost("packed predict typical", typical, "", f"median of the first {len(images)} MNIST test images: number {number}")
    yield Cost("packed predict dearest", costs[-1][0], "", f"the dearest of them: number {costs[-1][1]}")
    yield Cost("packed predict full", _cost(deployed, np.full_like(images[0], 255)), "", "all pixels 255: no image costs more in layer 1")


def rational_rows(images: np.ndarray) -> Iterator[Cost]:
    """`PackedPredictor` with the shipped rational network, on the typical image."""
    network = example_network("mnist_rational.model")
    deployed, typical = deploy_packed(EmbeddedChain(), network), typical_image(images)
    note = f"{network.name} with {network.layers[0].activation}, as many pixels as the median: number {typical}"
    yield Cost("packed rational predict typical", _cost(deployed, images[typical]), "", note)


def exact_rows(network: IntegerNetwork, images: np.ndarray) -> Iterator[Cost]:
    """`ExactPredictor` with the same weights as 10^8 numbers, for comparison."""
    scaled = as_exact(network)
    deployed = deploy_exact(EmbeddedChain(), scaled)
    yield from _deployment("exact", deployed, f"{scaled.name} in 10^8 fixed point")
    typical = typical_image(images)
    yield Cost("exact predict empty", _cost(deployed, np.zeros_like(images[0])), "", "all pixels 0")
    yield Cost("exact predict typical", _cost(deployed, images[typical]), "", f"as many pixels as the median: number {typical}")
    yield Cost("exact predict full", _cost(deployed, np.full_like(images[0], 255)), "", "all pixels 255")


def instruction_rows(network: IntegerNetwork, images: np.ndarray) -> Iterator[Cost]:
    """The embedded chain's predict instruction, asked directly."""
    chain = EmbeddedChain(PredictInstruction.of([network]).precompiles)
    data = network_id(network) + images[0].tobytes()
    place = address_text(ADDRESS)
    yield Cost("instruction", chain.call_gas(place, data), "", "the predict instruction of the embedded EVM alone")
    yield Cost("instruction predict", chain.transact(place, data).gas_used, "", "as a transaction: MNIST test image 0")


def as_exact(network: IntegerNetwork) -> ExactNetwork:
    """The integer network's weights as 10^8 numbers of usual size, each layer's divided by a constant."""
    divisors = (*_DIVISORS, *[_DIVISORS[-1]] * len(network.layers))
    return ExactNetwork(
        tuple(
            ExactLayer(layer.weights * SCALE // divisor, layer.bias // divisor * (SCALE // divisor))
            for layer, divisor in zip(network.layers, divisors, strict=False)
        )
    )


def to_csv(rows: list[Cost]) -> str:
    """The report as text: `name,gas,bytes,note` and one line a row."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(field.name for field in fields(Cost))
    writer.writerows(map(astuple, rows))
    return text.getvalue()


def _deployment(name: str, deployed: Deployment, note: str) -> Iterator[Cost]:
    chain = deployed.contract.chain
    sizes = [len(chain.code(address)) for address in (*deployed.data, deployed.contract.address)]
    yield Cost(f"{name} deployment", deployed.gas_used, sum(sizes), f"{note}: predictor and {len(deployed.data)} data contracts")
    yield Cost(f"{name} code", "", len(deployed.contract.artifact.runtime), "the predictor's program without weights")
    yield Cost(f"{name} largest contract", "", max(sizes), "EIP-170 allows 24,576")


def _cost(deployed: Deployment, image: np.ndarray) -> int:
    return deployed.contract.transact("predict", image.tobytes()).gas_used


def main(argv: list[str] | None = None) -> int:
    """Writes the report, or compares it with `--check`: 0 when current, 1 when not, 2 when it cannot be measured."""
    parser = argparse.ArgumentParser(prog="python -m zkpredict.contracts.gas", description="Measure what the contracts cost.")
    parser.add_argument("--check", action="store_true", help="compare with gas.csv instead of writing it")
    arguments = parser.parse_args(argv)
    try:
        text = to_csv(measure())
        if arguments.check:
            current = read_file(FILE, "gas report").decode() == text
            print("gas.csv is current" if current else text)
            return 0 if current else 1
        write_atomically(FILE, text.encode())
        print(text, end="")
    except UnusableInput as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
