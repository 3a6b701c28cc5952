"""What a system is to the suite. A new one is a class here beside the others and one entry of the registry."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zkpredict.benchmarks.floats import save_floats
from zkpredict.benchmarks.networks import BenchNetwork
from zkpredict.benchmarks.processes import Command, Limits


@dataclass(frozen=True)
class Facts:
    """What cannot be timed. `steps` and `files`: commands and files that a user handles from network to checked proof."""

    weights: str
    bound: str
    hidden: str
    trusted: str
    steps: int
    files: int
    notes: str = ""


@dataclass(frozen=True)
class OnChain:
    """Measured on the embedded chain; `verify_gas` None when the contract cannot be deployed (`note` says why)."""

    code_bytes: int
    calldata_bytes: int
    deploy_gas: int | None = None
    verify_gas: int | None = None
    register_gas: int | None = None
    note: str = ""


@dataclass(frozen=True)
class Case:
    """One network in one system: `folder` holds what the set-up made, `peers` the installed systems."""

    network: BenchNetwork
    folder: Path
    peers: Path

    @property
    def floats(self) -> Path:
        return self.folder / "network.npz"

    def file(self, name: str) -> Path:
        return self.folder / name

    def write_inputs(self) -> None:
        """Writes network and image where the commands of every system look for them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.network.refused() is None:
            save_floats(self.network.steps, self.network.input_shape, self.network.classes, self.floats)
        image = self.network.image()
        np.save(self.file("image.npy"), image)
        self.file("pixels.json").write_text(json.dumps([float(pixel) for pixel in image / 255]))

    def digest(self) -> str:
        """Names the weights, as integers and as floats: a set-up that was kept is for these and no others."""
        seen = hashlib.sha256(self.network.name.encode() + self.network.integers.to_bytes())
        for step in self.network.steps if self.network.refused() is None else ():
            seen.update(step.kind.encode())
            if step.weights is not None and step.bias is not None:
                seen.update(step.weights.tobytes() + step.bias.tobytes())
        return seen.hexdigest()


class System(ABC):
    """One proof system in one setting. `peer` is its folder under the installed peers, None for ours."""

    name: str
    title: str
    facts: Facts
    peer: str | None = None

    def refuses(self, network: BenchNetwork) -> str | None:
        """Why it cannot hold this network, known without trying, or None."""
        return network.refused()

    def write(self, case: Case) -> None:  # noqa: B027  nothing by default
        """Writes what the set-up reads, beyond `Case.write_inputs`."""

    def circuit(self, case: Case) -> str:
        """The circuit, where it is written by hand, and all that its keys depend on."""
        return ""

    @abstractmethod
    def setup(self, case: Case) -> list[Command]:
        """From the network to keys: once per circuit or model."""

    def witness(self, case: Case) -> list[Command]:
        """Before proving, where it is a step of its own."""
        return []

    @abstractmethod
    def prove(self, case: Case) -> list[Command]:
        """One proof of the image."""

    @abstractmethod
    def verify(self, case: Case) -> list[Command]:
        """Checks the proof of `prove`."""

    @abstractmethod
    def sizes(self, case: Case) -> dict[str, int]:
        """Bytes by measure: `proof_bytes`, `proving_key_bytes`, `verification_key_bytes`, `setup_file_bytes`."""

    def in_process(self, case: Case) -> dict[str, Callable[[], object]]:
        """Functions by stage that do the work in this process, everything loaded; only ours has them."""
        return {}

    def on_chain(self, case: Case) -> OnChain | str:
        """What a contract costs, or why there is none."""
        return "has no contract"

    def accuracy(self, case: Case) -> tuple[float, int, str] | str:
        """Share of the test images that what is proven gets right, of how many, and how that was found; or why it is not known."""
        return "not told"

    @abstractmethod
    def binding(self, case: Case, other: Case, limits: Limits) -> tuple[bool, str]:
        """Proves the image by `other`'s weights against `case`'s keys: whether the verifier accepts it, and what was done."""


def total_bytes(*paths: Path) -> int:
    """Sizes of files, added up."""
    return sum(path.stat().st_size for path in paths)
