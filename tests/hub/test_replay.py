"""Replay: what was rejected goes through today's mapping once more; nothing twice, nothing older over newer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from demo import ecology
from hub.ledger import crosswalks
from hub.ledger.cases import Selection
from hub.ledger.tables import case_, submission
from hub.replay import chosen_of
from standards.errors import BadRecord
from tests.hub.city import City, running, until

MAPPING = "demo_ecology/punish_action"
UNKNOWN = "网格上报"


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    yield from running(tmp_path)


def penalties(count: int, first: int = 1, source: str = UNKNOWN, **words: Any) -> bytes:
    """Penalties whose 案件来源 the mapping does not know."""
    place = ecology.HEADER.index("案件来源")
    rows = []
    for row in ecology.rows(count, first=first, **words):
        values = list(row.values)
        values[place] = source
        rows.append(ecology.Row(tuple(values), row.fault))
    return b"".join(ecology.pieces(iter(rows), encoding="utf-8"))


def answer(city: City) -> None:
    now = city.hub.clock.now()
    city.hub.ledger.write(lambda c: crosswalks.answer(c, MAPPING, "案件来源", UNKNOWN, "4", "test", now))


def ended(city: City, identifier: str) -> dict[str, Any]:
    until(lambda: city.hub.replays().one(UUID(identifier))["state"] == "done", 60)
    return city.hub.replays().one(UUID(identifier))


def stored(city: City) -> Counter[str]:
    return Counter(one["punish_action_code"] for one in city.receiver.contents.values())


def test_a_group_of_failures_is_answered_once_rehearsed_and_replayed(city: City) -> None:
    for number in range(3):
        view = city.settled(city.submit(penalties(100, first=1 + number * 100)))
        assert view.rejected == 100, view.document["commonest"]
    desk = city.hub.replays()
    group = Selection(party="ecology", dataset="punish_action", code="10005.unknown")
    with city.hub.ledger.read() as connection:
        codes = {row.code for row in connection.execute(select(case_))}
    assert len(codes) == 1, codes
    group = Selection(party="ecology", code=codes.pop())
    parts = desk.plan(group)
    assert [len(part.rows) for part in parts] == [100, 100, 100]
    before = desk.rehearse(parts)
    assert (before["passes"], before["fails"]) == (0, 300)
    answer(city)
    after = desk.rehearse(parts)
    assert (after["passes"], after["fails"]) == (300, 0)
    assert not city.receiver.contents, "a rehearsal sends nothing"

    made = desk.start(parts, "test", "代码已答复", chosen_of(group, "", ()))
    again = desk.start(parts, "test", "手快点了两次", chosen_of(group, "", ()))

    done, twice = ended(city, made["id"]), ended(city, again["id"])
    assert done["progress"]["accepted"] + twice["progress"]["accepted"] == 300
    assert done["progress"]["duplicate"] + twice["progress"]["duplicate"] == 300
    until(lambda: len(city.receiver.contents) == 300)
    assert set(stored(city).values()) == {1}
    assert desk.plan(group) == [], "the cases are closed by the data"
    with pytest.raises(BadRecord):
        desk.start(desk.plan(group), "test", "", {})


def test_a_replay_is_linked_to_its_origin_and_names_the_rows_of_the_file(city: City) -> None:
    kept = city.submit(penalties(20))
    city.settled(kept)
    desk = city.hub.replays()
    parts = desk.plan(Selection(), kept.receipt_no, (3, 7))
    ended(city, desk.start(parts, "test", "", {})["id"])

    with city.hub.ledger.read() as connection:
        (row,) = connection.execute(select(submission).where(submission.c.origin_id.is_not(None))).all()
    assert (row.origin_id, row.read, row.rejected) == (kept.submission_id, 2, 2)
    view = city.hub.receipts.receipt(row.receipt_no)
    assert view is not None
    assert [one["place_zh"] for one in view.document["records"]] == ["第 4 行", "第 8 行"]
    answer(city)
    third = desk.plan(Selection(), row.receipt_no, (2,))
    assert [(part.origin_id, part.rows) for part in third] == [(kept.submission_id, (7,))], "a replay of a replay"
    done = ended(city, desk.start(third, "test", "", {})["id"])
    assert done["progress"]["accepted"] == 1


def test_what_was_reported_anew_since_is_not_overwritten_by_what_is_older(city: City) -> None:
    old = city.submit(penalties(5))
    city.settled(old)
    newer = city.settled(city.submit(penalties(5, source="日常检查")))
    assert newer.accepted == 5
    until(lambda: len(city.receiver.contents) == 5)
    answer(city)

    desk = city.hub.replays()
    done = ended(city, desk.start(desk.plan(Selection(), old.receipt_no, (1, 2, 3, 4, 5)), "test", "", {})["id"])

    assert (done["progress"]["accepted"], done["progress"]["duplicate"]) == (0, 5)
    assert {one["case_source"] for one in city.receiver.contents.values()} == {"1"}


def test_a_paused_replay_begins_nothing_and_a_cancelled_one_ends(city: City) -> None:
    for number in range(12):
        city.settled(city.submit(penalties(2, first=1 + number * 2)))
    answer(city)
    desk = city.hub.replays()
    with city.hub.ledger.read() as connection:
        code = connection.execute(select(case_.c.code)).scalars().first() or ""
    made = desk.start(desk.plan(Selection(code=code)), "test", "", {})
    identifier = UUID(made["id"])
    assert desk.turn(identifier, "pause", "test")["state"] == "paused"
    until(lambda: desk.one(identifier)["progress"]["unfinished"] == 0)
    begun = desk.one(identifier)["progress"]["begun"]
    assert begun <= 8, "of twelve"
    assert desk.run() == 0
    assert desk.turn(identifier, "resume", "test")["state"] == "running"
    ended(city, made["id"])
    with pytest.raises(BadRecord):
        desk.turn(identifier, "cancel", "test")
    until(lambda: len(city.receiver.contents) == 24)
