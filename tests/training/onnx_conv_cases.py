"""ONNX graphs with convolutions, as PyTorch's exporters write them: channels first, weights [outputs, channels, rows, columns]."""

import numpy as np
from onnx_cases import N, draw, graph, node, onnx

FLOAT = onnx.TensorProto.FLOAT


def weights(*shape: int, seed: int = 1) -> np.ndarray:
    """Kernels at a scale that keeps values near one."""
    return (draw(*shape, seed=seed) * 2 / np.sqrt(np.prod(shape[1:]))).astype(np.float32)


def conv_graph(nodes, constants, shape, classes=3, opset=17) -> bytes:
    return graph(nodes, constants, shape=(None, *shape), outputs=(("logits", FLOAT, (None, classes)),), opset=opset)


def ending(value: str, width: int, classes: int = 3, hidden: int = 0, seed: int = 70):
    """Flatten and a Gemm, or two; nodes and constants."""
    if not hidden:
        return [node("Flatten", value, "flat"), node("Gemm", "flat wl bl", "logits", transB=1)], {
            "wl": weights(classes, width, seed=seed), "bl": draw(classes, seed=seed + 1)}  # fmt: skip
    nodes = [node("Flatten", value, "flat"), node("Gemm", "flat wh bh", "zh", transB=1), node("Relu", "zh", "ah"), node("Gemm", "ah wl bl", "logits", transB=1)]
    return nodes, {
        "wh": weights(hidden, width, seed=seed), "bh": draw(hidden, seed=seed + 1), "wl": weights(classes, hidden, seed=seed + 2), "bl": draw(classes, seed=seed + 3)
    }  # fmt: skip


def lenet_like(channels: int = 3, opset: int = 17) -> bytes:
    """Conv, relu, average pool, twice, then two dense layers: the map before Flatten is 3 x 2 x 4 in height, width, channels."""
    nodes, constants = ending("p2", 24, hidden=6)
    nodes = [
        node("Conv", "x w1 b1", "z1", kernel_shape=[3, 3], strides=[1, 1], pads=[1, 1, 1, 1], dilations=[1, 1], group=1),
        node("Relu", "z1", "a1"), node("AveragePool", "a1", "p1", kernel_shape=[2, 2], strides=[2, 2]),
        node("Conv", "p1 w2 b2", "z2", kernel_shape=[2, 3]), node("Clip", "z2 zero", "a2"), node("AveragePool", "a2", "p2", kernel_shape=[2, 2], strides=[2, 2]),
        *nodes,
    ]  # fmt: skip
    constants |= {"w1": weights(5, channels, 3, 3), "b1": draw(5, seed=2), "w2": weights(4, 5, 2, 3, seed=3), "b2": draw(4, seed=4), "zero": np.float32(0)}
    return conv_graph(nodes, constants, (channels, 14, 12), opset=opset)


def normalised() -> bytes:
    """Per-channel Sub and Div on the picture, a Conv without bias, BatchNormalization, a stride, and a global average."""
    nodes = [
        node("Sub", "x mean_in", "c"), node("Div", "c std_in", "n"),
        node("Conv", "n w1", "z1", strides=[2, 2]), node("BatchNormalization", "z1 gamma beta mean variance", "b1", epsilon=1e-3), node("Relu", "b1", "a1"),
        node("Conv", "a1 w2 b2", "z2", pads=[1, 0, 0, 1]), node("Relu", "z2", "a2"), node("GlobalAveragePool", "a2", "g"),
        node("Flatten", "g", "flat", axis=1), node("Gemm", "flat wl bl", "logits", transB=1),
    ]  # fmt: skip
    return conv_graph(nodes, {
        "mean_in": np.array([0.4, 0.5, 0.3], np.float32).reshape(1, 3, 1, 1), "std_in": np.array([0.2, 0.3, 0.25], np.float32).reshape(1, 3, 1, 1),
        "w1": weights(4, 3, 3, 3), "gamma": 1 + draw(4, seed=2), "beta": draw(4, seed=3), "mean": draw(4, seed=4), "variance": draw(4, seed=5) ** 2 + 0.5,
        "w2": weights(6, 4, 2, 2, seed=6), "b2": draw(6, seed=7), "wl": weights(3, 6, seed=8), "bl": draw(3, seed=9),
    }, (3, 11, 11))  # fmt: skip


