"""The figures of a span out of the ledger, by party and data set: a few queries, never one per record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from hub.dispatch.contents import Contents
from hub.ledger import uses
from hub.ledger.tables import case_, parcel, submission, tally
from hub.ledger.types import month_of
from hub.reports.span import Span
from hub.sharing.reading import walk
from standards.digest import uuid7

#: Party, data set.
Key = tuple[str, str]
Hours = list[tuple[float, int]]

_NO_ITEM = ("", "无")
_MAIN_ITEM = 8
_CLAIMED = ("2", "3")
_ENDED_WELL = ("accepted", "partly")


@dataclass(slots=True)
class CaseCounts:
    """Cases of a span."""

    opened: int = 0
    closed_in_time: int = 0
    closed_late: int = 0
    overdue: int = 0

    def add(self, other: CaseCounts) -> None:
        """Both together."""
        self.opened += other.opened
        self.closed_in_time += other.closed_in_time
        self.closed_late += other.closed_late
        self.overdue += other.overdue


@dataclass(slots=True)
class Covered:
    """Main items a party claimed, and those with at least one behaviour."""

    claimed: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)

    @property
    def share(self) -> float | None:
        """None when nothing is claimed."""
        return len(self.claimed & self.used) / len(self.claimed) if self.claimed else None


@dataclass(slots=True)
class Volumes:
    """Counters of a span by name; those of destinations are added up."""

    #: By party and data set.
    sums: dict[Key, Counter[str]]
    #: By day, or by month where there are many days, and party; only the verdicts and answers.
    days: dict[tuple[str, str], Counter[str]]


def volumes(connection: Connection, span: Span, daily: Sequence[str]) -> Volumes:
    """What was counted; `daily`: what is told by day."""
    found = Volumes(defaultdict(Counter), defaultdict(Counter))
    within = tally.c.day.between(span.first.isoformat(), span.last.isoformat()) & (tally.c.party != "")
    for group, held, names in (
        ((tally.c.party, tally.c.dataset), found.sums, ()),
        ((_step(span), tally.c.party), found.days, daily),
    ):
        statement = select(*group, tally.c.name, func.sum(tally.c.count)).where(within).group_by(*group, tally.c.name)
        if names:
            statement = statement.where(tally.c.name.in_(list(names)))
        for first, second, name, count in connection.execute(statement):
            held[first, second][name] += int(count)
    return found


def _step(span: Span) -> ColumnElement[str]:
    """What a longer span is told by: nobody reads a year day by day."""
    return func.substr(tally.c.day, 1, 7) if span.by_month else tally.c.day  # YYYY-MM


def cases_of(connection: Connection, span: Span, now: datetime) -> dict[Key, CaseCounts]:
    """Cases opened, closed within and after their term, and open beyond it at the end."""
    end = min(span.end, now)
    late = and_(case_.c.due_at.is_not(None), case_.c.closed_at > case_.c.due_at)
    closed = and_(case_.c.closed_at >= span.begin, case_.c.closed_at < end)
    still = and_(case_.c.due_at < end, case_.c.closed_at.is_(None) | (case_.c.closed_at >= end))
    said = (
        and_(case_.c.opened_at >= span.begin, case_.c.opened_at < end),
        and_(closed, ~late | case_.c.due_at.is_(None)),
        and_(closed, late),
        and_(still, case_.c.opened_at < end),
    )
    sums = [func.sum(case((which, 1), else_=0)) for which in said]
    rows = connection.execute(
        select(case_.c.party, case_.c.dataset, *sums)
        .where(case_.c.closed_at.is_(None) | (case_.c.closed_at >= span.begin))
        .group_by(case_.c.party, case_.c.dataset)
    )
    return {(row[0], row[1]): CaseCounts(*(int(n) for n in row[2:])) for row in rows if any(row[2:])}


def waits(connection: Connection, span: Span) -> dict[Key, Hours]:
    """Hours from the making of a parcel to its final receipt, with its records; parcels that ended in the span."""
    found: dict[Key, Hours] = defaultdict(list)
    months = sorted({*span.months(before=2), month_of(uuid7())})
    rows = connection.execute(
        select(submission.c.party, parcel.c.dataset, parcel.c.created_at, parcel.c.ended_at, parcel.c.count)
        .join(submission, and_(submission.c.id == parcel.c.submission_id, submission.c.month.in_(months)))
        .where(
            parcel.c.month.in_(months),
            parcel.c.ended_at >= span.begin,
            parcel.c.ended_at < span.end,
            parcel.c.state.in_(_ENDED_WELL),
            submission.c.test.is_(False),
        )
    )
    for party, dataset, created, ended, count in rows:
        found[party, dataset].append(((ended - created).total_seconds() / 3600, int(count)))
    return dict(found)


def quantile(hours: Sequence[tuple[float, int]], share: float) -> float | None:
    """The wait that this share of the records stays within; None without records.  Pure."""
    total = sum(count for _, count in hours)
    reached = 0
    for wait, count in sorted(hours):
        reached += count
        if reached >= share * total:
            return wait
    return None


def claims(connection: Connection, contents: Contents) -> dict[str, frozenset[str]]:
    """Credit code -> the main items its organisation claimed; what is no longer kept is not counted."""
    found: dict[str, set[str]] = defaultdict(set)
    for _, items in walk(connection, contents, "supervise_item_main", owners=None):
        for one in items:
            values = one.values
            if values.get("claim_state") in _CLAIMED and values.get("is_stop") == "0":
                found[values.get("claim_org_code", "")].add(values["matter_code"])
    return {code: frozenset(items) for code, items in found.items()}


def coverage(
    connection: Connection, span: Span, claimed: Mapping[str, frozenset[str]], owners: Mapping[str, str]
) -> dict[str, Covered]:
    """Party -> its main items, by `owners` (credit code -> party).

    DOMAIN 1.7: distinct 8-digit main items with a behaviour in the span over the main items claimed; rows without an
    item are left out (DOMAIN 1.4).
    """
    found = {owners[code]: Covered(claimed=set(items)) for code, items in claimed.items() if code in owners}
    for owner, item in uses.between(connection, span.first.isoformat(), span.last.isoformat()) if found else ():
        party = owners.get(owner)
        if party in found:
            found[party].used.add(item)
    return found
