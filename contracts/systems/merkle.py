"""Merkle trees over 32-byte words with nodes `keccak(left | right)` at a fixed depth, each distinct pair hashed once.

A leaf is a word as it is: depth and position say what is a leaf and what a node, so no leaf can pass for one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from zkpredict.circuits.errors import UnusableInput
from zkpredict.kernel import keccak256

WORD = 32
MAX_DEPTH = 27
"""A region of 2^27 words is 4 GiB: addresses of bytes in it have 32 bits."""


def hash_pairs(nodes: np.ndarray) -> np.ndarray:
    """`keccak256` of each two nodes in a row: uint8 [2n, 32] to uint8 [n, 32]."""
    data = np.ascontiguousarray(nodes).tobytes()
    hashes = b"".join(keccak256(data[start : start + 2 * WORD]) for start in range(0, len(data), 2 * WORD))
    return np.frombuffer(bytearray(hashes), np.uint8).reshape(-1, WORD)


@dataclass
class Tree:
    """The tree over `words`, uint8 [2^depth, 32]; it keeps a copy of them, and every level up to the root."""

    levels: list[np.ndarray] = field(repr=False)

    @classmethod
    def of(cls, words: np.ndarray) -> Tree:
        """Hashes each distinct pair once: what is mostly zeros costs little."""
        levels = [np.array(words, np.uint8).reshape(-1, WORD)]
        if len(levels[0]) & (len(levels[0]) - 1):
            raise UnusableInput(f"a tree needs a power of two words, got {len(levels[0])}")
        while len(levels[-1]) > 1:
            levels.append(_hash_distinct(levels[-1]))
        return cls(levels)

    @property
    def depth(self) -> int:
        return len(self.levels) - 1

    @property
    def root(self) -> bytes:
        return self.levels[-1][0].tobytes()

    def set(self, words: np.ndarray) -> None:
        """Takes new words; hashes only above those that changed."""
        words = np.asarray(words, np.uint8).reshape(self.levels[0].shape)
        changed = np.flatnonzero((words != self.levels[0]).any(axis=1))
        self.levels[0][changed] = words[changed]
        for level, above in pairwise(self.levels):
            changed = np.unique(changed >> 1)
            if not len(changed):
                return
            above[changed] = hash_pairs(level.reshape(-1, 2 * WORD)[changed])

    def path(self, index: int) -> list[bytes]:
        """The siblings on the way from word `index` to the root."""
        return [level[(index >> height) ^ 1].tobytes() for height, level in enumerate(self.levels[:-1])]


def root_from(index: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root over `leaf` at `index` with these siblings."""
    for sibling in path:
        leaf = keccak256(sibling + leaf if index & 1 else leaf + sibling)
        index >>= 1
    return leaf


def zero_root(depth: int) -> bytes:
    """The root over nothing but zeros."""
    node = bytes(WORD)
    for _ in range(depth):
        node = keccak256(node + node)
    return node


def padded(data: bytes, depth: int) -> np.ndarray:
    """`data` and zeros behind it: uint8 [2^depth, 32]. Raises `UnusableInput` when it does not fit."""
    size = WORD << depth
    if len(data) > size:
        raise UnusableInput(f"{len(data)} bytes do not fit into 2^{depth} words of {WORD}")
    return np.frombuffer(data + bytes(size - len(data)), np.uint8).reshape(-1, WORD)


def depth_of(size: int) -> int:
    """The least depth whose words hold `size` bytes."""
    return max(0, (-(-size // WORD) - 1).bit_length())


def _hash_distinct(level: np.ndarray) -> np.ndarray:
    pairs = level.reshape(-1, 2 * WORD)
    if len(pairs) < 64:
        return hash_pairs(level)
    distinct, place = np.unique(pairs.view("V64").ravel(), return_inverse=True)
    return hash_pairs(distinct.view(np.uint8).reshape(-1, 2 * WORD))[place.ravel()]
