"""A cheat claims that the network says 3; one false multiply-add among 50,816 is cornered and run on the chain.

Attacks play the same game about a 6-4-3 network, whose runs have 46 steps, so two rounds with sixteen pieces.
"""

from __future__ import annotations

import numpy as np

from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.checkout import example_network, sample_images
from zkpredict.contracts.systems import dispute
from zkpredict.contracts.systems.dispute import Claim, Game, Terms, Turn, cuts, rounds, stated
from zkpredict.contracts.systems.dispute_play import Player
from zkpredict.contracts.systems.inference import Inference
from zkpredict.contracts.systems.machine import FaultyTrace, Machine, Memory, Trace
from zkpredict.contracts.systems.program import Nest, Op, Operand
from zkpredict.contracts.systems.stage import Stage, StoryFailed, ether
from zkpredict.contracts.systems.stories import Attack, Guard

CAST = ("asserter", "challenger", "second", "consumer", "cheat", "puppet", "stranger")
OPTIONS = {"k": 16}
TERMS = Terms()
MOST_GAS = 750_000
_CLAIMS, _GAME, _MACHINE = "dispute/Claims.sol", "dispute/BisectionGame.sol", "dispute/MulAddMachine.sol"


def play(stage: Stage, k: int = 16) -> None:
    """One true claim that nobody disputes, one false claim that two challengers dispute."""
    network, image = example_network(), sample_images()[0]
    inference = Inference.of(network)
    program = inference.program
    claims, model = _open(stage, "asserter", inference)
    judge = stage.deploy("consumer", "DisputedPrediction", claims.address)
    stage.tell("asserter", f"a run of {network.name} is {program.steps:,} steps, {program.count(Op.MAC):,} of them multiply-adds")

    honest = inference.trace(image)
    truth = _assert(stage, "asserter", claims, model, image, honest, k, "claims what the network says of the image")
    step, false = _one_false_product(inference, image, 3)
    stage.tell("cheat", f"adds 1,000,000 to one product, step {step:,}, so that the network says 3")
    lie = _assert(stage, "cheat", claims, model, image, false, k, "claims that the network says 3")
    game = _challenge(stage, "challenger", claims, lie)
    second = _challenge(stage, "second", claims, lie)

    cheat, challenger = _player(stage, "cheat", claims, false), _player(stage, "challenger", claims, honest)
    count, spent = _fight(stage, game, cheat, challenger)
    if count > rounds(program.steps, k) or (k == 16 and spent > MOST_GAS):
        raise StoryFailed(f"it took {count} rounds and {spent:,} gas, expected at most {rounds(program.steps, k)} and {MOST_GAS:,}")
    stage.tell("challenger", f"refuted the claim in {count} rounds; both sides took", spent, "dispute game, both sides")
    _expect(claims, game, Turn.CHALLENGER_WON)
    stage.tell("consumer", f"asks, and hears that the network says 3: {_holds(judge, model, image, 3, lie)}")

    stage.tell("cheat", "does not care for its other game any more")
    stage.wait(TERMS.allowance + TERMS.increment + 1)
    _move(stage, "second", _player(stage, "second", claims, honest), second, "ends it: the cheat's clock ran out")
    stage.wait(TERMS.window)
    stage.act("stranger", "gives the true claim's bond back to its asserter", claims, "finalize", truth, label="dispute finalize")
    if not _holds(judge, model, image, 7, truth) or _holds(judge, model, image, 3, lie):
        raise StoryFailed("the consumer heard something else than 7")
    stage.tell("consumer", "asks, and hears that the network says 7: True")


def _open(stage: Stage, who: str, inference: Inference) -> tuple[Contract, bytes]:
    """Machine, claims, program and weights on the chain; the claims contract and the model's id."""
    machine = stage.deploy(who, "MulAddMachine", label="dispute deploy machine")
    claims = stage.deploy(who, "PredictionClaims", machine.address, *TERMS.arguments, vault=True, label="dispute deploy claims")
    chain = stage.account(who)
    [program] = dispute.store(chain, inference.program.encode())
    stores = dispute.store(chain, inference.weights)
    stage.tell(who, f"stores the program and {len(inference.weights):,} bytes of weights in {len(stores)} contracts")
    receipt = stage.act(who, "registers the model: the contract computes the root over its weights", claims, "register", program,
                        stores, label="dispute register")
    return claims, claims.events(receipt)[0][1]["model"]


