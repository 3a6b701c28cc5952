// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Sample, Samples} from "../blocks/Samples.sol";
import {TestSet} from "../blocks/TestSet.sol";
import {IPrediction} from "./IPrediction.sol";

/// One posted answer, with its place among all of a sheet: the word it is in, and that word's place in the sheet's tree.
struct Posted {
    bytes32 word;
    bytes32[] path;
}

/// A list of answers of which every single one can be refuted: its right ones are counted when it is posted, its root is kept.
///
/// Invariants: the count is that of the posted answers; a refutation shows an answer that was posted and, by `IPrediction`,
/// a class that the model gives instead.
library Answers {
    using TestSet for TestSet.Set;

    error WrongAnswer(bytes32 found, bytes32 expected);
    error AnswerStands(uint256 number, uint256 class_);
    error NotShown(bytes32 model, uint256 class_);

    /// Root over the words of `answers` (64 nibbles each), filled up with zeros to a power of two, and how many are right.
    function post(TestSet.Set storage test, bytes calldata answers, bytes calldata labels)
        internal
        view
        returns (bytes32 root, uint256 right)
    {
        right = test.right(answers, labels);
        root = rootOf(answers);
    }

    /// Refuses unless the answer to `s` under `root` is wrong: the model was shown to give `class_`, which is another.
    function refute(
        TestSet.Set storage test,
        bytes32 root,
        Sample calldata s,
        Posted calldata posted,
        IPrediction prediction,
        bytes32 model,
        uint256 class_,
        bytes calldata evidence
    ) internal view returns (uint256 number) {
        bytes32 found = rootOf(test, s, posted);
        if (found != root) revert WrongAnswer(found, root);
        return disprove(test, s, posted, prediction, model, class_, evidence);
    }

    /// The root of the sheet that a posted answer to `s` is from.
    function rootOf(TestSet.Set storage test, Sample calldata s, Posted calldata posted) internal view returns (bytes32) {
        (uint256 word,) = test.nibbleAt(s.part, s.index);
        return Samples.climb(posted.word, word, test.words, posted.path);
    }

    /// The second half of `refute`, for whoever has checked the root.
    function disprove(
        TestSet.Set storage test,
        Sample calldata s,
        Posted calldata posted,
        IPrediction prediction,
        bytes32 model,
        uint256 class_,
        bytes calldata evidence
    ) internal view returns (uint256 number) {
        number = test.check(s);
        (, uint256 shift) = test.nibbleAt(s.part, s.index);
        if ((uint256(posted.word) >> shift) & 15 == class_) revert AnswerStands(number, class_);
        if (!prediction.holds(model, s.input, class_, evidence)) revert NotShown(model, class_);
    }

    function rootOf(bytes calldata answers) internal pure returns (bytes32 root) {
        uint256 size = 32 << Samples.depth(answers.length / 32);
        // Plain equivalent: nodes = answers | zeros; while (nodes.length > 1) nodes[i] = keccak256(nodes[2i] | nodes[2i + 1])
        assembly ("memory-safe") {
            let nodes := mload(0x40)
            calldatacopy(add(nodes, answers.length), calldatasize(), sub(size, answers.length))
            calldatacopy(nodes, answers.offset, answers.length)
            for {} gt(size, 32) { size := shr(1, size) } {
                let to := nodes
                let end := add(nodes, size)
                for { let from := nodes } lt(from, end) { from := add(from, 64) } {
                    mstore(to, keccak256(from, 64))
                    to := add(to, 32)
                }
            }
            root := mload(nodes)
        }
    }
}
