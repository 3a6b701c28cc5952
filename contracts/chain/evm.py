"""An EVM inside this process: py-evm under the Prague rules, one block per transaction, nothing to install or start.

Transactions are real: signed (EIP-1559), charged for base cost and calldata with the floor of EIP-7623, and bound by the
code limits of EIP-170 and EIP-3860. The chain starts the same way every time, so the list of what was sent to it is its
whole state: `history` is that list, and `EmbeddedChain.replay` brings it back.

Randomness repeats too: `prevrandao` (EIP-4399) is the hash of the parent block's. Anyone can compute it ahead, which no
real chain allows: contracts are tried here, not drawn. Hashes of the last 8,191 blocks lie where EIP-2935 puts them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, cast

import rlp

from eth.abc import BlockHeaderAPI, ComputationAPI, MiningChainAPI, SignedTransactionAPI, StateAPI, VirtualMachineAPI
from eth.chains.base import MiningChain
from eth.constants import CREATE_CONTRACT_ADDRESS
from eth.db.atomic import AtomicDB
from eth.exceptions import PyEVMError, Revert, VMError
from eth.vm.forks.prague import PragueVM
from eth.vm.forks.prague.computation import PragueComputation
from eth.vm.forks.prague.constants import HISTORY_SERVE_WINDOW, HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CONTRACT_CODE
from eth.vm.forks.prague.state import PragueState
from eth.vm.forks.prague.transactions import PragueTransactionBuilder
from eth.vm.spoof import SpoofTransaction
from eth_keys.datatypes import PrivateKey
from eth_keys.exceptions import BadSignature
from eth_typing import Address, BlockNumber
from eth_utils import ValidationError, keccak, to_canonical_address
from rlp.exceptions import RLPException

from zkpredict.contracts.artifact import address_text
from zkpredict.contracts.chain.interface import Block, ChainError, Log, Receipt, Reverted, check_limits
from zkpredict.contracts.chain.precompiles import NATIVE

CHAIN_ID = 1337
BLOCK_GAS = 36_000_000
BLOCK_SECONDS = 12
ACCOUNTS = 8
FUNDS = 10**24
GENESIS_SECONDS = 1_746_612_311
"""The Prague fork's activation on mainnet, as seconds since 1970: the embedded chain's clock starts there."""
MAX_BLOCKS = 100_000
"""How many blocks `mine` makes at once."""
_LAST_SECOND = (1 << 63) - 1
_FIRST_RANDAO = keccak(text="zkpredict embedded chain")
_BASE_FEE = 10**9

Precompile = Callable[[ComputationAPI], object]
"""Reads `computation.msg.data`, charges `computation.consume_gas`, sets `computation.output` or raises `eth.exceptions.VMError`."""


@dataclass(frozen=True)
class Sent:
    """One step of a chain's history: how many seconds passed before it, and the raw signed transaction."""

    seconds: int
    raw: bytes


@dataclass(frozen=True)
class Mined:
    """Another step of a history: how many seconds passed before it, and how many blocks without transactions came."""

    seconds: int
    blocks: int


Step = Sent | Mined


@dataclass
class _Node:
    """The one chain that several accounts share."""

    chain: MiningChainAPI
    history: list[Step] = field(default_factory=list)
    logs: list[Log] = field(default_factory=list)
    waited: int = 0


