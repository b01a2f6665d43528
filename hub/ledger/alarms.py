"""Alarms in the ledger, and the messages about them that leave for contacts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, func, select, update

from hub.ledger.sql import insert_of
from hub.ledger.tables import alarm, alarm_message
from standards.digest import uuid7

RAISED, RECOVERED = "raised", "recovered"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAlarm:
    """An alarm as the ledger has it."""

    id: UUID
    rule: str
    subject: str
    zh: str
    en: str
    grave: bool
    opened_at: datetime
    seen_at: datetime
    recovered_at: datetime | None = None
    acknowledged_at: datetime | None = None
    acknowledged_by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something that a contact is told, or is going to be."""

    id: UUID
    alarm_id: UUID
    contact: str
    says: str
    created_at: datetime
    due_at: datetime
    tries: int = 0
    sent_at: datetime | None = None
    given_up_at: datetime | None = None
    error: str = ""

    @property
    def waits(self) -> bool:
        """True while it has neither left nor been given up."""
        return self.sent_at is None and self.given_up_at is None


_ALARM = [alarm.c[f.name] for f in fields(StoredAlarm)]
_MESSAGE = [alarm_message.c[f.name] for f in fields(Message)]


def raise_new(connection: Connection, one: StoredAlarm) -> bool:
    """Write a new alarm; False when one of its rule and subject is open already."""
    values = {f.name: getattr(one, f.name) for f in fields(StoredAlarm)}
    statement = insert_of(connection, alarm).values(**values).on_conflict_do_nothing().returning(alarm.c.id)
    return connection.execute(statement).first() is not None


def still_there(connection: Connection, ids: Sequence[UUID], now: datetime) -> None:
    """The causes of these were there just now."""
    if ids:
        connection.execute(update(alarm).where(alarm.c.id.in_(list(ids))).values(seen_at=now))


def recover(connection: Connection, identifier: UUID, now: datetime) -> bool:
    """Its cause is gone; False when somebody else saw that first."""
    statement = update(alarm).where(alarm.c.id == identifier, alarm.c.recovered_at.is_(None)).values(recovered_at=now)
    return connection.execute(statement).rowcount == 1


def acknowledge(connection: Connection, identifier: UUID, by: str, note: str, now: datetime) -> bool:
    """Somebody is at it; False when somebody was before, or it is over."""
    statement = (
        update(alarm)
        .where(alarm.c.id == identifier, alarm.c.recovered_at.is_(None), alarm.c.acknowledged_at.is_(None))
        .values(acknowledged_at=now, acknowledged_by=by[:200], note=note)
    )
    return connection.execute(statement).rowcount == 1


def one(connection: Connection, identifier: UUID) -> StoredAlarm | None:
    """An alarm by its id."""
    row = connection.execute(select(*_ALARM).where(alarm.c.id == identifier)).one_or_none()
    return None if row is None else StoredAlarm(**row._mapping)


def open_ones(connection: Connection, limit: int = 5000) -> list[StoredAlarm]:
    """Open alarms, the grave and then the oldest first."""
    statement = (
        select(*_ALARM)
        .where(alarm.c.recovered_at.is_(None))
        .order_by(alarm.c.grave.desc(), alarm.c.opened_at, alarm.c.id)
        .limit(limit)
    )
    return [StoredAlarm(**row._mapping) for row in connection.execute(statement)]


def lately(connection: Connection, since: datetime, limit: int) -> list[StoredAlarm]:
    """Alarms that are over and were raised since, the newest first."""
    statement = (
        select(*_ALARM)
        .where(alarm.c.recovered_at.is_not(None), alarm.c.opened_at >= since)
        .order_by(alarm.c.opened_at.desc(), alarm.c.id.desc())
        .limit(limit)
    )
    return [StoredAlarm(**row._mapping) for row in connection.execute(statement)]


def open_counts(connection: Connection) -> dict[str, int]:
    """How many are open, by rule."""
    rows = connection.execute(
        select(alarm.c.rule, func.count()).where(alarm.c.recovered_at.is_(None)).group_by(alarm.c.rule)
    )
    return {row[0]: row[1] for row in rows}


# Messages


def tell(connection: Connection, alarm_id: UUID, contact: str, says: str, due_at: datetime, now: datetime) -> bool:
    """Write a message; False when this contact is told that already."""
    statement = (
        insert_of(connection, alarm_message)
        .values(id=uuid7(), alarm_id=alarm_id, contact=contact, says=says, created_at=now, due_at=due_at)
        .on_conflict_do_nothing()
        .returning(alarm_message.c.id)
    )
    return connection.execute(statement).first() is not None


def messages_of(connection: Connection, ids: Iterable[UUID]) -> list[Message]:
    """Every message about these alarms."""
    statement = select(*_MESSAGE).where(alarm_message.c.alarm_id.in_(list(ids))).order_by(alarm_message.c.id)
    return [Message(**row._mapping) for row in connection.execute(statement)]


def forget(connection: Connection, identifier: UUID) -> bool:
    """A message that has not been tried yet is not sent at all."""
    statement = delete(alarm_message).where(
        alarm_message.c.id == identifier, alarm_message.c.sent_at.is_(None), alarm_message.c.tries == 0
    )
    return connection.execute(statement).rowcount == 1


def unsent(connection: Connection, limit: int = 1000) -> list[Message]:
    """Messages that have not left yet, in the order they were written."""
    statement = (
        select(*_MESSAGE)
        .where(alarm_message.c.sent_at.is_(None), alarm_message.c.given_up_at.is_(None))
        .order_by(alarm_message.c.created_at, alarm_message.c.id)
        .limit(limit)
    )
    return [Message(**row._mapping) for row in connection.execute(statement)]


def change(connection: Connection, identifier: UUID, **values: object) -> None:
    """Write down how a message fared."""
    connection.execute(update(alarm_message).where(alarm_message.c.id == identifier).values(**values))


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Take away alarms that were over before, with their messages; how many."""
    ids = list(
        connection.execute(
            select(alarm.c.id).where(alarm.c.recovered_at < before).order_by(alarm.c.opened_at).limit(limit)
        ).scalars()
    )
    if ids:
        connection.execute(delete(alarm_message).where(alarm_message.c.alarm_id.in_(ids)))
        connection.execute(delete(alarm).where(alarm.c.id.in_(ids)))
    return len(ids)
