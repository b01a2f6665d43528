"""Moving the outbox to RabbitMQ: claim some hundred rows, publish, forget what was confirmed."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import structlog
from pika.spec import BasicProperties
from sqlalchemy import Connection

from hub.broker.envelope import opened
from hub.broker.rabbitmq.publisher import Publisher, Publishing
from hub.broker.topology import EVENTS
from hub.ledger import outbox
from hub.ledger.engine import Ledger
from hub.ledger.outbox import Waiting
from standards.clock import Clock
from standards.errors import LedgerBusy

if TYPE_CHECKING:
    from hub.broker.rabbitmq.broker import RabbitBroker

log = structlog.get_logger()

_LEASE = timedelta(seconds=60)
_TICK = 0.05
_BATCH = 500


class Relay:
    """One thread; a message leaves the outbox only when RabbitMQ has it for good."""

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
        """Publish no more."""
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
        confirmed = self._publisher.publish([_publishing(prefix, row) for row in rows])
        done = [row.row for row, ok in zip(rows, confirmed, strict=True) if ok]
        again = [row.row for row, ok in zip(rows, confirmed, strict=True) if not ok]

        def work(connection: Connection) -> None:
            if done:
                outbox.done(connection, done, self._owner)
            if again:
                outbox.release(connection, again, self._owner, self._clock.now() + timedelta(seconds=1))

        self._ledger.write(work)
        return len(done)


def _publishing(prefix: str, row: Waiting) -> Publishing:
    body, trace = opened(row.body)
    headers = {"traceparent": trace} if trace else None
    properties = BasicProperties(message_id=row.id, delivery_mode=2, content_type="text/plain", headers=headers)
    return prefix + row.exchange, row.key, body, properties, row.exchange != EVENTS
