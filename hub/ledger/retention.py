"""What is kept how long.  Content goes before metadata; ids, keys and sums outlive both; nothing goes while it is open.

Each function takes away what a limited number of submissions hold and returns how many they were: 0 when nothing is
left to do.  The journal's seals hold digests only, so its old rows may go too.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Table, delete, exists, or_, select, update

from hub.ledger.sql import among
from hub.ledger.tables import (
    attempt,
    case_,
    chunk,
    delivery,
    filled,
    finding,
    hold,
    journal,
    parcel,
    payload,
    receipt,
    record,
    submission,
    submission_key,
)
from standards.clock import SHANGHAI
from standards.states import SubmissionState

#: Tables whose rows belong to one submission and go with it.
_OF_SUBMISSION = (delivery, finding, record, chunk, payload)


def prune_content(connection: Connection, before: datetime, limit: int) -> int:
    """Raw bytes and record content of submissions received before then; receipts and digests stay."""
    has_payload = exists().where(payload.c.month == submission.c.month, payload.c.submission_id == submission.c.id)
    has_content = exists().where(
        chunk.c.month == submission.c.month,
        chunk.c.submission_id == submission.c.id,
        or_(chunk.c.content.isnot(None), chunk.c.common.isnot(None)),
    )
    ids, months = _ended(connection, before, limit, or_(has_payload, has_content))
    if ids:
        connection.execute(delete(filled).where(among(connection, filled.c.submission_id, ids)))
        connection.execute(
            delete(payload).where(payload.c.month.in_(months), among(connection, payload.c.submission_id, ids))
        )
        connection.execute(
            update(chunk)
            .where(chunk.c.month.in_(months), among(connection, chunk.c.submission_id, ids))
            .values(content=None, common=None, key_ref=None)
        )
    return len(ids)


def prune_metadata(connection: Connection, before: datetime, limit: int) -> int:
    """Everything else of submissions received before then, their closed cases and receipts too; heads stay."""
    ids, months = _ended(connection, before, limit)
    if not ids:
        return 0
    parcels = list(
        connection.execute(select(parcel.c.id).where(among(connection, parcel.c.submission_id, ids))).scalars()
    )
    if parcels:
        connection.execute(delete(attempt).where(among(connection, attempt.c.parcel_id, parcels)))
        connection.execute(delete(parcel).where(among(connection, parcel.c.id, parcels)))
    connection.execute(delete(receipt).where(among(connection, receipt.c.submission_id, ids)))
    connection.execute(delete(hold).where(among(connection, hold.c.submission_id, ids)))
    connection.execute(delete(case_).where(among(connection, case_.c.submission_id, ids)))
    for table in _OF_SUBMISSION:
        _delete_of(connection, table, ids, months)
    connection.execute(
        delete(submission).where(submission.c.month.in_(months), among(connection, submission.c.id, ids))
    )
    return len(ids)


def prune_journal(connection: Connection, before: datetime, limit: int) -> int:
    """Journal rows from before then."""
    return _delete_oldest(connection, journal, journal.c.id, journal.c.at < before, limit)


def prune_ids(connection: Connection, before: datetime, limit: int) -> int:
    """Submission ids from before then whose submission is gone; with the id the promise of one receipt ends."""
    gone = ~exists().where(submission.c.id == submission_key.c.submission_id)
    return _delete_oldest(
        connection, submission_key, submission_key.c.submission_id, gone & (submission_key.c.created_at < before), limit
    )


def _ended(
    connection: Connection, before: datetime, limit: int, also: ColumnElement[bool] | None = None
) -> tuple[list[UUID], list[int]]:
    """Submissions received before then with nothing open about them, and the months they stand in."""
    moment = before.astimezone(SHANGHAI)
    other = submission.alias("other")
    statement = select(submission.c.id, submission.c.month).where(
        submission.c.month <= moment.year * 100 + moment.month,
        submission.c.received_at < before,
        submission.c.state.in_((SubmissionState.JUDGED, SubmissionState.SETTLED)),
        submission.c.open_parcels == 0,
        ~exists().where(parcel.c.submission_id == submission.c.id, parcel.c.ended_at.is_(None)),
        ~exists().where(hold.c.submission_id == submission.c.id, hold.c.ended_at.is_(None)),
        ~exists().where(case_.c.submission_id == submission.c.id, case_.c.closed_at.is_(None)),
        # A replay reads the bytes of what it replays.
        ~exists().where(
            other.c.origin_id == submission.c.id,
            other.c.state.notin_((SubmissionState.JUDGED, SubmissionState.SETTLED)),
        ),
    )
    if also is not None:
        statement = statement.where(also)
    rows = connection.execute(statement.order_by(submission.c.month).limit(limit)).all()
    return [row.id for row in rows], sorted({row.month for row in rows})


def _delete_of(connection: Connection, table: Table, ids: Sequence[UUID], months: Sequence[int]) -> None:
    connection.execute(delete(table).where(table.c.month.in_(months), among(connection, table.c.submission_id, ids)))


def _delete_oldest(
    connection: Connection, table: Table, key: ColumnElement[object], condition: ColumnElement[bool], limit: int
) -> int:
    chosen = select(key).where(condition).limit(limit)
    return connection.execute(delete(table).where(key.in_(chosen))).rowcount
