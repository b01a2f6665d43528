"""What can be counted under the settings in force, though nothing of it came yet.

A counter that Prometheus first sees at 500 never grew: the first file of a party would be in no rate and in no alert.
So each stands at zero from the beginning.
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.generations import Generation


@dataclass(frozen=True, slots=True)
class Feeds:
    """Pairs of labels that counters have from the beginning."""

    #: Party and data set of each connection that hands over in earnest.
    records: frozenset[tuple[str, str]] = frozenset()
    #: Destination and data set of each route from there, whatever its condition says of single records.
    routed: frozenset[tuple[str, str]] = frozenset()
    destinations: tuple[str, ...] = ()


def feeds_of(generation: Generation) -> Feeds:
    """Of connections whose data set is known before something comes."""
    records: set[tuple[str, str]] = set()
    routed: set[tuple[str, str]] = set()
    for name, said in generation.settings.connections.items():
        identifier = "" if said.is_test else generation.dataset_of(name)
        if identifier:
            records.add((said.party, identifier))
            dataset = generation.standard.dataset(identifier)
            routed |= {(one.destination, identifier) for one in generation.routes(name, said.party, dataset)}
    return Feeds(frozenset(records), frozenset(routed), tuple(generation.settings.destinations))
