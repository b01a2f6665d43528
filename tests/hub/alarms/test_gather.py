"""Facts out of a real ledger, on both databases; one alarm and one message, however many processes look."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from hub.alarms.desk import AlarmDesk
from hub.alarms.expiry import Expiries, certificates_of
from hub.alarms.facts import AlarmFacts, Backlog, Due
from hub.alarms.gather import Gatherer
from hub.alarms.postman import Postman
from hub.casework import SILENT
from hub.config import parse
from hub.deadlines import Deadlines
from hub.generations import Generation, Generations
from hub.ledger import alarms, canaries, cases, credentials, destinations, parcels, submissions
from hub.ledger.canaries import Canary
from hub.ledger.cases import Opening
from hub.ledger.engine import Ledger
from hub.ledger.parcels import StoredParcel
from hub.ledger.submissions import Submission
from hub.ledger.tables import alarm, alarm_message, case_, submission
from standards.clock import FrozenClock, local
from standards.digest import uuid7
from standards.states import CaseClass
from tests.hub.alarms.test_rules import FIRES, MORE, Fixed, generation_of
from tests.hub.city import config
from tests.hub.conftest import POSTGRESQL, SQLITE

BOTH = pytest.mark.parametrize("ledger_url", [SQLITE, POSTGRESQL], indirect=True)


def at(clock: FrozenClock, **ago: float) -> datetime:
    return clock.now() - timedelta(**ago)


def a_submission(ledger: Ledger, received_at: datetime, **words: Any) -> UUID:
    identifier = UUID(int=(int(received_at.timestamp() * 1000) << 80) | (uuid7().int & ((1 << 80) - 1)))
    values: dict[str, Any] = {
        "id": identifier,
        "receipt_no": str(identifier.int % 10**12),
        "party": "ecology",
        "connection": "checks",
        "dataset": "check_action",
        "lane": "now",
        "report_way": "4",
        "name": "",
        "content_type": "",
        "size": 1,
        "digest": identifier.hex * 2,
        "traceparent": "",
        "received_at": received_at,
        "due_at": received_at,
    }
    test = words.pop("test", False)
    ledger.write(lambda c: submissions.add(c, Submission(**values, test=test)))
    if words:
        ledger.write(lambda c: c.execute(update(submission).where(submission.c.id == identifier).values(**words)))
    return identifier


def facts(ledger: Ledger, clock: FrozenClock, folder: Path, more: str = MORE) -> AlarmFacts:
    generation = generation_of(more)
    expiries = Expiries()
    expiries.look(generation.settings, clock.now())
    gatherer = Gatherer(Deadlines(5), folder, expiries)
    with ledger.read() as connection:
        return gatherer.facts(connection, generation, clock.now())


@BOTH
def test_a_quiet_hub_has_nothing_to_tell(ledger: Ledger, clock: FrozenClock, tmp_path: Path) -> None:
    found = facts(ledger, clock, tmp_path)

    assert (found.silent, found.rates, found.down, found.waiting, found.unjudged) == ({}, {}, {}, {}, None)
    assert (found.due, found.expiring, found.canaries, found.without_due, found.unknown) == ((), (), {}, 0, frozenset())
    assert found.calendar_last_year == 2026
    assert found.free_bytes > 0


@BOTH
def test_what_is_told_is_what_the_ledger_holds(ledger: Ledger, clock: FrozenClock, tmp_path: Path) -> None:
    judged = {"state": "settled", "read": 40, "accepted": 30, "rejected": 10}
    for minutes in (5, 50):
        a_submission(ledger, at(clock, minutes=minutes), **judged)
    a_submission(ledger, at(clock, minutes=70), **judged)  # too long ago
    a_submission(ledger, at(clock, minutes=5), **judged, test=True)
    waiting = a_submission(ledger, at(clock, hours=3))
    parcel = StoredParcel(
        id=uuid7(),
        destination="province",
        direction="up",
        lane="now",
        dataset="check_action",
        dataset_version="1",
        submission_id=waiting,
        chunk=0,
        first_row=1,
        last_row=7,
        count=7,
        created_at=at(clock, hours=2),
    )
    with_day = [
        (CaseClass.WRONG, "ecology", at(clock, hours=1)),
        (CaseClass.WRONG, "ecology", at(clock, hours=2)),
        (CaseClass.WRONG, "market", at(clock, days=-1)),
        (CaseClass.SETUP, "", at(clock, days=-3)),
    ]

    def write(connection: Any) -> None:
        parcels.add(connection, [parcel])
        destinations.failed(connection, "province", "无应答", at(clock), at(clock, minutes=12))
        destinations.failed(connection, "gone", "无应答", at(clock), at(clock, minutes=12))
        for n, (class_, party, due_at) in enumerate(with_day):
            opening = Opening(class_=class_, party=party, code="20001", key_hash=bytes([n]) * 16)
            cases.open_many(connection, [opening], cases.Due(due_at), at(clock, days=4))
        silent = Opening(
            class_=CaseClass.UNREPORTED, party="ecology", code=SILENT, key_hash=b"s" * 16, note="checks：以来没有报送"
        )
        cases.open_many(connection, [silent], cases.Due(None, "calendar 2027 not loaded"), at(clock, hours=5))
        credentials.make(connection, "ecology", at(clock), expires_at=at(clock, days=-10))
        credentials.make(connection, "market", at(clock), expires_at=at(clock, days=-40))
        credentials.make(connection, "", at(clock), expires_at=at(clock, hours=-12))  # of a log-in
        revoked = credentials.make(connection, "market", at(clock), expires_at=at(clock, days=-5))[0]
        credentials.revoke(connection, revoked, at(clock))

    ledger.write(write)

    found = facts(ledger, clock, tmp_path)

    today = local(clock.now()).date()
    assert found.rates == {"checks": (80, 20)}
    assert found.unjudged == Backlog(1, at(clock, hours=3))
    assert found.waiting == {"province": Backlog(7, at(clock, hours=2))}
    assert found.down == {"province": at(clock, minutes=12)}, "what is not in the settings concerns nobody"
    assert found.silent == {"checks": at(clock, hours=5)}
    assert found.without_due == 1
    assert found.due == (
        Due("", today + timedelta(days=3), 1, 3, False),
        Due("ecology", today, 2, 0, True),
        Due("market", today + timedelta(days=1), 1, 1, False),
    )
    assert [(one.kind, one.name.split()[-1], one.at) for one in found.expiring] == [
        ("key", "(ecology)", at(clock, days=-10))
    ]


@BOTH
def test_a_way_is_not_open_since_the_first_canary_that_none_came_back_after(
    ledger: Ledger, clock: FrozenClock, tmp_path: Path
) -> None:
    def canary(way: str, minutes: float, ok: bool | None, *, inward: bool = False) -> None:
        one = Canary(
            id=uuid7(),
            way=way,
            inward=inward,
            reach="through",
            dataset="check_action",
            started_at=at(clock, minutes=minutes),
        )
        ledger.write(lambda c: canaries.add(c, one))
        if ok is not None:
            ledger.write(lambda c: canaries.end(c, one.id, at(clock, minutes=minutes - 1), "" if ok else "无应答"))

    for minutes, ok in ((30, True), (20, True), (10, False), (5, None)):
        canary("province", minutes, ok)
    canary("gone", 30, ok=True)
    canary("province", 1, ok=True, inward=True)

    assert facts(ledger, clock, tmp_path).canaries == {"province": timedelta(minutes=10)}
    with ledger.read() as connection:
        standing = canaries.standings(connection)["province"]
    assert (standing.age(clock.now()), standing.took) == (timedelta(minutes=20), timedelta(minutes=1))
    assert standing.problem == "无应答"
    ledger.write(lambda c: destinations.pause(c, "province", "key", "维护", clock.now()))
    assert facts(ledger, clock, tmp_path).canaries == {}, "an operator paused it"
    ledger.write(lambda c: destinations.resume(c, "province", "key", clock.now()))
    off = MORE + '\n[canary]\nevery = "0s"\n'
    assert facts(ledger, clock, tmp_path, off).canaries == {}

    clock.forward(timedelta(days=2))
    ledger.write(lambda c: canaries.prune(c, at(clock, days=1)))
    assert facts(ledger, clock, tmp_path).canaries == {"province": timedelta(0)}, "a hub that stood still sent none"
    with ledger.read() as connection:
        standing = canaries.standings(connection)["province"]
    assert standing.age(clock.now()) == timedelta(days=2, minutes=20), "the last that came back is kept"


def test_certificates_are_found_where_settings_name_them(clock: FrozenClock, tmp_path: Path) -> None:
    more = MORE.replace("settle", 'certificates = ["https://127.0.0.1:1", "/a.pem"]\nsettle')
    settings = parse(
        config("http://127.0.0.1:1", more=more).replace("quick_tries", 'ca_file = "/ca.pem", quick_tries'), "x"
    )
    expiries = Expiries()

    assert certificates_of(settings) == ("https://127.0.0.1:1", "/a.pem", "/ca.pem")
    assert expiries.look(settings, clock.now())
    assert not expiries.look(settings, clock.now()), "once an hour"
    clock.forward(timedelta(hours=1))
    assert expiries.look(settings, clock.now())


@dataclass
class Process:
    """What one process of a hub has of alarms."""

    ledger: Ledger
    clock: FrozenClock
    folder: Path
    name: str
    sent: list[tuple[str, str]]
    desk: AlarmDesk = field(init=False)
    postman: Postman = field(init=False)

    def __post_init__(self) -> None:
        generations: Generations = Fixed(generation_of(MORE))  # type: ignore[assignment]
        gatherer = Gatherer(Deadlines(5), self.folder, Expiries())
        self.desk = AlarmDesk(self.ledger, generations, self.clock, gatherer, self._send)
        self.postman = Postman(self.ledger, generations, self.clock, self.name, self._send)

    def _send(self, _generation: Generation, contact: str, letter: Any) -> None:
        self.sent.append((contact, str(letter.facts["says"])))

    def look(self, found: AlarmFacts) -> None:
        self.desk.obey(self.desk.generations.current(), found)
        self.postman.tick()


@BOTH
def test_two_processes_and_a_restart_tell_each_thing_once(
    open_ledger: Callable[[], Ledger], clock: FrozenClock, tmp_path: Path
) -> None:
    sent: list[tuple[str, str]] = []
    both = [Process(open_ledger(), clock, tmp_path, name, sent) for name in ("one", "two")]

    def together(found: AlarmFacts) -> None:
        threads = [threading.Thread(target=one.look, args=(found,)) for one in both]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)

    wrong = FIRES["backlog"]
    for _ in range(3):
        clock.forward(timedelta(minutes=1))
        together(AlarmFacts(now=clock.now(), waiting=wrong.waiting))
    again = Process(open_ledger(), clock, tmp_path, "three", sent)  # the first ones died
    clock.forward(timedelta(minutes=2))
    again.look(AlarmFacts(now=clock.now(), waiting=wrong.waiting))
    both = [again, Process(open_ledger(), clock, tmp_path, "four", sent)]
    for _ in range(3):
        clock.forward(timedelta(minutes=2))
        together(AlarmFacts(now=clock.now()))

    assert sent == [("duty", "raised"), ("duty", "recovered")]
    with again.ledger.read() as connection:
        assert connection.execute(select(func.count()).select_from(alarm)).scalar_one() == 1
        assert connection.execute(select(func.count()).select_from(alarm_message)).scalar_one() == 2


@BOTH
def test_what_was_over_long_ago_is_taken_away_with_its_messages(
    ledger: Ledger, clock: FrozenClock, tmp_path: Path
) -> None:
    one = Process(ledger, clock, tmp_path, "one", [])
    clock.forward(timedelta(minutes=1))
    one.look(AlarmFacts(now=clock.now(), waiting=FIRES["backlog"].waiting, free_bytes=1))
    clock.forward(timedelta(minutes=5))
    one.look(AlarmFacts(now=clock.now(), free_bytes=1))
    clock.forward(timedelta(days=1))

    assert ledger.write(lambda c: alarms.prune(c, clock.now(), 100)) == 1

    with ledger.read() as connection:
        assert [row.rule for row in connection.execute(select(alarm))] == ["disk_low"]
        assert connection.execute(select(func.count()).select_from(alarm_message)).scalar_one() == 1
        assert connection.execute(select(func.count()).select_from(case_)).scalar_one() == 0
