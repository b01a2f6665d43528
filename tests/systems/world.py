"""A hub of one level with every named system beside it, all in this process."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.simulators.counterpart import Counterpart
from adapters.systems.recipe import name_of
from demo.neighbours import Neighbours, desk_connection
from hub import serve
from hub.bootstrap import prepare
from hub.facts import Facts
from hub.ledger import credentials, destinations
from hub.ledger.delivered import Tally, tally
from hub.serve import Running
from standards.digest import uuid7
from standards.ports import HandOver
from standards.registry import built_in
from standards.samples import Samples
from standards.states import DestinationState

HEAD = """
republish = 1.0

[hub]
name = "{level}-hub"
title = "{level}"
level = "{level}"
region = "{region}"
code = "{code}"

[ledger]
url = "sqlite:///{folder}/ledger.db"

[api]
port = 0

[workers]
lease = "10s"
threads = 2

"""
_CODES = {"city": ("140200", "11140200E9QM7HGU4X"), "province": ("140000", "11140000N8Y3CP4F3H")}
#: Quick patience, so that a test need not have much.
_RETRY = {"waits": ["0.2s", "0.5s", "1s"], "probe": "0.3s", "jitter": 0}


@dataclass(slots=True)
class World:
    """The hub and its neighbours."""

    level: str
    folder: Path
    only: Iterable[str] = ()
    first: int = 0
    neighbours: Neighbours = field(init=False)
    running: Running = field(init=False)
    _samples: dict[str, int] = field(default_factory=dict)

    def start(self) -> World:
        self.neighbours = Neighbours(self.level, self.folder / "systems", only=self.only, first=self.first).start()
        region, code = _CODES[self.level]
        text = HEAD.format(level=self.level, region=region, code=code, folder=self.folder)
        text += _patient(self.neighbours.settings())
        path = self.folder / "hub.toml"
        path.write_text(text, "utf-8")
        self.running = serve.start(*prepare(path))
        hub = self.running.hub
        keys = {
            party: hub.ledger.write(lambda c, party=party: credentials.make(c, party, hub.clock.now()))[1]
            for party in hub.settings.parties
        }
        self.neighbours.attach(self.running.address, keys)
        return self

    def stop(self) -> None:
        self.neighbours.stop()
        self.running.stop()

    def counterpart(self, system: str) -> Counterpart:
        return self.neighbours.counterparts[system]

    def counts(self, system: str, feed: str) -> Mapping[str, Any]:
        """What the hub says of a feed's connection."""
        name = name_of(self.counterpart(system).system, feed)
        rows = {row["connection"]: row for row in Facts(self.running.hub.ledger, self.running.hub.clock).connections()}
        return rows.get(name, {})

    def report(self, dataset: str, count: int) -> list[dict[str, str]]:
        """The desk reports so many valid records; they go where the routes say."""
        standard = built_in()
        first = self._samples.get(dataset, 0)
        self._samples[dataset] = first + count
        made = list(Samples(standard.dataset(dataset), standard, seed=7).records(first + count))[first:]
        body = "\n".join(json.dumps(one, ensure_ascii=False) for one in made).encode()
        hand_over = HandOver(
            connection=desk_connection(dataset), external_id=str(uuid7()), content_type="application/x-ndjson"
        )
        self.running.hub.intake.receive(hand_over, [body])
        return made


def _patient(text: str) -> str:
    """Each destination with quick patience."""
    retry = "{ " + ", ".join(f"{k} = {json.dumps(v)}" for k, v in _RETRY.items()) + " }"
    lines = []
    for line in text.splitlines():
        lines.append(line)
        if line.startswith("[destinations.") and not line.endswith(".settings]"):
            lines.append(f"retry = {retry}")
    return "\n".join(lines) + "\n"


def until(true: Callable[[], object], seconds: float = 30) -> bool:
    """Wait until something is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():
            return True
        time.sleep(0.1)
    return bool(true())


@dataclass(frozen=True)
class Standing:
    """How a destination stands."""

    tally: Tally
    up: bool


def standing(world: World, destination: str) -> Standing:
    """From the ledger."""
    ledger = world.running.hub.ledger
    with ledger.read() as connection:
        stood = destinations.every(connection).get(destination)
    up = stood is None or stood.state == DestinationState.UP
    return Standing(tally(ledger).get(destination, Tally()), up)
