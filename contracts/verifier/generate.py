"""Writes the Solidity of the shipped verifiers and compiles them: `python -m zkpredict.contracts.verifier.generate`.

`--check` compares with what is there and fails on a difference. The source of a verifier depends on its circuit alone; the
artefacts on the sources, the pinned compiler and `SETTINGS`. A verifier of any other circuit is made by
`artifact(circuit, check)`, which needs the compiler (`npm ci`) for shapes that do not ship; `universal_artifact(check)` serves them all.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import replace
from functools import cache
from importlib.resources import files
from pathlib import Path

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.batch.layout import BatchCircuit, DenseBatch
from zkpredict.circuits.batch.registered import RegisteredBatch
from zkpredict.circuits.files.storage import write_atomically
from zkpredict.circuits.layout import DOMAINS, NARROW, WIDE, Circuit
from zkpredict.circuits.placement import AnyCircuit, compact
from zkpredict.circuits.convolution.chain import contract_refusal
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.compile import Settings, compile_sources
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.publics import UnsupportedShape
from zkpredict.contracts.verifier.second.source import second_name, second_source
from zkpredict.contracts.verifier.source import GENERATED, SOURCES, contract_name, source
from zkpredict.contracts.verifier.testsets import TEST_SETS, test_sets_source
from zkpredict.contracts.verifier.universal import universal_name, universal_source
from zkpredict.contracts.verifier.wide import batches
from zkpredict.contracts.verifier.wide.numbers import is_large, registry_of, replica_refusal, wide_name
from zkpredict.contracts.verifier.wide.scores import score_name, score_source
from zkpredict.contracts.verifier.wide.source import wide_source

SHARED_SOURCES = ("IVerifier.sol", "DataContracts.sol", "ModelRegistry.sol")
WIDE_SOURCES = ("IVerifier.sol", "DataContracts.sol", "RowStore.sol")
UNIVERSAL_SOURCES = (*SHARED_SOURCES, "CircuitRegistry.sol")
CONSUMER = "PaidPrediction"
WIDE_INTERFACE = "IWideVerifier"
"""Of the verifiers of wide circuits, none of which ships: what they answer to, so that only deploying one needs a compiler."""
BATCH_INTERFACE = "IWideBatchVerifier"
"""The same of the verifiers of batches."""
SCORE_INTERFACE = "IWideScoreVerifier"
"""The same of the verifiers of scores on registered test sets."""
HAND_WRITTEN = (CONSUMER, WIDE_INTERFACE, BATCH_INTERFACE, SCORE_INTERFACE)
"""What ships compiled and is not generated."""
SHIPPED_CIRCUITS: tuple[Circuit | SecondCircuit, ...] = (
    *(Circuit((784, 64, 10), (NARROW, WIDE), domain) for domain in DOMAINS),
    SecondCircuit((784, 64, 10), (NARROW,)),
)
SHIPPED = tuple((circuit, check) for circuit in SHIPPED_CIRCUITS for check in FinalCheck)
SETTINGS = {
    "evmVersion": "prague",
    "viaIR": False,
    "optimizer": {"enabled": True, "runs": 1_000_000},
    "metadata": {"bytecodeHash": "none", "appendCBOR": False},
}
"""Without the IR pipeline: it writes the field order out at every use, which takes the code over 24,576 bytes."""
SHORT_RUNS = 200
"""For the verifiers of large wide circuits, whose code would otherwise not fit."""


def artifact(circuit: AnyCircuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Artifact:
    """The compiled verifier of a circuit: the shipped one, else compiled now. Raises `UnusableInput` without a compiler."""
    if (circuit, check) in SHIPPED:
        return shipped(compact_name(circuit, check))
    return _compiled(circuit, check)


def universal_artifact(check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Artifact:
    """The compiled verifier that serves every compact circuit."""
    return shipped(universal_name(check))


@cache
def shipped(name: str) -> Artifact:
    """The shipped artefact called `name`. Raises `UnusableInput` when there is none."""
    resource = files("zkpredict.contracts.verifier").joinpath("generated", f"{name}.json")
    if not resource.is_file():
        raise UnusableInput(f"no compiled contract is called {name}")
    return Artifact.from_json(resource.read_text(encoding="utf-8"))


@cache
def _compiled(circuit: AnyCircuit, check: FinalCheck) -> Artifact:
    if isinstance(circuit, WideCircuit):
        if reason := contract_refusal(circuit) if isinstance(circuit, ConvCircuit) else replica_refusal(circuit):
            raise UnusableInput(f"no contract checks proofs in this circuit: {reason}; verify off the chain")
        if isinstance(circuit, BatchCircuit):
            try:
                batch = batches.check_batch(circuit)
            except UnsupportedShape as error:
                raise UnusableInput(f"no contract checks these proofs: {error}") from None
            if isinstance(batch, RegisteredBatch):
                return compile_sources(score_sources(batch, check), _settings(short=True))[score_name(batch, check)]
            return compile_sources(batch_sources(batch, check), _settings(short=True))[batches.batch_name(batch, check)]
        name = wide_name(circuit, check)
        return compile_sources(wide_sources(circuit, check), _settings(short=is_large(circuit)))[name]
    name = compact_name(circuit, check)
    return compile_sources(_with_shared({f"{name}.sol": compact_source(circuit, check)}), _settings())[name]


def compact_name(circuit: AnyCircuit, check: FinalCheck) -> str:
    """What the verifier of a compact circuit of either edition is called."""
    return second_name(circuit, check) if isinstance(circuit, SecondCircuit) else contract_name(compact(circuit, "shipped contracts"), check)


def compact_source(circuit: Circuit | SecondCircuit, check: FinalCheck) -> str:
    """Its Solidity file."""
    return second_source(circuit, check) if isinstance(circuit, SecondCircuit) else source(circuit, check)


def wide_sources(circuit: WideCircuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> dict[str, str]:
    """The verifier of a wide circuit with the hand-written sources that it imports."""
    shared = (*WIDE_SOURCES, f"{registry_of(circuit)}.sol")
    return {name: hand_written(name) for name in shared} | {f"{wide_name(circuit, check)}.sol": wide_source(circuit, check)}


def batch_sources(circuit: DenseBatch, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> dict[str, str]:
    """The verifier of batches of one size with the hand-written sources that it imports."""
    shared = ("IBatchVerifier.sol", "DataContracts.sol", "RowStore.sol", f"{registry_of(circuit)}.sol")
    return {name: hand_written(name) for name in shared} | {f"{batches.batch_name(circuit, check)}.sol": batches.batch_source(circuit, check)}


def score_sources(circuit: RegisteredBatch, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> dict[str, str]:
    """The verifier of scores on sets of one size with the hand-written sources that it imports."""
    shared = ("IScoreVerifier.sol", "ITestSets.sol", "DataContracts.sol", "RowStore.sol", f"{registry_of(circuit)}.sol")
    return {name: hand_written(name) for name in shared} | {f"{score_name(circuit, check)}.sol": score_source(circuit, check)}


def sources() -> dict[str, str]:
    """The generated Solidity files by name."""
    own = {f"{compact_name(circuit, check)}.sol": compact_source(circuit, check) for circuit, check in SHIPPED}
    return own | {f"{universal_name(check)}.sol": universal_source(check) for check in FinalCheck} | {f"{TEST_SETS}.sol": test_sets_source()}


def artifacts() -> dict[str, str]:
    """The artefact files by name, compiled from freshly generated sources. Each also has the sha256 of the sources it is made of."""
    texts = {}
    for file, text in [*sources().items(), *((f"{name}.sol", hand_written(f"{name}.sol")) for name in HAND_WRITTEN)]:
        name = file.removesuffix(".sol")
        used = _with_shared({file: text})
        data = json.loads(compile_sources(used, _settings())[name].to_json())
        data["sources"] = {part: hashlib.sha256(content.encode()).hexdigest() for part, content in sorted(used.items())}
        texts[f"{name}.json"] = json.dumps(data, indent=1) + "\n"
    return texts


def _settings(*, short: bool = False) -> Settings:
    """The compiler's; `short` trades gas for code."""
    optimizer = {"enabled": True, "runs": SHORT_RUNS}
    return replace(Settings.load(), settings=SETTINGS | ({"optimizer": optimizer} if short else {}))


