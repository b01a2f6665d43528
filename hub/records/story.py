"""The whole way of one record: as sent, mapped, standard, delivered; findings, and what today's rules would say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, select

from adapters.formats.base import LegacyChunk
from hub.dispatch.contents import Contents
from hub.generations import Generations
from hub.history import History
from hub.ledger import journal, parcels, receipts, submissions
from hub.ledger.engine import Ledger
from hub.ledger.replays import Part
from hub.ledger.submissions import Submission
from hub.ledger.tables import chunk, delivery, parcel, record
from hub.persons import in_text, is_person, personal_here, quantities, unless_bare
from hub.plan import Plan
from hub.receipts import Receipts
from hub.records.raw import row_of
from hub.replay_plan import of_origins
from hub.translate.consult import nobody_to_ask
from hub.translate.prepare import prepare
from hub.vault import Seal
from mappings.explain import Line, explain
from standards.clock import Clock, local, local_text
from standards.errors import HubError, UnknownName
from standards.masks import mask
from standards.masks_in_text import mask_text
from standards.model import DataSet
from standards.places import in_words
from standards.states import word

#: How much of a record's content somebody may see.
NOTHING, MASKED, FULL = "nothing", "masked", "full"


@dataclass(slots=True)
class Stories:
    """Tells the way of a record; every look is written into the journal."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal
    receipts: Receipts

    def of(
        self, receipt_no: str, row: int, *, party: str = "", sees: str = MASKED, by: str = "", language: str = "zh"
    ) -> dict[str, Any]:
        """Everything about a row of a hand-over; `party`: only its own.  Raises UnknownName."""
        with self.ledger.read() as connection:
            stored = submissions.by_receipt(connection, receipt_no)
            place = _place(connection, stored, row) if stored is not None else None
        if stored is None or place is None or (party and stored.party != party):
            raise UnknownName(f"no record {receipt_no}#{row}", what_zh=f"没有记录 {receipt_no}#{row}")
        self._note(stored, row, sees, by)
        findings = self._findings(receipt_no, row)
        told: dict[str, Any] = {
            "receipt_no": receipt_no,
            "row": row,
            "place": in_words(place.place, language) if place.place else "",
            "party": stored.party,
            "connection": stored.connection,
            "file": stored.name,
            "received_at": local_text(stored.received_at),
            "dataset": stored.dataset,
            "title": "",
            "mapping": place.mapping,
            "dataset_version": place.dataset_version,
            "generation": stored.generation,
            "verdict": place.verdict,
            "revision": place.revision,
            "operation": place.operation,
            "owner": place.owner,
            "digest": bytes(place.digest).hex() if place.digest else "",
            "test": stored.test,
            "findings": findings,
            "sees": sees,
            "raw": [],
            "elements": [],
            "missing": "",
            "today": None,
        }
        with self.ledger.read() as connection:
            told["deliveries"] = _deliveries(connection, stored, place, language)
        self._bodies(told, stored, place, sees, language)
        told["history"] = self._history(stored, place, party)
        return told

    def _findings(self, receipt_no: str, row: int) -> list[dict[str, Any]]:
        view = self.receipts.receipt(receipt_no, after=row - 1, limit=1)
        found = view.document["records"] if view is not None else []
        return list(found[0]["findings"]) if found and found[0]["row"] == row else []

    def _bodies(self, told: dict[str, Any], stored: Submission, place: Row[Any], sees: str, language: str) -> None:
        """As sent, as mapped, as stored: element by element."""
        with self.generations.plans.lent() as plans:
            try:
                plan = plans.plan(self.generations.current(), stored.connection, stored.dataset)
            except HubError as error:
                told["missing"] = error.what if language == "en" else error.what_zh
                return
            self._by_plan(told, plan, stored, place, sees, language)

    def _by_plan(
        self, told: dict[str, Any], plan: Plan, stored: Submission, place: Row[Any], sees: str, language: str
    ) -> None:
        told["title"] = (language == "en" and plan.dataset.title_en) or plan.dataset.title
        try:
            legacy = self._legacy(stored, place, plan)
            if legacy is not None:
                told["today"] = self._today(plan, legacy, language)
        except HubError as error:
            told["missing"], legacy = (error.what if language == "en" else error.what_zh), None
        else:
            if legacy is None:
                told["missing"] = "too_far"
        if sees == NOTHING:
            return
        values = self._standard(stored, place)
        lines = explain(plan.program, {name: column[0] for name, column in legacy.columns.items()}) if legacy else []
        personal = _personal(plan.dataset, lines, values)

        def shown(name: str, value: str) -> str:
            if not value or sees == FULL:
                return value
            return mask(value) if name in personal or is_person(value) else in_text(plan.dataset, name, value)

        told["elements"] = _elements(plan, lines, values, told["findings"], shown, language)
        if legacy is not None:
            told["raw"] = _fields(plan, legacy, told["findings"], personal, full=sees == FULL)

    def _legacy(self, stored: Submission, place: Row[Any], plan: Plan) -> LegacyChunk | None:
        if stored.origin_id is not None:
            # A replay reads the rows of what it repeats; they keep their place in that file.
            with self.ledger.read() as connection:
                found = of_origins(connection, [Part(stored.id, (place.row_no,))])
                origin = submissions.get(connection, found[0].origin_id) if found else None
            if origin is None or not found[0].rows:
                return None
            return row_of(self.ledger, self.seal, origin, plan.read, found[0].rows[0])
        return row_of(
            self.ledger,
            self.seal,
            stored,
            plan.read,
            place.row_no,
            first_row=place.first_row,
            first_place=place.first_place or "",
            raw_offset=None if place.member else place.raw_offset,
        )

    def _standard(self, stored: Submission, place: Row[Any]) -> dict[str, str] | None:
        if place.idx is None:
            return None
        try:
            with self.ledger.read() as connection:
                lines = Contents(self.seal).of(connection, stored.id, place.chunk).lines
            return msgspec.json.decode(lines[place.idx], type=dict[str, str])
        except HubError:
            return None

    def _today(self, plan: Plan, legacy: LegacyChunk, language: str) -> list[dict[str, str]]:
        """What mapping and rules in force would find; bases are not asked."""
        today = local(self.clock.now()).date().isoformat()
        prepared = prepare(plan, legacy, 1, today, nobody_to_ask)
        names = plan.dataset.by_id
        return [
            {
                "element": f.element,
                "title": names[f.element].title if f.element in names else f.element,
                "code": f.code,
                "severity": str(f.severity),
            }
            for f in prepared.findings
        ]

    def _history(self, stored: Submission, place: Row[Any], party: str) -> list[dict[str, Any]]:
        if place.key_hash is None:
            return []
        history = History(self.ledger, self.generations, self.clock, self.seal)
        return history.revisions(bytes(place.key_hash), place.owner, party)

    def _note(self, stored: Submission, row: int, sees: str, by: str) -> None:
        now = self.clock.now()
        entry = journal.Entry("record_looked_at", by, stored.id, None, {"row": row, "sees": sees})
        self.ledger.write(lambda c: journal.append(c, [entry], now))


