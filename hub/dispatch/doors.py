"""The destinations of a generation as adapters: made when first needed, one for each thread that uses one."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from adapters import registry
from adapters.base import Surroundings
from hub.broker.rabbitmq import foreign
from hub.config import secret
from hub.generations import Generation
from hub.settings import Destination as DestinationSettings
from mappings.outward import load_form
from standards.errors import BadConfiguration
from standards.ports import Destination, Transports


def surroundings(generation: Generation, name: str, party: str, transports: Transports | None = None) -> Surroundings:
    """What an adapter is told about this hub."""
    hub = generation.settings.hub
    return Surroundings(
        name=name,
        hub=hub.name,
        level=hub.level,
        region=hub.region,
        party_code=generation.settings.parties[party].code,
        hub_code=hub.code,
        standard=generation.standard,
        secret=secret,
        form=lambda form: load_form(generation.folders, form).compiled(),
        party=party,
        transports=transports,
        broker=foreign,
    )


def open_door(generation: Generation, name: str, transports: Transports | None = None) -> Destination:
    """Make the adapter of a destination; `transports` lead to RabbitMQ, if there is one.  Raises BadConfiguration."""
    settings = generation.settings.destinations[name]
    manifest = registry.load(settings.adapter)
    if manifest.make_destination is None or manifest.destination_settings is None:
        raise BadConfiguration(
            f"the adapter {settings.adapter} does not deliver", what_zh=f"适配器 {settings.adapter} 不能投递"
        )
    parsed = manifest.destination_settings.model_validate(settings.settings)
    return manifest.make_destination(parsed, surroundings(generation, name, settings.party, transports))


@dataclass(slots=True)
class Doors:
    """Open destinations; each thread has its own, because foreign libraries seldom share."""

    open: Callable[[Generation, str], Destination] = open_door
    _local: threading.local = field(default_factory=threading.local)
    _all: list[Destination] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def door(self, generation: Generation, name: str) -> tuple[DestinationSettings, Destination] | None:
        """Settings and adapter of a destination; None when the generation has none of that name."""
        settings = generation.settings.destinations.get(name)
        if settings is None:
            return None
        held: dict[tuple[int, str], Destination] = self._local.__dict__.setdefault("doors", {})
        key = (generation.number, name)
        if key not in held:
            for old in [k for k in held if k[1] == name]:
                held.pop(old).close()
            held[key] = self.open(generation, name)
            with self._lock:
                self._all.append(held[key])
        return settings, held[key]

    def close(self) -> None:
        """Let go of all of them."""
        with self._lock:
            for door in self._all:
                door.close()
            self._all.clear()
