// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {ITestSets} from "./ITestSets.sol";

/// What a contract needs of a verifier of scores: proofs about all inputs of a registered test set, IMAGES of them, and one model.
///
/// `classes` are what the model says of the inputs, two bytes each, big-endian. A proof shows that it does; the contract counts those
/// that are the set's labels, and refuses fewer than `atLeast`.
interface IScoreVerifier {
    error NoTestSets(address testSets);
    error UnknownModel(bytes32 modelId);
    error UnknownSet(bytes32 setId);
    error WrongSetInputs(uint256 found);
    error WrongSetCount(uint256 found);
    error TooFewRight(uint256 found);
    error WrongClassesLength(uint256 found);
    error WrongProofLength(uint256 found);
    error WrongCalldataLength(uint256 found);
    error WrongCalldataLayout();
    error WrongClass(uint256 index);
    error ScalarNotCanonical(uint256 index);
    error ChallengeInDomain();
    error OpeningFailed();

    /// How many inputs a set has.
    function IMAGES() external view returns (uint256);

    /// The registry that sets are read from.
    function TEST_SETS() external view returns (ITestSets);

    /// Whether `proof` shows that the network registered as `modelId` gives each input of the set `setId` its class in `classes`, and at
    /// least `atLeast` of them are its label.
    function verifyScore(bytes32 modelId, bytes32 setId, uint256 atLeast, bytes calldata classes, bytes calldata proof)
        external
        view
        returns (bool);

    /// The same, reverting with what is wrong.
    function verifyScoreOrRevert(bytes32 modelId, bytes32 setId, uint256 atLeast, bytes calldata classes, bytes calldata proof) external view;

    /// The same for a proof that was made for `context`: 32 bytes that name a sender, a job, a contest. It holds under no other context,
    /// nor without one; and a proof without one holds under none, not even 32 zero bytes.
    function verifyScoreFor(
        bytes32 modelId, bytes32 setId, uint256 atLeast, bytes calldata classes, bytes calldata proof, bytes32 context
    ) external view returns (bool);

    /// The same, reverting with what is wrong.
    function verifyScoreForOrRevert(
        bytes32 modelId, bytes32 setId, uint256 atLeast, bytes calldata classes, bytes calldata proof, bytes32 context
    ) external view;
}
