"""Tasks: what must be answered by whom until when, and the steps that were taken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select, update

from hub.ledger.sql import insert_of
from hub.ledger.tables import task, task_step


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTask:
    """A row of `task`."""

    id: UUID
    flow: str
    #: Whose number it is, and the number.
    source: str
    number: str
    #: Code of the organisation the record names; empty: none.
    addressed: str
    #: JSON: further numbers of the same thing.
    pair: str
    sender: str
    #: Party that must answer; empty: in the pool.
    assignee: str
    dataset: str
    submission_id: UUID
    row_no: int
    state: str
    #: How many were taken.
    steps: int
    opened_at: datetime
    since: datetime
    whole_due_at: datetime | None
    due_at: datetime | None
    due_missing: str = ""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredStep:
    """A row of `task_step`; `said` is closed."""

    task_id: UUID
    no: int
    step: str
    state: str
    party: str
    actor: str
    at: datetime
    said: bytes | None
    key_ref: str | None
    connection: str = ""
    dataset: str = ""
    receipt_no: str = ""


_TASK = [task.c[f.name] for f in fields(StoredTask)]
_STEP = [task_step.c[f.name] for f in fields(StoredStep)]


def open_many(connection: Connection, tasks: Sequence[StoredTask]) -> int:
    """Open tasks; one that its source numbered the same is told of the newest record and term instead."""
    if not tasks:
        return 0
    rows = {(t.flow, t.source, t.number, t.addressed): _values(t) for t in tasks}
    statement = insert_of(connection, task)
    new = statement.excluded
    statement = statement.on_conflict_do_update(
        index_elements=[task.c.flow, task.c.source, task.c.number, task.c.addressed],
        set_={"submission_id": new.submission_id, "row_no": new.row_no, "pair": new.pair},
    )
    connection.execute(statement, list(rows.values()))
    return len(rows)


def _values(one: StoredTask) -> dict[str, Any]:
    return {f.name: getattr(one, f.name) for f in fields(one)}


def get(connection: Connection, identifier: UUID) -> StoredTask | None:
    """A task by its id."""
    row = connection.execute(select(*_TASK).where(task.c.id == identifier)).one_or_none()
    return None if row is None else StoredTask(**row._mapping)


def find(
    connection: Connection,
    *,
    party: str = "",
    flow: str = "",
    number: str = "",
    ended: bool = False,
    pool: bool = False,
    limit: int = 100,
) -> list[StoredTask]:
    """Tasks, the most urgent first; of one party: those it must answer and those it sent."""
    statement = select(*_TASK).order_by(task.c.due_at.is_(None), task.c.due_at, task.c.id).limit(limit)
    if pool:
        statement = statement.where(task.c.assignee == "")
    elif party:
        statement = statement.where((task.c.assignee == party) | (task.c.sender == party))
    if flow:
        statement = statement.where(task.c.flow == flow)
    if number:
        statement = statement.where(task.c.number == number)
    if not ended:
        statement = statement.where(task.c.ended_at.is_(None))
    return [StoredTask(**row._mapping) for row in connection.execute(statement)]


def counts(connection: Connection, now: datetime) -> list[tuple[str, str, str, int, int]]:
    """Open tasks by flow, state and assignee: how many, and how many of them are overdue."""
    late = func.sum((task.c.due_at < now).cast(task.c.steps.type))
    statement = (
        select(task.c.flow, task.c.state, task.c.assignee, func.count(), func.coalesce(late, 0))
        .where(task.c.ended_at.is_(None))
        .group_by(task.c.flow, task.c.state, task.c.assignee)
        .order_by(task.c.flow, task.c.state, task.c.assignee)
    )
    return [(r[0], r[1], r[2], int(r[3]), int(r[4])) for r in connection.execute(statement)]


def steps_of(connection: Connection, identifiers: Iterable[UUID]) -> dict[UUID, list[StoredStep]]:
    """The steps of tasks, the first first."""
    wanted = list(identifiers)
    found: dict[UUID, list[StoredStep]] = {one: [] for one in wanted}
    statement = select(*_STEP).where(task_step.c.task_id.in_(wanted)).order_by(task_step.c.task_id, task_step.c.no)
    for row in connection.execute(statement):
        found[row.task_id].append(StoredStep(**row._mapping))
    return found


def advance(connection: Connection, before: StoredTask, step: StoredStep, **changes: Any) -> bool:
    """Take a step; False when somebody else took one meanwhile."""
    statement = (
        update(task)
        .where(task.c.id == before.id, task.c.steps == before.steps, task.c.ended_at.is_(None))
        .values(steps=before.steps + 1, **changes)
    )
    if connection.execute(statement).rowcount != 1:
        return False
    connection.execute(task_step.insert().values(**{f.name: getattr(step, f.name) for f in fields(step)}))
    return True


def unsent(connection: Connection, limit: int) -> list[StoredStep]:
    """Steps whose answer was not handed in yet, the oldest first."""
    statement = (
        select(*_STEP)
        .where(task_step.c.connection != "", task_step.c.receipt_no == "")
        .order_by(task_step.c.at, task_step.c.no)
        .limit(limit)
    )
    return [StoredStep(**row._mapping) for row in connection.execute(statement)]


def sent(connection: Connection, step: StoredStep, receipt_no: str) -> None:
    """Its answer was handed in."""
    connection.execute(
        update(task_step)
        .where(task_step.c.task_id == step.task_id, task_step.c.no == step.no)
        .values(receipt_no=receipt_no)
    )
