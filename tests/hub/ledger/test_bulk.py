"""However many rows are written at once, each is there once."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from hub.ledger import bulk
from hub.ledger.engine import Ledger
from hub.ledger.tables import notice
from standards.digest import uuid7

NOW = datetime(2026, 9, 10, 8, tzinfo=UTC)


@pytest.mark.parametrize("ledger_url", ["sqlite", "postgresql"], indirect=True)
def test_every_row_is_written_once_whatever_their_number(ledger: Ledger) -> None:
    wanted = []
    for count in (0, 1, 15, 16, 17, 255, 256, 257, 529):
        columns = {
            "id": [uuid7() for _ in range(count)],
            "at": NOW,
            "whom": [f"p{n % 7}" for n in range(count)],
            "about": [f"{count}:{n}" for n in range(count)],
            "says": "opened",
            "detail": "{}",
        }
        ledger.write(lambda c, columns=columns, count=count: bulk.insert(c, notice, columns, count))  # type: ignore[misc]
        wanted += list(zip(columns["id"], columns["whom"], columns["about"], strict=True))
    with ledger.read() as connection:
        found = [tuple(row) for row in connection.execute(select(notice.c.id, notice.c.whom, notice.c.about))]
    assert sorted(found) == sorted(wanted)
