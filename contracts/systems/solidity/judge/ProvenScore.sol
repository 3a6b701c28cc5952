// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sample, Samples} from "../blocks/Samples.sol";
import {TestSet} from "../blocks/TestSet.sol";
import {IPrediction} from "./IPrediction.sol";
import {IScore} from "./IScore.sol";

/// A score as a lower bound that only grows: each shown right answer adds one. No stake, no dispute, no deadline.
///
/// Invariants: `right` is the number of bits set; a bit is set only for a sample of the test whose label the model was shown
/// to give; nothing goes down. Anyone may open a score and anyone may prove.
contract ProvenScore is IScore {
    using TestSet for TestSet.Set;

    event Opened(uint256 indexed id, bytes32 indexed model, bytes32 testRoot, uint256 count);
    event Proven(uint256 indexed id, uint256 number, uint256 right);

    error NoSuchScore(uint256 id);
    error AlreadyProven(uint256 id, uint256 number);
    error NotShown(bytes32 model, uint256 class_);

    struct Score {
        bytes32 model;
        uint32 right;
        mapping(uint256 word => uint256 bits) proven;
        TestSet.Set test;
    }

    IPrediction public immutable prediction;
    uint256 public scores;
    mapping(uint256 id => Score) private _scores;

    constructor(IPrediction prediction_) {
        prediction = prediction_;
    }

    /// Opens the score of a model on one part of samples, whose data stays in this call for all to read.
    function open(bytes32 model, uint32 inputBytes, bytes calldata data) external returns (uint256 id) {
        id = ++scores;
        Score storage s = _scores[id];
        s.model = model;
        s.test.inputBytes = inputBytes;
        (bytes32 root, uint256 count) = Samples.partRoot(data, inputBytes);
        s.test.add(root, count, data);
        emit Opened(id, model, root, count);
    }

    /// Counts one sample that the model was shown to give its label.
    function prove(uint256 id, Sample calldata sample, bytes calldata evidence) external {
        Score storage s = _existing(id);
        uint256 number = s.test.check(sample);
        uint256 bit = 1 << (number % 256);
        if (s.proven[number / 256] & bit != 0) revert AlreadyProven(id, number);
        if (!prediction.holds(s.model, sample.input, sample.label, evidence)) revert NotShown(s.model, sample.label);
        s.proven[number / 256] |= bit;
        emit Proven(id, number, ++s.right);
    }

    function score(uint256 id) external view returns (uint256 right, bool complete) {
        Score storage s = _existing(id);
        return (s.right, s.right == s.test.count);
    }

    function about(uint256 id) external view returns (bytes32 model, bytes32 testRoot, uint32 count) {
        Score storage s = _existing(id);
        return (s.model, s.test.part[0].root, s.test.count);
    }

    function _existing(uint256 id) private view returns (Score storage s) {
        s = _scores[id];
        if (s.test.count == 0) revert NoSuchScore(id);
    }
}
