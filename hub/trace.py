"""Where a record is now: at this hub, at its destinations, and at the hubs above, level by level."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, Row, select

from hub.dispatch.doors import Doors
from hub.generations import Generation, Generations
from hub.ledger import parcels, receipts
from hub.ledger.engine import Ledger
from hub.ledger.sql import among
from hub.ledger.tables import delivery, hold, parcel, record, record_head, submission
from hub.ledger.types import month_of
from standards.clock import local_text
from standards.digest import key_hash
from standards.errors import HubError
from standards.masks_in_text import mask_text
from standards.ports import Traces
from standards.states import word

log = structlog.get_logger()

_CD_ID = re.compile(r"^([0-9A-HJ-NP-RTUW-Y]{18})-(.+)$", re.DOTALL)
_HASHED = re.compile(r"^[0-9a-f]{64}$")
_RECEIPT = re.compile(r"^(\d{6}-\d+-\d)(?:#(\d+))?$")
_MOST = 20


@dataclass(slots=True)
class Tracing:
    """Answers where a record is."""

    ledger: Ledger
    generations: Generations
    doors: Doors

    def trace(self, what: str, party: str | None = None) -> list[dict[str, Any]]:
        """The places of a record, this hub first; empty when it is not known here.

        `what`: exchange key (cd_id), natural key, or `receipt#row`.  `party`: whose records may be seen; None: all.
        """
        generation = self.generations.current()
        with self.ledger.read() as connection:
            found = [self._here(connection, generation, row) for row in self._rows(connection, generation, what, party)]
        result = []
        for place in found:
            result.append(place)
            for sent in place["deliveries"]:
                result += self._above(generation, sent["destination"], place["cd_id"])
        return result

    def _rows(self, connection: Connection, generation: Generation, what: str, party: str | None) -> list[Row[Any]]:
        columns = (
            record.c.submission_id,
            record.c.row_no,
            record.c.cd_id,
            record.c.owner,
            record.c.revision,
            record.c.operation,
            record.c.verdict,
            submission.c.dataset,
            submission.c.party,
            submission.c.receipt_no,
            submission.c.received_at,
            submission.c.state,
            submission.c.traceparent,
        )
        statement = select(*columns).join(
            submission, (submission.c.month == record.c.month) & (submission.c.id == record.c.submission_id)
        )
        if party is not None:
            statement = statement.where(submission.c.party == party)
        asked = _RECEIPT.match(what)
        if asked:
            statement = statement.where(submission.c.receipt_no == asked[1])
            if asked[2]:
                statement = statement.where(record.c.row_no == int(asked[2]))
            return list(connection.execute(statement.order_by(record.c.row_no).limit(_MOST)))
        rows: list[Row[Any]] = []
        for submission_id, row_no in self._heads(connection, generation, what):
            rows += connection.execute(
                statement.where(
                    record.c.month == month_of(submission_id),
                    record.c.submission_id == submission_id,
                    record.c.row_no == row_no,
                )
            )
        return rows

    @staticmethod
    def _heads(connection: Connection, generation: Generation, what: str) -> list[tuple[UUID, int]]:
        """Where the newest revisions stand of the records that may be meant."""
        found = _CD_ID.match(what)
        owner, key = (found[1], found[2]) if found else ("", what)
        if _HASHED.match(key):
            hashes = [bytes.fromhex(key)[:16]]
        else:
            names = (key, what) if owner else (key,)
            hashes = [key_hash(dataset, name) for dataset in generation.standard.ids() for name in names]
        statement = select(record_head.c.submission_id, record_head.c.row_no, record_head.c.owner).where(
            among(connection, record_head.c.key_hash, hashes)
        )
        rows = connection.execute(statement.limit(_MOST)).all()
        return [(r[0], r[1]) for r in rows if not owner or r[2] == owner or len(rows) == 1]

    def _here(self, connection: Connection, generation: Generation, row: Row[Any]) -> dict[str, Any]:
        hub = generation.settings.hub
        month = month_of(row.submission_id)
        sent = connection.execute(
            select(
                delivery.c.destination,
                delivery.c.state.label("own_state"),
                delivery.c.code,
                delivery.c.message,
                parcel.c.id,
                parcel.c.state,
                parcel.c.batch,
                parcel.c.sent_at,
                parcel.c.ended_at,
                parcel.c.due_at,
                parcel.c.error_text,
            )
            .join(parcel, parcels.CARRIES)
            .where(
                delivery.c.month == month,
                delivery.c.submission_id == row.submission_id,
                delivery.c.row_no == row.row_no,
            )
            .order_by(delivery.c.destination)
        ).all()
        held = connection.execute(
            select(hold.c.code, hold.c.due_at).where(
                hold.c.submission_id == row.submission_id, hold.c.row_no == row.row_no, hold.c.ended_at.is_(None)
            )
        ).one_or_none()
        return {
            "level": hub.level,
            "hub": hub.name,
            "hub_title": hub.title,
            "dataset": row.dataset,
            "party": row.party,
            "owner": row.owner,
            "cd_id": row.cd_id,
            "revision": row.revision,
            "operation": row.operation,
            "verdict": row.verdict,
            "verdict_zh": word(row.verdict),
            "receipt_no": row.receipt_no,
            "row": row.row_no,
            "received_at": local_text(row.received_at),
            "trace_id": row.traceparent.split("-")[1] if row.traceparent.count("-") == 3 else row.submission_id.hex,
            "held": {"code": held.code, "due_at": local_text(held.due_at)} if held else None,
            "deliveries": [self._delivery(connection, row, one) for one in sent],
        }

    @staticmethod
    def _delivery(connection: Connection, row: Row[Any], one: Row[Any]) -> dict[str, Any]:
        state = one.own_state or one.state
        said = [r for r in receipts.of_submission(connection, row.submission_id) if r.parcel_id == one.id]
        spoken = []
        for r in said:
            line = next((x for x in receipts.lines_of(r.lines) if x.cd_id == row.cd_id), None)
            spoken.append(
                {
                    "level": r.level,
                    "speaker": r.speaker,
                    "result": str(line.result) if line else "accepted",
                    "at": local_text(r.received_at),
                }
            )
        return {
            "destination": one.destination,
            "state": state,
            "state_zh": word(state),
            "batch": one.batch,
            "sent_at": local_text(one.sent_at),
            "ended_at": local_text(one.ended_at),
            "due_at": local_text(one.due_at),
            "code": one.code or "",
            "message": mask_text(one.message or one.error_text),
            "spoken": spoken,
        }

    def _above(self, generation: Generation, destination: str, cd_id: str) -> Sequence[dict[str, Any]]:
        """What the hub above says; one that does not answer is told as such."""
        try:
            door = self.doors.door(generation, destination)
            if door is None or not isinstance(door[1], Traces):
                return []
            return door[1].trace(cd_id)
        except HubError as error:
            log.warning("a hub above was not asked", action="trace_failed", destination=destination, why=error.what)
            return [{"level": "", "hub": destination, "problem": error.what_zh, "problem_en": error.what}]
