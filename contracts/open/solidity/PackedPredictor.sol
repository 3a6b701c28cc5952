// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedActivations} from "./PackedActivations.sol";

/// Runs a dense network in exact integers over weights kept as bytes in contract code.
///
/// Layer by layer: `z = W a + b`, hidden layers hand on `a = max(z, 0) >> shift` or another activation of `PackedActivations`,
/// the last `z` are the logits, and the prediction is the lowest index of the largest logit. Bit for bit the integer
/// reference of this project.
///
/// How weights lie in a word. A slot of `s` bytes holds `w + 2^(8s-1)`, never negative. A lane is four slots wide, so a word
/// has four interleaved groups of `8/s` lanes: group k is every fourth slot from slot k. Multiplied by an input, the slots
/// of one group grow into their lanes without touching each other. Per word and input `x` the sums kept are
///
///     t += x * word            r1 += x * (word & odd)            r2 += x * (word >> 2 slots & even)            r3 likewise, odd
///
/// where `even` selects group 0 and `odd` group 1, still shifted up by one slot. Group 0 is `t - r1 - ((r2 + r3) << 2 slots)`.
/// All of this is linear modulo 2^256, so only the final lanes must fit, and those bounds were proven over every byte image
/// when the layout was planned: |z| < 2^(32s-1), and |z| < 2^(24s-1) in the top lanes of groups 1 and 3, which lose a slot.
///
/// How the code of this contract ends: weight rows that fit, then the table `records, segments, biases, addresses, trailer`
/// that the planner (`zkpredict.contracts.open.packed`) describes field by field.
contract PackedPredictor is PackedActivations {
    error WrongImageSize(uint256 given, uint256 expected);

    /// The class of `image`, one byte a pixel.
    function predict(bytes calldata image) external view virtual returns (uint8 class) {
        (uint256 logit, uint256 end) = _run(image);
        // Plain equivalent:
        //     int256 best = logits[0];
        //     for (uint256 i = 1; i < logits.length; i++) if (logits[i] > best) (best, class) = (logits[i], uint8(i));
        assembly ("memory-safe") {
            let first := logit
            let best := mload(logit)
            for { let at := add(logit, 32) } lt(at, end) { at := add(at, 32) } {
                let value := mload(at)
                if sgt(value, best) {
                    best := value
                    logit := at
                }
            }
            class := shr(5, sub(logit, first))
        }
    }

    /// The network's last layer for `image`.
    function logits(bytes calldata image) external view virtual returns (int256[] memory values) {
        (uint256 start, uint256 end) = _run(image);
        values = new int256[]((end - start) / 32);
        // Plain equivalent: for (uint256 i = 0; i < values.length; i++) values[i] = logits[i];
        assembly ("memory-safe") {
            mcopy(add(values, 32), start, sub(end, start))
        }
    }

    /// Runs all layers; the logits are the words at `start` up to `end` in memory.
    function _run(bytes calldata image) internal view returns (uint256 start, uint256 end) {
        unchecked {
            // The last word of the code: bits 0-15 table bytes, 16-31 bytes of weights before the table, 32-47 layers,
            // 48-79 inputs, 80-95 offset of the segments in the table, 96-111 of the sums, 112-127 of the addresses.
            uint256 trailer;
            uint256 table;
            Run memory run;
            // Plain equivalent: bytes memory code = address(this).code; trailer = uint256(bytes32(code[code.length - 32:]));
            //     run.own = code.length - uint16(trailer); table = code[run.own:];
            assembly ("memory-safe") {
                codecopy(0, sub(codesize(), 32), 32)
                trailer := mload(0)
                table := mload(0x40)
                let tableSize := and(trailer, 0xffff)
                let place := sub(codesize(), tableSize)
                codecopy(table, place, tableSize)
                mstore(0x40, add(table, tableSize))
                mstore(add(run, 0x100), place)
            }
            run.size = image.length;
            if (run.size != uint32(trailer >> 48)) revert WrongImageSize(run.size, uint32(trailer >> 48));
            run.segment = table + uint16(trailer >> 80);
            run.sums = table + uint16(trailer >> 96);
            run.addresses = table + uint16(trailer >> 112);
            run.own -= uint16(trailer >> 16);
            Layer memory layer;
            _read(layer, table);
            // From here on memory is used from the free pointer up without moving it: nothing is allocated until the end.
            _load(run, image);
            if (layer.slot != 8 || layer.words & 1 == 1) _listPixels(run);
            _multiply(run, layer, true);
            for (uint256 left = uint16(trailer >> 32); left != 1; left--) {
                _activate(run, layer);
                table += 128;
                _read(layer, table);
                _multiply(run, layer, false);
            }
            (start, end) = (run.list, _outputs(run, layer));
            // Plain equivalent: what lies in memory below `end` is now in use.
            assembly ("memory-safe") {
                mstore(0x40, end)
            }
        }
    }

    /// Reads a layer's record of four words; fields of the first: bits 0-15 words a row, 16-39 inputs, 40-47 slot bits,
    /// 48-55 lanes in use, 56-63 shift, 64-87 outputs, 88-95 activation, 96-111 its delta, 112-127 its scale.
    function _read(Layer memory layer, uint256 record) internal pure {
        uint256 fields = _word(record);
        layer.words = uint16(fields);
        layer.inputs = uint24(fields >> 16);
        layer.slot = uint8(fields >> 40);
        layer.lanes = uint8(fields >> 48);
        layer.shift = uint8(fields >> 56);
        layer.outputs = uint24(fields >> 64);
        layer.activation = uint40(fields >> 88);
        layer.even = _word(record + 32);
        layer.mask = _word(record + 64);
        layer.lane = _word(record + 96);
    }

    /// Brings the image into memory and sums its bytes.
    function _load(Run memory run, bytes calldata image) internal pure {
        // Plain equivalent: run.image = image with zeros up to whole words; run.list = run.end = the memory behind it;
        //     for (uint256 j = 0; j < image.length; j++) run.total += uint8(image[j]);
        // A word's 32 bytes are added as 16 pairs, the pairs by the product with 1 + 2^16 + ... + 2^240 in its top 16 bits.
        assembly ("memory-safe") {
            let place := mload(0x40)
            let until := add(place, image.length)
            let behind := and(add(until, 31), not(31))
            mstore(sub(behind, 32), 0)
            calldatacopy(place, image.offset, image.length)
            let total := 0
            let pairs := 0x00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff00ff
            for { let pixel := place } lt(pixel, until) { pixel := add(pixel, 32) } {
                let word := mload(pixel)
                if word {
                    word := add(and(word, pairs), and(shr(8, word), pairs))
                    total := add(total, shr(240, mul(word, div(not(0), 0xffff))))
                }
            }
            mstore(run, place)
            mstore(add(run, 0x40), behind)
            mstore(add(run, 0x60), behind)
            mstore(add(run, 0x80), total)
        }
    }

    /// Lists the nonzero pixels of an image whose first layer does not take them word by word.
    function _listPixels(Run memory run) internal pure {
        uint256 image = run.image;
        uint256 size = run.size;
        uint256 end = run.list;
        // Plain equivalent: for (uint256 j = 0; j < size; j++) if (image[j] != 0) { list.push(image[j]); list.push(j); }
        // Behind the image's end its last word has zeros; a word is done when only zeros are left of it.
        assembly ("memory-safe") {
            for { let first := 0 } lt(first, size) { first := add(first, 32) } {
                let index := first
                for { let word := mload(add(image, first)) } word { word := shl(8, word) } {
                    let x := byte(0, word)
                    if x {
                        mstore(end, x)
                        mstore(add(end, 32), index)
                        end := add(end, 64)
                    }
                    index := add(index, 1)
                }
            }
        }
        run.end = end;
    }

    /// Adds the layer's weights times its inputs to its sums: one or two words of the rows at a time, and of those one
    /// segment of rows after another. The first layer takes two words of one-byte slots directly from the image.
    function _multiply(Run memory run, Layer memory layer, bool first) internal view {
        unchecked {
            for (uint256 words = layer.words; words != 0;) {
                uint256 take = words > 1 ? 2 : 1;
                uint256 entry = run.list;
                for (uint256 from = 0; from != layer.inputs;) {
                    // Segment: bits 0-15 place in its code, 16-31 number of its data contract or 0, 32-63 end row.
                    uint256 segment = _word(run.segment);
                    run.segment += 32;
                    uint256 to = uint32(segment >> 32);
                    if (first && take == 2 && layer.slot == 8) _multiplyPixels(run, segment, from, to);
                    else entry = _multiplyList(run, layer, segment, from, entry, take);
                    from = to;
                }
                run.sums += 128 * take;
                words -= take;
            }
        }
    }

    /// Rows [from, to) of two words times the pixels; `from` is a multiple of 32.
    function _multiplyPixels(Run memory run, uint256 segment, uint256 from, uint256 to) internal view {
        unchecked {
            uint256 pixel = run.image + from;
            uint256 until = run.image + ((to + 31) & ~uint256(31));
            while (pixel < until && _word(pixel) == 0) pixel += 32;
            while (pixel < until && _word(until - 32) == 0) until -= 32;
            if (pixel == until) return;
            uint256 last = until - run.image;
            if (last > to) last = to;
            _copy(run, segment, 64 * (pixel - run.image - from), 64 * (last + run.image - pixel));
            _pixels(pixel, until, run.end - 64 * pixel, run.sums);
        }
    }

    /// The rows from `from` on in one segment times the inputs listed for them, from `entry` on; the first entry behind them.
    function _multiplyList(Run memory run, Layer memory layer, uint256 segment, uint256 from, uint256 entry, uint256 take)
        internal
        view
        returns (uint256 until)
    {
        unchecked {
            uint256 to = uint32(segment >> 32);
            until = to == layer.inputs ? run.end : _bound(entry, run.end, to);
            if (entry == until) return until;
            uint256 first = _word(entry + 32);
            uint256 stride = 32 * take;
            _copy(run, segment, stride * (first - from), stride * (_word(until - 32) + 1 - first));
            uint256 base = run.end - stride * first;
            // The last word may hold at most 16 neurons: its upper two groups are empty.
            if (take == 1 && layer.slot == 8 && layer.outputs <= (4 * layer.words - 2) * layer.lanes) {
                _half(entry, until, base, run.sums);
            } else {
                _single(entry, until, base, stride, run.sums, layer.slot, layer.even);
                if (take == 2) _single(entry, until, base + 32, stride, run.sums + 128, layer.slot, layer.even);
            }
        }
    }

    /// The first list entry of [low, high) whose index is at least `key`: binary search over entries of 64 bytes.
    function _bound(uint256 low, uint256 high, uint256 key) internal pure returns (uint256) {
        unchecked {
            while (low < high) {
                uint256 middle = low + (((high - low) >> 1) & ~uint256(63));
                if (_word(middle + 32) < key) low = middle + 64;
                else high = middle;
            }
            return low;
        }
    }

    /// Copies `length` bytes of rows, `skip` bytes into a segment, to the end of the list.
    function _copy(Run memory run, uint256 segment, uint256 skip, uint256 length) internal view {
        uint256 to = run.end;
        uint256 holder = uint16(segment >> 16);
        unchecked {
            skip += uint16(segment);
            // Plain equivalent: memory[to:][:length] = code[skip:][:length], of this contract or of a data contract.
            // The deployer checked the code hash of every data contract, and their first byte STOP keeps them unchanged.
            if (holder == 0) {
                skip += run.own;
                assembly ("memory-safe") {
                    codecopy(to, skip, length)
                }
            } else {
                uint256 data = _word(run.addresses + 32 * holder - 32);
                assembly ("memory-safe") {
                    extcodecopy(data, to, skip, length)
                }
            }
        }
    }

    /// Writes the last layer's lanes as signed words over the list and returns their end.
    function _outputs(Run memory run, Layer memory layer) internal pure returns (uint256 end) {
        unchecked {
            uint256 excess = _excess(run, layer);
            uint256 sums = run.sums - 128 * layer.words;
            uint256 left = layer.outputs;
            end = run.list;
            for (uint256 k = 0; left != 0; k++) {
                if (k == 4) (k, sums) = (0, sums + 128);
                uint256 value = _lanes(sums, k, layer, excess);
                uint256 lanes = layer.lanes < left ? layer.lanes : left;
                left -= lanes;
                // Plain equivalent:
                //     for (; lanes != 0; lanes--) { logits.push(value & layer.mask - half lane); value >>= layer.lane; }
                assembly ("memory-safe") {
                    let mask := mload(add(layer, 0xe0))
                    let lane := mload(add(layer, 0x100))
                    for { let until := add(end, shl(5, lanes)) } lt(end, until) { end := add(end, 32) } {
                        mstore(end, sub(and(value, mask), add(shr(1, mask), 1)))
                        value := shr(lane, value)
                    }
                }
            }
        }
    }
}
