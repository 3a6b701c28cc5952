"""The main template of a dense network for `peers/dense.circom`: its shape, bit widths and what is public."""

from __future__ import annotations

from zkpredict.circuits.networks.reference import IntegerNetwork

WEIGHT_BITS, PIXEL_BITS, BIAS_BITS = 8, 8, 40


def main_template(network: IntegerNetwork, hashed: bool, bound: bool) -> str:
    """The source of circuit.circom. `hashed`: pixels under a hash; `bound`: weights under a salted hash. Both hashes are outputs."""
    shape, layers = network.shape, network.layers
    lines = ["pragma circom 2.1.6;", 'include "dense.circom";', "", "template Network() {"]
    lines += [f"    signal input pixels[{shape[0]}];", "    signal input digit;"]
    for number, layer in enumerate(layers):
        lines.append(f"    signal input weights{number}[{layer.outputs}][{layer.inputs}];")
        lines.append(f"    signal input bias{number}[{layer.outputs}];")
    lines += [] if not bound else ["    signal input salt;"]
    lines += _layers(network)
    if hashed:
        lines += _sponge("imageHash", [("pixels", "pixels[i]", shape[0], PIXEL_BITS, 0)], salted=False)
    if bound:
        parts = []
        for number, layer in enumerate(layers):
            weight = f"weights{number}[i \\ {layer.inputs}][i % {layer.inputs}]"
            parts.append((f"weights{number}", weight, layer.outputs * layer.inputs, WEIGHT_BITS, 1 << (WEIGHT_BITS - 1)))
            parts.append((f"bias{number}", f"bias{number}[i]", layer.outputs, BIAS_BITS, 1 << (BIAS_BITS - 1)))
        lines += _sponge("weightHash", parts, salted=True)
    public = "digit" if hashed else "pixels, digit"
    return "\n".join([*lines, "}", "", f"component main {{public [{public}]}} = Network();", ""])


def _layers(network: IntegerNetwork) -> list[str]:
    lines, values = [], "pixels"
    bits = [interval.magnitude.bit_length() for interval in network.intervals]
    for number, layer in enumerate(network.layers):
        lines += [
            f"    component dense{number} = Dense({layer.inputs}, {layer.outputs});",
            f"    for (var i = 0; i < {layer.inputs}; i++) {{ dense{number}.x[i] <== {values}[i]; }}",
            f"    for (var j = 0; j < {layer.outputs}; j++) {{",
            f"        dense{number}.bias[j] <== bias{number}[j];",
            f"        for (var i = 0; i < {layer.inputs}; i++) {{ dense{number}.weights[j][i] <== weights{number}[j][i]; }}",
            "    }",
        ]
        if number + 1 < len(network.layers):
            lines += [
                f"    component relu{number}[{layer.outputs}];",
                f"    signal hidden{number}[{layer.outputs}];",
                f"    for (var j = 0; j < {layer.outputs}; j++) {{",
                f"        relu{number}[j] = ReluShift({bits[number]}, {layer.shift});",
                f"        relu{number}[j].z <== dense{number}.z[j];",
                f"        hidden{number}[j] <== relu{number}[j].a;",
                "    }",
            ]
            values = f"hidden{number}"
    last = len(network.layers) - 1
    classes = network.shape[-1]
    return [
        *lines,
        f"    component argmax = LowestArgmax({classes}, {bits[last] + 1});",
        "    argmax.class <== digit;",
        f"    for (var j = 0; j < {classes}; j++) {{ argmax.z[j] <== dense{last}.z[j]; }}",
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
