"""Sessions: who is logged in where, since when, and what is still missing; the token itself is not stored."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, delete, select, update

from hub.ledger.tables import session

#: What the token of a session begins with; a key of a machine begins with `hub_`.
PREFIX = "hubs_"
#: Ended sessions are listed so long, then forgotten; the journal keeps when they began.
_KEPT = timedelta(days=30)


class Stage(StrEnum):
    """What is still missing before a session opens anything."""

    CODE = "code"
    CHANGE = "change"  # of the password
    ENROL = "enrol"  # a second factor
    AWAY = "away"  # at the identity provider
    OPEN = "open"


@dataclass(frozen=True, kw_only=True)
class Session:
    """One session."""

    hash: str
    id: str
    #: One of the two is empty.
    person: str
    credential: str
    stage: Stage
    way: str
    address: str
    agent: str
    detail: str
    started_at: datetime
    seen_at: datetime
    ends_at: datetime
    ended_at: datetime | None


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def begin(connection: Connection, stage: Stage, now: datetime, ends_at: datetime, **values: str) -> str:
    """A new session; its token, which is not stored."""
    token = PREFIX + secrets.token_urlsafe(32)
    connection.execute(
        session.insert().values(
            hash=digest(token),
            id=secrets.token_hex(6),
            stage=stage,
            started_at=now,
            seen_at=now,
            ends_at=ends_at,
            **values,
        )
    )
    # Once for each log-in is often enough.
    connection.execute(delete(session).where(session.c.ends_at < now - _KEPT))
    return token


def find(connection: Connection, token: str, now: datetime, idle: timedelta) -> Session | None:
    """The session of a token, unless it ended, by itself or by somebody."""
    if not token.startswith(PREFIX):
        return None
    row = connection.execute(
        select(session).where(
            session.c.hash == digest(token),
            session.c.ended_at.is_(None),
            session.c.ends_at > now,
            session.c.seen_at > now - idle,
        )
    ).one_or_none()
    return _of(row) if row is not None else None


def _of(row: Any) -> Session:
    values = dict(row._mapping)
    return Session(**{**values, "stage": Stage(values["stage"])})


def touch(connection: Connection, hashes: Iterable[str], now: datetime) -> None:
    """Something came from these."""
    connection.execute(
        update(session).where(session.c.hash.in_(list(hashes)), session.c.seen_at < now).values(seen_at=now)
    )


def end(connection: Connection, now: datetime, *, hashed: str = "", identifier: str = "", person: str = "") -> bool:
    """One session ends: by its token's digest, or by its id among those of a person (or key)."""
    statement = update(session).where(session.c.ended_at.is_(None))
    if hashed:
        statement = statement.where(session.c.hash == hashed)
    else:
        statement = statement.where(session.c.id == identifier, session.c.person == person, session.c.person != "")
    return connection.execute(statement.values(ended_at=now)).rowcount == 1


def of_person(connection: Connection, name: str, now: datetime, idle: timedelta) -> Sequence[Session]:
    """The sessions of a person that go on, the newest first."""
    statement = select(session).where(
        session.c.person == name,
        session.c.ended_at.is_(None),
        session.c.ends_at > now,
        session.c.seen_at > now - idle,
        session.c.stage == Stage.OPEN,
    )
    return [_of(row) for row in connection.execute(statement.order_by(session.c.started_at.desc()))]
