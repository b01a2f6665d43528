"""A month on a frozen clock: one department silent, one with wrong data, one whose counts differ at the province."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.bootstrap import Hub, build, prepare
from hub.casework import working_days_left
from hub.expectations import Period, ended, silent, working_time
from hub.ledger import notices
from hub.ledger.cases import Opening, Selection, open_many
from hub.ledger.tables import case_, parcel
from hub.settings import Expectation
from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI, FrozenClock, local
from standards.errors import BadRecord
from standards.ports import HandOver
from standards.registry import built_in
from standards.samples import valid_records
from standards.states import CaseClass, CaseState
from tests.hub.city import config
from tests.receiver import Receiver

CALENDAR = WorkCalendar()
MORE = """
[connections.dynamics]
party = "ecology"
dataset = "supervise_dynamic"

[connections.plain]
party = "ecology"
dataset = "punish_action"

[parties.transport]
title = "大同市交通运输局"
code = "911402007GBJK20R2R"

[connections.fines]
party = "transport"
dataset = "punish_action"

[connections.province-reports]
party = "centre"
dataset = "reconciliation_report"

[connections.items]
party = "ecology"
dataset = "supervise_item_main"

[[expectations]]
datasets = ["supervise_dynamic"]
parties = ["ecology", "market"]
every = "month"
at_least = 2
since = "2026-08-01"
"""


def at(month: int, day: int, hour: int = 10, minute: int = 0, year: int = 2026) -> datetime:
    return datetime(year, month, day, hour, minute, tzinfo=SHANGHAI)


class Month:
    """A hub of which nothing runs by itself."""

    def __init__(self, folder: Path, now: datetime, province: Receiver | None = None) -> None:
        self.clock = FrozenClock(now)
        self.province = province
        path = folder / "hub.toml"
        path.write_text(config(province.url if province else "http://127.0.0.1:1", more=MORE), "utf-8")
        settings, body = prepare(path)
        self.hub: Hub = build(settings, self.clock)
        self.hub.generations.publish(body, "test")
        self.desk = self.hub.cases()
        self.daily = self.hub.reconciling()
        self.dispatcher = self.hub.dispatcher()

    def go(self, now: datetime) -> list[tuple[str, str]]:
        """Let the scheduler's jobs run at a moment; who was told what."""
        self.clock.forward(now - self.clock.now())
        before = len(self.told())
        for _ in range(2):
            self.desk.fill_in()
            self.desk.expect()
            self.desk.listen()
            self.desk.urge()
            self.daily.tick()
        return self.told()[before:]

    def told(self) -> list[tuple[str, str]]:
        with self.hub.ledger.read() as connection:
            found = notices.find(connection, ["", "above", "ecology", "market", "transport"], limit=1000)
        return [(one["whom"], f"{one['detail']['code']} {one['says']}") for one in reversed(found)]

    def hand_over(self, connection: str, rows: list[dict[str, str]]) -> None:
        kept = self.hub.intake.receive(
            HandOver(connection=connection, name="a.json"), [json.dumps(rows, ensure_ascii=False).encode()]
        )
        self.hub.translator("test").translate(kept.submission_id)

    def deliver(self) -> None:
        """Send what waits."""
        with self.hub.ledger.read() as connection:
            waiting = list(connection.execute(select(parcel.c.id).where(parcel.c.ended_at.is_(None))).scalars())
        for identifier in waiting:
            self.dispatcher.dispatch(identifier)

    def province_says(self, day: date) -> None:
        """The province's report of a day comes down: what it holds of each organisation."""
        assert self.province is not None
        owners = [
            held.get("owner_org_code", held["provider_code"])
            for (cd_id, revision), held in self.province.contents.items()
            if self.province.stored.get(cd_id) == revision and held.get("submitted_date", "")[:10] == str(day)
        ]
        reports = [
            {
                "report_no": f"{day:%Y%m%d}-{code}",
                "direction": "dn",
                "dataset": "punish_action",
                "org_code": code,
                "data_date": day.isoformat(),
                **dict.fromkeys(("front_count", "standard_count", "right_count"), str(count)),
                **dict.fromkeys(("delivered_count", "acked_count"), str(count)),
                "wrong_count": "0",
                "digest": "0" * 64,
                "result": "1",
                "report_time": f"{day + timedelta(days=1)} 05:00:00",
            }
            for code, count in Counter(owners).items()
        ]
        self.hand_over("province-reports", reports)

    def cases(self) -> list[Any]:
        with self.hub.ledger.read() as connection:
            return list(connection.execute(select(case_).order_by(case_.c.opened_at, case_.c.party)))


