"""Notices are told once, many of them in a few statements."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy import event

from hub.ledger import notices
from hub.ledger.engine import Ledger
from hub.ledger.notices import Notice

pytestmark = pytest.mark.parametrize("ledger_url", ["sqlite", "postgresql"], indirect=True)
NOW = datetime(2026, 9, 10, 8, tzinfo=UTC)


def some(count: int) -> list[Notice]:
    return [Notice(f"p{n % 3}", f"case:{n // 3}", "opened", {"n": n}) for n in range(count)]


def test_each_is_told_once(ledger: Ledger) -> None:
    told = some(9)
    assert ledger.write(lambda c: notices.tell(c, [*told[:6], *told[:2]], NOW)) == told[:6]
    with ledger.read() as connection:
        assert notices.untold(connection, told) == told[6:]
    assert ledger.write(lambda c: notices.tell(c, told, NOW)) == told[6:]
    assert ledger.write(lambda c: notices.tell(c, told, NOW)) == []
    with ledger.read() as connection:
        assert len(notices.find(connection, ["p0", "p1", "p2"])) == 9


def test_a_thousand_that_were_told_need_no_write_of_each(ledger: Ledger) -> None:
    told = some(1000)
    ledger.write(lambda c: notices.tell(c, told, NOW))
    statements: list[str] = []

    def count(_c: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(ledger.engine, "before_cursor_execute", count)
    with ledger.read() as connection:
        assert notices.untold(connection, told) == []
    event.remove(ledger.engine, "before_cursor_execute", count)
    assert len(statements) <= 3
