// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sample, Samples} from "../blocks/Samples.sol";
import {Schedules} from "../blocks/Schedule.sol";
import {Seal} from "../blocks/Seal.sol";
import {TestSet} from "../blocks/TestSet.sol";
import {Answers, Posted} from "../judge/Answers.sol";
import {Params} from "./ContestBook.sol";
import {ContestEnd} from "./ContestEnd.sol";

/// A prize for the network that is right most often on samples that were sealed before it, and shown after it.
///
/// Phases, each until its deadline: OPEN (owners seal parts of the test, entrants seal models), REVEAL (models), TEST (parts),
/// CLAIM (a number of right answers, or all answers, with a bond), PROVE (right answers, one by one; or the refutation of a
/// wrong one), AGAIN (hidden: proving goes on if nobody proved a claim; open: `present` finds the best that nobody refuted),
/// DONE. VOID when fewer than `minParts` parts were opened. `settle` and then `collect` for each entrant may be sent by anybody.
///
/// Invariants: a winner's rank was proven, or posted and not refuted; what is proven never goes down; equal ranks go to the
/// earlier seal; each stake, bond and prize is freed exactly once.
contract ModelContest is ContestEnd {
    using Seal for Seal.Book;
    using TestSet for TestSet.Set;

    event Created(uint256 indexed id, address indexed sponsor, uint256 prize, Params params);
    event PartSealed(uint256 indexed id, uint256 number, address indexed owner);
    event Entered(uint256 indexed id, address indexed who);
    event Revealed(uint256 indexed id, address indexed who, bytes32 model);
    event PartOpened(uint256 indexed id, uint256 number, uint256 part, bytes32 root);
    event Claimed(uint256 indexed id, address indexed who, uint256 right);
    event AnswersPosted(uint256 indexed id, address indexed who, uint256 right, bytes answers);
    event Proven(uint256 indexed id, address indexed who, uint256 number, uint256 right);
    event Refuted(uint256 indexed id, address indexed who, uint256 number, address by);
    event Presented(uint256 indexed id, address indexed who, uint256 right);

    error BadParams();
    error BondTooSmall(uint256 bond, uint256 least);
    error NotTheOwner(address sender, address owner);
    error PartAlreadySealed(uint256 number);
    error PartAlreadyOpened(uint256 number);
    error WrongPart(bytes32 found, bytes32 expected);
    error WrongPartSize(uint256 found, uint256 expected);
    error AlreadyEntered(address who);
    error ContestVoid(uint256 id);
    error NotTheModelsOwner(address who, address owner);
    error AlreadyClaimed(address who);
    error TooMuchClaimed(uint256 right, uint256 most);
    error NotClaimed(address who);
    error WrongKind(bool byAnswers);
    error AlreadyProven(uint256 number);
    error NotShown(bytes32 model, uint256 class_);
    error AlreadyRefuted(address who);
    error EntryRefuted(address who);
    error NotBetter(uint256 right, uint256 best);

    bytes32 internal constant ENTRY = keccak256("zkpredict entry");
    uint256 internal constant MOST_PARTS = 8;

    Seal.Book private _seals;

    constructor(uint256 minWindow_) {
        minWindow = minWindow_;
    }

    /// Creates a contest with the prize that comes along.
    function create(Params calldata p) external payable returns (uint256 id) {
        uint256 parts = p.owners.length;
        if (parts == 0 || parts > MOST_PARTS || p.minParts == 0 || p.minParts > parts || msg.value == 0) revert BadParams();
        if (p.perPart == 0 || p.perPart > Samples.MOST || (!p.byAnswers && p.perPart * parts > 256)) revert BadParams();
        // a claim that scares the others off, and a test that fails, must cost something
        if (p.claimBond < msg.value / 10) revert BondTooSmall(p.claimBond, msg.value / 10);
        if (p.partBond < msg.value / 10 / parts) revert BondTooSmall(p.partBond, msg.value / 10 / parts);
        id = ++contests;
        Contest storage c = _contests[id];
        uint40[] memory deadlines = new uint40[](6);
        for (uint256 i = 0; i < 6; i++) deadlines[i] = p.deadlines[i];
        c.schedule = Schedules.make(deadlines, minWindow);
        (c.sponsor, c.params, c.test.inputBytes, c.prize) = (msg.sender, p, p.inputBytes, uint96(msg.value));
        for (uint256 i = 0; i < parts; i++) c.parts[i].owner = p.owners[i];
        _hold(_pot(id));
        emit Created(id, msg.sender, msg.value, p);
    }

    /// Binds an owner to its part of the test: `Samples.partSeal`.
    function sealPart(uint256 id, uint256 number, bytes32 seal) external payable {
        Contest storage c = _in(id, 0);
        Part storage part = c.parts[number];
        if (part.owner != msg.sender) revert NotTheOwner(msg.sender, part.owner);
        if (part.seal != 0) revert PartAlreadySealed(number);
        if (seal == 0) revert Seal.EmptySeal();
        _exactly(c.params.partBond);
        part.seal = seal;
        _hold(_bondOf(id, number));
        emit PartSealed(id, number, msg.sender);
    }

    /// Enters with a sealed model: `Seal.make(keccak256("zkpredict entry"), id, entrant, keccak256(abi.encode(model)), salt)`.
    function enter(uint256 id, bytes32 seal) external payable {
        Contest storage c = _in(id, 0);
        Entry storage e = c.entries[msg.sender];
        if (e.order != 0) revert AlreadyEntered(msg.sender);
        _exactly(c.params.stake);
        _seals.commit(id, seal);
        e.order = ++c.entered;
        _hold(_stakeOf(id, msg.sender));
        emit Entered(id, msg.sender);
    }

    /// Shows the sealed model. Of two with the same model the earlier seal has it.
    function reveal(uint256 id, bytes32 model, bytes32 salt) external {
        Contest storage c = _in(id, 1);
        _seals.open(ENTRY, id, msg.sender, keccak256(abi.encode(model)), salt);
        Entry storage e = c.entries[msg.sender];
        e.model = model;
        c.revealed++;
        address before = c.ownerOf[model];
        if (before == address(0) || c.entries[before].order > e.order) c.ownerOf[model] = msg.sender;
        emit Revealed(id, msg.sender, model);
    }

    /// Opens a part: for each sample its label and its input. Anybody who has data and salt may.
    function openPart(uint256 id, uint256 number, bytes calldata data, bytes32 salt) external {
        Contest storage c = _in(id, 2);
        Part storage part = c.parts[number];
        if (part.opened) revert PartAlreadyOpened(number);
        (bytes32 root, uint256 count) = Samples.partRoot(data, c.params.inputBytes);
        if (count != c.params.perPart) revert WrongPartSize(count, c.params.perPart);
        bytes32 found = Samples.partSeal(root, count, c.params.inputBytes, salt);
        if (found != part.seal) revert WrongPart(found, part.seal);
        part.opened = true;
        emit PartOpened(id, number, c.opened, root);
        c.opened++;
        c.test.add(root, count, data);
        _free(_bondOf(id, number), part.owner, c.params.partBond);
    }

    /// Hidden networks: says how many right answers (with `minRule`: in every part) will be proven if it comes to that.
    function claim(uint256 id, uint32 right) external payable {
        Contest storage c = _in(id, 3);
        if (c.params.byAnswers) revert WrongKind(true);
        uint256 most = c.params.minRule ? c.params.perPart : c.test.count;
        if (right == 0 || right > most) revert TooMuchClaimed(right, most);
        _claim(id, c, right);
        emit Claimed(id, msg.sender, right);
    }

    /// Networks in the open: posts all answers, packed like the labels; `differences` are answers XOR labels.
    function post(uint256 id, bytes calldata answers, bytes calldata differences) external payable {
        Contest storage c = _in(id, 3);
        if (!c.params.byAnswers) revert WrongKind(false);
        (uint256 right, uint256 least) = c.test.rights(answers, differences);
        if (c.params.minRule) right = least;
        Entry storage e = _claim(id, c, uint32(right));
        // one word for both: who refutes brings the model along
        e.model = keccak256(abi.encode(e.model, Answers.rootOf(answers)));
        emit AnswersPosted(id, msg.sender, right, answers);
    }

    /// Hidden networks: counts samples that the entrant's model was shown to give their labels. Anybody may prove for anybody.
    function prove(uint256 id, address who, Sample[] calldata samples, bytes[] calldata evidence) external {
        Contest storage c = _existing(id);
        if (c.params.byAnswers) revert WrongKind(true);
        _requireProving(c);
        Entry storage e = c.entries[who];
        if (!e.hasClaimed) revert NotClaimed(who);
        for (uint256 i = 0; i < samples.length; i++) {
            uint256 rank = _prove(id, c, e, who, samples[i], evidence[i]);
            if (rank >= e.claimed) _crown(c, who, rank, e.order);
        }
    }

    /// Networks in the open: shows one wrong answer of `model`, which ends that entry.
    function refute(
        uint256 id,
        address who,
        bytes32 model,
        Sample calldata s,
        Posted calldata posted,
        uint256 class_,
        bytes calldata evidence
    ) external {
        Contest storage c = _in(id, 4);
        Entry storage e = c.entries[who];
        if (!c.params.byAnswers) revert WrongKind(false);
        if (!e.hasClaimed) revert NotClaimed(who);
        if (e.refuted) revert AlreadyRefuted(who);
        bytes32 found = keccak256(abi.encode(model, Answers.rootOf(c.test, s, posted)));
        if (found != e.model) revert Answers.WrongAnswer(found, e.model);
        uint256 number = Answers.disprove(c.test, s, posted, c.params.prediction, model, class_, evidence);
        e.refuted = true;
        _free(_stakeOf(id, who), msg.sender, e.bond / 2); // `collect` burns the other half
        emit Refuted(id, who, number, msg.sender);
    }

    /// Networks in the open: makes an entry that nobody refuted the best, if it is. Anybody may present anybody.
    function present(uint256 id, address who) external {
        Contest storage c = _in(id, 5);
        Entry storage e = c.entries[who];
        if (!c.params.byAnswers) revert WrongKind(false);
        if (!e.hasClaimed) revert NotClaimed(who);
        if (e.refuted) revert EntryRefuted(who);
        if (!_crown(c, who, e.claimed, e.order)) revert NotBetter(e.claimed, c.bestRight);
        emit Presented(id, who, e.claimed);
    }

    function _claim(uint256 id, Contest storage c, uint32 right) private returns (Entry storage e) {
        if (c.test.parts < c.params.minParts) revert ContestVoid(id);
        e = c.entries[msg.sender];
        if (e.model == 0) revert NotRevealed(msg.sender);
        if (c.ownerOf[e.model] != msg.sender) revert NotTheModelsOwner(msg.sender, c.ownerOf[e.model]);
        if (e.hasClaimed) revert AlreadyClaimed(msg.sender);
        _exactly(c.params.claimBond);
        (e.claimed, e.hasClaimed, e.bond) = (right, true, c.params.claimBond);
        _hold(_stakeOf(id, msg.sender)); // with the stake: one slot for both
    }

    /// Counts one sample; the entry's rank after it.
    function _prove(uint256 id, Contest storage c, Entry storage e, address who, Sample calldata s, bytes calldata evidence)
        private
        returns (uint256 rank)
    {
        uint256 number = c.test.check(s);
        if (e.bits >> number & 1 == 1) revert AlreadyProven(number);
        if (!c.params.prediction.holds(e.model, s.input, s.label, evidence)) revert NotShown(e.model, s.label);
        e.bits |= 1 << number;
        rank = ++e.proven;
        if (c.params.minRule) rank = _count(c, e, s.part);
        emit Proven(id, who, number, rank);
    }

    /// PROVE; and AGAIN when nobody had proven a claim by then, for all of its length.
    function _requireProving(Contest storage c) private {
        uint256 phase = c.schedule.phase();
        if (phase == 5 && !c.params.byAnswers && (c.again || c.best == address(0))) {
            if (!c.again) c.again = true;
        } else if (phase != 4) {
            revert Schedules.WrongPhase(phase, 4);
        }
    }

    /// Counts a proven sample of a part; the least count over all parts.
    function _count(Contest storage c, Entry storage e, uint256 number) private returns (uint256 least) {
        uint256 counts = e.byPart + (1 << (32 * number));
        e.byPart = counts;
        return _least(counts, c.opened);
    }

    function _crown(Contest storage c, address who, uint256 rank, uint256 order) private returns (bool better) {
        better = rank > c.bestRight || (rank == c.bestRight && (c.best == address(0) || order < c.bestOrder));
        if (better || c.best == who) (c.best, c.bestRight, c.bestOrder) = (who, uint32(rank), uint32(order));
    }
}
