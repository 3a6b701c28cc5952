// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {RowStore} from "./RowStore.sol";

/// Models of one circuit whose rows fit one data contract: registered in one transaction, stored under their id.
///
/// Registration gives nobody any right over a model. Whoever registers someone else's rows first has only paid for it.
abstract contract SmallModels is RowStore {
    /// Stores the `count` rows of a model, and gives its id: keccak256(context | rows).
    function _register(bytes calldata rows, uint256 count, bytes32 context) internal returns (bytes32 modelId) {
        if (rows.length != count * POINT_BYTES) revert WrongRowsLength(rows.length);
        modelId = keccak256(bytes.concat(context, rows));
        address place = _dataContract(modelId);
        if (place.code.length != 0) revert AlreadyRegistered(modelId);
        _storeRows(modelId, place, rows);
        emit ModelRegistered(modelId, msg.sender);
    }
}
