"""Columns of rows for the ledger's bulk writer, gathered until there are enough of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Table

from hub.ledger import bulk


class Rows:
    """Rows of several tables; written in the order in which their tables were first named."""

    def __init__(self) -> None:
        self._held: dict[str, tuple[Table, dict[str, list[Any]]]] = {}
        self.count = 0

    def add(self, table: Table, count: int, columns: Mapping[str, Any]) -> None:
        """`count` rows: lists hold a value for each, anything else stands in every row."""
        if not count:
            return
        _, held = self._held.setdefault(table.name, (table, {name: [] for name in columns}))
        for name, value in columns.items():
            held[name].extend(value if isinstance(value, list) else [value] * count)
        self.count += count

    def write(self, connection: Connection) -> None:
        """Write everything, and begin anew."""
        for table, columns in self._held.values():
            bulk.insert(connection, table, columns, len(next(iter(columns.values()))))

    def clear(self) -> None:
        """What was gathered is written."""
        self._held.clear()
        self.count = 0


def identifier_at(moment: datetime, n: int = 0) -> UUID:
    """A version 7 identifier of a moment in the past; `n` keeps those of one moment in order."""
    random = int.from_bytes(os.urandom(7), "big")
    high = int(moment.timestamp() * 1000) << 80
    return UUID(int=high | (0x7 << 76) | ((n & 0xFFF) << 64) | (0b10 << 62) | random)
