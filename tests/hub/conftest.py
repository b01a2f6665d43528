"""Ledgers, clocks and hubs for the tests of the room `hub`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hub.ledger import migrate
from hub.ledger.engine import Ledger
from standards.clock import FrozenClock
from tests.services.postgres import Databases

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

SQLITE = pytest.param("sqlite", marks=pytest.mark.contract(suite="ledger", on="sqlite"))
POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.contract(suite="ledger", on="postgresql"))


def _migrated(url: str) -> None:
    ledger = Ledger(url)
    migrate.upgrade(ledger, datetime.now(UTC))
    ledger.close()


@pytest.fixture
def clock() -> FrozenClock:
    """A clock that stands at ten in the morning of Monday 2026-11-23 in China."""
    return FrozenClock(NOW)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite ledger to copy."""
    path = tmp_path_factory.mktemp("template") / "ledger.db"
    _migrated(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a fresh, migrated SQLite ledger."""
    path = tmp_path / "ledger.db"
    path.write_bytes(sqlite_template.read_bytes())
    return f"sqlite:///{path}"


@pytest.fixture
def ledger_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a fresh, migrated ledger; parametrize it indirectly with `sqlite` or `postgresql`."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    databases: Databases = request.getfixturevalue("postgres")
    url = databases.create(template=databases.template("ledger", _migrated))
    yield url
    databases.drop(url)


@pytest.fixture
def ledger(ledger_url: str) -> Iterator[Ledger]:
    """A fresh, migrated ledger."""
    held = Ledger(ledger_url)
    yield held
    held.close()


@pytest.fixture
def open_ledger(ledger_url: str) -> Iterator[Callable[[], Ledger]]:
    """Opens the same ledger again, as another process would."""
    opened: list[Ledger] = []

    def another() -> Ledger:
        opened.append(Ledger(ledger_url))
        return opened[-1]

    yield another
    for one in opened:
        one.close()