def averaged(keep: int, opset: int) -> bytes:
    """x.mean((2, 3)): axes as an attribute, or as an input from opset 18 on."""
    mean = node("ReduceMean", "a1", "g", axes=[2, 3], keepdims=keep) if opset < 18 else node("ReduceMean", "a1 axes", "g", keepdims=keep)
    last = [node("Flatten", "g", "flat"), node("Gemm", "flat wl bl", "logits", transB=1)] if keep else [node("Gemm", "g wl bl", "logits", transB=1)]
    constants = {"w1": weights(7, 2, 3, 3), "b1": draw(7, seed=2), "wl": weights(3, 7, seed=3), "bl": draw(3, seed=4), "axes": np.array([-1, -2], np.int64)}
    return conv_graph([node("Conv", "x w1 b1", "z1", auto_pad="SAME_UPPER", strides=[2, 2]), node("Relu", "z1", "a1"), mean, *last], constants, (2, 8, 8), opset=opset)


def viewed() -> bytes:
    """x.view(x.size(0), -1) between convolution and dense layer, by Shape, Slice and Concat; a LeakyRelu; SAME_LOWER."""
    nodes = [
        node("Conv", "x w1 b1", "z1", auto_pad="SAME_LOWER"), node("LeakyRelu", "z1", "a1", alpha=0.1),
        node("Shape", "a1", "shape"), node("Slice", "shape from0 to1", "batch"), node("Concat", "batch rest", "target", axis=0),
        node("Reshape", "a1 target", "flat"), node("MatMul", "flat wl", "m"), node("Add", "m bl", "z"), node("Softmax", "z", "logits", axis=1),
    ]  # fmt: skip
    return conv_graph(nodes, {
        "w1": weights(4, 2, 2, 2), "b1": draw(4, seed=2), "from0": np.array([0], np.int64), "to1": np.array([1], np.int64), "rest": np.array([-1], np.int64),
        "wl": draw(4 * 5 * 6, 3, seed=3), "bl": draw(3, seed=4),
    }, (2, 5, 6))  # fmt: skip


def from_a_row() -> bytes:
    """x.view(-1, 3, 5, 4): the picture comes as numbers in a row, channels first."""
    nodes, constants = ending("a1", 2 * 4 * 3)
    shape = {"shape": np.array([-1, 3, 5, 4], np.int64), "w1": weights(2, 3, 2, 2), "b1": draw(2, seed=2)}
    return conv_graph([node("Reshape", "x shape", "map"), node("Conv", "map w1 b1", "z1"), node("Relu", "z1", "a1"), *nodes], constants | shape, (60,))


def channels_last_outside() -> bytes:
    """A picture of height, width, channels that the graph turns itself, and turns back before Flatten, as tf2onnx does."""
    nodes, constants = ending("back", 2 * 4 * 3)
    nodes = [
        node("Transpose", "x", "map", perm=[0, 3, 1, 2]), node("Conv", "map w1 b1", "z1"), node("Relu", "z1", "a1"), node("Transpose", "a1", "back", perm=[0, 2, 3, 1]), *nodes
    ]  # fmt: skip
    return conv_graph(nodes, constants | {"w1": weights(2, 3, 2, 2), "b1": draw(2, seed=2)}, (5, 4, 3))


def pooled_input() -> bytes:
    """An average pool first, and one output of scores by a MatMul from the left as a constant one."""
    nodes, constants = ending("a1", 4 * 3 * 2, hidden=5)
    nodes = [node("AveragePool", "x", "p", kernel_shape=[2, 2], strides=[2, 2], ceil_mode=0), node("Conv", "p w1 b1", "z1"), node("Relu", "z1", "a1"), *nodes]
    return conv_graph(nodes, constants | {"w1": weights(4, 3, 2, 2), "b1": draw(4, seed=2)}, (3, 9, 7))


def maxima(after: bool = False, **settings) -> bytes:
    """Conv, relu and a max pool, in either order, then a dense layer."""
    pool = node("MaxPool", "z1" if after else "a1", "p1", **({"kernel_shape": [2, 2], "strides": [2, 2]} | settings))
    relu = node("Relu", "p1" if after else "z1", "a1")
    end = "a1" if after else "p1"
    made = [node("Conv", "x w1 b1", "z1", pads=[1, 1, 1, 1]), *([pool, relu] if after else [relu, pool]), node("Conv", f"{end} w2 b2", "z2"),
            node("Relu", "z2", "a2"), node("GlobalMaxPool", "a2", "g"), node("Flatten", "g", "flat"), node("Gemm", "flat wl bl", "logits", transB=1)]  # fmt: skip
    return conv_graph(made, {
        "w1": weights(4, 3, 3, 3), "b1": draw(4, seed=2), "w2": weights(5, 4, 2, 2, seed=3), "b2": draw(5, seed=4), "wl": weights(3, 5, seed=5), "bl": draw(3, seed=6)
    }, (3, 9, 8))  # fmt: skip


