"""What is never sent back where it came from, whatever the routes say.  Pure.

Hubs name themselves in a parcel's hops; a centre, a platform or a department does not, so that only who handed
something over tells that it must not return there.
"""

from __future__ import annotations

from collections.abc import Mapping

from hub.settings import Party, Route
from standards.model import DataSet, Direction

#: What a report about the exchange says of its own way, and the destinations it may go to.
WAY = "direction"
_WORDS: Mapping[Direction, str] = {Direction.UP: "up", Direction.DOWN: "dn"}


def comes_back(sender: str, receiver: str, parties: Mapping[str, Party]) -> bool:
    """Whether what one party handed over would return to it: both are the same organisation."""
    if sender == receiver:
        return True
    one, other = parties.get(sender), parties.get(receiver)
    return one is not None and other is not None and bool(one.code) and one.code == other.code


def takes_in(route: Route, dataset: DataSet) -> bool:
    """Whether a route is about a data set; one about the exchange has to be named, or its connection."""
    if route.libraries and dataset.library not in route.libraries:
        return False
    if route.datasets:
        return dataset.id in route.datasets
    return not dataset.about_exchange or bool(route.connections)


def one_way(dataset: DataSet, direction: Direction) -> str:
    """What the records that may go to a destination say of their own way; empty: all may."""
    element = dataset.by_id.get(WAY)
    if element is None or not dataset.about_exchange:
        return ""
    return _WORDS.get(direction, "")
