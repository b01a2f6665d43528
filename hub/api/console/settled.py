"""What the settings say: parties with their connections and stages, and the adapters; to be looked at only."""

from __future__ import annotations

from fastapi import APIRouter, Response

from adapters import registry
from hub import onboarding
from hub.api.console.visit import Page, Viewer
from standards.errors import HubError

console = APIRouter(route_class=Page)


@console.get("/parties")
def parties(visit: Viewer) -> Response:
    """Every party with its administrators, and how far each of its connections has come."""
    generation = visit.hub.generations.current()
    stages = onboarding.stages(generation, visit.hub.ledger)
    english = visit.language == "en"
    standard = {one.id: (english and one.title_en) or one.title for one in generation.standard}
    shown = []
    for name, one in generation.settings.parties.items():
        mine = [
            {**row, "title": generation.settings.connections[row["connection"]].title or row["connection"]}
            for row in stages
            if row["party"] == name
        ]
        shown.append({"name": name, "said": one, "connections": mine})
    counts = {stage: sum(row["stage"] == stage for row in stages) for stage in onboarding.STAGES}
    return visit.page(
        "parties",
        "parties",
        rows=shown,
        counts=counts,
        stages=onboarding.STAGES,
        titles=standard,
        number_=generation.number,
    )


@console.get("/adapters")
def adapters(visit: Viewer) -> Response:
    """Every adapter that is installed, which way it works, and what uses it."""
    settings = visit.hub.generations.current().settings
    shown = []
    for name in registry.names():
        used = [("from", n) for n, c in settings.connections.items() if c.adapter == name]
        used += [("to", n) for n, d in settings.destinations.items() if d.adapter == name]
        try:
            found = registry.load(name)
        except HubError as error:
            wrong = error.what if visit.language == "en" else error.what_zh
            shown.append({"name": name, "title": "", "kind": "", "ways": [], "used": used, "wrong": wrong})
            continue
        ways = [
            way
            for way, there in (
                ("in", found.source_settings is not None or found.pushed),
                ("out", found.destination_settings is not None),
                ("asks", found.lookup_settings is not None),
            )
            if there
        ]
        title = found.title_en if visit.language == "en" else found.title
        shown.append({"name": name, "title": title, "kind": found.kind, "ways": ways, "used": used, "wrong": ""})
    shown.sort(key=lambda one: (not one["used"], one["kind"] != "channel", one["name"]))
    return visit.page("adapters", "parties", rows=shown)
