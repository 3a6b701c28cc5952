"""Proofs of wide circuits say nothing of weights or activations: rank of what they show, a simulator, uniformity, and a scan.

Each count has a twin that sees a leak.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from distributions import SIGNIFICANCE, bits_p, buckets, uniform_p
from support import random_image
from trapdoor import BOTH, Simulator, ceremony_of, random_scalar
from wide_forms import MOVED, WideView, columns_of, blinder_rows, leaked

from zkpredict.circuits.columns import linearised_name
from zkpredict.circuits.constraints import evaluate_publics
from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.networks.activations import RELU, RELU8, RationalRelu
from zkpredict.circuits.networks.convolution import ConvLayer
from zkpredict.circuits.networks.grid import Grid
from zkpredict.circuits.networks.pooling import MaxPoolLayer
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.networks.wiring import Wiring
from zkpredict.circuits.placement import QUOTIENT_SPLIT, form
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.kernel import Vector
from zkpredict.prover import prove as rounds
from zkpredict.prover.commit import commit_model
from zkpredict.prover.prove import Prover, statement_of
from zkpredict.verifier import independent
from zkpredict.verifier.messages import derive_challenges
from zkpredict.verifier.native import parse_proof, verify

SHAPE = (20, 12, 4)
KINDS = {
    "class": (RELU8, CLASS, 1024),
    "logits": (RELU, Claim(Kind.LOGITS), 1024),
    "margin, rational": (RationalRelu(4096), Claim(Kind.MARGIN, 1), 1024),
    "class, split quotient": (RELU8, CLASS, 2048),
    "max pool and residual": (None, CLASS, 1024),
}
MANY, PILE = 2000, 24
STATED_X = 1 << 377


def maps(source) -> IntegerNetwork:
    """A convolution, a max pool, and kernels that read the sum of two layers."""

    def numbers(outputs, taps):
        return source.integers(-20, 21, (outputs, taps)), source.integers(-99, 100, outputs)

    return IntegerNetwork((
        ConvLayer(*numbers(2, 9), 4, RELU8, Grid(4, 5, 1, 3, 3, 1, 1, 1, 1, 1, 1)),
        MaxPoolLayer(Grid(4, 5, 2, 2, 2, 2)),
        ConvLayer(*numbers(2, 2), 4, RELU8, Grid(2, 2, 2, 1, 1)),
        ConvLayer(*numbers(4, 8), geometry=Grid(2, 2, 2, 2, 2), wiring=Wiring((1, 2))),
    ))  # fmt: skip


def network_of(activation, seed: int = 1, largest: int = 20) -> IntegerNetwork:
    source, layers = np.random.default_rng(seed), []
    if activation is None:
        return maps(source)
    for number, (inputs, outputs) in enumerate(zip(SHAPE, SHAPE[1:])):
        last = number == len(SHAPE) - 2
        weights = source.integers(-largest, largest + 1, (outputs, inputs))
        layers.append(DenseLayer(weights, source.integers(-99, 100, outputs), 0 if last else 4, RELU if last else activation))
    return IntegerNetwork(tuple(layers))


@pytest.fixture(scope="module")
def tau():
    """A test ceremony for two domains, in force while this module runs."""
    tau = random_scalar()
    with ceremony_of(tau, BOTH):
        yield tau


@pytest.fixture(scope="module")
def models(tau):
    return {name: commit_model(network_of(gate), domain, claim, "wide") for name, (gate, claim, domain) in KINDS.items()}


def proven(model, seed: int = 5) -> tuple[Prover, object, bytes]:
    image = random_image(seed, SHAPE[0])
    prover = Prover(model, statement_of(model, image, model.predict(image)))
    return prover, prover.prove(), image.tobytes()


def view_of(prover: Prover, proof, tau: int) -> WideView:
    """The adversary's view of an honest proof. What it has as points it is given as numbers."""
    challenges = derive_challenges(prover.circuit.digest, prover.statement, proof)
    at_tau = {name: column.coefficients.evaluate(tau) for name, column in prover.columns.items()}
    at_tau |= {name: coefficients.evaluate(tau) for name, coefficients in prover.row_coefficients.items()}
    at_tau |= {name: coefficients.evaluate(tau) for name, coefficients in prover.fixed.items()}
    publics = evaluate_publics(prover.circuit, prover.statement, challenges["alpha"], tau, challenges if "eta" in challenges else None)
    return WideView(prover.circuit, prover.statement, tau, challenges, proof.scalars, at_tau, publics)


