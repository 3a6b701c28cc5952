// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Beacon} from "blocks/Beacon.sol";
import {DataLog} from "blocks/DataLog.sol";
import {DataStore} from "blocks/DataStore.sol";
import {Sample, Samples} from "blocks/Samples.sol";
import {Schedule, Schedules} from "blocks/Schedule.sol";
import {Seal} from "blocks/Seal.sol";
import {TestSet} from "blocks/TestSet.sol";
import {Vault} from "blocks/Vault.sol";
import {ITestSets} from "zkpredict/verifier/ITestSets.sol";
import {IPrediction} from "judge/IPrediction.sol";

/// Every internal function of the blocks, callable by anybody: for tests only.
contract VaultBench is Vault {
    function hold(bytes32 purpose, uint256 exactly) external payable {
        _exactly(exactly);
        _hold(purpose);
    }

    function move(bytes32 from, bytes32 to, uint256 amount) external {
        _move(from, to, amount);
    }

    function free(bytes32 purpose, address to, uint256 amount) external {
        _free(purpose, to, amount);
    }

    function slash(bytes32 purpose, address to, uint256 amount) external {
        _slash(purpose, to, amount);
    }

    function burn(bytes32 purpose, uint256 amount) external {
        _burn(purpose, amount);
    }
}

/// An account that takes no ether, or calls back into the vault when it gets some.
contract BadAccount {
    bool private immutable callsBack;

    constructor(bool callsBack_) {
        callsBack = callsBack_;
    }

    receive() external payable {
        if (!callsBack) revert("I take nothing");
        Vault(msg.sender).withdraw();
    }
}

contract SealBench {
    using Seal for Seal.Book;

    Seal.Book private _book;

    function commit(uint256 id, bytes32 seal) external {
        _book.commit(id, seal);
    }

    function open(bytes32 kind, uint256 id, address who, bytes calldata payload, bytes32 salt) external {
        _book.open(kind, id, who, keccak256(payload), salt);
    }
}

contract ScheduleBench {
    Schedule public schedule;

    function make(uint40[] memory deadlines, uint256 least) external {
        schedule = Schedules.make(deadlines, least);
    }

    function phase() external view returns (uint256) {
        return schedule.phase();
    }

    function requirePhase(uint256 expected) external view {
        schedule.requirePhase(expected);
    }

    function all() external view returns (uint256[] memory found) {
        found = new uint256[](schedule.count());
        for (uint256 i = 0; i < found.length; i++) found[i] = schedule.deadline(i);
    }
}

contract BeaconBench is Beacon {
    error StillOpen(uint256 id);

    mapping(uint256 id => bool) public closed;

    constructor(uint256 delay) Beacon(delay) {}

    function close(uint256 id) external {
        closed[id] = true;
    }

    function seed(uint256 id) external view returns (bytes32) {
        return _seed(id);
    }

    function _requireClosed(uint256 id) internal view override {
        if (!closed[id]) revert StillOpen(id);
    }
}

contract LogBench is DataLog {
    function append(bytes32[] calldata leaves) external {
        for (uint256 i = 0; i < leaves.length; i++) _append(leaves[i]);
    }
}

contract StoreBench {
    event Written(address holder);

    function write(bytes calldata data) external {
        emit Written(DataStore.write(data));
    }

    function read(address holder) external view returns (bytes memory) {
        return DataStore.read(holder);
    }
}

contract TestSetBench {
    using TestSet for TestSet.Set;

    TestSet.Set private _set;

    constructor(uint32 inputBytes) {
        _set.inputBytes = inputBytes;
    }

    function add(bytes calldata data) external {
        (bytes32 root, uint256 count) = Samples.partRoot(data, _set.inputBytes);
        _set.add(root, count, data);
    }

    function partRoot(bytes calldata data, uint256 inputBytes) external pure returns (bytes32, uint256) {
        return Samples.partRoot(data, inputBytes);
    }

    function seal(bytes32 root_, uint256 count, uint256 inputBytes, bytes32 salt) external pure returns (bytes32) {
        return Samples.partSeal(root_, count, inputBytes, salt);
    }

    function check(Sample calldata s) external view returns (uint256) {
        return _set.check(s);
    }

    function right(bytes calldata answers, bytes calldata labels) external view returns (uint256) {
        return _set.right(answers, labels);
    }

    function nibbleAt(uint256 part, uint256 index) external view returns (uint256, uint256) {
        return _set.nibbleAt(part, index);
    }

    function equalNibbles(uint256 a, uint256 b, uint256 count) external pure returns (uint256) {
        return TestSet.equalNibbles(a, b, count);
    }
}

/// A prediction whose answers are set by the test: what an input with a hash is, under a model.
contract SettablePrediction is IPrediction {
    mapping(bytes32 model => mapping(bytes32 inputHash => uint256)) private _classes;

    function set(bytes32 model, bytes calldata input, uint256 class_) external {
        _classes[model][keccak256(input)] = class_ + 1;
    }

    function holds(bytes32 model, bytes calldata input, uint256 class_, bytes calldata) external view returns (bool) {
        return _classes[model][keccak256(input)] == class_ + 1;
    }
}

/// A verifier of scores whose answers are set by the test: what classes a model gives a set. The registry is a real one.
contract SettableScores {
    error OpeningFailed();

    ITestSets public immutable TEST_SETS;
    mapping(bytes32 statement => bool) private _shown;

    constructor(ITestSets sets) {
        TEST_SETS = sets;
    }

    function set(bytes32 model, bytes32 setId, bytes calldata classes) external {
        _shown[keccak256(abi.encode(model, setId, classes))] = true;
    }

    function verifyScoreOrRevert(bytes32 model, bytes32 setId, uint256, bytes calldata classes, bytes calldata) external view {
        if (!_shown[keccak256(abi.encode(model, setId, classes))]) revert OpeningFailed();
    }
}

/// A predictor that says the first byte of its input, for open predictions.
contract FirstByte {
    function predict(bytes calldata image) external pure returns (uint256) {
        return uint8(image[0]);
    }
}

/// Claims as the test sets them, for disputed predictions.
contract SettableClaims {
    struct Claim {
        bytes32 model;
        bytes32 inputHash;
        uint256 class_;
        bool isFinal;
    }

    mapping(uint256 id => Claim) public prediction;

    function set(uint256 id, bytes32 model, bytes32 inputHash, uint256 class_, bool isFinal) external {
        prediction[id] = Claim(model, inputHash, class_, isFinal);
    }
}
