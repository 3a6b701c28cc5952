// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Vault} from "../blocks/Vault.sol";
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

/// Paid rides: the passenger pays driver and fee, and each gets one unit of its house. The fee is burned, so votes cost what rides
/// cost, whoever rides with whom.
///
/// Invariants: an account is in one house at most; a pair gets at most `weeklyCap` units a week; nothing is held after a ride.
contract Rides is Vault {
    event Ridden(address indexed driver, address indexed passenger, uint256 fare);

    error FeeNotCovered(uint256 sent, uint256 fee);
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

    /// Pays a ride with `driver`: everything above the fee is the driver's.
    function ride(address driver) external payable {
        if (msg.value < fee) revert FeeNotCovered(msg.value, fee);
        if (driver == msg.sender || passengers.units(driver) != 0) revert InTheOtherHouse(driver);
        if (drivers.units(msg.sender) != 0) revert InTheOtherHouse(msg.sender);
        bytes32 pair = keccak256(abi.encode(driver, msg.sender, block.timestamp / 1 weeks));
        if (_ridden[pair] == weeklyCap) revert CapReached(driver, msg.sender, weeklyCap);
        _ridden[pair]++;
        _hold(pair);
        _burn(pair, fee);
        _free(pair, driver, msg.value - fee);
        drivers.add(driver);
        passengers.add(msg.sender);
        emit Ridden(driver, msg.sender, msg.value - fee);
    }
}
