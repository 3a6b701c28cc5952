// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// Bytes in data contracts (first byte STOP) whose addresses follow from a 32-byte id, so that reading them takes no storage slot:
/// CREATE2 (EIP-1014) puts a fixed eight-byte proxy at an address made of the id, and the proxy's first CREATE makes the data contract.
abstract contract DataContracts {
    error RegistrationFailed();

    /// Copies its calldata into the creation of a contract: `create(calldata)`.
    bytes private constant PROXY = hex"67363d3d37363d34f03d5260086018f3";
    bytes32 private constant PROXY_HASH = 0x21c35dbe1b344a2488cf3321d6ce542f8e9f305544ff09e4993a62319a497c1f;

    /// create2(PROXY, id), then data = create(proxy, 1)
    function _dataContract(bytes32 id) internal view returns (address data) {
        // proxy = keccak256(0xff | this | id | PROXY_HASH); data = keccak256(0xd694 | proxy | 0x01): RLP of (proxy, nonce 1)
        // what is hashed ends with the word at 0x40, or the one at 0x00; Solidity's pointer, at 0x40, is put back
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(0x00, or(shl(160, 0xff), address()))
            mstore(0x20, id)
            mstore(0x40, PROXY_HASH)
            let proxy := keccak256(11, 85)
            mstore(0x40, free)
            mstore(0x00, or(or(shl(168, 0xd694), 1), shr(88, shl(96, proxy))))
            data := shr(96, shl(96, keccak256(9, 23)))
        }
    }

    /// Makes `data` the code at `place`, which is `_dataContract(id)`.
    function _store(bytes32 id, address place, bytes memory data) internal {
        bytes memory proxyCode = PROXY;
        // PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: returns what follows it as code
        bytes memory creation = bytes.concat(hex"61", bytes2(uint16(data.length)), hex"80600a5f395ff3", data);
        bool made;
        // proxy = create2(PROXY, id), as `new` with a salt does; if (proxy != 0) (made,) = proxy.call(creation)
        assembly ("memory-safe") {
            let proxy := create2(0, add(proxyCode, 0x20), mload(proxyCode), id)
            if proxy { made := call(gas(), proxy, 0, add(creation, 0x20), mload(creation), 0, 0) }
        }
        if (!made || place.code.length != data.length) revert RegistrationFailed();
    }
}
