"""The first page: what needs a person now, and how everything stands."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from hub.api.console.visit import Page, Viewer
from hub.api.tasks import desk
from hub.facts import Facts
from hub.ledger.cases import Selection
from hub.needs import needs
from hub.settings import Settings
from standards.clock import local_text
from standards.states import word

router = APIRouter(route_class=Page)


@router.get("")
@router.get("/")
def overview(visit: Viewer) -> Response:
    """What needs a person now, and how everything stands."""
    hub = visit.hub
    facts = Facts(hub.ledger, hub.clock)
    settings = hub.generations.current().settings
    status = facts.status()
    found = needs(
        status=status if not visit.party else {"destinations": {}, "submissions": {}},
        cases=hub.cases().groups(Selection(visit.party)),
        tasks=[one for one in desk(hub).counts() if not visit.party or one["assignee"] == visit.party],
        titles={name: one.title for name, one in settings.parties.items()},
        datasets={one.id: one.title for one in hub.generations.current().standard},
        last_year=hub.deadlines.calendar.last_known_year() if not visit.party else 9999,
        now=hub.clock.now(),
    )
    mine = [n for n, c in settings.connections.items() if not visit.party or c.party == visit.party]
    seen = {one["connection"]: one for one in facts.connections()}
    nothing = dict.fromkeys(("read", "accepted", "rejected", "held", "duplicate", "delivered"), 0)
    return visit.page(
        "overview",
        "overview",
        at=local_text(hub.clock.now()),
        needs=found,
        destinations=_destinations(status, settings) if not visit.party else [],
        connections=[seen.get(name, {"connection": name, "last_at": "-", **nothing}) for name in mine],
    )


def _destinations(status: dict[str, Any], settings: Settings) -> list[dict[str, Any]]:
    found = []
    for name in settings.destinations:
        one = status["destinations"].get(name, {})
        backlog = one.get("backlog", {})
        oldest = min((state["oldest_at"] for state in backlog.values() if state["oldest_at"]), default="")
        state = str(one.get("state", "up"))
        found.append(
            {
                "name": name,
                "up": state == "up",
                "state": word(state),
                "backlog": sum(held["records"] for held in backlog.values()),
                "oldest": oldest,
                "last_success": one.get("last_success", ""),
                "reason": one.get("reason", ""),
            }
        )
    return found
