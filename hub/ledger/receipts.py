"""Receipts: what somebody said about a submission or a parcel.  Appended, each with the level that spoke."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
import zstandard
from sqlalchemy import Connection, Row, select

from hub.ledger.sql import insert_new
from hub.ledger.submissions import Submission
from hub.ledger.tables import receipt
from hub.ledger.types import month_of
from hub.settings import Hub
from standards.digest import uuid7
from standards.parcel import Answer, AnswerLine, Result
from standards.ports import Later

#: Made here: msgspec looks a type up at its first use, and crashes when two threads use it first at the same moment.
_LINES = msgspec.json.Decoder(list[AnswerLine])


def add_own(connection: Connection, judged: Submission, hub: Hub, now: datetime) -> None:
    """This hub's own verdict on a submission."""
    connection.execute(
        receipt.insert().values(
            month=judged.month,
            id=uuid7(),
            submission_id=judged.id,
            version=judged.version,
            level=hub.level,
            speaker=hub.name,
            result="unreadable" if judged.problem else "judged",
            accepted=judged.accepted,
            refused=judged.rejected,
            received_at=now,
        )
    )


def add_answer(
    connection: Connection,
    submission_id: UUID,
    parcel_id: UUID,
    answer: Answer,
    *,
    result: str,
    accepted: int,
    refused: int,
    now: datetime,
) -> None:
    """A receiver's verdict on a parcel; lines that are plainly accepted are not repeated."""
    lines = [line for line in answer.lines if line.result is not Result.ACCEPTED]
    packed = zstandard.ZstdCompressor(level=3).compress(msgspec.json.encode(lines)) if lines else None
    connection.execute(
        receipt.insert().values(
            month=month_of(submission_id),
            id=uuid7(),
            submission_id=submission_id,
            parcel_id=parcel_id,
            level=answer.level,
            speaker=answer.speaker,
            result=result,
            accepted=accepted,
            refused=refused,
            received_at=now,
            lines=packed,
        )
    )


def add_later(connection: Connection, submission_id: UUID, parcel_id: UUID, later: Later, now: datetime) -> bool:
    """What a higher level said of a parcel, under the id its hub gave it; False when it is there already."""
    lines = [line for line in later.answer.lines if line.result is not Result.ACCEPTED]
    values = {
        "month": month_of(submission_id),
        "id": later.id,
        "submission_id": submission_id,
        "parcel_id": parcel_id,
        "version": 1,
        "level": later.answer.level,
        "speaker": later.answer.speaker,
        "result": later.result[:12],
        "accepted": later.accepted,
        "refused": later.refused,
        "received_at": now,
        "lines": zstandard.ZstdCompressor(level=3).compress(msgspec.json.encode(lines)) if lines else None,
    }
    return insert_new(connection, receipt, values)


def of_submission(connection: Connection, submission_id: UUID) -> Sequence[Row[Any]]:
    """Every receipt of a submission and its parcels, oldest first."""
    # Not ordered by the database: SQLite would walk through the whole month to save itself the sorting.
    rows = connection.execute(
        select(receipt).where(receipt.c.month == month_of(submission_id), receipt.c.submission_id == submission_id)
    ).all()
    return sorted(rows, key=lambda row: row.id.int)


def lines_of(packed: bytes | None) -> list[AnswerLine]:
    """The lines of a stored receipt."""
    if packed is None:
        return []
    return _LINES.decode(zstandard.ZstdDecompressor().decompress(packed))
