"""Terms across holidays with 调休, and who is told when."""

from __future__ import annotations

from datetime import datetime, timedelta

from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI
from standards.flows import due_of, flow
from standards.flows.due import urgings

CALENDAR = WorkCalendar()


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def test_a_term_crosses_the_holiday_and_the_weekend_that_is_worked() -> None:
    # 2025: 28 September (a Sunday) and 11 October (a Saturday) are worked, 1 to 8 October are not.
    since = moment("2025-09-26T10:00:00")
    signing = due_of(flow("complaint"), "sent", since, None, CALENDAR)
    assert signing.at == moment("2025-09-28T23:59:59")
    rectified = due_of(flow("rectification"), "notified", since, None, CALENDAR)
    assert rectified.at == moment("2025-10-10T23:59:59")


def test_a_term_ends_with_the_whole_task_at_the_latest() -> None:
    whole = moment("2025-09-27T12:00:00")
    assert due_of(flow("complaint"), "sent", moment("2025-09-26T10:00:00"), whole, CALENDAR).at == whole


def test_a_year_without_calendar_gives_no_time_but_the_reason() -> None:
    year = CALENDAR.last_known_year() + 1
    found = due_of(flow("rectification"), "notified", moment(f"{year - 1}-12-31T10:00:00"), None, CALENDAR)
    assert (found.at, found.reason) == (None, f"calendar {year} not loaded")


def test_a_state_without_term_is_due_with_the_whole() -> None:
    assert due_of(flow("complaint"), "closed", moment("2025-09-26T10:00:00"), None, CALENDAR).at is None


def test_who_does_not_sign_is_reminded_overdue_and_escalated_on_the_working_day_after() -> None:
    since, due = moment("2025-09-29T09:00:00"), moment("2025-09-30T23:59:59")

    def said(now: datetime) -> list[tuple[str, str]]:
        return [(one.says, one.whom) for at, one in urgings(flow("complaint"), since, due, CALENDAR) if at <= now]

    assert said(since) == []
    assert said(since + (due - since) / 2) == [("remind", "holder")]
    assert said(due) == [("remind", "holder"), ("overdue", "holder"), ("overdue", "dispatcher")]
    # The next working day is 9 October.
    assert said(moment("2025-10-08T23:00:00")) == said(due)
    assert said(moment("2025-10-09T09:00:00"))[-1] == ("escalate", "above")
    assert said(due + timedelta(days=300))[-1] == ("escalate", "above")
