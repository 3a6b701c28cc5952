// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Beacon} from "../blocks/Beacon.sol";
import {Samples} from "../blocks/Samples.sol";
import {Schedule, Schedules} from "../blocks/Schedule.sol";
import {Seal} from "../blocks/Seal.sol";
import {Vault} from "../blocks/Vault.sol";
import {IPrediction} from "../judge/IPrediction.sol";
import {Assignment} from "./Assignment.sol";

/// A requester buys answers to its items from strangers, and checks them by labels that it sealed before anybody joined.
///
/// The work is split, not the pot: a unit is a fixed number of items, drawn after joining, for a fixed reward and stake. Who has how
/// many units under how many names changes nobody's pay.
///
/// Phases by time: JOIN, COMMIT, REVEAL, CHECK, SETTLE, DONE. Verdicts when DONE: UNOPENED (the requester did not open its checks),
/// FALSE_CHECKS (somebody showed one to be wrong), VOID (no model to show it by, and more than a third fail), JUDGED.
/// Invariants: held[id] is what its units and its requester can still get, and 0 when all are collected and the rest reclaimed; the
/// reward of every revealed unit leaves the requester for good; nothing of a failed unit goes to anybody.
contract AnswerMarket is Vault, Beacon {
    using Seal for Seal.Book;

    event Posted(uint256 indexed id, address indexed requester, bytes32 model, bytes32 dataRoot, bytes data);
    event Joined(uint256 indexed id, uint256 from, uint256 count, address indexed worker);
    event Assigned(uint256 indexed id);
    event Committed(uint256 indexed id, uint256 unit);
    event Answered(uint256 indexed id, uint256 unit, bytes answers);
    event ChecksOpened(uint256 indexed id, bytes columns, bytes labels);
    event Passed(uint256 indexed id, uint256 unit);
    event Contested(uint256 indexed id, address indexed by, uint256 item);
    event Collected(uint256 indexed id, uint256 unit, uint256 paid);
    event Reclaimed(uint256 indexed id, uint256 paid);

    error NoSuchJob(uint256 id);
    error WrongTerms(uint256 items, uint256 units, uint256 checks);
    error StakeTooSmall(uint256 stake, uint256 reward, uint256 least);
    error BondTooSmall(uint256 bond, uint256 least);
    error NotSoMany(uint256 wanted, uint256 left);
    error JoiningOpen(uint256 id);
    error TooLateToDraw(uint256 id);
    error NotYours(address sender, address owner);
    error WrongState(uint256 unit, UnitState found, UnitState expected);
    error WrongLength(uint256 found, uint256 expected);
    error WrongChecks(bytes32 found, bytes32 expected);
    error ChecksOpen(uint256 id);
    error WrongColumn(uint256 place);
    error WrongAnswers(bytes32 found, bytes32 expected);
    error ChecksFailed(uint256 unit, uint256 wrong, uint256 allowed);
    error NoModel(uint256 id);
    error AlreadyContested(uint256 id);
    error WrongItem(bytes32 found, bytes32 expected);
    error CheckIsRight(uint256 item, uint256 label);
    error NotShown(bytes32 model, uint256 class_);
    error NothingToCollect(uint256 id, uint256 unit);
    error AlreadyReclaimed(uint256 id);

    enum UnitState { NONE, JOINED, COMMITTED, REVEALED, PASSED, COLLECTED }
    enum Verdict { UNOPENED, FALSE_CHECKS, VOID, JUDGED }

    uint256 private constant JOIN = 0;
    uint256 private constant COMMIT = 1;
    uint256 private constant REVEAL = 2;
    uint256 private constant CHECK = 3;
    uint256 private constant SETTLE = 4;
    uint256 private constant DONE = 5;
    uint256 private constant MOST_UNITS = 4096;
    bytes32 private constant ANSWERS = keccak256("market answers");
    bytes32 private constant CHECKS = keccak256("zkpredict checks 1");

    /// What a requester fixes. Its items lie in columns of units / replication rows; a unit has one
    /// item of each column, and `checks` columns are checked, of which a unit may have `allowed` items wrong.
    /// Without `prediction` the labels are people's, and cannot be shown to be wrong.
    struct Terms {
        uint16 units;
        uint8 replication;
        uint8 checks;
        uint8 allowed;
        uint32 inputBytes;
        uint96 reward;
        uint96 stake;
        uint96 bond;
        IPrediction prediction;
        bytes32 model;
        bytes32 checkSeal;
        uint40[] deadlines;
    }

    struct Job {
        address requester;
        uint16 units;
        uint16 joined;
        uint16 revealed;
        uint16 passed;
        uint8 replication;
        bool drawn;
        bool contested;
        bool reclaimed;
        uint96 reward;
        uint96 stake;
        uint16 items;
        uint8 checks;
        uint8 allowed;
        uint32 inputBytes;
        uint96 bond;
        IPrediction prediction;
        bytes32 model;
        bytes32 dataRoot;
        bytes32 checkSeal;
        bytes32 checksHash;
        Schedule schedule;
    }

    struct Unit {
        address worker;
        UnitState state;
        bytes32 answers;
    }

    uint256 public immutable minWindow;
    uint256 public immutable leastStake;
    uint256 public jobs;
    mapping(uint256 id => Job) private _jobs;
    mapping(uint256 id => mapping(uint256 unit => Unit)) private _units;
    Seal.Book private _book;

    constructor(uint256 drawDelay_, uint256 minWindow_, uint256 leastStake_) Beacon(drawDelay_) {
        (minWindow, leastStake) = (minWindow_, leastStake_);
    }

    /// Posts a job and its items, whose data stays in this call for all to read: for each a zero byte and its input.
    function post(Terms calldata t, bytes calldata data) external payable returns (uint256 id) {
        (bytes32 root, uint256 items) = Samples.partRoot(data, t.inputBytes);
        _requireTerms(t, items);
        _exactly(uint256(t.reward) * t.units + t.bond);
        id = ++jobs;
        Job storage j = _jobs[id];
        (j.requester, j.units, j.replication, j.items) = (msg.sender, t.units, t.replication, uint16(items));
        (j.checks, j.allowed, j.inputBytes) = (t.checks, t.allowed, t.inputBytes);
        (j.reward, j.stake, j.bond, j.prediction, j.model) = (t.reward, t.stake, t.bond, t.prediction, t.model);
        (j.dataRoot, j.checkSeal, j.schedule) = (root, t.checkSeal, Schedules.make(t.deadlines, minWindow));
        _hold(bytes32(id));
        emit Posted(id, msg.sender, t.model, root, data);
    }

    /// Takes the next `count` units of a job.
    function join(uint256 id, uint16 count) external payable {
        Job storage j = _inPhase(id, JOIN);
        if (count == 0 || count > j.units - j.joined) revert NotSoMany(count, j.units - j.joined);
        _exactly(uint256(j.stake) * count);
        emit Joined(id, j.joined, count, msg.sender);
        for (uint256 i = 0; i < count; i++) {
            Unit storage u = _units[id][j.joined + i];
            (u.worker, u.state) = (msg.sender, UnitState.JOINED);
        }
        j.joined += count;
        _hold(bytes32(id));
    }

    /// Notes, while there is time to work, that items were drawn: from here on units that reveal nothing lose their stake.
    function assign(uint256 id) public {
        Job storage j = _inPhase(id, COMMIT);
        _seed(id);
        if (j.drawn) return;
        j.drawn = true;
        emit Assigned(id);
    }

    /// Keeps the seal of a unit's answers.
    function commit(uint256 id, uint256 unit, bytes32 seal) external {
        assign(id);
        Unit storage u = _unit(id, unit, UnitState.JOINED);
        if (msg.sender != u.worker) revert NotYours(msg.sender, u.worker);
        u.state = UnitState.COMMITTED;
        _book.commit(id << 16 | unit, seal);
        emit Committed(id, unit);
    }

    /// Opens the seal of a unit's answers, which this publishes: four bits for each of its items, in the order of columns.
    function reveal(uint256 id, uint256 unit, bytes calldata answers, bytes32 salt) external {
        Job storage j = _inPhase(id, REVEAL);
        Unit storage u = _unit(id, unit, UnitState.COMMITTED);
        uint256 expected = (_columns(j) + 1) / 2;
        if (answers.length != expected) revert WrongLength(answers.length, expected);
        _book.open(ANSWERS, id << 16 | unit, u.worker, keccak256(answers), salt);
        (u.state, u.answers) = (UnitState.REVEALED, keccak256(answers));
        j.revealed++;
        emit Answered(id, unit, answers);
    }

    /// Opens the checks: their columns, ascending, and the labels of all items in them, four bits each.
    function openChecks(uint256 id, bytes calldata columns, bytes calldata labels, bytes32 salt) external {
        Job storage j = _inPhase(id, CHECK);
        if (j.checksHash != 0) revert ChecksOpen(id);
        bytes32 found = keccak256(abi.encode(CHECKS, block.chainid, address(this), j.requester, columns, labels, salt));
        if (found != j.checkSeal) revert WrongChecks(found, j.checkSeal);
        uint256 expected = (j.checks * _rows(j) + 1) / 2;
        if (columns.length != j.checks || labels.length != expected) revert WrongLength(labels.length, expected);
        for (uint256 i = 0; i < columns.length; i++) {
            if (uint8(columns[i]) >= _columns(j) || (i != 0 && columns[i] <= columns[i - 1])) revert WrongColumn(i);
        }
        j.checksHash = keccak256(abi.encode(columns, labels));
        emit ChecksOpened(id, columns, labels);
    }

    /// Shows that a unit's answers pass the checks. Anybody may; units that nobody shows to pass have failed.
    function settle(uint256 id, uint256 unit, bytes calldata answers, bytes calldata columns, bytes calldata labels) external {
        Job storage j = _inPhase(id, SETTLE);
        Unit storage u = _unit(id, unit, UnitState.REVEALED);
        _requireChecks(j, columns, labels);
        if (keccak256(answers) != u.answers) revert WrongAnswers(keccak256(answers), u.answers);
        uint256 wrong = Assignment.wrong(_seed(id), unit, _rows(j), answers, columns, labels);
        if (wrong > j.allowed) revert ChecksFailed(unit, wrong, j.allowed);
        u.state = UnitState.PASSED;
        j.passed++;
        emit Passed(id, unit);
    }

    /// Shows that a check is false: the job's model gives item `row` of the checks' column number `place` another class. Half of the
    /// requester's bond is the caller's, and every revealed unit is paid.
    function contest(
        uint256 id,
        uint256 place,
        uint256 row,
        bytes calldata input,
        bytes32[] calldata path,
        uint256 class_,
        bytes calldata evidence,
        bytes calldata columns,
        bytes calldata labels
    ) external {
        Job storage j = _inPhase(id, SETTLE);
        if (address(j.prediction) == address(0)) revert NoModel(id);
        if (j.contested) revert AlreadyContested(id);
        _requireChecks(j, columns, labels);
        if (place >= columns.length || row >= _rows(j)) revert WrongColumn(place);
        uint256 item = uint8(columns[place]) * _rows(j) + row;
        bytes32 root = Samples.climb(Samples.leaf(item, 0, input), item, j.items, path);
        if (input.length != j.inputBytes || root != j.dataRoot) revert WrongItem(root, j.dataRoot);
        uint256 label = Assignment.nibble(labels, place * _rows(j) + row);
        if (class_ == label) revert CheckIsRight(item, label);
        if (!j.prediction.holds(j.model, input, class_, evidence)) revert NotShown(j.model, class_);
        j.contested = true;
        _slash(bytes32(id), msg.sender, j.bond);
        emit Contested(id, msg.sender, item);
    }

    /// Pays a unit what it gets. Anybody may send this.
    function collect(uint256 id, uint256 unit) external {
        Job storage j = _existing(id);
        j.schedule.requirePhase(DONE);
        Unit storage u = _units[id][unit];
        UnitState state = u.state;
        if (state == UnitState.NONE || state == UnitState.COLLECTED) revert NothingToCollect(id, unit);
        u.state = UnitState.COLLECTED;
        (uint256 paid, uint256 burned) = _payOf(j, state);
        if (state < UnitState.REVEALED && j.drawn) _slash(bytes32(id), j.requester, j.stake);
        _free(bytes32(id), u.worker, paid);
        if (burned != 0) _burn(bytes32(id), burned);
        emit Collected(id, unit, paid);
    }

    /// Gives the requester what its units did not earn, and its bond if it kept its part. Anybody may send this.
    function reclaim(uint256 id) external {
        Job storage j = _inPhase(id, DONE);
        if (j.reclaimed) revert AlreadyReclaimed(id);
        j.reclaimed = true;
        uint256 paid = uint256(j.reward) * (j.units - j.revealed);
        Verdict v = verdict(id);
        uint256 burned = 0;
        if (v == Verdict.FALSE_CHECKS) burned = 0; // whoever contested has half of the bond, the other half is burned already
        else if (v == Verdict.JUDGED || j.revealed == 0) paid += j.bond;
        else if (v == Verdict.UNOPENED) burned = j.bond % j.revealed; // what does not divide by units is nobody's
        else if (v == Verdict.VOID) burned = j.bond;
        _free(bytes32(id), j.requester, paid);
        if (burned != 0) _burn(bytes32(id), burned);
        emit Reclaimed(id, paid);
    }

    /// How a job ended, or would end if it were DONE now.
    function verdict(uint256 id) public view returns (Verdict) {
        return _verdictOf(_existing(id));
    }

    /// Number of the item that a unit has of a column.
    function itemOf(uint256 id, uint256 unit, uint256 column) external view returns (uint256) {
        uint256 rows = _rows(_existing(id));
        return column * rows + Assignment.row(_seed(id), unit, rows, column);
    }

    function jobAt(uint256 id) external view returns (Job memory) {
        return _existing(id);
    }

    function unitAt(uint256 id, uint256 unit) external view returns (Unit memory) {
        return _units[id][unit];
    }

    function phaseOf(uint256 id) external view returns (uint256) {
        return _existing(id).schedule.phase();
    }

    /// When phases end, seconds since 1970.
    function deadlineOf(uint256 id, uint256 phase) external view returns (uint256) {
        return _existing(id).schedule.deadline(phase);
    }

    /// The seal of a requester's checks.
    function checksSeal(address requester, bytes calldata columns, bytes calldata labels, bytes32 salt) external view returns (bytes32) {
        return keccak256(abi.encode(CHECKS, block.chainid, address(this), requester, columns, labels, salt));
    }

    function _verdictOf(Job storage j) private view returns (Verdict) {
        if (j.checksHash == 0) return Verdict.UNOPENED;
        if (j.contested) return Verdict.FALSE_CHECKS;
        if (address(j.prediction) == address(0) && 3 * uint256(j.revealed - j.passed) > j.revealed) return Verdict.VOID;
        return Verdict.JUDGED;
    }

    /// What a unit in this state is paid, and what of its money is burned; slashed stakes are neither.
    function _payOf(Job storage j, UnitState state) private view returns (uint256 paid, uint256 burned) {
        if (state < UnitState.REVEALED) return (j.drawn ? 0 : j.stake, 0);
        uint256 all = uint256(j.stake) + j.reward;
        Verdict v = _verdictOf(j);
        if (v == Verdict.UNOPENED) return (all + j.bond / j.revealed, 0);
        if (v == Verdict.FALSE_CHECKS || state == UnitState.PASSED) return (all, 0);
        if (v == Verdict.VOID) return (j.stake, j.reward);
        return (0, all);
    }

    function _requireClosed(uint256 id) internal view override {
        Job storage j = _existing(id);
        uint256 phase = j.schedule.phase();
        if (phase == JOIN && j.joined < j.units) revert JoiningOpen(id);
        if (phase > COMMIT) revert TooLateToDraw(id);
    }

    function _requireTerms(Terms calldata t, uint256 items) private view {
        uint256 rows = t.replication == 0 ? 0 : t.units / t.replication;
        bool even = rows != 0 && t.units <= MOST_UNITS && t.units % t.replication == 0 && items % rows == 0;
        if (!even || t.checks == 0 || t.checks > items / rows || t.allowed >= t.checks) revert WrongTerms(items, t.units, t.checks);
        if (t.stake < leastStake || t.reward == 0) revert StakeTooSmall(t.stake, t.reward, leastStake);
        uint256 least = t.stake > t.reward ? t.stake : t.reward;
        if (t.bond < least) revert BondTooSmall(t.bond, least);
        if (t.deadlines.length != DONE) revert WrongLength(t.deadlines.length, DONE);
    }

    function _requireChecks(Job storage j, bytes calldata columns, bytes calldata labels) private view {
        bytes32 found = keccak256(abi.encode(columns, labels));
        if (found != j.checksHash) revert WrongChecks(found, j.checksHash);
    }

    function _existing(uint256 id) private view returns (Job storage j) {
        j = _jobs[id];
        if (j.requester == address(0)) revert NoSuchJob(id);
    }

    function _inPhase(uint256 id, uint256 phase) private view returns (Job storage j) {
        j = _existing(id);
        j.schedule.requirePhase(phase);
    }

    function _unit(uint256 id, uint256 unit, UnitState expected) private view returns (Unit storage u) {
        u = _units[id][unit];
        if (u.state != expected) revert WrongState(unit, u.state, expected);
    }

    /// Units of one copy of the items, which is items of one column.
    function _rows(Job storage j) private view returns (uint256) {
        return j.units / j.replication;
    }

    /// Items of one unit.
    function _columns(Job storage j) private view returns (uint256) {
        return j.items / _rows(j);
    }
}
