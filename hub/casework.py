"""The desk of cases: who must act, until when; taken up, waived, urged, and opened for what never came."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, time, timedelta
from functools import cache
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, func, select

from hub.deadlines import Deadlines
from hub.events import Events
from hub.expectations import Period, ended, silent
from hub.flows import pauses
from hub.generations import Generations
from hub.ledger import cases, journal, notices
from hub.ledger.cases import Cause, Group, Opening, Selection
from hub.ledger.engine import Ledger
from hub.ledger.notices import ABOVE, OPERATOR, Notice
from hub.ledger.tables import record_head, submission, tally
from hub.ledger.types import month_of
from standards.calendar import WorkCalendar
from standards.clock import SHANGHAI, Clock, local, local_text
from standards.digest import sm3, uuid7
from standards.errors import BadRecord, CalendarMissing, UnknownName
from standards.findings import catalogue, plain
from standards.states import OF_THE_OPERATOR, CaseClass

log = structlog.get_logger()

_BATCH = 500
_HEARD = 60
#: The classes in Chinese.
WORDS = {"1": "未报送", "2": "报送错误", "3": "报送不一致", "8": "存疑", "9": "需运维处理"}
NOTHING, FEWER, SILENT = "40001", "40002", "40003"
#: A code of a sender's system that no table translates: answered once, all of them are mended.
UNANSWERED = "10005.crosswalk"
#: Findings that the operator settles: with an answer, or by putting a system or a setting right.
_OPERATORS = (UNANSWERED, "90001", "90002", "90003")


def who_acts(party: str, class_: str, code: str) -> str:
    """The party that must act; empty: the operator."""
    operators = class_ in OF_THE_OPERATOR or code.startswith(_OPERATORS)
    return "" if operators else party


@dataclass(slots=True)
class CaseDesk:
    """Cases for people and for the scheduler."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    deadlines: Deadlines
    events: Events

    # For people

    def groups(self, which: Selection) -> list[dict[str, Any]]:
        """Open cases by cause and due time, the most urgent first, each with who must act and how long is left."""
        now = self.clock.now()
        with self.ledger.read() as connection:
            found = cases.groups(connection, which)
        hints = {
            e.code: (plain(e.hint).replace("{name}", "该数据项"), plain(e.hint_en).replace("{name}", "the element"))
            for e in catalogue()
        }
        left = cache(lambda due: working_days_left(due, now, self.deadlines.calendar))
        return [self._told(one, now, hints, left) for one in found]

    def causes(self, parties: Collection[str] | None = None) -> list[Cause]:
        """Every cause of open cases, of these parties only where they are said; in no order."""
        with self.ledger.read() as connection:
            return cases.causes(connection, self.clock.now(), parties)

    def one(self, identifier: UUID, party: str) -> dict[str, Any]:
        """A single case.  Raises UnknownName."""
        with self.ledger.read() as connection:
            row = cases.one(connection, identifier)
        if row is None or (party and row.party != party):
            raise UnknownName(f"no case {identifier} of yours", what_zh=f"没有您的异常 {identifier}")
        return {
            "id": str(row.id),
            "class": row.class_,
            "class_zh": WORDS[row.class_],
            "state": row.state,
            "party": row.party,
            "dataset": row.dataset,
            "owner": row.owner,
            "code": row.code,
            "destination": row.destination,
            "row": row.row_no,
            "period": [str(row.period_begin), str(row.period_end)] if row.period_begin else None,
            "opened_at": local_text(row.opened_at),
            "last_at": local_text(row.last_at),
            "times": row.times,
            "due_at": local_text(row.due_at),
            "due_missing": row.due_missing,
            "closed_at": local_text(row.closed_at),
            "closed_by": row.closed_by,
            "note": row.note.strip(),
        }

    def take(self, which: Selection, by: str, note: str) -> int:
        """Somebody is at them; how many."""
        return self._act("cases_taken", by, which, lambda c: self._take(c, which, by, note))

    def _take(self, connection: Connection, which: Selection, by: str, note: str) -> int:
        now = self.clock.now()
        return cases.take(connection, which, _line(by, note, now), by, now)

    def waive(self, which: Selection, by: str, named: str, reason: str) -> int:
        """Close without data: a named person says why.  Raises BadRecord."""
        if not named.strip() or not reason.strip():
            raise BadRecord(
                "a waiver names who allows it and why",
                what_zh="豁免须写明批准人姓名和理由",
                hint="say `named` and `reason`",
                hint_zh="请填写批准人姓名（named）和理由（reason）",
            )
        now = self.clock.now()
        text = _line(named, reason, now)
        return self._act("cases_waived", by, which, lambda c: cases.waive(c, which, f"{named} ({by})", text, now))

    def nothing(self, which: Selection, by: str, named: str) -> int:
        """零报告: a named person of the party says that there was nothing to report; only 未报送.  Raises BadRecord."""
        if not named.strip():
            raise BadRecord(
                "a report of nothing names who makes it",
                what_zh="零报告须写明申报人姓名",
                hint="say `named`",
                hint_zh="请填写姓名（named）",
            )
        only = replace(which, class_=CaseClass.UNREPORTED)
        return self.waive(only, by, named, "零报告：本期没有业务 nothing to report")

    def circular(self) -> dict[str, list[dict[str, Any]]]:
        """通报: what is overdue, by party."""
        now = self.clock.now()
        found: dict[str, list[dict[str, Any]]] = {}
        for one in self.groups(Selection()):
            if one["overdue"]:
                found.setdefault(one["party"], []).append(one)
        log.debug("a circular was asked for", action="circular", at=local_text(now))
        return found

    def _act(self, action: str, by: str, which: Selection, work: Any) -> int:
        now = self.clock.now()
        detail: dict[str, Any] = {k: str(v) for k, v in asdict(which).items() if v and k != "ids"}
        detail |= {"ids": [str(i) for i in which.ids]}

        def both(connection: Connection) -> int:
            count: int = work(connection)
            journal.append(connection, [journal.Entry(action, by, None, None, {**detail, "cases": count})], now)
            return count

        return self.ledger.write(both)

    @staticmethod
    def _told(
        one: Group, now: datetime, hints: Mapping[str, tuple[str, str]], left: Callable[[datetime | None], int | None]
    ) -> dict[str, Any]:
        return {
            "party": one.party,
            "class": one.class_,
            "class_zh": WORDS[one.class_],
            "dataset": one.dataset,
            "code": one.code,
            **_hints(hints, one.code),
            "destination": one.destination,
            "cases": one.count,
            "disposing": one.disposing,
            "opened_at": local_text(one.opened_at),
            "last_at": local_text(one.last_at),
            "due_at": local_text(one.due_at),
            "due_missing": one.due_missing,
            "working_days_left": left(one.due_at),
            "overdue": one.due_at is not None and one.due_at < now,
            "sample": str(one.sample),
        }

    # For the scheduler

    def urge(self) -> int:
        """Tell whoever must be told of terms that run out, each once."""
        now = self.clock.now()
        with self.ledger.read() as connection:
            found = cases.groups(connection, Selection(), limit=5000)
            urged = [one for group in found for one in urgings(group, now, self.deadlines.calendar)]
            told = notices.untold(connection, urged)
        if not told:
            return 0

        def work(connection: Connection) -> list[Notice]:
            new = notices.tell(connection, told, now)
            entries = [
                journal.Entry("case_told", "hub", None, None, {**one.detail, "says": one.says, "whom": one.whom})
                for one in new
            ]
            journal.append(connection, entries, now)
            for one in new:
                self.events.case(connection, one.about, one.says, one.detail, now)
            return new

        new = self.ledger.write(work)
        for one in new:
            log.warning("a case", action="case_told", says=one.says, whom=one.whom or "operator", **one.detail)
        return len(new)

    def fill_in(self) -> int:
        """Due times of cases whose year had no calendar, as soon as it has one."""
        with self.ledger.read() as connection:
            waiting = cases.without_due(connection, _BATCH)
        dues = [(identifier, due.at) for identifier, at in waiting if (due := self.deadlines(at)).at is not None]
        if not dues:
            return 0
        self.ledger.write(lambda c: cases.give_due(c, dues))
        return len(dues)

    def expect(self) -> int:
        """Open cases for what was not reported in its period, and close those for which it came."""
        settings = self.generations.current().settings
        today = local(self.clock.now()).date()
        changed = 0
        for said in settings.expectations:
            for party in said.parties:
                for dataset in said.datasets:
                    for period in ended(said, today, self.deadlines.calendar):
                        changed += self._expected(party, dataset, period, said.at_least)
        return changed

    def _expected(self, party: str, dataset: str, period: Period, at_least: int) -> int:
        now = self.clock.now()
        key = sm3(f"expected\x1f{party}\x1f{dataset}\x1f{period.begin}\x1f{period.end}".encode())[:16]
        with self.ledger.read() as connection:
            known = cases.known_keys(connection, CaseClass.UNREPORTED, [key]).get(key)
            if known is None and reported(connection, party, dataset, period.begin, period.end) >= at_least:
                return 0
            if known is not None and not known[1]:
                return 0

        def work(connection: Connection) -> int:
            known = cases.known_keys(connection, CaseClass.UNREPORTED, [key]).get(key)
            if known is not None and not known[1]:
                return 0
            found = reported(connection, party, dataset, period.begin, period.end)
            late = _came_late(connection, party, dataset, period) if found < at_least else 0
            if known is not None:
                return cases.close_ids(connection, [known[0]], "data", now) if found + late >= at_least else 0
            if found + late >= at_least:
                return 0
            opening = Opening(
                class_=CaseClass.UNREPORTED,
                party=party,
                code=FEWER if found else NOTHING,
                dataset=dataset,
                key_hash=key,
                note=f"{period}：应报 {at_least}，实报 {found}",
                period_begin=period.begin,
                period_end=period.end,
            )
            return cases.open_many(connection, [opening], self.deadlines(_day_after(period.end)), now)

        return self.ledger.write(work)

    def listen(self) -> int:
        """Open a case for each feed that is silent longer than its habit; close it when it is heard of again."""
        settings, now = self.generations.current().settings, self.clock.now()
        changed = 0
        with self.ledger.read() as connection:
            paused = pauses.of_these(connection, settings.connections)
        for name, connection_settings in settings.connections.items():
            if connection_settings.paused or connection_settings.is_test or name in paused:
                continue
            heard = self._heard(name, now)
            pause = silent(heard, now, self.deadlines.calendar, settings.cases.silence, settings.cases.silence_least)
            changed += self._silent(name, connection_settings.party, heard, pause)
        return changed

    def _heard(self, name: str, now: datetime) -> list[datetime]:
        since = now - timedelta(days=90)
        months = sorted({_month(now - timedelta(days=n)) for n in (0, 31, 62, 90)} | {month_of(uuid7())})
        with self.ledger.read() as connection:
            rows = connection.execute(
                select(submission.c.received_at)
                .where(
                    submission.c.month.in_(months),
                    submission.c.connection == name,
                    submission.c.test.is_(False),
                    submission.c.received_at >= since,
                )
                .order_by(submission.c.received_at.desc())
                .limit(_HEARD)
            ).scalars()
            return list(rows)[::-1]

    def _silent(self, name: str, party: str, heard: Sequence[datetime], pause: timedelta | None) -> int:
        now = self.clock.now()
        if pause is None:
            with self.ledger.read() as connection:
                if not cases.rows(connection, Selection(party=party, code=SILENT), limit=1):
                    return 0  # most feeds, most of the time: nothing is written
        key = sm3(f"silent\x1f{name}\x1f{heard[-1].isoformat() if heard else ''}".encode())[:16]

        def work(connection: Connection) -> int:
            open_ones = [
                row
                for row in cases.rows(connection, Selection(party=party, code=SILENT), limit=1000)
                if row.note.startswith(f"{name}：")
            ]
            if pause is None:
                return cases.close_ids(connection, [row.id for row in open_ones], "data", now)
            if open_ones or cases.known_keys(connection, CaseClass.UNREPORTED, [key]):
                return 0
            opening = Opening(
                class_=CaseClass.UNREPORTED,
                party=party,
                code=SILENT,
                key_hash=key,
                note=f"{name}：{local_text(heard[-1])} 以来没有报送 silent since",
            )
            return cases.open_many(connection, [opening], self.deadlines(now), now)

        return self.ledger.write(work)


