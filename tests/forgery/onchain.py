"""The generated contracts as one more verifier: the one that is compiled for a claim's circuit and the universal one, which must give one
answer, on a chain in this process (Prague rules).

A proof file is re-encoded for the chain without being checked: bad points, scalars and digits get there as they are.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest
from forger import Claim
from py_ecc.optimized_bls12_381 import field_modulus

from zkpredict.circuits import constraints as system
from zkpredict.circuits.layout import DOMAINS, Circuit
from zkpredict.circuits.placement import COMPACT_FORM, form
from zkpredict.circuits.statement import OUTPUT_BYTES
from zkpredict.circuits.wide.layout import WideCircuit
from zkpredict.circuits.columns import Form
from zkpredict.contracts.artifact import Artifact
from zkpredict.contracts.chain.interface import Contract, Reverted
from zkpredict.contracts.compile import Settings, compile_sources
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.generate import SETTINGS, UNIVERSAL_SOURCES, wide_sources
from zkpredict.contracts.verifier.source import SOURCES, contract_name, source
from zkpredict.contracts.verifier.wide.numbers import wide_name
from zkpredict.contracts.verifier.wide.source import wide_source
from zkpredict.contracts.verifier.universal import two_layers, universal_name, universal_source
from zkpredict.kernel import G1
from zkpredict.verifier.commitment import ModelCommitment
from zkpredict.verifier.errors import FailedOpening, MalformedProof, VerificationError, WrongStatement
from zkpredict.verifier.messages import HEADER_BYTES, POINT_BYTES, proof_bytes

SHAPES = frozenset({(12, 6, 3), (12, 21, 3), (12, 6, 6, 3), (12, 2, 2), (20, 12, 10), (2, 1, 2), (2, 3)})
"""Compact circuits whose claims go to a contract too."""
WIDE_SHAPES = frozenset({(12, 30, 3), (12, 20, 4), (3, 1, 2), (12, 30, 22, 3)})
"""The same for wide circuits, each of which has a contract of its own."""
_HEADER = HEADER_BYTES
MSM = "0x000000000000000000000000000000000000000c"


asked = True
"""Whether forgeries go to contracts: `conftest` says no in a run without Node."""


@cache
def compiled(text: str, name: str, beside: tuple[str, ...] = UNIVERSAL_SOURCES) -> Artifact:
    """The contract `name` in the Solidity `text`: another text (a guard taken out) is another contract. `beside`: the files it imports."""
    shared = {file: (SOURCES / file).read_text(encoding="utf-8") for file in beside}
    return compile_sources({"Verifier.sol": text} | shared, replace(Settings.load(), settings=SETTINGS))[name]


@cache
def deployed(text: str, name: str, beside: tuple[str, ...] = UNIVERSAL_SOURCES) -> Contract:
    return Contract.deploy(EmbeddedChain(), compiled(text, name, beside))[0]


@cache
def _wide(circuit: WideCircuit, in_force: str) -> Contract:
    return deployed(wide_source(circuit), wide_name(circuit), tuple(name for name in wide_sources(circuit) if name != f"{wide_name(circuit)}.sol"))


def wide_contract(circuit: WideCircuit) -> Contract:
    """The verifier of a wide circuit under the constraints in force, deployed once."""
    return _wide(circuit, f"{system.constraints(circuit)} {system.selectors(circuit, 2)}")


def contract_for(circuit: Circuit, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Contract:
    """The verifier of `circuit` under the constraints in force, deployed once."""
    return deployed(source(circuit, check), contract_name(circuit, check))


def registered(commitment: ModelCommitment, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> Contract:
    """The circuit's contract, with this model on it."""
    circuit = commitment.circuit
    contract = wide_contract(circuit) if isinstance(circuit, WideCircuit) else contract_for(circuit, check)
    if not contract.call("isRegistered", commitment.model_id):
        contract.transact("register", b"".join(row.to_uncompressed() for row in commitment.rows))
    return contract


@cache
def _universal(in_force: str, check: FinalCheck) -> Contract:
    return deployed(universal_source(check), universal_name(check))


def universal(commitment: ModelCommitment, check: FinalCheck) -> Contract:
    """The universal verifier under the constraints in force, with this model and its circuit on it."""
    circuit = two_layers(DOMAINS[0])
    contract = _universal(f"{system.constraints(circuit)} {system.selectors(circuit, 2)}", check)
    if int(contract.call("circuitData", commitment.circuit.digest), 16) == 0:
        contract.transact("registerCircuit", commitment.circuit.to_bytes())
    if not contract.call("isRegistered", commitment.model_id):
        contract.transact("register", commitment.circuit.digest, b"".join(row.to_uncompressed() for row in commitment.rows))
    return contract


