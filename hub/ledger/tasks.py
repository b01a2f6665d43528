"""Tasks: what must be answered by whom until when, and the steps that were taken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, func, select, update

from hub.ledger.engine import Conflict
from hub.ledger.sql import among, insert_of
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
    #: What it is about, as far as its record says.
    item: str = ""
    region: str = ""
    #: So many of its flow's urgings were told in this state, and when the next is due.
    urged: int = 0
    urge_at: datetime | None = None
    escalated_at: datetime | None = None
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
_CHANGED = ("state", "since", "assignee", "due_at", "due_missing", "urged", "urge_at", "escalated_at", "ended_at")
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


def open_steps(connection: Connection, steps: Sequence[StoredStep]) -> None:
    """The steps that the hub took as it opened tasks; those of tasks that were there before are left out."""
    if steps:
        there = select(task.c.id).where(task.c.id.in_([one.task_id for one in steps]))
        new = set(connection.execute(there).scalars())
        rows = [_step_values(one) for one in steps if one.task_id in new]
        if rows:
            connection.execute(task_step.insert(), rows)


def _step_values(one: StoredStep) -> dict[str, Any]:
    return {f.name: getattr(one, f.name) for f in fields(one)}


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


def advance(connection: Connection, before: StoredTask, after: StoredTask, step: StoredStep) -> bool:
    """Take a step; False when somebody else took one meanwhile."""
    statement = (
        update(task)
        .where(task.c.id == before.id, task.c.steps == before.steps, task.c.ended_at.is_(None))
        .values(steps=after.steps, **{name: getattr(after, name) for name in _CHANGED})
    )
    if connection.execute(statement).rowcount != 1:
        return False
    connection.execute(task_step.insert().values(**_step_values(step)))
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


def open_by_number(connection: Connection, flows: Iterable[str], numbers: Iterable[str]) -> list[StoredTask]:
    """The open tasks of these flows with these numbers."""
    statement = select(*_TASK).where(
        task.c.flow.in_(list(flows)), among(connection, task.c.number, list(numbers)), task.c.ended_at.is_(None)
    )
    return [StoredTask(**row._mapping) for row in connection.execute(statement)]


def advance_many(
    connection: Connection, moved: Sequence[tuple[StoredTask, StoredTask]], steps: Sequence[StoredStep]
) -> None:
    """Take the steps of many tasks, each from how it was to how it is now.

    Raises Conflict when somebody else took one meanwhile: nothing was written.
    """
    if not moved:
        return
    statement = (
        update(task)
        .where(task.c.id == bindparam("b_id"), task.c.steps == bindparam("b_steps"), task.c.ended_at.is_(None))
        .values(steps=bindparam("n_steps"), **{name: bindparam(f"n_{name}") for name in _CHANGED})
    )
    rows = [
        {"b_id": before.id, "b_steps": before.steps, "n_steps": after.steps}
        | {f"n_{name}": getattr(after, name) for name in _CHANGED}
        for before, after in moved
    ]
    if connection.execute(statement, rows).rowcount != len(rows):
        raise Conflict
    connection.execute(task_step.insert(), [_step_values(one) for one in steps])


def steps_taken(connection: Connection, identifiers: Sequence[UUID]) -> dict[UUID, dict[str, int]]:
    """How often each step of tasks was taken."""
    statement = (
        select(task_step.c.task_id, task_step.c.step, func.count())
        .where(among(connection, task_step.c.task_id, list(identifiers)))
        .group_by(task_step.c.task_id, task_step.c.step)
    )
    found: dict[UUID, dict[str, int]] = {}
    for identifier, step, number in connection.execute(statement):
        found.setdefault(identifier, {})[step] = number
    return found


def to_urge(connection: Connection, now: datetime, limit: int) -> list[StoredTask]:
    """Open tasks about which somebody must be told, the oldest first."""
    statement = (
        select(*_TASK).where(task.c.urge_at <= now, task.c.ended_at.is_(None)).order_by(task.c.urge_at).limit(limit)
    )
    return [StoredTask(**row._mapping) for row in connection.execute(statement)]


def without_due(connection: Connection, limit: int) -> list[StoredTask]:
    """Open tasks whose due time waits for a calendar."""
    statement = select(*_TASK).where(task.c.due_missing != "", task.c.ended_at.is_(None)).limit(limit)
    return [StoredTask(**row._mapping) for row in connection.execute(statement)]


def change_many(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Change tasks that nobody moved meanwhile: rows of `id`, `steps` and what changes, the same for all."""
    if not rows:
        return
    names = [name for name in rows[0] if name not in ("id", "steps")]
    statement = (
        update(task)
        .where(task.c.id == bindparam("b_id"), task.c.steps == bindparam("b_steps"))
        .values(**{name: bindparam(f"n_{name}") for name in names})
    )
    connection.execute(
        statement,
        [{"b_id": r["id"], "b_steps": r["steps"], **{f"n_{name}": r[name] for name in names}} for r in rows],
    )


def relocate(connection: Connection, submission_id: UUID, rows: Mapping[UUID, int]) -> None:
    """Tasks are about these records from now on."""
    if rows:
        connection.execute(
            update(task)
            .where(task.c.id == bindparam("b_id"))
            .values(submission_id=submission_id, row_no=bindparam("n")),
            [{"b_id": identifier, "n": row} for identifier, row in rows.items()],
        )
