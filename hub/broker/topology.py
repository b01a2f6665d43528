"""Which exchange, key and queue a message takes.  Pure: both brokers and the AsyncAPI document read it.

hub.work     (direct)  translate.<lane>                        → work.translate.<lane>
hub.parcels  (topic)   <direction>.<destination>.<dataset>      → deliver.<destination>.<lane>
hub.events   (topic)   <what>.<happened>                        → whoever binds a queue to it
hub.dead     (fanout)  what a queue gave up                     → hub.dead

What parties with a client of their own see of it (`hub.in`, `hub.receipts`, …) stands in `adapters/amqp/names.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from standards.states import Lane

WORK = "hub.work"
PARCELS = "hub.parcels"
EVENTS = "hub.events"
DEAD = "hub.dead"

#: How often a message is given to a worker before it goes to `hub.dead` (quorum queues count themselves).
DELIVERY_LIMIT = 5
_FIRST_REST = 0.2


def rest(tries: int, longest: float) -> float:
    """Seconds until a message that raised is handed out again: 0.2, 0.8, 3.2, 12.8 …, `longest` at most."""
    return min(longest, _FIRST_REST * 4.0**tries)


@dataclass(frozen=True, slots=True)
class Route:
    """Where a message goes."""

    exchange: str
    key: str
    queue: str


def translate(lane: Lane | str) -> Route:
    """The work of translating one submission."""
    return Route(WORK, f"translate.{lane}", f"work.translate.{lane}")


def deliver(direction: str, destination: str, dataset: str, lane: Lane | str) -> Route:
    """A parcel on its way to a destination.

    The lane is the last word of the key, so that the topic exchange itself sends each lane to its own queue.
    """
    return Route(PARCELS, f"{direction}.{destination}.{dataset}.{lane}", f"deliver.{destination}.{lane}")


def event(what: str) -> Route:
    """Something that happened, for anyone who listens; no queue of ours."""
    return Route(EVENTS, what, "")


def deliver_binding(destination: str, lane: Lane | str) -> str:
    """The binding key of a destination's queue."""
    return f"*.{destination}.*.{lane}"


def queues_of(destinations: list[str]) -> list[str]:
    """Every queue of a hub with these destinations, and the dead letters."""
    queues = [translate(lane).queue for lane in Lane]
    return [*queues, DEAD] + [f"deliver.{name}.{lane}" for name in destinations for lane in Lane]
