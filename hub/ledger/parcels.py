"""Parcels and deliveries in the ledger."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select, tuple_, update

from hub.ledger import bulk
from hub.ledger.tables import attempt, delivery, parcel, submission
from hub.ledger.types import month_of
from standards.states import ENDED, DeliveryState, ParcelState


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredParcel:
    """A parcel as it stands in the ledger."""

    id: UUID
    destination: str
    direction: str
    lane: str
    dataset: str
    dataset_version: str
    submission_id: UUID
    chunk: int
    first_row: int
    last_row: int
    count: int
    batch: str = ""
    state: str = ParcelState.WAITING
    attempts: int = 0
    due_at: datetime | None = None
    published_at: datetime | None = None
    publishes: int = 0
    waits_for: UUID | None = None
    lease_owner: str | None = None
    lease_until: datetime | None = None
    created_at: datetime
    sent_at: datetime | None = None
    resent_at: datetime | None = None
    ended_at: datetime | None = None
    accepted: int = 0
    refused: int = 0
    error_code: str = ""
    error_text: str = ""
    hops: str = ""
    traceparent: str = ""


#: The parcel of a delivery.  By its hand-over too, which has an index: its id alone, without a month, has none.
CARRIES = and_(parcel.c.submission_id == delivery.c.submission_id, parcel.c.id == delivery.c.parcel_id)
_COLUMNS = [parcel.c[f.name] for f in fields(StoredParcel)]
_BULK = [f.name for f in fields(StoredParcel)]


def _of(row: Row[Any]) -> StoredParcel:
    return StoredParcel(**row._mapping)


def _is(identifier: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return parcel.c.month == month_of(identifier), parcel.c.id == identifier


def add(connection: Connection, parcels: Sequence[StoredParcel]) -> None:
    """Write new parcels."""
    columns: dict[str, Any] = {name: [getattr(p, name) for p in parcels] for name in _BULK}
    bulk.insert(connection, parcel, {"month": [month_of(p.id) for p in parcels], **columns}, len(parcels))


def get(connection: Connection, identifier: UUID) -> StoredParcel | None:
    """A parcel by its id."""
    row = connection.execute(select(*_COLUMNS).where(*_is(identifier))).one_or_none()
    return None if row is None else _of(row)


def of_submission(connection: Connection, submission_id: UUID) -> list[StoredParcel]:
    """Every parcel of a submission, in order."""
    rows = connection.execute(
        select(*_COLUMNS).where(parcel.c.submission_id == submission_id).order_by(parcel.c.created_at, parcel.c.id)
    )
    return [_of(r) for r in rows]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A parcel that is ours to send."""

    parcel: StoredParcel
    #: True when an earlier attempt may have arrived without our knowing.
    uncertain: bool


ANSWER_LOST = "answer-lost"


def claim(
    connection: Connection, identifier: UUID, owner: str, now: datetime, lease: timedelta, *, dead: bool = False
) -> Claimed | None:
    """Take a parcel for sending; None when it is not due, waits for another, or somebody else sends it.

    `dead`: whoever has it is known to be gone, so its lease counts for nothing.
    """
    row = connection.execute(
        select(*_COLUMNS).where(*_is(identifier), parcel.c.ended_at.is_(None)).with_for_update(skip_locked=True)
    ).one_or_none()
    if row is None:
        return None
    before = _of(row)
    if before.waits_for is not None:
        return None
    if before.state == ParcelState.SENDING:
        if not dead and before.lease_until is not None and before.lease_until > now:
            return None
    elif before.state != ParcelState.WAITING or (before.due_at is not None and before.due_at > now):
        return None
    values: dict[str, Any] = {
        "state": ParcelState.SENDING,
        "attempts": before.attempts + 1,
        "lease_owner": owner,
        "lease_until": now + lease,
    }
    connection.execute(update(parcel).where(*_is(identifier)).values(**values))
    uncertain = before.state == ParcelState.SENDING or before.error_code == ANSWER_LOST
    return Claimed(replace(before, **values), uncertain)


def holder(connection: Connection, identifier: UUID) -> str | None:
    """Who is sending a parcel."""
    return connection.execute(select(parcel.c.lease_owner).where(*_is(identifier))).scalar()


