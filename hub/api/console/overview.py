"""The operator's first page: what needs a person now, today against the usual, and the map of flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from fastapi import APIRouter, Response

from hub.api.console.flows import flows_of
from hub.api.console.visit import Page, ViewerOfRegion, Visit
from hub.api.tasks import desk
from hub.flows.standing import age
from hub.needs import needs
from standards.clock import local_text

router = APIRouter(route_class=Page)

#: Needs on the first page; the others are one click away.
_SHOWN = 12
_MINUTE = "60"
#: Who is confined to a region puts no calendar in.
_SOMEBODY_ELSES = 9999


@router.get("")
@router.get("/")
def overview(visit: ViewerOfRegion, all: bool = False, watch: bool = False) -> Response:
    """In five seconds: is it healthy, and if not, what to do first; `watch`: for a screen on the wall."""
    hub = visit.hub
    generation = hub.generations.current()
    seen = flows_of(visit).everything(visit.language, None if visit.whole else visit.scope)
    ways = hub.canaries().listed() if visit.whole else []
    found, count = needs(
        status=seen["status"],
        causes=seen["causes"],
        tasks=[one for one in desk(hub).counts() if visit.whole or visit.scope(one["assignee"])],
        titles={name: one.title for name, one in generation.settings.parties.items()},
        datasets={one.id: one.title for one in generation.standard},
        last_year=hub.deadlines.calendar.last_known_year() if visit.whole else _SOMEBODY_ELSES,
        now=hub.clock.now(),
        canaries=ways,
        most=None if all else _SHOWN,
    )
    page = visit.page(
        "overview",
        "overview",
        at=local_text(hub.clock.now()),
        needs=found,
        count=count,
        lines=seen["lines"],
        figures=seen["figures"],
        canary=_slowest(ways, visit),
        watched=watch,
    )
    if watch:
        page.headers["refresh"] = _MINUTE
    return page


def _slowest(ways: Sequence[Mapping[str, Any]], visit: Visit) -> dict[str, Any] | None:
    """The way whose last canary is the oldest; None where there are none yet."""
    known = [one for one in ways if one["age_seconds"] is not None]
    if not known:
        return None
    one = max(known, key=lambda way: float(way["age_seconds"]))
    span = timedelta(seconds=one["age_seconds"])
    return {"late": any(way["late"] for way in known), "age": f"{age(span, visit.language)} · {one['way']}"}
