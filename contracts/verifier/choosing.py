"""Which circuit a network is best placed in: for the size of its proofs, or for what verifying them costs on a chain."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice

from zkpredict.circuits.choice import Choice, choices, replica_choices, shared_choices
from zkpredict.circuits.convolution.chain import contract_refusal
from zkpredict.circuits.convolution.layout import ConvCircuit
from zkpredict.circuits.errors import UnusableInput
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.circuits.placement import AnyCircuit
from zkpredict.circuits.wide.claims import CLASS, Claim
from zkpredict.contracts.verifier.wide.fits import surely_fits
from zkpredict.verifier.costs import estimate_costs


def smallest_proof(network: IntegerNetwork, claim: Claim = CLASS, private_input: bool = False, placement: str | None = None) -> Choice | None:
    """The circuit with the smallest proof, and of equals the one with fewer rows; None when none of that placement fits."""
    return _least(choices(network, claim, private_input), placement, lambda circuit: estimate_costs(circuit).proof_payload_bytes)


def cheapest_on_chain(network: IntegerNetwork, claim: Claim = CLASS, private_input: bool = False, placement: str | None = None) -> Choice | None:
    """The circuit with the least estimated gas whose contract can be had, and of equals the one with fewer rows; None when none of that
    placement fits. Raises `UnusableInput` when circuits hold the network and no contract checks proofs in any of them."""
    found = list(choices(network, claim, private_input))
    if not private_input:
        replicas = sorted((one for one in replica_choices(network, claim) if one.circuit is not None), key=lambda one: _gas(one.circuit))
        found += islice((one for one in replicas if one.circuit is not None and surely_fits(one.circuit)), 1)
        found += shared_choices(network, claim)
    reasons = {one: contract_refusal(one.circuit) for one in found if isinstance(one.circuit, ConvCircuit)}
    if reasons and all(reasons.values()):
        raise UnusableInput(min(reasons.values()))
    return _least((one for one in found if not reasons.get(one)), placement, _gas)


def _gas(circuit: AnyCircuit | None) -> int:
    return 0 if circuit is None else estimate_costs(circuit).verify_gas_estimate or 0


def _least(found: Iterable[Choice], placement: str | None, cost: Callable[[AnyCircuit], int]) -> Choice | None:
    costs = {(cost(one.circuit), one.circuit.domain): one for one in reversed(list(found)) if one.circuit is not None and placement in (None, one.placement)}
    return costs[min(costs)] if costs else None
