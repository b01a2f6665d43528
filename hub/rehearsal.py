"""Rehearsal: stored hand-overs through other settings, mappings or versions, in the shadow; nothing is written.

What passed and would fail now is told by department, element and reason, before the change goes live (article 16).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from adapters.formats.open import open_records
from hub.generations import Generation
from hub.ledger import crosswalks, submissions
from hub.ledger.engine import Ledger
from hub.ledger.submissions import Submission
from hub.ledger.tables import chunk, record, submission
from hub.ledger.types import month_of
from hub.payload import LedgerPayload
from hub.plan import Plan
from hub.translate.consult import nobody_to_ask
from hub.translate.prepare import FindingRow, Prepared, prepare
from hub.vault import Seal
from standards.clock import local
from standards.errors import HubError
from standards.model import Severity
from standards.states import SubmissionState, Verdict

_SAMPLES = 3
_PASSED = (Verdict.ACCEPTED, Verdict.DUPLICATE)
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Cause:
    """Why records would newly fail."""

    party: str
    connection: str
    dataset: str
    element: str
    code: str


@dataclass(frozen=True, slots=True)
class Place:
    """One record that would newly fail."""

    receipt_no: str
    row: int
    place: str
    value: str


@dataclass(slots=True)
class Rehearsed:
    """What became of the stored hand-overs."""

    submissions: int = 0
    records: int = 0
    #: Records that passed and would fail.
    newly_failing: int = 0
    #: Records that failed and would pass.
    newly_passing: int = 0
    #: Records newly failing by cause; a record with several faults counts for each.
    causes: Counter[Cause] = field(default_factory=Counter)
    samples: dict[Cause, list[Place]] = field(default_factory=dict)
    #: By party: records read, newly failing.
    parties: dict[str, list[int]] = field(default_factory=dict)
    #: Hand-overs that could not be rehearsed, and why.
    left_out: list[tuple[str, str]] = field(default_factory=list)


def rehearse(
    ledger: Ledger,
    seal: Seal,
    candidate: Generation,
    since: datetime,
    until: datetime,
    *,
    dataset: str = "",
    connections: Sequence[str] = (),
    tell: Callable[[Rehearsed], None] = lambda _done: None,
) -> Rehearsed:
    """Run what was handed over in a time through a generation that is not in force."""
    done = Rehearsed()
    plans: dict[tuple[str, str], Plan] = {}
    for one in _stored(ledger, since, until, connections):
        try:
            key = (one.connection, one.dataset)
            if key not in plans:
                mapping = candidate.mapping_of(one.connection)
                with ledger.read() as connection:
                    answers = crosswalks.answers(connection, mapping)
                plans[key] = candidate.plan(one.connection, answers, one.dataset)
            plan = plans[key]
            if dataset and plan.dataset.id != dataset:
                continue
            _one(ledger, seal, one, plan, done)
        except HubError as error:
            done.left_out.append((one.receipt_no, error.what_zh))
        done.submissions += 1
        tell(done)
    return done


def _stored(ledger: Ledger, since: datetime, until: datetime, connections: Sequence[str]) -> Iterator[Submission]:
    """Hand-overs that were judged, the oldest first."""
    months = range(_month(since), _month(until) + 1)
    last: UUID | None = None
    while True:
        statement = (
            select(submission.c.id)
            .where(
                submission.c.month.in_([m for m in months if 1 <= m % 100 <= 12]),
                submission.c.received_at.between(since, until),
                submission.c.state.in_([SubmissionState.JUDGED, SubmissionState.SETTLED]),
                submission.c.test.is_(False),
            )
            .order_by(submission.c.id)
            .limit(_BATCH)
        )
        if connections:
            statement = statement.where(submission.c.connection.in_(list(connections)))
        if last is not None:
            statement = statement.where(submission.c.id > last)
        with ledger.read() as connection:
            found = [submissions.get(connection, row) for row in connection.execute(statement).scalars().all()]
        if not found:
            return
        for one in found:
            assert one is not None
            yield one
            last = one.id


def _month(moment: datetime) -> int:
    there = local(moment)
    return there.year * 100 + there.month


def _one(ledger: Ledger, seal: Seal, one: Submission, plan: Plan, done: Rehearsed) -> None:
    _reading, chunks = open_records(LedgerPayload(ledger, one, seal), plan.read, None)
    today = local(one.received_at).date().isoformat()
    first = 1
    for read in chunks:
        prepared = prepare(plan, read, first, today, nobody_to_ask)
        with ledger.read() as connection:
            before = _verdicts(connection, one, first, first + read.count - 1)
        _compare(one, plan, prepared, first, before, done)
        first += read.count


def _verdicts(connection: Connection, one: Submission, first: int, last: int) -> dict[int, str]:
    rows = connection.execute(
        select(record.c.row_no, record.c.verdict).where(
            record.c.month == month_of(one.id), record.c.submission_id == one.id, record.c.row_no.between(first, last)
        )
    )
    return {row.row_no: row.verdict for row in rows}


def _compare(
    one: Submission, plan: Plan, prepared: Prepared, first: int, before: dict[int, str], done: Rehearsed
) -> None:
    party = done.parties.setdefault(one.party, [0, 0])
    wrong: dict[int, list[FindingRow]] = {}
    for found in prepared.findings:
        if found.severity is Severity.ERROR:
            wrong.setdefault(found.row, []).append(found)
    for index, worst in enumerate(prepared.worst):
        verdict = before.get(first + index, "")
        done.records += 1
        party[0] += 1
        if worst is Severity.ERROR and verdict in _PASSED:
            done.newly_failing += 1
            party[1] += 1
            for cause, found in {_cause(one, plan, f): f for f in wrong.get(index, ())}.items():
                done.causes[cause] += 1
                held = done.samples.setdefault(cause, [])
                if len(held) < _SAMPLES:
                    held.append(Place(one.receipt_no, first + index, found.place, found.value))
        elif worst is not Severity.ERROR and verdict == Verdict.REJECTED:
            done.newly_passing += 1


def _cause(one: Submission, plan: Plan, found: FindingRow) -> Cause:
    return Cause(one.party, one.connection, plan.dataset.id, found.element, found.code)


def senders(connection: Connection, since: datetime) -> list[tuple[str, str, str, int, datetime]]:
    """Who sent which version of a data set since then: party, data set, version, records, last."""
    rows = connection.execute(
        select(
            submission.c.party,
            chunk.c.dataset,
            chunk.c.dataset_version,
            func.sum(chunk.c.count),
            func.max(chunk.c.stored_at),
        )
        .join(submission, (submission.c.month == chunk.c.month) & (submission.c.id == chunk.c.submission_id))
        .where(chunk.c.stored_at >= since, submission.c.test.is_(False))
        .group_by(submission.c.party, chunk.c.dataset, chunk.c.dataset_version)
        .order_by(chunk.c.dataset, chunk.c.dataset_version, submission.c.party)
    ).all()
    return [(r[0], r[1], r[2], int(r[3]), r[4]) for r in rows]
