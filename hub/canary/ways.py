"""Which ways have a canary, how far it goes, and with which data set."""

from __future__ import annotations

from typing import Literal

from sqlalchemy import Connection

from adapters import registry
from hub.circles import takes_in
from hub.ledger import destinations
from hub.settings import Destination, Settings
from standards.errors import HubError
from standards.model import DataSet
from standards.states import DestinationState

Reach = Literal["through", "connection", "no"]


def reach_of(said: Destination) -> Reach:
    """How far a canary goes to a destination: as its settings say, else as far as is harmless with its adapter."""
    if said.canary != "auto":
        return said.canary
    try:
        return registry.load(said.adapter).canary
    except HubError:
        return "no"


def reaches(settings: Settings) -> dict[str, Reach]:
    """Destinations that have a canary and how far it goes; none where it is off, none of those that are paused."""
    if not settings.canary.every:
        return {}
    found = {name: reach_of(said) for name, said in settings.destinations.items() if not said.paused}
    return {name: reach for name, reach in found.items() if reach != "no"}


def watched(connection: Connection, settings: Settings) -> dict[str, Reach]:
    """The same without those that an operator paused for now."""
    paused = {
        name for name, standing in destinations.every(connection).items() if standing.state == DestinationState.PAUSED
    }
    return {name: reach for name, reach in reaches(settings).items() if name not in paused}


def dataset_for(settings: Settings, destination: str, datasets: list[DataSet]) -> str:
    """A data set that is routed there; the first there is, where none is."""
    for route in settings.routes:
        if destination not in route.to:
            continue
        for one in datasets:
            if takes_in(route, one):
                return one.id
    return datasets[0].id
