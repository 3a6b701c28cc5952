"""Circuits with replicas for the independent verifier: which packs share a row, by counting, and what each is multiplied with.

As for other wide circuits, where lanes lie is the circuit's to say; weights and public polynomials are made here.
"""

from __future__ import annotations

from collections.abc import Iterator

from py_ecc.optimized_bls12_381 import curve_order as ORDER

from zkpredict.circuits.networks.activations import Activation
from zkpredict.circuits.wide.geometry import Band
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.verifier.independent_compact import lagrange_basis
from zkpredict.verifier.independent_wide import BIAS, BLOCK, band_exponents, input_columns, input_values, shared_values

Joined = dict[tuple[int, int], list[tuple[int, Band, int, int | None]]]
"""For each joined row, by track and number: layer, what it reads, weight, and the row of the bias if it lies there."""


def replica_row_weights(circuit: ReplicaCircuit, alpha: int) -> dict[str, list[int]]:
    """Each column of the model as the weights of its row points, in the order of the commitment: those of the first layer added up
    over its replicas, joined rows once."""
    found: dict[str, list[int]] = {}
    for band in circuit.groups(0):
        for name, exponents in input_columns(circuit, band).items():
            before = found.get(name, [0] * len(exponents))
            found[name] = [(sum_ + pow(alpha, e, ORDER)) % ORDER for sum_, e in zip(before, exponents, strict=True)]
    return found | {f"rows_{track}_{number}": [1] for track, number in _joined(circuit, alpha)}


def replica_values(
    circuit: ReplicaCircuit, image: bytes, digit: int, outputs: tuple[int, ...], alpha: int, point: int
) -> dict[str, int]:
    """All public polynomials at a `point` outside the domain."""
    basis = lagrange_basis(circuit.domain, point)
    found = shared_values(circuit, digit, outputs, alpha, point, basis) | input_values(circuit, image, alpha, point)
    kinds: list[Activation] = []
    for activation in circuit.activations:
        kinds += [] if activation in kinds else [activation]
    for (track, number), packs in _joined(circuit, alpha).items():
        for layer, band, weight, bias in packs:
            name = f"reads{kinds.index(circuit.activations[layer - 1])}_{track}_{number}"
            rows = [row + place for own, row in band.pack_places() if own == track for place in band.heads]
            found[name] = (found.get(name, 0) + weight * sum(basis[row] for row in rows)) % ORDER
            if bias is not None:
                name = f"bias_{track}_{number}"
                found[name] = (found.get(name, 0) + weight * basis[bias]) % ORDER
    return found


def _joined(circuit: ReplicaCircuit, alpha: int) -> Joined:
    """Every joined row that holds a pack, tracks one after another. Biases lie on row 30 of block after block of a number, on the first
    track that the pack reads."""
    found: Joined = {}
    for number in range(circuit.joined):
        for place, (layer, band, weight) in enumerate(_packs(circuit, number, alpha)):
            tracks = sorted({track for track, _ in band.pack_places()})
            for track in tracks:
                bias = BLOCK * place + BIAS if track == tracks[0] else None
                found.setdefault((track, number), []).append((layer, band, weight, bias))
    return dict(sorted(found.items()))


def _packs(circuit: ReplicaCircuit, number: int, alpha: int) -> Iterator[tuple[int, Band, int]]:
    """The packs of the joined rows of a number: layer, the replica that it reads, weight."""
    for layer in range(1, circuit.layers):
        last = layer == circuit.layers - 1
        every = [band_exponents(circuit, band) for band in ((circuit.output,) if last else circuit.groups(layer))]
        before = circuit.groups(layer - 1)
        for copy, band in enumerate(before):
            pack = number * len(before) + copy
            if pack < len(every[0]):
                yield layer, band, sum(pow(alpha, own[pack], ORDER) for own in every) % ORDER