def change(connection: Connection, identifier: UUID, owner: str | None = None, **values: Any) -> bool:
    """Change columns of a parcel, if `owner` still holds it; True when it was changed."""
    statement = update(parcel).where(*_is(identifier))
    if owner is not None:
        statement = statement.where(parcel.c.lease_owner == owner, parcel.c.state == ParcelState.SENDING)
    return connection.execute(statement.values(**values)).rowcount == 1


def end(connection: Connection, identifier: UUID, state: ParcelState, now: datetime, **values: Any) -> bool:
    """Nothing more happens to this parcel by itself; True unless it had ended before."""
    statement = (
        update(parcel)
        .where(*_is(identifier), parcel.c.ended_at.is_(None))
        .values(state=state, ended_at=now, due_at=None, lease_owner=None, lease_until=None, **values)
    )
    return connection.execute(statement).rowcount == 1


def undecided(
    connection: Connection, destination: str, limit: int, *, before: datetime, only: UUID | None = None
) -> list[StoredParcel]:
    """The parcels of a destination that stopped until `before` and wait for a person, the oldest first."""
    statement = select(*_COLUMNS).where(
        parcel.c.destination == destination,
        parcel.c.state.in_((ParcelState.PARKED, ParcelState.IN_DOUBT)),
        parcel.c.ended_at <= before,
    )
    if only is not None:
        statement = statement.where(*_is(only))
    return [_of(r) for r in connection.execute(statement.order_by(parcel.c.created_at, parcel.c.id).limit(limit))]


def reopen(connection: Connection, identifier: UUID, now: datetime) -> bool:
    """A person has an undecided parcel sent again; True unless somebody else decided first."""
    statement = (
        update(parcel)
        .where(*_is(identifier), parcel.c.state.in_((ParcelState.PARKED, ParcelState.IN_DOUBT)))
        .values(
            state=ParcelState.WAITING,
            ended_at=None,
            due_at=now,
            published_at=now,
            resent_at=now,
            error_code="",
            error_text="",
        )
    )
    return connection.execute(statement).rowcount == 1


def again(connection: Connection, identifier: UUID, now: datetime, *, uncertain: bool) -> bool:
    """A parcel that was accepted is sent once more; True unless it is on its way already.

    `uncertain`: its destination is asked first whether it has it.  What it counted as accepted stays until it answers.
    """
    statement = (
        update(parcel)
        .where(
            *_is(identifier),
            parcel.c.state.in_((ParcelState.ACCEPTED, ParcelState.PARTLY)),
            parcel.c.ended_at.is_not(None),
        )
        .values(
            state=ParcelState.WAITING,
            ended_at=None,
            due_at=now,
            published_at=now,
            resent_at=now,
            error_code=ANSWER_LOST if uncertain else "",
            error_text="",
        )
    )
    return connection.execute(statement).rowcount == 1


def freed_by(connection: Connection, identifier: UUID) -> list[StoredParcel]:
    """The parcels that waited for this one: they wait no longer."""
    rows = connection.execute(
        update(parcel).where(parcel.c.waits_for == identifier).values(waits_for=None).returning(*_COLUMNS)
    )
    return [_of(r) for r in rows]


def repoint(connection: Connection, old: UUID, new: UUID) -> int:
    """What waited for one parcel waits for another; how many."""
    return connection.execute(update(parcel).where(parcel.c.waits_for == old).values(waits_for=new)).rowcount


def add_attempt(
    connection: Connection,
    identifier: UUID,
    no: int,
    *,
    started: datetime,
    ended: datetime,
    outcome: str,
    code: str = "",
    detail: str = "",
    next_at: datetime | None = None,
) -> None:
    """Write down one attempt."""
    connection.execute(
        attempt.insert().values(
            month=month_of(identifier),
            parcel_id=identifier,
            no=no,
            started_at=started,
            ended_at=ended,
            outcome=outcome,
            error_code=code,
            detail=detail[:2000],
            next_at=next_at,
        )
    )


def attempts(connection: Connection, identifier: UUID) -> list[Row[Any]]:
    """The attempts of a parcel, in order."""
    return list(
        connection.execute(
            select(attempt)
            .where(attempt.c.month == month_of(identifier), attempt.c.parcel_id == identifier)
            .order_by(attempt.c.no)
        )
    )


