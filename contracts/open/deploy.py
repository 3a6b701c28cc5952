"""Deployment of predict contracts on any chain: data contracts first, then the predictor that reads them."""

from __future__ import annotations

from dataclasses import dataclass

from zkpredict.circuits.networks.exact import ExactNetwork
from zkpredict.circuits.networks.reference import IntegerNetwork
from zkpredict.contracts.open import exact, packed
from zkpredict.contracts.chain.interface import Chain, Contract, Receipt
from zkpredict.contracts.open.weights import data_creation, data_hash


@dataclass(frozen=True)
class Deployment:
    """A predictor and the transactions that made it and its data contracts, the predictor's last."""

    contract: Contract
    data: tuple[str, ...]
    receipts: tuple[Receipt, ...]

    @property
    def gas_used(self) -> int:
        """Gas of all its transactions."""
        return sum(receipt.gas_used for receipt in self.receipts)


def deploy_packed(chain: Chain, network: IntegerNetwork) -> Deployment:
    """Deploys `PackedPredictor` with the network's weights. Raises `UnsupportedNetwork`, `Reverted`, `ChainError`."""
    layout = packed.plan(network)
    receipts = [chain.deploy(data_creation(chunk)) for chunk in layout.chunks]
    addresses = [receipt.created for receipt in receipts]
    hashes = [data_hash(chunk) for chunk in layout.chunks]
    made, receipt = Contract.deploy(chain, packed.deployer(), layout.head, addresses, hashes, layout.trailer)
    return Deployment(Contract(chain, made.address, packed.predictor()), tuple(addresses), (*receipts, receipt))


def deploy_exact(chain: Chain, network: ExactNetwork) -> Deployment:
    """Deploys `ExactPredictor` with the network's weights. Raises `UnsupportedNetwork`, `Reverted`, `ChainError`."""
    layout = exact.plan(network)
    receipts = [chain.deploy(data_creation(data)) for data, _ in layout.segments]
    addresses = [receipt.created for receipt in receipts]
    index = layout.index(addresses)
    receipts.append(chain.deploy(data_creation(index)))
    hashes = [data_hash(data) for data, _ in layout.segments]
    made, receipt = Contract.deploy(chain, exact.predictor(), receipts[-1].created, data_hash(index), hashes)
    return Deployment(made, (*addresses, receipts[-1].created), (*receipts, receipt))
