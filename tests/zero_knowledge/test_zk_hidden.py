"""Hidden inputs: their commitments fit every input alike, and proofs about them say nothing more. Each count has a twin that sees a leak."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pytest
from distributions import SIGNIFICANCE, bits_p, buckets, uniform_p
from forms import rank, solve
from support import changed, random_image, refuses
from test_zk_wide import RandomView, network_of, runs, view_of
from trapdoor import BOTH, Simulator, ceremony_of, g1, lagrange_at, random_scalar
from wide_forms import leaked

from zkpredict.circuits.columns import Origin
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.reference import DenseLayer, IntegerNetwork
from zkpredict.circuits.placement import form
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.claims import CLASS, Claim, Kind
from zkpredict.prover import hiding
from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import OpenedInput, WrongOpening, hidden_values, hide
from zkpredict.prover.prove import Prover, prove, statement_of
from zkpredict.verifier import independent
from zkpredict.verifier.errors import FailedOpening
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.messages import derive_challenges
from zkpredict.verifier.native import column_terms, parse_proof, statement_for, verify

INPUTS, MANY, PILE = 20, 1000, 24
STATED_X = 1 << 377
DOMAINS = (1024, 2048)
NO_OPENING = "opening: these bytes are not what the hidden input commits to"


@dataclass(frozen=True)
class HiddenSimulator(Simulator):
    """Given the points that hide an input as well, which are public; not the input, and not what opens them."""

    hidden: HiddenInput

    def statement(self, image: bytes, digit: int, outputs: tuple[int, ...]) -> Statement:
        return statement_for(self.commitment.circuit, self.hidden, digit, outputs)

    def terms(self, proof, claim, challenges):
        return column_terms(self.commitment, proof, claim, challenges, self.hidden.points)


@pytest.fixture(scope="module")
def tau():
    tau = random_scalar()
    with ceremony_of(tau, BOTH):
        yield tau


@pytest.fixture(scope="module")
def models(tau):
    """A network on each domain; the one on the larger makes its outputs public."""
    claims = dict(zip(DOMAINS, (CLASS, Claim(Kind.LOGITS)), strict=True))
    return {domain: commit_model(network_of(RELU8), domain, claim, "wide", True) for domain, claim in claims.items()}


@pytest.fixture(scope="module")
def inputs(tau):
    return {domain: hide(random_image(5, INPUTS), domain) for domain in DOMAINS}


@pytest.fixture(scope="module")
def pile(models, inputs):
    """Proofs of one statement, with what made them."""
    return [proven(models[1024], inputs[1024]) for _ in range(PILE)]


def proven(model, opened: OpenedInput) -> tuple[Prover, object]:
    pixels = np.frombuffer(opened.data, np.uint8)
    prover = Prover(model, statement_of(model, pixels, model.predict(pixels), opened), opened)
    return prover, prover.prove()


# the commitment


def test_every_input_opens_every_commitment_for_who_knows_tau(tau, inputs):
    """Perfectly hiding: for each other input there is one secret with which it is what was committed to. Only tau finds it."""
    opened = inputs[1024]
    at = lagrange_at(tau, 1024)
    for seed in (6, 7):
        other = random_image(seed, INPUTS).tobytes()
        difference = sum((mine - theirs) * at[row] for row, (mine, theirs) in enumerate(zip(opened.data, other)))
        secret = (opened.secrets[0] + difference * inverse(at[1023])) % MODULUS
        assert OpenedInput(opened.hidden, other, (secret,)).data == other
        with refuses(WrongOpening, NO_OPENING):
            OpenedInput(opened.hidden, other, opened.secrets)


def test_a_guess_is_not_confirmed_unless_the_secret_is_missing(tau, monkeypatch):
    """The dictionary test: the commitment of a guess with no secret is the published point exactly when there was none."""
    image = random_image(5, INPUTS)

    def is_guessed(point) -> bool:
        (values,) = hidden_values(image.tobytes(), 1024, (0,))
        return g1(values.intt().evaluate(tau)) == point

    assert not is_guessed(hide(image).hidden.points[0])
    monkeypatch.setattr(hiding, "random_scalars", lambda count: hiding.Vector.zeros(count))
    assert is_guessed(hide(image).hidden.points[0])


def test_commitments_of_one_input_are_uniform(tau):
    found = [hide(random_image(5, INPUTS)).hidden.points[0].to_compressed() for _ in range(PILE)]
    values = [int.from_bytes(point, "big") % STATED_X for point in found]
    assert len(set(values)) == PILE and min(uniform_p(buckets(values, STATED_X)), bits_p(values, 64)) > SIGNIFICANCE


# proofs


@pytest.mark.parametrize("domain", DOMAINS)
def test_proofs_about_a_hidden_input_leak_nothing(tau, models, inputs, domain):
    """What they show has full rank in blinders that are drawn anew; the committed columns occur at tau only, where their points are."""
    prover, proof = proven(models[domain], inputs[domain])
    given = {name: coefficients.evaluate(tau) for name, coefficients in prover.given.items()}
    view = view_of(prover, proof, tau)
    view.at_tau.update(given)
    names = [column.name for column in form(prover.circuit).columns if column.origin is Origin.STATEMENT]
    assert list(given) == names and "input0" in view.columns
    assert not [place for terms in view.forms().values() for place in terms if place[0] in names]
    assert leaked(view, form(prover.circuit).blinders) == 0
    assert leaked(view, 1) > 0


@pytest.mark.parametrize("domain", DOMAINS)
def test_many_proofs_leak_nothing(tau, models, domain):
    """Blinders are never shared, so the matrix of all proofs has one block a proof: full for challenges and values drawn at random."""
    circuit = models[domain].commitment.circuit
    shape = form(circuit)
    for seed in range(MANY):
        challenges = {name: random_scalar() for message in shape.rounds for name in message.challenges} | {"rho": random_scalar() >> 15}
        statement = Statement(b"", seed % 4, (), (bytes(96),))
        view = RandomView(circuit, statement, tau, challenges, {}, defaultdict(random_scalar), defaultdict(random_scalar))
        assert leaked(view, shape.blinders) == 0


def test_opening_the_committed_column_in_each_proof_would_give_the_input_away(inputs, pile):
    """The twin of never stating it: as many proofs as it has unknowns, and they are solved for the bytes and the secret."""
    opened, positions, system, values = inputs[1024], [*range(INPUTS), 1023], [], []
    for prover, proof in pile[: INPUTS + 1]:
        rho = derive_challenges(prover.circuit.digest, prover.statement, proof)["rho"]
        basis = lagrange_at(rho, 1024)
        system.append([basis[row] for row in positions])
        values.append(prover.given["committed0"].evaluate(rho))
    assert rank(system[:-1]) == INPUTS
    with pytest.raises(ValueError):
        solve(system[:-1], values[:-1])
    assert solve(system, values) == [*opened.data, *opened.secrets]


def test_the_columns_of_the_input_are_stated_blinded_and_the_committed_ones_never(models):
    for model in models.values():
        names = {name for name, _ in form(model.commitment.circuit).stated}
        assert not [name for name in names if name.startswith(("committed", "rows"))]


@pytest.mark.parametrize("domain", DOMAINS)
def test_proofs_are_made_without_weights_and_without_the_input(tau, models, inputs, domain):
    commitment, hidden = models[domain].commitment, inputs[domain].hidden
    simulator = HiddenSimulator(tau, commitment, hidden)
    assert set(vars(simulator)) == {"tau", "commitment", "hidden"}
    for digit in (0, 3):
        outputs = tuple(100 * (place == digit) for place in range(4)) if commitment.circuit.claim.kind is Kind.LOGITS else ()
        proof = simulator.prove(b"", digit, outputs)
        verify(commitment, hidden, parse_proof(proof.to_bytes(), form(commitment.circuit)))
    ints = HiddenInput.from_bytes(hidden.to_bytes(), independent.decode_point)
    assert independent.verify(commitment.to_bytes(), ints, proof.to_bytes()) == 3
    wrong = HiddenSimulator(tau + 1, commitment, hidden).prove(b"", 3, outputs)
    with refuses(FailedOpening, "the opening does not match: the claim is false, or the proof was made for another statement"):
        verify(commitment, hidden, wrong)


def test_honest_proofs_end_as_simulated_ones_do(tau, models, inputs):
    prover, proof = proven(models[1024], inputs[1024])
    challenges = derive_challenges(prover.circuit.digest, prover.statement, proof)
    simulator = HiddenSimulator(tau, models[1024].commitment, inputs[1024].hidden)
    assert simulator.opening(proof, prover.statement, challenges) == proof.points["opening"]
    assert simulator.final(proof, prover.statement, challenges) == proof.points["final"]


def test_proofs_of_one_statement_are_uniform(pile):
    """What two proofs about one hidden input have in common is the input's commitment, which is in neither."""
    proofs = [proof for _, proof in pile]
    for name in proofs[0].scalars:
        values = [proof.scalars[name] for proof in proofs]
        assert len(set(values)) == PILE and min(uniform_p(buckets(values)), bits_p(values, 64)) > SIGNIFICANCE
    points = [point.to_compressed() for proof in proofs for point in proof.points.values()]
    assert len(set(points)) == len(points)


