// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sample, Samples} from "../blocks/Samples.sol";
import {TestSet} from "../blocks/TestSet.sol";
import {Vault} from "../blocks/Vault.sol";
import {Answers, Posted} from "./Answers.sol";
import {IPrediction} from "./IPrediction.sol";
import {IScore} from "./IScore.sol";

/// Bonded scores of open models: whoever opens one posts all answers, anyone kills it by one wrong answer.
///
/// States of a sheet: POSTED until its window is over; then FINAL, when `release` gives the bond back; REFUTED at the first
/// wrong answer that somebody shows, which pays half of the bond to the one who showed it and burns the other half.
/// Invariants: a sheet's bond is held exactly while it is POSTED or FINAL and unreleased; `score` is complete only when FINAL.
contract AnswerSheet is IScore, Vault {
    using TestSet for TestSet.Set;

    event AnswersPosted(uint256 indexed id, address indexed by, bytes32 indexed model, uint256 right, bytes answers);
    event Refuted(uint256 indexed id, address indexed by, uint256 number);
    event Released(uint256 indexed id, uint256 right);

    error BondTooSmall(uint256 sent, uint256 least);
    error NoSuchSheet(uint256 id);
    error AlreadyRefuted(uint256 id);
    error WindowOver(uint256 id, uint256 until);
    error WindowOpen(uint256 id, uint256 until);
    error NothingToRelease(uint256 id);

    struct Sheet {
        bytes32 model;
        bytes32 answers;
        address by;
        uint40 until;
        uint32 right;
        bool refuted;
        uint96 bond;
        TestSet.Set test;
    }

    IPrediction public immutable prediction;
    uint256 public immutable window;
    uint256 public immutable leastBond;
    uint256 public sheets;
    mapping(uint256 id => Sheet) private _sheets;

    constructor(IPrediction prediction_, uint256 window_, uint256 leastBond_) {
        (prediction, window, leastBond) = (prediction_, window_, leastBond_);
    }

    /// Posts all answers of a model on one part of samples. `labels` are the part's labels, packed like the answers.
    function open(bytes32 model, uint32 inputBytes, bytes calldata data, bytes calldata answers, bytes calldata labels)
        external
        payable
        returns (uint256 id)
    {
        if (msg.value < leastBond || msg.value > type(uint96).max) revert BondTooSmall(msg.value, leastBond);
        id = ++sheets;
        Sheet storage s = _sheets[id];
        s.test.inputBytes = inputBytes;
        {
            (bytes32 root, uint256 count) = Samples.partRoot(data, inputBytes);
            s.test.add(root, count, data);
        }
        uint256 right;
        (s.answers, right) = Answers.post(s.test, answers, labels);
        (s.model, s.by, s.until) = (model, msg.sender, uint40(block.timestamp + window));
        (s.right, s.bond) = (uint32(right), uint96(msg.value));
        _hold(_purpose(id));
        emit AnswersPosted(id, msg.sender, model, right, answers);
    }

    /// Shows one wrong answer: the model gives sample `s` the class `class_`, the sheet says something else.
    function refute(uint256 id, Sample calldata s, Posted calldata posted, uint256 class_, bytes calldata evidence) external {
        Sheet storage sheet = _existing(id);
        if (sheet.refuted) revert AlreadyRefuted(id);
        if (block.timestamp >= sheet.until) revert WindowOver(id, sheet.until);
        uint256 number = Answers.refute(sheet.test, sheet.answers, s, posted, prediction, sheet.model, class_, evidence);
        sheet.refuted = true;
        _slash(_purpose(id), msg.sender, sheet.bond);
        emit Refuted(id, msg.sender, number);
    }

    /// Gives the bond of a sheet that nobody refuted back; anybody may send this.
    function release(uint256 id) external {
        Sheet storage sheet = _existing(id);
        if (block.timestamp < sheet.until) revert WindowOpen(id, sheet.until);
        if (held[_purpose(id)] == 0) revert NothingToRelease(id);
        _free(_purpose(id), sheet.by, sheet.bond);
        emit Released(id, sheet.right);
    }

    function score(uint256 id) external view returns (uint256 right, bool complete) {
        Sheet storage sheet = _existing(id);
        if (sheet.refuted) return (0, false);
        return (sheet.right, block.timestamp >= sheet.until);
    }

    function about(uint256 id) external view returns (bytes32 model, bytes32 testRoot, uint32 count) {
        Sheet storage sheet = _existing(id);
        return (sheet.model, sheet.test.part[0].root, sheet.test.count);
    }

    function _existing(uint256 id) private view returns (Sheet storage sheet) {
        sheet = _sheets[id];
        if (sheet.by == address(0)) revert NoSuchSheet(id);
    }

    function _purpose(uint256 id) private pure returns (bytes32) {
        return keccak256(abi.encode("sheet", id));
    }
}
