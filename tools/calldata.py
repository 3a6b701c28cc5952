"""Mutated calldata against the verifier contracts, in a real node (anvil, from npm) by batches of `eth_call`.

Nothing but the honest statement may be answered by true; whatever is not true must be false or a revert that the ABI names, or
the ABI decoder's own empty one: never an exceptional halt.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property

from zkpredict.tools.fuzz import ACCEPTED, CRASHED, Corpus, mutated
from zkpredict.circuits.field import MODULUS
from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.compile import node_modules
from zkpredict.contracts.chain.precompiles import FIELD_PRIME
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_proof
from zkpredict.contracts.verifier.generate import artifact, universal_artifact
from zkpredict.kernel import G1
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import VerificationError
from zkpredict.verifier.native import parse_proof

BATCH = 100
GAS, TRANSACTION_GAS = 30_000_000, 15_000_000
SECONDS = 60
FUNCTIONS = ("verify", "verifyOrRevert")
TRUE, FALSE = (1).to_bytes(32, "big"), bytes(32)
SAME_CALL = "same statement and proof"
"""Calldata that differs only where the ABI decoder does not look: the padding behind image and proof."""


@dataclass(frozen=True)
class Calls:
    """Honest calldata of both functions, all of one length, and where their parts lie."""

    contract: Artifact
    corpus: Corpus
    image_at: int
    proof_at: int
    proof_bytes: int

    @classmethod
    def of(cls, corpus: Corpus, check: FinalCheck, universal: bool = False) -> Calls:
        circuit = ModelCommitment.from_bytes(corpus.statements[0].commitment, G1.from_compressed).circuit
        image_at = 4 + 4 * 32 + 32
        padded = -(-circuit.inputs // 32) * 32
        return cls(universal_artifact(check) if universal else artifact(circuit, check), corpus, image_at, image_at + padded + 32, check.proof_bytes())

    @property
    def check(self) -> FinalCheck:
        return next(check for check in FinalCheck if check.proof_bytes() == self.proof_bytes)

    def encode(self, function: str, image: bytes, proof: bytes) -> bytes:
        """Calldata for a proof file's bytes. Raises `VerificationError` when they are no proof."""
        parsed = parse_proof(proof)
        return self.contract.encode(function, parsed.model_id, image, parsed.digit, onchain_proof(parsed, self.check))

    @cached_property
    def all_honest(self) -> tuple[bytes, ...]:
        """Calldata of every honest statement, for each function."""
        return tuple(self.encode(name, s.image, s.proof) for s in self.corpus.statements for name in FUNCTIONS)

    def honest(self, chance: random.Random) -> bytes:
        """Calldata of an honest statement."""
        return chance.choice(self.all_honest)

    def means(self, data: bytes) -> tuple[bytes, ...]:
        """What the contract reads of calldata that is laid out like an honest one."""
        inputs = self.proof_at - 32 - self.image_at
        image = data[self.image_at : self.image_at + inputs][: int.from_bytes(data[self.image_at - 32 : self.image_at], "big")]
        return data[4:132], image, data[self.proof_at - 32 : self.proof_at + self.proof_bytes]


Mutation = Callable[[random.Random, Calls], bytes]


def mutated_proof(chance: random.Random, calls: Calls) -> bytes:
    """A mutant of `zkpredict.tools.fuzz` that is still a list of valid points and scalars, as the contract takes it."""
    while True:
        _, statement = mutated(calls.corpus, chance.getrandbits(60))
        try:
            return calls.encode(chance.choice(FUNCTIONS), statement.image, statement.proof)
        except VerificationError:
            continue


def flipped_bits(chance: random.Random, calls: Calls) -> bytes:
    data = bytearray(calls.honest(chance))
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(4, len(data))] ^= 1 << chance.randrange(8)
    return bytes(data)


