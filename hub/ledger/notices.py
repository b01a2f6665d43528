"""Notices: what somebody was told, each once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from hub.ledger.sql import among, insert_of
from hub.ledger.tables import notice
from standards.digest import uuid7

OPERATOR, ABOVE = "", "above"
#: Characters of what a notice is about, and how many of them are looked up at once.
_ABOUT, _AT_ONCE = 200, 500


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell somebody: `about` and `says` together are told to each only once."""

    whom: str
    about: str
    says: str
    detail: Mapping[str, Any]


def untold(connection: Connection, told: Sequence[Notice]) -> list[Notice]:
    """Those of them that nobody was told yet; each once."""
    before: set[tuple[str, str, str]] = set()
    abouts = sorted({one.about[:_ABOUT] for one in told})
    for begin in range(0, len(abouts), _AT_ONCE):
        these = among(connection, notice.c.about, abouts[begin : begin + _AT_ONCE])
        before.update(connection.execute(select(notice.c.about, notice.c.says, notice.c.whom).where(these)).tuples())
    new: dict[tuple[str, str, str], Notice] = {}
    for one in told:
        key = (one.about[:_ABOUT], one.says, one.whom)
        if key not in before:
            new.setdefault(key, one)
    return list(new.values())


def tell(connection: Connection, told: Sequence[Notice], now: datetime) -> list[Notice]:
    """Write notices; those that were told before are left out of the answer."""
    new = {uuid7(): one for one in untold(connection, told)}
    if not new:
        return []
    rows = [
        {
            "id": identifier,
            "at": now,
            "whom": one.whom,
            "about": one.about[:_ABOUT],
            "says": one.says,
            "detail": json.dumps(dict(one.detail), ensure_ascii=False),
        }
        for identifier, one in new.items()
    ]
    statement = insert_of(connection, notice).on_conflict_do_nothing().returning(notice.c.id)
    written = set(connection.execute(statement, rows).scalars())
    return [one for identifier, one in new.items() if identifier in written]


def find(
    connection: Connection, whom: Sequence[str], *, unread: bool = False, limit: int = 100
) -> list[dict[str, Any]]:
    """Notices to these, the newest first."""
    statement = select(notice).where(notice.c.whom.in_(list(whom))).order_by(notice.c.at.desc(), notice.c.id.desc())
    if unread:
        statement = statement.where(notice.c.read_at.is_(None))
    return [
        {**row._mapping, "detail": json.loads(row.detail)} for row in connection.execute(statement.limit(limit)).all()
    ]


def mark_read(connection: Connection, identifier: UUID, whom: Sequence[str], by: str, now: datetime) -> bool:
    """Somebody read it; False when there is no such notice of theirs."""
    statement = (
        update(notice).where(notice.c.id == identifier, notice.c.whom.in_(list(whom))).values(read_at=now, read_by=by)
    )
    return connection.execute(statement).rowcount == 1
