"""Whether the code at an address is that of a verifier of this package. What a contract says of itself proves nothing: anybody can
deploy one that states the digest of a circuit and accepts everything."""

from __future__ import annotations

from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.layout import Circuit
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.contracts.chain.interface import Chain
from zkpredict.contracts.verifier.encoding import FinalCheck
from zkpredict.contracts.verifier.generate import SHIPPED, artifact, universal_artifact


def compare_code(chain: Chain, address: str, circuit: AnyCircuit) -> None:
    """Nothing, when the code at `address` is that of the universal verifier or of a shipped verifier of `circuit`, or of the one that is
    generated for it (which takes a compiler) if it is wide or of the second edition, which the universal one does not serve.

    Raises `UnusableInput` when the code is other, or there is none.
    """
    code = chain.code(address)
    if not code:
        raise UnusableInput(f"there is no contract at {address}")
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
