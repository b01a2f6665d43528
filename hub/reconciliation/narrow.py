"""From a day's counts to its records: a centre that can be asked tells which of them it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any

from sqlalchemy import Connection

from hub.ledger.reconciliations import KEPT, Difference, Outcome
from hub.reconciliation.buckets import bucket_of
from hub.reconciliation.figures import newest_taken
from standards.ports import Destination, Holding

#: Records asked about in one question.
ASKED = 1000


def narrowed(connection: Connection, door: Destination, one: Outcome) -> Outcome:
    """A comparison of a day that does not agree, with the records that the centre took and has no more.

    What it has beyond ours its tables do not tell; deletions are left out, for it may keep their rows or not.
    """
    if not isinstance(door, Holding) or one.begin is None or one.end is None:
        return one
    missing = 0
    found: list[Difference] = []
    rows = newest_taken(connection, one.begin, one.end, one.counterpart, (one.party, one.dataset))
    for part in _parts(row for row in rows if row.operation != "d"):
        there = door.holding(one.dataset, [row.cd_id for row in part])
        if there is None:
            return one
        lacking = [row for row in part if row.cd_id not in there]
        missing += len(lacking)
        found += [
            Difference("missing", row.cd_id, row.owner, bytes(row.key_hash), bucket_of(bytes(row.key_hash)), row.party)
            for row in lacking[: max(0, KEPT - len(found))]
        ]
    found.sort(key=lambda d: (d.bucket, d.cd_id))
    return replace(one, missing=missing, differences=found)


def _parts(rows: Iterator[Any]) -> Iterator[Sequence[Any]]:
    while part := list(islice(rows, ASKED)):
        yield part
