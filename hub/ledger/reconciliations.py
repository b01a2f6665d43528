"""What comparisons with other hubs, centres and senders came to, and which records differ."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Row, and_, delete, func, or_, select

from hub.ledger import bulk
from hub.ledger.tables import reconciliation, reconciliation_difference
from standards.digest import uuid7

#: Differing records kept of one comparison; the counts tell of all.
KEPT = 5000


@dataclass(frozen=True, slots=True)
class Difference:
    """A record that is not there as it is here."""

    #: missing: not there; extra: only there; differs.
    kind: str
    cd_id: str
    owner: str
    key: bytes
    bucket: int
    party: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One data set (and period) compared with one counterpart."""

    #: hub, centre, statement.
    way: str
    counterpart: str
    dataset: str
    #: Whose data; empty: everybody's.
    party: str = ""
    begin: date | None = None
    end: date | None = None
    #: What was counted on each side.
    ours: Mapping[str, Any]
    theirs: Mapping[str, Any]
    #: What the counts say, records apart.
    agrees: bool = True
    missing: int = 0
    extra: int = 0
    differs: int = 0
    under_way: int = 0
    bytes: int = 0
    millis: int = 0
    differences: Sequence[Difference] = ()

    @property
    def same(self) -> bool:
        """Nothing differs."""
        return self.agrees and not (self.missing or self.extra or self.differs)


def add(connection: Connection, one: Outcome, by: str, now: datetime) -> UUID:
    """Keep what a comparison came to; its id."""
    identifier = uuid7()
    connection.execute(
        reconciliation.insert().values(
            id=identifier,
            at=now,
            by=by[:80],
            way=one.way,
            counterpart=one.counterpart,
            party=one.party,
            dataset=one.dataset,
            period_begin=one.begin,
            period_end=one.end,
            agrees=one.same,
            ours=json.dumps(dict(one.ours), ensure_ascii=False),
            theirs=json.dumps(dict(one.theirs), ensure_ascii=False),
            missing=one.missing,
            extra=one.extra,
            differs=one.differs,
            under_way=one.under_way,
            bytes=one.bytes,
            millis=one.millis,
        )
    )
    kept = one.differences[:KEPT]
    columns: dict[str, Any] = {
        "reconciliation_id": identifier,
        "no": list(range(1, len(kept) + 1)),
        "bucket": [d.bucket for d in kept],
        "kind": [d.kind for d in kept],
        "key_hash": [d.key for d in kept],
        "owner": [d.owner for d in kept],
        "party": [d.party for d in kept],
        "cd_id": [d.cd_id for d in kept],
    }
    bulk.insert(connection, reconciliation_difference, columns, len(kept))
    return identifier


def listed(connection: Connection, party: str, limit: int) -> list[Row[Any]]:
    """The newest first; a party sees those of its own data, and those in which its records differ."""
    statement = select(reconciliation).order_by(reconciliation.c.id.desc()).limit(limit)
    if party:
        statement = statement.where(_concerns(party))
    return list(connection.execute(statement))


def one(connection: Connection, identifier: UUID, party: str) -> Row[Any] | None:
    """A comparison, if it concerns the party."""
    statement = select(reconciliation).where(reconciliation.c.id == identifier)
    if party:
        statement = statement.where(_concerns(party))
    return connection.execute(statement).one_or_none()


def differences(connection: Connection, identifier: UUID, party: str = "") -> list[Row[Any]]:
    """The records that differ, bucket by bucket; of a party its own."""
    d = reconciliation_difference.c
    statement = select(reconciliation_difference).where(d.reconciliation_id == identifier).order_by(d.bucket, d.no)
    if party:
        statement = statement.where(d.party == party)
    return list(connection.execute(statement))


def newest(connection: Connection, *, ways: Sequence[str], since: datetime, agrees: bool) -> list[Row[Any]]:
    """Of each thing compared since then the newest comparison, if it agrees, or does not."""
    r = reconciliation.c
    last = (
        select(func.max(r.at).label("at"), r.way, r.counterpart, r.party, r.dataset, r.period_begin, r.period_end)
        .where(r.way.in_(list(ways)), r.at >= since)
        .group_by(r.way, r.counterpart, r.party, r.dataset, r.period_begin, r.period_end)
        .subquery()
    )
    same = and_(
        last.c.at == r.at,
        last.c.way == r.way,
        last.c.counterpart == r.counterpart,
        last.c.party == r.party,
        last.c.dataset == r.dataset,
        last.c.period_begin.is_not_distinct_from(r.period_begin),
        last.c.period_end.is_not_distinct_from(r.period_end),
    )
    statement = select(reconciliation).join(last, same).where(r.agrees.is_(agrees)).order_by(r.id)
    return list(connection.execute(statement))


def prune(connection: Connection, before: datetime, limit: int) -> int:
    """Comparisons from before then."""
    chosen = list(
        connection.execute(select(reconciliation.c.id).where(reconciliation.c.at < before).limit(limit)).scalars()
    )
    if chosen:
        connection.execute(
            delete(reconciliation_difference).where(reconciliation_difference.c.reconciliation_id.in_(chosen))
        )
        connection.execute(delete(reconciliation).where(reconciliation.c.id.in_(chosen)))
    return len(chosen)


def _concerns(party: str) -> ColumnElement[bool]:
    own = select(reconciliation_difference.c.no).where(
        reconciliation_difference.c.reconciliation_id == reconciliation.c.id,
        reconciliation_difference.c.party == party,
    )
    return or_(reconciliation.c.party == party, own.exists())
