"""Exchanges, keys and queues of a party that speaks AMQP.  Pure: adapter, topology and rights all read it here.

    hub.in        in.<party>, in.<party>.<queue>        → the queue of that name    the party writes, the hub reads
    hub.replies   receipt.<party>                       → receipt.<party>           the hub writes, the party reads
    hub.parcels   <direction>.<destination>.<dataset>   → deliver.<party>           the hub writes, the party reads
    hub.receipts  receipt.<party>, receipt.<party>.#    → answers.<party>           the party writes, the hub reads

Names of parties hold no dot, so no party's key or queue can be mistaken for another's.
"""

from __future__ import annotations

from standards.ports import Binding

IN = "hub.in"
REPLIES = "hub.replies"
PARCELS = "hub.parcels"
RECEIPTS = "hub.receipts"

#: Receipts that wait for a party which does not read them; older ones are forgotten, `GET /v1/receipts` has them all.
_RECEIPTS_KEPT = 100_000


def inbox(party: str, queue: str = "") -> str:
    """The queue, and the key of `hub.in`, that a party hands over through."""
    return f"in.{party}.{queue}" if queue else f"in.{party}"


def receipts(party: str) -> str:
    """The queue, and the key of `hub.replies`, where a party finds what became of its hand-overs."""
    return f"receipt.{party}"


def outbox(party: str) -> str:
    """The queue where a party finds its parcels."""
    return f"deliver.{party}"


def answers(party: str) -> str:
    """The queue of a party's verdicts on its parcels; it publishes them with the key `receipt.<party>`."""
    return f"answers.{party}"


def parcel_key(direction: str, destination: str, dataset: str) -> str:
    """The key of a parcel in `hub.parcels`."""
    return f"{direction}.{destination}.{dataset}"


def source_bindings(party: str, queue: str = "") -> tuple[Binding, ...]:
    """What a connection needs."""
    name = inbox(party, queue)
    return (
        Binding(exchange=IN, key=name, queue=name),
        Binding(exchange=REPLIES, kind="direct", key=receipts(party), queue=receipts(party), most=_RECEIPTS_KEPT),
    )


def destination_bindings(party: str, destination: str) -> tuple[Binding, ...]:
    """What a destination needs."""
    return (
        Binding(exchange=PARCELS, key=parcel_key("*", destination, "*"), queue=outbox(party)),
        Binding(exchange=RECEIPTS, key=f"receipt.{party}.#", queue=answers(party)),
    )
