"""Merkle trees over 32-byte words with nodes `keccak(left | right)` at a fixed depth, hashed many nodes at a time in numpy.

A leaf is a word as it is: depth and position say what is a leaf and what a node, so no leaf can pass for one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from eth_utils import keccak

from zkpredict.circuits.errors import UnusableInput

WORD = 32
MAX_DEPTH = 27
"""A region of 2^27 words is 4 GiB: addresses of bytes in it have 32 bits."""
_LANES = 25
_BLOCK = 8192
_FEW = 512
_PAD_FIRST, _PAD_LAST = np.uint64(0x01), np.uint64(0x80 << 56)


def _round_constants() -> list[np.uint64]:
    """iota of Keccak-f[1600]: bits of the LFSR x^8 + x^6 + x^5 + x^4 + 1 (FIPS 202, section 3.2.5)."""
    constants, state = [], 1
    for _ in range(24):
        value = 0
        for j in range(7):
            value |= (state & 1) << ((1 << j) - 1)
            state = (state << 1) ^ (0x171 if state & 0x80 else 0)
        constants.append(np.uint64(value))
    return constants


def _moves() -> list[tuple[int, int, int]]:
    """rho and pi together: (from lane, to lane, rotation), lane x + 5 y (FIPS 202, sections 3.2.2 and 3.2.3)."""
    moves, (x, y) = [(0, 0, 0)], (1, 0)
    for t in range(24):
        moves.append((x + 5 * y, y + 5 * ((2 * x + 3 * y) % 5), (t + 1) * (t + 2) // 2 % 64))
        x, y = y, (2 * x + 3 * y) % 5
    return moves


_ROUNDS, _MOVES = _round_constants(), _moves()


def _permute(lanes: list[np.ndarray]) -> list[np.ndarray]:
    """Keccak-f[1600] on 25 lanes, uint64 [n] each, which it overwrites."""
    moved = [np.empty_like(lanes[0]) for _ in lanes]
    columns = [np.empty_like(lanes[0]) for _ in range(5)]
    change, spare = np.empty_like(lanes[0]), np.empty_like(lanes[0])

    def rotate(lane: np.ndarray, by: int, out: np.ndarray) -> None:
        np.left_shift(lane, np.uint64(by), out=out)
        np.right_shift(lane, np.uint64(64 - by), out=spare)
        np.bitwise_or(out, spare, out=out)

    for constant in _ROUNDS:
        for x, column in enumerate(columns):  # theta
            np.bitwise_xor(lanes[x], lanes[x + 5], out=column)
            for y in (10, 15, 20):
                np.bitwise_xor(column, lanes[x + y], out=column)
        for x in range(5):
            rotate(columns[(x + 1) % 5], 1, change)
            np.bitwise_xor(change, columns[(x + 4) % 5], out=change)
            for y in range(0, 25, 5):
                np.bitwise_xor(lanes[x + y], change, out=lanes[x + y])
        for source, target, by in _MOVES:  # rho and pi
            if by:
                rotate(lanes[source], by, moved[target])
            else:
                moved[target][:] = lanes[source]
        for y in range(0, 25, 5):  # chi
            for x in range(5):
                np.invert(moved[y + (x + 1) % 5], out=spare)
                np.bitwise_and(spare, moved[y + (x + 2) % 5], out=spare)
                np.bitwise_xor(moved[y + x], spare, out=lanes[y + x])
        np.bitwise_xor(lanes[0], constant, out=lanes[0])  # iota
    return lanes


def hash_pairs(nodes: np.ndarray) -> np.ndarray:
    """`keccak` of each two nodes in a row: uint8 [2n, 32] to uint8 [n, 32]. The twin of `keccak(left + right)`."""
    pairs = np.ascontiguousarray(nodes).reshape(-1, 2 * WORD)
    hashes = np.empty((len(pairs), WORD), np.uint8)
    if len(pairs) < _FEW:
        for number, pair in enumerate(pairs):
            hashes[number] = np.frombuffer(keccak(pair.tobytes()), np.uint8)
        return hashes
    for first in range(0, len(pairs), _BLOCK):
        block = np.ascontiguousarray(pairs[first : first + _BLOCK].view("<u8").T)
        lanes = [*block, *np.zeros((_LANES - len(block), block.shape[1]), np.uint64)]
        lanes[8][:], lanes[16][:] = _PAD_FIRST, _PAD_LAST
        hashes[first : first + _BLOCK] = np.ascontiguousarray(np.stack(_permute(lanes)[:4]).T).view(np.uint8)
    return hashes


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
        for level, above in zip(self.levels, self.levels[1:]):
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
        leaf = keccak(sibling + leaf if index & 1 else leaf + sibling)
        index >>= 1
    return leaf


def zero_root(depth: int) -> bytes:
    """The root over nothing but zeros."""
    node = bytes(WORD)
    for _ in range(depth):
        node = keccak(node + node)
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
