"""The newest revisions of records, out of the chunks: by subject, by key, or one chunk after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, Select, and_, or_, select

from hub.dispatch.contents import Contents
from hub.ledger.sql import among
from hub.ledger.tables import chunk, record, record_head
from hub.ledger.types import month_of
from standards.errors import HubError


@dataclass(frozen=True, slots=True)
class Stored:
    """The newest revision of one record."""

    dataset: str
    owner: str
    party: str
    cd_id: str
    revision: int
    event_date: str
    submission_id: UUID
    row_no: int
    key_hash: bytes
    values: dict[str, str]


_HEAD = (
    record_head.c.dataset,
    record_head.c.owner,
    record_head.c.party,
    record_head.c.cd_id,
    record_head.c.revision,
    record_head.c.event_date,
    record_head.c.submission_id,
    record_head.c.row_no,
    record_head.c.key_hash,
)
_VALUES = msgspec.json.Decoder(dict[str, str])


def by_subject(
    connection: Connection,
    contents: Contents,
    subjects: Sequence[str],
    *,
    datasets: Sequence[str] = (),
    owners: Sequence[str] = (),
    since: str = "",
    until: str = "",
    limit: int = 1000,
) -> list[Stored]:
    """Records about these subjects (credit codes), by data set and event date."""
    statement = select(*_HEAD).where(
        record_head.c.subject != "", among(connection, record_head.c.subject, list(subjects))
    )
    return _found(connection, contents, statement, datasets, owners, since, until, limit)


def by_key(
    connection: Connection, contents: Contents, keys: Sequence[bytes], *, owners: Sequence[str] = ()
) -> list[Stored]:
    """Records with these keys."""
    statement = select(*_HEAD).where(among(connection, record_head.c.key_hash, list(keys)))
    return _found(connection, contents, statement, (), owners, "", "", len(keys) * 10 + 10)


def _found(
    connection: Connection,
    contents: Contents,
    statement: Select[Any],
    datasets: Sequence[str],
    owners: Sequence[str],
    since: str,
    until: str,
    limit: int,
) -> list[Stored]:
    statement = statement.where(record_head.c.operation != "d")
    if datasets:
        statement = statement.where(record_head.c.dataset.in_(list(datasets)))
    if owners:
        statement = statement.where(record_head.c.owner.in_(list(owners)))
    if since:
        statement = statement.where(record_head.c.event_date >= since)
    if until:
        statement = statement.where(record_head.c.event_date <= until)
    heads = connection.execute(
        statement.order_by(record_head.c.dataset, record_head.c.event_date, record_head.c.cd_id).limit(limit)
    ).all()
    return with_values(connection, contents, heads)


def with_values(connection: Connection, contents: Contents, heads: Sequence[Row[Any]]) -> list[Stored]:
    """The content of heads, in their order; what is no longer kept is left out."""
    where = _places(connection, [(head.submission_id, head.row_no) for head in heads])
    result = []
    for head in heads:
        place = where.get((head.submission_id, head.row_no))
        if place is None:
            continue
        try:
            lines = contents.of(connection, head.submission_id, place[0]).lines
        except HubError:
            continue
        result.append(_stored(head, lines[place[1]]))
    return result


def _places(connection: Connection, rows: Sequence[tuple[UUID, int]]) -> dict[tuple[UUID, int], tuple[int, int]]:
    """Chunk and line of records."""
    where: dict[tuple[UUID, int], tuple[int, int]] = {}
    by_submission: dict[UUID, list[int]] = {}
    for submission, row_no in rows:
        by_submission.setdefault(submission, []).append(row_no)
    conditions = [
        and_(record.c.month == month_of(one), record.c.submission_id == one, record.c.row_no.in_(numbers))
        for one, numbers in by_submission.items()
    ]
    for start in range(0, len(conditions), _AT_ONCE):
        statement = select(record.c.submission_id, record.c.row_no, record.c.chunk, record.c.idx)
        for row in connection.execute(statement.where(or_(*conditions[start : start + _AT_ONCE]))):
            if row.idx is not None:
                where[row.submission_id, row.row_no] = (row.chunk, row.idx)
    return where


def _stored(head: Row[Any], line: bytes) -> Stored:
    return Stored(
        dataset=head.dataset,
        owner=head.owner,
        party=head.party,
        cd_id=head.cd_id,
        revision=head.revision,
        event_date=head.event_date,
        submission_id=head.submission_id,
        row_no=head.row_no,
        key_hash=head.key_hash,
        values=_VALUES.decode(line),
    )


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where a walk over the chunks of a data set goes on."""

    month: int = 0
    submission: str = ""
    seq: int = -1

    @classmethod
    def read(cls, text: str) -> Cursor:
        """From what `__str__` gave; raises ValueError."""
        if not text:
            return cls()
        month, submission, seq = text.split(".")
        UUID(submission)
        return cls(int(month), submission, int(seq))

    def __str__(self) -> str:
        return f"{self.month}.{self.submission}.{self.seq}"


