"""Which accepted records open a task, for whom, until when."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from hub.duties import Matter, responsible
from hub.ledger.tasks import StoredStep, StoredTask
from hub.settings import Duty, Settings
from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI
from standards.digest import uuid7
from standards.expressions import items, parse
from standards.flows import Flow, Opening, due_of, flows, urge_at
from standards.flows.moves import PARTY

_DAY_END = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class TaskRule:
    """How the records of one data set open tasks of one flow."""

    flow: Flow
    opening: Opening
    #: Party by its credit code.
    parties: Mapping[str, str]
    duties: tuple[Duty, ...] = ()
    names: tuple[str, ...] = ()
    condition: Callable[..., object] | None = None

    def holds(self, columns: Mapping[str, list[str]], row: int) -> bool:
        """Whether a record opens one."""
        if self.condition is None:
            return True
        values = [_at(columns, name, row) for name in self.names]
        try:
            return bool(self.condition(*values))
        except (TypeError, ValueError):
            return False


def rules_of(settings: Settings, connection: str, dataset: str) -> tuple[TaskRule, ...]:
    """What a connection's records of a data set open: nothing, unless it says `tasks = true`."""
    found = settings.connections.get(connection)
    if found is None or not found.tasks:
        return ()
    parties = {party.code: name for name, party in settings.parties.items()}
    rules = []
    for flow in flows().values():
        opening = flow.opened_by.get(dataset)
        wanted = flow.flow in found.tasks if isinstance(found.tasks, tuple) else not flow.named
        if opening is None or not wanted:
            continue
        if opening.when:
            expression = parse(opening.when)
            rules.append(TaskRule(flow, opening, parties, settings.duties, expression.names, expression.function()))
        else:
            rules.append(TaskRule(flow, opening, parties, settings.duties))
    return tuple(rules)


@dataclass(frozen=True, slots=True)
class Opened:
    """A task that a record opens, and the step that the hub takes at once where it knows who is responsible."""

    row: int
    task: StoredTask
    step: StoredStep | None = None


def openings(
    rules: Sequence[TaskRule],
    columns: Mapping[str, list[str]],
    rows: Sequence[int],
    *,
    submission_id: UUID,
    first_row: int,
    dataset: str,
    party: str,
    calendar: WorkCalendar,
    now: datetime,
) -> Iterator[Opened]:
    """The tasks of accepted records; each organisation that a record names has one of its own."""
    for rule in rules:
        opening, flow = rule.opening, rule.flow
        for row in rows:
            number = _at(columns, opening.number, row)
            if not number or not rule.holds(columns, row):
                continue
            whole = _moment(_at(columns, opening.due, row))
            pair = {name: value for name in opening.pair if (value := _at(columns, name, row))}
            item, region = _at(columns, opening.item, row), _at(columns, opening.region, row)
            matter = Matter(flow.flow, item, region, _at(columns, opening.industry, row))
            for code in _addressed(columns, opening, row):
                assignee = _responsible(rule, code, matter)
                state, step = _first(flow, assignee)
                due = due_of(flow, state, now, whole, calendar)
                task = StoredTask(
                    id=uuid7(),
                    flow=flow.flow,
                    source=(_at(columns, opening.sender, row) or party)[:100],
                    number=number[:200],
                    addressed=code[:40],
                    pair=json.dumps(pair, ensure_ascii=False),
                    sender=party,
                    assignee=assignee,
                    dataset=dataset,
                    submission_id=submission_id,
                    row_no=first_row + row,
                    state=state,
                    steps=1 if step else 0,
                    opened_at=now,
                    since=now,
                    whole_due_at=whole,
                    due_at=due.at,
                    due_missing=due.reason[:80],
                    item=item[:100],
                    region=region[:12],
                    urge_at=urge_at(flow, now, due, calendar),
                )
                yield Opened(row, task, _taken(task, step) if step else None)


def _responsible(rule: TaskRule, code: str, matter: Matter) -> str:
    """The party that the record names; else the one that the directory does; '' when nobody is responsible."""
    if named := rule.parties.get(code, ""):
        return named
    duty = responsible(rule.duties, matter)
    return duty.party if duty is not None else ""


def _first(flow: Flow, assignee: str) -> tuple[str, str]:
    """The state a task opens in, and the step that the hub takes at once: hand on, or put into the pool."""
    for name, step in flow.steps.items():
        if flow.first not in step.from_ or "hub" not in step.by or step.answers:
            continue
        hands_on = assignee and step.needs == (PARTY,)
        to_pool = not assignee and not step.needs and flow.states[step.to].holder == "anyone"
        if hands_on or to_pool:
            return step.to, name
    return flow.first, ""


def _taken(task: StoredTask, step: str) -> StoredStep:
    return StoredStep(
        task_id=task.id,
        no=1,
        step=step,
        state=task.state,
        party="",
        actor="hub",
        at=task.opened_at,
        said=None,
        key_ref=None,
    )


def _addressed(columns: Mapping[str, list[str]], opening: Opening, row: int) -> list[str]:
    """Codes of the organisations it is for; '' when it names none: the pool."""
    named = [code.strip() for code in items(_at(columns, opening.assignees, row)) if code.strip()]
    return list(dict.fromkeys(named)) or [""]


def _at(columns: Mapping[str, list[str]], name: str, row: int) -> str:
    column = columns.get(name) if name else None
    return column[row] if column else ""


def _moment(value: str) -> datetime | None:
    """A date or a time of the standard; a date lasts until its end."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if len(value) <= len("2026-11-24"):
        moment = datetime.combine(moment.date(), _DAY_END)
    return moment if moment.tzinfo else moment.replace(tzinfo=SHANGHAI)
