"""The receipt of a submission as people and programs read it: counts, state, and every finding in words."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, select

from hub.generations import Generation, Generations
from hub.ledger import parcels, receipts, submissions
from hub.ledger.engine import Ledger
from hub.ledger.sql import among
from hub.ledger.submissions import Submission
from hub.ledger.tables import chunk, finding, record, submission
from hub.ledger.types import month_of
from hub.receipt_text import in_text
from hub.zones import INTERNET
from standards.clock import local_text
from standards.errors import UnknownName
from standards.findings import Finding, catalogue, hint, text
from standards.masks_in_text import mask_text
from standards.model import DataSet, Severity
from standards.places import in_words
from standards.ports import ReceiptView
from standards.states import ENDED, ParcelState, Verdict, word

#: Rows with findings in one page of a receipt.
PAGE = 500
_COMMONEST = 5
_COUNTS = ("read", "accepted", "rejected", "held", "duplicate")
#: Stands in for a code of a receiver that is not in our catalogue.
_FOREIGN = "90002"


@dataclass(slots=True)
class Receipts:
    """Implements standards.ports.ReceiptPort."""

    ledger: Ledger
    generations: Generations

    def receipt(self, receipt_no: str, *, after: int = 0, limit: int = PAGE) -> ReceiptView | None:
        """The receipt as it stands now; findings of rows behind `after`, `limit` rows of them."""
        with self.ledger.read() as connection:
            found = submissions.by_receipt(connection, receipt_no)
            if found is None:
                return None
            return self._view(connection, found, after, limit)

    def brief(self, receipt_no: str) -> dict[str, Any] | None:
        """State and counts only; cheap, for those who ask again and again."""
        with self.ledger.read() as connection:
            found = submissions.by_receipt(connection, receipt_no)
        if found is None:
            return None
        return {
            "receipt_no": found.receipt_no,
            "version": found.version,
            "state": found.state,
            "state_zh": word(found.state),
            "party": found.party,
            "counts": {name: getattr(found, name) for name in _COUNTS},
        }

    def state(self, receipt_no: str) -> str | None:
        """Only the state."""
        return self.states([receipt_no]).get(receipt_no)

    def states(self, receipt_nos: Sequence[str]) -> dict[str, str]:
        """Only the states, in one look; cheap, for those who wait."""
        with self.ledger.read() as connection:
            return submissions.states(connection, receipt_nos)

    def words(self, receipt_no: str, language: str = "zh") -> str:
        """The receipt as text a clerk can read."""
        view = self.receipt(receipt_no)
        if view is None:
            raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
        return in_text(view.document, language)

    def _view(self, connection: Connection, found: Submission, after: int, limit: int) -> ReceiptView:
        generation = self.generations.current()
        dataset = _dataset(generation, connection, found)
        rows = _finding_rows(connection, found, after, limit)
        document: dict[str, Any] = {
            "receipt_no": found.receipt_no,
            "version": found.version,
            "state": found.state,
            "state_zh": word(found.state),
            "party": found.party,
            "connection": found.connection,
            "dataset": found.dataset,
            "dataset_title": dataset.title if dataset else "",
            "test": found.test,
            "file": {
                "name": found.name,
                "size": found.size,
                "digest": found.digest,
                "format": found.format,
                "encoding": found.encoding,
                "decoded_by": found.decoded_by,
            },
            "external_id": found.external_id,
            "received_at": local_text(found.received_at),
            "judged_at": local_text(found.judged_at),
            "settled_at": local_text(found.settled_at),
            "counts": {name: getattr(found, name) for name in _COUNTS},
            "problem": found.problem_words() or None,
            "deliveries": _deliveries(connection, found, generation),
            "receipts": _spoken(connection, found),
            "commonest": _commonest(connection, found, generation, dataset),
            "notes": [_finding(row, generation, dataset) for row in _notes(connection, found)],
            "records": _records(connection, found, rows, generation, dataset),
        }
        if len(document["records"]) == limit:
            document["next"] = document["records"][-1]["row"]
        document["duplicates"] = _duplicates(connection, found, after, limit) if found.duplicate else []
        return ReceiptView(
            receipt_no=found.receipt_no,
            state=found.state,
            version=found.version,
            document=document,
            **{name: getattr(found, name) for name in _COUNTS},
        )


def _dataset(generation: Generation, connection: Connection, found: Submission) -> DataSet | None:
    version = connection.execute(
        select(chunk.c.dataset_version)
        .where(chunk.c.month == found.month, chunk.c.submission_id == found.id)
        .order_by(chunk.c.seq)
        .limit(1)
    ).scalar()
    try:
        return generation.standard.dataset(found.dataset, version)
    except UnknownName:
        return None


def _notes(connection: Connection, found: Submission) -> Sequence[Row[Any]]:
    return connection.execute(
        select(finding)
        .where(finding.c.month == found.month, finding.c.submission_id == found.id, finding.c.row_no == 0)
        .order_by(finding.c.no)
    ).all()


def _finding_rows(connection: Connection, found: Submission, after: int, limit: int) -> Sequence[Row[Any]]:
    here = (finding.c.month == found.month, finding.c.submission_id == found.id)
    wanted = (
        select(finding.c.row_no)
        .where(*here, finding.c.row_no > after)
        .distinct()
        .order_by(finding.c.row_no)
        .limit(limit)
    )
    rows = list(connection.execute(wanted).scalars())
    if not rows:
        return []
    return connection.execute(
        select(finding)
        .where(*here, finding.c.row_no.between(rows[0], rows[-1]))
        .order_by(finding.c.row_no, finding.c.no)
    ).all()


def _records(
    connection: Connection,
    found: Submission,
    rows: Sequence[Row[Any]],
    generation: Generation,
    dataset: DataSet | None,
) -> list[dict[str, Any]]:
    by_row: dict[int, list[Row[Any]]] = {}
    for row in rows:
        by_row.setdefault(row.row_no, []).append(row)
    if not by_row:
        return []
    verdicts = {
        r[0]: (r[1], r[2], r[3])
        for r in connection.execute(
            select(record.c.row_no, record.c.verdict, record.c.place, record.c.cd_id).where(
                record.c.month == found.month,
                record.c.submission_id == found.id,
                record.c.row_no.between(min(by_row), max(by_row)),
            )
        )
    }
    result = []
    for number, told in by_row.items():
        verdict, place, cd_id = verdicts.get(number, ("", "", ""))
        result.append(
            {
                "row": number,
                "place": place,
                "place_zh": in_words(place) if place else "",
                "verdict": verdict,
                "verdict_zh": verdict_zh(verdict),
                "cd_id": cd_id,
                "findings": [_finding(row, generation, dataset) for row in told],
            }
        )
    return result


def verdict_zh(verdict: str) -> str:
    """A verdict in Chinese."""
    return {Verdict.ACCEPTED: "通过", Verdict.REJECTED: "退回"}.get(verdict) or word(verdict)  # type: ignore[call-overload]


def _finding(row: Row[Any], generation: Generation, dataset: DataSet | None) -> dict[str, Any]:
    params: Mapping[str, str] = json.loads(row.params)
    known = row.code in catalogue() or row.code.partition(".")[0] in catalogue()
    one = Finding(
        code=row.code if known else _FOREIGN,
        severity=Severity(row.severity),
        element=row.element or None,
        row=row.row_no,
        place=row.place,
        field=row.field,
        value=row.value,
        params=params,
    )
    common = generation.standard.common
    said: dict[str, Any] = {
        "code": row.code,
        "severity": row.severity,
        "element": row.element,
        "title": _title(row.element, dataset),
        "field": row.field,
        "place": row.place,
        "value": mask_text(row.value),
        "text": text(one, "zh", dataset, generation.standard, common),
        "hint": hint(one, "zh", dataset, generation.standard, common),
        "text_en": text(one, "en", dataset, generation.standard, common),
        "hint_en": hint(one, "en", dataset, generation.standard, common),
    }
    if row.level:
        said["level"] = row.level
    if (message := params.get("message")) and (row.level or not known):
        said["text"] = said["text_en"] = mask_text(message)
    return said


def _title(element: str, dataset: DataSet | None) -> str:
    found = dataset.by_id.get(element) if dataset is not None else None
    return found.title if found is not None else ""


def _commonest(
    connection: Connection, found: Submission, generation: Generation, dataset: DataSet | None
) -> list[dict[str, Any]]:
    """The commonest findings with one example of each."""
    counted = connection.execute(
        select(finding.c.code, finding.c.element, func.count(), func.min(finding.c.row_no))
        .where(finding.c.month == found.month, finding.c.submission_id == found.id, finding.c.row_no > 0)
        .group_by(finding.c.code, finding.c.element)
        .order_by(func.count().desc(), finding.c.code)
        .limit(_COMMONEST)
    ).all()
    result = []
    for code, element, count, first in counted:
        row = connection.execute(
            select(finding).where(
                finding.c.month == found.month,
                finding.c.submission_id == found.id,
                finding.c.row_no == first,
                finding.c.code == code,
                finding.c.element == element,
            )
        ).first()
        assert row is not None
        said = _finding(row, generation, dataset)
        result.append({"code": code, "element": element, "count": count, "example": said})
    return result


def _deliveries(connection: Connection, found: Submission, generation: Generation) -> list[dict[str, Any]]:
    """By destination: how many records stand how."""
    counts: dict[str, Counter[str]] = {}
    for one in parcels.of_submission(connection, found.id):
        states = counts.setdefault(one.destination, Counter())
        if one.state == ParcelState.SPLIT:
            continue
        if ParcelState(one.state) not in ENDED or one.state in (ParcelState.PARKED, ParcelState.IN_DOUBT):
            states[one.state] += one.count
            continue
        states["accepted"] += one.accepted
        states["refused"] += one.refused
        states["superseded"] += one.count - one.accepted - one.refused
    configured = generation.settings.destinations
    zoned = [n for n, s in counts.items() if s["superseded"] and n in configured and configured[n].zone == INTERNET]
    for name in zoned:
        withheld = parcels.withheld(connection, found.id, name)
        counts[name] += Counter({"withheld": withheld})
        counts[name]["superseded"] -= withheld
    return [
        {
            "destination": name,
            "title": configured[name].title if name in configured else "",
            "states": {state: n for state, n in states.items() if n},
        }
        for name, states in counts.items()
    ]


def _spoken(connection: Connection, found: Submission) -> list[dict[str, Any]]:
    """Who said what, level by level."""
    sums: dict[tuple[str, str], dict[str, Any]] = {}
    for row in receipts.of_submission(connection, found.id):
        said = sums.setdefault(
            (row.level, row.speaker),
            {"level": row.level, "speaker": row.speaker, "accepted": 0, "refused": 0, "receipts": 0, "last_at": ""},
        )
        if row.parcel_id is None:
            said |= {"accepted": row.accepted, "refused": row.refused, "result": row.result}
        else:
            said["accepted"] += row.accepted
            said["refused"] += row.refused
        said["receipts"] += 1
        said["last_at"] = local_text(row.received_at)
    return list(sums.values())


def _duplicates(connection: Connection, found: Submission, after: int, limit: int) -> list[dict[str, Any]]:
    """Which records were there already, and which receipt holds them."""
    rows = connection.execute(
        select(record.c.row_no, record.c.place, record.c.twin_id, record.c.twin_row)
        .where(
            record.c.month == found.month,
            record.c.submission_id == found.id,
            record.c.verdict == Verdict.DUPLICATE,
            record.c.row_no > after,
        )
        .order_by(record.c.row_no)
        .limit(limit)
    ).all()
    holders = {r[2] for r in rows if r[2] is not None}
    numbers = dict(
        connection.execute(
            select(submission.c.id, submission.c.receipt_no).where(
                submission.c.month.in_({month_of(holder) for holder in holders}),
                among(connection, submission.c.id, list(holders)),
            )
        )
        .tuples()
        .all()
    )
    return [{"row": r[0], "place": r[1], "held_by": numbers.get(r[2]) or "", "held_row": r[3]} for r in rows]
