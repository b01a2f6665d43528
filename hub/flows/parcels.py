"""What stands in front of one destination: when it is tried next, what went wrong, what a person must decide."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from hub.ledger.tables import case_, parcel
from hub.ledger.types import month_of
from standards.clock import local_text
from standards.masks_in_text import mask_text
from standards.states import OF_THE_OPERATOR, ParcelState

_MOST = 20


def next_due(connection: Connection, destination: str) -> datetime | None:
    """When the next waiting parcel is tried."""
    due: datetime | None = connection.execute(
        select(func.min(parcel.c.due_at)).where(
            parcel.c.destination == destination, parcel.c.state == ParcelState.WAITING, parcel.c.ended_at.is_(None)
        )
    ).scalar()
    return due


def errors_of(connection: Connection, destination: str) -> list[dict[str, Any]]:
    """What made its waiting parcels wait again, by cause, the commonest first."""
    rows = connection.execute(
        select(
            parcel.c.error_code,
            parcel.c.error_text,
            func.count(),
            func.sum(parcel.c.count),
            func.max(parcel.c.attempts),
            func.min(parcel.c.due_at),
        )
        .where(
            parcel.c.destination == destination,
            parcel.c.state.in_((ParcelState.WAITING, ParcelState.SENDING)),
            parcel.c.ended_at.is_(None),
            parcel.c.error_code != "",
        )
        .group_by(parcel.c.error_code, parcel.c.error_text)
        .order_by(func.count().desc())
        .limit(_MOST)
    )
    names = ("code", "text", "parcels", "records", "attempts", "next")
    return [dict(zip(names, [row[0], mask_text(row[1]), *row[2:5], local_text(row[5])], strict=True)) for row in rows]


def stopped_of(connection: Connection, destination: str) -> list[dict[str, Any]]:
    """Parcels that wait for a person, the oldest first: found by the cases they opened."""
    cases = connection.execute(
        select(case_.c.parcel_id, case_.c.opened_at)
        .where(
            case_.c.closed_at.is_(None),
            case_.c.destination == destination,
            case_.c.class_.in_(OF_THE_OPERATOR),
            case_.c.parcel_id.is_not(None),
        )
        .order_by(case_.c.opened_at)
        .limit(_MOST)
    ).all()
    found = []
    for identifier, opened in cases:
        row = connection.execute(
            select(parcel).where(parcel.c.month == month_of(identifier), parcel.c.id == identifier)
        ).one_or_none()
        if row is not None:
            found.append(
                {
                    "parcel": str(row.id),
                    "state": row.state,
                    "dataset": row.dataset,
                    "count": row.count,
                    "attempts": row.attempts,
                    "since": local_text(row.ended_at or opened),
                    "why": mask_text(row.error_text),
                }
            )
    return found
