"""People in the ledger: who they are, what they may do, how they log in.  Nobody is ever deleted."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, select, update

from hub.ledger.tables import person, recovery_code, session
from standards.rights import Right, Role, rights_of

ACTIVE, DISABLED = "active", "disabled"
#: Put before a person's name wherever somebody is named who may also be a key.
PREFIX = "user:"


@dataclass(frozen=True, kw_only=True)
class Person:
    """Somebody with a real name who logs in."""

    name: str
    title: str
    #: '' are the hub's own people.
    party: str
    roles: frozenset[Role]
    #: Single rights beside those of the roles.
    more: frozenset[Right]
    region: str
    state: str
    password: str
    password_at: datetime | None
    must_change: bool
    secret: bytes | None
    secret_key_ref: str | None
    secret_at: datetime | None
    last_step: int
    created_at: datetime
    created_by: str
    logged_in_at: datetime | None

    @property
    def id(self) -> str:
        """As the journal names them."""
        return PREFIX + self.name

    @property
    def rights(self) -> frozenset[Right]:
        """Everything they may do."""
        return rights_of(self.roles, self.more)

    @property
    def active(self) -> bool:
        """Whether they may log in."""
        return self.state == ACTIVE

    @property
    def has_factor(self) -> bool:
        """Whether a code is asked for beside the password."""
        return self.secret_at is not None


def of_row(row: Row[Any]) -> Person:
    """A person out of a row of the table."""
    values = dict(row._mapping)
    # A role or right of a newer program is not known here and opens nothing.
    values["roles"] = frozenset(one for one in Role if one in values["roles"].split())
    values["more"] = frozenset(one for one in Right if one in values["rights"].split())
    del values["rights"]
    return Person(**values)


def add(connection: Connection, one: dict[str, Any]) -> bool:
    """Somebody new; False when the name is taken."""
    if find(connection, one["name"]) is not None:
        return False
    connection.execute(person.insert().values(**one))
    return True


def find(connection: Connection, name: str) -> Person | None:
    """Who has this name."""
    row = connection.execute(select(person).where(person.c.name == name)).one_or_none()
    return of_row(row) if row is not None else None


def listed(connection: Connection, party: str | None = None) -> Sequence[Person]:
    """Everybody, or the people of a party ('' are the hub's own)."""
    statement = select(person).order_by(person.c.party, person.c.name)
    if party is not None:
        statement = statement.where(person.c.party == party)
    return [of_row(row) for row in connection.execute(statement)]


def change(connection: Connection, name: str, **values: Any) -> None:
    """Something of a person is different from now on."""
    connection.execute(update(person).where(person.c.name == name).values(**values))


def take_step(connection: Connection, name: str, step: int) -> bool:
    """A code of this time step counts, once; False when it or a later one was used."""
    statement = update(person).where(person.c.name == name, person.c.last_step < step).values(last_step=step)
    return connection.execute(statement).rowcount == 1


def end_sessions(connection: Connection, name: str, now: datetime, *, but: str = "") -> int:
    """All sessions of a person end, but one; how many did."""
    statement = update(session).where(session.c.person == name, session.c.ended_at.is_(None), session.c.id != but)
    return connection.execute(statement.values(ended_at=now)).rowcount


# Recovery codes: 80 random bits each, so that a plain hash suffices


def _hash_of(name: str, code: str) -> str:
    return hashlib.sha256(f"{name}\n{code}".encode()).hexdigest()


def put_codes(connection: Connection, name: str, codes: Iterable[str]) -> None:
    """These codes count, those before no more."""
    connection.execute(delete(recovery_code).where(recovery_code.c.person == name))
    rows = [{"hash": _hash_of(name, code), "person": name} for code in codes]
    if rows:
        connection.execute(recovery_code.insert(), rows)


def use_code(connection: Connection, name: str, code: str, now: datetime) -> bool:
    """A recovery code counts, once."""
    statement = update(recovery_code).where(
        recovery_code.c.hash == _hash_of(name, code), recovery_code.c.used_at.is_(None)
    )
    return connection.execute(statement.values(used_at=now)).rowcount == 1


def codes_left(connection: Connection, name: str) -> int:
    """How many recovery codes a person still has."""
    statement = select(func.count()).where(recovery_code.c.person == name, recovery_code.c.used_at.is_(None))
    return connection.execute(statement).scalar_one()
