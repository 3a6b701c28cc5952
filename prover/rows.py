"""The committed rows of a model as vectors: each with its random entry (to commit), and combined by powers of alpha (to prove).

Combining weighs the weights themselves, a few nanoseconds each, and never makes the packed rows in Python ints: the twins that do are
`all_rows` of the compiled networks. Those of wide circuits are in `zkpredict.prover.wide_rows`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from zkpredict.circuits.choice import AnyCompiled
from zkpredict.circuits.compiler import CompiledNetwork
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.rows import RowColumn
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.kernel import Vector


def hidden_rows(compiled: AnyCompiled, secrets: Sequence[int]) -> Iterator[tuple[RowColumn, Vector]]:
    """Every committed row with its random entry, in order: coefficients for layer 0, values on the domain for later layers.

    One uniform entry on a point nobody reads makes each commitment uniform in the group, whatever the weights.
    """
    if isinstance(compiled.circuit, WideCircuit):
        from zkpredict.prover.wide_rows import hidden_wide_rows  # late, as below: most networks are in compact circuits

        return hidden_wide_rows(compiled, secrets)
    return _compact_rows(compiled, secrets) if isinstance(compiled, CompiledNetwork) else _second_rows(compiled, secrets)


def combined_rows(compiled: AnyCompiled, secrets: Sequence[int], alpha: int) -> dict[str, Vector]:
    """Every column of the model at a challenge, as coefficients: sum over its rows of alpha^exponent (row)."""
    if isinstance(compiled.circuit, WideCircuit):
        from zkpredict.prover.wide_rows import combined_wide_rows

        return combined_wide_rows(compiled, secrets, alpha)
    found: dict[str, Vector] = {}
    rows: dict[str, list[Vector]] = {}
    for column, row in hidden_rows(compiled, secrets):
        rows.setdefault(column.name, []).append(row)
    before: list[Vector] = []
    for column in compiled.circuit.row_columns:
        before = before[-len(column.exponents) :] if column.again else rows[column.name]
        combined = Vector.linear_combination(before, column.weights(alpha))
        found[column.name] = combined if column.coefficients else combined.intt()
    return found


def _second_rows(compiled: AnyCompiled, secrets: Sequence[int]) -> Iterator[tuple[RowColumn, Vector]]:
    from zkpredict.circuits.second.compiler import SecondNetwork

    if not isinstance(compiled, SecondNetwork):
        raise TypeError(f"there are no rows for {type(compiled).__name__}")
    hiding, remaining = iter(compiled.hiding), iter(secrets)
    for column in compiled.circuit.row_columns:
        for row in compiled.rows[column.layer]:
            own = Vector.from_ints(next(hiding)) * next(remaining)
            yield column, Vector.linear_combination([Vector.from_ints(row), own], [1, 1])


def _compact_rows(compiled: CompiledNetwork, secrets: Sequence[int]) -> Iterator[tuple[RowColumn, Vector]]:
    circuit, remaining = compiled.circuit, iter(secrets)
    for column in circuit.row_columns:
        layer = column.layer
        packs, together = circuit.layer_groups[layer].packs, circuit.packs_per_row(layer)
        for first in range(0, packs, together):
            parts = [_pack(compiled, layer, pack) for pack in range(first, min(first + together, packs))]
            if column.coefficients:
                yield column, with_secret(circuit.domain, parts, next(remaining))
                continue
            places = [row for place in range(len(parts)) for row in compiled.entry_positions(layer, place)]
            values = Vector.concat([*parts, Vector.from_ints([next(remaining)])])
            yield column, values.scatter(circuit.domain, [*places, compiled.blinding_position(layer)])


def _pack(compiled: CompiledNetwork, number: int, pack: int) -> Vector:
    """Packed bias and weights: sum over the values k of a pack of 2^(shift of k + scale) (b[k], W[k])."""
    layer, group = compiled.network.layers[number], compiled.circuit.layer_groups[number]
    first = pack * group.values_per_pack
    last = min(first + group.values_per_pack, group.outputs)
    factors = [1 << (group.value_shift(index) + compiled.scales[number]) for index in range(first, last)]
    bias = sum(factor * offset for factor, offset in zip(factors, layer.offsets[first:last], strict=True)) % MODULUS
    weights = layer.narrow[first:last] if layer.octets is None else layer.octets.buffer(first, last)
    return Vector.concat([Vector.from_ints([bias]), Vector.combine_rows(weights, factors)])


def with_secret(domain: int, parts: list[Vector], secret: int) -> Vector:
    """The parts one after another, zeros, and the random entry as the last coefficient."""
    return Vector.concat([*parts, Vector.zeros(domain - 1 - sum(map(len, parts))), Vector.from_ints([secret])])
