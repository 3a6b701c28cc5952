"""What a node relays by default after Genesis, and the refusal that names the limit a network breaks."""

from __future__ import annotations

from dataclasses import dataclass

from zkpredict.circuits.errors import UnsupportedNetwork

STACK_ITEM_OVERHEAD = 32


class LimitExceeded(UnsupportedNetwork):
    """A script that a node would not take: the message says which limit and by how much."""


@dataclass(frozen=True)
class Demand:
    """What running a script takes: bytes of script, of its largest number, and an upper bound of stack memory."""

    script_bytes: int
    number_bytes: int
    stack_bytes: int


@dataclass(frozen=True)
class NodeLimits:
    """A node's policy. The defaults are maxscriptsizepolicy, maxscriptnumlengthpolicy and maxstackmemoryusagepolicy."""

    script_bytes: int = 500_000
    number_bytes: int = 10_000
    stack_bytes: int = 100_000_000

    def check(self, what: str, demand: Demand) -> None:
        """Raises `LimitExceeded` for the first limit that `what` breaks."""
        for name, limit, needed in (
            ("number", self.number_bytes, demand.number_bytes),
            ("script", self.script_bytes, demand.script_bytes),
            ("stack", self.stack_bytes, demand.stack_bytes),
        ):
            if needed > limit:
                raise LimitExceeded(
                    f"{what} needs {needed:,} bytes of {name}, {needed - limit:,} more than the node limit of {limit:,}"
                )
