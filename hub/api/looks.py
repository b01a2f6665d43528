"""What people look at, written into the journal: content at once and before it is answered, the rest a moment later."""

from __future__ import annotations

import queue
import threading
from datetime import datetime, timedelta

import structlog
from sqlalchemy import Connection

from hub.bootstrap import Hub
from hub.ledger import journal, sessions
from hub.ledger.credentials import Holder
from hub.ledger.sessions import Session
from standards.errors import HubError

log = structlog.get_logger()

#: The same page by the same person is one look within this.
_SAME = timedelta(minutes=5)
#: A session is said to be in use so often at most.
_TOUCH = timedelta(minutes=1)
_MOST = 500


class Looks:
    """Writes down who looked at what, without values."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._waiting: queue.SimpleQueue[journal.Entry | str | None] = queue.SimpleQueue()
        self._seen: dict[tuple[str, str], datetime] = {}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def now(self, who: Holder, path: str, **detail: str | int) -> None:
        """Content is looked at: written before it is shown."""
        at = self._hub.clock.now()
        entry = journal.Entry("looked", who.id, detail={"path": path, **detail})
        self._hub.ledger.write(lambda c: journal.append(c, [entry], at))

    def soon(self, who: Holder, path: str) -> None:
        """A page is looked at that shows no content."""
        at = self._hub.clock.now()
        with self._lock:
            last = self._seen.get((who.id, path))
            if last is not None and last > at - _SAME:
                return
            if len(self._seen) > 10_000:
                self._seen.clear()
            self._seen[(who.id, path)] = at
        self._put(journal.Entry("looked", who.id, detail={"path": path}))

    def used(self, session: Session) -> None:
        """Something came from a session."""
        if session.seen_at <= self._hub.clock.now() - _TOUCH:
            self._put(session.hash)

    def stop(self) -> None:
        """Write what is left, and end."""
        with self._lock:
            thread = self._thread
        if thread is not None:
            self._waiting.put(None)
            thread.join(10)

    def _put(self, one: journal.Entry | str) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="looks", daemon=True)
                self._thread.start()
        self._waiting.put(one)

    def _run(self) -> None:
        while (first := self._waiting.get()) is not None:
            group = [first]
            ended = False
            while len(group) < _MOST and not self._waiting.empty():
                more = self._waiting.get()
                if more is None:
                    ended = True
                    break
                group.append(more)
            self._write(group)
            if ended:
                return

    def _write(self, group: list[journal.Entry | str]) -> None:
        entries = [one for one in group if isinstance(one, journal.Entry)]
        hashes = {one for one in group if isinstance(one, str)}
        now = self._hub.clock.now()

        def work(connection: Connection) -> None:
            if entries:
                journal.append(connection, entries, now)
            if hashes:
                sessions.touch(connection, hashes, now)

        try:
            self._hub.ledger.write(work)
        except HubError as error:
            log.warning("looks were not written down", action="looks_lost", looks=len(entries), why=error.what)
