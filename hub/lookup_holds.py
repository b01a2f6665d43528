"""Records that wait for a base (法人库 …): asked about again, many at once, and let go when it knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from itertools import groupby
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import Connection, select

from hub.dispatch.contents import Contents
from hub.generations import Generation
from hub.holds import Holds
from hub.ledger import cases, heads, holds
from hub.ledger.cases import Opening
from hub.ledger.holds import Held
from hub.ledger.tables import record, submission
from hub.ledger.types import month_of
from hub.lookups import Desk
from hub.plan import Plan
from hub.plans import Plans
from hub.settings import LookupSettings
from hub.translate.consult import DIFFERENT, NO_ANSWER, UNMATCHED, WAITS_FOR_BASE, Said, consult
from hub.translate.prepare import hidden
from standards.clock import local
from standards.errors import HubError
from standards.model import Severity
from standards.states import CaseClass, Verdict

log = structlog.get_logger()

_BATCH = 500
_VALUES = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a record after its base was asked again."""

    #: released, held (on, for another reason), rejected; '' leaves it as it is.
    next: str
    said: tuple[Said, ...] = ()
    fills: Mapping[str, str] = field(default_factory=dict)


def fate(code: str, said: Sequence[Said], fills: Mapping[str, str]) -> Fate:
    """Pure.  `code`: what it waited for; `said`: what the bases and the checker say now."""
    codes = [s.code for s in said if s.severity is Severity.HOLD]
    if NO_ANSWER in codes:
        return Fate("")
    if any(s.severity is Severity.ERROR for s in said):
        return Fate("rejected", tuple(said))
    if codes:
        return Fate("" if code in codes else "held", tuple(s for s in said if s.severity is Severity.HOLD))
    return Fate("released", tuple(said), fills)


