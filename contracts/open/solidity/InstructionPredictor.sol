// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// The example of a contract that predicts with the chain's own predict instruction, where there is one
/// (`zkpredict.contracts.open.instruction`): same functions and same results as `PackedPredictor`, but the chain holds the model and
/// runs it. `_run` is all that another contract needs of it.
contract InstructionPredictor {
    error InstructionFailed(bytes32 model, uint256 imageBytes);
    error NoInstruction(uint256 returned);

    /// The address is the word "predict".
    address private constant INSTRUCTION = address(uint160(bytes20(hex"0000000000000000000000000070726564696374")));

    /// The model as the chain registered it.
    bytes32 public immutable model;

    constructor(bytes32 model_) {
        model = model_;
    }

    /// The class of `image`, one byte a pixel.
    function predict(bytes calldata image) external view returns (uint256 class) {
        (class,) = _run(image);
    }

    /// The network's last layer for `image`.
    function logits(bytes calldata image) external view returns (int256[] memory values) {
        (, values) = _run(image);
    }

    function _run(bytes calldata image) private view returns (uint256 class, int256[] memory values) {
        (bool success, bytes memory output) = INSTRUCTION.staticcall(abi.encodePacked(model, image));
        if (!success) revert InstructionFailed(model, image.length);
        // At least a class, an offset, a length and one logit: an address without code "succeeds" with nothing.
        if (output.length < 128) revert NoInstruction(output.length);
        return abi.decode(output, (uint256, int256[]));
    }
}
