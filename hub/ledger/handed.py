"""Submissions that somebody looks through: by state, file name and day, the newest first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from hub.ledger.submissions import Submission, among_states
from hub.ledger.tables import submission
from hub.ledger.types import month_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which submissions somebody looks through, the newest first."""

    party: str | None = None
    states: Sequence[str] = ()
    #: Only those of which something came back or is held, or that cannot be read.
    faulty: bool = False
    #: Part of the file's name.
    name: str = ""
    since: datetime | None = None
    until: datetime | None = None
    #: Older than this one.
    before: UUID | None = None
    limit: int = 100


def chosen(connection: Connection, wanted: Wanted) -> Iterator[Submission]:
    """Submissions that are wanted; ids are in the order of time."""
    s = submission.c
    conditions: list[ColumnElement[bool]] = []
    if wanted.party is not None:
        conditions.append(s.party == wanted.party)
    if wanted.states:
        conditions += among_states(wanted.states)
    if wanted.faulty:
        conditions.append(or_(s.rejected > 0, s.held > 0, s.problem != ""))
    if wanted.name:
        conditions.append(s.name.icontains(wanted.name, autoescape=True))
    if wanted.since is not None:
        conditions.append(s.received_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(s.received_at < wanted.until)
    if wanted.before is not None:
        last = select(s.received_at).where(s.month == month_of(wanted.before), s.id == wanted.before).scalar_subquery()
        conditions.append(or_(s.received_at < last, and_(s.received_at == last, s.id < wanted.before)))
    statement = (
        select(*(submission.c[f.name] for f in fields(Submission)))
        .where(*conditions)
        .order_by(s.received_at.desc(), s.id.desc())
    )
    for row in connection.execute(statement.limit(wanted.limit)):
        yield Submission(**row._mapping)
