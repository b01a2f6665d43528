"""The time a report is about: whole days in China."""

from __future__ import annotations

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Literal

from standards.clock import SHANGHAI

Every = Literal["day", "week", "month", "quarter", "year"]
_WORDS = {"day": "日报", "week": "周报", "month": "月报", "quarter": "季报", "year": "年报"}


@dataclass(frozen=True, slots=True)
class Span:
    """From the first to the last day, both within."""

    every: Every
    first: date
    last: date

    @classmethod
    def around(cls, every: Every, day: date) -> Span:
        """The day, the week from Monday, the month, the quarter or the year that holds a day."""
        if every == "day":
            return cls(every, day, day)
        if every == "week":
            monday = day - timedelta(days=day.weekday())
            return cls(every, monday, monday + timedelta(days=6))
        if every == "year":
            return cls(every, date(day.year, 1, 1), date(day.year, 12, 31))
        begin = day.month if every == "month" else (day.month - 1) // 3 * 3 + 1
        end = begin if every == "month" else begin + 2
        return cls(every, date(day.year, begin, 1), date(day.year, end, calendar.monthrange(day.year, end)[1]))

    @property
    def title(self) -> str:
        """What such a report is called."""
        return _WORDS[self.every]

    @property
    def begin(self) -> datetime:
        """The first moment."""
        return datetime.combine(self.first, time(), SHANGHAI)

    @property
    def end(self) -> datetime:
        """The first moment after it."""
        return datetime.combine(self.last + timedelta(days=1), time(), SHANGHAI)

    @property
    def by_month(self) -> bool:
        """Told by month, not by day."""
        return self.every in ("quarter", "year")

    def days(self) -> Iterator[date]:
        """Every day."""
        for n in range((self.last - self.first).days + 1):
            yield self.first + timedelta(days=n)

    def months(self, before: int = 0) -> list[int]:
        """The partitions (yyyymm) that hold its rows, and so many before it."""
        whole = self.first.year * 12 + self.first.month - 1 - before
        return [n // 12 * 100 + n % 12 + 1 for n in range(whole, self.last.year * 12 + self.last.month)]
