"""Two trainers claim what 500 batches on published digits give; the one that flips one bit of one weight is refuted in eight rounds.

Attacks train a 6-4-3 network for three batches of four on one part of 64 samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.checkout import ROOT
from zkpredict.contracts.systems import dispute, training
from zkpredict.contracts.systems.dispute import Claim, Game, Turn, cuts, rounds
from zkpredict.contracts.systems.dispute_play import Player
from zkpredict.contracts.systems.inference import Inference
from zkpredict.contracts.systems.machine import FaultyTrace, Machine, Memory, Trace
from zkpredict.contracts.systems.program import DATA, Program, samples_at
from zkpredict.contracts.systems.samples import Part
from zkpredict.contracts.systems.stage import Stage, StoryFailed, ether
from zkpredict.contracts.systems.stories import Attack, Guard
from zkpredict.contracts.systems.stories.dispute import TERMS
from zkpredict.contracts.systems.training_int import Recipe, data_region, run_of, trained_network

CAST = ("publisher", "trainer", "cheat", "challenger", "adopter", "stranger")
OPTIONS = {"k": 16}
SAMPLES, DRAW_DELAY = 256, 2
MOST_GAS = 1_200_000
_CLAIMS, _GAME, _MACHINE, _TRAIN = "dispute/Claims.sol", "dispute/BisectionGame.sol", "dispute/MulAddMachine.sol", "train/TrainingClaims.sol"


def play(stage: Stage, k: int = 16) -> None:
    """Data, recipe, seed; a true claim and a false one; the adopter takes the network whose weights have the final root."""
    images, labels = _digits()
    recipe = Recipe()
    claims, run, program = _prepare(stage, recipe, images, labels)
    honest = training.Run.read(claims, run).trace(claims, images[:SAMPLES], labels[:SAMPLES])
    stage.tell("trainer", f"trains {program.name} for {recipe.batches} batches of {recipe.batch}: {program.steps:,} steps")
    network = trained_network(recipe, honest.memory(program.steps))
    right = int((network.infer(images[SAMPLES:]).digits == labels[SAMPLES:]).sum())
    stage.tell("trainer", f"its network is right about {right:,} of {len(images) - SAMPLES:,} images it never saw")
    truth = _claim(stage, "trainer", claims, run, honest, k)

    step = program.first_step(len(program.prologue) + 15, recipe.batches // 2) + 12_345
    false = FaultyTrace(honest, step)
    stage.tell("cheat", f"flips one bit of one weight after batch {recipe.batches // 2}, step {step:,}, and goes on training")
    lie = _claim(stage, "cheat", claims, run, false, k)
    spent = _refute(stage, claims, lie, false, honest, rounds(program.steps, k))
    if k == 16 and spent > MOST_GAS:
        raise StoryFailed(f"the game took {spent:,} gas for both sides, expected at most {MOST_GAS:,}")

    stage.wait(TERMS.window)
    stage.act("stranger", "gives the true claim's bond back", claims, "finalize", truth, label="training finalize")
    inference = Inference.of(network)
    models = stage.deploy("adopter", "PredictionClaims", claims.call("machine"), *TERMS.arguments, vault=True)
    model = dispute.register(models.by(stage.account("adopter")), inference)
    _, root = models.call("models", model)
    if not claims.call("isTrained", truth, run, root) or claims.call("isTrained", lie, run, root):
        raise StoryFailed("the trained weights are not those of the final claim")
    stage.tell("adopter", f"registers the network as model {model.hex()[:16]}... and hears that its weights are what the recipe gives: True")


def _digits() -> tuple[np.ndarray, np.ndarray]:
    """The 10,000 MNIST test images and what they show. Raises `UnusableInput` outside a checkout."""
    from zkpredict.circuits.files.idx import read_images, read_labels

    folder = ROOT / "tests" / "data"
    return read_images(folder / "t10k-images-idx3-ubyte.gz").reshape(-1, 784), read_labels(folder / "t10k-labels-idx1-ubyte.gz")


def _prepare(stage: Stage, recipe: Recipe, images: np.ndarray, labels: np.ndarray, samples: int = SAMPLES) -> tuple[Contract, int, Program]:
    """Machine, claims, published data, and a run with its seed drawn."""
    machine = stage.deploy("stranger", "MulAddMachine")
    claims = stage.deploy("stranger", "TrainingClaims", machine.address, *TERMS.arguments, DRAW_DELAY, vault=True, label="training deploy claims")
    for number, part in enumerate(training.parts_of(images[:samples], labels[:samples])):
        stage.act("publisher", f"publishes part {number}: {training.PART} samples", claims, "publish", part.data, part.input_bytes, label="training publish")
    program = recipe.program(samples)
    run, receipt = training.open_run(claims.by(stage.account("trainer")), program, stage.address("publisher"), 0, samples // training.PART)
    stage.tell("trainer", f"fixes recipe and data: run {run:#x}"[:72] + "...", receipt.gas_used, "training open")
    _draw(stage, claims, run)
    return claims, run, program


def _draw(stage: Stage, claims: Contract, run: int) -> None:
    stage.act("stranger", "arms the draw of the seed", claims, "arm", run, label="training arm")
    stage.mine(DRAW_DELAY + 1)
    receipt = training.fix(claims.by(stage.account("stranger")), run)
    stage.tell("stranger", "fixes it: first weights and the order of samples follow", receipt.gas_used, "training fix (as drawn)")


def _claim(stage: Stage, who: str, claims: Contract, run: int, trace: Trace, k: int = 16) -> int:
    claim, receipt = training.claim_training(claims.by(stage.account(who)), run, trace, k)
    stage.tell(who, f"claims its weights: claim {claim}, bond {ether(Claim.read(claims, claim).bond)}", receipt.gas_used, "training claim (as drawn)")
    return claim


def _refute(stage: Stage, claims: Contract, claim: int, false: Trace, honest: Trace, most: int) -> int:
    """Plays the game against a false claim to its end; the gas of both sides."""
    game, spent, count = _challenge(stage, claims, claim)
    cheat, challenger = Player(claims.by(stage.account("cheat")), false), Player(claims.by(stage.account("challenger")), honest)
    while not (now := Game.read(claims, game)).turn.over:
        if now.turn in (Turn.START, Turn.SPLIT):
            count += 1
            pieces = len(cuts(now.start, now.stop, Claim.read(claims, claim).k)) - 1
            who, player, what = "cheat", cheat, f"round {count}: cuts steps {now.start:,} to {now.stop:,} into {pieces}"
        elif now.turn is Turn.CHOOSE:
            who, player, what = "challenger", challenger, "chooses the first piece that ends wrong"
        else:
            nest = honest.program.locate(now.start)[0].op.name
            who, player, what = "challenger", challenger, f"has step {now.start:,} run by the contract: {nest}"
        verb, receipt = player.due_move(game)
        stage.tell(who, what, receipt.gas_used, f"training {verb} (as drawn)")
        spent += receipt.gas_used
    if now.turn is not Turn.CHALLENGER_WON or count > most:
        raise StoryFailed(f"game {game} ended with {now.turn.name} after {count} rounds, expected CHALLENGER_WON after at most {most}")
    stage.tell("challenger", f"refuted the claim in {count} rounds; both sides took", spent, "training game, both sides (as drawn)")
    return spent


def _challenge(stage: Stage, claims: Contract, claim: int) -> tuple[int, int, int]:
    game, receipt = dispute.challenge(claims.by(stage.account("challenger")), claim)
    stage.tell("challenger", f"challenges claim {claim}: game {game}", receipt.gas_used, "training challenge (as drawn)")
    return game, receipt.gas_used, 0


# Attacks -------------------------------------------------------------------------------------------------------------------------------

_SMALL = Recipe((6, 4, 3), 4, 3, activation_shift=3, margin=500, error_shift=4, update_shifts=(0, 0), first_weights=(40, 40))


def _samples(count: int = training.PART) -> tuple[np.ndarray, np.ndarray]:
    source = np.random.default_rng(3)
    return source.integers(1, 256, (count, 6)).astype(np.uint8), source.integers(0, 3, count).astype(np.uint8)


def _cheats(stage: Stage, run_of_cheat: Callable[[Trace], Trace]) -> bool:
    """A cheat claims another run's weights, is cornered, and shows the step that is left as its own run has it."""
    images, labels = _samples()
    claims, run, _ = _prepare(stage, _SMALL, images, labels, len(images))
    honest = training.Run.read(claims, run).trace(claims, images, labels)
    false = run_of_cheat(honest)
    game, _, _ = _challenge(stage, claims, _claim(stage, "cheat", claims, run, false))
    cheat, challenger = Player(claims.by(stage.account("cheat")), false), Player(claims.by(stage.account("challenger")), honest)
    while (now := Game.read(claims, game)).turn is not Turn.STEP:
        (challenger if now.turn is Turn.CHOOSE else cheat).move(game)
    stage.tell("cheat", f"is cornered at step {now.start}: {honest.program.locate(now.start)[0].op.name}")
    cheat.prove(game)
    return Game.read(claims, game).turn is Turn.ASSERTER_WON


