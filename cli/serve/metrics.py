"""Counts and times in the text format of Prometheus. Labels are routes, statuses and kinds of refusal: nothing a client wrote."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable

BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    def __init__(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.refusals: Counter[str] = Counter()
        self.proofs = 0
        self.replays = 0
        self._seconds: dict[str, tuple[list[int], float]] = {}

    def took(self, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        self.requests[route, status] += 1
        counts, total = self._seconds.get(route, ([0] * (len(BUCKETS) + 1), 0.0))
        counts[next((i for i, bound in enumerate(BUCKETS) if seconds <= bound), len(BUCKETS))] += 1
        self._seconds[route] = counts, total + seconds

    def text(self, gauges: Iterable[tuple[str, str, float]]) -> str:
        """Everything, with `gauges` of the moment: name, what it is, value."""
        lines: list[str] = []

        def family(name: str, kind: str, help_text: str, samples: Iterable[tuple[str, float]]) -> None:
            lines.extend((f"# HELP zkpredict_{name} {help_text}", f"# TYPE zkpredict_{name} {kind}"))
            lines.extend(f"zkpredict_{name}{labels} {value}" for labels, value in samples)

        answered = [(f'{{route="{route}",status="{status}"}}', count) for (route, status), count in sorted(self.requests.items())]
        family("requests_total", "counter", "Answered requests.", answered)
        family("refusals_total", "counter", "Refused requests by kind.", [(f'{{kind="{kind}"}}', count) for kind, count in sorted(self.refusals.items())])
        family("proofs_total", "counter", "Proofs made and acknowledged.", [("", self.proofs)])
        family("replays_total", "counter", "Requests answered with the proof that their idempotency key names.", [("", self.replays)])
        for name, help_text, value in gauges:
            family(name, "gauge", help_text, [("", value)])
        lines.extend(("# HELP zkpredict_request_seconds From the head of a request to its answer.", "# TYPE zkpredict_request_seconds histogram"))
        for route, (counts, total) in sorted(self._seconds.items()):
            running = 0
            for bound, count in zip((*map(str, BUCKETS), "+Inf"), counts, strict=True):
                running += count
                lines.append(f'zkpredict_request_seconds_bucket{{route="{route}",le="{bound}"}} {running}')
            lines.append(f'zkpredict_request_seconds_sum{{route="{route}"}} {total:.6f}')
            lines.append(f'zkpredict_request_seconds_count{{route="{route}"}} {running}')
        return "\n".join(lines) + "\n"


def resident_bytes() -> int:
    """Memory of this process, in bytes; 0 where the system does not say."""
    try:
        with open("/proc/self/statm", encoding="ascii") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0
