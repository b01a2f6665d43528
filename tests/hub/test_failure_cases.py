"""The eighteen failure cases that users of other exchange systems met, each by its name."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, select, text, update

from hub.bootstrap import prepare
from hub.broker import topology
from hub.ledger import destinations, outbox, parcels, retention
from hub.ledger.cases import Selection
from hub.ledger.outbox import Outgoing
from hub.ledger.tables import outbox as outbox_table
from hub.ledger.tables import parcel, payload
from hub.payload import LedgerPayload
from hub.vault import NO_SEAL
from standards.digest import sm3
from standards.errors import BadConfiguration
from standards.ports import HandOver
from standards.states import CaseClass, ParcelState
from tests.hub.cases.test_month import Month, at, rows
from tests.hub.city import City, config, running, start, until
from tests.hub.dispatch.test_dispatcher import delivered, open_cases, states, with_settings
from tests.hub.faults.rig import Handed, HubProcess
from tests.hub.test_replay import answer, ended, penalties, stored
from tests.receiver import Receiver
from tests.services.postgres import Databases
from tests.services.rabbitmq import RabbitNode

GOOD = "日常检查"
GROUP = Selection(party="ecology")


@pytest.fixture
def city(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[City]:
    yield from running(tmp_path, **getattr(request, "param", {}))


def good(count: int, first: int = 1, **words: Any) -> bytes:
    """Penalties that are right."""
    return penalties(count, first=first, source=GOOD, **words)


def once(city: City, records: int) -> None:
    """Everything is at the receiver, each revision once."""
    until(lambda: len(city.receiver.stored) == records, 60)
    assert len(city.receiver.history) == len({(key, revision) for key, revision, _ in city.receiver.history})


def _has(receiver: Receiver, records: int) -> bool:
    return len(receiver.stored) > records


@pytest.mark.timeout(600)
def test_01_the_broker_restarts_under_load_and_both_ends_come_back_by_themselves(
    own_rabbitmq: RabbitNode, postgres: Databases, tmp_path: Path
) -> None:
    receiver, database = Receiver().start(), postgres.create()
    hub = HubProcess.make(tmp_path, receiver, ledger=database, broker=own_rabbitmq.url)
    hub.start()
    own_rabbitmq.wait_for_queues()
    handed = Handed.of(3_000)
    sender = threading.Thread(target=handed.hand_over, args=(hub,))
    sender.start()
    for records in (300, 1_200):
        hub.until(partial(_has, receiver, records), 120)
        own_rabbitmq.kill()
        own_rabbitmq.start()
    sender.join()
    hub.until(lambda: handed.settled(hub), 240)
    handed.check(hub, receiver)
    hub.stop()
    receiver.stop()
    postgres.drop(database)


def test_02_a_back_end_that_was_down_is_delivered_to_without_a_restart(city: City) -> None:
    city.receiver.status = 503
    kept = [city.submit(good(20, first=1 + n * 20)) for n in range(3)]
    until(lambda: city.receiver.requests > 3)
    time.sleep(1)
    assert not city.receiver.stored
    city.receiver.status = None
    assert [delivered(city, one) for one in kept] == [20, 20, 20]
    once(city, 60)


def test_03_an_unparsable_message_at_the_head_of_the_queue_stops_nobody(city: City) -> None:
    now = city.hub.clock.now()
    queue = topology.translate("now")
    wrong = [Outgoing(queue, f"wrong-{n}", body) for n, body in enumerate((b"\xff\x00", b"", b"{", b"not-an-id"))]
    city.hub.ledger.write(lambda c: outbox.put(c, wrong, now))
    garbage = city.submit(b"\xff\xfe\x00\x00 neither csv nor xml")
    kept = city.submit(good(5))
    assert delivered(city, kept) == 5
    assert city.judged(garbage).accepted == 0


def test_04_an_adapter_is_redeployed_while_its_queue_is_full(tmp_path: Path) -> None:
    receiver = Receiver().start()
    receiver.status = 503
    city = start(tmp_path, receiver, parcel=10)
    kept = [city.submit(good(50, first=1 + n * 50)) for n in range(4)]
    for one in kept:
        city.judged(one)
    city.hub.stop()
    assert not receiver.stored
    receiver.status = None
    again = start(tmp_path, receiver, parcel=500)
    assert [delivered(again, one) for one in kept] == [50] * 4
    once(again, 200)
    again.hub.stop()
    receiver.stop()


def test_05_a_crash_between_the_retry_list_and_the_queue_loses_nothing(tmp_path: Path) -> None:
    receiver = Receiver().start()
    receiver.status = 503
    city = start(tmp_path, receiver)
    kept = city.submit(good(5))
    until(lambda: receiver.requests > 0)
    city.hub.stop()
    path = tmp_path / "hub.toml"
    assert path.exists()
    # Taken by somebody who died before it was on the queue: no message is left, the lease has run out.
    receiver.status = None
    idle = start(tmp_path, receiver, roles=())
    past = idle.hub.clock.now() - timedelta(seconds=1)
    idle.hub.ledger.write(lambda c: c.execute(delete(outbox_table)))
    taken = update(parcel).values(lease_owner="dead", lease_until=past, published_at=past, due_at=past)
    idle.hub.ledger.write(lambda c: c.execute(taken))
    idle.hub.stop()
    again = start(tmp_path, receiver)
    assert delivered(again, kept) == 5
    once(again, 5)
    again.hub.stop()
    receiver.stop()


def test_06_a_retry_limit_given_as_text_is_refused_and_a_right_one_obeyed(tmp_path: Path) -> None:
    for number, wrong in enumerate(("three", "", "-1h")):
        path = tmp_path / f"{number}.toml"
        path.write_text(config("http://127.0.0.1:1", give_up=wrong), "utf-8")
        with pytest.raises(BadConfiguration) as told:
            prepare(path)
        assert "give_up" in str(told.value), wrong
    receiver = Receiver().start()
    receiver.status = 503
    city = start(tmp_path / "right", receiver, give_up="1s")
    kept = city.submit(good(5))
    until(lambda: states(city, kept) == [ParcelState.PARKED], 20)
    assert open_cases(city, CaseClass.SETUP) == 1
    city.hub.stop()
    receiver.stop()


def test_07_a_lost_answer_is_asked_for_again_with_the_same_id_and_gets_the_first_receipt(city: City) -> None:
    city.receiver.lose_answers = 2
    kept = city.submit(good(5))
    assert delivered(city, kept) == 5
    assert len(city.receiver.parcels) >= 3
    assert len(set(city.receiver.parcels)) == 1
    once(city, 5)


def test_08_what_is_for_a_disabled_destination_waits_and_is_never_skipped(city: City) -> None:
    now = city.hub.clock.now()
    city.hub.ledger.write(lambda c: destinations.pause(c, "province", "test", "检修", now))
    kept = city.submit(good(5))
    city.judged(kept)
    time.sleep(0.5)
    assert states(city, kept) == [ParcelState.WAITING]
    assert city.receiver.requests == 0
    city.hub.ledger.write(lambda c: destinations.resume(c, "province", "test", now))
    city.hub.ledger.write(lambda c: parcels.hasten(c, "province", city.hub.clock.now()))
    assert delivered(city, kept) == 5


def test_09_a_receipt_number_is_given_only_after_the_bytes_are_stored(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = good(5)
    kept = city.submit(data)
    submission = city.stored(kept.submission_id)
    assert submission.digest == sm3(data).hex()
    with LedgerPayload(city.hub.ledger, submission, NO_SEAL).open() as file:
        assert file.read() == data
    with city.hub.ledger.read() as connection:
        before = len(connection.execute(select(payload.c.submission_id)).all())

    def full(*_args: object, **_words: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(type(city.hub.ledger), "write", full)
    with pytest.raises(OSError, match="no space"):
        city.submit(good(5, first=100))
    monkeypatch.undo()
    with city.hub.ledger.read() as connection:
        assert len(connection.execute(select(payload.c.submission_id)).all()) == before


def test_10_of_a_batch_only_the_part_that_failed_stays_with_its_own_reason(city: City) -> None:
    wrong = {"0000003号": "企业已注销", "0000007号": "案由不明"}

    def refuse(record: dict[str, Any]) -> dict[str, Any] | None:
        reason = next((why for end, why in wrong.items() if record["cd_id"].endswith(end)), None)
        return {"code": "9001", "message": reason} if reason else None

    city.receiver.refuse = refuse
    kept = city.submit(good(10))
    view = city.settled(kept)
    (one,) = view.document["deliveries"]
    assert (one["states"]["accepted"], one["states"]["refused"]) == (8, 2)
    told = str(view.document)
    assert all(reason in told for reason in wrong.values())
    assert len(city.receiver.stored) == 8


def test_11_a_body_that_still_comes_when_the_target_goes_down_is_kept_for_later(city: City) -> None:
    data = good(3_000)

    def pieces() -> Iterator[bytes]:
        for begin in range(0, len(data), 50_000):
            city.receiver.status = 0 if begin else None
            yield data[begin : begin + 50_000]

    kept = city.hub.intake.receive(HandOver(connection="ecology-penalties"), pieces())
    assert city.judged(kept).accepted == 3_000
    assert not city.receiver.stored
    city.receiver.status = None
    assert delivered(city, kept) == 3_000
    once(city, 3_000)


def test_12_replayed_twice_overlapping_and_by_a_double_click_it_arrives_once(city: City) -> None:
    city.settled(city.submit(penalties(40)))
    answer(city)
    desk = city.hub.replays()
    parts = desk.plan(GROUP)
    begun = [desk.start(parts, "test", "", {})["id"] for _ in range(3)]
    for one in begun:
        ended(city, one)
    once(city, 40)
    assert set(stored(city).values()) == {1}


def test_13_a_replay_keeps_the_order_and_uses_todays_settings(city: City) -> None:
    for edition in (1, 2, 3):
        city.settled(city.submit(penalties(10, edition=edition)))
    answer(city)
    desk = city.hub.replays()
    with city.hub.ledger.read() as connection:
        numbers = connection.execute(text("SELECT receipt_no FROM submission ORDER BY receipt_no")).scalars().all()
    parts = [part for number in reversed(numbers) for part in desk.plan(Selection(), number, range(1, 11))]
    ended(city, desk.start(parts, "test", "", {})["id"])
    until(lambda: len(city.receiver.stored) == 10)
    time.sleep(0.5)
    assert {one["case_source"] for one in city.receiver.contents.values()} == {"4"}, "by today's answer"
    for key in city.receiver.stored:
        revisions = [revision for k, revision, _ in city.receiver.history if k == key]
        assert revisions == sorted(revisions)
    same = city.judged(city.submit(penalties(10, edition=3)))
    assert same.duplicate == 10, "the newest edition is what counts, though it was replayed first"


def test_14_new_failures_join_their_group_while_it_is_replayed(city: City) -> None:
    city.settled(city.submit(penalties(30)))
    desk = city.hub.replays()
    made = desk.start(desk.plan(GROUP), "test", "", {})
    desk.turn(UUID(made["id"]), "pause", "test")
    city.settled(city.submit(penalties(7, first=500)))
    (group,) = city.hub.cases().groups(GROUP)
    assert group["cases"] == 37, "shown while the replay stands"
    answer(city)
    desk.turn(UUID(made["id"]), "resume", "test")
    done = ended(city, made["id"])
    assert done["records"] == 30
    left = desk.plan(GROUP)
    assert sum(len(part.rows) for part in left) >= 7, "what joined later is not said to be replayed"
    ended(city, desk.start(left, "test", "", {})["id"])
    once(city, 37)
    assert city.hub.cases().groups(GROUP) == []


def test_15_search_and_list_go_by_an_index_and_deleting_goes_in_small_ranges(city: City) -> None:
    for number in range(12):
        city.settled(city.submit(good(2, first=1 + number * 2)))
    asked = (
        "SELECT * FROM submission WHERE party = 'ecology' ORDER BY received_at DESC LIMIT 100",
        "SELECT * FROM submission WHERE month = 202611 AND receipt_no = 'x'",
        "SELECT * FROM record_head WHERE subject = 'x' AND subject <> ''",
        "SELECT * FROM case_ WHERE party = 'ecology' AND closed_at IS NULL",
        "SELECT * FROM parcel WHERE submission_id = 'x'",
        "SELECT * FROM journal WHERE submission_id = 'x'",
    )
    with city.hub.ledger.read() as connection:
        for statement in asked:
            plan = [row[3] for row in connection.execute(text(f"EXPLAIN QUERY PLAN {statement}"))]
            assert all("INDEX" in line or "USE TEMP" in line for line in plan), (statement, plan)
    later = city.hub.clock.now() + timedelta(minutes=5)
    for expected in (5, 5, 2, 0):
        assert city.hub.ledger.write(lambda c: retention.prune_content(c, later, 5)) == expected


def test_16_housekeeping_does_not_stop_traffic(city: City) -> None:
    stop = threading.Event()
    runs = []

    def keep_house() -> None:
        while not stop.is_set():
            before = city.hub.clock.now()
            for prune in (retention.prune_content, retention.prune_metadata, retention.prune_journal):
                runs.append(city.hub.ledger.write(partial(prune, before=before, limit=50)))

    house = threading.Thread(target=keep_house)
    house.start()
    try:
        for number in range(10):
            city.submit(good(50, first=1 + number * 50))
        once(city, 500)
    finally:
        stop.set()
        house.join()
    assert len(runs) > 10
    assert sum(runs) > 0


def test_17_a_silent_input_is_told_and_heard_of_again(tmp_path: Path) -> None:
    month = Month(tmp_path, at(9, 1, 9))
    for day in (1, 2, 3, 4, 7, 8, 9, 10, 11):
        month.clock.forward(at(9, day, 10) - month.clock.now())
        month.hand_over("plain", rows("punish_action", 1))
    assert ("ecology", "40003 opened") not in month.go(at(9, 14, 10))
    assert ("ecology", "40003 opened") in month.go(at(9, 18, 17))
    month.hand_over("plain", rows("punish_action", 1))
    month.go(at(9, 18, 18))
    assert not [c for c in month.cases() if c.code == "40003" and c.closed_at is None]
    month.hub.ledger.close()


@with_settings(lease="1s")
def test_18_work_that_takes_longer_than_its_lease_is_not_done_twice(city: City) -> None:
    city.receiver.before = lambda _event: time.sleep(3)
    kept = city.submit(good(20))
    assert delivered(city, kept) == 20
    assert set(city.receiver.arrivals.values()) == {1}
    assert len(city.receiver.parcels) == 1


def test_every_one_of_the_eighteen_is_here() -> None:
    numbers = [name[5:7] for name in globals() if name.startswith("test_") and name[5:7].isdigit()]
    assert numbers == [f"{n:02}" for n in range(1, 19)]
