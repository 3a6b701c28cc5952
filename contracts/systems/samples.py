"""Labelled inputs as the contracts see them: leaves, parts, paths, packed labels and answers. Twin of `blocks/Samples.sol`.

    part = Part.of(images, labels)          # uint8 [n, bytes], uint8 [n]
    part.data                               # calldata of `openPart`: for each sample its label and its input
    part.root, part.seal(salt)
    part.sample(3)                          # the tuple `Sample` that contracts take
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
from eth_abi import encode
from eth_utils import keccak

from zkpredict.circuits.errors import UnusableInput

MOST_SAMPLES = 256
MOST_LABEL = 15
_WORD = 32
_PART = keccak(text="zkpredict part 1")


def depth(count: int) -> int:
    """The least d with 2^d >= count."""
    return max(count - 1, 0).bit_length()


def merkle_levels(leaves: Sequence[bytes]) -> list[list[bytes]]:
    """All levels of the tree over `leaves` (32 bytes each, filled up with zero words to a power of two), leaves first."""
    level = [*leaves, *[bytes(_WORD)] * ((1 << depth(len(leaves))) - len(leaves))]
    levels = [level]
    while len(level) > 1:
        level = [keccak(left + right) for left, right in zip(level[::2], level[1::2], strict=True)]
        levels.append(level)
    return levels


def merkle_path(levels: list[list[bytes]], index: int) -> list[bytes]:
    """The siblings from leaf `index` up to the root."""
    return [level[(index >> height) ^ 1] for height, level in enumerate(levels[:-1])]


def words_of(data: bytes) -> list[bytes]:
    """`data` in words of 32 bytes, zeros behind its end."""
    padded = data + bytes(-len(data) % _WORD)
    return [padded[at : at + _WORD] for at in range(0, len(padded), _WORD)]


def leaf(index: int, label: int, data: bytes) -> bytes:
    """The leaf of one sample: the root over `index << 8 | label` and the words of its input."""
    return merkle_levels([(index << 8 | label).to_bytes(_WORD, "big"), *words_of(data)])[-1][0]


def pack_nibbles(values: Sequence[int]) -> bytes:
    """Labels or answers of one part, 0 to 15 each: two a byte, the first in the high half, whole words of 32 bytes."""
    if any(not 0 <= value <= MOST_LABEL for value in values):
        raise UnusableInput(f"labels and answers are 0 to {MOST_LABEL}, got {[v for v in values if not 0 <= v <= MOST_LABEL][:3]}")
    even = [*values, *[0] * (-len(values) % 64)]
    return bytes(int(high) << 4 | int(low) for high, low in zip(even[::2], even[1::2], strict=True))


def _unpack_nibbles(data: bytes, count: int) -> tuple[int, ...]:
    return tuple(nibble for byte in data for nibble in (byte >> 4, byte & 15))[:count]


@dataclass(frozen=True)
class Part:
    """Some labelled inputs of one length, 1 to 256 of them."""

    inputs: tuple[bytes, ...]
    labels: tuple[int, ...]

    @classmethod
    def of(cls, inputs: np.ndarray, labels: Sequence[int]) -> Part:
        """From uint8 [n, bytes] and n labels, 0 to 15. Raises `UnusableInput`."""
        rows = np.asarray(inputs)
        if rows.dtype != np.uint8 or not 1 <= len(rows) <= MOST_SAMPLES or len(rows) != len(labels):
            raise UnusableInput(f"a part has 1 to {MOST_SAMPLES} inputs of bytes and as many labels, got {rows.shape} and {len(labels)}")
        part = cls(tuple(row.tobytes() for row in rows.reshape(len(rows), -1)), tuple(int(label) for label in labels))
        pack_nibbles(part.labels)
        return part

    @property
    def input_bytes(self) -> int:
        return len(self.inputs[0])

    @property
    def data(self) -> bytes:
        """What opens the part: for each sample its label and its input."""
        return b"".join(bytes([label]) + data for label, data in zip(self.labels, self.inputs, strict=True))

    @cached_property
    def _levels(self) -> list[list[bytes]]:
        return merkle_levels([leaf(i, label, data) for i, (label, data) in enumerate(zip(self.labels, self.inputs, strict=True))])

    @property
    def root(self) -> bytes:
        return self._levels[-1][0]

    def seal(self, salt: bytes) -> bytes:
        """What binds its owner to the part before it is opened."""
        fields = _PART, self.root, len(self.inputs), self.input_bytes, salt
        return keccak(encode(["bytes32", "bytes32", "uint256", "uint256", "bytes32"], fields))

    def sample(self, index: int, part: int = 0) -> tuple[Any, ...]:
        """The contracts' `Sample`: number of its part in the test, index, label, input, path."""
        return part, index, self.labels[index], self.inputs[index], merkle_path(self._levels, index)


@dataclass(frozen=True)
class Sheet:
    """Answers to all samples of a test, part by part, packed like labels. Twin of `judge/Answers.sol`."""

    parts: tuple[tuple[int, ...], ...]

    @classmethod
    def from_bytes(cls, data: bytes, counts: Sequence[int]) -> Sheet:
        """From packed answers and the number of samples of every part. Raises `UnusableInput` for another length."""
        sizes = [_WORD * -(-count // 64) for count in counts]
        if len(data) != sum(sizes):
            raise UnusableInput(f"answers to parts of {list(counts)} samples are {sum(sizes)} bytes, got {len(data)}")
        starts = accumulate(sizes, initial=0)
        return cls(tuple(_unpack_nibbles(data[at : at + size], count) for at, size, count in zip(starts, sizes, counts, strict=False)))

    @property
    def data(self) -> bytes:
        """All words, 64 answers each; every part starts a new word."""
        return b"".join(map(pack_nibbles, self.parts))

    def differences(self, labels: Sheet) -> bytes:
        """These answers XOR the labels: zeros where they are right."""
        return bytes(a ^ b for a, b in zip(self.data, labels.data, strict=True))

    @property
    def root(self) -> bytes:
        return merkle_levels(words_of(self.data))[-1][0]

    def posted(self, part: int, index: int) -> tuple[bytes, list[bytes]]:
        """The contracts' `Posted`: the word with the answer to a sample, and its path."""
        number = sum(-(-len(answers) // 64) for answers in self.parts[:part]) + index // 64
        words = words_of(self.data)
        return words[number], merkle_path(merkle_levels(words), number)
