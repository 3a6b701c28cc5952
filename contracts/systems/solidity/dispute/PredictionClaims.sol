// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {DataStore} from "../blocks/DataStore.sol";
import {IClaims} from "../judge/DisputedPrediction.sol";
import {Claims} from "./Claims.sol";
import {IMachine} from "./IMachine.sol";
import {Programs} from "./Programs.sol";
import {WordTree} from "./WordTree.sol";

/// "Model M says class y of input x": a bonded claim that anybody can dispute, down to one multiply-add.
///
/// A model is a program and the root over its weights. The contract computes that root itself from contracts that hold the weights,
/// so every registered model's weights are there for whoever wants to check a claim; and it computes where a run starts from the
/// input in the claim's calldata, and the class from the logits that the asserter shows in the state it claims. So what a claim says
/// is all in the open, and the only thing left to dispute is the run.
contract PredictionClaims is Claims, IClaims {
    using Programs for Programs.Header;

    struct Model {
        address program;
        bytes32 weightsRoot;
    }

    /// What a claim says.
    struct Prediction {
        bytes32 model;
        bytes32 inputHash;
        uint256 class_;
    }

    event Registered(bytes32 indexed model, address program, bytes32 weightsRoot, address[] stores);
    event Stated(uint256 indexed claim, bytes32 indexed model, bytes32 inputHash, uint256 class_);

    error UnknownModel(bytes32 model);
    error WrongInputSize(uint256 got, uint256 expected);
    error WrongOutputs(uint256 words, uint256 siblings, uint256 depth);
    error NoOutputs(address program);

    mapping(bytes32 model => Model) public models;
    mapping(uint256 claim => Prediction) private _predictions;

    constructor(IMachine machine_, uint40 window_, uint40 minWindow, uint24 allowance_, uint24 increment_, uint256 priceCap_)
        Claims(machine_, window_, minWindow, allowance_, increment_, priceCap_)
    {}

    /// Anybody: registers the program in `program` with the weights in `stores`, data contracts, one behind the other.
    function register(address program, address[] calldata stores) external returns (bytes32 model) {
        Programs.Header memory header = Programs.header(Programs.read(program));
        if (header.outputs() == 0) revert NoOutputs(program);
        bytes memory weights;
        for (uint256 i = 0; i < stores.length; i++) weights = bytes.concat(weights, DataStore.read(stores[i]));
        bytes32 root = WordTree.rootOf(weights, header.depth(1));
        model = modelId(program.codehash, root);
        models[model] = Model(program, root);
        emit Registered(model, program, root, stores);
    }

    /// The name of a model: the same on every chain.
    function modelId(bytes32 programHash, bytes32 weightsRoot) public pure returns (bytes32) {
        return keccak256(abi.encode(programHash, weightsRoot));
    }

    /// Anybody: claims what the model says of `input`. `outputs` are the words of the logits at the end of the run, `path` their siblings
    /// in the scratch region; the class is the lowest index of the largest logit. `delegate` may move for the asserter. What is sent is
    /// the claim's bond.
    function assertPrediction(
        bytes32 model,
        bytes calldata input,
        bytes32[] calldata outputs,
        bytes32[] calldata path,
        uint256 k,
        address delegate
    ) external payable returns (uint256 claim) {
        Model memory m = models[model];
        if (m.program == address(0)) revert UnknownModel(model);
        Programs.Header memory header = Programs.header(Programs.read(m.program));
        if (input.length != header.inputs()) revert WrongInputSize(input.length, header.inputs());
        bytes32[3] memory roots = [WordTree.rootOf(input, header.depth(0)), m.weightsRoot, WordTree.zeroRoot(header.depth(2))];
        bytes32 start = keccak256(abi.encode(roots));
        uint256 class_;
        (roots[2], class_) = _read(header, outputs, path);
        claim = _assert(m.program, 0, start, keccak256(abi.encode(roots)), k, delegate);
        _predictions[claim] = Prediction(model, keccak256(input), class_);
        emit Stated(claim, model, keccak256(input), class_);
    }

    /// @inheritdoc IClaims
    function prediction(uint256 id) external view returns (bytes32 model, bytes32 inputHash, uint256 class_, bool final_) {
        Prediction storage p = _predictions[id];
        return (p.model, p.inputHash, p.class_, isFinal(id));
    }

    /// The scratch region's root over the words of the logits, and the class.
    function _read(Programs.Header memory header, bytes32[] calldata outputs, bytes32[] calldata path)
        private
        pure
        returns (bytes32 root, uint256 class_)
    {
        (uint256 count, uint256 bits) = (header.outputs(), 8 * header.outputWidth());
        uint256 depth = header.depth(2);
        uint256 height = depth - (path.length > depth ? depth : path.length);
        // The words are a whole subtree at the start of the region, the least that holds the logits.
        bool least = outputs.length == 1 || 32 * outputs.length < 2 * count * (bits / 8);
        if (path.length > depth || outputs.length != 1 << height || 256 * outputs.length < count * bits || !least) {
            revert WrongOutputs(outputs.length, path.length, depth);
        }
        int256 best = type(int256).min;
        for (uint256 i = 0; i < count; i++) {
            uint256 bit = i * bits;
            int256 logit = int256(uint256(outputs[bit >> 8]) << (bit & 255)) >> (256 - bits);
            if (logit > best) (best, class_) = (logit, i);
        }
        root = WordTree.rootFrom(0, WordTree.rootOf(abi.encodePacked(outputs), height), path);
    }
}
