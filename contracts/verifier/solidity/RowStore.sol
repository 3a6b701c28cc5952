// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {DataContracts} from "./DataContracts.sol";

/// Weight rows of models, checked and stored as they are hashed: x and y of each point, 48 bytes each, big-endian.
abstract contract RowStore is DataContracts {
    event ModelRegistered(bytes32 indexed modelId, address indexed registrar);

    error WrongRowsLength(uint256 found);
    error AlreadyRegistered(bytes32 modelId);
    error PointAtInfinity(uint256 index);
    error PrecompileFailed(address precompile);

    uint256 internal constant POINT_BYTES = 96;
    uint256 internal constant STRIDE = 160;
    /// keccak256 of POINT_BYTES zeros.
    bytes32 internal constant INFINITY = 0x46700b4d40ac5c35af2c22dda2787a91eb567b06c924a8fb8ae9a05b20c08c21;

    /// Whether `verify` knows this model.
    function isRegistered(bytes32 modelId) public view returns (bool) {
        return _dataContract(modelId).code.length != 0;
    }

    /// Stores points under an id, whose data contract lies at `place`. Refuses a coordinate >= p and a point off the curve, outside the subgroup or at infinity.
    function _storeRows(bytes32 id, address place, bytes calldata rows) internal {
        uint256 count = rows.length / POINT_BYTES;
        bytes memory terms = new bytes(count * STRIDE);
        for (uint256 i = 0; i < count; ++i) {
            bytes calldata point = rows[i * POINT_BYTES:(i + 1) * POINT_BYTES];
            // terms[i * STRIDE:] = 0^16 | x | 0^16 | y | 1
            assembly ("memory-safe") {
                let to := add(add(terms, 0x20), mul(i, STRIDE))
                calldatacopy(add(to, 16), point.offset, 48)
                calldatacopy(add(to, 80), add(point.offset, 48), 48)
                mstore(add(to, 128), 1)
            }
            if (keccak256(point) == INFINITY) revert PointAtInfinity(i);
        }
        // EIP-2537: 0x0c fails for a coordinate >= p and for a point that is not on the curve or not in the subgroup
        bool valid;
        // (bool success, bytes memory sum) = address(0x0c).staticcall(terms); valid = success && sum.length == 128
        assembly ("memory-safe") {
            valid := staticcall(gas(), 0x0c, add(terms, 0x20), mload(terms), 0, 0)
            valid := and(valid, eq(returndatasize(), 128))
        }
        if (!valid) revert PrecompileFailed(address(0x0c));
        _store(id, place, bytes.concat(hex"00", rows));
    }
}
