"""Daily counters, kept for ever: appended with each chunk, folded later, never a hot row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from hub.ledger import bulk
from hub.ledger.sql import among
from hub.ledger.tables import tally
from standards.clock import SHANGHAI

Key = tuple[str, str, str, str]  # party, dataset, destination, name


def add(connection: Connection, counts: Mapping[Key, int], now: datetime) -> None:
    """Add to the counters of today (in China)."""
    rows = [(key, n) for key, n in counts.items() if n]
    bulk.insert(
        connection,
        tally,
        {
            "day": now.astimezone(SHANGHAI).date().isoformat(),
            "party": [k[0] for k, _ in rows],
            "dataset": [k[1] for k, _ in rows],
            "destination": [k[2] for k, _ in rows],
            "name": [k[3] for k, _ in rows],
            "count": [n for _, n in rows],
        },
        len(rows),
    )


def fold(connection: Connection, limit: int = 5000) -> int:
    """Put the oldest unfolded rows into one row each; returns how many were folded."""
    ids = list(
        connection.execute(
            select(tally.c.id).where(tally.c.folded.is_(False)).order_by(tally.c.id).limit(limit)
        ).scalars()
    )
    if not ids:
        return 0
    group = (tally.c.day, tally.c.party, tally.c.dataset, tally.c.destination, tally.c.name)
    touched = connection.execute(
        select(*group, func.sum(tally.c.count)).where(among(connection, tally.c.id, ids)).group_by(*group)
    ).all()
    connection.execute(delete(tally).where(among(connection, tally.c.id, ids)))
    for row in touched:
        same = [column == value for column, value in zip(group, row[:5], strict=True)]
        before = connection.execute(
            select(func.coalesce(func.sum(tally.c.count), 0)).where(*same, tally.c.folded.is_(True))
        ).scalar_one()
        connection.execute(delete(tally).where(*same, tally.c.folded.is_(True)))
        connection.execute(
            tally.insert().values(
                **dict(zip(("day", "party", "dataset", "destination", "name"), row[:5], strict=True)),
                count=int(row[5]) + int(before),
                folded=True,
            )
        )
    return len(ids)


def totals(
    connection: Connection, day: str | None = None, *, since: str | None = None, before: str | None = None
) -> dict[Key, int]:
    """The counters of one day, of all days, of those from `since` on, or of those `before` a day."""
    group = (tally.c.party, tally.c.dataset, tally.c.destination, tally.c.name)
    statement = select(*group, func.sum(tally.c.count)).group_by(*group)
    if day is not None:
        statement = statement.where(tally.c.day == day)
    if since is not None:
        statement = statement.where(tally.c.day >= since)
    if before is not None:
        statement = statement.where(tally.c.day < before)
    return {(r[0], r[1], r[2], r[3]): int(r[4]) for r in connection.execute(statement)}
