"""Failure groups: one cause, one group, with its count, samples, who must act, and what joined meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from hub.ledger import cases
from hub.ledger.cases import Due, Opening, Selection
from hub.ledger.engine import Ledger
from hub.ledger.failures import groups
from hub.ledger.tables import case_
from standards.digest import uuid7s
from standards.errors import UnknownName
from standards.states import CaseClass
from tests.hub.city import City, running
from tests.hub.conftest import POSTGRESQL, SQLITE
from tests.hub.test_replay import MAPPING, UNKNOWN, answer, ended, penalties

BOTH = pytest.mark.parametrize("ledger_url", [SQLITE, POSTGRESQL], indirect=True)
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    yield from running(tmp_path)


def test_one_cause_is_one_group_and_another_code_another(city: City) -> None:
    for number in range(2):
        city.settled(city.submit(penalties(10, first=1 + number * 10)))
    city.settled(city.submit(penalties(5, first=100, source="来路不明")))
    desk = city.hub.failures()

    found = desk.listed(Selection())

    assert [(one["count"], one["pattern"]) for one in found] == [(20, UNKNOWN), (5, "来路不明")]
    one = found[0]
    assert (one["party"], one["element"], one["code"], one["who"]) == ("ecology", "case_source", "10005.crosswalk", "")
    assert one["since"] <= one["last_at"]
    assert len(one["samples"]) == 2, "the oldest and the newest"
    assert {sample["value"] for sample in one["samples"]} == {UNKNOWN}
    assert "案件来源" in one["samples"][0]["text"]

    whole = desk.one(one["group"], "", "test")
    assert len(whole["samples"]) == 20
    asked = whole["question"]
    assert (asked["mapping"], asked["name"], asked["source"]) == (MAPPING, "案件来源", UNKNOWN)
    assert "4" in asked["codes"]
    for party, group in (("market", one["group"]), ("", ""), ("", "nothing")):
        with pytest.raises(UnknownName):
            desk.one(group, party, "test")


def test_what_joins_while_a_group_is_worked_on_is_counted(city: City) -> None:
    city.settled(city.submit(penalties(8)))
    desk = city.hub.failures()
    (one,) = desk.listed(Selection())
    assert (one["taken_at"], one["joined"]) == ("", 0)
    which = Selection(cause=one["group"])
    assert city.hub.cases().take(which, "key", "看看") == 8

    city.settled(city.submit(penalties(12, first=50)))

    (one,) = desk.listed(Selection())
    assert (one["count"], one["disposing"], one["joined"], one["taken_by"]) == (20, 8, 12, "key")
    assert one["taken_at"]
    answer(city)
    replays = city.hub.replays()
    ended(city, replays.start(replays.plan(which), "key", "", {})["id"])
    assert desk.listed(Selection()) == []


def test_a_group_chosen_by_time_holds_what_was_opened_then(city: City) -> None:
    city.settled(city.submit(penalties(3)))
    middle = city.hub.clock.now()
    city.settled(city.submit(penalties(4, first=50)))
    desk = city.hub.failures()
    assert [one["count"] for one in desk.listed(Selection(before=middle))] == [3]
    assert [one["count"] for one in desk.listed(Selection(since=middle))] == [4]
    replays = city.hub.replays()
    assert sum(len(part.rows) for part in replays.plan(Selection(since=middle))) == 4


def many(ledger: Ledger, count: int, causes: int) -> list[UUID]:
    """Open cases of one hand-over, `causes` of them different."""
    submissions = uuid7s(1)
    openings = [
        Opening(
            class_=CaseClass.WRONG,
            party="ecology",
            code="10002",
            dataset="punish_action",
            owner="11140200A4L2GB1F45",
            key_hash=n.to_bytes(16, "big"),
            submission_id=submissions[0],
            row_no=n + 1,
            element="punish_date",
            pattern=f"9{{{n % causes + 6}}}",
        )
        for n in range(count)
    ]
    for start in range(0, count, 5000):
        part = openings[start : start + 5000]
        ledger.write(lambda c, part=part: cases.open_many(c, part, Due(NOW), NOW))  # type: ignore[misc]
    return submissions


@BOTH
def test_groups_are_counted_in_the_database_with_fifty_thousand_open_cases(ledger: Ledger) -> None:
    many(ledger, 50_000, 7)

    begun = time.perf_counter()
    with ledger.read() as connection:
        found = groups(connection, Selection(), 200)
    took = time.perf_counter() - begun

    assert len(found) == 7
    assert sum(one.count for one in found) == 50_000
    print(f"50,000 open cases in 7 groups on {ledger.name}: {took * 1000:.0f} ms")
    assert took < 2, "of one statement that counts"


@BOTH
def test_a_case_that_fails_for_another_reason_moves_to_that_group(ledger: Ledger) -> None:
    many(ledger, 2, 1)
    other = Opening(
        class_=CaseClass.WRONG,
        party="ecology",
        code="10005.list",
        dataset="punish_action",
        owner="11140200A4L2GB1F45",
        key_hash=(0).to_bytes(16, "big"),
        element="case_source",
        pattern="x",
    )
    ledger.write(lambda c: cases.open_many(c, [other], Due(NOW), NOW))
    with ledger.read() as connection:
        found = groups(connection, Selection(), 10)
        causes = connection.execute(select(case_.c.cause).where(case_.c.code == "10005.list")).scalars().all()
    assert sorted((one.code, one.count) for one in found) == [("10002", 1), ("10005.list", 1)]
    assert causes == [other.cause]
