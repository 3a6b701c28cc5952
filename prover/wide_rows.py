"""The committed rows of models in wide circuits, as `zkpredict.prover.rows` has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from zkpredict.circuits.choice import AnyCompiled
from zkpredict.circuits.convolution.compiler import ConvNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.shared.compiler import SharedNetwork
from zkpredict.circuits.wide.compiler import ReplicaNetwork, WideNetwork
from zkpredict.kernel import Vector
from zkpredict.prover.rows import with_secret


def hidden_wide_rows(compiled: AnyCompiled, secrets: Sequence[int]) -> Iterator[tuple[RowColumn, Vector]]:
    """Every committed row with its random entry, in order."""
    if not isinstance(compiled, WideNetwork):
        raise TypeError(f"{type(compiled).__name__} is in no wide circuit")
    if isinstance(compiled, SharedNetwork):
        (column,) = compiled.circuit.row_columns
        yield from ((column, Vector.from_ints([*row[:-1], secret])) for row, secret in zip(compiled.all_rows, secrets, strict=True))
        return
    remaining = iter(secrets)
    for column in compiled.circuit.row_columns:
        if column.again:
            continue
        if isinstance(compiled, ConvNetwork) and compiled.circuit.is_convolution(column.layer):
            yield from ((column, row) for row in _kernel_rows(compiled, column, remaining))
            continue
        if isinstance(compiled, ReplicaNetwork) and not column.coefficients:
            yield column, _joined_row(compiled, column, next(remaining))
            continue
        make = _input_rows if column.coefficients else _value_rows
        yield from ((column, row) for row in make(compiled, column, remaining))


def combined_wide_rows(compiled: AnyCompiled, secrets: Sequence[int], alpha: int) -> dict[str, Vector]:
    """Every column of the model at a challenge, as coefficients."""
    if not isinstance(compiled, WideNetwork):
        raise TypeError(f"{type(compiled).__name__} is in no wide circuit")
    if isinstance(compiled, SharedNetwork):
        (column,) = compiled.circuit.row_columns
        rows = [row for _, row in hidden_wide_rows(compiled, secrets)]
        return {column.name: Vector.linear_combination(rows, column.weights(alpha))}
    found: dict[str, Vector] = {}
    used = 0
    for column in compiled.circuit.row_columns:
        weights = column.weights(alpha)
        used -= len(weights) if column.again else 0
        own = secrets[used : used + len(weights)]
        used += len(weights)
        hiding = sum(weight * secret for weight, secret in zip(weights, own, strict=True)) % MODULUS
        if isinstance(compiled, ConvNetwork) and compiled.circuit.is_convolution(column.layer):
            kernels = _combined_kernels(compiled, column, weights, hiding)
            found[column.name] = kernels if column.coefficients else kernels.intt()
        elif column.coefficients:
            found[column.name] = _combined_inputs(compiled, column, weights, hiding)
        elif isinstance(compiled, ReplicaNetwork):
            found[column.name] = _joined_row(compiled, column, hiding).intt()
        else:
            found[column.name] = _combined_values(compiled, column, weights, hiding).intt()
    return found


def _weighted(compiled: WideNetwork, layer: int, own: slice | np.ndarray, inputs: slice | np.ndarray, factors: Sequence[int]) -> Vector:
    """sum over the neurons `own` of factor W[neuron, inputs]."""
    narrow = compiled.network.layers[layer].narrow[own]
    return Vector.combine_rows(np.ascontiguousarray(narrow[:, inputs]), [factor % MODULUS for factor in factors])


def _bias(compiled: WideNetwork, layer: int, own: slice | np.ndarray, factors: Sequence[int]) -> int:
    bias = compiled.network.layers[layer].bias[own].tolist()
    return sum(factor * value for factor, value in zip(factors, bias, strict=True)) % MODULUS


def _part(column: RowColumn) -> tuple[int, int]:
    """Step and chunk of a first-layer column."""
    _, step, chunk = column.name.split("_")
    return int(step), int(chunk)


def _input_rows(compiled: WideNetwork, column: RowColumn, secrets: Iterator[int]) -> Iterator[Vector]:
    circuit, all_factors = compiled.circuit, compiled.factors(0)
    step, chunk = _part(column)
    inputs = slice(circuit.chunks[chunk].start, circuit.chunks[chunk].stop)
    for packs, _ in circuit.shared_packs(circuit.input_steps[step]):
        parts = []
        for pack in packs:
            own = compiled.neurons(0, pack)
            factors = all_factors[own].tolist()
            if chunk == 0:
                parts.append(Vector.from_ints([_bias(compiled, 0, own, factors)]))
            parts.append(_weighted(compiled, 0, own, inputs, factors))
        yield with_secret(circuit.domain, parts, next(secrets))


def _combined_inputs(compiled: WideNetwork, column: RowColumn, weights: list[int], hiding: int) -> Vector:
    circuit, factors = compiled.circuit, compiled.factors(0).tolist()
    step, chunk = _part(column)
    inputs = slice(circuit.chunks[chunk].start, circuit.chunks[chunk].stop)
    places: list[tuple[list[int], list[int]]] = [([], []) for _ in range(circuit.packs_per_row)]
    for (packs, _), weight in zip(circuit.shared_packs(circuit.input_steps[step]), weights, strict=True):
        for (neurons, scalars), pack in zip(places, packs, strict=False):
            own = compiled.neurons(0, pack)
            neurons += range(own.start, own.stop)
            scalars += [factor * weight % MODULUS for factor in factors[own]]
    parts = []
    for neurons, scalars in places:
        if not neurons:
            break
        chosen = np.array(neurons)
        if chunk == 0:
            parts.append(Vector.from_ints([_bias(compiled, 0, chosen, scalars)]))
        parts.append(_weighted(compiled, 0, chosen, inputs, scalars))
    return with_secret(circuit.domain, parts, hiding)


def _kernel_rows(compiled: ConvNetwork, column: RowColumn, secrets: Iterator[int]) -> Iterator[Vector]:
    factors = compiled.factors(column.layer)
    for group in range(len(column.exponents)):
        own = compiled.channels_of(column.layer, group)
        parts = _kernel_parts(compiled, column, own, factors[own].tolist())
        yield with_secret(compiled.circuit.domain, parts, next(secrets))


def _kernel_parts(compiled: ConvNetwork, column: RowColumn, own: slice, factors: list[int]) -> list[Vector]:
    """sum over channels of factor (bias, weights), as far as they are in the column's chunk."""
    chunk = compiled.chunk(column)
    if chunk.start:
        return [_weighted(compiled, column.layer, own, slice(chunk.start - 1, chunk.stop - 1), factors)]
    bias = Vector.from_ints([_bias(compiled, column.layer, own, factors)])
    return [bias, _weighted(compiled, column.layer, own, slice(0, chunk.stop - 1), factors)]


