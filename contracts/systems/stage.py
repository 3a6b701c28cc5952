"""Where a story plays: eight funded accounts, a clock that goes as fast as told, and a record of who did what.

The embedded chain, or a development node (anvil) that knows `evm_increaseTime`, `anvil_mine` and `anvil_setBalance`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.artifact import Artifact, load
from zkpredict.contracts.chain.evm import ACCOUNTS, FUNDS, EmbeddedChain, account_key
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt, Reverted

if TYPE_CHECKING:
    from zkpredict.contracts.chain.rpc import RpcChain

SOURCES = Path(__file__).with_name("solidity")


class StoryFailed(Exception):
    """A story that did not end as told: somebody was not refused, or money is missing."""


@dataclass(frozen=True)
class Event:
    """One thing that happened: who, what, gas when it was a transaction, and the label of its row in `gas.csv`.

    `zeros` counts the zero bytes among the call's random bytes: the row is what it costs without any.
    """

    who: str
    what: str
    gas: int | None = None
    label: str = ""
    zeros: int = 0


@dataclass
class Stage:
    """`say` is called with each event as it happens. `artifacts` gives compiled contracts by name."""

    chain: Chain
    cast: Sequence[str] = ()
    say: Callable[[Event], None] = lambda event: None
    artifacts: Callable[[str], Artifact] = load
    events: list[Event] = field(default_factory=list)
    contracts: list[Contract] = field(default_factory=list)
    _accounts: dict[int, Chain] = field(default_factory=dict)

    def account(self, who: str | int) -> Chain:
        """The chain signed for by a member of the cast, or by account 0 to 7."""
        number = who if isinstance(who, int) else self._number(who)
        if number not in self._accounts:
            self._accounts[number] = self._open(number)
        return self._accounts[number]

    def address(self, who: str | int) -> str:
        return self.account(who).sender

    def key(self, who: str | int) -> bytes:
        """The signing key of a member of the cast: worth nothing outside stories."""
        return account_key(who if isinstance(who, int) else self._number(who)).to_bytes()

    def deploy(self, who: str, name: str, *arguments: Any, vault: bool = False, label: str = "") -> Contract:
        """Deploys a shipped contract. A `vault` must owe exactly what it has when the story ends."""
        contract, receipt = Contract.deploy(self.account(who), self.artifacts(name), *arguments)
        if vault:
            self.contracts.append(contract)
        self.tell(who, f"deploys {name} at {contract.address}", receipt.gas_used, label)
        return contract

    def contract_at(self, name: str, address: str) -> Contract:
        """A deployed contract by its artefact's name."""
        return Contract(self.chain, address, self.artifacts(name))

    def act(
        self,
        who: str,
        what: str,
        contract: Contract,
        function: str,
        *arguments: Any,
        value: int = 0,
        label: str = "",
        random: Sequence[bytes] = (),
    ) -> Receipt:
        """A transaction by a member of the cast. `label` names its row in `gas.csv`. Raises `Reverted`.

        `random` are the parts of its calldata that differ from run to run: proofs, ids of new models, times.
        """
        receipt = contract.by(self.account(who)).transact(function, *arguments, value=value)
        self.tell(who, what, receipt.gas_used, label, sum(part.count(0) for part in random))
        return receipt

    def tell(self, who: str, what: str, gas: int | None = None, label: str = "", zeros: int = 0) -> None:
        event = Event(who, what, gas, label, zeros)
        self.events.append(event)
        self.say(event)

    def refuses(self, who: str, what: str, error: str, act: Callable[[], object]) -> None:
        """Passes when `act` is refused with this error. Raises `StoryFailed` when it is not."""
        try:
            act()
        except Reverted as refusal:
            if refusal.name != error:
                raise StoryFailed(f"{who} {what}: expected {error}, and {refusal}") from None
            self.tell(who, f"{what}: refused, {refusal.name}({', '.join(map(str, refusal.arguments))})")
            return
        raise StoryFailed(f"{who} {what}: this was not refused, expected {error}")

    def wait(self, seconds: int) -> None:
        """Lets time pass until a new block is at least `seconds` after the latest."""
        if isinstance(self.chain, EmbeddedChain):
            self.chain.advance(seconds)
            self.chain.mine()
        else:
            self._node("evm_increaseTime", hex(seconds))
            self._node("anvil_mine", "0x1")

    def mine(self, blocks: int) -> None:
        """Makes blocks without transactions."""
        if isinstance(self.chain, EmbeddedChain):
            self.chain.mine(blocks)
        else:
            self._node("anvil_mine", hex(blocks))

    @property
    def now(self) -> int:
        """Time of the latest block, seconds since 1970."""
        return self.chain.block().timestamp

    def balance(self, who: str | int | Contract) -> int:
        return self.chain.balance(who.address if isinstance(who, Contract) else self.address(who))

    def withdraw_all(self) -> None:
        """Everybody in the cast takes its credit out of every vault."""
        for contract in self.contracts:
            for who in self.cast:
                credit = contract.call("credit", self.address(who))
                if credit:
                    self.act(who, f"withdraws {ether(credit)}", contract, "withdraw", label="withdraw")

    def check_vaults(self) -> list[tuple[str, int, int]]:
        """Name, debts and balance of every vault. Raises `StoryFailed` unless each owes exactly what it has."""
        found = [(c.artifact.name, c.call("owed"), self.balance(c)) for c in self.contracts]
        for name, owed, balance in found:
            if owed != balance:
                raise StoryFailed(f"{name} owes {owed} wei and has {balance}")
        return found

    def _number(self, who: str) -> int:
        if who not in self.cast or self.cast.index(who) >= ACCOUNTS:
            raise UnusableInput(f"{who} is not among the first {ACCOUNTS} of the cast: {', '.join(self.cast)}")
        return self.cast.index(who)

    def _open(self, number: int) -> Chain:
        if isinstance(self.chain, EmbeddedChain):
            return self.chain.account(number)
        chain = self._rpc().signed_with(account_key(number).to_bytes())
        self._node("anvil_setBalance", chain.sender, hex(FUNDS))
        return chain

    def _node(self, method: str, *params: object) -> None:
        self._rpc().ask(method, *params)

    def _rpc(self) -> RpcChain:
        from zkpredict.contracts.chain.rpc import RpcChain

        if not isinstance(self.chain, RpcChain):
            raise UnusableInput("a story plays on the embedded chain, or on a development node")
        return self.chain


def source_line(file: str, text: str) -> int:
    """The line of `systems/solidity/FILE` that holds `text`. Raises `StoryFailed` unless there is exactly one."""
    lines = (SOURCES / file).read_text(encoding="utf-8").splitlines()
    first = text.splitlines()[0]
    found = [number for number, line in enumerate(lines, 1) if first in line]
    if len(found) != 1:
        raise StoryFailed(f"{file} has {len(found)} lines with {first!r}, expected 1")
    return found[0]


def ether(wei: int) -> str:
    """An amount for people: in ether when that is short, else in wei."""
    whole, rest = divmod(wei, 10**18)
    text = f"{whole}.{rest:018d}".rstrip("0").rstrip(".")
    return f"{text} ether" if len(text) <= 12 else f"{wei:,} wei"
