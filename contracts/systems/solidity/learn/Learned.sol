// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DataStore} from "../blocks/DataStore.sol";
import {ModelVersions} from "../models/ModelVersions.sol";
import {GrowingNetwork} from "./GrowingNetwork.sol";

/// What a program learned so far: the weights of every stage, and each network that won as a version of a handle in `ModelVersions`.
///
/// A version is a data contract that lists the data contracts of the stages' weights (`abi.encode(address[])`).
/// Invariants: only the program that made this adds; a stage is replaced or the next one begun, never an earlier one.
contract Learned {
    error NotTheProgram(address sender, address program);

    address public immutable program;
    GrowingNetwork public immutable network;
    ModelVersions public immutable versions;
    bytes32 public immutable handle;
    address[] private _weights;

    /// `first` is the data contract of the first stage's weights, version 0.
    constructor(GrowingNetwork network_, ModelVersions versions_, address first) {
        (program, network, versions) = (msg.sender, network_, versions_);
        uint256 expected = network_.bytesOf(0);
        uint256 found = DataStore.read(first).length;
        if (found != expected) revert GrowingNetwork.WrongBlock(found, expected);
        _weights.push(first);
        handle = versions_.create(bytes32(0), address(this), DataStore.write(abi.encode(_weights)));
    }

    /// Makes `published` the weights of `stage`, the last one or the next.
    function win(uint256 stage, address published) external {
        if (msg.sender != program) revert NotTheProgram(msg.sender, program);
        if (_weights.length == stage) _weights.push(published);
        else _weights[stage] = published;
        versions.pushData(handle, versions.latest(handle), true, abi.encode(_weights));
    }

    /// The data contracts of the standing network, one a stage: pin them, or a version, to keep what they mean.
    function weightsOf() external view returns (address[] memory) {
        return _weights;
    }

    /// The loss of a sample under the standing network, with `candidate` as the weights of `stage` unless that is 0.
    function lossOf(address candidate, uint256 stage, bytes calldata input, uint256 label) external view returns (uint256) {
        address[] memory weights = _weights;
        if (candidate != address(0)) {
            weights = new address[](stage + 1);
            for (uint256 i = 0; i < stage; i++) weights[i] = _weights[i];
            weights[stage] = candidate;
        }
        return network.lossOf(weights, input, label);
    }
}
