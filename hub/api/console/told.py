"""Who was told what, and who may see and saw whose data."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Response

from hub.api.console.visit import Page, Viewer, Visit
from hub.ledger.notices import ABOVE, OPERATOR, find
from standards.clock import local_text

router = APIRouter(route_class=Page)


@router.get("/sharing")
def sharing(visit: Viewer) -> Response:
    """Grants, and who looked."""
    found = visit.hub.sharing()
    return visit.page("sharing", "sharing", grants=found.grants(visit.party), looks=found.looks(visit.party))


@router.get("/notices")
def notices(visit: Viewer) -> Response:
    """Who was told what."""
    whom = (visit.party,) if visit.party else (OPERATOR, ABOVE)
    with visit.hub.ledger.read() as connection:
        found = find(connection, whom, limit=200)
    return visit.page("notices", "notices", rows=[_notice(visit, one) for one in found])


def _notice(visit: Visit, one: dict[str, Any]) -> dict[str, Any]:
    return {**one, "at": local_text(one["at"]), "said": visit.text(f"says_{one['says']}")}
