"""`/console` for operators and `/sender` for parties: pages made on the server, working without JavaScript."""

from __future__ import annotations

from fastapi import APIRouter

from hub.api.console import (
    account,
    alarms,
    audit,
    away,
    cases,
    coverage,
    entrance,
    entry,
    failures,
    flows,
    mending,
    mine,
    overview,
    people,
    receipt,
    reconciliations,
    records,
    replaying,
    reports,
    settled,
    standards,
    submissions,
    tasks,
    templates,
    told,
)
from hub.api.console.menu import MENUS

#: Pages of both rooms, and of one of them.
BOTH = (
    entrance,
    account,
    away,
    people,
    cases,
    tasks,
    submissions,
    receipt,
    records,
    reconciliations,
    coverage,
    standards,
    reports,
    told,
)
ONLY: dict[str, tuple[APIRouter, ...]] = {
    "console": (
        overview.router,
        replaying.router,
        cases.console,
        failures.router,
        mending.router,
        flows.console,
        records.console,
        reconciliations.console,
        settled.console,
        reports.console,
        alarms.console,
        audit.router,
    ),
    "sender": (mine.router, entry.router, templates.router),
}


def routers() -> list[tuple[str, APIRouter]]:
    """Every router of the pages with the room it stands in."""
    found = [(room, module.router) for room in MENUS for module in BOTH]
    return found + [(room, router) for room, more in ONLY.items() for router in more]
