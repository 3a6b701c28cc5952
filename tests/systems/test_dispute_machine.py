"""Claims and games against their model: random legal and illegal calls by five accounts, with time between them."""

from __future__ import annotations

import numpy as np
from eth_abi import encode
from eth_utils import keccak
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from model_dispute import ModelDisputes, pair
from world import BURNED, check_vault, machine_settings, same

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.systems import dispute
from zkpredict.contracts.systems.dispute import NOBODY, State, Terms, Turn, cuts
from zkpredict.contracts.systems.inference import Inference, output_depth
from zkpredict.contracts.systems.machine import FaultyTrace
from zkpredict.contracts.systems.program import SCRATCH

TERMS = Terms(window=4000, least_window=4000, allowance=2000, increment=200, price_cap=3)
NETWORK = IntegerNetwork((DenseLayer(np.array([[3, -2], [1, 4]]), np.array([5, -6])),))
IMAGE = np.array([7, 200], np.uint8)
WHO = st.integers(0, 4)
_TURNS = {"start": Turn.START, "split": Turn.SPLIT, "choose": Turn.CHOOSE, "step": Turn.STEP,
          "asserter won": Turn.ASSERTER_WON, "challenger won": Turn.CHALLENGER_WON}  # fmt: skip
_STATES = {"open": State.OPEN, "final": State.FINAL, "refuted": State.REFUTED}


