"""A front-end table as SQLAlchemy knows one, made from a data set: for simulators and tests on any database.

Where a database is set up for good, the DDL of `standards.exports` is used; both have the same columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Date, DateTime, Index, Integer, MetaData, Numeric, String, Table, Text, types

from adapters.base import StandardView
from adapters.table.shape import elements_of
from standards.exports.ddl import short_name
from standards.model import DataSet, Element, Kind

_ALWAYS = frozenset({"cd_id", "cd_time", "cd_source", "cd_batch", "cd_operation"})


def front_table(
    dataset: DataSet,
    standard: StandardView,
    metadata: MetaData,
    *,
    name: str = "",
    schema: str | None = None,
    leave_out: Sequence[str] = (),
) -> Table:
    """The front-end table of a data set: typed, keyed by cd_id, indexed for reading what is new."""
    name = name or dataset.table
    held = [e for e in elements_of(dataset, standard) if e.id not in leave_out]
    columns = [Column(e.id, _type(e), primary_key=e.id == "cd_id", nullable=e.id not in _ALWAYS) for e in held]
    table = Table(name, metadata, *columns, schema=schema)
    Index(short_name(f"ix_{name}_u"), table.c.data_up_time, table.c.cd_id)
    return table


def _type(element: Element) -> types.TypeEngine[Any]:
    size = element.max or 4000
    match element.type:
        case Kind.DATE:
            return Date()
        case Kind.DATETIME:
            return DateTime()
        case Kind.DECIMAL:
            return Numeric(size, element.scale)
        case Kind.INT:
            return Integer() if size <= 9 else BigInteger()
        case Kind.LONGTEXT | Kind.JSON:
            return Text()
    return String(size) if size <= 4000 else Text()
