"""What the paper on life-long learning leaves open, gap by gap, and that a network which grows forgets nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zkpredict.contracts.artifact import load
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.checkout import mnist_samples
from zkpredict.contracts.systems import stories
from zkpredict.contracts.systems.learn import StageWeights, losses_of, network_of, store
from zkpredict.contracts.systems.learn_play import BEST, STAGES, Play, features_shift, trained
from zkpredict.contracts.systems.losses import Loss, loss_of
from zkpredict.contracts.systems.samples import Part
from zkpredict.contracts.systems.stage import Stage
from zkpredict.contracts.systems.stories import learn as story
from zkpredict.contracts.systems.stories.learn_attacks import GOOD, running, tiny_parts, tiny_play

POOR = 10**16


@pytest.fixture
def stage() -> Stage:
    return Stage(EmbeddedChain(), story.CAST)


def refused(name: str, act) -> None:
    with pytest.raises(Reverted) as refusal:
        act()
    assert refusal.value.name == name


def stopped(*names: str) -> None:
    for name in names:
        [attack] = stories.chosen_attacks(story, name)
        assert not stories.succeeds(attack, Stage(EmbeddedChain(), story.CAST))


def to_the_end(program: Play, *who: str, present: str = "") -> None:
    program.test()
    for name in who:
        program.claim(name)
    program.next_window()
    for name in who:
        program.publish(name)
    for _ in range(2):
        program.next_window()
    program.present(present or who[0])
    program.next_window()
    program.settle(who[0])
    for name in who:
        program.collect(0, name)


def test_gap_1_salts_hide_a_part_that_could_be_guessed(stage):
    part = tiny_parts()[0][0]
    assert part.seal(bytes(32)) != part.seal(b"\x01" * 32)
    stopped("other-part")


def test_gap_2_the_part_is_drawn_once_by_a_block_that_was_named_after_the_seals(stage):
    program = running(stage, "ada")
    refused("WrongPhase", lambda: program.act("ada", "arms", "arm", 1))
    stage.wait(program.terms.window)
    program.draw("stranger", 1)
    drawn = program.contract.call("drawnPart")
    refused("AlreadyDrawn", lambda: program.act("ada", "arms", "arm", 1))
    assert program.contract.call("drawnPart") == drawn


@pytest.mark.parametrize("stops", ["nothing is sealed", "the probe is not opened", "nobody commits", "nothing is opened"])
def test_gap_3_wherever_everybody_stops_a_stranger_ends_it(stage, stops):
    program = tiny_play(stage)
    if stops == "nothing is sealed":
        refused("TooEarly", lambda: program.act("stranger", "ends it", "abort"))
        program.next_window()
        program.act("stranger", "ends it", "abort")
    elif stops == "the probe is not opened":
        program.seal_all()
        program.next_window()
        program.draw("stranger", 0)
        program.next_window()
        program.act("stranger", "ends it", "abort")
        assert program.contract.call("credit", stage.address("stranger")) == program.terms.part_bond // 2
    else:
        program.begin()
        for number in range(2):
            if stops == "nothing is opened":
                program.commit("ada", GOOD)
                program.next_window()
                program.draw("stranger", number + 1)
            program.next_window()
            program.settle()
            if stops == "nothing is opened":
                program.collect(number, "ada")
        assert program.program.state == "closed"
        program.next_window()
    for number in range(6):
        seal, _, over = program.contract.call("partOf", 0, number)
        if any(seal) and not over:
            program.act("stranger", "ends a part", "expirePart", 0, number)
    stage.withdraw_all()
    burned = program.contract.call("credit", "0x000000000000000000000000000000000000dEaD")
    assert program.contract.call("owed") == stage.balance(program.contract) == burned


def test_gap_4_objections_need_points_and_more_than_half_of_them():
    stopped("no-points", "back-door")


@settings(max_examples=10, deadline=None)
@given(st.lists(st.integers(-40, 40) | st.integers(-(1 << 31), (1 << 31) - 1), min_size=1, max_size=5), st.integers(0, 6), st.integers(0, 30))
def test_gap_5_a_loss_is_what_the_chain_says_it_is(z, label, margin):
    """The twin of the contract's loss, over logits of any signs: a network whose logits are its biases."""
    classes = len(z)
    weights = StageWeights(np.zeros((1, 1)), np.zeros(1), np.zeros((classes, 1)), np.array(z))
    for kind in Loss:
        contract, address = _network(((1, classes),), 1, 0, kind, margin, weights)
        expected = losses_of(network_of([weights], 0), Part.of(np.array([[7]], np.uint8), [label]), kind, margin)
        assert [contract.call("lossOf", [address], b"\x07", label)] == expected


