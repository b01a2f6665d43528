"""How well each data set of each party is filled, how much of it is valid: from the daily counters, cheap at any size.

Which element is never filled is told by hub.coverage, over the raw bytes of a few hand-overs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, func, select

from hub.generations import Generation
from hub.ledger.tables import tally
from standards.model import FilledBy

#: Something that must be given was empty.
EMPTY = "finding.10001"
_NAMES = ("read", "accepted", "rejected", "held", "duplicate", EMPTY)


@dataclass(frozen=True, slots=True)
class Cell:
    """One data set of one party in a span of days."""

    party: str
    dataset: str
    read: int
    accepted: int
    rejected: int
    held: int
    #: Values that had to be given and were not.
    empty: int
    #: Elements that every record must have.
    musts: int

    @property
    def fill(self) -> float | None:
        """Share of the values that had to be given and were; None when nothing was read."""
        wanted = self.read * self.musts
        return None if not wanted else max(0.0, 1 - self.empty / wanted)

    @property
    def validity(self) -> float | None:
        """Share of the judged records that were accepted; repeats count for neither side."""
        judged = self.accepted + self.rejected + self.held
        return None if not judged else self.accepted / judged


def cells(counts: Mapping[tuple[str, str, str], int], musts: Mapping[str, int]) -> list[Cell]:
    """The cells that have anything, the worst first.  Pure."""
    found = [
        Cell(
            party,
            dataset,
            counts[party, dataset, "read"],
            counts[party, dataset, "accepted"],
            counts[party, dataset, "rejected"],
            counts[party, dataset, "held"],
            counts[party, dataset, EMPTY],
            musts.get(dataset, 0),
        )
        for party, dataset in sorted({(one[0], one[1]) for one in counts})
    ]
    return sorted(found, key=lambda one: (1.0 if one.validity is None else one.validity, one.party, one.dataset))


def read(connection: Connection, generation: Generation, today: date, days: int, party: str = "") -> list[Cell]:
    """The cells of the last days; `party`: only its own."""
    since = (today - timedelta(days=days - 1)).isoformat()
    group = (tally.c.party, tally.c.dataset, tally.c.name)
    statement = select(*group, func.sum(tally.c.count)).where(
        tally.c.day >= since,
        tally.c.day <= today.isoformat(),
        tally.c.destination == "",
        tally.c.name.in_(_NAMES),
    )
    if party:
        statement = statement.where(tally.c.party == party)
    counts: Counter[tuple[str, str, str]] = Counter()
    for who, dataset, name, count in connection.execute(statement.group_by(*group)):
        counts[who, dataset, name] += int(count)
    musts = {
        one.id: sum(e.need == "must" and e.filled_by is FilledBy.SENDER for e in one.elements)
        for one in generation.standard
    }
    return cells(counts, musts)
