// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IVerifier} from "zkpredict/verifier/IVerifier.sol";
import {IPrediction} from "./IPrediction.sol";

/// Decides by a proof, so nobody sees a weight: a model is the id that the verifier registered, evidence is the proof.
contract ProvenPrediction is IPrediction {
    error NoVerifier(address verifier);

    IVerifier public immutable verifier;

    constructor(IVerifier verifier_) {
        if (address(verifier_).code.length == 0) revert NoVerifier(address(verifier_));
        verifier = verifier_;
    }

    function holds(bytes32 model, bytes calldata input, uint256 class_, bytes calldata evidence) external view returns (bool) {
        verifier.verifyOrRevert(model, input, class_, evidence);
        return true;
    }
}