class _PlainOrder(Machine):
    """Takes the samples as they come."""

    def _samples(self, repeat: int, span: tuple[int, int]) -> np.ndarray:
        first = repeat * self.program.batch
        return np.arange(first + span[0], first + span[1]) % self.program.samples


class _Disguised(Trace):
    """A run on other data whose states name the published data."""

    def __init__(self, honest: Trace, data: bytes) -> None:
        super().__init__(honest.machine, Memory.of(honest.program, data))
        self._published = honest.roots(0)[DATA]

    def roots(self, t: int) -> tuple[bytes, bytes, bytes]:
        return self._published, *super().roots(t)[1:]


class _OneSkipped(Machine):
    """Leaves the first sample of the course out."""

    def _samples(self, repeat: int, span: tuple[int, int]) -> np.ndarray:
        first = repeat * self.program.batch + 1
        return samples_at(self.seed, self.program.samples, range(first + span[0], first + span[1]))


def _reorder(stage: Stage) -> bool:
    """The cheat takes the samples in the order it likes."""
    return _cheats(stage, lambda honest: Trace(_PlainOrder(honest.program, honest.machine.seed), honest.memory(0)))


def _skip_sample(stage: Stage) -> bool:
    """The cheat leaves a sample out that it does not like."""
    return _cheats(stage, lambda honest: Trace(_OneSkipped(honest.program, honest.machine.seed), honest.memory(0)))


