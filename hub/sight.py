"""The facts that metrics and the overview show, read from the ledger; remembered for a few seconds."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, func, select

from hub.deadlines import Deadlines
from hub.generations import Generations
from hub.ledger import cases, destinations, outbox, parcels, replays, tallies, tasks
from hub.ledger.engine import Ledger
from hub.ledger.tables import case_, hold, submission
from standards.clock import Clock
from standards.states import DestinationState, SubmissionState

_UNFINISHED = (SubmissionState.RECEIVED, SubmissionState.TRANSLATING, SubmissionState.STALLED)
_VERDICTS = ("read", "accepted", "rejected", "held", "duplicate")
_SECONDS = 5.0

#: Name, value, labels: as monitor.metrics has them.
Told = tuple[str, float, dict[str, str]]


@dataclass(slots=True)
class Sight:
    """Reads facts; any process may."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    deadlines: Deadlines
    state: Path
    version: str
    _held: tuple[datetime, list[Told]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def facts(self) -> list[Told]:
        """Everything that is measured; at most some seconds old."""
        now = self.clock.now()
        with self._lock:
            if self._held is None or (now - self._held[0]).total_seconds() >= _SECONDS:
                with self.ledger.read() as connection:
                    self._held = (now, list(self._read(connection, now)))
            return self._held[1]

    def _read(self, connection: Connection, now: datetime) -> Iterator[Told]:
        hub = self.generations.current().settings.hub
        yield "hub_info", 1, {"version": self.version, "hub": hub.name, "level": hub.level}
        yield from _tallies(connection)
        yield from self._submissions(connection, now)
        waiting, oldest = outbox.pending(connection)
        yield "hub_outbox_messages", waiting, {}
        yield "hub_outbox_oldest_seconds", _age(oldest, now), {}
        yield from self._destinations(connection, now)
        yield from _cases(connection, now)
        held = select(func.count()).select_from(hold).where(hold.c.ended_at.is_(None))
        yield "hub_holds_open", connection.execute(held).scalar_one(), {}
        yield from _tasks(connection, now)
        yield "hub_replays_running", len(replays.running(connection)), {}
        yield "hub_calendar_last_year", self.deadlines.calendar.last_known_year(), {}
        yield "hub_state_free_bytes", shutil.disk_usage(self.state).free, {}

    def _submissions(self, connection: Connection, now: datetime) -> Iterator[Told]:
        rows = {
            row[0]: row
            for row in connection.execute(
                select(submission.c.state, func.count(), func.min(submission.c.received_at))
                .where(submission.c.state.in_(_UNFINISHED))
                .group_by(submission.c.state)
            )
        }
        for state in _UNFINISHED:
            row = rows.get(state)
            yield "hub_submissions_unfinished", row[1] if row else 0, {"state": state}
            yield "hub_submissions_oldest_seconds", _age(row[2] if row else None, now), {"state": state}
        seen = connection.execute(
            select(submission.c.connection, func.max(submission.c.received_at)).group_by(submission.c.connection)
        )
        for name, last in seen:
            yield "hub_connection_last_seen_timestamp_seconds", last.timestamp(), {"connection": name}

    def _destinations(self, connection: Connection, now: datetime) -> Iterator[Told]:
        backlog, standings = parcels.backlog(connection), destinations.every(connection)
        for name, said in self.generations.current().settings.destinations.items():
            standing = standings.get(name)
            up = not said.paused and (standing is None or standing.state == DestinationState.UP)
            label = {"destination": name}
            yield "hub_destination_up", up, label
            yield "hub_destination_failures", standing.failures if standing else 0, label
            if standing is not None and standing.last_success is not None:
                last = standing.last_success.timestamp()
                yield "hub_destination_last_success_timestamp_seconds", last, label
            for state, (_parcels, records, oldest) in backlog.get(name, {}).items():
                labels = {**label, "state": state}
                yield "hub_destination_backlog_records", records, labels
                yield "hub_destination_oldest_seconds", _age(oldest, now), labels


def _tallies(connection: Connection) -> Iterator[Told]:
    records: dict[tuple[str, str, str], int] = {}
    found: dict[tuple[str, str], int] = {}
    routed: dict[tuple[str, str], int] = {}
    for (party, dataset, destination, name), count in tallies.totals(connection).items():
        if name.startswith("finding."):
            key = (dataset, name.removeprefix("finding."))
            found[key] = found.get(key, 0) + count
        elif name == "routed":
            routed[destination, dataset] = routed.get((destination, dataset), 0) + count
        elif name in _VERDICTS and not destination:
            records[party, dataset, name] = records.get((party, dataset, name), 0) + count
    for (party, dataset, verdict), count in records.items():
        yield "hub_records", count, {"party": party, "dataset": dataset, "verdict": verdict}
    for (dataset, code), count in found.items():
        yield "hub_findings", count, {"dataset": dataset, "code": code}
    for (destination, dataset), count in routed.items():
        yield "hub_routed_records", count, {"destination": destination, "dataset": dataset}


def _cases(connection: Connection, now: datetime) -> Iterator[Told]:
    for (party, class_), count in cases.open_counts(connection).items():
        yield "hub_cases_open", count, {"party": party, "class": class_}
    late = connection.execute(
        select(case_.c.class_, func.count())
        .where(case_.c.closed_at.is_(None), case_.c.due_at < now)
        .group_by(case_.c.class_)
    )
    for class_, count in late:
        yield "hub_cases_overdue", count, {"class": class_}
    without = select(func.count()).where(case_.c.closed_at.is_(None), case_.c.due_missing != "")
    yield "hub_cases_without_due", connection.execute(without).scalar_one(), {}


def _tasks(connection: Connection, now: datetime) -> Iterator[Told]:
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


def _age(moment: datetime | None, now: datetime) -> float:
    return max((now - moment).total_seconds(), 0) if moment is not None else 0
