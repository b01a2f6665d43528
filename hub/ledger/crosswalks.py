"""The operator's answers to unknown codes; they win over the crosswalks of mapping files."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, func, select

from hub.ledger.sql import insert_of
from hub.ledger.tables import crosswalk


def stamp(connection: Connection, mapping: str) -> str:
    """Changes whenever an answer of this mapping changes."""
    row = connection.execute(select(func.count(), func.max(crosswalk.c.at)).where(crosswalk.c.mapping == mapping)).one()
    return f"{row[0]}@{row[1]}"


def answers(connection: Connection, mapping: str) -> dict[str, dict[str, str]]:
    """Answers of a mapping by crosswalk."""
    result: dict[str, dict[str, str]] = {}
    rows = connection.execute(
        select(crosswalk.c.name, crosswalk.c.source, crosswalk.c.code).where(crosswalk.c.mapping == mapping)
    )
    for name, source, code in rows:
        result.setdefault(name, {})[source] = code
    return result


def answer(
    connection: Connection, mapping: str, name: str, source: str, code: str, by: str, now: datetime, note: str = ""
) -> None:
    """What a word of a system means, from now on."""
    values = {"code": code, "by": by, "at": now, "note": note}
    statement = insert_of(connection, crosswalk).values(mapping=mapping, name=name, source=source, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["mapping", "name", "source"], set_=values))


def forget(connection: Connection, mapping: str, name: str, source: str) -> bool:
    """Take an answer back; True when there was one."""
    statement = delete(crosswalk).where(
        crosswalk.c.mapping == mapping, crosswalk.c.name == name, crosswalk.c.source == source
    )
    return connection.execute(statement).rowcount == 1
