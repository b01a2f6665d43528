"""How much flowed today and how much usually does: the daily counters, by party and by destination."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Column, Connection, Row, func, select

from hub.ledger.tables import tally
from standards.clock import local

#: The same weekday of so many weeks before.
_WEEKS = 8
_NAMES = ("read", "accepted", "rejected", "held", "duplicate", "routed", "delivered", "refused")
#: What is fewer tells nothing.
_LEAST = 20
#: The hours in which departments report.
_FROM, _TO = 8.0, 18.0


@dataclass(slots=True)
class Rates:
    """Today's counters, and those of the same weekday before, by party or destination and name."""

    today: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: By data set: of one party or destination.
    datasets: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    before: dict[tuple[str, str], dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    #: Days of these on which anything was counted at all: the hub was there.
    days: set[str] = field(default_factory=set)

    def usual(self, whose: str, name: str) -> int | None:
        """The median of the days before; None when there were none."""
        held = self.before.get((whose, name), {})
        return int(median(held.get(day, 0) for day in self.days)) if self.days else None


def weekdays_before(today: date) -> list[str]:
    """The same weekday of the last weeks."""
    return [(today - timedelta(weeks=n)).isoformat() for n in range(1, _WEEKS + 1)]


def rates(connection: Connection, now: datetime, party: str = "") -> Rates:
    """What was counted today and on the same weekdays before; a few days of counters, whatever the ledger holds."""
    today = local(now).date()
    days = [today.isoformat(), *weekdays_before(today)]
    found = Rates()
    for _, who, destination, name, dataset, count in _sums(connection, days[:1], party, tally.c.dataset):
        # A destination is told apart from a party of the same name by the arrow.
        whose = f">{destination}" if destination else who
        found.today[whose, name] += int(count)
        found.datasets[whose, dataset, name] += int(count)
    for day, who, destination, name, count in _sums(connection, days[1:], party):
        found.days.add(day)
        held = found.before[f">{destination}" if destination else who, name]
        held[day] = held.get(day, 0) + int(count)
    return found


def _sums(connection: Connection, days: Sequence[str], party: str, *further: Column[Any]) -> Sequence[Row[Any]]:
    """What was counted, by day, party, destination, name and what is said."""
    group = (tally.c.day, tally.c.party, tally.c.destination, tally.c.name, *further)
    statement = select(*group, func.sum(tally.c.count)).where(tally.c.day.in_(days), tally.c.name.in_(_NAMES))
    if party:
        statement = statement.where(tally.c.party == party)
    return connection.execute(statement.group_by(*group)).all()


def share_of_day(now: datetime) -> float:
    """How much of a day's reporting is usually done by now.  Pure; reporting is taken as even from 8 to 18 o'clock."""
    moment = local(now)
    hour = moment.hour + moment.minute / 60
    return min(max((hour - _FROM) / (_TO - _FROM), 0.0), 1.0)


def against(today: int, usual: int | None, share: float) -> str:
    """`less` than half of what usually came by now, `more` than twice a usual day, or `as` usual.  Pure."""
    if usual is None:
        return "unknown"
    if today > max(2 * usual, _LEAST):
        return "more"
    if usual >= _LEAST and share >= 0.3 and today < 0.5 * usual * share:
        return "less"
    return "as"


def total(rates: Rates, names: Iterable[str], name: str) -> tuple[int, int | None]:
    """Today's sum over several, and the median of the sums before."""
    wanted = list(names)
    today = sum(rates.today[one, name] for one in wanted)
    if not rates.days:
        return today, None
    sums: Sequence[int] = [
        sum(rates.before.get((one, name), {}).get(day, 0) for one in wanted) for day in sorted(rates.days)
    ]
    return today, int(median(sums))
