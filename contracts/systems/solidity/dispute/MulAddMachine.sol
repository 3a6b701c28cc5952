// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {IMachine} from "./IMachine.sol";
import {Programs} from "./Programs.sol";
import {WordTree} from "./WordTree.sol";

/// Loops of multiply-adds over three Merkle regions; machine.py is the twin, program.py says what a program means.
/// A step's nest and addresses follow from its number. The state is keccak256(rootData | rootWeights | rootScratch).
/// Values are int256 on the way and must fit the cell they are written to: a step that does not fit has no result.
contract MulAddMachine is IMachine {
    using Programs for Programs.Header;

    uint256 private constant ZERO = 0;
    uint256 private constant LOAD = 1;
    uint256 private constant MAC = 2;
    uint256 private constant RELU = 3;
    uint256 private constant MASK = 4;
    uint256 private constant ERROR = 5;
    uint256 private constant UPDATE = 6;
    uint256 private constant QUANTISE = 7;
    uint256 private constant SEED = 8;

    /// Where a step is: its nest's header word and number, its place in the nest, its repeat, its indices.
    struct Place {
        uint256 nest;
        uint256 number;
        uint256 offset;
        uint256 repeat;
        uint256 i0;
        uint256 i1;
        uint256 i2;
    }

    /// One operand's cell: word `index` of `region`, `width` bytes from byte `offset` on.
    struct Cell {
        uint256 region;
        uint256 index;
        uint256 offset;
        uint256 width;
        bool signed;
    }

    /// @inheritdoc IMachine
    function steps(address program) external view returns (uint256) {
        return Programs.header(Programs.read(program)).steps();
    }

    /// @inheritdoc IMachine
    function step(
        address program,
        bytes32 seed,
        uint256 t,
        bytes32 pre,
        Step calldata shown,
        bytes32[] calldata a,
        bytes32[] calldata b,
        bytes32[] calldata c
    ) external view returns (bytes32) {
        bytes32 state = keccak256(abi.encode(shown.roots));
        if (state != pre) revert WrongState(state, pre);
        bytes memory code = Programs.read(program);
        Programs.Header memory header = Programs.header(code);
        Place memory place = _locate(code, header, t);
        (, int256 x) = _read(code, header, place, seed, 0, shown, shown.a, a);
        (, int256 y) = _read(code, header, place, seed, 1, shown, shown.b, b);
        (Cell memory cell, int256 z) = _read(code, header, place, seed, 2, shown, shown.c, c);
        bytes32[3] memory roots = shown.roots;
        roots[cell.region] = WordTree.rootFrom(cell.index, _put(cell, shown.c, _operate(place, seed, x, y, z)), c);
        return keccak256(abi.encode(roots));
    }

    /// Nest and indices of step `t`: division by the body's steps, the last nest that starts no later, mixed radix.
    function _locate(bytes memory code, Programs.Header memory header, uint256 t) private pure returns (Place memory place) {
        if (t >= header.steps()) revert StepOutside(t, header.steps());
        uint256 first = 0;
        uint256 number = header.prologue();
        if (t >= header.prologueSteps()) {
            t -= header.prologueSteps();
            (place.repeat, t) = (t / header.bodySteps(), t % header.bodySteps());
            (first, number) = (number, number + header.body());
        }
        unchecked {
            // A nest's header word: first step 6 bytes, operation 1, shift 1, counts 3 of 4, limit 6, margin 6.
            do place.nest = Programs.word(code, 2 + 4 * --number);
            while (place.nest >> 208 > t && number > first);
            place.number = number;
            t -= place.nest >> 208;
            place.offset = t;
            uint256 n1 = uint32(place.nest >> 128);
            uint256 n2 = uint32(place.nest >> 96);
            place.i2 = n2 == 0 ? 0 : t % n2;
            t = n2 == 0 ? 0 : t / n2;
            place.i1 = n1 == 0 ? 0 : t % n1;
            place.i0 = n1 == 0 ? 0 : t / n1;
        }
    }

    /// The cell of operand 0 (a), 1 (b) or 2 (c), and its value in `word`, which `path` shows to be in the state; zeros if there is none.
    function _read(
        bytes memory code,
        Programs.Header memory header,
        Place memory place,
        bytes32 seed,
        uint256 operand,
        Step calldata shown,
        bytes32 word,
        bytes32[] calldata path
    ) private pure returns (Cell memory cell, int256 value) {
        uint256 kind = Programs.word(code, 3 + 4 * place.number + operand);
        if ((kind >> 253) & 1 == 0) {
            if (operand == 2) revert NoTarget(place.number);
            return (cell, 0);
        }
        cell.region = (kind >> 248) & 3;
        cell.width = 1 << ((kind >> 250) & 3);
        cell.signed = (kind >> 252) & 1 == 1;
        uint256 depth = header.depth(cell.region);
        int256 start = _address(header, place, seed, kind);
        if (start < 0 || uint256(start) + cell.width > 32 << depth || uint256(start) % cell.width != 0) {
            revert AddressOutside(operand, start, 32 << depth);
        }
        (cell.index, cell.offset) = (uint256(start) >> 5, uint256(start) & 31);
        if (path.length != depth) revert WrongPath(operand, path.length, depth);
        bytes32 root = WordTree.rootFrom(cell.index, word, path);
        if (root != shown.roots[cell.region]) revert WrongRoot(operand, root, shown.roots[cell.region]);
        uint256 bits = 8 * cell.width;
        // The cell's bits at the top of the word, then down again, with their sign if they have one.
        uint256 top = uint256(word) << (8 * cell.offset);
        value = cell.signed ? int256(top) >> (256 - bits) : int256(top >> (256 - bits));
    }

    /// base + outer * repeat + strides * indices + sample * order(repeat * batch + i0). Operand words: kind 1 byte, base 4, outer 4,
    /// strides 3 of 4, sample 4. No sum of seven such products wraps an int256.
    function _address(Programs.Header memory header, Place memory place, bytes32 seed, uint256 kind) private pure returns (int256 start) {
        unchecked {
            start = int256(uint256(uint32(kind >> 216))) + int256(int32(uint32(kind >> 184))) * int256(place.repeat);
            start += int256(int32(uint32(kind >> 152))) * int256(place.i0) + int256(int32(uint32(kind >> 120))) * int256(place.i1);
            start += int256(int32(uint32(kind >> 88))) * int256(place.i2);
            uint256 sample = uint32(kind >> 56);
            if (sample != 0) start += int256(sample * _sample(seed, header.samples(), place.repeat * header.batch() + place.i0));
        }
    }

    /// The sample at `place` of the course: epoch e visits (alpha i + beta) mod samples, alpha coprime to samples, both from the seed.
    function _sample(bytes32 seed, uint256 samples, uint256 place) private pure returns (uint256 sample) {
        (uint256 epoch, uint256 i) = (place / samples, place % samples);
        uint256 beta = uint256(keccak256(abi.encode(seed, epoch))) % samples;
        for (uint256 j = 0;; j++) {
            uint256 alpha = uint256(keccak256(abi.encode(seed, epoch, j))) % samples;
            (uint256 x, uint256 y) = (alpha, samples);
            while (x != 0) (x, y) = (y % x, x);
            if (y == 1) return (alpha * i + beta) % samples;
        }
    }

    /// What the step writes, from the values of a, b and c.
    function _operate(Place memory place, bytes32 seed, int256 a, int256 b, int256 c) private pure returns (int256) {
        uint256 operation = uint8(place.nest >> 200);
        uint256 shift = uint8(place.nest >> 192);
        int256 limit = int256(uint256(uint48(place.nest >> 48)));
        unchecked {
            // Cells have at most 64 bits: nothing here wraps an int256.
            if (operation == MAC) return c + a * b;
            if (operation == LOAD) return a;
            if (operation == RELU) return a > 0 ? a >> shift : int256(0);
            if (operation == MASK) return a > 0 ? b : int256(0);
            if (operation == QUANTISE) return _clamp(_round(a, shift), limit);
            int256 margin = int256(uint256(uint48(place.nest)));
            if (operation == UPDATE) {
                // after every `margin` repeats it moves half as far
                if (margin != 0) shift += place.repeat / uint256(margin);
                return _clamp(c - _round(b, shift), limit);
            }
            if (operation == ERROR) {
                bool right = b == int256(place.i1);
                int256 e = right ? a - margin : a + margin;
                return _clamp(_round(right == (e > 0) ? int256(0) : e, shift), limit);
            }
            if (operation == SEED) {
                uint256 word = uint256(keccak256(abi.encode(seed, place.offset >> 4)));
                return int256(int16(uint16(word >> (240 - 16 * (place.offset & 15))))) * margin >> shift;
            }
        }
        if (operation == ZERO) return 0;
        revert UnknownOperation(operation);
    }

    function _round(int256 value, uint256 shift) private pure returns (int256) {
        unchecked {
            return shift == 0 ? value : (value + int256(1 << (shift - 1))) >> shift;
        }
    }

    function _clamp(int256 value, int256 limit) private pure returns (int256) {
        unchecked {
            return value > limit ? limit : value < -limit ? -limit : value;
        }
    }

    /// `word` with `value` in the cell. Reverts when the cell cannot hold it.
    function _put(Cell memory cell, bytes32 word, int256 value) private pure returns (bytes32) {
        uint256 bits = 8 * cell.width;
        int256 high = int256(1 << (cell.signed ? bits - 1 : bits)) - 1;
        if (value > high || value < (cell.signed ? -high - 1 : int256(0))) revert ValueOutside(value, cell.width);
        uint256 mask = (1 << bits) - 1;
        uint256 up = 256 - bits - 8 * cell.offset;
        return bytes32((uint256(word) & ~(mask << up)) | ((uint256(value) & mask) << up));
    }
}
