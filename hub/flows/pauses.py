"""Connections an operator has paused: in the ledger, so that every process obeys; not the pause in the settings."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection

from hub.ledger import journal, memory
from hub.ledger.engine import Ledger
from standards.clock import Clock, local_text

#: Under which name it is remembered of a connection.
_NAME = "operator.paused"
#: How long an answer is good: another process obeys after so long at the latest.
_REMEMBER = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when, by whom, and why."""

    since: str
    by: str
    reason: str


@dataclass(slots=True)
class Pauses:
    """Says whether a connection is paused; remembers for a moment what the ledger said."""

    ledger: Ledger
    clock: Clock
    _held: dict[str, tuple[datetime, bool]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def paused(self, name: str) -> bool:
        """Whether nothing is to be taken in through it now."""
        now = self.clock.now()
        with self._lock:
            held = self._held.get(name)
        if held is None or now - held[0] >= _REMEMBER or now < held[0]:
            with self.ledger.read() as connection:
                held = (now, bool(of_these(connection, [name])))
            with self._lock:
                self._held[name] = held
        return held[1]


def of_these(connection: Connection, names: Collection[str]) -> dict[str, Pause]:
    """Which of these connections are paused."""
    found = memory.of_these(connection, _NAME, names)
    return {name: Pause(**json.loads(value)) for name, value in found.items()}


def pause(ledger: Ledger, clock: Clock, name: str, by: str, reason: str) -> None:
    """Nothing is taken in through it until somebody lets it go on."""
    now = clock.now()

    def work(connection: Connection) -> None:
        words = json.dumps({"since": local_text(now), "by": by, "reason": reason}, ensure_ascii=False)
        memory.put(connection, name, _NAME, words, now)
        detail = {"connection": name, "reason": reason}
        journal.append(connection, [journal.Entry("connection_paused", by, detail=detail)], now)

    ledger.write(work)


def resume(ledger: Ledger, clock: Clock, name: str, by: str) -> None:
    """It takes in again."""
    now = clock.now()

    def work(connection: Connection) -> None:
        memory.drop(connection, name, _NAME)
        journal.append(connection, [journal.Entry("connection_resumed", by, detail={"connection": name})], now)

    ledger.write(work)
