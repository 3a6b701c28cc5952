// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Models: a model is the commitments of its weight rows, and its id is their hash.
///
/// The rows lie in a data contract (first byte STOP) as EIP-2537 multi-scalar multiplication input: 128 bytes of point, then
/// 32 bytes left free for the scalar, of which the first hold a tag. Its address follows from the model id, so reading it takes no storage slot: CREATE2
/// (EIP-1014) puts a fixed eight-byte proxy at an address made of the id, and the proxy's first CREATE makes the data contract.
///
/// Registration gives nobody any right over a model. Whoever registers someone else's rows first has only paid for it.
abstract contract ModelRegistry {
    event ModelRegistered(bytes32 indexed modelId, address indexed registrar);

    error WrongRowsLength(uint256 found);
    error AlreadyRegistered(bytes32 modelId);
    error PointAtInfinity(uint256 index);
    error PrecompileFailed(address precompile);
    error RegistrationFailed();

    uint256 internal constant POINT_BYTES = 96;
    uint256 internal constant STRIDE = 160;

    /// Copies its calldata into the creation of a contract: `create(calldata)`.
    bytes private constant PROXY = hex"67363d3d37363d34f03d5260086018f3";
    bytes32 private constant PROXY_HASH = 0x21c35dbe1b344a2488cf3321d6ce542f8e9f305544ff09e4993a62319a497c1f;

    /// Stores `rows`, the `count` uncompressed points (x, y: 48 bytes each, big-endian) of a model's rows, and gives the model's id.
    /// `context` is keccak256("zkpredict model v1" | circuit digest): models of different circuits never share an id. `tag` goes
    /// where the first scalar will lie.
    function _register(bytes calldata rows, uint256 count, bytes32 context, bytes32 tag) internal returns (bytes32 modelId) {
        if (rows.length != count * POINT_BYTES) revert WrongRowsLength(rows.length);
        modelId = keccak256(bytes.concat(context, rows));
        if (isRegistered(modelId)) revert AlreadyRegistered(modelId);

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
            if (keccak256(point) == keccak256(new bytes(POINT_BYTES))) revert PointAtInfinity(i);
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
        _store(modelId, data);
        emit ModelRegistered(modelId, msg.sender);
    }

    /// Whether `verify` knows this model.
    function isRegistered(bytes32 modelId) public view returns (bool) {
        return _dataContract(modelId).code.length != 0;
    }

    /// create2(PROXY, modelId), then data = create(proxy, 1)
    function _dataContract(bytes32 modelId) internal view returns (address data) {
        // proxy = keccak256(0xff | this | modelId | PROXY_HASH); data = keccak256(0xd694 | proxy | 0x01): RLP of (proxy, nonce 1)
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, or(shl(248, 0xff), shl(88, address())))
            mstore(add(free, 21), modelId)
            mstore(add(free, 53), PROXY_HASH)
            let proxy := keccak256(free, 85)
            mstore(free, or(shl(240, 0xd694), or(shr(16, shl(96, proxy)), shl(72, 1))))
            data := shr(96, shl(96, keccak256(free, 23)))
        }
    }

    function _store(bytes32 modelId, bytes memory data) private {
        bytes memory proxyCode = PROXY;
        // PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: returns what follows it as code
        bytes memory creation = bytes.concat(hex"61", bytes2(uint16(data.length)), hex"80600a5f395ff3", data);
        bool made;
        // proxy = create2(PROXY, modelId), as `new` with a salt does; if (proxy != 0) (made,) = proxy.call(creation)
        assembly ("memory-safe") {
            let proxy := create2(0, add(proxyCode, 0x20), mload(proxyCode), modelId)
            if proxy { made := call(gas(), proxy, 0, add(creation, 0x20), mload(creation), 0, 0) }
        }
        if (!made || _dataContract(modelId).code.length != data.length) revert RegistrationFailed();
    }
}