def _place(connection: Connection, stored: Submission, row: int) -> Row[Any] | None:
    """The record with the chunk it is in, and where that chunk's first record stands."""
    here = (record.c.month == stored.month, record.c.submission_id == stored.id)
    first = record.alias("first")
    return connection.execute(
        select(
            record,
            chunk.c.mapping,
            chunk.c.dataset_version,
            chunk.c.first_row,
            chunk.c.member,
            chunk.c.raw_offset,
            select(first.c.place)
            .where(
                first.c.month == stored.month,
                first.c.submission_id == stored.id,
                first.c.row_no == chunk.c.first_row,
            )
            .scalar_subquery()
            .label("first_place"),
        )
        .join(chunk, (chunk.c.submission_id == record.c.submission_id) & (chunk.c.seq == record.c.chunk))
        .where(*here, chunk.c.month == stored.month, record.c.row_no == row)
    ).one_or_none()


def _personal(dataset: DataSet, lines: list[Line], values: Mapping[str, str] | None) -> set[str]:
    return personal_here(dataset, {line.element: line.value for line in lines} | dict(values or {}))


def _elements(
    plan: Plan,
    lines: list[Line],
    values: Mapping[str, str] | None,
    findings: list[dict[str, Any]],
    shown: Callable[[str, str], str],
    language: str,
) -> list[dict[str, Any]]:
    """Element by element: its fields, what stood there, what it became, what is stored, what is wrong."""
    by_element = {line.element: line for line in lines}
    names = [line.element for line in lines] + [name for name in values or {} if name not in by_element]
    wrong: dict[str, list[str]] = {}
    for one in findings:
        wrong.setdefault(one["element"], []).append(one["text_en" if language == "en" else "text"])
    known = plan.dataset.by_id
    return [
        {
            "element": name,
            "title": (language == "en" and known[name].title_en) or known[name].title if name in known else name,
            "fields": line.fields if line is not None else "",
            "raw": shown(name, line.raw) if line is not None else "",
            "mapped": shown(name, line.value) if line is not None else "",
            "changed": line is not None and line.changed,
            "readable": line is None or line.readable,
            "standard": shown(name, values.get(name, "")) if values is not None else None,
            "wrong": wrong.get(name, []),
        }
        for name in names
        for line in [by_element.get(name)]
        if (line is not None and (line.raw or line.value)) or (values or {}).get(name) or name in wrong
    ]