def _hints(hints: Mapping[str, tuple[str, str]], code: str) -> dict[str, str]:
    zh, en = hints.get(code) or hints.get(code.partition(".")[0], ("", ""))
    return {"hint": zh, "hint_en": en}


def urgings(group: Group, now: datetime, calendar: WorkCalendar) -> list[Notice]:
    """What must have been told by now about a group of cases: the owner first, then the operator, then above.  Pure."""
    day = str(local(group.due_at).date()) if group.due_at is not None else group.due_missing
    about = "case:" + ":".join((group.party, group.class_, group.dataset, group.code, group.destination, day))
    detail: Mapping[str, Any] = {
        "party": group.party,
        "class": group.class_,
        "dataset": group.dataset,
        "code": group.code,
        "destination": group.destination,
        "cases": group.count,
        "due": day,
    }
    owner = OPERATOR if group.class_ in OF_THE_OPERATOR else group.party
    told = [Notice(owner, about, "opened", detail)]
    if group.due_at is None:
        return [*told, Notice(OPERATOR, about, "no_calendar", detail)]
    if now >= group.opened_at + (group.due_at - group.opened_at) / 2:
        told.append(Notice(owner, about, "remind", detail))
    if working_days_left(group.due_at, now, calendar) in (0, 1) and group.due_at > now:
        told.append(Notice(owner, about, "tomorrow", detail))
    if now > group.due_at:
        told += [Notice(owner, about, "overdue", detail), Notice(OPERATOR, about, "overdue", detail)]
        if now >= _next_working_morning(group.due_at, calendar):
            told.append(Notice(ABOVE, about, "escalate", detail))
    return told


