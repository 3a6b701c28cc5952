"""The machine with one thing changed at a time: its twin notices every change. All changes are switches of one compiled contract."""

from __future__ import annotations

import pytest
from system_guards import cut_board
from test_dispute_twin import SEED, everything, trace_of

from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.systems import dispute
from zkpredict.contracts.systems.stories import Guard

FILE = "dispute/MulAddMachine.sol"
MUTANTS = tuple(Guard(FILE, text, instead) for text, instead in (
    ("t >= header.prologueSteps()", "t > header.prologueSteps()"),
    ("place.nest >> 208 > t && number > first", "place.nest >> 208 >= t && number > first"),
    ("place.nest >> 208 > t && number > first", "place.nest >> 208 > t + 1 && number > first"),
    ("n2 == 0 ? 0 : t % n2", "n2 == 0 ? 0 : t % n1"),
    ("n1 == 0 ? 0 : t / n1", "n1 == 0 ? 0 : t % n1"),
    ("int256(int32(uint32(kind >> 184))) * int256(place.repeat)", "int256(int32(uint32(kind >> 184))) * int256(place.i0)"),
    ("int256(int32(uint32(kind >> 152))) * int256(place.i0)", "int256(int32(uint32(kind >> 152))) * int256(place.i1)"),
    ("int256(int32(uint32(kind >> 120))) * int256(place.i1)", "int256(uint256(uint32(kind >> 120))) * int256(place.i1)"),
    ("int256(int32(uint32(kind >> 88))) * int256(place.i2)", "int256(int32(uint32(kind >> 88)))"),
    ("place.repeat * header.batch() + place.i0", "place.i0"),
    ("uint256(keccak256(abi.encode(seed, epoch))) % samples", "uint256(keccak256(abi.encode(seed, epoch + 1))) % samples"),
    ("(place / samples, place % samples)", "(place / (samples + 1), place % samples)"),
    ("y == 1", "y >= 1"),
    ("c + a * b", "a * b"),
    ("c + a * b", "c - a * b"),
    ("a > 0 ? a >> shift : int256(0)", "a >> shift"),
    ("a > 0 ? a >> shift : int256(0)", "a > 0 ? a >> (shift + 1) : int256(0)"),
    ("a > 0 ? b : int256(0)", "b"),
    ("_clamp(c - _round(b, shift), limit)", "c - _round(b, shift)"),
    ("_clamp(c - _round(b, shift), limit)", "_clamp(c + _round(b, shift), limit)"),
    ("_clamp(_round(a, shift), limit)", "_clamp(a >> shift, limit)"),
    ("if (margin != 0) shift += place.repeat / uint256(margin);", ""),
    ("if (margin != 0) shift += place.repeat / uint256(margin);", "if (margin != 0) shift += place.repeat / (uint256(margin) + 1);"),
    ("right ? a - margin : a + margin", "a + margin"),
    ("right == (e > 0) ? int256(0) : e", "e"),
    ("b == int256(place.i1)", "b == int256(place.i0)"),
    ("place.offset >> 4", "place.offset >> 5"),
    ("240 - 16 * (place.offset & 15)", "240 - 16 * (place.offset & 7)"),
    ("shift == 0 ? value : (value + int256(1 << (shift - 1))) >> shift", "value >> shift"),
    ("value < -limit ? -limit : value", "value"),
    ("cell.signed ? int256(top) >> (256 - bits) : int256(top >> (256 - bits))", "int256(top >> (256 - bits))"),
    ("uint256(word) << (8 * cell.offset)", "uint256(word)"),
    ("256 - bits - 8 * cell.offset", "256 - bits"),
    ("(uint256(word) & ~(mask << up)) | ((uint256(value) & mask) << up)", "(uint256(value) & mask) << up"),
))  # fmt: skip


@pytest.fixture(scope="module")
def checks() -> tuple[dict[Guard, Contract], list[tuple[tuple, bytes]]]:
    """The contract of each mutant, and calls with what they must give: a few steps of every nest in the first and a later repeat."""
    chain, program = EmbeddedChain(), everything()
    [place] = dispute.store(chain, program.encode())
    trace, calls = trace_of(program), []
    for number, nest in enumerate(program.prologue + program.body):
        for repeat in (0, 2) if number >= len(program.prologue) else (0,):
            first = program.first_step(number, repeat)
            for t in sorted({first + (nest.steps - 1) * part // 5 for part in range(6)}):
                opening = trace.opening(t)
                calls.append(((place, SEED, t, trace.state(t), opening.shown, *map(list, opening.paths)), trace.state(t + 1)))
    # a text that has two mutants needs two contracts: a switch takes the whole text
    boards: dict[Guard, Contract] = {}
    for turn in range(2):
        chosen = tuple(m for i, m in enumerate(MUTANTS) if [n.text for n in MUTANTS[:i]].count(m.text) == turn)
        contract = Contract.deploy(chain, cut_board("MulAddMachine", chosen))[0]
        boards |= dict.fromkeys(chosen, contract)
    return boards, calls


def switch(contract: Contract, guards: list[Guard], guard: Guard | None) -> None:
    contract.transact("cut", 0 if guard is None else 1 << guards.index(guard))


def agrees(contract: Contract, calls: list[tuple[tuple, bytes]]) -> bool:
    try:
        return all(contract.call("step", *arguments) == expected for arguments, expected in calls)
    except Reverted:
        return False


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda guard: guard.instead[:60])
def test_a_changed_machine_is_noticed(checks, mutant):
    boards, calls = checks
    contract = boards[mutant]
    guards = [guard for guard, board in boards.items() if board is contract]
    switch(contract, guards, mutant)
    assert not agrees(contract, calls)


def test_the_machine_with_nothing_changed_is_the_twin(checks):
    boards, calls = checks
    for contract in {board.address: board for board in boards.values()}.values():
        switch(contract, [], None)
        assert agrees(contract, calls)