@dataclass(slots=True)
class LookupHolds:
    """Asks again; called by the elected scheduler."""

    holds: Holds
    plans: Plans
    desk: Desk

    def ask(self, batch: Sequence[Held]) -> int:
        """Ask about these again; how many went on."""
        generation = self.holds.generations.current()
        done = 0
        for (connection, dataset), group in groupby(self._with_connection(batch), key=lambda p: (p[0], p[1].dataset)):
            members = [held for _, held in group]
            try:
                plan = self.plans.plan(generation, connection, dataset)
                done += self._ask_group(generation, plan, members)
            except HubError as error:
                log.warning("what is held cannot be asked about", action="ask_again_failed", why=error.what)
        return done

    def _with_connection(self, batch: Sequence[Held]) -> list[tuple[str, Held]]:
        ids = {held.submission_id for held in batch}
        with self.holds.ledger.read() as connection:
            rows = connection.execute(
                select(submission.c.id, submission.c.connection).where(
                    submission.c.month.in_({month_of(i) for i in ids}), submission.c.id.in_(ids)
                )
            ).all()
        names = {row[0]: row[1] for row in rows}
        found = [(names[held.submission_id], held) for held in batch if held.submission_id in names]
        return sorted(found, key=lambda p: (p[0], p[1].dataset))

    def _ask_group(self, generation: Generation, plan: Plan, members: Sequence[Held]) -> int:
        columns = self._columns(plan, members)
        count = len(members)
        consulted = consult(plan.lookups, columns, range(count), count, partial(self.desk.find, generation))
        today = local(self.holds.clock.now()).date().isoformat()
        faults = plan.checker.check(consulted.columns, count, today)
        if consulted.unfill(faults, columns):
            faults = plan.checker.check(consulted.columns, count, today)
        said: dict[int, list[Said]] = {}
        for one in consulted.said:
            said.setdefault(one.row, []).append(one)
        for f in faults:
            severity = plan.severity(f.code, f.params.get("rule", ""))
            if severity is Severity.ERROR and not consulted.may_wait(f):
                said.setdefault(f.row, []).append(Said(f.row, f.element, f.code, severity, f.value, f.params))
        done = 0
        for i, held in enumerate(members):
            found = fate(held.code, said.get(i, ()), consulted.fills.get(i, {}))
            if found.next and self._obey(plan, consulted.columns, held, found):
                done += 1
        return done

    def _columns(self, plan: Plan, members: Sequence[Held]) -> dict[str, list[str]]:
        """The held records as columns again, each with what its sender gave."""
        contents = Contents(self.holds.seal)
        rows: list[dict[str, str]] = []
        with self.holds.ledger.read() as connection:
            places = self._places(connection, members)
            for held in members:
                chunk, idx = places[held.submission_id, held.row_no]
                content = contents.of(connection, held.submission_id, chunk)
                common = _VALUES.decode(content.common[idx]) if content.common is not None else {}
                rows.append({**common, **_VALUES.decode(content.lines[idx])})
        names = [*plan.own, *(name for name in plan.checker.elements if name not in plan.own)]
        present = [name for name in names if any(name in row for row in rows)]
        return {name: [row.get(name, "") for row in rows] for name in present}

    @staticmethod
    def _places(connection: Connection, members: Sequence[Held]) -> dict[tuple[UUID, int], tuple[int, int]]:
        by_submission: dict[UUID, list[int]] = {}
        for held in members:
            by_submission.setdefault(held.submission_id, []).append(held.row_no)
        found: dict[tuple[UUID, int], tuple[int, int]] = {}
        for identifier, row_nos in by_submission.items():
            rows = connection.execute(
                select(record.c.row_no, record.c.chunk, record.c.idx).where(
                    record.c.month == month_of(identifier),
                    record.c.submission_id == identifier,
                    record.c.row_no.in_(row_nos),
                )
            )
            found |= {(identifier, row[0]): (row[1], row[2]) for row in rows}
        return found

    def _obey(self, plan: Plan, columns: Mapping[str, list[str]], held: Held, found: Fate) -> bool:
        now = self.holds.clock.now()

        def work(connection: Connection) -> bool:
            for said in found.said:
                value, params = hidden(plan, columns, said)
                holds.add_finding(
                    connection,
                    held.submission_id,
                    held.row_no,
                    held.party,
                    held.dataset,
                    said.code,
                    str(said.severity),
                    element=said.element,
                    value=value,
                    params=params,
                )
            match found.next:
                case "rejected":
                    return self._reject(connection, held, found, now)
                case "held":
                    holds.recode(connection, held, found.said[0].code)
                    return True
            if held.wait_for is not None and not heads.known(connection, [held.wait_for]):
                holds.recode(connection, held, holds.other_reason(connection, held, WAITS_FOR_BASE) or "30004")
                return True
            return self.holds.release_in(connection, held, self.holds.owner, now, found.fills)

        return self.holds.ledger.write(work)

    def _reject(self, connection: Connection, held: Held, found: Fate, now: datetime) -> bool:
        """The base answered, and the record does not pass: its owner mends it."""
        if not holds.end(connection, held.submission_id, held.row_no, "rejected", now):
            return False
        holds.turn(connection, held.submission_id, held.row_no, Verdict.REJECTED)
        holds.recount(connection, held.submission_id, {"held": -1, "rejected": 1})
        opening = Opening(
            class_=CaseClass.WRONG,
            party=held.party,
            code=next(s.code for s in found.said if s.severity is Severity.ERROR),
            dataset=held.dataset,
            owner=held.owner,
            key_hash=held.key_hash,
            submission_id=held.submission_id,
            row_no=held.row_no,
        )
        cases.open_many(connection, [opening], self.holds.due(now), now)
        return True


@dataclass(slots=True)
class _Sweep:
    """Goes through everything that waits for one reason, a batch at a time, and then rests."""

    again: LookupHolds
    codes: tuple[str, ...] = ()
    _after: tuple[UUID, int] | None = None
    _next_at: datetime | None = None

    def run(self) -> int:
        """Ask about the next batch; how many went on."""
        keeper = self.again.holds
        now = keeper.clock.now()
        if self._next_at is not None and now < self._next_at:
            return 0
        with keeper.ledger.read() as connection:
            batch = holds.waiting_for_base(connection, self.codes, self._after, _BATCH)
        done = self.again.ask(batch) if batch else 0
        if len(batch) == _BATCH:
            self._after = (batch[-1].submission_id, batch[-1].row_no)
        else:
            self._after = None
            lookups = keeper.generations.current().settings.lookups.values()
            self._next_at = now + min(map(self.rest, lookups), default=timedelta(minutes=1)) if batch else None
        return done

    def rest(self, settings: LookupSettings) -> timedelta:
        """The pause before it begins anew."""
        raise NotImplementedError


@dataclass(slots=True)
class NotAnswered(_Sweep):
    """Records whose base did not answer."""

    codes: tuple[str, ...] = (NO_ANSWER,)

    def rest(self, settings: LookupSettings) -> timedelta:
        """As the base itself is left alone."""
        return settings.rest


@dataclass(slots=True)
class NotKnown(_Sweep):
    """Records that their base did not know, or knew otherwise."""

    codes: tuple[str, ...] = (UNMATCHED, DIFFERENT)

    def rest(self, settings: LookupSettings) -> timedelta:
        """As often as is set."""
        return settings.again
