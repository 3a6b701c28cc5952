// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// How many samples of a test a model gets right.
interface IScore {
    /// `right` is a lower bound that is shown; `complete` says that it will not change any more.
    function score(uint256 id) external view returns (uint256 right, bool complete);

    /// What score `id` is about.
    function about(uint256 id) external view returns (bytes32 model, bytes32 testRoot, uint32 count);
}
