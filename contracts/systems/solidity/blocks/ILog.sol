// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// A list of leaves that only grows (`DataLog`), as others read it.
interface ILog {
    function rootAt(uint256 size) external view returns (bytes32);
}
