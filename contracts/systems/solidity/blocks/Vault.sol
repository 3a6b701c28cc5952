// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// Every wei of a system, accounted for: held for a purpose (a stake, a prize, a bond), or credited to an account.
///
/// Invariants: `owed` is the sum of everything held and every credit, and the balance is never less (more only when somebody
/// forces ether in). Ether arrives through `_hold` alone and leaves through `withdraw` and `withdrawFor` alone, which pay an
/// account its own credit and nothing else. No other function of a system calls an unknown address, so an account that refuses
/// ether keeps nobody waiting but itself. What is burned is credited to the address 0x...dEaD, like a payment.
abstract contract Vault is ReentrancyGuardTransient {
    event Held(bytes32 indexed purpose, uint256 amount);
    event Credited(address indexed who, uint256 amount);
    event Burned(uint256 amount);
    event Withdrawn(address indexed who, uint256 amount);

    error WrongPayment(uint256 sent, uint256 expected);
    error NotEnoughHeld(bytes32 purpose, uint256 found, uint256 wanted);
    error NoCredit(address account);
    error PaymentFailed(address account, uint256 amount);

    address internal constant BURNED = 0x000000000000000000000000000000000000dEaD;

    /// Everything held and every credit together.
    uint256 public owed;
    /// What is kept for a purpose until its object is settled.
    mapping(bytes32 purpose => uint256 amount) public held;
    /// What an account can withdraw.
    mapping(address account => uint256 amount) public credit;

    /// Pays the caller its credit.
    function withdraw() external {
        _pay(msg.sender);
    }

    /// Pays `account` its credit; anybody may send this.
    function withdrawFor(address account) external {
        _pay(account);
    }

    /// Refuses a call that does not bring exactly this much.
    function _exactly(uint256 expected) internal view {
        if (msg.value != expected) revert WrongPayment(msg.value, expected);
    }

    /// Keeps what this call brought for `purpose`. At most once in a call: `_move` divides it further.
    function _hold(bytes32 purpose) internal {
        if (msg.value == 0) return;
        held[purpose] += msg.value;
        owed += msg.value;
        emit Held(purpose, msg.value);
    }

    /// Keeps for another purpose what was held for one.
    function _move(bytes32 from, bytes32 to, uint256 amount) internal {
        if (amount == 0) return;
        _take(from, amount);
        held[to] += amount;
        emit Held(to, amount);
    }

    /// Credits what was held.
    function _free(bytes32 purpose, address to, uint256 amount) internal {
        if (amount == 0) return;
        _take(purpose, amount);
        credit[to] += amount;
        emit Credited(to, amount);
    }

    /// Half of it, rounded down, goes to `to`; the other half to nobody, so that nobody gains by slashing itself.
    function _slash(bytes32 purpose, address to, uint256 amount) internal {
        _free(purpose, to, amount / 2);
        _burn(purpose, amount - amount / 2);
    }

    /// Takes it out of everybody's reach.
    function _burn(bytes32 purpose, uint256 amount) internal {
        _free(purpose, BURNED, amount);
        emit Burned(amount);
    }

    function _take(bytes32 purpose, uint256 amount) private {
        uint256 found = held[purpose];
        if (found < amount) revert NotEnoughHeld(purpose, found, amount);
        held[purpose] = found - amount;
    }

    function _pay(address account) private nonReentrant {
        uint256 amount = credit[account];
        if (amount == 0) revert NoCredit(account);
        credit[account] = 0;
        owed -= amount;
        emit Withdrawn(account, amount);
        (bool paid,) = account.call{value: amount}("");
        if (!paid) revert PaymentFailed(account, amount);
    }
}
