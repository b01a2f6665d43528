"""Which accepted records open a task, for whom, until when."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from uuid import UUID

from hub.ledger.tasks import StoredTask
from hub.settings import Settings
from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI
from standards.digest import uuid7
from standards.expressions import items, parse
from standards.flows import Flow, Opening, due_of, flows

_DAY_END = time(23, 59, 59)


@dataclass(frozen=True, slots=True)
class TaskRule:
    """How the records of one data set open tasks of one flow."""

    flow: Flow
    opening: Opening
    #: Party by its credit code.
    parties: Mapping[str, str]
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
        if opening is None:
            continue
        if opening.when:
            expression = parse(opening.when)
            rules.append(TaskRule(flow, opening, parties, expression.names, expression.function()))
        else:
            rules.append(TaskRule(flow, opening, parties))
    return tuple(rules)


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
) -> Iterator[StoredTask]:
    """The tasks of accepted records; each organisation that a record names has one of its own."""
    for rule in rules:
        opening, flow = rule.opening, rule.flow
        for row in rows:
            number = _at(columns, opening.number, row)
            if not number or not rule.holds(columns, row):
                continue
            whole = _moment(_at(columns, opening.due, row))
            due = due_of(flow, flow.first, now, whole, calendar)
            pair = {name: value for name in opening.pair if (value := _at(columns, name, row))}
            for code in _addressed(columns, opening, row):
                yield StoredTask(
                    id=uuid7(),
                    flow=flow.flow,
                    source=(_at(columns, opening.sender, row) or party)[:100],
                    number=number[:200],
                    addressed=code[:40],
                    pair=json.dumps(pair, ensure_ascii=False),
                    sender=party,
                    assignee=rule.parties.get(code, ""),
                    dataset=dataset,
                    submission_id=submission_id,
                    row_no=first_row + row,
                    state=flow.first,
                    steps=0,
                    opened_at=now,
                    since=now,
                    whole_due_at=whole,
                    due_at=due.at,
                    due_missing=due.reason[:80],
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
