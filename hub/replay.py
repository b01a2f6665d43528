"""Replay: stored records through today's mapping and settings once more, as hand-overs of their own.

Each part of a replay is a submission with an origin: it reads the origin's raw bytes, takes only the chosen records,
and goes the same road as any other, so that nothing can be stored or delivered twice.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from adapters.formats.base import LegacyChunk
from adapters.formats.open import open_records
from hub.broker import topology
from hub.generations import Generations
from hub.ledger import journal, outbox, replays, submissions
from hub.ledger.cases import Selection
from hub.ledger.engine import Ledger
from hub.ledger.numbers import ReceiptNumbers
from hub.ledger.outbox import Outgoing
from hub.ledger.replays import CANCELLED, DONE, PAUSED, RUNNING, WAITING, Mending, Part
from hub.lookups import Desk
from hub.payload import LedgerPayload
from hub.plan import Plan
from hub.plans import Plans
from hub.repair import Repair, check_fields
from hub.translate.chosen import numbers, only
from hub.translate.prepare import nobody_to_ask, prepare
from hub.vault import Seal
from standards.clock import Clock, local, local_text
from standards.digest import uuid7
from standards.errors import BadRecord, HubError, UnknownName
from standards.masks import mask
from standards.model import Severity
from standards.states import SubmissionState

#: Hand-overs of one replay under way at the same time, and begun at once.
_AT_ONCE = 8
#: Records that a rehearsal looks at, at most.
_TRIED = 5000
#: Changed values it shows.
_SAMPLES = 20
NO_REPAIR = Repair()


@dataclass(slots=True)
class ReplayDesk:
    """Replays for people and for the scheduler."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal
    numbers: ReceiptNumbers
    desk: Desk
    wake: Callable[[], None]

    # For people

    def plan(self, which: Selection, receipt_no: str = "", rows: Sequence[int] = ()) -> list[Part]:
        """The records that a choice means.  Raises UnknownName."""
        with self.ledger.read() as connection:
            if not receipt_no:
                return _of_origins(connection, replays.of_cases(connection, which))
            found = submissions.by_receipt(connection, receipt_no)
            if found is None:
                raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
            return _of_origins(connection, replays.of_submission(connection, found.id, rows))

    def rehearse(self, parts: Sequence[Part], repair: Repair = NO_REPAIR) -> dict[str, Any]:
        """How many would pass now, and what would still be wrong; nothing is written.

        `samples`: values that a repair changes, before and after, masked where they are personal.  Raises BadRecord
        when the repair names a column that is not there.
        """
        samples: list[dict[str, Any]] = []
        counts: Counter[str] = Counter()
        wrong: Counter[tuple[str, str]] = Counter()
        plans, tried = Plans(self.ledger), 0
        generation = self.generations.current()
        for part in parts:
            with self.ledger.read() as connection:
                origin = submissions.get(connection, part.origin_id)
            if origin is None:
                counts["gone"] += len(part.rows)
                continue
            try:
                plan = plans.plan(generation, origin.connection, origin.dataset)
                _reading, chunks = open_records(LedgerPayload(self.ledger, origin, self.seal), plan.read, None)
                first, wanted = 1, frozenset(part.rows)
                for chunk in chunks:
                    chosen, its = only(chunk, first, wanted), numbers(chunk, first, wanted)
                    first += chunk.count
                    if not chosen.count:
                        continue
                    if repair.steps:
                        check_fields(repair, chosen.columns)
                        mended = repair.mended(chosen, its)
                        samples += _samples(plan, repair, chosen, mended, origin.receipt_no, _SAMPLES - len(samples))
                        chosen = mended
                    today = local(self.clock.now()).date().isoformat()
                    prepared = prepare(plan, chosen, 1, today, nobody_to_ask)
                    for index, worst in enumerate(prepared.worst):
                        counts["fails" if worst is Severity.ERROR else "passes"] += 1
                        if worst is Severity.ERROR:
                            wrong.update({(f.element, f.code) for f in prepared.findings if f.row == index})
                    tried += chosen.count
            except BadRecord:
                raise
            except HubError:
                counts["gone"] += len(part.rows)
            if tried >= _TRIED:
                break
        return {
            "parts": len(parts),
            "records": sum(len(part.rows) for part in parts),
            "tried": tried,
            "passes": counts["passes"],
            "fails": counts["fails"],
            "gone": counts["gone"],
            "samples": samples,
            "still_wrong": [{"element": e, "code": c, "records": n} for (e, c), n in wrong.most_common(20)],
        }

    def start(
        self,
        parts: Sequence[Part],
        by: str,
        reason: str,
        chosen: dict[str, Any],
        *,
        repair: Repair = NO_REPAIR,
        consent: str = "",
    ) -> dict[str, Any]:
        """Begin a replay, or have a repair wait for a second person.

        Raises BadRecord when there is nothing to replay, and when a repair that changes what the owner said does not
        name who of the owner allowed it (article 19).
        """
        if not parts:
            raise BadRecord("nothing fits that choice", what_zh="没有符合条件的记录", hint="see: hub cases list")
        if repair.needs_consent and not consent.strip():
            raise BadRecord(
                "what the owner said is only changed with the owner's consent",
                what_zh="更改数据含义须经数据归属单位同意（第十九条）",
                hint="say `consent`: who of the owner allowed it",
                hint_zh="请在 consent 填写同意人姓名和单位",
            )
        waits = bool(repair.steps) and self.generations.current().settings.cases.approve_repairs
        return self._start(parts, by, reason, chosen, Mending(repair.text(), consent.strip(), waits))

    def approve(self, identifier: UUID, by: str) -> dict[str, Any]:
        """A second person lets a repair run.  Raises UnknownName, BadRecord."""
        self.one(identifier)
        now = self.clock.now()

        def work(connection: Connection) -> bool:
            if not replays.approve(connection, identifier, by):
                return False
            journal.append(
                connection, [journal.Entry("repair_approved", by, None, None, {"replay": str(identifier)})], now
            )
            return True

        if not self.ledger.write(work):
            raise BadRecord(
                "it waits for nobody, or was planned by the same person",
                what_zh="该修复不在待批准状态，或由本人提出；须由另一人批准",
            )
        self.run()
        return self.one(identifier)

    def undo(self, identifier: UUID, by: str, reason: str) -> dict[str, Any]:
        """Take back what a repair or a replay let through: withdrawn at the receivers, and its cases open again.

        Records with an older revision behind them, or that were reported anew since, stay: `left` says how many.
        Raises UnknownName, BadRecord when it has not ended, was undone, or let nothing through.
        """
        one = self.one(identifier)
        with self.ledger.read() as connection:
            repair = Repair.read(replays.repair_text(connection, identifier))
            parts, left = replays.let_through(connection, identifier)
            again = replays.undoing(connection, identifier)
        if one["state"] not in (DONE, CANCELLED) or one["progress"]["unfinished"] or repair.undo:
            raise BadRecord("only what has ended is undone, and no undoing", what_zh="只能撤销已结束的修复或重放")
        if again is not None or not parts:
            raise BadRecord("there is nothing left to undo", what_zh="没有可撤销的记录，或已经撤销过")
        back = Repair(repair.steps, undo=True)
        mending = Mending(back.text(), "", waits=False, undoes=identifier)
        return {**self._start(parts, by, reason, {"undoes": str(identifier), "left": left}, mending), "left": left}

    def _start(
        self, parts: Sequence[Part], by: str, reason: str, chosen: dict[str, Any], mending: Mending
    ) -> dict[str, Any]:
        identifier, now = uuid7(), self.clock.now()
        text = json.dumps(chosen, ensure_ascii=False, default=str)

        def work(connection: Connection) -> None:
            replays.add(connection, identifier, parts, by=by, reason=reason, chosen=text, now=now, mending=mending)
            detail = {"replay": str(identifier), "records": sum(len(p.rows) for p in parts), "parts": len(parts)}
            said = {"consent": mending.consent, "undoes": str(mending.undoes or "")}
            detail |= {name: value for name, value in said.items() if value}
            action = "repair_planned" if mending.waits else "repair_started" if mending.repair else "replay_started"
            journal.append(connection, [journal.Entry(action, by, None, None, detail)], now)

        self.ledger.write(work)
        self.run()
        return self.one(identifier)

    def one(self, identifier: UUID) -> dict[str, Any]:
        """How far a replay has come.  Raises UnknownName."""
        with self.ledger.read() as connection:
            row = replays.get(connection, identifier)
            if row is None:
                raise UnknownName(f"no replay {identifier}", what_zh=f"没有重放 {identifier}")
            return {**_told(row), "progress": replays.progress(connection, identifier)}

    def listed(self, limit: int = 50) -> list[dict[str, Any]]:
        """Replays, the newest first."""
        with self.ledger.read() as connection:
            return [_told(row) for row in replays.listed(connection, limit)]

    def turn(self, identifier: UUID, to: str, by: str) -> dict[str, Any]:
        """pause, resume, cancel.  Raises UnknownName, BadRecord when it has ended."""
        before = {"pause": (RUNNING,), "resume": (PAUSED,), "cancel": (RUNNING, PAUSED, WAITING)}[to]
        state = {"pause": PAUSED, "resume": RUNNING, "cancel": CANCELLED}[to]
        now = self.clock.now()
        self.one(identifier)

        def work(connection: Connection) -> bool:
            if not replays.change(connection, identifier, state, before, now):
                return False
            detail = {"replay": str(identifier), "to": state}
            journal.append(connection, [journal.Entry("replay_turned", by, None, None, detail)], now)
            return True

        if not self.ledger.write(work):
            raise BadRecord(
                f"it cannot {to} as it stands", what_zh="当前状态不能执行该操作", hint="see: hub replay show"
            )
        return self.one(identifier)

    # For the scheduler

    def run(self) -> int:
        """Begin further parts of the replays that run; end those that are through."""
        with self.ledger.read() as connection:
            found = replays.running(connection)
        return sum(self._go_on(identifier) for identifier in found)

    def _go_on(self, identifier: UUID) -> int:
        now = self.clock.now()

        with self.ledger.read() as connection:
            under_way = replays.progress(connection, identifier)["unfinished"]
            parts = replays.waiting(connection, identifier, _AT_ONCE)
        if not parts:
            if not under_way:
                self.ledger.write(lambda c: self._end(c, identifier))
            return 0
        parts = parts[: max(0, _AT_ONCE - under_way)]
        numbers = [self.numbers.next(now) for _ in parts]
        begun = self.ledger.write(lambda c: self._begin(c, identifier, parts, numbers)) if parts else 0
        if begun:
            self.wake()
        return begun

    def _end(self, connection: Connection, identifier: UUID) -> None:
        now = self.clock.now()
        if not replays.change(connection, identifier, DONE, (RUNNING,), now):
            return
        undone = replays.undoes(connection, identifier)
        if undone is not None:
            count = replays.reopen(
                connection, undone, identifier, f"\n{local_text(now)} 修复已撤销 the repair was undone"
            )
            detail = {"replay": str(identifier), "undoes": str(undone), "cases": count}
            journal.append(connection, [journal.Entry("repair_undone", "hub", None, None, detail)], now)

    def _begin(
        self, connection: Connection, identifier: UUID, parts: Sequence[tuple[int, UUID]], numbers: Sequence[str]
    ) -> int:
        now = self.clock.now()
        made, messages = [], []
        for (number, origin_id), receipt_no in zip(parts, numbers, strict=True):
            origin = submissions.get(connection, origin_id)
            if origin is None:
                continue
            new = replace(
                origin,
                id=uuid7(),
                receipt_no=receipt_no,
                version=0,
                external_id=f"replay-{identifier}-{number}",
                origin_id=origin.origin_id or origin.id,
                generation=None,
                state=SubmissionState.RECEIVED,
                problem="",
                problem_detail="",
                received_at=now,
                judged_at=None,
                settled_at=None,
                due_at=now + timedelta(seconds=self.generations.current().settings.republish),
                lease_owner=None,
                lease_until=None,
                chunks=0,
                bookmark="",
                read=0,
                accepted=0,
                rejected=0,
                held=0,
                duplicate=0,
                open_parcels=0,
            )
            if submissions.add(connection, new) is not None:
                continue  # begun before: never twice
            made.append((number, new.id))
            messages.append(Outgoing(topology.translate(new.lane), str(new.id), str(new.id).encode("ascii")))
        if made:
            replays.begun(connection, identifier, made)
            outbox.put(connection, messages, now)
        return len(made)


