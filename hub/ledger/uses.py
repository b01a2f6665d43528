"""Which items were used by whom on which day: so that a report need not open the content of every record."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import Connection, select

from hub.ledger.sql import insert_of
from hub.ledger.tables import item_use


def add(connection: Connection, used: Collection[tuple[str, str, str]]) -> None:
    """Owner, day, main item; those that are there stay."""
    if used:
        rows = [{"day": day, "owner": owner, "item": item} for owner, day, item in sorted(used)]
        connection.execute(insert_of(connection, item_use).on_conflict_do_nothing(), rows)


def between(connection: Connection, first: str, last: str) -> list[tuple[str, str]]:
    """Owners and the items each used from one day to another, both within."""
    rows = connection.execute(
        select(item_use.c.owner, item_use.c.item)
        .where(item_use.c.day.between(first, last))
        .group_by(item_use.c.owner, item_use.c.item)
    )
    return [(row.owner, row.item) for row in rows]
