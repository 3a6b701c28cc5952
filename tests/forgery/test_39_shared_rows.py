"""Line 39: where layers share rows of weights, a column of what they meet that is another picture's, a kind that is none, a kind of another
top, rows of any degree, and entries behind those in use.

Every lie is told by a trace that fits it, and by a column that stands for what the trace hands on.
"""

from __future__ import annotations

import random
from types import SimpleNamespace

import numpy as np
import pytest
from forger import WithTrace, claim_of
from freezing import ahead, blind_to, frozen_everywhere
from guards import without_constraint
from shared_cases import SHARED, shared_network
from verdicts import MISMATCH, NATIVE, PYTHON, accepted, refused
from wide_forger import wide_honest
from wide_owners import WideOwner, WideRowsForger
from wired_forger import patched

from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.gadgets.base import Cells, Run
from zkpredict.circuits.placement import form, placed
from zkpredict.circuits.shared.gadgets import Met
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.witness import complete_trace, filled_columns
from zkpredict.kernel import Vector
from zkpredict.prover import prove as rounds
from zkpredict.prover.commit import commit_model
from zkpredict.verifier.errors import FailedOpening

LENGTH = 4080
NAME = next(iter(SHARED))
HIDDEN = 2
"""The dense layer whose activations are lied about."""


@pytest.fixture(scope="module")
def case():
    """A model and two pictures that it tells apart."""
    for seed in range(100):
        network = shared_network(NAME, seed)
        pictures = np.random.default_rng(seed).integers(0, 256, (8, network.shape[0]), dtype=np.uint8)
        answers = network.infer(pictures).digits
        other = next((k for k in range(8) if answers[k] != answers[0]), None)
        if other is not None:
            return commit_model(network, 512, shared=True), pictures[0], pictures[other]
    raise AssertionError("no such network")


def sheet_of(compiled, pre_activations, digit):
    """These numbers in their lanes, with all that follows from them."""
    circuit = compiled.circuit
    stored = [np.array(z, dtype=np.int64) << scale for z, scale in zip(pre_activations, compiled.scales, strict=True)]
    cells = Cells({name: np.zeros(circuit.domain, dtype=np.int64) for name in filled_columns(circuit)})
    for gadget in placed(circuit):
        gadget.fill(cells, Run(stored, digit, np.zeros(circuit.inputs, dtype=np.uint8)))
    return {name: values.tolist() for name, values in complete_trace(circuit, cells).items()}


class Liar(WithTrace):
    """Its column is that of the activations `handed`, int64 arrays of each hidden layer."""

    handed: tuple[np.ndarray, ...] = ()

    def met_by_shared_rows(self) -> Vector:
        return self.compiled.met(list(self.handed), self.statement.input, self.challenges["alpha"]).intt()


class KnowsEta(Liar):
    """Makes the check hold at the eta that it knows, by an entry behind those in use."""

    honest: tuple[np.ndarray, ...] = ()

    def met_by_shared_rows(self) -> Vector:
        data, alpha = self.statement.input, self.challenges["alpha"]
        wrong, right = (self.compiled.met(list(own), data, alpha).to_ints() for own in (self.handed, self.honest))
        eta, spare = ahead(self, "folded", "trace")["eta"], self.circuit.entries + 1
        error = sum((a - b) * pow(eta, at, MODULUS) for at, (a, b) in enumerate(zip(wrong, right)))
        wrong[spare] = (wrong[spare] - error * inverse(pow(eta, spare, MODULUS))) % MODULUS
        return Vector.from_ints(wrong).intt()


def of_another(case, kind):
    """The claim that the first picture has the second one's class: the first layer of one, all others of the other."""
    model, image, other = case
    mine, theirs = (model.network.infer(one[None]) for one in (image, other))
    run = [mine.pre_activations[0][0], *(z[0] for z in theirs.pre_activations[1:])]
    digit = int(theirs.digits[0])
    prover = kind(model, Statement(image.tobytes(), digit), chosen=sheet_of(model.compiled, run, digit))
    prover.handed = tuple(own[0] for own in theirs.activations)
    prover.honest = (mine.activations[0][0], *prover.handed[1:])
    return claim_of(prover), digit


def test_a_column_of_another_picture(case):
    model, image, other = case
    assert accepted(wide_honest(model, image), PYTHON) == model.predict(image) != model.predict(other)
    claim, digit = of_another(case, Liar)
    refused(claim, FailedOpening, MISMATCH, PYTHON)
    with frozen_everywhere(eta=0):
        assert accepted(of_another(case, Liar)[0], PYTHON) == digit


