"""What follows from a circuit with convolutions, as a hash of each kind of it: the same words for the stored ones and for those of today."""

from __future__ import annotations

import hashlib

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.batch.statement import BatchStatement
from zkpredict.circuits.constraints import constraints, evaluate_publics
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.degrees import quotient_length
from zkpredict.circuits.placement import form
from zkpredict.circuits.statement import Statement

DRAWN = {name: (3 + number) ** 140 % (1 << 250) for number, name in enumerate(("alpha", "beta", "gamma", "theta", "eta", "delta"))}
POINT = 5**90 % (1 << 240)


def facts_of(circuit: ConvCircuit) -> dict[str, str]:
    """By kind: where things lie, what rows weigh, the shape of a proof, public polynomials at a point, and those of a batch of two."""
    inputs = hashlib.shake_256(circuit.digest).digest(2 * circuit.inputs)
    one, two = Statement(inputs[: circuit.inputs], 1), BatchStatement.of(inputs, (1, 0))
    batch = BatchCircuit.of(circuit, 2)
    found = {
        "places": [places_of(circuit, layer) for layer in range(circuit.layers)] + [circuit.tracks, circuit.folded, circuit.picture, circuit.digest],
        "rows": [(row.name, row.layer, row.coefficients, list(row.exponents), row.again) for row in circuit.row_columns],
        "shape": shape_of(circuit), "publics": sorted(evaluate_publics(circuit, one, DRAWN["alpha"], POINT, DRAWN).items()),
        "batch": [shape_of(batch), sorted(evaluate_publics(batch, two, DRAWN["alpha"], POINT, DRAWN).items())],
    }  # fmt: skip
    return {kind: hashlib.sha256(repr(one).encode()).hexdigest()[:16] for kind, one in found.items()}


def places_of(circuit: ConvCircuit, layer: int) -> tuple:
    """What a layer reads, and where its numbers lie."""
    bands = [(band.values, band.lanes, list(band.pack_places()), list(band.exponents())) for band in circuit.groups(layer)]
    kind = circuit.is_pool(layer), circuit.is_convolution(layer), circuit.channels(layer), circuit.positions(layer), circuit.in_words(layer)
    if not circuit.is_convolution(layer):
        return (*kind, bands)
    pieces = [(list(circuit.piece_packs(layer, one)), circuit.position_exponents(layer, one)) for one in circuit.pieces(layer)]
    return (*kind, bands, pieces, circuit.chunks_of(layer), circuit.taps(layer), circuit.tap_channels(layer))


def shape_of(circuit: ConvCircuit) -> tuple:
    """Messages, claims, constraints, degrees."""
    shape = form(circuit)
    return shape.rounds, shape.stated, shape.claims, shape.blinders, [one.name for one in constraints(circuit)], quotient_length(circuit)