def _of_origins(connection: Connection, parts: Sequence[Part]) -> list[Part]:
    """Parts of what was itself a replay, in the rows of what was handed over; each hand-over once."""
    rows: dict[UUID, dict[int, None]] = {}
    for part in parts:
        found = submissions.get(connection, part.origin_id)
        if found is None:
            continue
        origin, numbers = found.id, list(part.rows)
        if found.origin_id is not None:
            taken = sorted(replays.rows_of(connection, found.id))
            origin, numbers = found.origin_id, [taken[n - 1] for n in part.rows if n <= len(taken)]
        rows.setdefault(origin, {}).update(dict.fromkeys(numbers))
    return [Part(origin, tuple(sorted(numbers))) for origin, numbers in rows.items()]


def _told(row: Any) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "made_at": local_text(row.made_at),
        "made_by": row.made_by,
        "reason": row.reason,
        "selection": json.loads(row.selection),
        "state": row.state,
        "parts": row.parts,
        "records": row.records,
        "ended_at": local_text(row.ended_at),
        "steps": json.loads(row.repair)["steps"] if row.repair else [],
        "consent": row.consent,
        "approved_by": row.approved_by,
        "undoes": str(row.undoes or ""),
    }


def _samples(
    plan: Plan, repair: Repair, before: LegacyChunk, after: LegacyChunk, receipt_no: str, most: int
) -> list[dict[str, Any]]:
    """Values that change, side by side."""
    personal = {
        name
        for element in plan.dataset.elements
        if element.personal
        for name in plan.program.fields_here(element.id, before.columns)
    }
    found: list[dict[str, Any]] = []
    for name in repair.fields:
        hide = mask if name in personal else str
        for place, old, new in zip(before.places, before.columns[name], after.columns[name], strict=True):
            if old != new and len(found) < most:
                found.append(
                    {"receipt_no": receipt_no, "place": place, "field": name, "before": hide(old), "after": hide(new)}
                )
    return found


def chosen_of(which: Selection, receipt_no: str, rows: Sequence[int]) -> dict[str, Any]:
    """A choice as it is written down."""
    said = {k: v for k, v in asdict(which).items() if v}
    return said | ({"receipt_no": receipt_no, "rows": list(rows)} if receipt_no else {})
