"""Each rule fires once and recovers once, on a frozen clock; what is not looked at does not change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import select

from hub.alarms.desk import AlarmDesk
from hub.alarms.expiry import Expiries
from hub.alarms.facts import AlarmFacts, Backlog, Due, Expiry
from hub.alarms.gather import Gatherer
from hub.alarms.postman import Postman
from hub.alarms.quiet import leaves_at
from hub.alarms.rules import RULES
from hub.config import parse
from hub.deadlines import Deadlines
from hub.generations import Generation, Generations
from hub.ledger import tables
from hub.ledger.engine import Ledger
from hub.vault import NO_SEAL
from mappings.load import MappingFolders
from standards.clock import SHANGHAI, FrozenClock
from standards.errors import BadRecord, SystemUnreachable, UnknownName
from standards.registry import built_in
from tests.hub.city import config

NOW = datetime(2026, 9, 7, 2, 0, tzinfo=UTC)  # ten in the morning in China
MORE = """
[alarms]
quiet = "22:00-07:00"
settle = "1m"

[alarms.mail]
host = "127.0.0.1"
port = 1
sender = "hub@example.gov.cn"

[alarms.contacts.duty]
title = "值班运维"
way = "mail"
to = ["duty@example.gov.cn"]

[alarms.contacts.chief]
title = "运维主管"
way = "mail"
to = ["chief@example.gov.cn"]
after = "30m"
"""


def generation_of(more: str) -> Generation:
    """Settings of the small city with something more."""
    settings = parse(config("http://127.0.0.1:1", more=more), "hub.toml")
    return Generation(1, settings, built_in(), MappingFolders([]), NO_SEAL)


class Fixed:
    """Settings that do not change."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation

    def current(self) -> Generation:
        return self._generation


class Watch:
    """A desk of alarms that is fed with facts, and a postman whose letters are read."""

    def __init__(self, folder: Path, ledger: str, more: str = MORE) -> None:
        self.clock = FrozenClock(NOW)
        self.ledger = Ledger(ledger)
        self.generations = generations = cast(Generations, Fixed(generation_of(more)))
        self.read: list[tuple[str, str, str]] = []
        self.broken: set[str] = set()
        gatherer = Gatherer(Deadlines(5), folder, Expiries())
        self.desk = AlarmDesk(self.ledger, generations, self.clock, gatherer, self._send)
        self.postman = Postman(self.ledger, generations, self.clock, "one", self._send)

    def _send(self, _generation: Any, contact: str, letter: Any) -> None:
        if contact in self.broken:
            raise SystemUnreachable("no mail server", what_zh="邮件服务器不可用")
        self.read.append((contact, str(letter.facts.get("says")), str(letter.facts.get("rule"))))

    def look(self, facts: AlarmFacts | None = None, after: timedelta = timedelta(minutes=1)) -> list[tuple[str, ...]]:
        """Time passes, the rules look, the postman goes; what was read meanwhile."""
        self.clock.forward(after)
        before = len(self.read)
        given = facts or AlarmFacts(now=self.clock.now())
        self.desk.obey(self.generations.current(), replace(given, now=self.clock.now()))
        self.postman.tick()
        return list(self.read[before:])

    def rows(self, table: Any) -> list[Any]:
        with self.ledger.read() as connection:
            return list(connection.execute(select(table)))


@pytest.fixture
def watch_with(tmp_path: Path, sqlite_url: str) -> Iterator[Callable[[str], Watch]]:
    """Makes one with these settings."""
    made: list[Watch] = []

    def make(more: str) -> Watch:
        made.append(Watch(tmp_path, sqlite_url, more))
        return made[-1]

    yield make
    for one in made:
        one.ledger.close()


@pytest.fixture
def watch(watch_with: Callable[[str], Watch]) -> Watch:
    return watch_with(MORE)


ago = NOW - timedelta(days=2)
FIRES = {
    "feed_silent": AlarmFacts(now=NOW, silent={"checks": ago}),
    "error_rate": AlarmFacts(now=NOW, rates={"checks": (100, 20), "few": (49, 49), "well": (1000, 199)}),
    "destination_down": AlarmFacts(now=NOW, down={"province": ago}, waiting={"province": Backlog(5, ago)}),
    "backlog": AlarmFacts(now=NOW, waiting={"province": Backlog(5, ago)}),
    "case_due": AlarmFacts(now=NOW, due=(Due("ecology", date(2026, 9, 8), 3, 1, False),)),
    "case_overdue": AlarmFacts(now=NOW, due=(Due("ecology", date(2026, 9, 4), 3, -1, True),)),
    "expiring": AlarmFacts(now=NOW, expiring=(Expiry("key", "abc", NOW + timedelta(days=29)),)),
    "canary_late": AlarmFacts(now=NOW, canaries={"province": timedelta(minutes=16)}),
    "calendar_missing": AlarmFacts(now=NOW, calendar_last_year=2025),
    "disk_low": AlarmFacts(now=NOW, free_bytes=4 * 1024**3),
    "without_due": AlarmFacts(now=NOW, without_due=2),
}


