"""RabbitMQ: the outbox is published with windowed confirms, workers consume with manual acknowledgement.

One connection a thread; when one is lost it is dropped and made again with growing waits, for ever.  Queues are
quorum queues with a dead-letter exchange and a delivery limit, with arguments valid on RabbitMQ 3.10 and 4.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from typing import Any

import pika
import pika.exceptions
import structlog
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.spec import Basic, BasicProperties
from sqlalchemy import Connection

from hub.broker.base import Handler, Message
from hub.broker.publisher import Publisher
from hub.broker.topology import DEAD, DELIVERY_LIMIT, EVENTS, PARCELS, WORK, Route
from hub.ledger import outbox
from hub.ledger.engine import Ledger
from standards.clock import Clock
from standards.errors import LedgerBusy, SystemUnreachable

log = structlog.get_logger()

_LEASE = timedelta(seconds=60)
_TICK = 0.05
_BATCH = 500
_HEARTBEAT = 30
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
        prefix: str = "",
        window: int = 256,
    ) -> None:
        """`bindings` are (exchange, key, queue) of every queue that must be there."""
        self.parameters = pika.URLParameters(url)
        self.parameters.heartbeat = _HEARTBEAT
        self.parameters.blocked_connection_timeout = 60
        self.parameters.socket_timeout = 10
        self._ledger = ledger
        self._clock = clock
        self._owner = owner
        self._bindings = list(bindings)
        self.prefix = prefix
        self._window = window
        self._relay: _Relay | None = None
        self._control = threading.Lock()
        self._called = threading.Event()

    # Life

    def start(self) -> None:
        """Declare what must be there and begin to publish the outbox."""
        self._relay = _Relay(self, self._ledger, self._clock, self._owner, self._window, self._called)

    def stop(self) -> None:
        """Publish no more; what is not confirmed stays in the outbox."""
        if self._relay is not None:
            self._relay.stop()

    def wake(self) -> None:
        """Look at the outbox now."""
        self._called.set()

    def consume(self, queues: Sequence[str], handler: Handler, *, threads: int = 1, prefetch: int = 1) -> _Consumer:
        """Hand the messages of these queues to `handler`."""
        return _Consumer(self, list(queues), handler, threads, prefetch)

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

    def check(self) -> str:
        """Connect, declare, and say what answered.  Raises SystemUnreachable."""
        try:
            with self.connection() as connection:
                self.declare(connection.channel())
                properties: Any = connection._impl.server_properties  # noqa: SLF001 - pika offers no other way
                return f"RabbitMQ {properties.get('version', '?')}"
        except (pika.exceptions.AMQPError, OSError) as error:
            raise unreachable(error) from error

    def connection(self) -> BlockingConnection:
        """A connection of one's own."""
        return BlockingConnection(self.parameters)

    def declare(self, channel: BlockingChannel) -> None:
        """Everything that must be there; safe to repeat."""
        for exchange, kind in ((WORK, "direct"), (PARCELS, "topic"), (EVENTS, "topic"), (DEAD, "fanout")):
            channel.exchange_declare(self.prefix + exchange, exchange_type=kind, durable=True)
        channel.queue_declare(self.prefix + DEAD, durable=True, arguments={"x-queue-type": "quorum"})
        channel.queue_bind(self.prefix + DEAD, self.prefix + DEAD)
        arguments = {**_ARGUMENTS, "x-dead-letter-exchange": self.prefix + DEAD}
        for exchange, key, queue in self._bindings:
            channel.queue_declare(self.prefix + queue, durable=True, arguments=arguments)
            channel.queue_bind(self.prefix + queue, self.prefix + exchange, key)


def unreachable(error: BaseException) -> SystemUnreachable:
    """A foreign error in our words."""
    return SystemUnreachable(
        f"RabbitMQ does not answer: {type(error).__name__} {error}".rstrip(),
        what_zh="RabbitMQ 无法连接",
        hint="is it running, and is broker.url right?",
        hint_zh="请检查 RabbitMQ 是否运行、broker.url 是否正确",
    )


class _Relay:
    """Moves the outbox to RabbitMQ: claim some hundred rows, publish, forget what was confirmed."""

    def __init__(
        self,
        broker: RabbitBroker,
        ledger: Ledger,
        clock: Clock,
        owner: str,
        window: int,
        called: threading.Event,
    ) -> None:
        self._broker = broker
        self._ledger = ledger
        self._clock = clock
        self._owner = f"{owner}/relay"
        self._called = called
        self._stop = threading.Event()
        self._publisher = Publisher(broker.parameters, self._declare, window)
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._called.set()
        self._thread.join(30)
        self._publisher.stop()

    def _declare(self) -> None:
        with self._broker.connection() as connection:
            self._broker.declare(connection.channel())

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                moved = self._move()
            except LedgerBusy as error:
                log.warning("the ledger does not answer", action="relay_waits", why=error.what)
                moved = 0
                self._stop.wait(1)
            except Exception:
                log.exception("the relay stumbled", action="relay_error")
                moved = 0
                self._stop.wait(1)
            if not moved:
                self._called.wait(_TICK)
                self._called.clear()

    def _move(self) -> int:
        if not self._publisher.ready(timeout=1):
            return 0
        now = self._clock.now()
        with self._ledger.read() as connection:
            if not outbox.any_due(connection, now):
                return 0
        rows = self._ledger.write(lambda c: outbox.claim(c, now, self._owner, _LEASE, _BATCH))
        if not rows:
            return 0
        prefix = self._broker.prefix
        confirmed = self._publisher.publish(
            [
                (prefix + row.exchange, row.key, row.body, _properties(row.id), row.exchange != EVENTS)
                for row in rows
            ]
        )
        done = [row.row for row, ok in zip(rows, confirmed, strict=True) if ok]
        again = [row.row for row, ok in zip(rows, confirmed, strict=True) if not ok]

        def work(connection: Connection) -> None:
            if done:
                outbox.done(connection, done, self._owner)
            if again:
                outbox.release(connection, again, self._owner, self._clock.now() + timedelta(seconds=1))

        self._ledger.write(work)
        return len(done)


