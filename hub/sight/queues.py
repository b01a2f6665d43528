"""How much waits in each queue.  RabbitMQ is asked beside the scrape, which does not wait long for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass, field

from hub.broker.base import Broker
from hub.broker.topology import queues_of
from hub.sight.counters import Told
from standards.errors import LedgerBusy

#: Longest time a scrape waits for the broker.
_PATIENCE = 2.0


@dataclass(slots=True)
class Queues:
    """The depths of the queues of a hub."""

    broker: Broker
    _asked: Future[Mapping[str, int] | None] | None = None
    _pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "depths"))

    def told(self, destinations: list[str]) -> Iterator[Told]:
        """Whether the broker answers, and how many messages wait in each queue."""
        depths = self._depths(queues_of(destinations))
        yield "hub_broker_up", depths is not None, {}
        for queue, count in (depths or {}).items():
            yield "hub_queue_messages", count, {"queue": queue}

    def _depths(self, queues: list[str]) -> Mapping[str, int] | None:
        if self._asked is None:
            self._asked = self._pool.submit(self.broker.depths, queues)
        try:
            found = self._asked.result(_PATIENCE)
        except (NotYet, LedgerBusy):
            found = None
        if self._asked.done():
            self._asked = None
        return found
