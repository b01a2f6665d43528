"""The record that opened a task: what it says, and handing it on to who must answer."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, case, select, update

from hub.answers import ways_of
from hub.dispatch.contents import Contents
from hub.generations import Generation
from hub.ledger.sql import among
from hub.ledger.tables import chunk, delivery, record, submission
from hub.ledger.tasks import StoredTask
from hub.ledger.types import month_of
from hub.plan import with_tasks
from hub.translate.route import Load, route_records
from hub.vault import Seal
from standards.errors import HubError
from standards.states import SubmissionState


@dataclass(frozen=True, slots=True)
class Opening:
    """A stored record."""

    values: dict[str, str]
    owner: str
    operation: str
    row: Row[Any]


def opening_of(connection: Connection, contents: Contents, one: StoredTask) -> Opening | None:
    """The record that opened a task; None when its content is no longer kept."""
    return openings_of(connection, contents, [one]).get(one.id)


def openings_of(connection: Connection, contents: Contents, these: Sequence[StoredTask]) -> dict[UUID, Opening]:
    """Task -> the record that opened it, in one look; without those whose content is no longer kept."""
    if not these:
        return {}
    months = sorted({month_of(one.submission_id) for one in these})
    # A few more than wanted: pairs would be looked for one by one through every month.
    rows = connection.execute(
        select(
            record.c.submission_id,
            record.c.row_no,
            record.c.chunk,
            record.c.idx,
            record.c.owner,
            record.c.operation,
            submission.c.lane,
            submission.c.traceparent,
            submission.c.hops,
            chunk.c.dataset_version,
        )
        .join(submission, (submission.c.month == record.c.month) & (submission.c.id == record.c.submission_id))
        .join(
            chunk,
            (chunk.c.month == record.c.month)
            & (chunk.c.submission_id == record.c.submission_id)
            & (chunk.c.seq == record.c.chunk),
        )
        .where(
            record.c.month.in_(months),
            among(connection, record.c.submission_id, sorted({one.submission_id for one in these})),
            among(connection, record.c.row_no, sorted({one.row_no for one in these})),
            submission.c.month.in_(months),
            chunk.c.month.in_(months),
            record.c.idx.is_not(None),
        )
    )
    held = {(row.submission_id, row.row_no): row for row in rows}
    found = {}
    for one in these:
        row = held.get((one.submission_id, one.row_no))
        if row is None:
            continue
        try:
            lines = contents.of(connection, one.submission_id, row.chunk).lines
        except HubError:
            continue
        found[one.id] = Opening(json.loads(lines[row.idx]), row.owner, row.operation, row)
    return found


def hand_on(connection: Connection, generation: Generation, seal: Seal, one: StoredTask, now: datetime) -> int:
    """Deliver the record of a task to its assignee's destination (`tasks = true`); how many parcels are on the way.

    Who already has it is not sent it again.
    """
    way = ways_of(generation.settings).get(one.assignee)
    if way is None or _has(connection, one, way):
        return 0
    found = opening_of(connection, Contents(seal), one)
    if found is None:
        return 0
    dataset = generation.standard.dataset(one.dataset, found.row.dataset_version)
    load = Load(
        submission_id=one.submission_id,
        lane=found.row.lane,
        traceparent=found.row.traceparent,
        hops=found.row.hops,
        dataset=one.dataset,
        version=found.row.dataset_version,
        chunk=found.row.chunk,
        first_row=one.row_no,
        columns={name: [value] for name, value in found.values.items()},
        identity=lambda _index: (found.owner, found.operation or "i"),
    )
    routes = with_tasks((), {way: [0]}, generation.task_routes(dataset))
    made = route_records(connection, routes, load, [0], {0}, {}, now)
    if made:
        settled = submission.c.state == SubmissionState.SETTLED
        connection.execute(
            update(submission)
            .where(submission.c.month == month_of(one.submission_id), submission.c.id == one.submission_id)
            .values(
                version=submission.c.version + 1,
                open_parcels=submission.c.open_parcels + len(made),
                state=case((settled, str(SubmissionState.JUDGED)), else_=submission.c.state),
                settled_at=case((settled, None), else_=submission.c.settled_at),
            )
        )
    return len(made)


def _has(connection: Connection, one: StoredTask, destination: str) -> bool:
    statement = select(delivery.c.row_no).where(
        delivery.c.month == month_of(one.submission_id),
        delivery.c.submission_id == one.submission_id,
        delivery.c.row_no == one.row_no,
        delivery.c.destination == destination,
    )
    return connection.execute(statement).first() is not None