_CHAIN = EmbeddedChain()


def _network(stages, inputs: int, shift: int, kind: Loss, margin: int, *weights: StageWeights):
    contract, _ = Contract.deploy(_CHAIN, load("GrowingNetwork"), list(stages), inputs, shift, kind, margin)
    return (contract, *(store(_CHAIN, w.data) for w in weights))


@given(st.lists(st.integers(-(1 << 20), 1 << 20), min_size=2, max_size=12), st.data(), st.integers(10, 20))
def test_gap_5_the_softmax_loss_is_that_of_real_numbers(z, data, bits):
    """Against floats: within a table's step, and never below what the largest logit has."""
    label = data.draw(st.integers(0, len(z) - 1))
    powers = np.exp2((np.array(z, float) - max(z)) / (1 << bits))
    expected = -np.log2(powers[label] / powers.sum()) if powers[label] > 0 else (max(z) - z[label]) / (1 << bits) + np.log2(powers.sum())
    assert abs(loss_of(Loss.SOFTMAX, z, label, bits) / 65536 - expected) <= 1 / 16 + 1e-3


def test_gap_5_anybody_refutes_a_false_loss_by_one_run():
    stopped("false-loss", "false-alarm")


def test_gap_6_copied_weights_gain_nothing():
    stopped("copy-seal", "copy-standing")


def test_gap_7_a_loss_counts_on_a_part_that_was_hidden_when_the_weights_were_sealed(stage):
    stopped("late-commit")
    program = running(stage, "ada")
    before = program.contract.call("used")
    program.test()
    assert not before >> program.contract.call("drawnPart") & 1


