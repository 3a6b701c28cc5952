"""Small residual networks, written once and built as Keras models and as ONNX files."""

import numpy as np
from onnx_conv_cases import conv_graph, draw, ending, node, weights


class Graph:
    """An ONNX graph of maps, written as one writes Keras models: each method takes and gives the name of a value."""

    def __init__(self, seed: int = 1) -> None:
        self.nodes, self.constants, self.seed = [], {}, seed

    def constant(self, values: np.ndarray) -> str:
        name = f"c{len(self.constants)}"
        self.constants[name] = values
        return name

    def apply(self, op: str, inputs: str, **settings) -> str:
        name = f"v{len(self.nodes)}"
        self.nodes.append(node(op, inputs, name, **settings))
        return name

    def conv(self, value: str, channels: int, outputs: int, side: int = 3, stride: int = 1) -> str:
        self.seed += 2
        kernel, bias = self.constant(weights(outputs, channels, side, side, seed=self.seed)), self.constant(draw(outputs, seed=self.seed + 1) / 4)
        pads = [side // 2] * 4
        return self.apply("Conv", f"{value} {kernel} {bias}", kernel_shape=[side, side], strides=[stride, stride], pads=pads)

    def norm(self, value: str, channels: int) -> str:
        self.seed += 4
        gamma, beta, mean = 1 + draw(channels, seed=self.seed) / 4, draw(channels, seed=self.seed + 1) / 4, draw(channels, seed=self.seed + 2) / 4
        parts = " ".join(self.constant(one) for one in (gamma, beta, mean, draw(channels, seed=self.seed + 3) ** 2 + 0.5))
        return self.apply("BatchNormalization", f"{value} {parts}")

    def relu(self, value: str) -> str:
        return self.apply("Relu", value)

    def add(self, *values: str) -> str:
        return self.apply("Add", " ".join(values))

    def done(self, value: str, width: int, shape: tuple[int, int, int]) -> bytes:
        nodes, constants = ending(value, width)
        return conv_graph([*self.nodes, *nodes], self.constants | constants, shape)


def after() -> bytes:
    """ResNet's blocks: normalised convolutions, an identity and a projection with a stride, relu behind the sum."""
    g = Graph()
    x = g.relu(g.norm(g.conv("x", 1, 4), 4))
    y = g.relu(g.norm(g.conv(x, 4, 4), 4))
    x = g.relu(g.add(g.norm(g.conv(y, 4, 4), 4), x))
    y = g.relu(g.norm(g.conv(x, 4, 6, stride=2), 6))
    x = g.relu(g.add(g.norm(g.conv(x, 4, 6, 1, 2), 6), g.norm(g.conv(y, 6, 6), 6)))
    return g.done(x, 6 * 4 * 4, (1, 8, 8))


def before() -> bytes:
    """relu in front of the sums, which are read by convolutions, added to again, pooled, and flattened."""
    g = Graph()
    x = g.relu(g.conv("x", 2, 3))
    for _ in range(2):
        x = g.add(x, g.relu(g.conv(g.relu(g.conv(x, 3, 3)), 3, 3)))
    x = g.apply("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.add(x, g.relu(g.norm(g.conv(x, 3, 3), 3)))
    return g.done(x, 3 * 4 * 4, (2, 8, 8))


def normalised_sums() -> bytes:
    """What is added is scaled in between, so that kernels read each by itself; a sum that is normalised and then active; a value added to itself."""
    g = Graph()
    x = g.relu(g.conv("x", 1, 3))
    y = g.norm(g.relu(g.conv(x, 3, 3)), 3)
    z = g.relu(g.conv(g.add(x, y), 3, 3, 1))
    w = g.relu(g.norm(g.add(z, x), 3))
    return g.done(g.add(g.add(w, w), y), 3 * 6 * 6, (1, 6, 6))


def pre_activation() -> bytes:
    """Sums of convolutions without an activation, of which every block reads the active, normalised one; an average in a sum; leaky branches."""
    g = Graph()
    x = g.relu(g.conv("x", 1, 3))
    s = g.add(x, g.conv(x, 3, 3))
    s = g.add(s, g.conv(g.relu(g.norm(s, 3)), 3, 3))
    x = g.apply("LeakyRelu", g.norm(s, 3), alpha=0.1)
    pooled = g.apply("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = g.apply("LeakyRelu", g.add(pooled, g.conv(x, 3, 3, 1, 2)), alpha=0.2)
    return g.done(x, 3 * 4 * 4, (1, 8, 8))


def tiny() -> bytes:
    """One block on 5 x 5."""
    g = Graph()
    x = g.relu(g.norm(g.conv("x", 1, 3), 3))
    x = g.relu(g.add(g.conv(g.relu(g.conv(x, 3, 3)), 3, 3), x))
    return g.done(x, 3 * 5 * 5, (1, 5, 5))


RESIDUAL = {"relu behind the sum": after, "relu in front of the sum": before, "normalised sums": normalised_sums, "pre-activation": pre_activation}
