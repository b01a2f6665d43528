"""Attachments in the ledger: their bytes are kept once, however often they are handed over."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, exists, select

from hub.ledger.sql import among, insert_new
from hub.ledger.tables import attachment, attachment_grant, attachment_part


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that records may name."""

    id: UUID
    #: Under which id its bytes are kept: that of the first one with these bytes.
    bytes_id: UUID
    party: str
    connection: str
    name: str
    type: str
    size: int
    #: SM3, 64 hexadecimal digits.
    digest: str
    scanned: bool
    created_at: datetime
    created_by: str = ""


_COLUMNS = [attachment.c[f.name] for f in fields(Attachment)]


def find(connection: Connection, identifiers: Sequence[UUID]) -> dict[UUID, Attachment]:
    """The attachments of these ids that are there."""
    rows = connection.execute(select(*_COLUMNS).where(among(connection, attachment.c.id, identifiers)))
    return {row.id: Attachment(**row._mapping) for row in rows}


def with_digest(connection: Connection, digest: str) -> list[Attachment]:
    """Every attachment with these bytes."""
    rows = connection.execute(select(*_COLUMNS).where(attachment.c.digest == digest).order_by(attachment.c.id))
    return [Attachment(**row._mapping) for row in rows]


def add(connection: Connection, new: Attachment) -> None:
    """Keep an attachment whose bytes are kept."""
    connection.execute(attachment.insert().values({f.name: getattr(new, f.name) for f in fields(Attachment)}))


def add_part(connection: Connection, bytes_id: UUID, part: int, data: bytes, key_ref: str | None) -> None:
    """Keep a piece of the bytes."""
    connection.execute(attachment_part.insert().values(bytes_id=bytes_id, part=part, data=data, key_ref=key_ref))


def drop_parts(connection: Connection, bytes_id: UUID) -> None:
    """Forget the pieces of something that was not completed."""
    connection.execute(delete(attachment_part).where(attachment_part.c.bytes_id == bytes_id))


def part(connection: Connection, bytes_id: UUID, number: int) -> tuple[bytes, str | None] | None:
    """One piece as it is stored, and which key it is closed with."""
    row = connection.execute(
        select(attachment_part.c.data, attachment_part.c.key_ref).where(
            attachment_part.c.bytes_id == bytes_id, attachment_part.c.part == number
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def grant(connection: Connection, identifiers: Iterable[UUID], party: str, parcel_id: UUID, now: datetime) -> None:
    """A party is sent records that name these: it may fetch them."""
    for identifier in identifiers:
        values = {"attachment_id": identifier, "party": party, "parcel_id": parcel_id, "at": now}
        insert_new(connection, attachment_grant, values)


def is_granted(connection: Connection, identifier: UUID, party: str) -> bool:
    """True when a party was sent a record that names it."""
    return bool(
        connection.execute(
            select(exists().where(attachment_grant.c.attachment_id == identifier, attachment_grant.c.party == party))
        ).scalar()
    )


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Attachments from before then; bytes go with the last one that has them."""
    old = list(
        connection.execute(select(attachment.c.id).where(attachment.c.created_at < before).limit(limit)).scalars()
    )
    if old:
        connection.execute(delete(attachment_grant).where(among(connection, attachment_grant.c.attachment_id, old)))
        connection.execute(delete(attachment).where(among(connection, attachment.c.id, old)))
        # Bytes that are being kept just now have no attachment yet: their ids are younger than what is pruned.
        youngest = max(old, key=lambda i: i.int)
        unused = ~exists().where(attachment.c.bytes_id == attachment_part.c.bytes_id)
        connection.execute(delete(attachment_part).where(attachment_part.c.bytes_id <= youngest, unused))
    return len(old)


def pieces(connection: Connection, bytes_id: UUID) -> Iterator[tuple[bytes, str | None]]:
    """Every piece in order, one at a time."""
    number = 0
    while (found := part(connection, bytes_id, number)) is not None:
        yield found
        number += 1
