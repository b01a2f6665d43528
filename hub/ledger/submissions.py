"""Submissions in the ledger: kept, claimed for translation, judged, settled."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, case, delete, literal_column, or_, select, update

from hub.ledger.sql import among, insert_new
from hub.ledger.tables import payload, submission, submission_key
from hub.ledger.types import month_of
from standards.states import SubmissionState

_OPEN = (SubmissionState.RECEIVED, SubmissionState.TRANSLATING, SubmissionState.STALLED)
#: Written out: SQLite knows the partial index only by its very words.
UNFINISHED = submission.c.state.in_([literal_column(f"'{state}'") for state in _OPEN])
JUDGED = submission.c.state == literal_column(f"'{SubmissionState.JUDGED}'")


def among_states(states: Collection[str]) -> list[ColumnElement[bool]]:
    """In one of these states, in words by which the few that are not settled are found by an index."""
    said: list[ColumnElement[bool]] = [submission.c.state.in_(list(states))]
    if set(states) <= set(_OPEN):
        said.append(UNFINISHED)
    elif set(states) == {SubmissionState.JUDGED}:
        said.append(JUDGED)
    return said


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One hand-over as it stands in the ledger."""

    id: UUID
    receipt_no: str
    version: int = 0
    party: str
    connection: str
    dataset: str
    external_id: str = ""
    lane: str
    report_way: str = "4"
    test: bool = False
    kind: str = "submission"
    origin_id: UUID | None = None
    name: str = ""
    content_type: str = ""
    size: int
    digest: str
    format: str = ""
    encoding: str = ""
    decoded_by: str = ""
    traceparent: str = ""
    hops: str = ""
    generation: int | None = None
    state: str = SubmissionState.RECEIVED
    problem: str = ""
    problem_detail: str = ""
    received_at: datetime
    judged_at: datetime | None = None
    settled_at: datetime | None = None
    due_at: datetime | None = None
    lease_owner: str | None = None
    lease_until: datetime | None = None
    chunks: int = 0
    bookmark: str = ""
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    held: int = 0
    duplicate: int = 0
    open_parcels: int = 0

    @property
    def month(self) -> int:
        """The partition of everything that belongs to it."""
        return month_of(self.id)

    def problem_words(self) -> dict[str, str]:
        """What makes it unreadable or stalled, in both languages; empty when nothing does."""
        return json.loads(self.problem_detail) if self.problem_detail else {}


_COLUMNS = [submission.c[f.name] for f in fields(Submission)]


def _of(row: Row[Any]) -> Submission:
    return Submission(**row._mapping)


def _is(identifier: UUID) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return submission.c.month == month_of(identifier), submission.c.id == identifier


@dataclass(frozen=True, slots=True)
class KnownKey:
    """A submission id that was used before."""

    submission_id: UUID
    digest: str


def key_of(connection: Connection, name: str, external_id: str) -> KnownKey | None:
    """What a submission id of a connection was used for."""
    row = connection.execute(
        select(submission_key.c.submission_id, submission_key.c.digest).where(
            submission_key.c.connection == name, submission_key.c.external_id == external_id
        )
    ).one_or_none()
    return None if row is None else KnownKey(row[0], row[1])


def add(connection: Connection, new: Submission) -> KnownKey | None:
    """Keep a submission; when its id was used before, nothing is written and what it was used for is returned."""
    if new.external_id:
        values = {
            "connection": new.connection,
            "external_id": new.external_id,
            "submission_id": new.id,
            "digest": new.digest,
            "created_at": new.received_at,
        }
        if not insert_new(connection, submission_key, values):
            return key_of(connection, new.connection, new.external_id)
    values = {f.name: getattr(new, f.name) for f in fields(Submission)}
    connection.execute(submission.insert().values(month=new.month, **values))
    return None


def add_part(
    connection: Connection, submission_id: UUID, part: int, raw_size: int, data: bytes, key_ref: str | None
) -> None:
    """Keep a piece of the raw bytes."""
    connection.execute(
        payload.insert().values(
            month=month_of(submission_id),
            submission_id=submission_id,
            part=part,
            raw_size=raw_size,
            data=data,
            key_ref=key_ref,
        )
    )


