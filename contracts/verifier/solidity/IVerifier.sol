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

    /// The same for a proof that was made for `context`: 32 bytes that name a sender, a job, a nonce. It holds under no other context, nor
    /// without one; and a proof without one holds under none, not even 32 zero bytes.
    function verifyFor(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof, bytes32 context)
        external
        view
        returns (bool);

    /// The same, reverting with what is wrong.
    function verifyForOrRevert(bytes32 modelId, bytes calldata image, uint256 digit, bytes calldata proof, bytes32 context) external view;
}