def other_word(chance: random.Random, calls: Calls) -> bytes:
    """One word becomes another one of the calldata, zero, ones, the orders of the groups, or any."""
    data = calls.honest(chance)
    at, source = (4 + 32 * chance.randrange((len(data) - 4) // 32) for _ in range(2))
    values = (data[source : source + 32], bytes(32), b"\xff" * 32, MODULUS.to_bytes(32, "big"), chance.randbytes(32))
    return data[:at] + chance.choice(values) + data[at + 32 :]


def other_length(chance: random.Random, calls: Calls) -> bytes:
    data = calls.honest(chance)
    cut = data[: chance.choice((chance.randrange(len(data)), chance.randrange(200), len(data) - 1))]
    return chance.choice((cut, data + chance.randbytes(chance.randint(1, 64)), data + data[4:]))


def other_offset(chance: random.Random, calls: Calls) -> bytes:
    """The head words that say where image and proof lie, and the words with their lengths."""
    data = calls.honest(chance)
    at = chance.choice((36, 100, calls.image_at - 32, calls.proof_at - 32))
    value = int.from_bytes(data[at : at + 32], "big")
    choices = (0, 1, value - 32, value + 32, value - 1, value + 1, (1 << 256) - 32, 1 << 64, 1 << 255, chance.getrandbits(12))
    return data[:at] + (chance.choice(choices) % (1 << 256)).to_bytes(32, "big") + data[at + 32 :]


def coordinate(chance: random.Random, calls: Calls) -> bytes:
    """A coordinate of a point that is not canonical, not on the curve, zero, or another point's."""
    data, points = calls.honest(chance), 14
    at, source = (calls.proof_at + 48 * chance.randrange(points) for _ in range(2))
    value = int.from_bytes(data[at : at + 48], "big")
    others = int.from_bytes(data[source : source + 48], "big")
    choices = (value + FIELD_PRIME, FIELD_PRIME - value, FIELD_PRIME, value ^ 1, 0, (1 << 384) - 1, others)
    return data[:at] + (chance.choice(choices) % (1 << 384)).to_bytes(48, "big") + data[at + 48 :]


def scalar(chance: random.Random, calls: Calls) -> bytes:
    """A scalar plus the order, or any other."""
    data = calls.honest(chance)
    at = calls.proof_at + 7 * 96 + 32 * chance.randrange(5)
    value = int.from_bytes(data[at : at + 32], "big")
    choices = (value + MODULUS, MODULUS - value, value + 1, chance.getrandbits(255), MODULUS, 0)
    return data[:at] + (chance.choice(choices) % (1 << 256)).to_bytes(32, "big") + data[at + 32 :]


def infinity(chance: random.Random, calls: Calls) -> bytes:
    """One or more points become zero, as EIP-2537 writes the point at infinity."""
    data = calls.honest(chance)
    for number in chance.sample(range(7), chance.randint(1, 7)):
        at = calls.proof_at + 96 * number
        data = data[:at] + bytes(96) + data[at + 96 :]
    return data


def noise(chance: random.Random, calls: Calls) -> bytes:
    """The right selector, head and lengths before random bytes; or random bytes throughout."""
    data = calls.honest(chance)
    keep = chance.choice((4, 36, 132, calls.image_at, calls.proof_at))
    return data[:keep] + chance.randbytes(len(data) - keep)


MUTATIONS: tuple[Mutation, ...] = (
    *(mutated_proof, flipped_bits, other_word, other_length, other_offset, coordinate, scalar, infinity, noise),
)


def mutated_call(calls: Calls, seed: int) -> tuple[str, bytes]:
    """Mutant number `seed`; never honest calldata."""
    chance = random.Random(seed)
    mutation = MUTATIONS[seed % len(MUTATIONS)]
    while True:
        data = mutation(chance, calls)
        if data not in calls.all_honest:
            return mutation.__name__, data


class Node:
    """A running anvil that knows one verifier contract and its models."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.contract = ""

    def request(self, calls: list[tuple[str, list]]) -> list[dict]:
        """A batch of JSON-RPC calls; the answers in order."""
        body = [{"jsonrpc": "2.0", "id": n, "method": method, "params": params} for n, (method, params) in enumerate(calls)]
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10 * SECONDS)
        connection.request("POST", "/", json.dumps(body), {"Content-Type": "application/json"})
        answers = json.loads(connection.getresponse().read())
        connection.close()
        return sorted(answers, key=lambda answer: answer["id"])

    def one(self, method: str, *params: object) -> object:
        """One call that must succeed."""
        (answer,) = self.request([(method, list(params))])
        if "result" not in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def transact(self, **transaction: str) -> dict:
        """Sends a transaction of the node's own account and returns its receipt."""
        sender = self.one("eth_accounts")[0]
        name = self.one("eth_sendTransaction", {"from": sender, "gas": hex(TRANSACTION_GAS)} | transaction)
        deadline = time.monotonic() + SECONDS
        while (receipt := self.one("eth_getTransactionReceipt", name)) is None and time.monotonic() < deadline:
            time.sleep(0.05)
        if receipt is None or receipt["status"] != "0x1":
            raise RuntimeError(f"transaction failed: {receipt}")
        return receipt

    def deploy(self, calls: Calls) -> None:
        """The verifier, and every model of the corpus."""
        self.contract = self.transact(data=f"0x{calls.contract.creation_code().hex()}")["contractAddress"]
        commitments = sorted({statement.commitment for statement in calls.corpus.statements})
        parsed = [ModelCommitment.from_bytes(commitment, G1.from_compressed) for commitment in commitments]
        universal = calls.contract.name == universal_artifact(calls.check).name
        for circuit in {found.circuit for found in parsed} if universal else ():
            self.transact(to=self.contract, data=f"0x{calls.contract.encode('registerCircuit', circuit.to_bytes()).hex()}")
        for found in parsed:
            rows = b"".join(row.to_uncompressed() for row in found.rows)
            data = calls.contract.encode("register", *((found.circuit.digest, rows) if universal else (rows,)))
            self.transact(to=self.contract, data=f"0x{data.hex()}")

    def call(self, batch: list[bytes]) -> list[dict]:
        """`eth_call` with each calldata."""
        calls = [{"to": self.contract, "data": f"0x{data.hex()}", "gas": hex(GAS)} for data in batch]
        return self.request([("eth_call", [call, "latest"]) for call in calls])


@contextmanager
def running_node() -> Iterator[Node]:
    """anvil under Prague rules on a free loopback port, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    binary = node_modules() / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    options = ["--host", "127.0.0.1", "--port", str(port), "--hardfork", "prague", "--silent", "--accounts", "1"]
    process = subprocess.Popen([binary, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    node, deadline = Node(port), time.monotonic() + SECONDS
    try:
        while True:
            try:
                node.one("eth_chainId")
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)
        yield node
    finally:
        process.terminate()
        process.wait()


def outcome(calls: Calls, data: bytes, answer: dict, honest: set[tuple[bytes, ...]]) -> str:
    """What the contract made of `data`: an error's name, `false`, `no reason`, or what must not be."""
    function = next((name for name in FUNCTIONS if data[:4] == calls.contract.encode(name, bytes(32), b"", 0, b"")[:4]), None)
    if "error" in answer:
        revert = answer["error"].get("data")
        if answer["error"].get("code") != 3 or not isinstance(revert, str):
            return "no reason" if "revert" in answer["error"]["message"] else f"{CRASHED} ({answer['error']['message']})"
        name = calls.contract.decode_error(bytes.fromhex(revert[2:]))[0]
        return name or ("no reason" if revert == "0x" else f"{CRASHED} (unknown revert {revert[:10]})")
    result = bytes.fromhex(answer["result"][2:])
    if function is None:
        return "another function"
    if function == "verify" and result == FALSE:
        return "false"
    if result == (TRUE if function == "verify" else b""):
        return SAME_CALL if calls.means(data) in honest else ACCEPTED
    return f"{CRASHED} ({function} returned {result[:40].hex()})"


def fuzz_calldata(
    corpus: Corpus, count: int, check: FinalCheck = FinalCheck.POINT_EVALUATION, universal: bool = False
) -> Counter[tuple[str, str]]:
    """Counts (mutation, outcome) of `count` mutants. Raises `RuntimeError` when the contract refuses honest calldata."""
    calls, found = Calls.of(corpus, check, universal), Counter()
    honest = {calls.means(data) for data in calls.all_honest}
    with running_node() as node:
        node.deploy(calls)
        for data, answer in zip(calls.all_honest, node.call(list(calls.all_honest)), strict=True):
            if outcome(calls, data, answer, honest) != SAME_CALL:
                raise RuntimeError(f"honest calldata is refused: {answer}")
        for start in range(0, count, BATCH):
            mutants = [mutated_call(calls, seed) for seed in range(start, min(start + BATCH, count))]
            for (name, data), answer in zip(mutants, node.call([data for _, data in mutants]), strict=True):
                found[name, outcome(calls, data, answer, honest)] += 1
    return found
