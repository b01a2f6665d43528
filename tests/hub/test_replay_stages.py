"""Replays from a later stage: the mapped content judged again, and what was accepted sent once more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import Connection, func, select

from hub.bootstrap import prepare, put_into_force
from hub.ledger import crosswalks, parcels
from hub.ledger.cases import Selection
from hub.ledger.engine import Ledger
from hub.ledger.replays import Stage
from hub.ledger.tables import delivery, hold, journal, parcel, tally
from hub.replay import ReplayDesk
from standards.errors import BadRecord, UnknownName
from tests.hub.city import City, running, until
from tests.hub.test_replay import MAPPING, UNKNOWN, answer, ended, penalties, stored

GROUP = Selection(party="ecology")


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    yield from running(tmp_path, parcel=10)


def answer_otherwise(city: City) -> None:
    now = city.hub.clock.now()
    city.hub.ledger.write(lambda c: crosswalks.answer(c, MAPPING, "案件来源", UNKNOWN, "1", "test", now))


def delivered(city: City) -> int:
    with city.hub.ledger.read() as connection:
        found = select(func.sum(tally.c.count)).where(tally.c.name == "delivered")
        return int(connection.execute(found).scalar_one())


def test_the_mapped_content_is_judged_again_and_the_raw_content_mapped_anew(city: City) -> None:
    answer(city)
    kept = city.submit(penalties(20))
    city.settled(kept)
    desk = city.hub.replays()
    answer_otherwise(city)

    mapped = desk.plan(GROUP, stage=Stage.MAPPED)
    assert [(part.origin_id, len(part.rows)) for part in mapped] == [(kept.submission_id, 20)]
    said = desk.rehearse(mapped, stage=Stage.MAPPED)
    assert (said["passes"], said["fails"], said["stage"]) == (20, 0, "mapped")
    done = ended(city, desk.start(mapped, "test", "", {}, stage=Stage.MAPPED)["id"])
    assert (done["progress"]["duplicate"], done["progress"]["accepted"]) == (20, 0), "the mapping had no say"

    since = city.hub.clock.now() - timedelta(hours=1)
    choice = Selection(dataset="punish_action", since=since)
    raw = desk.plan(choice, connection="ecology-penalties", verdicts=["accepted"])
    assert [(part.origin_id, len(part.rows)) for part in raw] == [(kept.submission_id, 20)]
    done = ended(city, desk.start(raw, "test", "", {})["id"])
    assert done["progress"]["accepted"] == 20, "the answer of today counts"
    until(lambda: len(city.receiver.contents) == 40)
    assert {city.receiver.contents[key]["case_source"] for key in city.receiver.contents if key[1] == 2} == {"1"}
    again = desk.plan(GROUP, stage=Stage.MAPPED)
    done = ended(city, desk.start(again, "test", "", {}, stage=Stage.MAPPED)["id"])
    assert done["progress"]["accepted"] == 0, "neither what is current nor what is older becomes new"
    assert desk.plan(Selection(dataset="punish_action", before=since), verdicts=["accepted"]) == []


def test_what_was_rejected_has_no_mapped_content_and_a_choice_of_everything_is_none(city: City) -> None:
    city.settled(city.submit(penalties(5)))
    desk = city.hub.replays()
    assert desk.plan(GROUP, stage=Stage.MAPPED) == []
    assert desk.plan(Selection(code="10005.crosswalk"), stage=Stage.MAPPED) == []
    for stage in (Stage.MAPPED, Stage.DELIVERY):
        with pytest.raises(BadRecord):
            desk.plan(Selection(), stage=stage)
    with pytest.raises(UnknownName):
        desk.plan(GROUP, stage=Stage.DELIVERY, destinations=["nowhere"])


def test_what_was_accepted_is_sent_once_more_under_the_same_ids_and_stored_once(city: City) -> None:
    answer(city)
    kept = city.submit(penalties(45))
    city.settled(kept)
    desk, receiver = city.hub.replays(), city.receiver
    first = sorted(receiver.parcels)
    assert len(first) == 5

    parts = desk.plan(GROUP, stage=Stage.DELIVERY)
    said = desk.rehearse(parts, stage=Stage.DELIVERY)
    (there,) = said["destinations"]
    assert (there["destination"], there["parcels"], there["records"], there["needs_word"]) == ("province", 5, 45, False)
    done = ended(city, desk.start(parts, "test", "对方要求重发", {}, stage=Stage.DELIVERY)["id"])

    assert (done["stage"], done["progress"]["begun"], done["progress"]["accepted"]) == ("delivery", 5, 45)
    assert sorted(receiver.parcels) == sorted([*first, *first])
    assert set(stored(city).values()) == {1}
    assert len(receiver.history) == 45
    assert delivered(city) == 45, "a repeat is no second delivery"
    city.settled(kept)
    with pytest.raises(BadRecord):
        desk.undo(UUID(done["id"]), "test", "")

    receiver.stored.clear()  # it lost what it had
    receiver.history.clear()
    one = desk.plan(Selection(), kept.receipt_no, (12,), stage=Stage.DELIVERY, destinations=["province"])
    assert len(one) == 1
    ended(city, desk.start(one, "test", "", {}, stage=Stage.DELIVERY)["id"])
    assert len(receiver.history) == 10, "the whole parcel, so that its id means the same"
    with city.hub.ledger.read() as connection:
        made = connection.execute(select(journal.c.action).where(journal.c.action == "parcel_again")).all()
    assert len(made) == 6


def test_a_record_is_not_sent_again_in_a_revision_that_is_outdated(city: City) -> None:
    answer(city)
    old = city.submit(penalties(20))
    city.settled(old)
    city.settled(city.submit(penalties(10, source="日常检查")))  # the first parcel is outdated whole
    city.settled(city.submit(penalties(5, first=11, source="日常检查")))
    desk, receiver = city.hub.replays(), city.receiver
    before = sum(receiver.arrivals.values())

    parts = desk.plan(Selection(), old.receipt_no, stage=Stage.DELIVERY)
    done = ended(city, desk.start(parts, "test", "", {}, stage=Stage.DELIVERY)["id"])

    assert sum(receiver.arrivals.values()) == before + 5
    assert done["progress"]["accepted"] == 20, "what was accepted before still is"
    with city.hub.ledger.read() as connection:
        own = connection.execute(select(delivery.c.state).where(delivery.c.state.is_not(None))).scalars().all()
        states = connection.execute(select(parcel.c.state)).scalars().all()
    assert (own, set(states)) == (["accepted"] * 5, {"accepted"})


def test_a_paused_sending_begins_nothing_and_a_cancelled_one_ends(tmp_path: Path) -> None:
    for city in running(tmp_path, parcel=1):
        answer(city)
        city.settled(city.submit(penalties(30)))
        desk = city.hub.replays()
        parts = desk.plan(GROUP, stage=Stage.DELIVERY)
        made = desk.start(parts, "test", "", {}, stage=Stage.DELIVERY)
        identifier = UUID(made["id"])
        assert desk.turn(identifier, "pause", "test")["state"] == "paused"
        until(lambda desk=desk, identifier=identifier: desk.one(identifier)["progress"]["unfinished"] == 0)  # type: ignore[misc]
        assert desk.one(identifier)["progress"]["begun"] <= 8, "of thirty"
        assert desk.run() == 0
        desk.turn(identifier, "resume", "test")
        ended(city, made["id"])
        assert _sendings(city) == 60
        other = desk.start(parts, "test", "", {}, stage=Stage.DELIVERY)
        assert desk.turn(UUID(other["id"]), "cancel", "test")["state"] == "cancelled"
        _quiet(desk, UUID(other["id"]))
        assert _sendings(city) < 90
        assert set(stored(city).values()) == {1}


def _sendings(city: City) -> int:
    return sum(city.receiver.arrivals.values())


def _quiet(desk: ReplayDesk, identifier: UUID) -> None:
    until(lambda: desk.one(identifier)["progress"]["unfinished"] == 0)


def test_a_receiver_that_cannot_tell_a_repeat_gets_one_only_on_a_persons_word(tmp_path: Path) -> None:
    for city in running(tmp_path, idempotent="none"):
        answer(city)
        city.settled(city.submit(penalties(5)))
        desk = city.hub.replays()
        parts = desk.plan(GROUP, stage=Stage.DELIVERY)
        assert desk.rehearse(parts, stage=Stage.DELIVERY)["destinations"][0]["needs_word"]

        with pytest.raises(BadRecord, match="province cannot tell a repeat"):
            desk.start(parts, "test", "", {}, stage=Stage.DELIVERY)
        assert len(city.receiver.parcels) == 1
        done = desk.start(parts, "test", "", {}, stage=Stage.DELIVERY, sure="省中心 李四：库已清空，电话确认")

        assert ended(city, done["id"])["sure"].startswith("省中心")
        assert len(city.receiver.parcels) == 2


def test_a_receiver_that_can_be_asked_is_asked_before_it_is_sent_anything_again(city: City) -> None:
    answer(city)
    city.settled(city.submit(penalties(2)))
    city.hub.stop()  # nobody else takes it
    ledger, now = Ledger(city.hub.ledger.url), city.hub.clock.now()
    with ledger.read() as connection:
        (identifier,) = connection.execute(select(parcel.c.id)).scalars()

    def work(c: Connection) -> parcels.Claimed | None:
        assert parcels.again(c, identifier, now, uncertain=True)
        assert not parcels.again(c, identifier, now, uncertain=True), "it is on its way"
        return parcels.claim(c, identifier, "test", now, timedelta(seconds=10))

    claimed = ledger.write(work)
    ledger.close()
    assert claimed is not None
    assert claimed.uncertain


def test_what_was_held_is_judged_again_and_goes_on_when_it_passes(tmp_path: Path) -> None:
    more = '[references]\n"punish_action.check_action_code" = "hold"\n'
    for city in running(tmp_path, more=more):
        answer(city)
        kept = city.submit(penalties(3, checks={1: "JC0001"}))
        assert city.judged(kept).held == 1
        desk = city.hub.replays()
        which = {"verdicts": ["held"], "stage": Stage.MAPPED}
        parts = desk.plan(Selection(party="ecology"), **which)  # type: ignore[arg-type]
        assert [part.rows for part in parts] == [(1,)]
        again = ended(city, desk.start(parts, "test", "", {}, stage=Stage.MAPPED)["id"])
        assert again["progress"]["held"] == 1, "nothing has changed"

        path = city.hub.state.parent / "hub.toml"
        path.write_text(path.read_text("utf-8").replace('= "hold"', '= "off"'), "utf-8")
        put_into_force(city.hub, prepare(path)[1])
        done = ended(city, desk.start(parts, "test", "规则已放宽", {}, stage=Stage.MAPPED)["id"])

        assert done["progress"]["accepted"] == 1
        until(lambda city=city: len(city.receiver.contents) == 3)  # type: ignore[misc]
        with city.hub.ledger.read() as connection:
            still = select(func.count()).select_from(hold).where(hold.c.ended_at.is_(None))
            assert connection.execute(still).scalar_one() == 0