class EmbeddedChain:
    """`Chain` on py-evm. `precompiles` adds to or replaces Prague's, by 20-byte address; without it, the curve operations that
    proofs use run natively (`curves.NATIVE`) and all others by py-evm."""

    def __init__(self, precompiles: Mapping[bytes, Precompile] | None = None) -> None:
        self._node = _Node(_genesis(_prague(NATIVE if precompiles is None else precompiles)))
        self._key = account_key(0)

    @classmethod
    def replay(cls, history: Iterable[Step], precompiles: Mapping[bytes, Precompile] | None = None) -> EmbeddedChain:
        """A fresh chain after everything in `history`. Raises `ChainError` when a step does not fit."""
        chain = cls(precompiles)
        for step in history:
            chain.advance(step.seconds)
            if isinstance(step, Mined):
                chain.mine(step.blocks)
                continue
            try:
                transaction = PragueTransactionBuilder.decode(step.raw)
            except (RLPException, PyEVMError, ValidationError, ValueError, TypeError) as error:
                raise ChainError(f"step {len(chain.history)} of the history is no transaction: {type(error).__name__}") from None
            with suppress(Reverted):
                chain._apply(transaction)
        return chain

    @property
    def history(self) -> tuple[Step, ...]:
        """Everything sent to this chain since its start, failed transactions too, and the empty blocks between."""
        return tuple(self._node.history)

    @property
    def chain_id(self) -> int:
        return CHAIN_ID

    @property
    def sender(self) -> str:
        return self._key.public_key.to_checksum_address()

    def account(self, number: int) -> EmbeddedChain:
        """The same chain, signed for by funded account `number` (0 to 7), for contracts that tell their callers apart."""
        if not 0 <= number < ACCOUNTS:
            raise ChainError(f"the embedded chain has accounts 0 to {ACCOUNTS - 1}, not {number}")
        other = object.__new__(EmbeddedChain)
        other._node, other._key = self._node, account_key(number)
        return other

    def advance(self, seconds: int) -> None:
        """Lets `seconds` more pass before the next transaction's block than the usual 12; calls, which run as in the
        block 12 seconds after the latest, do not see it before.

        Raises `ChainError` for a time that no block can have.
        """
        node = self._node
        if seconds < 0 or node.chain.header.timestamp + node.waited + seconds > _LAST_SECOND:
            raise ChainError("the embedded chain's clock only goes forward, and stays below 2^63 seconds")
        node.waited += seconds

    def mine(self, blocks: int = 1) -> None:
        """Makes `blocks` blocks without transactions, 12 seconds apart; the first comes after what `advance` let pass.

        Raises `ChainError` for less than one or more than 100,000 of them.
        """
        if not 1 <= blocks <= MAX_BLOCKS:
            raise ChainError(f"the embedded chain mines 1 to {MAX_BLOCKS:,} blocks at once, not {blocks}")
        node = self._node
        waited = node.waited
        if node.chain.header.timestamp + waited + blocks * BLOCK_SECONDS > _LAST_SECOND:
            raise ChainError("the embedded chain's clock stays below 2^63 seconds")
        for _ in range(blocks):
            self._open_block()
            node.chain.mine_block()
            node.waited = 0
        node.history.append(Mined(waited, blocks))

    def block(self, number: int | None = None) -> Block:
        """Block `number`, the latest without one. Raises `ChainError` when there is none yet."""
        chain = self._node.chain
        head = chain.get_canonical_head()
        if number is not None and not 0 <= number <= head.block_number:
            raise ChainError(f"the embedded chain has blocks 0 to {head.block_number}, not {number}")
        header = head if number is None else chain.get_canonical_block_header_by_number(BlockNumber(number))
        return Block(header.block_number, header.timestamp, rlp.encode(header))

    def deploy(self, code: bytes, *, value: int = 0, gas: int | None = None) -> Receipt:
        check_limits(True, code, gas)
        return self._send(CREATE_CONTRACT_ADDRESS, code, value, gas)

    def transact(self, to: str, data: bytes, *, value: int = 0, gas: int | None = None) -> Receipt:
        check_limits(False, data, gas)
        return self._send(to_canonical_address(to), data, value, gas)

    def call(self, to: str, data: bytes, *, gas: int | None = None) -> bytes:
        return bytes(self._run(to, data, gas).output)

    def call_gas(self, to: str, data: bytes) -> int:
        """Gas of the execution alone when `to` is called with `data`: no base cost, no calldata."""
        return self._run(to, data, None).get_gas_used()

    def code(self, address: str) -> bytes:
        return self._vm().state.get_code(to_canonical_address(address))

    def balance(self, address: str) -> int:
        """Wei at `address`, of an account or of a contract that is paid."""
        return self._vm().state.get_balance(to_canonical_address(address))

    def logs(self, address: str, topics: Sequence[bytes] = ()) -> list[Log]:
        wanted = tuple(topics)
        return [log for log in self._node.logs if log.address == address and log.topics[: len(wanted)] == wanted]

    def _vm(self) -> VirtualMachineAPI:
        """The machine on top of the latest block."""
        chain = self._node.chain
        return chain.get_vm(chain.get_canonical_head())

    def _run(self, to: str, data: bytes, gas: int | None) -> ComputationAPI:
        vm = self._vm()
        sender = to_canonical_address(self.sender)
        unsigned = PragueTransactionBuilder.create_unsigned_transaction(
            nonce=vm.state.get_nonce(sender),
            gas_price=_BASE_FEE,
            gas=BLOCK_GAS if gas is None else gas,
            to=to_canonical_address(to),
            value=0,
            data=data,
        )
        with vm.in_costless_state() as state:
            _feed_history(state, vm.get_header())
            try:
                computation = state.costless_execute_transaction(SpoofTransaction(unsigned, from_=sender))  # type: ignore[arg-type]  # it stands in for one
            except ValidationError as error:
                raise ChainError(f"the embedded chain cannot run this call: {error}") from None
        if computation.is_error:
            raise _reverted(computation)
        return computation

    def _send(self, to: bytes, data: bytes, value: int, gas: int | None) -> Receipt:
        unsigned = PragueTransactionBuilder.new_unsigned_dynamic_fee_transaction(
            chain_id=CHAIN_ID,
            nonce=self._vm().state.get_nonce(to_canonical_address(self.sender)),
            max_priority_fee_per_gas=0,
            max_fee_per_gas=100 * _BASE_FEE,
            gas=BLOCK_GAS - 1_000_000 if gas is None else gas,
            to=Address(to),
            value=value,
            data=data,
            access_list=(),
        )
        return self._apply(unsigned.as_signed_transaction(self._key))

    def _open_block(self) -> None:
        """Starts the next block as every Prague block starts: with its parent's hash in the history contract (EIP-2935)."""
        chain = self._node.chain
        header = chain.header
        header = header.copy(timestamp=header.timestamp + self._node.waited)
        state = chain.get_vm(header).state
        _feed_history(state, chain.get_canonical_head())
        state.persist()
        chain.header = header.copy(state_root=state.state_root)

    def _apply(self, transaction: SignedTransactionAPI) -> Receipt:
        node = self._node
        chain = node.chain
        start = chain.header
        self._open_block()
        try:
            _, receipt, computation = chain.apply_transaction(transaction)
            chain.mine_block()
        except (ValidationError, PyEVMError, BadSignature) as error:
            chain.header = start
            raise ChainError(f"the embedded chain refuses the transaction: {error}") from None
        node.history.append(Sent(node.waited, transaction.encode()))
        node.waited = 0
        name = f"0x{transaction.hash.hex()}"
        if computation.is_error:
            raise _reverted(computation, receipt.gas_used, name)
        created = address_text(computation.msg.storage_address) if computation.msg.is_create else None
        logs = tuple(
            Log(address_text(log.address), tuple(topic.to_bytes(32, "big") for topic in log.topics), log.data)
            for log in receipt.logs
        )
        node.logs.extend(logs)
        return Receipt(name, receipt.gas_used, created, logs)


