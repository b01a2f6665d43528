"""Gathers the facts that the rules look at out of the ledger: a few sums, nothing by record."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, func, select

from hub.alarms.expiry import Expiries
from hub.alarms.facts import AlarmFacts, Backlog, Due
from hub.alarms.settings import Alarms
from hub.canary.ways import watched
from hub.casework import SILENT, working_days_left
from hub.deadlines import Deadlines
from hub.generations import Generation
from hub.ledger import canaries, cases, destinations, parcels
from hub.ledger.cases import Selection
from hub.ledger.submissions import among_states
from hub.ledger.tables import case_, submission, task
from hub.ledger.types import month_of
from hub.settings import Settings
from standards.calendar import WorkCalendar
from standards.clock import local
from standards.states import DestinationState, ParcelState, SubmissionState

_UNJUDGED = (SubmissionState.RECEIVED, SubmissionState.TRANSLATING, SubmissionState.STALLED)
_TO_SEND = (ParcelState.WAITING, ParcelState.SENDING)


@dataclass(slots=True)
class Gatherer:
    """Reads; remembers nothing of the ledger."""

    deadlines: Deadlines
    state: Path
    expiries: Expiries

    def facts(self, connection: Connection, generation: Generation, now: datetime) -> AlarmFacts:
        """Everything as it is now."""
        settings = generation.settings
        expiring = self.expiries.found(connection, settings.alarms, now)
        return AlarmFacts(
            now=now,
            silent=_silent(connection, settings.connections),
            rates=_rates(connection, settings.alarms, now),
            down=_down(connection, settings.destinations),
            waiting=_waiting(connection),
            unjudged=_unjudged(connection),
            due=_due(connection, now, self.deadlines.calendar),
            expiring=expiring or (),
            canaries=_canaries(connection, settings, now),
            calendar_last_year=self.deadlines.calendar.last_known_year(),
            free_bytes=shutil.disk_usage(self.state).free,
            without_due=_without_due(connection),
            unknown=frozenset() if expiring is not None else frozenset({"expiring"}),
        )


def _silent(connection: Connection, known: Iterable[str]) -> dict[str, datetime]:
    """Connections with an open case of silence (`hub.casework` opens and closes them)."""
    found: dict[str, datetime] = {}
    names = set(known)
    for row in cases.rows(connection, Selection(code=SILENT), limit=1000):
        name = row.note.partition("：")[0]
        if name in names:
            found[name] = min(row.opened_at, found.get(name, row.opened_at))
    return found


def _rates(connection: Connection, said: Alarms, now: datetime) -> dict[str, tuple[int, int]]:
    """What was read and rejected of late hand-overs; their ids are ordered by time, so a range of them is looked at."""
    since = now - said.error_window
    first = UUID(int=int(since.timestamp() * 1000) << 80)
    rows = connection.execute(
        select(submission.c.connection, func.sum(submission.c.read), func.sum(submission.c.rejected))
        .where(
            submission.c.month.in_(sorted({month_of(first), _month(now), _month(now + timedelta(days=1))})),
            submission.c.id >= first,
            submission.c.received_at >= since,
            submission.c.test.is_(False),
        )
        .group_by(submission.c.connection)
    )
    return {row[0]: (int(row[1] or 0), int(row[2] or 0)) for row in rows}


def _month(moment: datetime) -> int:
    there = local(moment)
    return there.year * 100 + there.month


def _down(connection: Connection, known: Iterable[str]) -> dict[str, datetime]:
    names = set(known)
    return {
        name: standing.since
        for name, standing in destinations.every(connection).items()
        if name in names and standing.state == DestinationState.DOWN
    }


def _waiting(connection: Connection) -> dict[str, Backlog]:
    found: dict[str, Backlog] = {}
    for name, states in parcels.backlog(connection).items():
        held = [states[state] for state in _TO_SEND if state in states]
        oldest = [one[2] for one in held if one[2] is not None]
        if oldest:
            found[name] = Backlog(sum(one[1] for one in held), min(oldest))
    return found


def _unjudged(connection: Connection) -> Backlog | None:
    count, oldest = connection.execute(
        select(func.count(), func.min(submission.c.received_at)).where(*among_states(_UNJUDGED))
    ).one()
    return Backlog(count, oldest) if oldest is not None else None


def _due(connection: Connection, now: datetime, calendar: WorkCalendar) -> tuple[Due, ...]:
    """Open cases by party and due time, those of the next days and what is overdue."""
    rows = connection.execute(
        select(case_.c.party, case_.c.due_at, func.count())
        .where(case_.c.closed_at.is_(None), case_.c.due_at < now + timedelta(days=14))
        .group_by(case_.c.party, case_.c.due_at)
    )
    sums: dict[tuple[str, str], Due] = {}
    for party, due_at, count in rows:
        day, overdue = local(due_at).date(), due_at < now
        key = (party, f"{day}{overdue}")
        before = sums[key].count if key in sums else 0
        sums[key] = Due(party, day, before + count, working_days_left(due_at, now, calendar), overdue)
    return tuple(sums[key] for key in sorted(sums))


def _canaries(connection: Connection, settings: Settings, now: datetime) -> dict[str, timedelta]:
    ways = watched(connection, settings)
    return {way: one.trying(now) for way, one in canaries.standings(connection).items() if way in ways}


def _without_due(connection: Connection) -> int:
    of_cases = select(func.count()).where(case_.c.closed_at.is_(None), case_.c.due_missing != "")
    of_tasks = select(func.count()).where(task.c.ended_at.is_(None), task.c.due_missing != "")
    return connection.execute(of_cases).scalar_one() + connection.execute(of_tasks).scalar_one()
