"""The benchmark of pages, short: every page answers, and asks the ledger no more often when there is more in it."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import event

from benchmarks.pages import PARTY, fill
from benchmarks.pages.ask import measure, told
from benchmarks.pages.city import config
from benchmarks.pages.routes import METRICS, OF_PERSONS, Asked, asked, pages, unasked, values
from hub.api.app import build as build_api
from hub.bootstrap import build, prepare, put_into_force
from hub.ledger import credentials
from standards.registry import built_in

#: More statements than this one page may need for what it is, whatever is in the ledger.
_MOST = 80
_HERE = "http://127.0.0.1"
_SMALL, _LARGE = 1_000, 8_000
#: What the ledger of the benchmark holds none of.
_NOT_FILLED = ("/reconciliations/{identifier}", "/mending/{identifier}")
#: Every record of a hand-over stands in them: they are files, and grow with what they hold.
_FILES = (".xlsx", ".csv", ".zip")


class Counted:
    """A hub whose pages are asked in this process, and its statements counted."""

    def __init__(self, folder: Path, records: int) -> None:
        folder.mkdir()
        path, state = folder / "hub.toml", folder / "state"
        state.mkdir()
        path.write_text(
            config(built_in(), state=str(state), ledger="", broker="", endpoint="http://127.0.0.1:9/"), "utf-8"
        )
        self.filled, key = fill(path, records)
        settings, body = prepare(path)
        self.hub = build(settings)
        put_into_force(self.hub, body)
        self.number = 0
        event.listen(self.hub.ledger.engine, "before_cursor_execute", self._count)
        now = self.hub.clock.now()
        operator = self.hub.ledger.write(lambda c: credentials.make(c, "", now, note="bench")[1])
        app = build_api(self.hub)
        self.clients = {room: TestClient(app, base_url=_HERE) for room in ("console", "sender")}
        for room, one in (("console", operator), ("sender", key)):
            answer = self.clients[room].post(f"/{room}/login", data={"key": one}, follow_redirects=False)
            assert answer.status_code == 303, answer.text
        said = {"authorization": f"Bearer {operator}"}
        self.clients["metrics"] = TestClient(app, base_url=_HERE, headers=said)

    def _count(self, *_: object) -> None:
        self.number += 1

    def wanted(self, each: int) -> list[Asked]:
        """Every page, so many times."""
        found = []
        for room, party in (("console", ""), ("sender", PARTY)):
            with self.hub.ledger.read() as connection:
                known = values(connection, self.hub.settings, built_in(), party)
            found += asked(pages(), room, known, each)
        return [*found, Asked(METRICS, METRICS)]

    def statements(self) -> dict[str, int]:
        """The most that each page needed."""
        most: dict[str, int] = defaultdict(int)
        for one in self.wanted(2):
            self.number = 0
            answer = self.clients[one.room].get(one.url)
            assert answer.status_code < 400, (one.url, answer.status_code)
            most[one.route] = max(most[one.route], self.number)
        return dict(most)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    return Counted(tmp_path_factory.mktemp("pages") / "small", _SMALL)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Counted:
    return Counted(tmp_path_factory.mktemp("pages") / "large", _LARGE)


def test_every_page_is_asked_and_answers(small: Counted) -> None:
    wanted = small.wanted(2)

    rows = told(measure(small.clients, wanted))

    assert [(row["page"], row["failed"]) for row in rows if row["failed"]] == []
    left = {one for one in unasked(pages(), wanted) if not one.endswith((*OF_PERSONS, *_NOT_FILLED))}
    assert left == set()


def test_no_page_asks_the_ledger_more_often_when_it_holds_more(tmp_path: Path, large: Counted) -> None:
    fresh = Counted(tmp_path / "fresh", _SMALL)  # as new as the large one: neither remembers an answer
    assert large.filled["records"] == 8 * fresh.filled["records"]

    before, after = fresh.statements(), large.statements()

    plain = [route for route in after if not route.endswith(_FILES)]
    assert {route: after[route] for route in plain if after[route] > _MOST} == {}
    grown = {route: (before[route], after[route]) for route in plain if after[route] > 2 * before[route] + 10}
    assert grown == {}
