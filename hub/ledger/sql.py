"""Small differences between the two databases, in one place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, LargeBinary, String, Table, Uuid, bindparam, func
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql import ARRAY


def among(connection: Connection, column: Column[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """`column` is one of `values`: one parameter on PostgreSQL, however many values there are."""
    if connection.dialect.name == "postgresql":
        kind: Any = column.type
        inner = LargeBinary() if isinstance(kind, LargeBinary) else Uuid() if isinstance(kind, Uuid) else String()
        if not isinstance(kind, LargeBinary | Uuid | String):
            inner = kind
        array = bindparam(None, list(values), type_=ARRAY(inner), unique=True)
        return column == func.any(array)
    return column.in_(list(values))


def insert_of(connection: Connection, table: Table) -> Any:
    """An INSERT that knows ON CONFLICT."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def insert_new(connection: Connection, table: Table, values: dict[str, Any]) -> bool:
    """Insert a row unless one with its key is there; True when it was inserted."""
    statement = insert_of(connection, table).values(**values).on_conflict_do_nothing()
    key = next(iter(table.primary_key))
    return connection.execute(statement.returning(key)).first() is not None