def _properties(message_id: str) -> BasicProperties:
    return BasicProperties(message_id=message_id, delivery_mode=2, content_type="text/plain")


class _Consumer:
    """One connection thread for some queues, and a pool of threads that do the work."""

    def __init__(
        self, broker: RabbitBroker, queues: list[str], handler: Handler, threads: int, prefetch: int
    ) -> None:
        self._broker = broker
        self._queues = queues
        self._handler = handler
        self._prefetch = max(prefetch, threads)
        self._stop = threading.Event()
        self._connection: BlockingConnection | None = None
        self._pools = {queue: ThreadPoolExecutor(threads, f"worker-{queue}") for queue in queues}
        self._busy = 0
        self._idle = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="consumer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """False when it has ended."""
        return self._thread.is_alive()

    def stop(self, timeout: float = 30) -> None:
        """Take no more, finish what is in hand; unstarted messages go back to the queue."""
        self._stop.set()
        with self._idle:
            self._idle.wait_for(lambda: self._busy == 0, timeout)
        connection = self._connection
        if connection is not None and connection.is_open:
            connection.add_callback_threadsafe(lambda: None)
        self._thread.join(timeout)
        for pool in self._pools.values():
            pool.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        wait = 0.2
        while not self._stop.is_set():
            try:
                with self._broker.connection() as connection:
                    self._connection = connection
                    self._subscribe(connection)
                    wait = 0.2
                    while not self._stop.is_set():
                        connection.process_data_events(time_limit=0.5)
                    self._drain(connection)
            except (pika.exceptions.AMQPError, OSError) as error:
                if self._stop.is_set():
                    return
                log.warning("lost RabbitMQ", action="reconnect", why=f"{type(error).__name__} {error}", wait=wait)
                self._stop.wait(wait * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
                wait = min(wait * 2, 10)

    def _subscribe(self, connection: BlockingConnection) -> None:
        self._broker.declare(connection.channel())
        for queue in self._queues:
            channel = connection.channel()
            channel.basic_qos(prefetch_count=self._prefetch)
            channel.basic_consume(self._broker.prefix + queue, partial(self._received, connection, queue))

    def _received(
        self,
        connection: BlockingConnection,
        queue: str,
        channel: BlockingChannel,
        method: Basic.Deliver,
        properties: BasicProperties,
        body: bytes,
    ) -> None:
        if self._stop.is_set():
            return
        tries = int((properties.headers or {}).get("x-delivery-count", 0) or 0)  # type: ignore[call-overload,unused-ignore]
        message = Message(queue, method.routing_key or "", properties.message_id or "", body, tries)
        with self._idle:
            self._busy += 1
        self._pools[queue].submit(self._work, connection, channel, int(method.delivery_tag or 0), message)

    def _work(self, connection: BlockingConnection, channel: BlockingChannel, tag: int, message: Message) -> None:
        try:
            self._handler(message)
        except Exception:
            log.warning("message comes again", action="retry", queue=message.queue, id=message.id, exc_info=True)
            self._stop.wait(min(5, 0.2 * 4**message.tries))
            self._answer(connection, partial(channel.basic_nack, tag, requeue=True))
        else:
            self._answer(connection, partial(channel.basic_ack, tag))
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()

    @staticmethod
    def _answer(connection: BlockingConnection, answer: Callable[[], None]) -> None:
        """Acknowledge from the connection's own thread; when it is gone, RabbitMQ hands the message out again."""

        def do() -> None:
            try:
                answer()
            except pika.exceptions.AMQPError:
                log.debug("the answer came too late", action="late_ack")

        try:
            connection.add_callback_threadsafe(do)
        except pika.exceptions.AMQPError:
            log.debug("the answer came too late", action="late_ack")

    def _drain(self, connection: BlockingConnection) -> None:
        """Let the last acknowledgements out."""
        for _ in range(20):
            connection.process_data_events(time_limit=0.05)
            with self._idle:
                if self._busy == 0:
                    break
        connection.process_data_events(time_limit=0.05)


def bindings_of(routes: Sequence[Route]) -> list[tuple[str, str, str]]:
    """Bindings of direct routes: the key as it is."""
    return [(route.exchange, route.key, route.queue) for route in routes]
