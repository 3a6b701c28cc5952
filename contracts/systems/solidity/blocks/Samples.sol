// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// One labelled input of a test, with its place in the Merkle tree of its part.
struct Sample {
    uint32 part;
    uint32 index;
    uint8 label;
    bytes input;
    bytes32[] path;
}

/// Labelled inputs as Merkle trees over 32-byte words, so that a whole part, one sample or one word can be shown.
///
/// A sample's words are `index << 8 | label`, then its input, zeros behind it; its leaf is the root over them, their number
/// filled up with zero words to a power of two. A part's root is the root over its samples' leaves, filled up alike. Nodes are
/// keccak256(left | right). Numbers of samples and of input bytes are fixed by whoever names a root, so depths are known and
/// no node can be taken for a leaf.
library Samples {
    error WrongPartLength(uint256 found, uint256 sampleBytes);
    error TooManySamples(uint256 found, uint256 most);
    error WrongInputLength(uint256 found, uint256 expected);
    error WrongPathLength(uint256 found, uint256 expected);

    uint256 internal constant MOST = 256;
    bytes32 internal constant PART = keccak256("zkpredict part 1");

    /// What seals a part before its data is shown: public images could be guessed without the salt.
    function partSeal(bytes32 root_, uint256 count, uint256 inputBytes, bytes32 salt) internal pure returns (bytes32) {
        return keccak256(abi.encode(PART, root_, count, inputBytes, salt));
    }

    /// Root and number of the samples in `data`: for each its label, one byte, then its input.
    function partRoot(bytes calldata data, uint256 inputBytes) internal pure returns (bytes32 root, uint256 count) {
        uint256 sampleBytes = inputBytes + 1;
        count = data.length / sampleBytes;
        if (count == 0 || data.length % sampleBytes != 0) revert WrongPartLength(data.length, sampleBytes);
        if (count > MOST) revert TooManySamples(count, MOST);
        uint256 words = 1 << depth(1 + (inputBytes + 31) / 32);
        uint256[] memory space = new uint256[](words);
        uint256[] memory leaves = new uint256[](1 << depth(count));
        for (uint256 i = 0; i < count; i++) {
            bytes calldata sample = data[i * sampleBytes:(i + 1) * sampleBytes];
            leaves[i] = uint256(_leaf(space, i, uint8(sample[0]), sample[1:]));
        }
        root = _fold(leaves);
    }

    /// The leaf of one sample.
    function leaf(uint256 index, uint8 label, bytes calldata input) internal pure returns (bytes32) {
        return _leaf(new uint256[](1 << depth(1 + (input.length + 31) / 32)), index, label, input);
    }

    /// The root that `path`, siblings from the leaf up, leads to. `count` is the number of leaves.
    function climb(bytes32 node, uint256 index, uint256 count, bytes32[] calldata path) internal pure returns (bytes32) {
        uint256 height = depth(count);
        if (path.length != height) revert WrongPathLength(path.length, height);
        for (uint256 i = 0; i < height; i++) {
            node = (index >> i) & 1 == 0 ? _hash(node, path[i]) : _hash(path[i], node);
        }
        return node;
    }

    /// The least d with 2^d >= count.
    function depth(uint256 count) internal pure returns (uint256 d) {
        while (1 << d < count) d++;
    }

    /// `space` has as many words as the sample's tree has leaves.
    function _leaf(uint256[] memory space, uint256 index, uint8 label, bytes calldata input) private pure returns (bytes32) {
        space[0] = index << 8 | label;
        // Plain equivalent: space[1:] = input, followed by zeros
        assembly ("memory-safe") {
            let to := add(space, 64)
            let end := add(add(space, 32), shl(5, mload(space)))
            calldatacopy(add(to, input.length), calldatasize(), sub(end, add(to, input.length)))
            calldatacopy(to, input.offset, input.length)
        }
        return _fold(space);
    }

    /// The root over a power of two of nodes, which it overwrites; the array keeps its length.
    function _fold(uint256[] memory nodes) private pure returns (bytes32 root) {
        // Plain equivalent:
        //     for (uint256 n = nodes.length; n > 1; n /= 2)
        //         for (uint256 i = 0; i < n / 2; i++) nodes[i] = keccak256(nodes[2 * i] | nodes[2 * i + 1]);
        //     root = nodes[0];
        assembly ("memory-safe") {
            let first := add(nodes, 32)
            for { let size := shl(5, mload(nodes)) } gt(size, 32) { size := shr(1, size) } {
                let to := first
                let end := add(first, size)
                for { let from := first } lt(from, end) { from := add(from, 64) } {
                    mstore(to, keccak256(from, 64))
                    to := add(to, 32)
                }
            }
            root := mload(first)
        }
    }

    function _hash(bytes32 left, bytes32 right) private pure returns (bytes32 node) {
        // node = keccak256(left | right)
        assembly ("memory-safe") {
            mstore(0, left)
            mstore(32, right)
            node := keccak256(0, 64)
        }
    }
}