def _assert(stage: Stage, who: str, claims: Contract, model: bytes, image: np.ndarray, trace: Trace, k: int, what: str) -> int:
    mine = claims.by(stage.account(who))
    claim, receipt = dispute.assert_prediction(mine, model, image, trace, k)
    bond = Claim.read(claims, claim).bond
    stage.tell(who, f"{what}: claim {claim}, bond {ether(bond)}", receipt.gas_used, "dispute assert")
    return claim


def _challenge(stage: Stage, who: str, claims: Contract, claim: int) -> int:
    game, receipt = dispute.challenge(claims.by(stage.account(who)), claim)
    stage.tell(who, f"challenges claim {claim}: game {game}, bond {ether(Game.read(claims, game).bond)}", receipt.gas_used, "dispute challenge")
    return game


def _player(stage: Stage, who: str, claims: Contract, trace: Trace) -> Player:
    return Player(claims.by(stage.account(who)), trace)


def _fight(stage: Stage, game: int, asserter: Player, challenger: Player) -> tuple[int, int]:
    """Plays a game to its end; the rounds, and the gas of both sides with the challenge. Who lies does not show the step that is left."""
    count, first = 0, len(stage.events)
    opened = next(event.gas or 0 for event in stage.events if event.label == "dispute challenge")
    while not (now := Game.read(asserter.contract, game)).turn.over:
        if now.turn in (Turn.START, Turn.SPLIT):
            count += 1
            pieces = len(cuts(now.start, now.stop, Claim.read(asserter.contract, now.claim).k)) - 1
            _move(stage, "cheat", asserter, game, f"round {count}: cuts steps {now.start:,} to {now.stop:,} into {pieces}")
        elif now.turn is Turn.CHOOSE:
            _move(stage, "challenger", challenger, game, "chooses the first piece that ends wrong")
        else:
            stage.tell("challenger", f"step {now.start:,} is left: {_described(challenger, now.start)}")
            _move(stage, "challenger", challenger, game, "has the step run by the contract")
    return count, opened + sum(event.gas or 0 for event in stage.events[first:])


def _described(player: Player, step: int) -> str:
    nest, place, _ = player.trace.program.locate(step)
    _, n1, n2 = nest.counts
    return f"{nest.op.name} number {place:,} of its nest, indices {place // (n1 * n2)}, {place // n2 % n1}, {place % n2}"


def _move(stage: Stage, who: str, player: Player, game: int, what: str) -> None:
    verb, receipt = player.due_move(game)
    stage.tell(who, what, receipt.gas_used, f"dispute {verb}")


def _expect(claims: Contract, game: int, turn: Turn) -> None:
    found = Game.read(claims, game).turn
    if found is not turn:
        raise StoryFailed(f"game {game} ended with {found.name}, expected {turn.name}")


def _holds(judge: Contract, model: bytes, image: np.ndarray, digit: int, claim: int) -> bool:
    return judge.call("holds", model, image.tobytes(), digit, claim.to_bytes(32, "big"))


def _one_false_product(inference: Inference, image: np.ndarray, digit: int, more: int = 1_000_000) -> tuple[int, FaultyTrace]:
    """A run in which the middle product of a logit's sum is `more` too large; that step, and the run."""
    program = inference.program
    number = max(n for n, nest in enumerate(program.prologue) if nest.op is Op.MAC)
    nest = program.prologue[number]
    step = program.first_step(number) + digit * nest.counts[1] + nest.counts[1] // 2
    return step, _wrong_at(inference, image, step, more)


