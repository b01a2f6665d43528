"""What a report says, by hand."""

from __future__ import annotations

from datetime import date

import pytest

from hub.evaluated import item_elements, main_items, timely
from hub.reports.figures import quantile
from hub.reports.score import ranks, score
from hub.reports.span import Span
from standards.calendar import WorkCalendar
from standards.registry import built_in

CALENDAR = WorkCalendar()


def test_spans_hold_whole_days_in_china() -> None:
    day = date(2026, 2, 14)
    assert [(s.first, s.last) for s in (Span.around(e, day) for e in ("day", "week", "month", "quarter", "year"))] == [
        (day, day),
        (date(2026, 2, 9), date(2026, 2, 15)),
        (date(2026, 2, 1), date(2026, 2, 28)),
        (date(2026, 1, 1), date(2026, 3, 31)),
        (date(2026, 1, 1), date(2026, 12, 31)),
    ]
    assert Span.around("quarter", day).months(before=2) == [202511, 202512, 202601, 202602, 202603]
    assert Span.around("day", day).begin.isoformat() == "2026-02-14T00:00:00+08:00"


def test_timeliness_by_the_centre_is_one_when_all_came_on_the_same_day() -> None:
    same = timely("2026-09-10", date(2026, 9, 10), 4, 5, CALENDAR)
    assert same is not None
    assert (same.counted / same.days, same.in_time, same.termed) == (1.0, 4, 4)
    later = timely("2026-09-10 08:00:00", date(2026, 9, 13), 2, 5, CALENDAR)
    assert later is not None
    assert later.days == 8, "three whole days and one, for each of two"


def test_an_arrival_before_the_event_is_in_time_but_not_counted_by_the_centre() -> None:
    early = timely("2026-09-10", date(2026, 9, 9), 3, 5, CALENDAR)
    assert early is not None
    assert (early.counted, early.days, early.in_time) == (0, 0, 3)


def test_the_term_is_counted_in_working_days_over_the_national_day() -> None:
    # From Wednesday 30 September: 8, 9, 10 (Saturday, worked), 12, 13 October.
    for arrived, in_time in ((date(2026, 10, 13), 1), (date(2026, 10, 14), 0)):
        one = timely("2026-09-30", arrived, 1, 5, CALENDAR)
        assert one is not None
        assert (one.termed, one.in_time) == (1, in_time), arrived


def test_what_cannot_be_told_is_not_guessed() -> None:
    assert timely("不详", date(2026, 9, 9), 3, 5, CALENDAR) is None
    unknown = timely("2044-01-04", date(2044, 1, 4), 3, 5, CALENDAR)
    assert unknown is not None
    assert (unknown.termed, unknown.counted) == (0, 3), "no calendar of that year"
    without = timely("2026-09-09", date(2026, 9, 9), 3, None, CALENDAR)
    assert without is not None
    assert without.termed == 0


def test_main_items_are_the_first_eight_digits_and_nothing_is_no_item() -> None:
    assert main_items(["01010001000001;01010001000002", "无", "", "02020002000001；无"]) == {"01010001", "02020002"}
    assert item_elements(built_in().dataset("check_action")) == ["supervise_item_implement_code"]
    assert item_elements(built_in().dataset("punish_action")) == ["supervise_item_code"]
    assert item_elements(built_in().dataset("complaint_report")) == []


def test_a_score_leaves_out_what_cannot_be_told() -> None:
    weights = {"correct": 40.0, "in_time": 30.0, "covered": 10.0, "disposed": 20.0}
    assert score({"correct": 1.0, "in_time": 0.5, "covered": None, "disposed": None}, weights) == pytest.approx(78.57)
    assert score({"correct": None}, weights) is None
    assert ranks([50.0, None, 90.0, 50.0, 10.0]) == [2, None, 1, 2, 4]


def test_a_quantile_weighs_waits_by_records() -> None:
    assert quantile([(5.0, 1), (1.0, 98), (9.0, 1)], 0.9) == 1.0
    assert quantile([(5.0, 1), (1.0, 98), (9.0, 1)], 0.99) == 5.0
    assert quantile([], 0.5) is None
