"""A department that does not sign: reminded, overdue, escalated on the right working day, and the level above hears."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from hub.api.tasks import desk
from hub.bootstrap import Hub, build, prepare
from hub.ledger.tables import journal, notice, submission, task
from hub.urging import Urging
from standards.clock import SHANGHAI, FrozenClock, local
from standards.ports import HandOver
from tests.hub.city import config
from tests.hub.tasks.test_journeys import MORE, complaint

#: The Friday before the spring festival; Saturday the 14th is worked, then nobody does until the 24th.
FRIDAY = datetime(2026, 2, 13, 10, tzinfo=SHANGHAI)


class Quiet:
    """A hub of which nothing runs by itself, on a clock that stands."""

    def __init__(self, folder: Path, now: datetime) -> None:
        self.clock = FrozenClock(now)
        path = folder / "hub.toml"
        path.write_text(config("http://127.0.0.1:1", more=MORE), "utf-8")
        settings, body = prepare(path)
        self.folder = folder
        self.hub: Hub = build(settings, self.clock)
        self.hub.generations.publish(body, "test")

    def urging(self) -> Urging:
        hub = self.hub
        return Urging(hub.ledger, hub.generations, hub.clock, hub.deadlines, hub.settling.events, desk(hub).urge)

    def hand_down(self, **changes: str) -> None:
        row = {**complaint(), "deadline_time": "", **changes}
        kept = self.hub.intake.receive(
            HandOver(connection="from-above", name="a.json"), [json.dumps([row], ensure_ascii=False).encode()]
        )
        self.hub.translator("test").translate(kept.submission_id)
        assert len(self.rows(task)) == 1, self.hub.receipts.receipt(kept.receipt_no)

    def rows(self, table: Any) -> list[Any]:
        with self.hub.ledger.read() as connection:
            return list(connection.execute(select(table)))

    def told(self) -> list[tuple[str, str]]:
        found = [json.loads(row.detail) for row in self.rows(journal) if row.action == "task_urged"]
        return [(one["says"], one["whom"]) for one in found]


@pytest.fixture
def quiet(tmp_path: Path) -> Iterator[Quiet]:
    made = Quiet(tmp_path, FRIDAY)
    yield made
    made.hub.ledger.close()


def test_across_the_spring_festival_each_is_told_once_on_the_right_day(quiet: Quiet) -> None:
    quiet.hand_down()
    (one,) = quiet.rows(task)
    assert local(one.due_at) == datetime(2026, 2, 14, 23, 59, 59, tzinfo=SHANGHAI), "the Saturday is worked"

    days = {
        datetime(2026, 2, 13, 18, tzinfo=SHANGHAI): [],
        datetime(2026, 2, 14, 9, tzinfo=SHANGHAI): [("remind", "market")],
        datetime(2026, 2, 15, 0, 5, tzinfo=SHANGHAI): [("overdue", "market"), ("overdue", "operator")],
        datetime(2026, 2, 23, 12, tzinfo=SHANGHAI): [],
        datetime(2026, 2, 24, 9, 1, tzinfo=SHANGHAI): [("escalate", "above")],
        datetime(2026, 2, 26, 9, tzinfo=SHANGHAI): [],
    }
    before: list[tuple[str, str]] = []
    for now, new in days.items():
        quiet.clock.forward(now - quiet.clock.now())
        quiet.urging().run()
        quiet.urging().run()
        assert quiet.told() == before + new, now
        before += new
    assert [row.whom for row in quiet.rows(notice)] == ["market", "market", "", "above"]
    (one,) = quiet.rows(task)
    assert local(one.escalated_at).date() == datetime(2026, 2, 24, tzinfo=SHANGHAI).date()
    assert one.state == "sent"


def test_the_level_above_gets_the_escalation_as_an_answer(quiet: Quiet) -> None:
    quiet.hand_down()
    quiet.clock.forward(datetime(2026, 2, 24, 9, 1, tzinfo=SHANGHAI) - quiet.clock.now())
    quiet.urging().run()

    (answer,) = [row for row in quiet.rows(submission) if row.connection == "market-answers"]
    quiet.hub.translator("test").translate(answer.id)
    (answer,) = [row for row in quiet.rows(submission) if row.connection == "market-answers"]
    assert (answer.accepted, answer.open_parcels) == (1, 1), "督办 is on its way to who sent the complaint"


def test_a_term_in_a_year_without_calendar_is_filled_in_when_the_year_file_arrives(tmp_path: Path) -> None:
    quiet = Quiet(tmp_path, datetime(2026, 12, 31, 10, tzinfo=SHANGHAI))
    quiet.hand_down()
    (one,) = quiet.rows(task)
    assert (one.due_at, one.due_missing) == (None, "calendar 2027 not loaded")
    assert quiet.urging().fill_in() == 0
    assert quiet.urging().run() == 0

    year = {"year": 2027, "days": [{"name": "元旦", "date": "2027-01-01", "isOffDay": True}]}
    folder = tmp_path / "calendars"
    folder.mkdir()
    (folder / "2027.json").write_text(json.dumps(year), "utf-8")
    quiet.hub.deadlines = type(quiet.hub.deadlines)(5, folder)

    assert quiet.urging().fill_in() == 1
    (one,) = quiet.rows(task)
    assert local(one.due_at) == datetime(2027, 1, 4, 23, 59, 59, tzinfo=SHANGHAI)
    quiet.clock.forward(one.due_at + timedelta(minutes=1) - quiet.clock.now())
    assert quiet.urging().run() == 3
    quiet.hub.ledger.close()
