"""Grants: who may see what of whose data, for what, until when; and the looks that were taken."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select, update

from hub.ledger.tables import look, sharing_grant


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A row of `sharing_grant`."""

    id: UUID
    owner: str
    receiver: str
    dataset: str
    #: JSON list.
    elements: str
    rule: str
    purpose: str
    made_at: datetime
    made_by: str
    until_at: datetime
    consent_at: datetime | None = None
    consent_by: str = ""
    ended_at: datetime | None = None
    end_reason: str = ""
    subscribed: str = ""

    @property
    def names(self) -> frozenset[str]:
        """The elements that may be seen."""
        return frozenset(json.loads(self.elements))

    def counts(self, now: datetime) -> bool:
        """True when it opens something: consented, not ended, not expired."""
        return self.consent_at is not None and self.ended_at is None and now < self.until_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A row of `look`; `records` is closed."""

    id: UUID
    at: datetime
    party: str
    actor: str
    owner: str
    dataset: str
    grant_id: UUID | None
    way: str
    purpose: str
    count: int
    records: bytes | None
    key_ref: str | None


_GRANT = [sharing_grant.c[f.name] for f in fields(Grant)]
_LOOK = [look.c[f.name] for f in fields(Look)]


def add(connection: Connection, one: Grant) -> None:
    """Write a grant; it opens nothing before its owner consented."""
    connection.execute(sharing_grant.insert().values(**{f.name: getattr(one, f.name) for f in fields(one)}))


def get(connection: Connection, identifier: UUID) -> Grant | None:
    """A grant by its id."""
    row = connection.execute(select(*_GRANT).where(sharing_grant.c.id == identifier)).one_or_none()
    return None if row is None else Grant(**row._mapping)


def change(connection: Connection, identifier: UUID, **values: Any) -> None:
    """Consent, end, subscribe."""
    connection.execute(update(sharing_grant).where(sharing_grant.c.id == identifier).values(**values))


def find(connection: Connection, *, party: str = "", receiver: str = "", dataset: str = "") -> list[Grant]:
    """Grants, the newest first; of a party: those of its data and those it received."""
    statement = select(*_GRANT).order_by(sharing_grant.c.made_at.desc(), sharing_grant.c.id)
    if party:
        statement = statement.where((sharing_grant.c.owner == party) | (sharing_grant.c.receiver == party))
    if receiver:
        statement = statement.where(sharing_grant.c.receiver == receiver)
    if dataset:
        statement = statement.where(sharing_grant.c.dataset == dataset)
    return [Grant(**row._mapping) for row in connection.execute(statement)]


def subscribed(connection: Connection, dataset: str, now: datetime) -> list[Grant]:
    """The grants by which new records of a data set go to a destination."""
    statement = select(*_GRANT).where(
        sharing_grant.c.dataset == dataset,
        sharing_grant.c.subscribed != "",
        sharing_grant.c.consent_at.is_not(None),
        sharing_grant.c.ended_at.is_(None),
        sharing_grant.c.until_at > now,
    )
    return [Grant(**row._mapping) for row in connection.execute(statement)]


def write_looks(connection: Connection, looks: Sequence[Look]) -> None:
    """Write down who looked."""
    if looks:
        connection.execute(look.insert(), [{f.name: getattr(one, f.name) for f in fields(one)} for one in looks])


def looks(connection: Connection, *, owner: str = "", since: datetime | None = None, limit: int = 100) -> list[Look]:
    """Who looked, the newest first; `owner`: at whose data (credit code)."""
    statement = select(*_LOOK).order_by(look.c.at.desc(), look.c.id).limit(limit)
    if owner:
        statement = statement.where(look.c.owner == owner)
    if since is not None:
        statement = statement.where(look.c.at >= since)
    return [Look(**row._mapping) for row in connection.execute(statement)]
