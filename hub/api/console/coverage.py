"""Coverage: data set by party with fill and validity, and element by element over a connection's newest records."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from hub import fill
from hub.api.access import may_use
from hub.api.console.visit import Page, ViewerOfRegion
from hub.coverage import of_ledger
from standards.clock import local

router = APIRouter(route_class=Page, prefix="/coverage")

#: Days the matrix looks back, and those a look into elements does; records it reads of them at most.
_DAYS, _LOOK, _RECORDS, _HAND_OVERS = 30, 31, 500, 12
#: More parties than these stand below each other instead of beside.
_BESIDE = 8


@router.get("")
def coverage(visit: ViewerOfRegion, days: Annotated[int, Query(ge=1, le=366)] = _DAYS) -> Response:
    """The matrix, from the daily counters; of a region its parties."""
    hub = visit.hub
    generation = hub.generations.current()
    with hub.ledger.read() as connection:
        found = fill.read(connection, generation, local(hub.clock.now()).date(), days, visit.party)
    found = [one for one in found if visit.scope(one.party)]
    titles = {one.id: (visit.language == "en" and one.title_en) or one.title for one in generation.standard}
    parties = {name: one.title for name, one in generation.settings.parties.items()}
    columns = sorted({one.party for one in found})
    return visit.page(
        "coverage",
        "coverage",
        cells=found,
        at={(one.party, one.dataset): one for one in found},
        columns=columns if len(columns) <= _BESIDE else [],
        datasets=sorted({one.dataset for one in found}),
        titles=titles,
        parties=parties,
        days=days,
        connections=[
            (name, one.title or name) for name, one in generation.settings.connections.items() if visit.scope(one.party)
        ],
    )


@router.get("/{connection}")
def elements(visit: ViewerOfRegion, connection: Annotated[str, Path(max_length=64)]) -> Response:
    """Element by element over the newest records; no values are shown."""
    hub = visit.hub
    may_use(hub, visit.holder, connection)
    since = local(hub.clock.now()).date() - timedelta(days=_LOOK)
    found: list[dict[str, Any]] = of_ledger(hub, [connection], since, _RECORDS, _HAND_OVERS)
    said = hub.generations.current().connection(connection)
    return visit.page("coverage_elements", "coverage", found=found, through=said.title or connection, most=_RECORDS)
