"""Lies in wide circuits: a trace by hand, lane by lane, and everything downstream recomputed by `forger.Forger`.

A `Sheet` is a trace as lists of ints of any size. `settle` completes it as the constraints prescribe, so that a forger changes one
thing and only the guard under test is in the way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from forger import Claim, WithTrace, claim_of, layer_of

from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.gadgets.base import Cells, Run
from zkpredict.circuits.networks.activations import RELU, Activation, Rational
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import placed
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import CLASS, Kind
from zkpredict.circuits.wide.claims import Claim as Said
from zkpredict.circuits.wide.geometry import Band
from zkpredict.circuits.wide.keys import TABLES
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.witness import filled_columns
from zkpredict.prover.commit import commit_model
from zkpredict.prover.model import Model
from zkpredict.prover.prove import Prover, statement_of

Sheet = dict[str, list[int]]
Change = Callable[[int, int], int | None]
"""From a neuron's pre-activation and activation to what a forger would have it be."""
Place = tuple[int, int]
"""Track and row of a lane."""
LANE = 1 << 24
LARGEST, LESS_MARGIN = ((0, 30), (0, 31)), ((0, 62), (0, 63))


def wide_network(
    seed: int, shape: Sequence[int], activation: Activation = RELU, shift: int = 8, largest: int = 20, bias: int = 99
) -> IntegerNetwork:
    """Weights in -largest..largest, biases in -bias..bias; every hidden layer has the same activation and shift."""
    source, layers = np.random.default_rng(seed), []
    for number, (inputs, outputs) in enumerate(zip(shape, shape[1:])):
        last = number == len(shape) - 2
        weights = source.integers(-largest, largest + 1, (outputs, inputs))
        own = source.integers(-bias, bias + 1, outputs)
        layers.append(DenseLayer(weights, own, 0 if last else shift, RELU if last else activation))
    return IntegerNetwork(tuple(layers))


def committed(network: IntegerNetwork, claim: Said = CLASS, domain: int | None = 512, joined: int | None = None) -> Model:
    """In a wide circuit, however small the network is; with replicas if rows are to be joined."""
    return commit_model(network, domain=domain, claim=claim, placement="wide", joined=joined)


def wide_honest(model: Model, image: np.ndarray) -> Claim:
    """The honest twin."""
    return claim_of(Prover(model, statement_of(model, image, model.predict(image))))


def wide_claim(model: Model, image: np.ndarray, digit: int, sheet: Sheet, outputs: tuple[int, ...] = ()) -> Claim:
    """A claim on a trace of the forger's choice."""
    return claim_of(WithTrace(model, Statement(image.tobytes(), digit, outputs), chosen=sheet))


# traces by hand


def activations_after(network: IntegerNetwork, number: int, z: Iterable[int]) -> list[int]:
    """What layer `number` hands on."""
    layer = network.layers[number]
    return [layer.activation.apply_int(value, layer.shift) for value in z]


def wide_run(network: IntegerNetwork, inputs: Sequence[int], first: int = 0) -> list[list[int]]:
    """Pre-activations of the layers from `first` on, which reads `inputs`, in Python ints."""
    found = [layer_of(network, first, inputs)]
    for number in range(first + 1, len(network.layers)):
        found.append(layer_of(network, number, activations_after(network, number - 1, found[-1])))
    return found


def sheet_of(model: Model, pre_activations: Sequence[Sequence[int]], digit: int) -> Sheet:
    """These pre-activations in their lanes, and the ends that go with `digit`, as residues where they are negative."""
    compiled = model.compiled
    stored = [np.array(z, dtype=np.int64) << scale for z, scale in zip(pre_activations, compiled.scales, strict=True)]
    cells = Cells({name: np.zeros(compiled.circuit.domain, dtype=np.int64) for name in filled_columns(compiled.circuit)})
    for gadget in placed(compiled.circuit):
        gadget.fill(cells, Run(stored, digit, np.zeros(compiled.circuit.inputs, dtype=np.uint8)))  # the input lies on no row
    return settle(compiled.circuit, {name: values.tolist() for name, values in cells.items()})


def place_of(band: Band, index: int) -> Place:
    """The highest lane of value `index`."""
    pack, place = divmod(index, band.values_per_pack)
    track, row = list(band.pack_places())[pack]
    return track, row + place * band.lanes


def number_at(sheet: Sheet, place: Place) -> int:
    """What a lane holds, whatever its limbs are."""
    track, row = place
    return 65536 * sheet[f"top{track}"][row] + 256 * sheet[f"mid{track}"][row] + sheet[f"low{track}"][row]


def put(sheet: Sheet, place: Place, number: int) -> None:
    """A lane's number as limbs: middle and low are bytes, top takes all the rest."""
    track, row = place
    for name, limb in (("top", number >> 16), ("mid", number >> 8 & 255), ("low", number & 255)):
        sheet[f"{name}{track}"][row] = limb


def put_double(sheet: Sheet, places: tuple[Place, Place], number: int) -> None:
    """A number of two lanes, modulo 2^48."""
    for place, limb in zip(places, divmod(number % LANE**2, LANE)):
        put(sheet, place, limb)


