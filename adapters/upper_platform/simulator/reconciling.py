"""A simulated centre's reports down: what it holds of each organisation, data set and day, in dn_data_reconciliation.

Ours, which came up into up_data_reconciliation, are what `result` compares with: 1 agrees, 2 differs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Column,
    Connection,
    Date,
    DateTime,
    Integer,
    MetaData,
    String,
    Table,
    delete,
    func,
    insert,
    select,
)

from adapters.table.writing import chunks
from adapters.upper_platform.simulator.stores import RIGHT, WRONG, Books, Stores
from standards.digest import sm3
from standards.model import DataSet, Kind

REPORT = "reconciliation_report"
DOWN = "dn_data_reconciliation"
_TYPES = {Kind.DATE: Date, Kind.DATETIME: DateTime, Kind.INT: Integer}


@dataclass(slots=True)
class Held:
    """What the centre holds of one organisation, data set and day."""

    counts: dict[str, int] = field(default_factory=dict)
    lines: list[bytes] = field(default_factory=list)

    def figures(self) -> dict[str, int]:
        """As a report says them."""
        front, right = sum(self.counts.values()), self.counts.get(RIGHT, 0)
        return {
            "front_count": front,
            "standard_count": front,
            "right_count": right,
            "wrong_count": self.counts.get(WRONG, 0),
            "delivered_count": front,
            "acked_count": right,
        }


def down_table(report: DataSet, metadata: MetaData, prefix: str) -> Table:
    """The table an organisation reads the centre's reports from."""
    columns = [
        Column(
            e.id,
            _TYPES[e.type]() if e.type in _TYPES else String(e.max or 100),
            primary_key=e.id in report.natural_key,
            nullable=False,
        )
        for e in report.elements
    ]
    return Table(f"{prefix}{DOWN}", metadata, *columns)


def write(connection: Connection, down: Table, stores: Mapping[str, Stores], org: str, day: date, now: datetime) -> int:
    """The reports of a day for one organisation that delivers; those of before are replaced.  How many."""
    told = _told_up(connection, stores.get(REPORT), org, day)
    found = {
        (code, name): held
        for name, one in stores.items()
        if name != REPORT and "submitted_date" in one.elements
        for code, held in _held(connection, one, org, day).items()
    }
    rows = []
    for code, dataset in sorted(found.keys() | told.keys()):
        held = found.get((code, dataset), Held())
        figures = held.figures()
        theirs = told.get((code, dataset))
        same = theirs is None or theirs == (figures["delivered_count"], figures["acked_count"])
        rows.append(
            {
                "report_no": f"DN{day:%Y%m%d}-{sm3(f'{org}|{code}|{dataset}'.encode()).hex()[:24]}",
                "direction": "dn",
                "dataset": dataset,
                "org_code": code,
                "data_date": day,
                **figures,
                "digest": sm3(b"".join(sorted(held.lines))).hex(),
                "result": "1" if same else "2",
                "report_time": now,
            }
        )
    if rows:
        numbers = [row["report_no"] for row in rows]
        connection.execute(delete(down).where(down.c.report_no.in_(numbers)))
        connection.execute(insert(down), rows)
    return len(rows)


def _held(connection: Connection, one: Stores, org: str, day: date) -> dict[str, Held]:
    """By the credit code of the organisation whose records they are."""
    found: defaultdict[str, Held] = defaultdict(Held)
    m, b = one.merged.c, one.base.c
    of_day = (m.sim_org == org, func.substr(m.submitted_date, 1, 10) == day.isoformat())
    asked = select(m.provider_code, m.sim_verdict, func.count()).where(*of_day).group_by(m.provider_code, m.sim_verdict)
    for code, verdict, number in connection.execute(asked):
        found[code].counts[verdict] = number
    passed = select(b.provider_code, b.cd_id, b.content_digest).where(
        b.sim_org == org, func.substr(b.submitted_date, 1, 10) == day.isoformat()
    )
    for code, cd_id, digest in connection.execute(passed):
        found[code].lines.append(f"{cd_id}\x1f{digest}\n".encode())
    return dict(found)


def _told_up(connection: Connection, reports: Stores | None, org: str, day: date) -> dict[tuple[str, str], Any]:
    """What reports that came up say of a day: delivered and confirmed."""
    if reports is None:
        return {}
    b = reports.base.c
    asked = select(b.org_code, b.dataset, b.delivered_count, b.acked_count).where(
        b.sim_org == org, b.data_date == day.isoformat(), b.direction == "up"
    )
    return {(row[0], row[1]): (int(row[2]), int(row[3])) for row in connection.execute(asked)}


def lose(connection: Connection, one: Stores, books: Books, cd_ids: Iterable[str]) -> int:
    """Records the centre took and has no more: gone from its stores, while their front-end rows stay.  How many."""
    gone = 0
    for some in chunks(list(cd_ids)):
        connection.execute(delete(one.base).where(one.base.c.cd_id.in_(some)))
        gone += connection.execute(delete(one.merged).where(one.merged.c.cd_id.in_(some))).rowcount
        s = books.stored
        connection.execute(delete(s).where(s.c.dataset == one.dataset.id, s.c.cd_id.in_(some)))
    return gone