def _combined_kernels(compiled: ConvNetwork, column: RowColumn, weights: list[int], hiding: int) -> Vector:
    layer, factors = column.layer, compiled.factors(column.layer).tolist()
    scalars: list[int] = []
    for group, weight in enumerate(weights):
        scalars += [factor * weight % MODULUS for factor in factors[compiled.channels_of(layer, group)]]
    parts = _kernel_parts(compiled, column, slice(0, len(scalars)), scalars)
    return with_secret(compiled.circuit.domain, parts, hiding)


def correlation_column(compiled: ConvNetwork, layer: int, piece: int, read: np.ndarray, alpha: int, chunk: int = 0) -> Vector:
    """What one chunk of the kernels of a hidden convolution meets, all positions of a piece together, of `read`, int64 [inputs of the
    layer]: n field elements."""
    circuit = compiled.circuit
    met = compiled.correlations(layer, read, piece, chunk)
    weights = [pow(alpha, exponent, MODULUS) for exponent in circuit.position_exponents(layer, piece)]
    found = Vector.combine_rows(np.ascontiguousarray(met), weights)
    return Vector.concat([found, Vector.zeros(circuit.domain - len(found))])


def _value_rows(compiled: WideNetwork, column: RowColumn, secrets: Iterator[int]) -> Iterator[Vector]:
    all_factors = compiled.factors(column.layer)
    for pack in range(compiled.circuit.bands[column.layer].packs):
        own = compiled.neurons(column.layer, pack)
        yield _values(compiled, column, own, all_factors[own].tolist(), next(secrets))


def _combined_values(compiled: WideNetwork, column: RowColumn, weights: list[int], hiding: int) -> Vector:
    band, factors = compiled.circuit.bands[column.layer], compiled.factors(column.layer).tolist()
    scalars = [factor * weights[neuron // band.values_per_pack] % MODULUS for neuron, factor in enumerate(factors)]
    return _values(compiled, column, slice(0, band.values), scalars, hiding)


def _joined_row(compiled: ReplicaNetwork, column: RowColumn, secret: int) -> Vector:
    """The packs of one joined row on the rows where each reads, with the random entry."""
    circuit = compiled.circuit
    places, parts = [np.array([compiled.blinding_position(column.layer)])], [Vector.from_ints([secret])]
    for seat, rows, numbers, biased in compiled.seats(column):
        own = compiled.neurons(seat.layer, seat.pack)
        factors = compiled.factors(seat.layer)[own].tolist()
        if biased:
            places.append(np.array([seat.bias_row]))
            parts.append(Vector.from_ints([_bias(compiled, seat.layer, own, factors)]))
        if len(rows):
            places.append(rows)
            parts.append(_weighted(compiled, seat.layer, own, numbers, factors))
    return Vector.concat(parts).scatter(circuit.domain, np.concatenate(places))


def _values(compiled: WideNetwork, column: RowColumn, own: slice, factors: list[int], secret: int) -> Vector:
    """sum over neurons of factor (bias, weights) on the rows where the layer reads them, with the random entry."""
    circuit, layer = compiled.circuit, column.layer
    rows, numbers = compiled.places(column)
    contiguous = np.array_equal(numbers, np.arange(numbers[0], numbers[0] + len(numbers)))
    inputs = slice(int(numbers[0]), int(numbers[-1]) + 1) if contiguous else numbers
    ends = [secret, _bias(compiled, layer, own, factors)] if compiled.has_bias(column) else [secret]
    end_rows = [compiled.blinding_position(layer), compiled.bias_row(layer)][: len(ends)]
    places = np.concatenate([np.array(end_rows, dtype=np.int64), rows])
    values = Vector.concat([Vector.from_ints(ends), _weighted(compiled, layer, own, inputs, factors)])
    return values.scatter(circuit.domain, places)