_OWN_IMPORTS = {
    WIDE_INTERFACE: ("IVerifier.sol", "IWideRegistry.sol"), BATCH_INTERFACE: ("IBatchVerifier.sol", "IWideRegistry.sol"),
    SCORE_INTERFACE: ("IScoreVerifier.sol", "ITestSets.sol", "IWideRegistry.sol"), TEST_SETS: ("ITestSets.sol",),
}  # fmt: skip
"""What contracts import that import nothing of what the others share."""


def _with_shared(more: dict[str, str]) -> dict[str, str]:
    """A contract with the hand-written sources that it imports."""
    for name, own in _OWN_IMPORTS.items():
        if f"{name}.sol" in more:
            return {file: hand_written(file) for file in own} | more
    universal = {f"{universal_name(check)}.sol" for check in FinalCheck} & more.keys()
    return {name: hand_written(name) for name in (UNIVERSAL_SOURCES if universal else SHARED_SOURCES)} | more


def hand_written(name: str) -> str:
    """A Solidity file that the generated ones import, or the consumer."""
    return (SOURCES / name).read_text(encoding="utf-8")


def _wanted() -> dict[Path, str]:
    written = {GENERATED / name: text for name, text in sources().items()}
    return written | {GENERATED / name: text for name, text in artifacts().items()}


def main(argv: list[str] | None = None) -> int:
    """Writes all files, or compares them with `--check`: 0 when all is current, 1 when not, 2 when it cannot be said."""
    parser = argparse.ArgumentParser(prog="python -m zkpredict.contracts.verifier.generate", description=__doc__.split(":")[0])
    parser.add_argument("--check", action="store_true", help="compare with the files instead of writing them")
    arguments = parser.parse_args(argv)
    try:
        wanted = _wanted()
    except UnusableInput as error:
        print(error, file=sys.stderr)
        return 2
    if arguments.check:
        stale = [path.name for path, text in wanted.items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
        print("\n".join(f"{name} is stale" for name in stale) or "all verifiers are current")
        return 1 if stale else 0
    GENERATED.mkdir(exist_ok=True)
    for path, text in wanted.items():
        write_atomically(path, text.encode())
        print(path.name)
    return 0


if __name__ == "__main__":
    sys.exit(main())
