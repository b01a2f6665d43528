"""Whoever waits for a page comes first: what is carried along in bulk stands aside, for moments.

Threads of one process share one interpreter.  A page reads row by row and hands the interpreter over at each of them,
so beside a thread that maps it would take as many turns as it has rows.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

#: Seconds a thread stands aside at most, and how long it then works before it does so again: bulk keeps a third.
_ASIDE, _WORK = 0.2, 0.1
#: Whose chunk or parcel holds more records than this is at it for long.
MANY = 200


class Courtesy:
    """How many are waiting, and whether one should stand aside for them.  Of one process; for all its threads."""

    def __init__(self, now: Callable[[], float] = time.monotonic, aside: float = _ASIDE, work: float = _WORK) -> None:
        self._now = now
        self._aside, self._work = aside, work
        self._waiting = 0
        self._nobody = threading.Condition()
        self._stood = threading.local()

    @contextmanager
    def asked(self) -> Iterator[None]:
        """Somebody waits for an answer as long as this lasts."""
        with self._nobody:
            self._waiting += 1
        try:
            yield
        finally:
            with self._nobody:
                self._waiting -= 1
                if not self._waiting:
                    self._nobody.notify_all()

    @property
    def wanted(self) -> bool:
        """Somebody waits."""
        return self._waiting > 0

    def give_way(self) -> None:
        """Stand aside while somebody waits, not for long, and not again before some work was done."""
        if not self._waiting or self._now() < getattr(self._stood, "until", 0.0):
            return
        end = self._now() + self._aside
        with self._nobody:
            while self._waiting and (left := end - self._now()) > 0:
                self._nobody.wait(left)
            if self._waiting:
                self._stood.until = self._now() + self._work


#: There is one interpreter in a process, so there is one of these.
courtesy = Courtesy()
