"""Time travel of a record: every revision, how it came, what became of it, and what today's rules would say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, select

from hub.dispatch.contents import Contents
from hub.generations import Generations
from hub.ledger import heads, journal, parcels
from hub.ledger.engine import Ledger
from hub.ledger.heads import Head
from hub.ledger.tables import case_, chunk, delivery, finding, parcel, record, submission
from hub.ledger.types import month_of
from hub.persons import masked
from hub.vault import Seal
from standards.clock import Clock, local, local_text
from standards.digest import join_key, key_hash
from standards.errors import HubError, UnknownName
from standards.masks_in_text import mask_text
from standards.model import DataSet

#: Revisions told at most, the newest first.
_MOST = 100


@dataclass(slots=True)
class History:
    """Reads what the ledger still has of one record."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal

    def of(self, dataset: str, key: Sequence[str], *, owner: str = "", party: str = "", by: str = "") -> dict[str, Any]:
        """Everything of the record with this natural key; `party`: only its own.  Raises UnknownName.

        Personal elements are masked; the look is written into the journal.
        """
        known = self.generations.current().standard.dataset(dataset)
        hashed = key_hash(known.id, join_key(list(key)))
        with self.ledger.read() as connection:
            found = [
                head
                for head in heads.look_up(connection, [hashed]).get(hashed, [])
                if (not owner or head.owner == owner) and (not party or head.party == party)
            ]
            if not found:
                raise UnknownName(
                    f"no record of {dataset} with this key",
                    what_zh=f"没有主键相符的 {known.title} 记录",
                    hint="give every part of the key, in this order: " + ", ".join(known.natural_key),
                    hint_zh="请按次序给出主键的每一项：" + "、".join(known.natural_key),
                )
            told = [self._one(connection, known, hashed, head) for head in found]
        now = self.clock.now()
        entry = journal.Entry("record_looked_at", by, None, None, {"dataset": dataset, "key": hashed.hex()})
        self.ledger.write(lambda c: journal.append(c, [entry], now))
        return {"dataset": known.id, "title": known.title, "records": told}

    def revisions(self, hashed: bytes, owner: str, party: str = "") -> list[dict[str, Any]]:
        """Every revision of a record without its content, the newest first; `party`: only its own."""
        with self.ledger.read() as connection:
            found = heads.look_up(connection, [hashed]).get(hashed, [])
            head = next((one for one in found if one.owner == owner and (not party or one.party == party)), None)
            place: tuple[UUID, int] | None = (head.submission_id, head.row_no) if head is not None else None
            told: list[dict[str, Any]] = []
            while place is not None and len(told) < _MOST and (row := _record(connection, place)) is not None:
                told.append(
                    {
                        "revision": row.revision,
                        "operation": row.operation,
                        "receipt_no": row.receipt_no,
                        "row": row.row_no,
                        "replay": row.origin_id is not None,
                        "received_at": local_text(row.received_at),
                        "mapping": row.mapping,
                        "generation": row.generation,
                    }
                )
                place = (row.twin_id, row.twin_row) if row.twin_id is not None and row.revision > 1 else None
        return told

    def _one(self, connection: Connection, dataset: DataSet, hashed: bytes, head: Head) -> dict[str, Any]:
        revisions: list[dict[str, Any]] = []
        place: tuple[UUID, int] | None = (head.submission_id, head.row_no)
        while place is not None and len(revisions) < _MOST:
            row = _record(connection, place)
            if row is None:
                break
            revisions.append(self._revision(connection, dataset, row))
            place = (row.twin_id, row.twin_row) if row.twin_id is not None and row.revision > 1 else None
        return {
            "owner": head.owner,
            "party": head.party,
            "revision": head.revision,
            "operation": head.operation,
            "revisions": revisions,
            "complete": bool(revisions) and revisions[-1]["revision"] == 1,
            "today": self._today(dataset, revisions),
            "cases": _cases(connection, hashed, head.owner),
        }

    def _revision(self, connection: Connection, dataset: DataSet, row: Row[Any]) -> dict[str, Any]:
        values: dict[str, str] | None = None
        if row.idx is not None:
            try:
                lines = Contents(self.seal).of(connection, row.submission_id, row.chunk).lines
                values = msgspec.json.decode(lines[row.idx], type=dict[str, str])
            except HubError:
                values = None
        return {
            "revision": row.revision,
            "operation": row.operation,
            "receipt_no": row.receipt_no,
            "replay": row.origin_id is not None,
            "party": row.party,
            "connection": row.connection,
            "place": row.place,
            "received_at": local_text(row.received_at),
            "mapping": row.mapping,
            "dataset_version": row.dataset_version,
            "generation": row.generation,
            "digest": bytes(row.digest).hex() if row.digest else "",
            "values": masked(dataset, values) if values else None,
            "_plain": values,
            "findings": _findings(connection, row),
            "deliveries": _deliveries(connection, row),
        }

    def _today(self, dataset: DataSet, revisions: list[dict[str, Any]]) -> list[dict[str, str]] | None:
        """What is wrong with the newest content by today's rules; None when it is no longer kept."""
        plain = [one.pop("_plain") for one in revisions]
        if not plain or plain[0] is None:
            return None
        generation = self.generations.current()
        checker = generation.checker(dataset)
        severity = generation.severity_of(dataset)
        today = local(self.clock.now()).date().isoformat()
        faults = checker.check({name: [value] for name, value in plain[0].items()}, 1, today, clean=False)
        return [
            {"element": f.element, "code": f.code, "severity": str(severity(f.code, f.params.get("rule", "")))}
            for f in faults
        ]


