"""What should have been reported: periods that ended, and feeds that are silent longer than their habit.  Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise

from hub.settings import Expectation
from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI, local
from standards.errors import CalendarMissing

_DAY = timedelta(days=1)
#: Pauses that a habit is learnt from, at least.
_LEARNT = 8


@dataclass(frozen=True, slots=True)
class Period:
    """From its first day to its last."""

    begin: date
    end: date

    def __str__(self) -> str:
        return str(self.begin) if self.begin == self.end else f"{self.begin} – {self.end}"


def ended(said: Expectation, today: date, calendar: WorkCalendar, back: int = 3) -> list[Period]:
    """The last periods whose end and grace are over, the oldest first; none where no calendar says so."""
    found = []
    period = around(said.every, today)
    for _ in range(back + (14 if said.every == "day" else 1)):
        period = around(said.every, period.begin - _DAY)
        if said.since and period.begin < date.fromisoformat(said.since):
            break
        try:
            if said.every == "day" and not calendar.is_workday(period.begin):
                continue
            over = calendar.add_working_days(period.end, said.grace) if said.grace else period.end
        except CalendarMissing:
            continue
        if over < today:
            found.append(period)
        if len(found) == back:
            break
    return found[::-1]


def around(every: str, day: date) -> Period:
    """The period that holds a day."""
    if every == "day":
        return Period(day, day)
    if every == "week":
        begin = day - timedelta(days=day.weekday())
        return Period(begin, begin + timedelta(days=6))
    months = {"month": 1, "quarter": 3, "year": 12}[every]
    first = (day.month - 1) // months * months + 1
    begin = date(day.year, first, 1)
    after = date(day.year + (first + months > 12), (first + months - 1) % 12 + 1, 1)
    return Period(begin, after - _DAY)


def silent(
    heard: Sequence[datetime], now: datetime, calendar: WorkCalendar, times: float, least: timedelta
) -> timedelta | None:
    """How long a feed has been silent, in working time, if that is longer than its habit; None when it is not.

    `heard`: when it was heard of, the oldest first.
    """
    if len(heard) <= _LEARNT:
        return None
    pauses = sorted(working_time(one, other, calendar) for one, other in pairwise(heard))
    usual = pauses[int(len(pauses) * 0.95) - 1 if len(pauses) >= 20 else -1]
    pause = working_time(heard[-1], now, calendar)
    return pause if pause > max(usual * times, least) else None


def working_time(begin: datetime, end: datetime, calendar: WorkCalendar) -> timedelta:
    """The time between two moments without days on which nobody works; in a year without calendar, weekends."""
    total = timedelta()
    for day in _days(local(begin).date(), local(end).date()):
        if _works(day, calendar):
            first = max(begin, datetime.combine(day, time(), SHANGHAI))
            last = min(end, datetime.combine(day + _DAY, time(), SHANGHAI))
            total += max(last - first, timedelta())
    return total


def _works(day: date, calendar: WorkCalendar) -> bool:
    try:
        return calendar.is_workday(day)
    except CalendarMissing:
        return day.weekday() < 5


def _days(first: date, last: date) -> Iterator[date]:
    while first <= last:
        yield first
        first += _DAY
