"""What was read dearly is remembered a while, and read anew behind the reader's back.

The while grows with the price: reading anew never takes more than a twentieth of one thread's time, however many ask.
What is cheap is read every time, so a small ledger shows everything at once.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar

import structlog

from hub.courtesy import courtesy

T = TypeVar("T")
log = structlog.get_logger()

#: Seconds: what takes less is read every time.
_CHEAP = 0.05
#: And what takes more than this is dear, whatever the machine was doing.
_DEAR = 0.5
#: A thing is kept for so many times what reading it took.
_TIMES = 20
#: Seconds after which nobody is told what was read once; a reader waits then.
_OLD = 300.0
_KEPT = 200


@dataclass(slots=True)
class _Entry:
    value: Any = None
    read_at: float = 0.0
    seconds: float = 0.0
    #: How often in a row it was dear: once may be the machine, unless it was very dear.
    dear: int = 0
    again: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Remembered:
    """Of one process; for all its threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, read: Callable[[], T]) -> T:
        """What `read` gives, or gave a short while ago.  Whoever comes while it is read the first time waits for it."""
        entry = self._entry(key)
        held = self._held(entry, read)
        if held is not None:
            value: T = held[0]
            return value
        with entry.lock:
            held = self._held(entry, read)
            return held[0] if held is not None else self._read(entry, read)

    def once(self, key: Hashable, read: Callable[[], T]) -> T:
        """What `read` gives, read a single time: of what can change no more.  Whoever comes meanwhile waits."""
        entry = self._entry(key)
        with entry.lock:
            if not entry.read_at:
                self._read(entry, read)
            value: T = entry.value
            return value

    def forget(self) -> None:
        """Somebody changed something and wants to see it."""
        with self._lock:
            self._entries.clear()

    def _entry(self, key: Hashable) -> _Entry:
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = _Entry()
                while len(self._entries) > _KEPT:
                    self._entries.popitem(last=False)
            self._entries.move_to_end(key)
            return entry

    def _held(self, entry: _Entry, read: Callable[[], Any]) -> tuple[Any] | None:
        """The value that still counts; when it is about to count no more, it is read anew beside."""
        with self._lock:
            age = self._now() - entry.read_at
            if entry.dear < 2 or age > _OLD + entry.seconds * _TIMES:
                return None
            begin = age > entry.seconds * _TIMES and not entry.again
            entry.again = entry.again or begin
            value = (entry.value,)
        if begin:
            threading.Thread(target=self._anew, args=(entry, read), name="reads-anew", daemon=True).start()
        return value

    def _anew(self, entry: _Entry, read: Callable[[], Any]) -> None:
        try:
            courtesy.give_way()
            self._read(entry, read)
        except Exception:  # the old value stays; the next reader tries again
            log.warning("could not read anew", action="read_anew_failed", exc_info=True)
        finally:
            with self._lock:
                entry.again = False

    def _read(self, entry: _Entry, read: Callable[[], T]) -> T:
        begin = self._now()
        value = read()
        end = self._now()
        with self._lock:
            entry.value, entry.read_at, entry.seconds = value, end, end - begin
            entry.dear = 2 if entry.seconds > _DEAR else entry.dear + 1 if entry.seconds > _CHEAP else 0
        return value
