// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DataStore} from "../blocks/DataStore.sol";

/// What a verifier has: it knows models by the same ids.
interface IRegister {
    function register(bytes calldata rows) external returns (bytes32 modelId);
}

/// Private models whose rows are kept once and shared: a model is the commitments of its weight rows, and a new one can be derived of
/// an old one by adding points to a few of them. Everybody sees which rows changed; a point with a fresh secret hides by what.
///
/// A model is one data contract: for each row 21 bytes, the contract that holds it (0 for this one) and its place there; then the rows
/// that are new, 96 bytes each. Its id is keccak256(context | rows), the verifiers' own.
/// Invariants: a model never changes; every row is in the subgroup and not at infinity; a derived model's rows are those of its parent
/// but for the listed ones, which are the parent's plus the given points. Nobody has a right over a model.
contract RowRegistry {
    event Registered(bytes32 indexed model, address indexed by);
    event Derived(bytes32 indexed model, bytes32 indexed from, bytes changed);

    error WrongRowsLength(uint256 found, uint256 expected);
    error WrongRow(uint256 place);
    error NoSuchModel(bytes32 model);
    error AlreadyRegistered(bytes32 model);
    error PointAtInfinity(uint256 place);
    error PrecompileFailed(address precompile);
    error AnotherModel(bytes32 found, bytes32 expected);

    uint256 private constant ROW = 96;
    uint256 private constant ENTRY = 21;
    address private constant ADD = address(0x0b);
    address private constant MSM = address(0x0c);

    /// keccak256("zkpredict model v1" | circuit digest), and the number of rows that the circuit has.
    bytes32 public immutable context;
    uint256 public immutable count;
    mapping(bytes32 model => address) public holderOf;

    constructor(bytes32 context_, uint256 count_) {
        (context, count) = (context_, count_);
    }

    /// Keeps a model, all rows of it.
    function register(bytes calldata rows) external returns (bytes32 model) {
        if (rows.length != count * ROW) revert WrongRowsLength(rows.length, count * ROW);
        _requirePoints(rows);
        bytes memory table = new bytes(count * ENTRY);
        for (uint256 i = 0; i < count; i++) table[i * ENTRY + 20] = bytes1(uint8(i));
        model = keccak256(bytes.concat(context, rows));
        _keep(model, bytes.concat(table, rows));
        emit Registered(model, msg.sender);
    }

    /// Keeps the model whose rows are those of `from`, with `points` added to the ones that `changed` lists, ascending, a byte each.
    function derive(bytes32 from, bytes calldata changed, bytes calldata points) external returns (bytes32 model) {
        if (changed.length == 0 || points.length != changed.length * ROW) revert WrongRowsLength(points.length, changed.length * ROW);
        _requirePoints(points);
        bytes memory rows = rowsOf(from);
        bytes memory table = _tableOf(from);
        bytes memory fresh = new bytes(points.length);
        for (uint256 k = 0; k < changed.length; k++) {
            uint256 i = uint8(changed[k]);
            if (i >= count || (k != 0 && changed[k] <= changed[k - 1])) revert WrongRow(k);
            _sum(rows, i, points[k * ROW:(k + 1) * ROW], k);
            _copy(rows, i * ROW, fresh, k * ROW);
            for (uint256 b = 0; b < 20; b++) table[i * ENTRY + b] = 0;
            table[i * ENTRY + 20] = bytes1(uint8(k));
        }
        model = keccak256(bytes.concat(context, rows));
        _keep(model, bytes.concat(table, fresh));
        emit Derived(model, from, changed);
    }

    /// Tells a verifier of the model, so that proofs about it are taken there.
    function registerIn(IRegister verifier, bytes32 model) external {
        bytes32 found = verifier.register(rowsOf(model));
        if (found != model) revert AnotherModel(found, model);
    }

    /// The rows of a model: uncompressed points, 96 bytes each.
    function rowsOf(bytes32 model) public view returns (bytes memory rows) {
        return _rowsAt(_existing(model));
    }

    /// The model that lies in a data contract of this registry.
    function modelAt(address holder) external view returns (bytes32 model) {
        model = keccak256(bytes.concat(context, _rowsAt(holder)));
        if (_existing(model) != holder) revert NoSuchModel(model);
    }

    /// How many rows of two models differ.
    function differing(bytes32 one, bytes32 other) external view returns (uint256 found) {
        (bytes memory a, bytes memory b) = (rowsOf(one), rowsOf(other));
        for (uint256 i = 0; i < count; i++) if (keccak256(_slice(a, i * ROW)) != keccak256(_slice(b, i * ROW))) found++;
    }

    function _rowsAt(address own) private view returns (bytes memory rows) {
        bytes memory table = _head(own);
        rows = new bytes(count * ROW);
        uint256 start = 1 + count * ENTRY;
        for (uint256 i = 0; i < count; i++) {
            uint256 entry = _entry(table, i);
            address holder = address(uint160(entry >> 8));
            if (holder == address(0)) holder = own;
            uint256 from = start + ROW * uint8(entry);
            // Plain equivalent: rows[96 * i:][:96] = holder.code[from:][:96];
            assembly ("memory-safe") {
                extcodecopy(holder, add(add(rows, 32), mul(96, i)), from, 96)
            }
        }
    }

    /// A model's table, with its own address where it says "here".
    function _tableOf(bytes32 model) private view returns (bytes memory table) {
        address own = _existing(model);
        table = _head(own);
        for (uint256 i = 0; i < count; i++) {
            uint256 entry = _entry(table, i);
            if (entry >> 8 == 0) entry |= uint256(uint160(own)) << 8;
            // Plain equivalent: table[21 * i:][:20] = own; the byte behind stays
            uint256 offset = ENTRY * i;
            assembly ("memory-safe") {
                let place := add(add(table, 32), offset)
                mstore(place, or(shl(88, entry), shr(168, shl(168, mload(place)))))
            }
        }
    }

    function _head(address holder) private view returns (bytes memory table) {
        table = new bytes(count * ENTRY);
        uint256 size = table.length;
        // Plain equivalent: table = holder.code[1:][:size];
        assembly ("memory-safe") {
            extcodecopy(holder, add(table, 32), 1, size)
        }
    }

    function _entry(bytes memory table, uint256 i) private pure returns (uint256 entry) {
        uint256 offset = ENTRY * i;
        // Plain equivalent: entry = uint168(bytes21(table[21 * i:][:21]));
        assembly ("memory-safe") {
            entry := shr(88, mload(add(add(table, 32), offset)))
        }
    }

    /// rows[i] += point
    function _sum(bytes memory rows, uint256 i, bytes calldata point, uint256 place) private view {
        bytes memory both = bytes.concat(_padded(_slice(rows, i * ROW)), _padded(point));
        (bool success, bytes memory sum) = ADD.staticcall(both);
        if (!success || sum.length != 128) revert PrecompileFailed(ADD);
        if (keccak256(sum) == keccak256(new bytes(128))) revert PointAtInfinity(place);
        bytes memory bare = new bytes(ROW);
        // Plain equivalent: bare = sum[16:64] | sum[80:128];
        assembly ("memory-safe") {
            mcopy(add(bare, 32), add(sum, 48), 48)
            mcopy(add(bare, 80), add(sum, 112), 48)
        }
        _copy(bare, 0, rows, i * ROW);
    }

    /// EIP-2537: 0x0c fails for a coordinate >= p and for a point that is not on the curve or not in the subgroup.
    function _requirePoints(bytes calldata points) private view {
        bytes memory input;
        for (uint256 k = 0; k * ROW < points.length; k++) {
            bytes calldata point = points[k * ROW:(k + 1) * ROW];
            if (keccak256(point) == keccak256(new bytes(ROW))) revert PointAtInfinity(k);
            input = bytes.concat(input, _padded(point), bytes32(uint256(1)));
        }
        (bool success, bytes memory sum) = MSM.staticcall(input);
        if (!success || sum.length != 128) revert PrecompileFailed(MSM);
    }

    /// A point as the precompiles take it: 64 bytes a coordinate.
    function _padded(bytes memory point) private pure returns (bytes memory padded) {
        padded = new bytes(128);
        // Plain equivalent: padded = 0^16 | point[:48] | 0^16 | point[48:];
        assembly ("memory-safe") {
            mcopy(add(padded, 48), add(point, 32), 48)
            mcopy(add(padded, 112), add(point, 80), 48)
        }
    }

    function _slice(bytes memory data, uint256 from) private pure returns (bytes memory row) {
        row = new bytes(ROW);
        _copy(data, from, row, 0);
    }

    function _copy(bytes memory source, uint256 from, bytes memory target, uint256 to) private pure {
        // Plain equivalent: target[to:][:96] = source[from:][:96];
        assembly ("memory-safe") {
            mcopy(add(add(target, 32), to), add(add(source, 32), from), 96)
        }
    }

    function _existing(bytes32 model) private view returns (address holder) {
        holder = holderOf[model];
        if (holder == address(0)) revert NoSuchModel(model);
    }

    function _keep(bytes32 model, bytes memory data) private {
        if (holderOf[model] != address(0)) revert AlreadyRegistered(model);
        holderOf[model] = DataStore.write(data);
    }
}
