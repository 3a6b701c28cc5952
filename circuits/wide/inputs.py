"""A part of the public input as a polynomial that meets first-layer rows in coefficient form.

    inputs = X / n,   X(Y) = sum_k q_k Y^(-k mod n),   q = w_0 (1, x_0, x_1, ...), w_1 (1, x_0, ...), ...
    (1/n) sum_{h in H} rows(h) X(h) = <coefficients of rows, q>

The 1, which the bias meets, is there in the first part only. A batch has sums of inputs, weighted by powers of alpha, in the place of x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from zkpredict.circuits.field import MODULUS, inverse


@dataclass(frozen=True)
class InputPart:
    """`inputs` for `values` (bytes, or field elements, with the 1 before them in the first part), once for each of `weights`."""

    domain: int
    values: Sequence[int] = field(repr=False)
    weights: tuple[int, ...]

    def coefficients(self) -> list[int]:
        """Low first, n of them."""
        scale, position = inverse(self.domain), 0
        found = [0] * self.domain
        for weight in self.weights:
            for value in self.values:
                found[-position % self.domain] = weight * value * scale % MODULUS
                position += 1
        return found

    def evaluate(self, point: int, domain: int) -> int:
        """With z = 1 / point: point^n (sum_p w_p z^(p m)) (sum_i v_i z^i) for m values, but for the very first term, which is v_0
        w_0 and not point^n times that."""
        z, block = inverse(point), 0
        for value in reversed(self.values):
            block = (block * z + value) % MODULUS
        return spread(self.values[0], block, len(self.values), self.weights, point, self.domain)


def spread(first: int, block: int, size: int, weights: Sequence[int], point: int, domain: int) -> int:
    """An `InputPart` at `point` from its first value and from `block`, what its `size` values are as a polynomial at 1 / point."""
    step, total = pow(inverse(point), size, MODULUS), 0
    for weight in reversed(weights):
        total = (total * step + weight) % MODULUS
    whole = pow(point, domain, MODULUS)
    return (whole * total * block + weights[0] * first * (1 - whole)) * inverse(domain) % MODULUS


@dataclass(frozen=True)
class InputVector:
    """The same for any field elements q, of which there are fewer than n."""

    domain: int
    values: tuple[int, ...] = field(repr=False)

    def coefficients(self) -> list[int]:
        """Low first, n of them."""
        scale = inverse(self.domain)
        found = [0] * self.domain
        for position, value in enumerate(self.values):
            found[-position % self.domain] = value * scale % MODULUS
        return found

    def evaluate(self, point: int, domain: int) -> int:
        """point^n sum_k q_k point^-k, but for the first term, which is q_0 and not point^n times that."""
        z, total = inverse(point), 0
        for value in reversed(self.values):
            total = (total * z + value) % MODULUS
        whole = pow(point, domain, MODULUS)
        return (whole * total + self.values[0] * (1 - whole)) * inverse(self.domain) % MODULUS
