// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScore} from "judge/IScore.sol";

/// A score whose every answer is set by the test.
contract SettableScore is IScore {
    bytes32 private _model;
    bytes32 private _root;
    uint256 private _right;
    bool private _complete;

    function set(bytes32 model, bytes32 root, uint256 right, bool complete) external {
        (_model, _root, _right, _complete) = (model, root, right, complete);
    }

    function score(uint256) external view returns (uint256, bool) {
        return (_right, _complete);
    }

    function about(uint256) external view returns (bytes32, bytes32, uint32) {
        return (_model, _root, 100);
    }
}