@pytest.mark.parametrize("kind", KINDS)
def test_real_proofs_leak_nothing(tau, models, kind):
    """And the forms are those of the proofs that are made: at the prover's polynomials they give what a proof states."""
    prover, proof, _ = proven(models[kind])
    view, shape = view_of(prover, proof, tau), form(models[kind].commitment.circuit)
    forms = view.forms()
    assert len(forms) == len(view.columns) + prover.circuit.quotient_pieces + len(shape.scalars)
    for name, terms in forms.items():
        if name in proof.scalars:
            found = sum(c * prover.columns[column].coefficients.evaluate(z) for (column, z), c in terms.items()) % MODULUS
            assert found == proof.scalars[name]
    linear = forms[linearised_name(1)]
    assert {column for column, _ in linear} == {"fold", "sum"}
    assert leaked(view, shape.blinders) == 0


def test_2000_proofs_leak_nothing(tau, models):
    """With challenges, stated values and columns at tau drawn at random: what is linear in blinders does not depend on the rest."""
    circuit = models["class, split quotient"].commitment.circuit
    shape = form(circuit)
    for seed in range(MANY):
        statement = Statement(b"", seed % 4)
        challenges = {name: random_scalar() for message in shape.rounds for name in message.challenges} | {"rho": random_scalar() >> 15}
        publics, at_tau = defaultdict(random_scalar), defaultdict(random_scalar)
        view = RandomView(circuit, statement, tau, challenges, {}, at_tau, publics)
        assert leaked(view, shape.blinders) == 0


class RandomView(WideView):
    """Of a proof that nobody made: `linearised_next` by its coefficients, which are powers of delta."""

    def forms(self):
        import wide_forms

        with pytest.MonkeyPatch.context() as patch:
            delta = self.challenges["delta"]
            at = {0: {}, 1: {"fold": pow(delta, 7, MODULUS), "sum": pow(delta, 9, MODULUS)}}
            patch.setattr(wide_forms, "linearise", lambda *_: type("Linearised", (), {"at": at}))
            return super().forms()


@pytest.mark.parametrize("blinders, least", [(0, 10), (1, 3)])
def test_too_few_blinders_leak(tau, models, blinders, least):
    prover, proof, _ = proven(models["class"])
    assert leaked(view_of(prover, proof, tau), blinders) >= least


def test_a_quotient_cut_without_moving_anything_leaks(tau, models, monkeypatch):
    """The twin of `moved`: one piece then says something that no blinder hides."""
    prover, proof, _ = proven(models["class, split quotient"])
    view = view_of(prover, proof, tau)
    assert MOVED in columns_of(blinder_rows(view, 4))
    rows = [{key: c for key, c in row.items() if key[0] != MOVED} for row in blinder_rows(view, 4)]
    assert any(not row for row in rows)
    monkeypatch.setattr(rounds, "random_scalars", Vector.zeros)
    first, again = (proven(models["class, split quotient"])[0] for _ in range(2))
    assert first.quotient["quotient"][QUOTIENT_SPLIT:] == again.quotient["quotient"][QUOTIENT_SPLIT:] == Vector.zeros(4)


def test_the_pieces_are_the_quotient_and_are_drawn_anew(models):
    """Their sum has the quotient's length, and the coefficients that move are fresh in each proof."""
    pieces = [proven(models["class, split quotient"])[0].quotient for _ in range(2)]
    for quotient in pieces:
        assert len(quotient["quotient"]) == QUOTIENT_SPLIT + 4 and len(quotient["quotient_high"]) <= 4096
    moved = [quotient["quotient"][QUOTIENT_SPLIT:].to_ints() for quotient in pieces]
    assert not set(moved[0]) & set(moved[1]) and 0 not in moved[0]


