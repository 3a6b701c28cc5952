// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PackedKernels} from "./PackedKernels.sol";

/// What lies between two layers of `PackedPredictor`: sums become lanes, lanes become activations, activations become the list
/// of the next layer's inputs. Activations by number: 0 ReLU, 1 ReLU that saturates at a byte, 2 to 4 rational ones; they are
/// those of the integer reference (`zkpredict.circuits.networks.activations`), bit for bit.
abstract contract PackedActivations is PackedKernels {
    /// Where a run is: addresses in memory unless said otherwise.
    struct Run {
        uint256 image; // the image, in whole words with zeros behind its end
        uint256 size; // bytes of the image
        uint256 list; // the nonzero inputs of the current layer in order, two words each: value and index
        uint256 end; // one past the list
        uint256 total; // sum of all inputs of the current layer
        uint256 segment; // the next segment
        uint256 sums; // the next sums, four words for each word of a row
        uint256 addresses; // one word for each data contract
        uint256 own; // offset in this contract's code of the rows it keeps itself
    }

    /// A layer, as its record in the table says; `even` selects group 0 of a word, `mask` the lowest lane.
    struct Layer {
        uint256 words;
        uint256 inputs;
        uint256 slot;
        uint256 lanes;
        uint256 shift;
        uint256 outputs;
        uint256 even;
        uint256 mask;
        uint256 lane;
        uint256 activation; // bits 0-7 its number, 8-23 delta, 24-39 scale
    }

    /// The finished lanes of group `k` of the word whose sums are at `sums`: `z` plus half a lane each.
    function _lanes(uint256 sums, uint256 k, Layer memory layer, uint256 excess) internal pure returns (uint256 value) {
        unchecked {
            uint256 slot = layer.slot;
            value = _word(sums + 32 * k);
            if (k == 0) {
                value -= _word(sums + 32) + ((_word(sums + 64) + _word(sums + 96)) << (2 * slot)) + excess;
            } else if (k == 2) {
                value -= excess;
            } else {
                // The top lane of these groups has its offset at bit 24s - 1 instead of 32s - 1: lift it to the others'.
                value = (value - (excess << slot)) >> slot;
                value += ((uint256(1) << (4 * slot - 1)) - (uint256(1) << (3 * slot - 1))) << (256 - 4 * slot);
            }
        }
    }

    /// What the 2^(8s-1) in every slot added to every lane: the sum of the inputs times it.
    function _excess(Run memory run, Layer memory layer) internal pure returns (uint256) {
        unchecked {
            return (type(uint256).max / layer.mask) * (run.total << (layer.slot - 1));
        }
    }

    /// Lists the layer's activations as the next layer's inputs.
    function _activate(Run memory run, Layer memory layer) internal pure {
        if (layer.activation < 2) _activateLanes(run, layer, layer.activation == 1);
        else _activateRational(run, layer);
    }

    /// ReLU and shift of all lanes, cut off at a byte if `saturating`.
    function _activateLanes(Run memory run, Layer memory layer, bool saturating) private pure {
        unchecked {
            uint256 excess = _excess(run, layer);
            uint256 ones = type(uint256).max / layer.mask;
            uint256 signs = ones * ((layer.mask >> 1) + 1);
            uint256 kept = ones * (layer.mask >> (layer.shift + 1));
            uint256 sums = run.sums - 128 * layer.words;
            (run.end, run.total) = (run.list, 0);
            uint256 k = 0;
            for (uint256 index = 0; index < layer.outputs; index += layer.lanes) {
                if (k == 4) (k, sums) = (0, sums + 128);
                uint256 value = _lanes(sums, k++, layer, excess);
                // All lanes at once: keep a lane's low bits where its top bit is set, then shift within the lane.
                uint256 positive = value & signs;
                value &= positive - (positive >> (layer.lane - 1));
                value = (value >> layer.shift) & kept;
                if (saturating) {
                    // A lane beyond a byte has bits above it: added to the largest number below the sign bit they set that bit.
                    uint256 beyond = ((value & ~(ones * 255)) + (signs - ones)) & signs;
                    value = (value | (beyond >> (layer.lane - 1)) * 255) & (ones * 255);
                }
                _listLanes(run, layer, value, index);
            }
        }
    }

    /// floor(N(u) / D(u)) of each lane, where u = z >> shift; lists those that are not zero. Negative ones are listed as words in
    /// two's complement: sums are linear modulo 2^256, so only the final lanes must fit, whatever the signs.
    function _activateRational(Run memory run, Layer memory layer) private pure {
        unchecked {
            uint256 excess = _excess(run, layer);
            uint256 sums = run.sums - 128 * layer.words;
            uint256 half = (layer.mask >> 1) + 1;
            (run.end, run.total) = (run.list, 0);
            uint256 k = 0;
            for (uint256 index = 0; index < layer.outputs;) {
                if (k == 4) (k, sums) = (0, sums + 128);
                uint256 value = _lanes(sums, k++, layer, excess);
                for (uint256 end = index + layer.lanes; index < end && index < layer.outputs; index++) {
                    uint256 a = uint256(_rational(layer, int256((value & layer.mask) - half) >> layer.shift));
                    value >>= layer.lane;
                    if (a == 0) continue;
                    run.end = _append(run.end, a, index);
                    run.total += a;
                }
            }
        }
    }

    /// The rational activation of the layer at u, below 2^15 in size: square u^2 / (delta + |u|),
    /// relu u (delta + |u| + u) / (2 (delta + |u|)), softsign scale u / (delta + |u|); rounded towards minus infinity.
    function _rational(Layer memory layer, int256 u) internal pure returns (int256 a) {
        unchecked {
            uint256 activation = layer.activation;
            int256 below = int256(uint256(uint16(activation >> 8))) + (u < 0 ? -u : u);
            int256 above;
            if (uint8(activation) == 2) above = u * u;
            else if (uint8(activation) == 3) (above, below) = (u * (below + u), 2 * below);
            else above = int256(activation >> 24) * u;
            a = above / below;
            if (above % below < 0) a--;
        }
    }

    /// Lists the nonzero lanes of `value`; the lowest is input `index`.
    function _listLanes(Run memory run, Layer memory layer, uint256 value, uint256 index) private pure {
        uint256 mask = layer.mask;
        uint256 lane = layer.lane;
        uint256 end = run.end;
        uint256 total = run.total;
        // Plain equivalent:
        //     for (; value != 0; value >>= lane) {
        //         if (value & mask != 0) { list.push(value & mask); list.push(index); total += value & mask; }
        //         index++;
        //     }
        assembly ("memory-safe") {
            for {} value { value := shr(lane, value) } {
                let x := and(value, mask)
                if x {
                    mstore(end, x)
                    mstore(add(end, 32), index)
                    end := add(end, 64)
                    total := add(total, x)
                }
                index := add(index, 1)
            }
        }
        (run.end, run.total) = (end, total);
    }

    function _append(uint256 end, uint256 x, uint256 index) internal pure returns (uint256) {
        // Plain equivalent: list.push(x); list.push(index);
        assembly ("memory-safe") {
            mstore(end, x)
            mstore(add(end, 32), index)
        }
        return end + 64;
    }

    function _word(uint256 place) internal pure returns (uint256 value) {
        // Plain equivalent: value = memory[place:][:32].
        assembly ("memory-safe") {
            value := mload(place)
        }
    }
}
