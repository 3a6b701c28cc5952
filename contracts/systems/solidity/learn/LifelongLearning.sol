// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Beacon} from "../blocks/Beacon.sol";
import {DataStore} from "../blocks/DataStore.sol";
import {Sample} from "../blocks/Samples.sol";
import {Schedule, Schedules} from "../blocks/Schedule.sol";
import {Seal} from "../blocks/Seal.sol";
import {TestSet} from "../blocks/TestSet.sol";
import {ModelVersions} from "../models/ModelVersions.sol";
import {Badges} from "./Badges.sol";
import {GrowingNetwork, Stage} from "./GrowingNetwork.sol";
import {Learned} from "./Learned.sol";
import {Terms, TestParts} from "./TestParts.sol";

/// A network that strangers improve epoch by epoch, each time on a part of the test that was drawn after their weights were sealed.
///
/// A claim lists the losses of the standing network and of the sealed one on that part, sample by sample; one run of the network
/// refutes a false one. The largest gain that is published, unrefuted and not objected to becomes the network of its stage. When the
/// loss is at most the threshold the network grows by a stage: what it has is frozen for ever (`GrowingNetwork`).
///
/// Invariants: the initiator has no right after `start` but to open its parts; every phase ends by time and every end is open to
/// anybody; a stake comes back unless its owner never claimed, was refuted, or claimed most and did not publish.
contract LifelongLearning is TestParts {
    using Seal for Seal.Book;

    event Started();
    event Aborted();
    event Committed(uint256 epoch, address who, uint256 stake);
    event Claimed(uint256 epoch, address who, uint256 standing, uint256 own, bytes losses);
    event Published(uint256 epoch, address who, address weights);
    event Refuted(uint256 epoch, address who, uint256 place, address by);
    event Objected(uint256 epoch, address who, address by, uint256 points);
    event EpochWon(uint256 epoch, address who, address weights, uint256 loss);
    event EpochIdle(uint256 epoch, bool missing);
    event Grown(uint256 stage);
    event ProgramClosed();

    error TooEarly(uint256 now_, uint256 from);
    error ProbeOpened();
    error StakeTooSmall(uint256 sent, uint256 least);
    error PartMissing(uint256 part);
    error WrongLossesLength(uint256 found, uint256 expected);
    error NotBetter(uint256 standing, uint256 own, uint256 delta);
    error NotClaimed(address who);
    error NotPublished(address who);
    error AlreadyPublished(address who);
    error WrongWeights(bytes32 found, bytes32 expected);
    error WrongLosses(bytes32 found, bytes32 expected);
    error LossStands(uint256 place, uint256 loss);
    error WrongSample(bytes32 found, bytes32 expected);
    error NoPoints(address who);
    error ObjectedBefore(address who, address by);
    error CandidateRefuted(address who);
    error ObjectedTo(uint256 points, uint256 all);
    error NotMore(uint256 gain, uint256 best);
    error EpochOpen(uint256 epoch);
    error NothingToCollect(uint256 epoch, address who);

    struct Epoch {
        Schedule schedule;
        uint32 commits;
        uint8 part;
        uint8 result; // 0 open, 1 no winner, 2 a part was missing, 3 won
        address best;
        uint64 gain;
        uint128 improvers; // stakes of all published, unrefuted gains
    }

    struct Candidate {
        uint128 stake;
        uint64 own;
        uint64 gain;
        bytes32 weightsHash;
        bytes32 losses;
        address published;
        bool refuted;
        uint128 objections;
    }

    bytes32 public constant WEIGHTS = keccak256("zkpredict weights");
    uint256 public constant POINTS = 1000;
    bytes32 private constant _PRIZE = "prize";

    address public immutable initiator;
    Badges public immutable badges;
    /// The standing network, and every one before it as a version.
    Learned public immutable learned;
    uint256 public epoch;
    uint256 public stage;
    /// Loss of the standing network on the part that it won on.
    uint256 public loss;
    uint256 public wins;
    uint256 private _idle;
    uint256 private _rests;
    Seal.Book private _seals;
    mapping(uint256 epoch => Epoch) public epochs;
    mapping(uint256 epoch => mapping(address who => Candidate)) public candidates;
    mapping(address who => uint256) public points;
    mapping(uint256 epoch => bool) private _restPaid;
    mapping(uint256 epoch => mapping(address who => mapping(address by => bool))) private _objected;

    /// `first` is the data contract of the first stage's weights. Versions are kept in `versions_`.
    constructor(Terms memory t, Stage[] memory stages_, address[] memory testers, address first, uint256 drawDelay_, ModelVersions versions_)
        Beacon(drawDelay_)
        TestParts(t, stages_, testers)
    {
        (initiator, badges, learned) = (msg.sender, new Badges(), new Learned(network, versions_, first));
    }

    /// Adds to the prize, while parts are sealed.
    function fund() external payable {
        if (state != State.SEALED || block.timestamp >= sealBy) revert WrongState(state, State.SEALED);
        _hold(_PRIZE);
    }

    /// Begins the first epoch once all that the probe drew is opened.
    function start() external {
        if (state != State.SEALED) revert WrongState(state, State.SEALED);
        uint256 mask = probed();
        for (uint256 i = 0; i < allParts(); i++) if (mask >> i & 1 == 1 && !_allOpened(i)) revert PartMissing(i);
        (state, used) = (State.LIVE, mask);
        emit Started();
        _begin(false);
    }

    /// Ends a program whose parts were not all sealed, drawn or opened in time. What the probe drew and nobody opened loses its bond.
    function abort() external {
        if (state != State.SEALED) revert WrongState(state, State.SEALED);
        bool sealed_ = sealedParts == allParts() * _testers.length;
        uint256 from = sealed_ ? probeBy : sealBy;
        if (block.timestamp < from) revert TooEarly(block.timestamp, from);
        (, bytes32 seed) = drawn(0);
        bool all = seed != 0;
        if (all) {
            uint256 mask = probed();
            for (uint256 i = 0; i < allParts(); i++) if (mask >> i & 1 == 1 && !_lose(i, "abort")) all = false;
            if (all) revert ProbeOpened();
        }
        state = State.ABORTED;
        _free("abort", msg.sender, held["abort"]);
        _free(_PRIZE, initiator, held[_PRIZE]);
        emit Aborted();
    }

    /// Seals the hash of weights, for a stake that also is the weight of its points.
    function commit(bytes32 seal) external payable {
        Epoch storage e = _at(0);
        if (msg.value < _terms.stake) revert StakeTooSmall(msg.value, _terms.stake);
        _seals.commit(epoch, seal);
        _hold(_stakeOf(epoch, msg.sender));
        candidates[epoch][msg.sender].stake = uint128(msg.value);
        e.commits++;
        emit Committed(epoch, msg.sender, msg.value);
    }

    /// Opens the caller's seal and claims losses, a uint32 a sample, tester after tester: of the standing network, then of the sealed one.
    function claim(bytes32 weightsHash, bytes32 salt, bytes calldata losses) external payable {
        _at(2);
        uint256 part = drawnPart();
        if (!_allOpened(part)) revert PartMissing(part);
        _exactly(_terms.bond);
        _seals.open(WEIGHTS, epoch, msg.sender, keccak256(abi.encode(weightsHash)), salt);
        Candidate storage c = candidates[epoch][msg.sender];
        (uint256 standing, uint256 own) = _sums(losses);
        if (standing < own + _terms.delta) revert NotBetter(standing, own, _terms.delta);
        _hold(_stakeOf(epoch, msg.sender));
        (c.own, c.gain, c.weightsHash, c.losses) = (uint64(own), uint64(standing - own), weightsHash, keccak256(losses));
        emit Claimed(epoch, msg.sender, standing, own, losses);
    }

    /// Shows the weights that the caller claimed about.
    function publish(bytes calldata weights) external {
        Epoch storage e = _at(3);
        Candidate storage c = candidates[epoch][msg.sender];
        if (c.gain == 0) revert NotClaimed(msg.sender);
        if (c.published != address(0)) revert AlreadyPublished(msg.sender);
        if (keccak256(weights) != c.weightsHash) revert WrongWeights(keccak256(weights), c.weightsHash);
        uint256 expected = network.bytesOf(stage);
        if (weights.length != expected) revert GrowingNetwork.WrongBlock(weights.length, expected);
        c.published = DataStore.write(weights);
        if (!c.refuted) e.improvers += c.stake;
        emit Published(epoch, msg.sender, c.published);
    }

    /// Shows that a loss in a claim is false, of the standing network or of the published one: stake and bond are slashed.
    function refute(address who, bytes calldata losses, bool ofStanding, Sample calldata s) external {
        Epoch storage e = _at(4);
        Candidate storage c = candidates[epoch][who];
        if (c.gain == 0) revert NotClaimed(who);
        if (c.refuted) revert CandidateRefuted(who);
        if (!ofStanding && c.published == address(0)) revert NotPublished(who);
        if (keccak256(losses) != c.losses) revert WrongLosses(keccak256(losses), c.losses);
        uint256 place = _place(s);
        uint256 said = _lossAt(losses, place + (ofStanding ? 0 : losses.length / 8));
        uint256 found = learned.lossOf(ofStanding ? address(0) : c.published, stage, s.input, s.label);
        if (said == found) revert LossStands(place, found);
        c.refuted = true;
        if (c.published != address(0)) e.improvers -= c.stake;
        bytes32 purpose = _stakeOf(epoch, who);
        _slash(purpose, msg.sender, held[purpose]);
        emit Refuted(epoch, who, place, msg.sender);
    }

    /// Objects to a published network, with all points of the caller. More than half of all points stop it; they take no money.
    function object(address who) external {
        _at(4);
        Candidate storage c = candidates[epoch][who];
        if (c.published == address(0)) revert NotPublished(who);
        if (points[msg.sender] == 0) revert NoPoints(msg.sender);
        if (_objected[epoch][who][msg.sender]) revert ObjectedBefore(who, msg.sender);
        _objected[epoch][who][msg.sender] = true;
        c.objections += uint128(points[msg.sender]);
        emit Objected(epoch, who, msg.sender, points[msg.sender]);
    }

    /// Puts a published, unrefuted gain forward as the largest.
    function present(address who) external {
        Epoch storage e = _at(5);
        Candidate storage next = candidates[epoch][who];
        if (next.published == address(0)) revert NotPublished(who);
        if (next.refuted) revert CandidateRefuted(who);
        if (2 * next.objections > wins * POINTS) revert ObjectedTo(next.objections, wins * POINTS);
        if (next.gain <= e.gain) revert NotMore(next.gain, e.gain);
        (e.best, e.gain) = (who, next.gain);
    }

    /// Ends the epoch: when its time is over, when nobody committed, or when its part was not opened.
    function settle() external {
        if (state != State.LIVE) revert WrongState(state, State.LIVE);
        Epoch storage e = epochs[epoch];
        uint256 phase = e.schedule.phase();
        if (phase == 0 || (phase == 1 && e.commits != 0)) revert TooEarly(block.timestamp, e.schedule.deadline(phase));
        (, bytes32 seed) = drawn(epoch + 1);
        bool missing = false;
        if (seed != 0) {
            uint256 part = drawnPart();
            (used, e.part) = (used | 1 << part, uint8(part));
            missing = !_lose(part, _poolOf(epoch));
        }
        if (seed != 0 && !missing && phase < 6) revert TooEarly(block.timestamp, e.schedule.deadline(5));
        if (e.best != address(0)) _win(e);
        else (e.result, _idle) = (missing || seed == 0 ? 2 : 1, _idle + 1);
        if (e.result != 3) emit EpochIdle(epoch, missing);
        epoch++;
        _begin(_idle == 2);
    }

    /// Credits what is an account's from an epoch that is over, and gives its points and badges. Anybody may send this.
    function collect(uint256 number, address who) external {
        Epoch storage e = epochs[number];
        if (e.result == 0) revert EpochOpen(number);
        Candidate storage c = candidates[number][who];
        if (c.stake == 0) revert NothingToCollect(number, who);
        bytes32 purpose = _stakeOf(number, who);
        uint256 stake = c.stake;
        uint256 amount = held[purpose];
        c.stake = 0;
        if (e.result == 2) _free(_poolOf(number), who, held[_poolOf(number)] / e.commits--);
        bool silent = e.result != 2 && c.gain == 0;
        bool bluff = c.gain > e.gain && c.published == address(0);
        if (silent || bluff) _burn(purpose, amount / 2);
        _free(purpose, who, held[purpose]);
        if (c.published == address(0) || c.refuted) return;
        points[who] += e.result == 3 ? POINTS * stake / e.improvers : 0;
        badges.award(number, false, who);
    }

    /// Credits the winner of an epoch its equal share of what no epoch paid out, once the program is closed.
    function collectRest(uint256 number) external {
        if (state != State.CLOSED) revert WrongState(state, State.CLOSED);
        Epoch storage e = epochs[number];
        if (e.result != 3 || _restPaid[number]) revert NothingToCollect(number, e.best);
        _restPaid[number] = true;
        _free(_PRIZE, e.best, held[_PRIZE] / _rests--);
    }

    /// The number of the part that this epoch's draw named.
    function drawnPart() public view returns (uint256) {
        uint256 from = stage * _terms.parts;
        return _pick(uint256(_seed(epoch + 1)), used, from, from + _terms.parts);
    }

    function _begin(bool tired) private {
        uint256 from = stage * _terms.parts;
        if (tired || epoch == _terms.epochs || _undrawn(used, from, from + _terms.parts) == 0) {
            state = State.CLOSED;
            closeBy = uint40(block.timestamp + _terms.window);
            _rests = wins;
            if (wins == 0) _free(_PRIZE, initiator, held[_PRIZE]);
            emit ProgramClosed();
            return;
        }
        uint40[] memory deadlines = new uint40[](6);
        for (uint256 i = 0; i < 6; i++) deadlines[i] = uint40(block.timestamp + (i + 1) * _terms.window);
        epochs[epoch].schedule = Schedules.make(deadlines, _terms.window);
    }

    function _win(Epoch storage e) private {
        Candidate storage c = candidates[epoch][e.best];
        e.result = 3;
        (wins, _idle, loss) = (wins + 1, 0, c.own);
        learned.win(stage, c.published);
        _free(_PRIZE, e.best, held[_PRIZE] / (_terms.epochs - epoch));
        badges.award(epoch, true, e.best);
        emit EpochWon(epoch, e.best, c.published, c.own);
        if (loss <= _terms.threshold && stage + 1 < _stages) emit Grown(++stage);
    }

    /// The epoch, in this phase and no other.
    function _at(uint256 expected) private view returns (Epoch storage e) {
        if (state != State.LIVE) revert WrongState(state, State.LIVE);
        e = epochs[epoch];
        e.schedule.requirePhase(expected);
    }

    function _isDue(uint256 number) internal view override returns (bool) {
        if (state == State.SEALED) return block.timestamp < probeBy && probed() >> number & 1 == 1;
        if (state == State.LIVE) return epochs[epoch].schedule.phase() == 1 && number == drawnPart();
        return state == State.CLOSED && block.timestamp < closeBy;
    }

    function _requireClosed(uint256 id) internal view override {
        if (id == 0) {
            if (state != State.SEALED) revert WrongState(state, State.SEALED);
            if (block.timestamp < sealBy || sealedParts != allParts() * _testers.length) revert TooEarly(block.timestamp, sealBy);
            return;
        }
        if (id != epoch + 1) revert EpochOpen(id);
        _at(1);
    }

    function _sums(bytes calldata losses) private view returns (uint256 standing, uint256 own) {
        uint256 count = _terms.perPart * _testers.length;
        if (losses.length != 8 * count) revert WrongLossesLength(losses.length, 8 * count);
        for (uint256 i = 0; i < count; i++) (standing, own) = (standing + _lossAt(losses, i), own + _lossAt(losses, count + i));
    }

    function _lossAt(bytes calldata losses, uint256 place) private pure returns (uint256) {
        return uint32(bytes4(losses[4 * place:]));
    }

    /// A sample's place among the losses; its `part` is the number of its tester.
    function _place(Sample calldata s) private view returns (uint256) {
        bytes32 expected = partOf[s.part][drawnPart()].root;
        if (s.part >= _testers.length) revert TestSet.UnknownPart(s.part);
        bytes32 found = reader.rootOf(s, _terms.inputBytes, _terms.perPart);
        if (found != expected) revert WrongSample(found, expected);
        return s.part * _terms.perPart + s.index;
    }

    function _stakeOf(uint256 number, address who) private pure returns (bytes32) {
        return keccak256(abi.encode("stake", number, who));
    }

    function _poolOf(uint256 number) private pure returns (bytes32) {
        return keccak256(abi.encode("pool", number));
    }
}
