// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScore} from "../judge/IScore.sol";
import {ModelVersions} from "../models/ModelVersions.sol";
import {PatchablePredictor} from "../models/PatchablePredictor.sol";
import {Gate, Update} from "./Gate.sol";

/// The gate of a network in the open, and the executor of its handle: a change is a list of weights, counted by the weight.
contract UpdateGate is Gate {
    ModelVersions public immutable versions;
    PatchablePredictor public immutable predictor;
    bytes32 public immutable handle;

    /// Makes the model's handle, with `base` as version 0.
    constructor(address timelock_, PatchablePredictor predictor_, address base, uint256 cap_, IScore scores_, bytes32 testRoot_, uint256 standing_)
        Gate(timelock_, cap_, scores_, testRoot_, standing_)
    {
        (predictor, versions) = (predictor_, predictor_.versions());
        handle = versions.create(bytes32(uint256(uint160(timelock_))), address(this), base);
    }

    function _read(Update calldata u) internal view override returns (bytes32 model, uint256 entries) {
        return (keccak256(abi.encode(handle, u.parent, u.fresh, u.delta)), predictor.check(handle, u.parent, u.delta));
    }

    function _push(Update calldata u, bytes32) internal override returns (uint32 version) {
        return versions.push(handle, u.parent, u.fresh, u.delta);
    }
}
