"""Compiled networks against the integer references, in real interpreters, at the edges of every shape and range."""

import re
from dataclasses import replace

import numpy as np
import pytest
from bitcoin_cases import exact_network, integer_network, spending
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.networks.exact import ExactLayer, ExactNetwork
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.contracts.bitcoin import exact, packed
from zkpredict.contracts.bitcoin.assembler import Op, assemble, join
from zkpredict.contracts.bitcoin.compiler import (
    claim, claim_script, compile_script, is_pot, pixel_bytes, pixel_inputs, pixels_of,
)
from zkpredict.contracts.bitcoin.interpreters import SpendRefused
from zkpredict.contracts.bitcoin.limits import Demand, LimitExceeded, NodeLimits
from zkpredict.contracts.bitcoin.measure import refusal, tally, wrong_claims

FALSE_AT_THE_END = {
    "bsv-sdk": "The top stack element must be truthy after script evaluation.",
    "bitcoinx": "evaluates to false",
}
SHAPES = [(1, 1), (1, 2), (2, 3), (5, 4, 3), (6, 7, 5, 4), (9, 3, 3, 3, 3, 2), (30, 16, 10), (4, 300)]


def images_for(source: np.random.Generator, pixels: int, count: int = 12) -> np.ndarray:
    random = source.integers(0, 256, (count, pixels), dtype=np.uint8)
    return np.concatenate([random, np.zeros((1, pixels), np.uint8), np.full((1, pixels), 255, np.uint8)])


def check_every_class(interpreter, network, images) -> None:
    """The right class is accepted and every other one refused, for the right reason."""
    lock = claim_script(compile_script(network)).code
    classes = network.shape[-1]
    for image, digit in zip(images, network.infer(images).digits.tolist()):
        assert refusal(interpreter, lock, image, digit) is None
        for other in {(digit + 1) % classes, 0, classes - 1} - {digit}:
            assert refusal(interpreter, lock, image, other) == FALSE_AT_THE_END[interpreter.name]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("shift", [0, 3, 8, 13])
def test_packed_matches_reference(interpreter, shape, shift):
    source = np.random.default_rng([*shape, shift])
    check_every_class(interpreter, integer_network(source, shape, shift=shift), images_for(source, shape[0]))


@pytest.mark.parametrize("shape", SHAPES)
def test_exact_matches_reference(interpreter, shape):
    source = np.random.default_rng(shape)
    check_every_class(interpreter, exact_network(source, shape), images_for(source, shape[0]))


@pytest.mark.parametrize(
    "weights,bias,shift",
    [(0, 0, 0), (1, 0, 1), (2, 300, 5), (127, 1 << 30, 5), (30_000, 10, 9), (1 << 31, 1, 30), (1 << 40, 0, 45), (9, 9, 62)],
)
def test_weights_of_any_size(fastest, weights, bias, shift):
    source = np.random.default_rng(weights)
    check_every_class(fastest, integer_network(source, (7, 5, 4), weights, bias, shift), images_for(source, 7))


@pytest.mark.parametrize("spread", [1e-8, 1e-3, 10.0])
def test_exact_weights_of_any_size(fastest, spread):
    source = np.random.default_rng(8)
    check_every_class(fastest, exact_network(source, (7, 5, 4), spread), images_for(source, 7))


@pytest.mark.parametrize("sign", [-1, 1])
def test_all_weights_at_their_extreme(fastest, sign):
    layer = DenseLayer(np.full((3, 40), sign * 127), np.array([0, 1, 1]), 0)
    check_every_class(fastest, IntegerNetwork((layer,)), images_for(np.random.default_rng(1), 40, 2))
    wide = ExactLayer(np.full((3, 40), sign * ((1 << 32) - 1)), np.array([0, 1, 1]))
    check_every_class(fastest, ExactNetwork((wide,)), images_for(np.random.default_rng(1), 40, 2))


def test_ties_go_to_the_lowest_index(interpreter):
    for network in (
        IntegerNetwork((DenseLayer(np.array([[1, 0], [0, 1], [0, 1], [1, 0]]), np.zeros(4, np.int64)),)),
        ExactNetwork((ExactLayer(np.array([[1, 0], [0, 1], [0, 1], [1, 0]]) * 10**8, np.zeros(4, np.int64)),)),
    ):
        lock = claim_script(compile_script(network)).code
        for image, digit in (([9, 3], 0), ([3, 9], 1), ([5, 5], 0), ([0, 0], 0)):
            accepted = [d for d in range(4) if refusal(interpreter, lock, np.array(image, np.uint8), d) is None]
            assert accepted == [digit]


