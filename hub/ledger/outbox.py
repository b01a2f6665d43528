"""The outbox: messages written in the same transaction as what they tell of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, update

from hub.broker.envelope import closed
from hub.broker.topology import Route
from hub.ledger import bulk
from hub.ledger.sql import among
from hub.ledger.tables import outbox


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to be written."""

    route: Route
    id: str
    body: bytes
    due_at: datetime | None = None
    #: W3C trace context of what it belongs to.
    traceparent: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in the outbox, claimed by somebody; behind its body stands its trace context."""

    row: int
    exchange: str
    key: str
    queue: str
    id: str
    body: bytes
    tries: int


def put(connection: Connection, messages: Sequence[Outgoing], now: datetime) -> None:
    """Write messages; they leave when the transaction is committed."""
    bulk.insert(
        connection,
        outbox,
        {
            "exchange": [m.route.exchange for m in messages],
            "routing_key": [m.route.key for m in messages],
            "queue": [m.route.queue for m in messages],
            "message_id": [m.id for m in messages],
            "body": [closed(m.body, m.traceparent) for m in messages],
            "created_at": now,
            "due_at": [m.due_at or now for m in messages],
        },
        len(messages),
    )


def claim(
    connection: Connection,
    now: datetime,
    owner: str,
    lease: timedelta,
    limit: int,
    queues: Sequence[str] | None = None,
) -> list[Waiting]:
    """Take up to `limit` due messages, oldest first; a claim that is not finished within `lease` falls back."""
    pick = select(outbox.c.id).where(outbox.c.due_at <= now)
    if queues is not None:
        pick = pick.where(outbox.c.queue.in_(queues))
    pick = pick.order_by(outbox.c.id).limit(limit).with_for_update(skip_locked=True)
    rows = connection.execute(
        update(outbox)
        .where(outbox.c.id.in_(pick.scalar_subquery() if connection.dialect.name == "sqlite" else pick))
        .values(lease_owner=owner, due_at=now + lease, tries=outbox.c.tries + 1)
        .returning(
            outbox.c.id,
            outbox.c.exchange,
            outbox.c.routing_key,
            outbox.c.queue,
            outbox.c.message_id,
            outbox.c.body,
            outbox.c.tries,
        )
    ).all()
    return sorted((Waiting(r[0], r[1], r[2], r[3], r[4], r[5], r[6] - 1) for r in rows), key=lambda w: w.row)


def done(connection: Connection, rows: Sequence[int], owner: str) -> None:
    """These have arrived; forget them, unless somebody else holds them by now."""
    connection.execute(delete(outbox).where(among(connection, outbox.c.id, rows), outbox.c.lease_owner == owner))


def release(connection: Connection, rows: Sequence[int], owner: str, due_at: datetime) -> None:
    """Give claimed messages back; they come again at `due_at`."""
    connection.execute(
        update(outbox)
        .where(among(connection, outbox.c.id, rows), outbox.c.lease_owner == owner)
        .values(lease_owner=None, due_at=due_at)
    )


def holders(connection: Connection, now: datetime) -> set[str]:
    """Who has claimed messages."""
    claimed = select(outbox.c.lease_owner).where(outbox.c.due_at > now, outbox.c.lease_owner.is_not(None))
    return set(connection.execute(claimed.distinct()).scalars())


def free(connection: Connection, gone: Sequence[str], now: datetime) -> int:
    """What these had claimed is due now, not when the claim runs out; how many messages."""
    claimed = update(outbox).where(outbox.c.due_at > now, outbox.c.lease_owner.in_(gone))
    return connection.execute(claimed.values(lease_owner=None, due_at=now)).rowcount


def extend(connection: Connection, rows: Sequence[int], owner: str, until: datetime) -> None:
    """Keep a claim while the work goes on."""
    connection.execute(
        update(outbox).where(among(connection, outbox.c.id, rows), outbox.c.lease_owner == owner).values(due_at=until)
    )


def depth(connection: Connection, queue: str) -> int:
    """How many messages of a queue are in the outbox."""
    return connection.execute(select(func.count()).select_from(outbox).where(outbox.c.queue == queue)).scalar_one()


def depths(connection: Connection) -> dict[str, int]:
    """How many messages of each queue are in the outbox."""
    rows = connection.execute(select(outbox.c.queue, func.count()).group_by(outbox.c.queue))
    return {row[0]: row[1] for row in rows}


def any_due(connection: Connection, now: datetime) -> bool:
    """True when some message should leave now."""
    return connection.execute(select(outbox.c.id).where(outbox.c.due_at <= now).limit(1)).first() is not None


def pending(connection: Connection) -> tuple[int, datetime | None]:
    """How many messages wait in all, and since when the oldest does."""
    row = connection.execute(select(func.count(), func.min(outbox.c.created_at))).one()
    return row[0], row[1]


def message_ids(connection: Connection, ids: Sequence[UUID]) -> set[str]:
    """Which of these identifiers have a message in the outbox."""
    texts = [str(i) for i in ids]
    return set(
        connection.execute(select(outbox.c.message_id).where(among(connection, outbox.c.message_id, texts))).scalars()
    )
