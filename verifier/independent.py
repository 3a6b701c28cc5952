"""A second verifier, written from docs/protocol.md on Python ints and py_ecc alone: a few seconds for a proof, no native code.

It shares with the native verifier what defines the protocol (geometry, constraint list, file parsers, errors) and nothing that
evaluates it: points, challenges, public polynomials, linearisation and pairing equation are written anew, each by another method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, reduce
from typing import Any, cast

from Crypto.Hash import keccak
from py_ecc.bls.point_compression import decompress_G2
from py_ecc.optimized_bls12_381 import FQ, FQ12, add, double, final_exponentiate, is_inf, multiply, neg, normalize, pairing
from py_ecc.optimized_bls12_381 import G1 as GENERATOR
from py_ecc.optimized_bls12_381 import G2 as GENERATOR_G2
from py_ecc.optimized_bls12_381 import curve_order as ORDER
from py_ecc.optimized_bls12_381 import field_modulus as BASE

from zkpredict.circuits.columns import linearised_name, scalar_name
from zkpredict.circuits.constraints import total_constraint
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.errors import MalformedFile
from zkpredict.circuits.expression import SHIFTED, Environment
from zkpredict.circuits.layout import row_column
from zkpredict.circuits.placement import AnyCircuit, form
from zkpredict.circuits.second.layout import SecondCircuit
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.wide.replicas import ReplicaCircuit
from zkpredict.verifier.ceremony import CODES_COMMITMENTS, TABLE_COMMITMENT, TAU_G2
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, WrongStatement
from zkpredict.verifier.hidden import HiddenInput
from zkpredict.verifier.independent_compact import compact_values, row_exponents
from zkpredict.verifier.independent_compact import equations as equations
from zkpredict.verifier.independent_replicas import replica_row_weights, replica_values
from zkpredict.verifier.independent_second import second_row_exponents, second_values
from zkpredict.verifier.independent_shared import is_again, mapped_row_exponents, mapped_values
from zkpredict.verifier.independent_wide import check_outputs, wide_row_exponents, wide_values
from zkpredict.verifier.messages import Proof

CellName = tuple[str, int]
Numbers = Mapping[str, int]


def verify(commitment_bytes: bytes, image: bytes | HiddenInput, proof_bytes: bytes, context: bytes = b"") -> int:
    """Returns the digit that the committed network gives `image` (one byte a pixel, or a hidden input with points of `decode_point`),
    as the proof shows, which was made for `context` (32 bytes, or none).

    Raises `MalformedFile` for the commitment, else `MalformedProof`, `WrongStatement` or `FailedOpening`, as native does.
    """
    commitment = ModelCommitment.from_bytes(commitment_bytes, decode_point)
    circuit = commitment.circuit
    proof = Proof.from_bytes(proof_bytes, decode_point, form(circuit))
    model_id = keccak256(keccak256(b"zkpredict model v1", circuit.digest), *(row.to_uncompressed() for row in commitment.rows))
    if proof.model_id != model_id:
        raise WrongStatement(f"the proof is for model {proof.model_id.hex()}, the commitment is of model {model_id.hex()}")
    _check_input(circuit, image)
    if len(context) not in (0, 32):
        raise WrongStatement(f"the context has {len(context)} bytes, expected 32 or none")
    if proof.digit >= circuit.classes:
        raise WrongStatement(f"the digit {proof.digit} is not one of the {circuit.classes} classes")
    check_outputs(circuit, proof.digit, proof.outputs)

    challenges = draw_challenges(circuit.digest, _absorbed(image) + context, proof)
    if isinstance(circuit, SecondCircuit):
        challenges["alpha"] = pow(challenges["shift"], circuit.domain, ORDER)
        challenges["rho"] = challenges["shift"] * challenges["sigma"] % ORDER
    check_point(circuit, challenges)
    alpha, rho, eta = challenges["alpha"], challenges["rho"], challenges.get("eta", 0)
    publics = public_values(circuit, image, proof.digit, alpha, rho, proof.outputs, eta, challenges.get("shift", 0))
    check_claims(opening_claims(commitment, proof, challenges, publics, image), proof, challenges)
    return proof.digit


def check_point(circuit: AnyCircuit, challenges: Numbers) -> None:
    """Refuses a point at which nothing can be opened. Raises `FailedOpening`."""
    if challenges["rho"] == 0 or pow(challenges["rho"], circuit.domain, ORDER) == 1:
        raise FailedOpening("the challenge point rho is zero or fell into the domain")


def check_claims(claims: list[Claim], proof: Proof, challenges: Numbers) -> None:
    """Refuses claims that the proof does not open. Raises `FailedOpening`."""
    if not _opens(claims, proof, challenges):
        raise FailedOpening("the opening does not match: the claim is false, or the proof was made for another statement")


def _check_input(circuit: AnyCircuit, image: bytes | HiddenInput) -> None:
    """The input is hidden exactly when the circuit has it so, and fits. Raises `WrongStatement`."""
    hidden, private = isinstance(image, HiddenInput), isinstance(circuit, WideCircuit) and circuit.private_input
    if hidden and not private:
        raise WrongStatement("the input is hidden, the circuit takes a public one")
    if private and not hidden:
        raise WrongStatement("the input is public, the circuit takes a hidden one (`zkpredict hide`)")
    size = image.inputs if isinstance(image, HiddenInput) else len(image)
    if size != circuit.inputs:
        raise WrongStatement(f"the image has {size} bytes, the circuit takes {circuit.inputs}")
    if isinstance(image, HiddenInput) and image.domain != circuit.domain:
        raise WrongStatement(f"the input is hidden on {image.domain} rows, the circuit has {circuit.domain}")


def _absorbed(image: bytes | HiddenInput) -> bytes:
    """What stands for the input in a statement: its bytes, or the uncompressed points that hide it."""
    return image if isinstance(image, bytes) else b"".join(point.to_uncompressed() for point in image.points)


# points


@dataclass(frozen=True)
class Point:
    """An affine point of G1 other than the identity, on the curve and in the subgroup."""

    x: int
    y: int

    def to_compressed(self) -> bytes:
        """48 bytes: x big-endian, top bit set, third bit set when y is the larger root."""
        flags = 0x80 | (0x20 if 2 * self.y > BASE else 0)
        raw = self.x.to_bytes(48, "big")
        return bytes([raw[0] | flags]) + raw[1:]

    def to_uncompressed(self) -> bytes:
        """96 bytes: x then y, big-endian."""
        return self.x.to_bytes(48, "big") + self.y.to_bytes(48, "big")

    def projective(self) -> tuple[FQ, FQ, FQ]:
        return FQ(self.x), FQ(self.y), FQ.one()

    def __add__(self, other: Point) -> Point:
        return _affine(add(self.projective(), other.projective()))

    def mul(self, scalar: int) -> Point:
        """`scalar` times the point; `scalar` is not a multiple of the order."""
        return _affine(multiply(self.projective(), scalar))


def _affine(point: tuple[FQ, FQ, FQ]) -> Point:
    if is_inf(point):
        raise MalformedFile("a sum of points is the point at infinity")
    x, y = normalize(point)
    return Point(int(x), int(y))


@lru_cache(maxsize=4096)
def decode_point(data: bytes) -> Point:
    """Decodes 48 bytes. Raises `ValueError` for what is not canonical, not on y^2 = x^3 + 4, or not of order r."""
    if len(data) != 48:
        raise ValueError(f"G1 compressed point must be 48 bytes, got {len(data)}")
    flags, x = data[0] >> 5, int.from_bytes(data, "big") % (1 << 381)
    if flags not in (0b100, 0b101) or x >= BASE:
        raise ValueError("G1 point is not canonically encoded")
    square = (x**3 + 4) % BASE
    y = pow(square, (BASE + 1) // 4, BASE)
    if y * y % BASE != square:
        raise ValueError("G1 point is not on the curve")
    larger = max(y, BASE - y)
    point = Point(x, larger if flags & 1 else BASE - larger)
    if not is_inf(multiply(point.projective(), ORDER)):
        raise ValueError("G1 point is not in the subgroup of prime order")
    return point


def combine(terms: Iterable[tuple[Point, int]]) -> tuple[FQ, FQ, FQ]:
    """`sum scalar * point`, all doublings shared."""
    scalars: dict[Point, int] = {}
    for point, scalar in terms:
        scalars[point] = (scalars.get(point, 0) + scalar) % ORDER
    total = (FQ.one(), FQ.one(), FQ.zero())
    for bit in reversed(range(ORDER.bit_length())):
        total = double(total)
        for point, scalar in scalars.items():
            if scalar >> bit & 1:
                total = add(total, point.projective())
    return total


# challenges


def draw_challenges(circuit_digest: bytes, image: bytes, proof: Proof) -> dict[str, int]:
    """protocol.md, "Rounds": the chain of hashes from the statement to zeta."""
    outputs = [value.to_bytes(8, "big", signed=True) for value in proof.outputs]
    context = keccak256(b"zkpredict proof v1", circuit_digest)
    return chain(keccak256(context, proof.model_id, proof.digit.to_bytes(32, "big"), *outputs, image), proof)


def chain(state: bytes, proof: Proof) -> dict[str, int]:
    """The challenges of all rounds, from the hash of the statement on."""
    found = {}
    for message in proof.form.rounds[:-1]:
        points = [proof.points[name].to_uncompressed() for name in message.points]
        state = keccak256(state, *points, *(proof.scalars[name].to_bytes(32, "big") for name in message.scalars))
        for number, name in enumerate(message.challenges):
            digest = state if number == 0 else keccak256(state, bytes([number]))
            short = name in ("rho", "sigma")
            found[name] = int.from_bytes(digest[:30], "big") if short else int.from_bytes(digest, "big") % ORDER
    return found


def keccak256(*parts: bytes) -> bytes:
    """32 bytes, of the parts one behind another."""
    return keccak.new(digest_bits=256, data=b"".join(parts)).digest()


# public polynomials


def public_values(
    circuit: AnyCircuit, image: bytes | HiddenInput, digit: int, alpha: int, point: int, outputs: tuple[int, ...] = (), eta: int = 0,
    shift: int = 0,
) -> dict[str, int]:
    """All public polynomials at a `point` outside the domain, each from its values on the rows (the image: coefficients). `eta`: of
    circuits with a hidden convolution; `shift`: of those of the second edition."""
    image = b"" if isinstance(image, HiddenInput) else image
    if isinstance(circuit, ConvCircuit):
        return mapped_values(circuit, image, digit, outputs, alpha, eta, point)
    if isinstance(circuit, ReplicaCircuit):
        return replica_values(circuit, image, digit, outputs, alpha, point)
    if isinstance(circuit, WideCircuit):
        return wide_values(circuit, image, digit, outputs, alpha, point)
    if isinstance(circuit, SecondCircuit):
        return second_values(circuit, image, digit, shift, point)
    return compact_values(circuit, image, digit, alpha, point)


def weighted_rows(circuit: AnyCircuit, alpha: int) -> dict[str, list[int]]:
    """Each column of the model as the weights of its row points, in the order of the commitment."""
    if isinstance(circuit, ReplicaCircuit):
        return replica_row_weights(circuit, alpha)
    if isinstance(circuit, ConvCircuit):
        exponents = mapped_row_exponents(circuit)
    elif isinstance(circuit, WideCircuit):
        exponents = wide_row_exponents(circuit)
    elif isinstance(circuit, SecondCircuit):
        exponents = second_row_exponents(circuit)
    else:
        exponents = {row_column(layer): own for layer, own in enumerate(row_exponents(circuit))}
    return {name: [pow(alpha, exponent, ORDER) for exponent in own] for name, own in exponents.items()}


# the identity at rho


@dataclass
class Probe:
    """An `Environment` of plain numbers in which every cell that no proof states is 0, except the one under test.

    `unstated` collects the cells of the first kind.
    """

    publics: Mapping[str, int]
    challenges: Mapping[str, int]
    stated: Mapping[CellName, int]
    under_test: CellName | None = None
    unstated: set[CellName] = field(default_factory=set)

    def constant(self, value: int) -> int:
        return value

    def cell(self, column: str, rotation: int) -> int:
        name = (column, rotation)
        if name in self.stated:
            return self.stated[name]
        self.unstated.add(name)
        return int(name == self.under_test)

    def public(self, name: str) -> int:
        return self.publics[name]

    def challenge(self, name: str) -> int:
        return self.challenges[name]


def split_linear(
    total: Callable[[Environment], int], publics: Numbers, challenges: Numbers, stated: Mapping[CellName, int]
) -> tuple[int, dict[CellName, int]]:
    """`total` as constant + sum of coefficient * unstated cell, found by setting one cell after the other to 1."""
    probe = Probe(publics, challenges, stated)
    constant = total(probe) % ORDER
    probes = {name: Probe(publics, challenges, stated, name) for name in sorted(probe.unstated)}
    return constant, {name: (total(one) - constant) % ORDER for name, one in probes.items()}


# the opening


@dataclass(frozen=True)
class Claim:
    """The polynomial committed to by `terms` takes `values[z]` at each z; modulo what vanishes at `Roots` it leaves these coefficients."""

    terms: list[tuple[Point, int]]
    values: Mapping[Any, Any]


@dataclass(frozen=True)
class Roots:
    """Where factor X^degree = 1, whether in the field or not."""

    factor: int
    degree: int


def opening_claims(
    commitment: ModelCommitment, proof: Proof, challenges: Numbers, publics: Numbers, image: bytes | HiddenInput = b"",
    batch: AnyCircuit | None = None,
) -> list[Claim]:
    """What the proof says of committed polynomials, by powers of nu. protocol.md, "What the verifier checks". `batch`: of several
    inputs, the circuit that holds them."""
    circuit = batch or commitment.circuit
    shape = form(circuit)
    root = pow(7, (ORDER - 1) // circuit.domain, ORDER)
    point_at = {k: challenges["rho"] * pow(root, k, ORDER) % ORDER for k in shape.rotations}
    if SHIFTED in point_at:
        point_at[SHIFTED] = challenges["rho"] * pow(challenges["shift"], -1, ORDER) % ORDER
    stated = {cell: proof.scalars[scalar_name(cell)] for cell in shape.stated}
    constant, coefficients = split_linear(lambda world: total_constraint(circuit, world), publics, challenges, stated)

    sums = {k: proof.scalars[linearised_name(k)] for k in shape.rotations if k}
    sums[0] = -constant - sum(sums.values())
    columns = _committed(commitment, proof, challenges["alpha"])
    if isinstance(image, HiddenInput):
        columns |= {f"committed{part}": [(point, 1)] for part, point in enumerate(cast("tuple[Point, ...]", image.points))}
    parts: dict[int, list[tuple[Point, int]]] = {k: [] for k in shape.rotations}
    for (column, rotation), coefficient in coefficients.items():
        parts[rotation].extend((point, coefficient * weight % ORDER) for point, weight in columns[column])

    found: list[tuple[tuple[int, ...], str, Claim]] = [((k,), "", Claim(parts[k], {point_at[k]: sums[k]})) for k in shape.rotations]
    for column in dict.fromkeys(name for name, _ in shape.stated):
        at = tuple(k for name, k in shape.stated if name == column)
        found.append((at, column, Claim(columns[column], {point_at[k]: stated[column, k] for k in at})))
    names = ["", *(column.name for column in shape.columns)]
    return [claim for _, _, claim in sorted(found, key=lambda one: (_ranks(one[0]), names.index(one[1])))]


def _ranks(rotations: tuple[int, ...]) -> list[tuple[bool, int]]:
    """In order: this row, the next ones, then those before it."""
    return [(rotation < 0, abs(rotation)) for rotation in rotations]


def _committed(commitment: ModelCommitment, proof: Proof, alpha: int) -> dict[str, list[tuple[Point, int]]]:
    """Every column as a combination of points; a layer's weights combine its rows by powers of alpha."""
    points = cast("Mapping[str, Point]", proof.points)
    columns = {name: [(point, 1)] for name, point in points.items() if name not in ("opening", "final")}
    columns |= {name: [(decode_point(point), 1)] for name, point in {"table": TABLE_COMMITMENT, **CODES_COMMITMENTS}.items()}
    rows = iter(cast("tuple[Point, ...]", commitment.rows))
    own: list[Point] = []
    hosted = isinstance(commitment.circuit, SecondCircuit) and commitment.circuit.hosts
    for name, weights in weighted_rows(commitment.circuit, alpha).items():
        if hosted and name == row_column(1):  # layer 0's last point holds it as well
            own = own[-1:]
        elif not is_again(name):  # kernels are the same points in every piece
            own = [next(rows) for _ in weights]
        columns[name] = list(zip(own, weights, strict=True))
    return columns


