// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ITestSets} from "zkpredict/verifier/ITestSets.sol";

/// What a test has to do with a set in the registry of test sets: whether they are the same samples, and which classes are labels.
library RegisteredTest {
    error UnknownSet(bytes32 setId);
    error NotTheSet(bytes32 setId);

    /// Of a set's data (see `ITestSets`), behind the first byte: bytes of an input, number of inputs, the inputs' hash.
    uint256 private constant HEAD_BYTES = 40;
    bytes30 private constant LABEL = "zkpredict registered inputs v1";

    /// Refuses a set that is not registered, or not `data`: for each sample, in order, its label in one byte, then its input.
    function requireSame(ITestSets sets, bytes32 setId, uint32 inputBytes, uint256 count, bytes calldata data) internal view {
        bytes memory set = _read(sets, setId, count);
        // head = bytes of an input u32 | number of inputs u32 | the inputs' hash
        uint256 sizes;
        bytes32 hash;
        assembly ("memory-safe") {
            sizes := shr(192, mload(add(set, 32)))
            hash := mload(add(set, 40))
        }
        if (sizes != uint256(inputBytes) << 32 | count || hash != _hash(setId, inputBytes, count, data)) revert NotTheSet(setId);
        for (uint256 i = 0; i < count; i++) {
            if (_label(set, i) != uint8(data[i * (inputBytes + 1)])) revert NotTheSet(setId);
        }
    }

    /// One bit for each of `count` inputs of a set, at most 256, whose class is its label; `classes` are two bytes each.
    function right(ITestSets sets, bytes32 setId, uint256 count, bytes calldata classes) internal view returns (uint256 bits) {
        bytes memory set = _read(sets, setId, count);
        for (uint256 i = 0; i < count; i++) {
            if (_label(set, i) == uint16(bytes2(classes[2 * i:2 * i + 2]))) bits |= 1 << i;
        }
    }

    /// Head and labels of a set.
    function _read(ITestSets sets, bytes32 setId, uint256 count) private view returns (bytes memory set) {
        address data = sets.dataOf(setId);
        if (data == address(0)) revert UnknownSet(setId);
        set = new bytes(HEAD_BYTES + 2 * count);
        // set = data.code[1:][:HEAD_BYTES + 2 * count], zeros where the code ends before
        assembly ("memory-safe") {
            extcodecopy(data, add(set, 32), 1, mload(set))
        }
    }

    function _label(bytes memory set, uint256 index) private pure returns (uint256 label) {
        // label = set[HEAD_BYTES + 2 * index:][:2]
        assembly ("memory-safe") {
            label := shr(240, mload(add(add(set, 72), add(index, index))))
        }
    }

    /// keccak256(LABEL | set id | all inputs).
    function _hash(bytes32 setId, uint256 inputBytes, uint256 count, bytes calldata data) private pure returns (bytes32 hash) {
        // Plain equivalent: text = LABEL | setId; for each sample: text |= input; hash = keccak256(text). The text lies behind all that is
        // in use, and is given up again.
        bytes30 label = LABEL;
        assembly ("memory-safe") {
            let text := mload(0x40)
            mstore(text, label)
            mstore(add(text, 30), setId)
            let to := add(text, 62)
            let from := add(data.offset, 1)
            for { let end := add(to, mul(count, inputBytes)) } lt(to, end) { to := add(to, inputBytes) } {
                calldatacopy(to, from, inputBytes)
                from := add(from, add(inputBytes, 1))
            }
            hash := keccak256(text, sub(to, text))
        }
    }
}
