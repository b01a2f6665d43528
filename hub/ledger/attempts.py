"""Log-ins that failed, by name: after some of them nobody gets in by that name for a while, whether it exists or not.

An attempt is written down before the password is looked at, so that many at once count as many.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, select, update

from hub.ledger.sql import insert_new
from hub.ledger.tables import login_attempt

#: Failures older than this count no more.
_FORGOTTEN = timedelta(days=1)


def _key(name: str) -> str:
    # What is typed into the field of the name is sometimes the password.
    return hashlib.sha256(name.encode()).hexdigest()


def wait_of(failed: int, after: int, first: timedelta, longest: timedelta) -> timedelta:
    """How long a name must wait after so many failures in a row."""
    if failed < after:
        return timedelta(0)
    return min(first * (1 << min(failed - after, 30)), longest)


def begin(
    connection: Connection, name: str, now: datetime, after: int, first: timedelta, longest: timedelta
) -> datetime | None:
    """Count an attempt; until when it must wait, or None: it may be tried now."""
    key = _key(name)
    if insert_new(connection, login_attempt, {"name": key, "failed": 0, "at": now}):
        connection.execute(delete(login_attempt).where(login_attempt.c.at < now - _FORGOTTEN))
    row = connection.execute(
        select(login_attempt.c.failed, login_attempt.c.at, login_attempt.c.until)
        .where(login_attempt.c.name == key)
        .with_for_update()
    ).one()
    if row.until is not None and row.until > now:
        found: datetime = row.until
        return found
    failed = 1 if row.at < now - _FORGOTTEN else row.failed + 1
    wait = wait_of(failed, after, first, longest)
    connection.execute(
        update(login_attempt)
        .where(login_attempt.c.name == key)
        .values(failed=failed, at=now, until=now + wait if wait else None)
    )
    return None


def take_back(connection: Connection, name: str) -> None:
    """The attempt was right so far, and goes on: it alone is not counted."""
    connection.execute(
        update(login_attempt)
        .where(login_attempt.c.name == _key(name))
        .values(failed=login_attempt.c.failed - 1, until=None)
    )


def forget(connection: Connection, name: str) -> None:
    """Somebody got in, or an administrator lets them try again."""
    connection.execute(delete(login_attempt).where(login_attempt.c.name == _key(name)))
