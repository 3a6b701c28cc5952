"""DataLog, DataStore, Samples and TestSet against their slow twins."""

from __future__ import annotations

import numpy as np
import pytest
from eth_utils import keccak
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from support import refuses
from world import machine_settings, new, outcome

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.open.weights import data_code
from zkpredict.contracts.systems.samples import Part, Sheet, depth, pack_nibbles


def log_root(leaves: list[bytes]) -> bytes:
    """The root over 2^32 places, level by level; empty subtrees are known."""
    level, empty = leaves, bytes(32)
    for _ in range(32):
        level = [*level, empty] if len(level) % 2 else level
        level = [keccak(left + right) for left, right in zip(level[::2], level[1::2])]
        empty = keccak(empty + empty)
    return level[0] if level else empty


class LogMachine(RuleBasedStateMachine):
    def __init__(self):
        super().__init__()
        self.log = new(EmbeddedChain(), "LogBench")
        self.leaves: list[bytes] = []

    @rule(count=st.sampled_from([1, 2, 3, 64, 250]), seed=st.binary(max_size=4))
    def append(self, count, seed):
        more = [keccak(seed + bytes([n])) for n in range(count)]
        self.log.transact("append", more)
        self.leaves += more
        assert self.log.call("logSize") == len(self.leaves)

    @rule(size=st.integers(0, 800))
    def look(self, size):
        size = min(size, len(self.leaves) + 1)
        known = size == len(self.leaves) or (size and size % 256 == 0 and size <= len(self.leaves))
        if known:
            assert self.log.call("rootAt", size) == log_root(self.leaves[:size])
        else:
            assert outcome(lambda: self.log.call("rootAt", size)) == "NoCheckpoint"

    @rule()
    def checkpoints_stay(self):
        for size in (*range(256, len(self.leaves) + 1, 256), len(self.leaves)):
            assert self.log.call("rootAt", size) == log_root(self.leaves[:size])


LogMachine.TestCase.settings = machine_settings(4, 8)
TestLog = LogMachine.TestCase


@pytest.fixture(scope="module")
def store():
    return new(EmbeddedChain(), "StoreBench")


@pytest.mark.parametrize("data", [b"", b"x", bytes(100), b"\xef" * 24_575], ids=["empty", "one", "zeros", "most"])
def test_what_is_stored_is_read_back_and_is_a_data_contract(store, data):
    holder = store.events(store.transact("write", data))[0][1]["holder"]
    assert store.chain.code(holder) == data_code(data)
    assert store.call("read", holder) == data


def test_too_much_data_and_other_contracts_are_refused(store):
    assert outcome(lambda: store.transact("write", bytes(24_576))) == "TooMuchData"
    for address in (store.address, store.chain.account(3).sender):
        assert outcome(lambda address=address: store.call("read", address)) == "NoData"


parts = st.tuples(st.integers(1, 9), st.integers(0, 2**32 - 1))


def random_part(count: int, size: int, seed: int) -> Part:
    rng = np.random.default_rng(seed)
    return Part.of(rng.integers(0, 256, (count, size), dtype=np.uint8), rng.integers(0, 16, count).tolist())


