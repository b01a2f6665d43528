"""When a party or a connection failed last: however many hand-overs went well since, and by an index."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import event, insert, text

from hub.ledger import lists
from hub.ledger.engine import Ledger
from hub.ledger.tables import submission
from standards.digest import uuid7
from tests.hub.conftest import NOW, POSTGRESQL, SQLITE

pytestmark = pytest.mark.parametrize("ledger_url", [SQLITE, POSTGRESQL], indirect=True)

MANY = 6000
MONTH = int(NOW.strftime("%Y%m"))


def row(number: int, problem: str = "", connection: str = "checks") -> dict[str, object]:
    identifier = uuid7()
    at = NOW + timedelta(seconds=number)
    return {
        "id": identifier,
        "month": MONTH,
        "receipt_no": f"261123-{number:06}-0",
        "party": "ecology",
        "connection": connection,
        "dataset": "check_action",
        "lane": "bulk",
        "size": 1,
        "digest": "d",
        "state": "settled",
        "received_at": at,
        "judged_at": at,
        "problem": problem,
    }


@pytest.fixture
def filled(ledger: Ledger) -> Ledger:
    """Two failures of two connections, and thousands that went well since."""
    rows = [row(0, "unreadable", "penalties"), row(1, "unreadable"), *(row(n) for n in range(2, MANY))]
    ledger.write(lambda c: c.execute(insert(submission), rows))
    return ledger


def test_the_last_failure_is_found_behind_thousands_that_went_well(filled: Ledger) -> None:
    with filled.read() as connection:
        of_party = lists.last_failure(connection, party="ecology")
        of_connection = lists.last_failure(connection, of="penalties")

        assert of_party is not None
        assert of_party.receipt_no == "261123-000001-0"
        assert of_connection is not None
        assert of_connection.receipt_no == "261123-000000-0"
        assert lists.last_failure(connection, party="market") is None
        assert lists.last_success(connection, "penalties") is None
        assert lists.last_success(connection, "checks") == NOW + timedelta(seconds=MANY - 1)


@pytest.mark.parametrize("whose", ["party", "connection"])
def test_it_is_found_by_an_index_of_failures_and_never_by_a_scan(filled: Ledger, whose: str) -> None:
    asked: list[tuple[str, object]] = []
    if filled.name == "postgresql":
        filled.write(lambda c: c.execute(text("ANALYZE submission")))
    with filled.read() as connection:

        def note(_c: object, _k: object, statement: str, values: object, *_more: object) -> None:
            asked.append((statement, values))

        event.listen(connection.engine, "before_cursor_execute", note)
        lists.last_failure(connection, **{"party": "ecology"} if whose == "party" else {"of": "checks"})
        event.remove(connection.engine, "before_cursor_execute", note)
        ((statement, values),) = [one for one in asked if "FROM submission" in one[0]]
        explain = "EXPLAIN QUERY PLAN " if filled.name == "sqlite" else "EXPLAIN (ANALYZE) "
        plan = "\n".join(map(str, connection.exec_driver_sql(explain + statement, values).all()))

    if filled.name == "sqlite":
        assert f"SEARCH submission USING INDEX ix_submission_failed_{whose}" in plan
    else:
        assert f"Seq Scan on submission_{MONTH} " not in plan, plan
        assert "Rows Removed by Filter" not in plan, plan
