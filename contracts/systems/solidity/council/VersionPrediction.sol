// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPrediction} from "../judge/IPrediction.sol";
import {PatchablePredictor} from "../models/PatchablePredictor.sol";

/// Decides by running one version of a model, or what a change would make of a version.
///
/// A model is keccak256(handle, version), or keccak256(handle, parent, fresh, delta) for a change that is not adopted. Evidence is
/// the four of them, `delta` 0 for a version. Neither ever changes its meaning: versions do not, and `delta` is a data contract.
contract VersionPrediction is IPrediction {
    error AnotherModel(bytes32 found, bytes32 expected);

    PatchablePredictor public immutable predictor;

    constructor(PatchablePredictor predictor_) {
        predictor = predictor_;
    }

    /// The model that a version is.
    function modelOf(bytes32 handle, uint32 version) public pure returns (bytes32) {
        return keccak256(abi.encode(handle, version));
    }

    /// The model that `delta` makes of a version.
    function candidateOf(bytes32 handle, uint32 parent, bool fresh, address delta) public pure returns (bytes32) {
        return keccak256(abi.encode(handle, parent, fresh, delta));
    }

    function holds(bytes32 model, bytes calldata input, uint256 class_, bytes calldata evidence) external view returns (bool) {
        (bytes32 handle, uint32 version, bool fresh, address delta) = abi.decode(evidence, (bytes32, uint32, bool, address));
        bytes32 found = delta == address(0) ? modelOf(handle, version) : candidateOf(handle, version, fresh, delta);
        if (found != model) revert AnotherModel(found, model);
        if (delta == address(0)) return predictor.predictAt(handle, version, input) == class_;
        return predictor.predictWith(handle, version, fresh, delta, input) == class_;
    }
}
