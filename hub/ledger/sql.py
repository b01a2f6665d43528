"""Small differences between the two databases, in one place."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import Column, ColumnElement, Connection, Table, bindparam, func
from sqlalchemy.dialects import postgresql, sqlite

from hub.ledger.arrays import PackedArray, packed_type

T = TypeVar("T")


def among(connection: Connection, column: Column[Any], values: Sequence[Any]) -> ColumnElement[bool]:
    """`column` is one of `values`: one parameter on PostgreSQL, however many values there are."""
    if connection.dialect.name != "postgresql":
        return column.in_(list(values))
    array = bindparam(None, PackedArray(values), type_=packed_type(column.type), unique=True)
    return column == func.any(array)


def in_parts(values: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """So many at a time."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


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
