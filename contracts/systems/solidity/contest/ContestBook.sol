// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Schedule, Schedules} from "../blocks/Schedule.sol";
import {TestSet} from "../blocks/TestSet.sol";
import {Vault} from "../blocks/Vault.sol";
import {IPrediction} from "../judge/IPrediction.sol";

/// How a contest is set up. `byAnswers`: networks in the open post all answers; else hidden ones prove each right answer.
/// `minRule`: the rank is the least number of right answers in any owner's part, not the sum, so knowing one part wins nothing.
struct Params {
    IPrediction prediction;
    bool byAnswers;
    bool minRule;
    uint8 minParts;
    uint16 perPart;
    uint32 inputBytes;
    uint96 stake;
    uint96 claimBond;
    uint96 partBond;
    uint40[6] deadlines;
    address[] owners;
}

/// What a contract of contests keeps about each, and what anybody may read of it.
abstract contract ContestBook is Vault {
    error NoSuchContest(uint256 id);
    error NotRevealed(address who);

    enum State {
        RUNNING,
        DONE,
        VOID
    }

    struct Part {
        address owner;
        bool opened;
        bytes32 seal;
    }

    struct Contest {
        address sponsor;
        uint16 entered;
        uint16 revealed;
        uint8 opened;
        State state;
        bool again;
        Schedule schedule;
        address best;
        uint32 bestRight;
        uint32 bestOrder;
        Params params;
        TestSet.Set test;
        uint96 prize;
        uint96 share; // of each revealed entrant when the contest is void
        mapping(uint256 number => Part) parts;
        mapping(bytes32 model => address) ownerOf;
        mapping(address who => Entry) entries;
    }

    struct Entry {
        bytes32 model; // 0: not revealed; open, once posted: keccak256(model, root of the answers)
        uint32 order;
        uint32 claimed;
        uint32 proven;
        bool hasClaimed;
        bool refuted;
        bool collected;
        uint96 bond; // of its claim
        uint256 bits; // hidden: one for each proven sample
        uint256 byPart; // 32 bits for each part: proven samples of it
    }

    uint256 public immutable minWindow;
    uint256 public contests;
    mapping(uint256 id => Contest) internal _contests;

    /// Phase by the clock, state, entrants, opened parts, samples, the best so far and its rank.
    function status(uint256 id)
        external
        view
        returns (uint256 phase, State state, uint256 entered, uint256 opened, uint256 samples, address best, uint256 bestRight, bool again)
    {
        Contest storage c = _existing(id);
        return (c.schedule.phase(), c.state, c.entered, c.opened, c.test.count, c.best, c.bestRight, c.again);
    }

    function params(uint256 id) external view returns (address sponsor, Params memory) {
        return (_contests[id].sponsor, _contests[id].params);
    }

    function entryOf(uint256 id, address who) external view returns (Entry memory) {
        return _contests[id].entries[who];
    }

    function partOf(uint256 id, uint256 number) external view returns (Part memory) {
        return _contests[id].parts[number];
    }

    /// The least number of right answers in any of the first `parts` parts, from 32 bits for each.
    function _least(uint256 counts, uint256 parts) internal pure returns (uint256 least) {
        least = type(uint256).max;
        for (uint256 i = 0; i < parts; i++) {
            uint256 inPart = uint32(counts >> (32 * i));
            if (inPart < least) least = inPart;
        }
    }

    function _existing(uint256 id) internal view returns (Contest storage c) {
        c = _contests[id];
        if (Schedule.unwrap(c.schedule) == 0) revert NoSuchContest(id);
    }

    function _in(uint256 id, uint256 phase) internal view returns (Contest storage c) {
        c = _existing(id);
        c.schedule.requirePhase(phase);
    }

    function _pot(uint256 id) internal pure returns (bytes32) {
        return keccak256(abi.encode("pot", id));
    }

    function _bondOf(uint256 id, uint256 number) internal pure returns (bytes32) {
        return keccak256(abi.encode("part", id, number));
    }

    function _stakeOf(uint256 id, address who) internal pure returns (bytes32) {
        return keccak256(abi.encode("stake", id, who));
    }
}
