"""Canaries in the ledger: test records on their way.  They stand in no other table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, Subquery, case, delete, func, or_, select, update

from hub.ledger.sql import insert_new
from hub.ledger.tables import canary


@dataclass(frozen=True, slots=True, kw_only=True)
class Canary:
    """One test record as it stands."""

    id: UUID
    #: Destination, or the connection that it came in through.
    way: str
    inward: bool
    #: through, or connection.
    reach: str
    dataset: str
    content: bytes | None = None
    started_at: datetime
    judged_at: datetime | None = None
    sent_at: datetime | None = None
    ended_at: datetime | None = None
    ok: bool | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a way stands."""

    #: When the last one that came back was started, and how long it took.
    last_at: datetime | None
    took: timedelta | None
    #: When the first was started that none came back since; a hub that did not run sent none.
    trying_since: datetime | None
    #: When the first one that is still kept was started.
    first_at: datetime
    #: Why the newest that ended did not come back; '' when it did.
    problem: str

    def age(self, now: datetime) -> timedelta:
        """Of the last that came back; where none ever did, of the first that was sent."""
        return max(now - (self.last_at or self.first_at), timedelta(0))

    def trying(self, now: datetime) -> timedelta:
        """For how long they have been sent and not come back."""
        return max(now - self.trying_since, timedelta(0)) if self.trying_since is not None else timedelta(0)


_COLUMNS = [canary.c[f.name] for f in fields(Canary)]


def add(connection: Connection, one: Canary) -> bool:
    """Write a new one; False when one of its id is there."""
    return insert_new(connection, canary, {f.name: getattr(one, f.name) for f in fields(Canary)})


def get(connection: Connection, identifier: UUID) -> Canary | None:
    """A canary by its id."""
    row = connection.execute(select(*_COLUMNS).where(canary.c.id == identifier)).one_or_none()
    return None if row is None else Canary(**row._mapping)


def mark(connection: Connection, identifier: UUID, name: str, now: datetime) -> bool:
    """It came so far (`judged_at`, `sent_at`); False when it was there before, or has ended."""
    column = canary.c[name]
    statement = (
        update(canary)
        .where(canary.c.id == identifier, column.is_(None), canary.c.ended_at.is_(None))
        .values({name: now})
    )
    return connection.execute(statement).rowcount == 1


def end(connection: Connection, identifier: UUID, now: datetime, problem: str = "") -> bool:
    """It came back, or will not; what it held is not needed any more."""
    statement = (
        update(canary)
        .where(canary.c.id == identifier, canary.c.ended_at.is_(None))
        .values(ended_at=now, ok=not problem, problem=problem[:500], content=None)
    )
    return connection.execute(statement).rowcount == 1


def on_the_way(connection: Connection) -> list[Canary]:
    """Those of ours that have not ended."""
    statement = select(*_COLUMNS).where(canary.c.inward.is_(False), canary.c.ended_at.is_(None))
    return [Canary(**row._mapping) for row in connection.execute(statement.order_by(canary.c.started_at))]


def awaiting(connection: Connection, way: str) -> list[Canary]:
    """Those that were handed to a destination and have no verdict."""
    statement = select(*_COLUMNS).where(
        canary.c.way == way,
        canary.c.inward.is_(False),
        canary.c.reach == "through",
        canary.c.sent_at.is_not(None),
        canary.c.ended_at.is_(None),
    )
    return [Canary(**row._mapping) for row in connection.execute(statement.order_by(canary.c.started_at))]


def last_started(connection: Connection) -> dict[str, datetime]:
    """Way -> when the newest of ours was started."""
    rows = connection.execute(
        select(canary.c.way, func.max(canary.c.started_at)).where(canary.c.inward.is_(False)).group_by(canary.c.way)
    )
    return {row[0]: row[1] for row in rows}


def states(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, bool]:
    """Which of these have ended."""
    rows = connection.execute(select(canary.c.id, canary.c.ended_at).where(canary.c.id.in_(list(ids))))
    return {row[0]: row[1] is not None for row in rows}


def standings(connection: Connection) -> dict[str, Standing]:
    """How each way of ours stands."""
    ours = canary.c.inward.is_(False)
    back = (
        select(canary.c.way, func.max(canary.c.started_at).label("at"))
        .where(ours, canary.c.ok.is_(True))
        .group_by(canary.c.way)
        .subquery()
    )
    over = (
        select(canary.c.way, func.max(canary.c.started_at).label("at"))
        .where(ours, canary.c.ended_at.is_not(None))
        .group_by(canary.c.way)
        .subquery()
    )

    def newest(of: Subquery) -> dict[str, Canary]:
        same = (canary.c.way == of.c.way) & (canary.c.started_at == of.c.at)
        rows = connection.execute(select(*_COLUMNS).join(of, same).where(ours))
        return {row.way: Canary(**row._mapping) for row in rows}

    came_back, ended = newest(back), newest(over)
    since = case((or_(back.c.at.is_(None), canary.c.started_at > back.c.at), canary.c.started_at))
    rows = connection.execute(
        select(canary.c.way, func.min(canary.c.started_at), func.min(since, type_=canary.c.started_at.type))
        .join(back, canary.c.way == back.c.way, isouter=True)
        .where(ours)
        .group_by(canary.c.way)
    )
    found: dict[str, Standing] = {}
    for way, first, trying in rows:
        last, newest_over = came_back.get(way), ended.get(way)
        took = last.ended_at - last.started_at if last is not None and last.ended_at is not None else None
        problem = newest_over.problem if newest_over is not None else ""
        found[way] = Standing(last.started_at if last is not None else None, took, trying, first, problem)
    return found


def prune(connection: Connection, before: datetime) -> int:
    """Take away what ended before, except the last of each way that came back."""
    keep = (
        select(func.max(canary.c.started_at))
        .where(canary.c.inward.is_(False), canary.c.ok.is_(True))
        .group_by(canary.c.way)
        .scalar_subquery()
    )
    statement = delete(canary).where(
        canary.c.started_at < before, canary.c.started_at.not_in(keep) | canary.c.inward.is_(True)
    )
    return connection.execute(statement).rowcount
