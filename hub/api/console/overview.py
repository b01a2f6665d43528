"""The first page: what needs a person now, and how everything stands."""

from __future__ import annotations

from fastapi import APIRouter, Response

from hub.api.console.glance import glance
from hub.api.console.visit import Page, ViewerOfRegion
from hub.api.tasks import desk
from hub.facts import Facts
from hub.ledger.cases import Selection
from hub.needs import needs
from standards.clock import local_text

router = APIRouter(route_class=Page)


@router.get("")
@router.get("/")
def overview(visit: ViewerOfRegion, all: bool = False, watch: bool = False) -> Response:
    """What needs a person now, and how everything stands."""
    if visit.whole:
        return glance(visit, all, watch)
    hub = visit.hub
    facts = Facts(hub.ledger, hub.clock)
    settings = hub.generations.current().settings
    found = needs(
        status={"destinations": {}, "submissions": {}},
        cases=[one for one in hub.cases().groups(Selection(visit.party)) if visit.scope(one["party"])],
        tasks=[one for one in desk(hub).counts() if visit.scope(one["assignee"])],
        titles={name: one.title for name, one in settings.parties.items()},
        datasets={one.id: one.title for one in hub.generations.current().standard},
        last_year=9999,
        now=hub.clock.now(),
    )
    mine = [n for n, c in settings.connections.items() if visit.scope(c.party)]
    seen = {one["connection"]: one for one in facts.connections()}
    nothing = dict.fromkeys(("read", "accepted", "rejected", "held", "duplicate", "delivered"), 0)
    return visit.page(
        "overview",
        "overview",
        at=local_text(hub.clock.now()),
        needs=found,
        destinations=[],
        connections=[seen.get(name, {"connection": name, "last_at": "-", **nothing}) for name in mine],
    )
