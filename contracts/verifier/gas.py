"""What verifying costs, part by part: rows for `contracts.gas`, and the table of parts by `python -m zkpredict.contracts.verifier.gas`.

The parts are read off a run of the contract in the embedded EVM. Every value of the contract has its own memory word, so a
write to ZETA ends the transcript, a write to PIXELS ends the image, and so on; calls of precompiles stand for themselves.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from eth.abc import ComputationAPI
from eth.vm import opcode_values

from zkpredict.circuits.layout import DOMAINS
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.verifier.client import deploy_universal, deploy_verifier, register_circuit, register_model
from zkpredict.contracts.verifier.compact import compact
from zkpredict.contracts.verifier.encoding import FinalCheck, onchain_input, onchain_proof
from zkpredict.contracts.verifier.source import memory_places
from zkpredict.contracts.verifier.vectors import StoredStatement, stored_statement
from zkpredict.verifier.costs import BASE_GAS, CALLDATA_BYTE_GAS

ZERO_BYTE_GAS = 4
_ENDS = {
    "ZETA": "transcript",
    "VANISHING": "powers of rho",
    "PIXELS": "image",
    "READOUT_BOTTOM": "public polynomials",
    "READS1_BOTTOM_INVERSE": "inversion",
}
"""The word whose writing ends a part."""
_CALLS = {0x0C: "sum of points (0x0c)", 0x0A: "final check (0x0a)", 0x0F: "final check (0x0f)"}
_BEFORE_CALL = {0x0C: "scalars of the fold", 0x0A: "compression and hash", 0x0F: "pairing input"}


@dataclass(frozen=True)
class Cost:
    """One row of `gas.csv`: `gas` or `bytes` may be empty when the row is only about the other."""

    name: str
    gas: int | str
    bytes: int | str
    note: str


def rows() -> Iterator[Cost]:
    """Deployment, registration and verification of 784-64-10 on both domains, and the parts of a typical verification."""
    for domain in DOMAINS:
        for check in FinalCheck:
            yield from _contract_rows(domain, check)
    for check in FinalCheck:
        yield from _universal_rows(check)


def _contract_rows(domain: int, check: FinalCheck) -> Iterator[Cost]:
    name = f"verifier n={domain}" + (" pairing" if check is FinalCheck.PAIRING else "")
    typical = stored_statement("typical", domain)
    circuit = compact(typical.commitment.circuit)
    chain = EmbeddedChain()
    deployed = deploy_verifier(chain, circuit, check)
    size = len(chain.code(deployed.address))
    yield Cost(f"{name} deployment", deployed.receipt.gas_used, size, "once per circuit shape; EIP-170 allows 24,576 bytes")
    registered = register_model(chain, deployed.address, typical.commitment)
    yield Cost(f"{name} register", registered.gas_used, "", f"once per model: {circuit.total_rows} points checked and stored")
    for case in ("empty", "typical", "full"):
        cost = deployed.contract.transact("verifyOrRevert", *_arguments(stored_statement(case, domain), check)).gas_used
        yield Cost(f"{name} verify {case}", cost, check.proof_bytes(), "whole transaction; bytes are the proof's")
    for part, gas in parts(deployed.contract, typical, check).items():
        yield Cost(f"{name} verify typical: {part}", gas, "", "")


def _universal_rows(check: FinalCheck) -> Iterator[Cost]:
    name = "universal verifier" + (" pairing" if check is FinalCheck.PAIRING else "")
    deployed = deploy_universal(EmbeddedChain(), check)
    chain, contract = deployed.contract.chain, deployed.contract
    size = len(chain.code(contract.address))
    yield Cost(f"{name} deployment", deployed.receipt.gas_used, size, "once for all circuits; EIP-170 allows 24,576 bytes")
    for domain in DOMAINS:
        commitment = stored_statement("typical", domain).commitment
        registered = register_circuit(chain, contract.address, commitment.circuit)
        yield Cost(f"{name} n={domain} register circuit", registered.gas_used, "", "784-64-10, once per circuit shape")
        registered = register_model(chain, contract.address, commitment)
        yield Cost(f"{name} n={domain} register", registered.gas_used, "", "once per model")
        for case in ("empty", "typical", "full"):
            cost = contract.transact("verifyOrRevert", *_arguments(stored_statement(case, domain), check)).gas_used
            yield Cost(f"{name} n={domain} verify {case}", cost, check.proof_bytes(), "whole transaction; bytes are the proof's")


def parts(contract: Contract, statement: StoredStatement, check: FinalCheck) -> dict[str, int]:
    """Gas of each part of one verification, in order; together they are the whole transaction's."""
    calldata = contract.artifact.encode("verifyOrRevert", *_arguments(statement, check))
    places = memory_places(compact(statement.commitment.circuit), check)
    return split(contract, calldata, {places[word]: part for word, part in _ENDS.items() if word in places})


