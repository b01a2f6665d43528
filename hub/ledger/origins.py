"""The revision another hub gave a record: so that an older one that comes late is known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, func, select

from hub.ledger.sql import among, insert_of
from hub.ledger.tables import origin_revision as table

Key = tuple[bytes, str]
#: Rows in one statement; SQLite takes some 30,000 parameters.
_ROWS = 2000


def look_up(connection: Connection, keys: Sequence[bytes]) -> dict[Key, int]:
    """The newest revision heard of, by key hash and owner."""
    rows = connection.execute(
        select(table.c.key_hash, table.c.owner, table.c.revision).where(among(connection, table.c.key_hash, keys))
    )
    return {(r[0], r[1]): r[2] for r in rows}


def write(connection: Connection, newest: Mapping[Key, int]) -> None:
    """Remember revisions; an older one than is known changes nothing."""
    rows = [{"key_hash": key, "owner": owner, "revision": n} for (key, owner), n in sorted(newest.items())]
    for start in range(0, len(rows), _ROWS):
        statement = insert_of(connection, table).values(rows[start : start + _ROWS])
        larger = func.max if connection.dialect.name == "sqlite" else func.greatest
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["key_hash", "owner"],
                set_={"revision": larger(table.c.revision, statement.excluded.revision)},
            )
        )
