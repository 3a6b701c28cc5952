"""The main template of a network for `peers/layers.circom`: its shape, bit widths and what is public."""

from __future__ import annotations

from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork

WEIGHT_BITS, PIXEL_BITS, BIAS_BITS = 8, 8, 40


def main_template(network: IntegerNetwork, hashed: bool, bound: bool) -> str:
    """The source of circuit.circom. `hashed`: pixels under a hash; `bound`: weights under a salted hash. Both hashes are outputs."""
    shape, layers = network.shape, network.layers
    lines = ["pragma circom 2.1.6;", 'include "layers.circom";', "", "template Network() {"]
    lines += [f"    signal input pixels[{shape[0]}];", "    signal input digit;"]
    for number, layer in enumerate(layers):
        channels, taps = layer.matrix_shape
        lines.append(f"    signal input weights{number}[{channels}][{taps}];")
        lines.append(f"    signal input bias{number}[{channels}];")
    lines += [] if not bound else ["    signal input salt;"]
    lines += _layers(network)
    if hashed:
        lines += _sponge("imageHash", [("pixels", "pixels[i]", shape[0], PIXEL_BITS, 0)], salted=False)
    if bound:
        parts = []
        for number, layer in enumerate(layers):
            channels, taps = layer.matrix_shape
            weight = f"weights{number}[i \\ {taps}][i % {taps}]"
            parts.append((f"weights{number}", weight, channels * taps, WEIGHT_BITS, 1 << (WEIGHT_BITS - 1)))
            parts.append((f"bias{number}", f"bias{number}[i]", channels, BIAS_BITS, 1 << (BIAS_BITS - 1)))
        lines += _sponge("weightHash", parts, salted=True)
    public = "digit" if hashed else "pixels, digit"
    return "\n".join([*lines, "}", "", f"component main {{public [{public}]}} = Network();", ""])


def _layers(network: IntegerNetwork) -> list[str]:
    lines, values = [], "pixels"
    bits = [interval.magnitude.bit_length() for interval in network.intervals]
    last = len(network.layers) - 1
    for number, layer in enumerate(network.layers):
        channels, taps = layer.matrix_shape
        positions = layer.outputs // channels
        lines += [
            f"    component linear{number} = Linear({positions}, {taps}, {channels});",
            *_read(number, layer, values),
            f"    for (var j = 0; j < {channels}; j++) {{",
            f"        linear{number}.bias[j] <== bias{number}[j];",
            f"        for (var i = 0; i < {taps}; i++) {{ linear{number}.weights[j][i] <== weights{number}[j][i]; }}",
            "    }",
        ]
        if number < last:
            relu = "Relu8Shift" if layer.activation == RELU8 else "ReluShift"
            lines += [
                f"    component relu{number}[{layer.outputs}];",
                f"    signal hidden{number}[{layer.outputs}];",
                f"    for (var j = 0; j < {layer.outputs}; j++) {{",
                f"        relu{number}[j] = {relu}({bits[number]}, {layer.shift});",
                f"        relu{number}[j].z <== linear{number}.z[j \\ {channels}][j % {channels}];",
                f"        hidden{number}[j] <== relu{number}[j].a;",
                "    }",
            ]
            values = f"hidden{number}"
    classes = network.shape[-1]
    return [
        *lines,
        f"    component argmax = LowestArgmax({classes}, {bits[last] + 1});",
        "    argmax.class <== digit;",
        f"    for (var j = 0; j < {classes}; j++) {{ argmax.z[j] <== linear{last}.z[0][j]; }}",
    ]


def _read(number: int, layer: DenseLayer, values: str) -> list[str]:
    """What the windows of a layer read: of `values`, or of sums of them."""
    if layer.grid is None:
        return [f"    for (var i = 0; i < {layer.inputs}; i++) {{ linear{number}.x[0][i] <== {values}[i]; }}"]
    grid, before = layer.grid, []
    if grid.pool > 1:
        before, values = _pooled(number, grid, values), f"pooled{number}"
    (rows, columns), (_, width, channels) = grid.positions, grid.pooled
    place = f"((y + i) * {width} + x + k) * {channels} + c"
    tap = f"(i * {grid.kernel_width} + k) * {channels} + c"
    return [
        *before,
        f"    for (var y = 0; y < {rows}; y++) {{ for (var x = 0; x < {columns}; x++) {{",
        f"        for (var i = 0; i < {grid.kernel_height}; i++) {{ for (var k = 0; k < {grid.kernel_width}; k++) {{",
        f"            for (var c = 0; c < {channels}; c++) {{ linear{number}.x[y * {columns} + x][{tap}] <== {values}[{place}]; }}",
        "        } }",
        "    } }",
    ]


def _pooled(number: int, grid: Grid, values: str) -> list[str]:
    height, width, channels = grid.pooled
    place = f"((y * {grid.pool} + i) * {grid.width} + x * {grid.pool} + k) * {channels} + c"
    return [
        f"    signal pooled{number}[{height * width * channels}];",
        f"    for (var y = 0; y < {height}; y++) {{ for (var x = 0; x < {width}; x++) {{ for (var c = 0; c < {channels}; c++) {{",
        "        var total = 0;",
        f"        for (var i = 0; i < {grid.pool}; i++) {{ for (var k = 0; k < {grid.pool}; k++) {{ total += {values}[{place}]; }} }}",
        f"        pooled{number}[(y * {width} + x) * {channels} + c] <== total;",
        "    } } }",
    ]


def _sponge(name: str, parts: list[tuple[str, str, int, int, int]], salted: bool) -> list[str]:
    """`parts`: (name, expression of element i, count, bits, offset), each packed; all of them through one sponge."""
    lines, places = [], []
    total = int(salted)
    for part, value, count, bits, offset in parts:
        each = 248 // bits
        elements = -(-count // each)
        lines += [
            f"    component packed_{part} = Packed({count}, {bits}, {offset});",
            f"    for (var i = 0; i < {count}; i++) {{ packed_{part}.in[i] <== {value}; }}",
        ]
        places.append((part, total, elements))
        total += elements
    lines += [f"    signal output {name};", f"    component sponge_{name} = Sponge({total});"]
    lines += [f"    sponge_{name}.in[0] <== salt;"] if salted else []
    for part, start, elements in places:
        lines.append(f"    for (var e = 0; e < {elements}; e++) {{ sponge_{name}.in[{start} + e] <== packed_{part}.out[e]; }}")
    return [*lines, f"    {name} <== sponge_{name}.out;"]


def circuit_inputs(network: IntegerNetwork, image, digit: int, salt: int | None) -> dict[str, object]:
    """The witness inputs: numbers as decimal strings."""
    values: dict[str, object] = {"pixels": [str(pixel) for pixel in image.tolist()], "digit": str(digit)}
    for number, layer in enumerate(network.layers):
        values[f"weights{number}"] = [[str(weight) for weight in row] for row in layer.weights.tolist()]
        values[f"bias{number}"] = [str(bias) for bias in layer.bias.tolist()]
    return values if salt is None else {**values, "salt": str(salt)}
