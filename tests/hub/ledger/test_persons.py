"""Records about a person are found by the keyed index of the number, among any number of others."""

from __future__ import annotations

import pytest
from sqlalchemy import event, insert, text

from hub.ledger import heads
from hub.ledger.engine import Ledger
from hub.ledger.tables import record_head
from hub.vault import Sm4Seal
from standards.digest import sm3, uuid7
from tests.hub.conftest import NOW, POSTGRESQL, SQLITE

pytestmark = pytest.mark.parametrize("ledger_url", [SQLITE, POSTGRESQL], indirect=True)
INDEX = Sm4Seal("11" * 16).blind("140211199003070015")


def head(number: int, index: bytes | None) -> dict[str, object]:
    return {
        "key_hash": sm3(str(number).encode())[:16],
        "owner": "11140200A4L2GB1F45",
        "dataset": "punish_action",
        "cd_id": str(number),
        "revision": 1,
        "operation": "i",
        "digest": b"d",
        "bucket": 0,
        "subject_index": index,
        "party": "ecology",
        "submission_id": uuid7(),
        "row_no": number,
        "updated_at": NOW,
    }


def test_a_person_s_records_are_found_by_an_index_and_no_scan(ledger: Ledger) -> None:
    rows = [head(n, None) for n in range(4000)] + [head(n, sm3(str(n).encode())[:16]) for n in range(4000, 6000)]
    ledger.write(lambda c: c.execute(insert(record_head), [*rows, head(7001, INDEX), head(7002, INDEX)]))
    if ledger.name == "postgresql":
        ledger.write(lambda c: c.execute(text("ANALYZE record_head")))
    asked: list[tuple[str, object]] = []

    with ledger.read() as connection:
        listen = (connection.engine, "before_cursor_execute", lambda _c, _k, s, v, *_m: asked.append((s, v)))
        event.listen(*listen)
        found = heads.of_person(connection, INDEX, 50)
        event.remove(*listen)
        ((statement, values),) = [one for one in asked if "FROM record_head" in one[0]]
        explain = "EXPLAIN QUERY PLAN " if ledger.name == "sqlite" else "EXPLAIN "
        plan = "\n".join(map(str, connection.exec_driver_sql(explain + statement, values).all()))

    assert sorted(one.row_no for one in found) == [7001, 7002]
    assert "ix_record_head_person" in plan, plan
