"""Keys of machines: 256 random bits, stored as SHA-256; shown once, when they are made."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, select, update

from hub.ledger.tables import credential
from standards.rights import OF_THE_HUB, Right


@dataclass(frozen=True, slots=True)
class Holder:
    """Who calls: a machine by its key, or a person who is logged in."""

    #: As the journal names it: the id of a key, `user:` and the name of a person.
    id: str
    #: Party; '' is the operator.
    party: str
    #: Of a key, empty: everything that its side may do.
    rights: frozenset[str]
    #: A person's real name; empty: a machine's key.
    name: str = ""
    #: What a person logs in with; empty: a machine's key.
    user: str = ""
    #: GB/T 2260 code that a person of the hub is confined to; empty: everything.
    region: str = ""

    def may(self, right: Right) -> bool:
        """Whether it may do this."""
        if self.party and right in OF_THE_HUB:
            return False
        if right in self.rights:
            return True
        # A machine of a party that is not told so makes no accounts and no keys.
        return not self.rights and not self.user and not (self.party and right is Right.PEOPLE)

    @property
    def is_operator(self) -> bool:
        """True for the hub's own operator."""
        return self.party == ""


def make(
    connection: Connection,
    party: str,
    now: datetime,
    *,
    by: str = "",
    note: str = "",
    rights: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> tuple[str, str]:
    """A new key: its id, and the key itself, which nobody can read again."""
    identifier = secrets.token_hex(6)
    key = f"hub_{identifier}_{secrets.token_urlsafe(32)}"
    connection.execute(
        credential.insert().values(
            id=identifier,
            hash=digest(key),
            party=party,
            rights=" ".join(rights),
            note=note,
            created_at=now,
            created_by=by,
            expires_at=expires_at,
        )
    )
    return identifier, key


def digest(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode()).hexdigest()


def holder(connection: Connection, key: str, now: datetime) -> Holder | None:
    """Whose key this is; None when it is unknown, expired or revoked."""
    row = connection.execute(
        select(credential.c.id, credential.c.party, credential.c.rights, credential.c.expires_at).where(
            credential.c.hash == digest(key), credential.c.revoked_at.is_(None)
        )
    ).one_or_none()
    if row is None or (row[3] is not None and row[3] <= now):
        return None
    return Holder(row[0], row[1], frozenset(row[2].split()))


def holder_of(connection: Connection, identifier: str, now: datetime) -> Holder | None:
    """Whose key has this id; None when it is unknown, expired or revoked."""
    row = connection.execute(
        select(credential.c.party, credential.c.rights, credential.c.expires_at).where(
            credential.c.id == identifier, credential.c.revoked_at.is_(None)
        )
    ).one_or_none()
    if row is None or (row[2] is not None and row[2] <= now):
        return None
    return Holder(identifier, row[0], frozenset(row[1].split()))


def revoke(connection: Connection, identifier: str, now: datetime) -> bool:
    """A key counts no more; False when there is none of that id."""
    statement = (
        update(credential)
        .where(credential.c.id == identifier, credential.c.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    return connection.execute(statement).rowcount == 1


def listed(connection: Connection) -> Sequence[Row[Any]]:
    """All keys, without the keys."""
    return connection.execute(
        select(
            credential.c.id,
            credential.c.party,
            credential.c.note,
            credential.c.rights,
            credential.c.created_at,
            credential.c.created_by,
            credential.c.expires_at,
            credential.c.revoked_at,
        ).order_by(credential.c.created_at)
    ).all()
