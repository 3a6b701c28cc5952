// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedPredictor} from "./PackedPredictor.sol";

/// Creates a `PackedPredictor`: this contract's code becomes the predictor's code and, after it, one network's table.
contract PackedDeployer {
    error WrongWeights(address holder, bytes32 codeHash, bytes32 expected);
    error UnevenWeights(uint256 addresses, uint256 hashes);

    /// `head` is the table up to its addresses, `data` are the data contracts with the weights, `hashes` their code hashes
    /// (EIP-1052), `trailer` is the table's last word. Data contracts start with STOP, so nothing can change them later.
    constructor(bytes memory head, address[] memory data, bytes32[] memory hashes, bytes32 trailer) {
        if (data.length != hashes.length) revert UnevenWeights(data.length, hashes.length);
        bytes memory addresses;
        for (uint256 i = 0; i < data.length; i++) {
            if (data[i].codehash != hashes[i]) revert WrongWeights(data[i], data[i].codehash, hashes[i]);
            addresses = abi.encodePacked(addresses, uint256(uint160(data[i])));
        }
        bytes memory code = abi.encodePacked(type(PackedPredictor).runtimeCode, head, addresses, trailer);
        // Plain equivalent: the value of `code` is this contract's code. Solidity has no way to say it.
        assembly ("memory-safe") {
            return(add(code, 32), mload(code))
        }
    }
}
