// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

// Made by `python -m zkpredict.contracts.verifier.generate` from TestSets.sol.template. Do not edit.

import {ITestSets} from "./ITestSets.sol";

/// Registers test sets (docs/batches.md, section 10). It serves all circuits, has no owner, and keeps nothing but the sets: whoever
/// registers one gains no right over it.
///
/// With m = the inputs in a polynomial and x_b the polynomial whose coefficients are the bytes of input b, a set's points are [T_c],
///
///     T_c(X) = sum over j < m of X^j x_(m c + j)(X^m)                                       zeros in the place of inputs to spare
///
/// That they are is checked by one opening, where u and y are drawn from the set and all its bytes: the commitment sum_c u^c [T_c] opens
/// at y to what the bytes give there. With z = y^m, n bytes in an input,
///
///     sum_c u^c T_c(y) = z^(n - 1) sum_j y^j V_j,    V_j = sum_c u^c (input m c + j by Horner's rule at 1/z, first byte first)
///
/// All arithmetic is modulo R, the order of BLS12-381's groups.
contract TestSets is ITestSets {
    /// Largest number of bytes in an input: coefficients of a polynomial.
    uint256 public constant MOST_INPUT_BYTES = 4096;
    uint256 private constant POINT_BYTES = 96;
    uint256 private constant STRIDE = 160;
    /// A point, compressed.
    uint256 private constant OPENING_BYTES = 48;
    /// What lies before the labels in a set's data.
    uint256 private constant HEAD_BYTES = 41;
    uint256 private constant MOST_CODE = 24_576;
    /// zkpredict registered set v1
    uint256 private constant SET_LABEL = 0x7a6b707265646963742072656769737465726564207365742076310000000000;
    uint256 private constant SET_LABEL_BYTES = 27;
    /// zkpredict registered inputs v1
    uint256 private constant INPUTS_LABEL = 0x7a6b70726564696374207265676973746572656420696e707574732076310000;
    uint256 private constant INPUTS_LABEL_BYTES = 30;

    /// Order of the groups.
    uint256 private constant R = 0x73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001;
    /// More than twice what the precompile costs for a point under Prague rules: wrong points must not burn all gas.
    uint256 private constant MSM_POINT_GAS = 30_000;

    // Memory: one word for each value; what is as long as a set says lies behind MSM.
    uint256 private constant STATE = 0x80;
    uint256 private constant ORDER = 0x140;
    uint256 private constant COUNT = 0x160;
    uint256 private constant INPUT_BYTES = 0x180;
    uint256 private constant PER_POINT = 0x1a0;
    uint256 private constant POINTS = 0x1c0;
    uint256 private constant IMAGES_AT = 0x1e0;
    uint256 private constant LABELS_AT = 0x200;
    uint256 private constant POINTS_AT = 0x220;
    uint256 private constant OPENING_AT = 0x240;
    uint256 private constant VALUES = 0x260;
    uint256 private constant BUFFER = 0x280;
    uint256 private constant INPUTS_HASH = 0x2a0;
    uint256 private constant INPUT_START = 0x2c0;
    uint256 private constant INPUT = 0x2e0;
    uint256 private constant U = 0x300;
    uint256 private constant ZETA = 0x320;
    uint256 private constant VALUE = 0x340;
    uint256 private constant LIFT = 0x360;
    uint256 private constant INVERSE = 0x380;
    uint256 private constant INVERSE_2 = 0x3a0;
    uint256 private constant INVERSE_4 = 0x3c0;
    uint256 private constant INVERSE_8 = 0x3e0;
    uint256 private constant INVERSE_16 = 0x400;
    uint256 private constant INVERSE_32 = 0x420;
    uint256 private constant SUM = 0x440;
    uint256 private constant MSM = 0x4c0;

    mapping(bytes32 setId => address) public dataOf;

    function register(uint32 inputBytes, bytes calldata images, bytes calldata labels, bytes calldata points, bytes calldata opening)
        external
        returns (bytes32 setId)
    {
        uint256 count = labels.length / 2;
        if (inputBytes == 0 || inputBytes > MOST_INPUT_BYTES) revert WrongInputBytes(inputBytes);
        if (count == 0 || labels.length != 2 * count) revert WrongLabelsLength(labels.length);
        if (images.length != count * inputBytes) revert WrongImagesLength(images.length);
        uint256 perPoint = inputsPerPoint(inputBytes);
        if (points.length != (count + perPoint - 1) / perPoint * POINT_BYTES) revert WrongPointsLength(points.length);
        if (opening.length != OPENING_BYTES) revert WrongOpeningLength(opening.length);
        if (HEAD_BYTES + labels.length + points.length > MOST_CODE) revert SetTooLarge(HEAD_BYTES + labels.length + points.length);
        assembly {
            mstore(ORDER, R)
            mstore(COUNT, count)
            mstore(INPUT_BYTES, inputBytes)
            mstore(PER_POINT, perPoint)
            mstore(POINTS, div(points.length, POINT_BYTES))
            mstore(IMAGES_AT, images.offset)
            mstore(LABELS_AT, labels.offset)
            mstore(POINTS_AT, points.offset)
            mstore(OPENING_AT, opening.offset)
        }
        return _register(inputBytes, count);
    }

    /// Checks and stores the set whose numbers and places are in memory.
    function _register(uint32 inputBytes, uint256 count) private returns (bytes32 setId) {
        uint256 infinite = _copyPoints();
        if (infinite != 0) revert PointAtInfinity(infinite - 1);
        setId = _identify();
        if (dataOf[setId] != address(0)) revert AlreadyRegistered(setId);
        if (!_draw(setId)) revert PrecompileFailed(address(0x05));
        _evaluate();
        if (!_multiply()) revert PrecompileFailed(address(0x0c));
        if (!_opens()) revert OpeningFailed();
        address data = _store();
        if (data == address(0)) revert RegistrationFailed();
        dataOf[setId] = data;
        emit SetRegistered(setId, msg.sender, inputBytes, count);
    }

    /// How many inputs of `inputBytes` bytes (1 to MOST_INPUT_BYTES) share a polynomial: a power of two, at most 64.
    function inputsPerPoint(uint256 inputBytes) public pure returns (uint256 perPoint) {
        perPoint = 1;
        while (perPoint < 64 && 2 * perPoint * inputBytes <= 4096) perPoint *= 2;
    }

    /// The set's points into the multi-scalar multiplication, each 0^16 | x | 0^16 | y | scalar. 0, or 1 + index of one at infinity.
    function _copyPoints() private pure returns (uint256 infinite) {
        // VALUES, the words V_j, lie behind those terms, and BUFFER behind them; infinite = 1 + i for the last point with x == 0
        assembly {
            let from := mload(POINTS_AT)
            let end := add(MSM, mul(mload(POINTS), STRIDE))
            for { let to := MSM } lt(to, end) { to := add(to, STRIDE) } {
                calldatacopy(add(to, 16), from, 48)
                calldatacopy(add(to, 80), add(from, 48), 48)
                from := add(from, POINT_BYTES)
                if iszero(or(mload(to), mload(add(to, 32)))) { infinite := div(sub(from, mload(POINTS_AT)), POINT_BYTES) }
            }
            mstore(VALUES, end)
            mstore(BUFFER, add(end, shl(5, mload(PER_POINT))))
        }
    }

    /// keccak256(SET_LABEL | count | bytes of an input | keccak256(labels) | points, 128 bytes each).
    function _identify() private pure returns (bytes32 setId) {
        assembly {
            let buffer := mload(BUFFER)
            let size := shl(1, mload(COUNT))
            calldatacopy(buffer, mload(LABELS_AT), size)
            let labels := keccak256(buffer, size)
            mstore(buffer, SET_LABEL)
            let to := add(buffer, SET_LABEL_BYTES)
            mstore(to, or(shl(224, mload(COUNT)), shl(192, mload(INPUT_BYTES))))
            mstore(add(to, 8), labels)
            to := add(to, 40)
            for { let from := MSM } lt(from, mload(VALUES)) { from := add(from, STRIDE) } {
                mcopy(to, from, 128)
                to := add(to, 128)
            }
            setId := keccak256(buffer, sub(to, buffer))
        }
    }

    /// Challenges from the set and its bytes, the powers of 1/z that the inputs' loop needs, and z^(n - 1).
    function _draw(bytes32 setId) private view returns (bool done) {
        // state = keccak(INPUTS_LABEL | setId | images); u = state mod R; y = keccak(state | 01) mod R; z = y^m
        // INVERSE = 1/z by the modular exponentiation precompile (EIP-198); LIFT = z^(n - 1)
        assembly {
            let r := mload(ORDER)
            let buffer := mload(BUFFER)
            let size := mul(mload(COUNT), mload(INPUT_BYTES))
            mstore(buffer, INPUTS_LABEL)
            mstore(add(buffer, INPUTS_LABEL_BYTES), setId)
            calldatacopy(add(buffer, add(32, INPUTS_LABEL_BYTES)), mload(IMAGES_AT), size)
            let state := keccak256(buffer, add(size, add(32, INPUTS_LABEL_BYTES)))
            mstore(INPUTS_HASH, state)
            mstore(U, mod(state, r))
            mstore(0x00, state)
            mstore8(0x20, 1)
            let power := mod(keccak256(0x00, 33), r)
            mstore(ZETA, power)
            for { let m := mload(PER_POINT) } gt(m, 1) { m := shr(1, m) } { power := mulmod(power, power, r) }
            mstore(STATE, 32)
            mstore(add(STATE, 32), 32)
            mstore(add(STATE, 64), 32)
            mstore(add(STATE, 96), power)
            mstore(add(STATE, 128), sub(r, 2))
            mstore(add(STATE, 160), r)
            done := staticcall(gas(), 0x05, STATE, 192, INVERSE, 32)
            done := and(done, eq(returndatasize(), 32))
            let lift := 1
            for { let left := sub(mload(INPUT_BYTES), 1) } left { left := shr(1, left) } {
                if and(left, 1) { lift := mulmod(lift, power, r) }
                power := mulmod(power, power, r)
            }
            mstore(LIFT, lift)
            power := mload(INVERSE)
            for { let place := INVERSE } lt(place, INVERSE_32) { } {
                power := mulmod(power, power, r)
                place := add(place, 32)
                mstore(place, power)
            }
        }
    }

    /// The scalars u^c of the points, all V_j, and VALUE = z^(n - 1) sum_j y^j V_j.
    function _evaluate() private pure {
        uint256 count;
        uint256 perPoint;
        uint256 inputBytes;
        assembly {
            count := mload(COUNT)
            perPoint := mload(PER_POINT)
            inputBytes := mload(INPUT_BYTES)
            mstore(INPUT_START, mload(IMAGES_AT))
        }
        uint256 weight = 1;
        uint256 term = MSM;
        for (uint256 b = 0; b < count; ) {
            _evaluateInput();
            // V_(b mod m) += u^(b div m) input; the next input starts behind this one
            assembly {
                let r := mload(ORDER)
                let place := and(b, sub(perPoint, 1))
                if iszero(place) {
                    if b { weight := mulmod(weight, mload(U), r) }
                    mstore(add(term, 128), weight)
                    term := add(term, STRIDE)
                }
                place := add(mload(VALUES), shl(5, place))
                mstore(place, addmod(mload(place), mulmod(weight, mload(INPUT), r), r))
                mstore(INPUT_START, add(mload(INPUT_START), inputBytes))
                b := add(b, 1)
            }
        }
        assembly {
            let r := mload(ORDER)
            let value := 0
            for { let place := add(mload(VALUES), shl(5, perPoint)) } gt(place, mload(VALUES)) { } {
                place := sub(place, 32)
                value := addmod(mulmod(value, mload(ZETA), r), mload(place), r)
            }
            mstore(VALUE, mulmod(value, mload(LIFT), r))
        }
    }

    /// The input at INPUT_START by Horner's rule at 1/z: two bytes a step, and zero bytes skipped by 8 and by 32.
    function _evaluateInput() private pure {
        // for pixel in input: pixels = pixels / z + pixel
        assembly {
            let r := mload(ORDER)
            let rho := mload(INVERSE)
            let rho2 := mload(INVERSE_2)
            let pixels := 0
            let rho8 := mload(INVERSE_8)
            let rho32 := mload(INVERSE_32)
            let rho24 := mulmod(rho8, mload(INVERSE_16), r)
            let last := add(mload(INPUT_START), mload(INPUT_BYTES))
            let next := add(mload(INPUT_START), add(1, and(sub(mload(INPUT_BYTES), 1), 31)))
            let word := shr(mul(8, sub(add(mload(INPUT_START), 32), next)), calldataload(mload(INPUT_START)))
            for { } 1 { next := add(next, 32) } {
                pixels := mulmod(pixels, rho32, r)
                if word {
                    if shr(192, word) { pixels := addmod(pixels, mulmod(rho24, add(add(mulmod(byte(6, word), rho, r), byte(7, word)), mulmod(rho2, add(add(mulmod(byte(4, word), rho, r), byte(5, word)), mulmod(rho2, add(add(mulmod(byte(2, word), rho, r), byte(3, word)), mulmod(rho2, add(mulmod(byte(0, word), rho, r), byte(1, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff00000000000000000000000000000000) { pixels := addmod(pixels, mulmod(mload(INVERSE_16), add(add(mulmod(byte(14, word), rho, r), byte(15, word)), mulmod(rho2, add(add(mulmod(byte(12, word), rho, r), byte(13, word)), mulmod(rho2, add(add(mulmod(byte(10, word), rho, r), byte(11, word)), mulmod(rho2, add(mulmod(byte(8, word), rho, r), byte(9, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff0000000000000000) { pixels := addmod(pixels, mulmod(rho8, add(add(mulmod(byte(22, word), rho, r), byte(23, word)), mulmod(rho2, add(add(mulmod(byte(20, word), rho, r), byte(21, word)), mulmod(rho2, add(add(mulmod(byte(18, word), rho, r), byte(19, word)), mulmod(rho2, add(mulmod(byte(16, word), rho, r), byte(17, word)), r)), r)), r)), r), r) }
                    if and(word, 0xffffffffffffffff) { pixels := addmod(pixels, add(add(mulmod(byte(30, word), rho, r), byte(31, word)), mulmod(rho2, add(add(mulmod(byte(28, word), rho, r), byte(29, word)), mulmod(rho2, add(add(mulmod(byte(26, word), rho, r), byte(27, word)), mulmod(rho2, add(mulmod(byte(24, word), rho, r), byte(25, word)), r)), r)), r)), r) }
                }
                if eq(next, last) { break }
                word := calldataload(next)
            }
            mstore(INPUT, pixels)
        }
    }

    /// sum of scalar * point into SUM. The precompile (EIP-2537) refuses coordinates >= p and points off the curve or outside the subgroup.
    function _multiply() private view returns (bool done) {
        // SUM = sum_i scalar_i point_i; done = the call succeeds and returns one point
        assembly {
            done := staticcall(mul(MSM_POINT_GAS, mload(POINTS)), 0x0c, MSM, mul(mload(POINTS), STRIDE), SUM, 128)
            done := and(done, eq(returndatasize(), 128))
        }
    }

    /// Twice what the precompile costs: a false proof must not burn all gas, a dearer precompile must not stop us.
    uint256 private constant FINAL_GAS = 100_000;
    uint256 private constant HALF_P_HIGH = 0x0d0088f51cbff34d258dd3db21a5d66b;
    uint256 private constant HALF_P_LOW = 0xb23ba5c279c2895fb39869507b587b120f55ffff58a9ffffdcff7fffffffd555;

    /// Whether SUM, as a commitment, opens to VALUE at zeta with the proof's last point: precompile 0x0a (EIP-4844).
    function _opens() private view returns (bool holds) {
        // commitment = x with the flags "compressed" and "y > (p - 1) / 2"; versioned hash = 0x01 | sha256(commitment)[1:]
        // holds = point_evaluation(versioned hash | zeta | value | commitment | final)
        assembly {
            let y := mload(add(SUM, 64))
            let sign := or(gt(y, HALF_P_HIGH), and(eq(y, HALF_P_HIGH), gt(mload(add(SUM, 96)), HALF_P_LOW)))
            let x := or(mload(SUM), or(shl(127, 1), shl(125, sign)))
            mstore(add(STATE, 96), shl(128, x))
            mstore(add(STATE, 112), mload(add(SUM, 32)))
            calldatacopy(add(STATE, 144), mload(OPENING_AT), 48)
            holds := staticcall(gas(), 0x02, add(STATE, 96), 48, 0x00, 32)
            holds := and(holds, eq(returndatasize(), 32))
            mstore(STATE, or(shl(248, 1), shr(8, shl(8, mload(0x00)))))
            mstore(add(STATE, 32), mload(ZETA))
            mstore(add(STATE, 64), mod(mload(VALUE), mload(ORDER)))
            holds := and(holds, staticcall(FINAL_GAS, 0x0a, STATE, 192, 0x00, 64))
            holds := and(holds, eq(returndatasize(), 64))
        }
    }

    /// The set's data as the code of a new contract; zero when there is none.
    function _store() private returns (address data) {
        // PUSH2 length, DUP1, PUSH1 10, PUSH0, CODECOPY, PUSH0, RETURN: returns what follows it as code
        // 00 | bytes of an input | count | INPUTS_HASH | labels | points
        assembly {
            let buffer := mload(BUFFER)
            let labels := shl(1, mload(COUNT))
            let points := mul(mload(POINTS), POINT_BYTES)
            let length := add(HEAD_BYTES, add(labels, points))
            mstore(buffer, or(shl(248, 0x61), or(shl(232, length), shl(176, 0x80600a5f395ff3))))
            mstore(add(buffer, 11), or(shl(224, mload(INPUT_BYTES)), shl(192, mload(COUNT))))
            mstore(add(buffer, 19), mload(INPUTS_HASH))
            calldatacopy(add(buffer, 51), mload(LABELS_AT), labels)
            calldatacopy(add(add(buffer, 51), labels), mload(POINTS_AT), points)
            data := create(0, buffer, add(10, length))
        }
    }
}
