"""Handed in again: which receipt mends which, and which of the earlier faults are gone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from hub.ledger import submissions
from hub.ledger.journal import Entry
from hub.ledger.submissions import Submission
from hub.ledger.tables import finding, journal, record
from hub.ledger.types import month_of
from standards.errors import UnknownName
from standards.model import Severity

#: Written at the earlier hand-over and at the later one.
MENDED, MENDS = "handed_in_again", "mends"
#: Faulty records of a hand-over that are compared.
_MOST = 5000

#: Element and code of a fault.
Fault = tuple[str, str]


def entries(connection: Connection, new: Submission, earlier_no: str, actor: str) -> list[Entry]:
    """What the journal says at both ends of the link.  Raises UnknownName when the party has no such receipt."""
    earlier = submissions.by_receipt(connection, earlier_no)
    if earlier is None or earlier.party != new.party:
        raise UnknownName(f"no receipt {earlier_no}", what_zh=f"没有回执 {earlier_no}")
    return [
        Entry(MENDED, actor, earlier.id, None, {"receipt_no": new.receipt_no}),
        Entry(MENDS, actor, new.id, None, {"receipt_no": earlier.receipt_no}),
    ]


def links(connection: Connection, identifier: UUID) -> tuple[list[str], list[str]]:
    """The receipts that a hand-over mends, and those that mend it."""
    found: dict[str, list[str]] = {MENDS: [], MENDED: []}
    rows = connection.execute(
        select(journal.c.action, journal.c.detail)
        .where(journal.c.submission_id == identifier, journal.c.action.in_((MENDS, MENDED)))
        .order_by(journal.c.id)
    )
    for action, detail in rows:
        found[action].append(json.loads(detail)["receipt_no"])
    return found[MENDS], found[MENDED]


@dataclass(frozen=True, slots=True)
class Faulty:
    """A faulty record of a hand-over."""

    row: int
    key: bytes | None
    place: str
    faults: frozenset[Fault]


@dataclass(slots=True)
class Compared:
    """What became of the earlier faults."""

    #: Faults of records that came again, without them.
    gone: int = 0
    #: Earlier record and its faults that are still there.
    still: list[tuple[Faulty, frozenset[Fault]]] = field(default_factory=list)
    #: Earlier records that did not come again.
    missing: list[Faulty] = field(default_factory=list)
    #: Faults that were not there before.
    new: int = 0


def compare(earlier: list[Faulty], later: Mapping[bytes | int, frozenset[Fault]], same_file: bool) -> Compared:
    """Pure.  `later`: the faults of each later record by key and, `same_file`, also by its number."""
    done = Compared()
    for one in earlier:
        now = later.get(one.key) if one.key is not None else None
        if now is None and same_file:
            now = later.get(one.row)
        if now is None:
            done.missing.append(one)
            continue
        done.gone += len(one.faults - now)
        done.new += len(now - one.faults)
        if left := one.faults & now:
            done.still.append((one, left))
    return done


def compared(connection: Connection, earlier: Submission, later: Submission) -> Compared:
    """What became of the faults of a hand-over in the one that mends it."""
    before = faulty(connection, earlier)
    keys = {one.key for one in before if one.key is not None}
    same_file = earlier.read == later.read
    held: dict[bytes | int, frozenset[Fault]] = {}
    faults = {one.row: one.faults for one in faulty(connection, later)}
    rows = connection.execute(
        select(record.c.row_no, record.c.key_hash).where(
            record.c.month == later.month, record.c.submission_id == later.id
        )
    )
    for row_no, key in rows:
        if same_file:
            held[row_no] = faults.get(row_no, frozenset())
        if key is not None and bytes(key) in keys:
            held[bytes(key)] = faults.get(row_no, frozenset())
    return compare(before, held, same_file)


def faulty(connection: Connection, one: Submission) -> list[Faulty]:
    """Its records with faults that stopped them."""
    rows = connection.execute(
        select(finding.c.row_no, finding.c.element, finding.c.code, record.c.key_hash, record.c.place)
        .join(
            record,
            (record.c.month == finding.c.month)
            & (record.c.submission_id == finding.c.submission_id)
            & (record.c.row_no == finding.c.row_no),
        )
        .where(
            finding.c.month == month_of(one.id),
            record.c.month == month_of(one.id),
            finding.c.submission_id == one.id,
            finding.c.row_no > 0,
            finding.c.severity != str(Severity.WARNING),
            finding.c.level == "",
        )
        .order_by(finding.c.row_no, finding.c.no)
        .limit(_MOST)
    )
    found: dict[int, dict[str, Any]] = {}
    for row_no, element, code, key, place in rows:
        held = found.setdefault(row_no, {"key": bytes(key) if key is not None else None, "place": place, "faults": []})
        held["faults"].append((element, code))
    return [Faulty(row, held["key"], held["place"], frozenset(held["faults"])) for row, held in found.items()]
