"""How often one client may ask: a token bucket for each address, of which a bounded number are remembered."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable

MAX_CLIENTS = 10_000


class RateLimit:
    """`rate` requests a second for each client, of which twice as many may come at once."""

    def __init__(self, rate: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._clock = rate, max(2 * rate, 1.0), clock
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def wait(self, client: str) -> int:
        """0 when the client may ask now, else in how many whole seconds."""
        now = self._clock()
        left, since = self._left.pop(client, (self._burst, now))
        left = min(left + (now - since) * self._rate, self._burst)
        seconds = 0 if left >= 1 else math.ceil((1 - left) / self._rate)
        self._left[client] = (left if seconds else left - 1), now
        while len(self._left) > MAX_CLIENTS:
            self._left.popitem(last=False)
        return seconds


def client_of(address: str | None) -> str:
    """Who counts as one client: an IPv4 address, or the /64 that one household has in IPv6."""
    try:
        found = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if found.version == 6 and found.ipv4_mapped is None:
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found.ipv4_mapped if found.version == 6 else found)
