"""Failure groups in the ledger: open cases of one cause, counted in the database; samples by the index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, String, case, cast, func, select

from hub.ledger.cases import Selection
from hub.ledger.sql import among
from hub.ledger.submissions import by_ids
from hub.ledger.tables import case_, finding
from hub.ledger.types import month_of
from standards.states import CaseState


@dataclass(frozen=True, slots=True)
class Failures:
    """Open cases of one cause."""

    cause: str
    class_: str
    party: str
    dataset: str
    destination: str
    code: str
    element: str
    rule: str
    pattern: str
    count: int
    since: datetime
    last_at: datetime
    due_at: datetime | None
    due_missing: str
    disposing: int
    #: When it was last taken up, by whom, and how many came since.
    taken_at: datetime | None
    taken_by: str
    joined: int
    note: str
    #: The oldest and the newest of them.
    first: UUID
    last: UUID


_WORDS = ("class_", "party", "dataset", "destination", "code", "element", "rule", "pattern")


def groups(connection: Connection, which: Selection, limit: int) -> list[Failures]:
    """Failure groups, the most urgent first, then the largest."""
    found: Sequence[Any] = connection.execute(
        select(
            case_.c.cause,
            func.count().label("count"),
            func.min(case_.c.opened_at).label("since"),
            func.max(case_.c.last_at).label("last_at"),
            func.min(case_.c.due_at).label("due_at"),
            func.max(case_.c.due_missing).label("due_missing"),
            func.sum(case((case_.c.state.in_([CaseState.DISPOSING, CaseState.REREPORTED]), 1), else_=0)).label(
                "disposing"
            ),
            func.max(case_.c.taken_at).label("taken_at"),
            func.sum(case((case_.c.taken_at.is_(None), 1), else_=0)).label("joined"),
            func.min(cast(case_.c.id, String)).label("first"),
            func.max(cast(case_.c.id, String)).label("last"),
        )
        .where(*which.conditions())
        .group_by(case_.c.cause)
        .order_by(func.min(case_.c.due_at).is_(None).desc(), func.min(case_.c.due_at), func.count().desc())
        .limit(limit)
    ).all()
    # Whoever has one cause has all its words alike: those of the oldest are enough.
    firsts = {UUID(row.first): row for row in found}
    words = connection.execute(
        select(case_.c.id, *(case_.c[name] for name in _WORDS), case_.c.note, case_.c.taken_by).where(
            case_.c.id.in_(list(firsts))
        )
    )
    told = {row.id: {name: row[n + 1] for n, name in enumerate((*_WORDS, "note", "taken_by"))} for row in words}
    made = []
    for first, row in firsts.items():
        counted = {**row._mapping, "first": first, "last": UUID(row.last)}
        counted["joined"] = row.joined if row.taken_at is not None else 0
        made.append(Failures(**counted, **told[first]))
    return made


@dataclass(frozen=True, slots=True)
class Sample:
    """One case of a group, with what was found."""

    case: UUID
    receipt_no: str
    connection: str
    row: int
    place: str
    field: str
    #: Masked where it is personal.
    value: str
    params: str


def samples(connection: Connection, cause: str, limit: int) -> list[Sample]:
    """Cases of one group, the newest first."""
    found = connection.execute(
        select(case_.c.id, case_.c.submission_id, case_.c.row_no, case_.c.code, case_.c.element)
        .where(case_.c.cause == cause, case_.c.closed_at.is_(None))
        .order_by(case_.c.opened_at.desc())
        .limit(limit)
    ).all()
    return _with_findings(connection, found)


def samples_of(connection: Connection, cases: Sequence[UUID]) -> list[Sample]:
    """These cases, with what was found."""
    found = connection.execute(
        select(case_.c.id, case_.c.submission_id, case_.c.row_no, case_.c.code, case_.c.element).where(
            case_.c.id.in_(list(cases))
        )
    ).all()
    return _with_findings(connection, found)


def _with_findings(connection: Connection, cases: Sequence[Any]) -> list[Sample]:
    places = {(row[1], row[2]) for row in cases if row[1] is not None and row[2] is not None}
    told: dict[tuple[UUID, int, str, str], Any] = {}
    if places:
        # A few more than wanted: pairs would be looked for one by one through every month.
        statement = select(finding).where(
            finding.c.month.in_(sorted({month_of(one) for one, _ in places})),
            among(connection, finding.c.submission_id, sorted({one for one, _ in places})),
            among(connection, finding.c.row_no, sorted({row for _, row in places})),
        )
        for row in connection.execute(statement.order_by(finding.c.no)):
            told.setdefault((row.submission_id, row.row_no, row.code, row.element), row)
            told.setdefault((row.submission_id, row.row_no, row.code, ""), row)
    of = by_ids(connection, {row[1] for row in cases if row[1] is not None})
    made = []
    for identifier, submission_id, row_no, code, element in cases:
        found = told.get((submission_id, row_no, code, element))
        said = of.get(submission_id)
        made.append(
            Sample(
                identifier,
                said[0] if said else "",
                said[1] if said else "",
                row_no or 0,
                found.place if found is not None else "",
                found.field if found is not None else "",
                found.value if found is not None else "",
                found.params if found is not None else "{}",
            )
        )
    return made
