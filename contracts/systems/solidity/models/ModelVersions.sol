// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// The versions of a model under one handle. Consumers pin a version; a version never changes its meaning.
///
/// A version is the code that computes it (a predictor, or the base whose weights `delta` changes), the data contract of its
/// change, and the version it came from. Its id is keccak256(parent's id | hash of the change's code).
/// Invariants: a handle's executor is fixed when it is made and alone may push; versions are only added; a version's id,
/// change, parent and code never change.
contract ModelVersions {
    event Created(bytes32 indexed handle, address indexed executor, address base);
    event Pushed(bytes32 indexed handle, uint32 version, bytes32 id, address delta);

    error NoSuchHandle(bytes32 handle);
    error NoSuchVersion(bytes32 handle, uint256 version);
    error HandleExists(bytes32 handle);
    error NotTheExecutor(address sender, address executor);
    error NotTheLatest(uint32 parent, uint32 latest);
    error NoCode(address holder);

    struct Version {
        address code;
        address delta;
        uint32 parent;
        uint40 since;
        bytes32 id;
    }

    mapping(bytes32 handle => address) public executor;
    mapping(bytes32 handle => Version[]) internal _versions;

    /// Makes a handle, whose version 0 is `base`; only `executor_` can ever add to it. The handle is bound to the caller.
    function create(bytes32 salt, address executor_, address base) external returns (bytes32 handle) {
        handle = keccak256(abi.encode(msg.sender, salt, executor_, base));
        if (_versions[handle].length != 0) revert HandleExists(handle);
        if (base.code.length == 0) revert NoCode(base);
        executor[handle] = executor_;
        _versions[handle].push(Version(base, address(0), 0, uint40(block.timestamp), keccak256(abi.encode(handle, base.codehash))));
        emit Created(handle, executor_, base);
    }

    /// Adds the change in the data contract `delta` on top of version `parent`, which must be the latest.
    function push(bytes32 handle, uint32 parent, address delta) external returns (uint32 version) {
        return _push(handle, parent, delta, address(0));
    }

    /// Adds a version with code of its own, such as a predictor with all weights, which `change` describes.
    function pushWhole(bytes32 handle, uint32 parent, address code) external returns (uint32 version) {
        if (code.code.length == 0) revert NoCode(code);
        return _push(handle, parent, code, code);
    }

    /// Version `version` of a handle.
    function get(bytes32 handle, uint32 version) public view returns (Version memory) {
        if (version >= _versions[handle].length) revert NoSuchVersion(handle, version);
        return _versions[handle][version];
    }

    /// The number of the latest version.
    function latest(bytes32 handle) public view returns (uint32) {
        uint256 count = _versions[handle].length;
        if (count == 0) revert NoSuchHandle(handle);
        return uint32(count - 1);
    }

    function _push(bytes32 handle, uint32 parent, address delta, address code) internal returns (uint32 version) {
        uint32 last = latest(handle);
        if (msg.sender != executor[handle]) revert NotTheExecutor(msg.sender, executor[handle]);
        if (parent != last) revert NotTheLatest(parent, last);
        if (delta.code.length == 0) revert NoCode(delta);
        Version storage from = _versions[handle][parent];
        bytes32 id = keccak256(abi.encodePacked(from.id, delta.codehash));
        address runs = code == address(0) ? from.code : code;
        _versions[handle].push(Version(runs, code == address(0) ? delta : address(0), parent, uint40(block.timestamp), id));
        version = last + 1;
        emit Pushed(handle, version, id, delta);
    }
}
