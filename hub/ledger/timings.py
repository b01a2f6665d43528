"""How long the stages of the road take: counts by bucket among the daily counters, in the transaction of what ended.

Rows of no party are about the road, not about anybody's data: reports and the day's figures leave them out.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from datetime import timedelta

from hub.ledger.tallies import Key

#: Upper bounds of the buckets in seconds; what took longer is in the last one, `inf`.
BOUNDS = (1, 5, 15, 60, 300, 900, 3600, 21600, 86400)
#: From received to judged, by data set; from judged to the receiver's receipt, by destination.
JUDGED, RECEIPTED = "judged", "receipted"
_HEAD, _SUM, _LAST = "time.", "ms", "inf"
FAILED = "failed."


def took(stage: str, took: timedelta, *, dataset: str = "", destination: str = "") -> dict[Key, int]:
    """Counters of one thing that ended: one more in its bucket, and the milliseconds it took."""
    seconds = max(took.total_seconds(), 0)
    place = bisect_left(BOUNDS, seconds)
    bucket = BOUNDS[place] if place < len(BOUNDS) else _LAST
    head = f"{_HEAD}{stage}."
    return {
        ("", dataset, destination, f"{head}{bucket}"): 1,
        ("", dataset, destination, f"{head}{_SUM}"): round(seconds * 1000),
    }


def failed(destination: str, code: str) -> dict[Key, int]:
    """Counters of one attempt at a destination that failed."""
    return {("", "", destination, f"{FAILED}{code}"[:40]): 1}


def histogram(counts: Mapping[str, int], stage: str) -> tuple[list[tuple[str, float]], float]:
    """Cumulative buckets (upper bound, how many) and the sum in seconds, out of counters by name."""
    head, so_far = f"{_HEAD}{stage}.", 0
    buckets: list[tuple[str, float]] = []
    for bound in (*BOUNDS, _LAST):
        so_far += counts.get(f"{head}{bound}", 0)
        buckets.append(("+Inf" if bound == _LAST else str(bound), so_far))
    return buckets, counts.get(f"{head}{_SUM}", 0) / 1000
