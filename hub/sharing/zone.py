"""Destinations with `shared = true`: only what grants allow leaves for them, record by record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from hub.generations import Generation
from hub.ledger import grants
from hub.ledger.grants import Grant
from hub.sharing.allowed import Opened
from hub.sharing.desk import open_by_owner
from hub.zones import Zone, zone_of
from standards.model import DataSet
from standards.parcel import ParcelRecord

_VALUES = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, slots=True)
class Shared:
    """One data set on its way to a receiver of shared data."""

    opened: Opened

    def may_go(self, owner: str, content: bytes) -> bool:
        """Whether any grant opens this record."""
        return bool(self.opened.elements(owner, _VALUES.decode(content)))

    def only(self, record: ParcelRecord, owner: str) -> ParcelRecord:
        """The record with what may be seen."""
        seen = self.opened.only(record, owner)
        assert seen is not None, "may_go was asked before"
        return seen


def zone_for(
    connection: Connection, generation: Generation, destination: str, dataset: DataSet, now: datetime
) -> Zone | Shared | None:
    """What of a data set may leave to a destination now; None: everything."""
    told = generation.settings.destinations.get(destination)
    if told is None or not told.shared:
        return zone_of(generation.settings, destination, dataset)
    mine = grants.find(connection, receiver=told.party, dataset=dataset.id)
    codes = {name: party.code for name, party in generation.settings.parties.items()}
    return Shared(Opened(dataset, open_by_owner(mine, codes, now)))


def subscribed_rows(
    found: Sequence[Grant],
    codes: Mapping[str, str],
    dataset: DataSet,
    columns: Mapping[str, list[str]],
    rows: Sequence[int],
    owner: Callable[[int], str],
) -> dict[str, list[int]]:
    """Rows of a chunk that go to the destinations of subscriptions."""
    ways: dict[str, list[int]] = {}
    for one in found:
        opened = Opened(dataset, {codes[one.owner]: [one]} if one.owner in codes else {})
        for row in rows:
            values = {name: column[row] for name, column in columns.items()} if one.rule else {}
            if opened.elements(owner(row), values):
                ways.setdefault(one.subscribed, []).append(row)
    return ways
