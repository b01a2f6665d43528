"""The heads: for each key and owner the newest revision.  Small, unpartitioned, outlives content."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, bindparam, select, text, update

from hub.ledger import bulk
from hub.ledger.arrays import BytesArray, NumberArray, TextArray
from hub.ledger.engine import Conflict
from hub.ledger.sql import among
from hub.ledger.tables import record_head


@dataclass(frozen=True, slots=True)
class Head:
    """The newest revision of one record."""

    key_hash: bytes
    owner: str
    revision: int
    operation: str
    digest: bytes
    submission_id: UUID
    row_no: int
    #: A receiver refused this revision: the same content is no duplicate when it comes again.
    refused: bool = False
    #: Who reported it.
    party: str = ""


_COLUMNS = (
    record_head.c.key_hash,
    record_head.c.owner,
    record_head.c.revision,
    record_head.c.operation,
    record_head.c.digest,
    record_head.c.submission_id,
    record_head.c.row_no,
    record_head.c.refused,
    record_head.c.party,
)


def look_up(connection: Connection, keys: Sequence[bytes]) -> dict[bytes, list[Head]]:
    """The heads of these keys; a key held by several owners has several."""
    found: dict[bytes, list[Head]] = {}
    rows = connection.execute(select(*_COLUMNS).where(among(connection, record_head.c.key_hash, keys))).all()
    for row in rows:
        head = Head(*row)
        found.setdefault(head.key_hash, []).append(head)
    return found


def known(connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
    """Which of these keys belong to a record that is there and not deleted."""
    statement = select(record_head.c.key_hash).where(
        among(connection, record_head.c.key_hash, keys), record_head.c.operation != "d"
    )
    return set(connection.execute(statement).scalars().all())


@dataclass(slots=True)
class Moves:
    """Heads to be written by one chunk, as columns."""

    key_hash: list[bytes]
    owner: list[str]
    cd_id: list[str]
    revision: list[int]
    operation: list[str]
    digest: list[bytes]
    subject: list[str]
    subject_index: list[bytes | None]
    event_date: list[str]
    row_no: list[int]
    #: The revision each head had before this chunk; 0 for a new one.
    before: list[int]

    @classmethod
    def empty(cls) -> Moves:
        """None yet."""
        return cls([], [], [], [], [], [], [], [], [], [], [])

    def __len__(self) -> int:
        return len(self.key_hash)


def write(
    connection: Connection,
    new: Moves,
    revised: Moves,
    *,
    dataset: str,
    party: str,
    submission_id: UUID,
    now: datetime,
) -> None:
    """Write new heads and move existing ones on by exactly one revision.

    Raises Conflict when somebody else moved one of them since it was read: the chunk is then decided again.
    """
    if len(new):
        try:
            _insert(connection, new, dataset, party, submission_id, now)
        except bulk.AlreadyThere as error:
            raise Conflict from error
    if len(revised):
        _move(connection, revised, party, submission_id, now)


def _insert(connection: Connection, new: Moves, dataset: str, party: str, submission_id: UUID, now: datetime) -> None:
    bulk.insert(
        connection,
        record_head,
        {
            "key_hash": new.key_hash,
            "owner": new.owner,
            "dataset": dataset,
            "cd_id": new.cd_id,
            "revision": new.revision,
            "operation": new.operation,
            "digest": new.digest,
            "bucket": [key[0] for key in new.key_hash],
            "subject": new.subject,
            "subject_index": new.subject_index,
            "event_date": new.event_date,
            "party": party,
            "submission_id": submission_id,
            "row_no": new.row_no,
            "updated_at": now,
        },
        len(new),
    )


_MOVE_POSTGRES = text(
    """
    UPDATE record_head AS h SET revision = n.revision, operation = n.operation, digest = n.digest,
           subject = n.subject, subject_index = n.subject_index, event_date = n.event_date, row_no = n.row_no,
           refused = false, party = :party, submission_id = :submission_id, updated_at = :now
      FROM unnest(CAST(:key_hash AS bytea[]), CAST(:owner AS text[]), CAST(:before AS int[]), CAST(:revision AS int[]),
                  CAST(:operation AS text[]), CAST(:digest AS bytea[]), CAST(:subject AS text[]),
                  CAST(:subject_index AS bytea[]), CAST(:event_date AS text[]), CAST(:row_no AS int[]))
           AS n(key_hash, owner, before, revision, operation, digest, subject, subject_index,
              event_date, row_no)
     WHERE h.key_hash = n.key_hash AND h.owner = n.owner AND h.revision = n.before
    """
)


def _move(connection: Connection, revised: Moves, party: str, submission_id: UUID, now: datetime) -> None:
    """`revised` names each key once, with the revision it ends at."""
    before = revised.before
    if connection.dialect.name == "postgresql":
        values: dict[str, Any] = {
            "key_hash": BytesArray(revised.key_hash),
            "owner": TextArray(revised.owner),
            "before": NumberArray(before),
            "revision": NumberArray(revised.revision),
            "operation": TextArray(revised.operation),
            "digest": BytesArray(revised.digest),
            "subject": TextArray(revised.subject),
            "subject_index": revised.subject_index,
            "event_date": TextArray(revised.event_date),
            "row_no": NumberArray(revised.row_no),
            "party": party,
            "submission_id": submission_id,
            "now": now,
        }
        moved = connection.execute(_MOVE_POSTGRES, values).rowcount
    else:
        moved = 0
        for i, key in enumerate(revised.key_hash):
            statement = (
                update(record_head)
                .where(
                    record_head.c.key_hash == key,
                    record_head.c.owner == revised.owner[i],
                    record_head.c.revision == before[i],
                )
                .values(
                    revision=revised.revision[i],
                    operation=revised.operation[i],
                    digest=revised.digest[i],
                    subject=revised.subject[i],
                    subject_index=revised.subject_index[i],
                    event_date=revised.event_date[i],
                    row_no=revised.row_no[i],
                    refused=False,
                    party=party,
                    submission_id=submission_id,
                    updated_at=now,
                )
            )
            moved += connection.execute(statement).rowcount
    if moved != len(revised):
        raise Conflict


def refuse(connection: Connection, revisions: Sequence[tuple[bytes, str, int]]) -> None:
    """A receiver refused these revisions (key, owner, revision); heads that have moved on since stay as they are."""
    statement = (
        update(record_head)
        .where(
            record_head.c.key_hash == bindparam("key"),
            record_head.c.owner == bindparam("held_by"),
            record_head.c.revision == bindparam("at"),
        )
        .values(refused=True)
    )
    if revisions:
        connection.execute(statement, [{"key": k, "held_by": o, "at": r} for k, o, r in sorted(revisions)])


def of_person(connection: Connection, index: bytes, limit: int) -> Sequence[Row[Any]]:
    """The heads of records about a person, by the keyed index of the number."""
    return connection.execute(select(record_head).where(record_head.c.subject_index == index).limit(limit)).all()