SMALL = st.integers(-2, 2)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_tiny_networks_full_of_ties(fastest, draw):
    inputs, hidden, classes = (draw.draw(st.integers(1, 4)) for _ in range(3))

    def matrix(rows, columns):
        size = rows * columns
        return np.array(draw.draw(st.lists(SMALL, min_size=size, max_size=size))).reshape(rows, columns)

    def vector(rows):
        return matrix(rows, 1)[:, 0]

    network = IntegerNetwork((
        DenseLayer(matrix(hidden, inputs), vector(hidden), draw.draw(st.integers(0, 3))),
        DenseLayer(matrix(classes, hidden), vector(classes)),
    ))
    unscaled = ExactNetwork((
        ExactLayer(matrix(hidden, inputs) * 60, vector(hidden)), ExactLayer(matrix(classes, hidden) * 10**8, vector(classes))
    ))
    image = np.array(draw.draw(st.lists(st.integers(0, 3) | st.integers(252, 255), min_size=inputs, max_size=inputs)), np.uint8)
    for each in (network, unscaled):
        lock = claim_script(compile_script(each)).code
        assert [d for d in range(classes) if refusal(fastest, lock, image, d) is None] == [each.predict(image)]


@pytest.mark.parametrize("mode", ["packed", "exact"])
@pytest.mark.parametrize("shift", [0, 4, 8])
def test_activations_match_reference_one_by_one(interpreter, mode, shift):
    source = np.random.default_rng(shift)
    if mode == "packed":
        network, compile_layer = integer_network(source, (20, 9, 2), shift=shift), packed.compile_layer
    else:
        network, compile_layer = exact_network(source, (20, 9, 2)), exact.compile_layer
    cut, inputs = pixel_inputs(network)
    code = compile_layer(0, network.layers[0], network.intervals[0], inputs, last=False)
    for image in images_for(source, 20, 6):
        activations = network.infer(image[None]).activations[0][0].tolist()
        check = [code.outputs.read + assemble(value, Op.EQUALVERIFY) for value in reversed(activations)]
        lock = cut + join(code.sections) + b"".join(check) + assemble(1)
        interpreter.check(*spending(assemble(image.tobytes()), lock))
        wrong = cut + join(code.sections) + code.outputs.read + assemble(activations[-1] + 1, Op.EQUALVERIFY)
        with pytest.raises(SpendRefused, match="OP_EQUALVERIFY requires|EqualVerifyFailed"):
            interpreter.check(*spending(assemble(image.tobytes()), wrong))


@pytest.fixture(scope="module")
def small():
    network = integer_network(np.random.default_rng(2), (6, 4, 3), shift=2)
    image = np.arange(6, dtype=np.uint8) * 40
    return claim_script(compile_script(network)).code, image, network.predict(image)


def test_an_image_of_another_length_is_refused(interpreter, small):
    lock, image, digit = small
    for other in (image[:-1], np.append(image, np.uint8(0)), image[:0]):
        assert re.match("OP_EQUALVERIFY requires|EqualVerifyFailed", refusal(interpreter, lock, other, digit))
    assert refusal(interpreter, lock, image, digit) is None


def test_only_the_canonical_claim_is_accepted(interpreter, small):
    lock, image, digit = small
    pixels = assemble(image.tobytes())
    interpreter.check(*spending(pixels + assemble(digit), lock))
    number = digit.to_bytes(1, "little")
    for unlocking, reason in (
        (pixels + b"\x02" + number + b"\x00", "must be truthy|evaluates to false"),
        (pixels + b"\x01" + number, "minimal"),
        (b"\x4c\x06" + image.tobytes() + assemble(digit), "minimal"),
        (assemble(1) + pixels + assemble(digit), "clean"),
        (pixels + assemble(digit, Op.DUP, Op.DROP), "push"),
        (pixels, "OP_SWAP|stack depth"),
        (assemble(digit) + pixels, "OP_EQUALVERIFY requires|EqualVerifyFailed"),
        (pixels + assemble(-digit - 1), "must be truthy|evaluates to false"),
    ):
        with pytest.raises(SpendRefused, match=reason):
            interpreter.check(*spending(unlocking, lock))


def test_relaxed_transactions_accept_no_other_digit(fastest, small):
    """Versions above 1 lift the push-only, minimal and clean-stack rules since the Chronicle upgrade; the digit stays exact."""
    lock, image, digit = small
    pixels = assemble(image.tobytes())

    def check(unlocking):
        transaction, index, spent = spending(unlocking, lock)
        fastest.check(replace(transaction, version=2), index, spent)

    check(pixels + assemble(digit))
    check(assemble(9) + pixels + assemble(digit, Op.DUP, Op.DROP))
    padded = b"\x02" + digit.to_bytes(1, "little") + b"\x00"
    for other in (assemble((digit + 1) % 3), padded, assemble(digit, Op.NEGATE, 1, Op.ADD)):
        with pytest.raises(SpendRefused, match="must be truthy"):
            check(pixels + other)


