"""Asking pages one after the other, as people do, and how long each took."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from random import Random
from typing import Any, Protocol

from benchmarks.pages.routes import Asked

#: What a page may take at the 95th percentile, in milliseconds.
BOUND = 200.0


class Client(Protocol):
    """httpx2, or a test's client."""

    def get(self, url: str, /) -> Any:
        """Ask."""
        ...


def measure(clients: dict[str, Client], wanted: Sequence[Asked]) -> dict[str, list[tuple[float, int]]]:
    """Route -> milliseconds and status of each time it was asked; in mixed order."""
    mixed = list(wanted)
    Random(4).shuffle(mixed)
    took: dict[str, list[tuple[float, int]]] = defaultdict(list)
    for one in mixed:
        begin = time.perf_counter()
        answer = clients[one.room].get(one.url)
        took[one.route].append(((time.perf_counter() - begin) * 1000, answer.status_code))
    return dict(took)


def told(took: dict[str, list[tuple[float, int]]]) -> list[dict[str, Any]]:
    """The slowest first."""
    rows = []
    for route, some in took.items():
        times = sorted(one for one, _ in some)
        failed = Counter(status for _, status in some if status >= 400)
        rows.append(
            {
                "page": route,
                "asked": len(some),
                "failed": sum(failed.values()),
                "statuses": dict(failed),
                "p50_ms": round(times[len(times) // 2], 1),
                "p95_ms": round(times[max(0, -(-len(times) * 95 // 100) - 1)], 1),
                "max_ms": round(times[-1], 1),
            }
        )
    return sorted(rows, key=lambda row: -row["p95_ms"])
