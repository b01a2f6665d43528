"""Doors really tried: a destination, a base, a source of the settings is opened, asked, and closed."""

from __future__ import annotations

from collections.abc import Callable

from hub.dispatch.doors import open_door
from hub.generations import Generation
from hub.lookups import open_lookup
from hub.sources import open_source
from standards.ports import Transports


def of_destination(generation: Generation, name: str, transports: Transports | None) -> Callable[[], str]:
    """What tries it: says how it answered, or raises what is wrong."""

    def attempt() -> str:
        door = open_door(generation, name, transports)
        try:
            return door.check()
        finally:
            door.close()

    return attempt


def of_lookup(generation: Generation, name: str) -> Callable[[], str]:
    """The same for a base."""

    def attempt() -> str:
        lookup = open_lookup(generation, name)
        try:
            return lookup.check()
        finally:
            lookup.close()

    return attempt


def of_source(generation: Generation, name: str, transports: Transports | None) -> Callable[[], str]:
    """The same for a connection."""

    def attempt() -> str:
        source = open_source(generation, name, transports)
        if source is None:
            return "由对方推送 pushed to us"
        try:
            return source.check()
        finally:
            source.close()

    return attempt
