// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// The market as it was proposed first: sealed answers, hidden checks, and a pot that those who pass share by heads. For tests only.
contract Heads {
    bytes32 private immutable checkSeal;
    uint256 private immutable pot;
    uint256 public heads;
    bytes32 private answers;
    mapping(address who => bytes32) private seals;
    mapping(address who => bool) private passed;

    constructor(bytes32 checkSeal_) payable {
        (checkSeal, pot) = (checkSeal_, msg.value);
    }

    function commit(bytes32 seal) external {
        seals[msg.sender] = seal;
    }

    function openChecks(bytes calldata right, bytes32 salt) external {
        require(keccak256(abi.encode(right, salt)) == checkSeal);
        answers = keccak256(right);
    }

    function settle(bytes calldata shown, bytes32 salt) external {
        require(keccak256(abi.encode(msg.sender, shown, salt)) == seals[msg.sender] && keccak256(shown) == answers && !passed[msg.sender]);
        passed[msg.sender] = true;
        heads++;
    }

    function share(address who) external view returns (uint256) {
        return passed[who] ? pot / heads : 0;
    }
}
