"""Another hub, record by record: what we delivered to it against what it holds, in a few exchanges.

First both sides' buckets, as they stood at one moment; then what stands for each record of the buckets that differ;
then the records that differ themselves.  What is on its way, or changed around that moment, is no difference.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Protocol, TypeVar

import msgspec
from sqlalchemy import Connection

from hub.ledger.engine import Ledger
from hub.ledger.reconciliations import Difference, Outcome
from hub.ledger.sql import in_parts
from hub.reconciliation.buckets import (
    Differing,
    Entry,
    bucket_of,
    compare,
    differing_buckets,
    differing_keys,
    digests_packed,
    digests_unpacked,
    keys_packed,
    keys_unpacked,
    marks_packed,
    marks_unpacked,
)
from hub.reconciliation.figures import ANYWHERE, Figures, figures
from hub.reconciliation.held import (
    delivered,
    delivered_entries,
    delivered_marks,
    reported,
    reported_entries,
    reported_marks,
    spans_of,
)
from standards.clock import local
from standards.errors import AnswerNotUnderstood

T = TypeVar("T")

#: Keys under way named in one question at most; more of them only make more buckets differ.
NAMED = 10_000
#: Buckets, and records, in one question.
BUCKETS_AT_ONCE = 256
KEYS_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Buckets:
    """What the other hub says first."""

    count: int
    digests: list[bytes]
    #: Keys that it left out because they were revised since.
    revised: list[bytes]
    #: Seconds of a processor that it took there.
    work: float = 0.0


class Other(Protocol):
    """The hub we delivered to."""

    #: Bytes that went there and back so far.
    exchanged: int

    def buckets(self, dataset: str, until: datetime, without: Sequence[bytes]) -> Buckets:
        """Its buckets of our records, and keys it left out because they were revised since."""
        ...

    def marks(self, dataset: str, buckets: Sequence[int]) -> dict[bytes, frozenset[int]]:
        """What stands for its records of some buckets."""
        ...

    def entries(self, dataset: str, keys: Sequence[bytes], since: datetime) -> list[Entry]:
        """Its records with these keys."""
        ...

    def figures(self, dataset: str, begin: date, end: date) -> dict[str, int]:
        """What it counts of what we handed over in some days, by its own clock."""
        ...


@dataclass(slots=True)
class OverHttps:
    """Implements Other: the other hub's `/v1/reconciliations`, asked with the key of our party there."""

    door: Any
    exchanged: int = 0

    def buckets(self, dataset: str, until: datetime, without: Sequence[bytes]) -> Buckets:
        """See Other."""
        said = self._ask("buckets", {"dataset": dataset, "until": until.isoformat(), "without": keys_packed(without)})
        return _understood(
            lambda: Buckets(
                int(said["count"]),
                digests_unpacked(said["sums"]),
                keys_unpacked(said["revised"]),
                said.get("work", 0.0),
            )
        )

    def marks(self, dataset: str, buckets: Sequence[int]) -> dict[bytes, frozenset[int]]:
        """See Other."""
        said = self._ask("marks", {"dataset": dataset, "buckets": list(buckets)})
        return _understood(lambda: marks_unpacked(said["marks"]))

    def entries(self, dataset: str, keys: Sequence[bytes], since: datetime) -> list[Entry]:
        """See Other."""
        said = self._ask("entries", {"dataset": dataset, "keys": keys_packed(keys), "since": since.isoformat()})
        return _understood(
            lambda: [
                Entry(bytes.fromhex(key), owner, revision, cd_id, young, gone=gone)
                for key, owner, revision, cd_id, young, gone in said["entries"]
            ]
        )

    def figures(self, dataset: str, begin: date, end: date) -> dict[str, int]:
        """See Other."""
        said = self._ask("figures", {"dataset": dataset, "begin": str(begin), "end": str(end)})
        return _understood(lambda: {str(name): int(count) for name, count in said["figures"].items()})

    def _ask(self, what: str, body: dict[str, Any]) -> Any:
        said = self.door.ask(f"reconciliations/{what}", body)
        # Their bodies as both sides wrote them, before anything on the way packed them.
        self.exchanged += len(msgspec.json.encode(body)) + len(msgspec.json.encode(said))
        return said


def _understood(read: Callable[[], T]) -> T:
    try:
        return read()
    except (KeyError, TypeError, ValueError) as error:
        raise AnswerNotUnderstood(
            f"not the answer of a hub of our version: {error}", what_zh="对方枢纽的对账应答无法识别（版本不同？）"
        ) from error


