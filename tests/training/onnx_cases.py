"""ONNX files that the tests write: by `onnx` helpers as PyTorch's exporters lay graphs out, and by the exporters of others."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="needs the test requirements")
H, N = onnx.helper, onnx.numpy_helper


def draw(*shape: int, seed: int = 1) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=shape) / 2).astype(np.float32)


def graph(nodes, constants, shape=(None, 6), outputs=(("logits", onnx.TensorProto.FLOAT, (None, 3)),), opset=17, kind=onnx.TensorProto.FLOAT, domains=()) -> bytes:
    """The bytes of a model with one input `x`; `constants` by name: numpy arrays."""
    made = H.make_graph(
        list(nodes), "main", [H.make_tensor_value_info("x", kind, shape)], [H.make_tensor_value_info(*output) for output in outputs],
        [N.from_array(np.asarray(value), name) for name, value in constants.items()],
    )  # fmt: skip
    model = H.make_model(made, opset_imports=[H.make_opsetid("", opset), *(H.make_opsetid(*domain) for domain in domains)])
    model.ir_version = 8
    return model.SerializeToString()


def node(op: str, inputs: str, output: str, **settings):
    return H.make_node(op, inputs.split(), [output], **settings)


def torch_like(opset: int = 17, seed: int = 1) -> bytes:
    """nn.Sequential(Flatten, Linear(6, 5), BatchNorm1d, LeakyReLU(0.1), Dropout, Linear(5, 4), ReLU, Linear(4, 3)) in evaluation mode."""
    settings = {} if opset > 6 else {"is_test": 1}
    return graph(
        [
            node("Flatten", "x", "flat", axis=1),
            node("Gemm", "flat w1 b1", "z1", alpha=1.0, beta=1.0, transB=1),
            node("BatchNormalization", "z1 gamma beta mean variance", "n1", epsilon=1e-5, momentum=0.9, **settings),
            node("LeakyRelu", "n1", "a1", alpha=0.1),
            node("Dropout", "a1", "d1"),
            node("Gemm", "d1 w2 b2", "z2", transB=1),
            node("Relu", "z2", "a2"),
            node("Gemm", "a2 w3 b3", "logits", transB=1),
        ],
        {
            "w1": draw(5, 6, seed=seed), "b1": draw(5, seed=seed + 1), "gamma": 1 + draw(5, seed=seed + 2), "beta": draw(5, seed=seed + 3),
            "mean": draw(5, seed=seed + 4), "variance": draw(5, seed=seed + 5) ** 2 + 0.5, "w2": draw(4, 5, seed=seed + 6),
            "b2": draw(4, seed=seed + 7), "w3": draw(3, 4, seed=seed + 8), "b3": draw(3, seed=seed + 9),
        },
        shape=(None, 2, 3),
        opset=opset,
    )  # fmt: skip


def traced_like(opset: int = 13) -> bytes:
    """x.view(x.size(0), -1), then MatMul and Add on transposed weights, a Cast, and softmax: as tracing exporters write it."""
    return graph(
        [
            node("Constant", "", "zero", value=N.from_array(np.array(0, np.int64))),
            node("Shape", "x", "shape"),
            node("Gather", "shape zero", "batch", axis=0),
            node("Constant", "", "rest", value=N.from_array(np.array([-1], np.int64))),
            node("Unsqueeze", "batch axes", "batch1") if opset >= 13 else node("Unsqueeze", "batch", "batch1", axes=[0]),
            node("Concat", "batch1 rest", "target", axis=0),
            node("Reshape", "x target", "flat"),
            node("Sub", "flat centre", "centred"),
            node("Div", "centred width", "scaled"),
            node("Transpose", "w1", "w1t", perm=[1, 0]),
            node("MatMul", "scaled w1t", "m1"),
            node("Add", "b1 m1", "z1"),
            node("Relu", "z1", "a1"),
            node("Identity", "a1", "i1"),
            node("MatMul", "i1 w2", "m2"),
            node("Add", "m2 b2", "z2"),
            node("Mul", "z2 two", "z3"),
            node("Cast", "z3", "z4", to=onnx.TensorProto.FLOAT),
            node("Softmax", "z4", "logits", axis=-1),
        ],
        {
            "axes": np.array([0], np.int64), "centre": np.float32(0.5), "width": draw(6, seed=3) ** 2 + 0.5, "w1": draw(5, 6, seed=4),
            "b1": draw(5, seed=5), "w2": draw(5, 3, seed=6), "b2": draw(1, 3, seed=7), "two": np.array([2.0], np.float32),
        },
        shape=("batch", 1, 2, 3),
        opset=opset,
    )  # fmt: skip
