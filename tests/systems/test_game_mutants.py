"""Changed games and claims are noticed: one script of moves, right and wrong ones, whose outcomes, states and money differ for each change."""

from __future__ import annotations

import pytest
from eth_utils import keccak
from system_guards import cut_board
from test_dispute_machine import IMAGE, NETWORK, TERMS
from world import BURNED

from zkpredict.contracts.chain.evm import BLOCK_SECONDS, EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.systems import dispute
from zkpredict.contracts.systems.dispute import Claim, Game, cuts
from zkpredict.contracts.systems.inference import Inference, output_depth
from zkpredict.contracts.systems.machine import FaultyTrace, Trace
from zkpredict.contracts.systems.program import SCRATCH
from zkpredict.contracts.systems.stories import Guard

GAME, CLAIMS = "dispute/BisectionGame.sol", "dispute/Claims.sol"
MUTANTS = (
    *(Guard(GAME, text, instead) for text, instead in (
        ("first ? Turn.START : Turn.SPLIT", "g.turn"),
        ("to - from < k ? to - from : k", "k"),
        ("if (mids.length != pieces - 1) revert WrongCount(mids.length, pieces - 1);", ""),
        ("_exactly(first ? g.bond : 0);", ""),
        ("g.pair = keccak256(abi.encodePacked(lo, hi, mids));", "g.pair = keccak256(abi.encode(lo, hi));"),
        ("if (msg.sender != g.challenger) revert NotYours(msg.sender, g.challenger);", ""),
        ("if (i == 0 || i > pieces) revert WrongChoice(i, pieces);", "if (i == 0) i = 1; else if (i > pieces) i = pieces;"),
        ("i == 1 ? lo : mids[i - 2]", "lo"),
        ("i == pieces ? hi : mids[i - 1]", "hi"),
        ("(from, to) = (_end(from, to, pieces, i - 1), _end(from, to, pieces, i));", "to = _end(from, to, pieces, i);"),
        ("to - from == 1 ? Turn.STEP : Turn.SPLIT", "to - from <= 2 ? Turn.STEP : Turn.SPLIT"),
        ("_clock(game, g, Turn.STEP, g.leftA);", ""),
        ("_over(game, g, post == hi);", "_over(game, g, post != hi);"),
        ("if (turn == Turn.NONE || turn > Turn.STEP) revert WrongTurn(game, turn, Turn.STEP);", ""),
        ("turn == Turn.CHOOSE ? g.leftC : g.leftA", "g.leftA"),
        ("if (used <= left) revert StillTime(used, left);", ""),
        ("if (used <= left) revert StillTime(used, left);", "if (used < left) revert StillTime(used, left);"),
        ("_over(game, g, turn == Turn.CHOOSE);", "_over(game, g, true);"),
        ("if (g.turn != turn) revert WrongTurn(game, g.turn, turn);", ""),
        ("if (used > uint256(left) + increment) revert OutOfTime(used, uint256(left) + increment);", "if (used > uint256(left) + increment) used = 0;"),
        ("if (used > uint256(left) + increment) revert OutOfTime(used, uint256(left) + increment);",
         "if (used >= uint256(left) + increment) revert OutOfTime(used, uint256(left) + increment);"),
        ("g.last = uint40(block.timestamp);", ""),
        ("used > increment ? left - uint24(used - increment) : left", "left"),
        ("if (g.pair != pair) revert WrongPair(pair, g.pair);", ""),
        ("g.turn != Turn.START", "true"),
        ("both ? bond + bond / 2 : bond", "bond"),
        ("asserterWon ? asserter : challenger", "challenger"),
        ("from + (to - from) * i / pieces", "from + (to - from) / pieces * i"),
    )),
    *(Guard(CLAIMS, text, instead) for text, instead in (
        ("if (claim >= _claims.length) return false;", ""),
        ("c.state == State.OPEN && block.timestamp > c.until && c.openGames == 0", "c.state == State.OPEN && block.timestamp > c.until"),
        ("c.state == State.OPEN && block.timestamp > c.until && c.openGames == 0", "c.state == State.OPEN && c.openGames == 0"),
        ("(left + k - 1) / k", "left / k"),
        ("4 * priceCap * (MOVES_GAS + rounds * (ROUND_GAS + k * MID_GAS))", "4 * priceCap * MOVES_GAS"),
        ("if (c.state != State.OPEN) revert NotOpen(claim, c.state);\n        if (block.timestamp > c.until) revert WindowClosed(block.timestamp, c.until);", "if (block.timestamp > c.until) revert WindowClosed(block.timestamp, c.until);"),
        ("if (block.timestamp > c.until) revert WindowClosed(block.timestamp, c.until);", ""),
        ("_exactly(bond);", ""),
        ("c.openGames++;", ""),
        ("if (c.state != State.OPEN) revert NotOpen(claim, c.state);\n        if (block.timestamp <= c.until) revert WindowOpen(block.timestamp, c.until);", "if (block.timestamp <= c.until) revert WindowOpen(block.timestamp, c.until);"),
        ("if (block.timestamp <= c.until) revert WindowOpen(block.timestamp, c.until);", ""),
        ("if (c.openGames != 0) revert GamesOpen(claim, c.openGames);", ""),
        ("c.state = State.FINAL;", ""),
        ("if (k < MIN_K || k > MAX_K) revert WrongArity(k, MIN_K, MAX_K);", "if (k < MIN_K) revert WrongArity(k, MIN_K, MAX_K);"),
        ("if (k < MIN_K || k > MAX_K) revert WrongArity(k, MIN_K, MAX_K);", "if (k > MAX_K) revert WrongArity(k, MIN_K, MAX_K);"),
        ("if (msg.value < least) revert BondTooSmall(msg.value, least);", ""),
        ("uint40(block.timestamp + window)", "uint40(block.timestamp)"),
        ("if (msg.sender != c.asserter && msg.sender != c.delegate) revert NotYours(msg.sender, c.asserter);", ""),
        ("msg.sender != c.asserter && msg.sender != c.delegate", "msg.sender != c.asserter"),
        ("c.openGames--;", ""),
        ("if (asserterWon || c.state != State.OPEN) return asserter;", "if (asserterWon) return asserter;"),
        ("if (asserterWon || c.state != State.OPEN) return asserter;", "if (c.state != State.OPEN) return asserter;"),
        ("c.state = State.REFUTED;", ""),
        ("_slash(_claimPurpose(claim), challenger, c.bond);", "_slash(_claimPurpose(claim), asserter, c.bond);"),
    )),
)  # fmt: skip

