"""Bringing a ledger to the newest form, and making room for the next months."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from hub.ledger.engine import Ledger
from hub.ledger.tables import PARTITIONED
from standards.clock import SHANGHAI

_FOLDER = Path(__file__).parent / "migrations"
#: Any number that only we use: who migrates holds it, the others wait.
_LOCK = 6_327_201


def alembic_config() -> Config:
    """Alembic's settings; nothing of them is in a file."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    return config


def upgrade(ledger: Ledger, now: datetime) -> None:
    """Bring the ledger to the newest form; safe to call from several processes at once."""

    def work(connection: Connection) -> None:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        make_partitions(connection, months_from(now, 3))

    ledger.write(work)


def is_current(ledger: Ledger) -> bool:
    """True when the ledger has the form this program knows."""
    newest = ScriptDirectory.from_config(alembic_config()).get_current_head()
    with ledger.read() as connection:
        return MigrationContext.configure(connection).get_current_revision() == newest


def months_from(now: datetime, count: int) -> list[int]:
    """This month and the following, as yyyymm."""
    moment = now.astimezone(SHANGHAI)
    first = moment.year * 12 + moment.month - 1
    return [m // 12 * 100 + m % 12 + 1 for m in range(first, first + count)]


def make_partitions(connection: Connection, months: Iterable[int]) -> None:
    """Room for these months on PostgreSQL; nothing to do on SQLite."""
    if connection.dialect.name != "postgresql":
        return
    have = {
        row[0]
        for row in connection.execute(text("SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"))
    }
    for table in PARTITIONED:
        if f"{table.name}_other" not in have:
            connection.execute(text(f"CREATE TABLE {table.name}_other PARTITION OF {table.name} DEFAULT"))
        for month in months:
            if f"{table.name}_{month}" not in have:
                connection.execute(
                    text(f"CREATE TABLE {table.name}_{month} PARTITION OF {table.name} FOR VALUES IN ({int(month)})")
                )
