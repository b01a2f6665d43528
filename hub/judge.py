"""Judging without keeping: the same reader, mapping and checker as the road, and nothing written."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import Any

from adapters.formats import bytes_payload, open_records
from adapters.formats.base import Payload
from hub.bootstrap import Hub
from hub.field_notes import field_notes
from hub.generations import Generation
from hub.plan import Plan
from hub.translate.prepare import FindingRow, prepare
from standards.clock import local
from standards.findings import Finding, catalogue, hint, text
from standards.model import Severity
from standards.places import in_words

#: Faulty records told in full.
_TOLD = 500


def judge(hub: Hub, connection: str, body: bytes, name: str, content_type: str) -> dict[str, Any]:
    """Counts, and what is wrong with each faulty record.  Raises UnreadablePayload, PayloadTooLarge, UnknownName."""
    generation = hub.generations.current()
    with hub.generations.plans.lent() as plans:
        return _judged(hub, generation, plans.plan(generation, connection), bytes_payload(name, body, content_type))


def _judged(hub: Hub, generation: Generation, plan: Plan, payload: Payload) -> dict[str, Any]:
    today = local(hub.clock.now()).date().isoformat()
    reading, chunks = open_records(payload, plan.read)
    counts: Counter[str] = Counter(dict.fromkeys(("read", "accepted", "rejected", "held"), 0))
    records: list[dict[str, Any]] = []
    unknown: dict[str, None] = {}
    seen: dict[str, None] = {}
    row_no = 1
    common = generation.standard.common

    def said(one: Finding) -> dict[str, str]:
        standard = generation.standard
        return {
            "code": one.code,
            "severity": str(one.severity),
            "element": one.element or "",
            "field": one.field,
            "place": one.place,
            "value": one.value,
            "text": text(one, "zh", plan.dataset, standard, common),
            "hint": hint(one, "zh", plan.dataset, standard, common),
            "text_en": text(one, "en", plan.dataset, standard, common),
            "hint_en": hint(one, "en", plan.dataset, standard, common),
        }

    for chunk in chunks:
        seen.update(dict.fromkeys(chunk.fields))
        prepared = prepare(plan, chunk, row_no, today, partial(hub.desk.find, generation))
        unknown.update(dict.fromkeys(prepared.unknown_fields))
        by_row: dict[int, list[FindingRow]] = {}
        for found in prepared.findings:
            by_row.setdefault(found.row, []).append(found)
        for i, worst in enumerate(prepared.worst):
            verdict = {Severity.ERROR: "rejected", Severity.HOLD: "held"}.get(worst or Severity.WARNING, "accepted")
            counts["read"] += 1
            counts[verdict] += 1
            if i in by_row and len(records) < _TOLD:
                place = chunk.places[i]
                findings = [said(_finding(f, row_no + i)) for f in by_row[i]]
                records.append(
                    {
                        "row": row_no + i,
                        "place": place,
                        "place_zh": in_words(place),
                        "verdict": verdict,
                        "findings": findings,
                    }
                )
        row_no += chunk.count
    notes = [*reading.notes, *field_notes(plan, tuple(seen), tuple(unknown), reading.format, counts["read"])]
    told = [
        Finding(n.code, catalogue().severity(n.code), n.params.get("element"), 0, n.place, n.value, n.value, n.params)
        for n in notes
    ]
    return {
        "connection": plan.connection,
        "dataset": plan.dataset.id,
        "mapping": plan.mapping,
        "format": reading.format,
        "encoding": reading.encoding,
        "counts": dict(counts),
        "notes": [said(one) for one in told],
        "records": records,
    }


def _finding(row: FindingRow, row_no: int) -> Finding:
    return Finding(row.code, row.severity, row.element or None, row_no, row.place, row.field, row.value, row.params)
