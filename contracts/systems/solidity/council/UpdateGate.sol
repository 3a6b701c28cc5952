// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScore} from "../judge/IScore.sol";
import {ModelVersions} from "../models/ModelVersions.sol";
import {PatchablePredictor} from "../models/PatchablePredictor.sol";

/// A change that is voted on: what it is added to, whether it replaces the changes that are live there, where it lies and what it is, the
/// last second at which it can be adopted, and the number of its score.
struct Update {
    uint32 parent;
    bool fresh;
    address delta;
    bytes32 deltaHash;
    uint40 until;
    uint256 evidence;
}

/// What a change must be, whoever voted for it, before it becomes the next version of a model. The executor of the model's handle.
///
/// Invariants: only `timelock` adopts, and all it can do here is adopt; a version comes of the change that the vote was about, while
/// it is the next, in time, well-formed and within `cap` entries in 30 days; with a test, its score is final and not below the last.
contract UpdateGate {
    event Adopted(uint32 version, address delta, uint256 entries);

    error NotTheTimelock(address sender, address timelock);
    error TooLate(uint256 now_, uint256 until);
    error DeltaChanged(address delta, bytes32 found, bytes32 expected);
    error OverTheCap(uint256 entries, uint256 left);
    error WrongEvidence(uint256 score, bytes32 model, bytes32 expected);
    error NotShownAsGood(uint256 right, uint256 standing, bool complete);

    address public immutable timelock;
    ModelVersions public immutable versions;
    PatchablePredictor public immutable predictor;
    bytes32 public immutable handle;
    uint256 public immutable cap;
    IScore public immutable scores;
    bytes32 public immutable testRoot;
    /// Right answers that the next version must have on the test.
    uint256 public standing;
    mapping(uint256 month => uint256) private _used;

    /// Makes the model's handle, with `base` as version 0. Without `scores_` no evidence is asked for.
    constructor(address timelock_, PatchablePredictor predictor_, address base, uint256 cap_, IScore scores_, bytes32 testRoot_, uint256 standing_) {
        (timelock, predictor, versions, cap) = (timelock_, predictor_, predictor_.versions(), cap_);
        (scores, testRoot, standing) = (scores_, testRoot_, standing_);
        handle = versions.create(bytes32(uint256(uint160(timelock_))), address(this), base);
    }

    /// Makes a change the next version.
    function adopt(Update calldata u) external {
        if (msg.sender != timelock) revert NotTheTimelock(msg.sender, timelock);
        if (block.timestamp > u.until) revert TooLate(block.timestamp, u.until);
        if (u.delta.codehash != u.deltaHash) revert DeltaChanged(u.delta, u.delta.codehash, u.deltaHash);
        uint256 entries = predictor.check(handle, u.parent, u.delta);
        if (entries > left()) revert OverTheCap(entries, left());
        _used[block.timestamp / 30 days] += entries;
        if (address(scores) != address(0)) _requireScore(u);
        emit Adopted(versions.push(handle, u.parent, u.fresh, u.delta), u.delta, entries);
    }

    /// Entries that can still be adopted in these 30 days.
    function left() public view returns (uint256) {
        return cap - _used[block.timestamp / 30 days];
    }

    function _requireScore(Update calldata u) private {
        (bytes32 model, bytes32 root,) = scores.about(u.evidence);
        bytes32 expected = keccak256(abi.encode(handle, u.parent, u.fresh, u.delta));
        if (model != expected || root != testRoot) revert WrongEvidence(u.evidence, model, expected);
        (uint256 right, bool complete) = scores.score(u.evidence);
        if (!complete || right < standing) revert NotShownAsGood(right, standing, complete);
        standing = right;
    }
}
