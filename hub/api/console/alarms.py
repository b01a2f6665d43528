"""Alarms: what is wrong and who is at it, whether the ways are open, who is told; the operator's only."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Response
from fastapi.concurrency import run_in_threadpool

from hub.api.console.visit import Page, Viewer, Visit, acts
from standards.errors import HubError
from standards.rights import Right

console = APIRouter(route_class=Page)

#: Open alarms of a page: the grave and then the oldest.
_SHOWN = 200
Acts = Annotated[Visit, Depends(acts(Right.OPERATE))]


@console.get("/alarms")
def alarms(visit: Viewer) -> Response:
    """Open alarms, the ways with their canaries, the contacts, and what is over."""
    return visit.page("alarms", "alarms", **_shown(visit))


def _shown(visit: Visit) -> dict[str, Any]:
    desk = visit.hub.alarms()
    shown = desk.listed(_SHOWN)
    return {
        "open": shown,
        "further": max(0, desk.count() - len(shown)) if len(shown) == _SHOWN else 0,
        "over": desk.lately(50),
        "contacts": desk.contacts(),
        "ways": visit.hub.canaries().listed(),
        "zh": visit.language != "en",
    }


@console.post("/alarms")
def acknowledge(
    visit: Acts,
    alarm: Annotated[UUID, Form()],
    named: Annotated[str, Form(min_length=1, max_length=80)],
    note: Annotated[str, Form(max_length=1000)] = "",
) -> Response:
    """Somebody is at it."""
    visit.hub.alarms().acknowledge(alarm, str(visit.holder.id), named, note)
    return visit.back("alarms", visit.text("alarm_acknowledged"))


@console.post("/alarms/test")
async def test(visit: Acts, contact: Annotated[str, Form(max_length=64)]) -> Response:
    """A test message to a contact, now."""
    try:
        await run_in_threadpool(visit.hub.alarms().test, contact, str(visit.holder.id))
    except HubError as error:
        shown = await run_in_threadpool(_shown, visit)
        return visit.page("alarms", "alarms", error.status, wrong=visit.wrong(error), **shown)
    return visit.back("alarms", visit.text("alarm_tested"))
