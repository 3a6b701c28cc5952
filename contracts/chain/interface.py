"""What every EVM chain offers here: creation and message transactions with their gas, and calls that change nothing.

`zkpredict.contracts.chain.evm` runs one inside this process (py-evm, Prague rules), `zkpredict.contracts.chain.rpc` talks to any node.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.artifact import Artifact
from zkpredict.verifier.costs import BASE_GAS

MAX_CODE_BYTES = 24_576
"""Largest code of a contract (EIP-170)."""
MAX_INITCODE_BYTES = 49_152
"""Largest code of a creation transaction (EIP-3860)."""


class ChainError(UnusableInput):
    """The chain cannot take a transaction or a call: no connection, no funds, too little gas, code too large."""


@dataclass(frozen=True)
class Log:
    """One event record: emitting address, topics of 32 bytes each, ABI-encoded data."""

    address: str
    topics: tuple[bytes, ...]
    data: bytes


@dataclass(frozen=True)
class Block:
    """A block's number, its time in seconds since 1970, and its header as RLP, whose keccak256 is the block's hash."""

    number: int
    timestamp: int
    header: bytes


@dataclass(frozen=True)
class Receipt:
    """A transaction that succeeded. `gas_used` is what the sender paid for: base, calldata (EIP-7623), execution, refunds.

    `contract` is the address that a creation transaction made, None for all others.
    """

    transaction: str
    gas_used: int
    contract: str | None
    logs: tuple[Log, ...]

    @property
    def created(self) -> str:
        """The address of the contract that it made. Raises `ChainError` when it made none."""
        if self.contract is None:
            raise ChainError(f"transaction {self.transaction} made no contract")
        return self.contract


class Reverted(Exception):
    """A transaction or a call that failed on-chain.

    `data` is what the contract returned, `name` and `arguments` the custom error in it (`Error` and `Panic` for Solidity's
    own), both empty when there is none or nobody knows its ABI. `halt` is the machine's own word when it was no revert:
    out of gas, an invalid opcode. `gas_used` is set when a transaction was paid for.
    """

    def __init__(
        self,
        data: bytes,
        *,
        halt: str = "",
        gas_used: int | None = None,
        transaction: str | None = None,
        name: str = "",
        arguments: tuple[Any, ...] = (),
    ) -> None:
        self.data, self.halt, self.gas_used, self.transaction = data, halt, gas_used, transaction
        self.name, self.arguments = name, arguments
        shown = f"{name}({', '.join(map(_shown, arguments))})" if name else halt or (f"0x{data.hex()}" if data else "no reason")
        super().__init__(f"the contract refused: {shown}")

    def named(self, artifact: Artifact) -> Reverted:
        """The same failure, its data decoded with the custom errors of `artifact`."""
        name, arguments = artifact.decode_error(self.data)
        return Reverted(
            self.data, halt=self.halt, gas_used=self.gas_used, transaction=self.transaction, name=name, arguments=arguments
        )


class Chain(Protocol):
    """A chain and the account that signs for it. Addresses are checksummed hex, amounts in wei, gas in units of gas."""

    @property
    def chain_id(self) -> int:
        """What signatures are bound to (EIP-155)."""

    @property
    def sender(self) -> str:
        """The address that signs and pays."""

    def deploy(self, code: bytes, *, value: int = 0, gas: int | None = None) -> Receipt:
        """Sends a creation transaction with init code `code`. Raises `Reverted`, `ChainError`."""

    def transact(self, to: str, data: bytes, *, value: int = 0, gas: int | None = None) -> Receipt:
        """Sends a transaction to `to`. Raises `Reverted` with the revert data, `ChainError`."""

    def call(self, to: str, data: bytes, *, gas: int | None = None) -> bytes:
        """What `to` returns for `data` on top of the latest block; nothing is kept. Raises `Reverted`, `ChainError`."""

    def code(self, address: str) -> bytes:
        """The code at `address`, empty for an account without any."""

    def balance(self, address: str) -> int:
        """Wei at `address`."""

    def block(self, number: int | None = None) -> Block:
        """Block `number`, the latest without one. Raises `ChainError` when there is none."""

    def logs(self, address: str, topics: Sequence[bytes] = ()) -> list[Log]:
        """The event records of `address` whose first topics are these, oldest first."""


@dataclass(frozen=True)
class Contract:
    """A deployed contract: its functions by name, arguments as Python values, errors by their Solidity names."""

    chain: Chain
    address: str
    artifact: Artifact

    @classmethod
    def deploy(cls, chain: Chain, artifact: Artifact, *arguments: Any, gas: int | None = None) -> tuple[Contract, Receipt]:
        """Creates the contract with its constructor's `arguments`."""
        try:
            receipt = chain.deploy(artifact.creation_code(*arguments), gas=gas)
        except Reverted as refusal:
            raise refusal.named(artifact) from None
        return cls(chain, receipt.created, artifact), receipt

    def call(self, function: str, *arguments: Any, gas: int | None = None) -> Any:
        """The value a function returns (a tuple when it returns several, None when none), changing nothing."""
        try:
            output = self.chain.call(self.address, self.artifact.encode(function, *arguments), gas=gas)
        except Reverted as refusal:
            raise refusal.named(self.artifact) from None
        return self.artifact.decode(function, output)

    def transact(self, function: str, *arguments: Any, value: int = 0, gas: int | None = None) -> Receipt:
        """Sends a transaction that runs a function, and gives its receipt."""
        try:
            return self.chain.transact(self.address, self.artifact.encode(function, *arguments), value=value, gas=gas)
        except Reverted as refusal:
            raise refusal.named(self.artifact) from None

    def by(self, chain: Chain) -> Contract:
        """The same contract, signed for by another account or seen through another chain client."""
        return Contract(chain, self.address, self.artifact)

    def events(self, receipt: Receipt) -> list[tuple[str, dict[str, Any]]]:
        """Name and arguments of the events this contract emitted in a transaction, in order."""
        return [self.artifact.decode_event(log.topics, log.data) for log in receipt.logs if log.address == self.address]

    def history(self, event: str, number: int | None = None) -> list[dict[str, Any]]:
        """The arguments of every event of this name so far, oldest first; with `number` of those about that object, its first topic."""
        topics = [self.artifact.topic(event)] if number is None else [self.artifact.topic(event), number.to_bytes(32, "big")]
        return [self.artifact.decode_event(log.topics, log.data)[1] for log in self.chain.logs(self.address, topics)]


def check_limits(code: bool, data: bytes, gas: int | None) -> None:
    """Refuses what no Prague node mines: creation `code` above EIP-3860's size, a gas limit below EIP-7623's calldata floor."""
    if code and len(data) > MAX_INITCODE_BYTES:
        raise ChainError(f"creation code is {len(data)} bytes, EIP-3860 allows {MAX_INITCODE_BYTES}")
    floor = calldata_floor(data)
    if gas is not None and gas < floor:
        raise ChainError(f"the gas limit {gas} is below {floor}, the floor of its calldata (EIP-7623)")


def calldata_floor(data: bytes) -> int:
    """The least gas a transaction with this data is charged, 10 gas a token, a zero byte one token, others four (EIP-7623)."""
    return BASE_GAS + 10 * (4 * len(data) - 3 * data.count(0))


def _shown(argument: Any) -> str:
    return f"0x{argument.hex()}" if isinstance(argument, bytes) else str(argument)
