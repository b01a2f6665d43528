"""Column types that mean the same on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Dialect
from sqlalchemy.types import TypeDecorator

from standards.clock import SHANGHAI


class Utc(TypeDecorator[datetime]):
    """A point in time: kept in UTC, handed out aware."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone cannot be stored")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        assert isinstance(value, datetime)
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def month_of(identifier: UUID) -> int:
    """The month (yyyymm, Asia/Shanghai) in which a version 7 identifier was made: the partition of its rows.

    0, where nothing is kept, for an identifier of somebody else whose first bits are no time before the year 10000.
    """
    try:
        moment = datetime.fromtimestamp((identifier.int >> 80) / 1000, SHANGHAI)
    except ValueError:
        return 0
    return moment.year * 100 + moment.month
