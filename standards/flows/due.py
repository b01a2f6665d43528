"""Until when somebody must act, and when who is told.  Pure; a year without calendar gives no time, and the reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI, local
from standards.errors import CalendarMissing
from standards.flows.grammar import Escalation, Flow

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """A moment, or why there is none."""

    at: datetime | None
    #: `calendar 2027 not loaded`; empty where there is a moment, or no term at all.
    reason: str = ""


def due_of(flow: Flow, state: str, since: datetime, whole: datetime | None, calendar: WorkCalendar) -> Due:
    """The end of the state's term, but not behind that of the whole task."""
    term = flow.states[state].term
    if term is None:
        return Due(whole)
    if term.hours is not None:
        return _earlier(since + timedelta(hours=term.hours), whole)
    try:
        last = calendar.add_working_days(local(since).date(), term.working_days or 0)
    except CalendarMissing as missing:
        return Due(whole, "" if whole is not None else f"calendar {missing.year} not loaded")
    return _earlier(datetime.combine(last, time(23, 59, 59), SHANGHAI), whole)


def _earlier(end: datetime, whole: datetime | None) -> Due:
    return Due(end if whole is None else min(end, whole))


def urgings(flow: Flow, since: datetime, due: datetime, calendar: WorkCalendar) -> list[tuple[datetime, Escalation]]:
    """Who is told what, and when, the first first."""
    told = [(_moment(one, since, due, calendar), one) for one in flow.urging]
    return sorted(told, key=lambda pair: pair[0])


def urge_at(flow: Flow, since: datetime, due: Due, calendar: WorkCalendar, told: int = 0) -> datetime | None:
    """When somebody is told next, after so many were told; None: nobody any more, or nobody knows when."""
    if due.at is None:
        return None
    rest = urgings(flow, since, due.at, calendar)[told:]
    return rest[0][0] if rest else None


def _moment(one: Escalation, since: datetime, due: datetime, calendar: WorkCalendar) -> datetime:
    if one.when == "half":
        return since + (due - since) / 2
    if one.when == "due":
        return due
    try:  # the working day after
        return datetime.combine(calendar.add_working_days(local(due).date(), 1), time(9), SHANGHAI)
    except CalendarMissing:
        return due + _DAY
