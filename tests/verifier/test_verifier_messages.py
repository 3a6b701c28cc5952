"""The proof file: every field in its place, and the exact word for every way it can be wrong."""

import pytest
from support import changed, refuses

from zkpredict.circuits.field import MODULUS
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.kernel import G1
from zkpredict.verifier.errors import MalformedProof, VerificationError
from zkpredict.verifier.messages import Proof, absorbed, proof_bytes
from zkpredict.verifier.native import parse_proof

POINTS = ("limb", "horner", "cell", "linear", "lookup", "quotient", "opening", "final")
SCALARS = ("limb", "cell", "table", "cell_next", "linearised_next")
HEADER = 5 + 32 + 2
FIRST_SCALAR = HEADER + 8 * 48
FIELD_PRIME = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB


@pytest.fixture(scope="module")
def data(proof) -> bytes:
    return proof.to_bytes()


def with_point(data: bytes, number: int, encoded: bytes) -> bytes:
    start = HEADER + 48 * number
    return data[:start] + encoded + data[start + 48 :]


def with_scalar(data: bytes, number: int, value: int) -> bytes:
    start = FIRST_SCALAR + 32 * number
    return data[:start] + value.to_bytes(32, "big") + data[start + 32 :]


# Honest bytes


def test_round_trip(proof, data):
    assert parse_proof(data) == proof and parse_proof(data).to_bytes() == data


def test_a_proof_is_583_bytes(data):
    assert len(data) == proof_bytes() == HEADER + 8 * 48 + 5 * 32 == 583


def test_every_field_lies_where_the_page_says(proof, data):
    assert data[:5] == b"zkpP\x01"
    assert data[5:37] == proof.model_id and data[37:39] == proof.digit.to_bytes(2, "little")
    for number, point in enumerate(proof.points.values()):
        assert data[HEADER + 48 * number :][:48] == point.to_compressed()
    assert data[FIRST_SCALAR:] == b"".join(value.to_bytes(32, "big") for value in tuple(proof.scalars.values()))


def test_points_are_named_in_the_order_of_the_rounds(proof):
    assert tuple(proof.points) == POINTS and tuple(proof.scalars) == SCALARS
    assert len({point.to_compressed() for point in proof.points.values()}) == 8


def test_messages_absorb_uncompressed_points_and_big_endian_scalars(proof):
    said = {message.name: absorbed(message, proof.points, proof.scalars) for message in COMPACT_FORM.rounds}
    points = said["trace"] + said["sums"] + said["quotient"] + said["opening"] + said["final"]
    assert points == b"".join(point.to_uncompressed() for point in proof.points.values()) and len(points) == 8 * 96
    assert said["evaluations"] == b"".join(value.to_bytes(32, "big") for value in proof.scalars.values())


def test_a_proof_made_in_python_is_checked_like_one_that_is_parsed(proof):
    def made(**changes):
        return Proof(**{"model_id": proof.model_id, "digit": 3, "points": proof.points, "scalars": proof.scalars} | changes)

    assert made(digit=proof.digit) == proof
    infinity = G1.generator() - G1.generator()
    with refuses(MalformedProof, "proof: point horner is at infinity"):
        made(points={**proof.points, "horner": infinity})
    for value in (-1, MODULUS):
        with refuses(MalformedProof, "proof: scalar cell is not below the field order"):
            made(scalars={**proof.scalars, "cell": value})
    with refuses(MalformedProof, f"proof: its scalars are limb, expected {', '.join(SCALARS)}"):
        made(scalars={"limb": 1})
    with refuses(MalformedProof, f"proof: its points are {', '.join(POINTS[::-1])}, expected {', '.join(POINTS)}"):
        made(points=dict(reversed(proof.points.items())))
    for changes, size, digit in (({"digit": -1}, 32, -1), ({"digit": 1 << 16}, 32, 1 << 16), ({"model_id": bytes(31)}, 31, 3)):
        message = f"proof: the model id has {size} bytes, expected 32, or the digit {digit} not 2 bytes"
        with refuses(MalformedProof, message):
            made(**changes)


# Bytes that are no proof


@pytest.mark.parametrize("position", range(5))
def test_another_magic_or_version_is_refused(data, position):
    altered = changed(data, position)
    with refuses(MalformedProof, f"proof: magic is {altered[:5]!r}, expected b'zkpP\\x01'"):
        parse_proof(altered)


