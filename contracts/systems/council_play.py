"""A council on a stage: its cast and terms, opened by a stranger without rights, and votes of its members by name."""

from __future__ import annotations

from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.open.deploy import deploy_packed
from zkpredict.contracts.systems import council
from zkpredict.contracts.systems.council import Council, Terms
from zkpredict.contracts.systems.stage import Stage

CAST = ("driver-1", "driver-2", "driver-3", "passenger-1", "passenger-2", "passenger-3", "stranger", "attacker")
DRIVERS, PASSENGERS = CAST[:3], CAST[3:6]
TERMS = Terms()
FEE, FARE, WEEKLY = 10**15, 2 * 10**16, 3


def open_council(stage: Stage, network: IntegerNetwork, houses: tuple[str, str], terms: Terms = TERMS) -> Council:
    """Registry, predictor, base, governor and gate, deployed by a stranger, who then has no right in any."""
    chain = stage.account("stranger")
    versions = stage.deploy("stranger", "ModelVersions", label="council deploy versions")
    predictor = stage.deploy("stranger", "PatchablePredictor", versions.address, label="council deploy predictor")
    base = deploy_packed(chain, network)
    stage.tell("stranger", f"deploys {network.name}, all weights", base.gas_used, "council deploy base")
    governor = stage.deploy("stranger", "TwoHouseGovernor", "council", *houses, terms.arguments, vault=True, label="council deploy governor")
    gate = stage.deploy("stranger", "UpdateGate", governor.call("timelock"), predictor.address, base.contract.address, terms.cap, council.NOBODY,
                        bytes(32), 0, label="council deploy gate")
    return Council(governor, gate)


def cast_votes(stage: Stage, members: Council, number: int, yes: tuple[str, ...], no: tuple[str, ...]) -> None:
    for who in (*yes, *no):
        receipt = members.by(stage.account(who)).vote(number, who in yes)
        stage.tell(who, f"votes {'for' if who in yes else 'against'} it", receipt.gas_used, "council vote", number.to_bytes(32, "big").count(0))