ASSERTER, DELEGATE, CHALLENGER, OTHER, STRANGER = range(5)
K = 4


class Noticed(Exception):
    """A call ended otherwise than it does on the contract as it is."""


class Script:
    """Plays the same games on a contract and notes how every call ends, and what the contract says after it. Given what is expected, it
    stops at the first difference."""

    def __init__(self, chain: EmbeddedChain, contract: Contract, model: bytes, honest: Trace, false: Trace, expected: list[object] | None = None) -> None:
        self.expected, self.first_claim = expected, contract.call("claims")
        self.chain, self.contract, self.model, self.honest, self.false = chain, contract, model, honest, false
        self.who = [chain.account(n).sender for n in range(5)]
        self.log: list[object] = []
        self.credits = self._credits()
        self.bond = contract.call("gameBond", honest.program.steps, K)

    def _credits(self) -> list[int]:
        return [self.contract.call("credit", who) for who in (*self.who, BURNED)]

    def _note(self, entry: object) -> None:
        self.log.append(entry)
        if self.expected is not None and (len(self.log) > len(self.expected) or self.expected[len(self.log) - 1] != entry):
            raise Noticed(f"{entry} at {len(self.log)}")

    def at(self, time: int) -> None:
        """The next call runs at this time."""
        self.chain.advance(max(0, time - self.chain.block().timestamp - BLOCK_SECONDS))

    def do(self, who: int, function: str, *arguments: object, value: int = 0) -> None:
        try:
            self.contract.by(self.chain.account(who)).transact(function, *arguments, value=value)
            ended = "done"
        except Reverted as refusal:
            ended = refusal.name or refusal.halt or "failed"
        money = [a - b for a, b in zip(self._credits(), self.credits)] if ended == "done" and function in ("prove", "timeout", "finalize") else []
        self._note((function, ended, self._state(function, arguments), money))

    def _state(self, function: str, arguments: tuple[object, ...]) -> tuple[object, ...]:
        """Of the game that the call was about, and of its claim; else of the latest claim, and whether it is final."""
        if function in ("split", "choose", "prove", "timeout"):
            g = Game.read(self.contract, arguments[0])
            c = Claim.read(self.contract, g.claim)
            return g.start, g.stop, g.turn, g.left_a, g.left_c, g.pair, c.state, c.open_games
        count = self.contract.call("claims")
        if count == self.first_claim:
            return (self.contract.call("isFinal", count),)
        c = Claim.read(self.contract, count - 1)
        finals = self.contract.call("isFinal", count - 1), self.contract.call("isFinal", count)
        return *finals, c.state, c.open_games, c.until - self.chain.block().timestamp

    def claim(self, trace: Trace, k: int = K, short: int = 0) -> int:
        words, path = trace.words(SCRATCH, 0, output_depth(trace.program), trace.program.steps)
        value = self.contract.call("gameBond", trace.program.steps, min(max(k, 2), 64)) - short
        self._note(value)
        self.do(ASSERTER, "assertPrediction", self.model, IMAGE.tobytes(), words, path, k, self.who[DELEGATE], value=value)
        return self.contract.call("claims") - 1

    def challenge(self, claim: int, who: int = CHALLENGER, more: int = 0) -> int:
        self.do(who, "challenge", claim, value=self.bond + more)
        return self.contract.call("games") - 1

    def split(self, game: int, trace: Trace, who: int = ASSERTER, *, first: bool = False, spoil: str = "") -> None:
        g = Game.read(self.contract, game)
        lo, hi = self.states[game]
        mids = [trace.state(t) for t in cuts(g.start, g.stop, K)[1:-1]]
        self.mids = mids
        sent = mids + [lo] if spoil == "count" else mids
        value = (self.bond if first else 0) + (spoil == "value")
        self.do(who, "split", game, keccak(lo) if spoil == "pair" else lo, hi, sent, value=value)

    def choose(self, game: int, i: int | None = None, who: int = CHALLENGER, pair: bool = True) -> None:
        """The first piece whose end is not the honest run's, unless another is named."""
        g = Game.read(self.contract, game)
        lo, hi = self.states[game]
        ends, states = cuts(g.start, g.stop, K), [lo, *self.mids, hi]
        right = next((n for n in range(1, len(ends)) if states[n] != self.honest.state(ends[n])), len(ends) - 1)
        chosen = right if i is None else i
        self.do(who, "choose", game, chosen, lo if pair else keccak(lo), hi, self.mids)
        if self.log[-1][1] == "done" and 1 <= chosen < len(ends):
            self.states[game] = states[chosen - 1], states[chosen]

    def prove(self, game: int, who: int = STRANGER) -> None:
        lo, hi = self.states[game]
        opening = self.honest.opening(min(Game.read(self.contract, game).start, self.honest.program.steps - 1))
        self.do(who, "prove", game, lo, hi, opening.shown, *map(list, opening.paths))

    def play(self) -> list[object]:
        self.states: dict[int, tuple[bytes, bytes]] = {}
        self._false_claim()
        self._true_claim()
        self._clocks()
        return self.log

    def _open(self, claim: int, trace: Trace, **named: int) -> int:
        game = self.challenge(claim, **named)
        self.states[game] = trace.state(0), trace.state(trace.program.steps)
        return game

    def _false_claim(self) -> None:
        """Everything that is refused on the way, two games that the asserter loses, and a third by time."""
        for k in (1, 65):
            self.claim(self.false, k)
        self.claim(self.false, short=1)
        claim = self.claim(self.false)
        self.challenge(claim, more=1)
        game, second, third = (self._open(claim, self.false, who=who) for who in (CHALLENGER, OTHER, OTHER))
        self.do(STRANGER, "finalize", claim)
        self.choose_nothing(game)
        self.split(game, self.false, STRANGER, first=True)
        for spoil in ("pair", "count", "value"):
            self.split(game, self.false, first=True, spoil=spoil)
        self.split(game, self.false, DELEGATE, first=True)
        self.split(game, self.false)
        self.prove(game)
        self.choose(game, who=STRANGER)
        self.choose(game, pair=False)
        for i in (0, K + 1):
            self.choose(game, i)
        self._to_the_step(game, self.false)
        self.do(STRANGER, "timeout", game)
        self.prove(game)
        self.do(STRANGER, "timeout", game)
        self.challenge(claim)
        self.split(second, self.false, first=True)
        self.choose(second, i=K, who=OTHER)
        self.do(STRANGER, "timeout", third)
        end = Game.read(self.contract, third).deadline(TERMS.increment)
        self.at(end)
        self.do(STRANGER, "timeout", third)
        self.do(STRANGER, "timeout", third)
        self.do(STRANGER, "timeout", second)
        self.do(STRANGER, "finalize", claim)

    def _to_the_step(self, game: int, trace: Trace, i: int | None = None, who: int = CHALLENGER) -> None:
        for _ in range(20):
            turn = Game.read(self.contract, game).turn
            if turn is dispute.Turn.CHOOSE:
                self.choose(game, i, who=who)
            elif turn is dispute.Turn.SPLIT:
                self.split(game, trace)
            else:
                return

    def choose_nothing(self, game: int) -> None:
        self.mids = []
        self.choose(game, 1)

    def _true_claim(self) -> None:
        """One challenger runs out of time, one is wrong to the last step; then the claim is final, to the second."""
        claim = self.claim(self.honest)
        until = Claim.read(self.contract, claim).until
        game, second = (self._open(claim, self.honest, who=who) for who in (CHALLENGER, OTHER))
        self.split(game, self.honest, first=True)
        late_mids = self.mids
        self.split(second, self.honest, first=True)
        self._to_the_step(second, self.honest, 1, OTHER)
        self.prove(second)
        self.mids = late_mids
        self.at(Game.read(self.contract, game).deadline(TERMS.increment) + 1)
        self.do(STRANGER, "timeout", game)
        self.at(until)
        late = self.challenge(claim)
        self.states[late] = self.honest.state(0), self.honest.state(self.honest.program.steps)
        self.do(STRANGER, "finalize", claim)
        self.challenge(claim)
        self.do(STRANGER, "finalize", claim)
        self.split(late, self.honest, first=True)
        self.at(Game.read(self.contract, late).deadline(TERMS.increment) + 1)
        self.do(STRANGER, "timeout", late)
        for _ in range(2):
            self.do(STRANGER, "finalize", claim)

    def _clocks(self) -> None:
        """What is left is counted down beyond the free seconds; the last second is still in time."""
        claim = self.claim(self.false)
        game = self._open(claim, self.false)
        self.at(Game.read(self.contract, game).last + TERMS.increment + 500)
        self.split(game, self.false, first=True)
        self.at(Game.read(self.contract, game).last + TERMS.increment + 700)
        self.choose(game, K)
        self.at(Game.read(self.contract, game).deadline(TERMS.increment))
        self.split(game, self.false)
        self.at(Game.read(self.contract, game).deadline(TERMS.increment))
        self.do(STRANGER, "timeout", game)
        self.choose(game)
        self.do(STRANGER, "timeout", game)


