// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DataStore} from "../blocks/DataStore.sol";
import {Samples} from "../blocks/Samples.sol";
import {Loss, Losses} from "./Losses.sol";

/// Neurons and classes that a stage adds to the network.
struct Stage {
    uint16 neurons;
    uint16 classes;
}

/// A network that only grows: one data contract of weights for each stage, none of which can name what another stage has.
///
///     a = max(0, W x + b) >> shift        for the neurons of every stage, which read the input
///     z = V a + c                         for the classes of stage s, which read the neurons of stages 0 to s
///
/// The stages' data: for each input one int8 a new neuron; an int32 bias a new neuron; for each new class one int8 for every neuron
/// so far and an int32 bias. So V is block-triangular by the shape of the data: a later stage cannot change an earlier class's logit.
contract GrowingNetwork {
    error WrongBlock(uint256 found, uint256 expected);

    uint256 public immutable inputs;
    uint256 public immutable shift;
    Loss public immutable loss;
    uint256 public immutable margin;
    Stage[] public stages;

    constructor(Stage[] memory stages_, uint256 inputs_, uint256 shift_, Loss loss_, uint256 margin_) {
        (inputs, shift, loss, margin) = (inputs_, shift_, loss_, margin_);
        for (uint256 s = 0; s < stages_.length; s++) stages.push(stages_[s]);
    }

    /// Bytes of the weights that a stage adds.
    function bytesOf(uint256 stage) public view returns (uint256) {
        (uint256 neurons,) = sizesAt(stage);
        return uint256(stages[stage].neurons) * (inputs + 4) + uint256(stages[stage].classes) * (neurons + 4);
    }

    /// Neurons and classes at a stage.
    function sizesAt(uint256 stage) public view returns (uint256 neurons, uint256 classes) {
        for (uint256 s = 0; s <= stage; s++) (neurons, classes) = (neurons + stages[s].neurons, classes + stages[s].classes);
    }

    /// The logits of `input` under the weights of the first stages, one data contract each: one logit for each class of them.
    function logits(address[] memory blocks, bytes calldata input) public view returns (int256[] memory z) {
        if (input.length != inputs) revert Samples.WrongInputLength(input.length, inputs);
        uint256 neurons;
        uint256 classes;
        for (uint256 s = 0; s < blocks.length; s++) (neurons, classes) = (neurons + stages[s].neurons, classes + stages[s].classes);
        int256[] memory a = new int256[](neurons);
        z = new int256[](classes);
        (neurons, classes) = (0, 0);
        for (uint256 s = 0; s < blocks.length; s++) {
            bytes memory data = DataStore.read(blocks[s]);
            uint256 expected = bytesOf(s);
            if (data.length != expected) revert WrongBlock(data.length, expected);
            uint256 place = _hidden(data, a, neurons, stages[s].neurons, input);
            neurons += stages[s].neurons;
            for (uint256 c = 0; c < stages[s].classes; c++) {
                z[classes++] = _dot(data, place, a, neurons) + _int32(data, place + neurons);
                place += neurons + 4;
            }
        }
    }

    /// Activations of `count` new neurons from number `first` on; the place behind their weights.
    function _hidden(bytes memory data, int256[] memory a, uint256 first, uint256 count, bytes calldata input)
        private
        view
        returns (uint256 place)
    {
        // Plain equivalent: for each input p, for each new neuron n: a[first + n] += x[p] * int8(data[p * count + n]);
        // pixels that are zero are passed over. Lengths were checked.
        assembly ("memory-safe") {
            let row := add(data, 1)
            let sums := add(add(a, 32), shl(5, first))
            for { let p := 0 } lt(p, input.length) { p := add(p, 1) } {
                let x := byte(0, calldataload(add(input.offset, p)))
                if x {
                    let sum := sums
                    for { let n := 0 } lt(n, count) { n := add(n, 1) } {
                        mstore(sum, add(mload(sum), mul(x, signextend(0, mload(add(row, n))))))
                        sum := add(sum, 32)
                    }
                }
                row := add(row, count)
            }
        }
        place = input.length * count;
        for (uint256 n = 0; n < count; n++) {
            int256 value = a[first + n] + _int32(data, place);
            a[first + n] = value > 0 ? value >> shift : int256(0);
            place += 4;
        }
    }

    function _dot(bytes memory data, uint256 place, int256[] memory a, uint256 count) private pure returns (int256 sum) {
        // Plain equivalent: for (n < count) sum += a[n] * int8(data[place + n]);
        assembly ("memory-safe") {
            let weight := add(add(data, 1), place)
            for { let n := 0 } lt(n, count) { n := add(n, 1) } {
                sum := add(sum, mul(mload(add(add(a, 32), shl(5, n))), signextend(0, mload(add(weight, n)))))
            }
        }
    }

    function _int32(bytes memory data, uint256 place) private pure returns (int256 value) {
        // Plain equivalent: value = int32(uint32(bytes4(data[place:][:4])));
        assembly ("memory-safe") {
            value := signextend(3, mload(add(add(data, 4), place)))
        }
    }

    /// The loss of one sample.
    function lossOf(address[] memory blocks, bytes calldata input, uint256 label) external view returns (uint256) {
        return Losses.lossOf(loss, logits(blocks, input), label, margin);
    }
}
