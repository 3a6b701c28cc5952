// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Merkle trees of a fixed depth over words, nodes keccak256(left | right); a leaf is a word as it is (merkle.py is the twin).
library WordTree {
    error TooManyBytes(uint256 got, uint256 most);

    /// The root over the word `leaf` at `index`, by its siblings from below.
    function rootFrom(uint256 index, bytes32 leaf, bytes32[] calldata path) internal pure returns (bytes32 node) {
        node = leaf;
        for (uint256 height = 0; height < path.length; height++) {
            node = (index >> height) & 1 == 0 ? hash(node, path[height]) : hash(path[height], node);
        }
    }

    /// The root over `data` and zeros behind it, at `depth`. Overwrites `data`.
    function rootOf(bytes memory data, uint256 depth) internal pure returns (bytes32) {
        uint256 count = (data.length + 31) >> 5;
        if (count > 1 << depth) revert TooManyBytes(data.length, 32 << depth);
        bytes32 zero;
        if (count == 0) count = 1;
        // Plain equivalent: at each height, words[i] = keccak256(words[2 i] | words[2 i + 1]), a missing right one being the root over zeros.
        // The bytes behind the data's end, in its last word, are zeros: Solidity's allocations are of whole, cleared words.
        for (uint256 height = 0; height < depth; height++) {
            assembly ("memory-safe") {
                let words := add(data, 32)
                let pairs := shr(1, count)
                for { let i := 0 } lt(i, pairs) { i := add(i, 1) } {
                    mstore(add(words, shl(5, i)), keccak256(add(words, shl(6, i)), 64))
                }
                if and(count, 1) {
                    mstore(0, mload(add(words, shl(6, pairs))))
                    mstore(32, zero)
                    mstore(add(words, shl(5, pairs)), keccak256(0, 64))
                    pairs := add(pairs, 1)
                }
                count := pairs
                mstore(0, zero)
                mstore(32, zero)
                zero := keccak256(0, 64)
            }
        }
        return data.length == 0 ? zero : bytes32(_first(data));
    }

    /// The root over 2^depth zeros.
    function zeroRoot(uint256 depth) internal pure returns (bytes32 node) {
        for (; depth != 0; depth--) node = hash(node, node);
    }

    function hash(bytes32 left, bytes32 right) internal pure returns (bytes32 node) {
        // Plain equivalent: keccak256(abi.encodePacked(left, right)).
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(32, right)
            node := keccak256(0, 64)
        }
    }

    function _first(bytes memory data) private pure returns (uint256 value) {
        // Plain equivalent: value = uint256(bytes32(data[:32]));
        assembly ("memory-safe") {
            value := mload(add(data, 32))
        }
    }
}
