// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScoreVerifier} from "zkpredict/verifier/IScoreVerifier.sol";
import {Sample, Samples} from "../blocks/Samples.sol";
import {TestSet} from "../blocks/TestSet.sol";
import {IPrediction} from "./IPrediction.sol";
import {IScore} from "./IScore.sol";
import {RegisteredTest} from "./RegisteredTest.sol";

/// A score as a lower bound that only grows: each shown right answer adds one, and one proof about a whole registered test set all that
/// it shows at once. No stake, no dispute, no deadline.
///
/// Invariants: `right` is the number of bits set; a bit is set only for a sample of the test whose label the model was shown
/// to give; nothing goes down. A registered set stands for a test only when they were the same samples, in the same order, with the
/// same labels, as the score was opened. Anyone may open a score and anyone may prove: a proof is about model and samples, and is as true
/// when another brings it, so it needs no context.
contract ProvenScore is IScore {
    using TestSet for TestSet.Set;

    event Opened(uint256 indexed id, bytes32 indexed model, bytes32 testRoot, uint256 count);
    event Proven(uint256 indexed id, uint256 number, uint256 right);
    event OnSet(uint256 indexed id, bytes32 indexed setId);
    event ScoreProven(uint256 indexed id, uint256 bits, uint256 right);

    error NoSuchScore(uint256 id);
    error AlreadyProven(uint256 id, uint256 number);
    error NotShown(bytes32 model, uint256 class_);
    error NoVerifier(address verifier);
    error NotOnSet(uint256 id);
    error NothingNew(uint256 id);
    // of the verifier, passed on
    error UnknownModel(bytes32 modelId);
    error WrongClassesLength(uint256 found);
    error WrongProofLength(uint256 found);
    error WrongClass(uint256 index);
    error OpeningFailed();

    struct Score {
        bytes32 model;
        uint32 right;
        mapping(uint256 word => uint256 bits) proven;
        TestSet.Set test;
        bytes32 setId; // 0: not on a registered set
    }

    IPrediction public immutable prediction;
    /// What checks proofs about whole sets; 0 where scores are proven sample by sample only.
    IScoreVerifier public immutable verifier;
    uint256 public scores;
    mapping(uint256 id => Score) private _scores;

    constructor(IPrediction prediction_, IScoreVerifier verifier_) {
        if (address(verifier_) != address(0) && address(verifier_).code.length == 0) revert NoVerifier(address(verifier_));
        prediction = prediction_;
        verifier = verifier_;
    }

    /// Opens the score of a model on one part of samples, whose data stays in this call for all to read.
    function open(bytes32 model, uint32 inputBytes, bytes calldata data) external returns (uint256 id) {
        (id,) = _open(model, inputBytes, data);
    }

    /// The same of a test that is registered as `setId`: it can then also be proven by one proof about all of it.
    function openOnSet(bytes32 model, uint32 inputBytes, bytes calldata data, bytes32 setId) external returns (uint256 id) {
        if (address(verifier) == address(0)) revert NoVerifier(address(0));
        uint256 count;
        (id, count) = _open(model, inputBytes, data);
        RegisteredTest.requireSame(verifier.TEST_SETS(), setId, inputBytes, count, data);
        _scores[id].setId = setId;
        emit OnSet(id, setId);
    }

    function _open(bytes32 model, uint32 inputBytes, bytes calldata data) private returns (uint256 id, uint256 count) {
        id = ++scores;
        Score storage s = _scores[id];
        s.model = model;
        s.test.inputBytes = inputBytes;
        bytes32 root;
        (root, count) = Samples.partRoot(data, inputBytes);
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

    /// Counts every sample of the set that the model was shown to give its label: `classes` is what it says of all of them.
    function proveOnSet(uint256 id, bytes calldata classes, bytes calldata proof) external {
        Score storage s = _existing(id);
        bytes32 setId = s.setId;
        if (setId == 0) revert NotOnSet(id);
        verifier.verifyScoreOrRevert(s.model, setId, 0, classes, proof);
        uint256 before = s.proven[0]; // a part has at most 256 samples
        uint256 bits = before | RegisteredTest.right(verifier.TEST_SETS(), setId, s.test.count, classes);
        if (bits == before) revert NothingNew(id);
        s.proven[0] = bits;
        uint32 sum = 0;
        for (uint256 left = bits; left != 0; left &= left - 1) sum++;
        s.right = sum;
        emit ScoreProven(id, bits, sum);
    }

    /// The registered set that a score is on; 0 for none.
    function setOf(uint256 id) external view returns (bytes32) {
        return _existing(id).setId;
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
