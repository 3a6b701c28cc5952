"""A public input: bytes that the verifier has, read by the rows of the first layer in coefficient form.

    inputs = X / n,  X(Y) = sum_i q_i Y^(-i mod n),  q = alpha^e (1, x_0, x_1, ...) for each pack e that shares a row
    (1/n) sum_{h in H} rows0(h) X(h) = <coefficients of rows0, q>
"""

from __future__ import annotations


from zkpredict.circuits.field import MODULUS, inverse, powers
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.records import dataclass, field


@dataclass(frozen=True)
class InputPolynomial:
    """`inputs` = X / n for an input of one byte a value, in `circuit`, at the challenge `alpha`."""

    circuit: Circuit
    data: bytes = field(repr=False)
    alpha: int

    def coefficients(self) -> list[int]:
        """Low first, n of them."""
        scale = inverse(self.circuit.domain)
        return [value * scale % MODULUS for value in image_polynomial(self.circuit, self.data, self.alpha)]

    def evaluate(self, point: int, domain: int) -> int:
        return evaluate_image(self.circuit, self.data, self.alpha, point) * inverse(domain) % MODULUS


def image_polynomial(circuit: Circuit, image: bytes, alpha: int) -> list[int]:
    """Coefficients (low first, n of them) of the polynomial X with `(1/n) sum_H rows0(h) X(h) = <coefficients of rows0, q>`.

    q = alpha^e (1, x_0, x_1, ...) for each pack e that shares a row, so X has q_i at exponent -i mod n.
    """
    n, position = circuit.domain, 0
    coefficients = [0] * n
    for weight in powers(alpha, circuit.input_packs_per_row):
        for value in (1, *image):
            coefficients[-position % n] = weight * value % MODULUS
            position += 1
    return coefficients


def evaluate_image(circuit: Circuit, image: bytes, alpha: int, point: int) -> int:
    """`image_polynomial` at `point`, by Horner over the pixels.

    With blocks of m = inputs + 1 coefficients: sum_e alpha^e point^(n - e m) (1 + sum_j x_j point^-(j+1)), except that the
    very first term is 1 and not point^n.
    """
    n, block = circuit.domain, circuit.inputs + 1
    pixels = 1
    for pixel in image:
        pixels = (pixels * point + pixel) % MODULUS
    packs = circuit.input_packs_per_row
    step, total = pow(point, block, MODULUS), 0
    for weight in powers(alpha, packs):
        total = (total * step + weight * pixels) % MODULUS
    lowest = n - packs * block + 1
    return (total * pow(point, lowest, MODULUS) + 1 - pow(point, n, MODULUS)) % MODULUS