# nothing private in bytes, reprs and errors


def test_public_bytes_reprs_and_errors_hold_no_byte_of_the_input(tau):
    source = np.random.default_rng(1)
    network = IntegerNetwork((
        DenseLayer(source.integers(-20, 21, (6, 300)), source.integers(-99, 100, 6), 9, RELU8),
        DenseLayer(source.integers(-20, 21, (3, 6)), source.integers(-99, 100, 3)),
    ))  # fmt: skip
    model, opened = commit_model(network, private_input=True), hide(random_image(8, 300))
    prover, proof = proven(model, opened)
    needles = {bytes(run) for run in runs(opened.data)} | {secret.to_bytes(32, order) for secret in opened.secrets for order in ("big", "little")}
    assert any(needle in opened.to_bytes() for needle in needles)
    for data in (proof.to_bytes(), opened.hidden.to_bytes(), model.commitment.to_bytes(), model.to_bytes(), prover.statement.absorbed()):
        assert not [needle for needle in needles if needle in data]
    said = [repr(part) for part in (opened, opened.hidden, prover, proof, prover.statement, model)]
    data = opened.to_bytes()
    for place in range(0, len(data), 9):
        for wrong in (changed(data, place), data[:place]):
            try:
                OpenedInput.from_bytes(wrong)
            except MalformedFile as error:
                said.append(str(error))
    assert len(said) > 80
    texts = {str(list(opened.data[at : at + 3]))[1:-1] for at in range(0, 300, 3)} | {opened.data[at : at + 4].hex() for at in range(0, 300, 4)}
    texts |= {str(secret) for secret in opened.secrets} | {f"{secret:x}" for secret in opened.secrets} | {repr(opened.data)[2:-1]}
    assert not [text for text in texts for one in said if text in one]


def test_two_proofs_are_seen_to_be_about_one_input(models, inputs):
    """Linkability is what the commitment is for; who does not want it hides the input once more."""
    first, again = inputs[1024], hide(random_image(5, INPUTS))
    model = models[1024]
    mine, theirs = prove(model, first), prove(model, again)
    verify(model.commitment, first.hidden, mine)
    verify(model.commitment, again.hidden, theirs)
    for hidden, proof in ((first.hidden, theirs), (again.hidden, mine)):
        with refuses(FailedOpening, "the opening does not match: the claim is false, or the proof was made for another statement"):
            verify(model.commitment, hidden, proof)
