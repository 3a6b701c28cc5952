"""The blocks with one thing changed at a time: a short script of calls notices every change.

What the script sees without a change is right because the machines of the other tests hold the blocks to their models.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from system_guards import _SETTER, _SWITCH, _switched
from test_block_data import random_part
from world import new, outcome

from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.chain.evm import CHAIN_ID, EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import SYSTEMS, Settings, compile_sources
from zkpredict.contracts.systems.samples import Sheet, pack_nibbles
from zkpredict.contracts.systems.seals import kind, seal
from zkpredict.contracts.systems.stories import Guard

A, B = b"\1" * 32, b"\2" * 32
MUTANTS = {
    "VaultBench": ("blocks/Vault.sol", (
        ("if (msg.value != expected) revert WrongPayment(msg.value, expected);", ""),
        ("held[purpose] += msg.value;", ""),
        ("owed += msg.value;", ""),
        ("held[to] += amount;", ""),
        ("credit[to] += amount;", ""),
        ("_free(purpose, to, amount / 2);", ""),
        ("amount - amount / 2", "amount / 2"),
        ("if (found < amount) revert NotEnoughHeld(purpose, found, amount);", "if (found < amount) return;"),
        ("held[purpose] = found - amount;", ""),
        ("if (amount == 0) revert NoCredit(account);", ""),
        ("credit[account] = 0;", ""),
        ("owed -= amount;", ""),
        ("if (!paid) revert PaymentFailed(account, amount);", ""),
    )),
    "SealBench": ("blocks/Seal.sol", (
        ("if (seal == 0) revert EmptySeal();", ""),
        ("if (book.seals[id][msg.sender] != 0) revert AlreadySealed(id, msg.sender);", ""),
        ("book.seals[id][msg.sender] = seal;", "book.seals[0][msg.sender] = seal;"),
        ("if (expected == 0) revert NothingSealed(id, who);", ""),
        ("if (found != expected) revert SealBroken(found, expected);", ""),
        ("delete book.seals[id][who];", ""),
        ("keccak256(abi.encode(SEAL, block.chainid, address(this), kind, id, who, payloadHash, salt))",
         "keccak256(abi.encode(SEAL, block.chainid, address(this), kind, id, msg.sender, payloadHash, salt))"),
    )),
    "ScheduleBench": ("blocks/Schedule.sol", (
        ("if (deadlines.length == 0 || deadlines.length > MOST) revert WrongDeadlineCount(deadlines.length, MOST);", ""),
        ("if (window < least || window == 0) revert WindowTooShort(i, window, least);", ""),
        ("before = deadlines[i];", ""),
        ("block.timestamp >= deadline(schedule, passed)", "block.timestamp > deadline(schedule, passed) + 12"),
        ("if (found != expected) revert WrongPhase(found, expected);", ""),
        ("passed < deadlines", "passed < 1"),
    )),
    "BeaconBench": ("blocks/Beacon.sol", (
        ("_requireClosed(id);", ""),
        ("if (draw.drawBlock != 0 && block.number <= draw.drawBlock + SERVED_BLOCKS) revert AlreadyArmed(id, draw.drawBlock);", ""),
        ("uint64(block.number + drawDelay)", "uint64(block.number)"),
        ("if (block.number <= draw.drawBlock) revert DrawTooEarly(block.number, draw.drawBlock);", ""),
        ("if (keccak256(header) != expected) revert WrongHeader(keccak256(header), expected);", ""),
        ("keccak256(abi.encode(_mixHash(header), address(this), id))", "keccak256(abi.encode(_mixHash(header), address(this), uint256(0)))"),
        ("i < MIX_HASH_FIELD", "i < MIX_HASH_FIELD - 1"),
        ("if (seed == 0) revert NotDrawn(id);", ""),
    )),
    "LogBench": ("blocks/DataLog.sol", (
        ("logSize = index + 1;", "logSize = index + 2;"),
        ("node = _hash(_left[height], node);\n", "node = _hash(node, _left[height]);\n"),
        ("_left[height] = node;", "_left[0] = node;"),
        ("if (logSize % CHECKPOINT == 0) _roots[logSize] = _root();", ""),
        ("if (root == 0) revert NoCheckpoint(size);", ""),
        ("empty = _hash(empty, empty);", ""),
    )),
    "TestSetBench": ("blocks/TestSet.sol", (
        ("if (s.part >= set.parts) revert UnknownPart(s.part);", ""),
        ("if (s.index >= count) revert UnknownSample(s.part, s.index);", ""),
        ("if (found != part.root) revert WrongSample(found, part.root);", ""),
        ("if (digest != set.labels) revert WrongLabels(digest, set.labels);", ""),
        ("if (answers.length != 32 * set.words) revert WrongAnswersLength(answers.length, 32 * set.words);", ""),
        ("if (label > 15) revert LabelTooLarge(label, 15);", ""),
        ("set.partCount != count", "false"),
        ("set.words += uint32(wordsOf(count));", "set.words += 1;"),
        ("252 - 4 * (index % PER_WORD)", "4 * (index % PER_WORD)"),
        ("x |= x >> 2;", ""),
        ("x |= x >> 1;", ""),
        ("if (count < PER_WORD) x = x >> (4 * (PER_WORD - count));", ""),
        ("i % 2 == 0 ? label << 4 : label", "label"),
    )),
}  # fmt: skip


@cache
def boards() -> dict[str, Artifact]:
    """Every bench, with a switch for each mutant of its block; compiled in one go."""
    head, switch = "pragma solidity 0.8.37;", 'pragma solidity 0.8.37;\nimport {_isCut} from "Cut.sol";'
    sources = {"Cut.sol": f"// SPDX-License-Identifier: MIT\n{head}\n{_SWITCH}"}
    bench = Path(__file__).with_name("Blocks.sol").read_text(encoding="utf-8")
    for name, (file, mutants) in MUTANTS.items():
        text = (SYSTEMS / file).read_text(encoding="utf-8")
        for number, (old, instead) in enumerate(mutants):
            assert text.count(old) == 1, f"{file} has {text.count(old)} times {old!r}"
            text = text.replace(old, _switched(Guard(file, old, instead), number))
        sources[file] = re.sub(r"\bpure\b", "view", text).replace(head, switch, 1)
        start = re.search(rf"^contract {name}\b", bench, re.MULTILINE).start()
        end = bench.index("\n}\n", start)
        bench = bench[: end + 1] + _SETTER.lstrip("\n") + bench[end + 3 :]
    sources["Blocks.sol"] = re.sub(r"\bpure\b", "view", bench)
    return compile_sources(sources, Settings.load(SYSTEMS), SYSTEMS, strict=False)


def said(act: Callable[[], object]) -> object:
    """What a call gives, or how it is refused."""
    found = []
    try:
        name = outcome(lambda: found.append(act()))
    except (Reverted, AssertionError):
        return "halt"
    return name or (found[0] if not hasattr(found[0], "gas_used") else "done")


def vault(c: Contract) -> list:
    other, bad = c.chain.account(1), new(c.chain, "BadAccount", False).address
    script = [
        said(lambda: c.transact("hold", A, 5, value=4)), said(lambda: c.transact("hold", A, 9, value=9)),
        said(lambda: c.transact("move", A, B, 4)), said(lambda: c.transact("move", A, B, 6)), said(lambda: c.transact("free", B, other.sender, 1)),
        said(lambda: c.transact("slash", B, other.sender, 3)), said(lambda: c.transact("free", A, bad, 2)), said(lambda: c.transact("withdrawFor", bad)),
        *(said(lambda p=p: c.call("held", p)) for p in (A, B)), c.call("credit", other.sender), c.call("credit", bad), c.call("owed"),
        said(lambda: c.by(other).transact("withdraw")), said(lambda: c.by(other).transact("withdraw")), c.call("owed"), c.chain.balance(c.address),
    ]  # fmt: skip
    return script


def seals(c: Contract) -> list:
    me, other = c.chain.sender, c.chain.account(1)
    made = seal("k", CHAIN_ID, c.address, 1, me, b"x", A)
    show = lambda who=me, salt=A: said(lambda: c.by(other).transact("open", kind("k"), 1, who, b"x", salt))  # noqa: E731
    script = [said(lambda: c.transact("commit", 1, bytes(32))), show(), said(lambda: c.transact("commit", 1, made))]
    return [*script, said(lambda: c.transact("commit", 1, B)), show(salt=B), show(), show(), said(lambda: c.transact("commit", 1, made))]


def schedules(c: Contract) -> list:
    c.chain.mine()
    now = c.chain.block().timestamp + 12
    make = lambda *windows, least=100: said(lambda: c.transact("make", [now + w for w in windows], least))  # noqa: E731
    script = [make(), make(*range(1000, 8000, 1000)), make(150, 200), make(5000, 5050, 5900), make(600, 1200)]
    first = c.call("all")
    for moment in (first[0] - 12, first[0], first[1]) if first else ():
        waited = moment - 12 - c.chain.block().timestamp
        if waited > 12:
            c.chain.advance(waited - 12)
            c.chain.mine()
        script.append(c.call("phase"))
    return [*script, said(lambda: c.call("requirePhase", 0)), said(lambda: c.call("requirePhase", 2))]


def beacons(c: Contract) -> list:
    script = [said(lambda: c.call("seed", 1)), said(lambda: c.transact("arm", 1)), said(lambda: c.transact("close", 1)), said(lambda: c.transact("arm", 1))]
    block = c.call("drawn", 1)[0]
    script += [said(lambda: c.transact("arm", 1)), said(lambda: c.transact("fix", 1, c.chain.block().header)), c.call("drawn", 1)[1]]
    c.chain.mine(4)
    header = c.chain.block(min(block, c.chain.block().number)).header
    return [*script, block, said(lambda: c.transact("fix", 1, c.chain.block().header)), said(lambda: c.transact("fix", 1, header)), c.call("drawn", 1)]


def logs(c: Contract) -> list:
    script = []
    for first, count in ((0, 1), (1, 2), (3, 4), (7, 250)):
        script += [said(lambda f=first, n=count: c.transact("append", [bytes([f, i]).ljust(32, b"\1") for i in range(n)])), c.call("logSize")]
        script += [said(lambda: c.call("rootAt", c.call("logSize")))]
    return [*script, said(lambda: c.call("rootAt", 256)), said(lambda: c.call("rootAt", 5))]


def test_sets(c: Contract) -> list:
    one, two = random_part(3, 40, 1), random_part(70, 40, 2)
    script = [said(lambda: c.transact("add", b"\x10" + bytes(40))), said(lambda: c.transact("add", one.data)), said(lambda: c.transact("add", two.data))]
    honest, sheet = two.sample(66, 1), Sheet((one.labels, two.labels))
    wrong = [(honest[0], honest[1], honest[2] ^ 1, *honest[3:]), (7, *honest[1:]), (1, 70, *honest[2:])]
    script += [said(lambda s=s: c.call("check", s)) for s in (honest, one.sample(2), *wrong)]
    flipped = bytes([sheet.data[0] ^ 0x10]) + sheet.data[1:]
    script += [said(lambda a=a, b=b: c.call("right", a, b)) for a, b in ((sheet.data, sheet.data), (flipped, sheet.data), (sheet.data, flipped),
                                                                    (sheet.data[:-32], sheet.data[:-32]))]  # fmt: skip
    script += [said(lambda: c.call("nibbleAt", 1, 66)), said(lambda: c.call("equalNibbles", 0x8421, 0x0000, 64)), said(lambda: c.call("equalNibbles", 0, 0, 3))]
    return [*script, said(lambda: c.call("right", pack_nibbles([9] * 64) * 3, pack_nibbles([9] * 64) * 3))]


test_sets.__test__ = False
SCRIPTS: dict[str, tuple[Callable, tuple]] = {
    "VaultBench": (vault, ()), "SealBench": (seals, ()), "ScheduleBench": (schedules, ()), "BeaconBench": (beacons, (2,)), "LogBench": (logs, ()),
    "TestSetBench": (test_sets, (40,)),
}  # fmt: skip


@cache
def seen(name: str, mask: int) -> list:
    """What the script sees of a bench with these changes."""
    script, arguments = SCRIPTS[name]
    contract = Contract.deploy(EmbeddedChain(), boards()[name], *arguments)[0]
    contract.transact("cut", mask)
    return script(contract)


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, (_, mutants) in MUTANTS.items() for number in range(len(mutants))],
    ids=[f"{name}: {old[:50].splitlines()[0]}" for name, (_, mutants) in MUTANTS.items() for old, _ in mutants],
)  # fmt: skip
def test_a_changed_block_is_noticed(name, number):
    assert seen(name, 1 << number) != seen(name, 0)
