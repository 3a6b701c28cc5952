// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScore} from "../judge/IScore.sol";

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

/// What a change must be, whoever voted for it, before it becomes the next version of a model.
///
/// Invariants: only `timelock` adopts, and all it can do here is adopt; a version comes of the change that the vote was about, while
/// it is the next, in time, well-formed and within `cap` entries in 30 days; with a test, its score is final and not below the last.
abstract contract Gate {
    event Adopted(uint32 version, address delta, uint256 entries);

    error NotTheTimelock(address sender, address timelock);
    error TooLate(uint256 now_, uint256 until);
    error DeltaChanged(address delta, bytes32 found, bytes32 expected);
    error OverTheCap(uint256 entries, uint256 left);
    error WrongEvidence(uint256 score, bytes32 model, bytes32 expected);
    error NotShownAsGood(uint256 right, uint256 standing, bool complete);

    address public immutable timelock;
    uint256 public immutable cap;
    IScore public immutable scores;
    bytes32 public immutable testRoot;
    /// Right answers that the next version must have on the test.
    uint256 public standing;
    mapping(uint256 month => uint256) private _used;

    /// Without `scores_` no evidence is asked for.
    constructor(address timelock_, uint256 cap_, IScore scores_, bytes32 testRoot_, uint256 standing_) {
        (timelock, cap, scores, testRoot, standing) = (timelock_, cap_, scores_, testRoot_, standing_);
    }

    /// Makes a change the next version.
    function adopt(Update calldata u) external {
        if (msg.sender != timelock) revert NotTheTimelock(msg.sender, timelock);
        if (block.timestamp > u.until) revert TooLate(block.timestamp, u.until);
        if (u.delta.codehash != u.deltaHash) revert DeltaChanged(u.delta, u.delta.codehash, u.deltaHash);
        (bytes32 model, uint256 entries) = _read(u);
        if (entries > left()) revert OverTheCap(entries, left());
        _used[block.timestamp / 30 days] += entries;
        if (address(scores) != address(0)) _requireScore(u.evidence, model);
        emit Adopted(_push(u, model), u.delta, entries);
    }

    /// Entries that can still be adopted in these 30 days.
    function left() public view returns (uint256) {
        return cap - _used[block.timestamp / 30 days];
    }

    /// The model that a change makes, as scores name it, and how much of the parent it changes. Reverts for none that could run.
    function _read(Update calldata u) internal view virtual returns (bytes32 model, uint256 entries);

    /// Makes the model the version after `u.parent`, which must be the latest.
    function _push(Update calldata u, bytes32 model) internal virtual returns (uint32 version);

    function _requireScore(uint256 evidence, bytes32 expected) private {
        (bytes32 model, bytes32 root,) = scores.about(evidence);
        if (model != expected || root != testRoot) revert WrongEvidence(evidence, model, expected);
        (uint256 right, bool complete) = scores.score(evidence);
        if (!complete || right < standing) revert NotShownAsGood(right, standing, complete);
        standing = right;
    }
}
