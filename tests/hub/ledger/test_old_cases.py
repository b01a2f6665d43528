"""A ledger of before failure groups (0010) with cases in it, brought to the newest form: its groups are right."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text

from hub.ledger import failures, migrate
from hub.ledger.cases import Due, Opening, Selection, open_many
from hub.ledger.engine import Ledger
from standards.digest import uuid7
from standards.states import CaseClass

NOW = datetime(2026, 9, 10, 2, tzinfo=UTC)
OLD = "0010"
#: Class, party, data set, destination, code; how many of them were open, how many closed.
HELD = {
    ("2", "market", "punish_action", "", "10005"): (3, 1),
    ("2", "market", "punish_action", "province", "90002"): (2, 0),
    ("2", "ecology", "punish_action", "", "10005"): (1, 2),
    ("3", "market", "punish_action", "province", "20006.missing"): (2, 0),
    ("1", "market", "check_action", "", "40001"): (1, 0),
    ("2", "market", "check_action", "", "10002"): (0, 4),
}


@pytest.fixture(params=["sqlite", "postgresql"])
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    sqlite = f"sqlite:///{tmp_path}/old.db"
    made = Ledger(request.getfixturevalue("postgres_url") if request.param == "postgresql" else sqlite)
    made.write(lambda c: command.upgrade(_config(c), OLD))
    yield made
    made.close()


def _config(connection: Connection) -> Config:
    config = migrate.alembic_config()
    config.attributes["connection"] = connection
    return config


def fill(connection: Connection) -> dict[UUID, bool]:
    """Cases as the program of then wrote them: with its columns and no others; which of them were open."""
    names = ("class", "party", "dataset", "destination", "code")
    made: dict[UUID, bool] = {}
    for number, (words, (still_open, closed)) in enumerate(HELD.items()):
        for n in range(still_open + closed):
            identifier = uuid7()
            made[identifier] = n < still_open
            values: dict[str, Any] = {
                "id": identifier.hex if connection.dialect.name == "sqlite" else identifier,
                "state": "1" if n < still_open else "4",
                **dict(zip(names, words, strict=True)),
                "owner": "111402001D22DR363Y",
                "key_hash": bytes([number, n]) * 8,
                "opened_at": NOW - timedelta(days=n),
                "last_at": NOW,
                "closed_at": None if n < still_open else NOW,
                "note": f"{number}/{n}",
            }
            asked = f"INSERT INTO case_ ({', '.join(values)}) VALUES ({', '.join(':' + name for name in values)})"
            connection.execute(text(asked), values)
    return made


def grouped(ledger: Ledger) -> dict[tuple[str, ...], int]:
    with ledger.read() as connection:
        found = failures.groups(connection, Selection(), 100)
    return {(g.class_, g.party, g.dataset, g.destination, g.code): g.count for g in found}


def test_open_cases_of_before_are_grouped_by_what_is_known_of_them_and_nothing_is_lost(ledger: Ledger) -> None:
    made = ledger.write(fill)

    migrate.upgrade(ledger, NOW)

    assert migrate.is_current(ledger)
    assert grouped(ledger) == {words: still_open for words, (still_open, _) in HELD.items() if still_open}
    with ledger.read() as connection:
        kept = connection.execute(text("SELECT count(*), count(closed_at), count(DISTINCT note) FROM case_")).one()
        whole = failures.groups(connection, Selection(party="market", code="10005"), 10)
    assert tuple(kept) == (len(made), len(made) - sum(made.values()), len(made))
    [group] = whole
    assert (group.since, group.joined, group.taken_at) == (NOW - timedelta(days=2), 0, None)


def test_what_fails_again_for_the_same_reason_joins_the_group_of_before(ledger: Ledger) -> None:
    ledger.write(fill)
    migrate.upgrade(ledger, NOW)
    opening = Opening(
        class_=CaseClass.WRONG, party="market", dataset="punish_action", destination="province", code="90002"
    )

    ledger.write(lambda c: open_many(c, [opening], Due(NOW), NOW))

    assert grouped(ledger)["2", "market", "punish_action", "province", "90002"] == 3
    with ledger.read() as connection:
        [group] = failures.groups(connection, Selection(cause=opening.cause), 10)
    assert group.count == 3
