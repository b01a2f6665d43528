"""What a comparison found lacking at a hub or centre, sent once more by one action: exactly these records.

The other side is asked again first: what is there by now, or on its way, is left alone.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import Connection, Row, select

from hub.dispatch.anew import send_anew
from hub.dispatch.doors import open_door
from hub.generations import Generations
from hub.ledger import journal, reconciliations, replays
from hub.ledger.engine import Ledger
from hub.ledger.replays import Mending, Part, Stage
from hub.ledger.sql import among, in_parts
from hub.ledger.tables import record_head
from hub.reconciliation.buckets import Entry, compare
from hub.reconciliation.held import delivered_entries, spans_of
from hub.reconciliation.neighbour import KEYS_AT_ONCE, OverHttps
from standards.clock import Clock
from standards.digest import uuid7
from standards.errors import BadRecord, UnknownName
from standards.ports import Destination, Holding, Transports

T = TypeVar("T")

#: Kinds of differences that sending mends: what is only there has nothing here to be sent.
MENDED = ("missing", "differs")
_SAMPLES = 20
#: Word of a replay's choice that names the comparison.
LINK = "reconciliation"
#: The newest replays looked through for those of a comparison.
_NEWEST = 200
_SENT_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Lacking:
    """What would be sent now."""

    destination: str
    dataset: str
    entries: tuple[Entry, ...]
    under_way: int
    #: There by now.
    there: int
    #: Differing records of which there is nothing to send.
    extra: int
    needs_word: bool


@dataclass(slots=True)
class ResendDesk:
    """Sends what a comparison found lacking."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    wake: Callable[[], None]
    transports: Transports | None = None
    #: What changed in the last moments is under way; None: as the settings say.
    watermark: timedelta | None = None

    def rehearse(self, identifier: UUID) -> dict[str, Any]:
        """What would be sent now; nothing is written.  Raises UnknownName, BadRecord, and what the door raises."""
        one = self._lacking(identifier)
        return {
            "reconciliation": str(identifier),
            "destination": one.destination,
            "dataset": one.dataset,
            "records": len(one.entries),
            "there": one.there,
            "under_way": one.under_way,
            "extra": one.extra,
            "needs_word": one.needs_word,
            "samples": [e.cd_id for e in one.entries[:_SAMPLES]],
        }

    def start(self, identifier: UUID, by: str, reason: str, sure: str = "") -> dict[str, Any]:
        """Send them; the replay they are, which tells how far it has come.

        Raises BadRecord when nothing is lacking, or the receiver cannot tell a repeat and nobody answers for it.
        """
        one = self._lacking(identifier)
        if one.needs_word and not sure.strip():
            raise BadRecord(
                f"{one.destination} cannot tell a repeat: it might store the records twice",
                what_zh=f"{one.destination} 不能识别重复投递，重发可能使对方重复入库",
                hint="say `sure`: who answers for it, and how it is known that it does no harm",
                hint_zh="请在 sure 填写谁确认、依据是什么",
            )
        made, now = uuid7(), self.clock.now()
        sent = self.ledger.write(lambda c: self._send(c, made, identifier, one, by, reason, sure, now))
        if not sent:
            raise _nothing()
        self.wake()
        return {"replay": str(made), "records": sent, "destination": one.destination}

    def _send(
        self,
        connection: Connection,
        made: UUID,
        identifier: UUID,
        one: Lacking,
        by: str,
        reason: str,
        sure: str,
        now: datetime,
    ) -> int:
        new = [
            part
            for some in in_parts(_places(connection, one), _SENT_AT_ONCE)
            for part in send_anew(connection, some, one.destination, now)
        ]
        if not new:
            return 0
        parts = [Part(parcel.submission_id, tuple(rows), parcel.id) for parcel, rows in new]
        count = sum(len(part.rows) for part in parts)
        chosen = {LINK: str(identifier), "destinations": [one.destination], "dataset": one.dataset}
        mending = Mending(stage=Stage.DELIVERY, sure=sure.strip())
        replays.add(connection, made, parts, by=by, reason=reason, chosen=json.dumps(chosen), now=now, mending=mending)
        replays.sent(connection, made, range(1, len(parts) + 1), now)
        detail = {LINK: str(identifier), "replay": str(made), "destination": one.destination, "records": count}
        entries = [journal.Entry("records_resent", by, None, None, {**detail, "sure": sure.strip()})]
        entries += [
            journal.Entry(
                "parcel_again", by, p.submission_id, p.id, {"destination": one.destination, "was": "accepted"}
            )
            for p, _ in new
        ]
        journal.append(connection, entries, now)
        return count

    def sendings(self, identifier: UUID) -> list[dict[str, Any]]:
        """The replays that sent what this comparison found lacking, the newest first."""
        with self.ledger.read() as connection:
            rows = [
                r for r in replays.listed(connection, _NEWEST) if json.loads(r.selection).get(LINK) == str(identifier)
            ]
            return [
                {"id": str(r.id), "state": r.state, "records": r.records, **replays.progress(connection, r.id)}
                for r in rows
            ]

    # What is lacking

    def _lacking(self, identifier: UUID) -> Lacking:
        generation = self.generations.current()
        with self.ledger.read() as connection:
            row = reconciliations.one(connection, identifier, "")
            if row is None:
                raise UnknownName(f"no reconciliation {identifier}", what_zh=f"没有对账记录 {identifier}")
            kept = reconciliations.differences(connection, identifier)
        keys = sorted({bytes(one.key_hash) for one in kept if one.kind in MENDED})
        to = generation.settings.destinations.get(row.counterpart)
        if row.way == "statement" or to is None or not keys:
            raise _nothing()
        door = open_door(generation, row.counterpart, self.transports)
        watermark = self.watermark
        since = self.clock.now() - (generation.settings.reconciliation.watermark if watermark is None else watermark)
        try:
            entries, under_way = self._asked(door, row, keys, since)
        finally:
            door.close()
        extra = sum(1 for one in kept if one.kind not in MENDED)
        there = len(keys) - len({e.key for e in entries}) - under_way
        return Lacking(
            row.counterpart, row.dataset, tuple(entries), under_way, max(0, there), extra, to.idempotent == "none"
        )

    def _asked(
        self, door: Destination, row: Row[Any], keys: Sequence[bytes], since: datetime
    ) -> tuple[list[Entry], int]:
        """Which of these records are not there as they are here now, and of how many nothing can be said."""
        lacking: list[Entry] = []
        under_way = 0
        with self.ledger.read() as connection:
            spans = spans_of(connection, row.counterpart, row.dataset)
            # Our own revisions count at once: a record that goes there settled is what the other side has to have.
            mine = delivered_entries(connection, spans, row.dataset, keys, self.clock.now() + timedelta(days=1))
        if row.way == "hub":
            other = OverHttps(door)
            held: dict[bytes, list[Entry]] = {}
            for one in mine:
                held.setdefault(one.key, []).append(one)
            for part in in_parts(keys, KEYS_AT_ONCE):
                theirs = other.entries(row.dataset, part, since)
                found, moving = compare([e for key in part for e in held.get(key, ())], theirs)
                lacking += [d.entry for d in found if d.kind in MENDED]
                under_way += moving
            return lacking, under_way
        if not isinstance(door, Holding):
            raise _nothing()
        settled = [one for one in mine if one.settled and not one.gone]
        for part_ in in_parts(settled, KEYS_AT_ONCE):
            there = door.holding(row.dataset, [one.cd_id for one in part_])
            lacking += [one for one in part_ if there is not None and one.cd_id not in there]
        return lacking, sum(1 for one in mine if not one.settled)


def _places(connection: Connection, one: Lacking) -> list[tuple[UUID, int]]:
    """Where the present revisions of these records stand."""
    h = record_head.c
    wanted = {(e.key, e.owner, e.revision) for e in one.entries}
    found = []
    for part in in_parts([e.key for e in one.entries], _SENT_AT_ONCE):
        rows = connection.execute(
            select(h.key_hash, h.owner, h.revision, h.submission_id, h.row_no).where(
                h.dataset == one.dataset, among(connection, h.key_hash, part)
            )
        )
        found += [(r[3], r[4]) for r in rows if (bytes(r[0]), r[1], r[2]) in wanted]
    return sorted(found)


def _nothing() -> BadRecord:
    return BadRecord(
        "nothing of it can be sent: all is there by now, on its way, or only the other side has it",
        what_zh="没有可重发的记录：对方已有、正在投递，或仅对方有",
        hint="compare again: hub reconcile",
        hint_zh="请重新对账",
    )
