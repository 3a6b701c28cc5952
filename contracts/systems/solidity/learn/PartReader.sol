// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sample, Samples} from "../blocks/Samples.sol";
import {TestSet} from "../blocks/TestSet.sol";
import {TestParts} from "./TestParts.sol";

/// Reads parts and samples for a program, whose code would be too long with this in it. Keeps nothing, and says the same to everybody.
contract PartReader {
    /// Root and seal of a part: `perPart` samples, whose labels are below `classes`.
    function read(bytes calldata data, uint256 inputBytes, uint256 perPart, uint256 classes, bytes32 salt)
        external
        pure
        returns (bytes32 root, bytes32 seal)
    {
        uint256 count;
        (root, count) = Samples.partRoot(data, inputBytes);
        if (count != perPart) revert TestParts.WrongSampleCount(count, perPart);
        for (uint256 i = 0; i < data.length; i += inputBytes + 1) {
            if (uint8(data[i]) >= classes) revert TestParts.LabelOutOfRange(uint8(data[i]), classes);
        }
        seal = Samples.partSeal(root, count, inputBytes, salt);
    }

    /// The root that a sample leads to.
    function rootOf(Sample calldata s, uint256 inputBytes, uint256 perPart) external pure returns (bytes32) {
        if (s.index >= perPart) revert TestSet.UnknownSample(s.part, s.index);
        if (s.input.length != inputBytes) revert Samples.WrongInputLength(s.input.length, inputBytes);
        return Samples.climb(Samples.leaf(s.index, s.label, s.input), s.index, perPart, s.path);
    }
}
