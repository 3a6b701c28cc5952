"""Hidden inputs and contexts: a proof is about the committed bytes, for one audience. What if another input, row or context were taken?"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from forger import WithTrace
from freezing import blind_to_statement
from guards import replaced, rewritten_constraints, unchecked_parts, without_constraint
from support import refuses
from verdicts import MISMATCH
from wide_forger import Sheet, sheet_of, wide_network, wide_run

from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.expression import Cell, Public
from zkpredict.circuits.field import MODULUS, inverse
from zkpredict.circuits.gadgets.base import Constraint
from zkpredict.circuits.networks.activations import RELU8
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.placement import form
from zkpredict.circuits.statement import Statement
from zkpredict.kernel import G1, Vector
from zkpredict.prover import commit
from zkpredict.prover.commit import commit_model
from zkpredict.prover.hiding import OpenedInput, WrongOpening, hide
from zkpredict.prover.model import Model
from zkpredict.prover.prove import prove
from zkpredict.prover.setup import lagrange_key
from zkpredict.verifier import independent, native
from zkpredict.verifier.errors import FailedOpening, VerificationError, WrongStatement
from zkpredict.verifier.hidden import HiddenInput

INPUTS, N = 12, 512
BIAS_ROW, END = N - 2, N - 1
ONE_BYTE, COMMITTED, READS, LOOKUP = "input0", "committed0", "rows0_private0", "lookup_input0"
EQUAL = "input 0 is the committed one"


@dataclass(frozen=True)
class About:
    """What a verifier is handed, all of it bytes."""

    commitment: bytes
    hidden: bytes
    proof: bytes
    context: bytes = b""


def by_native(about: About) -> int:
    commitment = native.ModelCommitment.from_bytes(about.commitment, G1.from_compressed)
    proof = native.parse_proof(about.proof, form(commitment.circuit))
    native.verify(commitment, HiddenInput.from_bytes(about.hidden, G1.from_compressed), proof, about.context)
    return proof.digit


def by_independent(about: About) -> int:
    hidden = HiddenInput.from_bytes(about.hidden, independent.decode_point)
    return independent.verify(about.commitment, hidden, about.proof, about.context)


BOTH = (by_native, by_independent)


def accepted(about: About, by=BOTH) -> int:
    (digit,) = {verify(about) for verify in by}
    return digit


def refused(about: About, kind: type[VerificationError] = FailedOpening, message: str = MISMATCH, by=BOTH) -> None:
    for verify in by:
        with refuses(kind, message):
            verify(about)


# committed columns and traces by hand


@dataclass(frozen=True)
class Committed:
    """What lies under a hidden input, whatever it is: n field elements."""

    values: tuple[int, ...]

    @property
    def vector(self) -> Vector:
        return Vector.from_ints([value % MODULUS for value in self.values])

    @property
    def hidden(self) -> HiddenInput:
        return HiddenInput(N, INPUTS, (lagrange_key(N).msm(self.vector),))

    @classmethod
    def to(cls, image: list[int], **rows: int) -> Committed:
        """Those bytes, a secret, and further rows by their numbers: `_12=7`."""
        values = [*image, *[0] * (N - INPUTS - 1), 1234567]
        for row, value in rows.items():
            values[int(row[1:])] = value
        return cls(tuple(values))


@dataclass(eq=False)
class OnCommitted(WithTrace):
    """A forger with a trace and a committed column of its choice."""

    under: Committed | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        self.given = {COMMITTED: self.under.vector.intt()}


def said_of(under: Committed, digit: int) -> Statement:
    return Statement(b"", digit, (), under.hidden.absorbed)


def about(prover: OnCommitted, hidden: HiddenInput | None = None) -> About:
    """Runs a forger, and packs up what it says."""
    with unchecked_parts():
        proof = prover.prove()
    return About(prover.model.commitment.to_bytes(), (hidden or prover.under.hidden).to_bytes(), proof.to_bytes())


def forged(model: Model, under: Committed, digit: int, sheet: Sheet) -> About:
    return about(OnCommitted(model, said_of(under, digit), chosen=sheet, under=under))


def sheet_for(model: Model, read: list[int], digit: int, column: dict[int, int], network: IntegerNetwork | None = None) -> Sheet:
    """The trace of `network` on the numbers `read`, with `column` as the input's column (by rows), counted as it is."""
    sheet = sheet_of(model, wide_run(network or model.network, read), digit)
    values = [column.get(row, 0) for row in range(N)]
    for value in values:
        if 0 <= value < 256:
            sheet["mult"][2 * value * (N // 512)] += 1
    return sheet | {ONE_BYTE: values}


def rows_of(image: list[int], **rows: int) -> dict[int, int]:
    return dict(enumerate(image)) | {int(row[1:]): value for row, value in rows.items()}


def answer(network: IntegerNetwork, read: list[int]) -> int:
    logits = wide_run(network, read)[-1]
    return logits.index(max(logits))


@pytest.fixture(scope="module")
def network() -> IntegerNetwork:
    return wide_network(3, (INPUTS, 20, 4), RELU8, shift=4)


@pytest.fixture(scope="module")
def model(network) -> Model:
    return commit_model(network, N, private_input=True)


@pytest.fixture(scope="module")
def pair(network) -> tuple[list[int], list[int]]:
    """Two inputs of two classes that differ in the first byte, the second one's being larger."""
    for seed in range(1000):
        image = np.random.default_rng(seed).integers(0, 256, INPUTS).tolist()
        for first in range(image[0] + 1, 256):
            if answer(network, [first, *image[1:]]) != answer(network, image):
                return image, [first, *image[1:]]
    raise AssertionError("no such input")


@pytest.fixture(scope="module")
def honest(model, pair) -> About:
    opened = hide(bytes(pair[0]), N)
    return About(model.commitment.to_bytes(), opened.hidden.to_bytes(), prove(model, opened).to_bytes())


# another input


def test_a_hand_made_trace_is_an_honest_one(model, pair, honest):
    image, _ = pair
    digit = answer(model.network, image)
    assert accepted(honest) == digit == model.predict(np.array(image, np.uint8))
    assert accepted(forged(model, Committed.to(image), digit, sheet_for(model, image, digit, rows_of(image)))) == digit


def test_a_hidden_input_swapped_between_proofs_is_refused(model, pair, honest):
    """That of another input, of the same input hidden again, and of another size or number of rows."""
    for image in pair:
        refused(replace(honest, hidden=hide(bytes(image), N).hidden.to_bytes()))
    longer = hide(bytes(INPUTS + 1), N).hidden.to_bytes()
    refused(replace(honest, hidden=longer), WrongStatement, "the image has 13 bytes, the circuit takes 12")
    taller = hide(bytes(INPUTS)).hidden.to_bytes()
    refused(replace(honest, hidden=taller), WrongStatement, "the input is hidden on 1024 rows, the circuit has 512")


def test_hidden_and_public_inputs_do_not_stand_for_each_other(model, pair, honest):
    """Neither the bytes under a commitment, nor the points of one where bytes are taken."""
    image, public = np.array(pair[0], np.uint8), commit_model(model.network, N, placement="wide")
    bare = prove(public, image)
    assert independent.verify(public.commitment.to_bytes(), image.tobytes(), bare.to_bytes()) == bare.digit
    refused(replace(honest, commitment=public.commitment.to_bytes(), proof=bare.to_bytes()), WrongStatement, "the input is hidden, the circuit takes a public one")
    takes_hidden = "the input is public, the circuit takes a hidden one (`zkpredict hide`)"
    with refuses(WrongStatement, takes_hidden):
        independent.verify(honest.commitment, image.tobytes(), honest.proof)
    with refuses(WrongStatement, takes_hidden):
        native.verify(model.commitment, image, native.parse_proof(honest.proof, form(model.commitment.circuit)))


def test_an_input_that_differs_from_the_commitment_on_a_row_is_refused(model, pair):
    """In a byte that is read; and in one behind the input, which nobody reads."""
    image, other = pair
    digit = answer(model.network, other)
    assert digit != answer(model.network, image)
    lie = lambda: forged(model, Committed.to(image), digit, sheet_for(model, other, digit, rows_of(other)))  # noqa: E731
    refused(lie())
    with without_constraint(EQUAL):
        assert accepted(lie()) == digit
    truth = answer(model.network, image)
    behind = sheet_for(model, image, truth, rows_of(image, _12=1))
    refused(forged(model, Committed.to(image), truth, behind))


def test_what_is_no_byte_is_refused(model, pair):
    """Committed to, and read: a first number of 300 or more, for which there is no entry in the table."""
    image, _ = pair
    large = next(value for value in range(300, 20_000) if answer(model.network, [value, *image[1:]]) != answer(model.network, image))
    read = [large, *image[1:]]
    digit = answer(model.network, read)
    sheet = sheet_for(model, read, digit, rows_of(read))
    refused(forged(model, Committed.to(read), digit, sheet))
    uncounted = sheet_of(model, wide_run(model.network, read), digit) | {ONE_BYTE: [*read, *[0] * (N - INPUTS)]}
    with rewritten_constraints(not_looked_up):
        under = Committed.to(read)
        assert accepted(about(Unlooked(model, said_of(under, digit), chosen=uncounted, under=under))) == digit


def not_looked_up(_, found):
    """The bytes of the input are in no lookup."""
    return tuple(Constraint(one.name, Cell(LOOKUP)) if one.name == LOOKUP else one for one in found)


class Unlooked(OnCommitted):
    """Looks the input up nowhere."""

    def run(self, step, name: str) -> Vector:
        return Vector.zeros(N) if name == LOOKUP else super().run(step, name)


# rows that are not the input's


def reading(public: str):
    """The first layer reads the input on the one row of `public` as well."""

    def more(_, found):
        read = Public(public) * Cell(READS) * Cell(ONE_BYTE)
        return tuple(Constraint(one.name, one.expression + read) if one.name == "sum" else one for one in found)

    return rewritten_constraints(more)


def test_the_row_of_the_random_entry_is_not_read(model, pair, monkeypatch):
    """There the input is a byte of the prover's choice. An owner whose random entries are the weights of the first input would let
    him add to it: two answers for one commitment."""
    image, other = pair
    truth, lie = answer(model.network, image), answer(model.network, other)
    packs = range(model.commitment.circuit.bands[0].packs)
    weights = [model.compiled.packed(0, pack)[1][0] for pack in packs]
    drawn = commit.random_scalars
    total = model.commitment.circuit.total_rows
    own = Vector.concat([Vector.from_ints([weight % MODULUS for weight in weights]), drawn(total - len(weights))])
    monkeypatch.setattr(commit, "random_scalars", lambda count: own)
    hostile = commit_model(model.network, N, private_input=True)
    assert [secret for secret in hostile.secrets[: len(weights)]] == [weight % MODULUS for weight in weights]
    more = other[0] - image[0]
    sheet = sheet_for(hostile, other, lie, rows_of(image, _511=more))
    refused(forged(hostile, Committed.to(image), lie, sheet))
    with reading("input_end"):
        assert accepted(forged(hostile, Committed.to(image), lie, sheet)) == lie
    free = sheet_for(hostile, image, truth, rows_of(image, _511=more))
    assert accepted(forged(hostile, Committed.to(image), truth, free), (by_native,)) == truth


def test_a_byte_on_the_row_of_the_bias_changes_nothing(model, pair):
    """What an input's owner commits to there is read by nobody; it would multiply the bias."""
    network = model.network
    first, last = network.layers
    for factor in range(1, 256):
        several = IntegerNetwork((replace(first, bias=first.bias * (factor + 1)), last))
        found = [image for image in pair if answer(several, image) != answer(network, image)]
        if found:
            break
    image, under = found[0], Committed.to(found[0], _510=factor)
    truth, lie = answer(network, image), answer(several, image)
    column = rows_of(image, _510=factor)
    assert accepted(forged(model, under, truth, sheet_for(model, image, truth, column))) == truth
    sheet = sheet_for(model, image, lie, column, several)
    refused(forged(model, under, lie, sheet))
    with reading("input_bias"):
        assert accepted(forged(model, under, lie, sheet)) == lie


def test_bytes_behind_the_input_are_read_by_no_honest_row_and_cannot_be_revealed(model, pair):
    image, _ = pair
    digit = answer(model.network, image)
    for row, value in (("_12", 9), ("_509", 200)):
        under = Committed.to(image, **{row: value})
        assert accepted(forged(model, under, digit, sheet_for(model, image, digit, rows_of(image, **{row: value}))), (by_native,)) == digit
        for secrets in ((1234567,), (0,)):
            with refuses(WrongOpening, "opening: these bytes are not what the hidden input commits to"):
                OpenedInput(under.hidden, bytes(image), secrets)
    longer = Committed.to(image, _12=9)
    with refuses(MalformedFile, "opening: 13 bytes and 1 secrets do not fit the hidden input"):
        OpenedInput(longer.hidden, bytes([*image, 9]), (1234567,))
    assert OpenedInput(Committed.to(image).hidden, bytes(image), (1234567,)).data == bytes(image)


# when the commitment is hashed


@dataclass(eq=False)
class Afterwards(OnCommitted):
    """Chooses what was committed to when all challenges are known: off by a constant that mends the identity at rho."""

    def commit_opening(self) -> G1:
        linear, rho = self.linearisation.at[0], self.challenges["rho"]
        wanted = -self.linearisation.constant - self.scalars["linearised_next"]
        self.off = (wanted - self._combination(linear).evaluate(rho)) * inverse(linear[COMMITTED]) % MODULUS
        column = self.given[COMMITTED]
        self.given = {COMMITTED: column + Vector.concat([Vector.from_ints([self.off]), Vector.zeros(len(column) - 1)])}
        return super().commit_opening()

    @property
    def chosen_afterwards(self) -> HiddenInput:
        return HiddenInput(N, INPUTS, (self.under.hidden.points[0] + G1.generator().mul(self.off),))


def test_an_input_chosen_after_the_challenges_is_refused(model, pair):
    """Without its commitment in the transcript any class is proven, about points that commit to no bytes."""
    image, _ = pair
    truth = answer(model.network, image)
    lie = (truth + 1) % 4
    sheet = sheet_for(model, image, lie, rows_of(image))

    def forgery() -> About:
        under = Committed.to(image)
        prover = Afterwards(model, said_of(under, lie), chosen=sheet, under=under)
        made = about(prover)
        return replace(made, hidden=prover.chosen_afterwards.to_bytes())

    refused(forgery())
    with blind_to_statement("hidden"), replaced(independent._absorbed, lambda image: b""):
        assert accepted(forgery()) == lie


# for whom


def test_a_context_replayed_is_refused(model, pair):
    opened = hide(bytes(pair[0]), N)
    mine, other = b"pay 0xa1, job 1".ljust(32), b"pay 0xb2, job 1".ljust(32)

    def made() -> About:
        return About(model.commitment.to_bytes(), opened.hidden.to_bytes(), prove(model, opened, context=mine).to_bytes(), mine)

    proof = made()
    assert accepted(proof) == answer(model.network, pair[0])
    for context in (other, b""):
        refused(replace(proof, context=context))
    for length in (31, 33):
        refused(replace(proof, context=bytes(length)), WrongStatement, f"the context has {length} bytes, expected 32 or none")
    with blind_to_statement("context"):
        assert accepted(replace(made(), context=other), (by_native,)) == answer(model.network, pair[0])


def test_a_context_is_no_part_of_the_input(model, pair):
    """32 bytes moved from the end of a public input to the context: the circuit fixes how long the input is."""
    long = commit_model(wide_network(5, (INPUTS + 32, 6, 3)), N, placement="wide")
    short = commit_model(wide_network(5, (INPUTS, 6, 3)), N, placement="wide")
    image = np.array([*pair[0], *range(32)], np.uint8)
    proof = prove(long, image)
    native.verify(long.commitment, image, proof)
    with refuses(WrongStatement, "the image has 12 bytes, the circuit takes 44"):
        native.verify(long.commitment, image[:INPUTS], proof, image[INPUTS:].tobytes())
    other = prove(short, image[:INPUTS], context=image[INPUTS:].tobytes())
    with refuses(WrongStatement, "the image has 44 bytes, the circuit takes 12"):
        native.verify(short.commitment, image, other)
