"""What a peer's generated contract costs, on the same embedded chain as ours: Prague rules, whole signed transactions."""

from __future__ import annotations

import json
from pathlib import Path

from zkpredict.benchmarks.install import SCRIPTS, missing
from zkpredict.benchmarks.processes import Command, Limits, run
from zkpredict.benchmarks.systems.base import Case, OnChain
from zkpredict.contracts.chain.evm import EmbeddedChain
from zkpredict.contracts.chain.interface import ChainError, Reverted

CODE_LIMIT = 24_576
_TRUE = 1


def cost_on_chain(case: Case, source: str, calldata: bytes, optimizer_runs: int, silent: bool = False) -> OnChain | str:
    """Compiles `source` in the case's folder, deploys the contract with most code, and sends `calldata`, which must return true
    (`silent`: must not revert) while the same calldata with one bit of its middle word changed must not.
    """
    why = missing(case.peers, "solc")
    if why:
        return f"not compiled; solc is {why}"
    found = compile_contract(case, source, optimizer_runs)
    bytecode, runtime = max(found.values(), key=lambda code: len(code[1]))
    if len(runtime) > CODE_LIMIT:
        why = f"cannot be deployed: {len(runtime):,} bytes of code, the limit is {CODE_LIMIT:,}"
        return OnChain(len(runtime), len(calldata), note=why)
    chain = EmbeddedChain()
    try:
        deployed = chain.deploy(bytecode)
        if not _accepts(chain, deployed.contract, calldata, silent):
            return "its contract refuses its own proof"
        if _accepts(chain, deployed.contract, _changed(calldata), silent):
            return "its contract accepts changed calldata too: what was measured is no verification"
        receipt = chain.transact(deployed.contract, calldata)
    except (Reverted, ChainError) as error:
        return f"its contract fails: {error}"
    return OnChain(len(runtime), len(calldata), deployed.gas_used, receipt.gas_used)


def _accepts(chain: EmbeddedChain, address: str, calldata: bytes, silent: bool) -> bool:
    try:
        answer = chain.call(address, calldata)
    except Reverted:
        return False
    return silent or int.from_bytes(answer[:32], "big") == _TRUE


def _changed(calldata: bytes) -> bytes:
    """Another lowest bit in the middle word: a public input or the proof. Ends may be padding that no contract reads."""
    place = min(4 + 32 * ((len(calldata) - 4) // 64) + 31, len(calldata) - 1)
    return calldata[:place] + bytes([calldata[place] ^ 1]) + calldata[place + 1 :]


def compile_contract(case: Case, source: str, optimizer_runs: int) -> dict[str, tuple[bytes, bytes]]:
    """Creation code and runtime code by contract name. Raises `CommandFailed` with the compiler's words."""
    script = str(SCRIPTS / "compile_contract.cjs")
    argv = ("node", script, str(Path(case.peers, "solc").resolve()), source, str(optimizer_runs))
    found = json.loads(run(Command(argv, case.folder), Limits()).stdout)
    return {name: (bytes.fromhex(code["bytecode"]), bytes.fromhex(code["runtime"])) for name, code in found.items()}
