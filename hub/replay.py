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

from adapters.formats.open import open_records
from hub.broker import topology
from hub.generations import Generations
from hub.ledger import journal, outbox, replays, submissions
from hub.ledger.cases import Selection
from hub.ledger.engine import Ledger
from hub.ledger.numbers import ReceiptNumbers
from hub.ledger.outbox import Outgoing
from hub.ledger.replays import CANCELLED, DONE, PAUSED, RUNNING, Part
from hub.payload import LedgerPayload
from hub.plans import Plans
from hub.translate.chosen import only
from hub.translate.prepare import nobody_to_ask, prepare
from hub.vault import Seal
from standards.clock import Clock, local, local_text
from standards.digest import uuid7
from standards.errors import BadRecord, HubError, UnknownName
from standards.model import Severity
from standards.states import SubmissionState

#: Hand-overs of one replay under way at the same time, and begun at once.
_AT_ONCE = 8
#: Records that a rehearsal looks at, at most.
_TRIED = 5000


@dataclass(slots=True)
class ReplayDesk:
    """Replays for people and for the scheduler."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal
    numbers: ReceiptNumbers
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

    def rehearse(self, parts: Sequence[Part]) -> dict[str, Any]:
        """How many would pass now, and what would still be wrong; nothing is written."""
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
                    chosen = only(chunk, first, wanted)
                    first += chunk.count
                    if not chosen.count:
                        continue
                    today = local(self.clock.now()).date().isoformat()
                    prepared = prepare(plan, chosen, 1, today, nobody_to_ask)
                    for index, worst in enumerate(prepared.worst):
                        counts["fails" if worst is Severity.ERROR else "passes"] += 1
                        if worst is Severity.ERROR:
                            wrong.update({(f.element, f.code) for f in prepared.findings if f.row == index})
                    tried += chosen.count
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
            "still_wrong": [{"element": e, "code": c, "records": n} for (e, c), n in wrong.most_common(20)],
        }

    def start(self, parts: Sequence[Part], by: str, reason: str, chosen: dict[str, Any]) -> dict[str, Any]:
        """Begin a replay.  Raises BadRecord when there is nothing to replay."""
        if not parts:
            raise BadRecord("nothing fits that choice", what_zh="没有符合条件的记录", hint="see: hub cases list")
        identifier, now = uuid7(), self.clock.now()
        text = json.dumps(chosen, ensure_ascii=False, default=str)

        def work(connection: Connection) -> None:
            replays.add(connection, identifier, parts, by=by, reason=reason, chosen=text, now=now)
            detail = {"replay": str(identifier), "records": sum(len(p.rows) for p in parts), "parts": len(parts)}
            journal.append(connection, [journal.Entry("replay_started", by, None, None, detail)], now)

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
        before = {"pause": (RUNNING,), "resume": (PAUSED,), "cancel": (RUNNING, PAUSED)}[to]
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
                self.ledger.write(lambda c: replays.change(c, identifier, DONE, (RUNNING,), now))
            return 0
        parts = parts[: max(0, _AT_ONCE - under_way)]
        numbers = [self.numbers.next(now) for _ in parts]
        begun = self.ledger.write(lambda c: self._begin(c, identifier, parts, numbers)) if parts else 0
        if begun:
            self.wake()
        return begun

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
    }


def chosen_of(which: Selection, receipt_no: str, rows: Sequence[int]) -> dict[str, Any]:
    """A choice as it is written down."""
    said = {k: v for k, v in asdict(which).items() if v}
    return said | ({"receipt_no": receipt_no, "rows": list(rows)} if receipt_no else {})
