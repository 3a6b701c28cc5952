// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DataStore} from "../blocks/DataStore.sol";

/// The versions of a model under one handle. Consumers pin a version; a version never changes its meaning.
///
/// A version is the code that computes it (a predictor with all weights) and the changes that are live on top of it, each in a data
/// contract. A version adds one change to those of its parent, or starts its list of changes anew, or brings code of its own.
/// Its id is keccak256(parent's id, hash of what it brings, whose code runs, number of live changes).
/// Invariants: a handle's executor is fixed when it is made and alone may push; versions are only added, one storage word each; what
/// a version brings never changes; at most `MOST_LIVE` changes are live.
contract ModelVersions {
    event Created(bytes32 indexed handle, address indexed executor, address base);
    event Pushed(bytes32 indexed handle, uint32 version, address holder, uint256 live);

    error NoSuchHandle(bytes32 handle);
    error NoSuchVersion(bytes32 handle, uint256 version);
    error HandleExists(bytes32 handle);
    error NotTheExecutor(address sender, address executor);
    error NotTheLatest(uint32 parent, uint32 latest);
    error NoCode(address holder);
    error TooManyLive(uint256 live, uint256 most);

    /// `whole` is the version whose holder is the code that runs, `live` how many changes up to this one are live.
    struct Version {
        address holder;
        uint40 since;
        uint32 whole;
        uint8 live;
    }

    struct Handle {
        address executor;
        uint32 count;
    }

    uint256 public constant MOST_LIVE = 8;

    mapping(bytes32 handle => Handle) private _handles;
    mapping(bytes32 handle => mapping(uint256 version => Version)) private _versions;

    /// Makes a handle, whose version 0 is `base`; only `executor_` can ever add to it. The handle is bound to the caller.
    function create(bytes32 salt, address executor_, address base) external returns (bytes32 handle) {
        handle = keccak256(abi.encode(msg.sender, salt, executor_, base));
        if (_handles[handle].count != 0) revert HandleExists(handle);
        if (base.code.length == 0) revert NoCode(base);
        _handles[handle] = Handle(executor_, 1);
        _versions[handle][0] = Version(base, uint40(block.timestamp), 0, 0);
        emit Created(handle, executor_, base);
    }

    /// Adds the change in the data contract `delta` on top of version `parent`, which must be the latest. With `fresh` it is the only
    /// one that is live: it then says everything that differs from the code.
    function push(bytes32 handle, uint32 parent, bool fresh, address delta) external returns (uint32 version) {
        if (delta.code.length == 0) revert NoCode(delta);
        return _push(handle, parent, fresh, delta);
    }

    /// The same, with a change that is written to a data contract in this call.
    function pushData(bytes32 handle, uint32 parent, bool fresh, bytes calldata change) external returns (uint32 version) {
        return _push(handle, parent, fresh, DataStore.write(change));
    }

    /// Adds a version with code of its own, such as a predictor with all weights.
    function pushWhole(bytes32 handle, uint32 parent, address code) external returns (uint32 version) {
        if (code.code.length == 0) revert NoCode(code);
        (version,) = _next(handle, parent);
        _keep(handle, version, Version(code, uint40(block.timestamp), version, 0));
    }

    /// Version `version` of a handle.
    function get(bytes32 handle, uint32 version) public view returns (Version memory found) {
        if (version >= _handles[handle].count) revert NoSuchVersion(handle, version);
        found = _versions[handle][version];
    }

    /// The code that runs version `version`, and the data contracts of its changes, oldest first.
    function partsOf(bytes32 handle, uint32 version) external view returns (address code, address[] memory deltas) {
        Version memory v = get(handle, version);
        code = _versions[handle][v.whole].holder;
        deltas = new address[](v.live);
        for (uint256 i = 0; i < v.live; i++) deltas[i] = _versions[handle][version + 1 - v.live + i].holder;
    }

    /// What a version means, as a name: of its base, and of everything that was pushed up to it.
    function idOf(bytes32 handle, uint32 version) external view returns (bytes32 id) {
        get(handle, version);
        for (uint256 i = 0; i <= version; i++) {
            Version memory v = _versions[handle][i];
            id = keccak256(abi.encode(id, v.holder.codehash, v.whole, v.live));
        }
    }

    /// The number of the latest version.
    function latest(bytes32 handle) public view returns (uint32) {
        uint32 count = _handles[handle].count;
        if (count == 0) revert NoSuchHandle(handle);
        return count - 1;
    }

    /// Who may push to a handle.
    function executor(bytes32 handle) external view returns (address) {
        return _handles[handle].executor;
    }

    function _push(bytes32 handle, uint32 parent, bool fresh, address delta) private returns (uint32 version) {
        Version memory from;
        (version, from) = _next(handle, parent);
        if (fresh) from.live = 0;
        if (from.live == MOST_LIVE) revert TooManyLive(from.live + 1, MOST_LIVE);
        _keep(handle, version, Version(delta, uint40(block.timestamp), from.whole, from.live + 1));
    }

    /// The number of the version after `parent`, for the executor alone, and the parent.
    function _next(bytes32 handle, uint32 parent) private view returns (uint32 version, Version memory from) {
        Handle memory h = _handles[handle];
        if (h.count == 0) revert NoSuchHandle(handle);
        if (msg.sender != h.executor) revert NotTheExecutor(msg.sender, h.executor);
        if (parent != h.count - 1) revert NotTheLatest(parent, h.count - 1);
        return (h.count, _versions[handle][parent]);
    }

    function _keep(bytes32 handle, uint32 version, Version memory v) private {
        _handles[handle].count = version + 1;
        _versions[handle][version] = v;
        emit Pushed(handle, version, v.holder, v.live);
    }
}
