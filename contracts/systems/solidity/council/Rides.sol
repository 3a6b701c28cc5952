// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ILog} from "../blocks/ILog.sol";
import {Vault} from "../blocks/Vault.sol";
import {WordTree} from "../dispute/WordTree.sol";
import {Membership} from "./House.sol";

/// A house whose units come from rides.
contract RideHouse is Membership {
    error NotTheRides(address sender, address rides);

    address public immutable rides;

    constructor(string memory name_) Membership(name_) {
        rides = msg.sender;
    }

    function add(address account) external {
        if (msg.sender != rides) revert NotTheRides(msg.sender, rides);
        _add(account);
    }
}

/// Counts rides: each gives driver and passenger one unit of their house, for a fee that is burned, so votes cost what rides cost,
/// whoever rides with whom.
///
/// Invariants: an account is in one house at most; a pair gets at most `weeklyCap` units a week.
abstract contract RideCount is Vault {
    error CapReached(address driver, address passenger, uint256 cap);
    error InTheOtherHouse(address account);

    uint256 public immutable fee;
    uint256 public immutable weeklyCap;
    RideHouse public immutable drivers;
    RideHouse public immutable passengers;
    mapping(bytes32 pairAndWeek => uint256) private _ridden;

    constructor(uint256 fee_, uint256 weeklyCap_) {
        (fee, weeklyCap) = (fee_, weeklyCap_);
        (drivers, passengers) = (new RideHouse("drivers"), new RideHouse("passengers"));
    }

    /// Burns the fee of what came along, and counts; the pair's purpose still holds the rest.
    function _count(address driver, address passenger) internal returns (bytes32 pair) {
        if (driver == passenger || passengers.units(driver) != 0) revert InTheOtherHouse(driver);
        if (drivers.units(passenger) != 0) revert InTheOtherHouse(passenger);
        pair = keccak256(abi.encode(driver, passenger, block.timestamp / 1 weeks));
        if (_ridden[pair] == weeklyCap) revert CapReached(driver, passenger, weeklyCap);
        _ridden[pair]++;
        _hold(pair);
        _burn(pair, fee);
        drivers.add(driver);
        passengers.add(passenger);
    }
}

/// Paid rides: the passenger pays driver and fee. Nothing is held after a ride.
contract Rides is RideCount {
    event Ridden(address indexed driver, address indexed passenger, uint256 fare);

    error FeeNotCovered(uint256 sent, uint256 fee);

    constructor(uint256 fee_, uint256 weeklyCap_) RideCount(fee_, weeklyCap_) {}

    /// Pays a ride with `driver`: everything above the fee is the driver's.
    function ride(address driver) external payable {
        if (msg.value < fee) revert FeeNotCovered(msg.value, fee);
        bytes32 pair = _count(driver, msg.sender);
        _free(pair, driver, msg.value - fee);
        emit Ridden(driver, msg.sender, msg.value - fee);
    }
}

/// A delivery as a `GoodsEscrow` logged it: what it was, by its hash, and between whom.
struct Settled {
    uint256 class_;
    bytes32 valuesHash;
    address buyer;
    address supplier;
    uint256 deal;
    uint64 serial;
}

/// Rides that an escrow settled: the supplier drove, the buyer rode. Anybody has one counted, once, for the fee.
contract SettledRides is RideCount {
    event Counted(uint256 indexed index, address indexed driver, address indexed passenger);

    error NotInTheLog(uint256 index, uint256 size);
    error WrongPath(uint256 found, uint256 expected);
    error NotLogged(bytes32 found, bytes32 expected);
    error CountedBefore(uint256 index);

    uint256 private constant LOG_DEPTH = 32;

    ILog public immutable log;
    mapping(uint256 index => bool) public counted;

    constructor(ILog log_, uint256 fee_, uint256 weeklyCap_) RideCount(fee_, weeklyCap_) {
        log = log_;
    }

    /// Counts delivery number `index` of the log; `path` leads from it to the log's root at `size`.
    function count(uint256 size, uint256 index, Settled calldata s, bytes32[] calldata path) external payable {
        _exactly(fee);
        if (index >= size) revert NotInTheLog(index, size);
        if (path.length != LOG_DEPTH) revert WrongPath(path.length, LOG_DEPTH);
        bytes32 leaf = keccak256(abi.encode(s.class_, s.valuesHash, s.buyer, s.supplier, s.deal, s.serial));
        bytes32 root = WordTree.rootFrom(index, leaf, path);
        bytes32 expected = log.rootAt(size);
        if (root != expected) revert NotLogged(root, expected);
        if (counted[index]) revert CountedBefore(index);
        counted[index] = true;
        _count(s.supplier, s.buyer);
        emit Counted(index, s.supplier, s.buyer);
    }
}
