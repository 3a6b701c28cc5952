"""Whether the code at an address is that of a verifier of this package. What a contract says of itself proves nothing: anybody can
deploy one that states the digest of a circuit and accepts everything."""

from __future__ import annotations

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.batch.registered import RegisteredBatch
from zkpredict.circuits.placement import AnyCircuit, form
from zkpredict.contracts.artifact import address_text
from zkpredict.contracts.chain.interface import Chain, Contract
from zkpredict.contracts.verifier.client import final_check
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.generate import SCORE_INTERFACE, SHIPPED, artifact, shipped, universal_artifact
from zkpredict.contracts.verifier.testsets import TEST_SETS


def compare_code(chain: Chain, address: str, circuit: AnyCircuit) -> None:
    """Nothing, when the code at `address` is that of the universal verifier or of a shipped verifier of `circuit`, or of the one that is
    generated for it (which takes a compiler) if it is wide or of the second edition, which the universal one does not serve.

    Raises `UnusableInput` when the code is other, or there is none.
    """
    code = _code_at(chain, address)
    if not isinstance(circuit, Circuit):
        known = [artifact(circuit, check) for check in FinalCheck]
    else:
        known = [artifact(circuit, check) for check in FinalCheck if (circuit, check) in SHIPPED]
        known += [universal_artifact(check) for check in FinalCheck]
    if code not in [found.runtime for found in known]:
        *names, last = (found.name for found in known)
        raise UnusableInput(
            f"the code at {address} is not that of {', '.join(names)} or {last} of this version: it may say anything. Deploy one "
            "(`zkpredict chain deploy --verifier`), or add --any-code if you know this contract otherwise"
        )


def compare_score_code(chain: Chain, address: str, circuit: RegisteredBatch) -> None:
    """The same for a verifier of scores, which is compiled for its circuit, and for the registry of test sets that it reads: what that says of
    a set is what a proof is checked against.

    Raises `UnusableInput` when the code of either is other, or there is none.
    """
    code, contract = _code_at(chain, address), Contract(chain, address, shipped(SCORE_INTERFACE))
    sets, known = bytes.fromhex(contract.call("TEST_SETS")[2:]), artifact(circuit, final_check(contract, form(circuit)))
    if code != known.with_immutable(sets.rjust(32, b"\0")):
        raise UnusableInput(
            f"the code at {address} is not that of {known.name} of this version: it may say anything. Deploy one "
            "(`zkpredict chain deploy --verifier --score N`), or add --any-code if you know this contract otherwise"
        )
    compare_sets_code(chain, address_text(sets))


def compare_sets_code(chain: Chain, address: str) -> None:
    """Nothing, when the code at `address` is that of this version's registry of test sets. Raises `UnusableInput`."""
    if _code_at(chain, address) != shipped(TEST_SETS).runtime:
        raise UnusableInput(
            f"the code at {address} is not that of {TEST_SETS} of this version: it may give any points and labels for a set. Deploy one "
            "(`zkpredict chain deploy --test-sets`), or add --any-code if you know this contract otherwise"
        )


def _code_at(chain: Chain, address: str) -> bytes:
    code = chain.code(address)
    if not code:
        raise UnusableInput(f"there is no contract at {address}")
    return code