@settings(max_examples=10)
@given(size=st.sampled_from([1, 31, 32, 33, 100]), sizes=st.lists(parts, min_size=1, max_size=3), data=st.data())
def test_a_test_set_is_its_twin(size, sizes, data):
    found = [random_part(count, size, seed) for count, seed in sizes]
    bench = new(EmbeddedChain(), "TestSetBench", size)
    for part in found:
        assert bench.call("partRoot", part.data, size) == (part.root, len(part.inputs))
        assert bench.call("seal", part.root, len(part.inputs), size, b"\7" * 32) == part.seal(b"\7" * 32)
        bench.transact("add", part.data)
    number = data.draw(st.integers(0, len(found) - 1))
    index = data.draw(st.integers(0, len(found[number].inputs) - 1))
    first = sum(len(part.inputs) for part in found[:number])
    honest = found[number].sample(index, number)
    assert bench.call("check", honest) == first + index
    for name, changed in tampered(honest, len(found), len(found[number].inputs)).items():
        assert outcome(lambda changed=changed: bench.call("check", changed)) == name.split()[0], name
    truth = Sheet(tuple(part.labels for part in found))
    guess = [[data.draw(st.integers(0, 15)) for _ in part.labels] for part in found]
    equal = sum(a == b for part, guesses in zip(found, guess) for a, b in zip(part.labels, guesses))
    assert bench.call("right", Sheet(tuple(map(tuple, guess))).data, truth.data) == equal
    wrong = bytearray(truth.data)
    wrong[0] ^= 1
    assert outcome(lambda: bench.call("right", truth.data, bytes(wrong))) == "WrongLabels"
    assert outcome(lambda: bench.call("right", truth.data + bytes(32), truth.data)) == "WrongAnswersLength"
    assert outcome(lambda: bench.call("right", truth.data, truth.data[:-32])) == "WrongAnswersLength"


def tampered(sample: tuple, parts: int, count: int) -> dict[str, tuple]:
    """Samples that are none of the test, by the error expected; the word after it tells two of a kind apart."""
    part, index, label, data, path = sample
    found = {
        "UnknownPart": (parts, index, label, data, path),
        "UnknownSample": (part, count, label, data, path),
        "WrongSample label": (part, index, label ^ 1, data, path),
        "WrongSample input": (part, index, label, bytes([data[0] ^ 1]) + data[1:], path),
        "WrongInputLength": (part, index, label, data + b"\0", path),
        "WrongPathLength": (part, index, label, data, [*path, bytes(32)]),
    }
    if count > 1:
        found["WrongSample index"] = (part, (index + 1) % count, label, data, path)
    return found


def test_parts_of_another_form_are_refused():
    bench = new(EmbeddedChain(), "TestSetBench", 4)
    for data, name in ((b"", "WrongPartLength"), (bytes(6), "WrongPartLength"), (bytes(5 * 257), "TooManySamples")):
        assert outcome(lambda data=data: bench.transact("add", data)) == name
    assert outcome(lambda: bench.transact("add", b"\x10" + bytes(4))) == "LabelTooLarge"
    with refuses(UnusableInput, "a part has 1 to 256 inputs of bytes and as many labels, got (2, 3) and 1"):
        Part.of(np.zeros((2, 3), np.uint8), [1])
    with refuses(UnusableInput, "labels and answers are 0 to 15, got [16]"):
        pack_nibbles([1, 16])


def test_256_samples_of_a_part_and_64_answers_of_a_word():
    part = random_part(256, 5, 1)
    bench = new(EmbeddedChain(), "TestSetBench", 5)
    bench.transact("add", part.data)
    for index in (0, 63, 64, 255):
        assert bench.call("check", part.sample(index)) == index
        assert bench.call("nibbleAt", 0, index) == (index // 64, 252 - 4 * (index % 64))
    assert bench.call("right", pack_nibbles(part.labels), pack_nibbles(part.labels)) == 256


@settings(max_examples=25)
@given(a=st.integers(0, 2**256 - 1), mask=st.integers(0, 2**256 - 1), count=st.integers(1, 64))
def test_equal_nibbles_are_counted(sums, a, mask, count):
    b = a ^ (mask & sum(15 << (4 * n) for n in range(64) if mask >> n & 1))
    digits = zip(f"{a:064x}"[:count], f"{b:064x}"[:count])
    assert sums.call("equalNibbles", a, b, count) == sum(x == y for x, y in digits)


@pytest.fixture(scope="module")
def sums():
    return new(EmbeddedChain(), "TestSetBench", 1)


def test_depth():
    assert [depth(n) for n in (1, 2, 3, 4, 5, 256, 257)] == [0, 1, 2, 2, 3, 8, 9]