def test_limits_are_named_with_the_excess():
    network = integer_network(np.random.default_rng(3), (30, 20, 5), shift=8)
    demand = claim_script(compile_script(network)).demand
    exactly = NodeLimits(demand.script_bytes, demand.number_bytes, demand.stack_bytes)
    assert claim_script(compile_script(network, exactly), exactly).demand == demand
    for tighter, reason in (
        (NodeLimits(script_bytes=demand.script_bytes - 1), f"{demand.script_bytes:,} bytes of script, 1 more than"),
        (NodeLimits(number_bytes=demand.number_bytes - 3), f"{demand.number_bytes:,} bytes of number, 3 more than"),
        (NodeLimits(stack_bytes=demand.stack_bytes - 2), f"{demand.stack_bytes:,} bytes of stack, 2 more than"),
    ):
        with pytest.raises(LimitExceeded, match=f"^packed 30-20-5 needs {reason} the node limit of"):
            claim_script(compile_script(network, tighter), tighter)


def test_default_limits_refuse_what_a_node_would():
    wide = IntegerNetwork((DenseLayer(np.ones((5_200, 2), np.int64), np.zeros(5_200, np.int64)),))
    with pytest.raises(LimitExceeded, match=r"^packed 2-5200 needs [\d,]+ bytes of number, [\d,]+ more than .* 10,000$"):
        compile_script(wide)
    long = integer_network(np.random.default_rng(4), (784, 700, 10), shift=8)
    with pytest.raises(LimitExceeded, match=r"^packed 784-700-10 needs [\d,]+ bytes of script, [\d,]+ more than .* 500,000$"):
        compile_script(long)
    with pytest.raises(LimitExceeded, match="^it needs 100,000,001 bytes of stack, 1 more than the node limit of 100,000,000$"):
        NodeLimits().check("it", Demand(1, 1, 100_000_001))


@pytest.mark.parametrize("mode", ["packed", "exact"])
def test_running_takes_no_more_than_was_proven(strictest, mode, monkeypatch):
    source = np.random.default_rng(5)
    network = (integer_network if mode == "packed" else exact_network)(source, (40, 30, 20, 10))
    lock = claim_script(compile_script(network))
    numbers, memory = [0], [0]
    library = strictest._library
    limits_type, stack_type = library.InterpreterLimits, library.limited_stack.LimitedStack
    check_length, grow = limits_type.validate_number_length, stack_type._increase_size

    def watch_number(self, size, *, limit=None):
        numbers.append(size)
        return check_length(self, size, limit=limit)

    def watch_stack(self, delta):
        grow(self, delta)
        memory.append(self.combined_size())

    monkeypatch.setattr(limits_type, "validate_number_length", watch_number)
    monkeypatch.setattr(stack_type, "_increase_size", watch_stack)
    for image in images_for(source, 40, 3):
        assert refusal(strictest, lock.code, image, network.predict(image)) is None
    assert 0 < max(numbers) <= lock.demand.number_bytes
    assert 0 < max(memory) <= lock.demand.stack_bytes


def test_our_scripts_say_what_they_want(small):
    lock, image, digit = small
    assert (pixels_of(lock), is_pot(lock)) == (6, False)
    with pytest.raises(UnusableInput, match="does not check the length of an image: it is none of ours"):
        pixels_of(assemble(Op.DUP, Op.CHECKSIG))
    with pytest.raises(MalformedFile, match="script: push of 5 bytes at offset 1, 1 are left"):
        pixels_of(b"\x05a")
    with pytest.raises(UnusableInput, match="an image must be uint8, got int64"):
        pixel_bytes(image.astype(np.int64))
    assert claim(image.tobytes(), digit) == claim(image, digit)


def test_sections_add_up(small):
    network = integer_network(np.random.default_rng(2), (6, 4, 3), shift=2)
    lock = claim_script(compile_script(network))
    assert sum(lock.sizes.values()) == len(lock.code) == lock.demand.script_bytes
    assert list(lock.sizes) == [
        "claim", "image", *(f"layer {n} {part}" for n in (0, 1) for part in ("constants", "multiply-add", "split")), "argmax",
    ]


def test_wrong_claims_go_through_every_other_class():
    images, digits = np.zeros((2, 1), np.uint8), np.array([3, 0])
    claims = wrong_claims(images, digits, 4, 12)
    assert all(digit != digits[number % 2] and 0 <= digit < 4 for number, (_, digit) in enumerate(claims))
    assert {digit for number, (_, digit) in enumerate(claims) if number % 2 == 0} == {0, 1, 2}


def test_a_tally_counts_what_was_accepted(fastest, small):
    lock, image, digit = small
    seen = []
    counted = tally(fastest, lock, [(image, digit), (image, (digit + 1) % 3), (image, digit)], seen.append)
    assert (counted.claims, counted.accepted, seen) == (3, 2, [1, 1, 1])
    assert counted.clock_milliseconds > 0 and counted.processor_milliseconds >= 0
