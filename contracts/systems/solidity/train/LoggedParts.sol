// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILog} from "../blocks/ILog.sol";
import {WordTree} from "../dispute/WordTree.sol";
import {TrainingClaims} from "./TrainingClaims.sol";

/// Publishes what an escrow logged, 64 settled deliveries a part, in the log's order and without gaps: a run over this contract's parts
/// is trained on a set of transactions, and on nothing else. Anybody may publish the next part; there is one right content.
contract LoggedParts {
    /// Who the delivery was between, its deal and its serial number.
    struct Origin {
        address buyer;
        address supplier;
        uint256 deal;
        uint64 serial;
    }

    error WrongLength(uint256 got, uint256 expected);
    error NotLogged(bytes32 got, bytes32 expected);

    uint256 private constant PART = 64;
    uint256 private constant PART_DEPTH = 6;
    uint256 private constant LOG_DEPTH = 32;

    TrainingClaims public immutable claims;
    ILog public immutable log;
    uint256 public immutable inputBytes;
    /// The next part's number: its deliveries are those from 64 times it on.
    uint256 public next;

    constructor(TrainingClaims claims_, ILog log_, uint256 inputBytes_) {
        (claims, log, inputBytes) = (claims_, log_, inputBytes_);
    }

    /// `data` has each delivery's class and values, as they were paid for; `path` leads from the 64 leaves to the log's root at `size`.
    function publish(uint256 size, bytes calldata data, Origin[] calldata origins, bytes32[] calldata path) external {
        if (data.length != PART * (inputBytes + 1)) revert WrongLength(data.length, PART * (inputBytes + 1));
        if (origins.length != PART) revert WrongLength(origins.length, PART);
        if (path.length != LOG_DEPTH - PART_DEPTH) revert WrongLength(path.length, LOG_DEPTH - PART_DEPTH);
        bytes32[] memory leaves = new bytes32[](PART);
        for (uint256 i = 0; i < PART; i++) leaves[i] = _leaf(data[i * (inputBytes + 1):(i + 1) * (inputBytes + 1)], origins[i]);
        bytes32 root = WordTree.rootFrom(next, WordTree.rootOf(abi.encodePacked(leaves), PART_DEPTH), path);
        bytes32 expected = log.rootAt(size);
        if (root != expected) revert NotLogged(root, expected);
        next++;
        claims.publish(data, inputBytes);
    }

    /// The leaf that `GoodsEscrow` logged for a delivery.
    function _leaf(bytes calldata sample, Origin calldata o) private pure returns (bytes32) {
        return keccak256(abi.encode(uint256(uint8(sample[0])), keccak256(sample[1:]), o.buyer, o.supplier, o.deal, o.serial));
    }
}