def mobile() -> bytes:
    """A depthwise convolution with a multiplier of two, normalised, and one in groups; Pad before both."""
    nodes, constants = ending("a3", 6 * 3 * 2)
    made = [
        node("Conv", "x w1 b1", "z1"), node("Relu", "z1", "a1"), node("Pad", "a1 pads", "q1"), node("Conv", "q1 wd", "z2", group=4, strides=[2, 2]),
        node("BatchNormalization", "z2 gamma beta mean variance", "n2"), node("Relu", "n2", "a2"), node("Pad", "a2 pads zero", "q2"),
        node("Conv", "q2 wg b3", "z3", group=2, strides=[2, 2]), node("Relu", "z3", "a3"), *nodes,
    ]  # fmt: skip
    return conv_graph(made, constants | {
        "w1": weights(4, 2, 2, 2), "b1": draw(4, seed=2), "wd": weights(8, 1, 3, 3, seed=3), "gamma": 1 + draw(8, seed=4), "beta": draw(8, seed=5),
        "mean": draw(8, seed=6), "variance": draw(8, seed=7) ** 2 + 0.5, "pads": np.array([0, 0, 1, 0, 0, 0, 1, 2], np.int64), "zero": np.float32(0),
        "wg": weights(6, 4, 3, 3, seed=8), "b3": draw(6, seed=9),
    }, (2, 10, 9))  # fmt: skip


def by_side() -> bytes:
    """Strides and pools that are others across than down; a mean over what is no square."""
    made = [
        node("Conv", "x w1 b1", "z1", strides=[1, 2], pads=[1, 0, 1, 1]), node("Relu", "z1", "a1"), node("MaxPool", "a1", "p1", kernel_shape=[2, 1], strides=[2, 1]),
        node("AveragePool", "p1", "q1", kernel_shape=[1, 2], strides=[1, 2]), node("Conv", "q1 w2 b2", "z2", strides=[2, 1], pads=[1, 1, 0, 0]), node("Relu", "z2", "a2"),
        node("GlobalAveragePool", "a2", "g"), node("Flatten", "g", "flat"), node("Gemm", "flat wl bl", "logits", transB=1),
    ]  # fmt: skip
    return conv_graph(made, {
        "w1": weights(4, 2, 3, 2), "b1": draw(4, seed=2), "w2": weights(5, 4, 2, 2, seed=3), "b2": draw(5, seed=4), "wl": weights(3, 5, seed=5), "bl": draw(3, seed=6)
    }, (2, 8, 11))  # fmt: skip


def one_position() -> bytes:
    """A strided, padded kernel that leaves one position and does not read all of its map; dense layers behind it."""
    nodes, constants = ending("a2", 4, hidden=5)
    made = [node("Conv", "x w1 b1", "z1"), node("Relu", "z1", "a1"), node("Conv", "a1 w2 b2", "z2", strides=[4, 4], pads=[1, 0, 0, 0]), node("Relu", "z2", "a2")]
    return conv_graph(made + nodes, constants | {"w1": weights(3, 2, 2, 2), "b1": draw(3, seed=2), "w2": weights(4, 3, 3, 2, seed=3), "b2": draw(4, seed=4)}, (2, 6, 5))


GRAPHS = {
    "lenet-like, colour": lenet_like, "lenet-like, grey": lambda: lenet_like(1), "lenet-like, opset 11": lambda: lenet_like(2, 11),
    "normalised by channel": normalised, "mean by attribute": lambda: averaged(1, 13), "mean by input": lambda: averaged(0, 18), "viewed": viewed,
    "from a row": from_a_row, "channels last outside": channels_last_outside, "a pooled input": pooled_input,
    "max pools": maxima, "max pools before relu": lambda: maxima(True), "overlapping max pools": lambda: maxima(kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
    "max pools with ceil_mode": lambda: maxima(kernel_shape=[2, 3], ceil_mode=1), "max pools, same": lambda: maxima(kernel_shape=[3, 2], auto_pad="SAME_UPPER"),
    "sides that differ": by_side, "depthwise, groups and Pad": mobile, "one position": one_position,
}  # fmt: skip
"""Models that are read, by what they show."""
__all__ = ["GRAPHS", "N", "conv_graph", "draw", "ending", "node", "weights"]
