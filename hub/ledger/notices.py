"""Notices: what somebody was told, each once."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from hub.ledger.sql import insert_of
from hub.ledger.tables import notice
from standards.digest import uuid7

OPERATOR, ABOVE = "", "above"


@dataclass(frozen=True, slots=True)
class Notice:
    """Something to tell somebody: `about` and `says` together are told to each only once."""

    whom: str
    about: str
    says: str
    detail: Mapping[str, Any]


def tell(connection: Connection, told: Sequence[Notice], now: datetime) -> list[Notice]:
    """Write notices; those that were told before are left out of the answer."""
    new = []
    for one in told:
        statement = (
            insert_of(connection, notice)
            .values(
                id=uuid7(),
                at=now,
                whom=one.whom,
                about=one.about[:200],
                says=one.says,
                detail=json.dumps(dict(one.detail), ensure_ascii=False),
            )
            .on_conflict_do_nothing()
            .returning(notice.c.id)
        )
        if connection.execute(statement).first() is not None:
            new.append(one)
    return new


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
