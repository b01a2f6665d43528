"""Replay: stored records through today's mapping and settings once more, as hand-overs of their own.

Each part of a replay is a submission with an origin: it reads the origin's raw bytes or mapped content, takes only the
chosen records, and goes the same road as any other, so that nothing can be stored or delivered twice.  From the stage
of delivery on, a part is a parcel that is sent once more under its own id.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection

from hub.broker import topology
from hub.dispatch.again import send_again
from hub.generations import Generations
from hub.ledger import journal, outbox, replays, submissions
from hub.ledger.cases import Selection
from hub.ledger.engine import Ledger
from hub.ledger.numbers import ReceiptNumbers
from hub.ledger.outbox import Outgoing
from hub.ledger.replays import CANCELLED, DONE, PAUSED, RUNNING, WAITING, Mending, Part, Stage
from hub.lookups import Desk
from hub.repair import Fill, Repair
from hub.replay_plan import planned
from hub.replay_trial import Trial, check_word, sending
from hub.vault import Seal
from standards.clock import Clock, local_text
from standards.digest import uuid7
from standards.errors import BadRecord, UnknownName
from standards.states import SubmissionState

#: Hand-overs of one replay under way at the same time, and begun at once.
_AT_ONCE = 8
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

    def plan(
        self,
        which: Selection,
        receipt_no: str = "",
        rows: Sequence[int] = (),
        *,
        stage: Stage = Stage.RAW,
        verdicts: Sequence[str] = (),
        connection: str = "",
        destinations: Sequence[str] = (),
    ) -> list[Part]:
        """The records that a choice means, or the parcels that brought them.

        Of open cases, unless a receipt, verdicts or a connection are named or the stage is a later one: then of what
        was handed over in the time of the choice.  Raises UnknownName, and BadRecord when nothing is chosen.
        """
        self._know(destinations)
        with self.ledger.read() as read:
            return planned(read, which, receipt_no, rows, stage, verdicts, connection, destinations)

    def _know(self, destinations: Sequence[str]) -> None:
        for name in destinations:
            if name not in self.generations.current().settings.destinations:
                raise UnknownName.of("destination", "投递目标", name, self.generations.current().settings.destinations)

    def rehearse(
        self, parts: Sequence[Part], repair: Repair = NO_REPAIR, *, stage: Stage = Stage.RAW
    ) -> dict[str, Any]:
        """How many would pass now, and what would still be wrong; nothing is written.

        `samples`: values that a repair changes, before and after, masked where they are personal.  Raises BadRecord
        when the repair names a column that is not there.
        """
        generation = self.generations.current()
        if stage is Stage.DELIVERY:
            return sending(self.ledger, generation, parts)
        self._know_lookups(repair)
        return Trial(self.ledger, generation, self.clock, self.seal, self.desk, stage, repair).of(parts)

    def _know_lookups(self, repair: Repair) -> None:
        for step in repair.steps:
            known = self.generations.current().settings.lookups
            if isinstance(step, Fill) and step.lookup and step.lookup not in known:
                raise UnknownName(f"no lookup {step.lookup}", what_zh=f"没有名为 {step.lookup} 的查询")

    def start(
        self,
        parts: Sequence[Part],
        by: str,
        reason: str,
        chosen: dict[str, Any],
        *,
        repair: Repair = NO_REPAIR,
        consent: str = "",
        stage: Stage = Stage.RAW,
        sure: str = "",
    ) -> dict[str, Any]:
        """Begin a replay, or have a repair wait for a second person.

        `sure`: who answers for sending once more to a receiver that cannot tell a repeat.  Raises BadRecord when there
        is nothing to replay, when such a word is missing, and when a repair that changes what the owner said does not
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
        generation = self.generations.current()
        if stage is Stage.DELIVERY:
            check_word(self.ledger, generation, parts, sure)
        elif repair.steps:
            self._know_lookups(repair)
        waits = bool(repair.steps) and generation.settings.cases.approve_repairs
        mending = Mending(repair.text(), consent.strip(), waits, stage=stage, sure=sure.strip())
        return self._start(parts, by, reason, chosen, mending)

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
        stage = Stage(one["stage"])
        if stage is Stage.DELIVERY:
            raise BadRecord("what was sent once more is not undone", what_zh="重新投递不能撤销")
        if one["state"] not in (DONE, CANCELLED) or one["progress"]["unfinished"] or repair.undo:
            raise BadRecord("only what has ended is undone, and no undoing", what_zh="只能撤销已结束的修复或重放")
        if again is not None or not parts:
            raise BadRecord("there is nothing left to undo", what_zh="没有可撤销的记录，或已经撤销过")
        back = Repair(repair.steps, undo=True)
        mending = Mending(back.text(), "", waits=False, undoes=identifier, stage=stage)
        return {**self._start(parts, by, reason, {"undoes": str(identifier), "left": left}, mending), "left": left}

    def _start(
        self, parts: Sequence[Part], by: str, reason: str, chosen: dict[str, Any], mending: Mending
    ) -> dict[str, Any]:
        identifier, now = uuid7(), self.clock.now()
        text = json.dumps(chosen, ensure_ascii=False, default=str)

        def work(connection: Connection) -> None:
            replays.add(connection, identifier, parts, by=by, reason=reason, chosen=text, now=now, mending=mending)
            detail = {"replay": str(identifier), "records": sum(len(p.rows) for p in parts), "parts": len(parts)}
            said = {"consent": mending.consent, "undoes": str(mending.undoes or ""), "sure": mending.sure}
            said["stage"] = "" if mending.stage is Stage.RAW else str(mending.stage)
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
            stage = replays.stage_of(connection, identifier)
            under_way = replays.progress(connection, identifier)["unfinished"]
            parts = replays.waiting(connection, identifier, _AT_ONCE)
        if not parts:
            if not under_way:
                self.ledger.write(lambda c: self._end(c, identifier))
            return 0
        parts = parts[: max(0, _AT_ONCE - under_way)]
        if parts and stage is Stage.DELIVERY:
            return self._send_again(identifier, parts)
        numbers = [self.numbers.next(now) for _ in parts]
        begun = self.ledger.write(lambda c: self._begin(c, identifier, parts, numbers)) if parts else 0
        if begun:
            self.wake()
        return begun

    def _send_again(self, identifier: UUID, parts: Sequence[tuple[int, UUID]]) -> int:
        now, destinations = self.clock.now(), self.generations.current().settings.destinations
        asked = [name for name, one in destinations.items() if one.idempotent == "query"]

        def work(connection: Connection) -> int:
            mine = set(replays.sent(connection, identifier, [number for number, _ in parts], now))
            going = [parcel for number, parcel in parts if number in mine]
            return send_again(connection, going, asked, f"replay {identifier}", now)

        begun = self.ledger.write(work)
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
        "stage": row.stage,
        "sure": row.sure,
    }


def chosen_of(which: Selection, receipt_no: str, rows: Sequence[int], **more: Any) -> dict[str, Any]:
    """A choice as it is written down."""
    said = {k: v for k, v in {**asdict(which), **more}.items() if v}
    return said | ({"receipt_no": receipt_no, "rows": list(rows)} if receipt_no else {})
