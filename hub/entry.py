"""Online entry (article 17): one record typed in by a person, judged before it is kept; and records to mend."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import select

from adapters.formats import open_records
from adapters.formats.base import LegacyChunk
from hub.bootstrap import Hub
from hub.dispatch.contents import Contents
from hub.judge import judge
from hub.ledger import heads, journal, submissions
from hub.ledger.submissions import Submission
from hub.ledger.tables import record
from hub.ledger.types import month_of
from hub.payload import LedgerPayload
from hub.plan import Plan
from hub.settings import Connection, Settings
from standards.checker import UNREADABLE
from standards.digest import join_key, key_hash, sm3
from standards.errors import BadRecord, UnknownName
from standards.model import DataSet, Severity
from standards.ports import HandOver

#: 手动录入 in CL_REPORT_WAY.
BY_HAND = "0"
_TEXT_FORMATS = ("auto", "json")


def connections(settings: Settings, party: str) -> dict[str, str]:
    """Data set -> the connection of a party that takes its records in the standard's words.

    One that is live goes before one that is not, one that is not for a channel of its own before the others.
    """
    found: dict[str, str] = {}
    for name in sorted(settings.connections, key=lambda n: _order(settings.connections[n])):
        said = settings.connections[name]
        fits = said.party == party and said.dataset and not said.mapping and not said.paused and not said.tasks
        if fits and said.read.get("format", "auto") in _TEXT_FORMATS:
            found.setdefault(said.dataset, name)
    return found


def _order(said: Connection) -> tuple[bool, bool]:
    return said.is_test, said.adapter != "rest"


@dataclass(slots=True)
class Entry:
    """The desk of online entry."""

    hub: Hub
    party: str
    #: Who types.
    by: str

    def dataset(self, name: str) -> tuple[DataSet, str]:
        """A data set that the party may type in, and the connection that takes it.  Raises UnknownName."""
        generation = self.hub.generations.current()
        through = connections(generation.settings, self.party).get(name)
        if through is None:
            raise UnknownName(
                f"nothing of yours takes {name} in the standard's words",
                what_zh=f"本单位没有按标准报送 {name} 的接入，不能在线录入",
                hint=f'ask the operator for a connection with dataset = "{name}"',
                hint_zh=f'请运维为本单位增加 dataset = "{name}" 的接入',
            )
        return generation.standard.dataset(name), through

    def faults(self, through: str, values: Mapping[str, str]) -> list[dict[str, Any]]:
        """Everything that is wrong with a record; nothing is kept."""
        judged = judge(self.hub, through, _body(values), "entry.json", "application/json")
        return [fault for one in judged["records"] for fault in one["findings"]]

    def hand_over(self, through: str, values: Mapping[str, str], form: str, mends: str = "") -> str:
        """Keep a record; the receipt's number.  The same form with the same content is kept once."""
        body = _body(values)
        kept = self.hub.intake.receive(
            HandOver(
                connection=through,
                external_id=f"entry-{form}-{sm3(body).hex()[:16]}" if form else "",
                name="在线录入.json",
                content_type="application/json",
                actor=self.by,
                lane="now",
                report_way=BY_HAND,
                mends=mends,
            ),
            [body],
        )
        return kept.receipt_no

    def of_receipt(self, receipt_no: str, row: int) -> tuple[str, dict[str, str]]:
        """Data set and values of one record as it was handed over.

        Raises UnknownName, or BadConfiguration when the content is no longer kept.
        """
        with self.hub.ledger.read() as connection:
            found = submissions.by_receipt(connection, receipt_no)
        if found is None or found.party != self.party or found.origin_id is not None:
            raise UnknownName(f"no receipt {receipt_no}", what_zh=f"没有回执 {receipt_no}")
        values = self._as_sent(found, row)
        self._looked("record_opened", found.dataset, {"receipt_no": receipt_no, "row": row})
        return found.dataset, values

    def _as_sent(self, found: Submission, row: int) -> dict[str, str]:
        with self.hub.generations.plans.lent() as plans:
            plan = plans.plan(self.hub.generations.current(), found.connection, found.dataset)
            _, chunks = open_records(LedgerPayload(self.hub.ledger, found, self.hub.seal), plan.read)
            first = 1
            for chunk in chunks:
                if row < first + chunk.count:
                    return _values(plan, chunk, row - first)
                first += chunk.count
        raise UnknownName(f"no record {row} in {found.receipt_no}", what_zh=f"{found.receipt_no} 没有第 {row} 条")

    def of_key(self, dataset: DataSet, key: Sequence[str]) -> dict[str, str]:
        """The present content of the party's own record.  Raises UnknownName, BadRecord, BadConfiguration."""
        if not all(key):
            raise BadRecord("give the whole key", what_zh="请填写完整的主键")
        hashed = key_hash(dataset.id, join_key(list(key)))
        with self.hub.ledger.read() as connection:
            mine = [one for one in heads.look_up(connection, [hashed]).get(hashed, ()) if one.party == self.party]
            here = [one for one in mine if one.operation != "d"]
            if not here:
                raise UnknownName(
                    f"no record of {dataset.id} of yours with this key",
                    what_zh=f"本单位没有主键相符的 {dataset.title} 记录",
                    hint="check the key",
                    hint_zh="请核对主键；退回的记录请从回执中改正",
                )
            place = connection.execute(
                select(record.c.chunk, record.c.idx).where(
                    record.c.month == month_of(here[0].submission_id),
                    record.c.submission_id == here[0].submission_id,
                    record.c.row_no == here[0].row_no,
                )
            ).one_or_none()
            if place is None or place.idx is None:
                raise UnknownName("its content is no longer kept", what_zh="内容已超过保留期")
            lines = Contents(self.hub.seal).of(connection, here[0].submission_id, place.chunk).lines
        self._looked("record_looked_at", dataset.id, {"key": hashed.hex()})
        return msgspec.json.decode(lines[place.idx], type=dict[str, str])

    def _looked(self, action: str, dataset: str, detail: dict[str, Any]) -> None:
        entry = journal.Entry(action, self.by, None, None, {"dataset": dataset, **detail})
        now = self.hub.clock.now()
        self.hub.ledger.write(lambda c: journal.append(c, [entry], now))


def stops(faults: Sequence[Mapping[str, Any]]) -> bool:
    """True when a record with these faults would come back."""
    return any(one["severity"] == str(Severity.ERROR) for one in faults)


def _body(values: Mapping[str, str]) -> bytes:
    return json.dumps([dict(values)], ensure_ascii=False, sort_keys=True).encode()


def _values(plan: Plan, chunk: LegacyChunk, at: int) -> dict[str, str]:
    """What one record says in the standard's words; the sender's own text where that could not be read."""
    columns = plan.program.run(chunk.columns, chunk.count).columns
    values = {}
    for element in plan.dataset.from_sender:
        value = (columns.get(element.id) or [""] * chunk.count)[at]
        if value == UNREADABLE:
            raw = (chunk.columns[n][at] for n in plan.program.fields_here(element.id, chunk.columns))
            value = next((text for text in raw if text), "")
        values[element.id] = value
    return values
