"""Reconciliation between two hubs: what we believe the other holds against what it says it holds.

Records fall into buckets by the first twelve bits of their key's digest.  Each side adds the digests (key, owner,
revision) of a bucket's records up by XOR, whose order does not matter; only the buckets that differ are looked at key
by key.  What is still on its way, or changed after the watermark on either side, is no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from hub.deadlines import Deadlines
from hub.generations import Generations
from hub.ledger import cases, journal
from hub.ledger.cases import Opening
from hub.ledger.engine import Ledger
from hub.ledger.tables import delivery, origin_revision, parcel, record_head, submission
from standards.clock import Clock
from standards.digest import sm3
from standards.states import CaseClass, DeliveryState, ParcelState

#: Twelve bits: a bucket of a million records has some 250.
BUCKETS = 4096
_ROWS = 20_000
_SHOWN = 200
#: Buckets in one statement.
_NAMED = 200
_SETTLED = (ParcelState.ACCEPTED, ParcelState.PARTLY)


class Other(Protocol):
    """The other hub."""

    def buckets(self, dataset: str) -> dict[int, str]:
        """Its buckets of our records: number -> count and digest."""
        ...

    def keys(self, dataset: str, buckets: Sequence[int], since: datetime) -> list[Entry]:
        """Its records of some buckets."""
        ...


@dataclass(frozen=True, slots=True)
class Entry:
    """One record as one side holds it."""

    key: str
    owner: str
    #: Its revision as the lower hub counts it (a hub fills elements in, so that contents may differ and be right).
    revision: int
    cd_id: str = ""
    #: Changed after the watermark.
    young: bool = False
    #: Ours only: delivered and accepted there; False: on its way, refused or waiting.
    settled: bool = True


@dataclass(slots=True)
class Difference:
    """A record that is not there as it is here."""

    #: missing: not there; extra: only there; differs.
    kind: str
    cd_id: str
    owner: str
    key: str


@dataclass(slots=True)
class Reconciled:
    """What comparing one data set came to."""

    dataset: str
    destination: str
    ours: int = 0
    theirs: int = 0
    buckets: int = 0
    differences: list[Difference] = field(default_factory=list)
    #: Keys of which nothing can be said yet.
    under_way: int = 0

    def told(self) -> dict[str, Any]:
        """For people."""
        kinds = Counter(one.kind for one in self.differences)
        return {
            "dataset": self.dataset,
            "destination": self.destination,
            "ours": self.ours,
            "theirs": self.theirs,
            "buckets_compared": self.buckets,
            "under_way": self.under_way,
            "missing": kinds["missing"],
            "extra": kinds["extra"],
            "differs": kinds["differs"],
            "differences": [asdict(one) for one in self.differences[:_SHOWN]],
        }


def bucket_of(key: bytes) -> int:
    """Which bucket a key is in."""
    return int.from_bytes(key[:2]) >> 4


def sums(rows: Iterable[tuple[bytes, str, int]]) -> dict[int, str]:
    """Count and digest of each bucket, of rows of key, owner and revision.  Pure."""
    counts: dict[int, int] = {}
    held: dict[int, int] = {}
    for key, owner, revision in rows:
        bucket = bucket_of(key)
        counts[bucket] = counts.get(bucket, 0) + 1
        held[bucket] = held.get(bucket, 0) ^ hash_of(key + owner.encode() + revision.to_bytes(8))
    return {bucket: f"{counts[bucket]}:{held[bucket]:032x}" for bucket in counts}


def hash_of(text: bytes) -> int:
    """128 bits of SM3."""
    return int.from_bytes(sm3(text)[:16])


def compare(dataset: str, destination: str, ours: Sequence[Entry], theirs: Sequence[Entry], buckets: int) -> Reconciled:
    """The differences of some buckets.  Pure."""
    here = {(one.key, one.owner): one for one in ours}
    there = {(one.key, one.owner): one for one in theirs}
    found = Reconciled(dataset, destination, buckets=buckets)
    for place in here.keys() | there.keys():
        mine, other = here.get(place), there.get(place)
        if (mine is not None and (mine.young or not mine.settled)) or (other is not None and other.young):
            found.under_way += 1
        elif other is None and mine is not None:
            found.differences.append(Difference("missing", mine.cd_id, mine.owner, mine.key))
        elif mine is None and other is not None:
            found.differences.append(Difference("extra", other.cd_id, other.owner, other.key))
        elif mine is not None and other is not None and mine.revision != other.revision:
            found.differences.append(Difference("differs", mine.cd_id, mine.owner, mine.key))
    found.differences.sort(key=lambda one: (one.kind, one.cd_id))
    return found


def held_of(connection: Connection, dataset: str, party: str) -> dict[int, str]:
    """The buckets of what a party reported to us."""
    rows = connection.execute(
        select(record_head.c.key_hash, record_head.c.owner, origin_revision.c.revision)
        .join(origin_revision, _ORIGIN)
        .where(record_head.c.dataset == dataset, record_head.c.party == party, record_head.c.operation != "d")
        .execution_options(yield_per=_ROWS)
    )
    return sums((bytes(row[0]), row[1], row[2]) for row in rows)


def entries_of(
    connection: Connection, dataset: str, party: str, buckets: Sequence[int], since: datetime
) -> list[Entry]:
    """What a party reported to us, of some buckets."""
    rows = [
        row
        for part in _parts(buckets)
        for row in connection.execute(
            select(*_ENTRY, origin_revision.c.revision)
            .join(origin_revision, _ORIGIN)
            .where(
                record_head.c.dataset == dataset,
                record_head.c.party == party,
                record_head.c.operation != "d",
                or_(*(_in_bucket(number) for number in part)),
            )
        )
    ]
    return [Entry(bytes(r[0]).hex(), r[1], r[4], r[2], young=r[3] > since) for r in rows]


_ENTRY = (
    record_head.c.key_hash,
    record_head.c.owner,
    record_head.c.cd_id,
    record_head.c.updated_at,
)
_ORIGIN = (origin_revision.c.key_hash == record_head.c.key_hash) & (origin_revision.c.owner == record_head.c.owner)


def _parts(buckets: Sequence[int]) -> Iterator[Sequence[int]]:
    """So many buckets as one statement may name."""
    for start in range(0, len(buckets), _NAMED):
        yield buckets[start : start + _NAMED]


def _in_bucket(number: int) -> ColumnElement[bool]:
    first = (number << 4).to_bytes(2)
    if number == BUCKETS - 1:
        return record_head.c.key_hash >= first
    return and_(record_head.c.key_hash >= first, record_head.c.key_hash < ((number + 1) << 4).to_bytes(2))


@dataclass(slots=True)
class Reconciler:
    """Compares what we delivered to a destination with what the hub behind it holds."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    deadlines: Deadlines

    def run(self, other: Other, destination: str, dataset: str, since: datetime, by: str = "hub") -> Reconciled:
        """Compare one data set as it stood at a moment; differences open cases 报送不一致 of their party."""
        with self.ledger.read() as connection:
            ours = self._delivered(connection, destination, dataset)
        theirs = other.buckets(dataset)
        differing = sorted(n for n in ours.keys() | theirs.keys() if ours.get(n) != theirs.get(n))
        if differing:
            with self.ledger.read() as connection:
                mine = self._entries(connection, destination, dataset, differing, since)
            found = compare(dataset, destination, mine, other.keys(dataset, differing, since), len(differing))
        else:
            found = Reconciled(dataset, destination)
        found.ours = sum(int(text.partition(":")[0]) for text in ours.values())
        found.theirs = sum(int(text.partition(":")[0]) for text in theirs.values())
        self._keep(found, by)
        return found

    def _delivered(self, connection: Connection, destination: str, dataset: str) -> dict[int, str]:
        taken = _taken(destination, _months(connection))
        rows = connection.execute(
            select(record_head.c.key_hash, record_head.c.owner, record_head.c.revision)
            .where(record_head.c.dataset == dataset, record_head.c.operation != "d", taken)
            .execution_options(yield_per=_ROWS)
        )
        return sums((bytes(row[0]), row[1], row[2]) for row in rows)

    def _entries(
        self, connection: Connection, destination: str, dataset: str, buckets: Sequence[int], since: datetime
    ) -> list[Entry]:
        months = _months(connection)
        taken = _taken(destination, months)
        rows = [
            row
            for part in _parts(buckets)
            for row in connection.execute(
                select(
                    *_ENTRY,
                    record_head.c.revision,
                    taken.label("taken"),
                    _routed(destination, months).label("routed"),
                ).where(
                    record_head.c.dataset == dataset,
                    record_head.c.operation != "d",
                    or_(*(_in_bucket(number) for number in part)),
                )
            )
        ]
        return [
            Entry(bytes(r[0]).hex(), r[1], r[4], r[2], young=r[3] > since, settled=bool(r[5])) for r in rows if r[6]
        ]

    def _keep(self, found: Reconciled, by: str) -> None:
        now = self.clock.now()
        keys = [bytes.fromhex(one.key) for one in found.differences]
        with self.ledger.read() as connection:
            parties = _parties(connection, keys)
        openings = [
            Opening(
                class_=CaseClass.INCONSISTENT,
                party=parties.get((one.key, one.owner), ""),
                code=f"20006.{one.kind}",
                dataset=found.dataset,
                owner=one.owner,
                key_hash=bytes.fromhex(one.key),
                destination=found.destination,
            )
            for one in found.differences
        ]
        detail = {k: v for k, v in found.told().items() if k != "differences"}

        def work(connection: Connection) -> None:
            if openings:
                cases.open_many(connection, openings, self.deadlines(now), now)
            journal.append(connection, [journal.Entry("reconciled", by, None, None, detail)], now)

        self.ledger.write(work)


