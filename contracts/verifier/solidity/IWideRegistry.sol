// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// The registry of models in a verifier of some wide circuit. Which of its functions there are depends on how many rows models have: `register`,
/// or for more than 255 `storeRows` and `registerParts`.
interface IWideRegistry {
    event ModelRegistered(bytes32 indexed modelId, address indexed registrar);
    event RowsStored(bytes32 indexed partId, address indexed storer);

    error WrongRowsLength(uint256 found);
    error AlreadyRegistered(bytes32 modelId);
    error PointAtInfinity(uint256 index);
    error PrecompileFailed(address precompile);
    error RegistrationFailed();
    error AlreadyStored(bytes32 partId);
    error UnknownPart(bytes32 partId);
    error WrongPartCount(uint256 found);
    error WrongPartLength(uint256 index, uint256 found);
    error WrongModelId(bytes32 found);

    function CIRCUIT_DIGEST() external view returns (bytes32);
    function ROWS() external view returns (uint256);
    function PROOF_BYTES() external view returns (uint256);
    function PART_ROWS() external view returns (uint256);
    function isRegistered(bytes32 modelId) external view returns (bool);
    function isStored(bytes32 partId) external view returns (bool);
    function register(bytes calldata rows) external returns (bytes32 modelId);
    function storeRows(bytes calldata rows) external returns (bytes32 partId);
    function registerParts(bytes32 modelId, bytes32[] calldata partIds) external;
}
