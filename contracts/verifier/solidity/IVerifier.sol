// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// What a contract needs of a proof verifier.
interface IVerifier {
    error UnknownModel(bytes32 modelId);
    error WrongImageLength(uint256 found);
    error WrongProofLength(uint256 found);
    error WrongCalldataLength(uint256 found);
    error WrongCalldataLayout();
    error WrongDigit(uint256 digit);
    error ScalarNotCanonical(uint256 index);
    error ChallengeInDomain();
    error OpeningFailed();

    /// Whether `proof` shows that the network registered as `modelId` gives `image` the class `digit`.
    function verify(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof) external view returns (bool);

    /// The same, reverting with what is wrong.
    function verifyOrRevert(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof) external view;
}
