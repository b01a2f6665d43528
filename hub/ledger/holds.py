"""Holds: records that wait for something, with a due time; and how they end."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, and_, exists, or_, select, update

from hub.ledger import bulk
from hub.ledger.sql import among
from hub.ledger.tables import finding, hold, record, record_head, submission
from hub.ledger.types import month_of
from standards.states import Verdict

SUPERSEDED = "20007"


@dataclass(frozen=True, slots=True)
class Held:
    """A record that waits."""

    submission_id: UUID
    row_no: int
    key_hash: bytes
    owner: str
    party: str
    dataset: str
    code: str
    wait_for: bytes | None
    due_at: datetime


_COLUMNS = (
    hold.c.submission_id,
    hold.c.row_no,
    hold.c.key_hash,
    hold.c.owner,
    hold.c.party,
    hold.c.dataset,
    hold.c.code,
    hold.c.wait_for,
    hold.c.due_at,
)


def _of(row: Row[Any]) -> Held:
    return Held(*row)


def ready(connection: Connection, limit: int, but: Sequence[str] = ()) -> list[Held]:
    """Holds whose awaited record has come; `but`: codes of those that wait for something else first."""
    there = exists().where(record_head.c.key_hash == hold.c.wait_for, record_head.c.operation != "d")
    statement = select(*_COLUMNS).where(hold.c.ended_at.is_(None), hold.c.wait_for.isnot(None), there)
    statement = statement.where(hold.c.code.notin_(but)).limit(limit)
    return [_of(r) for r in connection.execute(statement)]


def waiting_for_base(
    connection: Connection, codes: Sequence[str], after: tuple[UUID, int] | None, limit: int
) -> list[Held]:
    """Holds with one of these codes, in their order, behind `after`."""
    statement = select(*_COLUMNS).where(hold.c.ended_at.is_(None), hold.c.code.in_(codes))
    if after is not None:
        later = and_(hold.c.submission_id == after[0], hold.c.row_no > after[1])
        statement = statement.where(or_(hold.c.submission_id > after[0], later))
    return [_of(r) for r in connection.execute(statement.order_by(hold.c.submission_id, hold.c.row_no).limit(limit))]


def recode(connection: Connection, held: Held, code: str, *, ready: bool = True) -> None:
    """It waits for something else now; not `ready`: no longer for the record it names."""
    connection.execute(
        update(hold)
        .where(hold.c.submission_id == held.submission_id, hold.c.row_no == held.row_no, hold.c.ended_at.is_(None))
        .values(code=code, **({} if ready else {"wait_for": None}))
    )


def other_reason(connection: Connection, held: Held, but: Sequence[str]) -> str:
    """Why a record is held besides these codes; '' when for nothing else."""
    return (
        connection.execute(
            select(finding.c.code)
            .where(
                finding.c.month == month_of(held.submission_id),
                finding.c.submission_id == held.submission_id,
                finding.c.row_no == held.row_no,
                finding.c.severity == "hold",
                finding.c.code.notin_(but),
            )
            .order_by(finding.c.no)
            .limit(1)
        ).scalar()
        or ""
    )


def overdue(connection: Connection, now: datetime, limit: int) -> list[Held]:
    """Holds whose due time has passed and that are not a case yet."""
    statement = (
        select(*_COLUMNS)
        .where(hold.c.ended_at.is_(None), hold.c.due_at <= now, hold.c.ending == "")
        .order_by(hold.c.due_at)
        .limit(limit)
    )
    return [_of(r) for r in connection.execute(statement)]


def mark_overdue(connection: Connection, held: Sequence[Held]) -> None:
    """These have become cases; they still wait."""
    for one in held:
        connection.execute(
            update(hold)
            .where(hold.c.submission_id == one.submission_id, hold.c.row_no == one.row_no)
            .values(ending="overdue")
        )


def end(connection: Connection, submission_id: UUID, row_no: int, ending: str, now: datetime) -> bool:
    """A hold ended; False when it had ended before."""
    statement = (
        update(hold)
        .where(hold.c.submission_id == submission_id, hold.c.row_no == row_no, hold.c.ended_at.is_(None))
        .values(ended_at=now, ending=ending)
    )
    return connection.execute(statement).rowcount == 1


def supersede(connection: Connection, keys: Sequence[bytes], by: UUID, now: datetime) -> int:
    """A newer report of these keys came: what was held gives way, is rejected, and its receipt says so."""
    rows = connection.execute(
        update(hold)
        .where(among(connection, hold.c.key_hash, keys), hold.c.ended_at.is_(None), hold.c.submission_id != by)
        .values(ended_at=now, ending="superseded")
        .returning(hold.c.submission_id, hold.c.row_no, hold.c.party, hold.c.dataset)
    ).all()
    for submission_id, row_no, party, dataset in rows:
        turn(connection, submission_id, row_no, Verdict.REJECTED)
        add_finding(connection, submission_id, row_no, party, dataset, SUPERSEDED, "warning")
    for submission_id, count in Counter(r[0] for r in rows).items():
        recount(connection, submission_id, {"held": -count, "rejected": count})
    return len(rows)


def turn(connection: Connection, submission_id: UUID, row_no: int, verdict: Verdict, **values: Any) -> None:
    """A record's verdict changed after it was judged."""
    connection.execute(
        update(record)
        .where(
            record.c.month == month_of(submission_id),
            record.c.submission_id == submission_id,
            record.c.row_no == row_no,
        )
        .values(verdict=str(verdict), **values)
    )


def recount(connection: Connection, submission_id: UUID, change: dict[str, int], parcels: int = 0) -> None:
    """Counts of a judged submission changed: its receipt gets a new version."""
    values: dict[str, Any] = {name: submission.c[name] + n for name, n in change.items() if n}
    connection.execute(
        update(submission)
        .where(submission.c.month == month_of(submission_id), submission.c.id == submission_id)
        .values(
            version=submission.c.version + 1,
            open_parcels=submission.c.open_parcels + parcels,
            **({"state": "judged", "settled_at": None} if parcels else {}),
            **values,
        )
    )


def add_finding(
    connection: Connection,
    submission_id: UUID,
    row_no: int,
    party: str,
    dataset: str,
    code: str,
    severity: str,
    *,
    element: str = "",
    value: str = "",
    params: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Say something more about a record that was judged before."""
    taken = connection.execute(
        select(finding.c.no)
        .where(
            finding.c.month == month_of(submission_id),
            finding.c.submission_id == submission_id,
            finding.c.row_no == row_no,
        )
        .order_by(finding.c.no.desc())
        .limit(1)
    ).scalar()
    place = connection.execute(
        select(record.c.place).where(
            record.c.month == month_of(submission_id),
            record.c.submission_id == submission_id,
            record.c.row_no == row_no,
        )
    ).scalar()
    bulk.insert(
        connection,
        finding,
        {
            "month": month_of(submission_id),
            "submission_id": submission_id,
            "row_no": row_no,
            "no": (taken or 0) + 1,
            "party": party,
            "dataset": dataset,
            "element": element,
            "field": "",
            "place": place or "",
            "code": code,
            "severity": severity,
            "value": value,
            "params": json.dumps(dict(params), ensure_ascii=False),
        },
        1,
    )
