"""What the universal verifier derives of a circuit's bytes: refused where the Python parser refuses, and for what is accepted, every scalar
and every point of the sum is the one that `fold` gives, on circuits of all kinds."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
from support import random_network, refuses, said

from zkpredict.circuits.errors import MalformedFile, UnusableInput
from zkpredict.circuits.field import MODULUS, inverse, root_of_unity
from zkpredict.circuits.files.codec import ByteReader
from zkpredict.circuits.gadgets.dense import row_column
from zkpredict.circuits.gadgets.gates import GATES
from zkpredict.circuits.gadgets.relu import Relu
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.placement import COMPACT_FORM
from zkpredict.circuits.wide.compiler import compile_wide
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.chain.precompiles import G1_MSM, NATIVE, POINT_EVALUATION, g1_msm
from zkpredict.contracts.chain.rules import padded
from zkpredict.contracts.verifier.client import deploy_universal, prepare_circuit, register_circuit, register_model
from zkpredict.contracts.verifier.encoding import absorbed_points, onchain_proof
from zkpredict.contracts.verifier.universal import registry_constants
from zkpredict.kernel import G1
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.costs import POINT_EVALUATION_GAS, estimate_costs
from zkpredict.verifier.messages import Proof, derive_challenges
from zkpredict.verifier.native import FIXED_COLUMNS
from zkpredict.verifier.opening import fold, linearise

CIRCUITS = (
    Circuit((784, 64, 10), (1, 2), 1024),
    Circuit((784, 64, 10), (1, 2), 2048),
    Circuit((784, 64, 32, 10), (1, 2, 2), 2048),
    Circuit((1022 - 1, 1), (2,), 1024),
    Circuit((2046, 1, 2), (2, 2), 2048),
    Circuit((1, 1), (2,), 2048),
    Circuit((4, 20, 3), (1, 2), 1024),
    Circuit((30, 5), (2,), 1024),
    Circuit((31, 6), (2,), 1024),
    Circuit((32, 80), (2,), 2048),
    Circuit((33, 40), (2,), 1024),
    Circuit((64, 12, 7), (2, 2), 1024),
    Circuit((9, *(3,) * 14, 4), (1, 2) * 7 + (2,), 1024),
    Circuit((65, *(7,) * 6, 11), (2, 1) * 3 + (2,), 2048),
    Circuit((50, 80, 2), (1, 2), 1024),
    Circuit((50, 160, 9), (1, 2), 2048),
)


def name_of(circuit: Circuit) -> str:
    return f"{'-'.join(map(str, circuit.widths))}_{''.join(map(str, circuit.lanes))}_n{circuit.domain}"


WIDE = "this contract checks proofs in compact circuits only, and this model's is wide: each wide circuit has a verifier of its own"


@dataclass
class Recorded:
    """A chain that writes down what the precompiles of the fold are asked, and answers the last as if it held."""

    sums: list[bytes] = field(default_factory=list)
    finals: list[bytes] = field(default_factory=list)

    def chain(self) -> EmbeddedChain:
        def total(computation) -> None:
            self.sums.append(computation.msg.data_as_bytes)
            g1_msm(computation)

        def final(computation) -> None:
            self.finals.append(computation.msg.data_as_bytes)
            computation.output = bytes(64)

        return EmbeddedChain(NATIVE | {G1_MSM: total, POINT_EVALUATION: final})


@pytest.fixture(scope="module")
def recorded() -> tuple[Recorded, Contract]:
    record = Recorded()
    return record, deploy_universal(record.chain()).contract


def points(count: int, seed: int) -> list[G1]:
    numbers = random.Random(seed)
    return [G1.generator().mul(numbers.randrange(1, MODULUS)) for _ in range(count)]


@pytest.mark.parametrize("circuit", CIRCUITS, ids=name_of)
def test_sum_and_value_match_reference(recorded, circuit):
    """Random points and values in the place of a proof: nothing before the last check looks at whether they are one."""
    record, contract = recorded
    commitment = ModelCommitment(circuit, tuple(points(circuit.total_rows, 1)))
    register_circuit(contract.chain, contract.address, circuit)
    register_model(contract.chain, contract.address, commitment)
    numbers = random.Random(name_of(circuit))
    for digit in {0, circuit.classes - 1, numbers.randrange(circuit.classes)}:
        image = bytes(numbers.randrange(256) * numbers.randrange(2) for _ in range(circuit.inputs))
        scalars = {name: numbers.randrange(MODULUS) for name in COMPACT_FORM.scalars}
        proof = Proof(commitment.model_id, digit, dict(zip(COMPACT_FORM.points, points(8, digit), strict=True)), scalars)
        assert contract.call("verify", commitment.model_id, image, digit, onchain_proof(proof))

        challenges = derive_challenges(circuit.digest, said(image, digit), proof)
        reference = fold(circuit, linearise(circuit, said(image, digit), challenges, scalars), scalars, challenges)
        expected = [(padded(G1.from_compressed(FIXED_COLUMNS["table"])), reference.columns["table"])]
        expected += [(padded(proof.points[name]), reference.columns[name]) for name in absorbed_points()[:-1]]
        expected.append((padded(proof.points["opening"]), reference.opening))
        exponents = [(layer, e) for layer in range(circuit.layers) for e in circuit.row_exponents(layer)]
        for row, (layer, exponent) in zip(commitment.rows, exponents, strict=True):
            weight = pow(challenges["alpha"], exponent, MODULUS)
            expected.append((padded(row), reference.columns[row_column(layer)] * weight % MODULUS))
        data = record.sums[-1]
        terms = [(data[at : at + 128], int.from_bytes(data[at + 128 : at + 160], "big") % MODULUS) for at in range(0, len(data), 160)]
        assert terms == expected
        assert record.finals[-1][32:96] == b"".join(v.to_bytes(32, "big") for v in (challenges["zeta"], reference.value))


@pytest.mark.parametrize("circuit", CIRCUITS, ids=name_of)
def test_the_estimated_gas_bounds_the_measured_closely(recorded, circuit):
    """An image without blank pixels; the recording chain takes nothing for the last check, which costs 50,000."""
    record, contract = recorded
    commitment = ModelCommitment(circuit, tuple(points(circuit.total_rows, 2)))
    prepare_circuit(contract.chain, contract.address, circuit)
    register_model(contract.chain, contract.address, commitment)
    scalars = {name: MODULUS - 1 for name in COMPACT_FORM.scalars}
    proof = Proof(commitment.model_id, circuit.classes - 1, dict(zip(COMPACT_FORM.points, points(8, 3), strict=True)), scalars)
    question = commitment.model_id, b"\xff" * circuit.inputs, proof.digit, onchain_proof(proof)
    measured = contract.transact("verifyOrRevert", *question).gas_used + POINT_EVALUATION_GAS
    assert measured <= estimate_costs(circuit).universal_gas_estimate < 1.015 * measured


def test_what_is_stored_are_the_positions_of_the_layout(recorded):
    """The derived words of a circuit with hidden layers of both widths, one by one, from `circuits.layout`."""
    _, contract = recorded
    circuit = Circuit((20, 23, 7, 6), (1, 2, 2), 1024)
    register_circuit(contract.chain, contract.address, circuit)
    data = contract.chain.code(contract.call("circuitData", circuit.digest))
    assert data[0] == 0  # STOP
    words = [int.from_bytes(data[at : at + 32], "big") for at in range(1, len(data), 32)]
    places = registry_constants()

    def head(name: str) -> int:
        return words[(places[name] - places["DERIVED"]) // 32]

    def record(layer: int, name: str) -> int:
        return words[(places["RECORDS"] - places["DERIVED"] + layer * places["RECORD_BYTES"] + places[name]) // 32]

    def pole(row: int) -> int:
        return pow(inverse(root_of_unity(circuit.domain)), row, MODULUS)

    assert len(words) == places["HEAD_WORDS"] + 3 * places["RECORD_WORDS"]
    assert (head("ROWS"), head("INPUT_PACKS")) == (circuit.total_rows, circuit.input_packs_per_row)
    assert (head("CLASS_EXPONENT"), head("CLASSES")) == (circuit.first_equation(3), 6)
    assert head("EXPONENTS") == circuit.first_equation(3) + 6 + len(circuit.pinned_rows)
    assert head("LOGIT_POLE") == pole(circuit.groups[2].pack_row(0) + 8)
    assert head("DIFFERENCE_POLE") == pole(circuit.difference_group.pack_row(0) + 8)
    for layer, group in enumerate(circuit.layer_groups):
        assert record(layer, "POLE") == pole(group.pack_row(0) + 40)
        assert record(layer, "PITCH") == pole(group.stride * 64)
        assert [record(layer, name) for name in ("FULL_OFFSET", "LAST_OFFSET")] == [group.offset(0), group.offset(group.packs - 1)]


def test_circuits_that_it_does_not_serve_are_refused_before_anything_is_paid(recorded, monkeypatch):
    _, contract = recorded
    before = len(contract.chain.history)
    with refuses(UnusableInput, WIDE):
        register_circuit(contract.chain, contract.address, compile_wide(random_network(1, (4, 3, 2))).circuit)
    monkeypatch.setitem(GATES, 5, type("Fifth", (Relu,), {"tag": 5}))
    gated = Circuit((4, 3, 2), (1, 2), 1024, (5, 0))
    with refuses(UnusableInput, "the universal verifier serves ReLU networks, and this circuit has the gates (5, 0): no shipped contract checks proofs in it"):
        register_circuit(contract.chain, contract.address, gated)
    assert len(contract.chain.history) == before
    assert refusal(contract, gated.to_bytes()) == ("UnknownGate", (0, 5))
    assert parsed(gated.to_bytes())  # here, where somebody registered such a gate


def parsed(data: bytes) -> bool:
    """Whether the Python parser takes these bytes as a circuit."""
    reader = ByteReader(data, "circuit")
    try:
        Circuit.read(reader)
        reader.finish()
    except MalformedFile:
        return False
    return True


def refusal(contract: Contract, data: bytes) -> tuple[str, tuple] | None:
    try:
        contract.call("registerCircuit", data)
    except Reverted as caught:
        return caught.name, caught.arguments
    return None


def encoded(domain: int, widths: tuple[int, ...], lanes: bytes, layers: int | None = None) -> bytes:
    count = len(lanes) if layers is None else layers
    return b"zkpC\x01" + domain.to_bytes(2, "little") + bytes([count]) + b"".join(w.to_bytes(4, "little") for w in widths) + lanes


HOSTILE = {
    "empty": (b"", ("WrongCircuitLength", (0,))),
    "header only": (b"zkpC\x01\x00\x04", ("WrongCircuitLength", (7,))),
    "another magic": (b"zkpD\x01" + encoded(1024, (4, 2), b"\x02")[5:], ("WrongCircuitMagic", (b"zkpD\x01",))),
    "another version": (b"zkpC\x02" + encoded(1024, (4, 2), b"\x02")[5:], ("WrongCircuitMagic", (b"zkpC\x02",))),
    "no layers": (encoded(1024, (4,), b""), ("WrongLayerCount", (0,))),
    "17 layers": (encoded(1024, (1,) * 18, b"\x01" * 16 + b"\x02"), ("WrongLayerCount", (17,))),
    "trailing byte": (encoded(1024, (4, 2), b"\x02") + b"\x00", ("WrongCircuitLength", (18,))),
    "one byte short": (encoded(1024, (4, 2), b"\x02")[:-1], ("WrongCircuitLength", (16,))),
    "a layer more than said": (encoded(1024, (4, 3, 2), b"\x01\x02", 1), ("WrongCircuitLength", (22,))),
    "512 rows": (encoded(512, (4, 2), b"\x02"), ("WrongDomain", (512,))),
    "4096 rows": (encoded(4096, (4, 2), b"\x02"), ("WrongDomain", (4096,))),
    "rows in the other byte order": (encoded(0x0004, (4, 2), b"\x02"), ("WrongDomain", (4,))),
    "no inputs": (encoded(1024, (0, 2), b"\x02"), ("WrongWidth", (0, 0))),
    "no neurons": (encoded(1024, (4, 0, 2), b"\x01\x02"), ("WrongWidth", (1, 0))),
    "no classes": (encoded(1024, (4, 0), b"\x02"), ("WrongWidth", (1, 0))),
    "2^16 + 1 neurons": (encoded(1024, (4, 65537, 2), b"\x01\x02"), ("WrongWidth", (1, 65537))),
    "2^32 - 1 classes": (encoded(1024, (4, (1 << 32) - 1), b"\x02"), ("WrongWidth", (1, (1 << 32) - 1))),
    "lanes 0": (encoded(1024, (4, 3, 2), b"\x00\x02"), ("WrongLanes", (0, 0))),
    "lanes 3": (encoded(1024, (4, 3, 2), b"\x03\x02"), ("WrongLanes", (0, 3))),
    "narrow logits": (encoded(1024, (4, 3, 2), b"\x01\x01"), ("WrongLanes", (1, 1))),
    "a gate nobody knows": (encoded(1024, (4, 3, 2), b"\xf1\x02"), ("UnknownGate", (0, 15))),
    "a gate at the logits": (encoded(1024, (4, 3, 2), b"\x01\x12"), ("UnknownGate", (1, 1))),
    "inputs that fill the rows": (encoded(1024, (1023, 2), b"\x02"), ("TooManyInputs", (1023,))),
    "2047 inputs": (encoded(2048, (2047, 2), b"\x02"), ("TooManyInputs", (2047,))),
    "81 neurons": (encoded(1024, (4, 81, 2), b"\x01\x02"), ("TooManyPacks", (18, 16))),
    "hidden groups without room for the quotient": (encoded(2048, (4, *(1,) * 8, 2), b"\x01" * 8 + b"\x02"), ("TooManyPacks", (34, 32))),
    "65536 classes": (encoded(2048, (4, 65536), b"\x02"), ("TooManyPacks", (32768, 32))),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_circuits_are_refused_by_name(recorded, name):
    data, error = HOSTILE[name]
    assert (refusal(recorded[1], data), parsed(data)) == (error, False)


def test_a_circuit_is_registered_once_by_anyone(recorded):
    _, contract = recorded
    circuit = Circuit((6, 2), (2,), 1024)
    receipt = contract.by(contract.chain.account(3)).transact("registerCircuit", circuit.to_bytes())
    registrar = contract.chain.account(3).sender.lower()
    assert contract.events(receipt) == [("CircuitRegistered", {"circuitDigest": circuit.digest, "registrar": registrar})]
    before = contract.call("circuitData", circuit.digest)
    assert refusal(contract, circuit.to_bytes()) == ("CircuitAlreadyRegistered", (circuit.digest,))
    assert contract.call("circuitData", circuit.digest) == before