class Disputes(RuleBasedStateMachine):
    """Every call goes to the contract and to the model, which must end alike, and hold the same money."""

    def __init__(self) -> None:
        super().__init__()
        self.chain = EmbeddedChain()
        self.contract = dispute.deploy(self.chain, TERMS)
        self.inference = Inference.of(NETWORK)
        self.program = self.inference.program
        self.id = dispute.register(self.contract, self.inference)
        self.honest = self.inference.trace(IMAGE)
        self.false = FaultyTrace(self.honest, 3)
        self.true_states = [self.honest.state(t) for t in range(self.program.steps + 1)]
        self.model = ModelDisputes(TERMS.window, TERMS.allowance, TERMS.increment, TERMS.price_cap, self._run)
        self.accounts = [self.chain.account(n).sender for n in range(5)]

    def _run(self, t: int, lo: bytes) -> bytes | None:
        """What step t gives, if `lo` is what the honest run can show."""
        return self.true_states[t + 1] if lo == self.true_states[t] else None

    def _by(self, who: int):
        return self.contract.by(self.chain.account(who))

    @property
    def now(self) -> int:
        return self.chain.block().timestamp

    def _do(self, who: int, call, model) -> None:
        same(lambda: call(self._by(who)), lambda: model(self.now, self.accounts[who]))

    @rule(who=WHO, true=st.booleans(), k=st.sampled_from([1, 2, 3, 16, 65]), short=st.booleans(), helper=st.one_of(st.none(), WHO))
    def make(self, who, true, k, short, helper):
        trace = self.honest if true else self.false
        words, path = trace.words(SCRATCH, 0, output_depth(self.program), self.program.steps)
        delegate = NOBODY if helper is None else self.accounts[helper]
        value = self.model.game_bond(self.program.steps, max(2, k)) - short
        ends = trace.state(0), trace.state(self.program.steps)
        self._do(who, lambda c: c.transact("assertPrediction", self.id, IMAGE.tobytes(), words, path, k, delegate, value=value),
                 lambda now, me: self.model.make(now, me, delegate, self.program.steps, k, ends, value))

    @precondition(lambda self: self.model.claims)
    @rule(who=WHO, data=st.data(), more=st.sampled_from([0, 0, 0, 1]))
    def challenge(self, who, data, more):
        claim = data.draw(st.integers(0, len(self.model.claims) - 1))
        value = self.model.game_bond(self.program.steps, self.model.claims[claim].k) + more
        self._do(who, lambda c: c.transact("challenge", claim, value=value),
                 lambda now, me: self.model.challenge(now, me, claim, value))

    def _game(self, data) -> int:
        """A game, rather one that is not over."""
        alive = [n for n, game in enumerate(self.model.games) if not game.turn.endswith("won")]
        return data.draw(st.sampled_from(alive or range(len(self.model.games))))

    @precondition(lambda self: self.model.games)
    @rule(data=st.data(), true=st.booleans(), spoil=st.sampled_from(["", "", "", "", "who", "count", "pair", "value", "garbage"]))
    def split(self, data, true, spoil):
        number = self._game(data)
        game = self.model.games[number]
        claim = self.model.claims[game.claim]
        who = data.draw(WHO) if spoil == "who" else self.accounts.index(claim.asserter)
        trace = self.honest if true else self.false
        lo, hi = game.states[0], game.states[-1]
        mids = [trace.state(t) for t in cuts(*game.span, claim.k)[1:-1]]
        if spoil == "garbage":
            mids = [keccak(mid) for mid in mids]
        mids, lo = mids + [lo] * (spoil == "count"), keccak(lo) if spoil == "pair" else lo
        value = (self.model.game_bond(self.program.steps, claim.k) if game.turn == "start" else 0) + (spoil == "value")
        self._do(who, lambda c: c.transact("split", number, lo, hi, mids, value=value),
                 lambda now, me: self.model.split(now, me, number, lo, hi, mids, value))

    @precondition(lambda self: self.model.games)
    @rule(data=st.data(), i=st.integers(0, 7), honest=st.booleans(), spoil=st.sampled_from(["", "", "", "who", "pair"]))
    def choose(self, data, i, honest, spoil):
        number = self._game(data)
        game = self.model.games[number]
        who = data.draw(WHO) if spoil == "who" else self.accounts.index(game.challenger)
        lo, *mids, hi = game.states
        if honest:
            ends = cuts(*game.span, self.model.claims[game.claim].k)[1:]
            wrong = [n for n, (t, state) in enumerate(zip(ends, [*mids, hi]), 1) if state != self.true_states[t]]
            i = (wrong or [len(mids) + 1])[0]
        lo = keccak(lo) if spoil == "pair" else lo
        self._do(who, lambda c: c.transact("choose", number, i, lo, hi, mids),
                 lambda now, me: self.model.choose(now, me, number, i, [lo, *mids, hi]))

    @precondition(lambda self: self.model.games)
    @rule(who=WHO, data=st.data())
    def prove(self, who, data):
        number = self._game(data)
        game = self.model.games[number]
        lo, hi = game.states[0], game.states[-1]
        opening = self.honest.opening(min(game.span[0], self.program.steps - 1))
        self._do(who, lambda c: c.transact("prove", number, lo, hi, opening.shown, *map(list, opening.paths)),
                 lambda now, me: self.model.prove(now, number, lo, hi))

    @precondition(lambda self: self.model.games)
    @rule(who=WHO, data=st.data())
    def timeout(self, who, data):
        number = self._game(data)
        self._do(who, lambda c: c.transact("timeout", number), lambda now, me: self.model.timeout(now, number))

    @precondition(lambda self: self.model.claims)
    @rule(who=WHO, data=st.data())
    def finalize(self, who, data):
        claim = data.draw(st.integers(0, len(self.model.claims) - 1))
        self._do(who, lambda c: c.transact("finalize", claim), lambda now, me: self.model.finalize(now, claim))

    @rule(who=WHO)
    def withdraw(self, who):
        self._do(who, lambda c: c.transact("withdraw"), lambda now, me: self.model.withdraw(me))

    @rule(seconds=st.sampled_from([100, 1000, 2500, 5000]))
    def wait(self, seconds):
        self.chain.advance(seconds)
        self.chain.mine()

    @invariant()
    def same_states(self):
        for number, game in enumerate(self.model.games):
            found = dispute.Game.read(self.contract, number)
            assert (found.turn, (found.start, found.stop)) == (_TURNS[game.turn], game.span)
            if not found.turn.over:
                assert (found.pair, found.last) == (pair(game.states), game.last)
                assert (found.left_a, found.left_c) == (game.left["asserter"], game.left["challenger"])
        for number, claim in enumerate(self.model.claims):
            found = dispute.Claim.read(self.contract, number)
            assert (found.state, found.open_games) == (_STATES[claim.state], self.model.open_games(number))
            # a call runs in the next block, twelve seconds on
            assert self.contract.call("isFinal", number) == self.model.is_final(self.now + 12, number)

    @invariant()
    def same_money(self):
        held = {keccak(encode(["string", "uint256"], [kind, number])): amount for (kind, number), amount in self.model.held.items()}
        check_vault(self.contract, held, self.model.credit)

    def teardown(self):
        """V3: time and one stranger bring everything to an end, and everybody gets what is theirs."""
        stranger = self.contract.by(self.chain.account(7))
        self.chain.advance(TERMS.window + TERMS.allowance + TERMS.increment + 1)
        for number, game in enumerate(self.model.games):
            if not game.turn.endswith("won"):
                stranger.transact("timeout", number)
                self.model.timeout(self.now, number)
        for number, claim in enumerate(self.model.claims):
            if claim.state == "open":
                stranger.transact("finalize", number)
                self.model.finalize(self.now, number)
        assert not self.model.held
        for who, amount in self.model.credit.items():
            if amount and who != BURNED:
                stranger.transact("withdrawFor", who)
        assert self.chain.balance(self.contract.address) == self.model.credit.get(BURNED, 0)


TestDisputes = Disputes.TestCase
TestDisputes.settings = machine_settings(6, 30)