def split(contract: Contract, calldata: bytes, ends: dict[int, str]) -> dict[str, int]:
    """Gas of a verification by part: one ends where an address in `ends` is written for the first time, the others at precompiles."""
    found = {"base cost": BASE_GAS, "calldata": sum(CALLDATA_BYTE_GAS if byte else ZERO_BYTE_GAS for byte in calldata)}
    steps = _trace(cast("EmbeddedChain", contract.chain), contract.address, calldata)
    ends = dict(ends)
    before = steps[0].gas

    def close(part: str, gas: int) -> None:
        nonlocal before
        found[part] = found.get(part, 0) + before - gas
        before = gas

    for step, after in zip(steps, [*steps[1:], steps[-1]], strict=True):
        if step.opcode == opcode_values.EXTCODECOPY:
            close("call, rows of the model", after.gas)
        elif step.opcode == opcode_values.MSTORE and step.operand in ends:
            close(ends.pop(step.operand), after.gas)
        elif step.opcode == opcode_values.STATICCALL and step.operand in _CALLS:
            close(_BEFORE_CALL[step.operand], step.gas)
            close(_CALLS[step.operand], after.gas)
    close("end", steps[-1].gas)
    return found


@dataclass(frozen=True)
class _Step:
    opcode: int
    gas: int
    operand: int


class _Recorded:
    """An opcode that writes down the gas left before it, and the address that an MSTORE or STATICCALL is about."""

    def __init__(self, opcode: int, plain: Callable[[ComputationAPI], object], steps: list[_Step]) -> None:
        self._opcode, self._plain, self._steps = opcode, plain, steps

    def __call__(self, computation: ComputationAPI) -> object:
        operand = 0
        if self._opcode in (opcode_values.MSTORE, opcode_values.STATICCALL):
            depth = -1 if self._opcode == opcode_values.MSTORE else -2
            found = cast(Any, computation._stack).values[depth]
            operand = found if isinstance(found, int) else int.from_bytes(found, "big")
        self._steps.append(_Step(self._opcode, computation.get_gas_remaining(), operand))
        return self._plain(computation)


def _trace(chain: EmbeddedChain, to: str, data: bytes) -> list[_Step]:
    steps: list[_Step] = []
    machine = chain._vm().state.computation_class
    plain = machine.opcodes
    machine.opcodes = {opcode: cast(Any, _Recorded(opcode, run, steps)) for opcode, run in plain.items()}
    try:
        chain.call(to, data)
    finally:
        machine.opcodes = plain
    return steps


def _arguments(statement: StoredStatement, check: FinalCheck) -> tuple[Any, ...]:
    proof, commitment = statement.proof, statement.commitment
    return commitment.model_id, onchain_input(commitment.circuit, statement.image), proof.digit, onchain_proof(proof, check)


def main(argv: list[str] | None = None) -> None:
    """Prints all rows. The stored statements ship, so this needs no checkout."""
    about = "Measure what verifying on the chain costs, part by part."
    argparse.ArgumentParser(prog="python -m zkpredict.contracts.verifier.gas", description=about).parse_args(argv)
    for cost in rows():
        print(f"{cost.name:60} {cost.gas:>12,} {cost.bytes!s:>8}  {cost.note}")


if __name__ == "__main__":
    main()