def drop_parts(connection: Connection, submission_id: UUID) -> None:
    """Forget the pieces of a hand-over that was not completed."""
    connection.execute(
        delete(payload).where(payload.c.month == month_of(submission_id), payload.c.submission_id == submission_id)
    )


def part_sizes(connection: Connection, submission_id: UUID) -> list[int]:
    """The raw sizes of the pieces, in order."""
    return list(
        connection.execute(
            select(payload.c.raw_size)
            .where(payload.c.month == month_of(submission_id), payload.c.submission_id == submission_id)
            .order_by(payload.c.part)
        ).scalars()
    )


def part(connection: Connection, submission_id: UUID, number: int) -> tuple[bytes, str | None] | None:
    """One piece as it is stored, and which key it is closed with; None when it is no longer kept."""
    row = connection.execute(
        select(payload.c.data, payload.c.key_ref).where(
            payload.c.month == month_of(submission_id),
            payload.c.submission_id == submission_id,
            payload.c.part == number,
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def get(connection: Connection, identifier: UUID) -> Submission | None:
    """A submission by its id."""
    row = connection.execute(select(*_COLUMNS).where(*_is(identifier))).one_or_none()
    return None if row is None else _of(row)


def origins_of(connection: Connection, identifiers: Collection[UUID]) -> dict[UUID, UUID]:
    """What these replay; those that are no replay are left out."""
    if not identifiers:
        return {}
    rows = connection.execute(
        select(submission.c.id, submission.c.origin_id).where(
            submission.c.month.in_(sorted({month_of(one) for one in identifiers})),
            among(connection, submission.c.id, list(identifiers)),
            submission.c.origin_id.is_not(None),
        )
    )
    return {row[0]: row[1] for row in rows}


def by_ids(connection: Connection, identifiers: Collection[UUID]) -> dict[UUID, tuple[str, str]]:
    """Receipt number and connection of these."""
    if not identifiers:
        return {}
    rows = connection.execute(
        select(submission.c.id, submission.c.receipt_no, submission.c.connection).where(
            submission.c.month.in_(sorted({month_of(one) for one in identifiers})),
            among(connection, submission.c.id, list(identifiers)),
        )
    )
    return {row[0]: (row[1], row[2]) for row in rows}


def by_receipt(connection: Connection, receipt_no: str) -> Submission | None:
    """A submission by its receipt number."""
    row = connection.execute(
        select(*_COLUMNS).where(submission.c.month.in_(_months_near(receipt_no)), submission.c.receipt_no == receipt_no)
    ).one_or_none()
    return None if row is None else _of(row)


def states(connection: Connection, receipt_nos: Sequence[str]) -> dict[str, str]:
    """The states of submissions by their receipt numbers; unknown ones are absent."""
    months = {month for number in receipt_nos for month in _months_near(number)}
    rows = connection.execute(
        select(submission.c.receipt_no, submission.c.state).where(
            submission.c.month.in_(sorted(months)), among(connection, submission.c.receipt_no, receipt_nos)
        )
    )
    return {row.receipt_no: row.state for row in rows}


def _months_near(receipt_no: str) -> list[int]:
    """The months in which a submission of this number may stand."""
    day = receipt_no[:6]
    if not day.isdigit():
        return []
    month = 200_000 + int(day[:4])
    return [month - 1 if month % 100 > 1 else month - 89, month, month + 1 if month % 100 < 12 else month + 89]


def claim(
    connection: Connection, identifier: UUID, owner: str, now: datetime, lease: timedelta, generation: int
) -> Submission | None:
    """Take a submission for translation; None when there is nothing to do or somebody else is at it.

    One that has no chunk yet is translated under `generation`; one that was begun keeps its own.
    """
    row = connection.execute(
        update(submission)
        .where(
            *_is(identifier),
            submission.c.state.in_(_OPEN),
            or_(submission.c.lease_until.is_(None), submission.c.lease_until <= now, submission.c.lease_owner == owner),
        )
        .values(
            state=SubmissionState.TRANSLATING,
            lease_owner=owner,
            lease_until=now + lease,
            due_at=now + lease,
            problem="",
            problem_detail="",
            generation=case(
                (or_(submission.c.chunks == 0, submission.c.generation.is_(None)), generation),
                else_=submission.c.generation,
            ),
        )
        .returning(*_COLUMNS)
    ).one_or_none()
    return None if row is None else _of(row)


def change(connection: Connection, identifier: UUID, owner: str | None = None, **values: Any) -> bool:
    """Change columns of a submission, if `owner` still holds it; True when it was changed."""
    statement = update(submission).where(*_is(identifier))
    if owner is not None:
        statement = statement.where(submission.c.lease_owner == owner)
    return connection.execute(statement.values(**values)).rowcount == 1


def advance(
    connection: Connection,
    identifier: UUID,
    owner: str,
    *,
    chunk: int,
    lease_until: datetime,
    bookmark: str,
    counts: dict[str, int],
    parcels: int,
) -> bool:
    """Add a stored chunk to a submission; False when it was stored before or somebody else is at it."""
    statement = (
        update(submission)
        .where(*_is(identifier), submission.c.lease_owner == owner, submission.c.chunks == chunk)
        .values(
            chunks=chunk + 1,
            lease_until=lease_until,
            due_at=lease_until,
            bookmark=bookmark,
            open_parcels=submission.c.open_parcels + parcels,
            **{name: submission.c[name] + n for name, n in counts.items()},
        )
    )
    return connection.execute(statement).rowcount == 1


def end_parcels(connection: Connection, identifier: UUID, ended: int, added: int, now: datetime) -> bool:
    """Parcels of a submission ended (and others took their place); True when it is settled by that."""
    row = connection.execute(
        update(submission)
        .where(*_is(identifier))
        .values(open_parcels=submission.c.open_parcels - ended + added)
        .returning(submission.c.open_parcels, submission.c.state)
    ).one_or_none()
    if row is None or row[0] > 0 or row[1] != SubmissionState.JUDGED:
        return False
    return settle(connection, identifier, now)


def reopen(connection: Connection, identifier: UUID, parcels: int) -> None:
    """Parcels that had ended are on the way again."""
    connection.execute(
        update(submission)
        .where(*_is(identifier))
        .values(
            open_parcels=submission.c.open_parcels + parcels,
            state=case(
                (submission.c.state == SubmissionState.SETTLED, SubmissionState.JUDGED), else_=submission.c.state
            ),
            settled_at=None,
            version=submission.c.version + 1,
        )
    )


def settle(connection: Connection, identifier: UUID, now: datetime) -> bool:
    """Judged, and nothing on the way any more: settled.  (A hold that resolves later opens it again.)"""
    statement = (
        update(submission)
        .where(
            *_is(identifier),
            submission.c.state == SubmissionState.JUDGED,
            submission.c.open_parcels == 0,
        )
        .values(state=SubmissionState.SETTLED, settled_at=now, version=submission.c.version + 1)
    )
    return connection.execute(statement).rowcount == 1


def overdue(connection: Connection, now: datetime, limit: int, generation: int) -> list[tuple[UUID, str]]:
    """Submissions whose work should be under way but is not: id and lane.

    A stalled one is tried again when its time has come, and at once under a newer generation.
    """
    mended = and_(
        submission.c.state == SubmissionState.STALLED, submission.c.chunks == 0, submission.c.generation < generation
    )
    rows = connection.execute(
        select(submission.c.id, submission.c.lane)
        .where(UNFINISHED, or_(submission.c.due_at <= now, mended))
        .order_by(submission.c.due_at)
        .limit(limit)
    )
    return [(r[0], r[1]) for r in rows]


def postpone(connection: Connection, identifiers: Sequence[UUID], until: datetime) -> None:
    """Look at these again at `until`."""
    for identifier in identifiers:
        connection.execute(update(submission).where(*_is(identifier)).values(due_at=until))


def listed(
    connection: Connection,
    *,
    party: str | None = None,
    connection_name: str | None = None,
    states: Sequence[str] = (),
    since: datetime | None = None,
    limit: int = 100,
) -> Iterator[Submission]:
    """Submissions, newest first."""
    statement = select(*_COLUMNS)
    if party is not None:
        statement = statement.where(submission.c.party == party)
    if connection_name is not None:
        statement = statement.where(submission.c.connection == connection_name)
    if states:
        statement = statement.where(submission.c.state.in_(states))
    if since is not None:
        statement = statement.where(submission.c.received_at >= since)
    for row in connection.execute(statement.order_by(submission.c.received_at.desc()).limit(limit)):
        yield _of(row)
