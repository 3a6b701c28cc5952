// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Up to six deadlines in one word: bits 0-7 how many there are, then 40 bits each, seconds since 1970.
type Schedule is uint256;

using Schedules for Schedule global;

/// Phases as a pure function of time, so that nobody has to move an object from one to the next.
///
/// Invariants: phase 0 lasts until the first deadline, phase i until deadline i, the last phase for ever; every phase but the
/// last is at least as long as the least window that the schedule was made with.
library Schedules {
    error WrongDeadlineCount(uint256 given, uint256 most);
    error WindowTooShort(uint256 phase, uint256 seconds_, uint256 least);
    error WrongPhase(uint256 found, uint256 expected);

    uint256 internal constant MOST = 6;

    /// Packs deadlines, each at least `least` seconds after the one before, the first after now.
    function make(uint40[] memory deadlines, uint256 least) internal view returns (Schedule) {
        if (deadlines.length == 0 || deadlines.length > MOST) revert WrongDeadlineCount(deadlines.length, MOST);
        uint256 packed = deadlines.length;
        uint256 before = block.timestamp;
        for (uint256 i = 0; i < deadlines.length; i++) {
            uint256 window = deadlines[i] > before ? deadlines[i] - before : 0;
            if (window < least || window == 0) revert WindowTooShort(i, window, least);
            before = deadlines[i];
            packed |= before << (8 + 40 * i);
        }
        return Schedule.wrap(packed);
    }

    /// How many deadlines have passed; at its own second a deadline has.
    function phase(Schedule schedule) internal view returns (uint256 passed) {
        uint256 deadlines = count(schedule);
        while (passed < deadlines && block.timestamp >= deadline(schedule, passed)) passed++;
    }

    /// Deadline `i`.
    function deadline(Schedule schedule, uint256 i) internal pure returns (uint256) {
        return uint40(Schedule.unwrap(schedule) >> (8 + 40 * i));
    }

    /// How many deadlines there are.
    function count(Schedule schedule) internal pure returns (uint256) {
        return uint8(Schedule.unwrap(schedule));
    }

    /// Refuses every phase but this one.
    function requirePhase(Schedule schedule, uint256 expected) internal view {
        uint256 found = phase(schedule);
        if (found != expected) revert WrongPhase(found, expected);
    }
}
