// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Test sets, registered once: labelled inputs, of which commitments are kept in their place.
///
/// A set's data are the code of a contract of its own, integers big-endian:
///
///     00 | bytes of an input u32 | number of inputs u32 | inputs' hash 32 | labels u16 each | points, x and y of 48 bytes each
///
/// where the inputs' hash is keccak256("zkpredict registered inputs v1" | set id | all inputs).
interface ITestSets {
    event SetRegistered(bytes32 indexed setId, address indexed registrar, uint32 inputBytes, uint256 count);

    error WrongInputBytes(uint256 found);
    error WrongLabelsLength(uint256 found);
    error WrongImagesLength(uint256 found);
    error WrongPointsLength(uint256 found);
    error WrongOpeningLength(uint256 found);
    error SetTooLarge(uint256 found);
    error PointAtInfinity(uint256 index);
    error AlreadyRegistered(bytes32 setId);
    error PrecompileFailed(address precompile);
    error OpeningFailed();
    error RegistrationFailed();

    /// The contract whose code holds the data of a set; zero for one that is not registered.
    function dataOf(bytes32 setId) external view returns (address);

    /// Registers `labels.length / 2` inputs of `inputBytes` bytes, one behind another in `images`, with their labels of two bytes each.
    /// `points` are the commitments to the inputs, interleaved; `opening` shows that they are. Anybody may, once for each set.
    function register(uint32 inputBytes, bytes calldata images, bytes calldata labels, bytes calldata points, bytes calldata opening)
        external
        returns (bytes32 setId);
}
