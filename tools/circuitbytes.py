"""Circuit bytes, mutated and at random around the limits, to the universal verifier in a real node and to the Python parser.

Both must give one verdict, the contract by an error that its ABI names, and for what both take the digest that Python computes.
"""

from __future__ import annotations

import random
from collections import Counter

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.layout import DOMAINS, NARROW, WIDE, Circuit
from zkpredict.contracts.verifier.generate import universal_artifact
from zkpredict.tools.calldata import BATCH, Node, running_node
from zkpredict.tools.fuzz import ACCEPTED, CRASHED

AGREED, TAKEN, DIFFERENT = "both refuse", "both take it", f"{ACCEPTED} by one only"
_WIDTHS = (1, 2, 5, 6, 9, 10, 11, 20, 40, 41, 80, 81, 160, 161)
_INPUTS = (1, 31, 32, 33, 784, 1021, 1022, 1023, 2045, 2046, 2047)
_BYTES = (0, 1, 2, 3, 4, 8, 16, 17, 18, 33, 128, 255)


def circuit_bytes(seed: int) -> bytes:
    """Mutant number `seed`: a circuit around the limits, mostly with a byte or two changed, cut off or added."""
    chance = random.Random(seed)
    layers = chance.choice((1, 1, 2, 2, 3, 4, 6, 14, 15, 16))
    widths = (chance.choice(_INPUTS), *(chance.choice(_WIDTHS if layers < 5 else _WIDTHS[:6]) for _ in range(layers)))
    lanes = [chance.choice((NARROW, WIDE)) for _ in range(layers - 1)] + [WIDE]
    head = b"zkpC\x01" + chance.choice(DOMAINS).to_bytes(2, "little") + bytes([layers])
    data = bytearray(head + b"".join(width.to_bytes(4, "little") for width in widths) + bytes(lanes))
    for _ in range(chance.choice((0, 0, 1, 1, 2))):
        data[chance.randrange(len(data))] = chance.choice((*_BYTES, chance.randrange(256)))
    return bytes(data[: chance.randrange(len(data))] if chance.random() < 0.05 else data + chance.randbytes(chance.random() < 0.05))


def parsed(data: bytes) -> Circuit | None:
    """The circuit that the Python parser reads of `data`."""
    reader = ByteReader(data, "circuit")
    try:
        circuit = Circuit.read(reader)
        reader.finish()
    except MalformedFile:
        return None
    return circuit


def outcome(data: bytes, answer: dict) -> str:
    """What the two made of `data`."""
    circuit = parsed(data)
    if "error" not in answer:
        return TAKEN if circuit is not None and answer["result"] == f"0x{circuit.digest.hex()}" else DIFFERENT
    revert = answer["error"].get("data")
    name = universal_artifact().decode_error(bytes.fromhex(revert[2:]))[0] if isinstance(revert, str) else ""
    if not name:
        return f"{CRASHED} ({answer['error']['message']})"
    return f"{AGREED}: {name}" if circuit is None else DIFFERENT


def fuzz_circuit_bytes(count: int) -> Counter[tuple[str, str]]:
    """Counts (placement of the bytes, outcome) of `count` mutants."""
    contract, found = universal_artifact(), Counter[tuple[str, str]]()
    with running_node() as node:
        node.contract = _deployed(node)
        for start in range(0, count, BATCH):
            mutants = [circuit_bytes(seed) for seed in range(start, min(start + BATCH, count))]
            answers = node.call([contract.encode("registerCircuit", data) for data in mutants])
            for data, answer in zip(mutants, answers, strict=True):
                found["circuit", outcome(data, answer)] += 1
    return found


def _deployed(node: Node) -> str:
    return node.transact(data=f"0x{universal_artifact().creation_code().hex()}")["contractAddress"]
