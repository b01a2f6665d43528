"""The desk of reconciliations: what was compared, with drill-down; what differs is a case until both sides agree."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import groupby
from typing import Any
from uuid import UUID

import structlog
from sqlalchemy import Connection, Row

from hub.deadlines import Deadlines
from hub.dispatch.doors import open_door
from hub.generations import Generations
from hub.ledger import cases, journal, parcels, reconciliations
from hub.ledger.cases import Opening
from hub.ledger.engine import Ledger
from hub.ledger.reconciliations import KEPT, Outcome
from hub.reconciliation.centre import WAY as CENTRE
from hub.reconciliation.narrow import narrowed
from hub.reconciliation.neighbour import OverHttps, against_hub
from hub.reconciliation.sender import against_sender
from hub.reconciliation.statement import read
from standards.clock import Clock, local_text
from standards.digest import sm3
from standards.errors import BadConfiguration, HubError, UnknownName
from standards.ports import Destination, Transports
from standards.states import CaseClass

log = structlog.get_logger()

#: The ways of comparing, in Chinese.
WAYS = {"hub": "枢纽", "centre": "上级中心", "statement": "报送清单"}
KINDS = {"missing": "对方缺", "extra": "对方多", "differs": "不同"}
_NAMES = {
    "read": "报送量 read",
    "delivered": "送达量 delivered",
    "receipted": "确认量 receipted",
    "refused": "退回量 refused",
}
#: Of what is compared by counts.
COUNTS = "20006.counts"


@dataclass(slots=True)
class ReconciliationDesk:
    """Comparisons for people, and where they are kept."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    deadlines: Deadlines
    transports: Transports | None = None
    #: What changed in the last moments is under way; None: as the settings say.
    watermark: timedelta | None = None

    def listed(self, party: str = "", limit: int = 100) -> list[dict[str, Any]]:
        """What was compared, the newest first; a party sees what concerns its own data."""
        with self.ledger.read() as connection:
            return [_told(row) for row in reconciliations.listed(connection, party, limit)]

    def one(self, identifier: UUID, party: str = "") -> dict[str, Any]:
        """A comparison with the records that differ, bucket by bucket; a party sees its own.  Raises UnknownName."""
        with self.ledger.read() as connection:
            row = reconciliations.one(connection, identifier, party)
            if row is None:
                raise UnknownName(f"no reconciliation {identifier}", what_zh=f"没有对账记录 {identifier}")
            found = reconciliations.differences(connection, identifier, party)
        buckets = [
            {"bucket": number, "keys": [_difference(one) for one in rows]}
            for number, rows in groupby(found, key=lambda one: one.bucket)
        ]
        return {**_told(row), "kept": len(found), "buckets": buckets}

    def with_hub(self, destination: str, datasets: Sequence[str] = (), by: str = "hub") -> list[dict[str, Any]]:
        """Compare what was delivered to a hub with what it holds, data set by data set; each with what differs.

        Raises UnknownName, BadConfiguration when no hub stands behind the destination, and what its door raises.
        """
        door = self._door(destination)
        watermark = self.watermark
        if watermark is None:
            watermark = self.generations.current().settings.reconciliation.watermark
        try:
            other = OverHttps(door)
            with self.ledger.read() as connection:
                wanted = list(datasets) or parcels.datasets_to(connection, destination)
            kept = []
            for dataset in wanted:
                found = against_hub(self.ledger, other, destination, dataset, self.clock.now(), watermark)
                kept.append(self.one(self.keep(self._with_parties(found), by)))
            return kept
        finally:
            door.close()

    def narrowed(self, one: Outcome) -> Outcome:
        """With the records that differ, where the destination can be asked for them now."""
        try:
            door = open_door(self.generations.current(), one.counterpart, self.transports)
        except (HubError, KeyError):
            return one
        try:
            with self.ledger.read() as connection:
                return narrowed(connection, door, one)
        except HubError as error:
            log.warning(
                "a centre could not be asked for records", action="reconciliation_failed", to=one.counterpart,
                why=error.what,
            )  # fmt: skip
            return one
        finally:
            door.close()

    def _door(self, destination: str) -> Destination:
        generation = self.generations.current()
        told = generation.settings.destinations.get(destination)
        if told is None:
            raise UnknownName.of("destination", "投递目标", destination, generation.settings.destinations)
        if told.adapter != "hub":
            raise BadConfiguration(
                f"{destination} is no hub",
                what_zh=f"{destination} 不是枢纽，不能逐条对账",
                hint='adapter = "hub"; a centre tells its counts in reconciliation_report',
                hint_zh='adapter = "hub"；上级中心通过 reconciliation_report 对账',
            )
        return open_door(generation, destination, self.transports)

    def _with_parties(self, one: Outcome) -> Outcome:
        """What is only there has no party here: it is that of its owner."""
        parties = {p.code: name for name, p in self.generations.current().settings.parties.items()}
        named = [d if d.party else replace(d, party=parties.get(d.owner, "")) for d in one.differences]
        return replace(one, differences=named)

    def with_sender(self, party: str, body: bytes, name: str, content_type: str, by: str) -> list[dict[str, Any]]:
        """Compare a sender's statement with what was read here; each data set and period with what differs.

        Raises UnknownName (no such party), UnreadablePayload, BadRecord with the lines that cannot be understood.
        """
        generation = self.generations.current()
        settings = generation.settings.parties.get(party)
        if settings is None:
            raise UnknownName.of("party", "接入方", party, generation.settings.parties)
        stated = read(body, name, content_type, generation.standard)
        with self.ledger.read() as connection:
            found = [against_sender(connection, party, settings.code, one) for one in stated]
        return [self.one(self.keep(one, by)) for one in found]

    def keep(self, one: Outcome, by: str) -> UUID:
        """Write it down; what differs is a case 报送不一致, and what agrees again is one no more."""
        now = self.clock.now()

        def work(connection: Connection) -> UUID:
            identifier = reconciliations.add(connection, one, by, now)
            self._cases(connection, one)
            detail = {
                "id": str(identifier),
                "way": one.way,
                "counterpart": one.counterpart,
                "party": one.party,
                "dataset": one.dataset,
                "period": [str(one.begin), str(one.end)] if one.begin else None,
                "agrees": one.same,
                "missing": one.missing,
                "extra": one.extra,
                "differs": one.differs,
                "under_way": one.under_way,
            }
            journal.append(connection, [journal.Entry("reconciled", by, None, None, detail)], now)
            return identifier

        return self.ledger.write(work)

    def _cases(self, connection: Connection, one: Outcome) -> None:
        now = self.clock.now()
        destination = "" if one.way == "statement" else one.counterpart
        openings = [
            Opening(
                class_=CaseClass.INCONSISTENT,
                party=d.party,
                code=f"20006.{d.kind}",
                dataset=one.dataset,
                owner=d.owner,
                key_hash=d.key,
                destination=destination,
                period_begin=one.begin,
                period_end=one.end,
            )
            for d in one.differences[:KEPT]
        ]
        # Of a centre that cannot be asked for records, only agreeing counts say that each is there.
        told = one.way != CENTRE or one.same or one.differences
        if told and len(one.differences) < KEPT:
            self._close_agreeing(connection, one, destination)
        if one.begin is not None:
            key = counted_key(one)
            known = cases.known_keys(connection, CaseClass.INCONSISTENT, [key]).get(key)
            if one.same and known is not None and known[1]:
                cases.close_ids(connection, [known[0]], "data", now)
            if not one.same:
                openings.append(
                    Opening(
                        class_=CaseClass.INCONSISTENT,
                        party=one.party,
                        code=COUNTS,
                        dataset=one.dataset,
                        key_hash=key,
                        destination=destination,
                        note=note_of(one),
                        period_begin=one.begin,
                        period_end=one.end,
                    )
                )
        if openings:
            cases.open_many(connection, openings, self.deadlines(now), now)

    def _close_agreeing(self, connection: Connection, one: Outcome, destination: str) -> None:
        """Records of this comparison that differed and do so no more."""
        still = {(d.key, d.owner) for d in one.differences}
        found = cases.open_of(
            connection, CaseClass.INCONSISTENT, "20006.", dataset=one.dataset, destination=destination, begin=one.begin,
            end=one.end, keyless=COUNTS, party=one.party,
        )  # fmt: skip
        agreeing = [identifier for identifier, key, owner in found if (key, owner) not in still]
        cases.close_ids(connection, agreeing, "data", self.clock.now())