# Deliveries ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class OnTheWay:
    """A delivery of an older revision that has not ended."""

    submission_id: UUID
    row_no: int
    destination: str
    parcel_id: UUID
    parcel_state: str
    #: What that parcel itself waits for.
    waits_for: UUID | None


def add_deliveries(
    connection: Connection,
    submission_id: UUID,
    rows: Sequence[int],
    destination: str,
    parcel_ids: Sequence[UUID],
    states: Sequence[str | None],
) -> None:
    """Write one delivery for each record."""
    bulk.insert(
        connection,
        delivery,
        {
            "month": month_of(submission_id),
            "submission_id": submission_id,
            "row_no": list(rows),
            "destination": destination,
            "parcel_id": list(parcel_ids),
            "state": list(states),
        },
        len(rows),
    )


def on_the_way(connection: Connection, records: Iterable[tuple[UUID, int]]) -> list[OnTheWay]:
    """The deliveries of these records that have not ended; their parcels are locked until the transaction ends."""
    found: list[OnTheWay] = []
    wanted = list(records)
    for start in range(0, len(wanted), 300):
        part = wanted[start : start + 300]
        keys = [(month_of(s), s, r) for s, r in part]
        rows = connection.execute(
            select(delivery.c.submission_id, delivery.c.row_no, delivery.c.destination, delivery.c.parcel_id).where(
                tuple_(delivery.c.month, delivery.c.submission_id, delivery.c.row_no).in_(keys),
                delivery.c.state.is_(None),
            )
        ).all()
        parcels = sorted({r[3] for r in rows})
        if not parcels:
            continue
        open_ones = connection.execute(
            select(parcel.c.id, parcel.c.state, parcel.c.waits_for)
            .where(
                tuple_(parcel.c.month, parcel.c.id).in_([(month_of(p), p) for p in parcels]),
                parcel.c.ended_at.is_(None),
            )
            .order_by(parcel.c.id)
            .with_for_update()
        )
        states = {r[0]: (r[1], r[2]) for r in open_ones}
        found.extend(OnTheWay(r[0], r[1], r[2], r[3], *states[r[3]]) for r in rows if r[3] in states)
    return found


def mark_deliveries(
    connection: Connection,
    records: Iterable[tuple[UUID, int]],
    destination: str,
    state: DeliveryState,
    code: str | None = None,
    message: str | None = None,
) -> None:
    """Give deliveries a state of their own."""
    for submission_id, row_no in records:
        connection.execute(
            update(delivery)
            .where(
                delivery.c.month == month_of(submission_id),
                delivery.c.submission_id == submission_id,
                delivery.c.row_no == row_no,
                delivery.c.destination == destination,
            )
            .values(state=state, code=code, message=message)
        )


def withheld(connection: Connection, submission_id: UUID, destination: str) -> int:
    """How many records of a submission stay here because their release was taken back."""
    return connection.execute(
        select(func.count()).where(
            delivery.c.month == month_of(submission_id),
            delivery.c.submission_id == submission_id,
            delivery.c.destination == destination,
            delivery.c.state == DeliveryState.WITHHELD,
        )
    ).scalar_one()


def move_deliveries(connection: Connection, one: StoredParcel, rows: Sequence[int], into: UUID) -> None:
    """Put some deliveries of a parcel into another one."""
    connection.execute(
        update(delivery)
        .where(
            delivery.c.month == month_of(one.submission_id),
            delivery.c.submission_id == one.submission_id,
            delivery.c.row_no.in_(list(rows)),
            delivery.c.destination == one.destination,
        )
        .values(parcel_id=into)
    )


# Looking for what is due ---------------------------------------------------------------------------------------


