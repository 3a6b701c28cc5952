// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IPrediction} from "./IPrediction.sol";

/// What disputes say of a claim "model M gives the input with this hash the class c".
interface IClaims {
    /// The statement of claim `id` and whether it is final: nobody refuted it while that was possible.
    function prediction(uint256 id) external view returns (bytes32 model, bytes32 inputHash, uint256 class_, bool isFinal);
}

/// Decides by a bonded claim that nobody refuted, for what no block can run: evidence is the claim's number, 32 bytes.
contract DisputedPrediction is IPrediction {
    error NoClaims(address claims);
    error WrongEvidenceLength(uint256 found, uint256 expected);

    IClaims public immutable claims;

    constructor(IClaims claims_) {
        if (address(claims_).code.length == 0) revert NoClaims(address(claims_));
        claims = claims_;
    }

    function holds(bytes32 model, bytes calldata input, uint256 class_, bytes calldata evidence) external view returns (bool) {
        if (evidence.length != 32) revert WrongEvidenceLength(evidence.length, 32);
        (bytes32 ofModel, bytes32 ofInput, uint256 ofClass, bool isFinal) = claims.prediction(uint256(bytes32(evidence)));
        return isFinal && ofModel == model && ofInput == keccak256(input) && ofClass == class_;
    }
}