def _fields(
    plan: Plan, legacy: LegacyChunk, findings: list[dict[str, Any]], personal: set[str], *, full: bool
) -> list[dict[str, Any]]:
    """The sender's own fields in her order, the faulty ones marked; what no plain element takes may be personal."""
    feeds: dict[str, set[str]] = {}
    for element, fields in plan.program.sources.items():
        for name in fields:
            feeds.setdefault(name, set()).add(element)
    faulty = {name for one in findings for name in one["field"].split("、") if name}
    numbers = quantities(plan.dataset)

    def shown(name: str, value: str) -> str:
        if full or not value:
            return value
        if name not in feeds or feeds[name] & personal or is_person(value):
            return mask(value)
        return unless_bare(value, quantity=feeds[name] <= numbers)

    found = []
    for name in legacy.fields:
        value = legacy.columns[name][0]
        found.append(
            {
                "name": name,
                "value": shown(name, value),
                "wrong": name in faulty,
                "used": name in feeds,
            }
        )
    return found


def _deliveries(connection: Connection, stored: Submission, place: Row[Any], language: str) -> list[dict[str, Any]]:
    """Each destination with every attempt and what was said of the record, level by level."""
    rows = connection.execute(
        select(delivery.c.destination, delivery.c.state.label("own"), delivery.c.code, delivery.c.message, parcel)
        .join(parcel, parcels.CARRIES)
        .where(
            delivery.c.month == stored.month,
            delivery.c.submission_id == stored.id,
            delivery.c.row_no == place.row_no,
        )
        .order_by(delivery.c.destination)
    ).all()
    said = receipts.of_submission(connection, stored.id) if rows else []
    found = []
    for one in rows:
        spoken = []
        for r in (r for r in said if r.parcel_id == one.id):
            line = next((x for x in receipts.lines_of(r.lines) if x.cd_id == place.cd_id), None)
            spoken.append(
                {
                    "level": r.level,
                    "speaker": r.speaker,
                    "at": local_text(r.received_at),
                    "result": word(str(line.result) if line else "accepted", language),
                    "bad": line is not None,
                }
            )
        state = one.own or one.state
        found.append(
            {
                "destination": one[0],
                "state": state,
                "word": word(state, language),
                "parcel": str(one.id),
                "batch": one.batch,
                "message": mask_text(one.message or one.error_text or ""),
                "due_at": local_text(one.due_at),
                "attempts": [
                    {
                        "no": a.no,
                        "at": local_text(a.started_at),
                        "ms": int((a.ended_at - a.started_at).total_seconds() * 1000),
                        "outcome": a.outcome,
                        "code": a.error_code,
                        "detail": mask_text(a.detail),
                        "next": local_text(a.next_at),
                    }
                    for a in parcels.attempts(connection, one.id)
                ],
                "spoken": spoken,
            }
        )
    return found
