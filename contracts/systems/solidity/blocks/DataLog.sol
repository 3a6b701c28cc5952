// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// A list of leaves that only grows, as a Merkle tree of 2^32 places: nodes keccak256(left | right), empty leaves 0.
///
/// Invariants: leaf i never changes; the root after every 256th leaf stays known for ever under its size, like the root now.
/// Only the path of left siblings is stored: appending writes one node and reads one on average. Leaves are in the events of
/// whoever appends, in order.
abstract contract DataLog {
    error LogFull();
    error NoCheckpoint(uint256 size);

    uint256 internal constant DEPTH = 32;
    uint256 internal constant CHECKPOINT = 256;

    uint256 public logSize;
    mapping(uint256 height => bytes32 node) private _left;
    mapping(uint256 size => bytes32 root) private _roots;

    /// The root over the first `size` leaves: of any checkpoint (multiples of 256) and of the log as it is.
    function rootAt(uint256 size) public view returns (bytes32 root) {
        if (size == logSize) return _root();
        root = _roots[size];
        if (root == 0) revert NoCheckpoint(size);
    }

    function _append(bytes32 leaf) internal returns (uint256 index) {
        index = logSize;
        if (index >> DEPTH != 0) revert LogFull();
        logSize = index + 1;
        bytes32 node = leaf;
        uint256 height = 0;
        // a node is complete when it is a right child; it then hides its left sibling for good
        for (; (index >> height) & 1 == 1; height++) node = _hash(_left[height], node);
        _left[height] = node;
        if (logSize % CHECKPOINT == 0) _roots[logSize] = _root();
    }

    function _root() private view returns (bytes32 node) {
        uint256 size = logSize;
        bytes32 empty;
        for (uint256 height = 0; height < DEPTH; height++) {
            node = (size >> height) & 1 == 1 ? _hash(_left[height], node) : _hash(node, empty);
            empty = _hash(empty, empty);
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
