"""Batches about a registered test set: the verifier has commitments to the inputs, T_c of `circuits.batch.interleaving`, and not the inputs.

Of all inputs he needs the one number x(1/rho), x(Y) = sum_b alpha^E_b x_b(Y). Inputs of one polynomial differ in E_b as those of any other:

    E_(m c + j) = A(c) + B(j),   so with   T = sum_c alpha^A(c) T_c   and its components   t_j = sum_c alpha^A(c) x_(m c + j):
    x(1/rho) = sum_j alpha^B(j) t_j(1/rho)

The proof states t_j(1/rho), m numbers, and opens T to them; T's commitment is folded from the set's points. m and J are powers of two:

    m <= J : a polynomial lies in one stack, at slots that are consecutive;   B(j) = 3 (m - 1 - j)
    m > J  : a polynomial holds m/J whole stacks;                             B(j) = E_j
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from zkpredict.circuits.batch.gadgets import BatchDense
from zkpredict.circuits.batch.interleaving import polynomials, together
from zkpredict.circuits.batch.layout import BatchCircuit, DenseBatch
from zkpredict.circuits.batch.statement import COUNT_BYTES, BatchStatement, class_bytes
from zkpredict.circuits.columns import Column, Origin, component_names
from zkpredict.circuits.errors import UnsupportedNetwork
from zkpredict.circuits.field import MODULUS, S, inverse, power
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.publics import PublicPolynomial
from zkpredict.circuits.statement import Statement
from zkpredict.circuits.wide.dense import inputs
from zkpredict.circuits.wide.inputs import spread

INPUT = "input"


@dataclass(frozen=True)
class RegisteredBatch(DenseBatch):
    """The circuit of a model, for `images` inputs of a registered set, the first of which is the first of a polynomial. Its bytes and its
    digest are those of the model's circuit; the statement's label is another than that of batches.

    Raises `UnsupportedNetwork` as `BatchCircuit` does, and for inputs that are longer than a row.
    """

    def __post_init__(self) -> None:
        super().__post_init__()
        if len(self.chunks) > 1:
            raise UnsupportedNetwork(f"registered test sets have inputs of at most {self.domain - 2} bytes, which fit a row, got {self.inputs}")
        for image in range(self.polynomials * self.together):
            number, place = divmod(image, self.together)
            if self.image_exponent(image) != self.polynomial_exponent(number) + self.component_exponent(place):
                raise ValueError(f"the weight of input {image} is not that of polynomial {number} times that of its place {place}")

    @staticmethod
    def of(circuit: AnyCircuit, images: int) -> RegisteredBatch:
        """`circuit` for a batch. Raises `UnsupportedNetwork` for circuits that have none."""
        found = BatchCircuit.of(circuit, images)
        if not isinstance(found, DenseBatch):
            raise UnsupportedNetwork("registered test sets are for dense networks, and the model has convolutions: `zkpredict score` without --registered proves its score")
        return RegisteredBatch(
            found.widths, found.lanes, found.activations, found.domain, found.claim, found.private_input, found.slotted, images
        )

    @property
    def together(self) -> int:
        """m: inputs in each polynomial."""
        return together(self.inputs)

    @property
    def polynomials(self) -> int:
        """How many polynomials hold the inputs."""
        return polynomials(self.images, self.inputs)

    def component_exponent(self, place: int) -> int:
        """B(place)."""
        return self.image_exponent(place) - self.image_exponent(min(self.together, self.slots) - 1)

    def polynomial_exponent(self, number: int) -> int:
        """A(number)."""
        return self.image_exponent(number * self.together) - self.component_exponent(0)

    def point_weights(self, alpha: S) -> list[S | int]:
        """alpha^A(c): by what the points of the set are folded."""
        return [power(alpha, self.polynomial_exponent(number)) for number in range(self.polynomials)]


class RegisteredInputs(BatchDense):
    """The first layer, whose input the proof states at 1/rho, place by place."""

    circuit: RegisteredBatch  # type: ignore[assignment]  # gadgets of the compact placement have a `Circuit`

    def columns(self) -> tuple[Column, ...]:
        return (*super().columns(), self.input)

    @property
    def input(self) -> Column:
        """T."""
        return Column(INPUT, Origin.STATEMENT, components=self.circuit.together)

    def publics(self, statement: Statement, alpha: int) -> dict[str, PublicPolynomial]:
        """Only a prover has the inputs."""
        return super().publics(statement, alpha) if statement.input else {}

    def stated_publics(self, stated: Mapping[str, int], challenges: Mapping[str, int]) -> dict[str, int]:
        circuit, alpha, rho = self.circuit, challenges["alpha"], challenges["rho"]
        one = circuit.stack_sum(alpha) * circuit.slot_sum(alpha) % MODULUS
        places = enumerate(component_names(self.input))
        met = sum(power(alpha, circuit.component_exponent(place)) * stated[name] for place, name in places)
        block, found = (one + met * inverse(rho)) % MODULUS, {}
        for number, step in enumerate(circuit.input_steps):
            weights = [power(alpha, step * place) for place in range(circuit.packs_per_row)]
            found[inputs(number, 0)] = spread(one, block, circuit.inputs + 1, weights, rho, circuit.domain)
        return found


@dataclass(frozen=True)
class RegisteredStatement(BatchStatement):
    """"The network gives input `first + b` of the registered set the class `classes[b]`", for all b. `set_id` stands for all inputs and
    labels; `input` is what a prover knows of them, and nobody absorbs it.

    Built by `registered_statement_for` of the verifier, which refuses what does not fit, or by a prover, who may claim what he likes.
    """

    label: ClassVar[bytes] = b"zkpredict registered batch v1"

    set_id: bytes = b""
    first: int = 0

    def absorbed(self) -> bytes:
        """What the transcript sees: the number of inputs and the number of the first one, in 4 bytes each, big-endian, classes in 2 bytes
        each, the set id, then the context."""
        counts = len(self.classes).to_bytes(COUNT_BYTES, "big") + self.first.to_bytes(COUNT_BYTES, "big")
        return counts + class_bytes(self.classes) + self.set_id + self.context