def _feed_history(state: StateAPI, parent: BlockHeaderAPI) -> None:
    """What every block does before its first transaction (EIP-2935); py-evm does it for imported blocks only."""
    slot = parent.block_number % HISTORY_SERVE_WINDOW
    state.set_storage(HISTORY_STORAGE_ADDRESS, slot, int.from_bytes(parent.hash, "big"))


@cache
def account_key(number: int) -> PrivateKey:
    """The signing key of embedded account `number`. Anyone can derive it: it is worth nothing on any other chain."""
    return PrivateKey(keccak(text=f"zkpredict embedded account {number}"))


def _prague(precompiles: Mapping[bytes, Precompile]) -> type[PragueVM]:
    together: dict[Any, Any] = {**PragueComputation.get_precompiles(), **precompiles}
    computation = type("EmbeddedComputation", (PragueComputation,), {"_precompiles": together})
    state = type("EmbeddedState", (PragueState,), {"computation_class": computation})
    header = staticmethod(_next_header)
    return type("EmbeddedVM", (PragueVM,), {"_state_class": state, "create_header_from_parent": header})


def _next_header(parent: BlockHeaderAPI | None, **fields: object) -> BlockHeaderAPI:
    """The header after `parent`: py-evm would take the time of day and drift the gas limit, and history must repeat."""
    if parent is not None:
        usual = {"timestamp": parent.timestamp + BLOCK_SECONDS, "gas_limit": BLOCK_GAS, "mix_hash": keccak(parent.mix_hash)}
        fields = usual | fields
    return PragueVM.create_header_from_parent(parent, **fields)


def _genesis(machine: type[PragueVM]) -> MiningChainAPI:
    chain = MiningChain.configure(__name__="EmbeddedPrague", vm_configuration=((0, machine),), chain_id=CHAIN_ID)
    header: dict[str, Any] = {
        "difficulty": 0,
        "gas_limit": BLOCK_GAS,
        "timestamp": GENESIS_SECONDS,
        "base_fee_per_gas": _BASE_FEE,
        "coinbase": b"\x00" * 20,
        "mix_hash": _FIRST_RANDAO,
    }
    accounts: dict[Any, Any] = {
        account_key(n).public_key.to_canonical_address(): {"balance": FUNDS, "nonce": 0, "code": b"", "storage": {}}
        for n in range(ACCOUNTS)
    }
    history = {"balance": 0, "nonce": 1, "code": HISTORY_STORAGE_CONTRACT_CODE, "storage": {}}
    found = chain.from_genesis(AtomicDB(), header, accounts | {HISTORY_STORAGE_ADDRESS: history})
    return cast(MiningChainAPI, found)


def _reverted(computation: ComputationAPI, gas_used: int | None = None, transaction: str | None = None) -> Reverted:
    error: VMError = computation.error
    halt = "" if isinstance(error, Revert) else f"{type(error).__name__}: {error}"
    return Reverted(bytes(computation.output), halt=halt, gas_used=gas_used, transaction=transaction)