def _record(connection: Connection, place: tuple[UUID, int]) -> Row[Any] | None:
    identifier, row_no = place
    month = month_of(identifier)
    return connection.execute(
        select(
            record,
            submission.c.receipt_no,
            submission.c.party,
            submission.c.connection,
            submission.c.received_at,
            submission.c.generation,
            submission.c.origin_id,
            chunk.c.mapping,
            chunk.c.dataset_version,
        )
        .join(submission, (submission.c.month == record.c.month) & (submission.c.id == record.c.submission_id))
        .join(
            chunk,
            (chunk.c.month == record.c.month)
            & (chunk.c.submission_id == record.c.submission_id)
            & (chunk.c.seq == record.c.chunk),
        )
        .where(
            record.c.month == month,
            submission.c.month == month,
            chunk.c.month == month,
            record.c.submission_id == identifier,
            record.c.row_no == row_no,
        )
    ).one_or_none()


def _findings(connection: Connection, row: Row[Any]) -> list[dict[str, str]]:
    rows = connection.execute(
        select(finding.c.element, finding.c.code, finding.c.severity, finding.c.place)
        .where(
            finding.c.month == row.month,
            finding.c.submission_id == row.submission_id,
            finding.c.row_no == row.row_no,
        )
        .order_by(finding.c.no)
    )
    return [dict(one._mapping) for one in rows]


def _deliveries(connection: Connection, row: Row[Any]) -> list[dict[str, Any]]:
    rows = connection.execute(
        select(
            delivery.c.destination,
            delivery.c.state,
            delivery.c.code,
            delivery.c.message,
            parcel.c.state.label("parcel_state"),
            parcel.c.attempts,
            parcel.c.created_at,
            parcel.c.ended_at,
        )
        .join(parcel, parcels.CARRIES)
        .where(
            delivery.c.month == row.month,
            delivery.c.submission_id == row.submission_id,
            delivery.c.row_no == row.row_no,
        )
        .order_by(delivery.c.destination)
    )
    return [
        {
            "destination": one.destination,
            "state": one.state or one.parcel_state,
            "code": one.code or "",
            "message": mask_text(one.message or ""),
            "attempts": one.attempts,
            "created_at": local_text(one.created_at),
            "ended_at": local_text(one.ended_at),
        }
        for one in rows
    ]


def _cases(connection: Connection, hashed: bytes, owner: str) -> list[dict[str, str]]:
    rows = connection.execute(
        select(case_).where(case_.c.key_hash == hashed, case_.c.owner == owner).order_by(case_.c.opened_at)
    )
    return [
        {
            "class": one.class_,
            "code": one.code,
            "state": one.state,
            "destination": one.destination,
            "opened_at": local_text(one.opened_at),
            "closed_at": local_text(one.closed_at),
            "closed_by": one.closed_by,
        }
        for one in rows
    ]