@pytest.fixture
def month(tmp_path: Path) -> Iterator[Month]:
    province = Receiver().start()
    made = Month(tmp_path, at(9, 1), province)
    yield made
    made.hub.ledger.close()
    province.stop()


def rows(dataset: str, count: int, **changes: str) -> list[dict[str, str]]:
    return [{**row, **changes} for row in valid_records(built_in().dataset(dataset), built_in(), count)]


def test_a_month_with_one_silent_one_wrong_and_one_department_whose_counts_differ_at_the_province(month: Month) -> None:
    dynamics = rows("supervise_dynamic", 5)
    event = built_in().dataset("supervise_dynamic").event_date or ""
    months = [{**row, event: row[event].replace(row[event][:10], "2026-09-10")} for row in dynamics]
    month.clock.forward(at(9, 10) - month.clock.now())
    month.hand_over("dynamics", months[:2])
    wrong = rows("punish_action", 1, set_date="不详")
    month.hand_over("plain", wrong)
    (case,) = [c for c in month.cases() if c.class_ == CaseClass.WRONG]
    assert local(case.due_at) == at(9, 17, 23, 59).replace(second=59), "five working days after a Thursday"

    # Of what the third one handed over the province lost two: its report of the day says so the next morning.
    fines = rows("punish_action", 10)
    fines = [{**row, "punish_action_code": f"JT{n}", "submitted_date": ""} for n, row in enumerate(fines)]
    month.hand_over("fines", fines)
    month.deliver()
    province = month.province
    assert province is not None
    of_transport = [
        c for (c, _), held in province.contents.items() if held.get("punish_action_code", "").startswith("JT")
    ]
    for cd_id in of_transport[:2]:
        del province.stored[cd_id], province.contents[cd_id, 1]
    assert [c for c in month.cases() if c.class_ == CaseClass.INCONSISTENT] == []
    month.clock.forward(at(9, 11, 6) - month.clock.now())
    month.province_says(date(2026, 9, 10))
    told = month.go(at(9, 11, 6, 1))
    (differs,) = [c for c in month.cases() if c.class_ == CaseClass.INCONSISTENT]
    assert (differs.party, differs.code, differs.destination) == ("transport", "20006.counts", "province")
    assert (differs.period_begin, local(differs.opened_at).date()) == (date(2026, 9, 10), date(2026, 9, 11))
    assert local(differs.due_at).date() == date(2026, 9, 18), "five working days after a Friday"
    assert "本方 10，对方 8" in differs.note
    assert ("transport", "20006.counts opened") in told
    month.go(at(9, 14))
    assert differs.id in {c.id for c in month.cases() if c.closed_at is None}, "nothing came meanwhile"

    # Reported again, mended, it is there, and the case is no more; the later report of both days agrees as well.
    month.clock.forward(at(9, 15) - month.clock.now())
    lost = [row for row in fines if any(cd_id.endswith(row["punish_action_code"]) for cd_id in of_transport[:2])]
    month.hand_over("fines", [{**row, "administrative_cp": "大同市晋北运输有限公司"} for row in lost])
    month.deliver()
    month.go(at(9, 15, 11))
    (differs,) = [c for c in month.cases() if c.class_ == CaseClass.INCONSISTENT]
    assert (differs.state, differs.closed_by, local(differs.closed_at).date()) == ("4", "data", date(2026, 9, 15))
    month.clock.forward(at(9, 16, 6) - month.clock.now())
    month.province_says(date(2026, 9, 10))
    month.province_says(date(2026, 9, 15))
    month.go(at(9, 16, 7))
    assert len([c for c in month.cases() if c.class_ == CaseClass.INCONSISTENT]) == 1
    assert [one["agrees"] for one in month.hub.reconciliations().listed("transport")] == [True, True, False]

    # On the first of October both months were looked at: ecology reported its two, market nothing at all.
    told = month.go(at(10, 1, 1))
    missing = [c for c in month.cases() if c.class_ == CaseClass.UNREPORTED]
    assert [(c.party, c.code, c.period_begin, c.period_end) for c in missing if c.period_begin.month == 9] == [
        ("market", "40001", date(2026, 9, 1), date(2026, 9, 30))
    ]
    (market,) = [c for c in missing if c.party == "market" and c.period_begin.month == 9]
    # Until the 7th nobody works, on Saturday the 10th everybody does: 8, 9, 10, 12, 13.
    assert local(market.due_at).date() == date(2026, 10, 13)
    assert ("market", "40001 opened") in told

    month.go(at(10, 10))
    assert ("market", "40001 remind") in month.told()
    assert ("market", "40001 tomorrow") in month.go(at(10, 12))
    late = month.go(at(10, 14, 0, 1))
    assert {("market", "40001 overdue"), ("", "40001 overdue")} <= set(late)
    assert ("above", "40001 escalate") not in late
    assert ("above", "40001 escalate") in month.go(at(10, 14, 9, 1))
    circular = month.desk.circular()
    assert "40001" in {one["code"] for one in circular["market"]}

    # Re-reporting closes what was wrong, and a zero report what never came.
    month.hand_over("plain", rows("punish_action", 1))
    (case,) = [c for c in month.cases() if c.class_ == CaseClass.WRONG]
    assert (case.state, case.closed_by) == (CaseState.CLOSED, "data")
    assert month.desk.nothing(Selection(party="market"), "key", "李明") >= 1
    assert all(c.closed_at for c in month.cases() if c.party == "market")
    assert month.go(at(10, 16)) == [], "what is closed is not opened again"


