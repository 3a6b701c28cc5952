// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// How a sample's loss is counted.
enum Loss {
    ERRORS,
    HINGE,
    SOFTMAX
}

/// Losses of logits, in exact integers. A class that the network does not have yet is never right, its logit 0.
///
///     errors      1 unless the label has the largest logit, the lowest of equals
///     hinge       max(0, margin + largest other logit - the label's)
///     softmax     -log2 of the label's part of the sum of 2^(logit / 2^margin), 16 bits behind the point
///
/// Softmax: with d the distances to the largest logit, d_label / 2^margin + log2(sum of 2^-(d / 2^margin)). A power is a table's
/// entry of the fraction's first four bits, shifted; the logarithm's 16 bits come of 16 squarings. losses.py is the twin.
library Losses {
    /// 2^-(f / 16) for f = 0 to 15, 3 bytes each, 16 bits behind the point.
    bytes private constant POWERS = hex"01000000f52500eac100e0cd00d74500ce2500c56700bd0900b50500ad5800a5ff009ef50098380091c4008b960085ab";

    /// Classes and the label's logit are known to fit: logits are sums of int8 times int64.
    function lossOf(Loss kind, int256[] memory z, uint256 label, uint256 margin) internal pure returns (uint256) {
        uint256 class_ = 0;
        int256 other = type(int256).min;
        for (uint256 c = 0; c < z.length; c++) {
            if (z[c] > z[class_]) class_ = c;
            if (c != label && z[c] > other) other = z[c];
        }
        if (kind == Loss.ERRORS) return class_ == label ? 0 : 1;
        if (other == type(int256).min) return 0;
        int256 own = label < z.length ? z[label] : int256(0);
        if (kind == Loss.SOFTMAX) return _softmax(z, own, other > own ? other : own, label < z.length, margin);
        int256 over = int256(margin) + other - own;
        return over > 0 ? uint256(over) : 0;
    }

    function _softmax(int256[] memory z, int256 own, int256 most, bool has, uint256 margin) private pure returns (uint256) {
        uint256 sum = has ? 0 : _power(uint256(most - own), margin);
        for (uint256 c = 0; c < z.length; c++) sum += _power(uint256(most - z[c]), margin);
        return ((uint256(most - own) << 16) >> margin) + _log2(sum);
    }

    /// 2^-(d / 2^margin), 16 bits behind the point.
    function _power(uint256 d, uint256 margin) private pure returns (uint256) {
        uint256 whole = d >> margin;
        if (whole > 16) return 0;
        uint256 f = 3 * (((d << 4) >> margin) & 15);
        return ((uint256(uint8(POWERS[f])) << 16) | (uint256(uint8(POWERS[f + 1])) << 8) | uint8(POWERS[f + 2])) >> whole;
    }

    /// log2 of a number from 1 on, both with 16 bits behind the point.
    function _log2(uint256 x) private pure returns (uint256 bits) {
        while (x >> (17 + bits) != 0) bits++;
        uint256 y = (x << 31) >> (16 + bits);
        for (uint256 i = 0; i < 16; i++) {
            y = (y * y) >> 31;
            bits <<= 1;
            if (y >> 32 != 0) (y, bits) = (y >> 1, bits | 1);
        }
    }
}
