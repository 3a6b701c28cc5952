"""Random ONNX files of convolutions, pools and residual connections against the ONNX runtime, and the integers that come of them in a circuit."""

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from onnx_conv_cases import draw as numbers
from onnx_conv_cases import weights
from residual_cases import Graph
from test_training_onnx_maps import by_the_runtime, close, pictures
from test_training_residuals import floats_of, ours

from zkpredict.circuits.choice import compile_any
from zkpredict.training.importers.onnx_models import onnx_model
from zkpredict.training.quantize import quantize


@st.composite
def convolutions(draw, graph, value, shape):
    """A Conv on a value of this shape: its own and the shape of what it gives."""
    channels, height, width = shape
    sides = [draw(st.integers(1, min(3, side))) for side in (height, width)]
    pads = [draw(st.integers(0, side - 1)) for side in (*sides, *sides)]
    strides = [draw(st.integers(1, 2)) for _ in sides]
    groups = draw(st.sampled_from([1, channels]))
    outputs = groups * draw(st.integers(1, 2)) if groups > 1 else draw(st.integers(1, 5))
    graph.seed += 1
    parts = graph.constant(weights(outputs, channels // groups, *sides, seed=graph.seed)), graph.constant(numbers(outputs, seed=graph.seed + 1) / 4)
    found = graph.apply("Conv", f"{value} {' '.join(parts)}", strides=strides, pads=pads, group=groups)
    high, wide = ((side + pads[at] + pads[at + 2] - sides[at]) // strides[at] + 1 for at, side in enumerate((height, width)))
    return found, (outputs, high, wide)


@st.composite
def files(draw):
    """Two or three convolutions, normalised or not, each perhaps with a pool or a residual in front of its ReLU or behind it."""
    graph, shape = Graph(draw(st.integers(1, 999))), (draw(st.integers(1, 3)), draw(st.integers(5, 8)), draw(st.integers(5, 8)))
    value, first = "x", shape
    for number in range(draw(st.integers(2, 3))):
        before, (value, shape) = (value, shape), draw(convolutions(graph, value, shape))
        assume(shape[1] * shape[2] > 1)
        value = graph.norm(value, shape[0]) if draw(st.booleans()) else value
        residual = draw(st.sampled_from(["none", "behind", "in front"])) if number else "none"
        if residual == "in front" and before[1] == shape:
            value = graph.add(value, before[0])
        value = graph.relu(value)
        if residual == "behind" and before[1] == shape:
            value = graph.add(before[0], value)
        pool = draw(st.sampled_from([None, "MaxPool", "AveragePool"]))
        sides = [draw(st.sampled_from([1, 2])) for _ in "yx"]
        if pool and max(sides) > 1 and min(shape[1:]) > 2:
            value = graph.apply(pool, value, kernel_shape=sides, strides=sides)
            shape = (shape[0], shape[1] // sides[0], shape[2] // sides[1])
            if pool == "AveragePool":  # only a kernel reads averages
                break
    return graph.done(value, int(np.prod(shape)), first)


@settings(max_examples=15, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=files())
def test_random_files_compute_what_the_runtime_computes(data):
    images = pictures(data, 40)
    expected, imported = by_the_runtime(data, images / 255), onnx_model(data, "m")
    read = ours(imported, images)
    floats = floats_of(imported)
    assert close(floats.logits(read), expected)
    network = quantize(floats, read)
    compile_any(network)
    inference = network.infer(read)
    for values, interval in zip(inference.pre_activations, network.intervals, strict=True):
        assert np.all(values <= interval.high) and np.all(values >= interval.low)
    if expected.std(axis=0).max() > 0.02:
        assert np.corrcoef(inference.logits.ravel(), expected.ravel())[0, 1] > 0.98
