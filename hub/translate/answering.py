"""Answers among the records of a chunk: judged by the state of their tasks, and written as the steps they are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import Connection

from hub.answers import Answered, AnswerRule, Refusal, answer, own_step, task_of
from hub.ledger import journal, tasks
from hub.ledger.submissions import Submission
from hub.ledger.tasks import StoredStep, StoredTask
from hub.openings import Opened
from hub.plan import Plan
from standards.calendar import WorkCalendar


class Refused(NamedTuple):
    """A record that is no step its party may take now."""

    row: int
    value: str
    why: Refusal


@dataclass(slots=True)
class Answers:
    """What the records of one chunk are to the tasks that wait for an answer."""

    plan: Plan
    submission: Submission
    calendar: WorkCalendar
    first_row: int
    #: Row -> the steps it is.
    taken: dict[int, Answered] = field(default_factory=dict)
    #: Row -> the task it belongs to, whoever answered.
    belongs: dict[int, StoredTask] = field(default_factory=dict)
    rule_of: dict[int, AnswerRule] = field(default_factory=dict)
    #: Tasks as they stand in the ledger.
    before: dict[UUID, StoredTask] = field(default_factory=dict)

    def look_up(self, connection: Connection, columns: Mapping[str, list[str]], rows: Sequence[int]) -> None:
        """Find the open tasks that records belong to."""
        rules = self.plan.answers
        numbers = {value for rule in rules for name, _ in rule.names.values() for value in _values(columns, name, rows)}
        if not numbers:
            return
        found = tasks.open_by_number(connection, [rule.flow.flow for rule in rules], sorted(numbers))
        own = own_step(self.submission.external_id or "")
        if own is not None and all(one.id != own[0] for one in found):
            ended = tasks.get(connection, own[0])  # by this very step
            found += [ended] if ended is not None else []
        self.before = {one.id: one for one in found}
        by_number: dict[str, list[StoredTask]] = {}
        for one in found:
            by_number.setdefault(one.number, []).append(one)
        for row in rows if found else ():
            values = _Row(columns, row)
            for rule in rules:
                named = {values.get(name, "") for name, _ in rule.names.values()}
                near = [one for number in sorted(named) for one in by_number.get(number, ())]
                waiting = task_of(rule, values, near, self.plan.party)
                if waiting is not None:
                    self.belongs[row] = waiting
                    self.rule_of[row] = rule

    def adopts(self, row: int) -> bool:
        """True when a record is what its party was asked to complete: it stays its sender's."""
        one = self.belongs.get(row)
        return one is not None and not self.rule_of[row].flow.answered_by and one.sender != self.plan.party

    def judge(
        self, connection: Connection, columns: Mapping[str, list[str]], rows: Sequence[int], now: datetime
    ) -> list[Refused]:
        """Which steps these records are; what may not be said now is told."""
        mine = [row for row in rows if row in self.belongs]
        if not mine:
            return []
        counts = tasks.steps_taken(connection, list(self.before))
        standing = dict(self.before)
        refused = []
        for row in mine:
            one = standing[self.belongs[row].id]
            why = self._one(self.rule_of[row], row, _Row(columns, row), one, standing, counts, now)
            if why is not None:
                refused.append(Refused(row, one.number, why))
        return refused

    def _one(
        self,
        rule: AnswerRule,
        row: int,
        values: _Row,
        one: StoredTask,
        standing: dict[UUID, StoredTask],
        counts: dict[UUID, dict[str, int]],
        now: datetime,
    ) -> Refusal | None:
        own = own_step(self.submission.external_id or "")
        if own is not None and own[0] == one.id and own[1] <= one.steps:
            return None  # the step was taken at the desk: this is only its answer
        said = answer(rule, values, one, self.plan.party, counts.get(one.id, {}), self.calendar, now)
        if isinstance(said, Refusal):
            return said
        self.taken[row] = said
        standing[one.id] = said.after
        for step in said.steps:
            counts.setdefault(one.id, {})[step] = counts.get(one.id, {}).get(step, 0) + 1
        return None

    def write(self, connection: Connection, accepted: Sequence[int], now: datetime) -> None:
        """Take the steps of the records that were accepted.  Raises Conflict when somebody was faster."""
        ends: dict[UUID, tuple[StoredTask, StoredTask]] = {}
        steps = []
        for row in accepted:
            said = self.taken.get(row)
            if said is None:
                continue
            before, last = ends.get(said.before.id, (self.before[said.before.id],) * 2)
            if last != said.before:
                continue  # an answer before it in the chunk was held: this one was judged by what that would have done
            ends[said.before.id] = (before, said.after)
            steps += self._steps(said, now)
        tasks.advance_many(connection, list(ends.values()), steps)
        self._relocate(connection, accepted)
        if steps:
            detail = {"steps": len(steps), "tasks": len(ends)}
            journal.append(connection, [journal.Entry("task_steps", "hub", self.submission.id, None, detail)], now)

    def _relocate(self, connection: Connection, accepted: Sequence[int]) -> None:
        """Where an answer is a new revision of the record itself, the task is about that one from now on."""
        mine = {rule.flow.flow for rule in self.plan.answers if not rule.flow.answered_by}
        places = {
            self.belongs[row].id: row for row in accepted if row in self.belongs and self.belongs[row].flow in mine
        }
        tasks.relocate(connection, self.submission.id, {one: self.first_row + row for one, row in places.items()})

    def _steps(self, said: Answered, now: datetime) -> list[StoredStep]:
        seal = self.plan.seal
        text = json.dumps({n: v for n, v in said.said.items() if v}, ensure_ascii=False).encode()
        return [
            StoredStep(
                task_id=said.before.id,
                no=said.before.steps + number,
                step=step,
                state=said.after.state,
                party=self.plan.party,
                actor=self.submission.receipt_no,
                at=now,
                said=seal.close(text) if said.said else None,
                key_ref=seal.key_ref,
                connection=self.plan.connection,
                dataset=self.plan.dataset.id,
                receipt_no=self.submission.receipt_no,
            )
            for number, step in enumerate(said.steps, 1)
        ]


def ways(
    plan: Plan, opened: Sequence[Opened], answers: Answers | None, accepted: Sequence[int]
) -> dict[str, list[int]]:
    """Further destinations of accepted records: a task goes to who must answer it, an answer to who asked."""
    found: dict[str, set[int]] = {}
    for one in opened:
        if way := plan.task_ways.get(one.task.assignee, ""):
            found.setdefault(way, set()).add(one.row)
    for row, task in answers.belongs.items() if answers is not None else ():
        if (task.sender != plan.party and (way := plan.task_ways.get(task.sender, ""))) or (
            task.sender == plan.party and (way := plan.task_ways.get(task.assignee, ""))
        ):
            found.setdefault(way, set()).add(row)
    wanted = set(accepted)
    return {way: sorted(rows & wanted) for way, rows in found.items() if rows & wanted}


@dataclass(frozen=True, slots=True)
class _Row(Mapping[str, str]):
    """One record of a chunk by the names of its elements."""

    columns: Mapping[str, list[str]]
    index: int

    def __getitem__(self, name: str) -> str:
        return self.columns[name][self.index]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)

    def __len__(self) -> int:
        return len(self.columns)


def _values(columns: Mapping[str, list[str]], name: str, rows: Sequence[int]) -> set[str]:
    column = columns.get(name)
    return {column[i] for i in rows if column[i]} if column else set()
