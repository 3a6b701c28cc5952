"""Claims and games in plain Python: the same states, clocks and money as `Claims.sol`, told apart from it.

A model of the game, not of the machine: `run` says what a step gives from a state, or None where nobody can show that state.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from eth_utils import keccak
from world import BURNED, Refused


@dataclass
class ModelGame:
    claim: int
    challenger: str
    last: int
    span: tuple[int, int]
    states: list[bytes]
    left: dict[str, int]
    turn: str = "start"


@dataclass
class ModelClaim:
    asserter: str
    delegate: str
    until: int
    k: int
    bond: int
    steps: int
    ends: tuple[bytes, bytes]
    state: str = "open"


@dataclass
class ModelDisputes:
    """`moves_gas`, `round_gas` and `mid_gas` are those of the bond's formula."""

    window: int
    allowance: int
    increment: int
    price: int
    run: Callable[[int, bytes], bytes | None]
    claims: list[ModelClaim] = field(default_factory=list)
    games: list[ModelGame] = field(default_factory=list)
    held: dict[tuple[str, int], int] = field(default_factory=dict)
    credit: dict[str, int] = field(default_factory=dict)

    def game_bond(self, steps: int, k: int) -> int:
        rounds, reach = 0, 1
        while reach < steps:
            reach, rounds = reach * k, rounds + 1
        return 4 * self.price * (320_000 + rounds * (36_000 + 1_300 * k))

    def make(self, now: int, who: str, delegate: str, steps: int, k: int, ends: tuple[bytes, bytes], value: int) -> None:
        if not 2 <= k <= 64:
            raise Refused("WrongArity")
        if value < self.game_bond(steps, k):
            raise Refused("BondTooSmall")
        self.held["claim", len(self.claims)] = value
        self.claims.append(ModelClaim(who, delegate, now + self.window, k, value, steps, ends))

    def open_games(self, claim: int) -> int:
        return sum(game.claim == claim and not game.turn.endswith("won") for game in self.games)

    def is_final(self, now: int, claim: int) -> bool:
        found = self.claims[claim]
        return found.state == "final" or (found.state == "open" and now > found.until and not self.open_games(claim))

    def challenge(self, now: int, who: str, claim: int, value: int) -> None:
        found = self.claims[claim]
        if found.state != "open":
            raise Refused("NotOpen")
        if now > found.until:
            raise Refused("WindowClosed")
        if value != self.game_bond(found.steps, found.k):
            raise Refused("WrongPayment")
        self.held["game", len(self.games)] = value
        both = {"asserter": self.allowance, "challenger": self.allowance}
        self.games.append(ModelGame(claim, who, now, (0, found.steps), list(found.ends), both))

    def split(self, now: int, who: str, number: int, lo: bytes, hi: bytes, mids: list[bytes], value: int) -> None:
        game = self.games[number]
        claim = self.claims[game.claim]
        if who not in (claim.asserter, claim.delegate):
            raise Refused("NotYours")
        if game.turn not in ("start", "split"):
            raise Refused("WrongTurn")
        left = self._left(game, "asserter", now)
        if [lo, hi] != game.states:
            raise Refused("WrongPair")
        if len(mids) != min(claim.k, game.span[1] - game.span[0]) - 1:
            raise Refused("WrongCount")
        bond = self.game_bond(claim.steps, claim.k)
        if value != (bond if game.turn == "start" else 0):
            raise Refused("WrongPayment")
        self.held["game", number] += value
        game.left["asserter"], game.last, game.turn, game.states = left, now, "choose", [lo, *mids, hi]

    def choose(self, now: int, who: str, number: int, i: int, states: list[bytes]) -> None:
        game = self.games[number]
        if who != game.challenger:
            raise Refused("NotYours")
        if game.turn != "choose":
            raise Refused("WrongTurn")
        left = self._left(game, "challenger", now)
        if states != game.states:
            raise Refused("WrongPair")
        pieces = len(states) - 1
        if not 1 <= i <= pieces:
            raise Refused("WrongChoice")
        start, stop = game.span
        game.span = tuple(start + (stop - start) * j // pieces for j in (i - 1, i))
        game.states = states[i - 1 : i + 1]
        game.left["challenger"], game.last = left, now
        game.turn = "step" if game.span[1] - game.span[0] == 1 else "split"

    def prove(self, now: int, number: int, lo: bytes, hi: bytes) -> None:
        game = self.games[number]
        if game.turn != "step":
            raise Refused("WrongTurn")
        self._left(game, "asserter", now)
        if [lo, hi] != game.states:
            raise Refused("WrongPair")
        post = self.run(game.span[0], lo)
        if post is None:
            raise Refused("WrongState")
        self._over(number, post == hi)

    def timeout(self, now: int, number: int) -> None:
        game = self.games[number]
        if game.turn.endswith("won"):
            raise Refused("WrongTurn")
        side = "challenger" if game.turn == "choose" else "asserter"
        if now - game.last <= game.left[side] + self.increment:
            raise Refused("StillTime")
        self._over(number, side == "challenger")

    def finalize(self, now: int, claim: int) -> None:
        found = self.claims[claim]
        if found.state != "open":
            raise Refused("NotOpen")
        if now <= found.until:
            raise Refused("WindowOpen")
        if self.open_games(claim):
            raise Refused("GamesOpen")
        found.state = "final"
        self._pay(found.asserter, self.held.pop(("claim", claim)))

    def withdraw(self, who: str) -> None:
        if not self.credit.get(who):
            raise Refused("NoCredit")
        self.credit[who] = 0

    def _left(self, game: ModelGame, side: str, now: int) -> int:
        used = now - game.last
        if used > game.left[side] + self.increment:
            raise Refused("OutOfTime")
        return game.left[side] - max(0, used - self.increment)

    def _over(self, number: int, asserter_won: bool) -> None:
        game = self.games[number]
        claim = self.claims[game.claim]
        bond = self.game_bond(claim.steps, claim.k)
        pot = self.held.pop(("game", number))
        loser = pot - bond
        game.turn = "asserter won" if asserter_won else "challenger won"
        self._pay(claim.asserter if asserter_won else game.challenger, bond + loser // 2)
        self._pay(BURNED, loser - loser // 2)
        if not asserter_won and claim.state == "open":
            claim.state = "refuted"
            bond = self.held.pop(("claim", game.claim))
            self._pay(game.challenger, bond // 2)
            self._pay(BURNED, bond - bond // 2)

    def _pay(self, who: str, amount: int) -> None:
        self.credit[who] = self.credit.get(who, 0) + amount


def pair(states: list[bytes]) -> bytes:
    """The contract's name of a game's states: lo, hi, then those between."""
    lo, *mids, hi = states
    return keccak(b"".join((lo, hi, *mids)))
