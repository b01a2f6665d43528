"""A report against the ledger: written down by hand, and by plain SQL."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import text

from hub.holds import Holds
from hub.ledger import notices, uses
from hub.ledger.cases import Selection
from monitor.report import SHEETS, workbook
from standards.errors import BadRecord, UnknownName
from standards.registry import built_in
from tests.hub.cases import test_month
from tests.hub.cases.test_month import Month, at, rows

ITEM = "14010001"


@pytest.fixture
def month(tmp_path: Path) -> Month:
    return Month(tmp_path, at(9, 1))


def penalties(count: int, day: str, **changes: str) -> list[dict[str, str]]:
    changes = {"set_date": day, "submitted_date": f"{day} 18:00:00", **changes}
    return [{**row, **changes} for row in rows("punish_action", count)]


def filled(month: Month) -> None:
    """Ten penalties: six in time, two late, two that are wrong."""
    month.clock.forward(at(9, 10) - month.clock.now())
    good = penalties(10, "2026-09-10")
    month.hand_over("plain", good[:6])
    month.hand_over("plain", [{**row, "set_date": "不详"} for row in good[8:]])
    month.clock.forward(at(9, 25) - month.clock.now())
    month.hand_over("plain", good[6:8])


def test_figures_of_a_month(month: Month) -> None:
    filled(month)
    desk = month.hub.reports()
    report = desk.report("month")
    assert (report["first"], report["last"], report["complete"]) == ("2026-09-01", "2026-09-30", False)
    (party,) = report["parties"]
    assert party["party"] == "ecology"
    assert (party["handed"], party["accepted"], party["rejected"]) == (10, 8, 2)
    assert party["error_rate"] == pytest.approx(0.2)
    assert party["in_time_rate"] == pytest.approx(6 / 8)
    assert party["timeliness"] == pytest.approx(8 / (6 * 1 + 2 * 16))
    assert (party["cases_opened"], party["cases_overdue"], party["cases_in_time"]) == (2, 2, 0)
    assert party["score"] == pytest.approx((40 * 0.8 + 30 * 0.75 + 20 * 0) / 90 * 100, abs=0.01)
    assert (party["rank"], party["ranked"], party["coverage"]) == (1, 1, None)
    assert [(one["day"], one["accepted"]) for one in report["days"]] == [("2026-09-10", 6), ("2026-09-25", 2)]
    assert sum(one["count"] for one in report["findings"]) >= 2
    assert all(one["hint"] for one in report["findings"])
    # On the day itself nothing was late or overdue.
    day = desk.report("day", date(2026, 9, 10))["parties"][0]
    assert (day["accepted"], day["in_time_rate"], day["cases_overdue"]) == (6, 1.0, 0)
    assert desk.report("month", date(2026, 8, 1))["parties"] == []


def test_a_party_sees_its_own_rows_and_its_place_among_all(month: Month) -> None:
    filled(month)
    own = month.hub.reports().report("month", party="ecology")
    assert {row["party"] for name in ("parties", "datasets", "days", "findings") for row in own[name]} == {"ecology"}
    assert own["regions"] == []
    assert month.hub.reports().report("month", party="market")["parties"] == []


def test_coverage_is_main_items_with_behaviour_over_main_items_claimed(month: Month) -> None:
    month.clock.forward(at(9, 10) - month.clock.now())
    owner = month.hub.generations.current().settings.parties["ecology"].code
    items = [
        {**row, "matter_code": f"1401000{n}", "is_stop": "0", "claim_state": "2", "claim_org_code": owner}
        for n, row in enumerate(rows("supervise_item_main", 4))
    ]
    items[3]["claim_org_code"], items[3]["claim_state"] = "", ""
    month.hand_over("items", items)
    month.hand_over("plain", penalties(3, "2026-09-10", supervise_item_code="14010001000001"))
    (party,) = month.hub.reports().report("month")["parties"]
    assert (party["items_claimed"], party["items_used"], party["coverage"]) == (3, 1, pytest.approx(1 / 3))


def test_the_workbook_holds_the_figures_as_numbers(month: Month) -> None:
    filled(month)
    report = month.hub.reports().report("month")
    book = load_workbook(io.BytesIO(workbook(report)))
    assert book.sheetnames == [said[0] for said in SHEETS.values()]
    for table, (title, _, columns) in SHEETS.items():
        sheet = book[title]
        found = [[cell.value for cell in row] for row in sheet.iter_rows(min_row=3)]
        wanted = [[row[name] if row[name] != "" else None for name, *_ in columns] for row in report[table]]
        assert found == [[v if not isinstance(v, float) else pytest.approx(v) for v in row] for row in wanted], table
    assert "监管数据交换月报 2026-09-01 – 2026-09-30（期间未结束）" in book["单位考核"]["A1"].value


def test_a_notice_to_rectify_names_the_cases_and_a_term_and_is_sent_once_a_day(month: Month) -> None:
    filled(month)
    month.clock.forward(at(9, 30) - month.clock.now())
    desk = month.hub.reports()
    said = desk.rectification("ecology")
    assert said["due_at"].startswith("2026-10-13"), "five working days over the national day"
    assert sum(one["cases"] for one in said["cases"]) == 2
    assert said["cases"][0]["dataset_title"] == built_in().title("punish_action")
    assert [desk.send_rectification("ecology", "key")["sent"] for _ in range(2)] == [1, 0]
    with month.hub.ledger.read() as connection:
        (told,) = notices.find(connection, ["ecology"])
    assert (told["says"], told["detail"]["cases"]) == ("rectify", 2)
    with pytest.raises(BadRecord):
        desk.rectification("market")
    with pytest.raises(UnknownName):
        desk.rectification("nobody")


def test_the_circular_goes_to_who_is_in_it_and_above(month: Month) -> None:
    desk = month.hub.reports()
    with pytest.raises(BadRecord):
        desk.send_circular("key")
    filled(month)
    said = desk.send_circular("key")
    assert [one["party"] for one in said["parties"]] == ["ecology"]
    assert said["sent"] == 2
    with month.hub.ledger.read() as connection:
        assert {one["whom"] for one in notices.find(connection, ["ecology", "above"])} == {"ecology", "above"}
    month.desk.waive(Selection(), "key", "李明", "系统迁移")
    assert desk.circular()["parties"] == []


def test_figures_equal_plain_sql_over_the_ledger(month: Month) -> None:
    filled(month)
    (party,) = month.hub.reports().report("month")["parties"]
    with month.hub.ledger.read() as connection:
        verdicts = connection.execute(text("SELECT verdict, count(*) FROM record GROUP BY verdict")).all()
        handed, rejected = connection.execute(text("SELECT sum(read), sum(rejected) FROM submission")).one()
        (opened,) = connection.execute(text("SELECT count(*) FROM case_")).one()
    assert {str(one[0]): one[1] for one in verdicts} == {"accepted": party["accepted"], "rejected": party["rejected"]}
    assert (party["handed"], party["rejected"], party["cases_opened"]) == (handed, rejected, opened)


def test_a_held_record_counts_when_it_is_let_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = '[references]\n"punish_action.check_action_code" = "hold"\n'
    monkeypatch.setattr(test_month, "MORE", f"{test_month.MORE}\n{hold}")
    month, code = Month(tmp_path, at(9, 10)), "JC-2026-0001"
    held = penalties(1, "2026-09-09", check_action_code=code, supervise_item_code="14010001000001")
    month.hand_over("plain", held)
    (before,) = month.hub.reports().report("month")["parties"]
    assert (before["held"], before["in_time_rate"]) == (1, None)

    month.hand_over("checks", [{**rows("check_action", 1)[0], "check_action_code": code}])
    hub = month.hub
    assert Holds(hub.ledger, hub.generations, month.clock, hub.seal, hub.deadlines, "test").release_ready() == 1

    (penalty,) = [one for one in hub.reports().report("month")["datasets"] if one["dataset"] == "punish_action"]
    assert (penalty["in_time_rate"], penalty["timeliness"]) == (1.0, pytest.approx(1 / 2))
    with hub.ledger.read() as connection:
        assert {item for _, item in uses.between(connection, "2026-09-09", "2026-09-09")} >= {ITEM}
