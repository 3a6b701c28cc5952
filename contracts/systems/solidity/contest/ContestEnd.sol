// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Schedules} from "../blocks/Schedule.sol";
import {ContestBook} from "./ContestBook.sol";

/// How a contest ends, and where its money goes: the prize to the best, stakes and bonds back or slashed.
///
/// Invariants: a contest ends once, by time alone; each stake, bond and prize is freed exactly once.
abstract contract ContestEnd is ContestBook {
    event Settled(uint256 indexed id, address winner, uint256 right);
    event Voided(uint256 indexed id);
    event Collected(uint256 indexed id, address indexed who, uint256 slashed);

    error AlreadySettled(uint256 id);
    error NotSettled(uint256 id);
    error AlreadyCollected(address who);

    /// Ends a contest: the prize goes to the best, or back; anybody may send this, once.
    function settle(uint256 id) external {
        Contest storage c = _existing(id);
        if (c.state != State.RUNNING) revert AlreadySettled(id);
        uint256 phase = c.schedule.phase();
        bool isVoid = phase > 2 && c.opened < c.params.minParts;
        bool early = phase == 5 && !c.params.byAnswers && c.best != address(0) && !c.again;
        if (!isVoid && !early && phase < 6) revert Schedules.WrongPhase(phase, 6);
        bool sponsorFailed = _forfeit(id, c);
        if (isVoid) {
            _void(id, c, sponsorFailed);
            emit Voided(id);
        } else {
            c.state = State.DONE;
            _free(_pot(id), _heir(c), held[_pot(id)]);
            emit Settled(id, c.best, c.bestRight);
        }
    }

    /// Gives an entrant what is its own, and slashes what is not; anybody may send this, once for each.
    function collect(uint256 id, address who) external {
        Contest storage c = _existing(id);
        if (c.state == State.RUNNING) revert NotSettled(id);
        Entry storage e = c.entries[who];
        if (e.order == 0) revert NotRevealed(who);
        if (e.collected) revert AlreadyCollected(who);
        e.collected = true;
        uint256 slashed = 0;
        if (c.state == State.DONE && e.model == 0) {
            slashed = c.params.stake;
            _slash(_stakeOf(id, who), _heir(c), slashed);
        } else {
            _free(_stakeOf(id, who), who, c.params.stake);
        }
        if (e.refuted) {
            slashed += e.bond;
            _burn(_stakeOf(id, who), e.bond - e.bond / 2);
        } else if (e.hasClaimed) {
            if (_overclaimed(c, e)) {
                slashed += e.bond;
                _slash(_stakeOf(id, who), _heir(c), e.bond);
            } else {
                _free(_stakeOf(id, who), who, e.bond);
            }
        }
        if (c.state == State.VOID && e.model != 0) {
            // the last one takes the rounding
            uint256 part = --c.revealed == 0 ? held[_pot(id)] : c.share;
            _free(_pot(id), who, part);
        }
        emit Collected(id, who, slashed);
    }

    /// Whether an entry said more than it showed, and more than the winner showed: then it kept others from trying.
    function _overclaimed(Contest storage c, Entry storage e) internal view returns (bool) {
        if (c.params.byAnswers || c.state == State.VOID) return false;
        uint256 shown = e.proven;
        if (c.params.minRule) shown = _least(e.byPart, c.opened);
        return shown < e.claimed && e.claimed > c.bestRight;
    }

    /// Slashes the bonds of parts that were sealed and not opened: half to the pot, half to nobody. Whether one was the sponsor's.
    function _forfeit(uint256 id, Contest storage c) internal returns (bool sponsorFailed) {
        for (uint256 i = 0; i < c.params.owners.length; i++) {
            Part storage missing = c.parts[i];
            if (missing.opened) continue;
            if (missing.owner == c.sponsor) sponsorFailed = true;
            uint256 bond = held[_bondOf(id, i)];
            _move(_bondOf(id, i), _pot(id), bond / 2);
            if (bond != 0) _burn(_bondOf(id, i), bond - bond / 2);
        }
    }

    /// Without a test: the prize goes back unless the sponsor's own part is missing; what owners forfeited goes to the entrants.
    function _void(uint256 id, Contest storage c, bool sponsorFailed) internal {
        c.state = State.VOID;
        uint256 pot = held[_pot(id)];
        if (c.revealed == 0) {
            _free(_pot(id), c.sponsor, pot);
            return;
        }
        if (!sponsorFailed) {
            uint256 forfeited = pot - c.prize;
            _free(_pot(id), c.sponsor, pot - forfeited);
            pot = forfeited;
        }
        c.share = uint96(pot / c.revealed);
    }

    function _heir(Contest storage c) internal view returns (address) {
        return c.best == address(0) ? c.sponsor : c.best;
    }
}
