// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// "Does model M give input x the class c?", however that is decided.
///
/// An implementation answers by a view function and calls nothing that could change anything. True means shown; false, or any
/// error, means not shown, never the opposite.
interface IPrediction {
    /// What `evidence` is depends on the implementation: nothing, a proof, or a settled claim.
    function holds(bytes32 model, bytes calldata input, uint256 class_, bytes calldata evidence) external view returns (bool);
}