def test_every_rule_is_in_the_table() -> None:
    assert set(FIRES) == set(RULES)


@pytest.mark.parametrize("rule", sorted(RULES))
def test_each_alarm_fires_and_recovers_once(rule: str, watch: Watch) -> None:
    assert watch.look() == []

    told = [watch.look(FIRES[rule]) for _ in range(4)]

    assert told[0] == [("duty", "raised", rule)], "once, to the first contact"
    assert told[1:] == [[], [], []], "and not again while it stays"
    (one,) = watch.desk.listed()
    assert (one["rule"], one["grave"]) == (rule, rule in ("destination_down", "canary_late", "disk_low"))
    assert one["zh"]
    assert one["en"]
    over = [watch.look() for _ in range(3)]
    assert over == [[("duty", "recovered", rule)], [], []]
    assert watch.desk.listed() == []
    assert [one["rule"] for one in watch.desk.lately()] == [rule]
    actions = [row.action for row in watch.rows(tables.journal)]
    assert actions.count("alarm_raised") == actions.count("alarm_over") == 1
    assert watch.look(FIRES[rule]) == [("duty", "raised", rule)], "when it comes again it is a new one"


@pytest.mark.parametrize(
    "facts",
    [
        AlarmFacts(now=NOW, down={"province": NOW - timedelta(minutes=5)}),
        AlarmFacts(now=NOW, waiting={"province": Backlog(9, NOW - timedelta(minutes=50))}),
        AlarmFacts(now=NOW, due=(Due("ecology", date(2026, 9, 9), 3, 2, False),)),
        AlarmFacts(now=NOW, expiring=(Expiry("key", "abc", NOW + timedelta(days=31)),)),
        AlarmFacts(now=NOW, canaries={"province": timedelta(minutes=14)}),
        AlarmFacts(now=NOW, calendar_last_year=2026),
    ],
)
def test_what_is_within_its_bounds_fires_nothing(facts: AlarmFacts, watch: Watch) -> None:
    assert watch.look(facts) == []


def test_the_calendar_of_next_year_is_asked_for_from_november(watch: Watch) -> None:
    watch.clock.forward(timedelta(days=55))  # the first of November

    assert watch.look(AlarmFacts(now=NOW, calendar_last_year=2026)) == [("duty", "raised", "calendar_missing")]


def test_a_certificate_that_cannot_be_read_or_has_ended_is_told(watch: Watch) -> None:
    watch.look(AlarmFacts(now=NOW, expiring=(Expiry("certificate", "a", None), Expiry("certificate", "b", ago))))

    assert [one["zh"][:8] for one in watch.desk.listed()] == ["证书 a 无法读", "证书 b 已于 "]


def test_a_cause_that_comes_and_goes_is_one_alarm(watch: Watch) -> None:
    facts = FIRES["destination_down"]
    short = timedelta(seconds=20)
    assert watch.look(facts) != []

    told = [watch.look(facts if n % 2 else None, short) for n in range(8)]

    assert told == [[]] * 8
    assert len(watch.desk.listed()) == 1


def test_what_could_not_be_looked_at_stays_as_it_is(watch: Watch) -> None:
    watch.look(FIRES["expiring"])
    unknown = AlarmFacts(now=NOW, unknown=frozenset({"expiring"}))

    assert [watch.look(unknown) for _ in range(3)] == [[], [], []]
    assert len(watch.desk.listed()) == 1


def test_a_case_that_turns_overdue_has_not_recovered(watch: Watch) -> None:
    day = date(2026, 9, 8)
    watch.look(AlarmFacts(now=NOW, due=(Due("ecology", day, 3, 1, False),)))
    late = AlarmFacts(now=NOW, due=(Due("ecology", day, 3, -1, True),))

    told = [watch.look(late) for _ in range(3)]

    assert told == [[("duty", "raised", "case_overdue")], [], []]
    assert [one["rule"] for one in watch.desk.listed()] == ["case_overdue"]


def test_a_second_contact_is_told_when_nobody_acknowledged(watch: Watch) -> None:
    facts = FIRES["backlog"]
    assert watch.look(facts) == [("duty", "raised", "backlog")]
    assert watch.look(facts, timedelta(minutes=29)) == []
    assert watch.look(facts) == [("chief", "raised", "backlog")]
    assert watch.look(facts, timedelta(hours=1)) == []
    assert sorted(watch.look()) == [("chief", "recovered", "backlog"), ("duty", "recovered", "backlog")]


