// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IScore} from "../judge/IScore.sol";
import {RowRegistry} from "../models/RowRegistry.sol";
import {Gate, Update} from "./Gate.sol";

/// The gate of a model that nobody sees: a change is another model of the same registry, where it lies, counted by its rows that differ
/// from the parent's. What it answers better is shown by proofs, as a score on the test, or by nothing: then the houses trust who made it.
///
/// Invariants: a version is a registered model and never changes; only the latest has a next.
contract PrivateGate is Gate {
    error NotTheLatest(uint32 parent, uint256 latest);
    error NothingToReplace();

    RowRegistry public immutable registry;
    /// The model's id by version: what deals, bounties and verifiers know it by.
    bytes32[] public models;

    /// `base` is version 0.
    constructor(address timelock_, RowRegistry registry_, bytes32 base, uint256 cap_, IScore scores_, bytes32 testRoot_, uint256 standing_)
        Gate(timelock_, cap_, scores_, testRoot_, standing_)
    {
        registry = registry_;
        if (registry_.holderOf(base) == address(0)) revert RowRegistry.NoSuchModel(base);
        models.push(base);
    }

    /// The number of the latest version.
    function latest() public view returns (uint256) {
        return models.length - 1;
    }

    function _read(Update calldata u) internal view override returns (bytes32 model, uint256 entries) {
        if (u.fresh) revert NothingToReplace();
        if (u.parent != latest()) revert NotTheLatest(u.parent, latest());
        model = registry.modelAt(u.delta);
        return (model, registry.differing(models[u.parent], model));
    }

    function _push(Update calldata, bytes32 model) internal override returns (uint32 version) {
        models.push(model);
        return uint32(latest());
    }
}
