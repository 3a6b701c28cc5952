// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// What a contract needs of a verifier of batches: proofs about IMAGES inputs of one model.
///
/// `images` are the inputs one behind another, `classes` two bytes for each, big-endian.
interface IBatchVerifier {
    error UnknownModel(bytes32 modelId);
    error WrongImageLength(uint256 found);
    error WrongClassesLength(uint256 found);
    error WrongProofLength(uint256 found);
    error WrongCalldataLength(uint256 found);
    error WrongCalldataLayout();
    error WrongClass(uint256 index);
    error ScalarNotCanonical(uint256 index);
    error ChallengeInDomain();
    error OpeningFailed();

    /// How many inputs a batch has.
    function IMAGES() external view returns (uint256);

    /// Whether `proof` shows that the network registered as `modelId` gives each of `images` its class in `classes`.
    function verifyBatch(bytes32 modelId, bytes calldata images, bytes calldata classes, bytes calldata proof) external view returns (bool);

    /// The same, reverting with what is wrong.
    function verifyBatchOrRevert(bytes32 modelId, bytes calldata images, bytes calldata classes, bytes calldata proof) external view;

    /// The same for a proof that was made for `context`: 32 bytes that name a sender, a job, a test set. It holds under no other context, nor
    /// without one; and a proof without one holds under none, not even 32 zero bytes.
    function verifyBatchFor(bytes32 modelId, bytes calldata images, bytes calldata classes, bytes calldata proof, bytes32 context)
        external
        view
        returns (bool);

    /// The same, reverting with what is wrong.
    function verifyBatchForOrRevert(bytes32 modelId, bytes calldata images, bytes calldata classes, bytes calldata proof, bytes32 context)
        external
        view;
}
