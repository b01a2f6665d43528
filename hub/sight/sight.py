"""The facts that metrics show, remembered for a few seconds; any process may tell them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import perf_counter

from sqlalchemy import Connection

from hub.broker.base import Broker
from hub.deadlines import Deadlines
from hub.generations import Generations
from hub.ledger import alarms
from hub.ledger.engine import Ledger
from hub.sight import counters, machine, standing
from hub.sight.counters import Counters, Spread, Told
from hub.sight.feeds import Feeds, feeds_of
from hub.sight.queues import Queues
from hub.sight.standing import Heard
from standards.clock import Clock
from standards.errors import LedgerBusy

_SECONDS = 5.0


def _no_canaries(_connection: Connection, _now: datetime) -> Iterator[tuple[str, float]]:
    return iter(())


@dataclass(slots=True)
class Sight:
    """Reads facts."""

    ledger: Ledger
    generations: Generations
    clock: Clock
    deadlines: Deadlines
    state: Path
    version: str
    broker: Broker
    #: Route and age in seconds of the last canary that came back.
    canaries: Callable[[Connection, datetime], Iterator[tuple[str, float]]] = _no_canaries
    _held: tuple[datetime, list[Told], list[Spread]] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _counters: Counters = field(default_factory=Counters)
    _heard: Heard = field(default_factory=Heard)
    _feeds: tuple[int, Feeds] | None = None
    _queues: Queues = field(init=False)

    def __post_init__(self) -> None:
        self._queues = Queues(self.broker)

    def facts(self) -> tuple[list[Told], list[Spread]]:
        """Everything that is measured; at most some seconds old.  A ledger that does not answer is a fact, too."""
        now = self.clock.now()
        with self._lock:
            if self._held is None or (now - self._held[0]).total_seconds() >= _SECONDS:
                self._held = (now, *self._look(now))
            return self._held[1], self._held[2]

    def _look(self, now: datetime) -> tuple[list[Told], list[Spread]]:
        generation = self.generations.current()
        settings = generation.settings
        if self._feeds is None or self._feeds[0] != generation.number:
            self._feeds = (generation.number, feeds_of(generation))
        feeds = self._feeds[1]
        told = [("hub_info", 1.0, {"version": self.version, "hub": settings.hub.name, "level": settings.hub.level})]
        told += self._here()
        began = perf_counter()
        try:
            with self.ledger.read() as connection:
                totals = self._counters.totals(connection, now)
                told += counters.told(totals, feeds)
                told += self._read(connection, now)
        except LedgerBusy:
            return [*told, ("hub_ledger_up", 0, {})], []
        told += [("hub_ledger_up", 1, {}), ("hub_ledger_read_seconds", round(perf_counter() - began, 4), {})]
        return told, list(counters.spreads(totals, feeds))

    def _here(self) -> Iterator[Told]:
        """What is known without the ledger."""
        current = self.generations.current()
        yield "hub_generation_number", current.number, {}
        yield "hub_calendar_last_year", self.deadlines.calendar.last_known_year(), {}
        yield from machine.workers(self.state)
        yield from machine.disk(self.state)
        yield from machine.certificates(current.settings)
        yield from self._queues.told(list(current.settings.destinations))

    def _read(self, connection: Connection, now: datetime) -> Iterator[Told]:
        settings = self.generations.current().settings
        yield from standing.submissions(connection, now)
        yield from self._heard.told(connection, settings, now)
        yield from standing.under_way(connection, now)
        yield from standing.sent(connection, settings, now)
        yield from standing.open_cases(connection, now)
        yield from standing.open_tasks(connection, now)
        yield from standing.looked_after(connection, now)
        yield from machine.keys(connection, now)
        yield from machine.ledger_size(connection, self.ledger)
        for route, seconds in self.canaries(connection, now):
            yield "hub_canary_age_seconds", seconds, {"route": route}
        for rule, count in alarms.open_counts(connection).items():
            yield "hub_alarms_open", count, {"rule": rule}
