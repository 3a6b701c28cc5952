"""The commitment file: round trip, the model id, and what is refused."""

import os
import tracemalloc

import pytest
from Crypto.Hash import keccak
from support import changed, random_network, refuses

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.layout import Circuit
from zkpredict.kernel import G1
from zkpredict.prover.commit import commit_model
from zkpredict.verifier.commitment import MAX_COMMITMENT_BYTES, ModelCommitment


def hashed(data: bytes) -> bytes:
    return keccak.new(digest_bits=256, data=data).digest()


@pytest.fixture(scope="module")
def commitment(model) -> ModelCommitment:
    return model.commitment


@pytest.fixture(scope="module")
def data(commitment) -> bytes:
    return commitment.to_bytes()


def read(data: bytes) -> ModelCommitment:
    return ModelCommitment.from_bytes(data, G1.from_compressed)


def test_round_trip(commitment, data, tmp_path):
    assert read(data) == commitment and read(data).to_bytes() == data
    commitment.save(tmp_path / "c")
    assert ModelCommitment.load(tmp_path / "c") == commitment and os.listdir(tmp_path) == ["c"]


def test_bytes_are_the_documented_ones(commitment, data):
    circuit = commitment.circuit.to_bytes()
    assert data[:5] == b"zkpK\x01" and data[5 : 5 + len(circuit)] == circuit
    rest = data[5 + len(circuit) :]
    assert rest[:2] == len(commitment.rows).to_bytes(2, "little")
    assert rest[2:] == b"".join(row.to_compressed() for row in commitment.rows)


def test_model_id_matches_reference(commitment):
    rows = b"".join(row.to_uncompressed() for row in commitment.rows)
    assert commitment.model_id == hashed(hashed(b"zkpredict model v1" + commitment.circuit.digest) + rows)


def test_model_id_changes_with_every_row_their_order_and_the_circuit(commitment):
    rows, ids = commitment.rows, {commitment.model_id}
    for number in range(len(rows)):
        ids.add(ModelCommitment(commitment.circuit, (*rows[:number], rows[number] + rows[0], *rows[number + 1 :])).model_id)
    ids.add(ModelCommitment(commitment.circuit, rows[::-1]).model_id)
    other = commit_model(random_network(1, (29, 12, 4))).commitment.circuit
    ids.add(ModelCommitment(other, rows).model_id)
    assert len(ids) == len(rows) + 3
    assert ModelCommitment(commitment.circuit, tuple(rows)).model_id == commitment.model_id


def test_every_truncation_and_an_extension_are_refused(data):
    for length in range(len(data)):
        with pytest.raises(MalformedFile, match=r"^commitment: .* bytes at offset \d+, \d+ are left$") as caught:
            read(data[:length])
        assert caught.type is MalformedFile
    with refuses(MalformedFile, f"commitment: 1 bytes trail after the end at offset {len(data)}"):
        read(data + b"\x00")


@pytest.mark.parametrize("position", range(5))
def test_another_magic_is_refused(data, position):
    altered = changed(data, position)
    with refuses(MalformedFile, f"commitment: commitment magic is {altered[:5]!r}, expected b'zkpK\\x01'"):
        read(altered)


@pytest.mark.parametrize("count", [0, 1, 3, 65535])
def test_another_number_of_rows_is_refused(commitment, data, count):
    assert len(commitment.rows) == 2 != count
    start = 5 + len(commitment.circuit.to_bytes())
    with refuses(MalformedFile, f"commitment: has {count} rows, its circuit needs 2"):
        read(data[:start] + count.to_bytes(2, "little") + data[start + 2 :])


def test_rows_of_another_circuit_are_refused(commitment, data):
    other = Circuit((700, 12, 4), commitment.circuit.lanes, 1024)
    size = len(commitment.circuit.to_bytes())
    assert other.total_rows == 3 and len(other.to_bytes()) == size
    with refuses(MalformedFile, "commitment: has 2 rows, its circuit needs 3"):
        read(data[:5] + other.to_bytes() + data[5 + size :])


def test_a_circuit_that_fits_nothing_is_refused(data):
    assert read(data).circuit.widths == (30, 12, 4)
    with refuses(MalformedFile, "commitment: layer widths must be in 1..65536, got (30, 4294967295, 4)"):
        read(data[:17] + b"\xff\xff\xff\xff" + data[21:])


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        (b"\xc0" + bytes(47), " is the point at infinity"),
        (bytes(48), ": G1 point is not canonically encoded"),
        (b"\x80" + bytes(46) + b"\x01", ": G1 point is not on the curve"),
        (b"\x80" + bytes(46) + b"\x04", ": G1 point is not in the subgroup of prime order"),
    ],
    ids=["infinity", "zeros", "off the curve", "outside the subgroup"],
)
@pytest.mark.parametrize("row", [0, 1])
def test_bad_rows_are_refused_by_number(data, row, encoded, reason):
    start = len(data) - 48 * (2 - row)
    with refuses(MalformedFile, f"commitment: row {row}{reason}"):
        read(data[:start] + encoded + data[start + 48 :])


def test_load_names_the_file(tmp_path, data):
    path = tmp_path / "c"
    with refuses(UnusableInput, f"cannot read commitment {path}: No such file or directory"):
        ModelCommitment.load(path)
    path.write_bytes(data[:-1])
    with refuses(MalformedFile, f"{path}: row 1 needs 48 bytes at offset {len(data) - 48}, 47 are left"):
        ModelCommitment.load(path)
    path.write_bytes(data + bytes(MAX_COMMITMENT_BYTES))
    with refuses(UnusableInput, f"commitment {path} is larger than {MAX_COMMITMENT_BYTES} bytes"):
        ModelCommitment.load(path)


def test_a_hostile_header_allocates_nothing():
    hostile = b"zkpK\x01zkpC\x01" + (1024).to_bytes(2, "little") + b"\xff" * 20
    tracemalloc.start()
    with refuses(MalformedFile, "commitment: layer count is 255, expected 1 to 16"):
        read(hostile)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