def test_the_column_is_absorbed_before_eta_is_drawn(case):
    claim, digit = of_another(case, KnowsEta)
    refused(claim, FailedOpening, MISMATCH, NATIVE)
    messages = tuple(message.name for message in form(case[0].commitment.circuit).rounds[:-1])
    with blind_to("folded", messages):
        assert accepted(of_another(case, KnowsEta)[0], NATIVE) == digit


def kind_of(z, scale):
    """The top, the middle byte and the kind of a lane."""
    number = (int(z) << scale) + (1 << 23)
    top, mid = number >> 16, number >> 8 & 255
    return top, mid, 0 if top < 128 else 2 if top == 128 else 1


def said_of(kind, mid):
    """What a lane of any kind hands on, as an integer."""
    return (kind * (kind - 1) // 2 * mid + 255 * kind * (2 - kind)) % MODULUS


def lies(model, image, kind, when):
    """Every neuron of the hidden dense layer whose lane `when` holds, that as one of this kind would change the class: its lane, what is
    handed on then, the logits and their class."""
    network, compiled = model.network, model.compiled
    found, run = [], network.infer(image[None])
    weights, bias = network.layers[-1].weights.astype(object), network.layers[-1].bias.astype(object)
    (band,) = compiled.circuit.groups(HIDDEN)
    places = list(band.pack_places())
    for neuron, z in enumerate(run.pre_activations[HIDDEN][0]):
        top, mid, true = kind_of(z, compiled.scales[HIDDEN])
        if true == kind or not when(top):
            continue
        handed = [int(value) for value in run.activations[HIDDEN][0]]
        value = kind * (kind - 1) // 2 * mid + 255 * kind * (2 - kind)
        handed[neuron] = value
        logits = (weights @ np.array(handed, dtype=object) + bias).tolist()
        digit = logits.index(max(logits))
        if digit != int(run.digits[0]):
            track, row = places[neuron // 10]
            found.append(((track, row + neuron % 10), handed, logits, digit))
    return found


def lie_of(case, kind, when):
    """The first picture of which such a lie makes another class."""
    model = case[0]
    for seed in range(300):
        image = np.random.default_rng(seed).integers(0, 256, model.network.shape[0], dtype=np.uint8)
        for found in lies(model, image, kind, when):
            return image, *found
    raise AssertionError(f"no neuron of kind {kind} makes another class")


def kind_claim(case, lie, kind, counted):
    """The claim with this kind in one lane; `counted`: whether its key is a plain byte's then."""
    model, (image, (track, row), handed, logits, digit) = case[0], lie
    run = model.network.infer(image[None])
    sheet = sheet_of(model.compiled, [*(z[0] for z in run.pre_activations[:-1]), np.array(logits)], digit)
    top, true = sheet[f"top{track}"][row], sheet[f"kind{track}"][row]
    sheet[f"kind{track}"][row] = kind
    if counted:
        step = model.commitment.circuit.domain // 512
        upper = 511 if true == 2 else 4 * (top - 129) + 3 if true == 1 else 4 * top + 1
        sheet["mult"][step * upper] -= 1
        sheet["mult"][step * 2 * top] += 1
    prover = Liar(model, Statement(image.tobytes(), digit), chosen=sheet)
    prover.handed = (*(own[0] for own in run.activations[:HIDDEN]), np.array(handed, dtype=object))
    return claim_of(prover)


def test_a_kind_that_is_none(case):
    """Kind -1 has the key of a byte, and hands on mid - 765."""
    lie = lie_of(case, -1, lambda top: True)
    refused(kind_claim(case, lie, -1, True), FailedOpening, MISMATCH, PYTHON)
    names = [f"kind of track {track} is 0, 1 or 2" for track in range(case[0].commitment.circuit.tracks)]
    with without_constraint(*names):
        assert accepted(kind_claim(case, lie, -1, True), NATIVE) == lie[-1]


@pytest.mark.parametrize("kind, when", [(2, lambda top: top > 128), (1, lambda top: top < 128), (0, lambda top: top >= 128)], ids=["exact", "large", "negative"])
def test_a_kind_of_another_top(case, kind, when):
    """With gamma 0 a top is in the table under any tag."""
    lie = lie_of(case, kind, when)
    refused(kind_claim(case, lie, kind, False), FailedOpening, MISMATCH, PYTHON)
    with frozen_everywhere(gamma=0):
        assert accepted(kind_claim(case, lie, kind, False), PYTHON) == lie[-1]


# a hostile owner


@pytest.fixture
def room(monkeypatch):
    """A quotient for rows of any degree."""
    monkeypatch.setattr(rounds, "quotient_length", lambda circuit: 9 * circuit.domain)


def hostile(compiled, seed):
    """The network's rows with random entries behind those in use, and a random multiple of X^n - 1."""
    source, circuit, n, rows = random.Random(seed), compiled.circuit, compiled.circuit.domain, []
    for plain in compiled.all_rows:
        row = [value if at < circuit.entries else source.randrange(MODULUS) for at, value in enumerate(plain)]
        row += [0] * (LENGTH - n)
        for at in range(LENGTH - n):
            value = source.randrange(MODULUS)
            row[at], row[at + n] = (row[at] - value) % MODULUS, (row[at + n] + value) % MODULUS
        rows.append(row)
    return WideOwner(circuit, {circuit.row_columns[0].name: rows})


class Owner(WideRowsForger):
    """Its column is that of the activations `handed`, and behind the entries in use, at `spare`, what makes up for `moved` in the first pack
    of the last layer."""

    handed: tuple[np.ndarray, ...] = ()
    spare = None
    moved = 0

    def met_by_shared_rows(self) -> Vector:
        alpha, n = self.challenges["alpha"], self.circuit.domain
        found = self.compiled.met(list(self.handed), self.statement.input, alpha).to_ints()
        if self.spare is not None:
            (column,) = self.circuit.row_columns
            there = sum(weight * sum(row[self.spare :: n]) for weight, row in zip(column.weights(alpha), self.owner.rows[column.name], strict=True))
            found[self.spare] = self.moved * pow(alpha, next(self.circuit.output.exponents()), MODULUS) * inverse(there % MODULUS) % MODULUS
        return Vector.from_ints(found).intt()


def attempt(owner, compiled, image, digit, logits=None, spare=None, moved=0):
    """The claim that the image has this class, with these logits or the network's own."""
    run = compiled.network.infer(image[None])
    z = [*(one[0] for one in run.pre_activations[:-1]), run.logits[0] if logits is None else np.array(logits)]
    model = SimpleNamespace(commitment=owner.commitment, compiled=compiled, secrets=())
    prover = Owner(model, Statement(image.tobytes(), digit), owner=owner, chosen=sheet_of(compiled, z, digit))
    prover.handed, prover.spare, prover.moved = tuple(own[0] for own in run.activations), spare, moved
    return claim_of(prover)


@pytest.mark.parametrize("seed", range(2))
def test_one_input_has_one_class(case, room, seed):
    model, image, _ = case
    owner, truth = hostile(model.compiled, seed), model.predict(image)
    for digit in range(3):
        claim = attempt(owner, model.compiled, image, digit)
        if digit == truth:
            assert accepted(claim, PYTHON if seed == 0 else NATIVE) == truth
        else:
            refused(claim, FailedOpening, MISMATCH, NATIVE)


class Without:
    """A polynomial in coefficients, without one of its terms."""

    def __init__(self, whole, at):
        self.whole, self.at = whole, at

    def coefficients(self):
        found = self.whole.coefficients()
        return [*found[: self.at], 0, *found[self.at + 1 :]]

    def evaluate(self, point, domain):
        gone = self.whole.scale * pow(self.whole.ratio * point, self.at, MODULUS)
        return (self.whole.evaluate(point, domain) - gone) % MODULUS


def test_entries_behind_those_in_use_must_be_zero(case, room):
    """With a check that leaves one of them out it meets what the owner has put there: any class."""
    model, image, _ = case
    compiled, owner = model.compiled, hostile(model.compiled, 5)
    z = [int(value) for value in model.network.infer(image[None]).logits[0]]
    other = (model.predict(image) + 1) % 3
    logits = [value + (1000 + max(z) - z[other]) * (at == other) for at, value in enumerate(z)]
    factors = compiled.factors(compiled.circuit.layers - 1)
    moved = sum(int(factor) * (b - a) for factor, a, b in zip(factors, z, logits, strict=True))
    lie = (owner, compiled, image, other, logits, compiled.circuit.entries + 5, moved)
    refused(attempt(*lie), FailedOpening, MISMATCH, NATIVE)
    true = Met.late_publics

    def without_one(self, statement, challenges):
        found = true(self, statement, challenges)
        return found | {"powers": Without(found["powers"], lie[-2])}

    with patched(Met, "late_publics", without_one):
        assert accepted(attempt(*lie), NATIVE) == other
