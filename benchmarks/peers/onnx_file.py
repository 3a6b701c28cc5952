"""Writes a network that `floats.save_floats` wrote as ONNX, as a user's own exporter would. Runs in a peer's Python, with its `onnx`.

python onnx_file.py network.npz model.onnx
"""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def build(arrays):
    """An ONNX model of opset 13: a batch of one, float inputs in 0..1, logits out."""
    shape = [1, *(int(size) for size in arrays["input_shape"])]
    nodes, tensors, name = [], [], "pixels"
    for number, kind in enumerate(str(kind) for kind in arrays["kinds"]):
        out = f"v{number}"
        if kind in ("dense", "convolution"):
            for part in ("weights", "bias"):
                tensors.append(numpy_helper.from_array(arrays[f"{part}{number}"].astype(np.float32), f"{part}{number}"))
        inputs = [name, f"weights{number}", f"bias{number}"]
        if kind == "dense":
            nodes.append(helper.make_node("Gemm", inputs, [out], alpha=1.0, beta=1.0, transA=0, transB=1))
        elif kind == "convolution":
            size = int(arrays[f"weights{number}"].shape[-1])
            window = {"kernel_shape": [size, size], "strides": [1, 1], "pads": [0] * 4, "dilations": [1, 1]}
            nodes.append(helper.make_node("Conv", inputs, [out], group=1, **window))
        elif kind == "max_pool":
            window = {"kernel_shape": [2, 2], "strides": [2, 2], "pads": [0] * 4, "dilations": [1, 1]}
            nodes.append(helper.make_node("MaxPool", [name], [out], **window))
        elif kind == "average_pool":
            nodes.append(helper.make_node("AveragePool", [name], [out], kernel_shape=[2, 2], strides=[2, 2], pads=[0] * 4))
        elif kind == "relu":
            nodes.append(helper.make_node("Relu", [name], [out]))
        elif kind == "flatten":
            nodes.append(helper.make_node("Flatten", [name], [out], axis=1))
        else:
            raise SystemExit(f"layer {number} is {kind!r}, which this exporter does not know")
        name = out
    nodes[-1].output[0] = "logits"
    for number, node in enumerate(nodes):
        node.name = f"{node.op_type}_{number}"
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, [1, int(arrays["classes"])])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    with np.load(sys.argv[1]) as arrays:
        onnx.save(build(arrays), sys.argv[2])
