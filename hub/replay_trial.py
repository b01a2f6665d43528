"""A replay rehearsed: how many records would pass now, what would still be wrong, what a repair changes.

Nothing is written.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from adapters.formats.base import LegacyChunk
from adapters.formats.open import open_records
from hub.generations import Generation
from hub.ledger import choices, submissions
from hub.ledger.engine import Ledger
from hub.ledger.replays import Part, Stage
from hub.ledger.submissions import Submission
from hub.lookups import Desk
from hub.payload import LedgerPayload
from hub.persons import is_person, quantities, unless_bare
from hub.plan import Plan
from hub.plans import Plans
from hub.repair import Repair
from hub.repair_names import named
from hub.translate.chosen import Chosen, chosen
from hub.translate.mapped import as_mapped, chunks_of
from hub.translate.prepare import prepare
from hub.vault import Seal
from standards.clock import Clock, local
from standards.errors import BadConfiguration, BadRecord, UnknownName, UnreadablePayload
from standards.identifiers import check_uscc
from standards.masks import mask
from standards.model import Severity
from standards.places import in_words

#: Records that a rehearsal looks at, at most.
_TRIED = 5000
#: Changed values it shows.
_SAMPLES = 20


@dataclass(slots=True)
class Trial:
    """One rehearsal."""

    ledger: Ledger
    generation: Generation
    clock: Clock
    seal: Seal
    desk: Desk
    stage: Stage
    repair: Repair
    counts: Counter[str] = field(default_factory=Counter)
    wrong: Counter[tuple[str, str]] = field(default_factory=Counter)
    samples: list[dict[str, Any]] = field(default_factory=list)
    tried: int = 0

    def of(self, parts: Sequence[Part]) -> dict[str, Any]:
        """What would become of these records.  Raises BadRecord when the repair names what is not there."""
        plans = Plans(self.ledger)
        for part in parts:
            self._part(plans, part)
            if self.tried >= _TRIED:
                break
        return {
            "stage": str(self.stage),
            "parts": len(parts),
            "records": sum(len(part.rows) for part in parts),
            "tried": self.tried,
            "passes": self.counts["passes"],
            "fails": self.counts["fails"],
            "gone": self.counts["gone"],
            "samples": self.samples,
            "still_wrong": [{"element": e, "code": c, "records": n} for (e, c), n in self.wrong.most_common(20)],
        }

    def _part(self, plans: Plans, part: Part) -> None:
        with self.ledger.read() as connection:
            origin = submissions.get(connection, part.origin_id)
        if origin is None:
            self.counts["gone"] += len(part.rows)
            return
        try:
            plan = plans.plan(self.generation, origin.connection, origin.dataset)
            if self.stage is Stage.MAPPED:
                plan = as_mapped(self.generation, plan)
            for one in self._records(plan, origin, part):
                self._chunk(plan, one, origin.receipt_no)
        except (UnreadablePayload, BadConfiguration, UnknownName):
            self.counts["gone"] += len(part.rows)

    def _records(self, plan: Plan, origin: Submission, part: Part) -> Iterator[Chosen]:
        if self.stage is Stage.MAPPED:
            return chunks_of(self.ledger, self.seal, origin.id, frozenset(part.rows))
        _reading, chunks = open_records(LedgerPayload(self.ledger, origin, self.seal), plan.read, None)
        return chosen(chunks, frozenset(part.rows))

    def _chunk(self, plan: Plan, one: Chosen, receipt_no: str) -> None:
        ask = partial(self.desk.find, self.generation)
        chunk = one.chunk
        if self.repair.steps:
            repair = named(self.repair, plan, chunk.columns)
            chunk = repair.mended(chunk, one.numbers, ask)
            self.samples += changes(plan, repair, one.chunk, chunk, receipt_no, _SAMPLES - len(self.samples))
        today = local(self.clock.now()).date().isoformat()
        prepared = prepare(plan, chunk, 1, today, ask)
        for index, worst in enumerate(prepared.worst):
            self.counts["fails" if worst is Severity.ERROR else "passes"] += 1
            if worst is Severity.ERROR:
                self.wrong.update({(f.element, f.code) for f in prepared.findings if f.row == index})
        self.tried += chunk.count


def sending(ledger: Ledger, generation: Generation, parts: Sequence[Part]) -> dict[str, Any]:
    """What sending once more comes to: parcels and records by destination, and which need a person's word."""
    with ledger.read() as connection:
        found = choices.destinations_of(connection, parts)
    destinations = [
        {
            "destination": name,
            "parcels": parcels,
            "records": records,
            "idempotent": _idempotent(generation, name),
            "needs_word": _idempotent(generation, name) == "none",
        }
        for name, (parcels, records) in sorted(found.items())
    ]
    return {
        "stage": str(Stage.DELIVERY),
        "parts": len(parts),
        "records": sum(len(part.rows) for part in parts),
        "tried": 0,
        "passes": 0,
        "fails": 0,
        "gone": 0,
        "samples": [],
        "still_wrong": [],
        "destinations": destinations,
    }


