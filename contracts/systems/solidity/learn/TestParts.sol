// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Beacon} from "../blocks/Beacon.sol";
import {Samples} from "../blocks/Samples.sol";
import {Vault} from "../blocks/Vault.sol";
import {GrowingNetwork, Stage} from "./GrowingNetwork.sol";
import {Loss} from "./Losses.sol";
import {PartReader} from "./PartReader.sol";

/// How a program runs. `parts` are those of a tester and stage; amounts in wei, `window` in seconds.
struct Terms {
    uint32 inputBytes;
    uint16 perPart;
    uint8 parts;
    uint8 probe;
    uint8 epochs;
    uint8 shift;
    Loss loss;
    uint32 margin;
    uint40 window;
    uint64 threshold;
    uint64 delta;
    uint96 stake;
    uint96 bond;
    uint96 partBond;
}

/// The test of a program: every tester seals parts for every stage before there is anything to test, bonded; a draw names the
/// number of the ones that are opened, the same for all testers.
///
/// Invariants: a part's bond is its tester's again when the part is opened as sealed, and only then (or when a program that never
/// began ends); a part that had to be opened and was not loses it, half burned. A part's labels are classes of its stage.
abstract contract TestParts is Vault, Beacon {
    enum State { SEALED, LIVE, CLOSED, ABORTED }

    event PartSealed(uint256 tester, uint256 part, bytes32 seal);
    event PartOpened(uint256 tester, uint256 part, bytes32 root);
    event PartLost(uint256 tester, uint256 part);

    error NotTheTester(address sender, uint256 tester);
    error PartExists(uint256 tester, uint256 part);
    error PartOver(uint256 tester, uint256 part);
    error NoSuchPart(uint256 part, uint256 parts);
    error PartNotDue(uint256 tester, uint256 part);
    error PartBroken(bytes32 found, bytes32 expected);
    error WrongSampleCount(uint256 found, uint256 expected);
    error LabelOutOfRange(uint256 label, uint256 classes);
    error WrongState(State found, State expected);
    error BadTerms();

    struct Part {
        bytes32 seal;
        bytes32 root;
        bool over;
    }

    Terms internal _terms;
    uint256 internal immutable _stages;
    address[] internal _testers;
    State public state;
    /// Runs the network: `logits(weights, input)` of any weights of this program.
    GrowingNetwork public immutable network;
    PartReader internal immutable reader;
    /// Ends of the time to seal, and of the time to open what the probe drew.
    uint40 public immutable sealBy;
    uint40 public immutable probeBy;
    /// End of the time to open what is left, once closed.
    uint40 public closeBy;
    uint256 public sealedParts;
    /// Parts, by number, that were drawn.
    uint256 public used;
    mapping(uint256 tester => mapping(uint256 part => Part)) public partOf;

    constructor(Terms memory t, Stage[] memory stages, address[] memory testers) {
        uint256 all = uint256(t.parts) * stages.length;
        bool sized = t.perPart != 0 && t.perPart <= Samples.MOST && all != 0 && all <= 64 && t.probe < t.parts && testers.length != 0;
        if (!sized || t.inputBytes == 0 || testers.length > 4 || stages.length > 4 || t.epochs == 0 || t.shift > 31 || (t.loss == Loss.SOFTMAX && t.margin > 31)) revert BadTerms();
        if (t.delta == 0 || t.window == 0 || t.stake == 0 || t.bond == 0 || t.partBond == 0) revert BadTerms();
        for (uint256 s = 0; s < stages.length; s++) {
            if (stages[s].classes == 0 || stages[s].neurons == 0) revert BadTerms();
        }
        (_terms, _testers, _stages) = (t, testers, stages.length);
        reader = new PartReader();
        network = new GrowingNetwork(stages, t.inputBytes, t.shift, t.loss, t.margin);
        (sealBy, probeBy) = (uint40(block.timestamp + t.window), uint40(block.timestamp + 2 * uint256(t.window)));
    }

    /// Seals a tester's parts, from number `first` on, each for its bond.
    function sealParts(uint256 tester, uint256 first, bytes32[] calldata seals) external payable {
        if (state != State.SEALED || block.timestamp >= sealBy) revert WrongState(state, State.SEALED);
        if (tester >= _testers.length || msg.sender != _testers[tester]) revert NotTheTester(msg.sender, tester);
        _exactly(seals.length * _terms.partBond);
        _hold(_PARTS);
        for (uint256 i = 0; i < seals.length; i++) {
            if (first + i >= allParts()) revert NoSuchPart(first + i, allParts());
            Part storage part = partOf[tester][first + i];
            if (part.seal != 0 || seals[i] == 0) revert PartExists(tester, first + i);
            part.seal = seals[i];
            emit PartSealed(tester, first + i, seals[i]);
        }
        sealedParts += seals.length;
    }

    /// Opens a part that is due. Anybody who has its data and salt may; its bond is its tester's.
    function openPart(uint256 tester, uint256 number, bytes calldata data, bytes32 salt) external {
        Part storage part = partOf[tester][number];
        if (part.over || part.seal == 0) revert PartOver(tester, number);
        if (!_isDue(number)) revert PartNotDue(tester, number);
        (, uint256 classes) = network.sizesAt(number / _terms.parts);
        (bytes32 root, bytes32 found) = reader.read(data, _terms.inputBytes, _terms.perPart, classes, salt);
        if (found != part.seal) revert PartBroken(found, part.seal);
        (part.root, part.over) = (root, true);
        _free(_PARTS, _testers[tester], _terms.partBond);
        emit PartOpened(tester, number, root);
    }

    /// Ends a part that nobody opened after the program closed: half of its bond to the caller. After an abort all of it is its tester's.
    function expirePart(uint256 tester, uint256 number) external {
        Part storage part = partOf[tester][number];
        if (part.over || part.seal == 0) revert PartOver(tester, number);
        if (state == State.ABORTED) {
            part.over = true;
            _free(_PARTS, _testers[tester], _terms.partBond);
            return;
        }
        if (state != State.CLOSED) revert WrongState(state, State.CLOSED);
        if (block.timestamp < closeBy) revert PartNotDue(tester, number);
        part.over = true;
        _slash(_PARTS, msg.sender, _terms.partBond);
        emit PartLost(tester, number);
    }

    /// The parts that the probe drew, a bit for each number.
    function probed() public view returns (uint256 mask) {
        bytes32 seed = _seed(0);
        for (uint256 i = 0; i < _terms.probe; i++) mask |= 1 << _pick(uint256(keccak256(abi.encode(seed, i))), mask, 0, allParts());
    }

    function allParts() public view returns (uint256) {
        return _terms.parts * _stages;
    }

    function terms() external view returns (Terms memory, address[] memory) {
        return (_terms, _testers);
    }

    bytes32 internal constant _PARTS = "parts";

    /// Whether the part of this number has to be opened now.
    function _isDue(uint256 number) internal view virtual returns (bool);

    /// Ends every part of this number that was not opened: half of the bond to `pool`. Whether all were opened.
    function _lose(uint256 number, bytes32 pool) internal returns (bool all) {
        all = true;
        for (uint256 t = 0; t < _testers.length; t++) {
            Part storage part = partOf[t][number];
            if (part.over) continue;
            (part.over, all) = (true, false);
            uint256 half = _terms.partBond / 2;
            _move(_PARTS, pool, half);
            _burn(_PARTS, _terms.partBond - half);
            emit PartLost(t, number);
        }
    }

    function _allOpened(uint256 number) internal view returns (bool) {
        for (uint256 t = 0; t < _testers.length; t++) if (partOf[t][number].root == 0) return false;
        return true;
    }

    /// The `random`-th, modulo how many there are, of the numbers in [from, to) that are not in `mask`. There must be one.
    function _pick(uint256 random, uint256 mask, uint256 from, uint256 to) internal pure returns (uint256 number) {
        uint256 left = random % _undrawn(mask, from, to);
        for (number = from; left != 0 || mask >> number & 1 == 1; number++) if (mask >> number & 1 == 0) left--;
    }

    function _undrawn(uint256 mask, uint256 from, uint256 to) internal pure returns (uint256 count) {
        for (uint256 i = from; i < to; i++) if (mask >> i & 1 == 0) count++;
    }
}
