"""Whether the releases of the internet zone can be kept, and what an operator is told of them."""

from __future__ import annotations

from hub.complaints import Complaints
from hub.generations import Generation
from hub.neighbours import ADAPTER as NEIGHBOUR
from hub.settings import Release
from hub.zones import INTERNET, unreleased, zone_of


def check_zones(told: Complaints, generation: Generation) -> None:
    """Every mistake of destinations of the internet zone and of releases."""
    destinations = told.settings.destinations
    for name, settings in destinations.items():
        if settings.zone == INTERNET and settings.adapter == NEIGHBOUR:
            told.complain(
                ("destinations", name, "zone"),
                f"{name} is a hub: it checks the digest of whole records, so it cannot stand in the internet zone",
                "publish through rest_push, table, file or mailbox",
            )
    zoned = [name for name, settings in destinations.items() if settings.zone == INTERNET]
    for number, release in enumerate(told.settings.releases):
        path = ("releases", number)
        if len(release.owner) == 18:
            told.organisation((*path, "owner"), release.owner)
        else:
            told.one_of((*path, "owner"), "party", release.owner, told.settings.parties)
        for name in release.to:
            told.one_of((*path, "to"), "destination of the internet zone", name, zoned)
        for name in release.datasets:
            if told.one_of((*path, "datasets"), "data set", name, generation.standard.ids()):
                _elements(told, generation, release, number, name)


def _elements(told: Complaints, generation: Generation, release: Release, number: int, name: str) -> None:
    dataset = generation.standard.dataset(name)
    elements = {e.id: e for e in generation.standard.elements(dataset)}
    path = ("releases", number, "elements")
    for one in release.elements:
        if told.one_of(path, f"element in {name}", one, elements) and elements[one].personal:
            told.complain(path, f"{name}.{one} is personal: it never goes to the internet zone")
    missing = [k for k in dataset.natural_key if k not in release.elements]
    if release.elements and missing and not dataset.key_personal:
        told.complain(
            path,
            f"{name}: the key travels with every record, but {', '.join(missing)} is not released",
            "release the key elements too",
        )


def zone_notes(generation: Generation) -> dict[str, str]:
    """Destination of the internet zone -> what goes there and what does not, data set by data set."""
    settings = generation.settings
    feeds: dict[str, dict[str, None]] = {}
    for name, connection in settings.connections.items():
        if dataset_id := generation.dataset_of(name):
            feeds.setdefault(dataset_id, {})[connection.owner or connection.party] = None
    notes = {}
    for destination, told in settings.destinations.items():
        if told.zone != INTERNET:
            continue
        said = []
        for dataset_id, owners in feeds.items():
            zone = zone_of(settings, destination, generation.standard.dataset(dataset_id))
            routes = (r for r in settings.routes if destination in r.to)
            if zone is not None and any(dataset_id in (r.datasets or (dataset_id,)) for r in routes):
                said.append(unreleased(settings, zone, owners))
        notes[destination] = "；".join(said) or "没有路由，不投递 no route, nothing is sent"
    return notes
