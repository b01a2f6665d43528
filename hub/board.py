"""Open cases as a board by working days left, and the single cases of one group with their records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, select

from hub.ledger import cases
from hub.ledger.cases import Selection
from hub.ledger.sql import among
from hub.ledger.tables import submission
from hub.ledger.types import month_of
from standards.clock import local_text

#: The columns, the most urgent first.
BUCKETS = ("overdue", "today", "one", "two", "few", "later", "unknown")
#: Single cases of a group that are shown.
_SHOWN = 50


def bucket(group: Mapping[str, Any]) -> str:
    """In which column a group stands (as CaseDesk.groups() tells it).  Pure."""
    left = group["working_days_left"]
    if group["overdue"]:
        return "overdue"
    if left is None:
        return "unknown"
    if left <= 0:
        return "today"
    return {1: "one", 2: "two"}.get(left, "few" if left <= 5 else "later")


def board(groups: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every column with its groups and how many cases they are.  Pure."""
    found: list[dict[str, Any]] = []
    for name in BUCKETS:
        here = [one for one in groups if bucket(one) == name]
        found.append({"name": name, "groups": here, "cases": sum(one["cases"] for one in here)})
    return found


def samples(connection: Connection, which: Selection) -> list[dict[str, Any]]:
    """The single cases of a group, the most urgent first, each with the record it is about."""
    rows = cases.rows(connection, which, limit=_SHOWN)
    wanted = {one.submission_id for one in rows if one.submission_id is not None}
    numbers: dict[Any, str] = {}
    if wanted:
        found = connection.execute(
            select(submission.c.id, submission.c.receipt_no).where(
                submission.c.month.in_(sorted({month_of(one) for one in wanted})),
                among(connection, submission.c.id, list(wanted)),
            )
        )
        numbers = {row[0]: row[1] for row in found}
    return [
        {
            "receipt_no": numbers.get(one.submission_id, ""),
            "row": one.row_no or 0,
            "opened_at": local_text(one.opened_at),
            "due_at": local_text(one.due_at) or one.due_missing,
            "times": one.times,
            "state": one.state,
            "note": one.note.strip(),
        }
        for one in rows
    ]
