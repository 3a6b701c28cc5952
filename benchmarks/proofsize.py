"""What a proof consists of, part by part, in the file and on the chain, and how that grows with the network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from zkpredict.circuits.batch.layout import BatchCircuit
from zkpredict.circuits.columns import Form, Origin
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.circuits.placement import COMPACT_FORM, AnyCircuit, form
from zkpredict.circuits.statement import OUTPUT_BYTES
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.prover.batch import images_each
from zkpredict.prover.model import Model
from zkpredict.verifier.batch import batch_file_bytes
from zkpredict.verifier.costs import estimate_costs, weights_of
from zkpredict.verifier.messages import HEADER_BYTES, POINT_BYTES, SCALAR_BYTES

BATCHES = (16, 128, 1024)
FINAL_POINTS = ("opening", "final")
UNCOMPRESSED = 2 * POINT_BYTES


@dataclass(frozen=True)
class Part:
    """`file_bytes` in the proof file, `onchain_bytes` in the contract's proof argument."""

    name: str
    count: int
    file_bytes: int
    onchain_bytes: int


def parts(shape: Form = COMPACT_FORM) -> list[Part]:
    """The parts of every proof of this form, in order of the file. On the chain all points but the last are uncompressed, without a header."""
    openings = [name for name in shape.points if name in FINAL_POINTS]
    columns, scalars = len(shape.points) - len(openings), len(shape.scalars)
    return [
        Part("header: magic, model id, digit", 1, HEADER_BYTES, 0),
        *([Part("public outputs", shape.outputs, shape.outputs * OUTPUT_BYTES, shape.outputs * OUTPUT_BYTES)] if shape.outputs else []),
        Part("commitments to columns", columns, columns * POINT_BYTES, columns * UNCOMPRESSED),
        Part("scalars", scalars, scalars * SCALAR_BYTES, scalars * SCALAR_BYTES),
        Part("opening", len(openings), len(openings) * POINT_BYTES, (len(openings) - 1) * UNCOMPRESSED + POINT_BYTES),
    ]


@dataclass(frozen=True)
class Growth:
    """What one more of something does: `widths` of the network, and its costs, or why no circuit holds it."""

    what: str
    widths: tuple[int, ...]
    weights: int
    proof_bytes: int | None
    registry_bytes: int | None
    folded_points: int | None
    refused: str = ""


def growth(model: Model) -> Iterator[Growth]:
    """The model's own circuit; proofs of batches where it has them; then, unless maps hang on its widths, with more inputs, neurons, layers
    and classes, each twice as many, same kinds of lanes and gates."""
    circuit = model.compiled.circuit
    widths, hidden = circuit.widths, len(circuit.widths) > 2
    yield _grown("this model", circuit, widths)
    yield from (_batch(circuit, count) for count in BATCHES if has_batches(circuit))
    if isinstance(circuit, ConvCircuit):
        return
    yield _grown("twice the inputs", circuit, (2 * widths[0], *widths[1:]))
    if hidden:
        yield _grown("twice the hidden neurons", circuit, (widths[0], *(2 * width for width in widths[1:-1]), widths[-1]))
        yield _grown("one more hidden layer", circuit, (*widths[:-1], widths[-2], widths[-1]))
    yield _grown("twice the classes", circuit, (*widths[:-1], 2 * widths[-1]))


def _grown(what: str, circuit: AnyCircuit, widths: tuple[int, ...]) -> Growth:
    try:
        grown = _like(circuit, widths)
        costs = estimate_costs(grown)
    except UnsupportedNetwork as refusal:
        return Growth(what, widths, sum(one * following for one, following in pairwise(widths)), None, None, None, str(refusal))
    weights = weights_of(grown)
    return Growth(what, widths, weights, costs.proof_bytes, costs.registry_bytes, costs.folded_points)


def has_batches(circuit: AnyCircuit) -> bool:
    """Whether one proof can be about several inputs of models in this circuit."""
    try:
        BatchCircuit.of(circuit, 1)
    except UnsupportedNetwork:
        return False
    return True


def _batch(circuit: AnyCircuit, count: int) -> Growth:
    """One proof of `count` inputs, in parts where it takes several."""
    weights, each = weights_of(circuit), min(count, images_each(circuit))
    what = f"{count:,} inputs" + (f", in {-(-count // each)} parts" if count > each else "")
    shape = form(BatchCircuit.of(circuit, each))
    points = circuit.total_rows + len(shape.points) - 1 + sum(column.origin is Origin.FIXED for column in shape.columns)
    return Growth(what, circuit.widths, weights, batch_file_bytes(circuit, count, each), estimate_costs(circuit).registry_bytes, points)


def _like(circuit: AnyCircuit, widths: tuple[int, ...]) -> AnyCircuit:
    """The same circuit for these widths; one more hidden layer is like the last one. Raises `UnsupportedNetwork`."""
    if widths == circuit.widths:
        return circuit
    deeper = len(widths) > len(circuit.widths)
    if isinstance(circuit, WideCircuit):
        lanes, gates = circuit.lanes, circuit.activations
        return replace(
            circuit, widths=widths, lanes=(*lanes, lanes[-1]) if deeper else lanes, activations=(*gates, gates[-1]) if deeper else gates
        )
    lanes = circuit.lanes
    if isinstance(circuit, SecondCircuit):
        return replace(circuit, widths=widths, lanes=(*lanes, lanes[-1]) if deeper else lanes)
    return Circuit(widths, (*lanes[:-1], lanes[-2], lanes[-1]) if deeper else lanes, circuit.domain)