def due(
    connection: Connection, now: datetime, unheard: datetime, limit: int, blocked: Sequence[str] = ()
) -> list[StoredParcel]:
    """Parcels that should be sent now but whose message nobody has: due again, lost on the way, or left by the dead.

    `unheard`: a message published before this and not taken since counts as lost.  Destinations in `blocked` are
    down or paused; their parcels wait for them.
    """
    statement = (
        select(*_COLUMNS)
        .where(
            parcel.c.ended_at.is_(None),
            parcel.c.destination.notin_(list(blocked)),
            parcel.c.waits_for.is_(None),
            or_(
                and_(
                    parcel.c.state == ParcelState.WAITING,
                    or_(parcel.c.due_at.is_(None), parcel.c.due_at <= now),
                    or_(parcel.c.published_at.is_(None), parcel.c.published_at <= unheard),
                ),
                and_(parcel.c.state == ParcelState.SENDING, parcel.c.lease_until <= now),
            ),
        )
        .order_by(parcel.c.created_at)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return [_of(r) for r in connection.execute(statement)]


def published(connection: Connection, identifiers: Sequence[UUID], now: datetime) -> None:
    """A message for each of these was put into the outbox."""
    for start in range(0, len(identifiers), 500):
        part = identifiers[start : start + 500]
        connection.execute(
            update(parcel)
            .where(tuple_(parcel.c.month, parcel.c.id).in_([(month_of(i), i) for i in part]))
            .values(published_at=now, publishes=parcel.c.publishes + 1)
        )


def oldest_waiting(connection: Connection, destination: str) -> StoredParcel | None:
    """The parcel that has waited longest for a destination and stands behind no other."""
    row = connection.execute(
        select(*_COLUMNS)
        .where(
            parcel.c.destination == destination,
            parcel.c.state == ParcelState.WAITING,
            parcel.c.ended_at.is_(None),
            parcel.c.waits_for.is_(None),
        )
        .order_by(parcel.c.created_at)
        .limit(1)
    ).one_or_none()
    return None if row is None else _of(row)


def awaiting(connection: Connection, destination: str, limit: int) -> list[StoredParcel]:
    """Parcels of a destination that were handed over and whose verdict is not there, oldest first."""
    statement = (
        select(*_COLUMNS)
        .where(parcel.c.destination == destination, parcel.c.state == ParcelState.AWAITING, parcel.c.ended_at.is_(None))
        .order_by(parcel.c.sent_at)
        .limit(limit)
    )
    return [_of(r) for r in connection.execute(statement)]


def backlog(connection: Connection) -> dict[str, dict[str, tuple[int, int, datetime | None]]]:
    """By destination and state: parcels, records, and since when the oldest is there; open ones only."""
    result: dict[str, dict[str, tuple[int, int, datetime | None]]] = {}
    rows = connection.execute(
        select(
            parcel.c.destination,
            parcel.c.state,
            func.count(),
            func.coalesce(func.sum(parcel.c.count), 0),
            func.min(parcel.c.created_at),
        )
        .where(parcel.c.ended_at.is_(None))
        .group_by(parcel.c.destination, parcel.c.state)
    )
    for destination, state, count, records, oldest in rows:
        result.setdefault(destination, {})[state] = (count, int(records), oldest)
    return result


def delivered_by_connection(connection: Connection) -> list[Row[Any]]:
    """Connection, records accepted and records refused at destinations."""
    return list(
        connection.execute(
            # From the hand-over to its parcels: SQLite would look for the hand-over of each parcel without an index.
            select(
                submission.c.connection,
                func.coalesce(func.sum(parcel.c.accepted), 0),
                func.coalesce(func.sum(parcel.c.refused), 0),
            )
            .select_from(submission.outerjoin(parcel, parcel.c.submission_id == submission.c.id))
            .group_by(submission.c.connection)
        )
    )


def hasten(connection: Connection, destination: str, now: datetime, limit: int = 100_000) -> int:
    """Everything that waits for a destination is due now: it answers again, or an operator said so."""
    return connection.execute(
        update(parcel)
        .where(
            parcel.c.destination == destination,
            parcel.c.state == ParcelState.WAITING,
            parcel.c.ended_at.is_(None),
            parcel.c.due_at > now,
        )
        .values(due_at=now, published_at=None)
    ).rowcount


def is_open(state: str) -> bool:
    """True while something still happens to a parcel by itself."""
    return ParcelState(state) not in ENDED


def datasets_to(connection: Connection, destination: str) -> list[str]:
    """The data sets that were ever put into parcels for a destination."""
    statement = select(parcel.c.dataset).where(parcel.c.destination == destination).distinct()
    return sorted(connection.execute(statement).scalars())
