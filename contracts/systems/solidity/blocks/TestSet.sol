// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sample, Samples} from "./Samples.sol";

/// A test: parts of labelled samples, opened one after the other.
///
/// Labels and answers are nibbles, 64 a word, first sample in the highest four bits; every part starts a new word. Only the
/// hash over all label words is kept; whoever needs the labels brings them.
///
/// Invariants: a part's samples have consecutive numbers, `first + index`; nothing is ever taken out; a sample is accepted
/// only under the root of its part, and labels only as they were opened.
library TestSet {
    error UnknownPart(uint256 part);
    error UnknownSample(uint256 part, uint256 index);
    error WrongSample(bytes32 found, bytes32 expected);
    error WrongLabels(bytes32 found, bytes32 expected);
    error WrongAnswersLength(uint256 found, uint256 expected);
    error LabelTooLarge(uint256 label, uint256 most);
    error TooManyParts(uint256 most);

    uint256 internal constant MOST_PARTS = 64;
    uint256 internal constant PER_WORD = 64;

    struct Part {
        bytes32 root;
        uint32 first;
        uint32 count;
    }

    struct Set {
        uint32 inputBytes;
        uint32 count;
        uint32 words;
        uint32 parts;
        uint32 partCount; // samples of every part so far, 0 when they differ
        bytes32 labels;
        mapping(uint256 number => Part) part;
    }

    /// Adds the part that `data` is (see `Samples.partRoot`), all of whose labels must be at most 15.
    function add(Set storage set, bytes32 root, uint256 count, bytes calldata data) internal {
        if (set.parts == MOST_PARTS) revert TooManyParts(MOST_PARTS);
        if (set.parts == 0) set.partCount = uint32(count);
        else if (set.partCount != count) set.partCount = 0;
        set.part[set.parts++] = Part(root, set.count, uint32(count));
        set.count += uint32(count);
        set.words += uint32(wordsOf(count));
        set.labels = keccak256(bytes.concat(set.labels, labelWords(data, count)));
    }

    /// The labels in a part's data, packed.
    function labelWords(bytes calldata data, uint256 count) internal pure returns (bytes memory packed) {
        uint256 sampleBytes = data.length / count;
        packed = new bytes(32 * wordsOf(count));
        for (uint256 i = 0; i < count; i++) {
            uint256 label = uint8(data[i * sampleBytes]);
            if (label > 15) revert LabelTooLarge(label, 15);
            packed[i / 2] |= bytes1(uint8(i % 2 == 0 ? label << 4 : label));
        }
    }

    /// The number of a sample in the whole test, when it is one of it.
    function check(Set storage set, Sample calldata s) internal view returns (uint256 number) {
        if (s.part >= set.parts) revert UnknownPart(s.part);
        Part storage part = set.part[s.part];
        uint256 count = set.partCount;
        number = s.part * count;
        // only parts of different sizes need their second word
        if (count == 0) (count, number) = (part.count, part.first);
        if (s.index >= count) revert UnknownSample(s.part, s.index);
        if (s.input.length != set.inputBytes) revert Samples.WrongInputLength(s.input.length, set.inputBytes);
        bytes32 found = Samples.climb(Samples.leaf(s.index, s.label, s.input), s.index, count, s.path);
        if (found != part.root) revert WrongSample(found, part.root);
        return number + s.index;
    }

    /// How many of `answers` are the labels, which the caller brings along.
    function right(Set storage set, bytes calldata answers, bytes calldata labels) internal view returns (uint256 sum) {
        if (labels.length != answers.length) revert WrongAnswersLength(labels.length, answers.length);
        (sum,) = _rights(set, answers, labels, false);
    }

    /// The same, and the least number of right answers in any part. `differences` are answers XOR labels: mostly zeros, which
    /// cost less to bring along than the labels.
    function rights(Set storage set, bytes calldata answers, bytes calldata differences)
        internal
        view
        returns (uint256 sum, uint256 least)
    {
        if (differences.length != answers.length) revert WrongAnswersLength(differences.length, answers.length);
        return _rights(set, answers, differences, true);
    }

    function _rights(Set storage set, bytes calldata answers, bytes calldata others, bool xored)
        private
        view
        returns (uint256 sum, uint256 least)
    {
        if (answers.length != 32 * set.words) revert WrongAnswersLength(answers.length, 32 * set.words);
        uint256 parts = set.parts;
        uint256 each = set.partCount;
        bytes32 digest;
        uint256 place = 0;
        least = type(uint256).max;
        unchecked {
            for (uint256 number = 0; number < parts; number++) {
                uint256 left = each != 0 ? each : set.part[number].count;
                uint256 inPart = 0;
                uint256 words = wordsOf(left);
                uint256 space;
                // Plain equivalent: bytes memory part = bytes.concat(digest, labels of the part); below: digest = keccak256(part)
                assembly ("memory-safe") {
                    space := mload(0x40)
                    mstore(space, digest)
                }
                for (uint256 word = 1; word <= words; word++) {
                    uint256 x;
                    // x = answers[place:] ^ labels[place:]; part[32 * word:] = labels[place:]. Lengths were checked above.
                    assembly ("memory-safe") {
                        let answer := calldataload(add(answers.offset, place))
                        let other := calldataload(add(others.offset, place))
                        x := xor(other, mul(answer, iszero(xored)))
                        mstore(add(space, shl(5, word)), xor(other, mul(answer, xored)))
                    }
                    place += 32;
                    uint256 inWord = left < PER_WORD ? left : PER_WORD;
                    inPart += equalNibbles(x, 0, inWord);
                    left -= inWord;
                }
                assembly ("memory-safe") {
                    digest := keccak256(space, shl(5, add(words, 1)))
                }
                sum += inPart;
                if (inPart < least) least = inPart;
            }
        }
        if (digest != set.labels) revert WrongLabels(digest, set.labels);
    }

    /// Word and shift of a sample's nibble.
    function nibbleAt(Set storage set, uint256 number, uint256 index) internal view returns (uint256 word, uint256 shift) {
        if (set.partCount != 0) word = number * wordsOf(set.partCount);
        else for (uint256 i = 0; i < number; i++) word += wordsOf(set.part[i].count);
        return (word + index / PER_WORD, 252 - 4 * (index % PER_WORD));
    }

    function wordsOf(uint256 count) internal pure returns (uint256) {
        return (count + PER_WORD - 1) / PER_WORD;
    }

    /// How many of the first `count` nibbles of two words are the same.
    function equalNibbles(uint256 a, uint256 b, uint256 count) internal pure returns (uint256 sum) {
        uint256 ones = 0x1111111111111111111111111111111111111111111111111111111111111111;
        uint256 x = a ^ b;
        x |= x >> 2;
        x |= x >> 1;
        x = ~x & ones; // 1 for each nibble that is equal; bits from the neighbour never reach bit 0 of a nibble
        if (count < PER_WORD) x = x >> (4 * (PER_WORD - count));
        // sum of nibbles: pairs to bytes, then all bytes at once
        x = (x & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f) + ((x >> 4) & 0x0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f0f);
        unchecked {
            sum = (x * 0x0101010101010101010101010101010101010101010101010101010101010101) >> 248;
        }
    }
}
