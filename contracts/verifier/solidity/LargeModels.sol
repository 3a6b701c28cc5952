// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {RowStore} from "./RowStore.sol";

/// Models of one circuit with more rows than a data contract holds: their rows are stored in parts, one transaction each, and a last
/// one says which parts make a model.
///
/// A part is stored under the hash of what it holds, by anybody, in any order: what one has begun another can end, and a wrong part is
/// only an unused one. A model is registered when its parts, hashed together, give its id; nothing can be stored under an id but the rows
/// that hash to it. Nobody has any right over a part or a model.
abstract contract LargeModels is RowStore {
    event RowsStored(bytes32 indexed partId, address indexed storer);

    error AlreadyStored(bytes32 partId);
    error UnknownPart(bytes32 partId);
    error WrongPartCount(uint256 found);
    error WrongPartLength(uint256 index, uint256 found);
    error WrongModelId(bytes32 found);

    /// Rows in every part but the last of a model: as many as a data contract holds.
    uint256 public constant PART_ROWS = 255;

    /// Stores some rows of a model, in the order of its id's hash, and gives their own: keccak256(partContext | rows).
    function _storePart(bytes calldata rows, bytes32 partContext) internal returns (bytes32 partId) {
        if (rows.length == 0 || rows.length % POINT_BYTES != 0 || rows.length > PART_ROWS * POINT_BYTES) revert WrongRowsLength(rows.length);
        partId = keccak256(bytes.concat(partContext, rows));
        address place = _dataContract(partId);
        if (place.code.length != 0) revert AlreadyStored(partId);
        _storeRows(partId, place, rows);
        emit RowsStored(partId, msg.sender);
    }

    /// Whether these rows are stored.
    function isStored(bytes32 partId) public view returns (bool) {
        return _dataContract(partId).code.length != 0;
    }

    /// Registers a model of `count` rows that lie in these parts, if keccak256(context | rows) is its id.
    function _registerParts(bytes32 modelId, bytes32[] calldata partIds, uint256 count, bytes32 context) internal {
        address place = _dataContract(modelId);
        if (place.code.length != 0) revert AlreadyRegistered(modelId);
        if (partIds.length != (count + PART_ROWS - 1) / PART_ROWS) revert WrongPartCount(partIds.length);
        bytes memory hashed = new bytes(32 + count * POINT_BYTES);
        bytes memory places = new bytes(1 + 32 * partIds.length);
        for (uint256 i = 0; i < partIds.length; ++i) {
            address data = _dataContract(partIds[i]);
            uint256 rows = i + 1 < partIds.length ? PART_ROWS : count - i * PART_ROWS;
            if (data.code.length == 0) revert UnknownPart(partIds[i]);
            if (data.code.length != 1 + rows * POINT_BYTES) revert WrongPartLength(i, (data.code.length - 1) / POINT_BYTES);
            // hashed = context | rows of part 0 | rows of part 1 ...; places = STOP | address of part 0 | ..., 32 bytes each
            assembly ("memory-safe") {
                extcodecopy(data, add(add(hashed, 64), mul(i, mul(PART_ROWS, POINT_BYTES))), 1, mul(rows, POINT_BYTES))
                mstore(add(add(places, 33), mul(i, 32)), data)
            }
        }
        assembly ("memory-safe") {
            mstore(add(hashed, 32), context)
        }
        bytes32 found = keccak256(hashed);
        if (found != modelId) revert WrongModelId(found);
        _store(modelId, place, places);
        emit ModelRegistered(modelId, msg.sender);
    }
}
