"""Ending holds: what a record waited for has come, or its time is over."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, Row, select

from hub import answers, evaluated
from hub.authority import REFUSED, authority_of
from hub.deadlines import Deadlines
from hub.dispatch.contents import Contents
from hub.generations import Generations
from hub.ledger import cases, filled, heads, holds, journal, tallies, tasks, uses
from hub.ledger.cases import Opening
from hub.ledger.engine import Ledger
from hub.ledger.heads import Head, Moves
from hub.ledger.holds import Held
from hub.ledger.tables import chunk, record, submission
from hub.ledger.types import month_of
from hub.openings import Opened, openings, rules_of
from hub.plan import with_tasks
from hub.translate.consult import WAITS_FOR_BASE
from hub.translate.encode import subject_of
from hub.translate.route import Load, route_records
from hub.translate.store import ARRIVE
from hub.vault import Seal, blind_of
from standards.clock import Clock, local
from standards.states import CaseClass, Verdict

_BATCH = 200


@dataclass(slots=True)
class Holds:
    """Looks after what is held; called by the elected scheduler."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal
    due: Deadlines
    owner: str
    _contents: Contents = field(init=False)

    def __post_init__(self) -> None:
        self._contents = Contents(self.seal)

    def release_ready(self) -> int:
        """Let records go on whose awaited record has come."""
        with self.ledger.read() as connection:
            ready = holds.ready(connection, _BATCH, but=WAITS_FOR_BASE)
        for held in ready:
            self.release(held)
        return len(ready)

    def overdue(self) -> int:
        """A hold that is over its time becomes a case of its owner; it goes on waiting."""
        now = self.clock.now()
        with self.ledger.read() as connection:
            late = holds.overdue(connection, now, _BATCH)
        if not late:
            return 0

        def work(connection: Connection) -> None:
            openings = [
                Opening(
                    class_=CaseClass.INCONSISTENT,
                    party=held.party,
                    code=held.code,
                    dataset=held.dataset,
                    owner=held.owner,
                    key_hash=held.key_hash,
                    submission_id=held.submission_id,
                    row_no=held.row_no,
                )
                for held in late
            ]
            cases.open_many(connection, openings, self.due(now), now)
            holds.mark_overdue(connection, late)

        self.ledger.write(work)
        return len(late)

    def release(self, held: Held, by: str = "") -> bool:
        """The record passes after all: a head, deliveries, a new receipt version.  False when it was too late."""
        now = self.clock.now()
        return self.ledger.write(lambda c: self.release_in(c, held, by or self.owner, now))

    def release_in(
        self,
        connection: Connection,
        held: Held,
        by: str,
        now: datetime,
        fills: Mapping[str, str] = MappingProxyType({}),
    ) -> bool:
        """As `release`, in a transaction that is open; `fills`: what a base filled in meanwhile."""
        month = month_of(held.submission_id)
        row = connection.execute(
            select(
                record,
                submission.c.connection,
                submission.c.lane,
                submission.c.traceparent,
                submission.c.hops,
                submission.c.kind,
                submission.c.received_at,
            )
            .join(submission, (submission.c.month == record.c.month) & (submission.c.id == record.c.submission_id))
            .where(
                record.c.month == month,
                record.c.submission_id == held.submission_id,
                record.c.row_no == held.row_no,
                submission.c.month == month,
            )
        ).one_or_none()
        if row is None:
            return False
        found = heads.look_up(connection, [held.key_hash]).get(held.key_hash, [])
        if self._keep_for_authority(connection, held, found):
            return False
        if not holds.end(connection, held.submission_id, held.row_no, "released", now):
            return False
        known = {h.owner: h for h in found}
        head = known.get(held.owner)
        if head is not None and self._newer(connection, head, held):
            holds.turn(connection, held.submission_id, held.row_no, Verdict.REJECTED)
            holds.add_finding(
                connection, held.submission_id, held.row_no, held.party, held.dataset, holds.SUPERSEDED, "warning"
            )
            holds.recount(connection, held.submission_id, {"held": -1, "rejected": 1})
            return False
        if head is not None and head.operation != "d" and head.digest == row.digest:
            holds.turn(
                connection,
                held.submission_id,
                held.row_no,
                Verdict.DUPLICATE,
                twin_id=head.submission_id,
                twin_row=head.row_no,
            )
            holds.recount(connection, held.submission_id, {"held": -1, "duplicate": 1})
            return True
        revision, operation = (1, "i") if head is None else (head.revision + 1, "i" if head.operation == "d" else "u")
        content = self._contents.of(connection, held.submission_id, row.chunk).lines
        values: dict[str, str] = json.loads(content[row.idx])
        self._move_head(connection, held, row, values, head, revision, operation, now)
        if fills:
            filled.add(connection, self.seal, held.submission_id, {held.row_no: fills})
            values |= {name: value for name, value in fills.items() if not values.get(name)}
        twin = {"twin_id": head.submission_id, "twin_row": head.row_no} if head is not None else {}
        holds.turn(
            connection,
            held.submission_id,
            held.row_no,
            Verdict.ACCEPTED,
            revision=revision,
            operation=operation,
            **twin,
        )
        opened = self._opened(held, row, values, now)
        made = self._deliver(connection, held, row, values, head, opened, now)
        self._evaluate(connection, held, row, values, operation, now)
        tasks.open_many(connection, [one.task for one in opened])
        tasks.open_steps(connection, [one.step for one in opened if one.step is not None])
        holds.recount(connection, held.submission_id, {"held": -1, "accepted": 1}, parcels=made)
        cases.passed(
            connection,
            [(held.key_hash, held.owner, held.row_no)],
            destination="",
            submission_id=held.submission_id,
            now=now,
        )
        detail = {"row": held.row_no, "code": held.code}
        journal.append(connection, [journal.Entry("hold_released", by, held.submission_id, None, detail)], now)
        return True

    def _evaluate(
        self,
        connection: Connection,
        held: Held,
        row: Row[Any],
        values: Mapping[str, str],
        operation: str,
        now: datetime,
    ) -> None:
        """What reports say of it, as of any accepted record."""
        if operation == "d":
            return
        dataset = self.generations.current().standard.dataset(held.dataset)
        if row.kind in ARRIVE:
            told = evaluated.counters([row.event_date], local(row.received_at).date(), dataset, self.due.calendar)
            tallies.add(connection, {(held.party, held.dataset, "", name): n for name, n in told.items()}, now)
        named = (values.get(name, "") for name in evaluated.item_elements(dataset))
        uses.add(connection, evaluated.uses((held.owner, row.event_date, one) for one in named))

    def _keep_for_authority(self, connection: Connection, held: Held, found: Sequence[Head]) -> bool:
        """A record whose key a more authoritative source took meanwhile goes on waiting, and says so."""
        authority = authority_of(self.generations.current().settings, held.dataset, held.party)
        above = authority.above(h.party for h in found if h.operation != "d") if authority is not None else None
        if authority is None or above is None:
            return False
        holds.recode(connection, held, REFUSED, ready=False)
        place = (held.submission_id, held.row_no, held.party, held.dataset)
        holds.add_finding(connection, *place, REFUSED, "hold", params=authority.params(above))
        return True

    @staticmethod
    def _newer(connection: Connection, head: Head, held: Held) -> bool:
        """True when the head was moved by a report that came after the held one."""
        if head.submission_id == held.submission_id:
            return head.row_no > held.row_no
        return head.submission_id.int > held.submission_id.int  # version 7: by time

    def _move_head(
        self,
        connection: Connection,
        held: Held,
        row: Row[Any],
        values: dict[str, str],
        head: Head | None,
        revision: int,
        operation: str,
        now: datetime,
    ) -> None:
        moves = Moves.empty()
        moves.key_hash.append(held.key_hash)
        moves.owner.append(held.owner)
        moves.cd_id.append(row.cd_id)
        moves.revision.append(revision)
        moves.operation.append(operation)
        moves.digest.append(row.digest)
        dataset = self.generations.current().standard.dataset(held.dataset)
        subject, index = subject_of(values.get(dataset.subject.code or "", ""), blind_of(self.seal))
        moves.subject.append(subject)
        moves.subject_index.append(index)
        moves.event_date.append(row.event_date)
        moves.row_no.append(held.row_no)
        moves.before.append(head.revision if head is not None else 0)
        new, revised = (moves, Moves.empty()) if head is None else (Moves.empty(), moves)
        heads.write(
            connection,
            new,
            revised,
            dataset=held.dataset,
            party=held.party,
            submission_id=held.submission_id,
            now=now,
        )

    def _opened(self, held: Held, row: Row[Any], values: Mapping[str, str], now: datetime) -> list[Opened]:
        found = openings(
            rules_of(self.generations.current().settings, row.connection, held.dataset),
            {name: [value] for name, value in values.items()},
            [0],
            submission_id=held.submission_id,
            first_row=held.row_no,
            dataset=held.dataset,
            party=held.party,
            calendar=self.due.calendar,
            now=now,
        )
        return list(found)

    def _deliver(
        self,
        connection: Connection,
        held: Held,
        row: Row[Any],
        values: dict[str, str],
        head: Head | None,
        opened: Sequence[Opened],
        now: datetime,
    ) -> int:
        """Route the record as if it had just been accepted; how many parcels are on the way."""
        generation = self.generations.current()
        where = connection.execute(
            select(chunk.c.dataset_version).where(
                chunk.c.month == month_of(held.submission_id),
                chunk.c.submission_id == held.submission_id,
                chunk.c.seq == row.chunk,
            )
        ).one()
        dataset = generation.standard.dataset(held.dataset, where[0])
        ways = answers.ways_of(generation.settings)
        more = {way: [0] for one in opened if (way := ways.get(one.task.assignee))}
        routes = with_tasks(
            generation.routes(row.connection, held.party, dataset), more, generation.task_routes(dataset)
        )
        load = Load(
            submission_id=held.submission_id,
            lane=row.lane,
            traceparent=row.traceparent,
            hops=row.hops,
            dataset=held.dataset,
            version=where[0],
            chunk=row.chunk,
            first_row=held.row_no,
            columns={name: [value] for name, value in values.items()},
            identity=lambda _index: (held.owner, "u"),
        )
        twins = {(head.submission_id, head.row_no): 0} if head is not None else {}
        made = route_records(connection, routes, load, [0], {0}, twins, now)
        return len(made)
