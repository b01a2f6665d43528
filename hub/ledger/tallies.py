"""Daily counters, kept for ever: appended with each chunk, folded later, never a hot row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, func, select, text

from hub.ledger import bulk
from hub.ledger.sql import among, insert_of
from hub.ledger.tables import tally
from standards.clock import SHANGHAI

Key = tuple[str, str, str, str]  # party, dataset, destination, name
#: In the words of its index, by which SQLite knows it.
_UNFOLDED = text("NOT folded")
_DAY = (tally.c.day, tally.c.party, tally.c.dataset, tally.c.destination, tally.c.name)


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
    ids = list(connection.execute(select(tally.c.id).where(_UNFOLDED).order_by(tally.c.id).limit(limit)).scalars())
    if not ids:
        return 0
    touched = connection.execute(
        select(*_DAY, func.sum(tally.c.count)).where(among(connection, tally.c.id, ids)).group_by(*_DAY)
    ).all()
    connection.execute(delete(tally).where(among(connection, tally.c.id, ids)))
    names = [column.name for column in _DAY]
    rows = [{**dict(zip(names, row[:-1], strict=True)), "count": int(row[-1]), "folded": True} for row in touched]
    statement = insert_of(connection, tally)
    statement = statement.on_conflict_do_update(
        index_elements=_DAY, index_where=text("folded"), set_={"count": tally.c.count + statement.excluded.count}
    )
    connection.execute(statement, rows)
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
