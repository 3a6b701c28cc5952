// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// A contract that does a little of everything, for tests of the chain clients.
contract Probe {
    error TooLarge(uint256 given, uint256 limit);
    error NoReason();

    event Stored(address indexed by, uint256 value, bytes note);

    uint256 public value;

    constructor(uint256 first) {
        if (first > 100) revert TooLarge(first, 100);
        value = first;
    }

    function store(uint256 next, bytes calldata note) external payable {
        if (next > 100) revert TooLarge(next, 100);
        value = next;
        emit Stored(msg.sender, next, note);
    }

    function refuse() external pure {
        revert NoReason();
    }

    function say() external pure {
        require(false, "said so");
    }

    function divide(uint256 a, uint256 b) external pure returns (uint256 quotient, uint256 remainder) {
        return (a / b, a % b);
    }

    function burn() external pure returns (uint256 x) {
        while (true) x++;
    }

    /// Whether a call of `to` with 2,000,000 gas succeeded, its output, and the gas it took.
    function ask(address to, bytes calldata input) external view returns (bool success, bytes memory output, uint256 used) {
        bytes memory data = input;
        used = gasleft();
        (success, output) = to.staticcall{gas: 2_000_000}(data);
        used -= gasleft();
    }
}
