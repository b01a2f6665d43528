"""The embedded broker: the ledger's outbox itself is the queue.  Nothing to install.

On SQLite one process holds everything; on PostgreSQL any number of processes claim rows with SKIP LOCKED.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import structlog
from sqlalchemy import Connection, func, select, update

from hub.broker import topology
from hub.broker.base import Handler, Message
from hub.broker.envelope import opened
from hub.broker.topology import DEAD, DELIVERY_LIMIT
from hub.ledger import outbox
from hub.ledger.engine import Ledger
from hub.ledger.outbox import Waiting
from hub.ledger.tables import outbox as table
from standards.clock import Clock
from standards.errors import LedgerBusy

log = structlog.get_logger()

#: How long a silent holder of a message keeps it.
_LEASE = timedelta(seconds=60)
#: How long to rest when nothing was due and nobody called.
_TICK = 0.1


class EmbeddedBroker:
    """Implements hub.broker.base.Broker on the ledger."""

    name = "embedded"

    def __init__(self, ledger: Ledger, clock: Clock, owner: str) -> None:
        self._ledger = ledger
        self._clock = clock
        self._owner = owner
        self._called = threading.Condition()
        self._calls = 0
        self._stopping = threading.Event()

    def start(self) -> None:
        """On SQLite nobody else can be alive: whatever a dead process held is free again."""
        if self._ledger.name == "sqlite":
            now = self._clock.now()
            self._ledger.write(
                lambda c: c.execute(
                    update(table).where(table.c.lease_owner.isnot(None)).values(lease_owner=None, due_at=now)
                )
            )

    def stop(self) -> None:
        """Wake everybody who waits, so that they can end."""
        self._stopping.set()
        self.wake()

    def wake(self) -> None:
        """Look now instead of at the next tick."""
        with self._called:
            self._calls += 1
            self._called.notify_all()

    def wait(self, seen: int, seconds: float) -> int:
        """Rest until somebody calls, or for `seconds`; what to pass next time."""
        with self._called:
            if self._calls == seen and not self._stopping.is_set():
                self._called.wait(seconds)
            return self._calls

    def consume(self, queues: Sequence[str], handler: Handler, *, threads: int = 1, prefetch: int = 1) -> _Pump:
        """Hand the messages of these queues to `handler`; `prefetch` is not needed here."""
        return _Pump(self, self._ledger, self._clock, self._owner, list(queues), handler, threads)

    def depth(self, queue: str) -> int | None:
        """How many messages wait or are in hand."""
        with self._ledger.read() as connection:
            return outbox.depth(connection, queue)

    def depths(self, queues: Sequence[str]) -> Mapping[str, int] | None:
        """The same of several queues."""
        with self._ledger.read() as connection:
            found = outbox.depths(connection)
        return {queue: found.get(queue, 0) for queue in queues}

    def check(self) -> str:
        """The ledger answers, so does this broker."""
        with self._ledger.read() as connection:
            count, _ = outbox.pending(connection)
        return f"embedded: {count} message(s) in the outbox"


class _Pump:
    """Claims what is due and gives it to as many threads as a queue may have."""

    def __init__(
        self,
        broker: EmbeddedBroker,
        ledger: Ledger,
        clock: Clock,
        owner: str,
        queues: list[str],
        handler: Handler,
        threads: int,
    ) -> None:
        self._broker = broker
        self._ledger = ledger
        self._clock = clock
        self._owner = f"{owner}/{id(self):x}"
        self._queues = queues
        self._handler = handler
        self._threads = threads
        self._lock = threading.Lock()
        self._free = dict.fromkeys(queues, threads)
        self._held: set[int] = set()
        self._stop = threading.Event()
        self._pool = ThreadPoolExecutor(max(1, threads * len(queues)), "worker")
        self._thread = threading.Thread(target=self._run, name="pump", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """False when it has ended."""
        return self._thread.is_alive()

    def stop(self, timeout: float = 30) -> None:
        """Take no more, finish what is in hand."""
        self._stop.set()
        self._broker.wake()
        self._thread.join(timeout)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        seen = 0
        extend_at = self._clock.now() + _LEASE / 3
        while not self._stop.is_set():
            try:
                took = self._take()
                if self._clock.now() >= extend_at:
                    self._extend()
                    extend_at = self._clock.now() + _LEASE / 3
            except LedgerBusy as error:
                log.warning("the ledger does not answer", action="pump_waits", why=error.what)
                took = 0
            except Exception:  # whatever it was: without this thread nothing would move any more
                log.exception("the pump stumbled", action="pump_waits")
                took = 0
            if not took:
                seen = self._broker.wait(seen, _TICK)

    def _take(self) -> int:
        with self._lock:
            free = {q: n for q, n in self._free.items() if n > 0}
        if not free:
            return 0
        now = self._clock.now()
        with self._ledger.read() as connection:
            due = dict(
                connection.execute(
                    select(table.c.queue, func.count())
                    .where(table.c.queue.in_(list(free)), table.c.due_at <= now)
                    .group_by(table.c.queue)
                )
                .tuples()
                .all()
            )
        if not due:
            return 0

        def work(connection: Connection) -> list[Waiting]:
            return [
                message
                for queue in due
                for message in outbox.claim(connection, now, self._owner, _LEASE, free[queue], [queue])
            ]

        messages = self._ledger.write(work)
        for message in messages:
            with self._lock:
                self._free[message.queue] -= 1
                self._held.add(message.row)
            self._pool.submit(self._work, message)
        return len(messages)

    def _work(self, message: Waiting) -> None:
        try:
            body, trace = opened(message.body)
            self._handler(Message(message.queue, message.key, message.id, body, message.tries, trace))
        except Exception as error:  # whatever it was: the message comes again, or goes to the dead letters
            self._failed(message, error)
        else:
            self._finish(lambda c: outbox.done(c, [message.row], self._owner))
        finally:
            with self._lock:
                self._free[message.queue] += 1
                self._held.discard(message.row)
            self._broker.wake()

    def _failed(self, message: Waiting, error: Exception) -> None:
        if message.tries + 1 >= DELIVERY_LIMIT:
            log.error("message given up", action="dead_letter", queue=message.queue, id=message.id, exc_info=error)
            self._finish(
                lambda c: c.execute(update(table).where(table.c.id == message.row).values(queue=DEAD, lease_owner=None))
            )
            return
        log.warning("message comes again", action="retry", queue=message.queue, id=message.id, exc_info=error)
        later = self._clock.now() + timedelta(seconds=topology.rest(message.tries, 30))
        self._finish(lambda c: outbox.release(c, [message.row], self._owner, later))

    def _finish(self, work: object) -> None:
        try:
            self._ledger.write(work)  # type: ignore[arg-type]
        except LedgerBusy:
            log.warning("the message will come again", action="lease_runs_out")

    def _extend(self) -> None:
        with self._lock:
            held = list(self._held)
        if held:
            until = self._clock.now() + _LEASE
            self._ledger.write(lambda c: outbox.extend(c, held, self._owner, until))
