"""How things stand in the ledger: hand-overs, destinations, cases, tasks, the journal, who looks after it all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

from sqlalchemy import ColumnElement, Connection, and_, case, func, select

from hub.ledger import destinations, outbox, parcels, replays, tasks
from hub.ledger.submissions import UNFINISHED
from hub.ledger.tables import case_, hold, journal, lease, seal, submission
from hub.settings import Settings
from hub.sight.counters import Told
from standards.clock import SHANGHAI, local
from standards.states import DestinationState, SubmissionState

_UNFINISHED = (SubmissionState.RECEIVED, SubmissionState.TRANSLATING, SubmissionState.STALLED)
#: Rows that were committed late may carry an earlier time.
_LATE = timedelta(minutes=10)
_DAY = timedelta(days=1)


def submissions(connection: Connection, now: datetime) -> Iterator[Told]:
    """Hand-overs that are not judged."""
    rows = {
        row[0]: row
        for row in connection.execute(
            select(submission.c.state, func.count(), func.min(submission.c.received_at))
            .where(UNFINISHED)
            .group_by(submission.c.state)
        )
    }
    for state in _UNFINISHED:
        row = rows.get(state)
        yield "hub_submissions_unfinished", row[1] if row else 0, {"state": state}
        yield "hub_submissions_oldest_seconds", age(row[2] if row else None, now), {"state": state}


@dataclass(slots=True)
class Heard:
    """When each connection last handed over: a day is looked through at first, then only what is new.

    Who is not among them is looked for once in all that is kept, one connection each time: no scrape waits long.
    """

    _last: dict[str, datetime] = field(default_factory=dict)
    _since: datetime | None = None
    _sought: set[str] = field(default_factory=set)

    def told(self, connection: Connection, settings: Settings, now: datetime) -> Iterator[Told]:
        """By connection of the settings; nothing for one that was never heard of."""
        since = self._since or now - _DAY
        self._note(connection, list(settings.parties), submission.c.received_at >= since, _month_from(since))
        self._since = now - _LATE
        missing = [n for n in settings.connections if n not in self._last and n not in self._sought]
        if missing:
            self._sought.add(missing[0])
            party = settings.connections[missing[0]].party
            self._note(connection, [party], submission.c.connection == missing[0])
        for name in settings.connections:
            if name in self._last:
                yield "hub_connection_last_seen_timestamp_seconds", self._last[name].timestamp(), {"connection": name}

    def _note(self, connection: Connection, parties: list[str], *conditions: ColumnElement[bool]) -> None:
        rows = connection.execute(
            select(submission.c.connection, func.max(submission.c.received_at))
            .where(submission.c.party.in_(parties), *conditions)  # the index begins with the party
            .group_by(submission.c.connection)
        )
        for name, last in rows:
            self._last[name] = max(last, self._last.get(name, last))


def _month_from(moment: datetime) -> ColumnElement[bool]:
    there = local(moment)
    return submission.c.month >= there.year * 100 + there.month


def under_way(connection: Connection, now: datetime) -> Iterator[Told]:
    """The outbox, holds and replays."""
    waiting, oldest = outbox.pending(connection)
    yield "hub_outbox_messages", waiting, {}
    yield "hub_outbox_oldest_seconds", age(oldest, now), {}
    held = select(func.count()).select_from(hold).where(hold.c.ended_at.is_(None))
    yield "hub_holds_open", connection.execute(held).scalar_one(), {}
    yield "hub_replays_running", len(replays.running(connection)), {}


def sent(connection: Connection, settings: Settings, now: datetime) -> Iterator[Told]:
    """Destinations and what waits for them."""
    backlog, standings = parcels.backlog(connection), destinations.every(connection)
    for name, said in settings.destinations.items():
        standing = standings.get(name)
        up = not said.paused and (standing is None or standing.state == DestinationState.UP)
        label = {"destination": name}
        yield "hub_destination_up", up, label
        yield "hub_destination_failures", standing.failures if standing else 0, label
        if standing is not None and standing.last_success is not None:
            yield "hub_destination_last_success_timestamp_seconds", standing.last_success.timestamp(), label
        for state, (_parcels, records, oldest) in backlog.get(name, {}).items():
            labels = {**label, "state": state}
            yield "hub_destination_backlog_records", records, labels
            yield "hub_destination_oldest_seconds", age(oldest, now), labels


def open_cases(connection: Connection, now: datetime) -> Iterator[Told]:
    """Open cases, and those whose term ends by tomorrow evening or is over: all of them in one look."""
    tomorrow = datetime.combine(local(now).date() + timedelta(days=1), time.max, SHANGHAI)
    sums = [
        func.sum(case((condition, 1), else_=0))
        for condition in (
            case_.c.due_at < now,
            and_(case_.c.due_at >= now, case_.c.due_at < tomorrow),
            case_.c.due_missing != "",
        )
    ]
    rows = connection.execute(
        select(case_.c.party, case_.c.class_, func.count(), *sums)
        .where(case_.c.closed_at.is_(None))
        .group_by(case_.c.party, case_.c.class_)
    )
    late: Counter[str] = Counter()
    soon: Counter[str] = Counter()
    without = 0
    for party, class_, count, overdue, due_tomorrow, due_missing in rows:
        yield "hub_cases_open", count, {"party": party, "class": class_}
        late[class_] += int(overdue)
        soon[class_] += int(due_tomorrow)
        without += int(due_missing)
    for class_ in late:
        yield "hub_cases_overdue", late[class_], {"class": class_}
        yield "hub_cases_due_tomorrow", soon[class_], {"class": class_}
    yield "hub_cases_without_due", without, {}


def open_tasks(connection: Connection, now: datetime) -> Iterator[Told]:
    """Open tasks by flow."""
    stands: dict[tuple[str, str], int] = {}
    late: dict[str, int] = {}
    pool: dict[str, int] = {}
    for flow, state, assignee, count, overdue in tasks.counts(connection, now):
        stands[flow, state] = stands.get((flow, state), 0) + count
        late[flow] = late.get(flow, 0) + overdue
        pool[flow] = pool.get(flow, 0) + (count if not assignee else 0)
    for (flow, state), count in stands.items():
        yield "hub_tasks_open", count, {"flow": flow, "state": state}
    for flow, count in late.items():
        yield "hub_tasks_overdue", count, {"flow": flow}
        yield "hub_tasks_pool", pool[flow], {"flow": flow}


def looked_after(connection: Connection, now: datetime) -> Iterator[Told]:
    """Whether somebody is elected to look after things, and how old the first unsealed row of the journal is."""
    until = connection.execute(select(lease.c.until).where(lease.c.name == "scheduler")).scalar()
    yield "hub_scheduler_elected", until is not None and until > now, {}
    sealed = select(seal.c.last_id).order_by(seal.c.id.desc()).limit(1)
    after = connection.execute(sealed).scalar() or 0
    first = select(journal.c.at).where(journal.c.id > after).order_by(journal.c.id).limit(1)
    yield "hub_journal_unsealed_oldest_seconds", age(connection.execute(first).scalar(), now), {}


def age(moment: datetime | None, now: datetime) -> float:
    """Seconds since a moment; 0 when there is none."""
    return max((now - moment).total_seconds(), 0) if moment is not None else 0