def test_an_acknowledged_alarm_goes_no_further_and_says_who_is_at_it(watch: Watch) -> None:
    facts = FIRES["backlog"]
    watch.look(facts)
    (one,) = watch.desk.listed()

    with pytest.raises(BadRecord):
        watch.desk.acknowledge(UUID(one["id"]), "key", "  ")
    said = watch.desk.acknowledge(UUID(one["id"]), "key", "张三", "已联系省中心")
    again = watch.desk.acknowledge(UUID(one["id"]), "key", "李四")

    assert said["acknowledged_by"] == again["acknowledged_by"] == "张三 (key)", "who was first"
    assert watch.look(facts, timedelta(hours=2)) == []
    assert watch.look() == [("duty", "recovered", "backlog")], "who was told hears the end"
    assert [row.action for row in watch.rows(tables.journal)].count("alarm_acknowledged") == 1
    with pytest.raises(UnknownName):
        watch.desk.acknowledge(UUID(int=1), "key", "张三")


def test_at_night_only_grave_alarms_are_told_and_the_others_in_the_morning(watch: Watch) -> None:
    watch.clock.forward(timedelta(hours=13))  # eleven in the evening
    both = replace(FIRES["backlog"], canaries={"county": timedelta(hours=1)})

    assert watch.look(both) == [("duty", "raised", "canary_late")]
    assert watch.look(both, timedelta(minutes=40)) == [("chief", "raised", "canary_late")]
    assert watch.look(both, timedelta(hours=7)) == []
    assert sorted(watch.look(both, timedelta(minutes=20))) == [
        ("chief", "raised", "backlog"),
        ("duty", "raised", "backlog"),
    ]


def test_what_was_over_before_the_morning_is_never_told(watch: Watch) -> None:
    watch.clock.forward(timedelta(hours=13))
    watch.look(FIRES["backlog"])
    watch.look()
    watch.look()

    assert watch.look(None, timedelta(hours=12)) == []
    assert watch.rows(tables.alarm_message) == []
    assert [one["rule"] for one in watch.desk.lately()] == ["backlog"]


@pytest.mark.parametrize(
    ("hour", "quiet", "leaves"),
    [
        ((21, 59), "22:00-07:00", None),
        ((22, 0), "22:00-07:00", (8, 7, 0)),
        ((3, 0), "22:00-07:00", (7, 7, 0)),
        ((7, 0), "22:00-07:00", None),
        ((12, 30), "12:00-14:00", (7, 14, 0)),
        ((14, 0), "12:00-14:00", None),
        ((3, 0), "", None),
    ],
)
def test_quiet_hours(hour: tuple[int, int], quiet: str, leaves: tuple[int, int, int] | None) -> None:
    now = datetime(2026, 9, 7, *hour, tzinfo=SHANGHAI)

    expected = datetime(2026, 9, *leaves, tzinfo=SHANGHAI) if leaves else now
    assert leaves_at(now, quiet, grave=False) == expected
    assert leaves_at(now, quiet, grave=True) == now


def test_a_server_that_is_down_delays_in_order_and_does_not_lose_or_hold_up_others(
    watch_with: Callable[[str], Watch],
) -> None:
    more = MORE.replace('after = "30m"', "")
    watch = watch_with(more)
    watch.broken = {"duty"}

    assert watch.look(FIRES["backlog"]) == [("chief", "raised", "backlog")]
    assert watch.look() == [("chief", "recovered", "backlog")]
    (waiting,) = [one for one in watch.desk.contacts() if one["contact"] == "duty"]
    assert (waiting["waiting"], waiting["error"]) == (2, "no mail server")
    watch.broken = set()
    told = [watch.look(None, timedelta(minutes=5)) for _ in range(3)]

    assert told == [[("duty", "raised", "backlog"), ("duty", "recovered", "backlog")], [], []]


def test_a_message_that_nobody_takes_for_a_day_ends_and_is_shown(watch: Watch) -> None:
    watch.broken = {"duty"}
    facts = FIRES["canary_late"]
    watch.look(facts)
    for _ in range(12):
        watch.look(facts, timedelta(hours=3))

    (message,) = [m for m in watch.rows(tables.alarm_message) if m.contact == "duty"]
    assert message.given_up_at is not None
    assert message.tries < 15
    (one,) = watch.desk.listed()
    assert one["untold"] == ["duty"]


def test_a_rule_that_is_switched_off_fires_nothing_and_ends_what_it_raised(watch_with: Callable[[str], Watch]) -> None:
    watch = watch_with(MORE.replace("settle", 'off = ["backlog"]\nsettle'))

    assert watch.look(FIRES["backlog"]) == []
    assert watch.desk.listed() == []


def test_a_contact_of_some_rules_hears_of_no_others(watch_with: Callable[[str], Watch]) -> None:
    watch = watch_with(MORE.replace('after = "30m"', 'rules = ["disk_low"]'))

    assert watch.look(FIRES["backlog"]) == [("duty", "raised", "backlog")]
    assert sorted(watch.look(FIRES["disk_low"]))[:1] == [("chief", "raised", "disk_low")]