def test_every_truncation_is_refused_by_the_field_that_is_cut(data):
    ends = [(5, "magic"), (37, "model id"), (39, "digit")]
    ends += [(HEADER + 48 * (number + 1), f"point {number}") for number in range(8)]
    ends += [(FIRST_SCALAR + 32 * (number + 1), f"scalar {name}") for number, name in enumerate(SCALARS)]
    starts = dict(zip((name for _, name in ends), [0] + [end for end, _ in ends]))
    for length in range(len(data)):
        end, name = next((end, name) for end, name in ends if end > length)
        start = starts[name]
        message = f"proof: {name} needs {end - start} bytes at offset {start}, {length - start} are left"
        with refuses(MalformedProof, message):
            parse_proof(data[:length])


@pytest.mark.parametrize("count", [1, 32, 583])
def test_trailing_bytes_are_refused(data, count):
    with refuses(MalformedProof, f"proof: {count} bytes trail after the end at offset 583"):
        parse_proof(data + data[:count])


@pytest.mark.parametrize("number", range(5))
def test_scalars_from_the_field_order_upwards_are_refused(data, number):
    assert tuple(parse_proof(with_scalar(data, number, MODULUS - 1)).scalars.values())[number] == MODULUS - 1
    message = f"proof: scalar {SCALARS[number]} is not below the field order"
    for value in (MODULUS, MODULUS + 1, 2**255, 2**256 - 1):
        with refuses(MalformedProof, message):
            parse_proof(with_scalar(data, number, value))


@pytest.mark.parametrize("number", range(5))
def test_the_same_scalar_plus_the_field_order_is_refused(proof, data, number):
    value = tuple(proof.scalars.values())[number]
    assert with_scalar(data, number, value) == data
    assert value + MODULUS < 1 << 256
    with refuses(MalformedProof, f"proof: scalar {SCALARS[number]} is not below the field order"):
        parse_proof(with_scalar(data, number, value + MODULUS))


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize("first", [0xC0, 0xE0, 0x40, 0x60])
def test_points_at_infinity_are_refused(data, number, first):
    with refuses(MalformedProof, f"proof: point {POINTS[number]} is at infinity"):
        parse_proof(with_point(data, number, bytes([first]) + bytes(47)))


def on_curve(x: int) -> bool:
    return pow(pow(x, 3, FIELD_PRIME) + 4, (FIELD_PRIME - 1) // 2, FIELD_PRIME) == 1


OFF_CURVE = next(x for x in range(1, 100) if not on_curve(x))
OUTSIDE_SUBGROUP = next(x for x in range(1, 100) if on_curve(x))


@pytest.mark.parametrize("number", range(8))
@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (((1 << 383) + OFF_CURVE).to_bytes(48, "big"), "is not on the curve"),
        (((1 << 383) + OUTSIDE_SUBGROUP).to_bytes(48, "big"), "is not in the subgroup of prime order"),
        (((1 << 383) + FIELD_PRIME).to_bytes(48, "big"), "is not canonically encoded"),
        (((1 << 383) + (1 << 381) - 1).to_bytes(48, "big"), "is not canonically encoded"),
        (bytes(48), "is not canonically encoded"),
    ],
    ids=["off the curve", "outside the subgroup", "x = p", "x > p", "zeros"],
)
def test_bad_points_are_refused_by_name(data, number, encoded, reason):
    with refuses(MalformedProof, f"proof: point {POINTS[number]}: G1 point {reason}"):
        parse_proof(with_point(data, number, encoded))


@pytest.mark.parametrize("number", range(8))
def test_a_point_s_uncompressed_x_is_refused(proof, data, number):
    x = proof.points[POINTS[number]].to_uncompressed()[:48]
    with refuses(MalformedProof, f"proof: point {POINTS[number]}: G1 point is not canonically encoded"):
        parse_proof(with_point(data, number, x))


def test_the_decoder_s_refusals_keep_their_reason(data):
    def refuse(raw: bytes):
        raise ValueError(f"no {len(raw)} bytes today")

    with refuses(MalformedProof, "proof: point limb: no 48 bytes today"):
        Proof.from_bytes(data, refuse)
    assert Proof.from_bytes(data, G1.from_compressed).to_bytes() == data
    assert issubclass(MalformedProof, VerificationError)