def _opens(claims: list[Claim], proof: Proof, challenges: Mapping[str, int]) -> bool:
    """The pairing equation, with the point zeta on the G2 side:

    F = sum_i nu^i Z_i(zeta) (C_i - [r_i(zeta)]) - Z(zeta) W,   e(F, [1]) = e(W', [tau] - zeta [1])

    Z vanishes on all opening points, Z_i on those that claim i says nothing about, and r_i takes the claimed values.
    """
    zeta, points = challenges["zeta"], cast("Mapping[str, Point]", proof.points)
    everywhere = {place for claim in claims for place in claim.values}
    terms, value = [(points["opening"], -_product(_vanishing(place, zeta) for place in everywhere))], 0
    for number, claim in enumerate(claims):
        factor = pow(challenges["nu"], number, ORDER) * _product(_vanishing(place, zeta) for place in everywhere - set(claim.values))
        terms += [(point, factor * weight) for point, weight in claim.terms]
        value += factor * _interpolated(claim.values, zeta)
    generator = Point(*(int(part) for part in normalize(GENERATOR)))
    folded = combine([*terms, (generator, -value)])
    tau = decompress_G2((int.from_bytes(TAU_G2[:48], "big"), int.from_bytes(TAU_G2[48:], "big")))  # type: ignore[arg-type]  # its NewType of a pair
    shifted = add(tau, neg(multiply(GENERATOR_G2, zeta)))
    left = pairing(GENERATOR_G2, folded, final_exponentiate=False)
    right = pairing(shifted, neg(points["final"].projective()), final_exponentiate=False)
    return final_exponentiate(left * right) == FQ12.one()


def _product(factors: Iterable[int]) -> int:
    return reduce(lambda one, other: one * other % ORDER, factors, 1)


def _vanishing(place: int | Roots, zeta: int) -> int:
    return place.factor * pow(zeta, place.degree, ORDER) - 1 if isinstance(place, Roots) else zeta - place


def _interpolated(values: Mapping[Any, Any], point: int) -> int:
    """The polynomial of lowest degree through `values`, or what is left, at `point`."""
    total = 0
    for node, value in values.items():
        if isinstance(node, Roots):
            return cast(int, sum(coefficient * pow(point, k, ORDER) for k, coefficient in enumerate(value)) % ORDER)
        others = [other for other in values if other != node]
        above, below = _product(point - other for other in others), _product(node - other for other in others)
        total += value * above * pow(below, -1, ORDER)
    return total % ORDER