def _wrong_at(inference: Inference, image: np.ndarray, step: int, more: int) -> FaultyTrace:
    """The run in which the cell that `step` writes comes out `more` too large."""
    nest, place, _ = inference.program.locate(step)
    honest = inference.trace(image)
    right = int(honest.memory(step + 1).cells(nest.c)[honest.machine.address(nest.c, _indices(nest.counts, place), 0) // nest.c.width])
    mask = (1 << 8 * nest.c.width) - 1
    return FaultyTrace(honest, step, (right & mask) ^ ((right + more) & mask))


def _indices(counts: tuple[int, int, int], place: int) -> tuple[int, int, int]:
    return place // (counts[1] * counts[2]), place // counts[2] % counts[1], place % counts[2]


# Attacks -------------------------------------------------------------------------------------------------------------------------------


def _small() -> tuple[Inference, np.ndarray]:
    source = np.random.default_rng(7)
    layers = DenseLayer(source.integers(-9, 10, (4, 6)), source.integers(-20, 21, 4), 2), DenseLayer(source.integers(-9, 10, (3, 4)), source.integers(-20, 21, 3))
    return Inference.of(IntegerNetwork(layers)), source.integers(1, 256, 6).astype(np.uint8)


class _Scene:
    """A false claim by the cheat about the small network: step 6, a multiply-add, comes out `more` too large."""

    step = 6

    def __init__(self, stage: Stage, more: int | None = None) -> None:
        self.stage = stage
        self.inference, self.image = _small()
        self.honest = self.inference.trace(self.image)
        self.claims, self.model = _open(stage, "stranger", self.inference)
        self.false = _wrong_at(self.inference, self.image, self.step, self.pixel if more is None else more)

    @property
    def pixel(self) -> int:
        """The input that step 6 multiplies: what the sum is off by when its weight is one too large."""
        return int(self.image[(self.step - 4) % 6])

    def lie(self) -> int:
        return _assert(self.stage, "cheat", self.claims, self.model, self.image, self.false, 16, "makes a false claim")

    def tell_truth(self) -> int:
        return _assert(self.stage, "asserter", self.claims, self.model, self.image, self.honest, 16, "makes a true claim")

    def by(self, who: str) -> Contract:
        return self.claims.by(self.stage.account(who))

    def player(self, who: str, trace: Trace) -> Player:
        return _player(self.stage, who, self.claims, trace)

    def cornered(self) -> tuple[int, bytes, bytes]:
        """A game against the lie with one step left, and the states before and after it."""
        game = _challenge(self.stage, "challenger", self.claims, self.lie())
        cheat, challenger = self.player("cheat", self.false), self.player("challenger", self.honest)
        while (now := Game.read(self.claims, game)).turn is not Turn.STEP:
            player, who = (challenger, "challenger") if now.turn is Turn.CHOOSE else (cheat, "cheat")
            _move(self.stage, who, player, game, "moves")
        return game, *stated(self.claims, Game.read(self.claims, game))[:2]

    def won(self, game: int, turn: Turn) -> bool:
        return Game.read(self.claims, game).turn is turn


def _shield(stage: Stage) -> bool:
    """The cheat's puppet challenges first and loses on purpose; the honest game is still open when the window ends."""
    scene = _Scene(stage)
    claim = scene.lie()
    puppets = _challenge(stage, "puppet", scene.claims, claim)
    _challenge(stage, "challenger", scene.claims, claim)
    _move(stage, "cheat", scene.player("cheat", scene.false), puppets, "splits")
    stage.wait(TERMS.window + 1)
    scene.by("stranger").transact("timeout", puppets)
    stage.tell("puppet", "has lost on purpose")
    scene.by("cheat").transact("finalize", claim)
    return True


def _stall(stage: Stage) -> bool:
    """The cheat lets its time run out and moves after all, before anybody ended the game."""
    scene = _Scene(stage)
    game = _challenge(stage, "challenger", scene.claims, scene.lie())
    bond = Game.read(scene.claims, game).bond
    stage.wait(TERMS.allowance + TERMS.increment + 1)
    lo, *mids, hi = (scene.false.state(t) for t in cuts(0, scene.inference.program.steps, 16))
    scene.by("cheat").transact("split", game, lo, hi, mids, value=bond)
    return True


def _hurry(stage: Stage) -> bool:
    """A challenger ends a game while the asserter still has time."""
    scene = _Scene(stage)
    game = _challenge(stage, "challenger", scene.claims, scene.tell_truth())
    stage.wait(TERMS.increment + 1)
    scene.by("challenger").transact("timeout", game)
    return scene.won(game, Turn.CHALLENGER_WON)


def _self_dispute(stage: Stage) -> bool:
    """The cheat's puppet refutes it, so that the bond comes back whole before anybody else challenges."""
    scene = _Scene(stage)
    claim = scene.lie()
    game = _challenge(stage, "puppet", scene.claims, claim)
    paid = Claim.read(scene.claims, claim).bond + Game.read(scene.claims, game).bond
    stage.wait(TERMS.allowance + TERMS.increment + 1)
    scene.by("puppet").transact("timeout", game)
    back = sum(scene.claims.call("credit", stage.address(who)) for who in ("cheat", "puppet"))
    stage.tell("puppet", f"cheat and puppet brought {ether(paid)} and get {ether(back)} back")
    return back >= paid


def _garbage_state(stage: Stage) -> bool:
    """The cheat shows the step from another state than the one agreed on, made so that the step gives what it claimed."""
    scene = _Scene(stage)
    game, lo, hi = scene.cornered()
    nest, place, _ = scene.inference.program.locate(scene.step)
    memory = scene.honest.memory(scene.step).copy()
    cell = scene.honest.machine.address(nest.c, _indices(nest.counts, place), 0) // nest.c.width
    memory.cells(nest.c)[cell] += scene.pixel
    other = _Resumed(scene.honest.machine, memory, scene.step).opening(scene.step)
    scene.by("cheat").transact("prove", game, lo, hi, other.shown, *map(list, other.paths))
    return scene.won(game, Turn.ASSERTER_WON)


def _first_operand(nest: Nest) -> Operand:
    if nest.a is None:
        raise StoryFailed(f"a {nest.op.name} step reads nothing")
    return nest.a


def _wrong_address(stage: Stage) -> bool:
    """The cheat shows a weight that is one larger than the model's."""
    scene = _Scene(stage)
    game, lo, hi = scene.cornered()
    opening = scene.honest.opening(scene.step)
    nest, place, _ = scene.inference.program.locate(scene.step)
    word = np.frombuffer(opening.words[0], np.int8).copy()
    word[scene.honest.machine.address(_first_operand(nest), _indices(nest.counts, place), 0) % 32] += 1
    shown = list(opening.roots), word.tobytes(), *opening.words[1:]
    scene.by("cheat").transact("prove", game, lo, hi, shown, *map(list, opening.paths))
    return scene.won(game, Turn.ASSERTER_WON)


def _spam(stage: Stage) -> bool:
    """A stranger keeps a true claim from becoming final with games that cost it nothing."""
    scene = _Scene(stage)
    scene.by("stranger").transact("challenge", scene.tell_truth())
    return True


def _late(stage: Stage) -> bool:
    """A stranger challenges for ever: the claim would never be final."""
    scene = _Scene(stage)
    claim = scene.tell_truth()
    stage.wait(TERMS.window + 1)
    dispute.challenge(scene.by("stranger"), claim)
    return True


def _early(stage: Stage) -> bool:
    """The cheat has its claim final before anybody could look at it."""
    scene = _Scene(stage)
    claim = scene.lie()
    scene.by("cheat").transact("finalize", claim)
    return True


def _impostor(stage: Stage) -> bool:
    """A stranger moves for the asserter of a true claim, with states that are wrong."""
    scene = _Scene(stage)
    game = _challenge(stage, "challenger", scene.claims, scene.tell_truth())
    now = Game.read(scene.claims, game)
    lo, hi, _ = stated(scene.claims, now)
    mids = [bytes([i]) * 32 for i in range(15)]
    scene.by("challenger").transact("split", game, lo, hi, mids, value=now.bond)
    return True


def _usurp(stage: Stage) -> bool:
    """The cheat chooses for the challenger: a piece whose end is right, so that the step shows it right."""
    scene = _Scene(stage)
    game = _challenge(stage, "challenger", scene.claims, scene.lie())
    _move(stage, "cheat", scene.player("cheat", scene.false), game, "splits")
    lo, hi, mids = stated(scene.claims, Game.read(scene.claims, game))
    scene.by("cheat").transact("choose", game, 1, lo, hi, mids)
    return True


def _forged_states(stage: Stage) -> bool:
    """A challenger chooses among states that the asserter never stated."""
    scene = _Scene(stage)
    game = _challenge(stage, "challenger", scene.claims, scene.tell_truth())
    _move(stage, "asserter", scene.player("asserter", scene.honest), game, "splits")
    lo, hi, mids = stated(scene.claims, Game.read(scene.claims, game))
    scene.by("challenger").transact("choose", game, 1, lo, hi, [bytes(32), *mids[1:]])
    return True


def _cheap_lie(stage: Stage) -> bool:
    """A claim whose bond does not pay for refuting it."""
    scene = _Scene(stage)
    dispute.assert_prediction(scene.by("cheat"), scene.model, scene.image, scene.false, bond=1)
    return True


class _Resumed(Trace):
    """A run that is at `step` with this memory."""

    def __init__(self, machine: Machine, memory: Memory, step: int) -> None:
        super().__init__(machine, memory)
        self._kept, self._step = {step: memory.copy()}, step


ATTACKS = (
    Attack("shield", "a puppet challenges and loses, to have the false claim final", ("PredictionClaims",), (
        Guard(_CLAIMS, "if (c.openGames != 0) revert GamesOpen(claim, c.openGames);"),), _shield, "GamesOpen"),
    Attack("stall", "the asserter moves after its time", ("PredictionClaims",), (
        Guard(_GAME, "if (used > uint256(left) + increment) revert OutOfTime(used, uint256(left) + increment);",
              "if (used > uint256(left) + increment) return left;"),), _stall, "OutOfTime"),
    Attack("hurry", "the challenger ends the game before the asserter's time is over", ("PredictionClaims",), (
        Guard(_GAME, "if (used <= left) revert StillTime(used, left);"),), _hurry, "StillTime"),
    Attack("self-dispute", "a puppet refutes the claim first, to save its bond", ("PredictionClaims",), (
        Guard(_CLAIMS, "_slash(_claimPurpose(claim), challenger, c.bond);", "_free(_claimPurpose(claim), challenger, c.bond);"),), _self_dispute),
    Attack("garbage-state", "the last step is shown from another state", ("MulAddMachine",), (
        Guard(_MACHINE, "if (state != pre) revert WrongState(state, pre);"),), _garbage_state, "WrongState"),
    Attack("wrong-address", "the last step is shown with another weight", ("MulAddMachine",), (
        Guard(_MACHINE, "if (root != shown.roots[cell.region]) revert WrongRoot(operand, root, shown.roots[cell.region]);"),),
        _wrong_address, "WrongRoot"),
    Attack("spam", "games without a bond", ("PredictionClaims",), (Guard(_CLAIMS, "_exactly(bond);"),), _spam, "WrongPayment"),
    Attack("late", "a challenge after the window", ("PredictionClaims",), (
        Guard(_CLAIMS, "if (block.timestamp > c.until) revert WindowClosed(block.timestamp, c.until);"),), _late, "WindowClosed"),
    Attack("early", "a claim made final within the window", ("PredictionClaims",), (
        Guard(_CLAIMS, "if (block.timestamp <= c.until) revert WindowOpen(block.timestamp, c.until);"),), _early, "WindowOpen"),
    Attack("impostor", "somebody else moves for the asserter", ("PredictionClaims",), (
        Guard(_CLAIMS, "if (msg.sender != c.asserter && msg.sender != c.delegate) revert NotYours(msg.sender, c.asserter);"),),
        _impostor, "NotYours"),
    Attack("usurp", "the asserter chooses for the challenger", ("PredictionClaims",), (
        Guard(_GAME, "if (msg.sender != g.challenger) revert NotYours(msg.sender, g.challenger);"),), _usurp, "NotYours"),
    Attack("forged-states", "a choice among states that nobody stated", ("PredictionClaims",), (
        Guard(_GAME, "if (g.pair != pair) revert WrongPair(pair, g.pair);"),), _forged_states, "WrongPair"),
    Attack("cheap-lie", "a claim whose bond is too small", ("PredictionClaims",), (
        Guard(_CLAIMS, "if (msg.value < least) revert BondTooSmall(msg.value, least);"),), _cheap_lie, "BondTooSmall"),
)
