"""How much flowed today and how much usually does: the daily counters, by party and by destination."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Column, Connection, Row, func, select

from hub.ledger.engine import Ledger
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
    before: Mapping[tuple[str, str], Mapping[str, int]] = field(default_factory=dict)
    #: Days of these on which anything was counted at all: the hub was there.
    days: Collection[str] = ()

    def usual(self, whose: str, name: str) -> int | None:
        """The median of the days before; None when there were none."""
        held = self.before.get((whose, name), {})
        return int(median(held.get(day, 0) for day in self.days)) if self.days else None


def weekdays_before(today: date) -> list[str]:
    """The same weekday of the last weeks."""
    return [(today - timedelta(weeks=n)).isoformat() for n in range(1, _WEEKS + 1)]


def rates(ledger: Ledger, now: datetime) -> Rates:
    """What was counted today and on the same weekdays before; a few days of counters, whatever the ledger holds.

    Counters only grow on their own day, so what was counted a week ago is read once a day.
    """
    today = local(now).date()
    found = Rates()
    with ledger.read() as connection:
        for _, who, destination, name, dataset, count in _sums(connection, [today.isoformat()], tally.c.dataset):
            whose = _whose(who, destination)
            found.today[whose, name] += int(count)
            found.datasets[whose, dataset, name] += int(count)
    found.before, found.days = ledger.remembered.once(("rates before", today), lambda: _before(ledger, today))
    return found


def _before(ledger: Ledger, today: date) -> tuple[dict[tuple[str, str], dict[str, int]], set[str]]:
    before: dict[tuple[str, str], dict[str, int]] = {}
    days = set()
    with ledger.read() as connection:
        for day, who, destination, name, count in _sums(connection, weekdays_before(today)):
            days.add(day)
            held = before.setdefault((_whose(who, destination), name), {})
            held[day] = held.get(day, 0) + int(count)
    return before, days


def _whose(party: str, destination: str) -> str:
    """A destination is told apart from a party of the same name by the arrow."""
    return f">{destination}" if destination else party


def _sums(connection: Connection, days: Sequence[str], *further: Column[Any]) -> Sequence[Row[Any]]:
    """What was counted, by day, party, destination, name and what is said."""
    group = (tally.c.day, tally.c.party, tally.c.destination, tally.c.name, *further)
    statement = select(*group, func.sum(tally.c.count)).where(tally.c.day.in_(days), tally.c.name.in_(_NAMES))
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
