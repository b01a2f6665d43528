"""Routes that lead back to where the data came from, and reports for a centre that nobody takes there."""

from __future__ import annotations

from hub.circles import comes_back, takes_in
from hub.complaints import Complaints
from hub.generations import Generation
from hub.reconciliation.centre import REPORT
from hub.settings import Route, Settings
from standards.model import DataSet


def check_circles(told: Complaints, generation: Generation) -> None:
    """Every route that can only go back, and what is missing for our reports to a centre."""
    settings = told.settings
    for number, route in enumerate(settings.routes):
        senders = _senders(settings, route)
        for name in route.to:
            to = settings.destinations.get(name)
            if to and senders and all(comes_back(one, to.party, settings.parties) for one in senders):
                told.complain(
                    ("routes", number, "to"),
                    f"{name} is where this route's data comes from: nothing is ever sent back there"
                    f"（该路由的数据来自 {to.party}，不会退回）",
                    "name other parties or connections, or leave this destination out",
                )
    _reports(told, generation)


def _senders(settings: Settings, route: Route) -> set[str]:
    """Who hands over what a route takes, as far as it says so."""
    of_connections = {settings.connections[n].party for n in route.connections if n in settings.connections}
    if route.parties and of_connections:
        return of_connections & set(route.parties)
    return of_connections or set(route.parties)


def _reports(told: Complaints, generation: Generation) -> None:
    settings, said = told.settings, told.settings.reconciliation
    for name in said.hubs:
        told.one_of(("reconciliation", "hubs"), "destination", name, settings.destinations)
    for name in said.centres:
        told.one_of(("reconciliation", "centres"), "destination", name, settings.destinations)
    if not said.reports:
        return
    path = ("reconciliation", "reports")
    if not told.one_of(path, "connection", said.reports, settings.connections):
        return
    party = settings.connections[said.reports].party
    for name in said.centres:
        to = settings.destinations.get(name)
        if to is None:
            continue
        if comes_back(party, to.party, settings.parties):
            told.complain(
                path,
                f"{said.reports} is a connection of {party}, and what comes from there is never sent back to {name}",
                "hand our reports in through a connection of a party of our own, such as this hub's organisation",
            )
        elif not _goes(settings, said.reports, name, generation.standard.dataset(REPORT)):
            told.complain(
                path,
                f"no route takes {REPORT} of {said.reports} to {name}",
                f'add [[routes]] datasets = ["{REPORT}"], connections = ["{said.reports}"], to = ["{name}"]',
            )


def _goes(settings: Settings, connection: str, destination: str, dataset: DataSet) -> bool:
    party = settings.connections[connection].party
    return any(
        destination in route.to
        and takes_in(route, dataset)
        and (not route.parties or party in route.parties)
        and (not route.connections or connection in route.connections)
        for route in settings.routes
    )


def circle_notes(generation: Generation) -> dict[str, str]:
    """Destination -> what routes would send there and is not sent, because it came from there or is not named."""
    settings = generation.settings
    notes = {}
    for name, to in settings.destinations.items():
        back, unnamed = [], []
        for connection, said in settings.connections.items():
            dataset_id = generation.dataset_of(connection)
            if not dataset_id:
                continue
            if comes_back(said.party, to.party, settings.parties):
                if _goes(settings, connection, name, generation.standard.dataset(dataset_id)):
                    back.append(connection)
            elif _only_unnamed(settings, connection, name, generation.standard.dataset(dataset_id)):
                unnamed.append(f"{connection} ({dataset_id})")
        told = []
        if back:
            told.append(f"来自该单位，不退回 came from there, never sent back: {', '.join(back)}")
        if unnamed:
            told.append(f"关于交换本身，须在路由中点名 about the exchange, goes only where named: {', '.join(unnamed)}")
        if told:
            notes[name] = "；".join(told)
    return notes


def _only_unnamed(settings: Settings, connection: str, destination: str, dataset: DataSet) -> bool:
    """Whether a route for everything would take it there, were it not about the exchange."""
    if not dataset.about_exchange or _goes(settings, connection, destination, dataset):
        return False
    party = settings.connections[connection].party
    return any(
        destination in r.to
        and not (r.datasets or r.libraries or r.connections)
        and (not r.parties or party in r.parties)
        for r in settings.routes
    )
