"""The machine in Solidity against its numpy twin, step by step, and what it refuses; programs that have no clear meaning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from eth_utils import keccak
from support import refuses

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.systems import dispute
from zkpredict.contracts.systems.inference import Inference
from zkpredict.contracts.systems.machine import Machine, Memory, Trace, boxes, state_of
from zkpredict.contracts.systems.merkle import Tree, hash_pairs, root_from, zero_root
from zkpredict.contracts.systems.program import DATA, SCRATCH, WEIGHTS, Nest, Op, Operand, Program, samples_at

SEED = bytes(range(32))
SAMPLES, BATCH, REPEATS = 7, 3, 4


def everything() -> Program:
    """A program with every operation, widths of 1 to 8 bytes, strides of all kinds, a prologue, repeats and samples."""
    sample = Operand(DATA, 1, 0, (0, 0, 1), sample=32, signed=False)
    label = Operand(DATA, 1, 31, sample=32, signed=False)
    weights = Operand(WEIGHTS, 1, 0, (0, 4, 1))
    master = Operand(WEIGHTS, 4, 32, (16, 4, 0))
    sums = Operand(SCRATCH, 4, 0, (16, 4, 0))
    wide = Operand(SCRATCH, 8, 64, (32, 8, 0))
    small = Operand(SCRATCH, 2, 192, (8, 2, 0))
    unsigned = Operand(SCRATCH, 1, 224, (4, 1, 0), signed=False)
    prologue = (
        Nest(Op.SEED, (4, 8, 1), replace(weights, strides=(8, 1, 0)), shift=9, margin=1),
        Nest(Op.SEED, (4, 4, 1), master, shift=1, margin=3),
    )
    backwards = replace(small, base=192 + 16 + 6, strides=(-8, -2, 0))
    body = (
        Nest(Op.ZERO, (3, 4, 1), sums),
        Nest(Op.MAC, (3, 4, 4), sums, a=replace(weights, strides=(0, 4, 1)), b=sample),
        Nest(Op.LOAD, (3, 4, 1), wide, a=sums),
        Nest(Op.MAC, (3, 4, 2), wide, a=replace(sums, strides=(16, 4, 0)), b=replace(small, base=224 - 32, strides=(8, 2, 2))),
        Nest(Op.RELU, (3, 4, 1), unsigned, a=sums, shift=8),
        Nest(Op.ERROR, (3, 4, 1), small, a=sums, b=label, shift=2, limit=3000, margin=50),
        Nest(Op.MASK, (3, 4, 1), wide, a=unsigned, b=small),
        Nest(Op.UPDATE, (3, 4, 1), master, b=small, shift=1, limit=20_000, margin=1),
        Nest(Op.QUANTISE, (3, 4, 1), backwards, a=wide, shift=4, limit=999),
        Nest(Op.LOAD, (1, 1, 1), Operand(SCRATCH, 4, 252, outer=0), a=Operand(WEIGHTS, 4, 32, outer=4)),
    )
    return Program((3, 2, 3), prologue, body, REPEATS, SAMPLES, BATCH)


def trace_of(program: Program, seed: int = 5) -> Trace:
    data = np.random.default_rng(seed).integers(0, 256, 32 << program.depths[0]).astype(np.uint8)
    data[31::32] %= 5
    return Trace(Machine(program, SEED), Memory.of(program, data.tobytes()))


@pytest.fixture(scope="module")
def machine() -> Contract:
    return dispute.deploy_machine(EmbeddedChain())


@pytest.fixture(scope="module")
def placed(machine: Contract) -> str:
    """The address of the program with everything."""
    return dispute.store(machine.chain, everything().encode())[0]


def step(machine: Contract, program: str, trace: Trace, t: int, /, **changes: object) -> bytes:
    """What the contract makes of step `t` of a run, with some of what it is shown changed."""
    opening = trace.opening(t)
    words = [changes.get(name, word) for name, word in zip("abc", opening.words)]
    paths = [changes.get(f"{name}_path", list(path)) for name, path in zip("abc", opening.paths)]
    roots = changes.get("roots", list(opening.roots))
    return machine.call("step", program, SEED, changes.get("t", t), changes.get("pre", trace.state(t)), (roots, *words), *paths)


def test_the_contract_is_the_twin_of_every_operation(machine, placed):
    program = everything()
    trace = trace_of(program)
    chosen = np.random.default_rng(1).choice(program.steps, 150, replace=False)
    ends = [program.first_step(n, r) + at for n, nest in enumerate(program.prologue + program.body) for r in (0, REPEATS - 1)
            for at in (0, nest.steps - 1) if r == 0 or n >= len(program.prologue)]  # fmt: skip
    for t in sorted({*chosen.tolist(), *ends}):
        assert step(machine, placed, trace, t) == trace.state(t + 1), (t, program.locate(t))
    assert {program.locate(t)[0].op for t in ends} == set(Op)
    assert machine.call("steps", placed) == program.steps


def test_whole_nests_match_single_steps():
    program = everything()
    trace, plain = trace_of(program), trace_of(program).memory(0).copy()
    for t in range(program.steps):
        if t % 40 == 0 or t == program.steps - 1:
            assert all((a == b).all() for a, b in zip(trace.memory(t).regions, plain.regions))
        trace.machine.run(plain, t, t + 1)


def test_a_run_is_the_same_whichever_way_it_is_looked_at():
    program = everything()
    forward, backward = trace_of(program), trace_of(program)
    some = list(range(0, program.steps + 1, 61))
    assert [forward.state(t) for t in some] == [backward.state(t) for t in reversed(some)][::-1]


def test_boxes_cover_a_nest_in_order():
    counts = (3, 4, 5)
    for start in range(0, 60, 7):
        for stop in range(start, 61, 5):
            found = [(i * 4 + j) * 5 + k for box in boxes(counts, start, stop)
                     for i in range(*box[0]) for j in range(*box[1]) for k in range(*box[2])]  # fmt: skip
            assert found == list(range(start, stop))


def test_every_epoch_visits_every_sample_in_an_order_of_its_own():
    orders = [samples_at(SEED, 30, range(30 * epoch, 30 * epoch + 30)).tolist() for epoch in range(5)]
    assert all(sorted(order) == list(range(30)) for order in orders)
    assert len({tuple(order) for order in orders}) == 5
    assert samples_at(SEED, 1, range(3)).tolist() == [0, 0, 0]


@pytest.mark.parametrize(("change", "error"), [
    ({"pre": bytes(32)}, "WrongState"),
    ({"roots": [bytes(32)] * 3}, "WrongState"),
    ({"a": bytes(32)}, "WrongRoot"),
    ({"b": b"\1" * 32}, "WrongRoot"),
    ({"c": b"\1" * 32}, "WrongRoot"),
    ({"a_path": []}, "WrongPath"),
    ({"b_path": [bytes(32)] * 4}, "WrongPath"),
    ({"c_path": [bytes(32)] * 3}, "WrongRoot"),
    ({"t": 10**9}, "StepOutside"),
])  # fmt: skip
def test_the_contract_refuses_what_is_not_in_the_state(machine, placed, change, error):
    trace = trace_of(everything())
    t = everything().first_step(3, 2) + 17
    assert step(machine, placed, trace, t) == trace.state(t + 1)
    with pytest.raises(Reverted) as refusal:
        step(machine, placed, trace, t, **change)
    assert refusal.value.name == error


def test_another_step_of_the_same_state_is_another_result(machine, placed):
    trace = trace_of(everything())
    t = everything().first_step(2, 1)
    assert step(machine, placed, trace, t) == step(machine, placed, trace, t, t=t)
    with pytest.raises(Reverted) as refusal:
        step(machine, placed, trace, t, t=t + 8)
    assert refusal.value.name == "WrongRoot"


def test_a_value_that_its_cell_cannot_hold_has_no_step(machine):
    """A product of two bytes into one byte: the twin refuses to run it, and so does the contract; the largest that fits, both take."""
    cells = [Operand(DATA, 1, place, signed=False) for place in (0, 1)]
    program = Program((0, 0, 0), (Nest(Op.MAC, (1, 1, 1), Operand(SCRATCH, 1, 0, signed=False), *cells), Nest(Op.ZERO, (1, 1, 1), Operand(SCRATCH, 1, 9))))
    [place] = dispute.store(machine.chain, program.encode())
    fits = Trace(Machine(program), Memory.of(program, bytes([51, 5])))
    assert step_zero(machine, place, fits) == fits.state(1)
    large = Trace(Machine(program), Memory.of(program, bytes([51, 6])))
    with pytest.raises(UnusableInput):
        large.state(1)
    with pytest.raises(Reverted) as refusal:
        step_zero(machine, place, large)
    assert (refusal.value.name, refusal.value.arguments) == ("ValueOutside", (306, 1))


def step_zero(machine: Contract, program: str, trace: Trace) -> bytes:
    """Step 0 without a seed."""
    opening = trace.opening(0)
    return machine.call("step", program, bytes(32), 0, state_of(opening.roots), opening.shown, *map(list, opening.paths))


@pytest.mark.parametrize(("place", "byte", "error"), [
    (0, 2, "NoProgram"),  # another version
    (1, 3, "NoProgram"),  # more nests than there are
    (64 + 6, 77, "UnknownOperation"),
    (64 + 3 * 32, 0, "NoTarget"),  # operand c of the first nest is not there
    (64 + 3 * 32 + 2, 255, "AddressOutside"),
])  # fmt: skip
def test_the_contract_refuses_programs_that_say_nothing(machine, place, byte, error):
    program = everything()
    data = bytearray(program.encode())
    data[place] = byte
    [address] = dispute.store(machine.chain, bytes(data))
    with pytest.raises(Reverted) as refusal:
        step(machine, address, trace_of(program), 0)
    assert refusal.value.name == error
    with pytest.raises((MalformedFile, UnusableInput, ValueError)):
        assert Program.decode(bytes(data)) == program


def test_no_program_lies_at_an_account_or_a_contract_that_runs(machine):
    trace = trace_of(everything())
    for address in ("0x" + "11" * 20, machine.address):
        with pytest.raises(Reverted) as refusal:
            step(machine, address, trace, 0)
        assert refusal.value.name == "NoProgram"


def test_programs_are_read_as_they_were_written():
    assert Program.decode(everything().encode()) == everything()
    for data in (b"", everything().encode()[:-1], everything().encode() + b"\0"):
        with refuses(MalformedFile, f"{len(data)} bytes are no program of version 1"):
            Program.decode(data)
    with refuses(MalformedFile, "the program is not in its one encoding: its step counts or spare bytes differ"):
        Program.decode(everything().encode()[:63] + b"\1" + everything().encode()[64:])


CELL = Operand(SCRATCH, 4, 0, (4, 0, 0))


@pytest.mark.parametrize(("nest", "problem"), [
    (Nest(Op.LOAD, (4, 1, 1), CELL), "it needs counts from 1 and operands a, c"),
    (Nest(Op.ZERO, (0, 1, 1), CELL), "it needs counts from 1 and operands c"),
    (Nest(Op.ZERO, (9, 1, 1), CELL), "c reaches bytes 0 to 36 of a region of 32"),
    (Nest(Op.ZERO, (2, 1, 1), replace(CELL, base=2)), "c has addresses that are no multiple of its width 4"),
    (Nest(Op.ZERO, (2, 2, 1), CELL), "it writes a cell twice, which only MAC may"),
    (Nest(Op.ZERO, (2, 2, 1), replace(CELL, strides=(4, 4, 0))), "two of its indices write the same cell"),
    (Nest(Op.LOAD, (2, 1, 1), CELL, a=replace(CELL, base=4)), "a reads cells that c writes"),
    (Nest(Op.MAC, (2, 2, 1), CELL, a=Operand(DATA, 1, 0), b=Operand(DATA, 1, 1)), "it adds the same product again"),
    (Nest(Op.ZERO, (1, 1, 1), replace(CELL, sample=4)), "only what is read can be a sample's, and a shift is below 64"),
    (Nest(Op.LOAD, (1, 1, 1), CELL, a=Operand(DATA, 1, 0, sample=1)),
     "a walks samples, whose number and batch the program must say, by its first index"),
])  # fmt: skip
def test_a_nest_without_a_clear_meaning_is_refused(nest, problem):
    with refuses(UnusableInput, f"nest 0 ({nest.op.name}): {problem}"):
        Program((0, 0, 0), (nest, Nest(Op.ZERO, (2, 1, 1), CELL)))


def test_sums_that_leave_their_cell_on_the_way_are_refused():
    """100 + 100 - 100 fits a byte at the end, not on the way: the contract would refuse the second step."""
    program = Program((0, 0, 0), (Nest(Op.MAC, (1, 3, 1), Operand(SCRATCH, 1, 0), Operand(DATA, 1, 0, (0, 1, 0)), Operand(DATA, 1, 3)),))
    memory = Memory.of(program, bytes([100, 100, 156, 1]))
    with refuses(UnusableInput, "sums of products can leave 8 bits on the way: the program's bounds are wrong"):
        Machine(program).run(memory, 0, 3)


def test_hashes_match_reference():
    words = np.random.default_rng(3).integers(0, 256, (2048, 32)).astype(np.uint8)
    expected = [keccak(pair.tobytes()) for pair in words.reshape(-1, 64)]
    assert [row.tobytes() for row in hash_pairs(words)] == expected
    tree = Tree.of(words)
    assert all(root_from(i, words[i].tobytes(), tree.path(i)) == tree.root for i in (0, 1, 1000, 2047))
    words[[5, 1999]] = 1
    tree.set(words)
    assert tree.root == Tree.of(words).root
    assert Tree.of(np.zeros((64, 32), np.uint8)).root == zero_root(6)


@pytest.mark.parametrize("shape", [(1, 2), (5, 3), (33, 2), (70, 9, 4), (3, 40, 17)])
def test_networks_run_as_programs_and_register_under_the_root_of_their_weights(shape):
    from support import random_image, random_network, worst_images

    network = random_network(11, shape, largest=500)
    inference = Inference.of(network)
    contract = dispute.deploy(EmbeddedChain())
    assert dispute.register(contract, inference) == dispute.model_id(inference)
    for image in (random_image(1, shape[0]), *worst_images(network, 0)):
        trace = inference.trace(image)
        assert (inference.logits(trace) == network.infer(image[None]).logits[0]).all()
        claim, _ = dispute.assert_prediction(contract, dispute.model_id(inference), image, trace)
        found = contract.call("prediction", claim)
        assert found == (dispute.model_id(inference), keccak(image.tobytes()), network.predict(image), False)