# the simulator


@pytest.mark.parametrize("kind", KINDS)
def test_proofs_are_made_without_weights(tau, models, kind):
    """For any class, and any outputs: the simulator has tau, the row points and the input, and both verifiers accept."""
    commitment = models[kind].commitment
    simulator, image = Simulator(tau, commitment), random_image(9, SHAPE[0]).tobytes()
    for digit in (0, 3):
        outputs = tuple(100 * (place == digit) for place in range(4)) if commitment.circuit.claim.kind is Kind.LOGITS else ()
        proof = simulated(simulator, image, digit, outputs)
        verify(commitment, image, parse_proof(proof.to_bytes(), form(commitment.circuit)))
    assert independent.verify(commitment.to_bytes(), image, proof.to_bytes()) == 3


def simulated(simulator: Simulator, image: bytes, digit: int, outputs: tuple[int, ...] = ()):
    return simulator.prove(image, digit, outputs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_last_two_points_carry_nothing_of_their_own(tau, models, kind):
    prover, proof, _ = proven(models[kind])
    challenges = derive_challenges(prover.circuit.digest, prover.statement, proof)
    simulator = Simulator(tau, models[kind].commitment)
    assert simulator.opening(proof, prover.statement, challenges) == proof.points["opening"]
    assert simulator.final(proof, prover.statement, challenges) == proof.points["final"]


def test_no_value_of_a_row_or_of_the_table_is_stated(models):
    for model in models.values():
        shape = form(model.commitment.circuit)
        names = {name for name, _ in shape.stated}
        assert not [name for name in names if name.startswith(("rows", "kernels", "codes"))]
        assert {"fold", "sum"}.isdisjoint(names)


# honest proofs look like noise


def test_parts_of_honest_proofs_of_one_statement_are_uniform(tau, models):
    """Every point and every stated value of 24 proofs of one statement: all different, and no bit of them stands still."""
    model = models["class, split quotient"]
    proofs = [proven(model)[1] for _ in range(PILE)]
    for name in proofs[0].scalars:
        values = [proof.scalars[name] for proof in proofs]
        assert len(set(values)) == PILE
        assert min(uniform_p(buckets(values)), bits_p(values, 64)) > SIGNIFICANCE
    for name in proofs[0].points:
        values = [int.from_bytes(proof.points[name].to_compressed(), "big") % STATED_X for proof in proofs]
        assert len(set(values)) == PILE
        assert min(uniform_p(buckets(values, STATED_X)), bits_p(values, 64)) > SIGNIFICANCE


# nothing private in bytes, reprs and errors


def test_public_bytes_and_reprs_hold_no_weight(tau):
    """Weights of three bytes each: none of them, and no row secret, in any public byte, repr or refusal."""
    network = network_of(RELU8, 7, 30_000)
    shift = IntegerNetwork((DenseLayer(network.layers[0].weights, network.layers[0].bias, 14, RELU8), network.layers[1]))
    model = commit_model(shift, 1024, CLASS, "wide")
    prover, proof, image = proven(model)
    needles = {bytes(run) for layer in shift.layers for kind in ("<i2", ">i2", "<i8", ">i8") for run in runs(layer.weights.astype(kind).tobytes())}
    needles |= {secret.to_bytes(32, order) for secret in model.secrets for order in ("big", "little")}
    decimals = {str(secret) for secret in model.secrets} | {str(list(map(int, row[:3])))[1:-1] for row in shift.layers[0].weights}
    assert any(needle in model.to_bytes() for needle in needles)
    for data in (proof.to_bytes(), model.commitment.to_bytes(), model.commitment.circuit.to_bytes()):
        assert not [needle for needle in needles if needle in data]
    shown = "".join(map(repr, (model, model.compiled, prover, proof, prover.statement, *prover.columns.values(), prover.trace())))
    assert not [text for text in decimals if text in shown]
    assert repr(image) not in shown


def runs(data: bytes, length: int = 12):
    return [data[start : start + length] for start in range(0, len(data) - length, 4) if len(set(data[start : start + length])) > 3]
