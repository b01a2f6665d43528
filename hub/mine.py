"""What a party sees first: what it sent, what it must do until when, and what it has still to report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Connection, case, func, select

from hub.casework import reported, working_days_left
from hub.deadlines import Deadlines
from hub.expectations import around
from hub.ledger.tables import submission
from hub.ledger.types import month_of
from hub.settings import Settings
from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI, local, local_text
from standards.digest import uuid7

_COUNTS = ("read", "accepted", "rejected", "held", "duplicate")


def sent(connection: Connection, party: str, now: datetime) -> dict[str, dict[str, dict[str, int]]]:
    """`today` and `week` -> data set -> hand-overs and counts of their records; replays and test traffic left out."""
    midnight = datetime.combine(local(now).date(), time(), SHANGHAI)
    monday = midnight - timedelta(days=midnight.weekday())
    s = submission.c
    today = case((s.received_at >= midnight, 1), else_=0).label("today")
    months = sorted({_month(monday), _month(now), month_of(uuid7())})
    rows = connection.execute(
        select(s.dataset, today, func.count(), *(func.sum(s[name]) for name in _COUNTS))
        .where(
            s.month.in_(months),
            s.party == party,
            s.received_at >= monday,
            s.test.is_(False),
            s.origin_id.is_(None),
        )
        .group_by(s.dataset, today)
    )
    found: dict[str, dict[str, dict[str, int]]] = {"today": {}, "week": {}}
    for dataset, is_today, times, *counts in rows:
        one = {"times": int(times), **{n: int(c or 0) for n, c in zip(_COUNTS, counts, strict=True)}}
        for span in ("today", "week") if is_today else ("week",):
            held = found[span].setdefault(dataset, dict.fromkeys(one, 0))
            for name, number in one.items():
                held[name] += number
    return found


def coming(
    connection: Connection, settings: Settings, party: str, deadlines: Deadlines, now: datetime
) -> Iterator[dict[str, Any]]:
    """What the party has still to report in the periods that run now."""
    for said in settings.expectations:
        if party not in said.parties:
            continue
        period = around(said.every, local(now).date())
        end = deadlines(datetime.combine(period.end, time(12), SHANGHAI), said.grace).at if said.grace else None
        due = end or datetime.combine(period.end, time(23, 59, 59), SHANGHAI)
        for dataset in said.datasets:
            there = reported(connection, party, dataset, period.begin, period.end)
            yield {
                "dataset": dataset,
                "period": str(period),
                "at_least": said.at_least,
                "reported": there,
                "missing": max(said.at_least - there, 0),
                "due_at": local_text(due),
                "left": working_days_left(due, now, deadlines.calendar),
            }


def to_do(
    cases: Iterable[Mapping[str, Any]], tasks: Sequence[Mapping[str, Any]], calendar: WorkCalendar, now: datetime
) -> list[dict[str, Any]]:
    """Open cases (groups) and tasks of a party with the working days that are left, the most urgent first.  Pure."""
    found = [
        {
            "kind": "case",
            "class": one["class"],
            "dataset": one["dataset"],
            "code": one["code"],
            "count": one["cases"],
            "title": "",
            "title_en": "",
            "id": "",
            "due_at": one["due_at"],
            "missing": one["due_missing"],
            "left": one["working_days_left"],
            "overdue": one["overdue"],
        }
        for one in cases
    ]
    for task in tasks:
        due = datetime.fromisoformat(task["due_at"]) if task["due_at"] else None
        found.append(
            {
                "kind": "task",
                "class": "",
                "dataset": "",
                "code": task["number"],
                "count": 1,
                "title": f"{task['flow_title']}（{task['state_title']}）",
                "title_en": f"{task['flow_title_en']} ({task['state_title_en']})",
                "id": task["id"],
                "due_at": local_text(due) if due is not None else "",
                "missing": task["due_missing"],
                "left": working_days_left(due, now, calendar),
                "overdue": task["overdue"],
            }
        )
    return sorted(found, key=lambda one: (not one["overdue"], one["due_at"] or "9"))


def _month(moment: datetime) -> int:
    there = local(moment)
    return there.year * 100 + there.month