def _own_seed(stage: Stage) -> bool:
    """The cheat starts from first weights of its own."""
    return _cheats(stage, lambda honest: Trace(Machine(honest.program, (7).to_bytes(32, "big")), honest.memory(0)))


def _flip_weight(stage: Stage) -> bool:
    """The cheat changes one weight after the first batch."""
    number = len(_SMALL.program(training.PART).prologue) + 16
    return _cheats(stage, lambda honest: FaultyTrace(honest, honest.program.first_step(number) + 3, 2))


def _other_data(stage: Stage) -> bool:
    """The cheat trains on data of its own, and claims the result for the published ones."""
    images, labels = _samples()
    region = data_region(255 - images, labels, training.PART)
    return _cheats(stage, lambda honest: _Disguised(honest, region))


def _early_claim(stage: Stage) -> bool:
    """The cheat claims before the seed is drawn, for the seed that it likes."""
    images, labels = _samples()
    machine = stage.deploy("stranger", "MulAddMachine")
    claims = stage.deploy("stranger", "TrainingClaims", machine.address, *TERMS.arguments, DRAW_DELAY, vault=True)
    [part] = training.parts_of(images, labels)
    training.publish(claims.by(stage.account("publisher")), part)
    program = _SMALL.program(len(images))
    run, _ = training.open_run(claims.by(stage.account("cheat")), program, stage.address("publisher"), 0, 1)
    _claim(stage, "cheat", claims, run, run_of(program, data_region(images, labels, training.PART), bytes(32)))
    return True


def _half_the_data(stage: Stage) -> bool:
    """The cheat opens a run that says two parts and learns from one."""
    images, labels = _samples(2 * training.PART)
    claims, _, program = _prepare(stage, _SMALL, images, labels, len(images))
    cheats = replace(program, samples=training.PART)
    training.open_run(claims.by(stage.account("cheat")), cheats, stage.address("publisher"), 0, 2)
    return True


def _short_part(stage: Stage) -> bool:
    """The cheat publishes three samples as a part of 64: the rest would be padding."""
    images, labels = _samples()
    machine = stage.deploy("stranger", "MulAddMachine")
    claims = stage.deploy("stranger", "TrainingClaims", machine.address, *TERMS.arguments, DRAW_DELAY, vault=True)
    short = Part.of(images[:3], labels[:3].tolist())
    training.publish(claims.by(stage.account("cheat")), short)
    return True


_OVER = Guard(_GAME, "_over(game, g, post == hi);", "_over(game, g, true);")
ATTACKS = (
    Attack("skip-sample", "one sample is left out", ("MulAddMachine",), (
        Guard(_MACHINE, "place.repeat * header.batch() + place.i0", "place.repeat * header.batch() + place.i0 + 1"),),
        _skip_sample, "WrongRoot"),
    Attack("reorder", "samples in another order", ("MulAddMachine",), (
        Guard(_MACHINE, "if (y == 1) return (alpha * i + beta) % samples;", "if (y == 1) return i;"),), _reorder, "WrongRoot"),
    Attack("own-seed", "first weights of one's own", ("TrainingClaims",), (
        Guard(_CLAIMS, "return (_claims[claim].program, _claims[claim].seed);", "return (_claims[claim].program, bytes32(uint256(7)));"),),
        _own_seed),
    Attack("flip-weight", "one weight changed on the way", ("TrainingClaims",), (_OVER,), _flip_weight),
    Attack("other-data", "trained on data that nobody published", ("MulAddMachine",), (
        Guard(_MACHINE, "if (root != shown.roots[cell.region]) revert WrongRoot(operand, root, shown.roots[cell.region]);"),),
        _other_data, "WrongRoot"),
    Attack("early-claim", "a claim before the seed is drawn", ("TrainingClaims",), (
        Guard("blocks/Beacon.sol", "if (seed == 0) revert NotDrawn(id);"),), _early_claim, "NotDrawn"),
    Attack("half-the-data", "a recipe that walks half of its data", ("TrainingClaims",), (
        Guard(_TRAIN, "if (header.samples() != count * PART) revert WrongSampleCount(header.samples(), count * PART);"),),
        _half_the_data, "WrongSampleCount"),
    Attack("short-part", "a part with fewer samples than it counts for", ("TrainingClaims",), (
        Guard(_TRAIN, "if (count != PART) revert WrongPartCount(count, PART);"),), _short_part, "WrongPartCount"),
)