def test_too_little_is_told_with_both_numbers_and_closed_when_the_rest_comes(month: Month) -> None:
    dynamics = rows("supervise_dynamic", 3)
    event = built_in().dataset("supervise_dynamic").event_date or ""
    dated = [{**row, event: row[event].replace(row[event][:10], "2026-09-10")} for row in dynamics]
    month.clock.forward(at(9, 10) - month.clock.now())
    month.hand_over("dynamics", dated[:1])
    month.go(at(10, 8, 9))
    (case,) = [c for c in month.cases() if c.party == "ecology" and c.period_begin == date(2026, 9, 1)]
    assert (case.code, "应报 2，实报 1" in case.note) == ("40002", True)

    month.hand_over("dynamics", dated[1:2])
    month.go(at(10, 8, 10))

    (case,) = [c for c in month.cases() if c.party == "ecology" and c.period_begin == date(2026, 9, 1)]
    assert case.closed_by == "data"


def test_a_feed_is_silent_after_its_habit_not_over_a_holiday_and_heard_of_again(month: Month) -> None:
    day = at(9, 1, 9)
    good = rows("punish_action", 40)
    for number in range(20):
        while not CALENDAR.is_workday(day.date()):
            day += timedelta(days=1)
        month.clock.forward(day - month.clock.now())
        month.hand_over("plain", good[number : number + 1])
        day += timedelta(days=1)
    assert CALENDAR.is_workday(day.date()) or day.date() >= date(2026, 9, 25)
    last = day

    month.go(last + timedelta(days=1))
    assert [c for c in month.cases() if c.code == "40003"] == [], "a day late is no silence"
    month.go(at(10, 9, 18))
    month.go(at(10, 14, 18))
    (case,) = [c for c in month.cases() if c.code == "40003"]
    assert (case.party, case.closed_at, "plain" in case.note) == ("ecology", None, True)

    month.hand_over("plain", good[30:31])
    month.go(at(10, 14, 19))
    (case,) = [c for c in month.cases() if c.code == "40003"]
    assert case.closed_by == "data"


