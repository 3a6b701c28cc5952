"""Competitions from Python: how a contest is set up, what entrants seal. Contracts: `solidity/contest`."""

from __future__ import annotations

from dataclasses import astuple, dataclass
from typing import Any

from eth_abi import encode

from zkpredict.contracts.systems.seals import derive_salt, seal

ENTRY = "zkpredict entry"
JUDGED_ENTRY = "zkpredict judged entry"
PART = "zkpredict part"
PHASES = ("OPEN", "REVEAL", "TEST", "CLAIM", "PROVE", "AGAIN", "DONE")
JUDGED_PHASES = ("OPEN", "REVEAL", "JUDGE", "RANK", "DONE")


@dataclass(frozen=True)
class Params:
    """A model contest. Amounts in wei; six deadlines in seconds since 1970; `owners` of the parts of the test, at most eight."""

    prediction: str
    by_answers: bool
    min_rule: bool
    min_parts: int
    per_part: int
    input_bytes: int
    stake: int
    claim_bond: int
    part_bond: int
    deadlines: tuple[int, ...]
    owners: tuple[str, ...]

    @property
    def argument(self) -> tuple[Any, ...]:
        """As the contract takes it."""
        return astuple(self)


@dataclass(frozen=True)
class Panel:
    """A judged contest. Amounts in wei; four deadlines; judges as pairs of owner and model, 1, 3 or 5."""

    prediction: str
    input_bytes: int
    most_entries: int
    fee: int
    bond: int
    deadlines: tuple[int, ...]
    judges: tuple[tuple[str, bytes], ...]

    @property
    def argument(self) -> tuple[Any, ...]:
        """As the contract takes it."""
        return astuple(self)


@dataclass(frozen=True)
class Sealing:
    """Seals of one account for one contest; salts come from its key, so nothing has to be kept."""

    key: bytes
    who: str
    chain_id: int
    contract: str
    number: int

    def salt(self, kind: str) -> bytes:
        """The salt of the account's seal of a kind."""
        return derive_salt(self.key, kind, self.chain_id, self.contract, self.number)

    def model(self, model: bytes) -> bytes:
        """The seal of a model, 32 bytes."""
        return self._seal(ENTRY, encode(["bytes32"], [model]))

    def input(self, data: bytes) -> bytes:
        """The seal of an input of a judged contest."""
        return self._seal(JUDGED_ENTRY, data)

    def _seal(self, kind: str, payload: bytes) -> bytes:
        return seal(kind, self.chain_id, self.contract, self.number, self.who, payload, self.salt(kind))