def test_gap_8_stakes_are_lost_by_silence_and_by_lies_and_by_nothing_else(stage):
    program = running(stage, "ada", "bob", "cyd")
    program.test()
    program.claim("ada")
    program.claim("bob", own=[0] * 4, standing=[1] * 4)
    program.next_window()
    for who in ("ada", "bob"):
        program.publish(who)
    program.next_window()
    program.refute("stranger", "bob", 0, of_standing=True)
    program.next_window()
    program.present("ada")
    program.next_window()
    program.settle("ada")
    for who in ("ada", "bob", "cyd"):
        program.collect(0, who)
    credits = [program.contract.call("credit", stage.address(who)) for who in ("ada", "bob", "cyd", "stranger")]
    stake, bond = program.terms.stake, program.terms.bond
    assert credits == [stake + bond + 10**18 // 3, 0, stake // 2, (stake + bond) // 2]


def test_gap_9_two_names_share_what_one_would_get():
    points = []
    for stakes in ({"ada": 2 * POOR, "bob": 2 * POOR}, {"ada": 2 * POOR, "bob": POOR, "cyd": POOR}):
        stage = Stage(EmbeddedChain(), story.CAST)
        program = running(stage)
        for who, stake in stakes.items():
            program.commit(who, GOOD, stake)
        to_the_end(program, *stakes)
        points.append([program.contract.call("points", stage.address(who)) for who in ("ada", "bob", "cyd")])
    assert points == [[500, 500, 0], [500, 250, 250]]


def test_gap_9_badges_stay_with_their_account(stage):
    program = running(stage, "ada")
    to_the_end(program, "ada")
    badges = program.program.badges
    for best in (False, True):
        number = badges.call("badgeOf", 0, best, stage.address("ada"))
        assert badges.call("ownerOf", number).lower() == stage.address("ada").lower()
        assert badges.call("locked", number) is True
    assert badges.call("supportsInterface", bytes.fromhex("b45a3c0e")) and badges.call("supportsInterface", bytes.fromhex("80ac58cd"))
    stopped("move-badge")


def test_gap_10_old_logits_are_the_same_bits_on_ten_thousand_images():
    images, _ = mnist_samples()
    old, new = trained(0, BEST), trained(1, BEST)
    before, after = (network_of(blocks, features_shift()).infer(images).logits for blocks in ([old], [old, new]))
    assert before.shape == (10_000, 8) and after.shape == (10_000, 10)
    assert np.array_equal(before, after[:, :8])
    contract, first, second = _network(STAGES, 784, features_shift(), Loss.ERRORS, 0, old, new)
    for number in range(0, 10_000, 2500):
        image = images[number].tobytes()
        grown = list(contract.call("logits", [first, second], image))
        assert grown == after[number].tolist() and list(contract.call("logits", [first], image)) == grown[:8]


@settings(max_examples=8, deadline=None)
@given(st.data())
def test_gap_10_no_weights_of_a_later_stage_reach_an_earlier_class(data):
    values = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    first, second = (_random(values, neurons, before, classes) for neurons, before, classes in ((2, 0, 2), (1, 2, 1)))
    contract, *addresses = _network(((2, 2), (1, 1)), 3, 2, Loss.ERRORS, 0, first, second)
    image = values.integers(0, 256, 3).astype(np.uint8)
    old, new = (list(contract.call("logits", addresses[:count], image.tobytes())) for count in (1, 2))
    assert new[:2] == old and new == network_of([first, second], 2).infer(image[None]).logits[0].tolist()
    assert StageWeights.from_bytes(second.data, 3, 2, (1, 1)).data == second.data


def _random(values, neurons: int, before: int, classes: int) -> StageWeights:
    def ints(shape, most: int) -> np.ndarray:
        return values.integers(-most, most, shape)

    return StageWeights(ints((neurons, 3), 128), ints(neurons, 1000), ints((classes, before + neurons), 128), ints(classes, 1000))


def test_gap_10_a_grown_network_is_handed_in_by_what_is_new_alone():
    stopped("old-weights")


@pytest.mark.parametrize(("kind", "margin"), [(Loss.HINGE, 100), (Loss.SOFTMAX, 4)])
def test_an_epoch_under_every_loss(stage, kind, margin):
    """Claimed, won and pinned as a version; and a loss that is one too low is refuted."""
    program = tiny_play(stage, loss=kind, margin=margin)
    program.begin()
    for who in ("ada", "bob"):
        program.commit(who, GOOD)
    program.test()
    program.claim("ada")
    own = program.losses(GOOD)
    place = next(place for place, loss in enumerate(own) if loss)
    program.claim("bob", own=[loss - (n == place) for n, loss in enumerate(own)])
    program.next_window()
    for who in ("ada", "bob"):
        program.publish(who)
    program.next_window()
    refused("LossStands", lambda: program.refute("stranger", "ada", place))
    program.refute("stranger", "bob", place)
    program.next_window()
    program.present("ada")
    program.next_window()
    program.settle("ada")
    assert program.contract.call("loss") == sum(own) and program.contract.call("wins") == 1
    learned = program.program.learned
    versions, handle = stage.contract_at("ModelVersions", learned.call("versions")), learned.call("handle")
    assert versions.call("latest", handle) == 1 and versions.call("executor", handle).lower() == learned.address.lower()
    refused("NotTheProgram", lambda: learned.by(stage.account("ada")).transact("win", 0, learned.address))
