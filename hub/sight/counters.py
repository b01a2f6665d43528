"""Counters since the beginning: the days that are over are added up once, only the newest are read again."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from hub.ledger import tallies, timings
from hub.sight.feeds import Feeds
from standards.clock import SHANGHAI

Told = tuple[str, float, dict[str, str]]
#: Name, what it has counted up to each bound, sum in seconds, labels.
Spread = tuple[str, list[tuple[str, float]], float, dict[str, str]]

_VERDICTS = ("read", "accepted", "rejected", "held", "duplicate")
_ANSWERS = ("delivered", "refused")
_NO_FEEDS = Feeds()


@dataclass(slots=True)
class Counters:
    """The totals of all days, for one process."""

    _before: str = ""
    _past: Counter[tallies.Key] = field(default_factory=Counter)

    def totals(self, connection: Connection, now: datetime) -> Counter[tallies.Key]:
        """Every counter; a transaction that began before midnight may still add to the day before."""
        yesterday = (now.astimezone(SHANGHAI).date() - timedelta(days=1)).isoformat()
        if yesterday != self._before:
            self._past = Counter(tallies.totals(connection, before=yesterday))
            self._before = yesterday
        return self._past + Counter(tallies.totals(connection, since=yesterday))


def told(totals: Counter[tallies.Key], feeds: Feeds = _NO_FEEDS) -> Iterator[Told]:
    """Counters of records, findings and deliveries; those of the feeds also when they stand at zero."""
    zeros = [(party, dataset, "", name) for party, dataset in feeds.records for name in _VERDICTS]
    zeros += [("", dataset, to, name) for to, dataset in feeds.routed for name in ("routed", *_ANSWERS)]
    sums: dict[tuple[str, tuple[tuple[str, str], ...]], int] = defaultdict(int)
    for (party, dataset, destination, name), count in (*((key, 0) for key in zeros), *totals.items()):
        found = _named(party, dataset, destination, name)
        if found is not None:
            sums[found[0], tuple(found[1].items())] += count
    for (name, labels), count in sums.items():
        yield name, count, dict(labels)


def _named(party: str, dataset: str, destination: str, name: str) -> tuple[str, dict[str, str]] | None:
    """The metric a counter belongs to, and its labels."""
    if name.startswith("finding."):
        return "hub_findings", {"dataset": dataset, "code": name.removeprefix("finding.")}
    if name.startswith(timings.FAILED):
        return "hub_delivery_failures", {"destination": destination, "code": name.removeprefix(timings.FAILED)}
    if name == "routed":
        return "hub_routed_records", {"destination": destination, "dataset": dataset}
    if name in _ANSWERS:
        result = "accepted" if name == "delivered" else name
        return "hub_answered_records", {"destination": destination, "dataset": dataset, "result": result}
    if name in _VERDICTS and not destination:
        return "hub_records", {"party": party, "dataset": dataset, "verdict": name}
    return None


def spreads(totals: Counter[tallies.Key], feeds: Feeds = _NO_FEEDS) -> Iterator[Spread]:
    """How long the stages take; those of the feeds also when nothing came yet."""
    judged: dict[str, Counter[str]] = defaultdict(Counter, {dataset: Counter() for _, dataset in feeds.records})
    receipted: dict[str, Counter[str]] = defaultdict(Counter, {name: Counter() for name in feeds.destinations})
    for (_party, dataset, destination, name), count in totals.items():
        if name.startswith(f"time.{timings.JUDGED}."):
            judged[dataset][name] += count
        elif name.startswith(f"time.{timings.RECEIPTED}."):
            receipted[destination][name] += count
    for dataset, counts in judged.items():
        yield "hub_submission_judging_seconds", *timings.histogram(counts, timings.JUDGED), {"dataset": dataset}
    for destination, counts in receipted.items():
        found = timings.histogram(counts, timings.RECEIPTED)
        yield "hub_parcel_receipt_seconds", *found, {"destination": destination}
