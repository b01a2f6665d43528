"""RabbitMQ: the outbox is published with windowed confirms, workers consume with manual acknowledgement.

One connection a thread; when one is lost it is dropped and made again with growing waits, for ever.  Queues are
quorum queues with a dead-letter exchange and a delivery limit, with arguments valid on RabbitMQ 3.10 and 4.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import pika.exceptions
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection

from hub.broker.base import Consumer, Handler
from hub.broker.rabbitmq import declare
from hub.broker.rabbitmq.consumer import RabbitConsumer
from hub.broker.rabbitmq.parameters import parameters_of, unreachable
from hub.broker.rabbitmq.relay import Relay
from hub.broker.topology import DEAD, DELIVERY_LIMIT, EVENTS, PARCELS, WORK
from hub.ledger.engine import Ledger
from standards.clock import Clock
from standards.ports import Binding

_ARGUMENTS = {"x-queue-type": "quorum", "x-dead-letter-exchange": DEAD, "x-delivery-limit": DELIVERY_LIMIT}


class RabbitBroker:
    """Implements hub.broker.base.Broker on RabbitMQ (AMQP 0-9-1)."""

    name = "rabbitmq"

    def __init__(
        self,
        url: str,
        ledger: Ledger,
        clock: Clock,
        owner: str,
        *,
        bindings: Sequence[tuple[str, str, str]],
        parties: Sequence[Binding] = (),
        prefix: str = "",
        window: int = 256,
    ) -> None:
        """`bindings` are (exchange, key, queue) of every queue of ours; `parties` those of parties with own clients."""
        self.parameters = parameters_of(url)
        self._ledger = ledger
        self._clock = clock
        self._owner = owner
        self._bindings = list(bindings)
        self._parties = tuple(parties)
        self.prefix = prefix
        self._window = window
        self._relay: Relay | None = None
        self._control = threading.Lock()
        self._called = threading.Event()

    # Life

    def start(self) -> None:
        """Declare what must be there and begin to publish the outbox."""
        self._relay = Relay(self, self._ledger, self._clock, self._owner, self._window, self._called)

    def stop(self) -> None:
        """Publish no more; what is not confirmed stays in the outbox."""
        if self._relay is not None:
            self._relay.stop()

    def wake(self) -> None:
        """Look at the outbox now."""
        self._called.set()

    def consume(self, queues: Sequence[str], handler: Handler, *, threads: int = 1, prefetch: int = 1) -> Consumer:
        """Hand the messages of these queues to `handler`."""
        return RabbitConsumer(self, list(queues), handler, threads, prefetch)

    # Looking

    def depth(self, queue: str) -> int | None:
        """How many messages wait in a queue; None when the broker cannot be asked."""
        try:
            with self._control, self.connection() as connection:
                method = connection.channel().queue_declare(self.prefix + queue, passive=True)
                return int(method.method.message_count)
        except pika.exceptions.AMQPError:
            return None
        except OSError:
            return None

    def depths(self, queues: Sequence[str]) -> Mapping[str, int] | None:
        """The same of several queues, over one connection; a queue that is not there yet holds nothing."""
        found: dict[str, int] = {}
        try:
            with self._control, self.connection() as connection:
                channel = connection.channel()
                for queue in queues:
                    try:
                        method = channel.queue_declare(self.prefix + queue, passive=True)
                    except pika.exceptions.ChannelClosedByBroker:
                        channel = connection.channel()
                        found[queue] = 0
                    else:
                        found[queue] = int(method.method.message_count)
        except (pika.exceptions.AMQPError, OSError):
            return None
        return found

    def check(self) -> str:
        """Connect, declare, and say what answered.  Raises SystemUnreachable."""
        try:
            with self.connection() as connection:
                self.declare(connection.channel())
                inner: Any = connection
                properties = inner._impl.server_properties  # pika offers no other way
                return f"RabbitMQ {properties.get('version', '?')}"
        except (pika.exceptions.AMQPError, OSError) as error:
            raise unreachable(error) from error

    def connection(self) -> BlockingConnection:
        """A connection of one's own."""
        return BlockingConnection(self.parameters)

    def declare(self, channel: BlockingChannel) -> None:
        """Everything that must be there; safe to repeat."""
        declare.dead_letters(channel, self.prefix)
        for exchange, kind in ((WORK, "direct"), (PARCELS, "topic"), (EVENTS, "topic")):
            channel.exchange_declare(self.prefix + exchange, exchange_type=kind, durable=True)
        arguments = {**_ARGUMENTS, "x-dead-letter-exchange": self.prefix + DEAD}
        for exchange, key, queue in self._bindings:
            channel.queue_declare(self.prefix + queue, durable=True, arguments=arguments)
            channel.queue_bind(self.prefix + queue, self.prefix + exchange, key)
        declare.bindings(channel, self.prefix, self._parties)
