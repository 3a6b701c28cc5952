"""keccak256 against pycryptodome, over every way a message can fill the last block."""

import os

import pytest
from support import refuses

from zkpredict.kernel import keccak256, reference


def test_keccak256_matches_reference():
    data = os.urandom(600)
    for length in range(600):
        assert keccak256(data[:length]) == reference.keccak256(data[:length]), length
    assert keccak256(bytearray(data)) == keccak256(memoryview(data)) == keccak256(data)


@pytest.mark.parametrize(
    "message, digest",
    [
        (b"", "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"),  # Ethereum's hash of no code
        (b"transfer(address,uint256)", "a9059cbb2ab09eb219583f4a59a5d0623ade346d962bcd4e46b11da047c9049b"),
    ],
)
def test_known_digests(message, digest):
    assert keccak256(message).hex() == digest
    assert keccak256(message + b"\x00").hex() != digest


def test_only_bytes_are_hashed():
    with refuses(TypeError, "expected bytes, got str"):
        keccak256("text")
    with refuses(TypeError, "expected bytes, got NoneType"):
        keccak256(None)