def working_days_left(due_at: datetime | None, now: datetime, calendar: WorkCalendar) -> int | None:
    """Working days after today up to the due day; negative when it is over; None when nobody knows."""
    if due_at is None:
        return None
    first, last = local(now).date(), local(due_at).date()
    try:
        if first <= last:
            return sum(calendar.is_workday(first + timedelta(days=n)) for n in range(1, (last - first).days + 1))
        return -sum(calendar.is_workday(last + timedelta(days=n)) for n in range(1, (first - last).days + 1))
    except CalendarMissing:
        return None


def _next_working_morning(due_at: datetime, calendar: WorkCalendar) -> datetime:
    try:
        day = calendar.add_working_days(local(due_at).date(), 1)
    except CalendarMissing:
        day = local(due_at).date() + timedelta(days=1)
    return datetime.combine(day, time(9), SHANGHAI)


def reported(connection: Connection, party: str, dataset: str, begin: date, end: date) -> int:
    """Records that were accepted in a time; a duplicate was reported too."""
    found = connection.execute(
        select(func.coalesce(func.sum(tally.c.count), 0)).where(
            tally.c.day.between(begin.isoformat(), end.isoformat()),
            tally.c.party == party,
            tally.c.dataset == dataset,
            tally.c.destination == "",
            tally.c.name.in_(["accepted", "duplicate"]),
        )
    ).scalar_one()
    return int(found)


def _came_late(connection: Connection, party: str, dataset: str, period: Period) -> int:
    """Records of a period that were accepted after it: by their event date."""
    found = connection.execute(
        select(func.count())
        .select_from(record_head)
        .where(
            record_head.c.dataset == dataset,
            record_head.c.party == party,
            record_head.c.event_date.between(period.begin.isoformat(), period.end.isoformat()),
            record_head.c.updated_at >= _day_after(period.end),
            record_head.c.operation != "d",
        )
    ).scalar_one()
    return int(found)


def _day_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), SHANGHAI)


def _month(moment: datetime) -> int:
    there = local(moment)
    return there.year * 100 + there.month


def _line(who: str, text: str, now: datetime) -> str:
    return f"{local_text(now)} {who}: {text}" if text else ""
