"""The other hub, asked over its door; and reconciliation by the name of a destination."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from hub.dispatch.doors import open_door
from hub.ledger import parcels
from hub.reconcile import Entry, Reconciled, Reconciler
from standards.errors import BadConfiguration, UnknownName
from standards.ports import Destination, Transports

#: What changed in the last moments is under way.
_WATERMARK = timedelta(seconds=30)


@dataclass(slots=True)
class Neighbour:
    """Implements hub.reconcile.Other over HTTPS; counts the bytes that were exchanged."""

    door: Any
    exchanged: int = 0

    def buckets(self, dataset: str) -> dict[int, str]:
        """Its buckets of what we reported."""
        said = self._ask("buckets", {"dataset": dataset})
        return {int(number): text for number, text in said["buckets"].items()}

    def keys(self, dataset: str, buckets: Sequence[int], since: datetime) -> list[Entry]:
        """Its records of some buckets."""
        said = self._ask("keys", {"dataset": dataset, "buckets": list(buckets), "since": since.isoformat()})
        return [Entry(key, owner, revision, cd_id, young) for key, owner, revision, cd_id, young in said["keys"]]

    def _ask(self, what: str, body: dict[str, Any]) -> Any:
        said = self.door.ask(f"reconciliations/{what}", body)
        self.exchanged += len(str(body)) + len(str(said))
        return said


def reconcile(
    desk: Reconciler, destination: str, datasets: Sequence[str] = (), transports: Transports | None = None, by: str = ""
) -> list[dict[str, Any]]:
    """Compare what was delivered to a hub with what it holds, data set by data set.

    Raises UnknownName, BadConfiguration when no hub stands behind the destination.
    """
    generation = desk.generations.current()
    told = generation.settings.destinations.get(destination)
    if told is None:
        known = ", ".join(generation.settings.destinations)
        raise UnknownName(f"no destination {destination}", what_zh=f"没有投递目标 {destination}", hint=known)
    if told.adapter != "hub":
        raise BadConfiguration(
            f"{destination} is no hub", what_zh=f"{destination} 不是枢纽，不能逐条对账", hint='adapter = "hub"'
        )
    door: Destination = open_door(generation, destination, transports)
    try:
        other = Neighbour(door)
        since = desk.clock.now() - _WATERMARK
        with desk.ledger.read() as connection:
            wanted = list(datasets) or parcels.datasets_to(connection, destination)
        found = []
        for dataset in wanted:
            before = other.exchanged
            one: Reconciled = desk.run(other, destination, dataset, since, by or "hub")
            found.append({**one.told(), "bytes": other.exchanged - before})
        return found
    finally:
        door.close()
