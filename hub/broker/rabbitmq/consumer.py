"""Taking messages off RabbitMQ: one connection thread for some queues, and threads that do the work."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pika.exceptions
import structlog
from pika.adapters.blocking_connection import BlockingChannel, BlockingConnection
from pika.spec import Basic, BasicProperties

from hub.broker import topology
from hub.broker.base import Handler, Message

if TYPE_CHECKING:
    from hub.broker.rabbitmq.broker import RabbitBroker

log = structlog.get_logger()


class RabbitConsumer:
    """Acknowledges after the work; what nobody acknowledged is handed out again."""

    def __init__(self, broker: RabbitBroker, queues: list[str], handler: Handler, threads: int, prefetch: int) -> None:
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
                wait = min(wait * 2, 5)

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
        headers: dict[str, Any] = dict(properties.headers or {})
        tries = int(headers.get("x-delivery-count") or 0)
        trace = str(headers.get("traceparent") or "")
        message = Message(queue, method.routing_key or "", properties.message_id or "", body, tries, trace)
        with self._idle:
            self._busy += 1
        self._pools[queue].submit(self._work, connection, channel, int(method.delivery_tag or 0), message)

    def _work(self, connection: BlockingConnection, channel: BlockingChannel, tag: int, message: Message) -> None:
        try:
            self._handler(message)
        except Exception:
            log.warning("message comes again", action="retry", queue=message.queue, id=message.id, exc_info=True)
            self._stop.wait(topology.rest(message.tries, 5))
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
