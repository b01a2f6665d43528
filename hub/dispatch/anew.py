"""Records that a receiver lacks, sent once more: exactly these, in parcels of their own.

A receiver remembers a parcel's id, so that the old one would only be answered as a repeat.  Deliveries move into the
new parcel, and the old one counts them no more: each record has one delivery there, whatever is sent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select, tuple_, update

from hub.dispatch import settle as settling
from hub.ledger import parcels, submissions
from hub.ledger.parcels import CARRIES, StoredParcel
from hub.ledger.sql import among
from hub.ledger.tables import delivery, parcel
from hub.ledger.types import month_of
from standards.digest import uuid7
from standards.states import DeliveryState, ParcelState

#: Deliveries that the receiver had taken.
_TAKEN = (ParcelState.ACCEPTED, ParcelState.PARTLY)
_NAMED = 300


def send_anew(
    connection: Connection, records: Sequence[tuple[UUID, int]], destination: str, now: datetime
) -> list[tuple[StoredParcel, list[int]]]:
    """Put these records on their way once more; the new parcels and their rows.

    Records whose parcel is on its way, or that were refused, are left out: a second call finds nothing to send.
    """
    made = []
    for (old_id, submission_id), rows in _carried(connection, records, destination).items():
        old = parcels.get(connection, old_id)
        if old is None or old.ended_at is None or old.state not in _TAKEN:
            continue
        new = replace(
            old,
            id=uuid7(),
            first_row=min(rows),
            last_row=max(rows),
            count=len(rows),
            batch="",
            state=ParcelState.WAITING,
            attempts=0,
            due_at=now,
            published_at=None,
            publishes=0,
            waits_for=None,
            lease_owner=None,
            lease_until=None,
            resent_at=now,
            ended_at=None,
            # It was handed over and taken once: what is counted by day stays as it is.
            accepted=len(rows),
            refused=0,
            error_code="",
            error_text="",
        )
        left = old.count - len(rows)
        parcels.add(connection, [new])
        _move(connection, old, rows, new.id)
        parcels.change(
            connection,
            old.id,
            count=left,
            accepted=max(0, old.accepted - len(rows)),
            state=old.state if left else ParcelState.SPLIT,
        )
        submissions.reopen(connection, submission_id, 1)
        made.append((new, rows))
    settling.publish(connection, [one for one, _ in made], now)
    return made


def _carried(
    connection: Connection, records: Sequence[tuple[UUID, int]], destination: str
) -> dict[tuple[UUID, UUID], list[int]]:
    """By parcel and hand-over: the rows of these records that the receiver had taken; the parcels are locked."""
    found: dict[tuple[UUID, UUID], list[int]] = {}
    for start in range(0, len(records), _NAMED):
        keys = [(month_of(one), one, row) for one, row in records[start : start + _NAMED]]
        rows = connection.execute(
            select(delivery.c.parcel_id, delivery.c.submission_id, delivery.c.row_no)
            .where(
                tuple_(delivery.c.month, delivery.c.submission_id, delivery.c.row_no).in_(keys),
                delivery.c.destination == destination,
                delivery.c.state.is_(None) | (delivery.c.state == DeliveryState.ACCEPTED),
            )
            .order_by(delivery.c.parcel_id, delivery.c.row_no)
        )
        for identifier, submission_id, row in rows:
            found.setdefault((identifier, submission_id), []).append(row)
    identifiers = sorted({identifier for identifier, _ in found})
    if not identifiers:
        return {}
    # Whoever comes second waits here, and then finds the deliveries in another parcel.
    connection.execute(
        select(parcel.c.id)
        .where(
            parcel.c.month.in_(sorted({month_of(i) for i in identifiers})), among(connection, parcel.c.id, identifiers)
        )
        .order_by(parcel.c.id)
        .with_for_update()
    ).all()
    return {key: still for key, rows in found.items() if (still := _still(connection, key, rows, destination))}


def _still(connection: Connection, key: tuple[UUID, UUID], rows: Sequence[int], destination: str) -> list[int]:
    identifier, submission_id = key
    found = connection.execute(
        select(delivery.c.row_no)
        .select_from(delivery)
        .join(parcel, CARRIES)
        .where(
            delivery.c.month == month_of(submission_id),
            delivery.c.submission_id == submission_id,
            among(connection, delivery.c.row_no, list(rows)),
            delivery.c.destination == destination,
            delivery.c.parcel_id == identifier,
            parcel.c.ended_at.is_not(None),
        )
        .order_by(delivery.c.row_no)
    )
    return list(found.scalars())


def _move(connection: Connection, old: StoredParcel, rows: Sequence[int], into: UUID) -> None:
    connection.execute(
        update(delivery)
        .where(
            delivery.c.month == month_of(old.submission_id),
            delivery.c.submission_id == old.submission_id,
            among(connection, delivery.c.row_no, list(rows)),
            delivery.c.destination == old.destination,
            delivery.c.parcel_id == old.id,
        )
        .values(parcel_id=into, state=None, code=None, message=None)
    )