def against_hub(
    ledger: Ledger, other: Other, destination: str, dataset: str, now: datetime, watermark: timedelta
) -> Outcome:
    """Compare one data set as it stands now; what changed since `watermark` ago is under way.

    What both count of the day before is told beside it: each by its own clock, so that it decides nothing.
    """
    began, before, worked = time.monotonic(), other.exchanged, time.thread_time()
    since = now - watermark
    with ledger.read() as connection:
        spans = spans_of(connection, destination, dataset)
        ours, under_way = delivered(connection, spans, dataset, since)
    theirs = other.buckets(dataset, now, under_way[:NAMED])
    day = local(now).date() - timedelta(days=1)
    with ledger.read() as connection:
        of_day = figures_of(connection, day, day, destination, dataset)
    counts: tuple[dict[str, Any], dict[str, Any]] = (
        {"records": ours.count, "day": {"date": str(day), **of_day}},
        {"records": theirs.count, "day": {"date": str(day), **other.figures(dataset, day, day)}},
    )
    with ledger.read() as connection:
        moved: dict[int, list[tuple[bytes, str, int]]] = {}
        for one in delivered_entries(connection, spans, dataset, theirs.revised, now):
            if one.young:
                # Revised while this was read: which revision was counted, nobody knows any more.
                moved.setdefault(bucket_of(one.key), []).append((one.key, one.owner, one.revision))
            elif one.settled and not one.gone:
                ours.take(one.key, one.owner, one.revision)
    unlike = [
        bucket
        for bucket in differing_buckets(ours.digests(), theirs.digests)
        if not (bucket in moved and ours.explains(bucket, theirs.digests[bucket], moved[bucket]))
    ]
    found: list[Differing] = []
    moving = 0
    for buckets in in_parts(unlike, BUCKETS_AT_ONCE):
        with ledger.read() as connection:
            mine = marks_unpacked(marks_packed(delivered_marks(connection, spans, dataset, buckets)))
        for keys in in_parts(differing_keys(mine, other.marks(dataset, buckets)), KEYS_AT_ONCE):
            with ledger.read() as connection:
                # Anew: what was under way a moment ago may have arrived.
                held = delivered_entries(connection, spans, dataset, keys, since)
            differing, unsettled = compare(held, other.entries(dataset, keys, since))
            found += differing
            moving += unsettled
    kinds = [one.kind for one in found]
    counts[0]["work"], counts[1]["work"] = round(time.thread_time() - worked, 3), theirs.work
    return Outcome(
        way="hub",
        counterpart=destination,
        dataset=dataset,
        ours=counts[0],
        theirs=counts[1],
        missing=kinds.count("missing"),
        extra=kinds.count("extra"),
        differs=kinds.count("differs"),
        under_way=moving + len(under_way),
        bytes=other.exchanged - before,
        millis=round((time.monotonic() - began) * 1000),
        differences=[_difference(one) for one in found],
    )


def figures_of(
    connection: Connection, begin: date, end: date, destination: str, dataset: str, party: str = ""
) -> dict[str, int]:
    """The figures of a data set, of one party or of all."""
    found = figures(connection, begin, end, destination=destination, party=party, dataset=dataset).values()
    total = Figures()
    for one in found:
        total.add(one)
    return total.told()


def _difference(one: Differing) -> Difference:
    entry = one.entry
    return Difference(one.kind, entry.cd_id, entry.owner, entry.key, bucket_of(entry.key), entry.party)


@dataclass(slots=True)
class Asked:
    """The other end: what a hub below, a party of ours, is told about what it reported."""

    ledger: Ledger
    party: str

    def buckets(self, dataset: str, until: datetime, without: str) -> dict[str, Any]:
        """Count, digests of all buckets, and keys that were left out because they were revised since."""
        began = time.thread_time()
        keys = frozenset(keys_unpacked(without))
        with self.ledger.read() as connection:
            sums, revised = reported(connection, dataset, self.party, until, keys)
        return {
            "count": sums.count,
            "sums": digests_packed(sums.digests()),
            "revised": keys_packed(revised[:NAMED]),
            "work": round(time.thread_time() - began, 3),
        }

    def figures(self, dataset: str, begin: date, end: date) -> dict[str, Any]:
        """What was read, accepted, held, rejected of some days; and of that what went on and was receipted."""
        with self.ledger.read() as connection:
            return {"figures": figures_of(connection, begin, end, ANYWHERE, dataset, self.party)}

    def marks(self, dataset: str, buckets: Sequence[int]) -> dict[str, Any]:
        """What stands for each record of these buckets."""
        with self.ledger.read() as connection:
            return {"marks": marks_packed(reported_marks(connection, dataset, self.party, buckets))}

    def entries(self, dataset: str, keys: str, since: datetime) -> dict[str, Any]:
        """The records with these keys: key, owner, revision, exchange key, changed since, deleted."""
        with self.ledger.read() as connection:
            found = reported_entries(connection, dataset, self.party, keys_unpacked(keys)[:KEYS_AT_ONCE], since)
        return {"entries": [[e.key.hex(), e.owner, e.revision, e.cd_id, e.young, e.gone] for e in found]}
