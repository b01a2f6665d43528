"""Leases: who does something that only one may do, until when."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, or_, select, update

from hub.ledger.sql import insert_new
from hub.ledger.tables import lease
from hub.owners import is_dead


def take(connection: Connection, name: str, owner: str, now: datetime, length: timedelta) -> bool:
    """Take or keep a lease; False when somebody living has it."""
    until = now + length
    if insert_new(connection, lease, {"name": name, "owner": owner, "until": until}):
        return True
    held = connection.execute(select(lease.c.owner).where(lease.c.name == name)).scalar()
    free = or_(lease.c.owner == owner, lease.c.until <= now)
    if is_dead(held):
        free = or_(free, lease.c.owner == held)
    statement = update(lease).where(lease.c.name == name, free).values(owner=owner, until=until)
    return connection.execute(statement).rowcount == 1


def give_back(connection: Connection, name: str, owner: str) -> None:
    """Let somebody else have it at once."""
    connection.execute(delete(lease).where(lease.c.name == name, lease.c.owner == owner))