def _idempotent(generation: Generation, destination: str) -> str:
    found = generation.settings.destinations.get(destination)
    return found.idempotent if found is not None else "none"


def check_word(ledger: Ledger, generation: Generation, parts: Sequence[Part], sure: str) -> list[str]:
    """The destinations that are asked before they are sent anything once more.

    Raises BadRecord when one of them cannot tell a repeat and nobody says that it does no harm.
    """
    told = sending(ledger, generation, parts)["destinations"]
    blind = [one["destination"] for one in told if one["needs_word"]]
    if blind and not sure.strip():
        raise BadRecord(
            f"{', '.join(blind)} cannot tell a repeat: it would store the records twice",
            what_zh=f"{'、'.join(blind)} 不能识别重复投递，重发可能使对方重复入库",
            hint="say `sure`: who answers for it, and how it is known that it does no harm",
            hint_zh="请在 sure 填写谁确认、依据是什么",
        )
    return [one["destination"] for one in told if one["idempotent"] == "query"]


def changes(
    plan: Plan, repair: Repair, before: LegacyChunk, after: LegacyChunk, receipt_no: str, most: int
) -> list[dict[str, Any]]:
    """Values that change, side by side; masked where they are personal."""
    hide = hiding(plan, after)
    found: list[dict[str, Any]] = []
    for name in repair.fields:
        if name not in after.columns:
            continue
        old_column = before.columns.get(name) or [""] * before.count
        for place, old, new in zip(before.places, old_column, after.columns[name], strict=True):
            if old != new and len(found) < most:
                shown = {"before": hide(name, old), "after": hide(name, new)}
                where = {"receipt_no": receipt_no, "place": place, "place_zh": in_words(place), "field": name}
                found.append({**where, **shown})
    return found


def hiding(plan: Plan, chunk: LegacyChunk) -> Callable[[str, str], str]:
    """How a value of a column is shown: masked where it is, or may be, about a person; elsewhere the numbers in it.

    The number of a certificate is shown only where it cannot be a person's: a credit code with letters in it.
    """
    columns: dict[str, bool] = {}
    feeds: dict[str, set[str]] = {}
    for element in plan.dataset.elements:
        for name in plan.program.fields_here(element.id, chunk.columns):
            feeds.setdefault(name, set()).add(element.id)
            if element.personal or element.identified_by is not None:
                columns[name] = columns.get(name, False) or element.personal
    counted = quantities(plan.dataset)
    numbers = {name for name, elements in feeds.items() if elements <= counted}

    def hide(name: str, value: str) -> str:
        if is_person(value):
            return mask(value)
        if name not in columns:
            return unless_bare(value, quantity=name in numbers)
        if not columns[name] and _of_an_organisation(value):
            return value
        return mask(value)

    return hide


def veiling(plan: Plan, chunk: LegacyChunk) -> Callable[[str, str], str]:
    """The same for who may not see personal values at all: a column that no mapping takes may be personal too."""
    hide = hiding(plan, chunk)
    taken = {name for element in plan.dataset.elements for name in plan.program.fields_here(element.id, chunk.columns)}

    def veil(name: str, value: str) -> str:
        return hide(name, value) if name in taken else mask(value)

    return veil


def _of_an_organisation(value: str) -> bool:
    return check_uscc(value) is None and any(sign.isalpha() for sign in value[:-1])
