// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DataStore} from "../blocks/DataStore.sol";
import {IPrediction} from "../judge/IPrediction.sol";
import {ModelVersions} from "../models/ModelVersions.sol";
import {GrowingNetwork} from "./GrowingNetwork.sol";
import {Learned} from "./Learned.sol";

/// Decides by running one version of what a program learned. A model is keccak256(handle, version), evidence is the version: it never
/// changes its meaning, whatever is learned later.
contract LearnedPrediction is IPrediction {
    error AnotherModel(bytes32 found, bytes32 expected);

    GrowingNetwork public immutable network;
    ModelVersions public immutable versions;
    bytes32 public immutable handle;

    constructor(Learned learned) {
        (network, versions, handle) = (learned.network(), learned.versions(), learned.handle());
    }

    /// The model that a version is.
    function modelOf(uint32 version) public view returns (bytes32) {
        return keccak256(abi.encode(handle, version));
    }

    function holds(bytes32 model, bytes calldata input, uint256 class_, bytes calldata evidence) external view returns (bool) {
        uint32 version = abi.decode(evidence, (uint32));
        if (modelOf(version) != model) revert AnotherModel(modelOf(version), model);
        (address first, address[] memory later) = versions.partsOf(handle, version);
        bytes memory stages = DataStore.read(later.length == 0 ? first : later[0]);
        int256[] memory z = network.logits(abi.decode(stages, (address[])), input);
        uint256 found = 0;
        for (uint256 c = 1; c < z.length; c++) if (z[c] > z[found]) found = c;
        return found == class_;
    }
}
