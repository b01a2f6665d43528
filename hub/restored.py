"""After an older copy of the ledger was put back: no number that was given out since then is given out again.

Receipt numbers and batch numbers run by day.  A hub that goes on from the copy would give today's once more: two
hand-overs would have one receipt, and a receiver would take a new batch for a repeat of one that it has.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from hub.facts import Facts
from hub.ledger import journal, numbers
from hub.ledger.engine import Ledger
from hub.ledger.tables import journal as journal_table
from hub.ledger.tables import number
from standards.clock import SHANGHAI, Clock, local_text

RECEIPT = "receipt"
#: More than a hub gives out on one day: receipts, and batches of one provider, whose numbers have five digits.
_RECEIPTS, _BATCHES = 500_000, 50_000


@dataclass(frozen=True, slots=True)
class Restored:
    """What an operator must know after a restore."""

    #: The newest thing that the ledger knows of.
    ends_at: str
    #: The first receipt number from now on.
    receipt_no: str
    #: Series of batch numbers that go on higher.
    batches: int
    #: By connection: what came last, as far as the ledger knows.
    connections: Sequence[dict[str, Any]]


def go_on(ledger: Ledger, clock: Clock, by: str, providers: Iterable[str] = ()) -> Restored:
    """Let today's numbers go on far above those of the copy; it is written into the journal.  The hub stands still.

    `providers`: codes of all who may provide; the copy does not know those who began after it was made.
    """
    now = clock.now()
    day = now.astimezone(SHANGHAI).strftime("%Y%m%d")

    def work(connection: Connection) -> tuple[datetime | None, int, int]:
        ends = connection.execute(select(journal_table.c.at).order_by(journal_table.c.id.desc()).limit(1)).scalar()
        series = {RECEIPT, *map(numbers.batches_of, providers)}
        series |= set(connection.execute(select(number.c.series).distinct()).scalars())
        for one in sorted(series):
            least = numbers.peek(connection, one, day) + (_RECEIPTS if one == RECEIPT else _BATCHES)
            numbers.raise_to(connection, one, day, least)
        first = numbers.peek(connection, RECEIPT, day)
        detail = {"ends_at": local_text(ends), "receipts_from": first, "batches": len(series) - 1}
        journal.append(connection, [journal.Entry("ledger_restored", by, detail=detail)], now)
        return ends, first, len(series) - 1

    ends, first, batches = ledger.write(work)
    known = [{"connection": one["connection"], "last_at": one["last_at"]} for one in Facts(ledger, clock).connections()]
    return Restored(local_text(ends), numbers.receipt_number(day, first), batches, known)