def walk(
    connection: Connection,
    contents: Contents,
    dataset: str,
    *,
    owners: Sequence[str] | None,
    since: str = "",
    until: str = "",
    after: Cursor | None = None,
) -> Iterator[tuple[Cursor, list[Stored]]]:
    """Every newest record of a data set, one chunk after the other; the cursor goes on behind that chunk.

    `owners`: only theirs; None for the hub's own evaluation over all of them.
    """
    at = after or Cursor()
    while True:
        behind = chunk.c.month > at.month
        if at.submission:
            identifier = UUID(at.submission)
            behind = or_(
                behind,
                and_(chunk.c.month == at.month, chunk.c.submission_id > identifier),
                and_(chunk.c.month == at.month, chunk.c.submission_id == identifier, chunk.c.seq > at.seq),
            )
        rows = connection.execute(
            select(chunk.c.month, chunk.c.submission_id, chunk.c.seq, chunk.c.first_row, chunk.c.count)
            .where(chunk.c.dataset == dataset, chunk.c.content.is_not(None), behind)
            .order_by(chunk.c.month, chunk.c.submission_id, chunk.c.seq)
            .limit(_CHUNKS)
        ).all()
        if not rows:
            return
        for row in rows:
            at = Cursor(row.month, str(row.submission_id), row.seq)
            yield at, _of_chunk(connection, contents, dataset, row, owners, since, until)


def _of_chunk(
    connection: Connection,
    contents: Contents,
    dataset: str,
    row: Row[Any],
    owners: Sequence[str] | None,
    since: str,
    until: str,
) -> list[Stored]:
    """The records of a chunk that are still the newest revision of their key."""
    last = row.first_row + row.count - 1
    statement = (
        select(*_HEAD, record.c.idx)
        .join(record_head, and_(record_head.c.key_hash == record.c.key_hash, record_head.c.owner == record.c.owner))
        .where(
            record.c.month == row.month,
            record.c.submission_id == row.submission_id,
            record.c.row_no.between(row.first_row, last),
            record.c.idx.is_not(None),
            record_head.c.submission_id == row.submission_id,
            record_head.c.row_no == record.c.row_no,
            record_head.c.dataset == dataset,
            record_head.c.operation != "d",
        )
        .order_by(record.c.row_no)
    )
    if owners is not None:
        statement = statement.where(record_head.c.owner.in_(list(owners)))
    if since:
        statement = statement.where(record_head.c.event_date >= since)
    if until:
        statement = statement.where(record_head.c.event_date <= until)
    found = connection.execute(statement).all()
    if not found:
        return []
    try:
        lines = contents.of(connection, row.submission_id, row.seq).lines
    except HubError:
        return []
    return [_stored(one, lines[one.idx]) for one in found]


_AT_ONCE = 200
_CHUNKS = 50
