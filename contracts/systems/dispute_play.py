"""Playing disputes: what an account may do now, what it loses by waiting, and a player that moves by itself.

The player keeps to one rule: state what its own run gives, and choose the first state that is not its own. If its run is the true
one, the pair of states in question is a true and a false one after each of its moves, and the last step decides for it.
"""

from __future__ import annotations

from dataclasses import dataclass


from zkpredict.circuits.errors import FalseClaim, UnusableInput
from zkpredict.contracts.chain.interface import Contract, Receipt
from zkpredict.contracts.systems.dispute import Claim, Game, State, Turn, cuts, stated
from zkpredict.contracts.systems.machine import Trace
from zkpredict.kernel import keccak256


@dataclass(frozen=True)
class Option:
    """What an account may do: a verb, until when (seconds since 1970, None for no end), and what it loses otherwise."""

    verb: str
    until: int | None
    otherwise: str


def phase(claim: Claim, now: int) -> str:
    """Where a claim is: open, disputed, waiting for games, final, refuted."""
    if claim.state is State.REFUTED:
        return "refuted: not shown, which is not the opposite"
    if claim.state is State.FINAL:
        return "final"
    if now <= claim.until:
        return f"open to challenges, {claim.open_games} games open"
    return "final, its bond not yet freed" if claim.open_games == 0 else f"closed to challenges, {claim.open_games} games open"


def claim_options(claim: Claim, now: int, account: str, game_bond: int) -> list[Option]:
    """What `account` may do about a claim at the time `now`."""
    if claim.state is not State.OPEN:
        return []
    if now <= claim.until:
        return [Option("challenge", claim.until, f"if it is false it becomes final; the bond of a game is {game_bond} wei")]
    if claim.open_games == 0:
        whose = "your" if account == claim.asserter else "the asserter's"
        return [Option("finalize", None, f"{whose} bond of {claim.bond} wei stays where it is; the claim is final anyhow")]
    return []


def game_options(game: Game, claim: Claim, now: int, account: str, increment: int) -> list[Option]:
    """What `account` may do about a game at the time `now`."""
    if game.turn.over:
        return []
    deadline = game.deadline(increment)
    asserts, challenges = account in (claim.asserter, claim.delegate), account == game.challenger
    if now > deadline:
        return [Option("timeout", None, f"nothing moves: {'the asserter' if game.turn is Turn.CHOOSE else 'the challenger'} has won")]
    loss = f"the game is lost and half of the bond of {game.bond} wei goes to the other side, half is burned"
    if game.turn is Turn.STEP:
        return [Option("prove", deadline, loss if asserts else "the asserter loses, unless somebody shows the step it states")]
    if game.turn is Turn.CHOOSE:
        return [Option("choose", deadline, loss)] if challenges else []
    if not asserts:
        return []
    first = f"the game is lost and, if it is the first, the claim and its bond of {claim.bond} wei"
    return [Option("split", deadline, first if game.turn is Turn.START else f"{loss}; so is the claim")]


@dataclass
class Player:
    """One account in games about one claim. `trace` is what it holds to be the run."""

    contract: Contract
    trace: Trace

    def move(self, number: int) -> tuple[str, Receipt] | None:
        """The move that this account has in a game now, or None: split, choose, prove, timeout. Raises `FalseClaim`, `Reverted`."""
        game = Game.read(self.contract, number)
        claim = Claim.read(self.contract, game.claim)
        if claim.steps != self.trace.program.steps:
            raise UnusableInput(f"claim {claim.number} is about {claim.steps} steps, this run has {self.trace.program.steps}")
        now = self.contract.chain.block().timestamp
        options = game_options(game, claim, now, self.contract.chain.sender, self.contract.call("increment"))
        if not options:
            return None
        moves = {"split": self.split, "choose": self.choose, "prove": self.prove, "timeout": self.timeout}
        return options[0].verb, moves[options[0].verb](number)

    def due_move(self, number: int) -> tuple[str, Receipt]:
        """The same, of a game that waits for this account. Raises `UnusableInput` for one that does not."""
        made = self.move(number)
        if made is None:
            raise UnusableInput(f"game {number} does not wait for {self.contract.chain.sender}")
        return made

    def split(self, number: int) -> Receipt:
        """The asserter's move: the states at the pieces' ends."""
        game, claim = self._read(number, Turn.START, Turn.SPLIT)
        lo, *mids, hi = (self.trace.state(t) for t in cuts(game.start, game.stop, claim.k))
        if game.pair != keccak256(lo + hi):
            raise FalseClaim(f"game {number}: this run is not the one that was claimed")
        value = game.bond if game.turn is Turn.START else 0
        return self.contract.transact("split", number, lo, hi, mids, value=value)

    def choose(self, number: int) -> Receipt:
        """The challenger's move: the first stated state that is not this run's. Raises `FalseClaim` when all of them are."""
        game, claim = self._read(number, Turn.CHOOSE)
        lo, hi, mids = stated(self.contract, game)
        for i, (t, state) in enumerate(zip(cuts(game.start, game.stop, claim.k)[1:], [*mids, hi], strict=True), 1):
            if self.trace.state(t) != state:
                return self.contract.transact("choose", number, i, lo, hi, mids)
        raise FalseClaim(f"game {number}: everything the asserter states is right, there is nothing to choose")

    def prove(self, number: int) -> Receipt:
        """Anybody's move: shows the step that is left. Raises `FalseClaim` when this run cannot show the state before it."""
        game, _ = self._read(number, Turn.STEP)
        lo, hi, _ = stated(self.contract, game)
        if self.trace.state(game.start) != lo:
            raise FalseClaim(f"game {number}: the state before step {game.start} is not one this run can show: wait for the clock")
        opening = self.trace.opening(game.start)
        return self.contract.transact("prove", number, lo, hi, opening.shown, *map(list, opening.paths))

    def timeout(self, number: int) -> Receipt:
        """Anybody's move: ends a game whose clock ran out."""
        return self.contract.transact("timeout", number)

    def _read(self, number: int, *turns: Turn) -> tuple[Game, Claim]:
        game = Game.read(self.contract, number)
        if game.turn not in turns:
            raise UnusableInput(f"game {number} is at {game.turn.name}, not at {turns[-1].name}")
        return game, Claim.read(self.contract, game.claim)
