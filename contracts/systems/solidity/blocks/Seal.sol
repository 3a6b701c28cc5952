// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Commit now, show later: a seal is the salted hash of a payload, bound to chain, contract, kind, object and sender.
///
/// Invariants: an account seals an object once, and opens it at most once, with exactly what it sealed. Whoever copies
/// somebody's seal has one that nobody can open, since the sender is inside. A seal says nothing about its payload as long as
/// the salt is secret and random.
library Seal {
    error EmptySeal();
    error AlreadySealed(uint256 id, address who);
    error NothingSealed(uint256 id, address who);
    error SealBroken(bytes32 found, bytes32 expected);

    bytes32 internal constant SEAL = keccak256("zkpredict seal 1");

    /// Seals of one kind by object and sender.
    struct Book {
        mapping(uint256 id => mapping(address who => bytes32 seal)) seals;
    }

    /// The seal that `who` makes of a payload with this hash.
    function make(bytes32 kind, uint256 id, address who, bytes32 payloadHash, bytes32 salt) internal view returns (bytes32) {
        return keccak256(abi.encode(SEAL, block.chainid, address(this), kind, id, who, payloadHash, salt));
    }

    /// Keeps the caller's seal of object `id`.
    function commit(Book storage book, uint256 id, bytes32 seal) internal {
        if (seal == 0) revert EmptySeal();
        if (book.seals[id][msg.sender] != 0) revert AlreadySealed(id, msg.sender);
        book.seals[id][msg.sender] = seal;
    }

    /// Opens the seal of `who` and clears it.
    function open(Book storage book, bytes32 kind, uint256 id, address who, bytes32 payloadHash, bytes32 salt) internal {
        bytes32 expected = book.seals[id][who];
        if (expected == 0) revert NothingSealed(id, who);
        bytes32 found = make(kind, id, who, payloadHash, salt);
        if (found != expected) revert SealBroken(found, expected);
        delete book.seals[id][who];
    }
}
