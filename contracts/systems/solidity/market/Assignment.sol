// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Which items a unit has. Items lie in columns of `rows` rows, item = column * rows + row; `rows` units make one copy of all items, and
/// unit u is number u % rows of copy u / rows. In each copy every column is rotated by a random number of its own:
///
///     row(u, column) = (u + keccak256(seed, copy, column)) mod rows
///
/// Invariants: every copy has every item once; a unit has one item of every column; two units of different copies have the same item of
/// a column with probability 1 / rows, independently in every column.
library Assignment {
    function row(bytes32 seed, uint256 unit, uint256 rows, uint256 column) internal pure returns (uint256) {
        uint256 turn = uint256(keccak256(abi.encode(seed, unit / rows, column))) % rows;
        return (unit % rows + turn) % rows;
    }

    /// How many of a unit's answers in the checked columns are not the labels'. `labels` has all rows of the first checked column, then
    /// those of the next.
    function wrong(bytes32 seed, uint256 unit, uint256 rows, bytes calldata answers, bytes calldata columns, bytes calldata labels)
        internal
        pure
        returns (uint256 count)
    {
        for (uint256 i = 0; i < columns.length; i++) {
            uint256 column = uint8(columns[i]);
            uint256 label = nibble(labels, i * rows + row(seed, unit, rows, column));
            if (nibble(answers, column) != label) count++;
        }
    }

    /// Four bits of `data`: number 0 is the upper half of the first byte.
    function nibble(bytes calldata data, uint256 number) internal pure returns (uint256) {
        return (uint8(data[number / 2]) >> (4 - 4 * (number % 2))) & 15;
    }
}
