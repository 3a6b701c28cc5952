"""What a `GoodsEscrow` settled, from its events: the leaves of its log, in order, and paths to its root. Contracts: `blocks/DataLog.sol`.

    found = deliveries(escrow)
    path = log_path([d.leaf for d in found], 3)        # from delivery 3 to `rootAt(len(found))`
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_abi import encode
from eth_utils import to_checksum_address

from zkpredict.circuits.errors import UnusableInput
from zkpredict.contracts.chain.interface import Contract
from zkpredict.contracts.systems.merkle import WORD, Tree, depth_of, padded, zero_root
from zkpredict.kernel import keccak256

LOG_DEPTH = 32


@dataclass(frozen=True)
class Delivery:
    """A settled delivery: what the network said about its values, between whom, in which deal, and its serial number there."""

    class_: int
    values: bytes
    buyer: str
    supplier: str
    deal: int
    serial: int

    @property
    def argument(self) -> tuple[int, bytes, str, str, int, int]:
        """The contracts' `Settled`."""
        return self.class_, keccak256(self.values), self.buyer, self.supplier, self.deal, self.serial

    @property
    def leaf(self) -> bytes:
        """What the escrow's log has for it."""
        return keccak256(encode(["uint256", "bytes32", "address", "address", "uint256", "uint64"], self.argument))


def deliveries(escrow: Contract) -> list[Delivery]:
    """All of them, in the log's order. Raises `UnusableInput` when the events are not those of the log."""
    parties = {event["id"]: (event["buyer"], event["supplier"]) for event in escrow.history("Opened")}
    found = []
    for event in escrow.history("Delivered"):
        buyer, supplier = map(to_checksum_address, parties[event["id"]])
        found.append(Delivery(event["class_"], event["values"], buyer, supplier, event["id"], event["serial"]))
    size = escrow.call("logSize")
    if len(found) != size or (found and root_of([d.leaf for d in found]) != escrow.call("rootAt", size)):
        raise UnusableInput(f"the events of the escrow at {escrow.address} do not make the root of its log")
    return found


def log_path(leaves: Sequence[bytes], number: int, height: int = 0) -> list[bytes]:
    """The siblings from node `number` at `height` of the log's tree over `leaves` up to its root."""
    tree = _tree(leaves, height)
    path = [level[(number >> above) ^ 1].tobytes() for above, level in enumerate(tree.levels[height:-1])]
    return path + [zero_root(above) for above in range(tree.depth, LOG_DEPTH)]


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The log's root over these leaves and no more."""
    tree = _tree(leaves, 0)
    node = tree.root
    for height in range(tree.depth, LOG_DEPTH):
        node = keccak256(node + zero_root(height))
    return node


def _tree(leaves: Sequence[bytes], least: int) -> Tree:
    return Tree.of(padded(b"".join(leaves), max(depth_of(WORD * len(leaves)), least)))