def counted_key(one: Outcome) -> bytes:
    """What stands for a counterpart, a party, a data set and a period among the keys of cases."""
    words = ("reconciled", one.way, one.counterpart, one.party, one.dataset, str(one.begin), str(one.end))
    return sm3("\x1f".join(words).encode())[:16]


def note_of(one: Outcome) -> str:
    """What a period's case says: both numbers of all that differs."""
    period = str(one.begin) if one.begin == one.end else f"{one.begin} – {one.end}"
    told = [
        f"{_NAMES.get(name, name)}：本方 {one.ours.get(name, '-')}，对方 {value}"
        for name, value in one.theirs.items()
        if one.ours.get(name) != value and name in _NAMES
    ]
    return f"{period} {one.counterpart} " + ("；".join(told) or "明细不一致 the detail differs")


def _told(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": str(row.id),
        "at": local_text(row.at),
        "by": row.by,
        "way": row.way,
        "way_zh": WAYS[row.way],
        "counterpart": row.counterpart,
        "party": row.party,
        "dataset": row.dataset,
        "period": [str(row.period_begin), str(row.period_end)] if row.period_begin else None,
        "agrees": row.agrees,
        "ours": json.loads(row.ours),
        "theirs": json.loads(row.theirs),
        "missing": row.missing,
        "extra": row.extra,
        "differs": row.differs,
        "under_way": row.under_way,
        "bytes": row.bytes,
        "seconds": round(row.millis / 1000, 3),
    }


def _difference(row: Row[Any]) -> dict[str, Any]:
    return {
        "kind": row.kind,
        "kind_zh": KINDS[row.kind],
        "cd_id": row.cd_id,
        "owner": row.owner,
        "party": row.party,
        "key": row.key_hash.hex(),
    }
