"""Reading the journal: by whom, what, when and about which hand-over, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, func, select

from hub.ledger.tables import journal, seal

#: Rows of the journal that are looked through for one page at most; it has no index on who or what.
_SEARCHED = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows; empty words fit everything."""

    actor: str = ""
    action: str = ""
    submission: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None
    #: Only rows before the one with this id: the next page.
    before: int = 0
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of the journal, the newest first."""

    rows: Sequence[Row[Any]]
    #: From where to go on; 0: that was all.
    next: int


def entries(connection: Connection, wanted: Wanted) -> Page:
    """One page.  It may have fewer rows than were asked for and still go on: only so much is looked through at once."""
    newest = connection.execute(select(func.max(journal.c.id))).scalar() or 0
    top = min(wanted.before - 1, newest) if wanted.before else newest
    bottom = 0 if wanted.submission is not None else max(top - _SEARCHED, 0)
    statement = select(journal).where(journal.c.id <= top, journal.c.id > bottom)
    if wanted.actor:
        statement = statement.where(journal.c.actor == wanted.actor)
    if wanted.action:
        statement = statement.where(journal.c.action == wanted.action)
    if wanted.submission is not None:
        statement = statement.where(journal.c.submission_id == wanted.submission)
    if wanted.since is not None:
        statement = statement.where(journal.c.at >= wanted.since)
    if wanted.until is not None:
        statement = statement.where(journal.c.at < wanted.until)
    rows = connection.execute(statement.order_by(journal.c.id.desc()).limit(wanted.limit)).all()
    following = rows[-1].id if len(rows) == wanted.limit else bottom + 1
    over = following <= 1 or (wanted.since is not None and bool(rows) and rows[-1].at < wanted.since)
    return Page(rows, 0 if over else following)


def last_seal(connection: Connection) -> Row[Any] | None:
    """The newest seal."""
    return connection.execute(select(seal).order_by(seal.c.id.desc()).limit(1)).one_or_none()


def unsealed(connection: Connection, after: int) -> int:
    """Rows behind the last seal."""
    return connection.execute(select(func.count()).where(journal.c.id > after)).scalar_one()
