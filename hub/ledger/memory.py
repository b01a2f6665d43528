"""What sources and destinations remember between two runs (standards.ports.MemoryPort)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, delete, select

from hub.ledger.engine import Ledger
from hub.ledger.sql import among, insert_of
from hub.ledger.tables import bookmark
from standards.clock import Clock


def put(connection: Connection, owner: str, name: str, value: str, now: datetime) -> None:
    """Remember something of a connection or destination, for good."""
    statement = insert_of(connection, bookmark).values(connection=owner, name=name, value=value, at=now)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["connection", "name"], set_={"value": value, "at": now})
    )


def of_all(connection: Connection, name: str) -> dict[str, str]:
    """Who remembers something under a name, and what."""
    rows = connection.execute(select(bookmark.c.connection, bookmark.c.value).where(bookmark.c.name == name))
    return {row[0]: row[1] for row in rows}


def of_these(connection: Connection, name: str, owners: Collection[str]) -> dict[str, str]:
    """The same of some of them, by key."""
    rows = connection.execute(
        select(bookmark.c.connection, bookmark.c.value).where(
            among(connection, bookmark.c.connection, list(owners)), bookmark.c.name == name
        )
    )
    return {row[0]: row[1] for row in rows}


def drop(connection: Connection, owner: str, name: str) -> None:
    """Forget something of a connection or destination."""
    connection.execute(delete(bookmark).where(bookmark.c.connection == owner, bookmark.c.name == name))


@dataclass(slots=True)
class Memory:
    """The memory of one connection or destination."""

    ledger: Ledger
    clock: Clock
    owner: str

    def recall(self, name: str) -> str | None:
        """What was remembered under a name."""
        with self.ledger.read() as connection:
            value: str | None = connection.execute(
                select(bookmark.c.value).where(bookmark.c.connection == self.owner, bookmark.c.name == name)
            ).scalar()
        return value

    def remember(self, name: str, value: str) -> None:
        """Remember something, for good."""
        now = self.clock.now()
        self.ledger.write(lambda c: put(c, self.owner, name, value, now))

    def forget(self, name: str) -> None:
        """Forget it."""
        self.ledger.write(lambda c: drop(c, self.owner, name))

    def names(self, head: str = "") -> list[str]:
        """Every name remembered that begins with `head`."""
        with self.ledger.read() as connection:
            held = connection.execute(
                select(bookmark.c.name).where(bookmark.c.connection == self.owner).order_by(bookmark.c.name)
            ).scalars()
            return [name for name in held if name.startswith(head)]
