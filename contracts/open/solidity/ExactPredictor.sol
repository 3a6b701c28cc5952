// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Runs a dense ReLU network in the classic fixed point: weights times 10^8, every product divided back and truncated toward
/// zero at once, `z_i = b_i + sum_j trunc(w_ij a_j / 10^8)`, hidden layers hand on `max(z, 0)`, a pixel p enters as
/// `p 10^8 / 255`, and the prediction is the lowest index of the largest logit.
///
/// Weights are 5 bytes each, little-endian magnitude u32 and a sign byte (0x00 or 0x80), in data contracts whose first byte is
/// STOP. A row holds one input's weights to all outputs; row 0 of a layer holds the biases, and counts as an input of 10^8.
/// The index, a data contract too, is a list of words: number of layers; for each layer its inputs and outputs (bits 0-31 and
/// 32-63); then segments of rows in order (bits 0-159 the address, 160-191 how many rows). Bounds of every sum and product
/// were checked when the index was made, so nothing here can overflow.
contract ExactPredictor {
    error WrongImageSize(uint256 given, uint256 expected);
    error WrongWeights(address holder, bytes32 codeHash, bytes32 expected);
    error UnevenWeights(uint256 segments, uint256 hashes);

    uint256 private constant SCALE = 1e8;
    uint256 private constant NUMBER_BYTES = 5;

    /// The data contract that says where everything is.
    address public immutable index;

    /// Accepts `index_` with the code hash `indexHash`, and for each of its segments the data contract's code hash (EIP-1052).
    constructor(address index_, bytes32 indexHash, bytes32[] memory hashes) {
        if (index_.codehash != indexHash) revert WrongWeights(index_, index_.codehash, indexHash);
        index = index_;
        bytes memory table = _data(index_);
        uint256 first = 1 + _word(table, 0);
        uint256 segments = table.length / 32 - first;
        if (segments != hashes.length) revert UnevenWeights(segments, hashes.length);
        for (uint256 i = 0; i < segments; i++) {
            address holder = address(uint160(_word(table, first + i)));
            if (holder.codehash != hashes[i]) revert WrongWeights(holder, holder.codehash, hashes[i]);
        }
    }

    /// The class of `image`, one byte a pixel.
    function predict(bytes calldata image) external view returns (uint8 class) {
        int256[] memory values = logits(image);
        for (uint256 i = 1; i < values.length; i++) {
            if (values[i] > values[class]) class = uint8(i);
        }
    }

    /// The network's last layer for `image`, times 10^8.
    function logits(bytes calldata image) public view returns (int256[] memory z) {
        bytes memory table = _data(index);
        uint256 layers = _word(table, 0);
        uint256[] memory inputs = _pixels(image, uint32(_word(table, 1)));
        uint256 segment = 1 + layers;
        bytes memory rows = new bytes(24_575 + 27);
        for (uint256 layer = 1; layer <= layers; layer++) {
            if (layer > 1) inputs = _activate(z);
            z = new int256[](uint32(_word(table, layer) >> 32));
            for (uint256 row = 0; row < inputs.length; segment++) {
                uint256 place = _word(table, segment);
                row = _multiply(address(uint160(place)), rows, inputs, row, row + (place >> 160), z);
            }
        }
    }

    /// The scaled pixels behind the 10^8 that the biases are multiplied by.
    function _pixels(bytes calldata image, uint256 expected) private pure returns (uint256[] memory inputs) {
        if (image.length != expected) revert WrongImageSize(image.length, expected);
        inputs = new uint256[](expected + 1);
        inputs[0] = SCALE;
        for (uint256 j = 0; j < expected; j++) {
            if (image[j] != 0) inputs[j + 1] = uint256(uint8(image[j])) * SCALE / 255;
        }
    }

    function _activate(int256[] memory z) private pure returns (uint256[] memory inputs) {
        inputs = new uint256[](z.length + 1);
        inputs[0] = SCALE;
        for (uint256 i = 0; i < z.length; i++) {
            if (z[i] > 0) inputs[i + 1] = uint256(z[i]);
        }
    }

    /// Adds rows [row, end) of the data contract `holder` times their inputs to `z`; returns `end`. `rows` is space for them.
    function _multiply(
        address holder,
        bytes memory rows,
        uint256[] memory inputs,
        uint256 row,
        uint256 end,
        int256[] memory z
    ) private view returns (uint256) {
        uint256 rowBytes = z.length * NUMBER_BYTES;
        // Plain equivalent: rows = holder.code[1:]; the constructor checked that code, and its STOP byte keeps it unchanged.
        assembly ("memory-safe") {
            extcodecopy(holder, add(rows, 32), 1, mul(rowBytes, sub(end, row)))
        }
        for (uint256 place = 0; row < end; place += rowBytes) {
            uint256 x = inputs[row++];
            if (x == 0) continue;
            // Plain equivalent:
            //     for (uint256 i = 0; i < z.length; i++) {
            //         uint256 at = place + 5 * i;
            //         uint256 w = rows[at] | rows[at + 1] << 8 | rows[at + 2] << 16 | rows[at + 3] << 24;
            //         if (rows[at + 4] & 0x80 == 0) z[i] += int256(w * x / SCALE); else z[i] -= int256(w * x / SCALE);
            //     }
            assembly ("memory-safe") {
                let sum := add(z, 32)
                let from := add(add(rows, 32), place)
                for { let until := add(from, rowBytes) } lt(from, until) { from := add(from, 5) } {
                    let w := shr(216, mload(from))
                    let magnitude := or(
                        or(shr(32, w), and(shr(16, w), 0xff00)),
                        or(and(w, 0xff0000), shl(16, and(w, 0xff00)))
                    )
                    let product := div(mul(magnitude, x), 100000000)
                    let negative := sub(0, and(shr(7, w), 1))
                    mstore(sum, add(mload(sum), sub(xor(product, negative), negative)))
                    sum := add(sum, 32)
                }
            }
        }
        return end;
    }

    /// The data that a data contract holds.
    function _data(address holder) private view returns (bytes memory data) {
        data = holder.code;
        // Plain equivalent: data = data[1:]; a data contract's code is never empty.
        assembly ("memory-safe") {
            let length := sub(mload(data), 1)
            data := add(data, 1)
            mstore(data, length)
        }
    }

    /// Word `i` of a table.
    function _word(bytes memory table, uint256 i) private pure returns (uint256 value) {
        // Plain equivalent: value = uint256(bytes32(table[32 * i:][:32]));
        assembly ("memory-safe") {
            value := mload(add(add(table, 32), shl(5, i)))
        }
    }
}