def _taken(destination: str, months: Sequence[int]) -> ColumnElement[bool]:
    """Whether the newest revision was delivered and accepted there."""
    settled = or_(delivery.c.state.is_(None), delivery.c.state == DeliveryState.ACCEPTED)
    found: ColumnElement[bool] = _delivery(destination, months).where(parcel.c.state.in_(_SETTLED), settled).exists()
    return found


def _routed(destination: str, months: Sequence[int]) -> ColumnElement[bool]:
    """Whether it goes there at all."""
    found: ColumnElement[bool] = _delivery(destination, months).exists()
    return found


def _months(connection: Connection) -> list[int]:
    """The partitions there are."""
    return list(connection.execute(select(submission.c.month).distinct()).scalars())


def _delivery(destination: str, months: Sequence[int]) -> Any:
    return (
        select(delivery.c.row_no)
        .join(parcel, parcel.c.id == delivery.c.parcel_id)
        .where(
            delivery.c.month.in_(list(months)),
            parcel.c.month.in_(list(months)),
            delivery.c.submission_id == record_head.c.submission_id,
            delivery.c.row_no == record_head.c.row_no,
            delivery.c.destination == destination,
        )
        .correlate(record_head)
    )


def _parties(connection: Connection, keys: Sequence[bytes]) -> Mapping[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for start in range(0, len(keys), 500):
        rows = connection.execute(
            select(record_head.c.key_hash, record_head.c.owner, record_head.c.party).where(
                record_head.c.key_hash.in_(keys[start : start + 500])
            )
        )
        found |= {(bytes(row[0]).hex(), row[1]): row[2] for row in rows}
    return found
