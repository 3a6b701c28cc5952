// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Schedule, Schedules} from "../blocks/Schedule.sol";
import {Seal} from "../blocks/Seal.sol";
import {Vault} from "../blocks/Vault.sol";
import {IPrediction} from "../judge/IPrediction.sol";

/// A judge: whose bond it is, and the model that grades.
struct Judge {
    address owner;
    bytes32 model;
}

/// How a judged contest is set up: 1, 3 or 5 judges; each entry pays `fee`, which the judges earn by grading it.
struct Panel {
    IPrediction prediction;
    uint32 inputBytes;
    uint16 mostEntries;
    uint96 fee;
    uint96 bond;
    uint40[4] deadlines;
    Judge[] judges;
}

/// A prize for the input that hidden networks grade highest: nobody can tune an entry against weights that nobody sees.
///
/// Phases, each until its deadline: OPEN (judges stand, entrants seal inputs), REVEAL (inputs), JUDGE (each judge grades each
/// input, with evidence), RANK (`rank`, by anybody, for each entry: the median of its grades), DONE (`settle`, `collect`, by
/// anybody). A judge that leaves an entry out is out of that entry's median, and its bond goes to the entries it left out.
///
/// Invariants: a grade is what `IPrediction` accepts for the judge's fixed model; an input is graded once by each judge; an
/// input is revealed once; equal medians share the prize; each fee, bond and prize is freed exactly once.
contract JudgedContest is Vault {
    using Seal for Seal.Book;

    event Created(uint256 indexed id, address indexed sponsor, uint256 prize, Panel panel);
    event Stood(uint256 indexed id, uint256 judge);
    event Entered(uint256 indexed id, address indexed who);
    event Revealed(uint256 indexed id, address indexed who, bytes input);
    event Graded(uint256 indexed id, address indexed who, uint256 judge, uint256 class_);
    event Ranked(uint256 indexed id, address indexed who, uint256 median);
    event Settled(uint256 indexed id, uint256 best, uint256 winners);
    event Collected(uint256 indexed id, address indexed who);

    error BadPanel();
    error NoSuchContest(uint256 id);
    error NoSuchJudge(uint256 judge);
    error NotTheJudge(address sender, address judge);
    error AlreadyStands(uint256 judge);
    error DoesNotStand(uint256 judge);
    error AlreadyEntered(address who);
    error NotEntered(address who);
    error NotRevealed(address who);
    error ContestFull(uint256 most);
    error SameInput(bytes32 inputHash);
    error WrongInput(bytes32 found, bytes32 expected);
    error WrongInputLength(uint256 found, uint256 expected);
    error AlreadyGraded(address who, uint256 judge);
    error NotShown(bytes32 model, uint256 class_);
    error ClassTooLarge(uint256 class_, uint256 most);
    error NotGraded(address who);
    error AlreadyRanked(address who);
    error AlreadySettled(uint256 id);
    error NotSettled(uint256 id);
    error AlreadyCollected(address who);

    bytes32 internal constant ENTRY = keccak256("zkpredict judged entry");

    struct Standing {
        bool stands;
        uint16 graded;
        uint16 paid; // entries that were given their share of its bond
    }

    struct Contest {
        address sponsor;
        uint16 entered;
        uint16 revealed;
        uint16 winners;
        uint16 paidWinners;
        uint16 best; // 1 + the highest median
        bool settled;
        uint8 standing;
        Schedule schedule;
        Panel panel;
        mapping(uint256 judge => Standing) standings;
        mapping(address who => Entry) entries;
        mapping(bytes32 inputHash => bool) seen;
    }

    struct Entry {
        bytes32 inputHash;
        bool entered;
        bool collected;
        uint16 rank; // 1 + the median
        uint8 grades; // how many judges graded it
        uint80 classes; // 16 bits a judge: 1 + its class
    }

    uint256 public immutable minWindow;
    uint256 public contests;
    mapping(uint256 id => Contest) private _contests;
    Seal.Book private _seals;

    constructor(uint256 minWindow_) {
        minWindow = minWindow_;
    }

    /// Creates a contest with the prize that comes along.
    function create(Panel calldata p) external payable returns (uint256 id) {
        uint256 judges = p.judges.length;
        if (judges > 5 || judges % 2 == 0 || msg.value == 0 || p.mostEntries == 0 || p.bond < p.mostEntries) revert BadPanel();
        id = ++contests;
        Contest storage c = _contests[id];
        uint40[] memory deadlines = new uint40[](4);
        for (uint256 i = 0; i < 4; i++) deadlines[i] = p.deadlines[i];
        c.schedule = Schedules.make(deadlines, minWindow);
        (c.sponsor, c.panel) = (msg.sender, p);
        _hold(_pot(id));
        emit Created(id, msg.sender, msg.value, p);
    }

    /// A judge bonds itself to grade every entry.
    function stand(uint256 id, uint256 judge) external payable {
        Contest storage c = _in(id, 0);
        Judge storage j = _judge(c, judge);
        if (msg.sender != j.owner) revert NotTheJudge(msg.sender, j.owner);
        if (c.standings[judge].stands) revert AlreadyStands(judge);
        _exactly(c.panel.bond);
        c.standings[judge].stands = true;
        c.standing++;
        _hold(_bondOf(id, judge));
        emit Stood(id, judge);
    }

    /// Enters with a sealed input: `Seal.make(keccak256("zkpredict judged entry"), id, entrant, keccak256(input), salt)`.
    function enter(uint256 id, bytes32 seal) external payable {
        Contest storage c = _in(id, 0);
        Entry storage e = c.entries[msg.sender];
        if (e.entered) revert AlreadyEntered(msg.sender);
        if (c.entered >= c.panel.mostEntries) revert ContestFull(c.panel.mostEntries);
        _exactly(c.panel.fee);
        _seals.commit(id, seal);
        e.entered = true;
        c.entered++;
        _hold(_feeOf(id, msg.sender));
        emit Entered(id, msg.sender);
    }

    /// Shows the sealed input, which nobody may have shown before.
    function reveal(uint256 id, bytes calldata input, bytes32 salt) external {
        Contest storage c = _in(id, 1);
        if (input.length != c.panel.inputBytes) revert WrongInputLength(input.length, c.panel.inputBytes);
        bytes32 inputHash = keccak256(input);
        _seals.open(ENTRY, id, msg.sender, inputHash, salt);
        if (c.seen[inputHash]) revert SameInput(inputHash);
        c.seen[inputHash] = true;
        c.entries[msg.sender].inputHash = inputHash;
        c.revealed++;
        emit Revealed(id, msg.sender, input);
    }

    /// Grades an entry with the class that a judge's model gives it; anybody who has the evidence may. The judge earns its fee.
    function grade(uint256 id, address who, uint256 judge, bytes calldata input, uint256 class_, bytes calldata evidence) external {
        Contest storage c = _in(id, 2);
        Judge storage j = _judge(c, judge);
        if (!c.standings[judge].stands) revert DoesNotStand(judge);
        Entry storage e = c.entries[who];
        if (e.inputHash == 0) revert NotRevealed(who);
        if (keccak256(input) != e.inputHash) revert WrongInput(keccak256(input), e.inputHash);
        if (_grade(e, judge) != 0) revert AlreadyGraded(who, judge);
        if (class_ > type(uint8).max) revert ClassTooLarge(class_, type(uint8).max);
        if (!c.panel.prediction.holds(j.model, input, class_, evidence)) revert NotShown(j.model, class_);
        e.classes |= uint80((class_ + 1) << (16 * judge));
        e.grades++;
        c.standings[judge].graded++;
        _free(_feeOf(id, who), j.owner, c.panel.fee / c.standing);
        emit Graded(id, who, judge, class_);
    }

    /// Takes the median of an entry's grades (of an even number the lower one) into the ranking; anybody may send this.
    function rank(uint256 id, address who) external {
        Contest storage c = _in(id, 3);
        Entry storage e = c.entries[who];
        if (e.grades == 0) revert NotGraded(who);
        if (e.rank != 0) revert AlreadyRanked(who);
        uint16 median = _median(c, e);
        e.rank = median;
        if (median > c.best) (c.best, c.winners) = (median, 1);
        else if (median == c.best) c.winners++;
        emit Ranked(id, who, median - 1);
    }

    /// Ends a contest: bonds of judges that graded all go back, and the prize too if nobody is ranked. Anybody may send this.
    function settle(uint256 id) external {
        Contest storage c = _in(id, 4);
        if (c.settled) revert AlreadySettled(id);
        c.settled = true;
        for (uint256 i = 0; i < c.panel.judges.length; i++) {
            if (!c.standings[i].stands || c.standings[i].graded < c.revealed) continue;
            _free(_bondOf(id, i), c.panel.judges[i].owner, c.panel.bond);
        }
        if (c.winners == 0) _free(_pot(id), c.sponsor, held[_pot(id)]);
        emit Settled(id, c.best, c.winners);
    }

    /// Gives an entrant its part of the prize, of silent judges' bonds, and what is left of its fee. Anybody may send this.
    function collect(uint256 id, address who) external {
        Contest storage c = _existing(id);
        if (!c.settled) revert NotSettled(id);
        Entry storage e = c.entries[who];
        if (!e.entered) revert NotEntered(who);
        if (e.collected) revert AlreadyCollected(who);
        e.collected = true;
        uint256 fee = held[_feeOf(id, who)];
        // an input that was never shown: nobody could grade it
        if (e.inputHash == 0 && c.standing != 0) _slash(_feeOf(id, who), c.sponsor, fee);
        else _free(_feeOf(id, who), who, fee);
        if (e.inputHash != 0) _payForSilence(id, c, e, who);
        if (e.rank != 0 && e.rank == c.best) {
            uint256 left = c.winners - c.paidWinners++;
            _free(_pot(id), who, held[_pot(id)] / left);
        }
        emit Collected(id, who);
    }

    /// Phase by the clock, whether it is settled, entries, revealed ones, judges that stand, the best median (1 more; 0: none).
    function status(uint256 id)
        external
        view
        returns (uint256 phase, bool settled, uint256 entered, uint256 revealed, uint256 standing, uint256 best, uint256 winners)
    {
        Contest storage c = _existing(id);
        return (c.schedule.phase(), c.settled, c.entered, c.revealed, c.standing, c.best, c.winners);
    }

    function panelOf(uint256 id) external view returns (address sponsor, Panel memory) {
        return (_contests[id].sponsor, _contests[id].panel);
    }

    function entryOf(uint256 id, address who) external view returns (Entry memory) {
        return _contests[id].entries[who];
    }

    /// A judge's bond goes to the entries it left out, equal parts; the last one takes the rounding.
    function _payForSilence(uint256 id, Contest storage c, Entry storage e, address who) private {
        for (uint256 i = 0; i < c.panel.judges.length; i++) {
            Standing storage s = c.standings[i];
            if (!s.stands || _grade(e, i) != 0) continue;
            uint256 left = c.revealed - s.graded - s.paid++;
            _free(_bondOf(id, i), who, held[_bondOf(id, i)] / left);
        }
    }

    /// The lower median of an entry's grades, each 1 more than its class: sorted by insertion, five at most.
    function _median(Contest storage c, Entry storage e) private view returns (uint16) {
        uint16[5] memory sorted;
        uint256 count = 0;
        for (uint256 i = 0; i < c.panel.judges.length; i++) {
            uint16 found = _grade(e, i);
            if (found == 0) continue;
            uint256 place = count++;
            for (; place > 0 && sorted[place - 1] > found; place--) sorted[place] = sorted[place - 1];
            sorted[place] = found;
        }
        return sorted[(count - 1) / 2];
    }

    function _grade(Entry storage e, uint256 judge) private view returns (uint16) {
        return uint16(e.classes >> (16 * judge));
    }

    function _judge(Contest storage c, uint256 judge) private view returns (Judge storage) {
        if (judge >= c.panel.judges.length) revert NoSuchJudge(judge);
        return c.panel.judges[judge];
    }

    function _existing(uint256 id) private view returns (Contest storage c) {
        c = _contests[id];
        if (c.sponsor == address(0)) revert NoSuchContest(id);
    }

    function _in(uint256 id, uint256 phase) private view returns (Contest storage c) {
        c = _existing(id);
        c.schedule.requirePhase(phase);
    }

    function _pot(uint256 id) private pure returns (bytes32) {
        return keccak256(abi.encode("pot", id));
    }

    function _bondOf(uint256 id, uint256 judge) private pure returns (bytes32) {
        return keccak256(abi.encode("judge", id, judge));
    }

    function _feeOf(uint256 id, address who) private pure returns (bytes32) {
        return keccak256(abi.encode("fee", id, who));
    }
}
