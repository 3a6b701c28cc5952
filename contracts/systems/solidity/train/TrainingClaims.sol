// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Beacon} from "../blocks/Beacon.sol";
import {Samples} from "../blocks/Samples.sol";
import {Claims} from "../dispute/Claims.sol";
import {IMachine} from "../dispute/IMachine.sol";
import {Programs} from "../dispute/Programs.sol";
import {WordTree} from "../dispute/WordTree.sol";

/// "These weights are what recipe R makes of data D from seed s": a bonded claim that anybody can dispute, down to one multiply-add.
///
/// The recipe is a program of the machine, the data a range of parts that were published as calldata, the seed a beacon's, drawn after
/// both are fixed: it orders the samples and makes the first weights. So everything a trainer could choose is chosen before the draw,
/// and the run has one result. A proof of process, not of goodness: what bad data teaches is learnt faithfully.
contract TrainingClaims is Claims, Beacon {
    using Programs for Programs.Header;

    /// Samples in a part.
    uint256 public constant PART = 64;
    uint256 public constant MOST_PARTS = 256;
    uint256 private constant PART_DEPTH = 6;

    /// A recipe and the data it is for.
    struct Run {
        address program;
        bytes32 dataRoot;
    }

    /// What a claim says.
    struct Training {
        uint256 run;
        bytes32 weightsRoot;
    }

    event Published(address indexed publisher, uint256 indexed inputBytes, uint256 part, bytes32 root);
    event Opened(uint256 indexed run, address program, address publisher, uint256 first, uint256 count, bytes32 dataRoot);
    event TrainingClaimed(uint256 indexed claim, uint256 indexed run, bytes32 weightsRoot);

    error WrongPartCount(uint256 samples, uint256 expected);
    error UnknownPart(uint256 part, uint256 parts);
    error TooManyParts(uint256 got, uint256 most);
    error WrongSampleCount(uint256 program, uint256 data);
    error WrongDataDepth(uint256 program, uint256 data);
    error RunExists(uint256 run);
    error UnknownRun(uint256 run);

    mapping(uint256 run => Run) public runs;
    mapping(address publisher => mapping(uint256 inputBytes => bytes32[])) private _parts;
    mapping(uint256 claim => Training) private _trainings;

    constructor(
        IMachine machine_,
        uint40 window_,
        uint40 minWindow,
        uint24 allowance_,
        uint24 increment_,
        uint256 priceCap_,
        uint256 drawDelay_
    ) Claims(machine_, window_, minWindow, allowance_, increment_, priceCap_) Beacon(drawDelay_) {}

    /// Anybody: adds a part of 64 samples to its own list, each its label and then its input. Nothing is ever taken out, and what is in
    /// it is in this call's data.
    function publish(bytes calldata data, uint256 inputBytes) external returns (uint256 part) {
        (bytes32 root, uint256 count) = Samples.partRoot(data, inputBytes);
        if (count != PART) revert WrongPartCount(count, PART);
        bytes32[] storage list = _parts[msg.sender][inputBytes];
        part = list.length;
        list.push(root);
        emit Published(msg.sender, inputBytes, part, root);
    }

    /// How many parts somebody published.
    function partsOf(address publisher, uint256 inputBytes) external view returns (uint256) {
        return _parts[publisher][inputBytes].length;
    }

    /// Anybody: fixes a recipe and `count` parts of a publisher, from `first` on. There is one run, so one seed, of each such choice.
    function open(address program, address publisher, uint256 first, uint256 count) external returns (uint256 run) {
        Programs.Header memory header = Programs.header(Programs.read(program));
        uint256 inputBytes = header.inputs();
        if (count > MOST_PARTS) revert TooManyParts(count, MOST_PARTS);
        if (header.samples() != count * PART) revert WrongSampleCount(header.samples(), count * PART);
        uint256 partDepth = PART_DEPTH + Samples.depth(1 + (inputBytes + 31) / 32);
        uint256 depth = Samples.depth(count);
        if (header.depth(0) != partDepth + depth) revert WrongDataDepth(header.depth(0), partDepth + depth);
        run = runId(program.codehash, publisher, first, count);
        if (runs[run].program != address(0)) revert RunExists(run);
        bytes32 root = _dataRoot(_parts[publisher][inputBytes], first, count, depth, partDepth);
        runs[run] = Run(program, root);
        emit Opened(run, program, publisher, first, count, root);
    }

    /// The name of a run.
    function runId(bytes32 programHash, address publisher, uint256 first, uint256 count) public pure returns (uint256) {
        return uint256(keccak256(abi.encode(programHash, publisher, first, count)));
    }

    /// Anybody: claims that the run ends with these weights and this scratch. `delegate` may move for the asserter. What is sent is the
    /// claim's bond.
    function claimTraining(uint256 run, bytes32 weightsRoot, bytes32 scratchRoot, uint256 k, address delegate)
        external
        payable
        returns (uint256 claim)
    {
        Run memory r = runs[run];
        if (r.program == address(0)) revert UnknownRun(run);
        bytes32 seed = _seed(run);
        Programs.Header memory header = Programs.header(Programs.read(r.program));
        bytes32 start = keccak256(abi.encode(r.dataRoot, WordTree.zeroRoot(header.depth(1)), WordTree.zeroRoot(header.depth(2))));
        claim = _assert(r.program, seed, start, keccak256(abi.encode(r.dataRoot, weightsRoot, scratchRoot)), k, delegate);
        _trainings[claim] = Training(run, weightsRoot);
        emit TrainingClaimed(claim, run, weightsRoot);
    }

    /// What a claim says, and whether nobody can refute it any more.
    function training(uint256 claim) external view returns (uint256 run, bytes32 weightsRoot, bool final_) {
        Training storage t = _trainings[claim];
        return (t.run, t.weightsRoot, isFinal(claim));
    }

    /// Whether a claim shows for good that the run ends with these weights: the root of a model that `PredictionClaims` registers.
    function isTrained(uint256 claim, uint256 run, bytes32 weightsRoot) external view returns (bool) {
        Training storage t = _trainings[claim];
        return isFinal(claim) && t.run == run && t.weightsRoot == weightsRoot;
    }

    /// @inheritdoc Beacon
    function _requireClosed(uint256 id) internal view override {
        if (runs[id].program == address(0)) revert UnknownRun(id);
    }

    /// The root over the parts, filled up with zero samples to a power of two.
    function _dataRoot(bytes32[] storage list, uint256 first, uint256 count, uint256 depth, uint256 partDepth)
        private
        view
        returns (bytes32)
    {
        bytes32[] memory roots = new bytes32[](1 << depth);
        bytes32 empty = WordTree.zeroRoot(partDepth);
        for (uint256 i = 0; i < roots.length; i++) {
            if (i < count && first + i >= list.length) revert UnknownPart(first + i, list.length);
            roots[i] = i < count ? list[first + i] : empty;
        }
        return WordTree.rootOf(abi.encodePacked(roots), depth);
    }
}