def boards_of(chain: EmbeddedChain) -> dict[Guard, tuple[Contract, tuple[Guard, ...]]]:
    """For each mutant a contract that has its switch: mutants whose texts overlap are in different contracts."""
    groups: list[list[Guard]] = []
    for mutant in MUTANTS:
        fitting = (group for group in groups if not any(_overlap(mutant, other) for other in group))
        group = next(fitting, None)
        if group is None:
            groups.append(group := [])
        group.append(mutant)
    machine, found = dispute.deploy_machine(chain).address, {}
    for group in groups:
        contract = Contract.deploy(chain, cut_board("PredictionClaims", tuple(group)), machine, *TERMS.arguments)[0]
        found |= dict.fromkeys(group, (contract, tuple(group)))
    return found


def _overlap(one: Guard, other: Guard) -> bool:
    return one.text in other.text + other.instead or other.text in one.text + one.instead


@pytest.fixture(scope="module")
def games():
    chain = EmbeddedChain()
    inference = Inference.of(NETWORK)
    honest = inference.trace(IMAGE)
    false = FaultyTrace(honest, 3)
    boards = boards_of(chain)
    models = {contract.address: dispute.register(contract, inference) for contract, _ in {c.address: (c, g) for c, g in boards.values()}.values()}

    def played(contract: Contract, mask: int, wanted: list[object] | None = None) -> list[object]:
        contract.transact("cut", mask)
        return Script(chain, contract, models[contract.address], honest, false, wanted).play()

    expected = {address: played(contract, 0) for address, contract in {c.address: c for c, _ in boards.values()}.items()}
    return boards, expected, played


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda guard: f"{guard.text[:50]} -> {guard.instead[:30]}")
def test_a_changed_game_is_noticed(games, mutant):
    boards, expected, played = games
    contract, group = boards[mutant]
    with pytest.raises((Noticed, Reverted)):
        played(contract, 1 << group.index(mutant), expected[contract.address])


def test_every_board_with_nothing_cut_plays_alike(games):
    boards, expected, played = games
    logs = list(expected.values())
    assert all(log == logs[0] for log in logs)
    contract, _ = next(iter(boards.values()))
    assert played(contract, 0, logs[0]) == logs[0]
    assert {entry[1] for entry in logs[0] if isinstance(entry, tuple)} >= {
        "done", "WrongTurn", "NotYours", "OutOfTime", "StillTime", "WrongPair", "WrongCount", "WrongChoice", "WrongPayment", "NotOpen", "WindowClosed",
        "WindowOpen", "GamesOpen", "BondTooSmall", "WrongArity",
    }  # fmt: skip


def test_a_window_that_is_too_short_is_refused():
    chain = EmbeddedChain()
    with pytest.raises(Reverted) as refusal:
        dispute.deploy(chain, dispute.Terms(window=TERMS.least_window - 1, least_window=TERMS.least_window))
    assert refusal.value.name == "WindowTooShort"
