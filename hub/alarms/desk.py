"""The desk of alarms: looks with the rules, keeps what they find once, and lets people see and acknowledge it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection

from hub.alarms.facts import AlarmFacts
from hub.alarms.gather import Gatherer
from hub.alarms.letter import trial
from hub.alarms.plan import Plan, plan, tellings
from hub.alarms.postman import Send
from hub.alarms.rules import RULES, Limits, Raised, evaluate
from hub.alarms.settings import Alarms
from hub.generations import Generation, Generations
from hub.ledger import alarms, journal
from hub.ledger.alarms import Message, StoredAlarm
from hub.ledger.engine import Ledger
from standards.clock import Clock, local_text
from standards.digest import uuid7
from standards.errors import BadRecord, UnknownName

log = structlog.get_logger()

_LATELY = timedelta(days=30)


@dataclass(slots=True)
class AlarmDesk:
    """Alarms for people and for the scheduler."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    gatherer: Gatherer
    send: Send
    _looked: datetime | None = field(default=None, init=False)

    # For the scheduler

    def run(self) -> int:
        """Look, as often as the settings say; how many alarms were raised or are over."""
        now = self.clock.now()
        every = self.generations.current().settings.alarms.every
        if self._looked is not None and now - self._looked < every:
            return 0
        self._looked = now
        return self.look()

    def look(self) -> int:
        """Look now."""
        generation, now = self.generations.current(), self.clock.now()
        with self.ledger.read() as connection:
            facts = self.gatherer.facts(connection, generation, now)
        return self.obey(generation, facts)

    def obey(self, generation: Generation, facts: AlarmFacts) -> int:
        """Do what follows from facts."""
        said, now = generation.settings.alarms, facts.now
        raised = evaluate(facts, Limits(said, generation.settings.canary))

        def work(connection: Connection) -> tuple[list[Raised], Plan]:
            held = alarms.open_ones(connection)
            told = alarms.messages_of(connection, [one.id for one in held])
            follows = plan(held, told, raised, facts.unknown, said, now)
            new = [one for one in follows.new if self._raise(connection, one, said, now)]
            alarms.still_there(connection, follows.there, now)
            over = [one for one in follows.over if alarms.recover(connection, one.id, now)]
            for message in follows.forget:
                alarms.forget(connection, message.id)
            for one in follows.tell:
                alarms.tell(connection, one.alarm_id, one.contact, one.says, one.due_at, now)
            entries = [journal.Entry("alarm_over", "hub", detail=_detail(one.rule, one.subject)) for one in over]
            entries += [journal.Entry("alarm_raised", "hub", detail=_detail(one.rule, one.subject)) for one in new]
            if entries:
                journal.append(connection, entries, now)
            return new, follows

        if not raised and not self._any_open():
            return 0  # most of the time: nothing is written
        new, follows = self.ledger.write(work)
        for one in new:
            log.warning("an alarm", action="alarm_raised", **_detail(one.rule, one.subject))
        for stored in follows.over:
            log.info("an alarm is over", action="alarm_over", **_detail(stored.rule, stored.subject))
        return len(new) + len(follows.over)

    def _any_open(self) -> bool:
        with self.ledger.read() as connection:
            return bool(alarms.open_counts(connection))

    @staticmethod
    def _raise(connection: Connection, one: Raised, said: Alarms, now: datetime) -> bool:
        new = StoredAlarm(
            id=uuid7(),
            rule=one.rule,
            subject=one.subject[:200],
            zh=one.zh,
            en=one.en,
            grave=one.rule in said.grave,
            opened_at=now,
            seen_at=now,
        )
        if not alarms.raise_new(connection, new):
            return False  # another process was faster
        for telling in tellings(new, said, now):
            alarms.tell(connection, new.id, telling.contact, telling.says, telling.due_at, now)
        return True

    # For people

    def listed(self, limit: int = 5000) -> list[dict[str, Any]]:
        """Open alarms, the grave and then the oldest first: since when, what, who is at it, who was told."""
        with self.ledger.read() as connection:
            held = alarms.open_ones(connection, limit)
            told = alarms.messages_of(connection, [one.id for one in held])
        return [_told(one, told) for one in held]

    def count(self) -> int:
        """How many are open."""
        with self.ledger.read() as connection:
            return sum(alarms.open_counts(connection).values())

    def lately(self, limit: int = 100) -> list[dict[str, Any]]:
        """Alarms of the last month that are over, the newest first."""
        with self.ledger.read() as connection:
            held = alarms.lately(connection, self.clock.now() - _LATELY, limit)
            told = alarms.messages_of(connection, [one.id for one in held])
        return [_told(one, told) for one in held]

    def acknowledge(self, identifier: UUID, by: str, named: str, note: str = "") -> dict[str, Any]:
        """A person is at it: later contacts are not told any more.  Raises UnknownName, BadRecord."""
        if not named.strip():
            raise BadRecord(
                "an acknowledgement names who is at it",
                what_zh="确认告警须写明姓名",
                hint="say `named`",
                hint_zh="请填写姓名（named）",
            )
        now = self.clock.now()

        def work(connection: Connection) -> StoredAlarm | None:
            if alarms.acknowledge(connection, identifier, f"{named.strip()[:80]} ({by})", note[:1000], now):
                detail = {"alarm": str(identifier), "named": named.strip()[:80], "note": note[:1000]}
                journal.append(connection, [journal.Entry("alarm_acknowledged", by, detail=detail)], now)
            return alarms.one(connection, identifier)

        stored = self.ledger.write(work)
        if stored is None:
            raise UnknownName(f"no alarm {identifier}", what_zh=f"没有告警 {identifier}")
        return _told(stored, [])

    def contacts(self) -> list[dict[str, Any]]:
        """Who is told of what, without secrets and addresses of robots; and what could not be delivered."""
        said = self.generations.current().settings.alarms
        with self.ledger.read() as connection:
            waiting = alarms.unsent(connection)
        result = []
        for name, one in said.contacts.items():
            held = [m for m in waiting if m.contact == name]
            result.append(
                {
                    "contact": name,
                    "title": one.title,
                    "way": one.way,
                    "addresses": len(one.to) if one.way == "mail" else 1,
                    "rules": list(one.rules),
                    "after_seconds": one.after.total_seconds(),
                    "waiting": len(held),
                    "error": next((m.error for m in held if m.error), ""),
                }
            )
        return result

    def test(self, contact: str, by: str) -> dict[str, str]:
        """Send a test message now.  Raises UnknownName, and as the way out does."""
        generation, now = self.generations.current(), self.clock.now()
        known = generation.settings.alarms.contacts
        if contact not in known:
            raise UnknownName(
                f"no contact {contact}",
                what_zh=f"没有名为 {contact} 的联系人",
                hint=f"there are: {', '.join(known)}" if known else "add [alarms.contacts.…]",
            )
        hub = generation.settings.hub
        self.send(generation, contact, trial(str(uuid7()), hub.name, hub.title, now))
        entry = journal.Entry("alarm_tested", by, detail={"contact": contact})
        self.ledger.write(lambda c: journal.append(c, [entry], now))
        return {"contact": contact, "state": "sent", "at": local_text(now)}


def _detail(rule: str, subject: str) -> dict[str, str]:
    return {"rule": rule, "subject": subject}


def _told(one: StoredAlarm, messages: Sequence[Message]) -> dict[str, Any]:
    rule = RULES.get(one.rule)
    mine = [m for m in messages if m.alarm_id == one.id]
    return {
        "id": str(one.id),
        "rule": one.rule,
        "rule_zh": rule.zh if rule is not None else one.rule,
        "rule_en": rule.en if rule is not None else one.rule,
        "page": rule.page if rule is not None else "",
        "subject": one.subject,
        "zh": one.zh,
        "en": one.en,
        "grave": one.grave,
        "since": local_text(one.opened_at),
        "recovered_at": local_text(one.recovered_at),
        "acknowledged_at": local_text(one.acknowledged_at),
        "acknowledged_by": one.acknowledged_by,
        "note": one.note,
        "told": sorted({m.contact for m in mine if m.sent_at is not None}),
        "waiting": sorted({m.contact for m in mine if m.waits}),
        "untold": sorted({m.contact for m in mine if m.given_up_at is not None}),
    }
