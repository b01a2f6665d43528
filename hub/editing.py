"""One record mended by hand: shown as its sender handed it over, single values changed, and handed in once more.

It is a repair of one record, so that reason, consent, approval, undo and the link to the original are those of repairs.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from adapters.formats.open import open_records
from hub.generations import Generations
from hub.ledger import journal, submissions
from hub.ledger.cases import Selection
from hub.ledger.engine import Ledger
from hub.ledger.replays import Part
from hub.ledger.submissions import Submission
from hub.ledger.tables import case_, finding, record
from hub.payload import LedgerPayload
from hub.plan import Plan
from hub.plans import Plans
from hub.repair import Correct, Repair
from hub.replay import ReplayDesk
from hub.replay_trial import veiling
from hub.translate.chosen import Chosen, chosen
from hub.vault import Seal
from standards.clock import Clock
from standards.errors import BadRecord, UnknownName
from standards.findings import Finding, catalogue, text
from standards.masks_in_text import hidden_numbers
from standards.model import Severity
from standards.places import in_words
from standards.states import Verdict


@dataclass(slots=True)
class EditDesk:
    """Single records for people who mend them."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    seal: Seal
    replays: ReplayDesk

    def record(self, receipt_no: str, row: int, by: str, *, unmask: bool = False) -> dict[str, Any]:
        """A record as it was handed over, column by column, with what is wrong in each; the look is written down.

        Personal values are masked unless `unmask`.  Raises UnknownName, BadRecord when there is nothing to mend.
        """
        found, part = self._find(receipt_no, row)
        with self.generations.plans.lent() as plans:
            told = self._told(found, row, *self._raw(plans, part), unmask=unmask)
        detail = {"row": row, "unmasked": unmask}
        entry, now = journal.Entry("record_seen", by, found.id, None, detail), self.clock.now()
        self.ledger.write(lambda c: journal.append(c, [entry], now))
        return told

    def _told(self, found: Submission, row: int, plan: Plan, one: Chosen, *, unmask: bool) -> dict[str, Any]:
        with self.ledger.read() as connection:
            wrong = _findings(connection, found, row)
        return {
            "receipt_no": found.receipt_no,
            "row": row,
            "party": found.party,
            "dataset": plan.dataset.id,
            "dataset_zh": plan.dataset.title,
            "place": one.chunk.places[0],
            "place_zh": in_words(one.chunk.places[0]),
            "fields": self._fields(plan, one, wrong, unmask),
            "findings": [self._said(plan, row, why) for why in wrong],
        }

    def rehearse(self, receipt_no: str, row: int, changes: Mapping[str, str]) -> dict[str, Any]:
        """Whether it would pass with these values; nothing is written.  Raises UnknownName, BadRecord."""
        _found, part = self._find(receipt_no, row)
        self._no_stars(part, changes)
        return self.replays.rehearse([part], self._repair(part, changes))

    def edit(
        self, receipt_no: str, row: int, changes: Mapping[str, str], by: str, *, reason: str, consent: str
    ) -> dict[str, Any]:
        """Hand a record in once more with these values; `changes`: column (or element) to value.

        Raises UnknownName, and BadRecord when there is nothing to mend, or reason or the owner's consent is missing.
        """
        if not reason.strip():
            raise BadRecord(
                "say why it is changed", what_zh="请写明修改原因", hint="say `reason`", hint_zh="请填写理由（reason）"
            )
        _found, part = self._find(receipt_no, row)
        self._no_stars(part, changes)
        repair = self._repair(part, changes)
        self.replays.rehearse([part], repair)  # names that are none are told before anything is written
        chosen_as = {"receipt_no": receipt_no, "rows": [row], "edited": sorted(changes)}
        return self.replays.start([part], by, reason.strip(), chosen_as, repair=repair, consent=consent)

    def _find(self, receipt_no: str, row: int) -> tuple[Submission, Part]:
        with self.ledger.read() as connection:
            found = submissions.by_receipt(connection, receipt_no)
            state = _mendable(connection, found, row) if found is not None else None
        if found is None or state is None:
            raise UnknownName(
                f"no record {row} in receipt {receipt_no}", what_zh=f"回执 {receipt_no} 没有第 {row} 条记录"
            )
        if not state:
            raise BadRecord(
                "the record passed: its owner reports it anew",
                what_zh="该记录已通过，须由数据归属单位重新报送",
            )
        parts = self.replays.plan(Selection(), receipt_no, (row,))
        return found, parts[0]

    @staticmethod
    def _repair(part: Part, changes: Mapping[str, str]) -> Repair:
        if not changes:
            raise BadRecord("nothing was changed", what_zh="没有修改任何内容")
        number = part.rows[0]
        return Repair(tuple(Correct(field=name, values={number: value}) for name, value in changes.items()))

    def _raw(self, plans: Plans, part: Part) -> tuple[Plan, Chosen]:
        with self.ledger.read() as connection:
            origin = submissions.get(connection, part.origin_id)
        assert origin is not None, "it was found a moment ago"
        plan = plans.plan(self.generations.current(), origin.connection, origin.dataset)
        _reading, chunks = open_records(LedgerPayload(self.ledger, origin, self.seal), plan.read, None)
        one = next(chosen(chunks, frozenset(part.rows)), None)
        if one is None or one.chunk.broken:
            raise BadRecord("the row cannot be read", what_zh="该行无法读取，须重新报送整个文件")
        return plan, one

    def _no_stars(self, part: Part, changes: Mapping[str, str]) -> None:
        """Raises BadRecord for a value with a number that was hidden from who changed it: it would be lost."""
        starred = {name: hidden for name, value in changes.items() if (hidden := hidden_numbers(value))}
        if not starred:
            return
        with self.generations.plans.lent() as plans:
            columns = self._raw(plans, part)[1].chunk.columns
        for name, hidden in starred.items():
            if hidden - hidden_numbers(columns[name][0] if name in columns else ""):
                raise BadRecord(
                    f"{name} holds a number that is hidden from you: it would be lost",
                    what_zh=f"{name} 中含有对您隐藏的号码，提交后原号码将丢失",
                    hint="leave the value as it is, or let somebody with the right unmask change it",
                    hint_zh="请保留原值不改，或由具有 unmask 权限的人员修改",
                )

    @staticmethod
    def _fields(plan: Plan, one: Chosen, wrong: Sequence[Any], unmask: bool) -> list[dict[str, Any]]:
        """The columns of the file, and behind them those that the mapping reads and the file has not."""
        columns = one.chunk.columns
        hide = veiling(plan, one.chunk)
        feeds: dict[str, list[str]] = {}
        for element in plan.dataset.elements:
            for name in plan.program.sources.get(element.id, ()):
                feeds.setdefault(name, []).append(element.title)
        at = {name for why in wrong for name in why.field.split("、")}
        # A message has element ids where a template has titles: of the two only the one that is there is shown.
        there = {title for name in columns for title in feeds.get(name, ())}
        absent = [name for name in feeds if name not in columns and there.isdisjoint(feeds[name])]
        found = []
        for name in (*columns, *absent):
            value = columns[name][0] if name in columns else ""
            shown = value if unmask else hide(name, value)
            found.append(
                {
                    "field": name,
                    "value": shown,
                    "masked": shown != value,
                    "there": name in columns,
                    "elements": feeds.get(name, []),
                    "wrong": name in at,
                }
            )
        return found

    def _said(self, plan: Plan, row: int, why: Any) -> dict[str, str]:
        known = why.code in catalogue() or why.code.partition(".")[0] in catalogue()
        params = json.loads(why.params)
        code = why.code if known else "90002"
        one = Finding(code, Severity(why.severity), why.element or None, row, why.place, why.field, why.value, params)
        names = self.generations.current().standard
        return {
            "code": why.code,
            "element": why.element,
            "field": why.field,
            "text": text(one, "zh", plan.dataset, names),
            "text_en": text(one, "en", plan.dataset, names),
        }


def _mendable(connection: Connection, found: Submission, row: int) -> bool | None:
    """Whether a record may be mended: rejected, held, or with an open case; None when there is no such record."""
    one = connection.execute(
        select(record.c.verdict, record.c.key_hash).where(
            record.c.month == found.month, record.c.submission_id == found.id, record.c.row_no == row
        )
    ).one_or_none()
    if one is None:
        return None
    if one.verdict in (Verdict.REJECTED, Verdict.HELD):
        return True
    still = select(case_.c.id).where(case_.c.key_hash == one.key_hash, case_.c.closed_at.is_(None)).limit(1)
    return one.key_hash is not None and connection.execute(still).first() is not None


def _findings(connection: Connection, found: Submission, row: int) -> Sequence[Any]:
    return connection.execute(
        select(finding)
        .where(finding.c.month == found.month, finding.c.submission_id == found.id, finding.c.row_no == row)
        .order_by(finding.c.no)
    ).all()
