// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Votes} from "@openzeppelin/contracts/governance/utils/Votes.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {Time} from "@openzeppelin/contracts/utils/types/Time.sol";

/// Units that vote and cannot be sent on: OpenZeppelin's `Votes` over a clock of seconds.
///
/// Invariants: units are only added; an account's units vote for itself until it delegates them; what an account had at a time in
/// the past never changes.
abstract contract Membership is Votes {
    mapping(address account => uint256) public units;

    constructor(string memory name_) EIP712(name_, "1") {}

    function clock() public view override returns (uint48) {
        return Time.timestamp();
    }

    // solhint-disable-next-line func-name-mixedcase
    function CLOCK_MODE() public pure override returns (string memory) {
        return "mode=timestamp";
    }

    function _add(address account) internal {
        if (delegates(account) == address(0)) _delegate(account, account);
        units[account] += 1;
        _transferVotingUnits(address(0), account, 1);
    }

    function _getVotingUnits(address account) internal view override returns (uint256) {
        return units[account];
    }
}

/// A house whose members are listed when it is made, one unit each.
contract House is Membership {
    error ListedTwice(address account);

    constructor(string memory name_, address[] memory members) Membership(name_) {
        for (uint256 i = 0; i < members.length; i++) {
            if (units[members[i]] != 0) revert ListedTwice(members[i]);
            _add(members[i]);
        }
    }
}
