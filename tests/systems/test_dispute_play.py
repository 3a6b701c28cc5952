"""Games about the shipped network: one false step is found wherever it is; a true claim survives whoever disputes it."""

from __future__ import annotations

import numpy as np
import pytest
from support import random_network
from world import BURNED

from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.systems import dispute
from zkpredict.contracts.systems.dispute import Claim, Game, State, Turn, cuts, rounds, stated
from zkpredict.contracts.systems.dispute_play import Player
from zkpredict.contracts.systems.inference import Inference
from zkpredict.contracts.systems.machine import FaultyTrace, Trace
from zkpredict.contracts.systems.program import Op


@pytest.fixture(scope="module")
def shipped(mnist, mnist_images) -> tuple[Inference, Trace]:
    inference = Inference.of(mnist.network)
    return inference, inference.trace(mnist_images[0])


@pytest.fixture(scope="module")
def machine() -> Contract:
    return dispute.deploy_machine(EmbeddedChain())


def narrowed(false: Trace, honest: Trace, k: int) -> tuple[int, int]:
    """What honest play leaves of a game: the step, and the rounds it took."""
    start, stop, count = 0, honest.program.steps, 0
    while stop - start > 1:
        ends = cuts(start, stop, k)
        i = next(i for i, t in enumerate(ends) if i and false.state(t) != honest.state(t))
        start, stop, count = ends[i - 1], ends[i], count + 1
    return start, count


def test_the_shipped_network_is_the_run_that_the_pages_speak_of(shipped):
    program = shipped[0].program
    assert (program.steps, program.count(Op.MAC), rounds(program.steps, 16), rounds(program.steps, 2)) == (50_954, 50_816, 4, 16)


def test_one_false_step_is_found_at_both_ends_of_every_nest(shipped, machine):
    inference, honest = shipped
    program = inference.program
    [place] = dispute.store(machine.chain, program.encode())
    ends = [program.first_step(number) + at for number, nest in enumerate(program.prologue) for at in (0, nest.steps - 1)]
    for fault in ends:
        false = FaultyTrace(honest, fault)
        found, count = narrowed(false, honest, 16)
        assert found == fault and count <= 4
        opening = honest.opening(fault)
        post = machine.call("step", place, bytes(32), fault, honest.state(fault), opening.shown, *map(list, opening.paths))
        assert post == honest.state(fault + 1) != false.state(fault + 1)


@pytest.mark.parametrize("k", [2, 3, 16, 64])
def test_no_game_takes_more_rounds_than_its_bond_pays_for(shipped, k):
    _, honest = shipped
    for fault in np.random.default_rng(k).integers(0, honest.program.steps, 3).tolist():
        found, count = narrowed(FaultyTrace(honest, fault), honest, k)
        assert found == fault and count <= rounds(honest.program.steps, k)


@pytest.mark.parametrize("steps", [2, 3, 15, 16, 17, 257, 50_954, 1_718_117_632])
def test_pieces_cover_a_span_and_are_never_longer_than_rounded_up(steps):
    for k in (2, 5, 16, 64):
        ends = cuts(7, 7 + steps, k)
        assert (ends[0], ends[-1]) == (7, 7 + steps) and all(0 < b - a <= -(-steps // min(k, steps)) for a, b in zip(ends, ends[1:]))


def test_a_true_claim_survives_twenty_challengers():
    """All games in parallel, by seven accounts that choose at random: each loses its bond, half of it to the asserter, half burned."""
    network = random_network(9, (12, 3, 2))
    inference, image, source = Inference.of(network), np.arange(12, dtype=np.uint8), np.random.default_rng(2)
    contract = dispute.deploy(EmbeddedChain())
    chain = contract.chain
    honest = inference.trace(image)
    claim, _ = dispute.assert_prediction(contract, dispute.register(contract, inference), image, honest, k=64)
    asserter, challengers = Player(contract, honest), {}
    for number in range(20):
        by = contract.by(chain.account(1 + number % 7))
        challengers[dispute.challenge(by, claim)[0]] = by
    assert Claim.read(contract, claim).open_games == 20
    while alive := [game for game in challengers if not Game.read(contract, game).turn.over]:
        for game in alive:
            now = Game.read(contract, game)
            if now.turn is not Turn.CHOOSE:
                asserter.move(game)
                continue
            lo, hi, mids = stated(challengers[game], now)
            challengers[game].transact("choose", game, int(source.integers(1, len(mids) + 2)), lo, hi, mids)
    assert all(Game.read(contract, game).turn is Turn.ASSERTER_WON for game in challengers)
    chain.advance(dispute.Terms().window)
    chain.mine()
    contract.by(chain.account(7)).transact("finalize", claim)
    found, bond = Claim.read(contract, claim), Game.read(contract, 0).bond
    assert found.state is State.FINAL
    assert contract.call("credit", chain.sender) == found.bond + 20 * (bond + bond // 2)
    assert contract.call("credit", BURNED) == 20 * (bond - bond // 2)
    assert contract.call("owed") == chain.balance(contract.address) == found.bond + 40 * bond