def double_at(place: Place) -> tuple[Place, Place]:
    """Both lanes of a double value."""
    return place, (place[0], place[1] + 1)


def settle(
    circuit: WideCircuit, sheet: Sheet, bits: dict[tuple[str, int], int] | None = None, gamma: int | None = None
) -> Sheet:
    """All that follows from the limbs; `bits` overrides a cell (column, row) before multiplicities are counted. `gamma`: that
    challenge, for forgers who know it."""
    sheet = {name: list(values) for name, values in sheet.items()}
    for track in range(circuit.tracks):
        tops = sheet[f"top{track}"]
        sheet[f"sign{track}"] = [int(top >= 128) for top in tops]
        if circuit.saturates:
            sheet[f"exact{track}"] = [int(top == 128) for top in tops]
        if circuit.rational is not None:
            for row in range(circuit.domain):
                divide(circuit.rational, sheet, (track, row))
    for (name, row), value in (bits or {}).items():
        sheet[name][row] = value
    return count(circuit, sheet, gamma)


def divide(rational: Rational, sheet: Sheet, place: Place, shift: int = 0, quotient: int | None = None) -> None:
    """The quotient of a row (or one that is `shift` off, or `quotient`), with the remainder that goes with it, by its own loop."""
    track, row = place
    u = 256 * sheet[f"top{track}"][row] + sheet[f"mid{track}"][row] - 32768
    above, below = rational.numerator(u), rational.denominator(u)
    halves = f"odd_value{track}" in sheet
    below //= 2 if halves else 1
    whole = (above // below if quotient is None else quotient) + shift
    if halves:
        sheet[f"odd_value{track}"][row] = whole & 1
    rest = above - whole * below
    words = {"value": (whole >> halves) + 32768, "rem": rest, "room": below - 1 - rest}
    for name, word in words.items():
        sheet[f"{name}_high{track}"][row], sheet[f"{name}_low{track}"][row] = word >> 8, word & 255


def count(circuit: WideCircuit, sheet: Sheet, gamma: int | None = None) -> Sheet:
    """Multiplicities: how often each entry of the table is looked up, what is in no table left out. With a known `gamma` what is
    under one tag may pass for what is under another."""
    entries = TABLES["codes_relu8" if circuit.saturates else "codes_relu"]
    weight = 1 << 300 if gamma is None else gamma
    place: dict[int, int] = {}
    for number, entry in enumerate(entries):
        place.setdefault((0, 1, 0, 2)[number % 4] * weight + entry, number)
    counts = [0] * len(entries)
    for track in range(circuit.tracks):
        plain = ("mid", "low", *(f"{word}_{half}" for word in ("value", "rem", "room") for half in ("high", "low")))
        for name in plain:
            for value in sheet.get(f"{name}{track}", []):
                if value in place:
                    counts[place[value]] += 1
        exact = sheet.get(f"exact{track}", [0] * circuit.domain)
        for top, sign, is_exact in zip(sheet[f"top{track}"], sheet[f"sign{track}"], exact, strict=True):
            key = (1 + sign) * weight + top + is_exact
            if key in place:
                counts[place[key]] += 1
    step = circuit.domain // len(entries)
    sheet["mult"] = [counts[row // step] if row % step == 0 else 0 for row in range(circuit.domain)]
    return sheet


@dataclass(frozen=True)
class WideLie:
    """A hidden activation of the first layer that is not the network's, and what the network would say then."""

    neuron: int
    pre_activations: list[list[int]]
    digit: int


def wide_lies(network: IntegerNetwork, image: np.ndarray, change: Change) -> list[WideLie]:
    """Every neuron whose activation, changed by `change(z, activation)` (None: cannot be), changes the class."""
    honest_run = wide_run(network, image.tolist())
    truth = honest_run[-1].index(max(honest_run[-1]))
    honest, found = activations_after(network, 0, honest_run[0]), []
    for neuron, value in enumerate(honest):
        other = change(honest_run[0][neuron], value)
        if other is None or other == value:
            continue
        later = wide_run(network, [other if at == neuron else a for at, a in enumerate(honest)], 1)
        digit = later[-1].index(max(later[-1]))
        if digit != truth:
            found.append(WideLie(neuron, [honest_run[0], *later], digit))
    return found


def deceivable(image: np.ndarray, changes: Sequence[Change], **network: object) -> IntegerNetwork:
    """The first network of its kind in which each of these changes of some neuron changes the class."""
    for seed in range(300):
        found = wide_network(seed, **network)
        if all(wide_lies(found, image, change) for change in changes):
            return found
    raise AssertionError("no such network")


def lane_before(place: Place) -> Place:
    """The lane above in the same pack; for the first lane of a pack there is none."""
    track, row = place
    assert row % 32 % 10
    return track, row - 1


def is_public(model: Model) -> bool:
    """Whether the outputs are part of the statement."""
    return model.commitment.circuit.claim.kind is Kind.LOGITS


def modulo(value: int) -> int:
    """A signed number as a field element."""
    return value % MODULUS
