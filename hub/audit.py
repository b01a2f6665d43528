"""The journal's seals: each minute the closed range of its rows becomes a Merkle root (SM3) in a chain.

A seal hashes the digests of rows, which hash no content, so that pruning and erasure leave it valid.  Whoever keeps a
value of the chain elsewhere can prove later that nothing before it was changed, added or removed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Connection, Row, func, select

from hub.ledger.engine import Ledger
from hub.ledger.journal import digest_of
from hub.ledger.tables import journal, seal
from standards.clock import Clock
from standards.digest import sm3

log = structlog.get_logger()

#: Rows younger than this may still be on their way in other transactions.
_SETTLED = timedelta(minutes=2)
_BATCH = 5000
_LEAF, _NODE = b"\x00", b"\x01"
_START = bytes(32)


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The Merkle root of leaves (RFC 6962's shape, with SM3); of none: that of the empty text."""
    if not leaves:
        return sm3(b"")
    level = [sm3(_LEAF + leaf) for leaf in leaves]
    while len(level) > 1:
        pairs = [sm3(_NODE + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = pairs + ([level[-1]] if len(level) % 2 else [])
    return level[0]


def chained(before: bytes, first: int, last: int, count: int, root: bytes) -> bytes:
    """The next value of the chain."""
    return sm3(before + b"".join(n.to_bytes(8, "big") for n in (first, last, count)) + root)


def leaf_of(identifier: int, digest: bytes) -> bytes:
    """What stands for a row."""
    return identifier.to_bytes(8, "big") + digest


@dataclass(slots=True)
class Sealer:
    """The scheduler's job."""

    ledger: Ledger
    clock: Clock

    def run(self) -> int:
        """Seal the rows that are closed; how many."""
        total = 0
        while count := self.ledger.write(self._seal):
            total += count
        return total

    def _seal(self, connection: Connection) -> int:
        now = self.clock.now()
        last = connection.execute(select(seal).order_by(seal.c.id.desc()).limit(1)).one_or_none()
        after = last.last_id if last is not None else 0
        youngest = connection.execute(
            select(func.min(journal.c.id)).where(journal.c.id > after, journal.c.at > now - _SETTLED)
        ).scalar()
        statement = select(journal.c.id, journal.c.digest).where(journal.c.id > after)
        if youngest is not None:
            statement = statement.where(journal.c.id < youngest)
        rows = connection.execute(statement.order_by(journal.c.id).limit(_BATCH)).all()
        if not rows:
            return 0
        root = root_of([leaf_of(row.id, bytes(row.digest)) for row in rows])
        before = bytes(last.chain) if last is not None else _START
        chain = chained(before, rows[0].id, rows[-1].id, len(rows), root)
        connection.execute(
            seal.insert().values(
                first_id=rows[0].id, last_id=rows[-1].id, count=len(rows), root=root, chain=chain, sealed_at=now
            )
        )
        # Whoever keeps the log elsewhere keeps the chain elsewhere.
        log.info("journal sealed", action="sealed", last_id=rows[-1].id, rows=len(rows), chain=chain.hex())
        return len(rows)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that is not as it was sealed."""

    first_id: int
    last_id: int
    zh: str
    en: str


@dataclass(slots=True)
class Verified:
    """What looking through the journal came to."""

    seals: int = 0
    rows: int = 0
    #: Seals whose rows went with their retention: only the chain was looked at.
    pruned: int = 0
    #: Rows that no seal covers yet.
    unsealed: int = 0
    #: The last value of the chain, as hexadecimal digits.
    head: str = ""
    #: Whether a value that was kept elsewhere is in the chain; None when none was given.
    known_head: bool | None = None
    faults: list[Fault] = field(default_factory=list)


def verify(ledger: Ledger, kept_since: datetime, head: str = "") -> Verified:
    """Look through every seal and row.

    Rows sealed before `kept_since` may be pruned; `head`: a value of the chain that was kept elsewhere.
    """
    result = Verified(known_head=False if head else None)
    chain, last = _START, 0
    for one in _seals(ledger):
        result.seals += 1
        if one.first_id <= last:
            result.faults.append(Fault(one.first_id, one.last_id, "封存区间重叠", "the seal overlaps the one before"))
        chain = chained(chain, one.first_id, one.last_id, int(one._mapping["count"]), bytes(one.root))
        if chain != bytes(one.chain):
            result.faults.append(Fault(one.first_id, one.last_id, "封存链被改动", "the chain was changed"))
            chain = bytes(one.chain)
        if head and chain.hex() == head.lower():
            result.known_head = True
        _range(ledger, one, last, kept_since, result)
        last = one.last_id
    result.head = chain.hex() if result.seals else ""
    with ledger.read() as connection:
        result.unsealed = connection.execute(select(func.count()).where(journal.c.id > last)).scalar_one()
    if result.known_head is False:
        result.faults.append(
            Fault(0, last, "给定的链值不在链中", "the value that was kept elsewhere is not in the chain")
        )
    return result


def _seals(ledger: Ledger) -> Iterator[Row[Any]]:
    after = 0
    while True:
        with ledger.read() as connection:
            rows = connection.execute(select(seal).where(seal.c.id > after).order_by(seal.c.id).limit(1000)).all()
        if not rows:
            return
        yield from rows
        after = rows[-1].id


def _range(ledger: Ledger, one: Row[Any], last: int, kept_since: datetime, result: Verified) -> None:
    """The rows of a seal, and what stands between it and the one before."""
    with ledger.read() as connection:
        rows = connection.execute(
            select(journal).where(journal.c.id > last, journal.c.id <= one.last_id).order_by(journal.c.id)
        ).all()
    result.rows += len(rows)
    for row in rows:
        made = digest_of(row.at, row.action, row.actor, row.submission_id, row.parcel_id, row.detail)
        if made != bytes(row.digest):
            result.faults.append(Fault(row.id, row.id, f"第 {row.id} 行内容被改动", f"row {row.id} was changed"))
    if len(rows) < int(one._mapping["count"]) and one.sealed_at < kept_since:
        result.pruned += 1
        return
    if root_of([leaf_of(row.id, bytes(row.digest)) for row in rows]) != bytes(one.root):
        missing = int(one._mapping["count"]) - len(rows)
        zh = f"少了 {missing} 行" if missing > 0 else f"多了 {-missing} 行" if missing else "行被改动"
        en = (
            f"{missing} row(s) are missing"
            if missing > 0
            else f"{-missing} row(s) were added"
            if missing
            else "changed"
        )
        result.faults.append(Fault(one.first_id, one.last_id, zh, en))
