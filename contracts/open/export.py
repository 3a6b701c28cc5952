"""A network as one self-contained Solidity file, for people who deploy with their own tools, and a manifest that explains it.

The file holds the predictor, one contract for each piece of weights (creating it stores the data as its code), and last the
network itself, whose constructor takes the addresses of the weights in order and checks their code.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from zkpredict.circuits.networks.exact import ExactNetwork
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.open import exact, packed
from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.open.weights import data_code, data_hash

FORMAT = "zkpredict solidity export 1"
_HEX_WIDTH = 96


@dataclass(frozen=True)
class SolidityExport:
    """The Solidity text and its manifest, a JSON-ready dictionary."""

    source: str
    manifest: dict[str, Any]


def export_packed(network: IntegerNetwork) -> SolidityExport:
    """The integer network as `PackedPredictor` and its weights. Raises `UnsupportedNetwork`."""
    layout = packed.plan(network)
    hashes = [data_hash(chunk) for chunk in layout.chunks]
    source = _join(
        [_shipped("PackedKernels"), _shipped("PackedActivations"), _shipped("PackedPredictor"), _shipped("PackedDeployer")],
        [_weights(number, chunk) for number, chunk in enumerate(layout.chunks)],
        f"""/// The network {network.name}: create it with the addresses of {_named(len(hashes))}. It runs as `PackedPredictor`.
contract Network is PackedDeployer {{
    constructor(address[] memory weights) PackedDeployer(_head(), weights, _hashes(), {_word(layout.trailer)}) {{}}

    function _head() private pure returns (bytes memory) {{
        return {_hex(layout.head)};
    }}

{_hash_function(hashes)}}}
""",
    )
    return SolidityExport(source, _manifest("packed", network, network.to_bytes(), layout.chunks, packed.predictor()))


def export_exact(network: ExactNetwork) -> SolidityExport:
    """The 10^8 network as `ExactPredictor` and its weights. Raises `UnsupportedNetwork`."""
    layout = exact.plan(network)
    chunks = tuple(data for data, _ in layout.segments)
    rows = [count for _, count in layout.segments]
    source = _join(
        [_shipped("ExactPredictor")],
        [_weights(number, chunk) for number, chunk in enumerate(chunks)],
        f"""/// Where the weights are: create it with the addresses of {_named(len(chunks))}.
contract Index {{
    constructor(address[] memory weights) {{
        bytes memory data = abi.encodePacked(uint8(0), {_hex(layout.head)});
        uint256[{len(rows)}] memory rows = [{', '.join(f'uint256({count})' for count in rows)}];
        for (uint256 i = 0; i < rows.length; i++) {{
            data = abi.encodePacked(data, uint256(uint160(weights[i])) | (rows[i] << 160));
        }}
        // Plain equivalent: `data` is this contract's code. Solidity has no way to say it.
        assembly ("memory-safe") {{
            return(add(data, 32), mload(data))
        }}
    }}
}}

/// The network {network.name}: create it with the address of `Index`. It runs as `ExactPredictor`.
contract Network is ExactPredictor {{
    constructor(address index_) ExactPredictor(index_, index_.codehash, _hashes()) {{}}

{_hash_function([data_hash(chunk) for chunk in chunks])}}}
""",
    )
    return SolidityExport(source, _manifest("exact", network, network.to_bytes(), chunks, exact.predictor()))


def _shipped(name: str) -> str:
    """A shipped source without its licence, version and import lines."""
    text = files("zkpredict.contracts.open").joinpath("solidity", f"{name}.sol").read_text(encoding="utf-8")
    skipped = ("// SPDX", "pragma ", "import ")
    return "\n".join(line for line in text.splitlines() if not line.startswith(skipped)).strip() + "\n"


def _join(sources: list[str], weights: list[str], network: str) -> str:
    version = packed.predictor().compiler
    head = f"// SPDX-License-Identifier: MIT\npragma solidity {version};\n\n// Made by zkpredict: it holds every weight, for all to see.\n"
    return "\n".join([head, *sources, *weights, network])


def _weights(number: int, data: bytes) -> str:
    return f"""contract Weights{number} {{
    constructor() {{
        bytes memory code = {_hex(data_code(data))};
        // Plain equivalent: `code` is this contract's code. Solidity has no way to say it.
        assembly ("memory-safe") {{
            return(add(code, 32), mload(code))
        }}
    }}
}}
"""


def _hash_function(hashes: list[bytes]) -> str:
    lines = "".join(f"        hashes[{number}] = {_word(value)};\n" for number, value in enumerate(hashes))
    return f"""    function _hashes() private pure returns (bytes32[] memory hashes) {{
        hashes = new bytes32[]({len(hashes)});
{lines}    }}
"""


def _hex(data: bytes) -> str:
    """A Solidity literal, in lines of 96 digits (neighbouring literals are one)."""
    digits = data.hex()
    lines = [digits[start : start + _HEX_WIDTH] for start in range(0, len(digits), _HEX_WIDTH)] or [""]
    return "\n            ".join(f'hex"{line}"' for line in lines)


def _word(value: bytes) -> str:
    return f'bytes32(hex"{value.hex()}")'


def _named(count: int) -> str:
    return "no weights, an empty list" if count == 0 else "`Weights0`" if count == 1 else f"`Weights0` to `Weights{count - 1}`, in order"


def _manifest(
    mode: str, network: IntegerNetwork | ExactNetwork, data: bytes, chunks: tuple[bytes, ...], predictor: Artifact
) -> dict[str, Any]:
    weights = [f"Weights{number}" for number in range(len(chunks))]
    index = [{"create": "Index", "arguments": [weights]}] if mode == "exact" else []
    return {
        "format": FORMAT,
        "read_me": (
            "Create the contracts of Network.sol in the order of `deploy`, then talk to Network with `abi`. Arguments name "
            "contracts made before. The weights are public on-chain."
        ),
        "mode": mode,
        "network": network.name,
        "shape": list(network.shape),
        "network_sha256": hashlib.sha256(data).hexdigest(),
        "compiler": {"solc": predictor.compiler, "settings": predictor.settings},
        "deploy": [
            *({"create": name, "arguments": []} for name in weights),
            *index,
            {"create": "Network", "arguments": ["Index"] if mode == "exact" else [weights]},
        ],
        "weights": [
            {"contract": name, "bytes": len(chunk), "code_hash": f"0x{data_hash(chunk).hex()}"}
            for name, chunk in zip(weights, chunks, strict=True)
        ],
        "abi": list(predictor.abi),
    }
