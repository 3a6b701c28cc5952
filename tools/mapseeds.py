"""Seeds with convolutions, max pools and residual connections for fuzzing parsers, and circuits of every kind as a target."""

from __future__ import annotations

from functools import cache


@cache
def map_networks():
    """A convolution, and all that a wiring can say: a max pool, a sum of layers, a kernel on two maps."""
    import numpy as np

    from zkpredict.circuits.networks.activations import RELU8
    from zkpredict.circuits.networks.convolution import ConvLayer
    from zkpredict.circuits.networks.grid import Grid
    from zkpredict.circuits.networks.pooling import MaxPoolLayer
    from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
    from zkpredict.circuits.networks.wiring import Reading, Wiring

    source = np.random.default_rng(1)

    def numbers(outputs: int, taps: int):
        return source.integers(-9, 10, (outputs, taps)), source.integers(-99, 100, outputs)

    first, beside = ConvLayer(*numbers(2, 4), 8, RELU8, Grid(5, 5, 1, 2, 2)), Wiring(beside=(Reading((1,), Grid(2, 2, 2, 1, 1)),))
    same = Grid(2, 2, 2, 1, 1)
    pooled = [first, MaxPoolLayer(Grid(4, 4, 2, 2, 2, 2)), ConvLayer(*numbers(2, 2), 8, RELU8, same)]
    pooled += [ConvLayer(*numbers(2, 4), 8, RELU8, same, wiring=beside), DenseLayer(*numbers(3, 8), wiring=Wiring((2, 3)))]
    by_side = ConvLayer(*numbers(2, 4), 8, RELU8, Grid(5, 5, 1, 2, 2, 1, stride_across=3))
    return IntegerNetwork((first, DenseLayer(*numbers(2, 32)))), IntegerNetwork(tuple(pooled)), IntegerNetwork((by_side, DenseLayer(*numbers(2, 16))))


def map_circuits() -> tuple[bytes, ...]:
    from zkpredict.circuits.convolution.compiler import compile_convolution

    return tuple(compile_convolution(network, domain=512).circuit.to_bytes() for network in map_networks())


def any_circuit(data: bytes) -> object:
    """Parses a circuit by its magic. Raises `MalformedFile`."""
    from zkpredict.circuits.files.codec import ByteReader
    from zkpredict.circuits.placement import read_circuit

    reader = ByteReader(data, "circuit")
    circuit = read_circuit(reader)
    reader.finish()
    return circuit