def encoded(proof: bytes, check: FinalCheck = FinalCheck.POINT_EVALUATION, shape: Form = COMPACT_FORM) -> bytes:
    """Proof file bytes as calldata bytes, unchecked; a proof of the wrong length as it is."""
    if len(proof) != proof_bytes(shape):
        return proof
    start = _HEADER + OUTPUT_BYTES * shape.outputs
    outputs = b"".join(proof[at : at + OUTPUT_BYTES][::-1] for at in range(_HEADER, start, OUTPUT_BYTES))
    points = [proof[start + POINT_BYTES * i : start + POINT_BYTES * (i + 1)] for i in range(len(shape.points))]
    final = points[-1] if check is FinalCheck.POINT_EVALUATION else uncompressed(points[-1])
    return outputs + b"".join(map(uncompressed, points[:-1])) + proof[start + POINT_BYTES * len(points) :] + final


def uncompressed(data: bytes) -> bytes:
    """96 bytes for 48: x as it stands, y by the sign bit (any square root where there is none), infinity as zeros."""
    if data[0] & 0x40:
        return bytes(96)
    x = int.from_bytes(data, "big") % (1 << 381)
    root = pow(x**3 + 4, (field_modulus + 1) // 4, field_modulus)
    y = max(root, field_modulus - root) if data[0] & 0x20 else min(root, field_modulus - root)
    return x.to_bytes(48, "big") + y.to_bytes(48, "big")


def by_contract(claim: Claim, check: FinalCheck = FinalCheck.POINT_EVALUATION) -> int:
    """The digit that the contract accepts; raises `Reverted` with its refusal. `verify` must give the same verdict."""
    commitment = ModelCommitment.from_bytes(claim.commitment, G1.from_compressed)
    digit = int.from_bytes(claim.proof[_HEADER - 2 : _HEADER], "little")
    question = commitment.model_id, claim.image, digit, encoded(claim.proof, check, form(commitment.circuit))
    contracts = [registered(commitment, check)]
    contracts += [] if isinstance(commitment.circuit, WideCircuit) else [universal(commitment, check)]
    verdicts = [_asked(contract, question) for contract in contracts]
    assert all(verdict[:2] == verdicts[0][:2] for verdict in verdicts)
    for _, _, refusal in verdicts:
        if refusal is not None:
            raise refusal
    return digit


def _asked(contract: Contract, question: tuple) -> tuple[bool, tuple, Reverted | None]:
    """What `verify` says; name and arguments of the error of `verifyOrRevert`; the error."""
    verdict = contract.call("verify", *question)
    try:
        contract.call("verifyOrRevert", *question)
    except Reverted as refusal:
        assert verdict is False
        return verdict, (refusal.name, refusal.arguments), refusal
    assert verdict is True
    return verdict, (), None


def goes_on_chain(claim: Claim) -> bool:
    """Whether contracts are asked, and there is one for the claim's circuit."""
    circuit = ModelCommitment.from_bytes(claim.commitment, G1.from_compressed).circuit
    return asked and circuit.widths in (SHAPES if isinstance(circuit, Circuit) else WIDE_SHAPES)


def refused_on_chain(claim: Claim, kind: type[VerificationError], message: str) -> None:
    """The contract refuses for the reason that the other verifiers give in their words."""
    with pytest.raises(Reverted) as caught:
        by_contract(claim)
    expected = _revert_for(claim, kind, message)
    assert (caught.value.name, caught.value.arguments) == expected


def _revert_for(claim: Claim, kind: type[VerificationError], message: str) -> tuple[str, tuple]:
    """On chain a proof names no model: it is tried against the one it is asked about. Points are checked where they are used."""
    if kind is FailedOpening or kind is WrongStatement and message.startswith("the proof is for model"):
        return "OpeningFailed", ()
    shape = form(ModelCommitment.from_bytes(claim.commitment, G1.from_compressed).circuit)
    if kind is WrongStatement and message.startswith("output "):
        return "OutputOutOfRange", (int(message.split()[1]),)
    if kind is WrongStatement and message.startswith("the digit is"):
        return "WrongDigit", (int(message.split()[3].rstrip(",")),)
    if kind is WrongStatement and message.startswith("the digit"):
        return "WrongDigit", (int(message.split()[2]),)
    if kind is WrongStatement:
        return "WrongImageLength", (len(claim.image),)
    assert kind is MalformedProof
    words = message.removeprefix("proof: ").replace(":", "").split()
    if words[0] == "scalar" and words[2] == "is":
        return "ScalarNotCanonical", (shape.scalars.index(words[1]),)
    calldata = encoded(claim.proof, shape=shape)
    if words[0] != "point" or words[1] not in shape.points:
        return "WrongProofLength", (len(calldata),)
    number = shape.points.index(words[1])
    at = OUTPUT_BYTES * shape.outputs + 96 * number
    no_x = number < len(shape.points) - 1 and not any(calldata[at : at + 48])  # nor has any point of the subgroup
    if "infinity" in words or no_x:
        return "PointAtInfinity", (number,)
    if words[1] == "final":
        return "OpeningFailed", ()
    return "PrecompileFailed", (MSM,)
