"""What must be there on RabbitMQ: exchanges, queues and bindings, with arguments valid on RabbitMQ 3.10 and 4.

Everything is safe to repeat.  Every queue is a quorum queue; names get the prefix, keys do not.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pika.adapters.blocking_connection import BlockingChannel

from hub.broker.topology import DEAD
from standards.ports import Binding


def dead_letters(channel: BlockingChannel, prefix: str) -> None:
    """Where every queue's dead letters go."""
    channel.exchange_declare(prefix + DEAD, exchange_type="fanout", durable=True)
    channel.queue_declare(prefix + DEAD, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_bind(prefix + DEAD, prefix + DEAD)


def bindings(channel: BlockingChannel, prefix: str, wanted: Iterable[Binding]) -> None:
    """The exchanges and queues these name, and the dead letters."""
    dead_letters(channel, prefix)
    exchanges: set[str] = set()
    for one in wanted:
        if one.exchange not in exchanges:
            channel.exchange_declare(prefix + one.exchange, exchange_type=one.kind, durable=True)
            exchanges.add(one.exchange)
        channel.queue_declare(prefix + one.queue, durable=True, arguments=_arguments(one, prefix))
        channel.queue_bind(prefix + one.queue, prefix + one.exchange, one.key)


def _arguments(one: Binding, prefix: str) -> dict[str, Any]:
    arguments: dict[str, Any] = {"x-queue-type": "quorum"}
    if one.most:
        return {**arguments, "x-max-length": one.most}
    return {**arguments, "x-dead-letter-exchange": prefix + DEAD, "x-delivery-limit": one.tries}
