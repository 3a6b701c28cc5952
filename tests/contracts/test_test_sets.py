"""The registry of test sets: a set is what its bytes are, once; every other byte, point, label and size is refused by name."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from score_cases import refused

from zkpredict.circuits.batch.interleaving import together
from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.compile import Settings, compile_sources
from zkpredict.contracts.verifier.generate import SETTINGS, hand_written
from zkpredict.contracts.verifier.score_client import deploy_test_sets, is_set_registered, send_set, set_arguments
from zkpredict.contracts.verifier.testsets import test_sets_source as registry_source
from zkpredict.kernel import G1, Vector
from zkpredict.prover.registered import register_set
from zkpredict.prover.setup import monomial_key
from zkpredict.verifier.errors import WrongStatement
from zkpredict.verifier.testset import INPUTS_LABEL, RegisteredSet, opening_challenges
from zkpredict.verifier.transcript import keccak256

SIZE, COUNT = 600, 9
FAILED = ("OpeningFailed", ())


def _images(count: int = COUNT, size: int = SIZE, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (count, size), dtype=np.uint8)


def _labels(count: int = COUNT) -> np.ndarray:
    return np.arange(count) % 5


@cache
def _registry() -> Contract:
    return deploy_test_sets(EmbeddedChain()).contract


@cache
def _tests() -> RegisteredSet:
    return register_set(_images(), _labels())


def _arguments(**changed: object) -> tuple:
    names = ("size", "images", "labels", "points", "opening")
    given = set_arguments(_tests(), _images().tobytes())
    return tuple((dict(zip(names, given, strict=True)) | changed).values())


def _refusal(**changed: object) -> tuple[str, tuple]:
    return refused(_registry(), "register", *_arguments(**changed))


@pytest.mark.parametrize(("count", "size"), [(9, 784), (2, 1), (70, 1), (3, 33), (5, 12), (2, 2049), (2, 4096), (1, 4096)])
def test_sets_are_registered_under_their_ids(count, size):
    """As many to a point as there are, one in each, and inputs to spare."""
    registry, images = _registry(), _images(count, size)
    tests = register_set(images, _labels(count))
    assert not is_set_registered(registry, tests.set_id)
    receipt = send_set(registry.chain, registry.address, tests, images)
    ((name, event),) = registry.events(receipt)
    assert name == "SetRegistered" and (event["setId"], event["inputBytes"], event["count"]) == (tests.set_id, size, count)
    hashed = keccak256(INPUTS_LABEL + tests.set_id + images.tobytes())
    points = b"".join(point.to_uncompressed() for point in tests.points)
    data = b"\0" + size.to_bytes(4, "big") + count.to_bytes(4, "big") + hashed + tests.label_bytes + points
    assert registry.chain.code(registry.call("dataOf", tests.set_id)) == data
    assert registry.call("inputsPerPoint", size) == together(size)


def test_a_set_is_registered_once():
    registry, images = deploy_test_sets(EmbeddedChain()).contract, _images()
    registry.transact("register", *_arguments())
    assert refused(registry, "register", *_arguments()) == ("AlreadyRegistered", (_tests().set_id,))
    with pytest.raises(UnusableInput, match=f"the test set {_tests().set_id.hex()} is registered at {registry.address} already"):
        send_set(registry.chain, registry.address, _tests(), images)


def test_every_byte_of_the_inputs_counts():
    assert _refusal() == ("", ())
    images = _images().tobytes()
    for at in (0, SIZE - 1, SIZE, 4 * SIZE + 17, len(images) - 1):
        changed = bytearray(images)
        changed[at] ^= 1
        assert _refusal(images=bytes(changed)) == FAILED, at
    assert _refusal(images=images[SIZE:] + images[:SIZE]) == FAILED
    pixel = _images()
    pixel[0, 0] ^= 1
    with pytest.raises(WrongStatement, match="the inputs are not those of the registered test set"):
        send_set(_registry().chain, _registry().address, _tests(), pixel)


def test_labels_points_and_opening_belong_together():
    size, _, labels, points, opening = _arguments()
    assert _refusal(labels=labels[:-1] + bytes([labels[-1] ^ 1])) == FAILED
    assert _refusal(points=points[96:192] + points[:96] + points[192:]) == FAILED
    other = register_set(_images(seed=2), _labels())
    _, _, _, foreign, other_opening = set_arguments(other, _images(seed=2).tobytes())
    assert _refusal(points=foreign[:96] + points[96:]) == FAILED
    assert _refusal(points=foreign, opening=other_opening) == FAILED
    assert _refusal(opening=other_opening) == FAILED
    assert size == SIZE and opening != other_opening


def test_a_true_opening_of_other_polynomials_is_no_opening_of_the_inputs():
    """An owner commits to what he likes, say a coefficient where all inputs end, and opens that: the bytes decide the value."""
    images, key = _images(), monomial_key()
    spared = register_set(images, _labels())
    forged = RegisteredSet(SIZE, spared.labels, (*spared.points[:-1], spared.points[-1] + key[4095]), spared.opening)
    u, y = opening_challenges(forged.set_id, images.tobytes())
    m, total = together(SIZE), [0] * 4096
    for number, image in enumerate(images):
        for place, byte in enumerate(image):
            total[m * place + number % m] += pow(u, number // m) * int(byte)
    total[4095] += pow(u, len(forged.points) - 1)
    quotient, _ = Vector.from_ints([one % (G1_ORDER) for one in total]).divide_by_linear(y)
    opening = key[: len(quotient)].msm(quotient).to_compressed()
    points = b"".join(point.to_uncompressed() for point in forged.points)
    assert _refusal(points=points, opening=opening) == FAILED
    with pytest.raises(WrongStatement):
        send_set(_registry().chain, _registry().address, RegisteredSet(SIZE, forged.labels, forged.points, G1.from_compressed(opening)), images)


def test_points_are_points_of_the_group():
    points = _arguments()[3]
    precompile = ("PrecompileFailed", ("0x000000000000000000000000000000000000000c",))
    assert _refusal(points=points[:95] + bytes([points[95] ^ 1]) + points[96:]) == precompile
    assert _refusal(points=bytes(47) + b"\x04" + _square_root_of_68() + points[96:]) == precompile
    assert _refusal(points=b"\xff" * 48 + points[48:]) == precompile
    assert _refusal(points=points[:96] + bytes(96) + points[192:]) == ("PointAtInfinity", (1,))
    assert _refusal(opening=b"\x80" + bytes(47)) == FAILED


def test_sizes_are_refused_by_name():
    size, images, labels, points, opening = _arguments()
    for wrong in (0, 4097, (1 << 32) - 1):
        assert _refusal(size=wrong) == ("WrongInputBytes", (wrong,))
    assert _refusal(labels=b"", images=b"") == ("WrongLabelsLength", (0,))
    assert _refusal(labels=labels + b"\0") == ("WrongLabelsLength", (len(labels) + 1,))
    assert _refusal(labels=labels + b"\0\0") == ("WrongImagesLength", (len(images),))
    assert _refusal(images=images + b"\0") == ("WrongImagesLength", (len(images) + 1,))
    assert _refusal(size=size - 1) == ("WrongImagesLength", (len(images),))
    for wrong in (points[:-1], points[:-96], points + bytes(96)):
        assert _refusal(points=wrong) == ("WrongPointsLength", (len(wrong),))
    for wrong in (opening[:-1], opening + b"\0"):
        assert _refusal(opening=wrong) == ("WrongOpeningLength", (len(wrong),))
    many = 9000
    lengths = 41 + 2 * many + 96 * -(-many // 64)
    assert _refusal(size=1, images=bytes(many), labels=bytes(2 * many), points=bytes(96 * -(-many // 64))) == ("SetTooLarge", (lengths,))


def test_a_set_that_no_contract_holds_is_not_sent():
    images = _images(9000, 1)
    tests = register_set(images, _labels(9000))
    with pytest.raises(UnusableInput, match="the set takes 31,577 bytes on the chain, of which a contract holds 24,576: make several sets"):
        send_set(_registry().chain, _registry().address, tests, images)


def test_opening_and_id_are_what_refuses():
    """Without either check, other inputs are registered, and a set twice: nothing else stops them."""
    source = registry_source()
    for guard in ("if (!_opens()) revert OpeningFailed();", "if (dataOf[setId] != address(0)) revert AlreadyRegistered(setId);"):
        assert source.count(guard) == 1
        source = source.replace(guard, "")
    texts = {"ITestSets.sol": hand_written("ITestSets.sol"), "TestSets.sol": source}
    cut, _ = Contract.deploy(EmbeddedChain(), compile_sources(texts, replace(Settings.load(), settings=SETTINGS), strict=False)["TestSets"])
    for images in (_images(), _images(), _images(seed=2)):
        assert refused(cut, "register", *_arguments(images=images.tobytes())) == ("", ())
        cut.transact("register", *_arguments(images=images.tobytes()))


G1_ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_PRIME = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB


def _square_root_of_68() -> bytes:
    """y with y^2 = 4^3 + 4."""
    root = pow(68, (_PRIME + 1) // 4, _PRIME)
    assert root * root % _PRIME == 68
    return root.to_bytes(48, "big")
