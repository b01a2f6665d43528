"""Hand-overs page by page, the newest first; a page looks at a bounded number of rows, however many there are."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from hub.ledger.submissions import Submission, among_states, get
from hub.ledger.tables import FAILED, submission
from hub.ledger.types import month_of
from standards.digest import uuid7, uuid7_before
from standards.states import SubmissionState

#: Rows that one page looks at, at most.
LOOK = 5000
_UNFINISHED = (SubmissionState.RECEIVED, SubmissionState.TRANSLATING, SubmissionState.STALLED)
#: Months that are looked through when there is no other limit: as long as metadata is kept.
_MONTHS = 61
_COLUMNS = [submission.c[one.name] for one in fields(Submission)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is looked for."""

    party: str = ""
    connection: str = ""
    dataset: str = ""
    state: str = ""
    since: datetime | None = None
    until: datetime | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """For a WHERE."""
        named = {"party": self.party, "connection": self.connection, "dataset": self.dataset, "state": self.state}
        found = [submission.c[name] == value for name, value in named.items() if value]
        if self.since is not None:
            found.append(submission.c.received_at >= self.since)
        if self.until is not None:
            found.append(submission.c.received_at < self.until)
        return found

    def fits(self, one: Row[Any]) -> bool:
        """The same, for one that was read."""
        named = (self.party, one.party), (self.connection, one.connection), (self.dataset, one.dataset)
        return (
            all(not wanted or wanted == value for wanted, value in named)
            and (not self.state or self.state == one.state)
            and (self.since is None or one.received_at >= self.since)
            and (self.until is None or one.received_at < self.until)
        )


@dataclass(slots=True)
class Listed:
    """A page, and where the next one begins; `more` may lead to an empty page where few rows fit."""

    rows: list[Submission] = field(default_factory=list)
    more: UUID | None = None


def page(
    connection: Connection, wanted: Wanted, now: datetime, *, before: UUID | None = None, limit: int = 50
) -> Listed:
    """Hand-overs that fit, the newest first, from `before` on."""
    if wanted.state in _UNFINISHED:
        return _unfinished(connection, wanted, before, limit)
    found = Listed()
    for number, one in enumerate(_rows(connection, wanted, now, before), start=1):
        if wanted.since is not None and one.received_at < wanted.since:
            return found
        if wanted.fits(one):
            found.rows.append(_of(one))
        if len(found.rows) == limit or number == LOOK:
            found.more = one.id
            break
    return found


def _of(row: Row[Any]) -> Submission:
    return Submission(**row._mapping)


def _unfinished(connection: Connection, wanted: Wanted, before: UUID | None, limit: int) -> Listed:
    """What work is still to be done on is never many, and has an index of its own."""
    its = (*wanted.conditions(), *among_states([wanted.state]))
    statement = select(*_COLUMNS).where(*its).order_by(submission.c.id.desc())
    if before is not None:
        statement = statement.where(submission.c.id < before)
    rows = [_of(one) for one in connection.execute(statement.limit(limit))]
    return Listed(rows, rows[-1].id if len(rows) == limit else None)


def _rows(connection: Connection, wanted: Wanted, now: datetime, before: UUID | None) -> Iterator[Row[Any]]:
    """The newest first, by an index: of a party by time, of all by identifier, month by month."""
    if wanted.party:
        statement = select(*_COLUMNS).where(submission.c.party == wanted.party)
        last = get(connection, before) if before is not None else None
        if last is not None:
            at = submission.c.received_at
            earlier = or_(at < last.received_at, and_(at == last.received_at, submission.c.id < last.id))
            statement = statement.where(at <= last.received_at, earlier)
        elif wanted.until is not None:
            statement = statement.where(submission.c.received_at < wanted.until)
        order = (submission.c.received_at.desc(), submission.c.id.desc())
        yield from connection.execute(statement.order_by(*order).limit(LOOK))
        return
    top = before
    if top is None:
        top = uuid7()
        if wanted.until is not None and wanted.until < now:
            top = uuid7_before(top, (now - wanted.until).total_seconds())
    left, month = LOOK, month_of(top)
    for _ in range(_MONTHS):
        statement = select(*_COLUMNS).where(submission.c.month == month)
        if before is not None or wanted.until is not None:
            statement = statement.where(submission.c.id < top)
        for row in connection.execute(statement.order_by(submission.c.id.desc()).limit(left)):
            left -= 1
            yield row
        if left <= 0:
            return
        month = month - 1 if month % 100 > 1 else month - 89


def newest(connection: Connection, party: str) -> datetime | None:
    """When a party was last heard of; by an index."""
    return connection.execute(
        select(submission.c.received_at)
        .where(submission.c.party == party)
        .order_by(submission.c.received_at.desc())
        .limit(1)
    ).scalar()


def last_failure(connection: Connection, *, party: str = "", of: str = "") -> Submission | None:
    """The last hand-over of a party or through a connection (`of`) that failed as a whole; by an index of those."""
    whose = submission.c.connection == of if of else submission.c.party == party
    order = (submission.c.received_at.desc(), submission.c.id.desc())
    found = connection.execute(select(*_COLUMNS).where(whose, FAILED).order_by(*order).limit(1)).one_or_none()
    return _of(found) if found is not None else None


def last_success(connection: Connection, of: str) -> datetime | None:
    """When the last hand-over through a connection was judged; after so many failures in a row nobody looks on."""
    newest_ = (
        select(submission.c.judged_at, submission.c.received_at, submission.c.problem)
        .where(submission.c.connection == of)
        .order_by(submission.c.received_at.desc())
        .limit(LOOK)
        .subquery()
    )
    good = newest_.c.judged_at.isnot(None), newest_.c.problem == ""
    return connection.execute(
        select(newest_.c.judged_at).where(*good).order_by(newest_.c.received_at.desc()).limit(1)
    ).scalar()


def stalled(connection: Connection, parties: Collection[str]) -> dict[str, int]:
    """Hand-overs that wrong settings stop, by party."""
    rows: Any = connection.execute(
        select(submission.c.party, func.count())
        .where(*among_states([SubmissionState.STALLED]))
        .group_by(submission.c.party)
    )
    return {party: count for party, count in rows if party in parties}
