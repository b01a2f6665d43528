"""What needs a person now: each cause once, the worst first, and only what is told is put into words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hub.casework import who_acts
from hub.ledger.cases import Cause
from hub.needs import Need, needs

NOW = datetime(2026, 3, 2, 4, tzinfo=UTC)


def a_cause(
    party: str, *, class_: str = "2", code: str = "10005", cases: int = 1, overdue: int = 0, **more: Any
) -> Cause:
    due = more.pop("due_at", NOW + timedelta(days=3))
    return Cause(party, class_, "punish_action", code, "", cases, overdue, NOW - timedelta(hours=1), due, "")


def told(causes: Sequence[Cause], most: int | None = None) -> tuple[list[Need], int]:
    return needs(
        status={"destinations": {}, "submissions": {}},
        causes=causes,
        tasks=[],
        titles={},
        datasets={},
        last_year=2027,
        now=NOW,
        most=most,
    )


def test_only_the_most_urgent_are_told_and_all_are_counted() -> None:
    later = [a_cause(f"p{n}", due_at=NOW + timedelta(days=9)) for n in range(30)]
    worst = [a_cause("late", cases=5, overdue=2, due_at=NOW - timedelta(days=1)), a_cause("hub", class_="9")]
    soon = a_cause("soon", due_at=NOW + timedelta(days=1))

    found, count = told([*later, soon, *worst], most=3)

    assert [one.en.split()[0] for one in found] == ["late", "hub", "soon"]
    assert [one.weight for one in found] == ["bad", "bad", "warn"]
    assert count == 33


def test_the_first_few_are_the_same_as_the_first_few_of_all() -> None:
    causes = [a_cause(f"p{n}", cases=n % 7 + 1, due_at=NOW + timedelta(days=n % 5)) for n in range(50)]

    assert told(causes, most=12)[0] == told(causes)[0][:12]


def test_a_cause_of_which_some_are_overdue_says_how_many() -> None:
    found, _ = told([a_cause("some", cases=5, overdue=2), a_cause("all", cases=5, overdue=5)])

    words = {one.en.split()[0]: one for one in found}
    assert "5 件，其中 2 件已超期" in words["some"].zh
    assert words["some"].en.endswith("5 case(s), 2 of them overdue")
    assert words["all"].zh.endswith("5 件，已超期")


def test_a_code_that_nobody_knows_is_the_operators_to_answer_as_on_the_page_of_failures() -> None:
    found, _ = told([a_cause("p1", code="10005.crosswalk"), a_cause("p2"), a_cause("p3", class_="8")])

    assert {one.en.split()[0]: (one.who_zh, one.who_en) for one in found} == {
        "p1": ("运维：答复代码", "operator: answer the code"),
        "p2": ("p2", "p2"),
        "p3": ("运维", "operator"),
    }
    assert [who_acts(*one) for one in (("p1", "2", "10005.crosswalk"), ("p2", "2", "10005"))] == ["", "p2"]
