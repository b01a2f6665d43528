"""A sender's statement against what was read here: by count and key by key, until both agree."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import xlsxwriter
from sqlalchemy import select

from hub.ledger.tables import case_
from hub.reconciliation.statement import read
from standards.digest import key_hash
from standards.errors import BadRecord, UnknownName
from standards.registry import built_in
from tests.hub.cases.test_month import Month, at, rows

PUNISH = "punish_action"


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    made = Month(tmp_path, at(9, 10))
    yield made
    made.hub.ledger.close()


def numbered(count: int, first: int = 0) -> list[dict[str, str]]:
    return [{**row, "punish_action_code": f"CF{first + n}"} for n, row in enumerate(rows(PUNISH, count))]


def state(month: Month, text: str) -> list[dict[str, Any]]:
    return month.hub.reconciliations().with_sender("ecology", text.encode(), "清单.csv", "text/csv", "test")


def open_codes(month: Month) -> list[tuple[str, str]]:
    with month.hub.ledger.read() as connection:
        found = connection.execute(
            select(case_.c.party, case_.c.code)
            .where(case_.c.closed_at.is_(None), case_.c.class_ == "3")
            .order_by(case_.c.code, case_.c.key_hash)
        )
        return [(row[0], row[1]) for row in found]


def test_a_count_that_differs_is_a_case_with_both_numbers_until_the_rest_comes(month: Month) -> None:
    event = built_in().dataset(PUNISH).event_date or ""
    day = [{**row, event: "2026-09-10", "submitted_date": ""} for row in numbered(5)]
    month.hand_over("plain", day[:3])

    (found,) = state(month, "数据集,开始日期,结束日期,数量\n行政处罚行为,2026-09-10,2026-09-10,5\n")

    assert (found["agrees"], found["theirs"]["read"], found["ours"]["read"]) == (False, 5, 3)
    assert open_codes(month) == [("ecology", "20006.counts")]
    month.clock.forward(timedelta(days=1))
    month.daily.tick()
    assert open_codes(month) == [("ecology", "20006.counts")], "nothing came"
    month.hand_over("plain", day[3:])
    month.clock.forward(timedelta(hours=1))
    month.daily.tick()
    assert open_codes(month) == []
    assert month.hub.reconciliations().listed("ecology")[0]["ours"]["later"] == 2


def test_what_is_named_and_never_came_is_told_by_its_key_and_closed_by_the_record(month: Month) -> None:
    month.hand_over("plain", numbered(4))
    lines = [f"punish_action,2026-09-10,2026-09-10,CF{n}" for n in (1, 2, 3, 4, 5)]

    (found,) = state(month, "\n".join(["dataset,begin,end,key", *lines]))

    assert (found["extra"], found["missing"], found["agrees"]) == (2, 1, False)
    told = month.hub.reconciliations().one(UUID(found["id"]), "ecology")
    keys = {(one["kind"], one["key"]) for b in told["buckets"] for one in b["keys"]}
    assert keys == {
        ("extra", key_hash(PUNISH, "CF4").hex()),
        ("extra", key_hash(PUNISH, "CF5").hex()),
        ("missing", key_hash(PUNISH, "CF0").hex()),
    }
    assert open_codes(month) == [("ecology", f"20006.{kind}") for kind in ("counts", "extra", "extra", "missing")]
    with pytest.raises(UnknownName):
        month.hub.reconciliations().one(UUID(found["id"]), "market")

    month.hand_over("plain", numbered(2, first=4))
    assert open_codes(month) == [("ecology", "20006.counts"), ("ecology", "20006.missing")]
    (found,) = state(month, "\n".join(["dataset,begin,end,key", *lines, "punish_action,2026-09-10,2026-09-10,CF0"]))
    assert found["agrees"]
    assert open_codes(month) == []


def test_a_statement_is_a_workbook_too_and_what_cannot_be_understood_is_told_line_by_line() -> None:
    held = io.BytesIO()
    with xlsxwriter.Workbook(held) as book:
        sheet = book.add_worksheet()
        for number, cells in enumerate(
            [["数据集", "日期", "报送量"], ["行政检查行为", "2026/9/1", 12], ["check_action", "20260901", 3]]
        ):
            sheet.write_row(number, 0, cells)

    (one,) = read(held.getvalue(), "清单.xlsx", "", built_in())

    assert (one.dataset, one.begin, one.end, one.records) == ("check_action", date(2026, 9, 1), date(2026, 9, 1), 15)
    wrong = "dataset,begin,count\ncheck_action,2026-09-01,3\n不存在,2026-09-01,3\ncheck_action,2026-13-01,3\n"
    with pytest.raises(BadRecord, match="L3, L4"):
        read(wrong.encode(), "a.csv", "", built_in())
    with pytest.raises(BadRecord):
        read(json.dumps([]).encode(), "a.json", "", built_in())
