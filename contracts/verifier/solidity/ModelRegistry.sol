// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DataContracts} from "./DataContracts.sol";

/// Models: a model is the commitments of its weight rows, and its id is their hash.
///
/// The rows lie in a data contract (first byte STOP) as EIP-2537 multi-scalar multiplication input: 128 bytes of point, then
/// 32 bytes left free for the scalar, of which the first hold a tag. Its address follows from the model id.
///
/// Registration gives nobody any right over a model. Whoever registers someone else's rows first has only paid for it.
abstract contract ModelRegistry is DataContracts {
    event ModelRegistered(bytes32 indexed modelId, address indexed registrar);

    error WrongRowsLength(uint256 found);
    error AlreadyRegistered(bytes32 modelId);
    error PointAtInfinity(uint256 index);
    error PrecompileFailed(address precompile);

    uint256 internal constant POINT_BYTES = 96;
    uint256 internal constant STRIDE = 160;
    /// keccak256 of POINT_BYTES zeros.
    bytes32 internal constant INFINITY = 0x46700b4d40ac5c35af2c22dda2787a91eb567b06c924a8fb8ae9a05b20c08c21;

    /// Stores `rows`, the `count` uncompressed points (x, y: 48 bytes each, big-endian) of a model's rows, and gives the model's id.
    /// `context` is keccak256("zkpredict model v1" | circuit digest): models of different circuits never share an id. `tag` goes
    /// where the first scalar will lie.
    function _register(bytes calldata rows, uint256 count, bytes32 context, bytes32 tag) internal returns (bytes32 modelId) {
        if (rows.length != count * POINT_BYTES) revert WrongRowsLength(rows.length);
        modelId = keccak256(bytes.concat(context, rows));
        address place = _dataContract(modelId);
        if (place.code.length != 0) revert AlreadyRegistered(modelId);

        bytes memory data = new bytes(1 + count * STRIDE);
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata point = rows[i * POINT_BYTES:(i + 1) * POINT_BYTES];
            // data[1 + i * STRIDE:] = 0^16 | x | 0^16 | y | 1
            assembly ("memory-safe") {
                let to := add(add(data, 0x21), mul(i, STRIDE))
                calldatacopy(add(to, 16), point.offset, 48)
                calldatacopy(add(to, 80), add(point.offset, 48), 48)
                mstore(add(to, 128), 1)
            }
            if (keccak256(point) == INFINITY) revert PointAtInfinity(i);
        }
        // EIP-2537: 0x0c fails for a coordinate >= p and for a point that is not on the curve or not in the subgroup
        bool valid;
        // (bool success, bytes memory sum) = address(0x0c).staticcall(data[1:]); valid = success && sum.length == 128
        assembly ("memory-safe") {
            valid := staticcall(gas(), 0x0c, add(data, 0x21), mul(count, STRIDE), 0, 0)
            valid := and(valid, eq(returndatasize(), 128))
        }
        if (!valid) revert PrecompileFailed(address(0x0c));
        for (uint256 i = 0; i < count; ++i) {
            // data[1 + i * STRIDE + 128:][:32] = i == 0 ? tag : 0
            assembly ("memory-safe") {
                mstore(add(add(data, 0xa1), mul(i, STRIDE)), mul(tag, iszero(i)))
            }
        }
        _store(modelId, place, data);
        emit ModelRegistered(modelId, msg.sender);
    }

    /// Whether `verify` knows this model.
    function isRegistered(bytes32 modelId) public view returns (bool) {
        return _dataContract(modelId).code.length != 0;
    }
}
