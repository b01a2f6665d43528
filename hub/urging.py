"""Urging: who is told as the terms of tasks run out, each once; and due times that waited for a calendar."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub.deadlines import Deadlines
from hub.events import Events
from hub.generations import Generations
from hub.ledger import journal, notices, tasks
from hub.ledger.engine import Ledger
from hub.ledger.notices import OPERATOR, Notice
from hub.ledger.tasks import StoredTask
from standards.calendar import WorkCalendar
from standards.clock import Clock, local
from standards.errors import HubError
from standards.flows import Escalation, due_of, flow, urge_at, urgings
from standards.flows.grammar import STAYS

log = structlog.get_logger()

_BATCH = 500
_ABOVE = "above"


class Told(NamedTuple):
    """Something somebody is told about a task."""

    task: StoredTask
    says: str
    #: A party; '' is the operator of this hub; `above` the level above.
    whom: str


@dataclass(slots=True)
class Urging:
    """Looks after terms; called by the elected scheduler."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    deadlines: Deadlines
    events: Events
    #: Takes a step for the hub; the step that urges goes to the level above as an answer, where the flow has one.
    step: Callable[[UUID, str], object]

    def run(self) -> int:
        """Tell whoever must be told by now; how many were."""
        now = self.clock.now()
        with self.ledger.read() as connection:
            late = tasks.to_urge(connection, now, _BATCH)
        if not late:
            return 0
        told: list[Told] = []
        rows = []
        for one in late:
            due = due_urgings(one, now, self.deadlines.calendar)
            told += [Told(one, each.says, _whom(one, each)) for each in due]
            rows.append(_after(one, due, now, self.deadlines.calendar))

        def work(connection: Connection) -> None:
            tasks.change_many(connection, rows)
            entries = [journal.Entry("task_urged", "hub", one.task.submission_id, None, _detail(one)) for one in told]
            journal.append(connection, entries, now)
            about = [
                Notice(t.whom or OPERATOR, f"task:{t.task.id}:{t.task.state}:{t.task.steps}", t.says, _detail(t))
                for t in told
            ]
            notices.tell(connection, about, now)
            for said in told:
                self.events.task(connection, str(said.task.id), said.says, _detail(said), now)

        self.ledger.write(work)
        for said in told:
            log.warning("the term of a task runs out", action="task_urged", **_detail(said))
            if said.whom == _ABOVE:
                self._tell_above(said.task)
        return len(told)

    def _tell_above(self, one: StoredTask) -> None:
        """The level that sent a task hears of its escalation by the urging step, where the flow answers with one."""
        for name, step in flow(one.flow).steps.items():
            if step.to == STAYS and step.answers and "hub" in step.by and one.state in step.from_:
                try:
                    self.step(one.id, name)
                except HubError as error:
                    log.warning(
                        "the level above could not be told", action="task_above", task=str(one.id), why=error.what
                    )
                return

    def fill_in(self) -> int:
        """Due times of tasks whose year had no calendar, as soon as it has one."""
        now = self.clock.now()
        with self.ledger.read() as connection:
            waiting = tasks.without_due(connection, _BATCH)
        rows = []
        for one in waiting:
            its = flow(one.flow)
            due = due_of(its, one.state, one.since, one.whole_due_at, self.deadlines.calendar)
            if due.at is not None and not due.reason:
                at = urge_at(its, one.since, due, self.deadlines.calendar)
                rows.append({"id": one.id, "steps": one.steps, "due_at": due.at, "due_missing": "", "urge_at": at})
        if not rows:
            return 0

        def work(connection: Connection) -> None:
            tasks.change_many(connection, rows)
            journal.append(connection, [journal.Entry("task_due_found", "hub", None, None, {"tasks": len(rows)})], now)

        self.ledger.write(work)
        return len(rows)


def due_urgings(one: StoredTask, now: datetime, calendar: WorkCalendar) -> list[Escalation]:
    """What must be told by now and was not.  Pure."""
    if one.due_at is None:
        return []
    by_now = [each for at, each in urgings(flow(one.flow), one.since, one.due_at, calendar) if at <= now]
    return by_now[one.urged :]


def _after(one: StoredTask, said: list[Escalation], now: datetime, calendar: WorkCalendar) -> dict[str, Any]:
    urged = one.urged + len(said)
    rest = urgings(flow(one.flow), one.since, one.due_at, calendar)[urged:] if one.due_at is not None else []
    escalated = any(each.says == "escalate" for each in said)
    return {
        "id": one.id,
        "steps": one.steps,
        "urged": urged,
        "urge_at": rest[0][0] if rest else None,
        "escalated_at": now if escalated else one.escalated_at,
    }


def _whom(one: StoredTask, each: Escalation) -> str:
    its = flow(one.flow)
    holder = its.states[one.state].holder
    if each.whom == "above":
        return _ABOVE
    if each.whom == "dispatcher" or holder in ("dispatcher", "hub", "anyone"):
        return ""
    return one.sender if holder == "sender" else one.assignee


def _detail(one: Told) -> dict[str, Any]:
    return {
        "task": str(one.task.id),
        "flow": one.task.flow,
        "state": one.task.state,
        "assignee": one.task.assignee,
        "says": one.says,
        "whom": one.whom or "operator",
        "due_at": local(one.task.due_at).isoformat() if one.task.due_at else "",
    }
