"""Which stored records are meant: by party, data set, connection, time, verdict; and the parcels that carried them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, select

from hub.ledger.replays import Part, parts_of
from hub.ledger.sql import among
from hub.ledger.tables import delivery, parcel, record, submission
from hub.ledger.types import month_of
from standards.clock import SHANGHAI
from standards.states import ParcelState

#: Hand-overs whose records are looked up in one statement.
_AT_ONCE = 200
#: Parcels that were stored at their receiver, wholly or in part.
_STORED = (ParcelState.ACCEPTED, ParcelState.PARTLY)


@dataclass(frozen=True, slots=True)
class Records:
    """Stored records: all that fit what is given."""

    verdicts: tuple[str, ...]
    party: str = ""
    dataset: str = ""
    connection: str = ""
    #: When they were handed over: from, and before.
    since: datetime | None = None
    before: datetime | None = None
    submission_id: UUID | None = None
    rows: tuple[int, ...] = ()

    def hand_overs(self) -> tuple[ColumnElement[bool], ...]:
        """For a WHERE over submissions; test traffic is no data."""
        named = {"party": self.party, "dataset": self.dataset, "connection": self.connection}
        found: list[ColumnElement[bool]] = [submission.c[name] == value for name, value in named.items() if value]
        if self.submission_id is not None:
            found += [submission.c.id == self.submission_id, submission.c.month == month_of(self.submission_id)]
        if self.since is not None:
            found += [submission.c.received_at >= self.since, submission.c.month >= _month(self.since, -1)]
        if self.before is not None:
            found += [submission.c.received_at < self.before, submission.c.month <= _month(self.before, 1)]
        return (submission.c.test.is_(False), *found)


def _month(moment: datetime, days: int) -> int:
    there = (moment + timedelta(days=days)).astimezone(SHANGHAI)
    return there.year * 100 + there.month


def of_records(connection: Connection, which: Records, *, mapped: bool) -> list[Part]:
    """Records by hand-over, in the order they came; `mapped`: only those whose mapped content was kept."""
    found: list[tuple[UUID, int]] = []
    for part in _hand_overs(connection, which):
        statement = select(record.c.submission_id, record.c.row_no).where(
            record.c.month.in_(sorted({month_of(one) for one in part})),
            among(connection, record.c.submission_id, part),
            record.c.verdict.in_(which.verdicts),
        )
        if which.rows:
            statement = statement.where(among(connection, record.c.row_no, list(which.rows)))
        if mapped:
            statement = statement.where(record.c.idx.is_not(None))
        rows = connection.execute(statement.order_by(record.c.submission_id, record.c.row_no))
        found += [(row[0], row[1]) for row in rows]
    return parts_of(found)


def _hand_overs(connection: Connection, which: Records) -> list[list[UUID]]:
    ids = list(
        connection.execute(select(submission.c.id).where(*which.hand_overs()).order_by(submission.c.id)).scalars()
    )
    return [ids[start : start + _AT_ONCE] for start in range(0, len(ids), _AT_ONCE)]


def with_content(connection: Connection, parts: Sequence[Part]) -> list[Part]:
    """Those of the records whose mapped content was kept: what was rejected has none."""
    found: list[tuple[UUID, int]] = []
    for part in parts:
        rows = connection.execute(
            select(record.c.row_no)
            .where(
                record.c.month == month_of(part.origin_id),
                record.c.submission_id == part.origin_id,
                among(connection, record.c.row_no, list(part.rows)),
                record.c.idx.is_not(None),
            )
            .order_by(record.c.row_no)
        ).scalars()
        found += [(part.origin_id, row) for row in rows]
    return parts_of(found)


def parcels_of(connection: Connection, parts: Sequence[Part], destinations: Sequence[str]) -> list[Part]:
    """The parcels that brought these records to a receiver, each once; `rows`: those of the records in it.

    No destination named: every one they went to.
    """
    found: dict[UUID, tuple[UUID, list[int]]] = {}
    for part in parts:
        month = month_of(part.origin_id)
        statement = (
            select(delivery.c.parcel_id, delivery.c.row_no)
            .where(
                delivery.c.month == month,
                delivery.c.submission_id == part.origin_id,
                among(connection, delivery.c.row_no, list(part.rows)),
                delivery.c.state.is_(None),
            )
            .order_by(delivery.c.parcel_id, delivery.c.row_no)
        )
        if destinations:
            statement = statement.where(delivery.c.destination.in_(list(destinations)))
        for identifier, row in connection.execute(statement):
            found.setdefault(identifier, (part.origin_id, []))[1].append(row)
    stored = _stored(connection, list(found))
    return [
        Part(origin, tuple(rows), identifier) for identifier, (origin, rows) in found.items() if identifier in stored
    ]


def _stored(connection: Connection, identifiers: Sequence[UUID]) -> set[UUID]:
    if not identifiers:
        return set()
    statement = select(parcel.c.id).where(
        parcel.c.month.in_(sorted({month_of(one) for one in identifiers})),
        among(connection, parcel.c.id, identifiers),
        parcel.c.state.in_(_STORED),
    )
    return set(connection.execute(statement).scalars())


def destinations_of(connection: Connection, parts: Sequence[Part]) -> dict[str, tuple[int, int]]:
    """Where the parcels of a sending go: parcels and records by destination."""
    identifiers = [part.parcel_id for part in parts if part.parcel_id is not None]
    result: dict[str, tuple[int, int]] = {}
    if not identifiers:
        return result
    statement = select(parcel.c.destination, parcel.c.count).where(
        parcel.c.month.in_(sorted({month_of(one) for one in identifiers})),
        among(connection, parcel.c.id, identifiers),
    )
    for destination, count in connection.execute(statement):
        parcels, records = result.get(destination, (0, 0))
        result[destination] = (parcels + 1, records + count)
    return result
