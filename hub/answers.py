"""Which step of a task a record is that came from the party who must answer.  Pure.

An answer may come through any channel: as `POST /v1/tasks/{id}/steps`, or as a record of the answering data set.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from hub.ledger.tasks import StoredTask
from hub.settings import Settings
from standards.calendar import WorkCalendar
from standards.flows import Flow, Role, Step, allowed, due_of, flow, flows, move, urge_at
from standards.flows.grammar import STAYS

#: External id of the answer that the hub itself hands in for a step.
OWN = "task-"


@dataclass(frozen=True, slots=True)
class AnswerRule:
    """How the records of one data set answer the tasks of one flow."""

    flow: Flow
    #: Elements with the number of the task, and with its source where the answer has it: opening data set -> both.
    names: Mapping[str, tuple[str, str]]
    #: Parties and the destinations that what concerns their tasks goes to.
    ways: Mapping[str, str] = field(default_factory=dict)


def rules_of(settings: Settings, connection: str, dataset: str, elements: Sequence[str]) -> tuple[AnswerRule, ...]:
    """What a connection's records of a data set answer; nothing where tasks never come in at all."""
    if not any(one.tasks for one in settings.connections.values()):
        return ()
    ways = ways_of(settings)
    found = []
    for one in flows().values():
        answers = dataset == one.answered_by if one.answered_by else dataset in one.opened_by
        if not answers or (not one.answered_by and settings.connections[connection].tasks):
            continue
        names = {}
        for opened, opening in one.opened_by.items():
            if not one.answered_by and opened != dataset:
                continue
            number = next((n for n, word in opening.fills.items() if word == "$number"), opening.number)
            if number in elements:
                names[opened] = (number, opening.sender if opening.sender in elements else "")
        if names:
            found.append(AnswerRule(one, names, ways))
    return tuple(found)


def ways_of(settings: Settings) -> dict[str, str]:
    """The destination that what concerns a party's tasks goes to, by party."""
    return {one.party: name for name, one in settings.destinations.items() if one.tasks}


class Refusal(NamedTuple):
    """Why an answer cannot be taken."""

    code: str
    element: str
    params: Mapping[str, str]


class Answered(NamedTuple):
    """A task before and after the steps that a record is; several only where it says several things at once."""

    before: StoredTask
    after: StoredTask
    steps: tuple[str, ...]
    #: What was said with them.
    said: Mapping[str, str]


def own_step(external_id: str) -> tuple[UUID, int] | None:
    """The task and step that the hub itself handed an answer in for; None when it is somebody else's."""
    if not external_id.startswith(OWN):
        return None
    identifier, _, number = external_id.removeprefix(OWN).rpartition("-")
    try:
        return UUID(identifier), int(number)
    except ValueError:
        return None


def task_of(rule: AnswerRule, row: Mapping[str, str], tasks: Sequence[StoredTask], party: str) -> StoredTask | None:
    """The open task a record belongs to: the answering party's own, else anybody's; None when there is none."""
    fitting = []
    for one in tasks:
        number, source = rule.names.get(one.dataset, ("", ""))
        known = one.flow == rule.flow.flow and number and row.get(number, "") == one.number
        if known and (not source or row.get(source, "") == one.source):
            fitting.append(one)
    own = [one for one in fitting if one.assignee == party]
    return next(iter(own or [o for o in fitting if o.sender == party] or fitting), None)


def answer(
    rule: AnswerRule,
    row: Mapping[str, str],
    before: StoredTask,
    party: str,
    counts: Mapping[str, int],
    calendar: WorkCalendar,
    now: datetime,
) -> Answered | Refusal:
    """The steps that a record is, and where they lead; or why it cannot be taken.  `counts`: taken so often before."""
    its = rule.flow
    number = rule.names[before.dataset][0]
    role: Role = "assignee" if before.assignee == party else "sender" if before.sender == party else "anyone"
    if role == "anyone" and not _open_to_all(its, before.state):
        return Refusal("30004.responsible", number, {})
    after, taken, said = before, list[str](), dict[str, str]()
    while (step := _next(its, after.state, role, row, taken)) is not None:
        if taken and its.steps[step].answers:
            break  # one statement, one step
        to = move(its, after.state, step, role=role, said=row, taken=counts).state
        after = moved(its, after, step, to, calendar, now)
        taken.append(step)
        said |= {name: row.get(name, "") for name in its.steps[step].needs}
        if role == "anyone":
            after = replace(after, assignee=party)
            role = "assignee"
    if not taken:
        return Refusal("30004.step", number, {"state": its.states[before.state].title, "allowed": _told(before, role)})
    return Answered(before, after, tuple(taken), said)


def moved(its: Flow, before: StoredTask, step: str, to: str, calendar: WorkCalendar, now: datetime) -> StoredTask:
    """A task after a step that leads to a state; what only urges leaves its term as it is."""
    if its.steps[step].to == STAYS:
        return replace(before, steps=before.steps + 1)
    ended = its.states[to].end
    due = due_of(its, to, now, before.whole_due_at, calendar)
    return replace(
        before,
        state=to,
        steps=before.steps + 1,
        since=now,
        assignee="" if its.frees(to) else before.assignee,
        due_at=None if ended else due.at,
        due_missing="" if ended else due.reason[:80],
        urged=0,
        urge_at=None if ended else urge_at(its, now, due, calendar),
        escalated_at=None,
        ended_at=now if ended else None,
    )


def _open_to_all(its: Flow, state: str) -> bool:
    return any(state in step.from_ and "anyone" in step.by for step in its.steps.values())


def _next(its: Flow, state: str, role: Role, row: Mapping[str, str], taken: Sequence[str]) -> str | None:
    """The step that a record says, of those that may be taken now; the one that says most, the first of equals."""
    if its.states[state].end:
        return None
    said = [name for name in allowed(its, state, role) if name not in taken and _says(its.steps[name], row)]
    return max(said, key=lambda name: len(its.steps[name].answers or ()) + len(its.steps[name].needs), default=None)


def _says(step: Step, row: Mapping[str, str]) -> bool:
    """True when a record has what the step means and what must be said with it."""
    if step.answers is None:
        return False
    constants = {n: v for n, v in step.answers.items() if not v.startswith("$")}
    return all(row.get(n, "") == v for n, v in constants.items()) and all(row.get(n, "") for n in step.needs)


def _told(one: StoredTask, role: Role) -> str:
    its = flow(one.flow)
    return "、".join(its.steps[name].title for name in allowed(its, one.state, role))
