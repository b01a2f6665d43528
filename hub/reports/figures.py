"""The figures of a span out of the ledger, by party and data set: a few queries, never one per record."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from sqlalchemy import Connection, and_, case, func, select

from hub.dispatch.contents import Contents
from hub.ledger.tables import case_, chunk, parcel, record, submission, tally
from hub.ledger.types import month_of
from hub.reports.span import Span
from hub.sharing.reading import walk
from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI
from standards.digest import uuid7
from standards.errors import CalendarMissing
from standards.model import DataSet, Kind, Library
from standards.registry import Standard

#: Party, data set.
Key = tuple[str, str]
Hours = list[tuple[float, int]]

_NO_ITEM = ("", "无")
_MAIN_ITEM = 8
_CLAIMED = ("2", "3")
_ENDED_WELL = ("accepted", "partly")


@dataclass(slots=True)
class Timely:
    """How soon records came after what they tell of."""

    #: Records that have a date of their event.
    dated: int = 0
    #: Of these, the ones whose data set has a term in days.
    termed: int = 0
    #: Of these, the ones that came within it.
    in_time: int = 0
    #: Those a centre counts: arrived on or after the day of the event.
    counted: int = 0
    #: Whole days from the event to the arrival, plus one, added up.
    days: int = 0

    def add(self, other: Timely) -> None:
        """Both together."""
        self.dated += other.dated
        self.termed += other.termed
        self.in_time += other.in_time
        self.counted += other.counted
        self.days += other.days


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


def volumes(connection: Connection, span: Span) -> dict[tuple[str, str, str], Counter[str]]:
    """(day, party, data set) -> counters by name; those of destinations are added up."""
    found: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    rows = connection.execute(
        select(tally.c.day, tally.c.party, tally.c.dataset, tally.c.name, func.sum(tally.c.count))
        .where(tally.c.day.between(span.first.isoformat(), span.last.isoformat()), tally.c.party != "")
        .group_by(tally.c.day, tally.c.party, tally.c.dataset, tally.c.name)
    )
    for day, party, dataset, name, count in rows:
        found[day, party, dataset][name] += int(count)
    return dict(found)


def timeliness(
    connection: Connection, span: Span, standard: Standard, calendar: WorkCalendar, until: datetime
) -> dict[Key, Timely]:
    """Accepted records that arrived in the span, by how long after their event.

    Day by day, so that the database groups and no record is fetched.  A date that is none is left out.
    """
    found: dict[Key, Timely] = defaultdict(Timely)
    terms = {one.id: one.deadline.working_days for one in standard}
    for day in span.days():
        begin = datetime.combine(day, time(), SHANGHAI)
        if begin >= until:
            break
        rows = connection.execute(
            select(submission.c.party, chunk.c.dataset, record.c.event_date, func.count())
            .select_from(submission)
            .join(chunk, and_(chunk.c.month == submission.c.month, chunk.c.submission_id == submission.c.id))
            .join(
                record,
                and_(
                    record.c.month == submission.c.month,
                    record.c.submission_id == submission.c.id,
                    record.c.chunk == chunk.c.seq,
                ),
            )
            .where(
                submission.c.month.in_(_months(day)),
                submission.c.received_at >= begin,
                submission.c.received_at < begin + timedelta(days=1),
                submission.c.test.is_(False),
                submission.c.kind.in_(("submission", "parcel")),
                record.c.verdict == "accepted",
                record.c.operation != "d",
                record.c.event_date != "",
            )
            .group_by(submission.c.party, chunk.c.dataset, record.c.event_date)
        )
        for party, dataset, event, count in rows:
            term = terms.get(dataset)
            one = timely(event, day, int(count), term, calendar)
            if one is not None:
                found[party, dataset].add(one)
    return dict(found)


def timely(event: str, arrived: date, count: int, term: int | None, calendar: WorkCalendar) -> Timely | None:
    """What so many records of one event day say that arrived on a day; None when the day cannot be read.  Pure.

    By the centre's formula (DOMAIN 1.7) a row that arrived before its event is not counted.
    """
    try:
        happened = date.fromisoformat(event[:10])
    except ValueError:
        return None
    one = Timely(dated=count)
    if arrived >= happened:
        one.counted, one.days = count, ((arrived - happened).days + 1) * count
    if term is not None:
        try:
            in_time = arrived <= calendar.add_working_days(happened, term)
        except (CalendarMissing, OverflowError):
            return one
        one.termed, one.in_time = count, count if in_time else 0
    return one


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


def coverage(
    connection: Connection, contents: Contents, span: Span, standard: Standard, owners: Mapping[str, str]
) -> dict[str, Covered]:
    """Party -> its main items, by `owners` (credit code -> party).

    DOMAIN 1.7: distinct 8-digit main items with a behaviour in the span over the main items claimed; rows without an
    item are left out (DOMAIN 1.4).  Reads content: what is no longer kept is not counted.
    """
    found: dict[str, Covered] = defaultdict(Covered)
    for _, items in walk(connection, contents, "supervise_item_main", owners=None):
        for one in items:
            values = one.values
            party = owners.get(values.get("claim_org_code", ""))
            if party and values.get("claim_state") in _CLAIMED and values.get("is_stop") == "0":
                found[party].claimed.add(values["matter_code"])
    since, until = span.first.isoformat(), f"{span.last.isoformat()}~"
    for dataset in standard:
        names = item_elements(dataset)
        if not names or not found:
            continue
        for _, records in walk(connection, contents, dataset.id, owners=None, since=since, until=until):
            for one in records:
                party = owners.get(one.owner)
                if party in found:
                    found[party].used.update(main_items(one.values.get(name, "") for name in names))
    return dict(found)


def item_elements(dataset: DataSet) -> list[str]:
    """Elements of a behaviour data set that name items; none for other data sets."""
    if dataset.library is not Library.ACTIONS:
        return []
    return [e.id for e in dataset.elements if Kind.ITEM in (e.type, e.of)]


def main_items(values: Iterable[str]) -> set[str]:
    """The main items of item codes; several codes of one element are parted by semicolons.  Pure."""
    codes = (code.strip() for value in values for code in value.replace("；", ";").split(";"))
    return {code[:_MAIN_ITEM] for code in codes if code not in _NO_ITEM}


def _months(day: date) -> list[int]:
    """The partitions of a day: a hand-over of midnight may be in its neighbour's; one just made is in today's."""
    near = {d.year * 100 + d.month for d in (day - timedelta(days=1), day, day + timedelta(days=1))}
    return sorted(near | {month_of(uuid7())})
