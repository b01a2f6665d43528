"""How many records went which way in a time, by party and data set: out of hand-overs and parcels, never per record.

The day of a record is that of its hand-over (`submitted_date`), as a centre counts it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, select, true

from hub.ledger.sql import among, in_parts
from hub.ledger.tables import parcel, record, record_head, submission
from hub.ledger.types import month_of
from hub.reconciliation.held import Far, spans_of
from standards.clock import SHANGHAI
from standards.digest import Sm3Stream, uuid7
from standards.states import Verdict

#: Party, data set.
Key = tuple[str, str]
#: Of all destinations together.
ANYWHERE = "*"
_ROWS = 20_000
_NAMED = 2000

_s, _p = submission.c, parcel.c


@dataclass(slots=True)
class Figures:
    """Records of a time; `delivered` and `receipted` of one destination: handed over to it, accepted by it."""

    read: int = 0
    accepted: int = 0
    held: int = 0
    rejected: int = 0
    duplicate: int = 0
    delivered: int = 0
    receipted: int = 0
    refused: int = 0

    def add(self, other: Figures) -> None:
        """Both together."""
        for one in fields(self):
            setattr(self, one.name, getattr(self, one.name) + getattr(other, one.name))

    def told(self) -> dict[str, int]:
        """By name."""
        return asdict(self)


def figures(
    connection: Connection,
    begin: date,
    end: date,
    *,
    destination: str = "",
    party: str = "",
    dataset: str = "",
    replays: bool = True,
) -> dict[Key, Figures]:
    """By party and data set, from the first day to the last.  `replays`: what the hub took through again counts too."""
    which = in_days(begin, end, party=party, dataset=dataset, replays=replays)
    found: defaultdict[Key, Figures] = defaultdict(Figures)
    sums = [func.sum(column) for column in (_s.read, _s.accepted, _s.held, _s.rejected, _s.duplicate)]
    for row in connection.execute(select(_s.party, _s.dataset, *sums).where(which).group_by(_s.party, _s.dataset)):
        one = found[row[0], row[1]]
        one.read, one.accepted, one.held, one.rejected, one.duplicate = map(int, row[2:])
    if destination:
        statement = (
            select(
                _s.party,
                _p.dataset,
                func.sum(case((_p.sent_at.is_not(None), _p.count), else_=0)),
                func.sum(_p.accepted),
                func.sum(_p.refused),
            )
            .join(submission, _s.id == _p.submission_id)
            .where(which, true() if destination == ANYWHERE else _p.destination == destination)
            .group_by(_s.party, _p.dataset)
        )
        for row in connection.execute(statement):
            one = found[row[0], row[1]]
            one.delivered, one.receipted, one.refused = map(int, row[2:])
    return dict(found)


def in_days(begin: date, end: date, *, party: str = "", dataset: str = "", replays: bool = True) -> ColumnElement[bool]:
    """The hand-overs of some days, test traffic left out."""
    conditions = [
        _s.month.in_(_months(begin, end)),
        _s.received_at >= datetime.combine(begin, time(), SHANGHAI),
        _s.received_at < datetime.combine(end + timedelta(days=1), time(), SHANGHAI),
        _s.test.is_(False),
    ]
    if party:
        conditions.append(_s.party == party)
    if dataset:
        conditions.append(_s.dataset == dataset)
    if not replays:
        conditions.append(_s.origin_id.is_(None))
    return and_(*conditions)


def _months(begin: date, end: date) -> list[int]:
    """Partitions; also the present one, for a clock that is held back in tests."""
    first, last = begin.year * 12 + begin.month - 1, end.year * 12 + end.month - 1
    return sorted({m // 12 * 100 + m % 12 + 1 for m in range(first, last + 1)} | {month_of(uuid7())})


def still_there(connection: Connection, begin: date, end: date, destination: str, key: Key) -> int:
    """Of the records of some days those of which nothing newer was handed over since, and which the destination took.

    A centre keeps the newest revision only, so that re-reporting takes a record out of the day it first came.  One scan
    of the heads of the data set: for days that do not agree at once.
    """
    return sum(1 for _ in newest_taken(connection, begin, end, destination, key))


def newest_taken(connection: Connection, begin: date, end: date, destination: str, key: Key) -> Iterator[Row[Any]]:
    """The same, record by record: its head."""
    party, dataset = key
    spans = spans_of(connection, destination, dataset)
    for part in in_parts(_hand_overs(connection, begin, end, party, dataset), _NAMED):
        rows = connection.execute(
            select(record_head)
            .where(record_head.c.dataset == dataset, among(connection, record_head.c.submission_id, part))
            .execution_options(yield_per=_ROWS)
        )
        yield from (row for row in rows if spans.of(row.submission_id.hex, row.row_no) is Far.TAKEN)


def digest_of(connection: Connection, begin: date, end: date, destination: str, key: Key) -> str:
    """SM3 over `exchange key, content digest` of each record the destination took of some days, in order of the key."""
    party, dataset = key
    spans = spans_of(connection, destination, dataset)
    lines: list[bytes] = []
    for part in in_parts(_hand_overs(connection, begin, end, party, dataset), _NAMED):
        rows = connection.execute(
            select(record.c.submission_id, record.c.row_no, record.c.cd_id, record.c.digest)
            .where(
                record.c.month.in_(_months(begin, end)),
                among(connection, record.c.submission_id, part),
                record.c.verdict == Verdict.ACCEPTED,
            )
            .execution_options(yield_per=_ROWS)
        )
        lines += [
            f"{cd_id}\x1f{bytes(digest).hex()}\n".encode()
            for one, row, cd_id, digest in rows
            if spans.of(one.hex, row) is Far.TAKEN
        ]
    stream = Sm3Stream()
    for line in sorted(lines):
        stream.update(line)
    return stream.hexdigest()


def _hand_overs(connection: Connection, begin: date, end: date, party: str, dataset: str) -> list[UUID]:
    which = in_days(begin, end, party=party)
    return list(connection.execute(select(_s.id).where(which, _s.dataset == dataset)).scalars())
