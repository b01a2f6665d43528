"""Lookup `table_lookup`: a table or view of a base (法人库, 人口库, 地址库) is asked for many keys at once.

Plain statements that every database has: SELECT columns WHERE first key IN (…), in parts, with the time limits of the
connection; the other parts of a key are compared here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field, PositiveInt
from sqlalchemy import Connection, column, select, table

from adapters.base import Manifest, Surroundings
from adapters.table.cells import text_of
from adapters.table.database import Database
from adapters.table.settings import DatabaseSettings


class TableLookupSettings(DatabaseSettings):
    """Settings of a table that is asked."""

    table: str = Field(min_length=1, description="Table or view.")
    key: tuple[str, ...] = Field(min_length=1, description="Columns of the key, in the order of the rule's elements.")
    columns: tuple[str, ...] = Field((), description="Columns that are compared or filled in from.")
    only: dict[str, str] = Field({}, description="Column and value: rows that count, such as state = 1.")
    at_once: PositiveInt = Field(500, le=1000, description="Keys in one statement; Oracle takes a thousand.")


class TableLookup:
    """Implements standards.ports.Lookup."""

    def __init__(self, settings: TableLookupSettings, around: Surroundings) -> None:
        self._settings = settings
        self._database = Database(settings, around.secret)

    def find(self, keys: Sequence[tuple[str, ...]]) -> Mapping[tuple[str, ...], Mapping[str, str]]:
        """The rows of these keys; of several rows of one key the first."""
        wanted = set(keys)
        firsts = sorted({key[0] for key in keys})
        found: dict[tuple[str, ...], dict[str, str]] = {}
        size = self._settings.at_once

        def work(connection: Connection) -> None:
            for start in range(0, len(firsts), size):
                for key, values in self._rows(connection, firsts[start : start + size]):
                    if key in wanted:
                        found.setdefault(key, values)

        self._database.read(work)
        return found

    def _rows(self, connection: Connection, firsts: list[str]) -> list[tuple[tuple[str, ...], dict[str, str]]]:
        s = self._settings
        names = list(dict.fromkeys([*s.key, *s.columns]))
        rows = table(s.table, *(column(name) for name in {*names, *s.only}), schema=self._database.schema)
        statement = select(*(rows.c[name] for name in names)).where(rows.c[s.key[0]].in_(firsts))
        for name, value in s.only.items():
            statement = statement.where(rows.c[name] == value)
        result = []
        for row in connection.execute(statement):
            values = {name: text_of(cell) for name, cell in zip(names, row, strict=True)}
            result.append((tuple(values[name] for name in s.key), values))
        return result

    def check(self) -> str:
        """Ask for a key that nobody has."""
        self.find([tuple("-" for _ in self._settings.key)])
        return f"{self._database.where}: {self._settings.table}"

    def close(self) -> None:
        """Let go of the connection."""
        self._database.close()


MANIFEST = Manifest(
    name="table_lookup",
    title="基础库查询（库表）",
    title_en="a table that is asked",
    lookup_settings=TableLookupSettings,
    make_lookup=TableLookup,
    about=__doc__ or "",
)
