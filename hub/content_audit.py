"""Whether the content of records is what was judged: lines against digests, digests against heads and the journal.

The journal holds one digest for each chunk that was judged, and is sealed (`hub.audit`), so that whoever changes
content and its digests alike is seen as well.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, select

from hub.dispatch.contents import Contents
from hub.ledger.engine import Ledger
from hub.ledger.sql import among
from hub.ledger.tables import chunk, journal, record, record_head, submission
from hub.vault import Seal
from standards.digest import sm3
from standards.errors import HubError

_BATCH = 200
#: Faults told of.
_TOLD = 1000


@dataclass(frozen=True, slots=True)
class Altered:
    """Something that is not as it was judged."""

    receipt_no: str
    #: Number of the record in its hand-over; 0: the whole chunk.
    row: int
    cd_id: str
    zh: str
    en: str


@dataclass(slots=True)
class Proved:
    """What looking through the content came to."""

    chunks: int = 0
    records: int = 0
    #: Chunks whose content, or whose row of the journal, went with its retention.
    pruned: int = 0
    altered: int = 0
    faults: list[Altered] = field(default_factory=list)

    def tell(self, *faults: Altered) -> None:
        """One more, or several."""
        self.altered += len(faults)
        self.faults += faults[: max(0, _TOLD - len(self.faults))]


def prove(ledger: Ledger, seal: Seal, since: datetime) -> Proved:
    """Look through the content of everything received since then."""
    result = Proved()
    for hand_over in _hand_overs(ledger, since):
        contents = Contents(seal, remembered=1)
        with ledger.read() as connection:
            judged = _judged(connection, hand_over.id)
            chunks = connection.execute(
                select(chunk.c.seq, chunk.c.first_row, chunk.c.count, chunk.c.content.is_not(None))
                .where(chunk.c.month == hand_over.month, chunk.c.submission_id == hand_over.id)
                .order_by(chunk.c.seq)
            ).all()
            for seq, first, count, kept in chunks:
                result.chunks += 1
                rows = _records(connection, hand_over, first, first + count - 1)
                _prove(connection, result, hand_over, rows, judged.get(seq))
                if not kept:
                    result.pruned += 1 if any(row.idx is not None for row in rows) else 0
                    continue
                try:
                    lines = contents.of(connection, hand_over.id, seq).lines
                except HubError as error:
                    result.tell(Altered(hand_over.receipt_no, 0, "", f"第 {seq} 块读不出：{error.what}", error.what))
                    continue
                except Exception as error:  # a library's, about bytes that are no longer what they were
                    words = (f"第 {seq} 块内容已损坏", f"the content of chunk {seq} is broken: {type(error).__name__}")
                    result.tell(Altered(hand_over.receipt_no, 0, "", *words))
                    continue
                result.tell(*_lines(hand_over, rows, lines))
                result.records += len(rows)
    return result


def _hand_overs(ledger: Ledger, since: datetime) -> Iterator[Row[Any]]:
    last = UUID(int=0)
    s = submission.c
    while True:
        with ledger.read() as connection:
            rows = connection.execute(
                select(s.id, s.month, s.receipt_no)
                .where(s.received_at >= since, s.id > last)
                .order_by(s.id)
                .limit(_BATCH)
            ).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].id


def _judged(connection: Connection, hand_over: UUID) -> dict[int, str]:
    """By chunk what the journal says of it."""
    rows = connection.execute(
        select(journal.c.detail).where(journal.c.submission_id == hand_over, journal.c.action == "chunk_judged")
    ).scalars()
    return {said["chunk"]: said["digest"] for said in map(json.loads, rows)}


def _records(connection: Connection, hand_over: Row[Any], first: int, last: int) -> Sequence[Row[Any]]:
    r = record.c
    return connection.execute(
        select(r.row_no, r.idx, r.digest, r.cd_id, r.key_hash, r.owner)
        .where(r.month == hand_over.month, r.submission_id == hand_over.id, r.row_no.between(first, last))
        .order_by(r.row_no)
    ).all()


def _prove(
    connection: Connection, result: Proved, hand_over: Row[Any], rows: Sequence[Row[Any]], judged: str | None
) -> None:
    """The digests of a chunk against the journal, and against the heads that point here."""
    digests = [bytes(row.digest) for row in rows if row.digest is not None]
    if judged is None:
        result.pruned += 1
    elif sm3(b"".join(digests)).hex() != judged:
        words = ("本块摘要与流水不符", "the digests of this chunk are not those in the journal")
        result.tell(Altered(hand_over.receipt_no, 0, "", *words))
    keys = {bytes(row.key_hash) for row in rows if row.key_hash is not None}
    h = record_head.c
    heads = connection.execute(
        select(h.row_no, h.digest).where(among(connection, h.key_hash, list(keys)), h.submission_id == hand_over.id)
    ).all()
    by_row = {row.row_no: row for row in rows}
    for number, digest in heads:
        row = by_row.get(number)
        if row is not None and row.digest is not None and bytes(digest) != bytes(row.digest):
            words = ("主键登记的摘要被改动", "the head's digest was changed")
            result.tell(Altered(hand_over.receipt_no, number, row.cd_id, *words))


def _lines(hand_over: Row[Any], rows: Sequence[Row[Any]], lines: Sequence[bytes]) -> Iterator[Altered]:
    for row in rows:
        if row.idx is None or row.digest is None:
            continue
        if row.idx >= len(lines) or sm3(lines[row.idx]) != bytes(row.digest):
            words = ("内容与其摘要不符", "the content is not what its digest says")
            yield Altered(hand_over.receipt_no, row.row_no, row.cd_id, *words)
