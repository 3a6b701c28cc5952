// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// The inner loops of `PackedPredictor`: inputs times packed words, added to sums. See there how weights lie in a word.
abstract contract PackedKernels {
    /// Pixels times rows of two words with one-byte slots, 64 neurons. The image lies in memory at [pixel, until), whole
    /// words, zeros behind its end; the row of the pixel at memory address p is at `base + 64 p`.
    function _pixels(uint256 pixel, uint256 until, uint256 base, uint256 sums) internal pure {
        // Plain equivalent, with a = sums and b = sums + 4:
        //     for (; pixel < until; pixel++) {
        //         uint256 x = uint8(memory[pixel]);
        //         if (x == 0) continue;
        //         uint256 w = memory[base + 64 * pixel:][:32];
        //         a[0] += x * w; a[1] += x * (w & odd); a[2] += x * ((w >> 16) & even); a[3] += x * ((w >> 16) & odd);
        //         w = memory[base + 64 * pixel + 32:][:32];
        //         b[0] += x * w; b[1] += x * (w & odd); b[2] += x * ((w >> 16) & even); b[3] += x * ((w >> 16) & odd);
        //     }
        // Zero words and zero quads of bytes are passed over; the loop over a word's bytes is unrolled by four.
        assembly ("memory-safe") {
            mstore(0, 0)
            let a0 := mload(sums)
            let a1 := mload(add(sums, 0x20))
            let a2 := mload(add(sums, 0x40))
            let a3 := mload(add(sums, 0x60))
            let b0 := mload(add(sums, 0x80))
            let b1 := mload(add(sums, 0xa0))
            let b2 := mload(add(sums, 0xc0))
            let b3 := mload(add(sums, 0xe0))
            for {} lt(pixel, until) { pixel := add(pixel, 32) } {
                let row := add(base, shl(6, pixel))
                for { let word := mload(pixel) } word { word := shl(32, word) } {
                    if shr(224, word) {
                        if byte(0, word) {
                            mstore8(31, byte(0, word))
                            let x := mload(0)
                            let w := mload(row)
                            a0 := add(a0, mul(x, w))
                            a1 := add(a1, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := shr(16, w)
                            a2 := add(a2, mul(x, and(w, 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff)))
                            a3 := add(a3, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := mload(add(row, 32))
                            b0 := add(b0, mul(x, w))
                            b1 := add(b1, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := shr(16, w)
                            b2 := add(b2, mul(x, and(w, 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff)))
                            b3 := add(b3, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                        }
                        if byte(1, word) {
                            mstore8(31, byte(1, word))
                            let x := mload(0)
                            let w := mload(add(row, 64))
                            a0 := add(a0, mul(x, w))
                            a1 := add(a1, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := shr(16, w)
                            a2 := add(a2, mul(x, and(w, 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff)))
                            a3 := add(a3, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := mload(add(row, 96))
                            b0 := add(b0, mul(x, w))
                            b1 := add(b1, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := shr(16, w)
                            b2 := add(b2, mul(x, and(w, 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff)))
                            b3 := add(b3, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                        }
                        if byte(2, word) {
                            mstore8(31, byte(2, word))
                            let x := mload(0)
                            let w := mload(add(row, 128))
                            a0 := add(a0, mul(x, w))
                            a1 := add(a1, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := shr(16, w)
                            a2 := add(a2, mul(x, and(w, 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff)))
                            a3 := add(a3, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := mload(add(row, 160))
                            b0 := add(b0, mul(x, w))
                            b1 := add(b1, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := shr(16, w)
                            b2 := add(b2, mul(x, and(w, 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff)))
                            b3 := add(b3, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                        }
                        if byte(3, word) {
                            mstore8(31, byte(3, word))
                            let x := mload(0)
                            let w := mload(add(row, 192))
                            a0 := add(a0, mul(x, w))
                            a1 := add(a1, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := shr(16, w)
                            a2 := add(a2, mul(x, and(w, 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff)))
                            a3 := add(a3, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := mload(add(row, 224))
                            b0 := add(b0, mul(x, w))
                            b1 := add(b1, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                            w := shr(16, w)
                            b2 := add(b2, mul(x, and(w, 0x000000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff)))
                            b3 := add(b3, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
                        }
                    }
                    row := add(row, 256)
                }
            }
            mstore(sums, a0)
            mstore(add(sums, 0x20), a1)
            mstore(add(sums, 0x40), a2)
            mstore(add(sums, 0x60), a3)
            mstore(add(sums, 0x80), b0)
            mstore(add(sums, 0xa0), b1)
            mstore(add(sums, 0xc0), b2)
            mstore(add(sums, 0xe0), b3)
        }
    }

    /// List entries [entry, until) times rows of one word with one-byte slots whose groups 2 and 3 are empty: 16 neurons.
    function _half(uint256 entry, uint256 until, uint256 base, uint256 sums) internal pure {
        // Plain equivalent:
        //     for (; entry < until; entry += 64) {
        //         (uint256 x, uint256 index) = (memory[entry:][:32], memory[entry + 32:][:32]);
        //         uint256 w = memory[base + 32 * index:][:32];
        //         sums[0] += x * (w & (even | odd)); sums[1] += x * (w & odd);
        //     }
        assembly ("memory-safe") {
            let a0 := mload(sums)
            let a1 := mload(add(sums, 0x20))
            for {} lt(entry, until) { entry := add(entry, 64) } {
                let x := mload(entry)
                let w := mload(add(base, shl(5, mload(add(entry, 32)))))
                a0 := add(a0, mul(x, and(w, 0x0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff0000ffff)))
                a1 := add(a1, mul(x, and(w, 0x0000ff000000ff000000ff000000ff000000ff000000ff000000ff000000ff00)))
            }
            mstore(sums, a0)
            mstore(add(sums, 0x20), a1)
        }
    }

    /// List entries [entry, until) times one word of each row, `slot` bits a slot; rows are `stride` bytes apart.
    function _single(uint256 entry, uint256 until, uint256 base, uint256 stride, uint256 sums, uint256 slot, uint256 even)
        internal
        pure
    {
        // Plain equivalent:
        //     for (; entry < until; entry += 64) {
        //         (uint256 x, uint256 index) = (memory[entry:][:32], memory[entry + 32:][:32]);
        //         uint256 w = memory[base + stride * index:][:32];
        //         sums[0] += x * w; sums[1] += x * (w & odd);
        //         sums[2] += x * ((w >> (2 * slot)) & even); sums[3] += x * ((w >> (2 * slot)) & odd);
        //     }
        assembly ("memory-safe") {
            let a0 := mload(sums)
            let a1 := mload(add(sums, 0x20))
            let a2 := mload(add(sums, 0x40))
            let a3 := mload(add(sums, 0x60))
            let odd := shl(slot, even)
            let two := shl(1, slot)
            for {} lt(entry, until) { entry := add(entry, 64) } {
                let x := mload(entry)
                let w := mload(add(base, mul(stride, mload(add(entry, 32)))))
                a0 := add(a0, mul(x, w))
                a1 := add(a1, mul(x, and(w, odd)))
                w := shr(two, w)
                a2 := add(a2, mul(x, and(w, even)))
                a3 := add(a3, mul(x, and(w, odd)))
            }
            mstore(sums, a0)
            mstore(add(sums, 0x20), a1)
            mstore(add(sums, 0x40), a2)
            mstore(add(sums, 0x60), a3)
        }
    }
}
