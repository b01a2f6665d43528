"""Replays: which stored records go through today's settings once more, and how far that has come."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import zstandard
from sqlalchemy import Connection, and_, bindparam, func, select, update

from hub.ledger.cases import Selection
from hub.ledger.tables import case_, parcel, record, record_head, replay, replay_part, submission
from hub.ledger.types import month_of
from standards.states import CaseClass, CaseState, SubmissionState, Verdict

WAITING, RUNNING, PAUSED, DONE, CANCELLED = "waiting", "running", "paused", "done", "cancelled"


class Stage(StrEnum):
    """From where a record goes once more."""

    RAW = "raw"  # what was handed over: mapped, judged, sent
    MAPPED = "mapped"  # its mapped content: judged, sent
    DELIVERY = "delivery"  # the parcels that were accepted: sent


_UNFINISHED = (SubmissionState.RECEIVED, SubmissionState.TRANSLATING, SubmissionState.STALLED)


@dataclass(frozen=True, slots=True)
class Part:
    """Records of one hand-over."""

    origin_id: UUID
    rows: tuple[int, ...]
    #: Of what is only sent once more: the parcel.
    parcel_id: UUID | None = None


def of_cases(connection: Connection, which: Selection) -> list[Part]:
    """The records of open cases of data that were wrong or refused, by hand-over, in the order they came."""
    found = connection.execute(
        select(case_.c.submission_id, case_.c.row_no)
        .where(
            *which.conditions(),
            case_.c.submission_id.is_not(None),
            case_.c.row_no.is_not(None),
            case_.c.class_.in_([CaseClass.WRONG, CaseClass.INCONSISTENT]),
        )
        .order_by(case_.c.submission_id, case_.c.row_no)
    )
    return parts_of((row[0], row[1]) for row in found)


def of_submission(connection: Connection, identifier: UUID, rows: Sequence[int]) -> list[Part]:
    """These records of one hand-over; none named: every one that was rejected."""
    if rows:
        return [Part(identifier, tuple(sorted(set(rows))))]
    found = connection.execute(
        select(record.c.submission_id, record.c.row_no)
        .where(
            record.c.month == month_of(identifier),
            record.c.submission_id == identifier,
            record.c.verdict == Verdict.REJECTED,
        )
        .order_by(record.c.row_no)
    )
    return parts_of((row[0], row[1]) for row in found)


def parts_of(found: Iterable[tuple[UUID, int]]) -> list[Part]:
    """Records as parts, one for each hand-over."""
    held: dict[UUID, dict[int, None]] = {}
    for identifier, row in found:
        held.setdefault(identifier, {})[row] = None
    return [Part(identifier, tuple(rows)) for identifier, rows in held.items()]


@dataclass(frozen=True, slots=True)
class Mending:
    """What a replay mends: `repair` as Repair.text() gives it, and who allowed it."""

    repair: str = ""
    consent: str = ""
    #: A second person must approve it first.
    waits: bool = False
    undoes: UUID | None = None
    stage: Stage = Stage.RAW
    #: Who says that a repeat does no harm.
    sure: str = ""


def add(
    connection: Connection,
    identifier: UUID,
    parts: Sequence[Part],
    *,
    by: str,
    reason: str,
    chosen: str,
    now: datetime,
    mending: Mending | None = None,
) -> None:
    """Write a replay down; it runs, or waits to be approved."""
    mending = mending or Mending()
    begins = WAITING if mending.waits else RUNNING
    count = sum(len(part.rows) for part in parts)
    connection.execute(
        replay.insert().values(
            id=identifier,
            made_at=now,
            made_by=by,
            reason=reason,
            selection=chosen,
            state=begins if parts else DONE,
            parts=len(parts),
            records=count,
            ended_at=None if parts else now,
            repair=mending.repair,
            consent=mending.consent,
            undoes=mending.undoes,
            stage=mending.stage,
            sure=mending.sure,
        )
    )
    if parts:
        connection.execute(
            replay_part.insert(),
            [
                {
                    "replay_id": identifier,
                    "no": number,
                    "origin_id": part.origin_id,
                    "rows": zstandard.compress(json.dumps(part.rows).encode()),
                    "count": len(part.rows),
                    "parcel_id": part.parcel_id,
                }
                for number, part in enumerate(parts, 1)
            ],
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """What a replaying hand-over takes through."""

    #: The hand-over whose records they are; not always the one that was first handed over.
    source_id: UUID
    rows: frozenset[int]
    stage: Stage
    #: What is mended in them, as Repair.text() gives it.
    repair: str


def taken_by(connection: Connection, submission_id: UUID) -> Taken:
    """What a replaying hand-over takes through."""
    row = connection.execute(
        select(replay_part.c.origin_id, replay_part.c.rows, replay.c.stage, replay.c.repair)
        .join(replay, replay_part.c.replay_id == replay.c.id)
        .where(replay_part.c.submission_id == submission_id)
    ).one()
    return Taken(row[0], frozenset(json.loads(zstandard.decompress(row[1]))), Stage(row[2]), row[3])


def repair_text(connection: Connection, identifier: UUID) -> str:
    """What a replay mends."""
    return str(connection.execute(select(replay.c.repair).where(replay.c.id == identifier)).scalar_one())


def stage_of(connection: Connection, identifier: UUID) -> Stage:
    """From where it takes its records."""
    return Stage(connection.execute(select(replay.c.stage).where(replay.c.id == identifier)).scalar_one())


def undoes(connection: Connection, identifier: UUID) -> UUID | None:
    """The repair that a replay takes back."""
    found: UUID | None = connection.execute(select(replay.c.undoes).where(replay.c.id == identifier)).scalar_one()
    return found


def approve(connection: Connection, identifier: UUID, by: str) -> bool:
    """A second person lets it run; False when it waits for nobody, or was made by the same."""
    statement = update(replay).where(
        replay.c.id == identifier, replay.c.state == WAITING, replay.c.made_by != by, replay.c.ended_at.is_(None)
    )
    return connection.execute(statement.values(state=RUNNING, approved_by=by)).rowcount == 1


def undoing(connection: Connection, identifier: UUID) -> UUID | None:
    """The replay that takes back what this one let through."""
    return connection.execute(select(replay.c.id).where(replay.c.undoes == identifier)).scalar_one_or_none()


def let_through(connection: Connection, identifier: UUID) -> tuple[list[Part], int]:
    """Records that a repair let through and that nobody reported since, in the rows of what was handed over.

    Also how many cannot be taken back: there is an older revision behind them, or a newer one before them.
    """
    parts: list[Part] = []
    left = 0
    made = connection.execute(
        select(replay_part.c.origin_id, replay_part.c.submission_id, replay_part.c.rows)
        .where(replay_part.c.replay_id == identifier, replay_part.c.submission_id.is_not(None))
        .order_by(replay_part.c.no)
    ).all()
    for origin, made_id, packed in made:
        taken = sorted(json.loads(zstandard.decompress(packed)))
        found = connection.execute(
            select(record.c.row_no, record.c.revision, record_head.c.submission_id)
            .join(record_head, and_(record_head.c.key_hash == record.c.key_hash, record_head.c.owner == record.c.owner))
            .where(
                record.c.month == month_of(made_id),
                record.c.submission_id == made_id,
                record.c.verdict == Verdict.ACCEPTED,
            )
            .order_by(record.c.row_no)
        ).all()
        rows = [taken[row - 1] for row, revision, newest in found if revision == 1 and newest == made_id]
        left += len(found) - len(rows)
        if rows:
            parts.append(Part(origin, tuple(rows)))
    return parts, left


def reopen(connection: Connection, identifier: UUID, undo: UUID, said: str) -> int:
    """Open the cases again that the records of a repair closed, of those that its undoing took back."""
    taken_back = select(replay_part.c.submission_id).where(
        replay_part.c.replay_id == undo, replay_part.c.submission_id.is_not(None)
    )
    ids = select(replay_part.c.submission_id).where(
        replay_part.c.replay_id == identifier, replay_part.c.submission_id.is_not(None)
    )
    again = case_.alias()
    statement = (
        update(case_)
        .where(
            case_.c.closing_id.in_(ids),
            select(record_head.c.key_hash)
            .where(
                record_head.c.key_hash == case_.c.key_hash,
                record_head.c.owner == case_.c.owner,
                record_head.c.operation == "d",
                record_head.c.submission_id.in_(taken_back),
            )
            .exists(),
            ~select(again.c.id)
            .where(
                again.c.key_hash == case_.c.key_hash,
                again.c.owner == case_.c.owner,
                again.c.class_ == case_.c.class_,
                again.c.destination == case_.c.destination,
                again.c.closed_at.is_(None),
            )
            .exists(),
        )
        .values(
            state=str(CaseState.OPEN),
            closed_at=None,
            closed_by="",
            closing_id=None,
            closing_row=None,
            taken_at=None,
            taken_by="",
            note=case_.c.note + said,
        )
    )
    return connection.execute(statement).rowcount


def get(connection: Connection, identifier: UUID) -> Any | None:
    """A replay."""
    return connection.execute(select(replay).where(replay.c.id == identifier)).one_or_none()


def listed(connection: Connection, limit: int) -> list[Any]:
    """Replays, the newest first."""
    return list(connection.execute(select(replay).order_by(replay.c.made_at.desc()).limit(limit)))


def running(connection: Connection) -> list[UUID]:
    """Those that go on."""
    return list(connection.execute(select(replay.c.id).where(replay.c.state == RUNNING)).scalars())


def waiting(connection: Connection, identifier: UUID, limit: int) -> list[tuple[int, UUID]]:
    """Parts that were not begun: number, and origin or parcel."""
    rows = connection.execute(
        select(replay_part.c.no, func.coalesce(replay_part.c.parcel_id, replay_part.c.origin_id))
        .where(
            replay_part.c.replay_id == identifier,
            replay_part.c.submission_id.is_(None),
            replay_part.c.begun_at.is_(None),
        )
        .order_by(replay_part.c.no)
        .limit(limit)
    )
    return [(row[0], row[1]) for row in rows]


def begun(connection: Connection, identifier: UUID, parts: Sequence[tuple[int, UUID]]) -> None:
    """Parts became hand-overs: number and its submission."""
    connection.execute(
        update(replay_part)
        .where(replay_part.c.replay_id == identifier, replay_part.c.no == bindparam("b_no"))
        .values(submission_id=bindparam("b_id")),
        [{"b_no": number, "b_id": one} for number, one in parts],
    )


def sent(connection: Connection, identifier: UUID, numbers: Sequence[int], now: datetime) -> list[int]:
    """Parts whose parcels are sent once more now; those that another process began are left out."""
    rows = connection.execute(
        update(replay_part)
        .where(
            replay_part.c.replay_id == identifier,
            replay_part.c.no.in_(list(numbers)),
            replay_part.c.begun_at.is_(None),
        )
        .values(begun_at=now)
        .returning(replay_part.c.no)
    )
    return list(rows.scalars())


def change(connection: Connection, identifier: UUID, state: str, before: Sequence[str], now: datetime) -> bool:
    """Pause, go on, cancel, end; False when it stands in none of the states it must."""
    ended = now if state in (DONE, CANCELLED) else None
    statement = update(replay).where(replay.c.id == identifier, replay.c.state.in_(list(before)))
    return connection.execute(statement.values(state=state, ended_at=ended)).rowcount == 1


def progress(connection: Connection, identifier: UUID) -> dict[str, int]:
    """What became of a replay so far: parts begun and unfinished, and the verdicts of its records."""
    names = ("read", "accepted", "rejected", "held", "duplicate")
    if stage_of(connection, identifier) is Stage.DELIVERY:
        return _sent_so_far(connection, identifier)
    ids = list(
        connection.execute(
            select(replay_part.c.submission_id).where(
                replay_part.c.replay_id == identifier, replay_part.c.submission_id.is_not(None)
            )
        ).scalars()
    )
    sums = dict.fromkeys((*names, "unfinished"), 0)
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        row = connection.execute(
            select(
                *(func.coalesce(func.sum(submission.c[name]), 0) for name in names),
                func.count().filter(submission.c.state.in_(_UNFINISHED)),
            ).where(submission.c.month.in_(sorted({month_of(i) for i in part})), submission.c.id.in_(part))
        ).one()
        for name, value in zip(sums, row, strict=True):
            sums[name] += int(value)
    return {"begun": len(ids), **sums}


def _sent_so_far(connection: Connection, identifier: UUID) -> dict[str, int]:
    """What became of parcels that are sent once more; `rejected`: records that the receiver refused."""
    ids = list(
        connection.execute(
            select(replay_part.c.parcel_id).where(
                replay_part.c.replay_id == identifier, replay_part.c.begun_at.is_not(None)
            )
        ).scalars()
    )
    sums = {"begun": len(ids), **dict.fromkeys(("read", "accepted", "rejected", "held", "duplicate", "unfinished"), 0)}
    for start in range(0, len(ids), 500):
        part = ids[start : start + 500]
        ended = parcel.c.ended_at.is_not(None)
        row = connection.execute(
            select(
                func.coalesce(func.sum(parcel.c.count), 0),
                func.coalesce(func.sum(parcel.c.accepted).filter(ended), 0),
                func.coalesce(func.sum(parcel.c.refused).filter(ended), 0),
                func.count().filter(~ended),
            ).where(parcel.c.month.in_(sorted({month_of(i) for i in part})), parcel.c.id.in_(part))
        ).one()
        for name, value in zip(("read", "accepted", "rejected", "unfinished"), row, strict=True):
            sums[name] += int(value)
    return sums