def test_a_waiver_names_who_and_why_and_a_group_is_taken_at_once(month: Month) -> None:
    month.hand_over("plain", rows("punish_action", 5, set_date="不详"))
    which = Selection(party="ecology", code="10003")
    groups = month.desk.groups(Selection(party="ecology"))
    assert [(g["cases"], g["class_zh"]) for g in groups] == [(5, "报送错误")]
    which = Selection(party="ecology", code=groups[0]["code"])

    assert month.desk.take(which, "key-1", "正在联系") == 5
    assert month.desk.groups(which)[0]["disposing"] == 5
    with pytest.raises(BadRecord, match="names who"):
        month.desk.waive(which, "key-1", " ", "x")
    assert month.desk.waive(which, "key-1", "王局长", "系统改造期间") == 5
    assert month.desk.groups(which) == []
    assert {c.state for c in month.cases()} == {CaseState.WAIVED}


def test_a_term_in_a_year_without_calendar_has_no_due_time_alarms_and_is_filled_in(tmp_path: Path) -> None:
    made = Month(tmp_path, at(12, 30))
    opening = Opening(class_=CaseClass.WRONG, party="ecology", code="10002", dataset="punish_action")
    due = made.hub.deadlines(made.clock.now())
    made.hub.ledger.write(lambda c: open_many(c, [opening], due, made.clock.now()))
    assert ("", "10002 no_calendar") in made.go(at(12, 30, 11))
    (case,) = [c for c in made.cases() if c.code == "10002"]
    assert (case.due_at, case.due_missing) == (None, "calendar 2027 not loaded")

    folder = tmp_path / "calendars"
    folder.mkdir()
    year = {"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": True}]}
    (folder / "2027.json").write_text(json.dumps(year), "utf-8")
    made.desk.deadlines = type(made.hub.deadlines)(5, folder)
    assert made.desk.fill_in() >= 1
    (case,) = [c for c in made.cases() if c.code == "10002"]
    assert local(case.due_at).date() == date(2027, 1, 7)
    made.hub.ledger.close()


def test_periods_end_when_their_grace_is_over() -> None:
    said = Expectation(datasets=("x",), parties=("a",), every="month", grace=3)
    assert ended(said, date(2026, 10, 9), CALENDAR)[-1].end == date(2026, 8, 31), "8, 9 and 10 October are the grace"
    assert ended(said, date(2026, 10, 11), CALENDAR)[-1] == Period(date(2026, 9, 1), date(2026, 9, 30))
    daily = Expectation(datasets=("x",), parties=("a",), every="day")
    assert ended(daily, date(2026, 10, 9), CALENDAR)[-1].begin == date(2026, 10, 8), "holidays expect nothing"
    assert [p.begin.day for p in ended(daily, date(2026, 10, 9), CALENDAR)] == [29, 30, 8]
    quarter = Expectation(datasets=("x",), parties=("a",), every="quarter")
    assert ended(quarter, date(2026, 10, 1), CALENDAR)[-1] == Period(date(2026, 7, 1), date(2026, 9, 30))


def test_working_time_leaves_holidays_out() -> None:
    assert working_time(at(9, 30, 12), at(10, 8, 12), CALENDAR) == timedelta(days=1)
    assert working_days_left(at(10, 9, 23), at(9, 30), CALENDAR) == 2
    heard = [at(9, 1) + timedelta(hours=n) for n in range(10)]
    assert silent(heard, heard[-1] + timedelta(hours=2), CALENDAR, 3.0, timedelta(hours=1)) is None
    assert silent(heard, heard[-1] + timedelta(hours=4), CALENDAR, 3.0, timedelta(hours=1)) == timedelta(hours=4)
    assert silent(heard[:5], heard[-1] + timedelta(days=4), CALENDAR, 3.0, timedelta(hours=1)) is None, "no habit yet"
