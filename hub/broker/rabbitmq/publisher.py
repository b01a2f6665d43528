"""Publishing with a window of confirms: many messages under way at once, each known to have arrived or not."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pika
import pika.exceptions
import structlog
from pika.adapters.select_connection import SelectConnection
from pika.channel import Channel
from pika.spec import BasicProperties

log = structlog.get_logger()

#: exchange, key, body, properties, mandatory
Publishing = tuple[str, str, bytes, BasicProperties, bool]

_CONFIRM_TIMEOUT = 30.0


@dataclass(slots=True)
class _Batch:
    """Messages that are published together and answered together."""

    messages: Sequence[Publishing]
    confirmed: list[bool] = field(default_factory=list)
    next: int = 0
    done: threading.Event = field(default_factory=threading.Event)


class Publisher:
    """A connection of its own in a thread of its own (pika's SelectConnection), made again whenever it is lost."""

    def __init__(self, parameters: pika.connection.Parameters, declare: Callable[[], None], window: int) -> None:
        self._parameters = parameters
        self._declare = declare
        self._window = window
        self._connection: SelectConnection | None = None
        self._channel: Channel | None = None
        self._ready = threading.Event()
        self._stop = threading.Event()
        self._batch: _Batch | None = None
        #: Delivery tag and index in the batch of what is not confirmed yet; never more than the window.
        self._under_way: deque[tuple[int, int]] = deque()
        self._tag = 0
        self._returned: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def ready(self, timeout: float) -> bool:
        """True when messages can be published now."""
        return self._ready.wait(timeout) and not self._stop.is_set()

    def publish(self, messages: Sequence[Publishing]) -> list[bool]:
        """Publish; for each message whether the broker has it for good.  One caller at a time."""
        batch = _Batch(messages, [False] * len(messages))
        connection = self._connection
        if connection is None or not self._ready.is_set():
            return batch.confirmed
        connection.ioloop.add_callback_threadsafe(lambda: self._begin(batch))
        if not batch.done.wait(_CONFIRM_TIMEOUT):
            log.warning("no confirm in time", action="confirm_timeout")
            connection.ioloop.add_callback_threadsafe(self._drop)
            batch.done.wait(5)
        return list(batch.confirmed)

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        connection = self._connection
        if connection is not None:
            connection.ioloop.add_callback_threadsafe(self._drop)
        self._thread.join(15)

    # In the connection's thread

    def _run(self) -> None:
        wait = 0.2
        while not self._stop.is_set():
            try:
                self._declare()
                self._connection = SelectConnection(
                    self._parameters,
                    on_open_callback=self._opened,
                    on_open_error_callback=self._closed,
                    on_close_callback=self._closed,
                )
                wait = 0.2
                self._connection.ioloop.start()
            except (pika.exceptions.AMQPError, OSError) as error:
                log.warning("lost RabbitMQ", action="reconnect", why=f"{type(error).__name__} {error}", wait=wait)
            self._lost()
            self._stop.wait(wait * random.uniform(0.5, 1.5))  # noqa: S311 - jitter
            wait = min(wait * 2, 5)

    def _opened(self, connection: Any) -> None:
        connection.channel(on_open_callback=self._channel_opened)

    def _channel_opened(self, channel: Channel) -> None:
        self._channel = channel
        self._tag = 0
        self._under_way.clear()
        channel.add_on_close_callback(lambda _channel, _reason: self._drop())
        channel.add_on_return_callback(self._came_back)
        channel.confirm_delivery(self._confirmed, callback=lambda _frame: self._ready.set())

    def _closed(self, _connection: Any, _reason: Any) -> None:
        if self._connection is not None:
            self._connection.ioloop.stop()

    def _drop(self) -> None:
        self._ready.clear()
        connection = self._connection
        if connection is None:
            return
        if connection.is_open:
            connection.close()
        elif connection.is_closed:
            connection.ioloop.stop()

    def _lost(self) -> None:
        """Whatever is under way is not confirmed."""
        self._ready.clear()
        self._channel = None
        self._connection = None
        batch, self._batch = self._batch, None
        if batch is not None:
            batch.done.set()

    def _begin(self, batch: _Batch) -> None:
        if self._channel is None or not self._channel.is_open:
            batch.done.set()
            return
        self._batch = batch
        self._returned.clear()
        self._fill()

    def _fill(self) -> None:
        """Keep the window full."""
        batch, channel = self._batch, self._channel
        if batch is None or channel is None:
            return
        while batch.next < len(batch.messages) and len(self._under_way) < self._window:
            exchange, key, body, properties, mandatory = batch.messages[batch.next]
            channel.basic_publish(exchange, key, body, properties, mandatory=mandatory)
            self._tag += 1
            self._under_way.append((self._tag, batch.next))
            batch.next += 1
        if batch.next == len(batch.messages) and not self._under_way:
            self._batch = None
            batch.done.set()

    def _came_back(self, _channel: Any, _method: Any, properties: BasicProperties, _body: bytes) -> None:
        """No queue takes it: not arrived, whatever the confirm says."""
        log.warning("message came back unrouted", action="unroutable", id=properties.message_id)
        self._returned.add(properties.message_id or "")

    def _confirmed(self, frame: Any) -> None:
        batch = self._batch
        method = frame.method
        arrived = method.NAME == "Basic.Ack"
        tag = method.delivery_tag
        settled = [e for e in self._under_way if e[0] == tag or (method.multiple and e[0] < tag)]
        for entry in settled:
            self._under_way.remove(entry)
            if batch is not None:
                self._settle(batch, entry[1], arrived)
        self._fill()

    def _settle(self, batch: _Batch, index: int, arrived: bool) -> None:
        message_id = batch.messages[index][3].message_id or ""
        batch.confirmed[index] = arrived and message_id not in self._returned
