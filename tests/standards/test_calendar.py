"""Working days with 调休; a year that is not published is not known."""

import json
from datetime import date, datetime, timedelta
from pathlib import Path

import chinese_calendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from standards.calendar import WorkCalendar
from standards.errors import BadConfiguration, CalendarMissing
from tests.shared_data import shared

CALENDAR = WorkCalendar()
KNOWN_DAYS = st.dates(date(2004, 1, 1), date(2026, 9, 1))

THE_SIX_WORKED_WEEKENDS_OF_2026 = ["2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10"]


def days(year: int) -> list[date]:
    first = date(year, 1, 1)
    return [first + timedelta(days=i) for i in range((date(year + 1, 1, 1) - first).days)]


def test_the_worked_weekends_of_2026_are_those_of_the_notice() -> None:
    worked = [d.isoformat() for d in days(2026) if d.weekday() > 4 and CALENDAR.is_workday(d)]

    assert worked == THE_SIX_WORKED_WEEKENDS_OF_2026


@pytest.mark.parametrize("year", range(2004, 2027))
def test_every_known_year_agrees_with_the_other_source(year: int) -> None:
    differing = [d for d in days(year) if CALENDAR.is_workday(d) != chinese_calendar.is_workday(d)]

    assert differing == []


def test_2027_is_not_known_and_never_guessed() -> None:
    assert CALENDAR.last_known_year() == 2026
    with pytest.raises(CalendarMissing) as raised:
        CALENDAR.is_workday(date(2027, 1, 4))
    assert raised.value.year == 2027


def test_a_deadline_that_runs_into_an_unknown_year_is_not_known() -> None:
    assert CALENDAR.add_working_days(date(2026, 12, 24), 5) == date(2026, 12, 31)
    with pytest.raises(CalendarMissing):
        CALENDAR.add_working_days(date(2026, 12, 25), 5)


def test_the_empty_file_of_2027_makes_nothing_known(tmp_path: Path) -> None:
    (tmp_path / "2027.json").write_bytes(shared("calendar/holiday_cn_2027.json").read_bytes())

    assert not WorkCalendar(tmp_path).is_known(2027)


def test_years_before_the_first_source_are_not_known() -> None:
    with pytest.raises(CalendarMissing):
        CALENDAR.is_workday(date(2003, 12, 31))


def test_five_working_days_over_the_national_holiday_skip_it_and_count_the_worked_saturday() -> None:
    assert CALENDAR.add_working_days(date(2026, 9, 30), 5) == date(2026, 10, 13)


def test_the_time_of_day_stays() -> None:
    start = datetime.fromisoformat("2026-09-30 16:05:00")

    assert CALENDAR.add_working_days(start, 5).isoformat(" ") == "2026-10-13 16:05:00"


def test_an_operators_file_makes_a_year_known(tmp_path: Path) -> None:
    (tmp_path / "2027.toml").write_text(
        'source = "国办发明电〔2026〕9号"\nholidays = [2027-01-01]\nworkdays = [2027-01-03]\n', encoding="utf-8"
    )

    calendar = WorkCalendar(tmp_path)

    assert calendar.last_known_year() == 2027
    assert not calendar.is_workday(date(2027, 1, 1))
    assert calendar.is_workday(date(2027, 1, 3))
    assert calendar.is_workday(date(2027, 1, 4))
    assert not calendar.is_workday(date(2027, 1, 9))


def test_an_operators_file_wins_over_the_built_in_one(tmp_path: Path) -> None:
    held = {"year": 2026, "days": [{"name": "x", "date": "2026-03-02", "isOffDay": True}]}
    (tmp_path / "2026.json").write_text(json.dumps(held), encoding="utf-8")

    calendar = WorkCalendar(tmp_path)

    assert not calendar.is_workday(date(2026, 3, 2))
    assert calendar.is_workday(date(2026, 1, 1)), "the built-in file of that year no longer counts"


def test_a_notice_also_moves_days_of_the_december_before(tmp_path: Path) -> None:
    held = {"year": 2027, "days": [{"name": "元旦", "date": "2026-12-31", "isOffDay": True}]}
    (tmp_path / "2027.json").write_text(json.dumps(held), encoding="utf-8")

    calendar = WorkCalendar(tmp_path)

    assert not calendar.is_workday(date(2026, 12, 31))
    assert not calendar.is_known(2027), "a file without a day of its own year makes it not known"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("2027.toml", "holidays = [2027-01-01]\n", "source"),
        ("2027.toml", 'source = "x"\nholiday = [2027-01-01]\n', "holiday"),
        ("2027.toml", 'source = "x"\nholidays = ["gestern"]\n', "gestern"),
        ("2027.toml", 'source = "x"\nholidays = [2025-01-01]\n', "2025-01-01"),
        ("2027.json", '{"year": 2028, "days": []}', "2028"),
        ("2027.json", "{", "2027.json"),
    ],
)
def test_a_faulty_year_file_is_refused_by_name(tmp_path: Path, name: str, content: str, told: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")

    with pytest.raises(BadConfiguration, match=told):
        WorkCalendar(tmp_path)


@given(KNOWN_DAYS, st.integers(1, 60))
def test_adding_and_counting_working_days_are_inverse(start: date, count: int) -> None:
    end = CALENDAR.add_working_days(start, count)

    assert CALENDAR.is_workday(end)
    assert CALENDAR.working_days_between(start, end) == count


@given(KNOWN_DAYS, st.integers(0, 40), st.integers(0, 40))
def test_adding_twice_is_adding_once(start: date, one: int, two: int) -> None:
    there = CALENDAR.add_working_days(CALENDAR.add_working_days(start, one), two)

    assert there == CALENDAR.add_working_days(start, one + two)


def test_counting_backwards_is_refused() -> None:
    with pytest.raises(ValueError, match="before"):
        CALENDAR.working_days_between(date(2026, 3, 2), date(2026, 3, 1))
    with pytest.raises(ValueError, match="forward"):
        CALENDAR.add_working_days(date(2026, 3, 2), -1)
