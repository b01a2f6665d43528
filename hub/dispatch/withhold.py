"""What may no longer leave: its owner took the release back, or its grant ended, while it waited."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import structlog

from hub.dispatch.build import Line
from hub.ledger import parcels
from hub.ledger.engine import Ledger
from hub.ledger.parcels import StoredParcel
from hub.sharing.zone import Shared
from hub.zones import Zone
from standards.states import DeliveryState

log = structlog.get_logger()


def going(zone: Zone | Shared | None, lines: Sequence[Line], content: Callable[[int], bytes]) -> list[Line]:
    """The records of a parcel that may go; all of them where nothing bounds what leaves.  `content`: of an index."""
    if isinstance(zone, Shared):
        return [line for line in lines if zone.may_go(line.owner, content(line.idx))]
    return [line for line in lines if zone is None or zone.may_go(line.owner, line.operation)]


def withhold(ledger: Ledger, stored: StoredParcel, lines: Sequence[Line], sent: Sequence[Line]) -> None:
    """Write down which records stay here for good."""
    kept = {line.row_no for line in sent}
    places = [(stored.submission_id, line.row_no) for line in lines if line.row_no not in kept]
    if places:
        ledger.write(lambda c: parcels.mark_deliveries(c, places, stored.destination, DeliveryState.WITHHELD))
        log.info("not released", action="withheld", destination=stored.destination, count=len(places))
