"""Writing many rows at once: COPY on PostgreSQL, one prepared statement on SQLite.  Columns in, no row objects."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from types import NoneType
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy import Connection, Table

Values = Sequence[Any] | str | int | bool | bytes | UUID | datetime | None


class AlreadyThere(Exception):
    """A row with the same key is there; on either database, whichever way it was written."""


_NULL = "\\N"
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def insert(connection: Connection, table: Table, columns: Mapping[str, Values], count: int) -> None:
    """Append `count` rows given as columns; a value that is not a list stands in every row.

    One statement, whatever the count.  Raises AlreadyThere when a key is taken; the transaction is then lost.
    """
    if count == 0:
        return
    try:
        if connection.dialect.name == "postgresql":
            _copy(connection, table, columns, count)
        else:
            _executemany(connection, table, columns, count)
    except (psycopg.errors.UniqueViolation, sqlite3.IntegrityError) as error:
        raise AlreadyThere(table.name) from error


def _is_column(value: Values) -> bool:
    return isinstance(value, list | tuple)


def _copy(connection: Connection, table: Table, columns: Mapping[str, Values], count: int) -> None:
    names = ", ".join(table.c[key].name if key in table.c else key for key in columns)
    texts = [_copy_texts(value, count) for value in columns.values()]
    body = "\n".join(map("\t".join, zip(*texts, strict=True))) + "\n"
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(f"COPY {table.name} ({names}) FROM STDIN") as copy:
        copy.write(body.encode("utf-8"))


def _copy_texts(value: Values, count: int) -> list[str]:
    """One column in the text format of COPY."""
    if not _is_column(value):
        return [_copy_text(value)] * count
    column: list[Any] = value  # type: ignore[assignment]
    kinds = set(map(type, column))
    if kinds == {str}:
        return _escaped(column)
    if kinds == {int}:
        return list(map(str, column))
    if kinds == {bytes}:
        return ["\\\\x" + v.hex() for v in column]
    if kinds <= {bytes, int, NoneType}:
        return [_NULL if v is None else str(v) if type(v) is int else "\\\\x" + v.hex() for v in column]
    return [_copy_text(v) for v in column]


def _escaped(column: list[str]) -> list[str]:
    joined = "".join(column)
    if "\\" in joined or "\t" in joined or "\n" in joined or "\r" in joined:
        column = [v.translate(_ESCAPES) for v in column]
    if "\x00" in joined:  # PostgreSQL holds no NUL in text; the raw bytes keep it
        column = [v.replace("\x00", "\ufffd") for v in column]
    return column


def _copy_text(value: Any) -> str:
    match value:
        case None:
            return _NULL
        case bool():
            return "t" if value else "f"
        case int():
            return str(value)
        case str():
            return _escaped([value])[0]
        case bytes():
            return "\\\\x" + value.hex()
        case UUID():
            return value.hex
        case datetime():
            return value.astimezone(UTC).isoformat()
    return str(value)


_SQLITE_FORMS: dict[type, Callable[[Any], Any]] = {
    UUID: lambda v: v.hex,
    datetime: lambda v: v.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "microseconds"),
    bool: int,
}


#: Rows of one step on SQLite.  Each step gives the interpreter away and stands in line for it again, so that a step a
#: row would take as many turns beside a thread that maps.
_STEPS = (256, 16, 1)
#: SQLite takes no more parameters in a statement unless it was built to.
_PARAMETERS = 32_766


def _executemany(connection: Connection, table: Table, columns: Mapping[str, Values], count: int) -> None:
    names = [table.c[key].name if key in table.c else key for key in columns]
    lists = [_sqlite_values(value, count) for value in columns.values()]
    rows = zip(*lists, strict=True)
    begin = f"INSERT INTO {table.name} ({', '.join(names)}) VALUES "  # noqa: S608 - our own names
    marks = f"({', '.join('?' * len(names))})"
    driver: Any = connection.connection.driver_connection
    left = count
    for step in _STEPS:
        if step * len(names) > _PARAMETERS:
            continue
        steps, left = divmod(left, step)
        if steps:
            flat = (tuple(chain.from_iterable(islice(rows, step))) for _ in range(steps))
            driver.executemany(begin + ", ".join([marks] * step), flat)


def _sqlite_values(value: Values, count: int) -> list[Any]:
    if not _is_column(value):
        form = _SQLITE_FORMS.get(type(value))
        return [form(value) if form else value] * count
    column: list[Any] = value  # type: ignore[assignment]
    if not any(kind in _SQLITE_FORMS for kind in set(map(type, column))):
        return column
    return [_SQLITE_FORMS[type(v)](v) if type(v) in _SQLITE_FORMS else v for v in column]
