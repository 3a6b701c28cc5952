// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedPredictor} from "zkpredict/open/PackedPredictor.sol";
import {DataStore} from "../blocks/DataStore.sol";
import {ModelVersions} from "./ModelVersions.sol";

/// Runs versions of a dense network: the packed weights of a `PackedPredictor`, and what few weights were changed since.
///
/// A change is a list of entries of 4 bytes, in order: bits 30-31 the layer, 19-29 the input (the number of inputs stands for the bias),
/// 11-18 the neuron, 0-10 what is added, in two's complement; several entries of one weight add up. A layer is
///
///     z = W a + b   over the packed words of the base,   then   z[neuron] += change * a[input]   for each entry of the layer
///
/// with z as int256, so the words' lanes hold what they were proven for. Behind the first layer, inputs can be larger than the base
/// ever made them: they are refused unless sum |a| * 2^(8s-1) stays below a quarter of the lane (`LanesTooNarrow`): no answer, never
/// another one. The base must have biases below that too, which the client holds a network to.
contract PatchablePredictor is PackedPredictor {
    error NameAVersion();
    error BadDelta(address delta, uint256 entry);
    error LanesTooNarrow(uint256 layer, uint256 sum, uint256 most);
    error NotPacked(address base);

    /// Everything of a run with changes: `z` are the current layer's sums, `x` its inputs, as bytes or words.
    struct Patch {
        uint256 table;
        uint256 layers;
        uint256 inputs;
        uint256 z;
        uint256 x;
        address[] deltas;
        bytes[] entries;
        uint256[] next; // where each delta's entries of the current layer start
    }

    uint256 private constant MOST_NEURONS = 256;

    ModelVersions public immutable versions;

    constructor(ModelVersions versions_) {
        versions = versions_;
    }

    /// This contract runs versions, not weights of its own.
    function predict(bytes calldata) external pure override returns (uint8) {
        revert NameAVersion();
    }

    /// This contract runs versions, not weights of its own.
    function logits(bytes calldata) external pure override returns (int256[] memory) {
        revert NameAVersion();
    }

    /// The class of `image` under a version: the lowest index of the largest logit.
    function predictAt(bytes32 handle, uint32 version, bytes calldata image) external view returns (uint8) {
        (address base, address[] memory deltas) = versions.partsOf(handle, version);
        return _largest(_values(base, deltas, image));
    }

    /// The last layer for `image` under a version.
    function logitsAt(bytes32 handle, uint32 version, bytes calldata image) external view returns (int256[] memory) {
        (address base, address[] memory deltas) = versions.partsOf(handle, version);
        return _values(base, deltas, image);
    }

    /// The class of `image` under the version that pushing `delta` on `parent` would make.
    function predictWith(bytes32 handle, uint32 parent, bool fresh, address delta, bytes calldata image) external view returns (uint8) {
        (address base, address[] memory deltas) = _partsWith(handle, parent, fresh, delta);
        return _largest(_values(base, deltas, image));
    }

    /// Refuses a change that a version could not run: entries out of order, of no weight of the base, of no change, or none at all.
    /// Gives the number of entries.
    function check(bytes32 handle, uint32 parent, address delta) external view returns (uint256 count) {
        (address base,) = versions.partsOf(handle, parent);
        (uint256 table,, uint256 layers) = _table(base);
        bytes memory data = DataStore.read(delta);
        count = data.length / 4;
        if (count == 0 || data.length % 4 != 0) revert BadDelta(delta, count);
        uint256 before = 0;
        for (uint256 i = 0; i < count; i++) {
            uint256 entry = _word(_at(data) + 4 * i) >> 224;
            uint256 layer = entry >> 30;
            if (layer >= layers || entry >> 11 < before || entry & 0x7ff == 0) revert BadDelta(delta, i);
            uint256 fields = _word(table + 128 * layer);
            if ((entry >> 19) & 0x7ff > uint24(fields >> 16) || (entry >> 11) & 0xff >= uint24(fields >> 64)) revert BadDelta(delta, i);
            before = entry >> 11;
        }
    }

    function _partsWith(bytes32 handle, uint32 parent, bool fresh, address delta) private view returns (address base, address[] memory deltas) {
        (base, deltas) = versions.partsOf(handle, parent);
        address[] memory more = new address[](fresh ? 1 : deltas.length + 1);
        for (uint256 i = 0; i + 1 < more.length; i++) more[i] = deltas[i];
        more[more.length - 1] = delta;
        return (base, more);
    }

    function _largest(int256[] memory values) private pure returns (uint8 class) {
        for (uint256 i = 1; i < values.length; i++) if (values[i] > values[class]) class = uint8(i);
    }

    /// Runs all layers with the changes.
    function _values(address base, address[] memory deltas, bytes calldata image) private view returns (int256[] memory values) {
        unchecked {
            Patch memory patch;
            Run memory run;
            Layer memory layer;
            patch.deltas = deltas;
            patch.entries = new bytes[](deltas.length);
            patch.next = new uint256[](deltas.length);
            for (uint256 i = 0; i < deltas.length; i++) {
                patch.entries[i] = DataStore.read(deltas[i]);
                patch.next[i] = _at(patch.entries[i]);
            }
            (patch.table, run.size, patch.layers) = _table(base);
            if (run.size != image.length) revert WrongImageSize(image.length, run.size);
            values = _scratch(patch, image);
            (run.segment, run.sums, run.addresses) = _places(base, patch.table);
            _read(layer, patch.table);
            // From here on memory is used from the free pointer up without moving it: nothing is allocated until the end.
            _load(run, image);
            if (layer.slot != 8 || layer.words & 1 == 1) _listPixels(run);
            _multiply(run, layer, true);
            for (uint256 number = 0; ; number++) {
                _patch(run, layer, patch, number);
                if (number + 1 == patch.layers) return values;
                uint256 size = _handOn(run, layer, patch);
                _read(layer, patch.table + 128 * (number + 1));
                _requireRoom(layer, number + 1, size);
                _multiply(run, layer, false);
            }
        }
    }

    /// The table of the predictor at `base` in memory, the size of its images, and its number of layers.
    function _table(address base) private view returns (uint256 table, uint256 inputs, uint256 layers) {
        // Plain equivalent: bytes memory code = base.code; trailer = uint256(bytes32(code[code.length - 32:]));
        //     table = code[code.length - uint16(trailer):];
        uint256 trailer;
        assembly ("memory-safe") {
            let size := extcodesize(base)
            extcodecopy(base, 0, sub(size, 32), 32)
            trailer := mload(0)
            let tableSize := and(trailer, 0xffff)
            table := mload(0x40)
            extcodecopy(base, table, sub(size, tableSize), tableSize)
            mstore(0x40, add(table, and(add(tableSize, 31), not(31))))
        }
        (inputs, layers) = (uint32(trailer >> 48), uint16(trailer >> 32));
        if (base.code.length < 64 || layers == 0) revert NotPacked(base);
    }

    /// Places in the table of segments, sums and addresses. Rows that the base keeps in its own code become those of one more data
    /// contract, the base itself: its address takes the place of the table's last word, which has been read.
    function _places(address base, uint256 table) private view returns (uint256 segments, uint256 sums, uint256 addresses) {
        unchecked {
            uint256 trailer;
            assembly ("memory-safe") {
                extcodecopy(base, 0, sub(extcodesize(base), 32), 32)
                trailer := mload(0)
            }
            segments = table + uint16(trailer >> 80);
            sums = table + uint16(trailer >> 96);
            addresses = table + uint16(trailer >> 112);
            uint256 last = table + uint16(trailer) - 32;
            uint256 own = base.code.length - uint16(trailer) - uint16(trailer >> 16);
            uint256 holder = (last - addresses) / 32 + 1;
            assembly ("memory-safe") {
                mstore(last, base)
            }
            for (uint256 place = segments; place < sums; place += 32) {
                uint256 segment = _word(place);
                if (uint16(segment >> 16) != 0) continue;
                segment += (holder << 16) + own;
                assembly ("memory-safe") {
                    mstore(place, segment)
                }
            }
        }
    }

    /// Room for the sums and the inputs of every layer, and the image as the inputs of the first, with a 1 for the bias behind.
    function _scratch(Patch memory patch, bytes calldata image) private pure returns (int256[] memory values) {
        unchecked {
            uint256 widest = MOST_NEURONS;
            uint256 outputs = 0;
            for (uint256 number = 0; number < patch.layers; number++) {
                outputs = uint24(_word(patch.table + 128 * number) >> 64);
                if (outputs > widest) widest = outputs;
            }
            uint256 size = 32 * widest + 32 > image.length + 32 ? 32 * widest + 32 : image.length + 32;
            // Plain equivalent: values = new int256[](widest); values.length = outputs;
            //     first = new bytes(size); first[:image.length + 32] = image | 1 | zeros;
            // The rest of both is written before it is read, or read for inputs that are refused.
            assembly ("memory-safe") {
                values := mload(0x40)
                mstore(values, outputs)
                let first := add(values, add(32, shl(5, widest)))
                calldatacopy(first, image.offset, image.length)
                mstore(add(first, image.length), shl(248, 1))
                mstore(0x40, add(first, and(add(size, 31), not(31))))
                mstore(add(patch, 0x60), add(values, 32))
                mstore(add(patch, 0x80), first)
            }
            patch.inputs = image.length;
        }
    }

    /// The layer's sums as signed words at `patch.z`, with its entries added.
    function _patch(Run memory run, Layer memory layer, Patch memory patch, uint256 number) private pure {
        unchecked {
            uint256 z = patch.z;
            uint256 from = run.list;
            uint256 length = _outputs(run, layer) - from;
            // Plain equivalent: memory[z:][:length] = memory[from:][:length];
            assembly ("memory-safe") {
                mcopy(z, from, length)
            }
            for (uint256 i = 0; i < patch.entries.length; i++) {
                bytes memory data = patch.entries[i];
                if (data.length & 3 != 0) revert BadDelta(patch.deltas[i], data.length / 4);
                uint256 until = _at(data) + data.length;
                uint256 place = patch.next[i];
                uint256 end = _first(place, until, (number + 1) << 30);
                patch.next[i] = end;
                if (_add(patch, place, end, number)) revert BadDelta(patch.deltas[i], (end - _at(data)) / 4 - 1);
                // what is behind the last layer belongs to none
                if (number + 1 == patch.layers && end != until) revert BadDelta(patch.deltas[i], (end - _at(data)) / 4);
            }
        }
    }

    /// The first entry of [low, high) that is at least `key`: binary search over 4 bytes each.
    function _first(uint256 low, uint256 high, uint256 key) private pure returns (uint256) {
        unchecked {
            while (low < high) {
                uint256 middle = low + (((high - low) >> 1) & ~uint256(3));
                if (_word(middle) >> 224 < key) low = middle + 4;
                else high = middle;
            }
            return low;
        }
    }

    /// Adds change times input to the sum of each entry's neuron. `bad` when an entry is of another layer or of no input of this one.
    function _add(Patch memory patch, uint256 place, uint256 end, uint256 number) private pure returns (bool bad) {
        uint256 z = patch.z;
        uint256 x = patch.x;
        uint256 inputs = patch.inputs > 0x7ff ? 0x7ff : patch.inputs;
        (uint256 scale, uint256 drop) = number == 0 ? (0, 248) : (5, 0);
        uint256 ofLayer = (number << 30) * (type(uint256).max / type(uint32).max);
        // Plain equivalent:
        //     for (; place < end; place += 4) {
        //         uint256 entry = uint32(memory[place:][:4]) ^ (number << 30);
        //         uint256 input = entry >> 19;     uint256 neuron = (entry >> 11) & 0xff;     int256 change = int11(entry & 0x7ff);
        //         bad = bad || input > inputs;              // of another layer: its upper bits are left
        //         z[neuron] += change * x[input];
        //     }
        // Eight entries a word, two at a time; zeros behind the last one change nothing. z has room for 256 neurons.
        assembly ("memory-safe") {
            for {} lt(place, end) { place := add(place, 32) } {
                let word := xor(mload(place), ofLayer)
                if lt(sub(end, place), 32) {
                    let rest := sub(256, shl(3, sub(end, place)))
                    word := shl(rest, shr(rest, word))
                }
                for {} word { word := shl(64, word) } {
                    let input := shr(243, word)
                    bad := or(bad, gt(input, inputs))
                    let a := shr(drop, mload(add(x, shl(scale, input))))
                    if a {
                        let sum := add(z, and(shr(230, word), 0x1fe0))
                        mstore(sum, add(mload(sum), mul(a, sub(xor(and(shr(224, word), 0x7ff), 0x400), 0x400))))
                    }
                    input := and(shr(211, word), 0x1fff)
                    bad := or(bad, gt(input, inputs))
                    a := shr(drop, mload(add(x, shl(scale, input))))
                    if a {
                        let sum := add(z, and(shr(198, word), 0x1fe0))
                        mstore(sum, add(mload(sum), mul(a, sub(xor(and(shr(192, word), 0x7ff), 0x400), 0x400))))
                    }
                }
            }
        }
    }

    /// Activations of the sums: lists the nonzero ones for the next layer and keeps all at `patch.x`; the sum of their sizes.
    function _handOn(Run memory run, Layer memory layer, Patch memory patch) private pure returns (uint256 size) {
        unchecked {
            (run.end, run.total) = (run.list, 0);
            uint256 outputs = layer.outputs;
            for (uint256 i = 0; i < outputs; i++) {
                int256 a = _activation(layer, int256(_word(patch.z + 32 * i)));
                _put(patch.x + 32 * i, uint256(a));
                if (a == 0) continue;
                run.end = _append(run.end, uint256(a), i);
                run.total += uint256(a);
                size += uint256(a < 0 ? -a : a);
            }
            patch.inputs = outputs;
            _put(patch.x + 32 * outputs, 1);
        }
    }

    /// The layer's activation at z, whatever its size.
    function _activation(Layer memory layer, int256 z) private pure returns (int256 a) {
        uint256 kind = uint8(layer.activation);
        if (kind >= 2) return _rational(layer, z >> layer.shift);
        if (z <= 0) return 0;
        a = z >> layer.shift;
        if (kind == 1 && a > 255) a = 255;
    }

    /// Refuses inputs that could make the packed part of a layer leave its lanes.
    function _requireRoom(Layer memory layer, uint256 number, uint256 size) private pure {
        unchecked {
            // the top lanes of groups 1 and 3 lose a slot (`PackedPredictor`); the first neuron in one is number 2 * lanes - 1
            bool shortened = layer.lanes == 64 / layer.slot && layer.outputs >= 2 * layer.lanes;
            uint256 lane = shortened ? 3 * layer.slot : 4 * layer.slot;
            uint256 most = uint256(1) << (lane - 1 - layer.slot);
            if (size >= most) revert LanesTooNarrow(number, size, most);
        }
    }

    function _put(uint256 place, uint256 value) private pure {
        // Plain equivalent: memory[place:][:32] = value;
        assembly ("memory-safe") {
            mstore(place, value)
        }
    }

    function _at(bytes memory data) private pure returns (uint256 place) {
        // Plain equivalent: the place in memory of data[0].
        assembly ("memory-safe") {
            place := add(data, 32)
        }
    }
}
