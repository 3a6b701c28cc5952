// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPrediction} from "./IPrediction.sol";

/// What a predict contract has: `PackedPredictor`, `ExactPredictor`, and what stands in for them.
interface IPredictor {
    function predict(bytes calldata image) external view returns (uint256 class_);
}

/// Decides by running the network, whose weights are public: no evidence is needed.
///
/// A model is bytes 0-11 of its predictor's code hash and the predictor's address, so a name never changes its meaning.
contract OpenPrediction is IPrediction {
    error ModelChanged(bytes32 model, bytes32 codeHash);
    error UnwantedEvidence(uint256 bytes_);

    /// The model that the predictor at this address is. Raises when there is no code.
    function modelOf(address predictor) public view returns (bytes32) {
        bytes32 codeHash = predictor.codehash;
        if (predictor.code.length == 0) revert ModelChanged(bytes32(uint256(uint160(predictor))), codeHash);
        return bytes32((uint256(codeHash) >> 160 << 160) | uint160(predictor));
    }

    function holds(bytes32 model, bytes calldata input, uint256 class_, bytes calldata evidence) external view returns (bool) {
        if (evidence.length != 0) revert UnwantedEvidence(evidence.length);
        address predictor = address(uint160(uint256(model)));
        if (modelOf(predictor) != model) revert ModelChanged(model, predictor.codehash);
        return IPredictor(predictor).predict(input) == class_;
    }
}
